"""releases of knowledge, what they say, and whom it is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.store import genotype_index
from app.store.session import Session

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "knowledge_release",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("name", sa.Text(), nullable=False, comment="What answers and commands call it: source-version"),
        sa.Column(
            "source", sa.Text(), nullable=False, comment="clinvar, civic, ...; or of which tables of Operon's own it is"
        ),
        sa.Column("label", sa.Text(), nullable=False, comment="Name of the source for people"),
        sa.Column("version", sa.Text(), nullable=False, comment="Version or date of the release"),
        sa.Column("released", sa.Text(), nullable=True, comment="Date of the release, if it is known"),
        sa.Column("licence", sa.Text(), nullable=False, comment="Licence of the source"),
        sa.Column("files", sa.Text(), nullable=False, comment="JSON: name, sha256 and size of each file"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="Digest of the files and of what they were read as"),
        sa.Column("active", sa.SmallInteger(), nullable=False, comment="1: answers use it"),
        sa.Column(
            "has_rules", sa.SmallInteger(), nullable=False, comment="1: some items say by a rule whom they are about"
        ),
        sa.Column(
            "first_item", sa.BigInteger(), nullable=False, comment="Its items have this id and those that follow"
        ),
        sa.Column("items", sa.Integer(), nullable=False, comment="Number of items"),
        sa.Column(
            "asked_by", sa.Text(), nullable=False, comment="JSON: kind of its items to role to code systems of concepts"
        ),
        sa.Column("report", sa.Text(), nullable=False, comment="JSON of what was stored and what was not"),
        sa.Column("loaded", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_release")),
        sa.UniqueConstraint("name", name=op.f("uq_knowledge_release_name")),
        comment="Releases of knowledge; answers use the active ones",
    )
    op.create_table(
        "knowledge_item",
        sa.Column(
            "id",
            _BIG,
            autoincrement=False,
            nullable=False,
            comment="Allocated from the counter table; those of one release follow each other",
        ),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="app.formats.knowledge.ItemKind"),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON of what it says (app.store.knowledge_codec)"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_item")),
        comment="One row a statement of a release",
    )
    op.create_table(
        "knowledge_concept",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("release_id", sa.Integer(), nullable=False, comment="The release"),
        sa.Column("kind", sa.SmallInteger(), nullable=False, comment="Kind of the items that it belongs to"),
        sa.Column("role", sa.SmallInteger(), nullable=False, comment="app.store.knowledge_codec.Role"),
        sa.Column("system", sa.Text(), nullable=False, comment="Code system; empty when it has none"),
        sa.Column("code", sa.Text(), nullable=False, comment="Code; empty when it has none"),
        sa.Column("display", sa.Text(), nullable=False, comment="Display; empty when it has none"),
        sa.Column("search", sa.Text(), nullable=False, comment="Code and display without regard to case"),
        sa.Column(
            "targets",
            sa.LargeBinary(),
            nullable=False,
            comment="Variants that items with it are about, a roaring bitmap",
        ),
        sa.Column(
            "genotypes",
            sa.Text(),
            nullable=False,
            comment="JSON list: keys of genotypes that items with it are about",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_concept")),
        sa.UniqueConstraint(
            "release_id",
            "kind",
            "role",
            "system",
            "code",
            "display",
            name=op.f("uq_knowledge_concept_release_id_kind_role_system_code_display"),
        ),
        comment="What items of a release can be asked by: conditions, medications, terms of consequences",
    )
    op.create_index("ix_knowledge_concept_code", "knowledge_concept", ["code"], unique=False)
    op.create_table(
        "knowledge_link",
        sa.Column("variant_id", _BIG, nullable=False, comment="The variant"),
        sa.Column("item_id", _BIG, nullable=False, comment="The item about it"),
        sa.PrimaryKeyConstraint("variant_id", "item_id", name=op.f("pk_knowledge_link")),
        comment="Which items are about which variant or structural site, carried or not",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_knowledge_link_item", "knowledge_link", ["item_id"], unique=False)
    op.create_table(
        "knowledge_page",
        sa.Column("release_id", sa.Integer(), nullable=False, comment="The release"),
        sa.Column("page", sa.Integer(), nullable=False, comment="Variant ids divided by 4,096"),
        sa.Column(
            "data", sa.LargeBinary(), nullable=False, comment="Variants and their concepts (app.store.knowledge_pages)"
        ),
        sa.PrimaryKeyConstraint("release_id", "page", name=op.f("pk_knowledge_page")),
        comment="Which concepts lead to which variant: the targets of the concepts, by variant",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "knowledge_genotype",
        sa.Column(
            "key", sa.Text(), nullable=False, comment="Canonical spelling (app.variants.allele_names.genotype_key)"
        ),
        sa.Column("item_id", _BIG, nullable=False, comment="The item about it"),
        sa.PrimaryKeyConstraint("key", "item_id", name=op.f("pk_knowledge_genotype")),
        comment="Which items are about which genotype, whoever has it",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "knowledge_union",
        sa.Column("concept_id", sa.Integer(), nullable=False, comment="The concept, of an active release"),
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subjects below"),
        sa.Column("n", sa.Integer(), nullable=False, comment="Number of distinct subjects, exact"),
        sa.Column(
            "members", sa.LargeBinary(), nullable=False, comment="Subjects by ordinal modulo 65,536 (app.store.bitmaps)"
        ),
        sa.Column("detail", sa.LargeBinary(), nullable=False, comment="Members by source class (app.store.bitmaps)"),
        sa.PrimaryKeyConstraint("concept_id", "shard", name=op.f("pk_knowledge_union")),
        comment="Who carries any variant that items with a concept are about",
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    genotype_index.add_keys(Session(connection.connection.driver_connection, is_sqlite=is_sqlite))


def downgrade() -> None:
    """Undo the revision."""
    op.drop_table("knowledge_union")
    op.drop_table("knowledge_genotype")
    op.drop_table("knowledge_page")
    op.drop_table("knowledge_link")
    op.drop_table("knowledge_concept")
    op.drop_table("knowledge_item")
    op.drop_table("knowledge_release")
