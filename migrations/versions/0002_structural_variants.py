"""structural variants: sites with an index of where they lie, and chunks of calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store.structural_places import require_rtree

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ENDS = (
    ("start", "Nominal start"),
    ("end", "Nominal end; the start again for an insertion"),
    ("outer_start", "Earliest start"),
    ("outer_end", "Latest end"),
    ("inner_start", "Latest start; also absent without an inner interval"),
    ("inner_end", "Earliest end; also absent without an inner interval"),
)
_PLACES = {
    "sqlite": (
        "create virtual table structural_place"
        " using rtree_i32(id, first_base, last_base, first_sequence, last_sequence)",
    ),
    "postgresql": (
        "create table structural_place (id bigint primary key, span int8range not null)",
        "create index ix_structural_place_span on structural_place using gist (span)",
    ),
}


def upgrade() -> None:
    """Apply the revision."""
    engine = op.get_bind().dialect.name
    if engine == "sqlite":
        modules = op.get_bind().exec_driver_sql("select name from pragma_module_list")
        require_rtree({row[0] for row in modules})
    op.create_table(
        "structural_chunk",
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("call_set_id", sa.Integer(), nullable=False, comment="The call set"),
        sa.Column("contig", sa.Integer(), nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
        sa.Column(
            "part", sa.Integer(), nullable=False, comment="Block of the ingest that wrote it; parts are concatenated"
        ),
        sa.Column(
            "data", sa.LargeBinary(), nullable=False, comment="app.store.structural_codec, version in the first byte"
        ),
        sa.PrimaryKeyConstraint("shard", "call_set_id", "contig", "part", name=op.f("pk_structural_chunk")),
        comment="Structural calls of one call set on one chromosome",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "structural_site",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
            comment="Allocated with the ids of variants, so that carriers of both are kept alike",
        ),
        sa.Column("contig", sa.Integer(), nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="app.records.StructuralKind"),
        sa.Column("build", sa.Text(), nullable=False, comment="Build that the site was reported on"),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="app.records.LiftStatus"),
        *(
            sa.Column(
                f"{what}{build}",
                sa.Integer(),
                nullable=True,
                comment=f"{meaning} on GRCh{build}; absent without a place there",
            )
            for build in (37, 38)
            for what, meaning in _ENDS
        ),
        sa.Column("ref", sa.Text(), nullable=False, comment="REF as reported"),
        sa.Column("alt", sa.Text(), nullable=False, comment="ALT as reported: bases, a symbol or a breakend"),
        sa.Column("length", sa.Integer(), nullable=True, comment="Inserted bases; absent unless known"),
        sa.Column("imprecise", sa.SmallInteger(), nullable=False, comment="1: reported as IMPRECISE"),
        sa.Column("digest", sa.BigInteger(), nullable=False, comment="Of all that tells the site from others"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_structural_site")),
        comment="One row a distinct structural variant; structural_place is the index of where sites lie",
    )
    with op.batch_alter_table("structural_site", schema=None) as batch_op:
        batch_op.create_index("ix_structural_site_37", ["contig", "start37"], unique=False)
        batch_op.create_index("ix_structural_site_38", ["contig", "start38"], unique=False)
        batch_op.create_index("uq_structural_site_digest", ["digest"], unique=True)
    for statement in _PLACES[engine]:
        op.execute(statement)


def downgrade() -> None:
    """Undo the revision."""
    op.execute("drop table structural_place")
    op.drop_table("structural_site")
    op.drop_table("structural_chunk")
