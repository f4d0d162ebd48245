"""rules of knowledge: items about whatever lies at a place or does something to a gene.

What an item said by a rule was not kept before: releases with rules have to be removed and loaded anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "knowledge_rule",
        sa.Column(
            "item_id",
            _BIG,
            autoincrement=False,
            nullable=False,
            comment="The item that says by a rule whom it is about",
        ),
        sa.Column(
            "gene",
            sa.Text(),
            nullable=False,
            comment="Symbol of the gene; empty where the rule names a region alone",
        ),
        sa.Column("hgnc", sa.Text(), nullable=False, comment="HGNC identifier of the gene; empty when unknown"),
        sa.Column("contig", sa.Integer(), nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
        *(
            sa.Column(f"{end}{build}", sa.Integer(), nullable=True, comment=meaning)
            for build in (37, 38)
            for end, meaning in (
                ("start", f"Start of the region on GRCh{build}; absent where it is not known there"),
                ("end", f"End of the region on GRCh{build}"),
            )
        ),
        sa.Column(
            "kinds",
            sa.SmallInteger(),
            nullable=False,
            comment="Bit n: structural variants of kind n count; 0: none do",
        ),
        sa.Column(
            "covers",
            sa.SmallInteger(),
            nullable=False,
            comment="1: the region has to be covered; 0: an overlap is enough",
        ),
        sa.Column(
            "copies_min", sa.Integer(), nullable=True, comment="Least number of copies; absent where any will do"
        ),
        sa.Column(
            "copies_max", sa.Integer(), nullable=True, comment="Greatest number of copies; absent where any will do"
        ),
        sa.Column(
            "terms",
            sa.Text(),
            nullable=False,
            comment="JSON list: codes of the consequences that count; empty: any",
        ),
        sa.Column("protein", sa.Text(), nullable=False, comment="Change of the protein, p.Val600Glu; empty: any"),
        sa.Column(
            "protein_first",
            sa.Integer(),
            nullable=True,
            comment="First residue (one-based) of which one is changed; absent: any",
        ),
        sa.Column("protein_last", sa.Integer(), nullable=True, comment="Last such residue"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_knowledge_rule")),
        comment="Rules of items that name no exact variant; what meets them is in knowledge_link",
    )
    op.create_index("ix_knowledge_rule_contig", "knowledge_rule", ["contig"], unique=False)


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("knowledge_rule")
