"""The registry of knowledge sources: files are known by what they hold, in any order and packing."""

from __future__ import annotations

import io
import random
from itertools import permutations

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.knowledge import Rejects
from app.formats.knowledge_sources import SOURCES, OpenFile
from tests.knowledge_files import stored
from tests.vcf_files import bgzf, gzipped

EVIDENCE = "civic_AcceptedAndSubmittedClinicalEvidenceSummaries.tsv"
VARIANTS = "civic_VariantSummaries.tsv"
PROFILES = "civic_MolecularProfileSummaries.tsv"
CPIC = ["cpic_diplotype.csv", "cpic_pair_view.csv", "cpic_drug.csv", "cpic_gene.csv", "cpic_recommendation.csv"]
PHARMGKB = [
    "pharmgkb_clinical_annotations.tsv",
    "pharmgkb_clinical_ann_alleles.tsv",
    "pharmgkb_drugs.tsv",
    "pharmgkb_genes.tsv",
]
REGIONS = ["ClinGen_region_curation_list_GRCh37.tsv", "ClinGen_region_curation_list_GRCh38.tsv"]

COMPLETE = [
    ("clinvar", ["clinvar_GRCh38.vcf"], 3),
    ("clinvar", ["variant_summary.txt"], 4),
    ("clinvar", ["variant_summary.txt", "submission_summary.txt"], 3),
    ("civic", [EVIDENCE, VARIANTS, PROFILES], 7),
    ("civic", ["civic_accepted.vcf"], 3),
    ("cpic", CPIC, 7),
    ("cpic", CPIC[:2], 7),
    ("pharmgkb", PHARMGKB, 1),
    ("pharmgkb", PHARMGKB[:2], 1),
    ("clingen-dosage", [*REGIONS, "ClinGen_gene_curation_list_GRCh38.tsv"], 4),
    ("diagnostic", ["diagnostic.tsv"], 4),
    ("therapeutic", ["therapeutic.tsv"], 2),
    ("consequence", ["consequence.tsv"], 1),
]
SOME = [row for row in COMPLETE if row[0] in ("civic", "cpic", "diagnostic")]


def items_of(kind, names, pack=lambda data: data):
    files = [OpenFile(name, io.BytesIO(pack(stored(name)))) for name in names]
    return list(SOURCES[kind].read(files, Rejects(), Settings()))


@pytest.mark.parametrize(
    ("kind", "names", "count"), COMPLETE, ids=[f"{kind} {len(names)}" for kind, names, _ in COMPLETE]
)
def test_files_of_a_source_are_read_in_any_order(kind, names, count):
    for order in list(permutations(names))[:24]:
        assert len(items_of(kind, order)) == count


@pytest.mark.parametrize("pack", [gzipped, lambda data: bgzf(data, 300), lambda data: b"\xef\xbb\xbf" + data],
                         ids=["gzip", "bgzf", "byte order mark"])  # fmt: skip
@pytest.mark.parametrize(("kind", "names", "count"), SOME)
def test_packing_does_not_matter(kind, names, count, pack):
    assert len(items_of(kind, names, pack)) == count


def test_a_file_larger_than_what_is_looked_at_is_read_whole():
    header, *rows = stored("diagnostic.tsv").decode().splitlines()
    many = "\n".join([header, *(rows[0].replace("dx-1", f"dx-{number}") for number in range(2000))]).encode()
    assert len(many) > 300_000
    items = list(SOURCES["diagnostic"].read([OpenFile("big.tsv", io.BytesIO(many))], Rejects(), Settings()))
    assert [item.row_id for item in items] == [f"dx-{number}" for number in range(2000)]


REFUSED = [
    (
        "clinvar",
        ["diagnostic.tsv"],
        "diagnostic.tsv: it is no file of ClinVar that is read. Give a file",
    ),
    ("clinvar", ["civic_accepted.vcf"], "civic_accepted.vcf: it is no file of ClinVar"),
    ("civic", ["clinvar_GRCh38.vcf"], "clinvar_GRCh38.vcf: it is no file of CIViC"),
    (
        "clinvar",
        ["submission_summary.txt"],
        "submission_summary.txt: the file of variant summary is missing.",
    ),
    ("clinvar", ["clinvar_GRCh38.vcf", "variant_summary.txt"], "variant_summary.txt: it says the same as the VCF"),
    ("civic", ["civic_accepted.vcf", VARIANTS], f"{VARIANTS}: it says the same as the VCF"),
    ("civic", [EVIDENCE, VARIANTS], "the file of molecular profiles is missing"),
    ("civic", [EVIDENCE, EVIDENCE], f"{EVIDENCE}: it is a file of evidence, as {EVIDENCE} is. Give one of them"),
    ("cpic", CPIC[:1], "cpic_diplotype.csv: the file of pairs is missing"),
    ("pharmgkb", PHARMGKB[2:], "the file of annotations is missing"),
]


@pytest.mark.parametrize(("kind", "names", "message"), REFUSED, ids=[message[:40] for *_, message in REFUSED])
def test_wrong_files_are_refused_with_what_to_do(kind, names, message):
    with pytest.raises(BadFile) as refused:
        items_of(kind, names)
    assert message in refused.value.diagnostics


@pytest.mark.parametrize(
    "data", [b"", b"\x1f\x8b\x08\x00damaged", b"\x00\xff" * 100], ids=["empty", "damaged", "binary"]
)
@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_no_text_is_no_file_of_any_source(kind, data):
    several = len(SOURCES[kind].roles) > 1
    with pytest.raises(BadFile, match="it is no file of" if several else None):
        list(SOURCES[kind].read([OpenFile("x", io.BytesIO(data))], Rejects(), Settings()))


def test_every_source_says_what_it_is_and_its_licence():
    for source in SOURCES.values():
        assert source.label
        assert source.licence
        assert len({role.name for role in source.roles}) == len(source.roles)


@pytest.mark.parametrize(("kind", "names", "count"), COMPLETE)
def test_spoiled_files_are_refused_or_their_rows_noted(kind, names, count):
    generator = random.Random(f"{kind} {len(names)}")
    data = [stored(name) for name in names]
    for _ in range(150):
        spoiled = [bytearray(part) for part in data]
        part = generator.choice(spoiled)
        for _ in range(generator.randint(1, 6)):
            at = generator.randrange(len(part))
            match generator.randrange(4):
                case 0:
                    part[at] = generator.randrange(256)
                case 1:
                    part[at : at + generator.randint(1, 40)] = b"\t"
                case 2:
                    part[at:at] = bytes(generator.choices(b'\t\n,";|:=#-0\xff', k=3))
                case 3:
                    part[at:] = b"x"
        files = [OpenFile(name, io.BytesIO(part)) for name, part in zip(names, spoiled, strict=True)]
        try:
            items = list(SOURCES[kind].read(files, Rejects(), Settings()))
        except BadFile:
            continue
        assert all(item.row_id and (item.changes or item.genotypes or item.rule) for item in items)
