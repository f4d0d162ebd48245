"""Names along transcripts and on proteins against published ones: ClinVar, biocommons/hgvs and the specification.

Every table has a least number of equal answers, so that reading nothing cannot pass, and each difference has a cause.
``-s`` prints the counts.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import OperonError
from app.operations.context import Genome
from app.records import Build
from app.variants.hgvs_syntax import Description, Position, read_syntax
from app.variants.identify import Identifier
from app.variants.naming import Namer
from app.variants.protein import UNKNOWN, Protein
from app.variants.spdi import reverse_complement


@pytest.fixture(scope="module")
def truth(shared: Path) -> Path:
    return shared / "data" / "truth" / "biocommons-hgvs"


def rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table, those that biocommons could not read itself left out."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in content.decode().splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.split("\t")


BRCA1 = [
    ("c.5266dup", "p.(Gln1756ProfsTer74)"),
    ("c.68_69del", "p.(Glu23ValfsTer17)"),
    ("c.181T>G", "p.(Cys61Gly)"),
    ("c.5123C>A", "p.(Ala1708Glu)"),
    ("c.4065_4068del", "p.(Asn1355LysfsTer10)"),
    ("c.213-11T>G", "p.?"),
]


@pytest.mark.parametrize("build", Build)
@pytest.mark.parametrize(("coding", "protein"), BRCA1)
def test_brca1_examples_are_named_by_the_selected_transcript(
    genome: Genome, identifier: Identifier, build: Build, coding: str, protein: str
) -> None:
    change = identifier.identify(f"NM_007294.4:{coding}").placement.on(build)
    assert change is not None
    names = Namer(genome.transcripts, genome.references).names(change)
    assert names is not None
    assert (names.gene, names.hgnc, names.coding) == ("BRCA1", "HGNC:1100", f"NM_007294.4:{coding}")
    assert (names.protein, names.change) == ("NP_009225.1", protein)


# --- c. of a variant --------------------------------------------------------------------------------------------------

_STATED = re.compile(r"(del|dup|inv)(?:[ACGT]+|[0-9]+)(?=$|ins)|[ACGT]+(?==$)")
EQUAL = "equal"
LEADS_BACK = "written otherwise: not at the 3' end, or an insertion that is a duplication"
NO_CHANGE = "no change of this build"
OTHER_BASE = "the transcript has another base than this build"
NO_NAME = "a gap of the alignment, or an end of the transcript, is within"


def plain(text: str) -> str:
    """Return a description without the bases that need not be stated."""
    return re.sub(r"del(?=ins)", "del", _STATED.sub(lambda match: match[1] or "", text))


def named_as(genome: Genome, identifier: Identifier, namer: Namer, text: str) -> Iterator[str]:
    """Yield, for each build, how the name of a variant compares with the one that it was published by."""
    accession = text.partition(":")[0]
    if genome.transcripts.get(accession) is None:
        return
    try:
        placement = identifier.identify(text).placement
    except OperonError:
        return  # test_truth_hgvs.py says why
    for build in Build:
        change = placement.on(build)
        if change is None or not placement.justified or not namer.has_sequence(build, change):
            continue
        names = namer.names_on(accession, change)
        if names is None:
            yield NO_NAME
        elif names.coding == plain(text):
            yield EQUAL
        elif change.deleted == change.inserted:
            yield NO_CHANGE
        elif text.endswith("="):
            yield OTHER_BASE
        else:
            again = identifier.identify(names.coding).placement.on(build)
            yield LEADS_BACK if again == change else f"? {text} {build} {change} {names.coding}"


def counted(name: str, kinds: Iterator[str]) -> Counter[str]:
    counts = Counter(kinds)
    print(f"\n{name}: {dict(counts.most_common())}")
    assert [kind for kind in counts if kind.startswith("?")] == []
    return counts


def test_variants_of_clinvar_are_named_as_there(genome: Genome, identifier: Identifier, truth: Path) -> None:
    namer = Namer(genome.transcripts, genome.references)
    # Rows that biocommons could not read with its own data are commented out, and are read here all the same.
    lines = gzip.decompress((truth / "clinvar_hgvs_sets.tsv.gz").read_bytes()).decode().splitlines()
    sets = [line.split("\t")[2] for line in lines if line.count("\t") == 2]
    texts = [text for names in sets for text in names.split() if ":c." in text]
    counts = counted("ClinVar", (kind for text in texts for kind in named_as(genome, identifier, namer, text)))
    assert counts[EQUAL] >= 3_400
    assert counts[NO_NAME] <= 50
    assert counts[OTHER_BASE] <= 20
    assert (counts[EQUAL] + counts[LEADS_BACK]) / counts.total() >= 0.97


def test_variants_of_biocommons_are_named_as_there(genome: Genome, identifier: Identifier, truth: Path) -> None:
    namer = Namer(genome.transcripts, genome.references)
    files = sorted(path for path in (truth / "gcp").iterdir() if "DNAH11-dbSNP.tsv" not in path.name)
    texts = {row[2] for path in files for row in rows(path) if len(row) > 2 and ":" in row[2]}
    counts = counted("biocommons", (kind for text in texts for kind in named_as(genome, identifier, namer, text)))
    assert counts[EQUAL] >= 500
    assert counts[NO_NAME] <= 5
    assert (counts[EQUAL] + counts[LEADS_BACK]) / counts.total() >= 0.97


# --- p. of a variant --------------------------------------------------------------------------------------------------

DBSNP_ALLELES = {
    # The codons of these two are TCA and GCC; the published residues belong to other alleles of the same dbSNP records.
    "NM_001277115.1:c.6506C>A",
    "NM_001277115.1:c.9640G>A",
}


def test_effects_on_proteins_are_those_of_biocommons(shared: Path, truth: Path) -> None:
    answers = json.loads((shared / "data" / "transcripts" / "uta_answers_from_hgvs_tests.json").read_text("utf-8"))
    whole = {item["args"][0]: item["result"] for item in answers["get_seq"] if len(item["args"]) == 1}
    coding = {
        item["args"][0]: (item["result"]["cds_start_i"], item["result"]["cds_end_i"])
        for item in answers["get_tx_identity_info"]
    }
    counts: Counter[str] = Counter()
    different = []
    pairs = {(row[2], row[3]) for path in (truth / "gcp").iterdir() for row in rows(path) if len(row) > 3 and row[3]}
    for text, published in pairs:
        if ":c." not in text:
            continue
        said = read_syntax(text)
        if said.accession not in whole or said.accession not in coding:
            counts["the transcript is not part of the test data"] += 1
            continue
        start, end = coding[said.accession]
        found = effect_of(said, whole[said.accession][start:], end - start)
        if is_said(found, published):
            counts[EQUAL] += 1
        else:
            different.append(text)
    print(f"\neffects on proteins: {dict(counts)}, different: {different}")
    assert set(different) == DBSNP_ALLELES
    assert counts[EQUAL] >= 1_800


def effect_of(said: Description, bases: str, length: int) -> str:
    """Return the effect of a description, given the bases from the start codon on."""
    if said.start.offset or said.end.offset:
        return UNKNOWN
    start, end = at(said.start, length), at(said.end, length) + 1
    inserted = said.inserted
    match said.operation:
        case "ins":
            start, end = end - 1, end - 1
        case "dup":
            start, inserted = end, bases[start:end]
        case "inv":
            inserted = reverse_complement(bases[start:end])
        case "identity":
            inserted = bases[start:end]
    return Protein(bases, length).change(start, end, inserted)


def at(position: Position, length: int) -> int:
    if position.origin == "stop":
        return length + position.base_1based - 1
    return position.base_1based - 1 if position.base_1based > 0 else position.base_1based


def is_said(found: str, published: str) -> bool:
    """Return whether two texts say the same; older ones leave out residues, brackets, or where a new frame ends."""
    text = published.partition(":")[2].replace("*", "Ter")
    if not text.startswith("p.(") and text != UNKNOWN:
        text = f"p.({text[2:]})"
    if text == "p.(=)":
        return found.endswith("=)")
    return found == text or (text.endswith("fs)") and found.startswith(text[:-1]))
