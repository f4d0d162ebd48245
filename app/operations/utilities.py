"""The utilities that the reference implementation has beside the operations: where genes lie, what variants are called.

Genes, transcripts and sequences of the reference folder answer them, and the store where codes are translated. Answers
are plain JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from app.errors import (
    ForbiddenCombination,
    InvalidInput,
    InvalidValue,
    MissingParameter,
    NotInstalled,
    UnreadableVariant,
    quoted,
)
from app.fhir import codes
from app.fhir.tokens import canonical_system
from app.formats.code_systems import canonical_code
from app.formats.terminology import LONGEST_CODE
from app.operations.conditions import counterparts, is_mapped
from app.operations.features import describe_chromosome, describe_gene, describe_protein, describe_transcript
from app.operations.interface import Pairs
from app.records import Build
from app.store import terminology
from app.store.session import Session
from app.variants.accessions import locate
from app.variants.hgvs_text import genomic_hgvs
from app.variants.hla_reduction import HlaReductions
from app.variants.interval import parse_range
from app.variants.placement import Placement
from app.variants.transcripts import Gene, Transcripts, split_version

FEATURES: Final = ("chromosome", "gene", "transcript", "protein")

_DISEASES: Final = (codes.DISEASE_ONTOLOGY, codes.MEDGEN)
_TRANSLATED: Final = {
    codes.RXNORM: (codes.NCIT,),
    codes.SNOMED: _DISEASES,
    codes.ICD_10: _DISEASES,
    codes.ICD_10_CM: _DISEASES,
}
"""Systems that a code is translated from, and to, in the order of the answer"""


def feature_coordinates(pairs: Pairs, transcripts: Transcripts) -> Any:
    """Return the chromosome, gene, transcript or protein that the one parameter names; an empty list if unknown.

    Raises MissingParameter without a parameter, ForbiddenCombination for more than one or for a list.
    """
    given = [(name, value.strip()) for name, value in pairs if name in FEATURES and value.strip()]
    if not given:
        raise MissingParameter("gene", "You must provide one parameter.")
    if len(given) > 1 or "," in given[0][1]:
        raise ForbiddenCombination("Only one argument can be suuplied", parameter=given[-1][0])
    [(name, value)] = given
    match name:
        case "chromosome":
            return describe_chromosome(value) or []
        case "gene":
            wanted = f"HGNC:{value}" if value.isascii() and value.isdigit() else value
            return [describe_gene(gene, transcripts) for gene in transcripts.genes_named(wanted)]
        case "transcript":
            versions = transcripts.versions(split_version(value.upper())[0])
            found = transcripts.get(versions[-1]) if versions else None
            return [describe_transcript(found)] if found else []
        case _:
            protein = transcripts.protein(split_version(value.upper())[0])
            return describe_protein(protein) if protein else []


def find_the_gene(pairs: Pairs, transcripts: Transcripts) -> Any:
    """Return the genes that share a base with a range, by place.

    Raises MissingParameter, and what ``parse_range`` raises.
    """
    text = _only("range", pairs)
    if text is None:
        raise MissingParameter("range", "Range is required.")
    asked = parse_range(text, parameter="range")
    contig, builds = locate(asked.ref_seq)
    found: dict[Gene, None] = {}
    for build in sorted(builds, reverse=True):  # the mitochondrial genome is of both
        found |= dict.fromkeys(transcripts.genes_overlapping(build, contig, asked.start, asked.end))
    return [describe_gene(gene, transcripts) for gene in found]


def normalize_variant(pairs: Pairs, identify: Callable[[str], Placement]) -> Any:
    """Return SPDI and HGVS of a variant on both builds, an empty text where it has no place or no name.

    Raises MissingParameter, InvalidInput for what is no variant, CannotNormalize with the reason.
    """
    text = _only("variant", pairs)
    if text is None:
        raise MissingParameter("variant")
    try:
        placement = identify(text)
    except UnreadableVariant:
        raise InvalidInput("Unrecognized variant syntax.", parameter="variant") from None
    except InvalidInput as error:
        error.parameter = "variant"
        raise
    spdis = {"b37": placement.on(Build.GRCH37), "b38": placement.on(Build.GRCH38)}
    names = {build: genomic_hgvs(spdi) if spdi else None for build, spdi in spdis.items()}
    return {
        **{f"{build}SPDI": str(spdi or "") for build, spdi in spdis.items()},
        **{f"{build}HGVS": name or "" for build, name in names.items()},
    }


def normalize_hla(pairs: Pairs, reductions: HlaReductions | None, described: str) -> Any:
    """Return every reduction of an HLA name, by the name.

    Raises MissingParameter, NotReduced for what is no such name, NotInstalled without py-ard and its database.
    """
    name = _only("allele", pairs)
    if name is None:
        raise MissingParameter("allele")
    if reductions is None:
        raise NotInstalled(f"HLA names cannot be reduced here: {described}", parameter="allele")
    return {name: reductions.every(name)}


def translate_terminology(pairs: Pairs, session: Session) -> Any:
    """Return the counterparts of a code of RxNorm in NCIt, of SNOMED CT or ICD-10 in the Disease Ontology, then MedGen.

    Raises MissingParameter, InvalidValue for another system or no code, NotInstalled where no map of it is loaded.
    """
    given, code = _only("codeSystem", pairs), _only("code", pairs)
    if given is None or code is None:
        raise MissingParameter("codeSystem" if given is None else "code")
    system = canonical_system(given)
    targets = _TRANSLATED.get(system)
    if targets is None:
        known = ", ".join(_TRANSLATED)
        raise InvalidValue(f"'codeSystem' is one of {known}, not {quoted(given)}", parameter="codeSystem")
    if len(code) > LONGEST_CODE or not code.isprintable():
        raise InvalidValue(f"'code' is no code: {quoted(code)!r}", parameter="code")
    covered = terminology.coverage(session)
    if not any(is_mapped(system, target, covered) for target in targets):
        raise NotInstalled(
            f"Codes of {system} cannot be translated here: no map is loaded (operon terminology load)",
            parameter="codeSystem",
        )
    asked = (system, canonical_code(system, code))
    found = [one for one in counterparts(session, [asked], targets, covered)[asked] if one.equivalence.is_within]
    answer = []
    for target in targets:
        matches = [one for one in found if one.system == target]
        answer += [_translated("match found", target, one.code, one.display) for one in matches]
        if not matches:
            is_loaded = is_mapped(system, target, covered)
            answer.append(_translated("no match found" if is_loaded else "no map loaded", target))
    return answer


def _translated(outcome: str, system: str, code: str = "", display: str = "") -> dict[str, str]:
    return {"outcome": outcome, "code": code, "system": system, "display": display}


def _only(name: str, pairs: Pairs) -> str | None:
    """Return the value of a parameter, None if it is missing or empty; raises InvalidValue for several."""
    given = {value.strip() for key, value in pairs if key == name and value.strip()}
    if len(given) > 1:
        raise InvalidValue(f"'{name}' takes one value, not {len(given)}", parameter=name)
    return given.pop() if given else None
