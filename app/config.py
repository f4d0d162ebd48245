"""The one settings object, read once from ``OPERON_*`` environment variables and passed down.

Every field carries the one sentence that the documentation prints for it (``docs/reference/settings.md`` is checked
against this class by a test).
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Operon's settings; the environment variable is ``OPERON_`` plus the field's name in capitals."""

    model_config = SettingsConfigDict(env_prefix="OPERON_", env_file=None, frozen=True, extra="ignore")

    home: Path = Field(Path(".operon"), description="Folder of the embedded database and the reference files.")
    database_url: str | None = Field(
        None, repr=False, description="SQLAlchemy URL of the store; unset means an SQLite file inside the home folder."
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
    pgx_grade_rules: Path | None = Field(
        None, description="File of rules that grade pharmacogenetic advice, instead of those that come with Operon."
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

    cip_login_url: str = Field(
        "https://login.microsoftonline.com",
        description="Address that gives tokens to clients of a CIP-API server; https, unless loopback.",
    )
    cip_proxy: str | None = Field(
        None,
        repr=False,
        description="Proxy to reach a CIP-API server through, as `http://HOST:PORT`; unset means none, whatever other "
        "variables say.",
    )
    cip_ca_file: Path | None = Field(
        None, description="Authorities that certify CIP-API servers (PEM); unset means the usual public ones."
    )
    cip_connect_seconds: float = Field(10, gt=0, description="Longest wait for a connection to a CIP-API server.")
    cip_read_seconds: float = Field(
        120, gt=0, description="Longest silence of a CIP-API server; a whole answer may take ten times as long."
    )
    cip_answer_max_bytes: int = Field(
        512 * 2**20, ge=1024, description="Largest answer of a CIP-API server, uncompressed."
    )

    cds_auth: Literal["off", "optional", "required"] | None = Field(
        None,
        description="Whether callers of CDS Hooks services need a token that is signed by a client of "
        "OPERON_CDS_CLIENTS; unset means `off` while host and base URL are loopback, else `required`.",
    )
    cds_clients: str = Field(
        "",
        description="Comma-separated CDS clients, each as `ISSUER KEYS`; KEYS is the https URL of its JWK Set, or a "
        "file, which the `jku` of its tokens may follow.",
    )
    cds_algorithms: str = Field(
        "ES384,RS384",
        description="Signatures of tokens of CDS clients, of ES256, ES384, ES512, RS256, RS384 and RS512.",
    )
    cds_fhir_servers: str = Field(
        "",
        description="Comma-separated base URLs of the FHIR servers that a Patient may be fetched from; https, unless "
        "loopback. An address that is not public has to be allowed as `URL NETWORK`.",
    )
    cds_patient_match: Literal["any", "identifier"] = Field(
        "any",
        description="`identifier`: the patient ids of CDS clients are not those of this store, so that business "
        "identifiers decide.",
    )
    cds_show_normal: bool = Field(
        False, description="Whether CDS cards are shown, too, where no genetic result asks for anything (grade A)."
    )
    cds_pretest: bool = Field(
        False, description="Whether a CDS card names the genes of CPIC level A of which the patient has no result."
    )
    cds_launch_url: str | None = Field(
        None, description="Launch URL of a SMART app that CDS cards link to; unset means no such link."
    )
    snp_import_build: Literal["GRCh37", "GRCh38"] = Field(
        "GRCh38", description="Build whose bases the genotypes of submitted SNP data are."
    )
    snp_import_strand: Literal["plus", "minus"] = Field(
        "plus", description="Strand of that build on which the genotypes of submitted SNP data are written."
    )
    snp_import_system: str = Field(
        "", description="System of the identifiers that sample ids of submitted SNP data are; empty means none."
    )
    inbox_worker: bool = Field(
        True, description="Work submitted data off beside the server; otherwise `operon inbox work` has to do it."
    )

    cip_token_minutes: int = Field(
        60, ge=1, le=1440, description="Minutes that a token of the CIP-API-compatible interface is good for."
    )
    cip_tenant: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        description="Tenant under which users of the CIP-API-compatible interface get tokens as clients of a directory "
        "do, at `/{tenant}/oauth2/token`; empty means nowhere.",
    )
    cip_max_body_bytes: int = Field(
        64 * 2**20,
        ge=1024,
        description="Largest request body of the CIP-API-compatible interface; above it the answer is 413.",
    )
    cip_consent: Literal["off", "warn", "enforce"] = Field(
        "enforce",
        description="What the consents of people in CIP-API cases do: `enforce` withholds what somebody has not agreed "
        "to, also from counts; `warn` answers and says so; `off` takes no notice.",
    )
    cip_participant_system: str = Field(
        "urn:gel:participant",
        description="System of the identifiers that participants of CIP-API cases have as subjects.",
    )

    secret_file: Path | None = Field(
        None,
        description="File of the secret that encrypts PINs and stands for persons in audits; unset means `secret` in "
        "the home folder, made when it is first needed. Servers of one store need the same.",
    )
    abomics_prefix: str = Field(
        "/abomics",
        pattern=r"^(/[A-Za-z0-9._~-]+)*/?$",
        description="Path below which the Abomics-compatible API is served; empty means the root.",
    )
    abomics_require_user_headers: Literal["patient", "all", "off"] = Field(
        "patient",
        description="Requests to the Abomics-compatible API that must have the headers User-Id and Organization-Id: "
        "those about a patient, all, or none.",
    )
    abomics_client_cert: Literal["off", "direct", "proxy"] = Field(
        "off",
        description="How clients of the Abomics-compatible API prove who they are: `direct`, by a certificate to this "
        "server, which then speaks TLS; `proxy`, to a proxy of OPERON_TRUSTED_PROXIES; `off`, not at all.",
    )
    abomics_clients: str = Field(
        "", description="Comma-separated common names of the certificates that are let in; needed unless `off`."
    )
    abomics_sources: bool = Field(
        True,
        description="Whether texts of the Abomics-compatible API are followed by the further key `sources`, which says "
        "whose words they are.",
    )
    abomics_snp_data_mode: Literal["list", "object"] = Field(
        "list", description="Whether `snp_data` of a report is the list of all entries or only the first entry."
    )
    abomics_test_provider: str = Field(
        "", description="Name of the laboratory, as `test_provider` of a report; empty leaves it out."
    )
    report_login_days: int = Field(
        30, ge=1, le=3650, description="Days during which the address of a report opens with its PIN."
    )
    trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks of proxies whose X-SSL-Client-Verify and X-SSL-Client-S-DN "
        "are believed; from anybody else these headers are ignored.",
    )
    tls_cert_file: Path | None = Field(
        None, description="Certificate chain of this server (PEM); needed for `direct` client certificates."
    )
    tls_key_file: Path | None = Field(None, description="Key of that certificate (PEM).")
    tls_client_ca_file: Path | None = Field(
        None, description="Authorities whose client certificates are accepted (PEM); needed for `direct`."
    )

    @property
    def store_url(self) -> str:
        """Return the database URL, the embedded default included."""
        return self.database_url or f"sqlite:///{(self.home / 'operon.db').absolute()}"

    @property
    def is_local(self) -> bool:
        """Return whether only this machine reaches the server, as far as address and base URL tell."""
        public = urlsplit(self.base_url).hostname if self.base_url else self.host
        return is_loopback(self.host) and is_loopback(public or "")

    @property
    def secret_path(self) -> Path:
        """Return the file of the secret, the default included."""
        return self.secret_file or self.home / "secret"

    @property
    def reference_dir(self) -> Path:
        """Return the folder of sequence and chain files."""
        return self.home / "reference"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, however it is written."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
