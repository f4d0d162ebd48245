"""Code systems of diseases and drugs, and the one spelling of a code of each.

URIs are those of the Genomics Reporting guide and of https://terminology.hl7.org. Files and clients write codes of
some systems in several ways; two spellings are of one code where ``canonical_code`` gives the same.

>>> canonical_code(DISEASE_ONTOLOGY, "1324"), canonical_code(ICD_10, "c34.1")
('DOID:1324', 'C341')
>>> from_curie("UMLS:C0684249")
('https://www.ncbi.nlm.nih.gov/medgen', 'C0684249')
"""

from __future__ import annotations

import re
from typing import Final

MEDGEN: Final = "https://www.ncbi.nlm.nih.gov/medgen"
DISEASE_ONTOLOGY: Final = "https://disease-ontology.org"
MONDO: Final = "http://purl.obolibrary.org/obo/mondo.owl"
HPO: Final = "http://human-phenotype-ontology.org"
SNOMED: Final = "http://snomed.info/sct"
ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
NCIT: Final = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
CLINICAL_TRIALS: Final = "http://clinicaltrials.gov"

Coded = tuple[str, str]
"""Code system and code"""

_PREFIXED: Final = {DISEASE_ONTOLOGY: "DOID", MONDO: "MONDO", HPO: "HP"}
_OWN_PREFIX: Final = {system: re.compile(rf"(?:{prefix}[:_])?([0-9]+)", re.I) for system, prefix in _PREFIXED.items()}
_CUI = re.compile(r"CN?[0-9]+")
_CURIE = re.compile(r"([A-Za-z][A-Za-z0-9_]*):(\S+)")
# Prefixes as the ontologies write them, in capitals; some end in the release, SNOMEDCT_US_2023_03_01.
_CURIE_SYSTEMS: Final = {
    "DOID": DISEASE_ONTOLOGY,
    "MONDO": MONDO,
    "HP": HPO,
    "SCTID": SNOMED,
    "SNOMED": SNOMED,
    "SNOMEDCT": SNOMED,
    "SNOMEDCT_US": SNOMED,
    "ICD10": ICD_10,
    "ICD10WHO": ICD_10,
    "ICD10CM": ICD_10_CM,
    "UMLS": MEDGEN,
    "UMLS_CUI": MEDGEN,
    "MEDGEN": MEDGEN,
    "NCI": NCIT,
    "NCIT": NCIT,
    "RXNORM": RXNORM,
}
_RELEASE = re.compile(r"_[0-9]{4}_[0-9]{2}_[0-9]{2}\Z")


def canonical_code(system: str, code: str) -> str:
    """Return the one spelling of a code; that of a system without rules is the code itself."""
    code = code.strip()
    if system in _PREFIXED:
        number = _OWN_PREFIX[system].fullmatch(code)
        return f"{_PREFIXED[system]}:{number[1]}" if number else code
    if system in (ICD_10, ICD_10_CM):
        return code.replace(".", "").upper()
    return code


def from_curie(text: str) -> Coded | None:
    """Return what ``PREFIX:code`` of an ontology names; None for a system that no question is asked in.

    MedGen's concepts have the identifiers of UMLS where UMLS has them; its record numbers (``MEDGEN:44264``) differ.
    """
    match = _CURIE.fullmatch(text)
    if match is None:
        return None
    prefix, code = _RELEASE.sub("", match[1].upper()), match[2]
    system = _CURIE_SYSTEMS.get(prefix)
    if system is None or (system == MEDGEN and not _CUI.fullmatch(code)):
        return None
    return system, canonical_code(system, code)
