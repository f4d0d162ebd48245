"""ClinGen's dosage sensitivity: regions and genes of which the evidence is sufficient."""

from __future__ import annotations

import io

import pytest

from app.config import Settings
from app.errors import BadFile
from app.formats.clingen_dosage import read_dosage
from app.formats.knowledge import Concept, ItemKind, KnowledgeItem, Rejects, Rule
from tests.knowledge_files import stored, told
from tests.vcf_files import gzipped

MONDO = "http://purl.obolibrary.org/obo/mondo.owl"
SYSTEM = "https://search.clinicalgenome.org/kb/gene-dosage"
ENOUGH = Concept("", "", "Sufficient evidence for dosage pathogenicity")
R37, R38 = (stored(f"ClinGen_region_curation_list_{build}.tsv") for build in ("GRCh37", "GRCh38"))
GENES = stored("ClinGen_gene_curation_list_GRCh38.tsv")
PLACE37, PLACE38 = (37, 22, 18912230, 21465672), (38, 22, 18924717, 21111383)


def items_of(*lists):
    rejects = Rejects()
    files = [(io.BytesIO(data), f"list{number}.tsv") for number, data in enumerate(lists)]
    return list(read_dosage(files, rejects, Settings())), rejects


def test_sensitive_region_becomes_two_items():
    (loss, gain), _ = items_of(R38)
    assert loss == KnowledgeItem(
        ItemKind.DIAGNOSTIC,
        "ISCA-90001 haploinsufficiency",
        rule=Rule(regions=(PLACE38,), changes=("DEL", "CNV"), copies_at_most=1),
        identifiers=((SYSTEM, "ISCA-90001"),),
        statement=ENOUGH,
        evidence="ClinGen haploinsufficiency score 3",
        conditions=(Concept(MONDO, "MONDO:0008644"),),
        note="Invented recurrent region (A to D)",
    )
    assert gain.row_id == "ISCA-90001 triplosensitivity"
    assert gain.rule == Rule(regions=(PLACE38,), changes=("DUP", "CNV"), copies_at_least=3)
    assert gain.conditions == (Concept(MONDO, "MONDO:0012020"),)


@pytest.mark.parametrize("lists", [(R37, R38), (R38, R37), (gzipped(R37), R38)], ids=["37 38", "38 37", "gzip"])
def test_lists_of_both_builds_give_both_places(lists):
    items = {item.row_id: item.rule.regions for item in items_of(*lists)[0]}
    assert items["ISCA-90001 haploinsufficiency"] == (PLACE37, PLACE38)
    assert items["ISCA-90003 triplosensitivity"] == ((37, 1, 0, 99),)


def test_sensitive_gene_is_meant_by_its_symbol():
    [item], rejects = items_of(GENES)
    assert item.row_id == "PTCH1 haploinsufficiency"
    assert item.rule == Rule("PTCH1", changes=("DEL", "CNV"), copies_at_most=1)
    assert (item.gene, item.conditions) == ("PTCH1", (Concept(MONDO, "MONDO:0007187"),))
    assert told(rejects) == [
        (5, "Triplosensitivity Score", "less than sufficient evidence"),
        (6, "Haploinsufficiency Score", "autosomal recessive phenotype"),
        (6, "Triplosensitivity Score", "not yet evaluated"),
    ]


def test_other_scores_are_counted_by_cause():
    assert told(items_of(R38)[1]) == [
        (8, "Haploinsufficiency Score", "dosage sensitivity unlikely"),
        (8, "Triplosensitivity Score", "not yet evaluated"),
        (9, "Haploinsufficiency Score", "less than sufficient evidence"),
        (9, "Genomic Location", "no region: tbd"),
        (10, "Haploinsufficiency Score", "autosomal recessive phenotype"),
        (10, "Triplosensitivity Score", "unknown score: 7"),
    ]


@pytest.mark.parametrize("place", ["chr22:0-10", "chr22:11-10", "chr22:1-50818469", "chrUn:1-10", "22:1-10", ""])
def test_location_that_is_no_region_is_noted(place):
    items, rejects = items_of(R38.replace(b"chr22:18924718-21111383", place.encode()))
    assert (items, rejects.by_cause["no region"]) == ([], 3)


def test_region_on_two_chromosomes_is_noted():
    rejects = items_of(R37, R38.replace(b"chr22:", b"chr21:"))[1]
    assert rejects.by_cause["another chromosome on the other build"] == 2


REFUSED = [
    (
        (R38.replace(b"#Genomic Locations are reported on GRCh38", b"#Genomic Locations"),),
        "list0.tsv, line 6, Genomic Loc",
    ),
    (
        (R38, R37.replace(b"02 Jan", b"03 Jan")),
        "list1.tsv: it is of 03 Jan,2026, the list before it of 02 Jan,2026. Give",
    ),
    (
        (R38.replace(b"\tTriplosensitivity Score", b"\tScore"),),
        "line 6, triplosensitivity score: the column is missing",
    ),
    (
        (R38[R38.index(b"ISCA-90001") :],),
        "line 1: there is no line with the names of the columns. It begins with #isca id or",
    ),
]


@pytest.mark.parametrize(("lists", "message"), REFUSED, ids=["build", "day", "column", "header"])
def test_list_that_cannot_be_read_is_refused(lists, message):
    with pytest.raises(BadFile) as refused:
        items_of(*lists)
    assert message in refused.value.diagnostics
