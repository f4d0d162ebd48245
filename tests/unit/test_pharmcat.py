"""PharmCAT's files as a release: definitions, exemptions, phenotypes and guidance, and what is wrong with a file."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from app.errors import BadFile
from app.formats.pgx import DiplotypeResult, FunctionRule, Method, PgxContent, Ploidy, ScoreRule
from app.formats.pharmcat import read_pharmcat
from app.pgx.matcher import call_gene
from tests.small_genes import sample


def variant(position: int, rsid: str | None, ref: str, *alts: str) -> dict[str, Any]:
    return {"chromosome": "chr10", "position": position, "rsid": rsid, "ref": ref, "alts": list(alts), "new": 1}


def allele(name: str, *cells: str | None, reference: bool = False) -> dict[str, Any]:
    return {"name": name, "alleles": list(cells), "reference": reference, "structuralVariant": False}


DEFINITION: dict[str, Any] = {
    "gene": "CYP2C9",
    "version": "2025-11-05",
    "chromosome": "chr10",
    "genomeBuild": "GRCh38.p14",
    "variants": [
        variant(94942290, "rs1799853", "C", "T"),
        variant(94949281, None, "GA", "G"),
        variant(94981296, "rs1057910", "A", "C", "T"),
    ],
    "namedAlleles": [
        allele("*1", "C", "GA", "A", reference=True),
        allele("*2", "T", None, None),
        allele("*6", None, "G", None),
        allele("*3.001", "Y", None, "C"),
    ],
    "suballelesMap": {},
}
EXEMPTIONS = {
    "CYP2C9": {
        "requiredPositions": [94942290],
        "ignoredPositions": [variant(94949281, None, "GA", "G")],
        "extraPositions": [variant(94645745, "rs12777823", "G", "A")],
        "ignoredAlleles": ["*6"],
        "amp1Positions": [94942290, 94981296, 1],
        "unphasedDiplotypePriorities": [{"id": "x", "list": ["*2/*1", "*3/*2"], "pick": "*2/*1"}],
    }
}


def stated(first: str, second: str, phenotype: str, score: str) -> dict[str, Any]:
    key = {first: 2} if first == second else {first: 1, second: 1}
    return {
        "diplotypekey": key,
        "generesult": phenotype,
        "phenotype": phenotype,
        "activityScore": score,
        "lookupkey": score,
    }


PHENOTYPE: dict[str, Any] = {
    "gene": "CYP2C9",
    "namedAlleles": [
        {"name": "*1", "activityValue": "1.0", "functionValue": "Normal function"},
        {"name": "*2", "activityValue": "0.5", "functionValue": "Decreased function"},
        {"name": "*3", "activityValue": "0.0", "functionValue": "No function"},
        {"name": "*99", "activityValue": "n/a", "functionValue": "Uncertain function"},
    ],
    "diplotypes": [
        stated("*1", "*1", "Normal Metabolizer", "2.0"),
        stated("*1", "*2", "Intermediate Metabolizer", "1.5"),
        stated("*2", "*2", "Intermediate Metabolizer", "1.0"),
        stated("*2", "*3", "Poor Metabolizer", "0.5"),
        stated("*1", "*99", "Indeterminate", "n/a"),
        stated("*3", "*3", "Odd", "0.0"),
    ],
}
GUIDANCE: dict[str, Any] = {
    "version": "1",
    "guidelines": [
        {
            "guideline": {
                "name": "Guideline",
                "source": "CPIC",
                "url": "https://x.example/g",
                "relatedChemicals": [{"id": "PA451906", "name": "Warfarin"}],
            },
            "recommendations": [
                {
                    "id": "77",
                    "population": "adults",
                    "classification": {"term": "Strong"},
                    "text": {"html": "<p>Give <b>less</b> &amp; watch.</p>"},
                    "implications": ["CYP2C9: slower", "without gene"],
                    "lookupKey": [{"CYP2C9": "1.0"}, {"CYP2C9": {"*2": 1, "*1": 1}, "VKORC1": "-1639 AG"}],
                },
                {"id": "78", "text": {"html": "nothing to look up by"}, "lookupKey": []},
            ],
        }
    ],
}


def read(*documents: Any) -> PgxContent:
    return read_pharmcat((f"file{at}.json", json.dumps(document).encode()) for at, document in enumerate(documents))


def changed(document: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    at: Any = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return made


def test_a_definition_becomes_a_gene_with_the_facts_that_the_file_leaves_out() -> None:
    gene = read(DEFINITION).gene("CYP2C9")
    assert gene is not None
    assert (gene.hgnc, gene.contig, gene.method, gene.ploidy) == ("HGNC:2623", 10, Method.SCORE, Ploidy.AUTOSOMAL)
    assert [position.name for position in gene.positions] == ["rs1799853", "10-94949281-GA", "rs1057910"]
    assert (gene.positions[2].start38, gene.positions[2].alleles38) == (94981295, ("A", "C", "T"))
    assert gene.positions[0].alleles37 == ()
    assert [(each.name, each.cells, each.core_of) for each in gene.alleles[2:]] == [
        ("*6", ("", "G", ""), ""),
        ("*3.001", ("Y", "", "C"), "*3"),
    ]
    assert gene.reference is gene.alleles[0]


def test_exemptions_are_applied_and_a_further_position_takes_no_part() -> None:
    gene = read(EXEMPTIONS, DEFINITION).gene("CYP2C9")
    assert gene is not None
    assert gene.required == ("rs1799853",)
    assert gene.tier1 == ("rs1799853", "rs1057910")
    assert set(gene.ignored) == {"10-94949281-GA", "rs12777823"}
    assert gene.ignored_alleles == ("*6",)
    assert gene.priorities == (("*1/*2", ("*1/*2", "*2/*3")),)
    call = call_gene(gene, sample(gene, "0/1 0/0 0/0 0/1"))
    assert (call.genotype, call.total_positions) == ("*1/*2", 2)


def test_two_positions_that_begin_at_one_number_are_told_apart() -> None:
    twins = changed(DEFINITION, "variants", 2, to=variant(94949281, "rs9", "G", "A"))
    twins["namedAlleles"] = [allele("*1", "C", "GA", "G", reference=True)]
    gene = read(EXEMPTIONS, twins).gene("CYP2C9")
    assert gene is not None
    assert "rs9" not in gene.ignored


def test_phenotypes_become_rules_and_only_the_odd_ones_are_kept() -> None:
    gene = read(DEFINITION, PHENOTYPE).gene("CYP2C9")
    assert gene is not None
    assert gene.scores[1:] == (
        ScoreRule(0.5, 1.0, "Poor Metabolizer"),
        ScoreRule(1.0, 2.0, "Intermediate Metabolizer"),
        ScoreRule(2.0, float("inf"), "Normal Metabolizer"),
    )
    assert dict(gene.results) == {}
    assert gene.scores[0] == ScoreRule(0.0, 0.5, "Odd")
    by_name = {each.name: each for each in gene.alleles}
    assert (by_name["*2"].activity, by_name["*2"].function) == ("0.5", "Decreased function")
    assert (by_name["*99"].is_structural, by_name["*3"].is_structural) == (True, False)
    assert call_gene(gene, sample(gene, "0/1 0/0 0/0")).lookup == "1.5"


def test_functions_of_a_gene_without_scores_become_rules_with_exceptions() -> None:
    plain = copy.deepcopy(PHENOTYPE)
    for each in plain["namedAlleles"]:
        each["activityValue"] = None
    plain["diplotypes"] = [
        {**each, "activityScore": None, "lookupkey": each["phenotype"]} for each in plain["diplotypes"][:3]
    ] + [{**stated("*1", "*3", "Odd", "x"), "activityScore": None, "lookupkey": "key"}]
    tpmt = {"gene": "TPMT"}
    gene = read(DEFINITION | tpmt, plain | tpmt).gene("TPMT")
    assert gene is not None
    assert FunctionRule("Decreased function", "Normal function", "Intermediate Metabolizer") in gene.rules
    assert dict(gene.results) == {"*1/*3": DiplotypeResult("Odd", "", "key")}


def test_variants_of_the_mitochondrial_genome_are_defined_by_their_names() -> None:
    names = ("Reference", "m.1555A>G", "m.1555A>T", "m.961T>del+Cn")
    root = {
        "gene": "MT-RNR1",
        "namedAlleles": [{"name": name, "functionValue": name} for name in names],
        "diplotypes": [{"diplotypekey": {name: 1}, "phenotype": f"risk of {name}"} for name in names],
    }
    gene = read(DEFINITION, root).gene("MT-RNR1")
    assert gene is not None
    assert [(each.name, each.start38, each.alleles38) for each in gene.positions] == [
        ("MT-1555-A", 1554, ("A", "G", "T"))
    ]
    assert call_gene(gene, sample(gene, "1")).phenotype == "risk of m.1555A>G"
    assert "m.961T>del+Cn" in call_gene(gene, sample(gene, "0")).uncallable


def test_genes_of_allele_status_are_there_without_a_file() -> None:
    gene = read(DEFINITION).gene("HLA-B")
    assert gene is not None
    assert (gene.method, [each.name for each in gene.alleles]) == (Method.ALLELE_STATUS, ["*15:02", "*57:01", "*58:01"])


def test_guidance_becomes_recommendations_in_the_words_of_the_source() -> None:
    content = read(DEFINITION, GUIDANCE)
    assert [(drug.drug_id, drug.name) for drug in content.drugs] == [("PA451906", "warfarin")]
    first, second = content.recommendations
    assert (first.source, first.lookup, first.text) == ("CPIC", {"CYP2C9": "1.0"}, "Give less & watch.")
    assert (first.classification, first.population, first.implications) == ("Strong", "adults", {"CYP2C9": "slower"})
    assert second.lookup == {"CYP2C9": "*1/*2", "VKORC1": "-1639 AG"}
    assert {pair.gene for pair in content.pairs} == {"CYP2C9", "VKORC1"}
    assert {each.table for each in content.provenance} == {"genes", "recommendations"}


def test_other_files_are_passed_over() -> None:
    assert read(DEFINITION, {"messages": []}) == read(DEFINITION)


@pytest.mark.parametrize(
    ("documents", "told"),
    [
        ([{"messages": []}], "no file defines a gene"),
        ([DEFINITION, DEFINITION], "file0.json as well"),
        ([changed(DEFINITION, "chromosome", to="chr99")], "chromosome"),
        ([changed(DEFINITION, "genomeBuild", to="GRCh37")], "chromosome of GRCh38"),
        ([changed(DEFINITION, "variants", 1, "position", to="x")], "variants[1].position"),
        ([changed(DEFINITION, "variants", 1, "ref", to="<DEL>")], "variants[1].alts"),
        ([changed(DEFINITION, "variants", 1, "rsid", to="rs1799853")], "rs1799853 is there twice"),
        ([changed(DEFINITION, "namedAlleles", 1, "alleles", to=["T"])], "namedAlleles[1].alleles"),
        ([changed(DEFINITION, "namedAlleles", 1, "alleles", 0, to="Q")], "namedAlleles[1].alleles[0]"),
        ([changed(DEFINITION, "namedAlleles", 1, "reference", to=True)], "namedAlleles[1].alleles"),
        ([changed(DEFINITION, "namedAlleles", 0, "reference", to=False)], "exactly one reference"),
        ([changed(DEFINITION, "namedAlleles", 2, "name", to="*2")], "two alleles have one name"),
        ([changed(DEFINITION, "namedAlleles", 2, "name", to="")], "namedAlleles[2].name"),
        (
            [DEFINITION, changed(PHENOTYPE, "diplotypes", 0, "diplotypekey", to={"*1": 3})],
            "diplotypes[0].diplotypekey.*1",
        ),
        ([DEFINITION, changed(PHENOTYPE, "diplotypes", 0, "diplotypekey", to={})], "diplotypes[0].diplotypekey"),
        (
            [DEFINITION, changed(GUIDANCE, "guidelines", 0, "recommendations", 0, "id", to=None)],
            "recommendations[0].id",
        ),
        (
            [DEFINITION, changed({"E": EXEMPTIONS["CYP2C9"], **EXEMPTIONS}, "CYP2C9", "requiredPositions", to=[-1])],
            "required",
        ),
    ],
)
def test_a_bad_file_is_named_with_its_field(documents: list[Any], told: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(*documents)
    assert told in caught.value.diagnostics
    assert "file" in caught.value.source


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    with pytest.raises(BadFile):
        read_pharmcat([("x.json", content)])
