"""Codes for the phrases in which knowledge sources state significance and implication; every other one stays text.

Answer lists LL4034-6 of LOINC and the value set of therapeutic implications of the Genomics Reporting IG
(https://build.fhir.org/ig/HL7/genomics-reporting/ValueSet-genetic-therapeutic-implications-vs.html).
"""

from __future__ import annotations

import re

from app.formats.knowledge import Concept

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
MEDGEN = "https://www.ncbi.nlm.nih.gov/medgen"
DISEASE_ONTOLOGY = "https://disease-ontology.org"
MONDO = "http://purl.obolibrary.org/obo/mondo.owl"
PHARMVAR = "http://www.pharmvar.org"

_SIGNIFICANCE = {
    "pathogenic": "LA6668-3",
    "likely pathogenic": "LA26332-9",
    "uncertain significance": "LA26333-7",
    "likely benign": "LA26334-5",
    "benign": "LA6675-8",
}
_IMPLICATION = {
    "supports sensitivity/response": "LA6677-4",
    "supports resistance": "LA6676-6",
}
_METABOLISM = {
    "ultrarapid": "LA10315-2",
    "rapid": "LA25390-8",
    "normal": "LA25391-6",
    "intermediate": "LA10317-8",
    "poor": "LA9657-3",
}
_METABOLIZER = re.compile(
    r"(?:[A-Z][A-Z0-9-]* )?(ultrarapid|rapid|normal|intermediate|poor) metabolizer", re.IGNORECASE
)


def significance(phrase: str) -> Concept:
    """Return what a phrase of clinical significance means: a code for the five classes of ACMG, else its text.

    >>> significance("Likely benign").code, significance("risk factor").code
    ('LA26334-5', '')
    """
    return _coded(phrase, _SIGNIFICANCE.get(phrase.lower(), ""))


def implication(phrase: str) -> Concept:
    """Return what a phrase of therapeutic implication means: a code where it is exactly one of LOINC's answers.

    >>> implication("CYP2C19 Rapid Metabolizer").code, implication("Does Not Support Resistance").code
    ('LA25390-8', '')
    """
    metabolizer = _METABOLIZER.fullmatch(phrase)
    if metabolizer is not None:
        return _coded(phrase, _METABOLISM[metabolizer[1].lower()])
    return _coded(phrase, _IMPLICATION.get(phrase.lower(), ""))


def _coded(phrase: str, code: str) -> Concept:
    return Concept(LOINC, code, phrase) if code else Concept("", "", phrase)
