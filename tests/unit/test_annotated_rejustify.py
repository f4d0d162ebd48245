"""Annotations of files follow their calls when these are placed anew, beside knowledge that is placed anew as well."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap64

from app.operations.context import Genome
from app.records import Build
from app.store import carriers, computed, consequence_sets, variants
from app.store.session import Database
from app.variants.accessions import accession
from app.variants.consequence_terms import TERMS
from app.variants.liftover import Liftover
from ingest.knowledge import LoadOptions, load
from ingest.progress import Progress
from ingest.rejustify import rejustify, waiting
from tests.knowledge_files import table
from tests.small_store import NO_GENOME, SmallStore, migrated
from tests.store_dump import dump
from tests.two_builds import B37, B38, Block, bases, genome
from tests.unit.test_annotated_ingest import annotated, assert_unions_hold, csq, of_subject, vcf, who

QUIET = Progress(quiet=True)
SIZE = 120
START = {B37: 1000, B38: 1500}
ASKED = ("missense_variant", "stop_gained", "frameshift_variant", "synonymous_variant")
Change = tuple[Build, int, str, str]


def sequences() -> dict[Build, str]:
    """Return repetitive sequence that differs at a few places between the builds."""
    dice = random.Random(7)
    b38 = "".join(dice.choice("AAC") for _ in range(SIZE))
    other = list(b38)
    for at in range(20, SIZE, 30):
        other[at] = "G"
    return {B38: b38, B37: "".join(other)}


TEXT = sequences()
BLOCKS = [Block(START[B37], START[B38], SIZE)]
WHOLE = genome(BLOCKS, {build: [(START[build], TEXT[build])] for build in Build})
STAGES = {
    "nothing": NO_GENOME,
    "chains": genome(BLOCKS),
    "GRCh38": Genome({B38: WHOLE.references[B38]}, Liftover()),
    "chains and GRCh37": Genome({B37: WHOLE.references[B37]}, WHOLE.liftover),
}


def changes(seed: int, number: int) -> list[Change]:
    """Return changes as sources write them: at any of the places of a repeat, some against the sequence."""
    dice = random.Random(seed)
    found = []
    for _ in range(number):
        build, at, size = dice.choice(list(Build)), dice.randrange(5, SIZE - 5), dice.randrange(1, 3)
        deleted = TEXT[build][at : at + size]
        kind = dice.randrange(4)
        if kind == 0:
            change = (build, START[build] + at, deleted, "")
        elif kind == 1:
            change = (build, START[build] + at, "", "".join(dice.choice("AC") for _ in range(size)))
        else:
            base = TEXT[build][at] if dice.randrange(12) else "T"
            change = (build, START[build] + at, base, dice.choice(sorted(set("ACG") - {base})))
        found.append(change)
    return found


def knowledge(seed: int) -> bytes:
    rows = []
    for n, (build, position, deleted, inserted) in enumerate(changes(seed, 40)):
        term = ASKED[n % len(ASKED)]
        rows.append(
            {
                "row_id": str(n),
                f"b{build.value[-2:]}_spdi": f"{accession(build, 1)}:{position}:{deleted}:{inserted}",
                "feature_consequences.system": "http://www.sequenceontology.org",
                "feature_consequences.code": TERMS[term].accession,
                "feature_consequences.display": term,
            }
        )
    return table(*rows)


def calls(seed: int, build: Build) -> str:
    """Return the changes of one build, and some more, as calls."""
    lines = []
    for one, position, deleted, inserted in sorted(changes(seed, 40) + changes(seed + 100, 10), key=lambda c: c[1]):
        at = position - START[build]
        if one is not build or TEXT[build][at : at + len(deleted)] != deleted:
            continue
        anchor = "" if deleted and inserted else TEXT[build][at - 1]
        alt = anchor + inserted
        info = f"CSQ={csq(alt, 'start_lost', 'HIGH')}"
        lines.append(f"{position + 1 - len(anchor)} {anchor + deleted} {alt} 0/1 {info}")
    return vcf(*lines)


class Steps:
    """A store that knowledge and calls come into while more and more of the genome is loaded."""

    def __init__(self, database: Database, folder: Path, seed: int) -> None:
        self.database, self.folder, self.seed = database, folder, seed

    def store(self, known: Genome) -> SmallStore:
        return SmallStore(self.database, self.folder, known)

    def knowledge(self, known: Genome) -> None:
        store = self.store(known)
        path = self.folder / "consequence.tsv"
        path.write_bytes(knowledge(self.seed))
        load(store.workspace, "consequence", [path], LoadOptions(version="1"), QUIET)

    def calls(self, known: Genome) -> None:
        for subject, build in (("P1", B38), ("P2", B37)):
            size = 248_956_422 if build is B38 else 249_250_621
            text = calls(self.seed, build).replace("248956422", str(size))
            self.store(known).ingest(text, subject, build=build, name=f"{subject}.vcf")

    def state(self) -> dict[str, Any]:
        """Return concepts and what is annotated, by the variants themselves, and the answers."""
        with self.database.read() as session:
            concepts = session.run("select display, targets from knowledge_concept")
            noted = session.run("select variants from knowledge_stated")
            ids = [row[0] for row in session.run("select id from variant")]
            named = {id_: repr(one) for id_, one in variants.placements_of(session, ids).items()}
        return {
            "variants": sorted(named.values()),
            "targets": {name: sorted(named[id_] for id_ in BitMap64.deserialize(bits)) for name, bits in concepts},
            "stated": [sorted(named[id_] for id_ in BitMap64.deserialize(bits)) for (bits,) in noted],
            "annotated": sorted((named[row[0]], row[3]) for row in annotated(self.database)),
            "population": who(self.store(WHOLE), "start_lost"),
            "subject": {
                one: sorted(
                    json.dumps(found["component"]) for found in of_subject(self.store(WHOLE), one, "start_lost")
                )
                for one in ("P1", "P2")
            },
        }

    def assert_whole(self) -> None:
        """Hold the answers about subjects and populations, and what they come from, against each other."""
        store = self.store(WHOLE)
        for term in (*ASKED, "start_lost"):
            assert who(store, term) == [one for one in ("P1", "P2") if of_subject(store, one, term)]
        assert_unions_hold(self.database)
        with self.database.read() as session:
            assert computed.waiting(session) == BitMap64(carriers.carried_from(session, 0))
            links = session.run("select variant_id from knowledge_link")
            assert {row[0] for row in links} | {row[0] for row in annotated(self.database)} == set(
                consequence_sets.active(session)
            )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("stage", STAGES)
def test_annotations_end_where_they_would_have_begun(database: Database, tmp_path: Path, stage: str, seed: int) -> None:
    with migrated(f"sqlite:///{tmp_path / 'whole.db'}") as other:
        steps = Steps(other, tmp_path, seed)
        steps.calls(WHOLE)
        expected = steps.state()
    steps = Steps(database, tmp_path, seed)
    steps.calls(STAGES[stage])
    assert waiting(database, WHOLE)

    rejustify(database, WHOLE, QUIET)

    assert steps.state() == expected
    steps.assert_whole()


@pytest.mark.parametrize("order", ["knowledge first", "calls first", "calls after"])
@pytest.mark.parametrize("stage", STAGES)
def test_answers_agree_after_knowledge_and_annotations_were_placed_anew(
    database: Database, tmp_path: Path, stage: str, order: str
) -> None:
    steps = Steps(database, tmp_path, 2)
    if order == "calls first":
        steps.calls(STAGES[stage])
    steps.knowledge(STAGES[stage])
    if order == "knowledge first":
        steps.calls(STAGES[stage])

    rejustify(database, WHOLE, QUIET)
    if order == "calls after":
        steps.calls(WHOLE)

    steps.assert_whole()


def test_placing_anew_twice_changes_nothing(database: Database, tmp_path: Path) -> None:
    steps = Steps(database, tmp_path, 1)
    steps.knowledge(NO_GENOME)
    steps.calls(NO_GENOME)
    rejustify(database, WHOLE, QUIET)
    before = dump(database)

    rejustify(database, WHOLE, QUIET)

    assert dump(database) == before


@pytest.mark.parametrize("loaded", [(B37,), (B37, B38)], ids=["one sequence", "both"])
@pytest.mark.parametrize("annotated_on", [B37, B38])
def test_where_calls_of_two_builds_part_the_annotation_goes_with_those_of_its_file(
    database: Database, tmp_path: Path, annotated_on: Build, loaded: Sequence[Build]
) -> None:
    repeat = f"{bases(7, 100)}CTTTTTG{bases(8, 300)}"
    longer = f"{repeat[:105]}{'T' * 3}{repeat[105:]}"
    made = genome([Block(1000, 3000, 104)], {B37: [(1000, repeat)], B38: [(3000, longer)]})
    made = Genome({build: made.references[build] for build in loaded}, made.liftover)
    bare = SmallStore(database, tmp_path, Genome({}, made.liftover))
    for subject, build, position, size in (("P37", B37, 1101, 249_250_621), ("P38", B38, 3101, 248_956_422)):
        info = f"CSQ={csq('-', 'frameshift_variant', 'HIGH')}" if build is annotated_on else "."
        text = vcf(f"{position} CT C 0/1 {info}").replace("248956422", str(size))
        bare.ingest(text, subject, build=build)
    assert who(bare, "frameshift_variant") == ["P37", "P38"]

    rejustify(database, made, QUIET)

    assert who(SmallStore(database, tmp_path, made), "frameshift_variant") == [f"P{annotated_on.value[-2:]}"]
    assert_unions_hold(database)
