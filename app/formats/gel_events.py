"""Report events of every model: why a variant is reported, and what somebody says that it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import orjson

from app.formats.gel import DrugResponse, Gene, Panel, ReportEvent, Term
from app.formats.gel_parts import Notes, Record, join, no_choice, spelled
from app.formats.gel_words import (
    ACMG_TYPES,
    ACMG_WEIGHTS,
    CONSEQUENCES,
    DOMAINS,
    DRUG_RESPONSES,
    INHERITANCE,
    OLD_DRUG_RESPONSES,
    PENETRANCES,
    SEGREGATIONS,
    SIGNIFICANCES,
    TIERS,
)

HPO = re.compile(r"HP:[0-9]{7}")
_HGNC = re.compile(r"HGNC:[0-9]+")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9@_.-]*")
_SEGREGATION = re.compile(rf"\b(?:{'|'.join(sorted(SEGREGATIONS))})\b")
NO_SCORE = -999.0

_T = TypeVar("_T")


def read_events(record: Record, path: str, notes: Notes, *, is_old_cancer: bool) -> tuple[ReportEvent, ...]:
    """Return the report events of a variant; ``is_old_cancer`` before model 6, where a domain is called tier."""
    found = record.get("reportEvents")
    if not found:
        return ()
    inherited = _inherited_consequences(record)
    return tuple(
        _event(one, place, notes, inherited, is_old_cancer=is_old_cancer)
        for one, place in notes.records(record, "reportEvents", path)
    )


def _event(record: Record, path: str, notes: Notes, inherited: tuple[Term, ...], *, is_old_cancer: bool) -> ReportEvent:
    tier, domain = _tier(record, path, notes, is_old_cancer=is_old_cancer)
    justification = notes.text(record, "eventJustification", path)
    score = notes.number(record, "score", path)
    acmg_significance, acmg_codes = _acmg(record, path, notes)
    return ReportEvent(
        event_id=notes.text(record, "reportEventId", path),
        tier=tier,
        domain=domain,
        genes=_repeated("genomicEntities", _genes, record, path, notes),
        consequences=_repeated("variantConsequences", _consequences, record, path, notes) or inherited,
        phenotypes=_repeated("phenotypes", _phenotypes, record, path, notes),
        panel=_repeated("genePanel", _panel, record, path, notes),
        mode_of_inheritance=notes.word(record, "modeOfInheritance", path, INHERITANCE),
        segregation=notes.word(record, "segregationPattern", path, SEGREGATIONS) or read_segregation(justification),
        penetrance=notes.word(record, "penetrance", path, PENETRANCES),
        group=notes.whole(record, "groupOfVariants", path),
        score=None if score == NO_SCORE else score,
        justification=justification,
        significance=_significance(record, path, notes),
        acmg_significance=acmg_significance,
        acmg_codes=acmg_codes,
        drug_responses=_drug_responses(record, path, notes),
    )


def _repeated(name: str, read: Callable[[Record, str, Notes], _T], record: Record, path: str, notes: Notes) -> _T:
    """Return what a part of an event says; events repeat the same parts, which are read once."""
    part = record.get(name)
    if type(part) not in (dict, list):
        return read(record, path, notes)
    try:
        key = name, orjson.dumps(part)
    except TypeError:  # a number too large for it
        return read(record, path, notes)
    known: dict[tuple[str, bytes], Any] = notes.known
    if key in known:
        return cast("_T", known[key])
    before = len(notes.problems)
    found = read(record, path, notes)
    if len(notes.problems) == before:  # a problem is told at each place
        known[key] = found
    return found


def _tier(record: Record, path: str, notes: Notes, *, is_old_cancer: bool) -> tuple[str, str]:
    tier = notes.word(record, "tier", path, TIERS)
    domain = notes.word(record, "domain", path, DOMAINS)
    if is_old_cancer:
        return "", f"DOMAIN{tier[4:]}" if tier[4:] in ("1", "2", "3", "4") else ""
    return "" if tier == "NONE" else tier, "" if domain == "NONE" else domain


def read_segregation(justification: str) -> str:
    """Return the one pattern that a justification names; models before 6 have no other place for it."""
    found = set(_SEGREGATION.findall(justification)) if justification else set()
    return str(found.pop()) if len(found) == 1 else ""


def _panel(record: Record, path: str, notes: Notes) -> Panel | None:
    if record.get("genePanel") is not None:
        panel, place = notes.record(record, "genePanel", path), join(path, "genePanel")
    elif record.get("panelName") is not None:
        panel, place = record, path
    else:
        return None
    return read_panel(panel, place, notes)


def read_panel(record: Record, path: str, notes: Notes) -> Panel | None:
    """Return a gene panel; None without a name and an identifier."""
    name = notes.text(record, "panelName", path)
    identifier = notes.text(record, spelled(record, "panelIdentifier", "panelId"), path)
    if not name and not identifier:
        return None
    return Panel(name, notes.text(record, "panelVersion", path), identifier, notes.text(record, "source", path))


def _phenotypes(record: Record, path: str, notes: Notes) -> tuple[Term, ...]:
    found = record.get("phenotypes")
    if isinstance(found, dict):
        place = f"{path}.phenotypes"
        terms = []
        for one, at in notes.records(found, "standardPhenotypes", place):
            code, name = notes.text(one, "id", at), notes.text(one, "name", at)
            if code or name:
                terms.append(Term(code, name))
        if found.get("nonStandardPhenotype"):
            terms.extend(term_of(one) for one in notes.texts(found, "nonStandardPhenotype", place) if one)
        return tuple(terms)
    if found is not None:
        return tuple(term_of(one) for one in notes.texts(record, "phenotypes", path) if one)
    text = notes.text(record, "phenotype", path)
    return (term_of(text),) if text else ()


def term_of(text: str) -> Term:
    """Return a phenotype that is written as one text: the code if it is one of HPO, else a name."""
    return Term(text) if HPO.fullmatch(text) else Term("", text)


def _genes(record: Record, path: str, notes: Notes) -> tuple[Gene, ...]:
    if record.get("genomicEntities") is not None:
        return tuple(
            gene
            for one, place in notes.records(record, "genomicEntities", path)
            if one.get("type") == "gene" and (gene := _gene(one, place, notes)) is not None
        )
    name = spelled(record, "genomicFeature", "genomicFeatureCancer")
    if record.get(name) is None:
        return ()
    feature = notes.record(record, name, path)
    gene = _old_gene(feature, join(path, name), notes)
    return () if gene is None else (gene,)


def _gene(record: Record, path: str, notes: Notes) -> Gene | None:
    symbol = notes.text(record, "geneSymbol", path)
    identifier = ""
    for source, value in _other_ids(record):
        if source.upper() != "HGNC":
            continue
        if _HGNC.fullmatch(value):
            identifier = identifier or value
        elif _SYMBOL.fullmatch(value):
            symbol = symbol or value
    ensembl = notes.text(record, "ensemblId", path)
    return Gene(symbol, identifier, ensembl) if symbol or identifier or ensembl else None


def _other_ids(record: Record) -> Iterator[tuple[str, str]]:
    """Yield (source, identifier): a list of objects in model 6, a map before."""
    found = record.get("otherIds")
    if isinstance(found, dict):
        found = [{"source": source, "identifier": value} for source, value in found.items()]
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            source, value = one.get("source"), one.get("identifier")
            if isinstance(source, str) and isinstance(value, str):
                yield source.strip(), value.strip()


def _old_gene(record: Record, path: str, notes: Notes) -> Gene | None:
    """Return the gene of a feature of models before 5, whose ``hgnc`` is a symbol."""
    word = notes.text(record, spelled(record, "geneName", "hgnc", "HGNC"), path)
    is_gene = record.get("featureType") in ("Gene", "gene")
    ensembl = notes.text(record, "ensemblId", path) if is_gene else ""
    if _HGNC.fullmatch(word):
        return Gene("", word, ensembl)
    return Gene(word, "", ensembl) if word or ensembl else None


def _consequences(record: Record, path: str, notes: Notes) -> tuple[Term, ...]:
    name = spelled(record, "variantConsequences", "soTerms")
    found = notes.items(record, name, path)
    names = record.get("soNames")
    terms = []
    for at, one in enumerate(found):
        if isinstance(one, dict):
            code, word = one.get("id"), one.get("name")
        else:  # model 3 has two lists side by side
            code, word = one, names[at] if isinstance(names, list) and at < len(names) else None
        if not isinstance(code, str) or not (word is None or isinstance(word, str)):
            notes.warn(f"{join(path, name)}[{at}]", "Not a valid string.")
            continue
        terms.append(Term(code.strip(), (word or "").strip()))
    return tuple(terms)


def _inherited_consequences(record: Record) -> tuple[Term, ...]:
    """Return the consequences that a variant of models before 5 has beside its events."""
    if "variantCoordinates" in record:
        return ()
    annotations = record.get("additionalTextualVariantAnnotations")
    words = annotations.get("ConsequenceType") if isinstance(annotations, dict) else None
    if not isinstance(words, str):
        return ()
    names = dict.fromkeys(one.strip() for one in words.split(","))
    return tuple(Term(CONSEQUENCES.get(one, ""), one) for one in names if one)


def _significance(record: Record, path: str, notes: Notes) -> str:
    found = record.get("variantClassification")
    if found is None:
        return ""
    if isinstance(found, dict):
        return read_significance(found, "clinicalSignificance", f"{path}.variantClassification", notes)
    return read_significance(record, "variantClassification", path, notes)


def read_significance(record: Record, name: str, path: str, notes: Notes) -> str:
    """Return a significance in the words of model 6; empty where there is none."""
    value = record.get(name)
    if value is None:
        return ""
    word = SIGNIFICANCES.get(value) if isinstance(value, str) else None
    if word is None:
        notes.warn(join(path, name), no_choice(value))
        return ""
    return word


def _acmg(record: Record, path: str, notes: Notes) -> tuple[str, tuple[str, ...]]:
    guideline = record.get("guidelineBasedVariantClassification")
    if guideline is None:
        return "", ()
    place = f"{path}.guidelineBasedVariantClassification"
    found = notes.record(
        notes.record(record, "guidelineBasedVariantClassification", path), "acmgVariantClassification", place
    )
    place += ".acmgVariantClassification"
    codes = [_acmg_code(one, at, notes) for one, at in notes.records(found, "acmgEvidences", place)]
    return read_significance(found, "clinicalSignificance", place, notes), tuple(one for one in codes if one)


def _acmg_code(record: Record, path: str, notes: Notes) -> str:
    """Return PVS1, PM2_supporting: type, weight and number, and how strongly it counts if not by its weight."""
    kind, weight = record.get("type"), record.get("weight")
    modifier = notes.whole(record, "modifier", path)
    if not isinstance(kind, str) or kind not in ACMG_TYPES:
        notes.warn(f"{path}.type", no_choice(kind))
        return ""
    if not isinstance(weight, str) or weight not in ACMG_WEIGHTS or modifier is None:
        notes.warn(f"{path}.weight", no_choice(weight))
        return ""
    code = f"{ACMG_TYPES[kind]}{ACMG_WEIGHTS[weight]}{modifier}"
    strength = notes.word(record, "activationStrength", path, frozenset(ACMG_WEIGHTS))
    return f"{code}_{strength}" if strength and strength != weight else code


def _drug_responses(record: Record, path: str, notes: Notes) -> tuple[DrugResponse, ...]:
    """Return what an event says of treatments: its classification, which names none, and its therapies."""
    return (*_classified_response(record, path, notes), *_therapies(record, path, notes))


def _classified_response(record: Record, path: str, notes: Notes) -> tuple[DrugResponse, ...]:
    classification = record.get("variantClassification")
    if not isinstance(classification, dict) or not classification.get("drugResponseClassification"):
        return ()
    place = f"{path}.variantClassification"
    known = DRUG_RESPONSES | OLD_DRUG_RESPONSES
    response = notes.word(classification, "drugResponseClassification", place, known)
    return (DrugResponse("", response),) if response else ()


def _therapies(record: Record, path: str, notes: Notes) -> tuple[DrugResponse, ...]:
    actions = record.get("actions")
    if not isinstance(actions, dict):  # the actions of models before 6 name no drug response
        return ()
    found = []
    for therapy, place in notes.records(actions, "therapies", f"{path}.actions"):
        conditions = tuple(one for one in notes.texts(therapy, "conditions", place) if one)
        reference = notes.text(therapy, "referenceUrl", place)
        for one, at in notes.records(therapy, "drugResponse", place):
            agent = notes.text(one, spelled(one, "TreatmentAgent", "treatmentAgent"), at)
            response = notes.word(one, "drugResponseClassification", at, DRUG_RESPONSES | OLD_DRUG_RESPONSES)
            if agent:
                found.append(DrugResponse(agent, response, conditions, reference))
    return tuple(found)
