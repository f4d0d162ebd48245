"""What report events say that a variant does: consequences of genes, as an annotation tool would write them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from app.formats import annotation_body
from app.formats.annotations import Annotation
from app.formats.gel import Gene, ReportEvent, Term
from app.variants.consequence_terms import TERMS, impact_of, most_severe_first

TOOL: Final = "Genomics England"
_BY_CODE: Final = MappingProxyType({term.accession: name for name, term in TERMS.items()})


def body_of(events: Sequence[ReportEvent]) -> str | None:
    """Return the text of the consequences that events state; None where they state none that is known."""
    wanted = dict.fromkeys((event.genes, event.consequences) for event in events if event.consequences)
    return _encoded(tuple(wanted)) if wanted else None


@lru_cache(maxsize=65_536)
def _encoded(wanted: tuple[tuple[tuple[Gene, ...], tuple[Term, ...]], ...]) -> str | None:
    found = []
    for genes, consequences in wanted:
        terms = most_severe_first({name for term in consequences if (name := _name(term)) is not None})
        if terms:
            for gene in genes or (None,):
                found.append(_annotation(gene, terms))
    return annotation_body.encode(found) if found else None


def _annotation(gene: Gene | None, terms: tuple[str, ...]) -> Annotation:
    return Annotation(
        tool=TOOL,
        terms=terms,
        impact=impact_of(terms),
        gene=gene.symbol or None if gene is not None else None,
        hgnc=gene.hgnc or None if gene is not None else None,
        transcript=None,
        mane=None,
        coding=None,
        protein_accession=None,
        protein=None,
    )


def _name(term: Term) -> str | None:
    """Return the name of a term in the Sequence Ontology; models leave its ending out at times."""
    if term.code in _BY_CODE:
        return _BY_CODE[term.code]
    return next((name for name in (term.name, f"{term.name}_variant") if name in TERMS), None)
