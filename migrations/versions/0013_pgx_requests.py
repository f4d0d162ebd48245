"""requests to the pharmacogenetic API: who asked, and addresses of reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the revision."""
    _create_audit()
    _create_logins()
    _create_inbox()


def _create_audit() -> None:
    op.create_table(
        "pgx_audit",
        sa.Column("id", _BIG, autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("at", sa.Text(), nullable=False, comment="When the request came, UTC"),
        sa.Column(
            "request_id", sa.Text(), nullable=False, comment="Id of the request, as in its answer and in the log"
        ),
        sa.Column("method", sa.Text(), nullable=False, comment="HTTP method; other for one that is not served"),
        sa.Column("path", sa.Text(), nullable=False, comment="Template of the path; - for a path that is not served"),
        sa.Column("user_id", sa.Text(), comment="Header User-Id as given; absent without it"),
        sa.Column("organization_id", sa.Text(), comment="Header Organization-Id as given; absent without it"),
        sa.Column(
            "client", sa.Text(), comment="Client that the header User-Agent names; its text where it has another form"
        ),
        sa.Column(
            "client_version", sa.Text(), comment="Version of the client; absent where User-Agent has another form"
        ),
        sa.Column("cert_cn", sa.Text(), comment="Common name of the client's certificate; absent without one"),
        sa.Column("patient_ref", sa.Text(), comment="Keyed digest of the person's id; absent where no person is asked"),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="HTTP status of the answer"),
        sa.Column("error_type", sa.Text(), comment="Type of the error that was answered; absent where it has none"),
        sa.Column("duration_ms", sa.Integer(), nullable=False, comment="Time until the answer, in milliseconds"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pgx_audit")),
        comment="One row a request to the pharmacogenetic API, also of those that were refused; never changed",
    )
    op.create_index(op.f("ix_pgx_audit_at"), "pgx_audit", ["at"], unique=False)
    op.create_index(op.f("ix_pgx_audit_patient_ref"), "pgx_audit", ["patient_ref"], unique=False)


def _create_logins() -> None:
    op.create_table(
        "pgx_report_login",
        sa.Column(
            "token_sha256", sa.Text(), nullable=False, comment="Digest of the token in the address of the report"
        ),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject whose report it opens"),
        sa.Column("recipient", sa.Text(), nullable=False, comment="doctor or patient"),
        sa.Column("language", sa.Text(), nullable=False, comment="Language of the report"),
        sa.Column("sealed", sa.Text(), nullable=False, comment="Token and PIN, encrypted (app.store.sealing)"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="Wrong PINs since it was made; too many close it"),
        sa.Column("created", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("expires", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_pgx_report_login")),
        comment="Addresses of reports that open with a PIN",
    )
    op.create_index(op.f("ix_pgx_report_login_subject_ordinal"), "pgx_report_login", ["subject_ordinal"], unique=False)


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", _BIG, autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("kind", sa.Text(), nullable=False, comment="What the payload is: snpdata"),
        sa.Column("batch", sa.Text(), nullable=False, comment="Batch that the sender put it into"),
        sa.Column("sample", sa.Text(), nullable=False, comment="Sample as the sender calls it"),
        sa.Column("subject", sa.Text(), nullable=False, comment="Subject that the sample belongs to"),
        sa.Column("payload", sa.Text(), nullable=False, comment="JSON (app.formats.snp_batch)"),
        sa.Column("revision", sa.Integer(), nullable=False, comment="How often the payload was replaced"),
        sa.Column("state", sa.Text(), nullable=False, comment="queued, running, done or failed"),
        sa.Column("tries", sa.Integer(), nullable=False, comment="How often a worker took it"),
        sa.Column("due", sa.Text(), nullable=False, comment="UTC; before that it is not taken"),
        sa.Column("received", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("updated", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("error", sa.Text(), comment="Why the last try failed"),
        sa.Column("report", sa.Text(), comment="JSON of what was stored and what not"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("kind", "batch", "sample", name=op.f("uq_inbox_kind_batch_sample")),
        comment="Payloads that were submitted over the network and wait for the ingest worker",
    )
    op.create_index("ix_inbox_state", "inbox", ["state", "due"], unique=False)
    op.create_index("ix_inbox_subject", "inbox", ["subject"], unique=False)
    op.create_index("ix_inbox_sample", "inbox", ["sample"], unique=False)


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("inbox")
    op.execute("delete from counter where name = 'inbox'")
    op.drop_table("pgx_report_login")
    op.drop_table("pgx_audit")
