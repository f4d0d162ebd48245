"""Implications and consequences: a plain model of items and findings says what each question has to be answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.fhir.dates import implicit_interval
from app.fhir.validate import problems
from app.main import create_app
from app.records import Build, SourceClass
from app.store import bulk, studies
from app.store.subjects import Subject
from tests.api.client import Answer, Client
from tests.genotype_files import line
from tests.known_world import (
    DOID,
    GENOME,
    MEDGEN,
    RXNORM,
    SO,
    about,
    calls_of,
    consequence,
    diagnostic,
    of_genotype,
    place,
    spdi,
    therapeutic,
)
from tests.postgres_server import PostgresServer
from tests.postman import path_of
from tests.small_store import SmallStore, component, migrated
from tests.two_builds import B37, B38

TX, DX, MC = "find-subject-tx-implications", "find-subject-dx-implications", "find-subject-molecular-consequences"
OF_ALL = {name: name.replace("subject", "population") for name in (TX, DX, MC)}
SUBJECTS = ("P0", "P1", "P2", "P3", "P4", "P5")
CYP2C19, CYP2D6 = "CYP2C19 *1/*17", "CYP2D6 *1/*41"
OTHER_GENE = {"gene_id": "HGNC:2625", "gene_symbol": "CYP2D6"}

Finding = tuple[str, str, int | str]
"""Subject, test, and the place of the variant or the name of the genotype"""


@dataclass(frozen=True)
class Examined:
    """One test with what it found; ``source_class`` is that of its variants, and of its genotypes if those have one."""

    subject: str
    test: str
    variants: tuple[int, ...] = ()
    genotypes: tuple[str, ...] = ()
    build: Build = B38
    source_class: SourceClass = SourceClass.GERMLINE
    of_genotypes: SourceClass = SourceClass.UNSPECIFIED
    date: str | None = None
    specimen: str | None = None


TESTS = (
    Examined("P1", "T1", (100, 110), (CYP2C19, CYP2D6), date="2024-02-03", specimen="S1"),
    Examined("P1", "T2", (100, 120), build=B37, source_class=SourceClass.SOMATIC, date="2025-05-05", specimen="S2"),
    Examined("P2", "T1", (110, 140), ("CYP2C19 *17/*1",), build=B37, of_genotypes=SourceClass.GERMLINE),
    Examined("P3", "T1", (), (CYP2C19,), of_genotypes=SourceClass.SOMATIC),
    Examined("P4", "T1", (500,)),
    Examined("P5", "T1", (100,), source_class=SourceClass.MIXED),
    Examined("P5", "T2", (120, 130), source_class=SourceClass.UNSPECIFIED),
)


@dataclass(frozen=True)
class Item:
    """One row of knowledge."""

    row_id: str
    ats: tuple[int, ...] = ()
    genotypes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    medications: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


NAMES = {
    "C1": "First disease", "C2": "Second disease", "C3": "Fever (a.b)*[c]+ syndrome", "C9": "Nobody's disease",
    "DOID:3908": "lung non-small cell carcinoma", "1909": "melanoma",
    "704": "amitriptyline", "11": "onemab", "NCT01234567": "trial drug", "": "codeless drug",
    "SO:0001583": "missense_variant", "SO:0001630": "splice_region_variant", "SO:0001819": "synonymous_variant",
}  # fmt: skip
DIAGNOSTIC = (
    Item("d1", (100,), conditions=("C1", "C2")),
    Item("d2", (110,), conditions=("C2",)),
    Item("d3", (120,)),
    Item("d4", (100,), conditions=("C3",)),
    Item("d5", (900,), conditions=("C9",)),
    Item("d6", (110, 140), conditions=("C1",)),
)
THERAPEUTIC = (
    Item("t1", (100,), conditions=("DOID:3908",), medications=("11", "NCT01234567")),
    Item("t2", (110,), conditions=("1909",), medications=("",)),
    Item("t3", genotypes=(CYP2C19,), medications=("704",)),
    Item("t4", genotypes=(CYP2C19,), medications=("11",)),
    Item("t5", genotypes=(CYP2C19, CYP2D6), medications=("NCT01234567",)),
)
CONSEQUENCES = (
    Item("m1", (100,), terms=("SO:0001583", "SO:0001630")),
    Item("m2", (100,), terms=("SO:0001819",)),
    Item("m3", (120,), terms=("SO:0001583",)),
)
ITEMS = {TX: THERAPEUTIC, DX: DIAGNOSTIC, MC: CONSEQUENCES}


def _target(item: Item) -> dict[str, str]:
    named = {"identifiers.system": "urn:row", "identifiers.value": item.row_id}
    if item.genotypes:
        return of_genotype(item.row_id, *item.genotypes) | named
    if len(item.ats) == 2:  # the source contradicts itself
        return {"row_id": item.row_id, "b37_spdi": spdi(item.ats[0], B37), "b38_spdi": spdi(item.ats[1]), **named}
    builds = [B37] if item.row_id == "d2" else list(Build)
    return about(item.row_id, item.ats[0], *builds) | named


def _coded(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [(code, NAMES[code]) for code in codes]


class Served:
    """A store with the tests and items above, and a client of the application over it."""

    def __init__(self, store: SmallStore) -> None:
        self.store = store
        self.client = Client(create_app(store.settings, store.context))
        bulk.store_subjects(store.database, [Subject("P0"), Subject("P3", identifiers=(("urn:mrn", "3"),))], "test")
        for one in TESTS:
            facts = {"test_date": one.date, "specimen": one.specimen}
            if one.variants:
                text = calls_of(one.variants, build=one.build)
                store.ingest(text, one.subject, test=one.test, build=one.build, source_class=one.source_class, **facts)
        lines = []
        for one in TESTS:
            for code in one.genotypes:
                more = OTHER_GENE if code.startswith("CYP2D6") else {}
                word = "" if one.of_genotypes is SourceClass.UNSPECIFIED else one.of_genotypes.word
                told = {"test_id": one.test, "source_class": word, "specimen_id": one.specimen or ""}
                lines.append(line(one.subject, code, **told, **more))
        store.genotypes(*lines)
        rows = [diagnostic(_target(item), *_coded(item.conditions)) for item in DIAGNOSTIC]
        store.knowledge("diagnostic", *rows, version="1")
        tx = [
            therapeutic(_target(item), *_coded(item.medications), contexts=_coded(item.conditions))
            for item in THERAPEUTIC
        ]
        store.knowledge("therapeutic", *tx, version="1")
        mc = [consequence(_target(item), *_coded(item.terms)) for item in CONSEQUENCES]
        store.knowledge("consequence", *mc, version="1")
        self.tests = {f"Procedure/gs-{studies.uid_of(one.subject, one.test)}": one for one in TESTS}

    def get(self, name: str, *, ref: Any = False, **inputs: Any) -> Answer:
        base = path_of(name) if ref else f"/fhir/${name}"
        return self.client.get(f"{base}?{'&'.join(f'{key}={quote(text)}' for key, text in inputs.items())}")

    def ask(self, name: str, *, ref: Any = False, **inputs: Any) -> list[dict[str, Any]]:
        answer = self.get(name, ref=ref, **inputs)
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.json().get("parameter", [])
        return found

    def finding(self, resource: dict[str, Any]) -> Finding:
        """Return which finding an Observation is."""
        [test] = [self.tests[one["reference"]] for one in resource["partOf"]]
        if "g" in resource["id"].split("-"):
            return test.subject, test.test, resource["valueCodeableConcept"]["coding"][0]["code"]
        position = int(component(resource, "81252-9")["valueCodeableConcept"]["coding"][0]["code"].split(":")[1])
        return test.subject, test.test, position - {B37: 1000, B38: 5000}[test.build]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("store")
    url = f"sqlite:///{folder / 'operon.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.url(server.fresh_database())
    with migrated(url) as database:
        opened = Served(SmallStore(database, folder, GENOME))
        yield opened
        opened.client.close()


# --- the model --------------------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[str, ...]] = {
    "C2": ("C2",),
    "DISEASE": ("C1", "C2", "C9"),
    f"{MEDGEN}|C1": ("C1",),
    f"{MEDGEN.replace('https', 'http')}/|C2": ("C2",),
    f"{MEDGEN}|c1": (),
    f"{MEDGEN}|C": (),
    "(A.B)*[C]+": ("C3",),
    "a.b)*": ("C3",),
    ".*": (),
    "C1, C3": ("C1", "C3"),
    f"{MEDGEN}|C9": ("C9",),
    f"{DOID}|3908": ("DOID:3908",),
    f"{DOID}|DOID:3908": ("DOID:3908",),
    "http://disease-ontology.org/|DOID:1909": ("1909",),
    f"{DOID}|190": (),
    "Melanoma": ("1909",),
    "CELL CARCINOMA": ("DOID:3908",),
    f"{RXNORM}|704": ("704",),
    f"{RXNORM}|70": (),
    f"{RXNORM}|NCT01234567": ("NCT01234567",),
    "mab": ("11",),
    "Drug": ("NCT01234567", ""),
    "|11": ("11",),
    f"{SO}|SO:0001583": ("SO:0001583",),
    "http://sequenceontology.org|SO:0001819": ("SO:0001819",),
    "Splice": ("SO:0001630",),
    f"{SO}|SO:0001583a": (),
}
"""Tokens and the codes that they stand for"""
CONDITIONS = [word for word in WORDS if word.startswith(MEDGEN[8:12]) or word in list(WORDS)[:11]]
CONTEXTS = list(WORDS)[11:17]
TREATMENTS = list(WORDS)[17:23]
TERMS = list(WORDS)[23:]
VARIANTS = {spdi(100): (100,), f"{spdi(100, B37)},{spdi(110)}": (100, 110), spdi(300): (), spdi(140, B37): (140,)}
RANGES = {
    place(95, size=20): range(95, 115),
    f"{place(100, B37)},{place(118, size=10)}": (100, *range(118, 128)),
    place(600): (),
}
HAPLOTYPES = {CYP2C19: ("CYP2C19",), "CYP2D6": ("CYP2D6",), "http://www.pharmvar.org|CYP2C19 *2/*2": ()}
FILTERS: tuple[dict[str, str], ...] = (
    {},
    {"testIdentifiers": "T2"},
    {"testIdentifiers": "T1,T9"},
    {"testDateRange": "ge2025-01-01"},
    {"testDateRange": "le2025-01-01"},
    {"specimenIdentifiers": "S1"},
    {"genomicSourceClass": "Germline"},
    {"genomicSourceClass": "somatic"},
    {"testIdentifiers": "T1", "genomicSourceClass": "somatic"},
)


@dataclass(frozen=True)
class Question:
    """What is asked: inputs that name what is looked for, and filters."""

    inputs: Mapping[str, str]
    filters: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, name: str) -> str | None:
        """Return with which words the reference implementation refuses the question."""
        if "variants" in self.inputs and "ranges" in self.inputs:
            return "You cannot supply both 'variants' and 'ranges'."
        if name == MC and not self.inputs.keys() & {"variants", "ranges"}:
            return "You must supply either 'variants' or 'ranges'."
        if name == TX and "haplotypes" in self.inputs and self.inputs.keys() & {"variants", "ranges"}:
            return "You cannot supply both ('variants' or 'ranges') and 'haplotypes'."
        return None

    @property
    def names_findings(self) -> bool:
        return bool(self.inputs.keys() & {"variants", "ranges", "haplotypes"})

    def passes(self, test: Examined, source_class: SourceClass, *, is_genotype: bool) -> bool:
        """Return whether a finding of a test passes the filters."""
        wanted = self.filters.get("genomicSourceClass", "").lower()
        is_unknown = is_genotype and source_class is SourceClass.UNSPECIFIED
        if wanted and source_class.word != wanted and not is_unknown:
            return False
        if "testIdentifiers" in self.filters and test.test not in self.filters["testIdentifiers"].split(","):
            return False
        if self.filters.get("specimenIdentifiers", test.specimen) != test.specimen:
            return False
        asked = self.filters.get("testDateRange")
        if asked is None:
            return True
        if test.date is None:
            return False
        edge = implicit_interval(asked[2:])
        start, end = implicit_interval(test.date)
        return end > edge[0] if asked.startswith("ge") else start < edge[1]

    def findings(self, name: str, subject: str) -> list[Finding]:
        """Return what of a subject the question is about, whatever it means."""
        found: list[Finding] = []
        for test in (one for one in TESTS if one.subject == subject):
            if "haplotypes" not in self.inputs and self.passes(test, test.source_class, is_genotype=False):
                ats = set(test.variants)
                for key, known in (("variants", VARIANTS), ("ranges", RANGES)):
                    if key in self.inputs:
                        ats &= set(known[self.inputs[key]])
                found += [(subject, test.test, at) for at in ats]
            asks_variants = self.inputs.keys() & {"variants", "ranges"}
            if name == TX and not asks_variants and self.passes(test, test.of_genotypes, is_genotype=True):
                genes = HAPLOTYPES.get(self.inputs.get("haplotypes", ""), ("CYP",))
                found += [
                    (subject, test.test, code) for code in test.genotypes if any(code.startswith(one) for one in genes)
                ]
        return found

    def expected(self, name: str, subject: str) -> dict[str, set[Finding]]:
        """Return the rows that apply, with the findings that each applies to."""
        if not self.inputs:
            return {}
        wanted = {
            "conditions": lambda item: item.conditions,
            "treatments": lambda item: item.medications,
            "featureConsequences": lambda item: item.terms,
        }
        answer: dict[str, set[Finding]] = {}
        for item in ITEMS[name]:
            if any(
                set(told(item)).isdisjoint(WORDS[self.inputs[key]])
                for key, told in wanted.items()
                if key in self.inputs
            ):
                continue
            spelled = {"CYP2C19 *17/*1" if code == CYP2C19 else code for code in item.genotypes} | set(item.genotypes)
            its = {one for one in self.findings(name, subject) if one[2] in item.ats or one[2] in spelled}
            if its:
                answer[item.row_id] = its
        return answer


def _some(values: Sequence[str]) -> list[str | None]:
    return [None, *values]


def _questions(**choices: Sequence[str]) -> list[Question]:
    found = []
    for values in itertools.product(*map(_some, choices.values())):
        inputs = {key: value for key, value in zip(choices, values, strict=True) if value is not None}
        found.append(Question(inputs))
    return found


COMBINED = {
    TX: _questions(
        variants=list(VARIANTS)[:2],
        ranges=list(RANGES)[:2],
        haplotypes=list(HAPLOTYPES)[:2],
        treatments=["mab", f"{RXNORM}|704"],
        conditions=["CELL CARCINOMA", f"{DOID}|190"],
    ),
    DX: _questions(variants=list(VARIANTS)[:3], ranges=list(RANGES), conditions=["DISEASE", f"{MEDGEN}|C9"]),
    MC: _questions(variants=list(VARIANTS)[:3], ranges=list(RANGES), featureConsequences=TERMS[:2]),
}
SINGLE = {
    TX: [
        *(Question({"variants": text}) for text in VARIANTS),
        *(Question({"ranges": text}) for text in RANGES),
        *(Question({"haplotypes": text}) for text in HAPLOTYPES),
        *(Question({"treatments": word}) for word in TREATMENTS),
        *(Question({"conditions": word}) for word in CONTEXTS),
    ],
    DX: [
        *(Question({"variants": text}) for text in VARIANTS),
        *(Question({"ranges": text}) for text in RANGES),
        *(Question({"conditions": word}) for word in CONDITIONS),
    ],
    MC: [
        *(Question({"variants": text}) for text in VARIANTS),
        *(Question({"ranges": text}) for text in RANGES),
        *(Question({"featureConsequences": word}) for word in TERMS),
    ],
}
every_operation = pytest.mark.parametrize("name", [TX, DX, MC])
either_dialect = pytest.mark.parametrize("ref", [False, True], ids=["ig", "ref"])


def told(served: Served, answer: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Finding]]]:
    """Return row and findings of each implication of an answer, whose references must lead to findings in it."""
    resources = [one["resource"] for one in answer if one["name"] in ("variant", "genotype")]
    known = {f"Observation/{one['id']}": served.finding(one) for one in resources}
    return [
        (one["resource"]["identifier"][0]["value"], [known[to["reference"]] for to in one["resource"]["derivedFrom"]])
        for one in answer
        if one["name"] in ("implication", "consequence")
    ]


def check(served: Served, name: str, question: Question, subject: str, *, ref: bool) -> list[dict[str, Any]]:
    """Hold an answer against the model, and return it."""
    if ref and (refusal := question.refusal(name)) is not None:
        answer = served.get(name, ref=True, subject=subject, **question.inputs, **question.filters)
        assert (answer.status, answer.json()["detail"]) == (400, refusal), question
        return []
    found = served.ask(name, ref=ref, subject=subject, **question.inputs, **question.filters)
    expected = question.expected(name, subject)
    rows = told(served, found)
    each = ref and (question.names_findings or name == MC)
    # By variant, a consequence is one for each variant's findings together.
    assert all(len(its) == 1 for _, its in rows) or not each
    joined: dict[str, set[Finding]] = {}
    for row, its in rows:
        assert len(set(its)) == len(its)
        assert each or row not in joined or name == MC, (question, rows)
        assert not joined.get(row, set()) & set(its)
        joined.setdefault(row, set()).update(its)
    assert joined == expected, (name, question, subject)
    assert all(one["resource"]["subject"] == {"reference": f"Patient/{subject}"} for one in found)
    ids = [one["resource"]["id"] for one in found if one["name"] in ("implication", "consequence")]
    assert len(set(ids)) == len(ids)
    assert all(len(id_) <= 64 for id_ in ids)
    return found


@either_dialect
@every_operation
def test_every_combination_of_inputs_is_answered_as_the_model_says(served: Served, name: str, ref: bool) -> None:
    answers = [check(served, name, question, "P1", ref=ref) for question in COMBINED[name]]
    assert sum(map(bool, answers)) >= 5
    assert not answers[0]


@either_dialect
@every_operation
def test_every_token_filter_and_subject_is_answered_as_the_model_says(served: Served, name: str, ref: bool) -> None:
    found = 0
    for question, filters, subject in itertools.product(SINGLE[name], FILTERS, SUBJECTS):
        if subject in ("P1", "P5") or len(filters) < 2:
            found += bool(check(served, name, Question(question.inputs, filters), subject, ref=ref))
    assert found >= 30


@pytest.mark.parametrize("source_class", [None, "germline", "somatic"])
@either_dialect
@every_operation
def test_who_is_counted_is_who_gets_an_answer(served: Served, name: str, ref: bool, source_class: str | None) -> None:
    filters = {"genomicSourceClass": source_class} if source_class else {}
    counts = set()
    for question in [*SINGLE[name], *COMBINED[name]]:
        if "ranges" in question.inputs or not question.inputs:
            continue
        if ref and {"variants", "haplotypes"} <= question.inputs.keys():
            assert served.ask(OF_ALL[name], ref=True, **question.inputs) == []
            continue
        [counted] = served.ask(OF_ALL[name], ref=ref, includePatientList="true", **question.inputs, **filters)
        assert counted["name"] == ("consequences" if name == MC else "implications")
        who = [one for one in SUBJECTS if Question(question.inputs, filters).expected(name, one)]
        numbers = {part["name"]: part["valueQuantity"]["value"] for part in counted["part"] if "valueQuantity" in part}
        assert numbers == {"numerator": len(who), "denominator": len(SUBJECTS)}, question
        assert [part["valueString"] for part in counted["part"] if part["name"] == "subject"] == who, question
        [bare] = served.ask(OF_ALL[name], ref=ref, **question.inputs, **filters)
        assert [part["name"] for part in bare["part"]] == ["numerator", "denominator"]
        counts.add(len(who))
    assert counts > {0}


# --- what is in an answer ---------------------------------------------------------------------------------------------


@either_dialect
@every_operation
def test_findings_follow_what_is_implied_by_them(served: Served, name: str, ref: bool) -> None:
    for question in SINGLE[name]:
        if ref and question.refusal(name):
            continue
        answer = served.ask(name, ref=ref, subject="P1", **question.inputs)
        assert problems({"resourceType": "Parameters", **({"parameter": answer} if answer else {})}) == []
        shown: set[str] = set()
        pending: list[str] = []
        for one in answer:
            if one["name"] in ("implication", "consequence"):
                assert not pending or name == MC, question
                pending = [to["reference"].partition("/")[2] for to in one["resource"]["derivedFrom"]]
                if name != MC and not (ref and "haplotypes" in question.inputs):
                    pending = [id_ for id_ in pending if id_ not in shown]
            else:
                assert one["name"] == ("genotype" if one["resource"]["id"].endswith("-g") else "variant")
                assert pending.pop(0) == one["resource"]["id"]
                shown.add(one["resource"]["id"])
        assert not pending


def test_by_haplotypes_every_implication_has_its_genotype_once_more_in_the_other_dialect(served: Served) -> None:
    inputs = {"subject": "P1", "haplotypes": f"{CYP2C19},{CYP2D6}"}
    names = [one["name"] for one in served.ask(TX, ref=True, **inputs)]
    assert names == ["implication", "genotype"] * 4
    assert [one["name"] for one in served.ask(TX, **inputs)].count("genotype") == 2
    assert [row for row, _ in told(served, served.ask(TX, **inputs))] == ["t3", "t4", "t5"]


def test_the_effect_on_a_therapy_is_worded_as_each_dialect_has_it(served: Served) -> None:
    inputs = {"subject": "P1", "treatments": "onemab"}
    codes = {}
    for ref in (False, True):
        [one, *_] = [one["resource"] for one in served.ask(TX, ref=ref, **inputs) if one["name"] == "implication"]
        last = [
            part
            for part in one["component"]
            if any("therapeutic-implication" in coding["code"] for coding in part["code"]["coding"])
        ]
        codes[ref] = [coding["code"] for part in last for coding in part["code"]["coding"]]
        assert last[0]["valueCodeableConcept"]["text"] == "Supports Sensitivity/Response"
    assert codes == {
        False: ["therapeutic-implication"],
        True: ["predicted-therapeutic-implication", "therapeutic-implication"],
    }


def test_terms_that_hold_together_are_one_component_in_the_guide_s_dialect(served: Served) -> None:
    counts = []
    for ref in (False, True):
        [one, *_] = served.ask(MC, ref=ref, subject="P5", variants=spdi(100))
        found = [part for part in one["resource"]["component"] if "feature-consequence" in str(part["code"])]
        counts.append([len(part["valueCodeableConcept"]["coding"]) for part in found])
        assert one["resource"]["interpretation"][0]["text"] == "MODERATE"
    assert counts == [[2], [1, 1]]


@every_operation
def test_every_id_of_any_answer_is_readable_and_means_the_same(served: Served, name: str) -> None:
    known: dict[str, tuple[str, list[Finding]]] = {}
    filtered = [Question(one.inputs, filters) for one in SINGLE[name][::2] for filters in FILTERS]
    for question, ref in itertools.product([*filtered, *SINGLE[name], *COMBINED[name]], (False, True)):
        if ref and question.refusal(name):
            continue
        filters = question.filters
        answer = served.ask(name, ref=ref, subject="P1", **question.inputs, **filters)
        implied = [one["resource"] for one in answer if one["name"] in ("implication", "consequence")]
        for resource, meaning in zip(implied, told(served, answer), strict=True):
            first = resource["id"] not in known
            assert known.setdefault(resource["id"], meaning) == meaning
            if first:
                read = served.client.get(f"/fhir/Observation/{resource['id']}")
                assert read.status == 200, (question, meaning)
                assert problems(read.json()) == []
                for key in ("id", "identifier", "subject", "derivedFrom", "code", *([] if ref else ["component"])):
                    assert read.json()[key] == resource[key]
    assert len(set(map(repr, known.values()))) == len(known) >= 6


@pytest.mark.parametrize("id_", ["im-{0}-1-5100-0123456789abcdef", "mc-{0}-1-5100-0123456789abcdef", "im-{0}-g-{0}"])
def test_an_id_that_nothing_has_is_not_found(served: Served, id_: str) -> None:
    [variant, *_] = [
        one["resource"] for one in served.ask(DX, subject="P1", conditions="C2") if one["name"] == "variant"
    ]
    for uid in (variant["id"].split("-")[1], "0123456789abcdef"):
        assert served.client.get(f"/fhir/Observation/{id_.format(uid)}").status == 404


def test_variants_without_knowledge_are_never_called_harmless(served: Served) -> None:
    whole = place(0, size=2000)
    for name, subject in itertools.product((TX, DX, MC), ("P0", "P4")):
        assert served.get(name, subject=subject, ranges=whole).json() == {"resourceType": "Parameters"}


def test_a_subject_named_by_an_identifier_is_named_by_its_id_in_the_answer(served: Served) -> None:
    answer = served.ask(TX, subject="urn:mrn|3", treatments="amitriptyline")
    assert [one["resource"]["subject"]["reference"] for one in answer] == ["Patient/P3", "Patient/P3"]


# --- what cannot be answered ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inputs", "text"),
    [
        (DX, {"conditions": "http://snomed.info/sct|1"}, f"coded in {MEDGEN}, and no map from"),
        (DX, {"conditions": f"C1,{DOID}|3908"}, f"coded in {MEDGEN}, and no map from"),
        (DX, {"conditions": "http://snomed.info/sct|1", "variants": spdi(100)}, "conditions cannot be evaluated"),
        (TX, {"treatments": f"{MEDGEN}|C1"}, f"coded in {RXNORM}, and no map from"),
        (TX, {"conditions": f"{MEDGEN}|C1", "treatments": "704"}, f"coded in {DOID}, and no map from"),
        (MC, {"featureConsequences": f"{MEDGEN}|C1", "variants": spdi(100)}, SO),
    ],
)
def test_a_filter_that_cannot_be_evaluated_is_an_error(
    served: Served, name: str, inputs: dict[str, str], text: str
) -> None:
    for answer in (served.get(name, subject="P1", **inputs), served.get(OF_ALL[name], **inputs)):
        assert answer.status == 400
        assert "cannot be evaluated" in answer.diagnostics[0]
        assert text in answer.diagnostics[0]


@either_dialect
@every_operation
def test_an_unknown_subject_is_not_found_whatever_is_asked(served: Served, name: str, ref: bool) -> None:
    for inputs in ({}, {"variants": spdi(100)}, {"ranges": place(100)}):
        if ref and name == MC and not inputs:
            continue
        assert served.get(name, ref=ref, subject="nobody", **inputs).status == 404


def test_questions_without_criteria(served: Served) -> None:
    for name, ref in itertools.product((TX, DX, MC), (False, True)):
        answer = served.get(name, ref=ref, subject="P1")
        assert answer.status == (400 if ref and name == MC else 200)
        assert answer.status == 400 or answer.json() == {"resourceType": "Parameters"}
        of_all = served.get(OF_ALL[name], ref=ref)
        assert of_all.status == (200 if ref and name != MC else 400)
        assert of_all.status == 400 or of_all.json() == {"resourceType": "Parameters"}
        if not ref:
            assert "At least one of" in of_all.diagnostics[0]


def test_by_haplotypes_nobody_has_a_diagnostic_implication(served: Served) -> None:
    for ref in (False, True):
        [counted] = served.ask(OF_ALL[DX], ref=ref, haplotypes=CYP2C19)
        assert counted["part"][0]["valueQuantity"]["value"] == 0


def test_of_unspecified_and_mixed_classes_only_genotypes_pass_a_class(served: Served) -> None:
    for word in ("germline", "somatic"):
        assert served.ask(DX, subject="P5", ranges=place(0, size=2000), genomicSourceClass=word) == []
        assert served.ask(TX, subject="P1", treatments="amitriptyline", genomicSourceClass=word) != []
    assert served.ask(DX, subject="P5", ranges=place(0, size=2000)) != []


@pytest.fixture
def empty(database: Any, tmp_path: Path) -> Iterator[Served]:
    """Return a store with calls and without knowledge, as an application."""
    store = SmallStore(database, tmp_path, GENOME)
    store.ingest(calls_of([100, 110]), "P1")
    store.genotypes(line("P1"))
    opened = object.__new__(Served)
    opened.store, opened.client, opened.tests = store, Client(create_app(store.settings, store.context)), {}
    yield opened
    opened.client.close()


def test_without_active_knowledge_nothing_is_answered(empty: Served) -> None:
    rows = {DX: diagnostic(about("d", 100), ("C1", "x")), TX: therapeutic(about("t", 100), ("704", "x"))}
    rows[MC] = consequence(about("m", 100), ("SO:0001583", "missense_variant"))
    kinds = {DX: "diagnostic", TX: "therapeutic", MC: "consequence"}
    for name in (DX, TX, MC):
        for answer in (empty.get(name, subject="P1", variants=spdi(100)), empty.get(OF_ALL[name], variants=spdi(100))):
            assert (answer.status, answer.issues[0]["code"]) == (501, "not-supported")
            assert "operon knowledge load" in answer.diagnostics[0]
        empty.store.knowledge(kinds[name], rows[name], version="1")
        assert len(empty.ask(name, subject="P1", variants=spdi(100))) == 2
    assert empty.get(DX, subject="nobody", variants=spdi(100)).status == 404


def test_knowledge_of_genotypes_alone_cannot_be_asked_by_conditions(empty: Served) -> None:
    empty.store.knowledge("therapeutic", therapeutic(of_genotype("t", CYP2C19), ("704", "x")), version="1")
    for word in ("melanoma", f"{DOID}|1909", "|1909"):
        for answer in (empty.get(TX, subject="P1", conditions=word), empty.get(OF_ALL[TX], conditions=word)):
            assert (answer.status, answer.issues[0]["code"]) == (400, "invalid")
            assert "conditions cannot be evaluated" in answer.diagnostics[0]


def test_answers_change_with_the_release(empty: Served) -> None:
    first, second = (diagnostic(about("d", at), (f"C{at}", "x")) for at in (100, 110))
    empty.store.knowledge("diagnostic", first, version="1")
    before = empty.ask(DX, subject="P1", conditions="x")
    id_ = before[0]["resource"]["id"]
    assert "diagnostic table 1" in str(before[0])
    empty.store.knowledge("diagnostic", second, version="2")
    after = empty.ask(DX, subject="P1", conditions="x")
    assert "diagnostic table 2" in str(after[0])
    assert before[1] != after[1]
    assert empty.client.get(f"/fhir/Observation/{id_}").status == 404


def test_a_fault_of_the_database_is_never_an_empty_answer(empty: Served) -> None:
    empty.store.knowledge("diagnostic", diagnostic(about("d", 100), ("C1", "x")), version="1")
    with empty.store.database.write() as session:
        session.run("update knowledge_release set active = 1 where id >= 0 returning 1")
        session.driver.execute("alter table knowledge_link rename to knowledge_gone")
    try:
        for answer in (empty.get(DX, subject="P1", variants=spdi(100)), empty.get(OF_ALL[DX], variants=spdi(100))):
            assert answer.status == 503
            assert answer.headers["retry-after"]
    finally:
        with empty.store.database.write() as session:
            session.driver.execute("alter table knowledge_gone rename to knowledge_link")


def test_whatever_part_of_its_findings_was_asked_for_an_implication_is_readable(empty: Served) -> None:
    row = {"row_id": "d", "b37_spdi": spdi(110, B37), "b38_spdi": spdi(140)}
    empty.store.knowledge("diagnostic", diagnostic(row, ("C1", "x")), version="1")
    for test, build in (("T1", B37), ("T2", B38), ("T3", B38)):
        empty.store.ingest(calls_of([110, 140], build=build), "P9", test=test, build=build)
    seen = set()
    for asked in ({"conditions": "x"}, {"variants": spdi(110)}, {"variants": spdi(140)}, {"ranges": place(140)}):
        for filters in ({}, {"testIdentifiers": "T2"}, {"testIdentifiers": "T1,T3"}):
            [implied] = [
                one["resource"]
                for one in empty.ask(DX, subject="P9", **asked, **filters)
                if one["name"] == "implication"
            ]
            assert len(implied["derivedFrom"]) == len(filters.get("testIdentifiers", "1,2,3").split(",")) * (
                2 if "conditions" in asked else 1
            )
            assert empty.client.get(f"/fhir/Observation/{implied['id']}").json() == implied
            seen.add(implied["id"])
    assert len(seen) == 9


def test_variants_of_one_stretch_are_told_once_each(empty: Served) -> None:
    rows = [diagnostic(about(f"d{at}", at), ("C1", "x")) for at in range(100, 140, 2)]
    empty.store.knowledge("diagnostic", *rows, version="1")
    empty.store.ingest(calls_of(list(range(100, 140, 2))), "P9")
    answer = empty.ask(DX, subject="P9", conditions="x")
    ids = [one["resource"]["id"] for one in answer]
    assert len(ids) == len(set(ids)) == 40
    by_range = empty.ask(DX, subject="P9", ranges=place(0, size=2000))
    assert by_range == answer


def test_a_change_that_is_named_without_its_sequence_is_told_in_words(empty: Served) -> None:
    named = {"p_hgvs": "p.Val40Phe", "c_hgvs": "NM_000001.1:c.1A>C"}
    row = consequence(about("m", 100), ("SO:0001583", "missense_variant"), **named)
    empty.store.knowledge("consequence", row, version="1")
    told = {}
    for ref in (False, True):
        [one, _] = empty.ask(MC, ref=ref, subject="P1", variants=spdi(100))
        parts = {part["code"]["coding"][0]["code"]: part for part in one["resource"]["component"]}
        assert parts["48004-6"]["valueCodeableConcept"]["coding"][0]["code"] == named["c_hgvs"]
        told[ref] = parts
    assert "48005-3" not in told[False]
    assert "p.Val40Phe, without a reference sequence" in told[False]["conclusion-string"]["valueString"]
    assert told[True]["48005-3"]["valueCodeableConcept"] == {"text": "p.Val40Phe"}
