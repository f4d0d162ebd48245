"""Readers of terminology files: what they take from each format, and how they refuse what is of another form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import BadFile, LimitExceeded
from app.formats import terminology
from app.formats.code_systems import DISEASE_ONTOLOGY, HPO, ICD_10, ICD_10_CM, MEDGEN, MONDO, canonical_code, from_curie
from app.formats.terminology import Equivalence
from app.formats.terminology_fhir import read_code_system, read_concept_map
from app.formats.terminology_icd import read_icd_10_cm
from app.formats.terminology_medgen import read_medgen
from app.formats.terminology_obo import read_obo
from app.formats.terminology_rxnorm import read_rxnorm
from app.formats.terminology_snomed import read_snomed
from app.formats.terminology_sssom import read_sssom
from app.formats.terminology_table import read_map
from tests.terminology_files import FILES, file_text, said, text_of

Change = Callable[[str], str]


# --- codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "code", "canonical"),
    [
        (DISEASE_ONTOLOGY, "1324", "DOID:1324"),
        (DISEASE_ONTOLOGY, "doid:1324", "DOID:1324"),
        (DISEASE_ONTOLOGY, " DOID_0050686 ", "DOID:0050686"),
        (DISEASE_ONTOLOGY, "lung", "lung"),
        (MONDO, "0005061", "MONDO:0005061"),
        (HPO, "hp:0000001", "HP:0000001"),
        (ICD_10, "c34.1", "C341"),
        (ICD_10_CM, "C34.1", "C341"),
        (MEDGEN, "C0000001", "C0000001"),
        ("http://example.org", "a.b", "a.b"),
    ],
)
def test_a_code_has_one_spelling(system: str, code: str, canonical: str) -> None:
    assert canonical_code(system, code) == canonical
    assert canonical_code(system, canonical) == canonical


@pytest.mark.parametrize(
    ("curie", "coded"),
    [
        ("SNOMEDCT_US_2023_03_01:254637007", ("http://snomed.info/sct", "254637007")),
        ("SCTID:254637007", ("http://snomed.info/sct", "254637007")),
        ("UMLS_CUI:C0684249", (MEDGEN, "C0684249")),
        ("MEDGEN:CN123456", (MEDGEN, "CN123456")),
        ("MEDGEN:44264", None),
        ("ICD10WHO:C34.1", (ICD_10, "C341")),
        ("ICD10CM:C34.1", (ICD_10_CM, "C341")),
        ("OMIM:211980", None),
        ("OMIMPS:211980", None),
        ("no curie", None),
    ],
)
def test_prefixes_of_ontologies_name_systems(curie: str, coded: tuple[str, str] | None) -> None:
    assert from_curie(curie) == coded


@pytest.mark.parametrize("equivalence", Equivalence)
def test_only_the_same_and_the_narrower_are_within_what_was_asked(equivalence: Equivalence) -> None:
    assert equivalence.is_within == (equivalence.value in {"equal", "equivalent", "narrower", "specializes"})
    back = equivalence.reversed
    assert back is None or back.reversed is equivalence
    if equivalence not in {Equivalence.EQUAL, Equivalence.EQUIVALENT}:
        assert back is None or not (equivalence.is_within and back.is_within)


# --- OBO --------------------------------------------------------------------------------------------------------------


def test_the_disease_ontology_gives_names_kinds_and_cross_references() -> None:
    doid = said(read_obo, file_text("doid.obo"))
    assert doid.version == "2024-05-29"
    assert doid.systems == {DISEASE_ONTOLOGY}
    assert doid.names["DOID:3908"] == "lung non-small cell carcinoma"
    assert doid.names["DOID:3905"] == "lung carcinoma {a} {b}"
    assert doid.parents == {
        ("DOID:1324", "DOID:4"),
        ("DOID:3908", "DOID:1324"),
        ("DOID:3910", "DOID:3908"),
        ("DOID:3905", "DOID:1324"),
    }
    assert doid.maps["900000002", "DOID:3908"] == doid.maps["DOID:3908", "900000002"] == "equivalent"
    assert doid.displays["C0000001", "DOID:1324"] == "lung cancer"
    assert doid.left_out["obsolete terms"] == doid.left_out["terms of other ontologies"] == 1
    assert not {pair for pair in doid.maps if "900000009" in pair}


def test_a_cross_reference_that_cannot_mean_the_same_is_only_related() -> None:
    doid = said(read_obo, file_text("doid.obo")).maps
    # One code on two terms, two codes of one system on one term.
    assert doid["900000003", "DOID:3910"] == doid["900000003", "DOID:3905"] == "relatedto"
    assert doid["C341", "DOID:1324"] == doid["C342", "DOID:1324"] == "relatedto"
    assert doid["C349", "DOID:3910"] == "equivalent"


def test_mondo_counts_only_what_it_says_to_be_equivalent() -> None:
    mondo = said(read_obo, file_text("mondo.obo"))
    assert mondo.version == "2024-06-04"
    assert mondo.maps["MONDO:0005061", "900000003"] == "equivalent"
    assert not {pair for pair in mondo.maps if pair[0] in {"C349", "DOID:77", "44264"}}
    # What one term is the same as is the same as each other.
    assert mondo.maps["900000003", "DOID:3910"] == mondo.maps["C0000003", "900000003"] == "equivalent"
    assert mondo.maps["900000004", "MONDO:0005062"] == mondo.maps["900000004", "MONDO:0005063"] == "relatedto"


def test_an_ontology_of_phenotypes_is_read() -> None:
    hpo = said(read_obo, text_of("format-version: 1.2\nontology: hp.obo\n\n[Term]\nid: HP:0000001\nname: All\n"))
    assert (hpo.systems, hpo.names) == ({HPO}, {"HP:0000001": "All"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<rdf>", "x.txt, line 1: it is no OBO file (it begins with format-version:). Check the kind"),
        ("format-version: 1.2\nontology: go\n", "x.txt, line 2, ontology: go is not read. The ontologies are doid,"),
        ("format-version: 1.2\n\n[Term]\n", "x.txt, line 3, ontology: the header names no ontology."),
        ("format-version: 1.2\nontology: doid\n", "x.txt, line 2: there is no term."),
        ("format-version: 1.2\nontology: doid\n[Term]\nname: x\n", "x.txt, line 3, id: the term has no identifier."),
        ("format-version: 1.2\nontology: doid\n[Term]\nid DOID:1\n", "x.txt, line 4: it is no tag and value."),
    ],
)
def test_another_obo_file_is_refused(content: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_obo, text_of(content))
    assert caught.value.diagnostics.startswith(message)


# --- SSSOM ------------------------------------------------------------------------------------------------------------


def test_broad_and_narrow_matches_keep_their_direction() -> None:
    table = said(read_sssom, file_text("mondo.sssom.tsv"))
    assert table.version == "2024-06-04"
    assert table.maps["MONDO:0005061", "C349"] == "wider"
    assert table.maps["C349", "MONDO:0005061"] == "narrower"
    assert table.maps["MONDO:0005061", "DOID:5"] == "narrower"
    assert table.maps["MONDO:0005061", "DOID:6"] == "inexact"
    assert table.maps["900000003", "DOID:3910"] == "equivalent"
    assert table.displays["900000003", "DOID:3910"] == "lung adenocarcinoma"
    assert table.left_out == {"mappings of other systems": 1, "mappings with other predicates": 1}


def test_a_mapping_that_is_denied_is_left_out() -> None:
    rows = "subject_id\tpredicate_id\tpredicate_modifier\tobject_id\nMONDO:1\tskos:exactMatch\tNot\tDOID:1\n"
    table = said(read_sssom, text_of(rows))
    assert (table.statements, table.left_out) == ([], {"mappings that are denied": 1})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\tb\n", "x.txt, line 1, subject_id: the column is missing."),
        ("# only: comments\n", "x.txt, line 1: there is no header."),
        (
            "subject_id\tpredicate_id\tobject_id\nMONDO:1\n",
            "x.txt, line 2, columns: the row has 1 columns, 3 are needed",
        ),
    ],
)
def test_another_sssom_table_is_refused(content: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_sssom, text_of(content))
    assert caught.value.diagnostics.startswith(message)


# --- MedGen -----------------------------------------------------------------------------------------------------------


def test_medgen_gives_concepts_of_codes() -> None:
    medgen = said(read_medgen, [file_text(name) for name in FILES["medgen"]])
    assert medgen.maps["900000001", "C0000001"] == medgen.maps["C0000001", "900000001"] == "equivalent"
    assert medgen.maps["111", "C0000001"] == "equivalent"
    assert medgen.maps["900000006", "C0000004"] == medgen.maps["C348", "C0000004"] == "equivalent"
    # One code in two concepts.
    assert medgen.maps["900000005", "C0000002"] == medgen.maps["900000005", "C0000003"] == "relatedto"
    assert not {pair for pair in medgen.maps if "900000007" in pair or "211980" in pair or "NOCODE" in pair}
    assert medgen.names["C0000004"] == "Large cell carcinoma"
    assert medgen.displays["900000002", "C0000002"] == "Lung non-small cell carcinoma"


def test_medgen_reads_relations_from_the_second_concept_to_the_first() -> None:
    medgen = said(read_medgen, [file_text("MGREL.RRF")])
    assert medgen.parents == {("C0000002", "C0000001"), ("C0000003", "C0000002")}
    assert medgen.left_out == {"relations other than is-a": 2, "suppressed rows": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("#CUI1|AUI1", "#A|B"), "MGREL.RRF, line 1: it is no table of MedGen"),
        (lambda text: text.replace("|R2|", "|R2|more|"), "MGREL.RRF, line 3, columns: the row has 13 columns, 12 are"),
        (lambda text: text.replace("CHD|C0000002", "CHD|"), "MGREL.RRF, line 2, CUI1, CUI2: it is empty."),
    ],
)
def test_another_table_of_medgen_is_refused(change: Change, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_medgen, [file_text("MGREL.RRF", change)])
    assert caught.value.diagnostics.startswith(message)


# --- SNOMED CT --------------------------------------------------------------------------------------------------------


def test_snomed_gives_active_names_and_kinds() -> None:
    snomed = said(read_snomed, [file_text(name) for name in FILES["snomed"]])
    assert snomed.names == {"900000001": 'Lung "cancer" (disorder)'}
    assert snomed.parents == {("900000002", "900000001")}
    assert snomed.left_out == {
        "rows of concepts that are not active": 2,
        "relations other than is-a": 1,
        "maps of other reference sets": 1,
        "maps without a target": 1,
    }


def test_a_concept_lies_within_the_class_that_it_is_filed_under() -> None:
    snomed = said(read_snomed, [file_text(name) for name in FILES["snomed"]]).maps
    assert (snomed["900000001", "C349"], snomed["C349", "900000001"]) == ("wider", "narrower")
    # By a rule, or in several classes.
    assert snomed["900000002", "C341"] == snomed["900000002", "C342"] == snomed["900000002", "Z999"] == "relatedto"
    # As its correlation says.
    assert snomed["900000003", "C3490"] == "equivalent"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("sct2_Concept_Full_INT.txt", lambda text: text, "sct2_Concept_Full_INT.txt, line 1: it has the history"),
        ("c.txt", lambda text: text.replace("moduleId", "module"), ""),
        ("c.txt", lambda text: text.replace("id\t", "key\t", 1), "c.txt, line 1: it is no RF2 file"),
        ("c.txt", lambda text: text.replace("900000002", "9x"), "c.txt, line 3, id: '9x' is no SNOMED CT identifier"),
        ("c.txt", lambda text: text.replace("\t0\t1\t1\r", "\tno\t1\t1\r"), "c.txt, line 5, active: 'no' is neither"),
    ],
)
def test_another_rf2_file_is_refused(name: str, change: Change, message: str) -> None:
    changed = change((file_text("sct2_Concept_Snapshot_INT_20240101.txt")).whole(10**6, "x").decode())
    if not message:
        assert said(read_snomed, [text_of(changed, name)]).statements == []
        return
    with pytest.raises(BadFile) as caught:
        said(read_snomed, [text_of(changed, name)])
    assert caught.value.diagnostics.startswith(message)


# --- ICD-10-CM --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["icd10cm-order-2024.txt", "icd10cm-codes-2024.txt"])
def test_codes_of_icd_are_kinds_of_what_they_begin_with(name: str) -> None:
    icd = said(read_icd_10_cm, file_text(name))
    assert icd.version == "2024"
    assert icd.parents == {
        ("C341", "C34"),
        ("C3411", "C341"),
        ("T360", "T36"),
        ("T360X", "T360"),
        ("T360X1", "T360X"),
        ("T360X1A", "T360X1"),
    }
    assert icd.names["C3411"] == "Malignant neoplasm of upper lobe, right bronchus or lung"
    assert icd.names["T360X1A"].endswith("(unintentional), initial encounter")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("C34 lung\n", "x.txt, line 1: it is no order or codes file of ICD-10-CM."),
        ("C3411   lung\nlung\n", "x.txt, line 2, code: the line has another form."),
        ("<html>\n", "x.txt, line 1: it is no order or codes file"),
    ],
)
def test_another_file_of_icd_is_refused(content: str, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_icd_10_cm, text_of(content))
    assert caught.value.diagnostics.startswith(message)


# --- RxNorm -----------------------------------------------------------------------------------------------------------


def test_drugs_lead_to_all_of_their_ingredients() -> None:
    rxnorm = said(read_rxnorm, [file_text(name) for name in FILES["rxnorm"]])
    ingredients: dict[str, set[str]] = {}
    for drug, ingredient in rxnorm.maps:
        ingredients.setdefault(drug, set()).add(ingredient)
    both = {"1", "2"}
    assert ingredients == {"3": {"1"}, "4": {"2"}, "5": both, "6": both, "7": both, "8": {"1"}, "12": both}
    assert set(rxnorm.maps.values()) == {"ingredient"}
    assert rxnorm.displays["7", "2"] == "hydrovastatin"
    assert rxnorm.names["5"] == "hydrovastatin 5 MG / lisivastatin 10 MG Oral Tablet"
    assert "9" not in rxnorm.names
    assert "10" not in rxnorm.names


def test_the_direction_in_which_a_relation_is_written_does_not_count() -> None:
    def turned(text: str) -> str:
        rows = [row.split("|") for row in text.splitlines()]
        return "".join("|".join([row[4], *row[1:4], row[0], *row[5:]]) + "\n" for row in rows)

    files = [file_text("RXNCONSO.RRF"), file_text("RXNREL.RRF", turned)]
    assert said(read_rxnorm, files).maps == said(read_rxnorm, [file_text(name) for name in FILES["rxnorm"]]).maps


@pytest.mark.parametrize(
    ("names", "change", "message"),
    [
        (["RXNREL.RRF"], str, "RXNREL.RRF: RXNCONSO.RRF is missing."),
        (["RXNCONSO.RRF"], str, "RXNCONSO.RRF: RXNREL.RRF is missing."),
        (["doid.obo"], str, "doid.obo, line 1: it is no RXNCONSO.RRF or RXNREL.RRF."),
        (
            ["RXNCONSO.RRF", "RXNREL.RRF"],
            lambda text: text.replace("\n2|", "\n2|x|"),
            "RXNCONSO.RRF, line 2, columns: ",
        ),
    ],
)
def test_other_files_of_rxnorm_are_refused(names: list[str], change: Change, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_rxnorm, [file_text(name, change) for name in names])
    assert caught.value.diagnostics.startswith(message)


# --- FHIR -------------------------------------------------------------------------------------------------------------


def test_a_concept_map_gives_its_maps() -> None:
    found = said(read_concept_map, file_text("conceptmap.json"))
    assert found.version == "1.2"
    assert found.maps == {
        ("900000001", "C0000001"): "equivalent",
        ("900000001", "C0000009"): "wider",
        # It holds for women alone.
        ("900000003", "C0000003"): "relatedto",
    }
    assert found.displays == {("900000001", "C0000001"): "Lung cancer"}
    assert found.left_out == {"codes that are said to have no counterpart": 1, "codes without a target": 1}


def test_a_code_system_gives_names_and_kinds() -> None:
    found = said(read_code_system, file_text("codesystem.json"))
    assert (found.version, found.systems) == ("7", {"http://example.org/cs"})
    assert found.names == {"a": "A", "b": "B", "d": "D"}
    assert found.parents == {("b", "a"), ("c", "b"), ("d", "b")}


@pytest.mark.parametrize("meaning", [None, "part-of"])
def test_a_hierarchy_of_another_meaning_is_left_out(meaning: str | None) -> None:
    found = said(
        read_code_system, file_text("codesystem.json", lambda text: text.replace('"is-a"', json.dumps(meaning)))
    )
    assert (found.parents, found.left_out) == (set(), {"hierarchy that is not said to be is-a": 3})


GROUP = "ConceptMap.group[0]"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-3], "conceptmap.json, line "),
        (
            lambda text: text.replace("ConceptMap", "ValueSet"),
            "conceptmap.json, line 1: it is no ConceptMap of FHIR R4.",
        ),
        (
            lambda text: text.replace('"wider"', '"broader"'),
            f"conceptmap.json, {GROUP}.element[0].target[1].equivalence: broader is no equivalence of FHIR R4. Use one",
        ),
        (
            lambda text: text.replace(', "equivalence": "wider"', ""),
            f"conceptmap.json, {GROUP}.element[0].target[1].equivalence: it is missing.",
        ),
        (
            lambda text: text.replace('"code": "900000001", ', ""),
            f"conceptmap.json, {GROUP}.element[0].code: it is empty.",
        ),
        (
            lambda text: text.replace("http://snomed.info/sct", "snomed"),
            f"conceptmap.json, {GROUP}.source: snomed is no URI.",
        ),
        (
            lambda text: text.replace('"element": [', '"element": [1, '),
            f"conceptmap.json, {GROUP}.element: it is no list",
        ),
    ],
)
def test_another_concept_map_is_refused(change: Change, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_concept_map, file_text("conceptmap.json", change))
    assert caught.value.diagnostics.startswith(message)


def test_a_resource_above_the_cap_is_refused() -> None:
    text = text_of(json.dumps({"resourceType": "ConceptMap", "title": "x" * 2000}), fhir_max_resource_bytes=1024)
    with pytest.raises(LimitExceeded, match="OPERON_FHIR_MAX_RESOURCE_BYTES"):
        said(read_concept_map, text)


def test_a_hierarchy_without_end_is_refused() -> None:
    concept: dict[str, Any] = {"code": "last"}
    for number in range(240):
        concept = {"code": str(number), "concept": [concept]}
    resource = {"resourceType": "CodeSystem", "url": "http://x", "hierarchyMeaning": "is-a", "concept": [concept]}
    with pytest.raises(BadFile, match="nested more than 200 deep"):
        said(read_code_system, text_of(json.dumps(resource)))


# --- Operon's own table -----------------------------------------------------------------------------------------------


def test_the_own_table_gives_maps_one_way() -> None:
    assert said(read_map, file_text("map.tsv")).maps == {
        ("c34.9", "1324"): "equivalent",
        ("900000002", "DOID:3908"): "narrower",
        ("1", "C1"): "equivalent",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("target_code", "code", 1), "map.tsv, line 1, target_code: the column is missing."),
        (
            lambda text: text.replace("equivalence", "source_code", 1),
            "map.tsv, line 1, source_code: the column is there",
        ),
        (
            lambda text: text.replace("narrower", "near"),
            "map.tsv, line 3, equivalence: near is none. Use one of equal,",
        ),
        (lambda text: text.replace("c34.9", ""), "map.tsv, line 2, source_code: it is empty."),
        (lambda text: text.replace("c34.9", "x" * 101), "map.tsv, line 2, source_code: xxx"),
        (
            lambda text: text.replace("http://snomed.info/sct", "SNOMED"),
            "map.tsv, line 3, source_system: SNOMED is no URI",
        ),
        (lambda text: text.replace("Lisivastatin", "a" * 3001), "map.tsv, line 4, target_display: "),
        (lambda text: text.replace("lung cancer", "lung\tcancer"), "map.tsv, line 2, columns: the row has 7 columns"),
        (lambda text: "\n", "map.tsv, line 1: there is no header."),
    ],
)
def test_another_table_is_refused(change: Change, message: str) -> None:
    with pytest.raises(BadFile) as caught:
        said(read_map, file_text("map.tsv", change))
    assert caught.value.diagnostics.startswith(message)


# --- every text -------------------------------------------------------------------------------------------------------


def test_text_that_is_not_utf_8_is_refused_with_its_line() -> None:
    with pytest.raises(BadFile, match=r"x\.txt, line 2: it is not UTF-8 text"):
        list(text_of(b"source_system\n\xff\n").lines())


def test_the_first_line_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(b"\xef\xbb\xbfone\r\ntwo")
    assert text.first_line() == "one"
    assert list(text.lines()) == [(1, "one"), (2, "two")]


def test_what_cannot_be_printed_is_not_part_of_a_name() -> None:
    odd = file_text("map.tsv", lambda text: text.replace("lung cancer", "lung\u00a0 can\u00adcer\u0092"))
    assert said(read_map, odd).displays["c34.9", "1324"] == "lung cancer"


@pytest.mark.parametrize(("read", "name"), [(read_obo, "mondo.obo"), (read_sssom, "mondo.sssom.tsv")])
def test_a_term_with_too_many_codes_is_refused(monkeypatch: pytest.MonkeyPatch, read: Any, name: str) -> None:
    monkeypatch.setattr(terminology, "MOST_CODES", 1)
    with pytest.raises(LimitExceeded, match=rf"{name}, line [0-9]+: one term has more than 1 codes"):
        said(read, file_text(name))


def test_a_reader_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminology, "MOST_ROWS", 2)
    with pytest.raises(LimitExceeded, match="more than 2 rows to hold"):
        said(read_obo, file_text("doid.obo"))
