"""The utilities of the HL7 reference implementation: plain JSON below ``/utilities``, by GET and HEAD.

https://github.com/FHIR/genomics-operations describes them; its clients ask them for the range of a gene first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.api.answers import answer_json
from app.api.query import parse_query
from app.api.scope import OPERATION, ROUTE
from app.api.server import Server
from app.operations.interface import Context, Pairs


@dataclass(frozen=True, slots=True)
class UtilityParameter:
    """A parameter of a utility, as it is described."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Utility:
    """A utility: how it is described, and what answers it."""

    name: str
    summary: str
    description: str
    required: bool
    parameters: tuple[UtilityParameter, ...]
    ask: Callable[[Context, Pairs], Any]
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Errors beside those of every utility: status and when it is given"""

    @property
    def path(self) -> str:
        """Return the path that it is served at."""
        return f"/utilities/{self.name}"


UTILITIES: Final = (
    Utility(
        "get-feature-coordinates",
        "Where a chromosome, gene, transcript or protein lies",
        "Give exactly one parameter. Ranges are zero-based and half-open, on both builds; what is not known is left "
        "out, and an unknown name gives an empty list.",
        required=False,
        parameters=(
            UtilityParameter("gene", "Any symbol of a gene, or its HGNC identifier.", "BRCA1"),
            UtilityParameter("chromosome", "`chr1` to `chr22`, `chrX`, `chrY`, `chrM`.", "chr7"),
            UtilityParameter("transcript", "An accession; the newest known version is told.", "NM_007294.4"),
            UtilityParameter("protein", "An accession; the newest known version is told.", "NP_009225.1"),
        ),
        ask=lambda context, pairs: context.feature_coordinates(pairs),
    ),
    Utility(
        "find-the-gene",
        "The genes of a range",
        "Genes that share a base with a zero-based, half-open range on either build; an empty range is its base.",
        required=True,
        parameters=(UtilityParameter("range", "`RefSeq:start-end`", "NC_000001.11:11794399-11794400"),),
        ask=lambda context, pairs: context.find_the_gene(pairs),
    ),
    Utility(
        "normalize-variant",
        "SPDI and HGVS of a variant on both builds",
        "An empty text stands for a build on which the variant has no place.",
        required=True,
        parameters=(UtilityParameter("variant", "SPDI or HGVS.", "NM_007294.4:c.5266dup"),),
        ask=lambda context, pairs: context.normalize_variant(pairs),
    ),
    Utility(
        "normalize-hla",
        "Reductions of an HLA allele",
        "G and P groups, lg, lgx, W, exon, U2 and S, by py-ard where the server has it.",
        required=True,
        parameters=(UtilityParameter("allele", "An allele, a serological name or a multiple allele code.", "B14"),),
        ask=lambda context, pairs: context.normalize_hla(pairs),
        refusals={"422": "The name cannot be reduced.", "501": "The server has no py-ard, or no database of it."},
    ),
    Utility(
        "translate-terminology",
        "Counterparts of a code in other systems",
        "RxNorm is translated to NCIt, SNOMED CT and ICD-10 to the Disease Ontology and then MedGen, by the maps that "
        "were loaded. A match means the same as the code, or is narrower.",
        required=True,
        parameters=(
            UtilityParameter("codeSystem", "URI of RxNorm, SNOMED CT, ICD-10 or ICD-10-CM.", "http://snomed.info/sct"),
            UtilityParameter("code", "The code; dots and case of an ICD-10 code do not count.", "254637007"),
        ),
        ask=lambda context, pairs: context.translate_terminology(pairs),
        refusals={"501": "No map of the code system is loaded.", "503": "The store cannot be reached."},
    ),
)


def routes(server: Server) -> list[BaseRoute]:
    """Return a route for each utility."""
    return [_route(server, utility) for utility in UTILITIES]


def _route(server: Server, utility: Utility) -> Route:
    async def answer(request: Request) -> Response:
        scope = request.scope
        scope[OPERATION], scope[ROUTE] = utility.name, utility.path
        context = server.opened()
        pairs = parse_query(scope["query_string"])
        value = await server.run(lambda: utility.ask(context, pairs))
        return answer_json(scope, value)

    return Route(utility.path, answer)
