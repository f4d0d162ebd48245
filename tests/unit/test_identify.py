from dataclasses import dataclass, field

import pytest

from app.errors import CannotNormalize, UnknownRefSeq, UnreadableVariant
from app.records import Build, LiftStatus
from app.variants.identify import GenomicChange, Identifier, identify, read_variant
from app.variants.placement import Placement
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi

B37, B38 = Build.GRCH37, Build.GRCH38
REFERENCES = {
    B37: InMemoryReference({"NC_000017.10": [(100, "ACGTTTGACA")], "NC_012920.1": [(0, "GATCACAG")]}),
    B38: InMemoryReference({"NC_000017.11": [(200, "ACGTTTGACA")]}),
}


@dataclass
class Placer:
    """Places a change where it was reported only, and remembers what it was asked."""

    refuse: bool = False
    asked: list[GenomicChange] = field(default_factory=list)
    references = REFERENCES

    def place(self, build, contig, position, deleted, inserted):
        self.asked.append(GenomicChange(build, contig, position, deleted, inserted))
        if self.refuse:
            raise CannotNormalize("NC_000017.10:103:A:C", "the reference has T")
        return placed(f"{build} {contig} {position} {deleted}>{inserted}")


def placed(text):
    return Placement(17, Spdi(text, 0, "", ""), None, LiftStatus.NO_CHAIN, justified=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NC_000017.10:102:G:A", GenomicChange(B37, 17, 102, "G", "A")),
        (" nc_000017.10:102:g:a\n", GenomicChange(B37, 17, 102, "G", "A")),
        ("NC_000017.11:202:G:A", GenomicChange(B38, 17, 202, "G", "A")),
        ("NC_000017.10:102:2:A", GenomicChange(B37, 17, 102, "GT", "A")),
        ("NC_000017.11:203:0:A", GenomicChange(B38, 17, 203, "", "A")),
        ("NC_000023.11:999::A", GenomicChange(B38, 23, 999, "", "A")),
        ("NC_000017.10:g.103G>A", GenomicChange(B37, 17, 102, "G", "A")),
        ("NC_000017.11:g.204del", GenomicChange(B38, 17, 203, "T", "")),
        ("NC_012920.1:m.4C>T", GenomicChange(B38, 25, 3, "C", "T")),
        ("NC_012920.1:3:1:T", GenomicChange(B38, 25, 3, "C", "T")),
    ],
)
def test_spdi_and_hgvs_are_read_as_a_change_of_their_build(text, expected):
    reading = read_variant(text, REFERENCES)
    assert (reading.changes, reading.note) == ((expected,), None)


@pytest.mark.parametrize("text", ["", "rs334", "a:b:c", "NC_000017.10:102:G", "a:b:c:d:e", "NC_000017.10", "foo:bar"])
def test_text_of_neither_form_is_unreadable(text):
    with pytest.raises(UnreadableVariant) as caught:
        read_variant(text, REFERENCES)
    assert caught.value.diagnostics == f"variant ({text}) is not in the correct format(SPDI|HGVS)"


@pytest.mark.parametrize("text", ["NT_113889.1:5:A:G", "NG_005905.2:g.5A>G", "NP_009225.1:5:A:G", "17:5:A:G"])
def test_only_primary_chromosomes_are_valid(text):
    with pytest.raises(UnknownRefSeq, match=r"RefSeq\(.*\) is not valid"):
        read_variant(text, REFERENCES)


@pytest.mark.parametrize(
    "text",
    ["NM_007294.4:c.5266dup", "NM_007294.4:n.5A>G", "NM_007294.4:5:A:G", "nr_027676.2:5:1:", "ENST00000357654.9:5::G"],
)
def test_without_transcripts_none_is_known(text):
    with pytest.raises(CannotNormalize, match="is not loaded; known versions: none"):
        read_variant(text, REFERENCES)


def test_a_length_needs_the_sequence():
    with pytest.raises(CannotNormalize) as caught:
        read_variant("NC_000017.10:109:2:A", REFERENCES)
    assert caught.value.reason == "it needs the sequence of NC_000017.10 at [109, 111), which is not loaded"


def test_text_above_the_cap_is_refused_whatever_it_is():
    for text in (
        "A" * 1001,
        ":" * 5000,
        "NC_000017.10:1::" + "A" * 1000,
        "NM_1.1:1::" + "A" * 1000,
        "NM_1.1:c." + "1" * 1000,
    ):
        with pytest.raises(CannotNormalize, match="longer than 1,000 characters"):
            read_variant(text, REFERENCES)


def test_identifying_places_the_change():
    placer = Placer()
    found = identify("NC_000017.10:g.103G>A", placer)
    assert (found.placement, found.note) == (placed("GRCh37 17 102 G>A"), None)
    assert placer.asked == [GenomicChange(B37, 17, 102, "G", "A")]


def test_a_refusal_quotes_the_text_that_the_user_wrote():
    with pytest.raises(CannotNormalize) as caught:
        identify("NC_000017.10:g.104A>C", Placer(refuse=True))
    assert caught.value.diagnostics.startswith("Cannot normalize variant: NC_000017.10:g.104A>C (the reference has T")
    with pytest.raises(CannotNormalize) as caught:
        identify("NC_000017.10:500:A:C", Placer(refuse=True))
    assert caught.value.diagnostics == "Cannot normalize variant: NC_000017.10:500:A:C (the reference has T)"


def test_the_last_texts_are_remembered_up_to_the_size():
    placer = Placer()
    identifier = Identifier(placer, size=2)
    first, second, third = (f"NC_000017.10:{position}:A:C" for position in (500, 501, 502))
    for text in (first, second, first, first, second):
        assert identifier.identify(text) == identify(text, Placer())
    assert len(placer.asked) == 2
    identifier.identify(third)
    identifier.identify(second)
    assert len(placer.asked) == 3
    identifier.identify(first)
    assert len(placer.asked) == 4


def test_refusals_are_not_remembered():
    placer = Placer(refuse=True)
    identifier = Identifier(placer, size=2)
    for _ in range(2):
        with pytest.raises(CannotNormalize):
            identifier.identify("NC_000017.10:500:A:C")
    placer.refuse = False
    assert identifier.identify("NC_000017.10:500:A:C").placement == placed("GRCh37 17 500 A>C")
