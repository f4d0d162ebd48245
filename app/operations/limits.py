"""The limit of one answer, and the words that refuse more."""

from __future__ import annotations

from app.errors import TooCostly
from app.operations.context import OperationContext

FEWER_VARIANTS = "ask for smaller ranges, or with includeVariants=false"


def refuse_too_many(context: OperationContext, total: int, what: str, parameter: str, *, mend: str) -> None:
    """Refuse an answer of more resources than the limit.

    Raises:
        TooCostly: ``total`` (of ``what``: variants, genotypes) is beyond it; ``mend`` says what to ask instead.
    """
    limit = context.settings.max_answers
    if total > limit:
        raise TooCostly(
            f"the answer has {total} {what}, the limit (OPERON_MAX_ANSWERS) is {limit}; {mend}", parameter=parameter
        )
