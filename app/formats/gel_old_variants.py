"""Variants of report models 3 to 5 rewritten in model 6, as long as everything in them has a place there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.formats.gel_events import NO_SCORE, read_segregation
from app.formats.gel_parts import as_number
from app.formats.gel_words import CONSEQUENCES, OLD_ENTITIES, SIGNIFICANCES, STRUCTURAL_KINDS, old_structural_kind
from app.records import Build

_FREQUENCY_STUDIES = ("GNOMAD_GENOMES", "GNOMAD_EXOMES", "1KG_PHASE3", "EXAC", "ESP_6500", "UK10K")


class Lossy(Exception):
    """Something has no place in model 6."""


class OldRecord:
    """An old object out of which members are taken; whatever is left in the end would be lost."""

    __slots__ = ("_left", "_record")

    def __init__(self, record: Any) -> None:
        if not isinstance(record, dict):
            raise Lossy
        self._record: dict[str, Any] = record
        self._left = set(record)

    def __contains__(self, name: str) -> bool:
        return name in self._record

    def take(self, *names: str) -> Any:
        """Return the value of the first of these spellings that has one."""
        self._left.difference_update(names)
        return next((self._record[name] for name in names if self._record.get(name) is not None), None)

    def take_all(self, names: Iterable[str]) -> dict[str, Any]:
        """Return members that are called the same in model 6."""
        return {name: self.take(name) for name in names}

    def close(self) -> None:
        """Check that nothing is left.

        Raises:
            Lossy: something is.
        """
        if any(self._record[name] not in (None, "", [], {}) for name in self._left):
            raise Lossy


def as_list(value: Any) -> list[Any]:
    """Return a list; an empty one for null.

    Raises:
        Lossy: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise Lossy
    return value


def _panel(name: Any, version: Any) -> dict[str, Any]:
    return {"panelIdentifier": None, "panelName": name, "panelVersion": version, "source": None}


def small_variants(found: Any, build: Build) -> list[dict[str, Any]]:
    """Return small variants in model 6.

    Raises:
        Lossy: something in them has no place there.
    """
    return [_variant(one, build) for one in as_list(found)]


def _variant(found: Any, build: Build) -> dict[str, Any]:
    old = OldRecord(found)
    place = old.take("variantCoordinates")
    is_flat = place is None
    if is_flat:
        names = ("chromosome", "position", "reference", "alternate")
        place = old.take_all(names) | {"assembly": str(build)}
    attributes = _attributes(old, is_flat=is_flat)
    new = {
        "variantCoordinates": place,
        "variantCalls": [_call(one) for one in as_list(old.take("variantCalls", "calledGenotypes"))],
        "reportEvents": _events(old, attributes, is_flat=is_flat),
        "variantAttributes": attributes,
    }
    old.close()
    return new


def _attributes(old: OldRecord, *, is_flat: bool) -> dict[str, Any]:
    found = old.take("variantAttributes")
    inner = OldRecord({} if found is None else found)
    numbers = old.take("additionalNumericVariantAnnotations")
    frequencies = old.take("alleleFrequencies")
    if is_flat and isinstance(numbers, dict):
        names = ("study", "population", "alternateFrequency")
        frequencies = [dict(zip(names, one, strict=True)) for one in _frequencies(numbers)] or None
    half = inner.take("fdp50")
    new = {
        **old.take_all(("genomicChanges", "cdnaChanges", "proteinChanges", "additionalTextualVariantAnnotations")),
        "references": old.take("references", "evidenceIds"),
        "variantIdentifiers": {
            "dbSnpId": old.take("dbSnpId", "dbSNPid"),
            **old.take_all(("cosmicIds", "clinVarIds")),
            "otherIds": None,
        },
        "alleleFrequencies": frequencies,
        "additionalNumericVariantAnnotations": numbers,
        **old.take_all(("comments", "alleleOrigins")),
        **inner.take_all(("ihp", "recurrentlyReported", "others")),
        "fdp50": None if half is None else as_number(half),
    }
    if half is not None and new["fdp50"] is None:
        raise Lossy
    inner.close()
    return new


def _call(found: Any) -> dict[str, Any]:
    old = OldRecord(found)
    phase, copies = old.take("phaseSet"), old.take("copyNumber")
    number = {"numberOfCopies": copies, "confidenceIntervalMaximum": None, "confidenceIntervalMinimum": None}
    new = {
        "participantId": old.take("participantId", "gelId"),
        "sampleId": old.take("sampleId"),
        "zygosity": old.take("zygosity", "genotype"),
        "phaseGenotype": None if phase is None else {"sortedAlleles": [], "phaseSet": phase},
        "sampleVariantAlleleFrequency": old.take("vaf"),
        **old.take_all(("depthReference", "depthAlternate")),
        "numberOfCopies": None if copies is None else [number],
        "alleleOrigins": old.take("alleleOrigins"),
        "supportingReadTypes": None,
    }
    old.close()
    return new


def _events(old: OldRecord, attributes: Mapping[str, Any], *, is_flat: bool) -> list[dict[str, Any]]:
    """Return the events of a variant; before model 5 its consequences stand beside them, and stay there too."""
    annotations = attributes["additionalTextualVariantAnnotations"]
    words = annotations.get("ConsequenceType") if is_flat and isinstance(annotations, dict) else None
    names = dict.fromkeys(one.strip() for one in words.split(",")) if isinstance(words, str) else {}
    inherited = [{"id": CONSEQUENCES[one], "name": one} for one in names if one in CONSEQUENCES]
    return [_event(one, inherited) for one in as_list(old.take("reportEvents"))]


def _event(found: Any, inherited: list[dict[str, Any]]) -> dict[str, Any]:
    old = OldRecord(found)
    justification = old.take("eventJustification")
    # Rare disease has a mode of inheritance in every model, cancer before model 6 in none.
    is_cancer = "modeOfInheritance" not in old
    new = {
        "reportEventId": old.take("reportEventId"),
        "phenotypes": _phenotypes(old),
        "variantConsequences": old.take("variantConsequences") or inherited,
        "genePanel": gene_panel(old),
        "modeOfInheritance": "na" if is_cancer else old.take("modeOfInheritance"),
        "genomicEntities": _entities(old),
        "segregationPattern": read_segregation(justification) or None if isinstance(justification, str) else None,
        "penetrance": old.take("penetrance"),
        "deNovoQualityScore": None,
        **old.take_all(("fullyExplainsPhenotype", "groupOfVariants")),
        "eventJustification": justification,
        "roleInCancer": old.take("roleInCancer"),
        "actions": None,
        "score": _score(old.take("score")),
        "vendorSpecificScores": old.take("vendorSpecificScores"),
        "variantClassification": _classification(old.take("variantClassification")),
        "guidelineBasedVariantClassification": None,
        "algorithmBasedVariantClassifications": None,
        **_tier(old.take("tier"), is_cancer=is_cancer),
    }
    old.close()
    return new


def _phenotypes(old: OldRecord) -> dict[str, Any]:
    words = old.take("phenotypes", "phenotype")
    if isinstance(words, str):
        words = [words]
    return {"nonStandardPhenotype": words, "standardPhenotypes": None}


def gene_panel(old: OldRecord) -> dict[str, Any] | None:
    """Return the gene panel of an event or report in model 6.

    Raises:
        Lossy: something in it has no place there.
    """
    panel = old.take("genePanel", "panel")
    if panel is not None:
        inner = OldRecord(panel)
        new = _panel(inner.take("panelName"), inner.take("panelVersion"))
        inner.close()
        return new
    name, version = old.take("panelName"), old.take("panelVersion")
    return None if name is None and version is None else _panel(name, version)


def _entities(old: OldRecord) -> list[dict[str, Any]]:
    feature = old.take("genomicFeature")
    found = [feature] if feature is not None else as_list(old.take("genomicEntities"))
    return [_entity(one) for one in found]


def _entity(found: Any) -> dict[str, Any]:
    old = OldRecord(found)
    kind = old.take("type", "featureType")
    ids = old.take("otherIds", "other_ids")
    if ids is not None and not isinstance(ids, dict):
        raise Lossy
    new = {
        "type": OLD_ENTITIES.get(kind, kind) if isinstance(kind, str) else kind,
        "ensemblId": old.take("ensemblId"),
        "geneSymbol": old.take("geneSymbol", "hgnc", "HGNC"),
        "otherIds": None if ids is None else [{"source": name, "identifier": one} for name, one in ids.items()],
    }
    old.close()
    return new


def _score(value: Any) -> Any:
    return None if value == NO_SCORE else value


def _classification(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    old = OldRecord({"clinicalSignificance": value} if isinstance(value, str) else value)
    word = old.take("clinicalSignificance")
    if word is not None and (not isinstance(word, str) or word not in SIGNIFICANCES):
        raise Lossy
    rest = old.take_all(
        ("drugResponseClassification", "traitAssociation", "tumorigenesisClassification", "functionalEffect")
    )
    old.close()
    # Not assessed is what null says.
    significance = SIGNIFICANCES[word] or None if word is not None else None
    if significance is None and not any(rest.values()):
        return None
    return {"clinicalSignificance": significance, **rest}


def _tier(tier: Any, *, is_cancer: bool) -> dict[str, Any]:
    if not is_cancer:
        return {"tier": tier, "domain": None}
    if tier is None:
        return {"tier": None, "domain": None}
    if tier not in ("TIER1", "TIER2", "TIER3", "TIER4", "NONE"):
        raise Lossy
    return {"tier": None, "domain": "NONE" if tier == "NONE" else f"DOMAIN{tier[4:]}"}


def structural_variants(found: Any, build: Build) -> list[dict[str, Any]] | None:
    """Return structural variants in model 6; None for none.

    Raises:
        Lossy: something in them has no place there.
    """
    return None if found is None else [_structural_variant(one, build) for one in as_list(found)]


def _structural_variant(found: Any, build: Build) -> dict[str, Any]:
    old = OldRecord(found)
    word, alternate, reference = old.take("type"), old.take("alternate"), old.take("reference")
    kind = old_structural_kind(word) if isinstance(word, str) else None
    # The kind is all that may stand in the alleles: neither which mobile element it is nor bases have a place.
    is_symbolic = isinstance(alternate, str) and alternate[:1] == "<" and reference in (None, "", "N")
    if kind not in STRUCTURAL_KINDS or not is_symbolic or str(word).count(":") > 1:
        raise Lossy
    attributes = _attributes(old, is_flat=True)
    new = {
        "variantType": kind,
        "coordinates": {
            "assembly": str(build),
            **old.take_all(("chromosome", "start", "end")),
            "ciStart": None,
            "ciEnd": None,
        },
        "leftInsSeq": None,
        "rightInsSeq": None,
        "reportEvents": _events(old, attributes, is_flat=True),
        "variantCalls": [_call(one) for one in as_list(old.take("calledGenotypes"))],
        "variantAttributes": attributes,
    }
    old.close()
    return new


def _frequencies(numbers: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Return the frequencies among the annotations of models before 5: ``1KG_PHASE3_EUR``."""
    found = []
    for name, value in numbers.items():
        study = next((one for one in _FREQUENCY_STUDIES if name.startswith(f"{one}_")), None)
        share = as_number(value)
        if study is not None and share is not None and 0 <= share <= 1:
            found.append((study, name[len(study) + 1 :], share))
    return found
