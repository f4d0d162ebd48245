"""Which function answers which operation, and which reads which resources.

An operation is a definition (``app/fhir/definitions``) and a line here. What it returns under an id of a new form needs
a reader, so that the id can be followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from app.config import Settings
from app.fhir.codes import (
    CONSEQUENCE_PROFILE,
    DIAGNOSTIC_PROFILE,
    GENOTYPE_PROFILE,
    HAPLOTYPE_PROFILE,
    PHASE_PROFILE,
    STUDY_PROFILE,
    THERAPEUTIC_PROFILE,
    VARIANT_PROFILE,
)
from app.fhir.genotype import GENOTYPE_ID
from app.operations import implication_ids, resource_ids
from app.operations.consequences import find_population_molecular_consequences, find_subject_molecular_consequences
from app.operations.context import OperationContext, open_genome
from app.operations.guarded import guarded, guarded_reader
from app.operations.haplotypes import (
    find_population_specific_haplotypes,
    find_subject_haplotypes,
    find_subject_specific_haplotypes,
    read_genotype,
)
from app.operations.implication_reading import (
    read_genotype_implication,
    read_implication,
    read_structural_implication,
)
from app.operations.implications import (
    find_population_dx_implications,
    find_population_tx_implications,
    find_subject_dx_implications,
    find_subject_tx_implications,
)
from app.operations.interface import Handler, Reader, Search
from app.operations.metadata import find_study_metadata
from app.operations.nonvariants import read_nonvariant
from app.operations.population import find_population_specific_variants
from app.operations.reading import find_patients, read_patient, read_phase, read_study, read_variant
from app.operations.stated import STATED, read_stated
from app.operations.structural import (
    find_population_structural_intersecting_variants,
    find_population_structural_subsuming_variants,
    find_subject_structural_intersecting_variants,
    find_subject_structural_subsuming_variants,
    read_structural,
)
from app.operations.subject_genotype import find_subject_specific_variants, find_subject_variants
from app.store.session import Database

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        name: guarded(handler)
        for name, handler in {
            "find-subject-variants": find_subject_variants,
            "find-subject-specific-variants": find_subject_specific_variants,
            "find-subject-structural-intersecting-variants": find_subject_structural_intersecting_variants,
            "find-subject-structural-subsuming-variants": find_subject_structural_subsuming_variants,
            "find-subject-haplotypes": find_subject_haplotypes,
            "find-subject-specific-haplotypes": find_subject_specific_haplotypes,
            "find-population-specific-haplotypes": find_population_specific_haplotypes,
            "find-population-specific-variants": find_population_specific_variants,
            "find-population-structural-intersecting-variants": find_population_structural_intersecting_variants,
            "find-population-structural-subsuming-variants": find_population_structural_subsuming_variants,
            "find-study-metadata": find_study_metadata,
            "find-subject-dx-implications": find_subject_dx_implications,
            "find-subject-tx-implications": find_subject_tx_implications,
            "find-subject-molecular-consequences": find_subject_molecular_consequences,
            "find-population-dx-implications": find_population_dx_implications,
            "find-population-tx-implications": find_population_tx_implications,
            "find-population-molecular-consequences": find_population_molecular_consequences,
        }.items()
    }
)

READERS: Final[Sequence[Reader]] = tuple(
    guarded_reader(reader)
    for reader in (
        Reader("Observation", resource_ids.VARIANT, read_variant, [VARIANT_PROFILE]),
        Reader("Observation", resource_ids.STRUCTURAL, read_structural, [VARIANT_PROFILE]),
        Reader("Observation", resource_ids.NON_VARIANT, read_nonvariant, [VARIANT_PROFILE]),
        Reader("Observation", resource_ids.PHASE, read_phase, [PHASE_PROFILE]),
        Reader(
            "Observation",
            implication_ids.IMPLICATION,
            read_implication,
            [DIAGNOSTIC_PROFILE, THERAPEUTIC_PROFILE, CONSEQUENCE_PROFILE],
        ),
        Reader("Observation", STATED, read_stated, [DIAGNOSTIC_PROFILE, THERAPEUTIC_PROFILE, CONSEQUENCE_PROFILE]),
        Reader(
            "Observation",
            implication_ids.OF_STRUCTURAL,
            read_structural_implication,
            [DIAGNOSTIC_PROFILE, THERAPEUTIC_PROFILE, CONSEQUENCE_PROFILE],
        ),
        Reader("Observation", implication_ids.OF_GENOTYPE, read_genotype_implication, [THERAPEUTIC_PROFILE]),
        Reader("Observation", GENOTYPE_ID, read_genotype, [GENOTYPE_PROFILE, HAPLOTYPE_PROFILE]),
        Reader(
            "Patient",
            re.compile(".+"),
            read_patient,
            search=Search({"_id": "token", "identifier": "token"}, find_patients),
        ),
        Reader("Procedure", resource_ids.STUDY, read_study, [STUDY_PROFILE]),
    )
)


def open_context(settings: Settings) -> OperationContext:
    """Open the store and the reference files that the settings name."""
    database = Database(settings.store_url, sql_time_limit_ms=settings.sql_time_limit_ms)
    return OperationContext(settings, database, open_genome(settings.reference_dir), HANDLERS, READERS)
