"""Files of PharmCAT (https://pharmcat.clinpgx.org) as a release: definitions, exemptions, phenotypes, guidance.

What a file is, is told by its members, not by its folder. Members that Operon does not know are passed over. The files
place variants on GRCh38 only; the places on GRCh37 are left open. The definitions are PharmVar's and CPIC's; PharmCAT
gives them the spelling of a VCF.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.errors import BadFile
from app.formats import pharmcat_guidance, pharmcat_results
from app.formats.pgx import BASES, Gene, Method, NamedAllele, PgxContent, Ploidy, Position, Provenance
from app.formats.pgx_genes import GENES, GeneFacts
from app.formats.pgx_names import diplotype_key
from app.formats.pharmcat_json import Member, read_json
from app.records import Build
from app.variants.accessions import MT, contig_named, display

SOURCE = "PharmCAT"
LICENCE = "CPIC: CC0 1.0; PharmVar and ClinPGx: CC BY-SA 4.0; files of PharmCAT: MPL-2.0"
URL = "https://pharmcat.clinpgx.org"

_SUBALLELE = re.compile(r"(\*[0-9]+)\.[0-9]{3}")
_MITOCHONDRIAL = re.compile(r"m\.([0-9]{1,5})([ACGT])>([ACGT])")
_STATUS_ALLELES = {"HLA-A": ("*31:01",), "HLA-B": ("*15:02", "*57:01", "*58:01")}
"""Alleles of which CPIC's guidelines ask whether they are there"""


@dataclass(slots=True)
class _Files:
    definitions: dict[str, Member] = field(default_factory=dict)
    phenotypes: dict[str, Member] = field(default_factory=dict)
    exemptions: dict[str, Member] = field(default_factory=dict)
    guidance: list[Member] = field(default_factory=list)


def read_pharmcat(files: Iterable[tuple[str, bytes]]) -> PgxContent:
    """Return what PharmCAT's files say; those of phenotypes, exemptions and guidance may be left out.

    Args:
        files: Name and content of each file.

    Raises:
        BadFile: a file cannot be used, names a gene that another names as well, or no file defines a gene.
    """
    sorted_ = _Files()
    for source, content in files:
        _sort(sorted_, read_json(content, source))
    if not sorted_.definitions:
        raise BadFile("files of PharmCAT", "no file defines a gene", mend="Give the files named *_translation.json")
    symbols = sorted({*sorted_.definitions, *sorted_.phenotypes})
    genes = tuple(gene for symbol in symbols if (gene := _gene(symbol, sorted_)) is not None)
    guided = pharmcat_guidance.read_guidance(sorted_.guidance)
    tables = ["genes"] + (["recommendations"] if guided.recommendations else [])
    return PgxContent(
        genes=(*genes, *_status_genes()),
        drugs=guided.drugs,
        pairs=guided.pairs,
        recommendations=guided.recommendations,
        provenance=tuple(Provenance(table, SOURCE, LICENCE, URL, _version(sorted_)) for table in tables),
    )


def _sort(files: _Files, root: Member) -> None:
    if root.has("guidelines"):
        files.guidance.append(root)
    elif root.has("variants") and root.has("namedAlleles"):
        _add(files.definitions, root)
    elif root.has("diplotypes") and root.has("gene"):
        _add(files.phenotypes, root)
    elif any(isinstance(value, dict) and "requiredPositions" in value for value in root.value.values()):
        files.exemptions = dict(root.members())


def _add(files: dict[str, Member], root: Member) -> None:
    symbol = root.get("gene").text()
    if symbol in files:
        root.get("gene").fail(f"{symbol} is in {files[symbol].source} as well")
    files[symbol] = root


def _version(files: _Files) -> str:
    return ", ".join(sorted({root.get("version").text_or() for root in files.definitions.values()} - {""}))


def _status_genes() -> tuple[Gene, ...]:
    return tuple(
        Gene(
            symbol,
            GENES[symbol].hgnc,
            GENES[symbol].pharmgkb,
            GENES[symbol].contig,
            Method.ALLELE_STATUS,
            alleles=tuple(NamedAllele(name, ()) for name in names),
        )
        for symbol, names in _STATUS_ALLELES.items()
    )


def _gene(symbol: str, files: _Files) -> Gene | None:
    definition, phenotype = files.definitions.get(symbol), files.phenotypes.get(symbol)
    facts = GENES.get(symbol)
    if definition is not None:
        gene = _defined(symbol, facts, definition)
        if symbol in files.exemptions:
            gene = _exempted(gene, files.exemptions[symbol])
    elif phenotype is not None and facts is not None and facts.ploidy is Ploidy.MITOCHONDRIAL:
        gene = _mitochondrial(facts, phenotype)
    else:
        return None
    return pharmcat_results.add_results(gene, phenotype) if phenotype is not None else gene


def _defined(symbol: str, facts: GeneFacts | None, root: Member) -> Gene:
    name = root.get("chromosome")
    contig = contig_named(name.text(), Build.GRCH38)
    if contig is None or not root.get("genomeBuild").text_or("GRCh38").startswith("GRCh38"):
        name.fail("it is no chromosome of GRCh38")
    positions = tuple(_position(contig, member) for member in root.get("variants").items())
    repeated = {position.name for position in positions if [each.name for each in positions].count(position.name) > 1}
    if repeated:
        root.get("variants").fail(f"{min(repeated)} is there twice")
    cores = {name: member.text() for name, member in root.get("suballelesMap").members()}
    alleles = tuple(_allele(member, positions, cores) for member in root.get("namedAlleles").items())
    if sum(allele.is_reference for allele in alleles) != 1:
        root.get("namedAlleles").fail("it needs exactly one reference allele")
    if len({allele.name for allele in alleles}) != len(alleles):
        root.get("namedAlleles").fail("two alleles have one name")
    return Gene(
        symbol,
        facts.hgnc if facts is not None else "",
        facts.pharmgkb if facts is not None else "",
        contig,
        facts.method if facts is not None else Method.PHENOTYPE,
        positions,
        alleles,
        facts.ploidy if facts is not None else Ploidy.AUTOSOMAL,
        undocumented_as_reference=facts is not None and facts.undocumented_as_reference,
    )


def _position(contig: int, member: Member) -> Position:
    start = member.get("position").position()
    alleles = (member.get("ref").text(), *(alt.text() for alt in member.get("alts").items()))
    for allele in alleles:
        if not set(allele) <= set("ACGT"):
            member.get("alts").fail("an allele is not written in A, C, G and T")
    name = member.get("rsid").text_or(f"{display(contig)}-{start + 1}-{alleles[0]}")
    return Position(name, contig, start, tuple(dict.fromkeys(alleles)))


def _allele(member: Member, positions: tuple[Position, ...], cores: Mapping[str, str]) -> NamedAllele:
    name = member.get("name").text()
    listed = member.get("alleles")
    given = list(listed.items())
    if len(given) != len(positions):
        listed.fail(f"it has {len(given)} cells for {len(positions)} variants")
    cells = tuple(cell.text_or() for cell in given)
    for cell, position, at in zip(cells, positions, given, strict=True):
        if cell and cell not in position.alleles38 and cell not in BASES:
            at.fail(f"{cell} is no allele of {position.name}")
    is_reference = member.get("reference").flag()
    if is_reference and "" in cells:
        listed.fail("the reference allele has an empty cell")
    sub = _SUBALLELE.fullmatch(name)
    core = cores.get(name, sub[1] if sub is not None else "")
    return NamedAllele(name, cells, is_reference, member.get("structuralVariant").flag(), core_of=core)


def _exempted(gene: Gene, rules: Member) -> Gene:
    extra = tuple(
        position
        for member in rules.get("extraPositions").items()
        if (position := _position(gene.contig, member)).name not in {each.name for each in gene.positions}
    )
    ignored = {*_named(gene, rules.get("ignoredPositions")), *(position.name for position in extra)}
    named = {allele.name for allele in gene.alleles}
    return replace(
        gene,
        positions=gene.positions + extra,
        alleles=tuple(
            replace(
                allele,
                cells=allele.cells + tuple(each.ref38 if allele.is_reference else "" for each in extra),
            )
            for allele in gene.alleles
        ),
        required=_named(gene, rules.get("requiredPositions")),
        tier1=_named(gene, rules.get("amp1Positions")),
        ignored=tuple(sorted(ignored)),
        ignored_alleles=tuple(
            name for member in rules.get("ignoredAlleles").items() if (name := member.text()) in named
        ),
        priorities=tuple(
            (_key(rule.get("pick")), tuple(_key(member) for member in rule.get("list").items()))
            for rule in rules.get("unphasedDiplotypePriorities").items()
        ),
    )


def _named(gene: Gene, positions: Member) -> tuple[str, ...]:
    """Return the names of positions that are listed as numbers, or as variants (two may begin at one number)."""
    starts: set[int] = set()
    variants: set[tuple[int, str]] = set()
    for member in positions.items():
        if isinstance(member.value, dict):
            variants.add((member.get("position").position(), member.get("ref").text()))
        else:
            starts.add(member.position())
    return tuple(
        position.name
        for position in gene.positions
        if position.start38 in starts or (position.start38, position.ref38) in variants
    )


def _key(diplotype: Member) -> str:
    names = diplotype.text().split("/")
    if len(names) != 2:
        diplotype.fail("it is no diplotype")
    return diplotype_key(*names)


def _mitochondrial(facts: GeneFacts, root: Member) -> Gene:
    """Return a gene of the mitochondrial genome, whose variants are defined by their names (``m.1555A>G``)."""
    names = [member.get("name").text() for member in root.get("namedAlleles").items()]
    changes = {name: read.groups() for name in names if (read := _MITOCHONDRIAL.fullmatch(name)) is not None}
    alts: dict[tuple[int, str], list[str]] = {}
    for at, ref, alt in sorted(changes.values(), key=lambda change: int(change[0])):
        alts.setdefault((int(at), ref), []).append(alt)
    positions = tuple(
        Position(f"{display(MT)}-{at}-{ref}", MT, at - 1, (ref, *found)) for (at, ref), found in alts.items()
    )
    alleles = tuple(
        NamedAllele(
            name,
            tuple(_mitochondrial_cell(name, changes, place) for place in alts),
            is_reference=name == "Reference",
        )
        for name in names
    )
    return Gene(facts.symbol, facts.hgnc, facts.pharmgkb, facts.contig, facts.method, positions, alleles, facts.ploidy)


def _mitochondrial_cell(name: str, changes: Mapping[str, tuple[str, ...]], place: tuple[int, str]) -> str:
    if name == "Reference":
        return place[1]
    at, ref, alt = changes.get(name, ("0", "", ""))
    return alt if (int(at), ref) == place else ""
