"""Rows of a case for people."""

from __future__ import annotations

from app.formats.gel_case import read_case
from app.operations.cip_case_variants import rows_of
from tests.cip_cases import MOTHER, PROBAND, call, case, genome, variant


def test_every_sample_of_a_person_is_told() -> None:
    detail = case(
        genome(
            variant(
                "1:1001:A:G",
                call(PROBAND, "reference_homozygous"),
                call(PROBAND, "na", sampleId="T1", alleleOrigins=["somatic_variant"], sampleVariantAlleleFrequency=0.3),
            )
        )
    )
    found, _ = read_case(detail)
    assert found is not None

    [row] = rows_of(found, [PROBAND, MOTHER])

    assert row.calls == ("LP1-DNA_A01: reference; T1: not stated, VAF 0.30", "no call")
