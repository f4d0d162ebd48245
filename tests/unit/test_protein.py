"""Predicted effects on a small protein: M A W K D, a stop codon, and GGGTAACCC behind it."""

import pytest

from app.variants.protein import NO_START, UNKNOWN, Protein, substitution

BASES, CODING = "ATGGCTTGGAAAGATTAAGGGTAACCC", 18
PROTEIN = Protein(BASES, CODING)

EFFECTS = [
    # (start, end, inserted), effect
    ("substitution", (4, 5, "G"), "p.(Ala2Gly)"),
    ("substitution without effect", (5, 6, "C"), "p.(Ala2=)"),
    ("two codons without effect", (5, 15, "CTGGAAGGAC"), "p.(Ala2_Asp5=)"),
    ("stop codon", (7, 8, "A"), "p.(Trp3Ter)"),
    ("two residues", (5, 7, "AC"), "p.(Trp3Arg)"),
    ("two residues that differ", (4, 7, "GAC"), "p.(Ala2_Trp3delinsGlyArg)"),
    ("frameshift", (14, 20, ""), "p.(Asp5GlufsTer2)"),
    ("frameshift without an end", (3, 4, ""), "p.(Ala2LeufsTer?)"),
    ("frameshift whose first codon is a stop", (9, 10, "T"), "p.(Lys4Ter)"),
    ("frameshift of an insertion", (9, 9, "GGGTAAC"), "p.(Lys4GlyfsTer2)"),
    ("frameshift that is silent at first", (5, 6, "CC"), "p.(Trp3LeufsTer?)"),
    ("deletion of a codon", (3, 6, ""), "p.(Ala2del)"),
    ("deletion of the last residue", (12, 15, ""), "p.(Asp5del)"),
    ("deletion of two codons", (3, 9, ""), "p.(Ala2_Trp3del)"),
    ("deletion across codons", (4, 7, ""), "p.(Ala2_Trp3delinsGly)"),
    ("duplication", (6, 6, "GCT"), "p.(Ala2dup)"),
    ("duplication of two", (9, 9, "GCTTGG"), "p.(Ala2_Trp3dup)"),
    ("insertion", (9, 9, "CCC"), "p.(Trp3_Lys4insPro)"),
    ("insertion within a codon", (4, 4, "GGG"), "p.(Met1_Ala2insGly)"),
    ("exchange", (12, 15, "CCCGGG"), "p.(Asp5delinsProGly)"),
    ("insertion of a stop codon", (9, 9, "TAA"), "p.(Lys4Ter)"),
    ("insertion with a stop codon", (9, 9, "GGGTAACCC"), "p.(Trp3_Lys4insGlyTer)"),
    ("stop codon lost", (15, 16, "C"), "p.(Ter6GlnextTer2)"),
    ("stop codon lost without another", (16, 18, ""), "p.(Ter6TrpextTer?)"),
    ("stop codon lost with a residue", (12, 24, "CCC"), "p.(Asp5ProfsTer?)"),
    ("stop codon lost with a residue, another one known", (12, 18, "CCC"), "p.(Asp5delinsProGly)"),
    ("nothing known behind", (9, 27, "A"), UNKNOWN),
    ("insertion before the stop codon", (15, 15, "GGG"), "p.(Asp5_Ter6insGly)"),
    ("duplication before the stop codon", (15, 15, "GAT"), "p.(Asp5dup)"),
    ("stop codon kept", (17, 18, "G"), "p.(Ter6=)"),
    ("stop codon kept by an insertion", (15, 15, "TAA"), "p.(Ter6=)"),
    ("start codon", (0, 1, "C"), NO_START),
    ("start codon deleted with bases before it", (-2, 1, ""), NO_START),
    ("start codon kept", (3, 3, "ATG"), "p.(Met1dup)"),
    ("before the start codon", (-2, -1, ""), UNKNOWN),
    ("right before the start codon", (0, 0, "GG"), UNKNOWN),
    ("behind the stop codon", (18, 19, ""), UNKNOWN),
    ("right behind the stop codon", (18, 18, "A"), UNKNOWN),
    ("unknown bases", (9, 9, "NNN"), UNKNOWN),
]


@pytest.mark.parametrize(("change", "effect"), [row[1:] for row in EFFECTS], ids=[row[0] for row in EFFECTS])
def test_effects_are_those_that_hgvs_recommends(change, effect):
    assert PROTEIN.change(*change) == effect


def test_a_protein_without_a_known_end_is_not_told():
    assert Protein("ATGGCTTAA", 9).change(3, 9, "CCC") == UNKNOWN
    assert Protein("ATGGCTTAA", 9).change(6, 9, "") == UNKNOWN


@pytest.mark.parametrize(
    ("bases", "altered", "effect"),
    [
        ("GCTTGG", "GGTTGG", "p.(Ala2Gly)"),
        ("GCTTGG", "GCCTGG", "p.(Ala2_Trp3=)"),
        ("GCTTGG", "TAATGG", "p.(Ala2Ter)"),
        ("GCTTGG", "GGATAA", "p.(Ala2_Trp3delinsGlyTer)"),
        ("GCTTGG", "GGATAT", "p.(Ala2_Trp3delinsGlyTyr)"),
        ("GCTTGG", "GCTNGG", "p.?"),
        ("TAA", "TAC", None),
    ],
)
def test_codons_alone_tell_the_effect_of_a_substitution_unless_one_is_a_stop(bases, altered, effect):
    found = substitution(bases, altered, 1)
    assert (found and found.text) == effect


def test_the_mitochondrial_code_is_another_one():
    for mitochondrial, effect in ((True, "p.(Trp2=)"), (False, "p.(Trp2Ter)")):
        found = substitution("TGG", "TGA", 1, mitochondrial=mitochondrial)
        assert found is not None
        assert found.text == effect
    assert Protein("ATAAGA", 6, mitochondrial=True).change(3, 4, "C") == "p.(Ter2ArgextTer?)"


@pytest.mark.parametrize(
    ("bases", "coding"),
    [
        ("ATGGCTTGG", 9),  # no stop codon
        ("ATGTAAGCTTAA", 12),  # one within, as in a selenoprotein
        ("ATGGCTTA", 8),  # no whole frame
        ("ATGNCTTAA", 9),  # unknown bases
        ("ATGGCT", 9),  # fewer bases than said
        ("", 0),
    ],
)
def test_a_coding_region_that_is_not_whole_is_refused(bases, coding):
    with pytest.raises(ValueError, match="not one frame"):
        Protein(bases, coding)
