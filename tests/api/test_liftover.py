"""When an answer needs liftover, over HTTP: what is answered, with a note where a range was widened, and what is not.

Two subjects, each with one call in bases that only their build has, so that no question on the other build can rule it
out by its place. What holds for one direction holds for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.records import Build
from app.variants.accessions import accession
from tests.answers import Asking, present
from tests.api.client import Answer, Client
from tests.small_store import SmallStore, migrated
from tests.two_builds import B37, B38, Block, genome
from tests.vcf_files import vcf

GENOME = genome(
    [
        Block(10_000, 110_000, 1_000),
        # Then 2,500 bases of GRCh37 alone, and 3,000 of GRCh38.
        Block(13_500, 114_000, 1_000, reverse=True),
        Block(16_000, 160_000, 1_000),
        Block(17_000, 161_010, 1_000),
        Block(18_010, 162_010, 1_000),
    ]
)


@dataclass(frozen=True)
class Side:
    """One build: its call that has no place on the other build, and ranges there as (low, high)."""

    build: Build
    call: int
    within: tuple[int, int]
    turned: tuple[int, int]
    gap: tuple[int, int]
    strands: tuple[int, int]
    stretched: tuple[int, int]
    to_widen: tuple[int, int]
    widened: str

    @property
    def subject(self) -> str:
        return f"P{self.build.value[-2:]}"

    def on(self, place: tuple[int, int]) -> str:
        return f"{accession(self.build, 1)}:{place[0]}-{place[1]}"

    @property
    def variant(self) -> str:
        return f"{accession(self.build, 1)}:{self.call}:A:G"


ON37 = Side(
    B37, 12_250, (10_100, 10_200), (13_600, 13_700), (12_200, 12_300), (10_500, 14_000), (10_500, 16_500),
    (17_500, 18_005), "NC_000001.11:161510-162013: an end of the range has no place there",
)  # fmt: skip
ON38 = Side(
    B38, 112_500, (110_100, 110_200), (114_100, 114_200), (112_450, 112_550), (110_500, 114_500), (110_500, 160_500),
    (160_500, 161_005), "NC_000001.10:16500-17003: an end of the range has no place there",
)  # fmt: skip
DIRECTIONS = [
    pytest.param(ON37, ON38, id="from GRCh38 to GRCh37"),
    pytest.param(ON38, ON37, id="from GRCh37 to GRCh38"),
]
"""The build of the call, and that of the question"""


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[Asking]:
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        store = SmallStore(database, folder, GENOME, **settings)
        for side in (ON37, ON38):
            record = f"chr1 {side.call + 1} . A G 50 PASS . GT 0/1"
            store.ingest(vcf(record, build=side.build), side.subject, build=side.build)
        client = Client(create_app(store.settings, store.context))
        yield Asking(client)
        client.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with served(tmp_path_factory.mktemp("home")) as opened:
        yield opened


def in_range(asked: Asking, subject: str, text: str) -> Answer:
    return asked.get("find-subject-variants", ("subject", subject), ("ranges", text))


def is_present(answer: Answer) -> bool:
    assert answer.status == 200, answer.body
    [entry] = answer.json()["parameter"]
    return present(entry)


@pytest.mark.parametrize("side", [ON37, ON38], ids=lambda side: side.build.value)
def test_the_own_build_needs_no_liftover(asked: Asking, side: Side) -> None:
    for place in (side.gap, side.stretched, side.strands, (side.call, side.call + 1)):
        assert is_present(in_range(asked, side.subject, side.on(place)))
    assert [len(found) for found in asked.being(side.subject, [side.variant])] == [1]


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
@pytest.mark.parametrize("where", ["within", "turned"])
def test_a_range_that_lifts_is_answered(asked: Asking, call: Side, question: Side, where: str) -> None:
    assert not is_present(in_range(asked, call.subject, question.on(getattr(question, where))))


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
@pytest.mark.parametrize(
    "where",
    [
        pytest.param("gap", id="no base near has a place"),
        pytest.param("strands", id="the ends lie on different strands"),
        pytest.param("stretched", id="the ends lie too far apart"),
    ],
)
def test_a_range_that_does_not_lift_is_refused_where_it_could_hide_a_call(
    asked: Asking, call: Side, question: Side, where: str
) -> None:
    text = question.on(getattr(question, where))

    answer = in_range(asked, call.subject, text)

    assert (answer.status, answer.diagnostics) == (422, [f"Failed LiftOver ({text})"])
    assert is_present(in_range(asked, question.subject, text))


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
def test_a_range_on_a_chromosome_without_such_calls_is_answered(asked: Asking, call: Side, question: Side) -> None:
    elsewhere = question.on(question.gap).replace(accession(question.build, 1), accession(question.build, 2))
    assert not is_present(in_range(asked, call.subject, elsewhere))


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
def test_a_widened_range_is_echoed_with_a_note(asked: Asking, call: Side, question: Side) -> None:
    text = question.on(question.to_widen)

    answer = in_range(asked, call.subject, text)

    assert not is_present(answer)
    item = answer.json()["parameter"][0]["part"][0]
    assert item["valueString"] == text
    [note] = item["extension"]
    assert f"{call.build} only were compared with {question.widened}" in note["valueAnnotation"]["text"]


def test_without_widening_such_a_range_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, lift_widen_max=0) as asked:
        text = ON38.on(ON38.to_widen)
        answer = in_range(asked, ON37.subject, text)
        assert (answer.status, answer.diagnostics) == (422, [f"Failed LiftOver ({text})"])


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
def test_a_variant_of_one_build_is_refused_where_a_call_of_the_other_could_be_it(
    asked: Asking, call: Side, question: Side
) -> None:
    alone = question.variant.replace(":A:G", ":A:C")
    for operation, inputs in (
        ("find-subject-specific-variants", [("subject", call.subject)]),
        ("find-population-specific-variants", []),
    ):
        answer = asked.get(operation, *inputs, ("variants", alone))
        assert (answer.status, answer.diagnostics) == (422, [f"Failed LiftOver. Variant: {alone}"])
    assert asked.being(question.subject, [alone]) == [[]]


@pytest.mark.parametrize(("call", "question"), DIRECTIONS)
def test_a_variant_with_a_place_on_both_builds_is_answered(asked: Asking, call: Side, question: Side) -> None:
    text = f"{accession(question.build, 1)}:{question.within[0]}:A:G"
    assert asked.being(call.subject, [text]) == [[]]
    assert [found.numerator for found in asked.carriers(text)] == [0]


def test_a_mitochondrial_question_needs_no_liftover(asked: Asking) -> None:
    for side in (ON37, ON38):
        assert not is_present(in_range(asked, side.subject, "NC_012920.1:0-16569"))
        assert asked.being(side.subject, ["NC_012920.1:m.73A>G"]) == [[]]
