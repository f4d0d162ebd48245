"""The GRCh37 twin of a VCF on GRCh38: the same genotypes, with the other build's places and reference bases.

Places follow from chains alone. The reference base is read from the sequence of GRCh37 where it is loaded; elsewhere
it is that of GRCh38, but for the places at which the builds are known to differ.
"""

from __future__ import annotations

import re

from app.operations.context import Genome
from app.records import Build
from app.variants.accessions import accession, contig_named
from app.variants.spdi import reverse_complement

DIFFERENT = {
    (10, 94842865): "G",
    (22, 42126610): "G",
    (22, 42127940): "A",
    (7, 99672915): "C",
    (1, 97883328): "G",
    (23, 154532438): "G",
}
"""Reference bases of GRCh37 where GRCh38 has others (zero-based on GRCh38), of pharmacogenes"""

_NUMBER = re.compile(r"[0-9]+")


def twin(text: str, genome: Genome) -> str:
    """Return a VCF of one sample on GRCh37."""
    lines = []
    for line in text.splitlines():
        if line.startswith("##contig"):
            continue
        lines.append(line.replace("GRCh38", "GRCh37") if line.startswith("#") else _record(line, genome))
    return "\n".join(lines) + "\n"


def _record(line: str, genome: Genome) -> str:
    chrom, pos, name, ref, alt, qual, filters, info, keys, cell = line.split("\t")
    contig = contig_named(chrom, Build.GRCH38)
    assert contig is not None
    start = int(pos) - 1
    there = genome.liftover.lift_interval(Build.GRCH38, contig, start, start + len(ref))
    assert there.status.placed, line
    alleles = [ref, *(alt.split(",") if alt != "." else [])]
    if there.reverse:
        alleles = [reverse_complement(allele) for allele in alleles]
    reference = genome.placer.reference(Build.GRCH37, contig)
    ref37 = reference.fetch(accession(Build.GRCH37, contig), there.start, there.end)
    ref37 = ref37 or DIFFERENT.get((contig, start), alleles[0])
    order = [ref37, *(allele for allele in alleles if allele != ref37)]
    number = {str(at): str(order.index(allele)) for at, allele in enumerate(alleles)}
    genotype, *rest = cell.split(":")
    cell = ":".join([_NUMBER.sub(lambda found: number[found[0]], genotype), *rest])
    others = ",".join(order[1:]) or "."
    return "\t".join([chrom, str(there.start + 1), name, ref37, others, qual, filters, info, keys, cell])
