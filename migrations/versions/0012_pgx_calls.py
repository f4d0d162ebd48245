"""pgx calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "pgx_study",
        sa.Column("study_id", sa.Integer(), autoincrement=False, nullable=False, comment="The test"),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject"),
        sa.Column(
            "basis", sa.Text(), nullable=False, comment="Definitions, program and sequences that it was called by"
        ),
        sa.Column(
            "release", sa.Text(), nullable=False, comment="Names of the releases of the definitions, joined by +"
        ),
        sa.Column("called_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_pgx_study")),
        comment="Tests that pharmacogenes were called of; every other test with calls waits",
    )
    op.create_index(op.f("ix_pgx_study_subject_ordinal"), "pgx_study", ["subject_ordinal"], unique=False)
    op.create_table(
        "pgx_call",
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject"),
        sa.Column("study_id", sa.Integer(), nullable=False, comment="The test"),
        sa.Column("gene", sa.Text(), nullable=False, comment="Symbol of the gene"),
        sa.Column(
            "release", sa.Text(), nullable=False, comment="Names of the releases of the definitions, joined by +"
        ),
        sa.Column("status", sa.Text(), nullable=False, comment="app.pgx.calls.CallStatus"),
        sa.Column("genotype", sa.Text(), nullable=False, comment="The result; empty unless there is exactly one"),
        sa.Column("phenotype", sa.Text(), nullable=False, comment="As the release words it; empty where none follows"),
        sa.Column("activity", sa.Text(), nullable=False, comment="Activity score; empty where there is none"),
        sa.Column("method", sa.Text(), nullable=False, comment="app.pgx.calls.CallMethod"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON of the whole result (app.pgx.call_body)"),
        sa.Column("called_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("shard", "subject_ordinal", "study_id", "gene", name=op.f("pk_pgx_call")),
        comment="Results of pharmacogenes called from the variants of a test",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pgx_call_gene", "pgx_call", ["gene", "phenotype"], unique=False)


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("pgx_call")
    op.drop_table("pgx_study")
