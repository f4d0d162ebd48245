"""The one settings object, read once from ``OPERON_*`` environment variables and passed down.

Every field carries the one sentence that the documentation prints for it (``docs/reference/settings.md`` is checked
against this class by a test).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Operon's settings; the environment variable is ``OPERON_`` plus the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="OPERON_", env_file=None, frozen=True, extra="ignore")

    home: Path = Field(Path(".operon"), description="Folder of the embedded database and the reference files.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the store; unset means an SQLite file inside the home folder."
    )
    base_url: str | None = Field(
        None, description="Public URL of the server, used for absolute links; unset means the address of the request."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; anything but loopback needs OPERON_ENV=dev.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on.")
    workers: int = Field(1, ge=1, le=64, description="Number of server processes.")
    env: Literal["production", "dev"] = Field(
        "production", description="`dev` allows a server without authorization to listen beyond loopback."
    )
    cors_origins: str = Field(
        "", description="Comma-separated origins that browsers may call from; `*` allows all, empty none."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )
    log_format: Literal["json", "text"] = Field("json", description="Log lines as JSON objects or as plain text.")

    max_body_bytes: int = Field(2 * 2**20, ge=1024, description="Largest request body; above it the answer is 413.")
    max_url_bytes: int = Field(
        8192, ge=512, le=60_000, description="Longest path plus query string of a request; above it the answer is 414."
    )
    max_query_parameters: int = Field(200, ge=10, description="Most query parameters of one request.")
    max_ranges: int = Field(100, ge=1, description="Most ranges that one request may ask for.")
    max_variants: int = Field(10_000, ge=1, description="Most variants that one request may ask for.")
    max_tokens: int = Field(100, ge=1, description="Most genes or haplotypes that one request may ask for.")
    max_answers: int = Field(
        100_000, ge=1, description="Most resources in one answer; above it the request is refused as too costly."
    )
    max_phase_pairs: int = Field(2000, ge=0, description="Most phase relations in one answer; the rest is left out.")
    max_batch_entries: int = Field(100, ge=1, description="Most requests in one batch.")
    max_batch_bytes: int = Field(
        64 * 2**20, ge=1024, description="Bytes of answers after which the rest of a batch is refused as too costly."
    )
    sql_time_limit_ms: int = Field(5000, ge=10, description="Longest run of one statement while answering a request.")
    lift_widen_max: int = Field(
        1000,
        ge=0,
        description="Bases by which an end of a range may move outwards when it has no place on the other build.",
    )
    transcript_version_fallback: bool = Field(
        False,
        description="Read a transcript of unknown version as its newest known one, and say so, instead of refusing it.",
    )
    pyard_data: Path | None = Field(
        None, description="Folder of py-ard's database (`pyard-….sqlite3`); unset means that no HLA name is reduced."
    )
    sv_min_len: int = Field(50, ge=2, description="Length difference from which a change also counts as structural.")
    sv_subsume: Literal["nominal", "inner", "outer"] = Field(
        "nominal", description="Interval of a structural variant that must hold a range in order to subsume it."
    )

    vcf_max_bytes: int = Field(20 * 2**30, ge=1, description="Largest VCF file, as stored (compressed or not).")
    vcf_max_ratio: int = Field(
        200, ge=1, description="Largest expansion of a compressed VCF after its first 10 MiB of text."
    )
    vcf_max_line_bytes: int = Field(16 * 2**20, ge=1024, description="Longest line of a VCF.")
    vcf_max_allele: int = Field(10**6, ge=1, description="Longest REF or ALT allele, in bases.")
    vcf_max_header_bytes: int = Field(10 * 2**20, ge=1024, description="Largest VCF header.")
    vcf_max_header_lines: int = Field(20_000, ge=10, description="Most lines of a VCF header.")
    vcf_max_samples: int = Field(100_000, ge=1, description="Most samples of one VCF.")
    ref_mismatch_share: float = Field(
        0.01, gt=0, lt=1, description="Share of REF alleles that may contradict the reference before a file is refused."
    )
    fhir_max_bytes: int = Field(20 * 2**30, ge=1, description="Largest FHIR file, as text (uncompressed).")
    fhir_max_resource_bytes: int = Field(
        32 * 2**20, ge=1024, description="Longest single resource of a FHIR file, in characters."
    )
    fhir_max_resources: int = Field(20_000_000, ge=1, description="Most resources of one FHIR file.")
    fhir_max_held: int = Field(
        1_000_000,
        ge=1,
        description="Most variants and other resources of a FHIR file that an ingest holds in memory at once.",
    )
    fhir_max_listed: int = Field(
        50_000, ge=0, description="Most results that an exported report lists, and most phase relations beside them."
    )

    @property
    def store_url(self) -> str:
        """Return the database URL, the embedded default included."""
        return self.database_url or f"sqlite:///{(self.home / 'operon.db').absolute()}"

    @property
    def reference_dir(self) -> Path:
        """Return the folder of sequence and chain files."""
        return self.home / "reference"
