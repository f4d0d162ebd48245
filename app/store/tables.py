"""Every table of the store, with comments and indexes and no behaviour (``docs/adr/0001``).

Positions are zero-based, half-open. ``shard`` is the subject's ordinal divided by 65,536: the distribution key of every
table that bears subjects, so that counts add up over disjoint shards and a subject lives on one of them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

subject = Table(
    "subject",
    metadata,
    Column(
        "ordinal",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="Bit position in carrier bitmaps; never reused",
    ),
    Column("shard", Integer, nullable=False, comment="ordinal / 65,536"),
    Column("subject_id", Text, nullable=False, unique=True, comment="FHIR id of the Patient"),
    Column("sex", Text, nullable=False, comment="male, female, other or unknown"),
    Column("birth_date", Text, comment="ISO date as given"),
    comment="People (or samples) that calls belong to",
)

subject_identifier = Table(
    "subject_identifier",
    metadata,
    Column("value", Text, primary_key=True, comment="Value of the business identifier"),
    Column("system", Text, primary_key=True, comment="System of the identifier; empty when it has none"),
    Column("subject_ordinal", Integer, primary_key=True, index=True, comment="The subject"),
    comment="Business identifiers of subjects",
)

study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, nullable=False, comment="The subject tested"),
    Column("uid", Text, nullable=False, comment="Digest of subject and test; part of the resource id"),
    Column("test_id", Text, nullable=False, comment="Identifier of the test or report"),
    Column("test_date", Text, comment="ISO date or dateTime as given; absent when unknown"),
    Column("specimen_id", Text, comment="Identifier of the specimen; absent when unknown"),
    Column("build", Text, comment="GRCh37 or GRCh38; absent while all that is known has no positions (genotypes)"),
    Column("study_type", Text, comment="Kind of test as given (WGS, WES, panel, ...)"),
    Column("change_types", Text, comment="DNA change types that the test can detect, joined by ;"),
    UniqueConstraint("subject_ordinal", "test_id"),
    UniqueConstraint("uid"),
    comment="One test of one subject on one specimen",
)

call_set = Table(
    "call_set",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("study_id", Integer, nullable=False, index=True, comment="The study that it belongs to"),
    Column("run_id", Integer, nullable=False, index=True, comment="The ingest run that wrote it"),
    Column("uid", Text, nullable=False, comment="Digest of subject, test, source and sample; part of resource ids"),
    Column("build", Text, nullable=False, comment="Build of the native positions"),
    Column("source_class", SmallInteger, nullable=False, comment="app.records.SourceClass"),
    Column("sample", Text, nullable=False, comment="Sample name in the source"),
    Column(
        "phased_contigs", SmallInteger, nullable=False, comment="1: phased calls without PS share one block a contig"
    ),
    Column("calls", Integer, nullable=False, comment="Number of calls"),
    Column("source", Text, nullable=False, comment="Base name of the source"),
    Column(
        "unplaced", Text, nullable=False, comment="JSON: contig to number of calls with no place on the other build"
    ),
    UniqueConstraint("uid"),
    comment="The calls of one sample of one source, with one genomic source class; written at the end of a run",
)

call_chunk = Table(
    "call_chunk",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("call_set_id", Integer, primary_key=True, comment="The call set"),
    Column("contig", Integer, primary_key=True, comment="1-22, 23 X, 24 Y, 25 MT"),
    Column("bin", Integer, primary_key=True, comment="Native contextual start / 131,072"),
    Column("part", Integer, primary_key=True, comment="Block of the ingest that wrote it; parts are concatenated"),
    Column("data", LargeBinary, nullable=False, comment="app.store.codec, version in the first byte"),
    comment="Calls of one call set in one stretch of 131,072 bases",
    sqlite_with_rowid=False,
)

variant = Table(
    "variant",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="Allocated in position order",
    ),
    Column("contig", Integer, nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
    Column("start37", Integer, comment="Contextual start on GRCh37"),
    Column("start38", Integer, comment="Contextual start on GRCh38"),
    Column("change", BigInteger, nullable=False, comment="0-11: A>C A>G A>T C>A ... T>G; else a digest of both"),
    Column("status", SmallInteger, nullable=False, comment="app.records.LiftStatus, plus 16 while not justified"),
    Column("deleted", Text, comment="Deleted on GRCh38 (GRCh37 if not placed there); null for change 0-11"),
    Column("inserted", Text, comment="Inserted on the same build; null for change 0-11"),
    Column("deleted37", Text, comment="Deleted sequence on GRCh37 where it is another one"),
    Column("inserted37", Text, comment="Inserted sequence on GRCh37 where it is another one"),
    # ``change`` digests the deleted sequence too, so start and change name one change (without start38: no rule).
    Index("uq_variant_38", "contig", "start38", "change", unique=True),
    Index("ix_variant_37", "contig", "start37"),
    comment="One row a distinct change, placed on both builds; the canonical SPDI is its identity",
)

carrier = Table(
    "carrier",
    metadata,
    Column(
        "variant_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        comment="The variant; below zero -1 - genotype name",
    ),
    Column("shard", Integer, primary_key=True, comment="Shard of the subjects below"),
    Column("n", Integer, nullable=False, comment="Number of distinct subjects, exact"),
    Column("members", LargeBinary, nullable=False, comment="Subjects by ordinal modulo 65,536 (app.store.bitmaps)"),
    Column("detail", LargeBinary, nullable=False, comment="Members by source class and zygosity (app.store.bitmaps)"),
    comment="Who carries a variant that many subjects of a shard have; see carrier_page for the others",
    sqlite_with_rowid=False,
)

carrier_page = Table(
    "carrier_page",
    metadata,
    Column("page", Integer, primary_key=True, autoincrement=False, comment="Variant id / 256"),
    Column("shard", Integer, primary_key=True, comment="Shard of the subjects below"),
    Column("data", LargeBinary, nullable=False, comment="Entries of variants with few carriers (app.store.bitmaps)"),
    comment="Who carries the variants that few subjects of a shard have; the others are in carrier",
    sqlite_with_rowid=False,
)

structural_site = Table(
    "structural_site",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="Allocated with the ids of variants, so that carriers of both are kept alike",
    ),
    Column("contig", Integer, nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
    Column("kind", SmallInteger, nullable=False, comment="app.records.StructuralKind"),
    Column("build", Text, nullable=False, comment="Build that the site was reported on"),
    Column("status", SmallInteger, nullable=False, comment="app.records.LiftStatus"),
    *(
        Column(f"{what}{build}", Integer, comment=f"{meaning} on GRCh{build}; absent without a place there")
        for build in (37, 38)
        for what, meaning in (
            ("start", "Nominal start"),
            ("end", "Nominal end; the start again for an insertion"),
            ("outer_start", "Earliest start"),
            ("outer_end", "Latest end"),
            ("inner_start", "Latest start; also absent without an inner interval"),
            ("inner_end", "Earliest end; also absent without an inner interval"),
        )
    ),
    Column("ref", Text, nullable=False, comment="REF as reported"),
    Column("alt", Text, nullable=False, comment="ALT as reported: bases, a symbol or a breakend"),
    Column("length", Integer, comment="Inserted bases; absent unless known"),
    Column("imprecise", SmallInteger, nullable=False, comment="1: reported as IMPRECISE"),
    Column("digest", BigInteger, nullable=False, comment="Of all that tells the site from others"),
    Index("uq_structural_site_digest", "digest", unique=True),
    Index("ix_structural_site_37", "contig", "start37"),
    Index("ix_structural_site_38", "contig", "start38"),
    comment="One row a distinct structural variant; structural_place is the index of where sites lie",
)

structural_chunk = Table(
    "structural_chunk",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("call_set_id", Integer, primary_key=True, comment="The call set"),
    Column("contig", Integer, primary_key=True, comment="1-22, 23 X, 24 Y, 25 MT"),
    Column("part", Integer, primary_key=True, comment="Block of the ingest that wrote it; parts are concatenated"),
    Column("data", LargeBinary, nullable=False, comment="app.store.structural_codec, version in the first byte"),
    comment="Structural calls of one call set on one chromosome",
    sqlite_with_rowid=False,
)

study_region = Table(
    "study_region",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("study_id", Integer, primary_key=True, comment="The study; -1 - call set while its run is unfinished"),
    Column(
        "kind", Text, primary_key=True, comment="What is told of them (app.store.coverage); /block while unfinished"
    ),
    Column("contig", Integer, primary_key=True, comment="0: there is no interval at all"),
    Column("data", LargeBinary, nullable=False, comment="Merged intervals on the study's build (app.store.regions)"),
    comment="Regions that a study looked at, or could not call",
)

genotype_name = Table(
    "genotype_name",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("digest", Text, nullable=False, unique=True, comment="Digest of everything below but the keys"),
    Column("gene_id", Text, comment="HGNC identifier (HGNC:2621); absent when unknown"),
    Column("gene_symbol", Text, comment="Symbol of the gene; absent when unknown"),
    Column("system", Text, nullable=False, comment="Code system of the genotype as given; empty when it has none"),
    Column("code", Text, nullable=False, comment="Code of the genotype as given"),
    Column("display", Text, comment="Display of the genotype as given"),
    Column("haplotypes", Text, nullable=False, comment="JSON list of names as given"),
    Column("hla_alleles", Text, nullable=False, comment="JSON list of the HLA alleles that the code stands for"),
    Column("is_hla", SmallInteger, nullable=False, comment="1: spelled by the nomenclature of HLA"),
    Column("search", Text, nullable=False, comment="Every spelling that words find (app.variants.allele_names)"),
    comment="One row a distinct genotype, however many subjects have it",
)

genotype = Table(
    "genotype",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, primary_key=True, comment="The subject"),
    Column(
        "uid", Text, primary_key=True, comment="Digest of subject, test, class, gene and code; part of resource ids"
    ),
    Column("study_id", Integer, nullable=False, index=True, comment="The test that says so"),
    Column("name_id", Integer, nullable=False, comment="The genotype"),
    Column("source_class", SmallInteger, nullable=False, comment="app.records.SourceClass"),
    Column("run_id", Integer, nullable=False, index=True, comment="The ingest run that wrote it"),
    UniqueConstraint("uid"),
    Index("ix_genotype_name", "name_id", "shard", "subject_ordinal"),
    comment="One row a statement of a test that its subject has a genotype",
    sqlite_with_rowid=False,
)

genotype_term = Table(
    "genotype_term",
    metadata,
    Column("kind", SmallInteger, primary_key=True, comment="app.store.genotype_index.TermKind"),
    Column("digest", BigInteger, primary_key=True, comment="Digest of the text, which may be longer than a key"),
    Column("system_digest", BigInteger, primary_key=True, comment="Digest of the system"),
    Column("text", Text, nullable=False, comment="A piece of the spellings of names, or a code"),
    Column("system", Text, nullable=False, comment="Code system of a code as given; empty for a piece"),
    Column("names", LargeBinary, nullable=False, comment="The names that have it (app.store.bitmaps)"),
    comment="What words and codes are looked up in; who has a name is in carrier and carrier_page",
    sqlite_with_rowid=False,
)

knowledge_release = Table(
    "knowledge_release",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("name", Text, nullable=False, unique=True, comment="What answers and commands call it: source-version"),
    Column("source", Text, nullable=False, comment="clinvar, civic, ...; or of which tables of Operon's own it is"),
    Column("label", Text, nullable=False, comment="Name of the source for people"),
    Column("version", Text, nullable=False, comment="Version or date of the release"),
    Column("released", Text, comment="Date of the release, if it is known"),
    Column("licence", Text, nullable=False, comment="Licence of the source"),
    Column("files", Text, nullable=False, comment="JSON: name, sha256 and size of each file"),
    Column("sha256", Text, nullable=False, comment="Digest of the files and of what they were read as"),
    Column("active", SmallInteger, nullable=False, comment="1: answers use it"),
    Column("has_rules", SmallInteger, nullable=False, comment="1: some items say by a rule whom they are about"),
    Column("first_item", BigInteger, nullable=False, comment="Its items have this id and those that follow"),
    Column("items", Integer, nullable=False, comment="Number of items"),
    Column("asked_by", Text, nullable=False, comment="JSON: kind of its items to role to code systems of concepts"),
    Column("report", Text, nullable=False, comment="JSON of what was stored and what was not"),
    Column("loaded", Text, nullable=False, comment="UTC"),
    comment="Releases of knowledge; answers use the active ones",
)

knowledge_item = Table(
    "knowledge_item",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="Allocated from the counter table; those of one release follow each other",
    ),
    Column("kind", SmallInteger, nullable=False, comment="app.formats.knowledge.ItemKind"),
    Column("body", Text, nullable=False, comment="JSON of what it says (app.store.knowledge_codec)"),
    comment="One row a statement of a release",
)

knowledge_concept = Table(
    "knowledge_concept",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("release_id", Integer, nullable=False, comment="The release"),
    Column("kind", SmallInteger, nullable=False, comment="Kind of the items that it belongs to"),
    Column("role", SmallInteger, nullable=False, comment="app.store.knowledge_codec.Role"),
    Column("system", Text, nullable=False, comment="Code system; empty when it has none"),
    Column("code", Text, nullable=False, comment="Code; empty when it has none"),
    Column("display", Text, nullable=False, comment="Display; empty when it has none"),
    Column("search", Text, nullable=False, comment="Code and display without regard to case"),
    Column("targets", LargeBinary, nullable=False, comment="Variants that items with it are about, a roaring bitmap"),
    Column("genotypes", Text, nullable=False, comment="JSON list: keys of genotypes that items with it are about"),
    UniqueConstraint("release_id", "kind", "role", "system", "code", "display"),
    Index("ix_knowledge_concept_code", "code"),
    comment="What items of a release can be asked by: conditions, medications, terms of consequences",
)

knowledge_link = Table(
    "knowledge_link",
    metadata,
    Column("variant_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="The variant"),
    Column("item_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="The item about it"),
    Index("ix_knowledge_link_item", "item_id"),
    comment="Which items are about which variant or structural site, carried or not",
    sqlite_with_rowid=False,
)

knowledge_page = Table(
    "knowledge_page",
    metadata,
    Column("release_id", Integer, primary_key=True, comment="The release"),
    Column("page", Integer, primary_key=True, comment="Variant ids divided by 4,096"),
    Column("data", LargeBinary, nullable=False, comment="Variants and their concepts (app.store.knowledge_pages)"),
    comment="Which concepts lead to which variant: the targets of the concepts, by variant",
    sqlite_with_rowid=False,
)

knowledge_genotype = Table(
    "knowledge_genotype",
    metadata,
    Column("key", Text, primary_key=True, comment="Canonical spelling (app.variants.allele_names.genotype_key)"),
    Column("item_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="The item about it"),
    comment="Which items are about which genotype, whoever has it",
    sqlite_with_rowid=False,
)

knowledge_rule = Table(
    "knowledge_rule",
    metadata,
    Column(
        "item_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="The item that says by a rule whom it is about",
    ),
    Column("gene", Text, nullable=False, comment="Symbol of the gene; empty where the rule names a region alone"),
    Column("hgnc", Text, nullable=False, comment="HGNC identifier of the gene; empty when unknown"),
    Column("contig", Integer, nullable=False, comment="1-22, 23 X, 24 Y, 25 MT"),
    Column("start37", Integer, comment="Start of the region on GRCh37; absent where it is not known there"),
    Column("end37", Integer, comment="End of the region on GRCh37"),
    Column("start38", Integer, comment="Start of the region on GRCh38; absent where it is not known there"),
    Column("end38", Integer, comment="End of the region on GRCh38"),
    Column("kinds", SmallInteger, nullable=False, comment="Bit n: structural variants of kind n count; 0: none do"),
    Column("covers", SmallInteger, nullable=False, comment="1: the region has to be covered; 0: an overlap is enough"),
    Column("copies_min", Integer, comment="Least number of copies; absent where any will do"),
    Column("copies_max", Integer, comment="Greatest number of copies; absent where any will do"),
    Column("terms", Text, nullable=False, comment="JSON list: codes of the consequences that count; empty: any"),
    Column("protein", Text, nullable=False, comment="Change of the protein, p.Val600Glu; empty: any"),
    Column("protein_first", Integer, comment="First residue (one-based) of which one is changed; absent: any"),
    Column("protein_last", Integer, comment="Last such residue"),
    Index("ix_knowledge_rule_contig", "contig"),
    comment="Rules of items that name no exact variant; what meets them is in knowledge_link",
)

knowledge_union = Table(
    "knowledge_union",
    metadata,
    Column("concept_id", Integer, primary_key=True, comment="The concept, of an active release"),
    Column("shard", Integer, primary_key=True, comment="Shard of the subjects below"),
    Column("n", Integer, nullable=False, comment="Number of distinct subjects, exact"),
    Column("members", LargeBinary, nullable=False, comment="Subjects by ordinal modulo 65,536 (app.store.bitmaps)"),
    Column("detail", LargeBinary, nullable=False, comment="Members by source class (app.store.bitmaps)"),
    comment="Who carries any variant that items with a concept are about",
    sqlite_with_rowid=False,
)

knowledge_stated = Table(
    "knowledge_stated",
    metadata,
    Column("release_id", Integer, primary_key=True, autoincrement=False, comment="The release"),
    Column("variants", LargeBinary, nullable=False, comment="A roaring bitmap"),
    comment="The variants that a release states consequences of: none are computed beside them",
)

variant_annotation = Table(
    "variant_annotation",
    metadata,
    Column("variant_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, comment="The variant"),
    Column("origin_id", Integer, primary_key=True, comment="Release of source 'annotation': a tool and its version"),
    Column("build", Text, nullable=False, comment="Build of the file"),
    Column("body", Text, nullable=False, comment="JSON (app.formats.annotation_body)"),
    Index("ix_variant_annotation_origin", "origin_id"),
    comment="What tools wrote of variants into the VCFs that brought them",
    sqlite_with_rowid=False,
)

pgx_release = Table(
    "pgx_release",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("name", Text, nullable=False, unique=True, comment="What answers and commands call it: source-version"),
    Column("source", Text, nullable=False, comment="pypgx, pharmcat, cpic-sql, pgx, or the name it was given"),
    Column("label", Text, nullable=False, comment="Name of the source for people"),
    Column("version", Text, nullable=False, comment="Version or date of the release"),
    Column("released", Text, comment="Date of the release, if it is known"),
    Column("licence", Text, nullable=False, comment="Licence of the source"),
    Column("attribution", Text, nullable=False, comment="How the source asks to be named; empty when it does not"),
    Column("files", Text, nullable=False, comment="JSON: name, sha256 and size of each file"),
    Column("sha256", Text, nullable=False, comment="Digest of the files and of what they were read as"),
    Column("active", SmallInteger, nullable=False, comment="1: answers use it"),
    Column("report", Text, nullable=False, comment="JSON of what was stored and what was not"),
    Column("loaded", Text, nullable=False, comment="UTC"),
    comment="Releases of pharmacogenetic knowledge; the newest active one that has a gene or guideline counts",
)

pgx_table = Table(
    "pgx_table",
    metadata,
    Column("release_id", Integer, primary_key=True, comment="The release"),
    Column("name", Text, primary_key=True, comment="Name of the table in Operon's layout"),
    Column("data", LargeBinary, nullable=False, comment="Text of the table (app.formats.pgx_tables), zstd"),
    comment="What a release of pharmacogenetic knowledge says, table by table",
)

pgx_study = Table(
    "pgx_study",
    metadata,
    Column("study_id", Integer, primary_key=True, autoincrement=False, comment="The test"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, nullable=False, index=True, comment="The subject"),
    Column("basis", Text, nullable=False, comment="Definitions, program and sequences that it was called by"),
    Column("release", Text, nullable=False, comment="Names of the releases of the definitions, joined by +"),
    Column("called_at", Text, nullable=False, comment="UTC"),
    comment="Tests that pharmacogenes were called of; every other test with calls waits",
)

pgx_call = Table(
    "pgx_call",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, primary_key=True, comment="The subject"),
    Column("study_id", Integer, primary_key=True, comment="The test"),
    Column("gene", Text, primary_key=True, comment="Symbol of the gene"),
    Column("release", Text, nullable=False, comment="Names of the releases of the definitions, joined by +"),
    Column("status", Text, nullable=False, comment="app.pgx.calls.CallStatus"),
    Column("genotype", Text, nullable=False, comment="The result; empty unless there is exactly one"),
    Column("phenotype", Text, nullable=False, comment="As the release words it; empty where none follows"),
    Column("activity", Text, nullable=False, comment="Activity score; empty where there is none"),
    Column("method", Text, nullable=False, comment="app.pgx.calls.CallMethod"),
    Column("body", Text, nullable=False, comment="JSON of the whole result (app.pgx.call_body)"),
    Column("called_at", Text, nullable=False, comment="UTC"),
    Index("ix_pgx_call_gene", "gene", "phenotype"),
    comment="Results of pharmacogenes called from the variants of a test",
    sqlite_with_rowid=False,
)

computed_variants = Table(
    "computed_variants",
    metadata,
    Column("name", Text, primary_key=True, comment="Term of the Sequence Ontology, or 'examined', or 'waiting'"),
    Column("variants", LargeBinary, nullable=False, comment="Carried variants, a roaring bitmap, never empty"),
    comment="What is known of computed consequences (app.store.computed)",
    sqlite_with_rowid=False,
)

annotation_delta = Table(
    "annotation_delta",
    metadata,
    Column("run_id", Integer, primary_key=True, comment="The unfinished run"),
    Column("block", Integer, primary_key=True, comment="Number of the block"),
    Column("data", LargeBinary, nullable=False, comment="Compressed JSON (app.store.file_annotations)"),
    comment="Annotations that wait for their run to finish",
    sqlite_with_rowid=False,
)

terminology_release = Table(
    "terminology_release",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("name", Text, nullable=False, unique=True, comment="What it is called here; loading it again replaces it"),
    Column("kind", Text, nullable=False, comment="Kind of the files (operon terminology load KIND)"),
    Column("version", Text, comment="Version as given or as the files tell it; absent when unknown"),
    Column("source", Text, nullable=False, comment="JSON list: base names of the files"),
    Column("sha256", Text, nullable=False, comment="JSON list: digests of the files' bytes, in their order"),
    Column("licence", Text, nullable=False, comment="Whose terms its use is under"),
    Column("rows", Integer, nullable=False, comment="Number of rows of the tables below"),
    Column("covers", Text, nullable=False, comment="JSON: maps, the pairs of systems; hierarchies, the systems"),
    Column("loaded", Text, nullable=False, comment="UTC"),
    comment="Releases of code systems and of maps between them that were loaded",
)

terminology_map = Table(
    "terminology_map",
    metadata,
    Column("release_id", Integer, primary_key=True, comment="The release that says so"),
    Column("ordinal", Integer, primary_key=True, comment="Number of the row in its release"),
    Column("source_system", Text, nullable=False, comment="Canonical URI"),
    Column("source_code", Text, nullable=False, comment="In the spelling of app.formats.code_systems"),
    Column("target_system", Text, nullable=False, comment="Canonical URI"),
    Column("target_code", Text, nullable=False, comment="In the spelling of app.formats.code_systems"),
    Column("target_display", Text, comment="Name of the target; absent where the release has none"),
    Column("equivalence", Text, nullable=False, comment="app.formats.terminology.Equivalence, target as to source"),
    Index("ix_terminology_map_source", "source_system", "source_code"),
    comment="What codes are called in other systems",
    sqlite_with_rowid=False,
)

terminology_parent = Table(
    "terminology_parent",
    metadata,
    Column("release_id", Integer, primary_key=True, comment="The release that says so"),
    Column("ordinal", Integer, primary_key=True, comment="Number of the row in its release"),
    Column("system", Text, nullable=False, comment="Canonical URI of both codes"),
    Column("child", Text, nullable=False, comment="The narrower code"),
    Column("parent", Text, nullable=False, comment="What the child is a kind of"),
    Index("ix_terminology_parent_parent", "system", "parent"),
    comment="is-a relations of code systems",
    sqlite_with_rowid=False,
)

terminology_concept = Table(
    "terminology_concept",
    metadata,
    Column("release_id", Integer, primary_key=True, comment="The release that says so"),
    Column("ordinal", Integer, primary_key=True, comment="Number of the row in its release"),
    Column("system", Text, nullable=False, comment="Canonical URI"),
    Column("code", Text, nullable=False, comment="In the spelling of app.formats.code_systems"),
    Column("display", Text, nullable=False, comment="Name of the code"),
    Index("ix_terminology_concept_code", "system", "code"),
    comment="Names of codes",
    sqlite_with_rowid=False,
)

stated_implication = Table(
    "stated_implication",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, primary_key=True, comment="The subject that it is about, and nobody else"),
    Column("uid", Text, primary_key=True, comment="Digest of subject, body and findings; part of the resource id"),
    Column("study_id", Integer, nullable=False, index=True, comment="The test of its first finding"),
    Column("run_id", Integer, nullable=False, index=True, comment="The ingest run that wrote it"),
    Column("kind", SmallInteger, nullable=False, index=True, comment="app.formats.knowledge.ItemKind"),
    Column("body", Text, nullable=False, comment="JSON of elements of the Observation"),
    Column("concepts", Text, nullable=False, comment="JSON: role, system, code and display of what it is asked by"),
    Column("findings", Text, nullable=False, comment="JSON of what it is derived from (app.store.stated)"),
    UniqueConstraint("uid"),
    comment="One row a statement of a report on what findings of its subject mean",
    sqlite_with_rowid=False,
)

stated_concept = Table(
    "stated_concept",
    metadata,
    Column("shard", Integer, primary_key=True, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, primary_key=True, comment="The subject"),
    Column("uid", Text, primary_key=True, comment="The statement"),
    Column("number", Integer, primary_key=True, comment="Which of its concepts"),
    Column("kind", SmallInteger, nullable=False, comment="Kind of the statement"),
    Column("role", SmallInteger, nullable=False, comment="app.store.knowledge_codec.Role"),
    Column("system", Text, nullable=False, comment="Code system; empty when it has none"),
    Column("code", Text, nullable=False, comment="Code; empty when it has none"),
    Column("search", Text, nullable=False, comment="Code and display without regard to case"),
    Index("ix_stated_concept_code", "kind", "role", "code"),
    comment="What statements can be asked by: conditions, medications, terms of consequences",
    sqlite_with_rowid=False,
)

stated_owner = Table(
    "stated_owner",
    metadata,
    Column("owner", Text, primary_key=True, comment="uid of a call set or a genotype"),
    Column("uid", Text, primary_key=True, comment="A statement that is derived from it"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, nullable=False, comment="The subject"),
    Index("ix_stated_owner_uid", "uid"),
    comment="Which statements go when calls or genotypes are withdrawn",
    sqlite_with_rowid=False,
)

ingest_run = Table(
    "ingest_run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("key", Text, nullable=False, unique=True, comment="Digest of the source's bytes and the parameters"),
    Column("state", Text, nullable=False, comment="running or done; a failed run leaves no row"),
    Column("source", Text, nullable=False, comment="Base name of the source"),
    Column("sha256", Text, nullable=False, comment="Digest of the source's bytes"),
    Column("parameters", Text, nullable=False, comment="JSON of the parameters that shape the result"),
    Column("plan", Text, nullable=False, comment="JSON: the subjects, studies and call sets that the run will add"),
    Column("next_record", Integer, nullable=False, comment="Records of the source that are stored"),
    Column("next_block", Integer, nullable=False, comment="Number of the next block"),
    Column("first_variant_id", BigInteger, nullable=False, comment="Variants of this run have this id or a higher one"),
    Column("progress", Text, nullable=False, comment="JSON of the counts so far"),
    Column("report", Text, comment="JSON of what was stored and what was not; written at the end"),
    Column("started", Text, nullable=False, comment="UTC"),
    Column("finished", Text, comment="UTC"),
    comment="Ledger of ingests: what was stored, and how far",
)

carrier_delta = Table(
    "carrier_delta",
    metadata,
    Column("run_id", Integer, primary_key=True, comment="The ingest run"),
    Column("block", Integer, primary_key=True, comment="Block of the run"),
    Column("data", LargeBinary, nullable=False, comment="Carriers to merge when the run completes (app.store.bitmaps)"),
    comment="Carriers of runs that are not complete; invisible to queries",
)

pgx_audit = Table(
    "pgx_audit",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="Allocated from the counter table",
    ),
    Column("at", Text, nullable=False, index=True, comment="When the request came, UTC"),
    Column("request_id", Text, nullable=False, comment="Id of the request, as in its answer and in the log"),
    Column("method", Text, nullable=False, comment="HTTP method; other for one that is not served"),
    Column("path", Text, nullable=False, comment="Template of the path; - for a path that is not served"),
    Column("user_id", Text, comment="Header User-Id as given; absent without it"),
    Column("organization_id", Text, comment="Header Organization-Id as given; absent without it"),
    Column("client", Text, comment="Client that the header User-Agent names; its text where it has another form"),
    Column("client_version", Text, comment="Version of the client; absent where User-Agent has another form"),
    Column("cert_cn", Text, comment="Common name of the client's certificate; absent without one"),
    Column("patient_ref", Text, index=True, comment="Keyed digest of the person's id; absent where no person is asked"),
    Column("status", SmallInteger, nullable=False, comment="HTTP status of the answer"),
    Column("error_type", Text, comment="Type of the error that was answered; absent where it has none"),
    Column("duration_ms", Integer, nullable=False, comment="Time until the answer, in milliseconds"),
    comment="One row a request to the pharmacogenetic API, also of those that were refused; never changed",
)

pgx_report_login = Table(
    "pgx_report_login",
    metadata,
    Column("token_sha256", Text, primary_key=True, comment="Digest of the token in the address of the report"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, nullable=False, index=True, comment="The subject whose report it opens"),
    Column("recipient", Text, nullable=False, comment="doctor or patient"),
    Column("language", Text, nullable=False, comment="Language of the report"),
    Column("sealed", Text, nullable=False, comment="Token and PIN, encrypted (app.store.sealing)"),
    Column("failures", Integer, nullable=False, comment="Wrong PINs since it was made; too many close it"),
    Column("created", Text, nullable=False, comment="UTC"),
    Column("expires", Text, nullable=False, comment="UTC"),
    comment="Addresses of reports that open with a PIN",
)

inbox = Table(
    "inbox",
    metadata,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
        comment="Allocated from the counter table",
    ),
    Column("kind", Text, nullable=False, comment="What the payload is: snpdata"),
    Column("batch", Text, nullable=False, comment="Batch that the sender put it into"),
    Column("sample", Text, nullable=False, comment="Sample as the sender calls it"),
    Column("subject", Text, nullable=False, comment="Subject that the sample belongs to"),
    Column("payload", Text, nullable=False, comment="JSON (app.formats.snp_batch)"),
    Column("revision", Integer, nullable=False, comment="How often the payload was replaced"),
    Column("state", Text, nullable=False, comment="queued, running, done or failed"),
    Column("tries", Integer, nullable=False, comment="How often a worker took it"),
    Column("due", Text, nullable=False, comment="UTC; before that it is not taken"),
    Column("received", Text, nullable=False, comment="UTC"),
    Column("updated", Text, nullable=False, comment="UTC"),
    Column("error", Text, comment="Why the last try failed"),
    Column("report", Text, comment="JSON of what was stored and what not"),
    UniqueConstraint("kind", "batch", "sample"),
    Index("ix_inbox_state", "state", "due"),
    Index("ix_inbox_subject", "subject"),
    Index("ix_inbox_sample", "sample"),
    comment="Payloads that were submitted over the network and wait for the ingest worker",
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True, comment="What is counted"),
    Column("value", BigInteger, nullable=False, comment="Next free number, or a total"),
    comment="Dense allocations and totals that answers need in one look-up",
)

cds_card = Table(
    "cds_card",
    metadata,
    Column("uuid", Text, primary_key=True, comment="Id of the card: the same whenever the same call is repeated"),
    Column("shard", Integer, nullable=False, comment="Shard of the subject"),
    Column("subject_ordinal", Integer, nullable=False, index=True, comment="The subject that it was shown of"),
    Column("service", Text, nullable=False, comment="Id of the service"),
    Column("hook", Text, nullable=False, comment="order-select, order-sign, ..."),
    Column("drug", Text, nullable=False, comment="Name of the drug; empty for a summary"),
    Column("source", Text, nullable=False, comment="Whose guideline: CPIC, DPWG, ...; empty for a summary"),
    Column("grade", Text, nullable=False, comment="A-D or NA"),
    Column("release", Text, nullable=False, comment="Releases of knowledge that it was made from"),
    Column("suggestions", Text, nullable=False, comment="JSON: label of each suggestion by its id"),
    Column("created", Text, nullable=False, comment="UTC"),
    comment="Cards that CDS clients were shown, so that feedback can be understood",
)

cds_feedback = Table(
    "cds_feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("card", Text, nullable=False, index=True, comment="Id of the card, perhaps of one that is not stored"),
    Column("service", Text, nullable=False, comment="Id of the service"),
    Column("outcome", Text, nullable=False, comment="accepted or overridden"),
    Column("suggestions", Text, nullable=False, comment="JSON: ids of the accepted suggestions"),
    Column("reason_system", Text, comment="Code system of the reason for overriding"),
    Column("reason_code", Text, comment="Code of the reason for overriding"),
    Column("comment", Text, comment="What the user wrote; kept only of a card that is stored"),
    Column("at", Text, nullable=False, comment="UTC, as the client says"),
    Column("received_at", Text, nullable=False, comment="UTC"),
    Column("iss", Text, comment="Issuer of the client's token; none where tokens are not asked for"),
    comment="What users did with cards",
)

cds_token = Table(
    "cds_token",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of issuer and jti"),
    Column("expires", BigInteger, nullable=False, index=True, comment="Seconds since 1970, after which the row goes"),
    comment="Tokens of CDS clients that were used: none counts twice",
)

cip_case = Table(
    "cip_case",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("ir_id", BigInteger, nullable=False, comment="Interpretation request"),
    Column("version", Integer, nullable=False, comment="Version of the interpretation request"),
    Column("case_id", Text, nullable=False, comment="GEL-40101-1; empty where it has none"),
    Column("sample_type", Text, nullable=False, comment="raredisease or cancer"),
    Column("cip", Text, nullable=False, comment="Interpretation provider"),
    Column("assembly", Text, nullable=False, comment="GRCh37, GRCh38 or empty"),
    Column("proband", Text, nullable=False, comment="Participant; empty where not known"),
    Column("family_id", Text, nullable=False, comment="Family, or the cancer participant's referral; may be empty"),
    Column("last_status", Text, nullable=False, comment="Newest status of the case"),
    Column("workflow_status", Text, nullable=False, comment="Newest status in decision support; may be empty"),
    Column("case_priority", Text, nullable=False, comment="low, medium, high, urgent or empty"),
    Column("last_modified", Text, nullable=False, comment="ISO 8601, UTC, six digits of microseconds"),
    Column("search", Text, nullable=False, comment="Identifiers in small letters, for the filter of that name"),
    Column("overview", Text, nullable=False, comment="JSON of the list of cases, as it is served"),
    Column("detail", LargeBinary, comment="zstd of the detail's JSON as it came; none while only the list is known"),
    Column("sha256", Text, nullable=False, comment="Of the detail without what changes by itself; empty without one"),
    Column("origin", Text, nullable=False, comment="file, server, or the environment that it was fetched from"),
    Column("state", Text, nullable=False, comment="listed, waiting, stored, quarantined, blocked, refused, superseded"),
    Column("reflected", Text, nullable=False, comment="What the calls in the store rest on; another one: they wait"),
    Column("tests", Text, nullable=False, comment="JSON: (subject, test) that the case has in the store"),
    Column("report", Text, nullable=False, comment="JSON of what was stored of it and what not"),
    Column("updated", Text, nullable=False, comment="UTC"),
    UniqueConstraint("ir_id", "version"),
    Index("ix_cip_case_state", "state"),
    comment="Cases of a CIP-API, their documents unchanged",
)

cip_member = Table(
    "cip_member",
    metadata,
    Column("case_row", Integer, primary_key=True, comment="Case; -1: an erased one, of which only consent is left"),
    Column("participant", Text, primary_key=True, comment="Participant, as the case calls it"),
    Column("subject_id", Text, nullable=False, comment="Subject of the store"),
    Column("uid", Text, comment="The other identifier, which econsent may use; none where the case has none"),
    Column("is_proband", Integer, nullable=False, comment="1 or 0"),
    Index("ix_cip_member_subject", "subject_id"),
    Index("ix_cip_member_participant", "participant"),
    Index("ix_cip_member_uid", "uid"),
    comment="Who is in a case",
)

cip_facet = Table(
    "cip_facet",
    metadata,
    Column("case_row", Integer, primary_key=True, comment="Case"),
    Column("name", Text, primary_key=True, comment="status, site, tag, category, cohort_id, clinical_report, ..."),
    Column("value", Text, primary_key=True, comment="Value; of documents the place in the detail's list"),
    Index("ix_cip_facet_name", "name", "value"),
    comment="What lists of cases are asked for besides what stands in columns",
)

cip_note = Table(
    "cip_note",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("case_row", Integer, nullable=False, comment="Case"),
    Column("kind", Text, nullable=False, comment="workflow, flag, log, file, or key of a repeated request"),
    Column("body", Text, nullable=False, comment="JSON as it is served"),
    Column("created_at", Text, nullable=False, comment="ISO 8601, UTC, six digits of microseconds"),
    Column("username", Text, nullable=False, comment="Who wrote it"),
    Index("ix_cip_note_case", "case_row", "kind"),
    comment="What decision support said of a case: workflow statuses, flags, logs of interpretation",
)

cip_referral = Table(
    "cip_referral",
    metadata,
    Column("referral_id", Text, primary_key=True, comment="Referral"),
    Column("referral_uid", Text, nullable=False, comment="The other identifier of it; may be empty"),
    Column("body", Text, nullable=False, comment="JSON as it is served"),
    Column("last_modified", Text, nullable=False, comment="ISO 8601, UTC"),
    Index("ix_cip_referral_uid", "referral_uid"),
    comment="Referrals of a CIP-API",
)

cip_referral_test = Table(
    "cip_referral_test",
    metadata,
    Column("referral_test_id", Text, primary_key=True, comment="Test that was ordered"),
    Column("referral_id", Text, nullable=False, index=True, comment="Referral; empty where not known"),
    Column("ir_id", BigInteger, comment="Interpretation request that it led to"),
    Column("ir_version", Integer, comment="Version of it"),
    Column("body", Text, nullable=False, comment="JSON as it is served"),
    Index("ix_cip_referral_test_case", "ir_id", "ir_version"),
    comment="Tests of referrals",
)

cip_consent = Table(
    "cip_consent",
    metadata,
    Column("referral_id", Text, primary_key=True, comment="Referral; else the family, or the name of the case"),
    Column("participant", Text, primary_key=True, comment="Participant; empty: the referral as a whole"),
    Column("subject_id", Text, nullable=False, comment="Subject of the store"),
    Column("primary_testing", Text, nullable=False, comment="primaryGenomicTestingConsent: yes, no or undefined"),
    Column("discussion", Text, nullable=False, comment="researchDiscussion"),
    Column("research", Text, nullable=False, comment="researchFindingConsent"),
    Column("pharmacogenomics", Text, nullable=False, comment="pharmocogenomicsFindingConsent"),
    Column("health_related", Text, nullable=False, comment="healthRelatedFindingConsent"),
    Column("carrier_status", Text, nullable=False, comment="carrierStatusConsent"),
    Column("last_modified", Text, nullable=False, comment="ISO 8601, UTC"),
    Column("said", Text, comment="JSON: what econsent and each case said, which the columns sum up"),
    Index("ix_cip_consent_subject", "subject_id"),
    comment="What participants agreed to",
)

cip_sync = Table(
    "cip_sync",
    metadata,
    Column("environment", Text, primary_key=True, comment="Name of the server that cases come from"),
    Column("ir_id", BigInteger, primary_key=True, comment="Interpretation request"),
    Column("version", Integer, primary_key=True, comment="Version of it"),
    Column("last_modified", Text, nullable=False, comment="As the server's list said when it was fetched"),
    Column("sha256", Text, nullable=False, comment="Of the detail without what changes by itself"),
    Column("state", Text, nullable=False, comment="done, failed, forbidden or gone"),
    Column("attempts", Integer, nullable=False, comment="Tries since it was last fetched"),
    Column("error", Text, comment="Why the last try failed"),
    Column("updated", Text, nullable=False, comment="UTC"),
    comment="How far the fetching of cases from a server is",
)

cip_user = Table(
    "cip_user",
    metadata,
    Column("username", Text, primary_key=True, comment="Name to log in with"),
    Column("id", Integer, nullable=False, unique=True, comment="user_id of tokens"),
    Column("password", Text, nullable=False, comment="Salted digest (scrypt); empty: no login with a password"),
    Column("email", Text, nullable=False, comment="May be empty"),
    Column("role", Text, nullable=False, comment="reader, writer or admin"),
    Column("workspaces", Text, nullable=False, comment="JSON list of the sites whose cases are seen; empty: all"),
    Column("created_at", Text, nullable=False, comment="UTC"),
    comment="Users of the CIP-API-compatible interface",
)

cip_audit = Table(
    "cip_audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Allocated from the counter table"),
    Column("at", Text, nullable=False, comment="UTC"),
    Column("username", Text, nullable=False, comment="Who asked; empty if nobody was recognized"),
    Column("method", Text, nullable=False, comment="GET, POST, ..."),
    Column("endpoint", Text, nullable=False, comment="Path with names in place of identifiers"),
    Column("ir_id", BigInteger, comment="Interpretation request, if it is about one"),
    Column("version", Integer, comment="Version of it"),
    Column("status", Integer, nullable=False, comment="HTTP status of the answer"),
    comment="Who wrote what through the CIP-API-compatible interface",
)
