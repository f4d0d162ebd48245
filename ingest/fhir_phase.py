"""From phase relations of pairs to phase sets: heterozygous calls on one copy of a chromosome, or on opposite ones.

Relations are joined as far as they reach: if one is in cis with another, and that in trans with a third, all three are
one phase set. Where such a set contradicts itself none of it is used, since nobody can tell which relation is wrong;
those with a call that is not known to be heterozygous are left out, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.fhir.extensions import ExactCall
from app.fhir.stated import Refusal
from app.formats.genotype import Genotype
from app.records import Zygosity
from ingest.fhir_rows import Row

_OPPOSITE = Refusal(
    "phase-contradiction", "other relations say the opposite; none of those that are joined with it is used"
)


@dataclass(frozen=True, slots=True)
class Relation:
    """Two Observations, by name, and whether they are in cis; ``label`` names the relation in messages."""

    label: str
    number: int
    first: str
    second: str
    cis: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A variant that relations name, and the call set that it belongs to."""

    row: Row
    call_set: int


def phased_calls(
    relations: Sequence[Relation], members: dict[str, Member]
) -> tuple[dict[int, ExactCall], list[tuple[Relation, Refusal]]]:
    """Return the calls of the variants that relations phase, by entry number, and the relations that are not used."""
    parents: dict[int, tuple[int, bool]] = {}
    by_number = {member.row.number: member for member in members.values()}
    refused: list[tuple[Relation, Refusal]] = []
    contradicted: list[int] = []
    for relation in relations:
        problem = _joined(relation, members, parents)
        if problem is not None:
            refused.append((relation, problem))
        if problem is _OPPOSITE:
            contradicted.append(members[relation.first].row.number)
    unsure = {_root(parents, number)[0] for number in contradicted}
    groups: dict[int, list[tuple[Member, bool]]] = {}
    for number in parents:
        root, turned = _root(parents, number)
        if root not in unsure:
            groups.setdefault(root, []).append((by_number[number], turned))
    calls: dict[int, ExactCall] = {}
    taken: set[tuple[int, int, int]] = set()
    for group in sorted(groups.values(), key=lambda group: min(_place(member) for member, _ in group)):
        group.sort(key=lambda entry: _place(entry[0]))
        (first, turned_first), *_ = group
        phase_set_1based = first.row.change.position + 1
        while (key := (first.call_set, first.row.change.contig, phase_set_1based)) in taken:
            phase_set_1based += 1
        taken.add(key)
        for member, turned in group:
            text = "1|0" if turned != turned_first else "0|1"
            genotype = Genotype(text, 1, Zygosity.HETEROZYGOUS, phased=True)
            calls[member.row.number] = replace(member.row.call, genotype=genotype, phase_set=phase_set_1based)
    return calls, refused


def _place(member: Member) -> tuple[int, int, int, str, str, int]:
    change = member.row.change
    return member.call_set, change.contig, change.position, change.ref, change.alt, member.row.number


def _joined(relation: Relation, members: dict[str, Member], parents: dict[int, tuple[int, bool]]) -> Refusal | None:
    """Join the two variants of a relation, or say why not."""
    found = [members.get(name) for name in (relation.first, relation.second)]
    if found[0] is None or found[1] is None:
        missing = relation.first if found[0] is None else relation.second
        return Refusal("phase-target", f"{missing[:80]} is no variant of this file that is stored")
    first, second = found[0], found[1]
    one, two = first.row, second.row
    if one.number == two.number:
        return Refusal("phase-target", "both variants are the same Observation")
    if first.call_set != second.call_set or one.change.contig != two.change.contig:
        return Refusal("phase-target", "the variants are not of one test, assembly and chromosome")
    if one.is_exact or two.is_exact:
        return _agreeing(relation, one.call, two.call)
    if not one.call.genotype.zygosity == two.call.genotype.zygosity == Zygosity.HETEROZYGOUS:
        return Refusal("phase-zygosity", "a variant is not known to be heterozygous, so it has no copy to be on")
    for number in (one.number, two.number):
        parents.setdefault(number, (number, False))
    (root, turned), (other_root, other_turned) = (_root(parents, row.number) for row in (one, two))
    opposite = not relation.cis
    if root == other_root:
        if (turned != other_turned) == opposite:
            return None
        return _OPPOSITE
    parents[other_root] = (root, (turned != other_turned) != opposite)
    return None


def _agreeing(relation: Relation, one: ExactCall, two: ExactCall) -> Refusal | None:
    """Return None if calls that carry their phase exactly say what a relation says."""
    copies = [_copy(call.genotype) for call in (one, two)]
    if None in copies or one.phase_set != two.phase_set:
        return Refusal("phase-contradiction", "the genotypes of the variants are not phased with each other")
    if (copies[0] == copies[1]) == relation.cis:
        return None
    return Refusal("phase-contradiction", "the genotypes of the variants say the opposite")


def _copy(genotype: Genotype) -> int | None:
    copies = genotype.text.lstrip("/|").split("|")
    if not genotype.phased or len(copies) != 2 or copies.count(str(genotype.allele)) != 1:
        return None
    return copies.index(str(genotype.allele))


def _root(parents: dict[int, tuple[int, bool]], number: int) -> tuple[int, bool]:
    """Return the first of the joined variants, and whether this one is on its opposite copy; shortens the way there."""
    path, turned = [], False
    at = number
    while parents[at][0] != at:
        path.append(at)
        at = parents[at][0]
    for step in reversed(path):
        turned = turned != parents[step][1]
        parents[step] = (at, turned)
    return at, turned
