"""A small dump of CPIC's database, written as ``pg_dump --column-inserts`` writes one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

HEAD = """--
-- PostgreSQL database dump
--

SET statement_timeout = 0;

CREATE FUNCTION cpic.increment_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  -- it's not a statement:
INSERT INTO cpic.gene (symbol) VALUES ('NOT1');
  new.version := new.version + 1;
END;
$$;

"""
GUIDELINE = 100411
FOLLOWED = {"genesymbol": "CYP2C19", "drugid": "RxNorm:32968", "guidelineid": GUIDELINE, "cpiclevel": "A"}


def literal(value: Any) -> str:
    """Return a value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        value = "{" + ",".join(f'"{one}"' if " " in one or "," in one else one for one in value) + "}"
    if isinstance(value, dict):
        value = json.dumps(value)
    return "'" + str(value).replace("'", "''") + "'"


def insert(table: str, **values: Any) -> str:
    """Return one statement."""
    columns, cells = ", ".join(values), ", ".join(map(literal, values.values()))
    return f"INSERT INTO cpic.{table} ({columns}) VALUES ({cells});\n"


def inserts(table: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the statements of a table."""
    return "".join(insert(table, **row) for row in rows)


def allele(number: int, symbol: str, name: str, function: str, **more: Any) -> str:
    """Return the statements of an allele with its definition."""
    flags = ("matchesreferencesequence", "reference", "structuralvariation")
    definition = {key: more.pop(key) for key in flags if key in more}
    return insert("allele_definition", id=number, genesymbol=symbol, name=name, **definition) + insert(
        "allele",
        id=1000 + number,
        genesymbol=symbol,
        name=name,
        clinicalfunctionalstatus=function,
        definitionid=number,
        **more,
    )


def cells(definition: int, **found: str) -> str:
    """Return the cells of a definition by location, ``l20="G"``."""
    return inserts(
        "allele_location_value",
        (
            {"alleledefinitionid": definition, "locationid": int(name[1:]), "variantallele": cell}
            for name, cell in found.items()
        ),
    )


def location(number: int, symbol: str, text: str, rsid: str | None = None) -> str:
    """Return the statement of a position."""
    digits = "".join(letter if letter.isdigit() else " " for letter in text).split()[0]
    return insert(
        "sequence_location",
        id=number,
        name="c.1",
        chromosomelocation=text,
        genesymbol=symbol,
        dbsnpid=rsid,
        position=int(digits),
    )


def result(number: int, symbol: str, phenotype: str, *diplotypes: Mapping[str, int], **lookup: Any) -> str:
    """Return the statements of a result, its lookup and its diplotypes."""
    score = lookup.get("totalactivityscore")
    text = insert("gene_result", id=number, genesymbol=symbol, result=phenotype, activityscore=score)
    text += insert(
        "gene_result_lookup",
        **{"id": number + 1, "phenotypeid": number, "lookupkey": {symbol: score or phenotype}, **lookup},
    )
    for at, counts in enumerate(diplotypes):
        names = [name for name, n in counts.items() for _ in range(n)]
        text += insert(
            "gene_result_diplotype",
            id=number + 100 + at,
            functionphenotypeid=number + 1,
            diplotype="/".join(names),
            diplotypekey={symbol: dict(counts)},
        )
    return text


def dump(*, uses_new_names: bool = True, dpyd: str = "HGNC:1806", more: str = "") -> bytes:
    """Return a dump with CYP2C19, DPYD, UGT1A1 and HLA-B."""
    accession = "clinpgxid" if uses_new_names else "pharmgkbid"
    level = "clinpgxlevel" if uses_new_names else "pgkbcalevel"
    flag = "matchesreferencesequence" if uses_new_names else "reference"
    text = HEAD
    for symbol, chromosome, hgnc, number, method in (
        ("CYP2C19", "chr10", "HGNC:2621", "PA124", "PHENOTYPE"),
        ("DPYD", "chr1", dpyd, "PA145", "ACTIVITY_SCORE"),
        ("UGT1A1", "chr2", "HGNC:12530", "PA420", "PHENOTYPE"),
        ("HLA-B", "chr6", "HGNC:4932", "PA35056", "ALLELE_STATUS"),
    ):
        text += insert(
            "gene",
            **{"symbol": symbol, "chr": chromosome, "hgncid": hgnc, accession: number, "lookupmethod": method},
            unheardof="new column",
        )
    text += _cyp2c19(flag) + _dpyd(flag) + _ugt1a1(flag)
    text += insert("guideline", id=GUIDELINE, name="CYP2C19 and Clopidogrel", url="https://cpic.example/clopidogrel")
    text += insert(
        "drug",
        **{"drugid": "RxNorm:32968", "name": "clopidogrel", accession: "PA449053", "rxnormid": "32968"},
        drugbankid="DB00758",
        atcid=["B01AC04"],
    )
    text += insert("drug", drugid="RxNorm:190521", name="abacavir", rxnormid="190521", atcid=["J05AF06", "J05AR 02"])
    text += insert(
        "pair",
        **{**FOLLOWED, level: "1A", "citations": ["35034351", "23698643"], "removed": False},
    )
    text += insert("pair", genesymbol="HLA-B", drugid="RxNorm:32968", cpiclevel="D", removed=True)
    text += insert("pair", genesymbol="HLA-B", drugid="RxNorm:190521", cpiclevel="A", citations=["24561393"])
    text += insert(
        "recommendation",
        id=7001,
        guidelineid=GUIDELINE,
        drugid="RxNorm:32968",
        implications={"CYP2C19": "Significantly reduced active metabolite"},
        drugrecommendation="Avoid clopidogrel.\nIt isn't activated; use another drug.",
        classification="Strong",
        lookupkey={"CYP2C19": "Poor Metabolizer"},
        population="ACS and PCI",
    )
    text += insert(
        "recommendation",
        id=7002,
        drugid="RxNorm:190521",
        drugrecommendation="Abacavir is not recommended",
        classification="Strong",
        lookupkey={"HLA-B": "*57:01 positive"},
        population="general",
    )
    return (text + more).encode()


def _cyp2c19(flag: str) -> str:
    text = location(20, "CYP2C19", "g.94781859G>A", "rs4244285") + location(21, "CYP2C19", "g.94842866A>G", "rs3758581")
    text += allele(1, "CYP2C19", "*38", "Normal function", **{flag: True}) + cells(1, l20="G", l21="A")
    text += allele(2, "CYP2C19", "*1", "Normal function") + cells(2, l21="G")
    text += allele(3, "CYP2C19", "*2", "No function") + cells(3, l20="A", l21="G")
    text += allele(4, "CYP2C19", "*36", "No function", structuralvariation=True)
    normal, none = "Normal function", "No function"
    text += result(
        100, "CYP2C19", "Normal Metabolizer", {"*1": 2}, {"*1": 1, "*38": 1}, function1=normal, function2=normal
    )
    text += result(300, "CYP2C19", "Intermediate Metabolizer", {"*2": 1, "*1": 1}, function1=none, function2=normal)
    return text + result(500, "CYP2C19", "Poor Metabolizer", {"*2": 2}, function1=none, function2=none)


def _dpyd(flag: str) -> str:
    text = location(30, "DPYD", "g.97450058C>T", "rs3918290") + location(31, "DPYD", "g.97450067del", "rs72549303")
    text += allele(11, "DPYD", "Reference", "Normal function", activityvalue="1.0", **{flag: True})
    text += cells(11, l30="C", l31="G")
    text += allele(12, "DPYD", "c.1905+1G>A (*2A)", "No function", activityvalue="0.0") + cells(12, l30="T")
    text += allele(13, "DPYD", "c.1898delC (*3)", "No function", activityvalue="0.0") + cells(13, l31="delG")
    text += result(700, "DPYD", "Normal Metabolizer", {"Reference": 2}, totalactivityscore="2.0")
    text += result(
        900, "DPYD", "Intermediate Metabolizer", {"Reference": 1, "c.1905+1G>A (*2A)": 1}, totalactivityscore="1.0"
    )
    return text + result(1100, "DPYD", "Poor Metabolizer", {"c.1905+1G>A (*2A)": 2}, totalactivityscore="0.0")


def _ugt1a1(flag: str) -> str:
    text = location(40, "UGT1A1", "g.233760235TA[6]; g.233760235TA[7]; g.233760235TA[8]", "rs3064744")
    text += allele(21, "UGT1A1", "*1", "Normal function", **{flag: True}) + cells(21, l40="TA(7)")
    text += allele(22, "UGT1A1", "*28", "Decreased function") + cells(22, l40="TA(8)")
    return text + allele(23, "UGT1A1", "*36", "Increased function") + cells(23, l40="TA(6)")
