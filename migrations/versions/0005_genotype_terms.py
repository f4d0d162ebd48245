"""an index of the words and codes of genotypes, and bitmaps of who has them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store import genotype_index
from app.store.session import Session

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = "The variant; below zero -1 - genotype name"
_NUMBER_BEFORE = "The variant"


def upgrade() -> None:
    """Apply the revision, and fill the index from the genotypes that are stored."""
    op.create_table(
        "genotype_term",
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="app.store.genotype_index.TermKind"),
        sa.Column(
            "digest", sa.BigInteger(), nullable=False, comment="Digest of the text, which may be longer than a key"
        ),
        sa.Column("system_digest", sa.BigInteger(), nullable=False, comment="Digest of the system"),
        sa.Column("text", sa.Text(), nullable=False, comment="A piece of the spellings of names, or a code"),
        sa.Column("system", sa.Text(), nullable=False, comment="Code system of a code as given; empty for a piece"),
        sa.Column("names", sa.LargeBinary(), nullable=False, comment="The names that have it (app.store.bitmaps)"),
        sa.PrimaryKeyConstraint("kind", "digest", "system_digest", name=op.f("pk_genotype_term")),
        comment="What words and codes are looked up in; who has a name is in carrier and carrier_page",
        sqlite_with_rowid=False,
    )
    _comment(_NUMBER, _NUMBER_BEFORE)
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    genotype_index.rebuild(Session(connection.connection.driver_connection, is_sqlite=is_sqlite))


def _comment(comment: str, before: str) -> None:
    """Change what PostgreSQL says of a column; SQLite keeps no comments, and would copy the whole table."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column(
            "carrier", "variant_id", existing_type=sa.BigInteger(), comment=comment, existing_comment=before
        )


def downgrade() -> None:
    """Undo the revision; nothing is lost that names and statements do not say."""
    op.drop_table("genotype_term")
    op.execute("delete from carrier where variant_id < 0")
    op.execute("delete from carrier_page where page < 0")
    _comment(_NUMBER_BEFORE, _NUMBER)
