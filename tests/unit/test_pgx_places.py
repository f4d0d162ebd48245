"""Places on GRCh37 of positions that a source gives on GRCh38: lifted, known, or left open; never guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.formats.pgx import Gene, Method, PgxContent, Position
from app.operations.context import Genome
from app.variants.spdi import reverse_complement
from ingest.pgx_places import with_places
from tests.known_world import GENOME, SEQUENCE, START
from tests.small_store import NO_GENOME
from tests.two_builds import B37, B38, Block, genome

OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}
AT = 500
REF = SEQUENCE[AT]
NOTHING = PgxContent()


def bare(alleles: tuple[str, ...] = (REF, OTHER[REF]), at: int = AT, contig: int = 1, name: str = "rs1") -> Position:
    return Position(name, contig, START[B38] + at, alleles)


def placed(
    position: Position, world: Genome = GENOME, known: Position | None = None
) -> tuple[Position, dict[str, int]]:
    def content(*positions: Position) -> PgxContent:
        return PgxContent(genes=(Gene("G", "", "", 1, Method.PHENOTYPE, positions),))

    filled = with_places(content(position), world, content(known) if known is not None else NOTHING)
    counts = {"given": filled.given, "lifted": filled.lifted, "known": filled.known, "missing": filled.missing}
    return filled.content.genes[0].positions[0], {how: number for how, number in counts.items() if number}


def test_a_place_is_lifted_and_its_base_read() -> None:
    found, how = placed(bare())
    assert (found.start37, found.alleles37, found.ref37) == (START[B37] + AT, (REF, OTHER[REF]), REF)
    assert how == {"lifted": 1}


def test_a_place_that_is_given_stays() -> None:
    given = replace(bare(), start37=7, alleles37=(REF, OTHER[REF]), ref37=OTHER[REF])
    assert placed(given) == (given, {"given": 1})


def test_the_reference_of_grch37_is_what_its_sequence_has() -> None:
    at37 = {B37: [(START[B37], SEQUENCE[:AT] + OTHER[REF] + SEQUENCE[AT + 1 :])], B38: [(START[B38], SEQUENCE)]}
    world = genome([Block(START[B37], START[B38], len(SEQUENCE))], at37)
    found, _ = placed(bare(), world)
    assert (found.ref38, found.ref37, found.alleles37) == (REF, OTHER[REF], (REF, OTHER[REF]))
    third = OTHER[OTHER[REF]]
    assert placed(bare((REF, third)), world)[1] == {"missing": 1}


def test_on_the_other_strand_alleles_are_complemented() -> None:
    size = len(SEQUENCE)
    turned = {B37: [(START[B37], reverse_complement(SEQUENCE))], B38: [(START[B38], SEQUENCE)]}
    world = genome([Block(START[B37], START[B38], size, reverse=True)], turned)
    found, _ = placed(bare(), world)
    assert found.start37 == START[B37] + size - 1 - AT
    assert found.alleles37 == (reverse_complement(REF), reverse_complement(OTHER[REF]))
    assert placed(bare((SEQUENCE[AT : AT + 2], REF)), world)[1] == {"missing": 1}


def test_a_change_of_length_is_lifted_where_both_sequences_agree_around_it() -> None:
    alleles = (SEQUENCE[AT : AT + 3], REF)
    found, _ = placed(bare(alleles))
    assert (found.start37, found.alleles37, found.ref37) == (START[B37] + AT, alleles, alleles[0])
    other = SEQUENCE[: AT + 20] + OTHER[SEQUENCE[AT + 20]] + SEQUENCE[AT + 21 :]
    differing = {B37: [(START[B37], other)], B38: [(START[B38], SEQUENCE)]}
    world = genome([Block(START[B37], START[B38], len(SEQUENCE))], differing)
    assert placed(bare(alleles), world)[1] == {"missing": 1}


@pytest.mark.parametrize("world", [NO_GENOME, Genome({}, GENOME.liftover)], ids=["nothing", "no sequence"])
def test_without_chain_or_sequence_the_embedded_release_is_asked(world: Genome) -> None:
    known = replace(bare(), start37=42, alleles37=(REF, OTHER[REF]), ref37=OTHER[REF])
    found, how = placed(bare(), world, known)
    assert (found.start37, found.alleles37, found.ref37, how) == (42, (REF, OTHER[REF]), OTHER[REF], {"known": 1})
    assert placed(bare(name="rs2"), world, known)[1] == {"missing": 1}
    assert placed(bare(at=AT + 1), world, known)[1] == {"missing": 1}
    assert placed(bare(), world)[1] == {"missing": 1}


def test_an_allele_that_the_embedded_release_lacks_is_spelled_only_where_both_builds_spell_alike() -> None:
    third = OTHER[OTHER[REF]]
    known = replace(bare(), start37=42, alleles37=(REF, OTHER[REF]), ref37=REF)
    found, _ = placed(bare((REF, third)), NO_GENOME, known)
    assert found.alleles37 == (REF, third)
    turned = replace(known, alleles37=(OTHER[REF], REF), ref37=OTHER[REF])
    assert placed(bare((REF, third)), NO_GENOME, turned)[1] == {"missing": 1}
    longer = replace(known, alleles38=(REF, REF + "AC"), alleles37=(REF, REF + "AC"))
    assert placed(bare((REF, REF + "ACAC")), NO_GENOME, longer)[1] == {"missing": 1}


def test_a_reference_of_grch37_that_no_allele_has_leaves_the_place_open() -> None:
    third = OTHER[OTHER[REF]]
    known = replace(bare((REF, OTHER[REF])), start37=42, alleles37=(REF, OTHER[REF]), ref37=OTHER[REF])
    assert placed(bare((REF, third)), NO_GENOME, known)[1] == {"missing": 1}


def test_the_mitochondrial_genome_has_one_place() -> None:
    found, how = placed(Position("m", 25, 1554, ("A", "G")), NO_GENOME)
    assert (found.start37, found.alleles37, found.ref37, how) == (1554, ("A", "G"), "A", {"lifted": 1})
