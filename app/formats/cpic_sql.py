"""CPIC's database as its releases publish it: ``cpic_db_dump-<version>_inserts.sql.gz``.

https://github.com/cpicpgx/cpic-data (CC0 1.0). Read are the definitions of alleles, their functions, the results of
diplotypes, drugs, pairs and recommendations. Columns that are not known are passed over, renamed ones are read by both
names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from app.config import Settings
from app.errors import BadFile, quoted
from app.formats.cpic_alleles import Spelled, Unspelled, place
from app.formats.knowledge import Rejects
from app.formats.pgx import (
    DiplotypeResult,
    Drug,
    FunctionRule,
    Gene,
    Method,
    NamedAllele,
    Pair,
    PgxContent,
    Ploidy,
    Position,
    Provenance,
    Recommendation,
    ScoreRule,
)
from app.formats.pgx_genes import gene_facts
from app.formats.pgx_names import diplotype_key
from app.formats.sql_inserts import SqlRow, read_inserts
from app.records import Build
from app.variants.accessions import contig_named

Bases = Callable[[int, int, int], str | None]
"""Bases of (contig, start, end) on GRCh38; None where they are not loaded"""

NO_GENE = "no gene"
NO_DRUG = "no drug"
NO_KEY = "no readable lookup key"
UNPLACED = "a position whose alleles cannot be spelled"
NOT_SAID = "a row that refers to nothing"

_TABLES: Final = (
    "gene", "allele_definition", "sequence_location", "allele_location_value", "allele", "gene_result",
    "gene_result_lookup", "gene_result_diplotype", "guideline", "drug", "pair", "recommendation",
)  # fmt: skip
_METHODS: Final = {
    "PHENOTYPE": Method.PHENOTYPE,
    "ACTIVITY_SCORE": Method.SCORE,
    "ALLELE_STATUS": Method.ALLELE_STATUS,
}
_HGNC: Final = {"DPYD": "HGNC:3012"}
"""Where CPIC's own table has had another one"""

_CPIC = "CPIC"
_PLAIN_METHODS = (Method.PHENOTYPE, Method.GENOTYPE, Method.ALLELE_STATUS)
_SCORE: Final = re.compile(r"(?:≥|>=)?([0-9]+(?:\.[0-9]+)?)")
_NO_END: Final = float("inf")


@dataclass(slots=True)
class _Rows:
    """The rows of the file by what they are looked up by."""

    genes: dict[str, SqlRow] = field(default_factory=dict)
    definitions: dict[str, SqlRow] = field(default_factory=dict)
    locations: dict[str, SqlRow] = field(default_factory=dict)
    cells: defaultdict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Definition → location → cell"""
    alleles: list[SqlRow] = field(default_factory=list)
    results: dict[str, SqlRow] = field(default_factory=dict)
    lookups: dict[str, SqlRow] = field(default_factory=dict)
    diplotypes: list[SqlRow] = field(default_factory=list)
    guidelines: dict[str, SqlRow] = field(default_factory=dict)
    drugs: dict[str, SqlRow] = field(default_factory=dict)
    pairs: list[SqlRow] = field(default_factory=list)
    recommendations: list[SqlRow] = field(default_factory=list)


def read_cpic_sql(stream: BinaryIO, name: str, bases: Bases, rejects: Rejects, settings: Settings) -> PgxContent:
    """Return what a dump says.

    A position whose alleles need a sequence that is not loaded is rejected, and alleles that it would tell apart then
    have no definition: they are known by name only.

    Raises:
        BadFile: a statement cannot be read, or there are no genes or alleles in it.
        LimitExceeded: a cap of the settings is exceeded.
    """
    rows = _Rows()
    for row in read_inserts(stream, name, _TABLES, settings):
        _keep(row, rows)
    if not rows.genes or not rows.alleles:
        raise BadFile(name, "it has no genes or no alleles", mend="Give cpic_db_dump-<version>_inserts.sql.gz")
    genes = _Genes(name, rows, bases, rejects).read()
    return PgxContent(
        genes=tuple(genes),
        drugs=tuple(_drug(row) for row in rows.drugs.values()),
        pairs=tuple(_pairs(name, rows, rejects)),
        recommendations=tuple(_recommendations(name, rows, rejects)),
        provenance=tuple(
            Provenance(table, "CPIC", "CC0 1.0", "https://cpicpgx.org", name)
            for table in ("gene", "allele", "drug", "pair", "recommendation")
        ),
    )


def _keep(row: SqlRow, rows: _Rows) -> None:
    if row.table == "allele_location_value":
        rows.cells[row.text("alleledefinitionid")][row.text("locationid")] = row.text("variantallele")
        return
    by_id = {
        "gene": (rows.genes, "symbol"),
        "allele_definition": (rows.definitions, "id"),
        "sequence_location": (rows.locations, "id"),
        "gene_result": (rows.results, "id"),
        "gene_result_lookup": (rows.lookups, "id"),
        "guideline": (rows.guidelines, "id"),
        "drug": (rows.drugs, "drugid"),
    }
    if row.table in by_id:
        kept, key = by_id[row.table]
        kept[row.text(key)] = row
        return
    lists = {
        "allele": rows.alleles,
        "gene_result_diplotype": rows.diplotypes,
        "pair": rows.pairs,
        "recommendation": rows.recommendations,
    }
    lists[row.table].append(row)


# --- genes ------------------------------------------------------------------------------------------------------------


class _Genes:
    """Puts the genes together."""

    def __init__(self, name: str, rows: _Rows, bases: Bases, rejects: Rejects) -> None:
        self._name = name
        self._rows = rows
        self._bases = bases
        self._rejects = rejects
        self._alleles: defaultdict[str, list[SqlRow]] = defaultdict(list)
        for row in rows.alleles:
            self._alleles[row.text("genesymbol")].append(row)
        self._results: defaultdict[str, dict[str, DiplotypeResult]] = defaultdict(dict)
        self._rules: defaultdict[str, dict[tuple[str, str], set[str]]] = defaultdict(dict)

    def read(self) -> list[Gene]:
        self._read_results()
        advised = {gene for row in self._rows.recommendations for gene in _texts(row.json("lookupkey")) or ()}
        wanted = {*self._alleles, *self._results, *advised}
        found = []
        for symbol in sorted(wanted):
            row = self._rows.genes.get(symbol)
            contig = self._contig(row) if row is not None else None
            if row is None or contig is None:
                line = self._alleles[symbol][0].line_1based if symbol in self._alleles else 0
                self._rejects.add(self._name, line, "genesymbol", NO_GENE, quoted(symbol))
            else:
                found.append(self._gene(symbol, contig, row))
        return found

    @staticmethod
    def _contig(row: SqlRow) -> int | None:
        facts = gene_facts(row.text("symbol"))
        if facts is not None:
            return facts.contig
        return contig_named(row.text("chr"), Build.GRCH38)

    def _gene(self, symbol: str, contig: int, row: SqlRow) -> Gene:
        facts = gene_facts(symbol)
        positions, alleles = self._definitions(symbol, contig)
        method = facts.method if facts is not None else _METHODS.get(row.text("lookupmethod"), Method.PHENOTYPE)
        rules = self._rules[symbol] if method is Method.PHENOTYPE else {}
        return Gene(
            symbol,
            _HGNC.get(symbol) or row.text("hgncid") or (facts.hgnc if facts is not None else ""),
            row.text("clinpgxid", "pharmgkbid") or (facts.pharmgkb if facts is not None else ""),
            contig,
            method,
            positions,
            alleles,
            ploidy=facts.ploidy if facts is not None else Ploidy.AUTOSOMAL,
            undocumented_as_reference=facts is not None and facts.undocumented_as_reference,
            rules=tuple(
                FunctionRule(*pair, min(phenotypes))
                for pair, phenotypes in sorted(rules.items())
                if len(phenotypes) == 1
            ),
            scores=tuple(_scores(self._rows.results.values(), symbol)) if method not in _PLAIN_METHODS else (),
            results=self._results[symbol],
            description=row.text("notesondiplotype"),
        )

    # --- definitions

    def _definitions(self, symbol: str, contig: int) -> tuple[tuple[Position, ...], tuple[NamedAllele, ...]]:
        rows = self._alleles[symbol]
        cells = {row.text("name"): self._rows.cells.get(row.text("definitionid"), {}) for row in rows}
        location_ids = sorted({id_ for some in cells.values() for id_ in some}, key=self._order)
        spelled: dict[str, Spelled] = {}
        for id_ in location_ids:
            found = self._spelled(symbol, contig, id_, sorted({some[id_] for some in cells.values() if id_ in some}))
            if found is not None:
                spelled[id_] = found
        reference = next((row for row in rows if self._is_reference(row)), None)
        of_reference = cells[reference.text("name")] if reference is not None else {}
        positions = tuple(self._positions(contig, spelled))
        alleles = []
        for row in rows:
            own = cells[row.text("name")]
            lost = any(id_ not in spelled and cell != of_reference.get(id_) for id_, cell in own.items())
            vector = tuple("" if lost or id_ not in own else one.alleles[own[id_]] for id_, one in spelled.items())
            alleles.append(self._allele(row, vector, is_reference=row is reference))
        return positions, tuple(alleles)

    def _order(self, id_: str) -> tuple[int, str]:
        row = self._rows.locations.get(id_)
        position = row.text("position") if row is not None else ""
        return (int(position) if position.isdigit() else 0, id_)

    def _spelled(self, symbol: str, contig: int, id_: str, cells: list[str]) -> Spelled | None:
        row = self._rows.locations.get(id_)
        if row is None:
            self._rejects.add(self._name, 0, "locationid", NOT_SAID, f"{symbol} {quoted(id_)}")
            return None
        location = row.text("chromosomelocation")
        try:
            return place(location, cells, lambda start, end: self._bases(contig, start, end))
        except Unspelled as error:
            detail = f"{symbol} {quoted(row.text('dbsnpid') or location)}: {error}"
            self._rejects.add(self._name, row.line_1based, "chromosomelocation", UNPLACED, detail)
            return None

    def _positions(self, contig: int, spelled: Mapping[str, Spelled]) -> Iterator[Position]:
        taken: set[str] = set()
        for id_, one in spelled.items():
            rsid = self._rows.locations[id_].text("dbsnpid")
            name = rsid if rsid and rsid not in taken else f"{contig}-{one.start + 1}-{one.spellings[0]}"
            taken.add(name)
            yield Position(name, contig, one.start, one.spellings)

    def _is_reference(self, row: SqlRow) -> bool:
        definition = self._rows.definitions.get(row.text("definitionid"))
        return definition is not None and definition.flag("matchesreferencesequence", "reference")

    def _allele(self, row: SqlRow, cells: tuple[str, ...], *, is_reference: bool) -> NamedAllele:
        definition = self._rows.definitions.get(row.text("definitionid"))
        return NamedAllele(
            row.text("name"),
            cells,
            is_reference=is_reference and any(cells),
            is_structural=definition is not None and definition.flag("structuralvariation"),
            function=row.text("clinicalfunctionalstatus") or row.text("functionalstatus"),
            activity=row.text("activityvalue"),
        )

    # --- results

    def _read_results(self) -> None:
        for lookup in self._rows.lookups.values():
            result = self._rows.results.get(lookup.text("phenotypeid"))
            if result is None:
                self._rejects.add(self._name, lookup.line_1based, "phenotypeid", NOT_SAID)
                continue
            functions = lookup.text("function1"), lookup.text("function2")
            if functions[0]:
                first, second = sorted(functions) if functions[1] else functions
                rules = self._rules[result.text("genesymbol")]
                rules.setdefault((first, second), set()).add(result.text("result"))
        for row in self._rows.diplotypes:
            found = self._rows.lookups.get(row.text("functionphenotypeid"))
            result = self._rows.results.get(found.text("phenotypeid")) if found is not None else None
            if found is None or result is None:
                self._rejects.add(self._name, row.line_1based, "functionphenotypeid", NOT_SAID)
                continue
            symbol = result.text("genesymbol")
            key = _diplotype(row, symbol)
            if not key:
                self._rejects.add(self._name, row.line_1based, "diplotypekey", NO_KEY, quoted(row.text("diplotype")))
                continue
            lookups = found.json("lookupkey")
            lookup_key = str(lookups.get(symbol, "")) if isinstance(lookups, dict) else ""
            activity = found.text("totalactivityscore")
            self._results[symbol][key] = DiplotypeResult(
                result.text("result"), "" if activity.lower() == "n/a" else activity, lookup_key
            )


def _scores(results: Iterable[SqlRow], symbol: str) -> Iterator[ScoreRule]:
    """Yield the phenotypes of activity scores: each holds from a score that is listed up to the next one."""
    listed: dict[float, set[str]] = {}
    for row in results:
        score = _SCORE.fullmatch(row.text("activityscore"))
        if row.text("genesymbol") == symbol and score is not None:
            listed.setdefault(float(score[1]), set()).add(row.text("result"))
    points = sorted(listed.items())
    if any(len(phenotypes) > 1 for _, phenotypes in points):
        return
    merged = [one for at, one in enumerate(points) if not at or points[at - 1][1] != one[1]]
    for at, (least, phenotypes) in enumerate(merged):
        below = merged[at + 1][0] if at + 1 < len(merged) else _NO_END
        yield ScoreRule(least, below, min(phenotypes))


def _diplotype(row: SqlRow, symbol: str) -> str:
    """Return the key of a diplotype from ``{"CYP2C19": {"*1": 1, "*2": 1}}``; empty where it cannot be read."""
    said = row.json("diplotypekey")
    counts = said.get(symbol) if isinstance(said, dict) else None
    if not isinstance(counts, dict) or not all(isinstance(n, int) and n > 0 for n in counts.values()):
        return ""
    names = [name for name, n in counts.items() for _ in range(n)]
    return diplotype_key(*names) if len(names) in (1, 2) else ""


# --- drugs and advice -------------------------------------------------------------------------------------------------


def _drug(row: SqlRow) -> Drug:
    drug_id = row.text("drugid")
    rxnorm = row.text("rxnormid") or (drug_id.removeprefix("RxNorm:") if drug_id.startswith("RxNorm:") else "")
    return Drug(
        drug_id,
        row.text("name"),
        rxnorm,
        row.array("atcid"),
        row.text("clinpgxid", "pharmgkbid"),
        row.text("drugbankid"),
    )


def _pairs(name: str, rows: _Rows, rejects: Rejects) -> list[Pair]:
    found = []
    for row in rows.pairs:
        if row.flag("removed"):
            continue
        if row.text("drugid") not in rows.drugs:
            rejects.add(name, row.line_1based, "drugid", NO_DRUG, quoted(row.text("drugid")))
            continue
        guideline = rows.guidelines.get(row.text("guidelineid"))
        found.append(
            Pair(
                row.text("genesymbol"),
                row.text("drugid"),
                row.text("cpiclevel"),
                row.text("pgxtesting"),
                guideline.text("url") if guideline is not None else "",
                row.array("citations"),
            )
        )
    return found


def _recommendations(name: str, rows: _Rows, rejects: Rejects) -> list[Recommendation]:
    found = []
    for row in rows.recommendations:
        lookup = _texts(row.json("lookupkey"))
        if not lookup:
            rejects.add(name, row.line_1based, "lookupkey", NO_KEY, quoted(row.text("lookupkey")))
        elif row.text("drugid") not in rows.drugs:
            rejects.add(name, row.line_1based, "drugid", NO_DRUG, quoted(row.text("drugid")))
        else:
            guideline = rows.guidelines.get(row.text("guidelineid"))
            found.append(
                Recommendation(
                    row.text("id"),
                    row.text("drugid"),
                    _CPIC,
                    lookup,
                    row.text("drugrecommendation"),
                    row.text("population"),
                    row.text("classification"),
                    _texts(row.json("implications")) or {},
                    guideline.text("name") if guideline is not None else "",
                    guideline.text("url") if guideline is not None else "",
                )
            )
    return found


def _texts(value: object) -> Mapping[str, str] | None:
    if not isinstance(value, dict) or not all(isinstance(one, str | int | float) for one in value.values()):
        return None
    return {str(key): str(one) for key, one in value.items()}
