"""Additional findings in a case: what was not looked for to answer the question of its referral.

Of the documents that a case holds these are the genomes of a service for pharmacogenomics
(``genomics_england_pharmacogenomics``). Findings about carrier status and health come in summaries of findings, which
no case holds.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import replace

from app.formats.gel import GelCase, InterpretedGenome, Problem, Scope
from app.formats.gel_people import subject_id_of

_SERVICE = "pharmacogenomic"
_WITHHELD = "Pharmacogenomic findings are left out: somebody whom they are about has not agreed to them."


def without_withheld(case: GelCase, withheld: Callable[[], Set[str]]) -> tuple[GelCase, list[Problem]]:
    """Return a case without the genomes of pharmacogenomics about subjects who have not agreed, and what that says.

    Args:
        case: The case.
        withheld: Returns the subjects who have not agreed to pharmacogenomic findings; asked only if that matters.
    """
    additional = [one for one in case.genomes if _SERVICE in one.service]
    unwanted = withheld() if additional else frozenset()
    left_out = [one for one in additional if unwanted & _subjects_of(case, one)]
    if not left_out:
        return case, []
    kept = tuple(one for one in case.genomes if one not in left_out)
    return replace(case, genomes=kept), [Problem(one.path, _WITHHELD, Scope.WARNING) for one in left_out]


def _subjects_of(case: GelCase, genome: InterpretedGenome) -> set[str]:
    """Return whom a genome is about; everybody in the case where a call does not say."""
    calls = [one.calls for one in genome.variants]
    calls += [one.calls for one in genome.structural]
    calls += [one.calls for one in genome.repeats]
    named = {call.participant_id for some in calls for call in some}
    if "" in named:
        named |= {member.participant_id for member in case.members if member.participant_id}
    return {subject_id_of(participant) for participant in named if participant}
