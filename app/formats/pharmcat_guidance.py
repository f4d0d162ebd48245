"""PharmCAT's ``prescribing_guidance.json``: what CPIC, DPWG and the FDA advise, as ClinPGx annotates it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.formats.pgx import Drug, Pair, Recommendation
from app.formats.pgx_names import diplotype_key
from app.formats.pharmcat_json import Member

_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Guided:
    """What guidance says."""

    drugs: tuple[Drug, ...] = ()
    pairs: tuple[Pair, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()


def read_guidance(roots: Iterable[Member]) -> Guided:
    """Return the drugs, the genes that matter for them, and the recommendations; one without a lookup key is left out.

    Raises:
        BadFile: a member of a file cannot be used.
    """
    drugs: dict[str, Drug] = {}
    recommendations: list[Recommendation] = []
    pairs: dict[tuple[str, str, str], Pair] = {}
    for root in roots:
        for package in root.get("guidelines").items():
            for found, drug in _recommendations(package):
                drugs.setdefault(drug.drug_id, drug)
                recommendations.append(found)
                for gene in found.lookup:
                    pair = Pair(gene, drug.drug_id, "", guideline=found.url)
                    pairs.setdefault((gene, drug.drug_id, found.url), pair)
    return Guided(tuple(drugs.values()), tuple(pairs.values()), tuple(recommendations))


def _recommendations(package: Member) -> Iterator[tuple[Recommendation, Drug]]:
    for member in package.get("recommendations").items():
        chemicals = member.get("relatedChemicals")
        if chemicals.value is None:
            chemicals = package.get("guideline").get("relatedChemicals")
        drugs = [_drug(chemical) for chemical in chemicals.items()]
        for number, key in enumerate(member.get("lookupKey").items()):
            lookup = {gene: _lookup(value) for gene, value in key.members()}
            for drug in drugs if lookup else ():
                yield _recommendation(package, member, drug, lookup, number), drug


def _recommendation(package: Member, member: Member, drug: Drug, lookup: dict[str, str], number: int) -> Recommendation:
    guideline = package.get("guideline")
    return Recommendation(
        f"{member.get('id').text()}.{number}.{drug.drug_id}",
        drug.drug_id,
        guideline.get("source").text_or(),
        lookup,
        _plain(member.get("text").get("html").text_or()),
        member.get("population").text_or(),
        member.get("classification").get("term").text_or(),
        _implications(member, tuple(lookup)),
        guideline.get("name").text_or(),
        guideline.get("url").text_or(package.get("url").text_or()),
    )


def _drug(chemical: Member) -> Drug:
    identifier = chemical.get("id").text()
    return Drug(identifier, chemical.get("name").text().lower(), pharmgkb=identifier)


def _lookup(value: Member) -> str:
    """Return a lookup key; a genotype is given as alleles with their numbers."""
    if not isinstance(value.value, dict):
        return value.text()
    names = [name for name, count in value.members() for _ in range(count.count())]
    if not 0 < len(names) <= 2:
        value.fail("it names neither one nor two alleles")
    return diplotype_key(*names)


def _implications(member: Member, genes: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in member.get("implications").items():
        text = item.text_or()
        gene, _, rest = text.partition(":")
        if gene.strip() in genes and rest.strip():
            found[gene.strip()] = _plain(rest)
        elif len(genes) == 1 and text:
            found.setdefault(genes[0], _plain(text))
    return found


def _plain(text: str) -> str:
    return _SPACES.sub(" ", html.unescape(_TAG.sub(" ", text))).strip()
