"""The names of changes on chromosomes: the smallest edit, moved to the 3' end of its context."""

import pytest

from app.variants.hgvs_text import genomic_hgvs, smallest_edit
from app.variants.spdi import Spdi

NAMED = [
    ("substitution", ("A", "G"), "g.10A>G"),
    ("identity", ("A", "A"), "g.10="),
    ("identity of several bases", ("ACG", "ACG"), "g.10_12="),
    ("deletion of the only base", ("G", ""), "g.10del"),
    ("deletion in a repeat", ("AAA", "AA"), "g.12del"),
    ("deletion of one unit", ("CTCTC", "CTC"), "g.13_14del"),
    ("deletion of all units", ("CTCT", ""), "g.10_13del"),
    ("duplication of a base", ("AAA", "AAAA"), "g.12dup"),
    ("duplication of a unit and a half's context", ("CTC", "CTCTC"), "g.11_12dup"),
    ("two copies more are an insertion where there was one", ("A", "AAA"), "g.10_11insAA"),
    ("two copies more are a duplication where there were two", ("AA", "AAAA"), "g.10_11dup"),
    ("insertion", ("", "T"), "g.9_10insT"),
    ("insertion that slides", ("C", "CTC"), "g.10_11insTC"),
    ("inversion", ("ACG", "CGT"), "g.10_12inv"),
    ("exchange of two bases that is no inversion", ("AC", "TT"), "g.10_11delinsTT"),
    ("deletion and insertion", ("ACG", "TT"), "g.10_12delinsTT"),
    ("a shared end is left out", ("ACGT", "TGGT"), "g.10_11delinsTG"),
]


@pytest.mark.parametrize(
    ("deleted", "inserted", "expected"), [(*pair, text) for _, pair, text in NAMED], ids=[n for n, *_ in NAMED]
)
def test_a_change_is_named_as_hgvs_recommends(deleted, inserted, expected):
    assert genomic_hgvs(Spdi("NC_000017.10", 9, deleted, inserted)) == f"NC_000017.10:{expected}"


def test_the_mitochondrial_genome_has_positions_of_its_own_kind():
    assert genomic_hgvs(Spdi("NC_012920.1", 3242, "A", "G")) == "NC_012920.1:m.3243A>G"


def test_an_insertion_before_the_first_base_has_no_name():
    assert genomic_hgvs(Spdi("NC_012920.1", 0, "", "G")) is None
    assert genomic_hgvs(Spdi("NC_012920.1", 0, "G", "GG")) == "NC_012920.1:m.1dup"


def test_an_edit_tells_the_bases_that_it_copies():
    edit = smallest_edit("GGG", "GGGG")
    assert (edit.operation, edit.start, edit.end, edit.deleted, edit.inserted) == ("dup", 2, 3, "G", "")
