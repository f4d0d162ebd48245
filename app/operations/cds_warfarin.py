"""The card of warfarin: the guideline has an algorithm instead of sentences, so that a range is shown.

The range is the one of the prescribing information. What it does not take into account is said beside it; nothing is
assumed of a patient, and no dose of an order is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from app.operations.cds_text import escaped, footer, gene_block, shortened
from app.operations.pgx import ActivePgx, PgxProfile
from app.pgx.advice import Advice
from app.pgx.warfarin import (
    IWPC_NAME,
    LABEL,
    LABEL_NAME,
    RXNORM_WARFARIN,
    WarfarinAdvice,
    WarfarinPatient,
    warfarin_advice,
)

SOURCE = LABEL
GENES = ("CYP2C9", "VKORC1")
CALCULATOR = "https://www.warfarindosing.org"


def is_of_label(advice: Advice) -> bool:
    """Return whether advice is the range of the prescribing information, of which this card is."""
    return advice.source == SOURCE and advice.drug.rxnorm == RXNORM_WARFARIN


def expected(profile: PgxProfile, today: date) -> WarfarinAdvice | None:
    """Return what the results of a person let expect; None where no range follows."""
    patient = WarfarinPatient(age_years=age(profile.birth_date, today))
    advice = warfarin_advice(profile.calls, patient)
    return advice if advice.range_mg is not None else None


def grade_of(advice: WarfarinAdvice) -> str:
    """Return the grade by which the card is as urgent as it should be: never D."""
    return "C" if advice.is_low else "B"


def summary_of(advice: WarfarinAdvice) -> str:
    """Return the line above the card."""
    said = "lower dose expected" if advice.is_low else "usual dose expected"
    genes = f"CYP2C9 {advice.cyp2c9} and VKORC1 -1639 {advice.vkorc1}"
    return shortened(f"Warfarin: {said} – {genes} (label range {advice.range_text})")


def detail_of(active: ActivePgx, profile: PgxProfile, advice: WarfarinAdvice) -> str:
    """Return results, range and what the range leaves out."""
    blocks = [gene_block(active, profile.results[gene]) for gene in GENES]
    return "\n\n".join([*blocks, "\n".join(_bullets(advice)), footer(active, f"Source: {escaped(LABEL_NAME)}. ")])


def _bullets(advice: WarfarinAdvice) -> Iterable[str]:
    yield f"- Expected maintenance dose: {escaped(advice.range_text)} (adults)."
    yield f"- Use a validated algorithm with age, height, weight and co-medication ({escaped(IWPC_NAME)}); dose by INR."
    for note in advice.notes:
        yield f"- {escaped(note.text)}"


def source_of() -> Mapping[str, str]:
    """Return the source of the card."""
    return {"label": f"{LABEL}: warfarin and {', '.join(GENES)}"}


def age(birth_date: str | None, today: date) -> int | None:
    """Return the age in whole years; None without a full date of birth."""
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
