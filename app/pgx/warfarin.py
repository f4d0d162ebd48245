"""The dose of warfarin that CYP2C9 and VKORC1 let expect.

The range is that of the table of the prescribing information; the dose is that of the International Warfarin
Pharmacogenetics Consortium (IWPC) and needs age, height and weight. Both are of adults. Neither is a prescription.

>>> round(iwpc_dose("*1/*1", "GG", WarfarinPatient(50, 170.0, 70.0, "White")), 1)
6.4
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.formats.pgx import Recommendation
from app.pgx.calls import CallStatus, GeneCall, Warned

RXNORM_WARFARIN = "11289"
LABEL = "FDA label"
LABEL_NAME = "Prescribing information of warfarin: expected maintenance doses by CYP2C9 and VKORC1 genotypes"
IWPC_NAME = "International Warfarin Pharmacogenetics Consortium, N Engl J Med 2009;360:753-764"

USUAL_START_MG = 5.0
"""A range or a dose below it calls for attention"""

_CYP2C9_PAIRS = ("*1/*1", "*1/*2", "*1/*3", "*2/*2", "*2/*3", "*3/*3")
_HIGH, _MIDDLE, _LOW = (5.0, 7.0), (3.0, 4.0), (0.5, 2.0)
_RANGES = {
    "GG": (_HIGH, _HIGH, _MIDDLE, _MIDDLE, _MIDDLE, _LOW),
    "AG": (_HIGH, _MIDDLE, _MIDDLE, _MIDDLE, _LOW, _LOW),
    "AA": (_MIDDLE, _MIDDLE, _LOW, _LOW, _LOW, _LOW),
}
"""mg a day, parallel to ``_CYP2C9_PAIRS``; read again in doi:10.3949/ccjm.78a.10145 (table 2)"""

# Coefficients of the square root of the dose of a week (IWPC, pharmacogenetic algorithm).
_INTERCEPT, _DECADE, _HEIGHT, _WEIGHT = 5.6044, -0.2614, 0.0087, 0.0128
_VKORC1 = {"GG": 0.0, "AG": -0.8677, "AA": -1.6974}
_CYP2C9 = dict(zip(_CYP2C9_PAIRS, (0.0, -0.5211, -0.9357, -1.0616, -1.9206, -2.3312), strict=True))
_ANCESTRY = {"White": 0.0, "Asian": -0.1092, "Black": -0.2760, "": -0.1032}
_INDUCER, _AMIODARONE = 1.1816, -0.5503

_ADULT, _OLDEST = 18, 120
_HEIGHTS = (120.0, 230.0)
_WEIGHTS = (30.0, 250.0)

_NEEDED = {"*2": "rs1799853", "*3": "rs1057910"}
_AFRICAN_ALLELES = ("*5", "*6", "*8", "*11")
_PROMOTER = re.compile(r"-1639\s*([AG])[/>]?([AG])")
_BASES = {"C": "G", "G": "G", "T": "A", "A": "A"}


@dataclass(frozen=True, slots=True)
class WarfarinPatient:
    """What is known of a patient besides genes; None for what is not known."""

    age_years: int | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    ancestry: str = ""
    """White, Asian or Black as the IWPC counts them; empty when not recorded"""
    takes_inducer: bool | None = None
    """Carbamazepine, phenytoin or rifampicin"""
    takes_amiodarone: bool | None = None


@dataclass(frozen=True, slots=True)
class WarfarinAdvice:
    """What is to be expected, and what it does not take into account."""

    cyp2c9: str
    """Genotype; empty where it is not one of the table"""
    vkorc1: str
    """GG, AG or AA at -1639; empty where not known"""
    range_mg: tuple[float, float] | None
    """mg a day; None where a genotype is not known"""
    dose_mg: float | None
    """mg a day by the IWPC; None where something is not known"""
    notes: tuple[Warned, ...]

    @property
    def is_low(self) -> bool:
        """Tell whether less than the usual 5 mg a day is expected."""
        doses = [self.range_mg[1]] if self.range_mg else []
        doses += [self.dose_mg] if self.dose_mg is not None else []
        return any(dose < USUAL_START_MG for dose in doses)

    @property
    def indicator(self) -> str:
        """Return how urgently a card has to be read: warning or info, never critical."""
        return "warning" if self.is_low else "info"

    @property
    def range_text(self) -> str:
        """Return the range as it is written; empty without one."""
        return "" if self.range_mg is None else f"{self.range_mg[0]:g}-{self.range_mg[1]:g} mg/day"


def warfarin_advice(
    calls: Mapping[str, GeneCall], patient: WarfarinPatient | None = None, *, rs12777823: str = ""
) -> WarfarinAdvice:
    """Return what the results of a person let expect; ``rs12777823`` is its genotype ("G/A") where it was tested."""
    patient = patient or WarfarinPatient()
    cyp2c9, vkorc1 = _cyp2c9(calls.get("CYP2C9")), _vkorc1(calls.get("VKORC1"))
    are_known = bool(cyp2c9 and vkorc1)
    is_adult = patient.age_years is None or patient.age_years >= _ADULT
    return WarfarinAdvice(
        cyp2c9=cyp2c9,
        vkorc1=vkorc1,
        range_mg=_RANGES[vkorc1][_CYP2C9_PAIRS.index(cyp2c9)] if are_known and is_adult else None,
        dose_mg=iwpc_dose(cyp2c9, vkorc1, patient) if are_known else None,
        notes=(
            *_gene_notes(calls, cyp2c9, vkorc1),
            *_patient_notes(patient),
            *_other_notes(calls, patient, rs12777823),
        ),
    )


def iwpc_dose(cyp2c9: str, vkorc1: str, patient: WarfarinPatient) -> float | None:
    """Return mg a day by the IWPC; None without a plausible age (of an adult), height and weight."""
    age, height, weight = patient.age_years, patient.height_cm, patient.weight_kg
    if age is None or height is None or weight is None or patient.ancestry not in _ANCESTRY:
        return None
    if not (_ADULT <= age <= _OLDEST and _HEIGHTS[0] <= height <= _HEIGHTS[1] and _WEIGHTS[0] <= weight <= _WEIGHTS[1]):
        return None
    root = _INTERCEPT + _DECADE * (age // 10) + _HEIGHT * height + _WEIGHT * weight
    root += _VKORC1[vkorc1] + _CYP2C9[cyp2c9] + _ANCESTRY[patient.ancestry]
    root += _INDUCER * bool(patient.takes_inducer) + _AMIODARONE * bool(patient.takes_amiodarone)
    return root**2 / 7 if root > 0 else None


def label_recommendation(calls: Mapping[str, GeneCall], drug_id: str) -> Recommendation | None:
    """Return the range of the prescribing information as a recommendation; None where a genotype is not known."""
    advice = warfarin_advice(calls)
    if advice.range_mg is None:
        return None
    results = {"CYP2C9": advice.cyp2c9, "VKORC1": f"-1639 {advice.vkorc1}"}
    text = (
        f"Maintenance dose expected for CYP2C9 {advice.cyp2c9} and VKORC1 -1639 {advice.vkorc1}: {advice.range_text}. "
        "Use a validated algorithm with age, height, weight and co-medication, and dose by INR."
    )
    return Recommendation(
        recommendation_id="warfarin-label",
        drug_id=drug_id,
        source=LABEL,
        lookup=results,
        text=text,
        guideline=LABEL_NAME,
        grade="C" if advice.is_low else "B",
    )


def _cyp2c9(call: GeneCall | None) -> str:
    """Return the genotype where the table has it and both alleles that it tells apart were tested."""
    if call is None or not call.genotype:
        return ""
    if any(allele in call.uncallable or position in call.missing for allele, position in _NEEDED.items()):
        return ""
    one = call.diplotypes[0]
    pair = "/".join(sorted((one.first, one.second or "")))
    return pair if pair in _CYP2C9_PAIRS else ""


def _vkorc1(call: GeneCall | None) -> str:
    """Return the bases at -1639 (the strand of the gene), A first."""
    if call is None or call.status is not CallStatus.CALLED:
        return ""
    for text in (call.phenotype, call.lookup, call.genotype):
        found = _PROMOTER.search(text)
        if found is not None:
            return _sorted_bases(found[1], found[2])
    if not call.genotype:
        return ""
    one = call.diplotypes[0]
    return _sorted_bases(_base(one.first), _base(one.second or ""))


def _base(allele: str) -> str:
    """Return the base of an allele by its name: ``rs9923231 variant (T)``, ``Reference``, ``C``."""
    named = re.search(r"\(([ACGT])\)\s*$", allele)
    if named is not None:
        return _BASES[named[1]]
    if allele in _BASES:
        return _BASES[allele]
    return {"reference": "G", "rs9923231": "A"}.get(allele.strip().casefold(), "")


def _sorted_bases(first: str, second: str) -> str:
    return "".join(sorted(first + second)) if first and second else ""


def _gene_notes(calls: Mapping[str, GeneCall], cyp2c9: str, vkorc1: str) -> list[Warned]:
    notes = []
    if not vkorc1:
        notes.append(Warned("vkorc1-unknown", "VKORC1 rs9923231 is not known: no range."))
    call = calls.get("CYP2C9")
    if not cyp2c9:
        known = call.genotype if call else ""
        what = f"CYP2C9 {known} is not in the table" if known else "CYP2C9 is not known"
        notes.append(Warned("cyp2c9-unknown", f"{what}, or *2 and *3 were not both tested: no range."))
    return notes


def _patient_notes(patient: WarfarinPatient) -> list[Warned]:
    notes = []
    if patient.age_years is not None and patient.age_years < _ADULT:
        notes.append(Warned("not-adult", "The range and the algorithm are of adults: none is given."))
    if patient.age_years is None or patient.height_cm is None or patient.weight_kg is None:
        text = "Age, height or weight is not recorded: the dosing algorithm was not applied."
        notes.append(Warned("size-unknown", text))
    if not patient.ancestry:
        text = "Ancestry is not recorded: advice for one ancestry only was not applied."
        notes.append(Warned("ancestry-unknown", text))
    if patient.takes_inducer is None or patient.takes_amiodarone is None:
        text = "Co-medication is not known: counted as without amiodarone, carbamazepine, phenytoin and rifampicin."
        notes.append(Warned("comedication-unknown", text))
    return notes


def _other_notes(calls: Mapping[str, GeneCall], patient: WarfarinPatient, rs12777823: str) -> list[Warned]:
    """Return what else of the guideline matters and is part of neither range nor dose."""
    notes = []
    call = calls.get("CYP2C9")
    untested = [allele for allele in _AFRICAN_ALLELES if call is not None and allele in call.uncallable]
    if untested:
        notes.append(Warned("cyp2c9-partly-tested", f"CYP2C9 {', '.join(untested)} could not be told."))
    if patient.ancestry in ("", "Black"):
        text = f"rs12777823: {rs12777823}." if rs12777823 else "rs12777823 was not tested."
        notes.append(Warned("rs12777823", f"{text} It matters in African ancestry only and was not applied."))
    cyp4f2 = calls.get("CYP4F2")
    if cyp4f2 is not None and cyp4f2.genotype:
        copies = sum(allele == "*3" for allele in cyp4f2.genotype.split("/"))
        carried = f"{copies} of 2 copies" if copies else "not carried"
        notes.append(Warned("cyp4f2", f"CYP4F2*3: {carried}; it is not part of the range."))
    return notes
