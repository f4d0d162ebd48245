"""CIViC's evidence: exact variants and exact categories, and everything that is not said of one variant."""

from __future__ import annotations

import io

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.civic import read_civic_vcf, read_evidence
from app.formats.civic_targets import Target, target_of
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects, Rule
from app.records import Build
from app.variants.identify import GenomicChange
from tests.knowledge_files import changed, read, stored, told, without
from tests.vcf_files import gzipped

EVIDENCE = stored("civic_AcceptedAndSubmittedClinicalEvidenceSummaries.tsv")
VARIANTS = stored("civic_VariantSummaries.tsv")
PROFILES = stored("civic_MolecularProfileSummaries.tsv")
VCF = stored("civic_accepted.vcf")
V600E = GenomicChange(Build.GRCH37, 7, 140453135, "A", "T")
DO = "https://disease-ontology.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"


def evidence(data=EVIDENCE, variants=VARIANTS, profiles=PROFILES, **options):
    rejects = Rejects()
    first, second, third = (io.BytesIO(part) for part in (data, variants, profiles))
    items = read_evidence((first, "e.tsv"), (second, "v.tsv"), (third, "p.tsv"), rejects, Settings(), **options)
    return list(items), rejects


def of_vcf(data=VCF):
    return read(lambda stream, rejects: read_civic_vcf(stream, "c.vcf", rejects, Settings()), data)


def test_predictive_evidence_becomes_an_item():
    assert evidence()[0][0] == KnowledgeItem(
        ItemKind.THERAPEUTIC,
        "EID990001",
        (V600E,),
        identifiers=(("https://civicdb.org/evidence", "990001"), ("https://civicdb.org/variant", "12")),
        statement=Concept("http://loinc.org", "LA6677-4", "Supports Sensitivity/Response"),
        evidence="B (Clinical evidence)",
        conditions=(Concept(DO, "DOID:1909", "Melanoma"),),
        medications=(Concept("", "", "Inventinib"),),
        gene="BRAF",
        note="Predictive evidence; Variant origin: Somatic",
    )


def test_several_therapies_say_how_they_are_given():
    item = evidence()[0][1]
    assert item.medications == (Concept("", "", "Inventinib"), Concept("", "", "Trialmetinib"))
    assert item.statement == Concept("http://loinc.org", "LA6676-6", "Supports Resistance")
    assert item.note.startswith("The medications are given together; ")
    assert item.evidence == "D (Preclinical evidence)"


def test_evidence_against_stays_text_and_a_flag_is_told():
    item = evidence()[0][2]
    assert item.statement == Concept("", "", "Does Not Support Resistance")
    assert item.conditions == ()
    assert item.note.endswith("; Flagged in CIViC")


def test_categories_with_an_exact_meaning_become_rules():
    residue, amplification = evidence()[0][3:5]
    assert (residue.changes, residue.rule) == ((), Rule("BRAF", protein_at=(600, 600)))
    assert amplification.rule == Rule("MET", changes=("DUP", "CNV"), copies_at_least=3)
    assert amplification.conditions == (Concept(DO, "DOID:3908", "Lung Non-small Cell Carcinoma"),)
    assert amplification.evidence == "E (Inferential association)"


def test_predisposing_and_diagnostic_evidence_is_about_a_disease():
    predisposing, diagnostic = evidence()[0][5:7]
    assert (predisposing.kind, predisposing.statement) == (
        ItemKind.DIAGNOSTIC,
        Concept("", "", "Supports Predisposition"),
    )
    assert predisposing.note == "Predisposing evidence; Variant origin: Rare Germline"
    assert diagnostic.statement == Concept("", "", "Supports Positive")


def test_insertion_stands_between_its_coordinates_and_deletion_takes_them_away():
    insertion, deletion = (item.changes for item in evidence()[0][5:7])
    assert insertion == (GenomicChange(Build.GRCH37, 7, 100, "", "GAG"),)
    assert deletion == (GenomicChange(Build.GRCH37, 7, 99, "CTG", ""),)


def test_evidence_that_cannot_be_used_is_noted():
    assert told(evidence()[1]) == [
        (9, "evidence_status", "not accepted: submitted"),
        (10, "evidence_type", "neither predictive nor predisposing nor diagnostic: Prognostic"),
        (11, "significance", "no direction or significance"),
        (12, "therapies", "no therapy"),
        (13, "molecular_profile_id", "a profile of several variants: BRAF V600E AND MET AMPLIFICATION"),
        (14, "molecular_profile_id", "a profile with NOT: NOT BRAF V600E"),
        (15, "molecular_profile_id", "no such variant in the file of variants: BRAF L99P"),
        (16, "molecular_profile_id", "no such molecular profile in the file of profiles: BRAF UNKNOWN"),
        (17, "molecular_profile_id", "a category without an exact meaning: PTEN LOSS"),
        (18, "molecular_profile_id", "a fusion, region or factor: EML4::ALK Fusion"),
        (19, "molecular_profile_id", "coordinates that do not fit the bases: SF3B1 K700E"),
        (20, "molecular_profile_id", "another assembly than GRCh37 and GRCh38: KRAS G12D"),
        (21, "molecular_profile_id", "a category without an exact meaning: BRAF EXPRESSION"),
        (22, "evidence_id", "no evidence id: EID1"),
    ]


def test_submitted_evidence_is_read_when_asked_for():
    found = {item.row_id: item.note for item in evidence(submitted=True)[0]}
    assert len(found) == 8
    assert found["EID990008"].endswith("; Submitted to CIViC, not accepted yet")


LOST = {"copy number loss"}
MISSENSE = {"missense variant"}
CATEGORIES = [
    ("AMPLIFICATION", set(), Rule("G", changes=("DUP", "CNV"), copies_at_least=3)),
    ("Deletion", set(), Rule("G", changes=("DEL", "CNV"), copies_at_most=1)),
    ("LOSS", LOST, Rule("G", changes=("DEL", "CNV"), copies_at_most=1)),
    ("LOSS", set(), None),
    ("LOSS-OF-FUNCTION", LOST, None),
    ("TRUNCATING MUTATION", set(), Rule("G", terms=("SO:0001587", "SO:0001589"))),
    ("Frameshift Truncation", set(), Rule("G", terms=("SO:0001589",))),
    ("EXON 19 DELETION", {"deletion"}, None),
    ("MUTATION", MISSENSE, None),
    ("EXPRESSION", set(), None),
    ("V600", {"protein altering variant"}, Rule("G", protein_at=(600, 600))),
    ("V600", set(), None),
    ("V7", MISSENSE, None),
    ("V600E", MISSENSE, Rule("G", protein="p.Val600Glu")),
    ("R213*", {"stop gained"}, Rule("G", protein="p.Arg213Ter")),
    ("V600E/K", MISSENSE, None),
    ("V600E+V600M", MISSENSE, None),
    ("B600E", MISSENSE, None),
]


@pytest.mark.parametrize(("name", "types", "rule"), CATEGORIES)
def test_category_is_a_rule_only_where_its_meaning_is_exact(name, types, rule):
    target = target_of("1", "G", name, types, None)
    assert target == ("a category without an exact meaning" if rule is None else Target("1", "G", None, rule))


@pytest.mark.parametrize("name", ["EXPRESSION", "Mutation", "EXON 12 MUTATION", "V600", "V600E/K", "Promoter Mutation"])
def test_bases_of_a_category_are_an_example_only(name):
    assert target_of("1", "G", name, set(), V600E) == "a category without an exact meaning"


@pytest.mark.parametrize("name", ["V600E", "E52FS (c.154insA)", "L747_T751del", "Splicing alteration (c.340+5G>C)"])
def test_bases_of_one_variant_are_what_it_is_about(name):
    assert target_of("1", "G", name, set(), V600E) == Target("1", "G", V600E, None)


THERAPIES = [
    ("One,Two", ["One", "Two"]),
    ("One, of two words", ["One, of two words"]),
    ("1,2-Dinventin,Two", ["1,2-Dinventin", "Two"]),
    ("Inventin 5,Two", ["Inventin 5", "Two"]),
    ("One,2-Dinventin", ["One", "2-Dinventin"]),
]


@pytest.mark.parametrize(("text", "names"), THERAPIES, ids=[text for text, _ in THERAPIES])
def test_commas_inside_names_of_therapies_stay(text, names):
    data = changed(EVIDENCE, 3, therapies=f'"{text}"')
    assert [concept.display for concept in evidence(data)[0][1].medications] == names


@pytest.mark.parametrize("spoiled", [{"start": "0"}, {"start": "140453137"}, {"stop": "x"}, {"chromosome": "99"},
                                     {"variant_bases": "A"}, {"stop": "140453137"}], ids=str)  # fmt: skip
def test_coordinates_that_do_not_fit_are_noted(spoiled):
    rejects = evidence(variants=changed(VARIANTS, 2, **spoiled))[1]
    assert rejects.by_cause["coordinates that do not fit the bases"] == 4


def test_alternative_bases_are_no_exact_change():
    rejects = evidence(variants=changed(VARIANTS, 2, variant_bases="T/C"))[1]
    assert rejects.by_cause["a category without an exact meaning"] == 5


def test_grch38_coordinates_are_read():
    variants = changed(VARIANTS, 2, reference_build="GRCh38", start="140753336", stop="140753336")
    assert evidence(variants=variants)[0][0].changes == (GenomicChange(Build.GRCH38, 7, 140753335, "A", "T"),)


def test_quotes_are_read_and_unmatched_ones_noted():
    assert evidence(gzipped(EVIDENCE))[0] == evidence()[0]
    data = changed(EVIDENCE, 3, evidence_statement='"never closed')
    items, rejects = evidence(data)
    assert (len(items), told(rejects)[0]) == (6, (3, "columns", "quotes that do not match"))


@pytest.mark.parametrize(
    ("which", "column"),
    [("data", "molecular_profile_id"), ("variants", "reference_bases"), ("profiles", "variant_ids")],
)
def test_file_without_a_column_is_refused(which, column):
    data = {"data": EVIDENCE, "variants": VARIANTS, "profiles": PROFILES}
    data[which] = without(data[which], column)
    with pytest.raises(
        BadFile, match=f"line 1, {column}: the column is missing. The header needs .*, separated by tabs"
    ):
        evidence(**data)


def test_annotations_of_the_vcf_become_items():
    items, _ = of_vcf()
    assert [item.row_id for item in items] == ["EID990001", "EID990002", "EID990009"]
    assert items[0] == KnowledgeItem(
        ItemKind.THERAPEUTIC,
        "EID990001",
        (V600E,),
        identifiers=(("https://civicdb.org/evidence", "990001"), ("https://civicdb.org/variant", "12")),
        statement=Concept("http://loinc.org", "LA6677-4", "Supports Sensitivity/Response"),
        evidence="B (Clinical evidence)",
        conditions=(Concept("", "", "Melanoma, invented"),),
        medications=(Concept(NCIT, "C64768", "Inventinib"),),
        gene="BRAF",
        note="Variant origin: Somatic",
    )
    assert items[1].medications == (Concept(NCIT, "C64768", "Inventinib"), Concept("", "", "Trialmetinib"))
    assert items[1].statement == Concept("", "", "Does Not Support Resistance")
    assert items[1].note == "The medications are alternatives to each other; Variant origin: Somatic"
    assert (items[2].kind, items[2].medications, items[2].note) == (
        ItemKind.DIAGNOSTIC,
        (),
        "Variant origin: Rare Germline",
    )


def test_annotations_that_cannot_be_used_are_noted():
    assert [problem for _, _, problem in told(of_vcf()[1])] == [
        "neither predictive nor predisposing nor diagnostic: POOR_OUTCOME",
        "an assertion, not evidence: 990004",
        "a profile of several variants: BRAF V600E AND MET Amplification",
        "not accepted: 990006",
        "no therapy: 990007",
        "no direction or significance: 990008",
        "no evidence id: x1",
        "a category without an exact meaning: BRAF Mutation",
        "another number of parts than the header says",
    ]


REFUSED = [
    (VCF.replace(b"GRCh37", b"hg19"), "c.vcf, line 7, ##reference: the header does not say which build it is on"),
    (VCF.replace(b"ID=CSQ", b"ID=ANN"), "c.vcf, line 7, ##INFO CSQ: the header does not say what an annotation holds"),
    (VCF.replace(b"|CIViC Molecular Profile Name", b""), "CSQ: annotations have no CIViC Molecular Profile Name"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=["build", "annotations", "profiles"])
def test_vcf_that_does_not_say_what_it_holds_is_refused(data, message):
    with pytest.raises(BadFile) as refused:
        of_vcf(data)
    assert message in refused.value.diagnostics
