"""pgx releases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "pgx_release",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("name", sa.Text(), nullable=False, comment="What answers and commands call it: source-version"),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="pypgx, pharmcat, cpic-sql, pgx, or the name it was given"
        ),
        sa.Column("label", sa.Text(), nullable=False, comment="Name of the source for people"),
        sa.Column("version", sa.Text(), nullable=False, comment="Version or date of the release"),
        sa.Column("released", sa.Text(), nullable=True, comment="Date of the release, if it is known"),
        sa.Column("licence", sa.Text(), nullable=False, comment="Licence of the source"),
        sa.Column(
            "attribution", sa.Text(), nullable=False, comment="How the source asks to be named; empty when it does not"
        ),
        sa.Column("files", sa.Text(), nullable=False, comment="JSON: name, sha256 and size of each file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Digest of the files and of what they were read as"),
        sa.Column("active", sa.SmallInteger(), nullable=False, comment="1: answers use it"),
        sa.Column("report", sa.Text(), nullable=False, comment="JSON of what was stored and what was not"),
        sa.Column("loaded", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pgx_release")),
        sa.UniqueConstraint("name", name=op.f("uq_pgx_release_name")),
        comment="Releases of pharmacogenetic knowledge; the newest active one that has a gene or guideline counts",
    )
    op.create_table(
        "pgx_table",
        sa.Column("release_id", sa.Integer(), nullable=False, comment="The release"),
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the table in Operon's layout"),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="Text of the table (app.formats.pgx_tables), zstd"),
        sa.PrimaryKeyConstraint("release_id", "name", name=op.f("pk_pgx_table")),
        comment="What a release of pharmacogenetic knowledge says, table by table",
    )


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("pgx_table")
    op.drop_table("pgx_release")
