"""What a clinical report of a case says, in the order in which people read it; of any model version.

Words are those of the document. Nothing is worked out and nothing is left out: what has no place of its own is shown
with the names of its fields.

>>> label("caseSolvedFamily")
'Case solved family'
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.formats.gel_values import object_of

_DEEPEST: Final = 8
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")

_SMALL = ("variants", "candidateVariants")
_STRUCTURAL = ("structuralVariants", "candidateStructuralVariants")
_KINDS: Final = (
    ("Small variants", _SMALL),
    ("Structural variants", _STRUCTURAL),
    ("Chromosomal rearrangements", ("chromosomalRearrangements",)),
    ("Short tandem repeats", ("shortTandemRepeats",)),
)
_PLAIN_KINDS: Final = (("Uniparental disomies", "uniparentalDisomies"), ("Karyotypes", "karyotypes"))
_CALLS = ("variantCalls", "calledGenotypes")
_HEAD = ("interpretationRequestId", "InterpretationRequestID", "interpretationRequestVersion", "reportingDate", "user")
_PLACED = frozenset(
    (
        *_HEAD,
        "genomicInterpretation",
        "additionalAnalysisPanels",
        "references",
        "supportingEvidence",
        "referenceDatabasesVersions",
        "softwareVersions",
        *(name for _, names in _KINDS for name in names),
        *(name for _, name in _PLAIN_KINDS),
    )
)


@dataclass(frozen=True, slots=True)
class Node:
    """A value as it is nested: a text, a list, or fields with their names."""

    text: str = ""
    items: tuple[Node, ...] = ()
    fields: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What one sample has."""

    participant: str
    sample: str
    zygosity: str
    depth: str
    frequency: str
    copies: str
    origins: str


@dataclass(frozen=True, slots=True)
class Event:
    """Why a variant is reported."""

    genes: str
    consequences: str
    panel: str
    inheritance: str
    tier: str
    classification: str
    more: Node


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a report."""

    name: str
    calls: tuple[Call, ...]
    events: tuple[Event, ...]
    more: Node

    @property
    def genes(self) -> str:
        """Return the genes of every event, each once."""
        return _joined(event.genes for event in self.events)

    @property
    def tiers(self) -> str:
        """Return the tiers or domains of every event, each once."""
        return _joined(event.tier for event in self.events)

    @property
    def classifications(self) -> str:
        """Return the classifications of every event, each once."""
        return _joined(event.classification for event in self.events)


@dataclass(frozen=True, slots=True)
class Section:
    """The variants of one kind; None where the report says nothing of the kind at all."""

    title: str
    variants: tuple[Variant, ...] | None


@dataclass(frozen=True, slots=True)
class ReportView:
    """A clinical report."""

    case: str
    version: str
    facts: tuple[tuple[str, str], ...]
    interpretation: str
    sections: tuple[Section, ...]
    findings: tuple[tuple[str, Node | None], ...]
    panels: tuple[Node, ...]
    references: tuple[str, ...]
    databases: tuple[tuple[str, str], ...]
    software: tuple[tuple[str, str], ...]
    questionnaire: Node | None
    questionnaire_facts: tuple[tuple[str, str], ...]
    further: Node


def view(detail: Mapping[str, Any], wrapper: Mapping[str, Any]) -> ReportView:
    """Return what a report of a case says; ``wrapper`` is the report as the case has it."""
    report = object_of(wrapper.get("clinical_report_data"))
    told = object_of(wrapper.get("exit_questionnaire"))
    answers = told.get("exit_questionnaire_data")
    return ReportView(
        case=f"{detail.get('interpretation_request_id')}-{detail.get('version')}",
        version=_text(wrapper.get("clinical_report_version")),
        facts=_facts(detail, wrapper, report),
        interpretation=_text(report.get("genomicInterpretation")),
        sections=tuple(_section(title, report, names) for title, names in _KINDS),
        findings=tuple((title, _node(report[name]) if report.get(name) else None) for title, name in _PLAIN_KINDS),
        panels=tuple(_node(panel) for panel in _sequence(report.get("additionalAnalysisPanels"))),
        references=tuple(
            _text(one) for name in ("references", "supportingEvidence") for one in _sequence(report.get(name))
        ),
        databases=_pairs(report.get("referenceDatabasesVersions")),
        software=_pairs(report.get("softwareVersions")),
        questionnaire=_node(answers) if isinstance(answers, Mapping) else None,
        questionnaire_facts=_given((("Sent by", told.get("user")), ("Sent at", told.get("created_at")))),
        further=_node({name: value for name, value in report.items() if name not in _PLACED}),
    )


def label(name: str) -> str:
    """Return the name of a field as words."""
    words = _WORD.sub(" ", name).split()
    return " ".join([*(word[:1].upper() + word[1:] for word in words[:1]), *(_small(word) for word in words[1:])])


def _small(word: str) -> str:
    return word if word.isupper() else word.lower()


def _facts(
    detail: Mapping[str, Any], wrapper: Mapping[str, Any], report: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    kind = {"raredisease": "rare disease"}.get(str(detail.get("sample_type")), detail.get("sample_type"))
    return _given(
        (
            ("Case", detail.get("case_id")),
            ("Kind of case", kind),
            ("Proband", detail.get("proband")),
            ("Assembly of the case", detail.get("assembly")),
            ("Reporting date", report.get("reportingDate")),
            ("Reported by", report.get("user")),
            ("Received", wrapper.get("created_at")),
            ("Valid", wrapper.get("valid")),
        )
    )


def _section(title: str, report: Mapping[str, Any], names: Sequence[str]) -> Section:
    given = [report[name] for name in names if isinstance(report.get(name), list)]
    if not given:
        return Section(title, None)
    return Section(title, tuple(_variant(object_of(one)) for some in given for one in some))


def _variant(one: Mapping[str, Any]) -> Variant:
    inner = object_of(one.get("reportedVariantCancer")) or one
    calls = [_call(object_of(call)) for name in _CALLS for call in _sequence(inner.get(name))]
    placed = {*_CALLS, "reportEvents", "reportedVariantCancer", "variantCoordinates", "coordinates", "variantType"}
    if "variantCoordinates" not in inner and "coordinates" not in inner:
        placed |= {"chromosome", "position", "reference", "alternate"}
    more = {name: value for name, value in {**one, **inner}.items() if name not in placed}
    events = tuple(_event(object_of(event)) for event in _sequence(inner.get("reportEvents")))
    return Variant(_name(inner), tuple(calls), events, _node(more))


def _name(one: Mapping[str, Any]) -> str:
    """Return where a variant is and what it is, one-based as in the document."""
    coordinates = one.get("variantCoordinates")
    if isinstance(coordinates, Mapping):
        return f"{_small_name(coordinates)} ({_text(coordinates.get('assembly'))})"
    coordinates = one.get("coordinates")
    kind = _text(one.get("variantType") or one.get("type"))
    if isinstance(coordinates, Mapping):
        place = (
            f"{_text(coordinates.get('chromosome'))}:{_text(coordinates.get('start'))}-{_text(coordinates.get('end'))}"
        )
        return f"{kind} {place} ({_text(coordinates.get('assembly'))})".strip()
    if "start" in one:
        return f"{kind} {_text(one.get('chromosome'))}:{_text(one.get('start'))}-{_text(one.get('end'))}".strip()
    if "breakPoints" in one or "rearrangements" in one:
        return "Rearrangement"
    return _small_name(one)


def _stretch(one: Mapping[str, Any]) -> str:
    return f"{_text(one.get('chromosome'))}:{_text(one.get('start'))}-{_text(one.get('end'))}"


def _small_name(one: Mapping[str, Any]) -> str:
    place = f"{_text(one.get('chromosome'))}:{_text(one.get('position'))}"
    return f"{place} {_text(one.get('reference'))}>{_text(one.get('alternate'))}"


def _call(call: Mapping[str, Any]) -> Call:
    copies = call.get("numberOfCopies")
    counts = [object_of(one).get("numberOfCopies") for one in _sequence(copies)] or [call.get("copyNumber")]
    depths = [call.get("depthReference"), call.get("depthAlternate")]
    return Call(
        participant=_text(call.get("participantId") or call.get("gelId")),
        sample=_text(call.get("sampleId")),
        zygosity=_text(call.get("zygosity") or call.get("genotype")),
        depth="" if depths == [None, None] else " / ".join(_text(depth) or "–" for depth in depths),
        frequency=_text(call.get("sampleVariantAlleleFrequency", call.get("vaf"))),
        copies=", ".join(_text(count) for count in counts if count is not None),
        origins=", ".join(_text(origin) for origin in _sequence(call.get("alleleOrigins"))),
    )


def _event(event: Mapping[str, Any]) -> Event:
    panel = object_of(event.get("genePanel")) or event
    words = (panel.get("panelName"), panel.get("panelVersion"))
    terms = [*_sequence(event.get("variantConsequences")), *_sequence(event.get("soTerms"))]
    consequences = [object_of(term).get("name") or object_of(term).get("id") or term for term in terms]
    placed = {
        *("variantConsequences", "soTerms", "genePanel", "panelName", "panelVersion"),
        *("modeOfInheritance", "tier", "domain", "variantClassification"),
    }
    return Event(
        genes=_genes(event),
        consequences=_joined(_text(one) for one in consequences),
        panel=" ".join(_text(word) for word in words if word),
        inheritance=_text(event.get("modeOfInheritance")),
        tier=_joined(_text(event.get(name)) for name in ("tier", "domain")),
        classification=_classification(event.get("variantClassification")),
        more=_node({name: value for name, value in event.items() if name not in placed}),
    )


def _genes(event: Mapping[str, Any]) -> str:
    entities = [object_of(one) for one in _sequence(event.get("genomicEntities"))]
    genes = [one.get("geneSymbol") or one.get("ensemblId") for one in entities if one.get("type") == "gene"]
    for name in ("genomicFeature", "genomicFeatureCancer"):
        feature = object_of(event.get(name))
        symbols = [feature.get(key) for key in ("hgnc", "HGNC", "geneName", "ensemblId")]
        genes += [symbol for symbol in symbols if symbol][:1]
    return _joined(_text(gene) for gene in genes)


def _classification(value: object) -> str:
    if not isinstance(value, Mapping):
        return _text(value)
    said = [(name, _text(one)) for name, one in value.items() if one is not None]
    return ", ".join(text if name == "clinicalSignificance" else f"{label(name)}: {text}" for name, text in said)


def _node(value: object, depth: int = 0) -> Node:
    """Return a value as it is nested, without what is empty."""
    if depth >= _DEEPEST and isinstance(value, list | Mapping):
        return Node(orjson.dumps(value, default=str).decode())
    if isinstance(value, Mapping):
        nodes = [(label(str(name)), _node(one, depth + 1)) for name, one in value.items() if one not in (None, [], {})]
        return Node(fields=tuple(nodes))
    if isinstance(value, list):
        return Node(items=tuple(_node(one, depth + 1) for one in value))
    return Node(_text(value))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | Mapping):
        return orjson.dumps(value, default=str).decode()
    return str(value)


def _joined(texts: Any) -> str:
    return ", ".join(dict.fromkeys(text for text in texts if text))


def _given(pairs: Sequence[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(value)) for name, value in pairs if value not in (None, ""))


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), _text(one)) for name, one in object_of(value).items())


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
