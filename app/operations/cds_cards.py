"""Cards of CDS Hooks: one for each drug and guideline, and one that sums up what is known of a patient."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from app.formats.pgx import Drug
from app.operations import cds_suggestions, cds_warfarin
from app.operations.cds_text import (
    LONGEST_SUMMARY,
    deciding,
    detail_of,
    drug_name,
    escaped,
    footer,
    genotype_of,
    grade_text,
    has_result,
    result_of,
    shortened,
    summary_of,
)
from app.operations.pgx import ActivePgx, PgxProfile
from app.pgx.advice import Advice, advise, advise_all
from app.pgx.grades import SEVERITY, most_severe
from app.pgx.orders import Order

_NAMESPACE = uuid.UUID("5a2c7a0e-1f63-5d0b-9c62-8d0f1f7a9b11")
_HGNC = "http://www.genenames.org/geneId"
_INDICATORS = {"D": "critical", "C": "warning", "B": "info", "A": "info", "NA": "info"}
_ACTIONABLE = ("D", "C")
_LABEL = "Pharmacogenetic results"


@dataclass(frozen=True, slots=True)
class CardOptions:
    """What the site and the call decide about cards."""

    instance: str
    service: str
    has_orders: bool
    """Whether cards are about orders that can still be changed"""
    base_url: str
    today: date
    launch_url: str | None = None
    show_normal: bool = False
    pretest: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A card, and what is kept of it."""

    body: dict[str, Any]
    grade: str
    drug: str = ""
    source: str = ""

    @property
    def uuid(self) -> str:
        """Return its id."""
        return str(self.body["uuid"])

    @property
    def suggestions(self) -> dict[str, str]:
        """Return the label of each suggestion by its id."""
        return {one["uuid"]: one["label"] for one in self.body.get("suggestions", ())}


def order_cards(active: ActivePgx, profile: PgxProfile, orders: Sequence[Order], options: CardOptions) -> list[Card]:
    """Return the cards of some orders, most severe first."""
    ordered: dict[str, tuple[Drug, list[Order]]] = {}
    for order in orders:
        for drug in order.drugs:
            ordered.setdefault(drug.drug_id, (drug, []))[1].append(order)
    calls = profile.calls
    cards = []
    is_affected = False
    for drug, own in ordered.values():
        for advice in advise(active.guidelines, calls, drug):
            is_affected = True
            card = _card_of(active, profile, advice, own, options)
            if card is not None:
                cards.append(card)
    # Without knowledge no order can be told to matter, nor any not to.
    is_affected |= not options.has_orders or (bool(orders) and not active.content.drugs)
    if is_affected and not profile.is_ready:
        cards.append(_waiting(active, profile, options))
    return sorted(cards, key=lambda card: SEVERITY.index(card.grade))


def _card_of(
    active: ActivePgx, profile: PgxProfile, advice: Advice, orders: Sequence[Order], options: CardOptions
) -> Card | None:
    if cds_warfarin.is_of_label(advice):
        return _warfarin(active, profile, advice.drug, options)
    if advice.grade in ("D", "C", "B") or (advice.grade == "A" and options.show_normal):
        return _advising(active, profile, advice, orders, options)
    if advice.grade == "NA" and options.pretest and profile.is_ready and (genes := _to_test(advice)):
        return _pretest(active, profile, advice, genes, options)
    return None


# --- one drug, one guideline ------------------------------------------------------------------------------------------


def _advising(
    active: ActivePgx, profile: PgxProfile, advice: Advice, orders: Sequence[Order], options: CardOptions
) -> Card:
    card_id = _id(options, profile, advice.drug.drug_id, advice.source, active.release)
    body: dict[str, Any] = {
        "uuid": str(card_id),
        "summary": summary_of(active, advice),
        "indicator": _INDICATORS[advice.grade],
        "detail": detail_of(active, advice, dict(profile.results)),
        "source": _source(active, advice),
    }
    if options.has_orders and advice.grade in _ACTIONABLE:
        offered = cds_suggestions.suggestions(active, advice, profile.calls, orders, card_id)
        if offered:
            body |= {"selectionBehavior": "at-most-one", "suggestions": offered}
        body["overrideReasons"] = cds_suggestions.override_reasons(options.base_url)
    if links := _links(advice, options):
        body["links"] = links
    return Card(body, advice.grade, advice.drug.name, advice.source)


def _source(active: ActivePgx, advice: Advice) -> dict[str, Any]:
    genes = deciding(advice) or advice.genes
    label = f"{advice.source} guideline: {advice.drug.name} and {', '.join(genes)}"
    source: dict[str, Any] = {"label": label}
    if url := _url(advice):
        source["url"] = url
    gene = active.content.gene(genes[0]) if len(genes) == 1 else None
    if gene is not None and gene.hgnc:
        source["topic"] = {"system": _HGNC, "code": gene.hgnc, "display": gene.symbol}
    return source


def _url(advice: Advice) -> str | None:
    urls = [one.url for one in advice.recommendations] + [pair.guideline for pair in advice.pairs]
    return next((url for url in urls if url.startswith(("https://", "http://"))), None)


def _links(advice: Advice, options: CardOptions) -> list[dict[str, str]]:
    links = []
    if url := _url(advice):
        links.append({"label": "Guideline", "url": url, "type": "absolute"})
    context = {"gene": next(iter(advice.genes), ""), "drug": advice.drug.rxnorm or advice.drug.name}
    return [*links, *_launch(options, context)]


def _launch(options: CardOptions, context: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the link to the site's app, if it has one."""
    if not options.launch_url:
        return []
    app_context = orjson.dumps(context).decode()
    return [{"label": "Open PGx report", "url": options.launch_url, "type": "smart", "appContext": app_context}]


def _warfarin(active: ActivePgx, profile: PgxProfile, drug: Drug, options: CardOptions) -> Card | None:
    expected = cds_warfarin.expected(profile, options.today)
    if expected is None:
        return None
    links = [{"label": "Dose calculator", "url": cds_warfarin.CALCULATOR, "type": "absolute"}]
    body: dict[str, Any] = {
        "uuid": str(_id(options, profile, drug.drug_id, cds_warfarin.SOURCE, active.release)),
        "summary": cds_warfarin.summary_of(expected),
        "indicator": expected.indicator,
        "detail": cds_warfarin.detail_of(active, profile, expected),
        "source": dict(cds_warfarin.source_of()),
        "links": [*links, *_launch(options, {"gene": "CYP2C9", "drug": drug.rxnorm})],
    }
    if options.has_orders and expected.is_low:
        body["overrideReasons"] = cds_suggestions.override_reasons(options.base_url)
    return Card(body, cds_warfarin.grade_of(expected), drug.name, cds_warfarin.SOURCE)


def _to_test(advice: Advice) -> list[str]:
    """Return the genes of CPIC level A of which there is no result."""
    return [pair.gene for pair in advice.pairs if pair.level == "A" and pair.gene in advice.untested]


def _pretest(
    active: ActivePgx, profile: PgxProfile, advice: Advice, genes: Sequence[str], options: CardOptions
) -> Card:
    named = ", ".join(dict.fromkeys(genes))
    drug = drug_name(advice.drug)
    text = f"{drug}: no result of {named}; genes of CPIC level A for this drug, a test is recommended"
    body: dict[str, Any] = {
        "uuid": str(_id(options, profile, advice.drug.drug_id, advice.source, active.release, "test")),
        "summary": shortened(text),
        "indicator": "info",
        "detail": f"{escaped(text)}.\n\n{footer(active, '')}",
        "source": _source(active, advice),
    }
    if links := _links(advice, options):
        body["links"] = links
    return Card(body, "NA", advice.drug.name, advice.source)


def _waiting(active: ActivePgx, profile: PgxProfile, options: CardOptions) -> Card:
    if active.content.genes:
        text = "Pharmacogenetic results of this patient are still being computed; not every one was considered"
        more = " Ask again in a few minutes."
    else:
        text, more = "No pharmacogenetic knowledge is in use; no result of this patient was considered", ""
    body = {
        "uuid": str(_id(options, profile, "", "", active.release, "waiting")),
        "summary": text,
        "indicator": "info",
        "detail": f"{text}.{more}\n\n{footer(active, '')}",
        "source": {"label": _LABEL},
    }
    return Card(body, "NA")


def withheld_card(subject_id: str, options: CardOptions) -> Card:
    """Return the card that says that nothing is told, so that nobody takes it for "nothing found"."""
    text = "Pharmacogenetic results of this patient are withheld: consent"
    body = {
        "uuid": str(_id_of(options, subject_id, "withheld")),
        "summary": text,
        "indicator": "info",
        "detail": "The patient has not agreed to pharmacogenomic findings. Whether there are any, and what they mean"
        " for this patient's medicines, is not told; the absence of other cards is no advice.",
        "source": {"label": _LABEL},
    }
    return Card(body, "NA")


def _id(options: CardOptions, profile: PgxProfile, *parts: str) -> uuid.UUID:
    """Return the id of a card, which is the same whenever a call is repeated."""
    return _id_of(options, profile.subject_id, *parts)


def _id_of(options: CardOptions, subject_id: str, *parts: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, "|".join((options.instance, options.service, subject_id, *parts)))


# --- all drugs --------------------------------------------------------------------------------------------------------


def summary_card(active: ActivePgx, profile: PgxProfile, options: CardOptions) -> Card | None:
    """Return the card that lists the drugs that a person's results matter for; None where there is none."""
    found: dict[str, dict[str, list[str]]] = {}
    grades = []
    tested = {gene for gene, result in profile.results.items() if has_result(result.call)}
    for advice in advise_all(active.guidelines, profile.calls, genes=tested):
        if advice.grade not in _ACTIONABLE:
            continue
        if cds_warfarin.is_of_label(advice) and cds_warfarin.expected(profile, options.today) is None:
            continue
        grades.append(advice.grade)
        for gene in deciding(advice):
            names = found.setdefault(gene, {}).setdefault(advice.grade, [])
            names.append(f"{advice.drug.name} ({advice.source})")
    if not found:
        return None
    body: dict[str, Any] = {
        "uuid": str(_id(options, profile, "", "", active.release, "summary")),
        "summary": _summary_of(found),
        "indicator": "info",
        "detail": "\n".join(_listed(active, profile, found)) + f"\n\n{footer(active, '')}",
        "source": {"label": _LABEL},
    }
    if links := _launch(options, {"genes": sorted(found)}):
        body["links"] = links
    return Card(body, most_severe(grades))


def _summary_of(found: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    text = f"Actionable pharmacogenetic results: {', '.join(sorted(found))}"
    return text if len(text) <= LONGEST_SUMMARY else f"Actionable pharmacogenetic results of {len(found)} genes"


def _listed(active: ActivePgx, profile: PgxProfile, found: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterable[str]:
    for gene in sorted(found):
        result = profile.results[gene]
        yield f"- **{escaped(result_of(active, result.call, with_genotype=bool(genotype_of(result.call))))}**"
        for grade in _ACTIONABLE:
            if grade in found[gene]:
                meaning = grade_text(active, grade).partition(";")[0].rstrip(".")
                yield f"  - {escaped(meaning)}: {escaped(', '.join(dict.fromkeys(found[gene][grade])))}"
