"""Random VCFs of all that the reader must understand, and their calls as pysam reads them."""

from __future__ import annotations

import random
from pathlib import Path

import pysam

from app.records import Build, Zygosity
from app.variants.accessions import MT, contig_named
from tests.vcf_files import header

_CONTIGS = ["chr1"] * 12 + ["chrX"] * 3 + ["chrM", "chrUn_1"]
_FORMATS = ["GT", "GT", "GT:AD:DP", "GT:AD:DP:GQ:PL", "GT:DP:AF", "GT:AD:PS"]


def random_vcf(rng: random.Random, samples: int, records: int) -> str:
    """Return a VCF on GRCh38; unsorted contigs, but whole runs of each."""
    names = tuple(f"S{number}" for number in range(samples))
    text = header(*names)
    chrom = "chr1"
    lines = []
    for number in range(records):
        if rng.random() < 0.05:
            chrom = rng.choice(_CONTIGS)
        lines.append(_record(rng, chrom, number + 1, samples))
    return text + "".join(f"{line}\n" for line in lines)


def _bases(rng: random.Random, most: int) -> str:
    return "".join(rng.choice("ACGT") for _ in range(rng.randint(1, most)))


def _record(rng: random.Random, chrom: str, position: int, samples: int) -> str:
    ref = _bases(rng, 1 if rng.random() < 0.7 else 5)
    alts: list[str] = []
    while len(alts) < rng.choice([1, 1, 1, 1, 2, 3]):
        kind = rng.random()
        alt = _bases(rng, 1 if kind < 0.6 else 6)
        if kind > 0.96:
            alt = "*"
        elif kind > 0.92:
            alt = "<NON_REF>"
        elif kind > 0.90:
            alt = rng.choice(["<DEL>", "<DUP:TANDEM>", f"{ref}[chr1:99["])
        if alt != ref and alt not in alts:
            alts.append(alt)
    info = "SVTYPE=DEL" if rng.random() < 0.03 else rng.choice([".", "AC=1", "CIGAR=1X;AC=2"])
    if rng.random() < 0.1:
        ref, alts = ref.lower(), [alt if alt[0] in "<*" else alt.lower() for alt in alts]
    keys = rng.choice(_FORMATS)
    alt_text = "." if rng.random() < 0.04 else ",".join(alts)
    n_alts = 0 if alt_text == "." else len(alts)
    cells = [_cell(rng, keys, n_alts, chrom) for _ in range(samples)]
    filters = rng.choice(["PASS"] * 8 + [".", "LowQual"])
    return "\t".join([chrom, str(position), ".", ref, alt_text, ".", filters, info, keys, *cells])


def _cell(rng: random.Random, keys: str, n_alts: int, chrom: str) -> str:
    rare, common = [".", *map(str, range(n_alts + 1))], ["0", str(min(1, n_alts))]
    ploidy = 1 if chrom in {"chrX", "chrM"} and rng.random() < 0.5 else rng.choice([2] * 12 + [3])
    separator = rng.choice("/|")
    genotype = separator.join(rng.choice(rare if rng.random() < 0.2 else common) for _ in range(ploidy))
    depths = [rng.choice([".", *[str(rng.randint(0, 60))] * 9]) for _ in range(n_alts + 1)]
    values = {
        "GT": genotype,
        "AD": rng.choice([".", ",".join(depths), ",".join(depths), ",".join(depths)]),
        "DP": rng.choice([".", str(rng.randint(0, 99))]),
        "GQ": "99",
        "PL": ",".join("0" * ((n_alts + 1) * (n_alts + 2) // 2)),
        "AF": ",".join(rng.choice([".", "0.5", "0.125", "1"]) for _ in range(max(1, n_alts))),
        "PS": rng.choice([".", "77"]),
    }
    cell = [values[key] for key in keys.split(":")]
    del cell[rng.randint(1, len(cell)) :]
    return ":".join(cell)


Expected = tuple[int, int, str, str, int, Zygosity, bool, int, int, int, float | None, int]


def expected_calls(path: Path) -> list[Expected]:
    """Return the calls that pysam reads from a file, as far as Operon keeps them."""
    calls: list[Expected] = []
    verbosity = pysam.set_verbosity(0)
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            contig = contig_named(record.chrom, Build.GRCH38)
            filters = set(record.filter.keys())
            if contig is None or filters - {"PASS"} or "SVTYPE" in record.info or "GT" not in record.format:
                continue
            for sample, data in enumerate(record.samples.values()):
                calls += _calls(record, contig, sample, data)
    pysam.set_verbosity(verbosity)
    return calls


def _calls(record, contig, sample, data):
    alleles = data.allele_indices or ()
    ref = record.ref.upper()
    for allele in sorted({index for index in alleles if index}):
        alt = record.alts[allele - 1].upper()
        if set(alt) <= set("ACGT") and alt != ref:
            depths = data.get("AD")
            if depths is None or len(depths) != len(record.alts) + 1:
                depths = None
            shares = data.get("AF")
            share = shares[allele - 1] if shares and len(shares) == len(record.alts) else None
            total = sum(depths) if depths and None not in depths else 0
            depth = data.get("DP")
            ref_depth = -1 if depths is None or depths[0] is None else depths[0]
            alt_depth = -1 if depths is None or depths[allele] is None else depths[allele]
            frequency = share
            if frequency is None and alt_depth >= 0:
                reads = total or depth
                frequency = alt_depth / reads if reads else None
            zygosity = _zygosity(alleles, allele, contig, frequency)
            phased = data.phased if len(alleles) > 1 else False
            phase_set = data.get("PS")
            yield (
                contig, record.pos - 1, ref, alt, sample, zygosity, phased,
                -1 if depth is None else depth, ref_depth, alt_depth,
                share, -1 if phase_set is None else phase_set,
            )  # fmt: skip


def _zygosity(alleles, allele, contig, frequency):
    if None in alleles:
        return Zygosity.UNKNOWN
    if contig == MT:
        if frequency is None:
            return Zygosity.UNKNOWN
        return Zygosity.HOMOPLASMIC if frequency > 0.99 else Zygosity.HETEROPLASMIC
    if len(alleles) == 1:
        return Zygosity.HEMIZYGOUS
    return Zygosity.HOMOZYGOUS if set(alleles) == {allele} else Zygosity.HETEROZYGOUS
