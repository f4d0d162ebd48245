"""What the result of a gene rests on, in sentences for those who see nothing else of it than a genotype.

>>> from app.pgx.calls import CallStatus, Diplotype
>>> told_of(GeneCall("A", CallStatus.CALLED, called_positions=1, total_positions=2, missing=("rs1",), release="r"))
['Named alleles called from variants by definitions of r: 1 of 2 positions were called, not rs1.']
"""

from __future__ import annotations

from typing import Final

from app.pgx.calls import CallMethod, GeneCall

_METHODS: Final = {CallMethod.SNV_ONLY: "Named alleles called from small variants alone"}
_CALLED: Final = "Named alleles called from variants"
_SHOWN: Final = 5


def told_of(call: GeneCall) -> list[str]:
    """Return method, definitions and positions, other genotypes that fit, and every warning."""
    head = f"{_METHODS.get(call.method, _CALLED)} by definitions of {call.release or 'an unnamed release'}"
    if call.total_positions:
        head += f": {call.called_positions} of {call.total_positions} positions were called"
    if call.missing:
        head += f", not {_some(call.missing)}"
    told = [f"{head}."]
    if call.alternatives:
        told.append(f"Other genotypes that fit less well: {_some(tuple(one.text for one in call.alternatives))}.")
    if call.uncallable:
        told.append(f"Alleles that could not be told: {_some(call.uncallable)}.")
    return told + [one.text for one in call.warnings]


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
