"""The demo data agree with independent sources: LRG-based windows, whole Ensembl chains, ClinVar and PGx tables."""

from __future__ import annotations

import csv
import gzip
import random
import re
from pathlib import Path

import pysam
import pytest
from pyliftover import LiftOver

from tests.demo_files import (
    BUILDS,
    DEFINING,
    DEMO,
    MT,
    OTHER,
    Change,
    Windows,
    chain_path,
    contextual,
    contig_name,
    place,
    spdi,
    structural,
    variants,
)

PRIMARY = {*map(str, range(1, 23)), "X", "Y"}
Hit = tuple[str, int, str]


@pytest.fixture(scope="module")
def sequences(shared: Path) -> dict[str, list[tuple[str, int, str, pysam.FastaFile]]]:
    """Return build → (accession, zero-based start, name, file) of the windows of the project's neighbour folder."""
    found = {}
    for build in BUILDS:
        fasta = pysam.FastaFile(str(shared / "data" / "seq" / f"windows.{build}.fa.gz"))
        names = [(name, *re.split(r"[:-]", name)) for name in fasta.references]
        found[build] = [(accession, int(start) - 1, name, fasta) for name, accession, start, _ in names]
    return found


@pytest.fixture(scope="module")
def published_bases(shared: Path) -> dict[tuple[str, int], set[str]]:
    """Return (accession, zero-based position) → reference bases that ClinVar, pypgx and PharmCAT give."""
    by_contig = {(build, contig_name(name)): name for build in BUILDS for name, *_ in demo_windows(build).windows}
    bases: dict[tuple[str, int], set[str]] = {}
    with gzip.open(shared / "data" / "truth" / "biocommons-hgvs" / "clinvar_hgvs_sets.tsv.gz", "rt") as stream:
        for ref_seq, position, base in re.findall(r"(NC_\d+\.\d+):g\.(\d+)([ACGT])[>=]", stream.read()):
            bases.setdefault((ref_seq, int(position) - 1), set()).add(base)
    with (shared / "data" / "genes" / "pypgx" / "variant-table.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            for build in BUILDS:
                ref_seq = by_contig.get((build, row["Chromosome"]), "")
                bases.setdefault((ref_seq, int(row[f"{build}Position"]) - 1), set()).add(row[f"{build}Allele"][0])
    for line in (shared / "data" / "vcf" / "pharmcat_positions.GRCh38.vcf").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            chrom, pos, _, ref, *_ = line.split("\t")
            ref_seq = by_contig.get(("GRCh38", chrom.removeprefix("chr")), "")
            bases.setdefault((ref_seq, int(pos) - 1), set()).add(ref[0])
    return bases


@pytest.fixture(scope="module")
def whole_chains(shared: Path) -> dict[str, LiftOver]:
    folder = shared / "data" / "chain_ensembl"
    return {build: LiftOver(str(folder / f"{build}_to_{OTHER[build]}.chain.gz")) for build in BUILDS}


def demo_windows(build: str) -> Windows:
    return Windows(DEMO / "reference" / f"{build}.fa")


def demo_chain(build: str) -> LiftOver:
    return LiftOver(str(chain_path(build)))


def primary_hits(chain: LiftOver, contig: str, position: int) -> list[Hit]:
    """Lift a point; the whole files also map to patches and alternative sequences, which are left out."""
    hits = chain.convert_coordinate(contig, position) or []
    return [(name, start, strand) for name, start, strand, _ in hits if name in PRIMARY]


@pytest.mark.parametrize("build", BUILDS)
def test_reference_windows_equal_the_lrg_based_windows_or_published_single_bases(
    build, sequences, published_bases, shared
):
    mitochondrion = "".join(
        (shared / "data" / "seq" / "rCRS.NC_012920.1_full.fa").read_text(encoding="ascii").split("\n")[1:]
    )
    for accession, start, bases in demo_windows(build).windows:
        if accession == MT:
            assert mitochondrion[start : start + len(bases)] == bases
            continue
        end = start + len(bases)
        covering = [
            fasta.fetch(name, start - first, end - first).upper()
            for ref_seq, first, name, fasta in sequences[build]
            if ref_seq == accession and first <= start and end <= first + fasta.get_reference_length(name)
        ]
        if covering:
            assert set(covering) == {bases}, (accession, start)
        else:
            assert published_bases[accession, start] == {bases}, (accession, start)


@pytest.mark.parametrize("source", BUILDS)
def test_variants_lift_as_with_the_whole_chain_files(source, whole_chains):
    ours = demo_chain(source)
    for change in (spdi(row, source) for row in variants()):
        if change.ref_seq == MT:
            continue
        for position in range(change.position, change.position + len(change.deleted)):
            expected = primary_hits(whole_chains[source], contig_name(change.ref_seq), position)
            assert len(expected) == 1
            assert primary_hits(ours, contig_name(change.ref_seq), position) == expected


@pytest.mark.parametrize("source", BUILDS)
def test_structural_variants_lift_as_with_the_whole_chain_files(source, whole_chains):
    for row in structural():
        (ref_seq, start, end), (target, low, high) = place(row, source), place(row, OTHER[source])
        hits = [primary_hits(whole_chains[source], contig_name(ref_seq), position) for position in (start, end - 1)]
        assert hits == [[(contig_name(target), position, "+")] for position in (low, high - 1)], row["id"]


@pytest.mark.parametrize("build", BUILDS)
def test_cftr_dele2_3_reaches_as_far_as_its_name_says(build, sequences):
    """Find the exons by their bases: c.54 begins the second, c.273 ends the third."""
    [row] = [row for row in structural() if row["id"] == "CFTR-dele2,3"]
    accession, start, end = place(row, build)
    windows = [window for window in sequences[build] if window[0] == accession and window[1] <= start]
    _, first, name, fasta = max(windows, key=lambda window: window[1])
    bases = fasta.fetch(name).upper()
    second, third = (bases.index(text) for text in ("CTGGACCAGACCAATTTTGAGGAAAGG", "TTTATATTTAGGGGTAAG"))
    named = second - 5940, third + len("TTTATATTTAGGG") + 10250
    shift = named[0] - (start + 1 - first)
    assert (named[1] - named[0], named[1] - (end - first), shift) == (21080, shift, 4)
    assert bases[named[0] - shift : named[0]] == bases[named[1] - shift : named[1]] == "CTTT"
    assert bases[named[0]] != bases[named[1]], "the name could stand further to the right"
    assert bases[named[0] - shift - 1] != bases[named[1] - shift - 1], "the record could stand further to the left"


def test_star_alleles_are_defined_by_their_variants(shared):
    windows, table = demo_windows("GRCh38"), {row["id"]: row for row in variants()}
    by_contig = {contig_name(name): name for name, *_ in windows.windows}
    with (shared / "data" / "genes" / "pypgx" / "allele-table.csv").open(encoding="utf-8") as stream:
        published = {f"{row['Gene']} {row['StarAllele']}": row for row in csv.DictReader(stream)}
    for allele, names in DEFINING.items():
        if published[allele]["SV"] == "TRUE":
            assert names == ("CYP2D6-5",)
            continue
        core = set()
        for contig, pos, ref, alt in (text.split("-") for text in published[allele]["GRCh38Core"].split(",")):
            core.add(contextual(windows, Change(by_contig[contig], int(pos) - 1, ref, alt)))
        assert {spdi(table[name], "GRCh38") for name in names} <= core, allele


@pytest.mark.parametrize(("source", "interval"), [("GRCh37", (50300000, 51000000)), ("GRCh38", (49907000, 50561000))])
def test_the_cohort_interval_lifts_as_with_the_whole_chain_files(source, interval, whole_chains):
    ours, points = demo_chain(source), random.Random(22)
    mapped = 0
    for position in (points.randrange(*interval) for _ in range(1000)):
        expected = primary_hits(whole_chains[source], "22", position)
        assert primary_hits(ours, "22", position) == expected
        mapped += bool(expected)
    assert mapped > 800


@pytest.mark.parametrize("source", BUILDS)
def test_every_shipped_block_lifts_as_with_the_whole_chain_files(source, whole_chains):
    ours, points = demo_chain(source), random.Random(37)
    for header in re.findall(r"chain \d+ (\w+) \d+ \+ (\d+) (\d+)", chain_path(source).read_text(encoding="ascii")):
        contig, start, end = header[0], int(header[1]), int(header[2])
        for position in (start, end - 1, points.randrange(start, end)):
            hits = primary_hits(ours, contig, position)
            assert len(hits) == 1
            assert hits == [hit for hit in primary_hits(whole_chains[source], contig, position) if hit[0] == contig]


def test_names_on_transcripts_agree_with_clinvar_where_it_lists_them(shared):
    with gzip.open(shared / "data" / "truth" / "biocommons-hgvs" / "clinvar_hgvs_sets.tsv.gz", "rt") as stream:
        sets = [set(line.rpartition("\t")[2].split()) for line in stream]
    checked = set()
    for row in variants():
        name = row["name"]
        for names in (names for names in sets if name in names):
            for change in (spdi(row, build) for build in BUILDS):
                suffix = "=" if change.deleted == change.inserted else f">{change.inserted}"
                genomic = f"{change.ref_seq}:g.{change.position + 1}{change.deleted}{suffix}"
                assert genomic in names, row["id"]
                checked.add(row["id"])
    assert checked >= {"HFE-C282Y", "HJV-G320V", "F5-Leiden", "CYP2C19-2", "PIK3CA-H1047R", "APOE-R176C"}
