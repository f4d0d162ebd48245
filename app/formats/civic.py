"""CIViC's evidence, from its tables (``…ClinicalEvidenceSummaries.tsv``) or from its VCF (``civic_accepted.vcf``).

https://civic.readthedocs.io/en/latest/model/evidence.html. Predictive evidence is about a therapy; predisposing and
diagnostic evidence is about a disease; prognostic, functional and oncogenic evidence is neither. The tables need two
more files, which say what the variant of a molecular profile is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import unquote

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.civic_targets import SEVERAL_VARIANTS, Target, Targets, target_of, types_of
from app.formats.clinvar_vcf import read_change
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects
from app.formats.knowledge_phrases import DISEASE_ONTOLOGY, implication
from app.formats.named_rows import Layout, NamedRow, NamedRows
from app.records import Build

NOT_ACCEPTED = "not accepted"
OTHER_TYPE = "neither predictive nor predisposing nor diagnostic"
NO_STATEMENT = "no direction or significance"
NO_THERAPY = "no therapy"
NO_ID = "no evidence id"
ASSERTION = "an assertion, not evidence"

EVIDENCE = "https://civicdb.org/evidence"
VARIANT = "https://civicdb.org/variant"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"

_COLUMNS = (
    "molecular_profile_id",
    "disease",
    "doid",
    "therapies",
    "therapy_interaction_type",
    "evidence_type",
    "evidence_direction",
    "evidence_level",
    "significance",
    "evidence_status",
    "evidence_id",
)
_KINDS = {
    "predictive": ItemKind.THERAPEUTIC,
    "predisposing": ItemKind.DIAGNOSTIC,
    "diagnostic": ItemKind.DIAGNOSTIC,
}
_LEVELS = {
    "A": "A (Validated association)",
    "B": "B (Clinical evidence)",
    "C": "C (Case study)",
    "D": "D (Preclinical evidence)",
    "E": "E (Inferential association)",
}
_INTERACTIONS = {
    "combination": "The medications are given together",
    "sequential": "The medications are given one after the other",
    "substitutes": "The medications are alternatives to each other",
}
_DIGITS = re.compile(r"[0-9]{1,9}")
_BETWEEN_THERAPIES = re.compile(r"(?<![0-9]),(?! )|,(?![0-9 ])")
"""A comma before a blank, or between digits, belongs to a name"""


def read_evidence(
    evidence: tuple[BinaryIO, str],
    variants: tuple[BinaryIO, str],
    profiles: tuple[BinaryIO, str],
    rejects: Rejects,
    settings: Settings,
    *,
    submitted: bool = False,
) -> Iterator[KnowledgeItem]:
    """Yield an item for each accepted piece of evidence, and for submitted ones if asked; each file with its name.

    Raises:
        BadFile: a column is missing.
        LimitExceeded: a cap of the settings is exceeded.
    """
    targets = Targets(variants, profiles, rejects, settings)
    stream, name = evidence
    for row in NamedRows(stream, name, rejects, settings, required=_COLUMNS, layout=Layout.QUOTED_TABS):
        found = _read_evidence(row, targets, submitted=submitted)
        if isinstance(found, KnowledgeItem):
            yield found
        else:
            rejects.add(name, row.line_1based, *found)


def _read_evidence(row: NamedRow, targets: Targets, *, submitted: bool) -> KnowledgeItem | tuple[str, str, str]:
    """Return the item of a row, or field, cause and detail of why there is none."""
    evidence_id, status = row.text("evidence_id"), row.text("evidence_status").lower()
    if not _DIGITS.fullmatch(evidence_id):
        return "evidence_id", NO_ID, quoted(evidence_id)
    if status != "accepted" and not (submitted and status == "submitted"):
        return "evidence_status", NOT_ACCEPTED, quoted(status)
    evidence_type = row.text("evidence_type")
    kind = _KINDS.get(evidence_type.lower())
    if kind is None:
        return "evidence_type", OTHER_TYPE, quoted(evidence_type)
    direction, significance = row.text("evidence_direction"), row.text("significance")
    if not direction or significance in ("", "N/A"):
        return "significance", NO_STATEMENT, ""
    names = [text for part in _BETWEEN_THERAPIES.split(row.text("therapies")) if (text := part.strip())]
    if kind is ItemKind.THERAPEUTIC and not names:
        return "therapies", NO_THERAPY, ""
    target = targets.of(row.text("molecular_profile_id"))
    if isinstance(target, str):
        return "molecular_profile_id", target, quoted(row.text("molecular_profile"))
    notes = (
        _INTERACTIONS.get(row.text("therapy_interaction_type").lower(), "") if len(names) > 1 else "",
        f"{evidence_type} evidence",
        f"Variant origin: {origin}" if (origin := row.text("variant_origin")) else "",
        "Submitted to CIViC, not accepted yet" if status == "submitted" else "",
        "Flagged in CIViC" if row.text("is_flagged").lower() == "true" else "",
    )
    return _item(
        kind,
        evidence_id,
        target,
        phrase=f"{direction} {significance}",
        level=row.text("evidence_level"),
        conditions=_disease(row.text("disease"), row.text("doid")),
        medications=tuple(Concept("", "", name) for name in names),
        notes=notes,
    )


def _disease(name: str, doid: str) -> tuple[Concept, ...]:
    number = doid.removeprefix("DOID:")
    if _DIGITS.fullmatch(number):
        return (Concept(DISEASE_ONTOLOGY, f"DOID:{number}", name),)
    return (Concept("", "", name),) if name else ()


def _item(
    kind: ItemKind,
    evidence_id: str,
    target: Target,
    *,
    phrase: str,
    level: str,
    conditions: tuple[Concept, ...],
    medications: tuple[Concept, ...],
    notes: tuple[str, ...],
) -> KnowledgeItem:
    therapeutic = kind is ItemKind.THERAPEUTIC
    return KnowledgeItem(
        kind,
        f"EID{evidence_id}",
        () if target.change is None else (target.change,),
        rule=target.rule,
        identifiers=((EVIDENCE, evidence_id), (VARIANT, target.variant_id)),
        statement=implication(phrase) if therapeutic else Concept("", "", phrase),
        evidence=_LEVELS.get(level, level),
        conditions=conditions,
        medications=medications if therapeutic else (),
        gene=target.gene,
        note="; ".join(note for note in notes if note),
    )


# --- the VCF ----------------------------------------------------------------------------------------------------------

_RECORD_COLUMNS = ("chrom", "pos", "ref", "alt", "info")
_FIELDS = (
    "Consequence",
    "SYMBOL",
    "CIViC Variant Name",
    "CIViC Variant ID",
    "CIViC Molecular Profile Name",
    "CIViC Entity Type",
    "CIViC Entity ID",
    "CIViC Entity Variant Origin",
    "CIViC Entity Status",
    "CIViC Entity Significance",
    "CIViC Entity Direction",
    "CIViC Entity Disease",
    "CIViC Entity Therapies",
    "CIViC Entity Therapy Interaction Type",
    "CIViC Evidence Level",
)
_BUILD = re.compile(r"##reference=.*(GRCh3[78])")
_FORMAT = re.compile(r'##INFO=<ID=CSQ,.*Format: ?([^"]*)"')
_SIGNIFICANCES = {
    "sensitivityresponse": (ItemKind.THERAPEUTIC, "Sensitivity/Response"),
    "resistance": (ItemKind.THERAPEUTIC, "Resistance"),
    "reducedsensitivity": (ItemKind.THERAPEUTIC, "Reduced Sensitivity"),
    "adverseresponse": (ItemKind.THERAPEUTIC, "Adverse Response"),
    "predisposition": (ItemKind.DIAGNOSTIC, "Predisposition"),
    "positive": (ItemKind.DIAGNOSTIC, "Positive"),
    "negative": (ItemKind.DIAGNOSTIC, "Negative"),
}
"""Those that only one type of evidence has, because the VCF does not say the type"""
_DIRECTIONS = {"supports": "Supports", "doesnotsupport": "Does Not Support"}
_WITH_NCIT = re.compile(r"(?P<name>.+) \(NCIt ID (?P<code>C[0-9]{1,8})\)")


def read_civic_vcf(stream: BinaryIO, name: str, rejects: Rejects, settings: Settings) -> Iterator[KnowledgeItem]:
    """Yield an item for each accepted piece of evidence in the annotations of CIViC's VCF.

    Raises:
        BadFile: it does not say its build, or what its annotations mean.
        LimitExceeded: a cap of the settings is exceeded.
    """
    rows = NamedRows(stream, name, rejects, settings, required=_RECORD_COLUMNS, headers=("chrom",))
    build = Build(_stated(rows, name, _BUILD, "##reference", "the header does not say which build it is on"))
    fields = _stated(rows, name, _FORMAT, "##INFO CSQ", "the header does not say what an annotation holds").split("|")
    for field in _FIELDS:
        if field not in fields:
            raise BadFile(
                name,
                f"annotations have no {field}",
                field="##INFO CSQ",
                mend="Take civic_accepted.vcf of a release with molecular profiles",
            )
    for row in rows:
        change = read_change(row, name, build, rejects, columns=("CHROM", "POS", "REF", "ALT"))
        if change is None:
            continue
        info = dict(pair.partition("=")[::2] for pair in row.text("info").split(";"))
        for text in filter(None, info.get("CSQ", "").split(",")):
            values = text.split("|")
            if len(values) != len(fields):
                rejects.add(name, row.line_1based, "INFO/CSQ", "another number of parts than the header says")
                continue
            said = {field: unquote(value).strip() for field, value in zip(fields, values, strict=True)}
            types = types_of(said["Consequence"], "&")
            target = target_of(said["CIViC Variant ID"], said["SYMBOL"], said["CIViC Variant Name"], types, change)
            found = _read_annotation(said, target)
            if isinstance(found, KnowledgeItem):
                yield found
            else:
                rejects.add(name, row.line_1based, "INFO/CSQ", *found)


def _stated(rows: NamedRows, name: str, pattern: re.Pattern[str], field: str, problem: str) -> str:
    for comment in rows.comments:
        match = pattern.match(comment)
        if match is not None:
            return match[1]
    raise BadFile(
        name, problem, line_1based=rows.header_1based, field=field, mend="Take civic_accepted.vcf as CIViC offers it"
    )


def _read_annotation(said: dict[str, str], target: Target | str) -> KnowledgeItem | tuple[str, str]:
    """Return the item of an annotation, or cause and detail of why there is none."""
    evidence_id, entity = said["CIViC Entity ID"], said["CIViC Entity Type"]
    if entity.lower() != "evidence":
        return ASSERTION, quoted(evidence_id)
    if not _DIGITS.fullmatch(evidence_id):
        return NO_ID, quoted(evidence_id)
    if said["CIViC Entity Status"].lower() != "accepted":
        return NOT_ACCEPTED, quoted(evidence_id)
    if said["CIViC Molecular Profile Name"] != f"{said['SYMBOL']} {said['CIViC Variant Name']}":
        return SEVERAL_VARIANTS, quoted(said["CIViC Molecular Profile Name"])
    if isinstance(target, str):
        return target, quoted(said["CIViC Molecular Profile Name"])
    direction = _DIRECTIONS.get(_letters(said["CIViC Entity Direction"]))
    if direction is None:
        return NO_STATEMENT, quoted(evidence_id)
    meaning = _SIGNIFICANCES.get(_letters(said["CIViC Entity Significance"]))
    if meaning is None:
        return OTHER_TYPE, quoted(said["CIViC Entity Significance"])
    medications = tuple(_therapy(part) for part in said["CIViC Entity Therapies"].split("&") if part.strip())
    if meaning[0] is ItemKind.THERAPEUTIC and not medications:
        return NO_THERAPY, quoted(evidence_id)
    origin = said["CIViC Entity Variant Origin"].replace("_", " ").title()
    interaction = said["CIViC Entity Therapy Interaction Type"].lower()
    return _item(
        meaning[0],
        evidence_id,
        target,
        phrase=f"{direction} {meaning[1]}",
        level=said["CIViC Evidence Level"],
        conditions=_disease(said["CIViC Entity Disease"], ""),
        medications=medications,
        notes=(
            _INTERACTIONS.get(interaction, "") if len(medications) > 1 else "",
            f"Variant origin: {origin}" if origin and origin != "None" else "",
        ),
    )


def _therapy(text: str) -> Concept:
    match = _WITH_NCIT.fullmatch(text.strip())
    return Concept(NCIT, match["code"], match["name"]) if match else Concept("", "", text.strip())


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
