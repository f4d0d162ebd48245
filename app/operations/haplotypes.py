"""Operations on genotypes and haplotypes: of one subject by gene or by name, and counted over all subjects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from re import Match

from pyroaring import BitMap

from app.fhir import codes
from app.fhir.genotype import (
    StatementFacts,
    as_part,
    genotype_concept,
    haplotype_system,
    render_genotype,
    render_haplotype,
)
from app.fhir.observation import counted_parameter, found_parameter, parameters
from app.fhir.parameters import Dialect, OperationInputs
from app.fhir.tokens import Token, is_same_system
from app.operations.context import OperationContext
from app.operations.limits import refuse_too_many
from app.operations.population import counted_items, listed, names_in
from app.operations.query import chosen_genotypes, classes_of_genotypes
from app.operations.resource_ids import study_id
from app.pgx.call_body import decode
from app.pgx.evidence import told_of
from app.store import carriers, genotype_index, genotypes
from app.store.carriers import Shards
from app.store.genotype_index import FoundTerm, TermKind
from app.store.genotypes import FoundName, Genotype, GenotypeName
from app.store.session import Session
from app.variants.allele_names import GL_NAMESPACE, Word, certain_alleles, search_text
from app.variants.hla_reduction import HlaReductions

_HGNC_NUMBER = re.compile(r"[0-9]+")
_MAY_BE = (
    "The typing leaves a choice between alleles, and what was asked for is only one of them: the subject may have it or"
    " not."
)


def find_subject_haplotypes(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-haplotypes``: the genotypes and haplotypes of a subject in each gene."""
    with context.database.read() as session:
        chosen = chosen_genotypes(session, inputs)
    found = [[genotype for genotype in chosen if _is_of_gene(genotype.name, token)] for token in inputs.genes]
    _require_called(context, chain.from_iterable(found))
    refuse_too_many(context, sum(map(len, found)), "genotypes", "genes", mend="ask for fewer genes")
    return parameters(
        [
            found_parameter("haplotypes", "geneItem", _item(token, inputs), _parts(matched, inputs), present=None)
            for token, matched in zip(inputs.genes, found, strict=True)
        ]
    )


def find_subject_specific_haplotypes(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-subject-specific-haplotypes``: whether a subject has each haplotype or genotype."""
    with context.database.read() as session:
        chosen = chosen_genotypes(session, inputs)
    tokens = [token for group in inputs.haplotypes for token in group]
    found = [matching(chosen, token, context.reductions) for token in tokens]
    _require_called(context, chain.from_iterable(found))
    if not all(found):  # that none of them is what was asked for is as much of an answer
        _require_called(context, chosen)
    refuse_too_many(context, sum(map(len, found)), "genotypes", "haplotypes", mend="ask for fewer haplotypes")
    entries = []
    for token, matched in zip(tokens, found, strict=True):
        is_note = inputs.dialect is Dialect.IG and bool(matched) and all(_only_may_be(one, token) for one in matched)
        entries.append(
            found_parameter(
                "haplotypes",
                "haplotypeItem",
                _item(token, inputs),
                _parts(matched, inputs),
                present=bool(matched),
                note=_MAY_BE if is_note else None,
            )
        )
    return parameters(entries)


def _require_called(context: OperationContext, some: Iterable[Genotype]) -> None:
    """Raise ConsentWithheld for what Operon called of somebody who has not agreed to pharmacogenomic findings."""
    called = next((one for one in some if one.called is not None), None)
    if called is not None:
        context.consent.require_pharmacogenomics(called.subject_id)


def find_population_specific_haplotypes(context: OperationContext, inputs: OperationInputs) -> bytes:
    """Answer ``$find-population-specific-haplotypes``.

    One group (a list of alternatives) gives one count an alternative; several groups give the one count of subjects
    that have one of every group. The denominator is the number of all subjects who may be counted
    (``app.operations.consent``).
    """
    groups = inputs.haplotypes
    labels = tuple(tuple(_item(token, inputs) for token in group) for group in groups)
    with context.database.read() as session:
        counting = context.consent.counted(session, pharmacogenomic=True)
        tokens = [token for group in groups for token in group]
        each = _who(session, tokens, inputs, context.reductions, counting.shards)
        items = [(text, counting.of(members)) for text, members in counted_items(labels, each)]
        names = names_in(session, [members for _, members in items]) if inputs.include_patient_list else None
    name, item_name = "haplotypes", "haplotypeItem"
    if inputs.dialect is Dialect.REF and len(groups) == 1:  # so the reference implementation names them
        name, item_name = "variants", "variantItem"
    return parameters(
        [
            counted_parameter(
                name,
                item_name,
                text,
                numerator=carriers.size(members),
                denominator=counting.denominator,
                subjects=listed(members, names) if names is not None else None,
                note=counting.note(inputs),
            )
            for text, members in items
        ]
    )


def read_genotype(context: OperationContext, match: Match[str]) -> bytes | None:
    """Return the genotype or haplotype with an id (``app.fhir.genotype.GENOTYPE_ID``); None if there is none."""
    uid, kind = match.groups()
    with context.database.read() as session:
        genotype = genotypes.with_uid(session, uid)
    if genotype is None:
        return None
    _require_called(context, [genotype])
    haplotypes, resource = rendered_statement(genotype, Dialect.IG)
    if kind == "g":
        return resource.encode()
    number = int(kind[1:])
    return haplotypes[number - 1].encode() if number <= len(haplotypes) else None


def _item(token: Token, inputs: OperationInputs) -> str:
    """Return what the answer calls a token; the reference implementation leaves the system out."""
    return token.code if inputs.dialect is Dialect.REF else token.text


def _is_of_gene(name: GenotypeName, token: Token) -> bool:
    gene_id, symbol = name.gene_id or "", name.gene_symbol or ""
    if token.system is not None:
        code = f"HGNC:{token.code}" if _HGNC_NUMBER.fullmatch(token.code) and token.system else token.code
        return token.system in ("", codes.HGNC) and code == gene_id
    word = token.code.casefold()
    # An identifier is not part of a longer one, and a number alone may be one of anything.
    return word == gene_id.casefold() or word in symbol.casefold()


def matching(chosen: Iterable[Genotype], token: Token, reductions: HlaReductions | None) -> list[Genotype]:
    """Return those genotypes that are what a token asks for."""
    if token.system is not None:
        return [genotype for genotype in chosen if _has_code(genotype.name, token)]
    matches = _matcher(token, reductions)
    return [genotype for genotype in chosen if matches(genotype)]


def _words(token: Token, reductions: HlaReductions | None) -> list[Word]:
    """Return the word of a token, and what it is reduced to if it is an HLA allele."""
    words = [Word(token.code)]
    if reductions is not None and token.system is None and "*" in token.code:
        words += map(Word, reductions.lgx((token.code,)))
    return words


def _matcher(token: Token, reductions: HlaReductions | None) -> Callable[[Genotype | FoundName], bool]:
    """Return what tells whether the text of a genotype has a word."""
    word, *reduced = _words(token, reductions)
    return lambda found: (
        word.is_in(found.search, hla=found.is_hla)
        or (found.is_hla and any(one.is_in(found.search, hla=True) for one in reduced))
    )


def _has_code(name: GenotypeName, token: Token) -> bool:
    return any(
        code == token.code and (token.system == "" or is_same_system(system, token.system or ""))
        for system, code in _codings(name)
    )


def _codings(name: GenotypeName) -> Iterable[tuple[str, str]]:
    """Return (system, code) of the genotype, and of the haplotypes that it is certainly made of."""
    yield name.system, name.code
    system = haplotype_system(name.system, name.code)
    if system is not None:
        for haplotype in certain_alleles(name.code, name.gene_symbol, name.haplotypes):
            yield system, haplotype


def _only_may_be(genotype: Genotype, token: Token) -> bool:
    """Return whether a word was found in some but not all of the alleles that a typing leaves to choose from."""
    name = genotype.name
    alleles = name.hla_alleles or (name.haplotypes if genotype.is_hla else ())
    if token.system is not None or not alleles or certain_alleles(name.code, name.gene_symbol, alleles):
        return False
    word = Word(token.code)
    hits = [word.is_in(search_text(name.gene_symbol, [allele], hla=True), hla=True) for allele in alleles]
    return any(hits) and not all(hits)


def _who(
    session: Session, tokens: Sequence[Token], inputs: OperationInputs, reductions: HlaReductions | None, shards: int
) -> list[Shards]:
    """Return the subjects that have each token, in four statements at the most."""
    classes = None if inputs.source_class is None else classes_of_genotypes(inputs)
    return genotype_index.who(session, names_matching(session, tokens, reductions), classes, shards=shards)


def names_matching(session: Session, tokens: Sequence[Token], reductions: HlaReductions | None) -> list[BitMap]:
    """Return the distinct names that are what each token asks for, in two statements at the most."""
    words = [_words(token, reductions) if token.system is None else [] for token in tokens]
    exact = {token.code for token in tokens if token.system is not None}
    terms = genotype_index.find(session, [word for some in words for word in some], exact)
    found = [
        _coded(terms, token) if token.system is not None else _holding(terms, some)
        for token, some in zip(tokens, words, strict=True)
    ]
    # What is spelled in several pieces has to be looked for in whole texts: those that hold all the pieces.
    unsure = sorted(set().union(*(maybe for _, maybe in found)))
    texts = genotypes.texts_of(session, unsure) if unsure else []
    groups = []
    for token, (sure, maybe) in zip(tokens, found, strict=True):
        matches = _matcher(token, reductions)
        groups.append(sure | BitMap([text.name_id for text in texts if text.name_id in maybe and matches(text)]))
    return groups


def _coded(terms: Iterable[FoundTerm], token: Token) -> tuple[BitMap, BitMap]:
    """Return the names of which ``system|code`` is the genotype or a haplotype, and none that may have it."""
    found = (term.names for term in terms if term.is_code and term.text == token.code and _is_of_system(term, token))
    return BitMap.union(BitMap(), *found), BitMap()


def _is_of_system(term: FoundTerm, token: Token) -> bool:
    system: str | None = term.system
    if term.kind is not TermKind.GENOTYPE:
        system = haplotype_system(term.system, GL_NAMESPACE if term.kind is TermKind.GL_HAPLOTYPE else "")
    return system is not None and (token.system == "" or is_same_system(system, token.system or ""))


def _holding(terms: Iterable[FoundTerm], words: Sequence[Word]) -> tuple[BitMap, BitMap]:
    """Return the names that certainly have one of some words, the first as given, and others that may have it."""
    pieces = [term for term in terms if not term.is_code]
    sure, maybe = BitMap(), BitMap()
    for number, word in enumerate(words):
        # What a word is reduced to is a name of an HLA allele.
        for hla in (False, True) if number == 0 else (True,):
            some = [term for term in pieces if term.is_hla is hla]
            if word.is_one_piece(hla=hla):
                sure |= BitMap.union(BitMap(), *(term.names for term in some if word.is_in(term.text, hla=hla)))
                continue
            for spelling in word.pieces(hla=hla):
                maybe |= BitMap.intersection(*(_with_piece(some, piece) for piece in spelling))
    return sure, maybe - sure


def _with_piece(terms: Iterable[FoundTerm], piece: str) -> BitMap:
    return BitMap.union(BitMap(), *(term.names for term in terms if piece in term.text))


def _parts(matched: Sequence[Genotype], inputs: OperationInputs) -> list[str]:
    """Return the haplotypes of genotypes, and after them the genotypes, as parts of an answer."""
    rendered = [rendered_statement(genotype, inputs.dialect) for genotype in matched]
    haplotypes = [as_part("haplotype", resource) for resources, _ in rendered for resource in resources]
    return [*haplotypes, *(as_part("genotype", resource) for _, resource in rendered)]


def rendered_statement(genotype: Genotype, dialect: Dialect) -> tuple[list[str], str]:
    """Return the haplotypes of a statement and its genotype; the reference implementation has no haplotypes."""
    name = genotype.name
    facts = StatementFacts(
        genotype.uid,
        genotype.subject_id,
        study_id(genotype.subject_id, genotype.test_id),
        genotype.test_date,
        genotype.specimen_id,
        name.gene_id,
        name.gene_symbol,
    )
    certain: tuple[str, ...] = ()
    if dialect is Dialect.IG:
        certain = certain_alleles(name.code, name.gene_symbol, name.haplotypes)
    system = haplotype_system(name.system, name.code)
    haplotypes = [render_haplotype(facts, number, one, system) for number, one in enumerate(certain, 1)]
    concept = genotype_concept(name.system, name.code, name.display)
    notes: list[str] = []
    if dialect is Dialect.IG and genotype.called is not None:
        notes = told_of(decode(genotype.called))
    return haplotypes, render_genotype(facts, concept, haplotypes=len(haplotypes), notes=notes)
