"""code systems, their hierarchies and the maps between them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RELEASE = "The release that says so"
_ROW = "Number of the row in its release"
_SPELLED = "In the spelling of app.formats.code_systems"


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "terminology_release",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("name", sa.Text(), nullable=False, comment="What it is called here; loading it again replaces it"),
        sa.Column("kind", sa.Text(), nullable=False, comment="Kind of the files (operon terminology load KIND)"),
        sa.Column(
            "version", sa.Text(), nullable=True, comment="Version as given or as the files tell it; absent when unknown"
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="JSON list: base names of the files"),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="JSON list: digests of the files' bytes, in their order"
        ),
        sa.Column("licence", sa.Text(), nullable=False, comment="Whose terms its use is under"),
        sa.Column("rows", sa.Integer(), nullable=False, comment="Number of rows of the tables below"),
        sa.Column(
            "covers", sa.Text(), nullable=False, comment="JSON: maps, the pairs of systems; hierarchies, the systems"
        ),
        sa.Column("loaded", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminology_release")),
        sa.UniqueConstraint("name", name=op.f("uq_terminology_release_name")),
        comment="Releases of code systems and of maps between them that were loaded",
    )
    op.create_table(
        "terminology_map",
        sa.Column("release_id", sa.Integer(), nullable=False, comment=_RELEASE),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment=_ROW),
        sa.Column("source_system", sa.Text(), nullable=False, comment="Canonical URI"),
        sa.Column("source_code", sa.Text(), nullable=False, comment=_SPELLED),
        sa.Column("target_system", sa.Text(), nullable=False, comment="Canonical URI"),
        sa.Column("target_code", sa.Text(), nullable=False, comment=_SPELLED),
        sa.Column(
            "target_display", sa.Text(), nullable=True, comment="Name of the target; absent where the release has none"
        ),
        sa.Column(
            "equivalence",
            sa.Text(),
            nullable=False,
            comment="app.formats.terminology.Equivalence, target as to source",
        ),
        sa.PrimaryKeyConstraint("release_id", "ordinal", name=op.f("pk_terminology_map")),
        comment="What codes are called in other systems",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "terminology_parent",
        sa.Column("release_id", sa.Integer(), nullable=False, comment=_RELEASE),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment=_ROW),
        sa.Column("system", sa.Text(), nullable=False, comment="Canonical URI of both codes"),
        sa.Column("child", sa.Text(), nullable=False, comment="The narrower code"),
        sa.Column("parent", sa.Text(), nullable=False, comment="What the child is a kind of"),
        sa.PrimaryKeyConstraint("release_id", "ordinal", name=op.f("pk_terminology_parent")),
        comment="is-a relations of code systems",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "terminology_concept",
        sa.Column("release_id", sa.Integer(), nullable=False, comment=_RELEASE),
        sa.Column("ordinal", sa.Integer(), nullable=False, comment=_ROW),
        sa.Column("system", sa.Text(), nullable=False, comment="Canonical URI"),
        sa.Column("code", sa.Text(), nullable=False, comment=_SPELLED),
        sa.Column("display", sa.Text(), nullable=False, comment="Name of the code"),
        sa.PrimaryKeyConstraint("release_id", "ordinal", name=op.f("pk_terminology_concept")),
        comment="Names of codes",
        sqlite_with_rowid=False,
    )
    for table, name, columns in _INDEXES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(name, columns, unique=False)


_INDEXES = (
    ("terminology_map", "ix_terminology_map_source", ["source_system", "source_code"]),
    ("terminology_parent", "ix_terminology_parent_parent", ["system", "parent"]),
    ("terminology_concept", "ix_terminology_concept_code", ["system", "code"]),
)


def downgrade() -> None:
    """Undo the revision; what was loaded is lost."""
    for table, name, _ in _INDEXES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(name)
    for table in ("terminology_concept", "terminology_parent", "terminology_map", "terminology_release"):
        op.drop_table(table)
