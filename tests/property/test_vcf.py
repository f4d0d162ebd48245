"""The VCF reader against pysam, cyvcf2 and an independent count, and under mutations of its input."""

from __future__ import annotations

import gzip
import random
import zlib
from collections import Counter

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.vcf import VcfReader
from app.records import Build
from app.variants.accessions import contig_named, length
from tests.vcf_files import HEADER_LINES, bgzf, read
from tests.vcf_random import expected_calls, random_vcf

FIRST = HEADER_LINES + 1


def seen(found):
    return [
        (
            call.contig, call.position, call.ref, call.alt, call.sample, call.genotype.zygosity,
            call.genotype.phased, call.depth, call.ref_depth, call.alt_depth, call.frequency, call.phase_set,
        )
        for call in found.calls
    ]  # fmt: skip


@pytest.mark.parametrize(("samples", "records", "seeds"), [(1, 60, 12), (2, 60, 8), (70, 40, 4)])
def test_calls_equal_those_that_pysam_reads(tmp_path, samples, records, seeds):
    for seed in range(seeds):
        text = random_vcf(random.Random(seed * 100 + samples), samples, records)
        path = tmp_path / f"{seed}.vcf"
        path.write_text(text)
        expected = expected_calls(path)
        assert len(expected) > 10
        assert Counter(seen(read(text))) == Counter(expected)


def test_genotypes_equal_those_that_cyvcf2_reads(tmp_path):
    cyvcf2 = pytest.importorskip("cyvcf2")
    for seed in range(6):
        text = random_vcf(random.Random(seed), 3, 60)
        path = tmp_path / f"{seed}.vcf"
        path.write_text(text)
        carried = set()
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        for number, record in enumerate(cyvcf2.VCF(str(path))):
            for sample, (*alleles, _) in enumerate(record.genotypes):
                carried |= {(number, sample, allele) for allele in alleles if allele > 0}
        usable = set()
        for number, sample, allele in carried:
            chrom, _, _, ref, alt, _, filters, info, _ = lines[number].split("\t")[:9]
            bases = alt.split(",")[allele - 1].upper()
            plain = set(bases + ref.upper()) <= set("ACGT") and bases != ref.upper()
            if plain and filters in {"PASS", "."} and "SVTYPE" not in info and contig_named(chrom, Build.GRCH38):
                usable.add((number + FIRST, sample, allele))
        assert usable == {(call.line_1based, call.sample, call.genotype.allele) for call in read(text).calls}


def test_a_thousand_genomes_file_has_the_carriers_that_an_independent_count_finds(shared):
    path = shared / "data" / "vcf" / "10k.chr22.phase3_shapeit2_mvncall_integrated_v5.20130502.genotypes.vcf.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is absent")
    carriers = records = 0
    with gzip.open(path, "rb") as lines:
        for line in lines:
            if line.startswith(b"#"):
                continue
            records += 1
            columns = line.split(b"\t", 9)
            alts = columns[4].split(b",")
            if columns[6] != b"PASS" or b"SVTYPE" in columns[7] or b"<" in columns[4]:
                continue
            cells = columns[9].replace(b"|", b"\t").split()
            counts = [(cells[0::2], cells[1::2])]
            for allele in range(1, len(alts) + 1):
                want = str(allele).encode()
                carriers += sum(want in pair for first, second in counts for pair in zip(first, second, strict=True))
    with path.open("rb") as stream:
        reader = VcfReader(stream, path.name, Build.GRCH37, Settings())
        chosen = range(len(reader.header.samples))
        blocks = reader.blocks(chosen, keep_filtered=False, homoplasmic_above=[0.99] * len(chosen))
        assert sum(len(block.row) for block in blocks) == carriers
    assert reader.records == records
    assert carriers > 700_000


def test_the_conformance_pack_is_read_whole(shared):
    folder = shared / "packs" / "fhir-operations" / "data" / "vcf"
    paths = sorted(folder.glob("*.vcf.gz"))
    if not paths:
        pytest.skip("the pack has no VCF files")
    calls = structural = 0
    for path in paths:
        build = Build.GRCH37 if ".GRCh37." in path.name else Build.GRCH38
        found = read(path.read_bytes(), build=build)
        calls += len(found.calls)
        structural += sum(len(row.samples) for block in found.blocks for row in block.structural)
        assert set(found.counts) <= {"no-call", "all-reference"}
    assert (calls, structural) == (177, 6)


PIECES = [
    *b'\t \n \t\t \n\n : , / | . 0 -1 # < > [ * N \xff \0 \r chr1 GT SVTYPE=DEL ## = " CIPOS=-1,1'.split(b" "),
    b" ",
    b"9" * 30,
]


def mutate(rng, data):
    lines = data.split(b"\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        fields = lines[at].split(b"\t")
        spot = rng.randrange(len(fields))
        match rng.randrange(7):
            case 0:
                fields[spot] = rng.choice(PIECES)
            case 1:
                cut = rng.randint(0, len(fields[spot]))
                fields[spot] = fields[spot][:cut] + rng.choice(PIECES) + fields[spot][cut:]
            case 2:
                del fields[spot]
            case 3:
                fields.insert(spot, rng.choice(fields))
            case 4:
                other = rng.choice(lines).split(b"\t")
                fields[spot] = rng.choice(other)
            case 5:
                fields[spot] = fields[spot][: rng.randint(0, len(fields[spot]))]
            case 6:
                fields[spot] *= rng.randint(2, 50)
        lines[at] = b"\t".join(fields)
        if rng.random() < 0.1:
            del lines[at]
        elif rng.random() < 0.1:
            lines.insert(at, rng.choice(lines))
    return b"\n".join(lines)


@pytest.mark.parametrize("samples", [1, 2, 66])
def test_mutated_files_are_read_or_refused_and_nothing_else(samples):
    rng = random.Random(samples)
    seed = random_vcf(rng, samples, 12).encode()
    outcomes: Counter[str] = Counter()
    for number in range(700):
        data = mutate(rng, seed)
        if number % 10 == 0:
            data = bytearray(bgzf(data, 2000) if number % 20 else zlib.compress(data, wbits=31))
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            found = read(bytes(data), max_records=rng.choice([1, 5, 1000]))
        except BadFile:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            for call in found.calls:
                assert 0 <= call.position < length(Build.GRCH38, call.contig)
                assert set(call.ref + call.alt) <= set("ACGTN")
    assert min(outcomes["read"], outcomes["refused"]) > 50
