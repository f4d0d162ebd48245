"""The utilities that the reference implementation has beside the operations: where genes lie, what variants are called.

They ask no store: genes, transcripts and sequences of the reference folder answer them. Answers are plain JSON.
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
)
from app.operations.features import describe_chromosome, describe_gene, describe_protein, describe_transcript
from app.operations.interface import Pairs
from app.records import Build
from app.variants.accessions import locate
from app.variants.hgvs_text import genomic_hgvs
from app.variants.hla_reduction import HlaReductions
from app.variants.interval import parse_range
from app.variants.placement import Placement
from app.variants.transcripts import Gene, Transcripts, split_version

FEATURES: Final = ("chromosome", "gene", "transcript", "protein")


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


def _only(name: str, pairs: Pairs) -> str | None:
    """Return the value of a parameter, None if it is missing or empty; raises InvalidValue for several."""
    given = {value.strip() for key, value in pairs if key == name and value.strip()}
    if len(given) > 1:
        raise InvalidValue(f"'{name}' takes one value, not {len(given)}", parameter=name)
    return given.pop() if given else None
