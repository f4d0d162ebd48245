"""Cases of a CIP-API: documents, who is in them, notes, referrals, consent, users, fetching and its audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "cip_case",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("ir_id", sa.BigInteger(), nullable=False, comment="Interpretation request"),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version of the interpretation request"),
        sa.Column("case_id", sa.Text(), nullable=False, comment="GEL-40101-1; empty where it has none"),
        sa.Column("sample_type", sa.Text(), nullable=False, comment="raredisease or cancer"),
        sa.Column("cip", sa.Text(), nullable=False, comment="Interpretation provider"),
        sa.Column("assembly", sa.Text(), nullable=False, comment="GRCh37, GRCh38 or empty"),
        sa.Column("proband", sa.Text(), nullable=False, comment="Participant; empty where not known"),
        sa.Column(
            "family_id", sa.Text(), nullable=False, comment="Family, or the cancer participant's referral; may be empty"
        ),
        sa.Column("last_status", sa.Text(), nullable=False, comment="Newest status of the case"),
        sa.Column(
            "workflow_status", sa.Text(), nullable=False, comment="Newest status in decision support; may be empty"
        ),
        sa.Column("case_priority", sa.Text(), nullable=False, comment="low, medium, high, urgent or empty"),
        sa.Column("last_modified", sa.Text(), nullable=False, comment="ISO 8601, UTC, six digits of microseconds"),
        sa.Column(
            "search", sa.Text(), nullable=False, comment="Identifiers in small letters, for the filter of that name"
        ),
        sa.Column("overview", sa.Text(), nullable=False, comment="JSON of the list of cases, as it is served"),
        sa.Column(
            "detail",
            sa.LargeBinary(),
            nullable=True,
            comment="zstd of the detail's JSON as it came; none while only the list is known",
        ),
        sa.Column(
            "sha256",
            sa.Text(),
            nullable=False,
            comment="Of the detail without what changes by itself; empty without one",
        ),
        sa.Column(
            "origin", sa.Text(), nullable=False, comment="file, server, or the environment that it was fetched from"
        ),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="listed, waiting, stored, quarantined, blocked, refused, superseded",
        ),
        sa.Column(
            "reflected",
            sa.Text(),
            nullable=False,
            comment="What the calls in the store rest on; another one: they wait",
        ),
        sa.Column("tests", sa.Text(), nullable=False, comment="JSON: (subject, test) that the case has in the store"),
        sa.Column("report", sa.Text(), nullable=False, comment="JSON of what was stored of it and what not"),
        sa.Column("updated", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cip_case")),
        sa.UniqueConstraint("ir_id", "version", name=op.f("uq_cip_case_ir_id_version")),
        comment="Cases of a CIP-API, their documents unchanged",
    )
    op.create_index(op.f("ix_cip_case_state"), "cip_case", ["state"], unique=False)
    op.create_table(
        "cip_member",
        sa.Column(
            "case_row", sa.Integer(), nullable=False, comment="Case; -1: an erased one, of which only consent is left"
        ),
        sa.Column("participant", sa.Text(), nullable=False, comment="Participant, as the case calls it"),
        sa.Column("subject_id", sa.Text(), nullable=False, comment="Subject of the store"),
        sa.Column(
            "uid",
            sa.Text(),
            nullable=True,
            comment="The other identifier, which econsent may use; none where the case has none",
        ),
        sa.Column("is_proband", sa.Integer(), nullable=False, comment="1 or 0"),
        sa.PrimaryKeyConstraint("case_row", "participant", name=op.f("pk_cip_member")),
        comment="Who is in a case",
    )
    op.create_index(op.f("ix_cip_member_participant"), "cip_member", ["participant"], unique=False)
    op.create_index(op.f("ix_cip_member_subject"), "cip_member", ["subject_id"], unique=False)
    op.create_index(op.f("ix_cip_member_uid"), "cip_member", ["uid"], unique=False)
    op.create_table(
        "cip_facet",
        sa.Column("case_row", sa.Integer(), nullable=False, comment="Case"),
        sa.Column(
            "name", sa.Text(), nullable=False, comment="status, site, tag, category, cohort_id, clinical_report, ..."
        ),
        sa.Column("value", sa.Text(), nullable=False, comment="Value; of documents the place in the detail's list"),
        sa.PrimaryKeyConstraint("case_row", "name", "value", name=op.f("pk_cip_facet")),
        comment="What lists of cases are asked for besides what stands in columns",
    )
    op.create_index(op.f("ix_cip_facet_name"), "cip_facet", ["name", "value"], unique=False)
    op.create_table(
        "cip_note",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("case_row", sa.Integer(), nullable=False, comment="Case"),
        sa.Column("kind", sa.Text(), nullable=False, comment="workflow, flag, log, file, or key of a repeated request"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON as it is served"),
        sa.Column("created_at", sa.Text(), nullable=False, comment="ISO 8601, UTC, six digits of microseconds"),
        sa.Column("username", sa.Text(), nullable=False, comment="Who wrote it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cip_note")),
        comment="What decision support said of a case: workflow statuses, flags, logs of interpretation",
    )
    op.create_index(op.f("ix_cip_note_case"), "cip_note", ["case_row", "kind"], unique=False)
    op.create_table(
        "cip_referral",
        sa.Column("referral_id", sa.Text(), nullable=False, comment="Referral"),
        sa.Column("referral_uid", sa.Text(), nullable=False, comment="The other identifier of it; may be empty"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON as it is served"),
        sa.Column("last_modified", sa.Text(), nullable=False, comment="ISO 8601, UTC"),
        sa.PrimaryKeyConstraint("referral_id", name=op.f("pk_cip_referral")),
        comment="Referrals of a CIP-API",
    )
    op.create_index(op.f("ix_cip_referral_uid"), "cip_referral", ["referral_uid"], unique=False)
    op.create_table(
        "cip_referral_test",
        sa.Column("referral_test_id", sa.Text(), nullable=False, comment="Test that was ordered"),
        sa.Column("referral_id", sa.Text(), nullable=False, comment="Referral; empty where not known"),
        sa.Column("ir_id", sa.BigInteger(), nullable=True, comment="Interpretation request that it led to"),
        sa.Column("ir_version", sa.Integer(), nullable=True, comment="Version of it"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON as it is served"),
        sa.PrimaryKeyConstraint("referral_test_id", name=op.f("pk_cip_referral_test")),
        comment="Tests of referrals",
    )
    op.create_index(op.f("ix_cip_referral_test_case"), "cip_referral_test", ["ir_id", "ir_version"], unique=False)
    op.create_index(op.f("ix_cip_referral_test_referral_id"), "cip_referral_test", ["referral_id"], unique=False)
    op.create_table(
        "cip_consent",
        sa.Column(
            "referral_id", sa.Text(), nullable=False, comment="Referral; else the family, or the name of the case"
        ),
        sa.Column("participant", sa.Text(), nullable=False, comment="Participant; empty: the referral as a whole"),
        sa.Column("subject_id", sa.Text(), nullable=False, comment="Subject of the store"),
        sa.Column(
            "primary_testing", sa.Text(), nullable=False, comment="primaryGenomicTestingConsent: yes, no or undefined"
        ),
        sa.Column("discussion", sa.Text(), nullable=False, comment="researchDiscussion"),
        sa.Column("research", sa.Text(), nullable=False, comment="researchFindingConsent"),
        sa.Column("pharmacogenomics", sa.Text(), nullable=False, comment="pharmocogenomicsFindingConsent"),
        sa.Column("health_related", sa.Text(), nullable=False, comment="healthRelatedFindingConsent"),
        sa.Column("carrier_status", sa.Text(), nullable=False, comment="carrierStatusConsent"),
        sa.Column("last_modified", sa.Text(), nullable=False, comment="ISO 8601, UTC"),
        sa.Column(
            "said", sa.Text(), nullable=True, comment="JSON: what econsent and each case said, which the columns sum up"
        ),
        sa.PrimaryKeyConstraint("referral_id", "participant", name=op.f("pk_cip_consent")),
        comment="What participants agreed to",
    )
    op.create_index(op.f("ix_cip_consent_subject"), "cip_consent", ["subject_id"], unique=False)
    op.create_table(
        "cip_sync",
        sa.Column("environment", sa.Text(), nullable=False, comment="Name of the server that cases come from"),
        sa.Column("ir_id", sa.BigInteger(), nullable=False, comment="Interpretation request"),
        sa.Column("version", sa.Integer(), nullable=False, comment="Version of it"),
        sa.Column("last_modified", sa.Text(), nullable=False, comment="As the server's list said when it was fetched"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Of the detail without what changes by itself"),
        sa.Column("state", sa.Text(), nullable=False, comment="done, failed, forbidden or gone"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="Tries since it was last fetched"),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the last try failed"),
        sa.Column("updated", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("environment", "ir_id", "version", name=op.f("pk_cip_sync")),
        comment="How far the fetching of cases from a server is",
    )
    op.create_table(
        "cip_user",
        sa.Column("username", sa.Text(), nullable=False, comment="Name to log in with"),
        sa.Column("id", sa.Integer(), nullable=False, comment="user_id of tokens"),
        sa.Column(
            "password", sa.Text(), nullable=False, comment="Salted digest (scrypt); empty: no login with a password"
        ),
        sa.Column("email", sa.Text(), nullable=False, comment="May be empty"),
        sa.Column("role", sa.Text(), nullable=False, comment="reader, writer or admin"),
        sa.Column(
            "workspaces", sa.Text(), nullable=False, comment="JSON list of the sites whose cases are seen; empty: all"
        ),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_cip_user")),
        sa.UniqueConstraint("id", name=op.f("uq_cip_user_id")),
        comment="Users of the CIP-API-compatible interface",
    )
    op.create_table(
        "cip_audit",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("username", sa.Text(), nullable=False, comment="Who asked; empty if nobody was recognized"),
        sa.Column("method", sa.Text(), nullable=False, comment="GET, POST, ..."),
        sa.Column("endpoint", sa.Text(), nullable=False, comment="Path with names in place of identifiers"),
        sa.Column("ir_id", sa.BigInteger(), nullable=True, comment="Interpretation request, if it is about one"),
        sa.Column("version", sa.Integer(), nullable=True, comment="Version of it"),
        sa.Column("status", sa.Integer(), nullable=False, comment="HTTP status of the answer"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cip_audit")),
        comment="Who wrote what through the CIP-API-compatible interface",
    )


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("cip_audit")
    op.drop_table("cip_user")
    op.drop_table("cip_sync")
    op.drop_index(op.f("ix_cip_consent_subject"), table_name="cip_consent")
    op.drop_table("cip_consent")
    op.drop_index(op.f("ix_cip_referral_test_referral_id"), table_name="cip_referral_test")
    op.drop_index(op.f("ix_cip_referral_test_case"), table_name="cip_referral_test")
    op.drop_table("cip_referral_test")
    op.drop_index(op.f("ix_cip_referral_uid"), table_name="cip_referral")
    op.drop_table("cip_referral")
    op.drop_index(op.f("ix_cip_note_case"), table_name="cip_note")
    op.drop_table("cip_note")
    op.drop_index(op.f("ix_cip_facet_name"), table_name="cip_facet")
    op.drop_table("cip_facet")
    op.drop_index(op.f("ix_cip_member_uid"), table_name="cip_member")
    op.drop_index(op.f("ix_cip_member_subject"), table_name="cip_member")
    op.drop_index(op.f("ix_cip_member_participant"), table_name="cip_member")
    op.drop_table("cip_member")
    op.drop_index(op.f("ix_cip_case_state"), table_name="cip_case")
    op.drop_table("cip_case")
