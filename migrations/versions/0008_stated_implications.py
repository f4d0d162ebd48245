"""what reports state of their own subjects: implications and molecular consequences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "stated_implication",
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column(
            "subject_ordinal", sa.Integer(), nullable=False, comment="The subject that it is about, and nobody else"
        ),
        sa.Column(
            "uid", sa.Text(), nullable=False, comment="Digest of subject, body and findings; part of the resource id"
        ),
        sa.Column("study_id", sa.Integer(), nullable=False, comment="The test of its first finding"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="The ingest run that wrote it"),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="app.formats.knowledge.ItemKind"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON of elements of the Observation"),
        sa.Column(
            "concepts", sa.Text(), nullable=False, comment="JSON: role, system, code and display of what it is asked by"
        ),
        sa.Column("findings", sa.Text(), nullable=False, comment="JSON of what it is derived from (app.store.stated)"),
        sa.PrimaryKeyConstraint("shard", "subject_ordinal", "uid", name=op.f("pk_stated_implication")),
        sa.UniqueConstraint("uid", name=op.f("uq_stated_implication_uid")),
        comment="One row a statement of a report on what findings of its subject mean",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stated_concept",
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject"),
        sa.Column("uid", sa.Text(), nullable=False, comment="The statement"),
        sa.Column("number", sa.Integer(), nullable=False, comment="Which of its concepts"),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="Kind of the statement"),
        sa.Column("role", sa.SmallInteger(), nullable=False, comment="app.store.knowledge_codec.Role"),
        sa.Column("system", sa.Text(), nullable=False, comment="Code system; empty when it has none"),
        sa.Column("code", sa.Text(), nullable=False, comment="Code; empty when it has none"),
        sa.Column("search", sa.Text(), nullable=False, comment="Code and display without regard to case"),
        sa.PrimaryKeyConstraint("shard", "subject_ordinal", "uid", "number", name=op.f("pk_stated_concept")),
        comment="What statements can be asked by: conditions, medications, terms of consequences",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stated_owner",
        sa.Column("owner", sa.Text(), nullable=False, comment="uid of a call set or a genotype"),
        sa.Column("uid", sa.Text(), nullable=False, comment="A statement that is derived from it"),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject"),
        sa.PrimaryKeyConstraint("owner", "uid", name=op.f("pk_stated_owner")),
        comment="Which statements go when calls or genotypes are withdrawn",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stated_implication_study_id", "stated_implication", ["study_id"], unique=False)
    op.create_index("ix_stated_implication_run_id", "stated_implication", ["run_id"], unique=False)
    op.create_index("ix_stated_implication_kind", "stated_implication", ["kind"], unique=False)
    op.create_index("ix_stated_concept_code", "stated_concept", ["kind", "role", "code"], unique=False)
    op.create_index("ix_stated_owner_uid", "stated_owner", ["uid"], unique=False)


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("stated_owner")
    op.drop_table("stated_concept")
    op.drop_table("stated_implication")
