"""Published SPDIs: what NCBI and GA4GH hold to be the one form of a change is what every spelling of it leads to.

Each list has a cause for every SPDI whose form cannot be told from known bases; the counts are exact.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from bioutils.normalize import normalize

from app.errors import CannotNormalize
from app.operations.context import Genome
from app.records import Build
from app.variants.identify import identify
from app.variants.liftover import Liftover
from app.variants.placement import Placer
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi, SpdiWithLength, parse_spdi

Bases = Mapping[str, Mapping[int, str]]
"""Bases by sequence and position"""


@pytest.fixture(scope="module")
def ncbi(shared: Path) -> list[str]:
    return (shared / "data" / "truth" / "spdi" / "genomics-operations.spdi.txt").read_text("utf-8").split()


@pytest.fixture(scope="module")
def ga4gh(shared: Path) -> list[str]:
    return (shared / "data" / "truth" / "spdi" / "vrs-python.spdi.txt").read_text("utf-8").split()


def full(text: str) -> Spdi:
    spdi = parse_spdi(text)
    assert isinstance(spdi, Spdi)
    return spdi


def form(text: str, placer: Placer) -> str:
    """Return the form of a change on the build that it is written on."""
    placement = identify(text, placer).placement
    [found] = [spdi for spdi in (placement.spdi37, placement.spdi38) if spdi and spdi.ref_seq == text.partition(":")[0]]
    return str(found)


def is_substitution(spdi: Spdi) -> bool:
    return len(spdi.deleted) == len(spdi.inserted)


def spellings(spdi: Spdi) -> list[Spdi]:
    """Return the first and the last place of the unit that a padded form has more or fewer of; none for other forms."""
    longer, shorter = sorted((spdi.deleted, spdi.inserted), key=len, reverse=True)
    size = len(longer) - len(shorter)
    if not shorter or not size or longer[size:] != shorter or longer[:-size] != shorter:
        return []
    first, last = longer[:size], longer[-size:]
    if spdi.inserted == longer:
        return [Spdi(spdi.ref_seq, spdi.position, "", first), Spdi(spdi.ref_seq, spdi.end, "", last)]
    return [Spdi(spdi.ref_seq, spdi.position, first, ""), Spdi(spdi.ref_seq, spdi.end - size, last, "")]


# --- the outputs of the reference implementation, which NCBI normalized -----------------------------------------------

NOT_LOADED = {"NC_000001.10:27106893::T"}


def test_forms_of_ncbi_are_reproduced(genome: Genome, ncbi: list[str]) -> None:
    counts: Counter[str] = Counter()
    for text in ncbi:
        spdi = full(text)
        around = [ref.fetch(spdi.ref_seq, spdi.position - 1, spdi.end + 1) for ref in genome.references.values()]
        if any(around):
            counts["bases known"] += 1
        elif is_substitution(spdi):
            counts["a substitution, which has one form whatever is around it"] += 1
        else:
            counts["an insertion or deletion, its surroundings not loaded"] += 1
            assert text in NOT_LOADED
        assert form(text, genome.placer) == text
    assert sorted(counts.values()) == [1, 12, 100]
    assert counts["bases known"] == 100


def test_both_spellings_of_each_repeat_of_ncbi_are_equal(genome: Genome, ncbi: list[str]) -> None:
    repeats = {text: spellings(full(text)) for text in ncbi}
    found = {text: {form(str(one), genome.placer) for one in ways} for text, ways in repeats.items() if ways}
    assert found == {text: {text} for text in found}
    assert len(found) == 7


# --- the examples of vrs-python ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Bases:
    """Return the bases that a sequence repository once answered the tests of vrs-python."""
    text = (shared / "data" / "truth" / "vrs" / "test_rle_round_trip_gnomad_spdi.yaml").read_text("utf-8")
    asked = r"/sequence/(\S+?)\?start=(\d+)&end=\d+\n.*?string: (\S*)\n"
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for name, start, bases in re.findall(asked, text, re.DOTALL):
        for at, base in enumerate(bases if bases.isalpha() else "", int(start)):
            assert found[ACCESSIONS[name]].setdefault(at, base) == base
    return found


ACCESSIONS = {
    **dict.fromkeys(("GRCh38:1", "NC_000001.11", "ga4gh:SQ.Ya6Rs7DHhDeg7YaOSg1EoNi3U_nQ9SvO"), "NC_000001.11"),
    **dict.fromkeys(("GRCh38:21", "NC_000021.9", "ga4gh:SQ.5ZUqxCmDDgN4xTRbaSjN8LwgZironmB8"), "NC_000021.9"),
}


def stated(texts: Iterable[str]) -> Bases:
    """Return the bases that the SPDIs of a list delete; where they overlap they must agree."""
    found: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for spdi in map(parse_spdi, texts):
        for at, base in enumerate(spdi.deleted if isinstance(spdi, Spdi) else "", spdi.position):
            assert found[spdi.ref_seq].setdefault(at, base) == base
    return found


def runs(bases: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Yield the stretches of known bases."""
    start, run = -1, ""
    for at, base in sorted(bases.items()):
        if at != start + len(run):
            if run:
                yield start, run
            start, run = at, ""
        run += base
    if run:
        yield start, run


def placer_of(known: Bases) -> Placer:
    return placer_by({name: list(runs(bases)) for name, bases in known.items()})


def placer_by(stretches: Mapping[str, Sequence[tuple[int, str]]]) -> Placer:
    return Placer({Build.GRCH38: InMemoryReference(stretches)}, Liftover())


def is_known(spdi: Spdi, known: Bases) -> bool:
    return all(at in known.get(spdi.ref_seq, {}) for at in range(spdi.position - 1, spdi.end + 1))


def test_forms_of_vrs_are_reproduced_where_the_bases_are_known(ga4gh: list[str], recorded: Bases) -> None:
    placer = placer_of(recorded)
    known = [spdi for text in ga4gh if isinstance(spdi := parse_spdi(text), Spdi) and is_known(spdi, recorded)]
    assert {str(spdi): form(str(spdi), placer) for spdi in known} == {str(spdi): str(spdi) for spdi in known}
    found = [{form(str(one), placer) for one in spellings(spdi)} for spdi in known]
    assert found == [{str(spdi)} for spdi in known]
    assert len(known) == 5


NOT_STATED = {"NC_000001.11:66926:G:", "NC_000013.11:20003010::G", "NC_000013.11:20003096:C:"}
"""A lone insertion or deletion, around which no base is stated"""


def surroundings(spdi: Spdi) -> Iterator[Placer]:
    """Yield every pair of bases around a padded form with which it is the whole of the repeat."""
    longer, shorter = sorted((spdi.deleted, spdi.inserted), key=len, reverse=True)
    size = len(longer) - len(shorter)
    for before in set("ACGT") - {longer[size - 1]}:
        for after in set("ACGT") - {longer[-size]}:
            yield placer_by({spdi.ref_seq: [(spdi.position - 1, before + spdi.deleted + after)]})


def test_forms_of_vrs_follow_from_the_bases_that_the_list_states(ga4gh: list[str]) -> None:
    known = stated(ga4gh)
    counts: Counter[str] = Counter()
    for text in ga4gh:
        spdi = parse_spdi(text)
        if isinstance(spdi, SpdiWithLength) or ":0:" in text:
            counts["a length in place of the bases"] += 1
        elif is_substitution(spdi):
            counts["no change, or a substitution"] += 1
            assert form(text, placer_of(known)) == text
        elif spellings(spdi):
            counts["padded"] += 1
            ways = [str(one) for one in (spdi, *spellings(spdi))]
            assert {form(way, placer) for placer in surroundings(spdi) for way in ways} == {text}
        elif text in NOT_STATED:
            counts["its surroundings stated by nobody"] += 1
        else:
            counts["not padded, in a repeat that another one states"] += 1
            start, repeat = stretch_around(spdi, known)
            assert form(text, placer_by({spdi.ref_seq: [(start - 1, f"G{repeat}G")]})) == by_bioutils(
                spdi, start, repeat
            )
    assert counts == {
        "padded": 11,
        "not padded, in a repeat that another one states": 8,
        "a length in place of the bases": 3,
        "its surroundings stated by nobody": 3,
        "no change, or a substitution": 3,
    }


def stretch_around(spdi: Spdi, known: Bases) -> tuple[int, str]:
    [found] = [run for run in runs(known[spdi.ref_seq]) if run[0] < spdi.position < run[0] + len(run[1])]
    return found


def by_bioutils(spdi: Spdi, start: int, repeat: str) -> str:
    place = (spdi.position - start, spdi.end - start)
    (low, _), (deleted, inserted) = normalize(repeat, place, (None, spdi.inserted), mode="EXPAND")
    return str(Spdi(spdi.ref_seq, start + low, deleted or "", inserted))


@pytest.mark.parametrize(
    ("by_length", "by_bases"),
    [
        ("NC_000019.10:44908821:1:T", "NC_000019.10:44908821:C:T"),
        ("NC_000013.11:20003096:1:", "NC_000013.11:20003096:C:"),
        ("NC_000013.11:20003010:0:G", "NC_000013.11:20003010::G"),
    ],
)
def test_a_length_means_the_bases(ga4gh: list[str], by_length: str, by_bases: str) -> None:
    assert {by_length, by_bases} <= set(ga4gh)
    placer = placer_of(stated(ga4gh))
    assert identify(by_length, placer) == identify(by_bases, placer)
    if ":0:" not in by_length:
        with pytest.raises(CannotNormalize, match="not loaded"):
            identify(by_length, Placer({}, Liftover()))
