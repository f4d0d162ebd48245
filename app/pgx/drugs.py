"""Finding the drug that a code, a name or the text of an order means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from app.formats.code_systems import RXNORM
from app.formats.pgx import Drug, DrugName, PgxContent
from app.pgx.order_text import brands, folded, ingredient_phrases, members, spellings
from app.pgx.texts import ENGLISH

ATC = "http://www.whocc.no/atc"
SNOMED = "http://snomed.info/sct"
NDC = "http://hl7.org/fhir/sid/ndc"

_SYSTEMS = {
    "www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "rxnorm": RXNORM,
    "www.whocc.no/atc": ATC,
    "whocc.no/atc": ATC,
    "www.whocc.no/atc_ddd_index": ATC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "atc": ATC,
    "snomed.info/sct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "hl7.org/fhir/sid/ndc": NDC,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
}
_OTHER_CODES = {"snomed": SNOMED, "ndc": NDC}
"""Kinds of names, and types of products, whose name is a code of another system than RxNorm"""

_KINDS = {"substance": ("inn", "substance", "salt"), "inn": ("inn",), "tradename": ("trade",), "vnr": ("vnr",)}
_VNR_COUNTRIES = ("", "FI", "SE")
_VNR_DIGITS = 6
_ATC_LENGTH = 7


class DrugIndex:
    """The drugs of a release by their codes and names; made once for a release."""

    def __init__(self, content: PgxContent) -> None:
        self._drugs = {drug.drug_id: drug for drug in content.drugs}
        self._codes: dict[tuple[str, str], list[Drug]] = defaultdict(list)
        self._names: dict[tuple[str, str], list[tuple[str, Drug]]] = defaultdict(list)
        self._localized: dict[tuple[str, str], str] = {}
        for drug in content.drugs:
            self._add_drug(drug)
        self._add_products(content)
        for name in content.drug_names:
            if name.drug_id in self._drugs:
                self._add_name(name, self._drugs[name.drug_id])

    def _add_drug(self, drug: Drug) -> None:
        self._names["inn", folded(drug.name)].append(("", drug))
        if drug.rxnorm:
            self._codes[RXNORM, drug.rxnorm].append(drug)
        for atc in drug.atc:
            self._codes[ATC, atc.upper()].append(drug)

    def _add_products(self, content: PgxContent) -> None:
        """A product is a code of its ingredients; the brand in its name is one of their trade names."""
        ingredients = {drug.rxnorm: drug for drug in content.drugs if drug.rxnorm}
        for product in content.products:
            drug = ingredients.get(product.ingredient)
            if drug is None:
                continue
            kind = product.term_type.casefold()
            if kind == "vnr":
                self._names["vnr", _article_number(product.rxnorm)].append(("", drug))
                continue
            system = _OTHER_CODES.get(kind, RXNORM)
            self._codes[system, _plain_code(system, product.rxnorm)].append(drug)
            for brand in brands(product.name):
                self._names["trade", folded(brand)].append(("", drug))

    def _add_name(self, name: DrugName, drug: Drug) -> None:
        system = _OTHER_CODES.get(name.kind)
        if system:
            self._codes[system, _plain_code(system, name.name)].append(drug)
            return
        key = _article_number(name.name) if name.kind == "vnr" else folded(name.name)
        self._names[name.kind, key].append((name.country, drug))
        if name.kind in ("inn", "substance") and name.language:
            self._localized.setdefault((drug.drug_id, name.language), name.name)

    def by_id(self, drug_id: str) -> Drug | None:
        """Return the drug of an id of the release, or of an RxCUI, as ``Recommendation.alternatives`` holds them."""
        found = self._drugs.get(drug_id)
        if found is None:
            found = _only(self._codes.get((RXNORM, drug_id), ()))
        return found

    def by_code(self, system: str, code: str) -> tuple[Drug, ...]:
        """Return the drugs that a code means: ingredients of an RxNorm product, drugs of an ATC code of level 5.

        An ATC code that several drugs have is one of a combination, of which each is returned.
        """
        known = _system(system)
        plain = _plain_code(known, str(code))
        if known == ATC and len(plain) != _ATC_LENGTH:
            return ()
        return _distinct(self._codes.get((known, plain), ()))

    def by_name(self, kind: str, term: str, country: str = "") -> Drug | None:
        """Return the drug with a name of one kind: substance, tradename, inn or vnr; without regard to case.

        A name of a country is not found for another country. None where the name could mean several drugs.
        """
        if kind == "vnr":
            if country not in _VNR_COUNTRIES or not term.strip().isdecimal():
                return None
            return self._named(kind, _article_number(term), country)
        if kind != "substance":
            return self._named(kind, folded(term), country)
        found = (self._named(kind, spelling, country) for spelling in spellings(term))
        return next((drug for drug in found if drug is not None), None)

    def in_text(self, text: str) -> tuple[Drug, ...]:
        """Return every drug of the text of an order, as RxNorm writes it ("clopidogrel 75 MG Oral Tablet [Plavix]").

        Trade names are looked at where no ingredient is known. What no drug is called may be a combination
        ("hydrocodone-acetaminophen"), of which each member has to be the whole name of a drug.
        """
        drugs = [drug for phrase in ingredient_phrases(text) for drug in self._ingredients(phrase)]
        if not drugs:
            names = (*ingredient_phrases(text), *brands(text))
            drugs = [drug for name in names for drug in self._phrase(name, "tradename")]
        return _distinct(drugs)

    def localized(self, drug: Drug, language: str) -> tuple[str, str]:
        """Return the name of a drug for people, and the language that it is in."""
        found = self._localized.get((drug.drug_id, language))
        if found is None:
            found, language = self._localized.get((drug.drug_id, ENGLISH), drug.name), ENGLISH
        return found[:1].upper() + found[1:], language

    def _ingredients(self, phrase: str) -> tuple[Drug, ...]:
        found = self._phrase(phrase, "substance")
        return found or tuple(drug for one in members(phrase) for drug in self._phrase(one, "substance"))

    def _phrase(self, phrase: str, kind: str) -> tuple[Drug, ...]:
        for spelling in spellings(phrase):
            found = _distinct(drug for each in _KINDS[kind] for _, drug in self._names.get((each, spelling), ()))
            if found:
                return found
        return ()

    def _named(self, kind: str, name: str, country: str) -> Drug | None:
        entries = [entry for each in _KINDS.get(kind, ()) for entry in self._names.get((each, name), ())]
        if country and kind in ("tradename", "vnr"):
            entries = [entry for entry in entries if entry[0] in ("", country)]
        return _only(drug for _, drug in entries)


def _system(system: str) -> str:
    """Return the system that is meant, whichever way it is written."""
    plain = system.strip().casefold().removeprefix("https://").removeprefix("http://").rstrip("/")
    return _SYSTEMS.get(plain, system)


def _plain_code(system: str, code: str) -> str:
    code = code.strip()
    if system == ATC:
        return code.upper()
    return code.replace("-", "") if system == NDC else code


def _article_number(text: str) -> str:
    """Return a Nordic article number with its leading zeros."""
    return text.strip().zfill(_VNR_DIGITS)


def _distinct(drugs: Iterable[Drug]) -> tuple[Drug, ...]:
    return tuple({drug.drug_id: drug for drug in drugs}.values())


def _only(drugs: Iterable[Drug]) -> Drug | None:
    """Return the one drug; None of none and of several."""
    distinct = _distinct(drugs)
    return distinct[0] if len(distinct) == 1 else None
