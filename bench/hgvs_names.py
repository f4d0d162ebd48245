"""What it costs to name a variant by gene, transcript and protein, new and named before, beside the ``hgvs`` package.

Transcripts, sequences and chains are made up, as in ``hgvs_argument``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hgvs.assemblymapper import AssemblyMapper
from hgvs.parser import Parser

from app.operations.context import Genome
from app.variants.hgvs_provider import ALIGNED, LocalProvider
from app.variants.hgvs_text import genomic_hgvs
from app.variants.identify import Identifier
from app.variants.naming import Namer
from app.variants.spdi import Spdi
from bench.measure import compare, over
from bench.report import Reported, Run, at_least, at_most
from bench.transcripts import descriptions, made_up_transcripts


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of new and of known names, how many agree with ``hgvs``, and its cost beside."""
    run = Run(size)
    with made_up_transcripts(size) as (_, genome, accessions):
        identifier = Identifier(genome.placer, genome.transcripts, size=0)
        changes = [
            (name, change)
            for name in accessions
            for text in descriptions(name, genome)
            if (change := identifier.identify(text).placement.spdi38) is not None
        ]
        yield from _beside_hgvs(run, genome, changes)
        yield from _alone(run, genome, [change for _, change in changes])


def _beside_hgvs(run: Run, genome: Genome, changes: Sequence[tuple[str, Spdi]]) -> Iterator[Reported]:
    provider = LocalProvider(genome.transcripts, genome.references)
    mapper = AssemblyMapper(provider, assembly_name="GRCh38", alt_aln_method=ALIGNED)
    parser = Parser()
    namer = Namer(genome.transcripts, genome.references)

    # The made-up coding regions hold stop codons, so that only what is said along the transcript is compared. hgvs does
    # not move changes within introns.
    exonic = [given for given in changes if (names := namer.names_on(*given)) and "+" not in names.coding]

    def by_hgvs(given: tuple[str, Spdi]) -> str:
        accession, change = given
        coding: Any = mapper.g_to_c(parser.parse_hgvs_variant(genomic_hgvs(change)), accession)
        text: str = coding.format({"max_ref_length": 0})
        return text

    def by_operon(given: tuple[str, Spdi]) -> str:
        names = namer.names_on(*given)
        return names.coding if names is not None else ""

    asked = exonic[:1000]
    agreeing = sum(by_operon(given) == by_hgvs(given) for given in asked)
    yield run.shared("hgvs_names_agreement", agreeing, len(asked), "hgvs")
    ours, peer = compare(over(by_operon, exonic), over(by_hgvs, exonic))
    yield run.speedup("hgvs_names_beside_hgvs", ours, peer, "hgvs", unit="ms", target=at_least(10))


def _alone(run: Run, genome: Genome, changes: Sequence[Spdi]) -> Iterator[Reported]:
    naming = genome.naming()
    assert naming is not None
    namer = Namer(genome.transcripts, genome.references)
    texts = [str(change) for change in changes][:10_000]
    new, known = compare(over(namer.names, changes), over(naming, texts))
    yield run.plain("hgvs_names_new", new.median * 1e6, "µs", target=at_most(100), n=len(new.seconds))
    yield run.plain("hgvs_names_known", known.median * 1e6, "µs", target=at_most(1), n=len(known.seconds))
