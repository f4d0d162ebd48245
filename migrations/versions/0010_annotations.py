"""annotations of VCFs, and which variants consequences are stated of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pyroaring import BitMap64

from app.store import carriers, computed
from app.store.session import Session

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CONSEQUENCE = 3


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "knowledge_stated",
        sa.Column("release_id", sa.Integer(), autoincrement=False, nullable=False, comment="The release"),
        sa.Column("variants", sa.LargeBinary(), nullable=False, comment="A roaring bitmap"),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_knowledge_stated")),
        comment="The variants that a release states consequences of: none are computed beside them",
    )
    op.create_table(
        "variant_annotation",
        sa.Column("variant_id", _BIG, nullable=False, comment="The variant"),
        sa.Column(
            "origin_id",
            sa.Integer(),
            nullable=False,
            comment="Release of source 'annotation': a tool and its version",
        ),
        sa.Column("build", sa.Text(), nullable=False, comment="Build of the file"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON (app.formats.annotation_body)"),
        sa.PrimaryKeyConstraint("variant_id", "origin_id", name=op.f("pk_variant_annotation")),
        comment="What tools wrote of variants into the VCFs that brought them",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_variant_annotation_origin", "variant_annotation", ["origin_id"], unique=False)
    op.create_table(
        "annotation_delta",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="The unfinished run"),
        sa.Column("block", sa.Integer(), nullable=False, comment="Number of the block"),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="Compressed JSON (app.store.file_annotations)"),
        sa.PrimaryKeyConstraint("run_id", "block", name=op.f("pk_annotation_delta")),
        comment="Annotations that wait for their run to finish",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "computed_variants",
        sa.Column(
            "name", sa.Text(), nullable=False, comment="Term of the Sequence Ontology, or 'examined', or 'waiting'"
        ),
        sa.Column(
            "variants", sa.LargeBinary(), nullable=False, comment="Carried variants, a roaring bitmap, never empty"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_computed_variants")),
        comment="What is known of computed consequences (app.store.computed)",
        sqlite_with_rowid=False,
    )
    _note_stated()
    connection = op.get_bind()
    session = Session(connection.connection.driver_connection, is_sqlite=connection.dialect.name == "sqlite")
    computed.note_carried(session, BitMap64(carriers.carried_from(session, 0)))


def _note_stated() -> None:
    """Note for the releases that are loaded already which variants they state consequences of."""
    connection = op.get_bind()
    for release_id, first, items in connection.execute(
        sa.text("select id, first_item, items from knowledge_release order by id")
    ).fetchall():
        rows = connection.execute(
            sa.text(
                "select distinct l.variant_id from knowledge_link l join knowledge_item i on i.id = l.item_id"
                " where l.item_id >= :first and l.item_id < :end and i.kind = :kind"
            ),
            {"first": first, "end": first + items, "kind": _CONSEQUENCE},
        )
        variants = BitMap64([row[0] for row in rows])
        if variants:
            connection.execute(
                sa.text("insert into knowledge_stated (release_id, variants) values (:id, :variants)"),
                {"id": release_id, "variants": variants.serialize()},
            )


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("computed_variants")
    op.drop_table("annotation_delta")
    op.drop_table("variant_annotation")
    op.execute(
        "delete from knowledge_union where concept_id in (select c.id from knowledge_concept c"
        " join knowledge_release r on r.id = c.release_id where r.source in ('annotation', 'computed'))"
    )
    op.execute(
        "delete from knowledge_page where release_id in"
        " (select id from knowledge_release where source in ('annotation', 'computed'))"
    )
    op.execute(
        "delete from knowledge_concept where release_id in"
        " (select id from knowledge_release where source in ('annotation', 'computed'))"
    )
    op.execute("delete from knowledge_release where source in ('annotation', 'computed')")
    op.drop_table("knowledge_stated")
