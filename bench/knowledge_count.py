"""How many subjects have an implication, by condition, by treatment and by both, among 100,000.

The peer is the product's own count of who carries either of two common variants: two bitmaps and their union.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from app.operations.context import Genome, OperationContext
from app.records import Build, SourceClass, Zygosity
from app.store import bitmaps, carriers, knowledge_unions, variants
from app.store.session import Database
from app.variants.accessions import accession
from bench.genomes import CONTIG, SyntheticGenome, synthetic_genome
from bench.haplotype_count import filled
from bench.knowledge_load import load_release
from bench.knowledge_subject import asked
from bench.measure import compare, growth, over
from bench.population_count import OPERATION as PEER
from bench.population_count import numerator
from bench.releases import SYSTEM, SyntheticRelease, code_of, display_of, synthetic_release
from bench.report import Reported, Run, at_most
from bench.stores import Stores, context_of, stores

DX, TX = "find-population-dx-implications", "find-population-tx-implications"
DRUGS = "http://www.nlm.nih.gov/research/umls/rxnorm"
_SUBJECTS = {"s": 6_000, "m": 100_000, "l": 100_000}
_GROWING = {"s": (3_000, 12_000), "m": (4_000, 16_000, 64_000), "l": (4_000, 16_000, 64_000)}
_ROWS = {"s": 20_000, "m": 100_000, "l": 300_000}
_CONDITIONS = {"s": 500, "m": 20_000, "l": 20_000}
_GENOTYPES = 2_000
_COMMON, _RARE = 200, 20_000
_TREATMENTS = 300
_ITEMS = 6_000
"""Of the therapeutic release: half about variants, half about genotypes"""
_HEADER = (
    "row_id", "b37_spdi", "genotype_system", "genotype_code", "medications.system", "medications.code",
    "medications.display", "contexts.system", "contexts.code", "contexts.display",
)  # fmt: skip
_TOGETHER = 1_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """A store of subjects with variants and genotypes that two releases are about."""

    database: Database
    context: OperationContext
    release: SyntheticRelease
    common: list[str]
    """SPDIs of two common variants"""


def measure(size: str, engine: str) -> Iterator[Reported]:
    """Yield the cost of each question, and how those by one criterion grow with subjects and their carriers."""
    run = Run(size, engine)
    with stores(engine) as made:
        store = _store(made, size, _SUBJECTS[size])
        answer = store.context.answer
        peer = asked(PEER, [("variants", ",".join(store.common))])
        note = f"{_SUBJECTS[size]:,} subjects, {_CONDITIONS[size]:,} conditions"
        for name, (operation, pairs) in questions(store.release).items():
            inputs = asked(operation, pairs)
            found = numerator(answer(operation, inputs))
            if not found:
                raise AssertionError(f"nobody has what {name} asks for")
            ours, floor = compare(over(partial(answer, operation), [inputs]), over(partial(answer, PEER), [peer]))
            yield run.cost(
                f"knowledge_count_{name}", ours, floor, "who carries either of two variants", unit="ms",
                target=at_most(5) if name in _BY_ONE else None, note=f"{note}; {found:,} have it",
            )  # fmt: skip
        yield from _growth(run, made)


_BY_ONE = ("condition", "treatment")


def questions(release: SyntheticRelease) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Return the operation and the inputs of each question."""
    condition = f"{SYSTEM}|{code_of(release.condition_with(300))}"
    word = display_of(release.condition_with(300)).rpartition(" ")[0].rpartition("type ")[2].rstrip(",")
    treatment = f"{DRUGS}|{7}"
    return {
        "condition": (DX, [("conditions", condition)]),
        "not_provided": (DX, [("conditions", f"{SYSTEM}|{code_of(0)}")]),
        "condition_word": (DX, [("conditions", word)]),
        "treatment": (TX, [("treatments", treatment)]),
        "treatment_word": (TX, [("treatments", "drug 7 of")]),
        # Items of an even drug are about genotypes, which somebody has at every size.
        "both": (TX, [("treatments", f"{DRUGS}|{8}"), ("conditions", f"{SYSTEM}|{code_of(7)}")]),
    }


def _growth(run: Run, made: Stores) -> Iterator[Reported]:
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in _BY_ONE}
    for subjects in _GROWING[run.size]:
        store = _store(made, "s", subjects)
        for name, costs in points.items():
            operation, pairs = questions(store.release)[name]
            [took] = compare(over(partial(store.context.answer, operation), [asked(operation, pairs)]))
            costs.append((subjects, took.median))
    for name, costs in points.items():
        yield run.plain(
            f"knowledge_count_{name}_growth", growth(costs), "exponent", target=at_most(0.3), n=len(costs),
            note=f"{', '.join(f'{subjects:,}' for subjects, _ in costs)} subjects",
        )  # fmt: skip


def _store(made: Stores, size: str, subjects: int) -> Counted:
    database = filled(made, _GENOTYPES, subjects)
    genome = synthetic_genome(max(300_000, _ROWS[size] * 5))
    folder = made.folder / f"count-{subjects}"
    opened = genome.in_memory(folder)
    release = load_both(folder, (database, opened), genome, _ROWS[size], conditions=_CONDITIONS[size])
    common = add_carriers(database, subjects)
    with database.read() as session:
        placed = variants.placements_of(session, common)
    texts = [str(placed[one].spdi37) for one in common]
    return Counted(database, context_of(database, opened), release, texts)


def load_both(
    folder: Path, store: tuple[Database, Genome], genome: SyntheticGenome, rows: int, *, conditions: int
) -> SyntheticRelease:
    """Load a diagnostic release, and a therapeutic one that is about its variants and about the store's genotypes."""
    release = synthetic_release(folder / "dx.tsv", rows, genome, conditions=conditions)
    load_release(*store, release.path, active=True)
    load_release(*store, _therapeutic(folder / "tx.tsv", store[0], release), kind="therapeutic", active=True)
    return release


def _therapeutic(path: Path, database: Database, release: SyntheticRelease) -> Path:
    """Write items about variants of the other release, and about genotypes that subjects have."""
    random = np.random.default_rng(8)
    ref_seq = accession(Build.GRCH37, CONTIG)
    with database.read() as session:
        names = session.run("select system, code from genotype_name order by id")
    lines = ["\t".join(_HEADER)]
    for number in range(_ITEMS):
        drug, context = number % _TREATMENTS, 2 + number // _TREATMENTS
        about = ["", *names[int(random.integers(len(names)))]]
        if number % 2:
            one = int(random.integers(len(release.refs)))
            about = [f"{ref_seq}:{release.position[one]}:{release.refs[one]}:{release.alts[one]}", "", ""]
        says = [DRUGS, str(drug), f"drug {drug} of some", SYSTEM, code_of(context), display_of(context)]
        lines.append("\t".join([f"tx{number}", *about, *says]))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def add_carriers(database: Database, subjects: int) -> list[int]:
    """Let subjects carry variants of the store, merged as an ingest merges them; return two common ones."""
    random = np.random.default_rng((9, subjects))
    with database.read() as session:
        ids = np.array([row[0] for row in session.run("select id from variant order by id")], dtype=np.int64)
    picked = random.permutation(ids)
    shares = np.concatenate([random.uniform(0.05, 0.3, _COMMON), random.exponential(5 / subjects, _RARE)])
    waiting: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    held = 0
    with database.write() as session:
        joined = knowledge_unions.Extension(session)
        for number, (variant_id, share) in enumerate(
            zip(picked[: len(shares)].tolist(), shares.tolist(), strict=False)
        ):
            who = np.unique(random.integers(0, subjects, max(1, int(share * subjects))))
            waiting.append(np.stack([np.full(len(who), variant_id), who]))
            held += len(who)
            if held > _TOGETHER or number + 1 == len(shares) or number + 1 == len(picked):
                variant, ordinal = np.concatenate(waiting, axis=1).astype(np.int64)
                kind = np.full(held, bitmaps.kind_of(SourceClass.GERMLINE, Zygosity.HETEROZYGOUS), dtype=np.int64)
                carriers.merge(session, variant, ordinal, kind)
                joined.take(variant, ordinal, kind)
                waiting, held = [], 0
        joined.store()
    return [int(one) for one in picked[:2]]
