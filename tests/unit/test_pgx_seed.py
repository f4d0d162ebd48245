"""The embedded seed of pharmacogenetics: consistent, right where the builds differ, and as its sources say."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from app.data_folder import data_folder
from app.formats.pgx import Gene, Method, PgxContent, Ploidy, Position
from app.formats.pgx_names import diplotype_key
from app.formats.pgx_rows import read_rows
from app.formats.pgx_tables import write_tables
from app.formats.pypgx import TABLES, read_pypgx
from app.formats.pypgx_results import phenotype_of
from app.operations.pgx_seed import corrected_pypgx, embedded_content
from app.pgx.calls import Diplotype
from app.pgx.checks import problems
from app.pgx.phenotype import result_of
from app.records import Build
from app.variants.liftover import Chain, Liftover
from ingest.pgx_seed import main, make_seed

SEED = data_folder() / "pgx"
CORRECTIONS = SEED / "corrections"
CALLED = (
    *("ABCG2", "CACNA1S", "CFTR", "CYP2B6", "CYP2C19", "CYP2C9", "CYP2D6", "CYP3A4", "CYP3A5", "CYP4F2", "DPYD"),
    *("G6PD", "IFNL3", "MT-RNR1", "NUDT15", "RYR1", "SLCO1B1", "TPMT", "UGT1A1", "VKORC1"),
)


@pytest.fixture(scope="module")
def content() -> PgxContent:
    return embedded_content()


def gene(symbol: str) -> Gene:
    found = embedded_content().gene(symbol)
    assert found is not None
    return found


def position(symbol: str, name: str) -> Position:
    return next(each for each in gene(symbol).positions if each.name == name)


def phenotype(symbol: str, *names: str) -> str:
    return result_of(gene(symbol), Diplotype(names[0], names[1] if len(names) == 2 else None)).phenotype


def recommended(drug: str, **lookup: str) -> list[str]:
    """Return what is recommended for a drug and exactly these results; ``_`` in a gene stands for ``-``."""
    content = embedded_content()
    wanted = {symbol.replace("_", "-"): result for symbol, result in lookup.items()}
    drug_id = next(each.drug_id for each in content.drugs if each.name == drug)
    return [each.text for each in content.recommendations if each.drug_id == drug_id and each.lookup == wanted]


# --- consistency ------------------------------------------------------------------------------------------------------


def test_the_seed_has_no_problem(content: PgxContent) -> None:
    assert [str(problem) for problem in problems(content, lambda *place: None)] == []


def test_genes_are_those_that_operon_knows_apart_from_nat2(content: PgxContent) -> None:
    assert {each.symbol for each in content.genes} == {*CALLED, "HLA-A", "HLA-B"}
    assert all(each.hgnc and each.pharmgkb and each.description for each in content.genes)
    assert gene("DPYD").hgnc == "HGNC:3012"


@pytest.mark.parametrize("symbol", CALLED)
def test_a_gene_has_one_reference_allele_and_no_allele_without_meaning(symbol: str) -> None:
    alleles = gene(symbol).alleles
    assert [allele.is_reference for allele in alleles].count(True) == 1
    silent = {allele.name for allele in alleles if not any(allele.cells) and not allele.is_structural}
    assert silent <= set(gene(symbol).ignored_alleles)


@pytest.mark.parametrize("symbol", CALLED)
def test_every_place_is_known_on_both_builds(symbol: str) -> None:
    assert all(each.ref37 and len(each.alleles37) == len(each.alleles38) for each in gene(symbol).positions)


def test_hla_is_asked_by_allele_and_has_no_places() -> None:
    assert [allele.name for allele in gene("HLA-B").alleles] == ["*15:02", "*57:01", "*58:01"]
    assert [allele.name for allele in gene("HLA-A").alleles] == ["*31:01"]
    assert {gene(symbol).method for symbol in ("HLA-A", "HLA-B")} == {Method.ALLELE_STATUS}
    assert gene("HLA-A").positions == gene("HLA-B").positions == ()


def test_every_part_names_its_origin(content: PgxContent) -> None:
    written = {path.stem for path in SEED.glob("*.tsv")} & set(write_tables(content))
    assert written - {"provenance"} == {each.table for each in content.provenance}


def test_ids_do_not_depend_on_the_order_of_rows(content: PgxContent) -> None:
    ids = [each.recommendation_id for each in content.recommendations]
    assert ids == sorted(set(ids))
    assert "cpic-clopidogrel-cyp2c19-poor-metabolizer" in ids


def test_grades_are_left_to_the_rules(content: PgxContent) -> None:
    assert {each.grade for each in content.recommendations} == {""}


# --- both builds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "name", "on38", "on37"),
    [
        ("CYP2C19", "rs3758581", (94842866, "A"), (96602623, "G")),
        ("CYP2D6", "rs1135840", (42126611, "C"), (42522613, "G")),
        ("CYP2D6", "rs16947", (42127941, "G"), (42523943, "A")),
        ("CYP3A5", "rs776746", (99672916, "T"), (99270539, "C")),
        ("DPYD", "rs1801265", (97883329, "A"), (98348885, "G")),
        ("G6PD", "rs2230037", (154532439, "A"), (153760654, "G")),
    ],
)
def test_references_differ_where_the_builds_do(
    symbol: str, name: str, on38: tuple[int, str], on37: tuple[int, str]
) -> None:
    found = position(symbol, name)
    assert found.start37 is not None
    assert (found.start38 + 1, found.ref38) == on38
    assert (found.start37 + 1, found.ref37) == on37
    assert found.alleles37 == found.alleles38


def test_nowhere_else_references_differ(content: PgxContent) -> None:
    differing = {each.name for gene in content.genes for each in gene.positions if each.ref37 != each.ref38}
    assert differing == {"rs3758581", "rs1135840", "rs16947", "rs776746", "rs1801265", "rs2230037"}


def test_places_are_where_the_chain_of_ensembl_leads(shared: Path, content: PgxContent) -> None:
    chain = shared / "data" / "chain_ensembl" / "GRCh38_to_GRCh37.chain.gz"
    if not chain.is_file():
        pytest.skip("there is no chain file")
    liftover = Liftover([Chain.load(chain, Build.GRCH38, Build.GRCH37)])
    for each in (each for gene in content.genes for each in gene.positions if each.contig != 25):
        lifted = liftover.lift_interval(Build.GRCH38, each.contig, each.start38, each.start38 + 1)
        assert getattr(lifted, "start", None) == each.start37, each.name


# --- facts of alleles -------------------------------------------------------------------------------------------------


def test_reference_of_cyp2c19_is_38_and_star_1_says_everything() -> None:
    alleles = {allele.name: allele for allele in gene("CYP2C19").alleles}
    at = [each.name for each in gene("CYP2C19").positions].index("rs3758581")
    assert alleles["*38"].is_reference
    assert (alleles["*38"].cells[at], alleles["*2"].cells[at], alleles["*30"].cells[at]) == ("A", "G", "")
    assert all(alleles["*1"].cells)


def test_names_are_those_of_cpic() -> None:
    assert [allele.name for allele in gene("VKORC1").alleles] == ["rs9923231 reference (C)", "rs9923231 variant (T)"]
    assert [allele.name for allele in gene("IFNL3").alleles] == ["rs12979860 reference (C)", "rs12979860 variant (T)"]
    assert [allele.name for allele in gene("ABCG2").alleles] == ["rs2231142 reference (G)", "rs2231142 variant (T)"]
    assert "*80+*28" in {allele.name for allele in gene("UGT1A1").alleles}


def test_the_repeat_of_ugt1a1_has_four_lengths() -> None:
    found = next(each for each in gene("UGT1A1").positions if each.start38 == 233760232)
    assert found.alleles38 == ("CAT", "C", "CATAT", "CATATAT")


def test_hapb3_has_an_allele_of_its_deciding_place_alone() -> None:
    by_name = {allele.name: allele for allele in gene("DPYD").alleles}
    both, alone = by_name["c.1129-5923C>G, c.1236G>A (HapB3)"], by_name["c.1129-5923C>G"]
    assert ([cell for cell in both.cells if cell], [cell for cell in alone.cells if cell]) == (["T", "C"], ["C"])
    assert (both.activity, alone.activity) == ("0.5", "0.5")


def test_retired_names_are_gone_and_a_suballele_knows_its_core() -> None:
    assert {allele.name for allele in gene("CYP3A5").alleles}.isdisjoint({"*2", "*4", "*5"})
    assert [allele.core_of for allele in gene("SLCO1B1").alleles if allele.name == "*45.002"] == ["*45"]


def test_alleles_that_records_do_not_show_are_marked() -> None:
    marked = {
        symbol: {allele.name for allele in gene(symbol).alleles if allele.is_structural}
        for symbol in ("CYP2B6", "CYP2C19", "CYP2D6", "SLCO1B1")
    }
    assert marked["CYP2C19"] == {"*36", "*37"}
    assert marked["CYP2B6"] == {"*29", "*30"}
    assert marked["SLCO1B1"] == {"*48", "*49"}
    assert {"*5", "*13", "*36", "*68"} <= marked["CYP2D6"]


def test_exemptions_of_g6pd_take_no_part() -> None:
    found = gene("G6PD")
    assert (found.ignored, found.ignored_alleles) == (("rs2230037",), ("Mediterranean Haplotype", "Villeurbanne"))
    assert (found.ploidy, found.undocumented_as_reference) == (Ploidy.X, True)
    assert position("G6PD", "rs5030869").alleles38 == ("C", "T")


def test_a_place_of_the_warfarin_guideline_is_there_without_allele() -> None:
    assert gene("CYP2C9").ignored == ("rs12777823",)


def test_places_that_a_test_should_have_are_those_of_tier_one_alleles() -> None:
    assert gene("CYP2C19").tier1 == (
        *("rs12248560", "rs12769205", "rs58973490", "rs4986893", "rs4244285", "rs3758581"),
    )
    assert len(gene("DPYD").tier1) == 8
    assert gene("TPMT").tier1 == ()


# --- facts of results -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "names", "expected"),
    [
        ("CYP2C19", ("*17", "*17"), "Ultrarapid Metabolizer"),
        ("CYP2C19", ("*1", "*17"), "Rapid Metabolizer"),
        ("CYP2C19", ("*2", "*17"), "Intermediate Metabolizer"),
        ("CYP2C19", ("*9", "*17"), "Likely Intermediate Metabolizer"),
        ("CYP2C19", ("*2", "*9"), "Likely Poor Metabolizer"),
        ("CYP2C19", ("*2", "*2"), "Poor Metabolizer"),
        ("CYP2C19", ("*2", "*12"), "Indeterminate"),
        ("CYP2B6", ("*6", "*6"), "Poor Metabolizer"),
        ("CYP2B6", ("*1", "*22"), "Indeterminate"),
        ("CYP2B6", ("*37", "*1"), "Intermediate Metabolizer"),
        ("CYP3A4", ("*1", "*22"), "Intermediate Metabolizer"),
        ("CYP3A5", ("*1", "*9"), "Possible Intermediate Metabolizer"),
        ("TPMT", ("*1", "*3A"), "Intermediate Metabolizer"),
        ("TPMT", ("*3A", "*5"), "Possible Intermediate Metabolizer"),
        ("NUDT15", ("*2", "*3"), "Poor Metabolizer"),
        ("SLCO1B1", ("*14", "*20"), "Increased Function"),
        ("SLCO1B1", ("*1", "*45"), "Decreased Function"),
        ("UGT1A1", ("*1", "*80+*28"), "Intermediate Metabolizer"),
        ("UGT1A1", ("*28", "*80"), "Indeterminate"),
        ("CYP2C9", ("*1", "*3"), "Intermediate Metabolizer"),
        ("CYP2C9", ("*2", "*3"), "Poor Metabolizer"),
        ("CYP2D6", ("*10", "*10"), "Intermediate Metabolizer"),
        ("CYP2D6", ("*1", "*41"), "Normal Metabolizer"),
        ("CYP2D6", ("*4", "*5"), "Poor Metabolizer"),
        ("CYP2D6", ("*1", "*22"), "Indeterminate"),
        ("DPYD", ("Reference", "c.1905+1G>A (*2A)"), "Intermediate Metabolizer"),
        ("ABCG2", ("rs2231142 reference (G)", "rs2231142 variant (T)"), "Decreased Function"),
        ("VKORC1", ("rs9923231 reference (C)", "rs9923231 variant (T)"), "-1639 AG"),
        ("CACNA1S", ("Reference", "c.520C>T"), "Malignant Hyperthermia Susceptibility"),
        ("RYR1", ("Reference", "Reference"), "Uncertain Susceptibility"),
        ("CFTR", ("ivacaftor non-responsive CFTR sequence", "G551D"), "ivacaftor responsive in CF patients"),
        ("CFTR", ("F508del", "F508del"), "ivacaftor non-responsive in CF patients"),
        ("G6PD", ("B (reference)",), "Normal"),
        ("G6PD", ("A- 202A_376G",), "Deficient"),
        ("G6PD", ("B (reference)", "A- 202A_376G"), "Variable"),
        ("MT-RNR1", ("m.1555A>G",), "increased risk of aminoglycoside-induced hearing loss"),
        ("MT-RNR1", ("m.827A>G",), "normal risk of aminoglycoside-induced hearing loss"),
        ("MT-RNR1", ("m.663A>G",), "uncertain risk of aminoglycoside-induced hearing loss"),
        ("CYP4F2", ("*1", "*3"), ""),
        ("IFNL3", ("rs12979860 reference (C)", "rs12979860 variant (T)"), ""),
    ],
)
def test_a_diplotype_has_its_phenotype(symbol: str, names: tuple[str, ...], expected: str) -> None:
    assert phenotype(symbol, *names) == expected


@pytest.mark.parametrize(
    ("symbol", "activity", "names"),
    [
        ("CYP2C9", "0.5", "*2 *4 *5 *8 *11 *12 *14 *16 *23 *26 *28 *29 *30 *31 *37 *38 *44 *46 *50 *55 *61"),
        ("CYP2C9", "0.0", "*3 *6 *13 *15 *24 *25 *33 *35 *39 *42 *43 *45 *52"),
        ("CYP2D6", "0.5", "*9 *14 *17 *29 *41 *49 *50 *54 *55 *59"),
        ("CYP2D6", "0.25", "*10"),
        ("CYP2D6", "1.0", "*1 *2 *33 *34 *35 *39 *45 *46 *48 *53"),
    ],
)
def test_alleles_have_their_activity(symbol: str, activity: str, names: str) -> None:
    assert [allele.name for allele in gene(symbol).alleles if allele.activity == activity] == names.split()


# --- advice -----------------------------------------------------------------------------------------------------------


def test_drugs_have_several_codes(content: PgxContent) -> None:
    by_name = {drug.name: drug for drug in content.drugs}
    assert len(by_name) == 293
    assert (by_name["clopidogrel"].rxnorm, by_name["clopidogrel"].atc) == ("32968", ("B01AC04",))
    assert by_name["siponimod"].atc == ("L04AE03",)
    assert by_name["irinotecan"].atc == ("L01XX19", "L01CE02")
    assert (by_name["abacavir"].pharmgkb, by_name["abacavir"].drugbank) == ("PA448004", "DB01048")


def test_pairs_have_level_guideline_and_articles(content: PgxContent) -> None:
    (pair,) = [each for each in content.pairs if (each.gene, each.drug_id) == ("HLA-B", "RxNorm:190521")]
    assert (pair.level, pair.status, pair.pmids) == ("A", "Final", ("24561393", "22378157"))
    assert pair.guideline.startswith("https://cpicpgx.org/guidelines/")


def test_fluoropyrimidines_are_advised_by_score() -> None:
    for drug in ("fluorouracil", "capecitabine"):
        assert recommended(drug, DPYD="1.0") == recommended(drug, DPYD="1.5")
        assert recommended(drug, DPYD="1.0")[0].startswith("Reduce starting dose by 50%")
        assert recommended(drug, DPYD="0.5") == [
            "Avoid; if there is no alternative, strongly reduced dose with early therapeutic drug monitoring."
        ]
        assert recommended(drug, DPYD="0.0")[0].startswith("Avoid use of 5-fluorouracil")
        assert recommended(drug, DPYD="Intermediate Metabolizer") == []


def test_the_sentence_of_one_score_is_not_given_for_another() -> None:
    assert recommended("meloxicam", CYP2C9="1.5")
    assert recommended("meloxicam", CYP2C9="1.0") == recommended("meloxicam", CYP2C9="Intermediate Metabolizer") == []


def test_hla_is_advised_by_status() -> None:
    assert recommended("abacavir", HLA_B="*57:01 positive") == ["Abacavir is not recommended."]
    assert len(recommended("carbamazepine", HLA_B="*15:02 positive")) == 2
    assert recommended("phenytoin", CYP2C9="2.0", HLA_B="No Result") == []
    assert recommended("phenytoin", CYP2C9="1.0", HLA_B="No Result")


def test_either_gene_suffices_for_malignant_hyperthermia() -> None:
    susceptible, unsaid = "Malignant Hyperthermia Susceptibility", "No Result"
    texts = {
        *recommended("sevoflurane", CACNA1S=susceptible, RYR1=unsaid),
        *recommended("sevoflurane", CACNA1S=unsaid, RYR1=susceptible),
        *recommended("sevoflurane", CACNA1S=susceptible, RYR1=susceptible),
        *recommended("sevoflurane", CACNA1S="Uncertain Susceptibility", RYR1=susceptible),
    }
    assert len(texts) == 1
    assert texts.pop().startswith("Halogenated volatile anesthetics")


def test_a_sentence_names_the_drugs_to_take_instead(content: PgxContent) -> None:
    alternatives = {each.recommendation_id: each.alternatives for each in content.recommendations if each.alternatives}
    assert alternatives["cpic-clopidogrel-cyp2c19-poor-metabolizer"] == ("613391", "1116632")
    assert set(alternatives.values()) == {("613391", "1116632")}


# --- sources ----------------------------------------------------------------------------------------------------------


def test_sentences_that_the_source_lacks_are_among_the_corrections(content: PgxContent) -> None:
    with (CORRECTIONS / "recommendation.tsv").open("rb") as stream:
        added = {row["text"] for row in read_rows(stream, "recommendation.tsv", ("text", "source"))}
    by_id = {each.recommendation_id: each.text for each in content.recommendations}
    assert added <= set(by_id.values())


@pytest.fixture(scope="module")
def pypgx_folder(shared: Path) -> Path:
    folder = shared / "data" / "genes" / "pypgx"
    if not folder.is_dir():
        pytest.skip("PyPGx's tables are not beside the project")
    return folder


def source_of(folder: Path) -> PgxContent:
    with ExitStack() as stack:
        paths = {table: folder / f"{table}.csv" for table in TABLES}
        return read_pypgx(
            {name: (stack.enter_context(path.open("rb")), path.name) for name, path in paths.items() if path.is_file()}
        )


def test_the_genes_are_those_of_pypgx_corrected(pypgx_folder: Path, content: PgxContent) -> None:
    made = {each.symbol: each for each in corrected_pypgx(source_of(pypgx_folder)).genes}
    # The older tables beside the project have no equations.
    assert made == {each.symbol: replace(each, scores=made[each.symbol].scores) for each in content.genes}


def stated_diplotypes(folder: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield gene, names and phenotype of PyPGx's diplotypes, of alleles that no correction is about."""
    corrected: set[tuple[str, str]] = set()
    for table in ("allele", "function"):
        with (CORRECTIONS / f"{table}.tsv").open("rb") as stream:
            corrected |= {(row["gene"], row["allele"]) for row in read_rows(stream, table, ("gene", "allele"))}
    names_of = {each.symbol: {allele.name for allele in each.alleles} for each in embedded_content().genes}
    with (folder / "diplotype-table.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            names = tuple(name for name in row["Diplotype"].split("/") if name != "MALE")
            known = names_of.get(row["Gene"], set())
            if known.issuperset(names) and all((row["Gene"], name) not in corrected for name in names):
                yield row["Gene"], names, phenotype_of(row["Gene"], row["Phenotype"])


def test_rules_give_what_the_table_of_diplotypes_states(pypgx_folder: Path) -> None:
    seen: dict[str, int] = {}
    for symbol, names, expected in stated_diplotypes(pypgx_folder):
        assert phenotype(symbol, *names) == expected, (symbol, names)
        seen[symbol] = seen.get(symbol, 0) + 1
    assert seen["G6PD"] > 17_000
    assert set(seen) >= {"CYP2B6", "CYP2C19", "CYP3A5", "NUDT15", "RYR1", "SLCO1B1", "TPMT", "UGT1A1", "CACNA1S"}


def test_the_seed_is_made_again_to_the_byte(tmp_path: Path) -> None:
    folder = os.environ.get("PYPGX_TABLES")
    if not folder:
        pytest.skip("PYPGX_TABLES does not name the folder of PyPGx's tables")
    main([folder, str(tmp_path)])
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {name: (SEED / name).read_bytes() for name in made}
    assert make_seed(Path(folder)) == embedded_content()


def test_keys_of_results_are_in_order(content: PgxContent) -> None:
    for each in content.genes:
        assert all(diplotype_key(*key.split("/")) == key for key in each.results)
