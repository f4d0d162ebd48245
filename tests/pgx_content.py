"""A small release of pharmacogenetic knowledge for tests: eight drugs, enough of their genes, graded as in use.

The definitions are cut down to a few positions; the sentences of guidelines are CPIC's (CC0).

>>> content().gene("CYP2C19").reference.name
'*38'
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from app.formats.pgx import (
    Drug,
    DrugName,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Pair,
    PgxContent,
    Position,
    Product,
    Recommendation,
    ScoreRule,
    Text,
)
from app.pgx.calls import CallMethod, CallStatus, Diplotype, GeneCall
from app.pgx.grades import graded, read_grade_rules
from app.pgx.texts import read_texts, with_templates

DATA = Path(__file__).resolve().parents[1] / "data" / "pgx"

NORMAL, DECREASED, NONE, INCREASED = "Normal function", "Decreased function", "No function", "Increased function"

CYP2C19 = Gene(
    symbol="CYP2C19",
    hgnc="HGNC:2621",
    pharmgkb="PA124",
    contig=10,
    method=Method.PHENOTYPE,
    positions=(
        Position("rs12248560", 10, 94761899, ("C", "T"), 96521656, ("C", "T"), "C"),
        Position("rs4986893", 10, 94780652, ("G", "A"), 96540409, ("G", "A"), "G"),
        Position("rs4244285", 10, 94781858, ("G", "A"), 96541615, ("G", "A"), "G"),
        Position("rs3758581", 10, 94842865, ("A", "G"), 96602622, ("A", "G"), "G"),
    ),
    alleles=(
        NamedAllele("*38", ("C", "G", "G", "A"), is_reference=True, function=NORMAL),
        NamedAllele("*1", ("", "", "", "G"), function=NORMAL),
        NamedAllele("*2", ("", "", "A", "G"), function=NONE),
        NamedAllele("*3", ("", "A", "", "G"), function=NONE),
        NamedAllele("*17", ("T", "", "", "G"), function=INCREASED),
    ),
    rules=(
        FunctionRule(NORMAL, NORMAL, "Normal Metabolizer"),
        FunctionRule(INCREASED, NORMAL, "Rapid Metabolizer"),
        FunctionRule(INCREASED, INCREASED, "Ultrarapid Metabolizer"),
        FunctionRule(NONE, NORMAL, "Intermediate Metabolizer"),
        FunctionRule(INCREASED, NONE, "Intermediate Metabolizer"),
        FunctionRule(NONE, NONE, "Poor Metabolizer"),
    ),
    description="CYP2C19 is a liver enzyme that activates or breaks down many drugs.",
)

CYP2D6 = Gene(
    symbol="CYP2D6",
    hgnc="HGNC:2625",
    pharmgkb="PA128",
    contig=22,
    method=Method.SCORE,
    positions=(Position("rs3892097", 22, 42128944, ("C", "T"), 42524946, ("C", "T"), "C"),),
    alleles=(
        NamedAllele("*1", ("C",), is_reference=True, function=NORMAL, activity="1.0"),
        NamedAllele("*4", ("T",), function=NONE, activity="0.0"),
        NamedAllele("*5", ("",), is_structural=True, function=NONE, activity="0.0"),
        NamedAllele("*1x2", ("",), is_structural=True, function=INCREASED, activity="2.0"),
    ),
    scores=(
        ScoreRule(0.0, 0.001, "Poor Metabolizer"),
        ScoreRule(0.001, 1.25, "Intermediate Metabolizer"),
        ScoreRule(1.25, 2.2501, "Normal Metabolizer"),
        ScoreRule(2.2501, 1000.0, "Ultrarapid Metabolizer"),
    ),
)

TPMT = Gene(
    symbol="TPMT",
    hgnc="HGNC:12014",
    pharmgkb="PA356",
    contig=6,
    method=Method.PHENOTYPE,
    positions=(
        Position("rs1142345", 6, 18130686, ("T", "C"), 18130917, ("T", "C"), "T"),
        Position("rs1800460", 6, 18138996, ("C", "T"), 18139227, ("C", "T"), "C"),
    ),
    alleles=(
        NamedAllele("*1", ("T", "C"), is_reference=True, function=NORMAL),
        NamedAllele("*3A", ("C", "T"), function=NONE),
        NamedAllele("*3B", ("", "T"), function=NONE),
        NamedAllele("*3C", ("C", ""), function=NONE),
    ),
    undocumented_as_reference=True,
    rules=(
        FunctionRule(NORMAL, NORMAL, "Normal Metabolizer"),
        FunctionRule(NONE, NORMAL, "Intermediate Metabolizer"),
        FunctionRule(NONE, NONE, "Poor Metabolizer"),
    ),
)

NUDT15 = Gene(
    symbol="NUDT15",
    hgnc="HGNC:23063",
    pharmgkb="PA134963132",
    contig=13,
    method=Method.PHENOTYPE,
    positions=(Position("rs116855232", 13, 48045718, ("C", "T"), 48619854, ("C", "T"), "C"),),
    alleles=(
        NamedAllele("*1", ("C",), is_reference=True, function=NORMAL),
        NamedAllele("*3", ("T",), function=NONE),
    ),
    undocumented_as_reference=True,
    rules=TPMT.rules,
)

HLA_A = Gene("HLA-A", "HGNC:4931", "PA35055", 6, Method.ALLELE_STATUS, alleles=(NamedAllele("*31:01", ()),))
HLA_B = Gene(
    "HLA-B",
    "HGNC:4932",
    "PA35056",
    6,
    Method.ALLELE_STATUS,
    alleles=(NamedAllele("*15:02", ()), NamedAllele("*57:01", ()), NamedAllele("*58:01", ())),
)

DPYD = Gene(
    symbol="DPYD",
    hgnc="HGNC:3012",
    pharmgkb="PA145",
    contig=1,
    method=Method.LOWEST_FUNCTION,
    positions=(
        Position("rs67376798", 1, 97082390, ("T", "A"), 97547946, ("T", "A"), "T"),
        Position("rs3918290", 1, 97450057, ("C", "T"), 97915613, ("C", "T"), "C"),
    ),
    alleles=(
        NamedAllele("Reference", ("T", "C"), is_reference=True, function=NORMAL, activity="1.0"),
        NamedAllele("c.2846A>T", ("A", ""), function=DECREASED, activity="0.5"),
        NamedAllele("c.1905+1G>A (*2A)", ("", "T"), function=NONE, activity="0.0"),
    ),
    undocumented_as_reference=True,
    scores=(
        ScoreRule(0.0, 1.0, "Poor Metabolizer"),
        ScoreRule(1.0, 2.0, "Intermediate Metabolizer"),
        ScoreRule(2.0, 2.1, "Normal Metabolizer"),
    ),
)

SLCO1B1 = Gene(
    symbol="SLCO1B1",
    hgnc="HGNC:10959",
    pharmgkb="PA134865839",
    contig=12,
    method=Method.PHENOTYPE,
    positions=(Position("rs4149056", 12, 21178614, ("T", "C"), 21331548, ("T", "C"), "T"),),
    alleles=(
        NamedAllele("*1", ("T",), is_reference=True, function=NORMAL),
        NamedAllele("*5", ("C",), function=NONE),
    ),
    rules=(
        FunctionRule(NORMAL, NORMAL, "Normal Function"),
        FunctionRule(NONE, NORMAL, "Decreased Function"),
        FunctionRule(NONE, NONE, "Poor Function"),
    ),
)

CYP2C9 = Gene(
    symbol="CYP2C9",
    hgnc="HGNC:2623",
    pharmgkb="PA126",
    contig=10,
    method=Method.SCORE,
    positions=(
        Position("rs1799853", 10, 94942289, ("C", "T"), 96702046, ("C", "T"), "C"),
        Position("rs1057910", 10, 94981295, ("A", "C"), 96741052, ("A", "C"), "A"),
    ),
    alleles=(
        NamedAllele("*1", ("C", "A"), is_reference=True, function=NORMAL, activity="1.0"),
        NamedAllele("*2", ("T", ""), function=DECREASED, activity="0.5"),
        NamedAllele("*3", ("", "C"), function=NONE, activity="0.0"),
    ),
    scores=DPYD.scores,
)

VKORC1 = Gene(
    symbol="VKORC1",
    hgnc="HGNC:23663",
    pharmgkb="PA133787052",
    contig=16,
    method=Method.GENOTYPE,
    positions=(Position("rs9923231", 16, 31096367, ("C", "T"), 31107688, ("C", "T"), "C"),),
    alleles=(
        NamedAllele("rs9923231 reference (C)", ("C",), is_reference=True),
        NamedAllele("rs9923231 variant (T)", ("T",)),
    ),
)

GENES = (CYP2C19, CYP2C9, CYP2D6, DPYD, HLA_A, HLA_B, NUDT15, SLCO1B1, TPMT, VKORC1)

CLOPIDOGREL = Drug("RxNorm:32968", "clopidogrel", "32968", ("B01AC04",), "PA449053", "DB00758")
CODEINE = Drug("RxNorm:2670", "codeine", "2670", ("R05DA04", "N02AA59", "N02AA79"), "PA449088", "DB00318")
MERCAPTOPURINE = Drug("RxNorm:103", "mercaptopurine", "103", ("L01BB02",), "PA450379", "DB01033")
ABACAVIR = Drug("RxNorm:190521", "abacavir", "190521", ("J05AF06", "J05AR02"), "PA448004", "DB01048")
CARBAMAZEPINE = Drug("RxNorm:2002", "carbamazepine", "2002", ("N03AF01",), "PA448785", "DB00564")
FLUOROURACIL = Drug("RxNorm:4492", "fluorouracil", "4492", ("L01BC02", "L01BC52"), "PA128406956", "DB00544")
SIMVASTATIN = Drug("RxNorm:36567", "simvastatin", "36567", ("C10AA01", "C10BA02", "C10BX01"), "PA451363", "DB00641")
ASPIRIN = Drug("RxNorm:1191", "aspirin", "1191", ("B01AC06", "C10BX01"), "PA448497", "DB00945")
WARFARIN = Drug("RxNorm:11289", "warfarin", "11289", ("B01AA03",), "PA451906", "DB00682")
TICAGRELOR = Drug("RxNorm:1116632", "ticagrelor", "1116632", ("B01AC24",), "", "DB08816")

DRUGS = (
    *(ABACAVIR, ASPIRIN, CARBAMAZEPINE, CLOPIDOGREL, CODEINE, FLUOROURACIL, MERCAPTOPURINE),
    *(SIMVASTATIN, TICAGRELOR, WARFARIN),
)

NAMES = (
    DrugName(CLOPIDOGREL.drug_id, "trade", "Plavix", country="FI"),
    DrugName(CLOPIDOGREL.drug_id, "salt", "clopidogrel bisulfate"),
    DrugName(CLOPIDOGREL.drug_id, "substance", "Klopidogreeli", language="fi"),
    DrugName(CLOPIDOGREL.drug_id, "vnr", "012345", country="FI"),
    DrugName(CODEINE.drug_id, "substance", "Kodeiini", language="fi"),
    DrugName(CODEINE.drug_id, "substance", "Codéine", language="fr"),
    DrugName(ASPIRIN.drug_id, "inn", "acetylsalicylic acid"),
    DrugName(WARFARIN.drug_id, "trade", "Marevan", country="FI"),
)

PRODUCTS = (
    Product("309362", "32968", "clopidogrel 75 MG Oral Tablet", "SCD"),
    Product("749198", "32968", "clopidogrel 75 MG Oral Tablet [Plavix]", "SBD"),
    Product("993781", "2670", "acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet", "SCD"),
    Product("855332", "11289", "warfarin sodium 5 MG Oral Tablet", "SCD"),
    Product("242679", "190521", "abacavir 300 MG Oral Tablet", "SCD"),
)

PAIRS = (
    Pair("HLA-B", ABACAVIR.drug_id, "A", "Final", "https://cpicpgx.org/guidelines/guideline-for-abacavir-and-hla-b/"),
    Pair("GP1BA", ASPIRIN.drug_id, "D", "Provisional"),
    Pair("HLA-A", CARBAMAZEPINE.drug_id, "A", "Final"),
    Pair("HLA-B", CARBAMAZEPINE.drug_id, "A", "Final"),
    Pair("CYP2C19", CLOPIDOGREL.drug_id, "A", "Final", "https://cpicpgx.org/guidelines/guideline-for-clopidogrel/"),
    Pair("CYP2D6", CODEINE.drug_id, "A", "Final", "https://cpicpgx.org/guidelines/guideline-for-codeine-and-cyp2d6/"),
    Pair("DPYD", FLUOROURACIL.drug_id, "A", "Final"),
    Pair("NUDT15", MERCAPTOPURINE.drug_id, "A", "Final"),
    Pair("TPMT", MERCAPTOPURINE.drug_id, "A", "Final"),
    Pair("SLCO1B1", SIMVASTATIN.drug_id, "A", "Final"),
    Pair("CYP2C9", WARFARIN.drug_id, "A", "Final"),
    Pair("VKORC1", WARFARIN.drug_id, "A", "Final"),
)

_PM, _IM, _NM, _RM, _UM = (f"{word} Metabolizer" for word in ("Poor", "Intermediate", "Normal", "Rapid", "Ultrarapid"))
_ACS = "CVI ACS PCI"
_NVI = "NVI"
_AVOID_CLOPIDOGREL = (
    "Avoid standard dose (75 mg/day) clopidogrel if possible. "
    "Use prasugrel or ticagrelor at standard dose if no contraindication."
)
_USUAL_CLOPIDOGREL = "If considering clopidogrel, use at standard dose (75 mg/day)."
_MP_NORMAL = (
    "Start with normal starting dose (e.g., 75 mg/m2/day or 1.5 mg/kg/day) and adjust doses of mercaptopurine "
    "(and of any other myelosuppressive therapy) without any special emphasis on mercaptopurine compared to other "
    "agents. Allow at least 2 weeks to reach steady-state after each dose adjustment."
)
_MP_REDUCED = "Start with reduced starting doses (30%-80% of normal dose) and adjust doses based on myelosuppression."
_MP_PARTNER = " {} genotype is not available. If thiopurines are required and {} status is unknown, monitor closely."
_MP_POOR = "For malignancy, start with drastically reduced doses (reduce daily dose by 10-fold)."


def _recommendations() -> tuple[Recommendation, ...]:
    rows: list[tuple[Drug, dict[str, str], str, str, str, tuple[str, ...]]] = [
        (CLOPIDOGREL, {"CYP2C19": _PM}, _AVOID_CLOPIDOGREL, _ACS, "Strong", (TICAGRELOR.drug_id,)),
        (CLOPIDOGREL, {"CYP2C19": _PM}, _AVOID_CLOPIDOGREL, _NVI, "Moderate", (TICAGRELOR.drug_id,)),
        (CLOPIDOGREL, {"CYP2C19": _IM}, _AVOID_CLOPIDOGREL, _ACS, "Strong", (TICAGRELOR.drug_id,)),
        (CLOPIDOGREL, {"CYP2C19": _IM}, "No recommendation.", _NVI, "No recommendation", ()),
        *[
            (CLOPIDOGREL, {"CYP2C19": phenotype}, _USUAL_CLOPIDOGREL, population, "Strong", ())
            for phenotype in (_NM, _RM, _UM)
            for population in (_ACS, _NVI)
        ],
        (
            CODEINE,
            {"CYP2D6": _PM},
            "Avoid codeine use because of possibility of diminished analgesia.",
            "",
            "Strong",
            (),
        ),
        (
            CODEINE,
            {"CYP2D6": _IM},
            "Use codeine label recommended age- or weight-specific dosing. If no response and opioid use is warranted, "
            "consider a non-tramadol opioid.",
            "",
            "Moderate",
            (),
        ),
        (CODEINE, {"CYP2D6": _NM}, "Use codeine label recommended age- or weight-specific dosing.", "", "Strong", ()),
        (CODEINE, {"CYP2D6": _UM}, "Avoid codeine use because of potential for serious toxicity.", "", "Strong", ()),
        (MERCAPTOPURINE, {"TPMT": _NM, "NUDT15": _NM}, _MP_NORMAL, "", "Strong", ()),
        (MERCAPTOPURINE, {"TPMT": _IM, "NUDT15": _NM}, _MP_REDUCED, "", "Strong", ()),
        (MERCAPTOPURINE, {"TPMT": _NM, "NUDT15": _IM}, _MP_REDUCED, "", "Strong", ()),
        (MERCAPTOPURINE, {"TPMT": _IM, "NUDT15": _IM}, _MP_REDUCED, "", "Moderate", ()),
        *[
            (MERCAPTOPURINE, {one: _PM, other: phenotype}, _MP_POOR, "", "Strong", ())
            for one, other in (("TPMT", "NUDT15"), ("NUDT15", "TPMT"))
            for phenotype in (_NM, _IM)
        ],
        (MERCAPTOPURINE, {"TPMT": _PM, "NUDT15": _PM}, _MP_POOR, "", "Strong", ()),
        *[
            (MERCAPTOPURINE, {gene: phenotype}, text + _MP_PARTNER.format(partner, partner), "", "Strong", ())
            for gene, partner in (("TPMT", "NUDT15"), ("NUDT15", "TPMT"))
            for phenotype, text in ((_NM, _MP_NORMAL), (_IM, _MP_REDUCED), (_PM, _MP_POOR))
        ],
        (ABACAVIR, {"HLA-B": "*57:01 positive"}, "Abacavir is not recommended.", "", "Strong", ()),
        (ABACAVIR, {"HLA-B": "*57:01 negative"}, "Use abacavir per standard dosing guidelines.", "", "Strong", ()),
        (
            CARBAMAZEPINE,
            {"HLA-B": "*15:02 positive"},
            "If patient is carbamazepine-naive, do not use carbamazepine.",
            "CBZ naive",
            "Strong",
            (),
        ),
        (
            CARBAMAZEPINE,
            {"HLA-A": "*31:01 positive", "HLA-B": "*15:02 negative"},
            "If patient is carbamazepine-naive and alternative agents are available, do not use carbamazepine.",
            "CBZ naive",
            "Strong",
            (),
        ),
        (
            CARBAMAZEPINE,
            {"HLA-A": "*31:01 negative", "HLA-B": "*15:02 negative"},
            "Use carbamazepine per standard dosing guidelines.",
            "CBZ naive",
            "Strong",
            (),
        ),
        (
            FLUOROURACIL,
            {"DPYD": "2.0"},
            "Based on genotype, there is no indication to change dose or therapy. "
            "Use label-recommended dosage and administration.",
            "",
            "Strong",
            (),
        ),
        *[
            (
                FLUOROURACIL,
                {"DPYD": score},
                "Reduce starting dose by 50% followed by titration of dose based on toxicity or therapeutic drug "
                "monitoring (if available).",
                "",
                "Strong",
                (),
            )
            for score in ("1.5", "1.0")
        ],
        *[
            (
                FLUOROURACIL,
                {"DPYD": score},
                "Avoid use of 5-fluorouracil or 5-fluorouracil prodrug-based regimens.",
                "",
                "Strong",
                (),
            )
            for score in ("0.5", "0.0")
        ],
        (
            SIMVASTATIN,
            {"SLCO1B1": "Normal Function"},
            "Prescribe desired starting dose and adjust doses based on disease-specific guidelines.",
            "",
            "Strong",
            (),
        ),
        *[
            (
                SIMVASTATIN,
                {"SLCO1B1": phenotype},
                "Prescribe an alternative statin depending on the desired potency.",
                "",
                "Strong",
                (),
            )
            for phenotype in ("Decreased Function", "Poor Function")
        ],
    ]
    return tuple(
        Recommendation(
            recommendation_id=f"test-{number}",
            drug_id=drug.drug_id,
            source="CPIC",
            lookup=lookup,
            text=text,
            population=population,
            classification=classification,
            implications={gene: f"Effect of {result} of {gene}." for gene, result in lookup.items()},
            guideline=f"CPIC guideline for {drug.name}",
            url=f"https://cpicpgx.org/guidelines/{drug.name}/",
            alternatives=alternatives,
        )
        for number, (drug, lookup, text, population, classification, alternatives) in enumerate(rows, start=1)
    )


TEXTS = (Text("recommendation.test-1", "fi", "Vältä klopidogreelia, jos mahdollista.", "local"),)


@cache
def content() -> PgxContent:
    """Return the release as it is used: graded, with Operon's own texts."""
    bare = PgxContent(GENES, DRUGS, NAMES, PRODUCTS, PAIRS, _recommendations(), TEXTS)
    rules = read_grade_rules((DATA / "grade_rules.tsv").read_bytes())
    return with_templates(graded(bare, rules), read_texts((DATA / "texts.tsv").read_bytes()))


def a_call(
    gene: str,
    genotype: str = "",
    phenotype: str = "",
    *,
    activity: str = "",
    lookup: str | None = None,
    status: CallStatus = CallStatus.CALLED,
    method: CallMethod = CallMethod.MATCHER,
) -> GeneCall:
    """Return the call of a gene; recommendations are looked up by the phenotype unless ``lookup`` says otherwise."""
    diplotypes: tuple[Diplotype, ...] = ()
    if genotype:
        first, _, second = genotype.partition("/")
        diplotypes = (Diplotype(first, second or None),)
    return GeneCall(
        gene=gene,
        status=status,
        method=method,
        diplotypes=diplotypes,
        phenotype=phenotype,
        activity=activity,
        lookup=phenotype if lookup is None else lookup,
        release="test",
    )


def not_tested(gene: str) -> GeneCall:
    """Return the call of a gene of which no position was tested."""
    return GeneCall(gene, CallStatus.NOT_TESTED, reason="no position was tested")
