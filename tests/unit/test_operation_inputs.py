"""How names and values of a request become the inputs of an operation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import Settings
from app.errors import (
    InvalidBody,
    InvalidInput,
    InvalidValue,
    MissingParameter,
    OperonError,
    SeveralProblems,
    TooCostly,
    UnknownRefSeq,
)
from app.fhir.body import pairs_from_body
from app.fhir.definitions import Definition, load_definitions
from app.fhir.parameters import MAX_IDENTIFIERS, Dialect, OperationInputs, read_inputs, split_list
from app.records import SourceClass
from app.variants.interval import Interval

VARIANTS = "find-subject-variants"
SPECIFIC = "find-subject-specific-variants"
POPULATION = "find-population-specific-variants"

LDLR = "NC_000019.10:11089431-11133820"


def read(
    operation: str,
    *pairs: tuple[str, str],
    body: Any = None,
    dialect: Dialect = Dialect.IG,
    path_subject: str | None = None,
    strict: bool = False,
    **settings: Any,
) -> OperationInputs:
    definition = load_definitions()[operation]
    return read_inputs(
        definition, pairs, body, dialect, path_subject=path_subject, strict=strict, settings=Settings(**settings)
    )


def read_variants(*pairs: tuple[str, str], **options: Any) -> OperationInputs:
    return read(VARIANTS, ("subject", "P1"), ("ranges", LDLR), *pairs, **options)


def body(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(entries)}


def problems_of(call: Any) -> list[OperonError]:
    with pytest.raises(OperonError) as caught:
        call()
    return list(caught.value.issues())


# --- subject ---


@pytest.mark.parametrize(
    "text",
    [
        "HG00403",
        " HG00403 ",
        "Patient/HG00403",
        "https://ehr.example/fhir/Patient/HG00403",
        "http://h:8/Patient/HG00403",
    ],
)
def test_subject_is_an_id_a_reference_or_a_url(text: str):
    assert read(VARIANTS, ("subject", text), ("ranges", LDLR)).subject == "HG00403"


@pytest.mark.parametrize("text", ["urn:oid:1.2.3|44/7", "https://nhs.uk/id|9434765919", "|123"])
def test_subject_may_be_an_identifier(text: str):
    assert read(VARIANTS, ("subject", text), ("ranges", LDLR)).subject == text


@pytest.mark.parametrize(
    "text", ["a b", "x" * 65, "Patient/", "Group/1", "../etc", "a_b", "P1,P2", "é", "P1\x00", "no scheme|1", "a|b|c"]
)
def test_subject_of_another_form_is_refused(text: str):
    (problem,) = problems_of(lambda: read(VARIANTS, ("subject", text), ("ranges", LDLR)))
    assert (problem.code, problem.parameter) == ("value", "subject")


def test_patient_of_the_path_is_the_subject():
    assert read(VARIANTS, ("ranges", LDLR), path_subject="HG00403").subject == "HG00403"


def test_same_subject_in_path_and_parameter_is_no_contradiction():
    inputs = read(VARIANTS, ("subject", "Patient/P1"), ("ranges", LDLR), path_subject="P1")
    assert inputs.subject == "P1"


def test_another_subject_than_that_of_the_path_is_refused():
    (problem,) = problems_of(lambda: read(VARIANTS, ("subject", "P2"), ("ranges", LDLR), path_subject="P1"))
    assert problem.parameter == "subject"


def test_path_holds_an_id_and_nothing_else():
    (problem,) = problems_of(lambda: read(VARIANTS, ("ranges", LDLR), path_subject="urn:x|1"))
    assert problem.parameter == "subject"


# --- lists ---


def test_range_keeps_its_text_and_order_and_repetitions():
    text = f" nc_000019.10:5-7 ,{LDLR},,{LDLR}"
    ranges = read(VARIANTS, ("subject", "P1"), ("ranges", text)).ranges
    assert [one.text for one in ranges] == ["nc_000019.10:5-7", LDLR, LDLR]
    assert ranges[0].interval == Interval("NC_000019.10", 5, 7)


def test_empty_range_is_legal():
    (only,) = read(VARIANTS, ("subject", "P1"), ("ranges", "NC_000001.10:5-5")).ranges
    assert (only.interval.start, only.interval.end) == (5, 5)


def test_repeated_list_is_a_union_in_order():
    inputs = read(SPECIFIC, ("subject", "P1"), ("variants", "c,a"), ("variants", "b"))
    assert inputs.variants == (("c", "a", "b"),)


def test_repetition_means_and_where_the_operation_says_so():
    assert read(POPULATION, ("variants", "a, b"), ("variants", "c")).variants == (("a", "b"), ("c",))


def test_empty_repetition_adds_no_condition():
    assert read(POPULATION, ("variants", "a"), ("variants", " , "), ("variants", "")).variants == (("a",),)


def test_bar_never_separates_conditions():
    assert read(POPULATION, ("variants", "a|b")).variants == (("a|b",),)


def test_variants_are_handed_on_unread():
    text = "NC_000005.9:g.112102032A>T, NM_000038.6:c.88 2T>C,nonsense"
    assert read(POPULATION, ("variants", text)).variants == (
        ("NC_000005.9:g.112102032A>T", "NM_000038.6:c.88 2T>C", "nonsense"),
    )


def test_identifiers_are_lists():
    inputs = read_variants(
        ("testIdentifiers", "T1, T2"), ("testIdentifiers", "T3"), ("specimenIdentifiers", "urn:lab|S\\,1")
    )
    assert inputs.test_identifiers == ("T1", "T2", "T3")
    assert inputs.specimen_identifiers == ("urn:lab|S,1",)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a,b", ["a", "b"]),
        (" a , b ", ["a", "b"]),
        (r"a\,b,c", ["a,b", "c"]),
        (r"a\|b", ["a|b"]),
        (r"a\$b", ["a$b"]),
        (r"a\\,b", ["a\\", "b"]),
        (r"a\\\,b", ["a\\,b"]),
        (r"a\xb", [r"a\xb"]),
        ("a\\", ["a\\"]),
        (",,", []),
        ("", []),
    ],
)
def test_list_splits_at_commas_that_are_not_escaped(text: str, values: list[str]):
    assert split_list(text) == values


@given(st.lists(st.text(alphabet="ab,\\|$ é", min_size=1).map(str.strip).filter(bool)))
def test_escaped_values_come_back(values: list[str]):
    escaped = [value.replace("\\", "\\\\").replace(",", "\\,") for value in values]
    assert split_list(" , ".join(escaped)) == values


@pytest.mark.parametrize("name", ["testIdentifiers", "specimenIdentifiers", "ranges"])
def test_control_characters_are_refused(name: str):
    found = problems_of(lambda: read(VARIANTS, ("subject", "P1"), ("ranges", LDLR), (name, "T\x001")))
    assert [problem.parameter for problem in found] == [name]


# --- absence, defaults, single values ---


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("testIdentifiers", ""),
        ("testIdentifiers", " , "),
        ("testDateRange", ""),
        ("testDateRange", "  "),
        ("genomicSourceClass", ""),
        ("includeVariants", " "),
    ],
)
def test_empty_value_is_an_absent_value(name: str, text: str):
    assert read_variants((name, text)) == read_variants()


def test_missing_parameters_are_all_named():
    found = problems_of(lambda: read(VARIANTS, ("ranges", " , ")))
    assert [type(problem) for problem in found] == [MissingParameter, MissingParameter]
    assert [problem.diagnostics for problem in found] == [
        "Missing query parameter 'subject'",
        "Missing query parameter 'ranges'",
    ]


def test_all_problems_are_reported_at_once():
    found = problems_of(
        lambda: read(
            VARIANTS,
            ("ranges", "NC_000001.10:7-5,NC_000099.1:1-2,rubbish"),
            ("includeVariants", "perhaps"),
            ("testDateRange", "ap2020"),
            ("genomicSourceClass", "mixed"),
        )
    )
    assert [problem.parameter for problem in found] == ["subject", *["ranges"] * 3, *["testDateRange"], *FLAGS]
    assert isinstance(found[2], UnknownRefSeq)
    assert "Range start(7) should be less than or equal to Range end(5)" in [one.diagnostics for one in found]


FLAGS = ["genomicSourceClass", "includeVariants"]


def test_a_bad_value_is_not_also_missing():
    (problem,) = problems_of(lambda: read(VARIANTS, ("subject", "P1"), ("ranges", "rubbish")))
    assert isinstance(problem, InvalidValue)


@pytest.mark.parametrize("name", ["subject", "genomicSourceClass", "includeVariants"])
def test_single_value_may_not_be_contradicted(name: str):
    values = {"subject": ("P1", "P2"), "genomicSourceClass": ("germline", "somatic"), "includeVariants": ("1", "0")}[
        name
    ]
    pairs = [("subject", "P1"), ("ranges", LDLR), *((name, value) for value in values)]
    found = problems_of(lambda: read(VARIANTS, *pairs))
    assert [problem.parameter for problem in found] == [name]


def test_single_value_may_be_repeated():
    inputs = read_variants(("includeVariants", "true"), ("includeVariants", "1"), ("genomicSourceClass", "Germline"))
    assert inputs.include_variants
    assert read_variants(("subject", "Patient/P1")).subject == "P1"


@pytest.mark.parametrize("text", ["true", "TRUE", "1", " True "])
def test_true(text: str):
    assert read(POPULATION, ("variants", "a"), ("includePatientList", text)).include_patient_list


@pytest.mark.parametrize("text", ["false", "False", "0"])
def test_false(text: str):
    assert not read_variants(("includeVariants", text), dialect=Dialect.REF).include_variants


@pytest.mark.parametrize("text", ["yes", "truee", "2", "on"])
def test_other_booleans_are_refused(text: str):
    (problem,) = problems_of(lambda: read_variants(("includeVariants", text)))
    assert problem.code == "value"


@pytest.mark.parametrize(("text", "expected"), [("germline", SourceClass.GERMLINE), ("SOMATIC", SourceClass.SOMATIC)])
def test_source_class_in_any_case(text: str, expected: SourceClass):
    assert read_variants(("genomicSourceClass", text)).source_class is expected


@pytest.mark.parametrize("text", ["mixed", "unspecified", "germline,somatic", "LA6683-2"])
def test_other_source_class_is_refused(text: str):
    (problem,) = problems_of(lambda: read_variants(("genomicSourceClass", text)))
    assert "must be either 'germline' or 'somatic'" in problem.diagnostics


def test_variants_are_included_by_default_only_in_the_dialect_of_the_reference_implementation():
    assert not read_variants().include_variants
    assert read_variants(dialect=Dialect.REF).include_variants


@pytest.mark.parametrize("more", [(), (("includeVariants", "false"),)])
def test_phasing_implies_variants(more: tuple[tuple[str, str], ...]):
    inputs = read_variants(("includePhasing", "true"), *more)
    assert inputs.include_phasing
    assert inputs.include_variants


def test_dates_are_conditions_that_all_hold():
    inputs = read_variants(("testDateRange", "ge2020-06-01"), ("testDateRange", "ge2020-07-01"))
    assert [(bound.prefix, bound.start.month) for bound in inputs.test_dates] == [("ge", 6), ("ge", 7)]


# --- unknown parameters ---


def test_unknown_parameters_are_ignored():
    assert read(SPECIFIC, ("subject", "P1"), ("variants", "a"), ("includeVariants", "nonsense"), ("x", "")) == read(
        SPECIFIC, ("subject", "P1"), ("variants", "a")
    )


def test_subject_of_a_population_operation_is_ignored():
    assert read(POPULATION, ("variants", "a"), ("subject", "HG00403")).subject is None


def test_strict_handling_refuses_each_unknown_parameter():
    found = problems_of(lambda: read_variants(("specimenIdentfiers", "1"), ("x", ""), strict=True))
    assert [problem.diagnostics for problem in found] == [
        "Unknown query parameter 'specimenIdentfiers'",
        "Unknown query parameter 'x'",
    ]


def test_strict_handling_knows_the_parameters_about_the_answer():
    controls = [(name, "x") for name in ("_format", "_pretty", "_summary", "_elements", "_dialect")]
    assert read_variants(*controls, strict=True) == read_variants()


# --- limits ---


def test_too_many_ranges_are_refused():
    with pytest.raises(TooCostly, match="101 ranges"):
        read(VARIANTS, ("subject", "P1"), ("ranges", ",".join([LDLR] * 101)))


def test_too_many_variants_are_refused_over_all_repetitions():
    with pytest.raises(TooCostly, match="3 variants"):
        read(POPULATION, ("variants", "a,b"), ("variants", "c"), max_variants=2)


def test_too_many_identifiers_are_refused():
    with pytest.raises(TooCostly, match="testIdentifiers"):
        read_variants(("testIdentifiers", ",".join(["T"] * (MAX_IDENTIFIERS + 1))))


def test_reported_problems_are_bounded():
    pairs = [("x", "")] * 5000
    assert len(problems_of(lambda: read_variants(*pairs, strict=True))) == 100


# --- body ---


@pytest.mark.parametrize(
    ("entry", "pair"),
    [
        ({"name": "subject", "valueString": "P1"}, ("subject", "P1")),
        ({"name": "subject", "valueReference": {"reference": "Patient/P1"}}, ("subject", "P1")),
        ({"name": "subject", "valueUri": "https://ehr.example/fhir/Patient/P1"}, ("subject", "P1")),
        ({"name": "subject", "valueId": "P1"}, ("subject", "P1")),
        ({"name": "subject", "valueIdentifier": {"system": "urn:x", "value": "1"}}, ("subject", "urn:x|1")),
        ({"name": "subject", "valueIdentifier": {"value": "1"}}, ("subject", "|1")),
        (
            {"name": "subject", "valueReference": {"identifier": {"system": "urn:x", "value": "1"}}},
            ("subject", "urn:x|1"),
        ),
        ({"name": "testIdentifiers", "valueString": "T1,T2"}, ("testIdentifiers", "T1,T2")),
        ({"name": "testIdentifiers", "valueIdentifier": {"system": "u", "value": "T,1"}}, ("testIdentifiers", r"T\,1")),
        (
            {"name": "specimenIdentifiers", "valueReference": {"reference": "Specimen/S1"}},
            ("specimenIdentifiers", "S1"),
        ),
        (
            {"name": "specimenIdentifiers", "valueReference": {"identifier": {"value": "S1"}}},
            ("specimenIdentifiers", "S1"),
        ),
        ({"name": "testDateRange", "valueString": "ge2020"}, ("testDateRange", "ge2020")),
        ({"name": "testDateRange", "valueDate": "2020-07-01"}, ("testDateRange", "eq2020-07-01")),
        (
            {"name": "testDateRange", "valueDateTime": "2020-07-01T10:00:00Z"},
            ("testDateRange", "eq2020-07-01T10:00:00Z"),
        ),
        ({"name": "genomicSourceClass", "valueCode": "germline"}, ("genomicSourceClass", "germline")),
        (
            {"name": "genomicSourceClass", "valueCoding": {"system": "http://loinc.org", "code": "LA6684-0"}},
            ("genomicSourceClass", "somatic"),
        ),
        ({"name": "genomicSourceClass", "valueString": "Somatic"}, ("genomicSourceClass", "Somatic")),
        ({"name": "includeVariants", "valueBoolean": True}, ("includeVariants", "true")),
        ({"name": "includeVariants", "valueString": "true"}, ("includeVariants", "true")),
        ({"name": "includePhasing", "valueBoolean": False}, ("includePhasing", "false")),
        (
            {"name": "ranges", "valueString": "NC_000001.10:1-2, NC_000001.10:3-4"},
            ("ranges", "NC_000001.10:1-2,NC_000001.10:3-4"),
        ),
        ({"name": "unheard-of", "valueMoney": {"value": 1}}, ("unheard-of", "")),
    ],
)
def test_body_means_what_the_query_means(entry: dict[str, Any], pair: tuple[str, str]):
    base = [("subject", "P1"), ("ranges", LDLR)]
    base = [(name, text) for name, text in base if name != pair[0]]
    assert read(VARIANTS, *base, body=body(entry)) == read(VARIANTS, *base, pair)


def test_period_means_from_to_inclusive():
    period = {"name": "testDateRange", "valuePeriod": {"start": "2020-06-01", "end": "2020-08-01"}}
    assert read_variants(body=body(period)) == read_variants(
        ("testDateRange", "ge2020-06-01"), ("testDateRange", "le2020-08-01")
    )


def test_open_period_has_one_end():
    inputs = read_variants(body=body({"name": "testDateRange", "valuePeriod": {"end": "2020"}}))
    assert [bound.prefix for bound in inputs.test_dates] == ["le"]


def test_each_entry_of_a_body_is_a_repetition():
    entries = [{"name": "variants", "valueString": "a,b"}, {"name": "variants", "valueString": "c"}]
    assert read(POPULATION, ("variants", "d"), body=body(*entries)).variants == (("d",), ("a", "b"), ("c",))


def test_query_and_body_are_merged():
    inputs = read(VARIANTS, ("subject", "P1"), body=body({"name": "ranges", "valueString": LDLR}))
    assert (inputs.subject, inputs.ranges[0].text) == ("P1", LDLR)


def test_query_and_body_may_not_contradict_each_other():
    (problem,) = problems_of(lambda: read_variants(body=body({"name": "subject", "valueString": "P2"})))
    assert problem.parameter == "subject"


def test_empty_text_in_a_body_is_an_absent_value():
    assert read_variants(body=body({"name": "testIdentifiers", "valueString": ""})) == read_variants()


@pytest.mark.parametrize(
    "document",
    [
        [],
        "Parameters",
        7,
        {},
        {"resourceType": "Bundle"},
        {"resourceType": "Parameters", "parameter": {}},
        {"resourceType": "Parameters", "parameter": [7]},
        {"resourceType": "Parameters", "parameter": [None]},
        {"resourceType": "Parameters", "parameter": [{"valueString": "x"}]},
        {"resourceType": "Parameters", "parameter": [{"name": 1, "valueString": "x"}]},
        body({"name": "subject"}),
        body({"name": "subject", "valueString": "P1", "valueId": "P1"}),
        body({"name": "subject", "valueString": None}),
        body({"name": "subject", "valueInteger": 1}),
        body({"name": "subject", "part": []}),
        body({"name": "subject", "valueString": "P1", "resource": {}}),
        body({"name": "subject", "valueReference": {}}),
        body({"name": "subject", "valueIdentifier": {"system": "x"}}),
        body({"name": "subject", "valueIdentifier": {"system": 1, "value": "x"}}),
        body({"name": "ranges", "valueString": 5}),
        body({"name": "testDateRange", "valuePeriod": {}}),
        body({"name": "testDateRange", "valuePeriod": {"start": 2020}}),
        body({"name": "testDateRange", "valuePeriod": "2020"}),
        body({"name": "includeVariants", "valueBoolean": "true"}),
        body({"name": "genomicSourceClass", "valueCoding": {"display": "germline"}}),
        body({"name": "specimenIdentifiers", "valueReference": {"display": "S1"}}),
    ],
)
def test_body_of_another_structure_is_refused(document: Any):
    with pytest.raises(InvalidBody):
        read_variants(body=document)


def test_body_names_every_bad_entry():
    entries: list[dict[str, Any]] = [
        {"name": "subject", "valueInteger": 1},
        {"name": "ranges", "valueString": LDLR},
        {"name": "ranges"},
    ]
    found = problems_of(lambda: read(VARIANTS, body=body(*entries)))
    assert [problem.parameter for problem in found] == ["subject", "ranges"]
    assert "parameter[0]" in found[0].diagnostics


def test_values_that_the_operation_does_not_take_are_not_looked_at():
    assert read(POPULATION, ("variants", "a"), body=body({"name": "subject", "valueInteger": 1})).subject is None


# --- definitions ---


@pytest.mark.parametrize("definition", load_definitions().values(), ids=lambda definition: definition.name)
def test_every_declared_input_can_be_read_from_query_and_body(definition: Definition):
    for name, parameter in definition.parameters.items():
        text = {"boolean": "true", "Period": "ge2020"}.get(parameter.type, parameter.example or "x")
        pairs = pairs_from_body(body({"name": name, "valueString": text}), definition.parameters)
        given = [(one, declared.example or "x") for one, declared in definition.parameters.items() if declared.minimum]
        given = [(one, value) for one, value in given if one != name]
        assert read(definition.name, *given, *pairs) != OperationInputs()


VALUES = (
    st.sampled_from(["", "true", "P1", LDLR, "ge2020", "a,b", "\\", "x\x00", "germline", "é", "urn:x|y"]) | st.text()
)
NAMES = st.sampled_from(sorted(load_definitions()[VARIANTS].parameters)) | st.text(max_size=8)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=12), st.booleans(), st.sampled_from(sorted(load_definitions())))
def test_no_query_breaks_the_reader(pairs: list[tuple[str, str]], strict: bool, operation: str):
    try:
        inputs = read(operation, *pairs, strict=strict)
    except (InvalidInput, SeveralProblems, TooCostly):
        return
    wanted = load_definitions()[operation].parameters
    needed = [name for name in ("variants", "ranges", "haplotypes", "genes") if name in wanted and wanted[name].minimum]
    assert all(getattr(inputs, name) for name in needed)
