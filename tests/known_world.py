"""A small genome on both builds, files of its variants, and rows of knowledge about them."""

from __future__ import annotations

from collections.abc import Sequence

from app.records import Build
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

START = {B37: 1000, B38: 5000}
ACCESSION = {B37: "NC_000001.10", B38: "NC_000001.11"}
SIZE = 2000
SEQUENCE = bases(11, SIZE)
GENOME = genome([Block(START[B37], START[B38], SIZE)], {build: [(START[build], SEQUENCE)] for build in Build})
MEDGEN = "https://www.ncbi.nlm.nih.gov/medgen"
DOID = "https://disease-ontology.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SO = "http://www.sequenceontology.org"
_NEXT = {"A": "C", "C": "G", "G": "T", "T": "A"}


def spdi(at: int, build: Build = B38) -> str:
    """Return the variant that exchanges one base, ``at`` so many bases into the genome."""
    return f"{ACCESSION[build]}:{START[build] + at}:{SEQUENCE[at]}:{_NEXT[SEQUENCE[at]]}"


def place(at: int, build: Build = B38, size: int = 1) -> str:
    """Return the range of that variant, or a larger one that begins with it."""
    return f"{ACCESSION[build]}:{START[build] + at}-{START[build] + at + size}"


def record(at: int, *cells: str, build: Build = B38) -> str:
    """Return the line of a VCF for that variant."""
    calls = " ".join(cells or ("0/1",))
    return f"chr1 {START[build] + at + 1} . {SEQUENCE[at]} {_NEXT[SEQUENCE[at]]} 50 PASS . GT {calls}"


def calls_of(ats: Sequence[int], *samples: str, build: Build = B38) -> str:
    """Return a VCF in which every sample has every one of some variants."""
    names = samples or ("S1",)
    return vcf(*(record(at, *["0/1"] * len(names), build=build) for at in sorted(ats)), samples=names, build=build)


def about(row_id: str, at: int, *builds: Build) -> dict[str, str]:
    """Return the columns of a row that say which variant it is about, as written on some builds (both)."""
    columns = {B37: "b37_spdi", B38: "b38_spdi"}
    return {"row_id": row_id, **{columns[build]: spdi(at, build) for build in builds or tuple(Build)}}


def _list(prefix: str, system: str, coded: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {
        f"{prefix}.system": " ; ".join(system if code else "" for code, _ in coded),
        f"{prefix}.code": " ; ".join(code for code, _ in coded),
        f"{prefix}.display": " ; ".join(display for _, display in coded),
    }


def diagnostic(target: dict[str, str], *conditions: tuple[str, str], **more: str) -> dict[str, str]:
    """Return a row of a diagnostic table; conditions are codes of MedGen with their names."""
    said = {"significance_system": "http://loinc.org", "significance_code": "LA6668-3"}
    said |= {"significance_display": "Pathogenic", "evidence_level": "reviewed by expert panel"}
    return {**target, **said, **_list("phenotypes", MEDGEN, conditions), **more}


def therapeutic(
    target: dict[str, str], *medications: tuple[str, str], contexts: Sequence[tuple[str, str]] = (), **more: str
) -> dict[str, str]:
    """Return a row of a therapeutic table; medications are codes of RxNorm, contexts of the Disease Ontology."""
    said = {"evidence_level": "B (Clinical evidence)", "predicted_implication": "Supports Sensitivity/Response"}
    return {**target, **said, **_list("medications", RXNORM, medications), **_list("contexts", DOID, contexts), **more}


def of_genotype(row_id: str, *codes: str) -> dict[str, str]:
    """Return the columns of a row that is about genotypes."""
    joined = " ; ".join(codes)
    systems = " ; ".join(["http://www.pharmvar.org"] * len(codes))
    return {"row_id": row_id, "genotype_system": systems, "genotype_code": joined, "genotype_display": joined}


def consequence(target: dict[str, str], *terms: tuple[str, str], **more: str) -> dict[str, str]:
    """Return a row of a table of consequences; terms are those of the Sequence Ontology."""
    said = {"transcript": "NM_000001.1", "c_hgvs": "NM_000001.1:c.1A>C", "impact": "MODERATE"}
    return {**target, **said, **_list("feature_consequences", SO, terms), **more}
