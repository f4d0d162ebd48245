"""The requests of the reference implementation's Postman collection, which its clients copy from.

Written as they are sent: blanks after commas, bars and brackets as they are, one subject of no population question.
"""

from __future__ import annotations

from typing import Final

_MEDGEN, _DOID = "https://www.ncbi.nlm.nih.gov/medgen", "https://disease-ontology.org"
_RXNORM, _HGNC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.genenames.org/geneId"
_SO = "http://sequenceontology.org"
_TITIN, _LDLR_37 = "NC_000002.12:178525988-178807423", "NC_000019.9:11200138-11244496"
_BREAST = "NC_000017.11:43044294-43125364,NC_000013.11:32315507-32400268"
_MET, _EGFR, _CYP2D6 = (
    "NC_000007.14:116672195-116798386",
    "NC_000007.14:55019016-55211628",
    "NC_000022.10:42522500-42526812",
)
_THREE = ("NC_000001.10:144931726:G:A", "NC_000001.10:145532548:T:C", "NC_000001.10:145592072:A:T")
_BRAF_NRAS = "NM_002524.5:c.182A>C,NM_001354609.2:c.1799T>A"

CALLS: Final[dict[str, tuple[str, ...]]] = {
    "find-subject-variants": (
        f"subject=NB6TK329&testIdentifiers=TL000016660-ASM&includeVariants=true&ranges={_TITIN},{_TITIN}",
        f"subject=HG00403&ranges={_LDLR_37}&includeVariants=true&includePhasing=true",
        "subject=HG00403&includeVariants=true&ranges=NC_000019.10:11089431-11133820",
        "subject=HG00403&ranges=NC_000019.9:11221327-11221447&includeVariants=true",
        "subject=NB6TK329&ranges=NC_000001.11:2629432-2629470&includeVariants=true&includePhasing=true",
    ),
    "find-subject-specific-variants": (
        "subject=m123&variants=NC_000005.9:g.112102032A>T",
        "subject=m123&variants=NM_001127510.3:c.145A>T",
        "subject=m123&variants=NM_001385641.1:c.804C>T",
        "subject=HG00404&variants=NC_000005.9:112154946:CC:C,NC_000005.9:112157612:C:T,NC_000017.10:41246373:G:,"
        "NC_000017.10:41243854:AAA:AAAA,NC_000013.10:32900284:C:A,NC_000019.9:11216262:C:A,NC_000014.8:23894101:A:T",
    ),
    "find-subject-structural-intersecting-variants": (
        f"subject=HCC1143&ranges={_MET}&specimenIdentifiers=HCC1143-Sp1",
        f"subject=HCC1143&ranges={_EGFR},NC_000004.12:54727415-54727542&specimenIdentifiers=HCC1143-Sp1",
        "subject=ABC789&ranges=NC_000002.12:179400709-179483218&includeVariants=true",
        f"subject=HCC1143&ranges={_BREAST}&includeVariants=true",
    ),
    "find-subject-structural-subsuming-variants": (
        f"subject=FLATIRON2&ranges={_MET}&includeVariants=true",
        f"subject=HCC1143&ranges={_MET}&includeVariants=true&specimenIdentifiers=HCC1143-Sp1",
        f"subject=ABC789&ranges={_CYP2D6}&includeVariants=true",
    ),
    "find-subject-haplotypes": (
        f"subject=NB6TK328&genes={_HGNC}|HGNC:2625",
        f"subject=NB6TK328&genes={_HGNC}|HGNC:2625,{_HGNC}|HGNC:2621",
        f"subject=NB6TK328&genes={_HGNC}|HGNC:4932",
        "subject=NB6TK328&genes=HLA-B",
    ),
    "find-subject-specific-haplotypes": (
        "subject=XYZ123&haplotypes=CYP2C19",
        "subject=NB6TK328&haplotypes=HLA-B*27",
        "subject=XYZ234&haplotypes=DRB1*13:02",
    ),
    "find-subject-tx-implications": (
        f"subject=CA12345&conditions={_DOID}|DOID:3908",
        f"subject=NB6TK328&treatments={_RXNORM}|704",
        "subject=CA12345&ranges=NC_000007.13:140413127-140624729",
        f"subject=CA12345&treatments={_RXNORM}|1147220",
        "subject=NB6TK328&haplotypes=CYP2C19 *1/*17,CYP2D6 *1/*41",
        f"subject=CA12345&variants={_BRAF_NRAS}&conditions={_DOID}|DOID:3908",
        f"subject=CA12345&variants=NC_000001.10:27106893::T&conditions={_DOID}|DOID:684",
        "subject=CA12345&ranges=NC_000001.11:20000000-40000000",
    ),
    "find-subject-dx-implications": (
        f"subject=huC30902&conditions={_MEDGEN}|C1708353",
        f"subject=HG00403&ranges={_LDLR_37}",
        f"subject=NB6TK329&conditions={_MEDGEN}|C0677776,{_MEDGEN}|C4552100,{_MEDGEN}|C0020445",
        f"subject=HG02657&conditions={_MEDGEN}|C3469186",
    ),
    "find-subject-molecular-consequences": (
        "subject=NB6TK329&variants=NC_000006.12:7576293:G:A",
        f"subject=HG00403&ranges=NC_000002.12:29190991-29921589,NC_000007.14:140713327-140924929,{_EGFR}",
        f"subject=HG00403&ranges=NC_000002.12:29190991-29921589,{_EGFR}&featureConsequences={_SO}|SO:0001624",
        "subject=HG00403&variants=NC_000001.10:86852620:A:G",
        f"subject=HG00403&ranges={_EGFR}&featureConsequences={_SO}|SO:0001589a",
    ),
    "find-study-metadata": (
        "subject=HCC1143&ranges=NC_000006.11:26091303-26091307",
        f"subject=HCC1143&ranges=NC_000006.11:26091303-26091307,NC_000011.10:123456789-133456789, {_EGFR}, "
        "NC_000007.14:55211600-55211800, NC_000007.14:55300000-55300500",
        f"subject=HCC1143&ranges={_EGFR}",
    ),
    "find-population-specific-variants": (
        "variants=NC_000011.10:g.8263343T>C&variants=NC_000006.11:26091305:T:C",
        f"subject=HG00403&variants={'&variants='.join(_THREE)}&includePatientList=true",
        f"variants={', '.join(_THREE)}",
        "variants=NM_001354609.2:c.1799T>A,NM_002524.5:c.182A>C&includePatientList=true",
    ),
    "find-population-structural-intersecting-variants": (
        f"ranges={_CYP2D6}&includePatientList=true",
        f"ranges={_BREAST}&includePatientList=true",
    ),
    "find-population-structural-subsuming-variants": (
        f"ranges={_CYP2D6}&includePatientList=true",
        "ranges=NC_000017.10:37844346-37884911,NC_000007.13:116312249-116438431&includePatientList=true",
    ),
    "find-population-specific-haplotypes": (
        "haplotypes=CYP2C9 *1/*2&includePatientList=true",
        "haplotypes=CYP2C19&includePatientList=true",
        "haplotypes=HLA-A*01&includePatientList=true&haplotypes=HLA-B*08&haplotypes=HLA-DRB1*03",
        "haplotypes=HLA-A*01,HLA-B*08,HLA-DRB1*03&includePatientList=true",
    ),
    "find-population-tx-implications": (
        "variants=NC_000006.11:26091178:C:G&includePatientList=true",
        f"treatments={_RXNORM}|704&includePatientList=true",
        f"treatments={_RXNORM}|1147220&includePatientList=true",
        "haplotypes=CYP2C19 *1/*17,CYP2D6 *1/*41&includePatientList=true",
        f"conditions={_DOID}|DOID:3908&includePatientList=true",
    ),
    "find-population-dx-implications": (
        f"conditions={_MEDGEN}|C3469186&includePatientList=true",
        "variants=NC_000019.10:38499669:C:T&includePatientList=true",
        f"conditions={_MEDGEN}|C0677776,{_MEDGEN}|C4552100,{_MEDGEN}|C0020445&includePatientList=true",
    ),
    "find-population-molecular-consequences": (
        f"variants=NC_000001.10:152785039:G:T&featureConsequences={_SO}|SO:0001583&includePatientList=true",
    ),
    "find-the-gene": ("range=NC_000014.9:23429328-23429328",),
    "get-feature-coordinates": ("gene=BRCA1", "chromosome=chry", "chromosome=chrM", "transcript=NM_000014.6"),
}
"""Queries by operation or utility, without repetitions"""

_SUBJECT, _POPULATION = "/subject-operations", "/population-operations"
_PREFIXES: Final = (
    (f"{_SUBJECT}/phenotype-operations", ("find-subject-tx", "find-subject-dx", "find-subject-molecular")),
    (f"{_SUBJECT}/metadata-operations", ("find-study",)),
    (f"{_SUBJECT}/genotype-operations", ("find-subject",)),
    (f"{_POPULATION}/phenotype-operations", ("find-population-tx", "find-population-dx", "find-population-molecular")),
    (f"{_POPULATION}/genotype-operations", ("find-population",)),
)


def path_of(name: str) -> str:
    """Return the path on the reference implementation."""
    for prefix, starts in _PREFIXES:
        if name.startswith(starts):
            return f"{prefix}/${name}"
    return f"/utilities/{name}"
