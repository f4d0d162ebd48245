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
from app.fhir.codes import PHASE_PROFILE, STUDY_PROFILE, VARIANT_PROFILE
from app.operations import resource_ids
from app.operations.context import OperationContext, open_genome
from app.operations.interface import Handler, Reader, Search
from app.operations.population import find_population_specific_variants
from app.operations.reading import find_patients, read_patient, read_phase, read_study, read_variant
from app.operations.subject_genotype import find_subject_specific_variants, find_subject_variants
from app.store.session import Database

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "find-subject-variants": find_subject_variants,
        "find-subject-specific-variants": find_subject_specific_variants,
        "find-population-specific-variants": find_population_specific_variants,
    }
)

READERS: Final[Sequence[Reader]] = (
    Reader("Observation", resource_ids.VARIANT, read_variant, VARIANT_PROFILE),
    Reader("Observation", resource_ids.PHASE, read_phase, PHASE_PROFILE),
    Reader(
        "Patient", re.compile(".+"), read_patient, search=Search({"_id": "token", "identifier": "token"}, find_patients)
    ),
    Reader("Procedure", resource_ids.STUDY, read_study, STUDY_PROFILE),
)


def open_context(settings: Settings) -> OperationContext:
    """Open the store and the reference files that the settings name."""
    database = Database(settings.store_url, sql_time_limit_ms=settings.sql_time_limit_ms)
    return OperationContext(settings, database, open_genome(settings.reference_dir), HANDLERS, READERS)
