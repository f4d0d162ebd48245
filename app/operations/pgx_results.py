"""One of several results of a gene: the newest test that has a result, with what other tests say against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from app.pgx.calls import CallMethod, GeneCall, Warned
from app.pgx.support import is_thin


@dataclass(frozen=True, slots=True)
class PgxResult:
    """The result of one gene and the test that it is of."""

    call: GeneCall
    test_id: str
    test_date: str | None
    specimen_id: str | None


def preferred(found: Sequence[PgxResult]) -> PgxResult:
    """Return the result of the newest test that has one and looked far enough; another one only where none did."""
    return max(found, key=lambda one: (one.call.has_result, not is_thin(one.call), one.test_date or "", one.test_id))


def with_disagreement(chosen: PgxResult, others: Iterable[PgxResult]) -> PgxResult:
    """Return a result that tells which other results of the person mean something else."""
    if not chosen.call.has_result:
        return chosen
    differing = [one for one in others if one is not chosen and _differs(chosen.call, one.call)]
    if not differing:
        return chosen
    text = f"Other results of this person differ: {'; '.join(map(_named, differing))}."
    warnings = (*chosen.call.warnings, Warned("tests-differ", text))
    return replace(chosen, call=replace(chosen.call, warnings=warnings))


def statuses_of(call: GeneCall) -> dict[str, str]:
    """Return which alleles a result says are there or not; nothing for a gene of another kind."""
    parts = (part.strip().rpartition(" ") for part in call.phenotype.split(";"))
    return {allele: word for allele, _, word in parts if word in {"positive", "negative"}}


def _differs(chosen: GeneCall, other: GeneCall) -> bool:
    if not other.has_result or not (other.phenotype or other.lookup):
        return False
    if other.method is CallMethod.SNV_ONLY and chosen.method is not CallMethod.SNV_ONLY:
        return False  # copies were not counted there, and were here
    said, against = statuses_of(chosen), statuses_of(other)
    if said or against:
        return any(against.get(allele, word) != word for allele, word in said.items())
    return (chosen.phenotype, chosen.activity, chosen.lookup) != (other.phenotype, other.activity, other.lookup)


def _named(one: PgxResult) -> str:
    call = one.call
    found = " or ".join(dict.fromkeys(each.text for each in call.diplotypes)) or " + ".join(call.variants)
    named = " – ".join(filter(None, (found, call.phenotype)))
    return f"{named} (test {' of '.join(filter(None, (one.test_id, one.test_date)))})"
