import subprocess
import sys

import pytest

from app.errors import CannotNormalize, InvalidInput, UnknownRefSeq, UnreadableVariant
from app.records import Build
from app.variants.hgvs import read_hgvs
from app.variants.reference import InMemoryReference, NoReference
from app.variants.spdi import MAX_TEXT

CHR17 = "NC_000017.10"
#                                                  101       106
REFERENCES = {Build.GRCH37: InMemoryReference({CHR17: [(100, "ACGTTTGACA")], "NC_012920.1": [(0, "GATCACAG")]})}


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("g.103G>A", "102:G:A"),
        ("g.104del", "103:T:"),
        ("g.104delT", "103:T:"),
        ("g.104del1", "103:T:"),
        ("g.104_106del", "103:TTT:"),
        ("g.104_106delTTT", "103:TTT:"),
        ("g.104_106del3", "103:TTT:"),
        ("g.104dup", "104::T"),
        ("g.104dupT", "104::T"),
        ("g.102_103dup", "103::CG"),
        ("g.103_104insAC", "103::AC"),
        ("g.103_104delinsA", "102:GT:A"),
        ("g.103_104delGTinsA", "102:GT:A"),
        ("g.103_104del2insA", "102:GT:A"),
        ("g.103_105inv", "102:GTT:AAC"),
        ("g.103=", "102:G:G"),
        ("g.103G=", "102:G:G"),
        ("g.103_104=", "102:GT:GT"),
        ("g.103g>a", "102:G:A"),
        ("g.[103G>A]", "102:G:A"),
        ("g.102_103dup2", "103::CG"),
        ("g.103_105invGTT", "102:GTT:AAC"),
        ("g.103_105inv3", "102:GTT:AAC"),
    ],
)
def test_genomic_hgvs_says_the_same_as_this_spdi(description, expected):
    assert str(read_hgvs(f"{CHR17}:{description}", REFERENCES)) == f"{CHR17}:{expected}"


@pytest.mark.parametrize(
    "text",
    [" NC_000017.10:g.103G>A ", "nc_000017.10:g.103G>A", "NC_000017.10 : g.103G>A", "NC_000017.10(BRCA1):g.103G>A"],
)
def test_blanks_case_and_a_gene_do_not_matter(text):
    assert str(read_hgvs(text, REFERENCES)) == "NC_000017.10:102:G:A"


@pytest.mark.parametrize("kind", ["m", "g"])
def test_the_mitochondrial_genome_is_read_with_either_prefix(kind):
    assert str(read_hgvs(f"NC_012920.1:{kind}.4del", REFERENCES)) == "NC_012920.1:3:C:"
    assert str(read_hgvs(f"NC_012920.1:{kind}.3243A>G", {})) == "NC_012920.1:3242:A:G"


@pytest.mark.parametrize("references", [{}, {Build.GRCH37: NoReference()}, {Build.GRCH38: REFERENCES[Build.GRCH37]}])
@pytest.mark.parametrize("edit", ["del", "dup", "inv", "=", "delinsA"])
def test_bases_that_are_not_stated_need_the_sequence(references, edit):
    with pytest.raises(CannotNormalize) as caught:
        read_hgvs(f"{CHR17}:g.104_105{edit}", references)
    assert caught.value.reason == "it needs the sequence of NC_000017.10 at [103, 105), which is not loaded"


@pytest.mark.parametrize("edit", ["103G>A", "103_104delGT", "104dupT", "103_104insAC", "103_104delGTinsA", "103G="])
def test_stated_bases_do_not_need_the_sequence(edit):
    text = f"{CHR17}:g.{edit}"
    assert read_hgvs(text, {}) == read_hgvs(text, REFERENCES)


@pytest.mark.parametrize(
    "edit", ["103C>A", "103_104delGG", "104dupA", "103_104delAAinsC", "103C=", "103C>G", "103_104invAA"]
)
def test_stated_bases_that_contradict_the_reference_are_refused(edit):
    with pytest.raises(CannotNormalize, match=r"the reference has (G|GT|T) there, not [ACG]+\)"):
        read_hgvs(f"{CHR17}:g.{edit}", REFERENCES)


@pytest.mark.parametrize("text", ["NM_007294.4:c.5266dup", "NR_027676.2:n.5A>G", "NC_000017.10:c.103G>A"])
def test_positions_of_transcripts_are_not_those_of_a_chromosome(text):
    with pytest.raises(CannotNormalize) as caught:
        read_hgvs(text, REFERENCES)
    assert "positions count along a transcript" in caught.value.reason


@pytest.mark.parametrize("text", ["NM_007294.4:r.5a>g", "NM_007294.4:r.(5a>g)", "NC_000017.10:r.5_6insu"])
def test_changes_of_rna_are_refused(text):
    with pytest.raises(CannotNormalize) as caught:
        read_hgvs(text, REFERENCES)
    assert caught.value.reason == "a change of RNA does not say what the DNA is; use c. or n."


@pytest.mark.parametrize("text", ["NP_009225.1:p.(Gln1756ProfsTer74)", "NP_009225.1:p.Gln1756=", "NP_009225.1:p.?"])
def test_protein_variants_are_refused(text):
    with pytest.raises(CannotNormalize, match="a protein change does not say which bases change"):
        read_hgvs(text, REFERENCES)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("g.?", "uncertain positions"),
        ("g.?_104del", "uncertain positions"),
        ("g.(103_104)del", "uncertain positions"),
        ("g.(?_103)_(104_?)del", "uncertain positions"),
        ("g.(100_103)_(104_110)dup", "uncertain positions"),
        ("g.(103G>A)", "uncertain positions"),
        ("g.[103G>A;104T>C]", "brackets"),
        ("g.104T[4]", "brackets"),
        ("g.104_103del", "the range ends before it starts"),
        ("g.104insA", "an insertion stands between two neighbouring bases"),
        ("g.104_106insA", "an insertion stands between two neighbouring bases"),
        ("g.104copy2", "copy numbers and conversions are not supported"),
        ("g.103_104delG", "it states 1 base(s) for a range of 2"),
        ("g.103_104del3", "it states 3 base(s) for a range of 2"),
        ("g.103_104dup3", "it states 3 base(s) for a range of 2"),
        ("g.103_104invA", "it states 1 base(s) for a range of 2"),
        ("g.[103G>A];[104T>C]", "brackets"),
        ("g.103_104G>A", "it states 1 base(s) for a range of 2"),
        ("g.103G>R", "the bases A, C, G, T and N only"),
        ("g.103_104insB", "the bases A, C, G, T and N only"),
        ("g.0G>A", "is not within NC_000017.10"),
        ("g.81195211G>A", "is not within NC_000017.10"),
        ("g." + "9" * 900 + "G>A", "is not within NC_000017.10"),
        ("g.1_81195210del", "more than 1,000,000 bases"),
        ("m.103G>A", "m. describes the mitochondrial genome"),
    ],
)
def test_what_hgvs_allows_and_this_program_does_not_is_refused_with_the_reason(description, reason):
    with pytest.raises(CannotNormalize) as caught:
        read_hgvs(f"{CHR17}:{description}", REFERENCES)
    assert reason in caught.value.reason
    assert len(caught.value.diagnostics) < 500


@pytest.mark.parametrize(
    "text", ["NG_005905.2:g.5A>G", "NC_000017.9:g.5A>G", "NM_007294.4:g.5A>G", "NC_000017.9:m.5A>G"]
)
def test_other_sequences_are_not_valid(text):
    with pytest.raises(UnknownRefSeq) as caught:
        read_hgvs(text, REFERENCES)
    assert caught.value.parameter == "variants"


@pytest.mark.parametrize(
    "text",
    [
        ":",
        "foo:bar",
        "NC_000017.10:",
        ":g.5A>G",
        "NC_000017.10:g.5",
        "NC_000017.10:g.5A>",
        "NC_000017.10:g.5A>G;",
        "NC_000017.10:g.-5A>G",
        "NC_000017.10:g.5+1A>G",
        "NC_000017.10:g.5A>U",
        "NC_000017.10:103G>A",
        "NM_007294.4:c.(5A>",
        "NC_000017.10:g.103G>A:c.5",
        "NC_000017.10",
    ],
)
def test_what_is_no_hgvs_is_unreadable(text):
    with pytest.raises(UnreadableVariant) as caught:
        read_hgvs(text, REFERENCES)
    assert caught.value.diagnostics == f"variant ({text}) is not in the correct format(SPDI|HGVS)"


@pytest.mark.parametrize("unit", ["9", "A", "g.(", "_", "NC_000017.10(", "p.(Ala", "\0", "é", "٣", "²", " 1"])
@pytest.mark.parametrize("start", ["NC_000017.10:", "NC_000017.10:g.", "NC_000017.10:g.1_3ins", "NC_000017.10:g.1del"])
@pytest.mark.parametrize("size", [MAX_TEXT, 10_000])
def test_long_nonsense_is_refused_as_the_users_mistake(start, unit, size):
    with pytest.raises(InvalidInput) as caught:
        read_hgvs((start + unit * size)[:size], REFERENCES)
    assert len(caught.value.diagnostics) < 500


def test_a_text_above_the_cap_is_not_parsed():
    with pytest.raises(CannotNormalize, match="longer than 1,000 characters"):
        read_hgvs("NC_000017.10:g.1_2ins" + "A" * MAX_TEXT, REFERENCES)


def test_the_parser_is_not_loaded_before_it_is_needed():
    code = "import sys, app.variants.identify; sys.exit('hgvs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
