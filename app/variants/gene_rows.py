"""The tables of genes: what files list, and the genes, their names and their ranges that follow from that.

Whatever the order in which files were added, the same follows: HGNC's symbol counts before that of a feature file,
GRCh38 before GRCh37, these before the symbols that files of transcripts use; a range of a feature file counts before
the union of the transcripts.
"""

from __future__ import annotations

from typing import Final

from app.variants.transcripts import MANE_SHIFT, MANE_WORTH

HGNC: Final = 1
"""Origin of what HGNC's list says; that of a feature file is the number of its build."""
ARRIVING: Final = 0
"""Origin of what is being added while its build is not certain yet"""

SYMBOL, PREVIOUS, ALIAS = 0, 1, 2
"""Ranks of names that are no gene's present symbol: another file's symbol, a former one, any other"""

SCHEMA: Final = """
CREATE TABLE feature_file (
    origin INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, genes INTEGER NOT NULL
);
CREATE TABLE listed_gene (
    id INTEGER PRIMARY KEY, origin INTEGER NOT NULL, symbol TEXT NOT NULL COLLATE NOCASE, hgnc TEXT,
    contig INTEGER, start INTEGER, stop INTEGER, gene INTEGER
);
CREATE TABLE listed_name (
    listed INTEGER NOT NULL, rank INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (listed, name)
) WITHOUT ROWID;
CREATE TABLE mane (
    origin INTEGER NOT NULL, accession TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (accession, origin)
) WITHOUT ROWID;
CREATE TABLE protein (
    origin INTEGER NOT NULL, accession TEXT NOT NULL, base TEXT NOT NULL, version INTEGER NOT NULL,
    name TEXT, transcript TEXT, PRIMARY KEY (accession, origin)
) WITHOUT ROWID;
CREATE TABLE gene_name (hgnc TEXT PRIMARY KEY, symbol TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE gene (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL COLLATE NOCASE, hgnc TEXT UNIQUE);
CREATE TABLE gene_alias (
    name TEXT NOT NULL COLLATE NOCASE, rank INTEGER NOT NULL, gene INTEGER NOT NULL, PRIMARY KEY (name, rank, gene)
) WITHOUT ROWID;
CREATE TABLE gene_span (
    gene INTEGER NOT NULL, build INTEGER NOT NULL, contig INTEGER NOT NULL, bin INTEGER NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, PRIMARY KEY (gene, build)
) WITHOUT ROWID;
CREATE TABLE representative (
    build INTEGER NOT NULL, contig INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    accession TEXT NOT NULL, PRIMARY KEY (build, contig, start, accession)
) WITHOUT ROWID;
CREATE INDEX listed_gene_origin ON listed_gene (origin);
CREATE INDEX protein_base ON protein (base);
CREATE INDEX protein_transcript ON protein (transcript);
CREATE INDEX gene_symbol ON gene (symbol);
CREATE INDEX gene_span_bin ON gene_span (build, contig, bin);
CREATE VIEW symbol_claim (hgnc, symbol, place) AS
    SELECT hgnc, symbol, CASE origin WHEN 1 THEN 0 WHEN 38 THEN 1 ELSE 2 END FROM listed_gene WHERE hgnc IS NOT NULL
    UNION ALL SELECT hgnc, symbol, 3 FROM gene_name WHERE hgnc IN (SELECT hgnc FROM transcript)
    UNION ALL SELECT hgnc, symbol, 4 FROM transcript WHERE hgnc IS NOT NULL AND symbol IS NOT NULL;
CREATE VIEW symbol_owner (symbol, gene) AS
    SELECT symbol, min(id) FROM gene GROUP BY symbol
    UNION ALL SELECT name, min(gene) FROM gene_alias
        WHERE name NOT IN (SELECT symbol FROM gene) GROUP BY name HAVING count(*) = 1;
"""

# What a transcript is worth, with the tag of a feature file instead of its own.
_TAG: Final = "(SELECT m.tag FROM mane m WHERE m.accession = t.accession ORDER BY m.origin DESC LIMIT 1)"
_WORTHS: Final = " ".join(f"WHEN '{tag}' THEN {worth}" for tag, worth in MANE_WORTH.items())
_WORTH: Final = (
    f"(CASE {_TAG} {_WORTHS} ELSE t.worth >> {MANE_SHIFT} END << {MANE_SHIFT}) | (t.worth & {(1 << MANE_SHIFT) - 1})"
)

# A gene is what bears one HGNC identifier; without one, what bears a symbol that no such gene has.
GENES: Final = f"""
DELETE FROM gene;
DELETE FROM gene_alias;
DELETE FROM gene_span;
DELETE FROM representative;
INSERT INTO gene (symbol, hgnc)
    SELECT symbol, hgnc FROM (
        SELECT hgnc, symbol, row_number() OVER (PARTITION BY hgnc ORDER BY place, symbol DESC) AS choice
        FROM symbol_claim)
    WHERE choice = 1 ORDER BY hgnc;
INSERT OR IGNORE INTO gene_alias (name, rank, gene)
    SELECT c.symbol, 0, g.id FROM symbol_claim c JOIN gene g ON g.hgnc = c.hgnc WHERE c.symbol <> g.symbol;
CREATE TEMP TABLE owner (symbol TEXT PRIMARY KEY COLLATE NOCASE, gene INTEGER NOT NULL);
INSERT INTO owner SELECT symbol, gene FROM symbol_owner;
INSERT INTO gene (symbol)
    SELECT min(symbol) FROM (
        SELECT symbol COLLATE NOCASE AS symbol FROM transcript WHERE hgnc IS NULL AND symbol IS NOT NULL
        UNION SELECT symbol FROM listed_gene WHERE hgnc IS NULL)
    WHERE symbol NOT IN (SELECT symbol FROM owner) GROUP BY symbol COLLATE NOCASE ORDER BY 1;
INSERT OR IGNORE INTO owner SELECT symbol, id FROM gene WHERE hgnc IS NULL;
UPDATE transcript SET gene = CASE
    WHEN hgnc IS NULL THEN (SELECT o.gene FROM owner o WHERE o.symbol = transcript.symbol)
    ELSE (SELECT id FROM gene WHERE gene.hgnc = transcript.hgnc) END;
UPDATE listed_gene SET gene = CASE
    WHEN hgnc IS NULL THEN (SELECT o.gene FROM owner o WHERE o.symbol = listed_gene.symbol)
    ELSE (SELECT id FROM gene WHERE gene.hgnc = listed_gene.hgnc) END;
DROP TABLE owner;
INSERT OR IGNORE INTO gene_alias (name, rank, gene)
    SELECT n.name, n.rank, l.gene FROM listed_name n JOIN listed_gene l ON l.id = n.listed;
INSERT INTO gene_span (gene, build, contig, bin, start, stop)
    SELECT gene, origin, contig, 0, start, stop FROM (
        SELECT gene, origin, contig, start, stop, row_number()
            OVER (PARTITION BY gene, origin ORDER BY contig, stop - start DESC, start) AS choice
        FROM listed_gene WHERE contig IS NOT NULL)
    WHERE choice = 1;
INSERT OR IGNORE INTO gene_span (gene, build, contig, bin, start, stop)
    SELECT gene, build, contig, 0, start, stop FROM (
        SELECT t.gene, a.build, a.contig, min(a.start) AS start, max(a.stop) AS stop, row_number()
            OVER (PARTITION BY t.gene, a.build ORDER BY count(*) DESC, a.contig) AS choice
        FROM alignment a JOIN transcript t ON t.id = a.transcript WHERE t.gene IS NOT NULL
        GROUP BY t.gene, a.build, a.contig)
    WHERE choice = 1;
UPDATE gene_span SET bin = bin_of(start, stop);
INSERT INTO representative (build, contig, start, stop, accession)
    SELECT build, contig, start, stop, accession FROM (
        SELECT a.build, a.contig, a.start, a.stop, t.accession, row_number()
            OVER (PARTITION BY t.gene, a.build ORDER BY {_WORTH} DESC, t.version DESC, t.accession DESC) AS choice
        FROM alignment a JOIN transcript t ON t.id = a.transcript WHERE t.gene IS NOT NULL)
    WHERE choice = 1;
"""  # noqa: S608 - made of our own words
