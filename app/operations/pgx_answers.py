"""The answers of the pharmacogenetic API that laboratories' clients know, as JSON values in their order of keys.

The spellings are those of the original, oddities included; docs/reference/abomics-api.md says where it is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import Any, Final

from app.errors import DrugNotFound
from app.formats.pgx import Drug
from app.operations.pgx import ActivePgx, PgxProfile
from app.operations.pgx_advising import Outcome, advice_on, named, outcomes_of
from app.operations.pgx_report import Cited, GeneAdvice, GeneResult, NamedDrug, PgxReport, SnpResult
from app.operations.pgx_reporting import gene_text, notes_of, whole_date
from app.pgx.grades import SEVERITY, genetic_flag
from app.pgx.locales import Locale
from app.pgx.texts import ENGLISH, Delivered

DRUG_TYPES: Final = ("substance", "tradename", "inn", "vnr")
PATIENT_DRUG_TYPES: Final = ("substance", "tradename", "inn")
_CITED: Final = tuple(field.name for field in fields(Cited))


def find_drug(active: ActivePgx, kind: str, term: str, locale: Locale) -> Drug:
    """Return the drug with a name of one kind.

    Raises:
        DrugNotFound: there is none.
    """
    drug = active.drugs.by_name(kind, term.strip(), locale.country)
    if drug is None:
        raise DrugNotFound(kind, [term])
    return drug


def classification(active: ActivePgx, drug: Drug, locale: Locale) -> dict[str, Any]:
    """Return whether genes matter for a drug."""
    return _drug(named(active, drug, locale.language)) | {"genetic_flag": genetic_flag(active.content, drug)}


def recommendation(active: ActivePgx, drug: Drug, locale: Locale) -> dict[str, Any]:
    """Return what is advised on a drug for every result of its genes."""
    called = named(active, drug, locale.language)
    return {
        "inn": called.inn,
        "active_ingredient_ids": [{"type": "rxnorm", "id": int(drug.rxnorm)}] if drug.rxnorm.isdecimal() else [],
        "name": _name(called.name),
        "atc_codes": list(drug.atc),
        "recommendations": {
            gene: [_outcome(outcome) for outcome in outcomes]
            for gene, outcomes in outcomes_of(active, drug, locale.language).items()
        },
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    advice = outcome.advice
    return {
        "phenotype_code": advice.phenotype_code,
        "phenotype_name": _coded(advice),
        # Two scores of one phenotype may lead to different advice.
        **({"activity_score": advice.activity_score} if outcome.is_scored else {}),
        "recom_grade": advice.grade,
        "text": _text(advice.text),
        "sources": _cited(advice.sources),
    }


@dataclass(frozen=True, slots=True)
class Access:
    """Where the report can be read, and the PIN that opens it."""

    url: str
    pin: str


def report(made: PgxReport, access: Access | None, *, snp_object: bool = False) -> dict[str, Any]:
    """Return the report of a person; where it can be read is part of it only from version 3 on."""
    return {
        "summary": _summary(made, access),
        "drugs": [_drug(advice.drug) | {"genetic_flag": advice.grade} for advice in made.drugs if advice.grade != "NA"],
        "results": [_result(result) for result in made.results],
        "recommendations": [
            _drug(advice.drug) | {"genes": {gene: [_reported(one)] for gene, one in advice.genes.items()}}
            for advice in made.drugs
        ],
        "snp_data": _snp_data(made.snps, snp_object=snp_object),
    }


def _summary(made: PgxReport, access: Access | None) -> dict[str, Any]:
    members = {
        "test_date": made.test_date,
        "sample_id": made.sample_id,
        "cust_sample_id": made.cust_sample_id,
        "test_provider": made.test_provider,
        "birthday": made.birthday,
        "gender": made.gender,
        "significant_drugs": len(made.significant_drugs),
        "significant_genes": list(made.significant_genes),
        "genes": len(made.results),
        "url": access.url if access is not None else None,
        "pin_code": access.pin if access is not None else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _result(result: GeneResult) -> dict[str, Any]:
    return {
        "gene": result.gene,
        "genotype": result.genotype,
        "phenotype": result.phenotype_code,
        "phenotype_name": result.phenotype_name.text,
        "description": _description(result),
        "snp_count": {"analyzed": result.analyzed, "total": result.total},
    }


def _description(result: GeneResult) -> str:
    """Return what a gene does, and in sentences of their own what has to be known of its result."""
    return _with_notes(result.description.text, result.notes)


def _with_notes(description: str, notes: Sequence[str]) -> str:
    return " ".join(map(_sentence, filter(None, (description, *notes)))) if notes else description


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _reported(advice: GeneAdvice) -> dict[str, Any]:
    return {
        "phenotype_code": advice.phenotype_code,
        "phenotype_name": _coded(advice),
        "activity_score": advice.activity_score,
        "recom_grade": advice.grade,
        "text": _text(advice.text),
        "sources": _cited(advice.sources),
    }


def _snp_data(snps: Sequence[SnpResult], *, snp_object: bool) -> Any:
    entries = [{"rs": one.rs, "genotype": one.genotype, "assay": one.assay, "gene": one.gene} for one in snps]
    if snp_object:
        return entries[0] if entries else {}
    return entries


def report_summary(active: ActivePgx, access: Access, locale: Locale) -> tuple[dict[str, Any], str]:
    """Return where a report can be read, in a sentence and as values, and the language of the sentence."""
    text = active.texts.text("summary", locale.language, url=access.url, pin=access.pin)
    return {"summary": text.text, "login_url": access.url, "pin_code": access.pin}, text.language


def patient_recommendation(
    active: ActivePgx, profile: PgxProfile, drug: Drug, locale: Locale, *, gene_detail: bool
) -> dict[str, Any]:
    """Return what is advised on a drug for a person, by gene; nothing if no gene of the drug was tested."""
    advice = advice_on(active, profile, drug, locale.language)
    if advice is None:
        return {}
    return {gene: _because(active, profile, one, locale, gene_detail=gene_detail) for gene, one in advice.genes.items()}


def _because(
    active: ActivePgx, profile: PgxProfile, advice: GeneAdvice, locale: Locale, *, gene_detail: bool
) -> dict[str, Any]:
    if not gene_detail:
        return {"recom_grade": advice.grade, "text": _text(advice.text), "sources": _cited(advice.sources)}
    return {
        "recom_grade": advice.grade,
        **_detail(advice),
        "text": _text(advice.text),
        "gene_text": _gene_text(active, profile, advice.gene, locale),
        "sources": _cited(advice.sources),
    }


def _detail(advice: GeneAdvice) -> dict[str, Any]:
    date = whole_date(advice.test_date)
    return {
        **({"test_date": date} if date is not None else {}),
        "phenotype_code": advice.phenotype_code,
        "phenotype_name": _coded(advice),
        "activity_score": advice.activity_score,
    }


def multi_substance(
    active: ActivePgx, profile: PgxProfile, terms: Sequence[str], locale: Locale, *, gene_detail: bool
) -> list[dict[str, Any]]:
    """Return what is advised on several substances for a person: those with one grade because of one gene together.

    Raises:
        DrugNotFound: it names every term that is no substance.
    """
    asked = list(dict.fromkeys(terms))
    drugs = {term: active.drugs.by_name("substance", term.strip(), locale.country) for term in asked}
    missing = [term for term, drug in drugs.items() if drug is None]
    if missing:
        raise DrugNotFound("substance", missing, several=True)
    groups: dict[str, dict[str, list[tuple[str, GeneAdvice]]]] = {}
    for term, drug in drugs.items():
        advice = advice_on(active, profile, drug, locale.language) if drug is not None else None
        for gene, one in advice.genes.items() if advice is not None else ():
            groups.setdefault(gene, {}).setdefault(one.grade, []).append((term, one))

    def in_english(term: str, gene: str) -> GeneAdvice | None:
        drug = drugs[term]
        advice = advice_on(active, profile, drug, ENGLISH) if drug is not None else None
        return advice.genes.get(gene) if advice is not None else None

    return [
        _group(active, profile, _in_one_language(members, in_english), locale, gene_detail=gene_detail)
        for grades in groups.values()
        for _, members in sorted(grades.items(), key=lambda item: SEVERITY.index(item[0]))
    ]


def _in_one_language(
    members: Sequence[tuple[str, GeneAdvice]], in_english: Callable[[str, str], GeneAdvice | None]
) -> Sequence[tuple[str, GeneAdvice]]:
    """Return the members of a group with texts that can be joined: one text has one language."""
    if len({advice.text.language for _, advice in members}) == 1:
        return members
    found = [(term, advice, in_english(term, advice.gene)) for term, advice in members]
    return [(term, replace(advice, text=other.text) if other is not None else advice) for term, advice, other in found]


def _group(
    active: ActivePgx,
    profile: PgxProfile,
    members: Sequence[tuple[str, GeneAdvice]],
    locale: Locale,
    *,
    gene_detail: bool,
) -> dict[str, Any]:
    substances, first = [term for term, _ in members], members[0][1]
    head = {"gene": first.gene, "recom_grade": first.grade}
    text = _text(_together(members))
    sources = _cited(dict.fromkeys(one for _, advice in members for one in advice.sources))
    if not gene_detail:
        return {**head, "affected_substances": substances, "text": text, "sources": sources}
    return {
        **head,
        **_detail(first),
        # Clients of this variant read the key with a space; the other spelling is for everybody else.
        "affected substances": substances,
        "affected_substances": substances,
        "text": text,
        "gene_text": _gene_text(active, profile, first.gene, locale),
        "sources": sources,
    }


def _together(members: Sequence[tuple[str, GeneAdvice]]) -> Delivered:
    """Return the text of a group; where it is not one, each with its substance."""
    texts = [advice.text for _, advice in members]
    if len(set(texts)) == 1:
        return texts[0]
    parts = [f"{term}: {advice.text.text}" for term, advice in members]
    return Delivered("\n\n".join(parts), texts[0].language)


def _cited(sources: Iterable[Cited]) -> list[dict[str, str]]:
    """Return whose words a text is; not a key of the original."""
    return [{name: value for name, value in zip(_CITED, astuple(one), strict=True) if value} for one in sources]


def _gene_text(active: ActivePgx, profile: PgxProfile, symbol: str, locale: Locale) -> dict[str, str]:
    """Return what a gene does, and what has to be known of the result: also why a grade is B instead of A.

    Notes are English, and one text has one language.
    """
    call = profile.calls.get(symbol)
    notes = notes_of(call) if call is not None else ()
    described = gene_text(active, active.content.gene(symbol), ENGLISH if notes else locale.language)
    return _text(replace(described, text=_with_notes(described.text, notes)))


def _coded(advice: GeneAdvice) -> str:
    return f"{advice.phenotype_code} {advice.phenotype_name.text}"


def _drug(called: NamedDrug) -> dict[str, Any]:
    return {"inn": called.inn, "name": _name(called.name)}


def _name(text: Delivered) -> dict[str, str]:
    return {"language": text.language, "name": text.text}


def _text(text: Delivered) -> dict[str, str]:
    return {"language": text.language, "text": text.text}


def languages_of(value: Any) -> list[str]:
    """Return the languages that the texts of an answer are in, in their order."""
    return list(dict.fromkeys(one["language"] for one in _objects(value) if "language" in one))


def source_names(value: Any) -> list[str]:
    """Return the names of the sources of an answer, in their order."""
    return list(dict.fromkeys(source["name"] for one in _objects(value) for source in one.get("sources", ())))


def without_sources(value: Any) -> Any:
    """Return an answer with the keys of the original alone."""
    if isinstance(value, dict):
        return {name: without_sources(member) for name, member in value.items() if name != "sources"}
    return [without_sources(one) for one in value] if isinstance(value, list) else value


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for member in value.values():
            yield from _objects(member)
    elif isinstance(value, list):
        for member in value:
            yield from _objects(member)
