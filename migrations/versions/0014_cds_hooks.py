"""CDS Hooks: cards that were shown, feedback on them, tokens that were used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "cds_card",
        sa.Column(
            "uuid", sa.Text(), nullable=False, comment="Id of the card: the same whenever the same call is repeated"
        ),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject that it was shown of"),
        sa.Column("service", sa.Text(), nullable=False, comment="Id of the service"),
        sa.Column("hook", sa.Text(), nullable=False, comment="order-select, order-sign, ..."),
        sa.Column("drug", sa.Text(), nullable=False, comment="Name of the drug; empty for a summary"),
        sa.Column("source", sa.Text(), nullable=False, comment="Whose guideline: CPIC, DPWG, ...; empty for a summary"),
        sa.Column("grade", sa.Text(), nullable=False, comment="A-D or NA"),
        sa.Column("release", sa.Text(), nullable=False, comment="Releases of knowledge that it was made from"),
        sa.Column("suggestions", sa.Text(), nullable=False, comment="JSON: label of each suggestion by its id"),
        sa.Column("created", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("uuid", name=op.f("pk_cds_card")),
        comment="Cards that CDS clients were shown, so that feedback can be understood",
    )
    op.create_index(op.f("ix_cds_card_subject_ordinal"), "cds_card", ["subject_ordinal"], unique=False)
    op.create_table(
        "cds_feedback",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("card", sa.Text(), nullable=False, comment="Id of the card, perhaps of one that is not stored"),
        sa.Column("service", sa.Text(), nullable=False, comment="Id of the service"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="accepted or overridden"),
        sa.Column("suggestions", sa.Text(), nullable=False, comment="JSON: ids of the accepted suggestions"),
        sa.Column("reason_system", sa.Text(), nullable=True, comment="Code system of the reason for overriding"),
        sa.Column("reason_code", sa.Text(), nullable=True, comment="Code of the reason for overriding"),
        sa.Column(
            "comment", sa.Text(), nullable=True, comment="What the user wrote; kept only of a card that is stored"
        ),
        sa.Column("at", sa.Text(), nullable=False, comment="UTC, as the client says"),
        sa.Column("received_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "iss", sa.Text(), nullable=True, comment="Issuer of the client's token; none where tokens are not asked for"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cds_feedback")),
        comment="What users did with cards",
    )
    op.create_index(op.f("ix_cds_feedback_card"), "cds_feedback", ["card"], unique=False)
    op.create_table(
        "cds_token",
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of issuer and jti"),
        sa.Column("expires", sa.BigInteger(), nullable=False, comment="Seconds since 1970, after which the row goes"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_cds_token")),
        comment="Tokens of CDS clients that were used: none counts twice",
    )
    op.create_index(op.f("ix_cds_token_expires"), "cds_token", ["expires"], unique=False)


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("cds_token")
    op.drop_table("cds_feedback")
    op.drop_table("cds_card")
