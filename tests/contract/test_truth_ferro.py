"""The tables that ferro-hgvs collected from other tools: what they hold to be one variant is one variant here.

Each pair of texts is equal or has a cause; the counts are exact, so that nothing is left out silently. Sequence that
the tables need and that is published with them is loaded beside the other windows.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.errors import OperonError
from app.operations.context import open_genome
from app.records import Build
from app.variants.accessions import accession, contig_named, locate
from app.variants.identify import Identifier
from app.variants.liftover import add_chain
from app.variants.placement import Placement
from app.variants.reference import add_fasta
from app.variants.transcript_files import add_transcripts

CAUSES = {
    "the transcript is not loaded": r"transcript \S+ is not loaded",
    "the sequence is not loaded": r"it needs the sequence of \S+ at",
    "RefSeqGene, LRG or another sequence that is no chromosome": r"RefSeq\(\S+\) is not valid",
    "several changes or repeats in brackets": r"in brackets are not supported",
    "no HGVS of one plain change": r"is not in the correct format",
    "p.": r"a protein change",
    "uncertain positions": r"uncertain positions",
    "another base than the reference has": r"the reference has \S+ there",
    "the stated length is not that of the range": r"states [0-9]+ base\(s\) for a range of",
}
TRANSCRIPT, SEQUENCE, OTHER, BRACKETS, SYNTAX, PROTEIN, UNCERTAIN, BASE, LENGTH = CAUSES


@pytest.fixture(scope="module")
def ferro(shared: Path) -> Path:
    return shared / "data" / "truth" / "ferro"


@pytest.fixture(scope="module")
def identifier(shared: Path, ferro: Path, tmp_path_factory: pytest.TempPathFactory) -> Identifier:
    folder, data = tmp_path_factory.mktemp("reference"), shared / "data"
    for build in Build:
        add_fasta(folder / build.value, build, data / "seq" / f"windows.{build.value}.fa.gz")
        published = folder / f"ferro.{build}.fa"
        published.write_text("".join(windows_of(ferro, build)), "utf-8")
        add_fasta(folder / build.value, build, published)
        chain = data / "chain_ensembl" / f"{build.value}_to_{build.other.value}.chain.gz"
        add_chain(folder, build, build.other, chain)
    add_transcripts(folder, data / "transcripts" / "cdot_clinical.json")
    genome = open_genome(folder)
    return Identifier(genome.placer, genome.transcripts, size=1 << 12)


def windows_of(ferro: Path, build: Build) -> Iterator[str]:
    for name in ("reference-windows", "mutalyzer-genomic-windows"):
        for window in orjson.loads((ferro / f"{name}.json").read_bytes())["genomic"]:
            if window["contig"].startswith("NC_") and build in locate(window["contig"])[1]:
                first, last = window["start"] + 1, window["start"] + len(window["bases"])
                yield f">{window['contig']}:{first}-{last}\n{window['bases']}\n"


Case = dict[str, Any]


def cases(ferro: Path, name: str, kind: str = "cases") -> list[Case]:
    found: list[Case] = orjson.loads((ferro / f"{name}.json").read_bytes())[kind]
    return found


class Reading:
    """Counts pairs of texts that should be one variant by how they compare."""

    def __init__(self, identifier: Identifier) -> None:
        self._identifier = identifier
        self.counts: Counter[str] = Counter()
        self.different: list[str] = []

    def read(self, text: str) -> Placement | str:
        """Return the identity of a variant, or why there is none."""
        try:
            return self._identifier.identify(text).placement
        except OperonError as error:
            [cause] = [cause for cause, pattern in CAUSES.items() if re.search(pattern, error.diagnostics)]
            return cause

    def compare(self, one: str, other: str) -> None:
        found = [self.read(one), self.read(other)]
        causes = [each for each in found if isinstance(each, str)]
        if causes:
            self.counts[causes[0]] += 1
        elif found[0] == found[1]:
            self.counts["equal"] += 1
        else:
            self.counts["different"] += 1
            self.different.append(f"{one} {other}")


@pytest.fixture
def reading(identifier: Identifier) -> Reading:
    return Reading(identifier)


def along_transcripts(case: Case) -> Iterator[str]:
    """Yield what the table projects a genomic text to."""
    if "coding" in case:
        yield case["coding"]
    yield from case.get("noncoding", ())
    yield from (pair[0] for pair in case.get("coding_protein_descriptions", ()))


def test_projections_of_hgvs_rs_are_one_variant(reading: Reading, ferro: Path) -> None:
    without = 0
    for case in cases(ferro, "hgvs-rs-projection"):
        texts = list(along_transcripts(case))
        without += not texts
        for text in texts:
            reading.compare(case["input"], text)
    assert reading.different == []
    assert reading.counts == {"equal": 658, TRANSCRIPT: 206, SEQUENCE: 16}
    assert without == 41  # 34 beside gaps of a transcript (test_truth_hgvs.py), 7 with the protein only


NORMALIZED = [
    ("biocommons-normalize", {"equal": 19, TRANSCRIPT: 42, SEQUENCE: 17, OTHER: 1}, []),
    (
        "mutalyzer-normalize",
        {"equal": 23, TRANSCRIPT: 77, OTHER: 41, BRACKETS: 73, SYNTAX: 35, PROTEIN: 1, "different": 1},
        # Along the spliced transcript the deletion of an exon can be written one base further, on the chromosome not.
        ["NM_000143.3:c.739_904del NM_000143.3:c.740_905del"],
    ),
]


@pytest.mark.parametrize(("name", "counts", "different"), NORMALIZED, ids=[row[0] for row in NORMALIZED])
def test_a_text_and_its_normalized_form_are_one_variant(
    reading: Reading, ferro: Path, name: str, counts: dict[str, int], different: list[str]
) -> None:
    for case in cases(ferro, name):
        if isinstance(case.get("normalized"), str):
            reading.compare(case["input"], case["normalized"])
    assert reading.different == different
    assert reading.counts == Counter(counts)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("biocommons-normalize", {TRANSCRIPT: 7, OTHER: 1, LENGTH: 1}),
        ("mutalyzer-normalize", {TRANSCRIPT: 10, OTHER: 5, BRACKETS: 13, SYNTAX: 18, UNCERTAIN: 3, BASE: 6, LENGTH: 6}),
    ],
)
def test_what_other_tools_refuse_is_refused(reading: Reading, ferro: Path, name: str, counts: dict[str, int]) -> None:
    refused = [case for case in cases(ferro, name) if case.get("expects_error") or case.get("errors")]
    found = [reading.read(case["input"]) for case in refused]
    assert Counter(map(str, found)) == counts


# --- dbSNP ------------------------------------------------------------------------------------------------------------

OF_ANOTHER_VARIANT = {
    "rs75527207": "rs75527207 is CFTR G551D; the table gives the text of G542X",
    "rs78655421": "rs78655421 is CFTR R117H; the table gives the text of W1282X",
    "rs72558187": "rs72558187 lies in CYP2C9; the table gives a mitochondrial text",
}


def published_places(shared: Path) -> dict[str, list[tuple[str, str, str, str]]]:
    """Return chromosome, one-based position, REF and ALT on GRCh38 of each rs number that two other tables give."""
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    with (shared / "data" / "genes" / "pypgx" / "variant-table.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name = row["GRCh38Name"].split("-")
            if len(name) == 4:
                found.setdefault(row["rsID"], []).append((name[0], name[1], name[2], name[3]))
    for line in (shared / "data" / "vcf" / "pharmcat_positions.GRCh38.vcf").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            contig, position, rsid, ref, alts = line.split("\t")[:5]
            found.setdefault(rsid, []).extend((contig, position, ref, alt) for alt in alts.split(","))
    return found


def test_texts_of_dbsnp_lie_where_other_tables_put_them(
    shared: Path, ferro: Path, identifier: Identifier, reading: Reading
) -> None:
    places, counts = published_places(shared), Counter[str]()
    for row in cases(ferro, "dbsnp_rsid", "rsids"):
        found = reading.read(row["hgvs_c"])
        if isinstance(found, str):
            counts[found] += 1
        elif row["rsid"] not in places:
            counts["read, in no other table"] += 1
        else:
            expected = {identifier.identify(spdi).placement for spdi in map(spdi_of, places[row["rsid"]])}
            assert (found in expected) is (row["rsid"] not in OF_ANOTHER_VARIANT), row
            counts["equal" if found in expected else "of another variant"] += 1
    assert counts == {TRANSCRIPT: 44, SEQUENCE: 1, "read, in no other table": 39, "equal": 7, "of another variant": 3}


def spdi_of(place: tuple[str, str, str, str]) -> str:
    contig, position, ref, alt = place
    number = contig_named(contig, Build.GRCH38)
    assert number is not None
    return f"{accession(Build.GRCH38, number)}:{int(position) - 1}:{ref}:{alt}"
