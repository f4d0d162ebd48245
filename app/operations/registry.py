"""Which function answers which operation; an operation is a definition (``app/fhir/definitions``) and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.config import Settings
from app.operations.context import OperationContext, open_genome
from app.operations.haplotypes import (
    find_population_specific_haplotypes,
    find_subject_haplotypes,
    find_subject_specific_haplotypes,
)
from app.operations.interface import Handler
from app.operations.population import find_population_specific_variants
from app.operations.subject_genotype import find_subject_specific_variants, find_subject_variants
from app.store.session import Database

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "find-subject-variants": find_subject_variants,
        "find-subject-specific-variants": find_subject_specific_variants,
        "find-subject-haplotypes": find_subject_haplotypes,
        "find-subject-specific-haplotypes": find_subject_specific_haplotypes,
        "find-population-specific-haplotypes": find_population_specific_haplotypes,
        "find-population-specific-variants": find_population_specific_variants,
    }
)


def open_context(settings: Settings) -> OperationContext:
    """Open the store and the reference files that the settings name."""
    database = Database(settings.store_url, sql_time_limit_ms=settings.sql_time_limit_ms)
    return OperationContext(settings, database, open_genome(settings.reference_dir), HANDLERS)
