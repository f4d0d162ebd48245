"""genotypes of tests, which may have no build."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None

_GENOTYPE_BUILD = "GRCh37 or GRCh38; absent while all that is known has no positions (genotypes)"
_BUILD = "GRCh37 or GRCh38"


def upgrade() -> None:
    """Apply the revision."""
    op.create_table(
        "genotype_name",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False, comment="Allocated from the counter table"),
        sa.Column("digest", sa.Text(), nullable=False, comment="Digest of everything below but the keys"),
        sa.Column("gene_id", sa.Text(), nullable=True, comment="HGNC identifier (HGNC:2621); absent when unknown"),
        sa.Column("gene_symbol", sa.Text(), nullable=True, comment="Symbol of the gene; absent when unknown"),
        sa.Column(
            "system", sa.Text(), nullable=False, comment="Code system of the genotype as given; empty when it has none"
        ),
        sa.Column("code", sa.Text(), nullable=False, comment="Code of the genotype as given"),
        sa.Column("display", sa.Text(), nullable=True, comment="Display of the genotype as given"),
        sa.Column("haplotypes", sa.Text(), nullable=False, comment="JSON list of names as given"),
        sa.Column(
            "hla_alleles", sa.Text(), nullable=False, comment="JSON list of the HLA alleles that the code stands for"
        ),
        sa.Column("is_hla", sa.SmallInteger(), nullable=False, comment="1: spelled by the nomenclature of HLA"),
        sa.Column(
            "search", sa.Text(), nullable=False, comment="Every spelling that words find (app.variants.allele_names)"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_genotype_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_genotype_name_digest")),
        comment="One row a distinct genotype, however many subjects have it",
    )
    op.create_table(
        "genotype",
        sa.Column("shard", sa.Integer(), nullable=False, comment="Shard of the subject"),
        sa.Column("subject_ordinal", sa.Integer(), nullable=False, comment="The subject"),
        sa.Column(
            "uid",
            sa.Text(),
            nullable=False,
            comment="Digest of subject, test, class, gene and code; part of resource ids",
        ),
        sa.Column("study_id", sa.Integer(), nullable=False, comment="The test that says so"),
        sa.Column("name_id", sa.Integer(), nullable=False, comment="The genotype"),
        sa.Column("source_class", sa.SmallInteger(), nullable=False, comment="app.records.SourceClass"),
        sa.Column("run_id", sa.Integer(), nullable=False, comment="The ingest run that wrote it"),
        sa.PrimaryKeyConstraint("shard", "subject_ordinal", "uid", name=op.f("pk_genotype")),
        sa.UniqueConstraint("uid", name=op.f("uq_genotype_uid")),
        comment="One row a statement of a test that its subject has a genotype",
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("genotype", schema=None) as batch_op:
        batch_op.create_index("ix_genotype_name", ["name_id", "shard", "subject_ordinal"], unique=False)
        batch_op.create_index(batch_op.f("ix_genotype_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_genotype_study_id"), ["study_id"], unique=False)

    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.alter_column(
            "build",
            existing_type=sa.Text(),
            nullable=True,
            comment=_GENOTYPE_BUILD,
            existing_comment=_BUILD,
        )


def downgrade() -> None:
    """Undo the revision; genotypes, and tests of which nothing else is known, are lost."""
    with op.batch_alter_table("genotype", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_genotype_study_id"))
        batch_op.drop_index(batch_op.f("ix_genotype_run_id"))
        batch_op.drop_index("ix_genotype_name")

    op.drop_table("genotype")
    op.drop_table("genotype_name")
    op.execute("delete from study where build is null")
    with op.batch_alter_table("study", schema=None) as batch_op:
        batch_op.alter_column(
            "build",
            existing_type=sa.Text(),
            nullable=False,
            comment=_BUILD,
            existing_comment=_GENOTYPE_BUILD,
        )
