"""Sentences of CDS cards: results, recommendations and what both rest on, as GitHub-flavoured Markdown.

Whatever is said about a drug is the guideline's own sentence or the name of its grade; nothing clinical is worded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.formats.pgx import Drug, Method
from app.operations.pgx import ActivePgx, PgxResult
from app.pgx.advice import Advice
from app.pgx.calls import CallMethod, CallStatus, GeneCall

LONGEST_SUMMARY = 139
_ENGLISH = "en"
_MOST_NAMED = 8
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s+(?=[A-Z])|$)", re.DOTALL)
_DEVIATION = re.compile(
    r"\b(?:avoid|not|reduced?|decreased?|increased?|lower|higher|alternatives?|contraindicated)\b", re.IGNORECASE
)
"""Words by which a sentence asks for something else than usual dosing"""
_METHODS = {
    CallMethod.MATCHER: "named alleles called from variants",
    CallMethod.SNV_ONLY: "named alleles called from small variants alone; copy number not assessed",
    CallMethod.OUTSIDE: "genotype reported by a laboratory",
}


def escaped(text: str) -> str:
    """Return a text so that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def has_result(call: GeneCall | None) -> bool:
    """Return whether anything was called."""
    return call is not None and call.has_result


def genotype_of(call: GeneCall) -> str:
    """Return the genotype of a call as it is written, every possible one of an ambiguous call."""
    return " or ".join(_few(call.genotypes))


def result_of(active: ActivePgx, call: GeneCall, *, with_genotype: bool, status: str = "") -> str:
    """Return a result in a few words: ``CYP2C19 Poor Metabolizer (*2/*2)``.

    ``status`` is the one that matters where a gene has one for each allele.
    """
    result = status or call.phenotype
    phenotype = active.texts.phenotype_name(result, _ENGLISH).text if result else ""
    genotype = "" if status else genotype_of(call)
    name = call.gene + ("" if phenotype.startswith("*") else " ") + phenotype if phenotype else call.gene
    if not genotype or genotype in name or not with_genotype:
        return name if phenotype else f"{call.gene} {genotype}".strip()
    return f"{name} ({genotype})" if phenotype else f"{name} {genotype}"


def results_of(active: ActivePgx, advice: Advice, *, with_genotype: bool) -> list[str]:
    """Return the results that led to the grade, in a few words each."""
    return [
        result_of(active, advice.calls[gene], with_genotype=with_genotype, status=_status(active, advice, gene))
        for gene in deciding(advice)
    ]


def _status(active: ActivePgx, advice: Advice, gene: str) -> str:
    """Return the allele status that the guideline asked for; empty for a gene that has none."""
    known = active.content.gene(gene)
    if known is None or known.method is not Method.ALLELE_STATUS:
        return ""
    return next((one.lookup[gene] for one in advice.recommendations if gene in one.lookup), "")


def drug_name(drug: Drug) -> str:
    """Return the name of a drug for people: its international one."""
    return drug.name[:1].upper() + drug.name[1:]


# --- summary ----------------------------------------------------------------------------------------------------------


def summary_of(active: ActivePgx, advice: Advice) -> str:
    """Return one line of less than 140 characters: drug, results, and what the guideline says, as far as it fits.

    The guideline's sentence is given where it is told to everybody and fits whole: half a sentence could say the
    opposite. Else the grade is named.
    """
    drug = drug_name(advice.drug)
    results = [" and ".join(results_of(active, advice, with_genotype=genotype)) for genotype in (True, False)]
    results.append(", ".join(deciding(advice)))
    sayings = [*_opening(advice), grade_text(active, advice.grade).partition(";")[0]]
    for saying in filter(None, sayings):
        for result in results:
            line = f"{drug}: {result} – {saying[:1].lower() + saying[1:] if saying[1:2].islower() else saying}"
            if len(line.rstrip(".")) <= LONGEST_SUMMARY:
                return line.rstrip(".")
    return shortened(f"{drug}: {results[-1]}")


def shortened(text: str) -> str:
    """Return a text that is no longer than a summary may be."""
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 1].rstrip() + "…"


def deciding(advice: Advice) -> Sequence[str]:
    """Return the genes whose results led to the grade."""
    return [gene for gene in advice.deciding if has_result(advice.calls.get(gene))]


def grade_text(active: ActivePgx, grade: str) -> str:
    """Return what a grade means."""
    return active.texts.text(f"grade.{grade}", _ENGLISH).text


def _opening(advice: Advice) -> Iterable[str]:
    """Yield what all recommendations begin with, longest first, "…" where more follows; nothing where they differ.

    A beginning that asks for nothing unusual is left out: what matters comes later.
    """
    texts = {" ".join(one.text.split()) for one in advice.recommendations}
    if len(texts) != 1:
        return
    text = texts.pop()
    yield text
    match = _SENTENCE.match(text)
    sentence = match[1] if match else text
    # What comes after "followed by" is done later and takes nothing back.
    for part in dict.fromkeys((sentence, sentence.partition(" followed by ")[0])):
        if part != text and advice.grade in ("C", "D") and _DEVIATION.search(part):
            yield f"{part} …"


# --- detail -----------------------------------------------------------------------------------------------------------


def detail_of(active: ActivePgx, advice: Advice, results: dict[str, PgxResult]) -> str:
    """Return results, recommendations, what they rest on and what they lack."""
    blocks = []
    for gene in advice.genes:
        if gene in results and has_result(results[gene].call):
            blocks.append(gene_block(active, results[gene], _implication(advice, gene)))
    if advice.recommendations:
        blocks.append("\n".join(_recommendations(active, advice)))
    if missing := [gene for gene in advice.genes if not has_result(advice.calls.get(gene))]:
        blocks.append(f"No result: {escaped(', '.join(missing))}.")
    blocks.append(footer(active, _sources(advice)))
    return "\n\n".join(blocks)


def footer(active: ActivePgx, sources: str) -> str:
    """Return what a card rests on, and what it is not."""
    disclaimer = active.texts.text("disclaimer", _ENGLISH).text
    return f"{sources}Knowledge: {escaped(active.release or 'none')}. {escaped(disclaimer)}"


def gene_block(active: ActivePgx, result: PgxResult, implication: str = "") -> str:
    """Return the result of a gene, what it means, and what it rests on."""
    call = result.call
    phenotype = active.texts.phenotype_name(call.phenotype, _ENGLISH).text if call.phenotype else ""
    head = " – ".join(filter(None, (f"{call.gene} {genotype_of(call)}".strip(), phenotype)))
    lines = [f"**{escaped(head)}.**"]
    if implication:
        lines.append(escaped(implication))
    if call.activity:
        lines.append(f"Activity score: {escaped(call.activity)}.")
    return " ".join(filter(None, lines)) + "\n" + " ".join(_basis(result))


def _implication(advice: Advice, gene: str) -> str:
    """Return the sentence of the guideline on what a result means for the drug."""
    return next((one.implications[gene] for one in advice.recommendations if one.implications.get(gene)), "")


def _basis(result: PgxResult) -> Iterable[str]:
    """Yield what the result of a gene rests on: test, method, definitions, and what was not looked at."""
    call = result.call
    tested = f"of {escaped(result.test_date)}" if result.test_date else "without a date"
    yield f"Test {escaped(result.test_id)} {tested};"
    yield f"{_METHODS[call.method]};"
    yield f"definitions: {escaped(call.release or 'not stated')}."
    if call.copy_number is not None:
        yield f"Copy number: {call.copy_number}."
    if call.status is CallStatus.AMBIGUOUS:
        yield "Several genotypes fit equally well."
    elif call.alternatives:
        yield f"Other genotypes that fit: {escaped(', '.join(_few([one.text for one in call.alternatives])))}."
    if call.missing:
        yield f"No data at {len(call.missing)} of {call.total_positions or '?'} positions."
    if call.uncallable:
        yield f"Not ruled out: {escaped(', '.join(_few(call.uncallable)))}."
    if call.undocumented:
        yield f"Undocumented alleles at {escaped(', '.join(_few(call.undocumented)))}."
    for warned in call.warnings:
        yield escaped(warned.text.rstrip(".")) + "."


def _recommendations(active: ActivePgx, advice: Advice) -> Iterable[str]:
    for one in advice.recommendations:
        strength = ", ".join(filter(None, (one.source, one.classification)))
        where = f"{one.population} ({strength})" if one.population else strength
        yield f"- {escaped(where)}: {escaped(active.texts.recommendation(one, _ENGLISH).text)}"


def _sources(advice: Advice) -> str:
    named = dict.fromkeys(one.guideline or f"{one.source} guideline" for one in advice.recommendations)
    return f"Source: {escaped('; '.join(named))}. " if named else ""


def _few(names: Sequence[str]) -> list[str]:
    """Return some names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return [*names[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
