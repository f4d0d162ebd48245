"""What a change does to each transcript that it touches; nothing is said where bases that decide are missing."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from app.records import Build
from app.variants.accessions import MT
from app.variants.consequence import Consequence, Predictor
from app.variants.consequence_terms import TERMS, impact_of, most_severe_first
from app.variants.normalize import justify
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi, reverse_complement
from app.variants.transcripts import MANE_PLUS_CLINICAL, MANE_SELECT, InMemoryTranscripts, Transcript
from tests.synthetic_transcripts import alignment, transcript

B37, B38 = Build.GRCH37, Build.GRCH38
CHR1 = "NC_000001.11"
CODING = "ATG" + "GCTTGGAAAGATCTGCCC" + "TAA"
"""M A W K D L P, a stop codon"""
INTRON = "GTAAGCCATTCATTCTTTCCTTTAG"
SEQUENCE = "CC" + "GTCGG" + CODING[:10] + INTRON + CODING[10:] + "CATAAGT" + "GTCACC"
"""From 1,000 on: two bases of nothing, an exon of 15, an intron of 25, an exon of 21, six of nothing"""
EXONS = [(1002, 1017), (1042, 1063)]
KNOWN = replace(transcript("NM_1.1", alignment(B38, EXONS), cds=(5, 29)), protein="NP_1.1")
REFERENCE = {B38: InMemoryReference({CHR1: [(1000, SEQUENCE)]})}


def predicted(change: str, *known: Transcript, references=REFERENCE, ref_seq=CHR1) -> list[Consequence]:
    position, deleted, inserted = change.split(":")
    known = known or (KNOWN,)
    reference = references.get(B38) or InMemoryReference({})
    found = justify(reference, ref_seq, int(position), deleted, inserted)
    change_there = Spdi(ref_seq, found.position, found.deleted, found.inserted)
    return Predictor(InMemoryTranscripts(known), references).predict(change_there)


def terms(change: str, *known: Transcript, references=REFERENCE) -> str | None:
    found = predicted(change, *known, references=references)
    assert len(found) <= 1
    return "&".join(found[0].terms) if found else None


def test_the_sequence_is_what_the_tests_count_on() -> None:
    spliced = "".join(SEQUENCE[start - 1000 : end - 1000] for start, end in EXONS)
    assert spliced == "GTCGG" + CODING + "CATAAGT"


CHANGES = [
    # position, deleted, inserted; terms; impact; c.; p.
    ("1008:T:C", "start_lost", "HIGH", "c.2T>C", "p.(Met1?)"),
    ("1007:A:", "start_lost", "HIGH", "c.1del", "p.(Met1?)"),
    ("1007::A", "start_retained_variant&5_prime_UTR_variant", "LOW", "c.1dup", None),
    ("1007::AG", "start_retained_variant&5_prime_UTR_variant", "LOW", "c.-1_1dup", None),
    ("1008::C", "start_lost", "HIGH", "c.1_2insC", "p.(Met1?)"),
    ("1006:GA:", "start_lost&5_prime_UTR_variant", "HIGH", "c.-1_1del", "p.(Met1?)"),
    ("1011:C:A", "missense_variant", "MODERATE", "c.5C>A", "p.(Ala2Asp)"),
    ("1011:CT:AA", "missense_variant", "MODERATE", "c.5_6delinsAA", "p.(Ala2Glu)"),
    ("1011:CTT:AAC", "missense_variant", "MODERATE", "c.5_7delinsAAC", "p.(Ala2_Trp3delinsGluArg)"),
    ("1012:T:C", "synonymous_variant", "LOW", "c.6T>C", "p.(Ala2=)"),
    ("1014:G:A", "stop_gained&splice_region_variant", "HIGH", "c.8G>A", "p.(Trp3Ter)"),
    ("1010:G:", "frameshift_variant", "HIGH", "c.4del", "p.(Ala2LeufsTer?)"),
    ("1010::A", "frameshift_variant", "HIGH", "c.3_4insA", "p.(Ala2SerfsTer9)"),
    ("1013::A", "frameshift_variant", "HIGH", "c.6_7insA", "p.(Trp3MetfsTer8)"),
    ("1015::A", "stop_gained&frameshift_variant&splice_region_variant", "HIGH", "c.8_9insA", "p.(Trp3Ter)"),
    ("1044:GATCTG:", "inframe_deletion&splice_region_variant", "MODERATE", "c.13_18del", "p.(Asp5_Leu6del)"),
    ("1045:ATC:", "inframe_deletion", "MODERATE", "c.14_16del", "p.(Asp5_Leu6delinsVal)"),
    ("1045:ATCT:C", "protein_altering_variant", "MODERATE", "c.14_17delinsC", "p.(Asp5_Leu6delinsAla)"),
    ("1050::GATCTG", "inframe_insertion", "MODERATE", "c.13_18dup", "p.(Asp5_Leu6dup)"),
    ("1047::TAA", "stop_gained&inframe_insertion", "HIGH", "c.15_16insTAA", "p.(Leu6Ter)"),
    ("1053::GGG", "inframe_insertion", "MODERATE", "c.21_22insGGG", "p.(Pro7_Ter8insGly)"),
    ("1050::CCC", "inframe_insertion", "MODERATE", "c.19_21dup", "p.(Pro7dup)"),
    ("1050:CCC:", "inframe_deletion", "MODERATE", "c.19_21del", "p.(Pro7del)"),
    ("1053::GA", "frameshift_variant&stop_lost", "HIGH", "c.21_22insGA", "p.(Ter8AspextTer?)"),
    ("1050:CCCTAA:GCCTGA", "missense_variant&stop_retained_variant", "MODERATE", "c.19_23delinsGCCTG", "p.(Pro7Ala)"),
    ("1050:CCCTAA:TAACCC", "stop_gained", "HIGH", "c.19_24delinsTAACCC", "p.(Pro7Ter)"),
    ("1053:T:C", "stop_lost", "HIGH", "c.22T>C", "p.(Ter8GlnextTer?)"),
    ("1054:A:G", "stop_retained_variant", "LOW", "c.23A>G", "p.(Ter8=)"),
    ("1053:T:", "frameshift_variant&stop_lost", "HIGH", "c.22del", "p.(Ter8AsnextTer?)"),
    (
        "1051:CCTAA:",
        "stop_retained_variant&synonymous_variant&3_prime_UTR_variant",
        "LOW",
        "c.21_*1del",
        "p.(Pro7_Ter8=)",
    ),
    ("1004:C:T", "5_prime_UTR_variant", "MODIFIER", "c.-3C>T", None),
    ("1007::CC", "5_prime_UTR_variant", "MODIFIER", "c.-1_1insCC", None),
    ("1056:C:T", "3_prime_UTR_variant", "MODIFIER", "c.*1C>T", None),
    ("1017:G:A", "splice_donor_variant", "HIGH", "c.10+1G>A", None),
    ("1018:T:A", "splice_donor_variant", "HIGH", "c.10+2T>A", None),
    ("1019:A:C", "splice_region_variant&intron_variant", "LOW", "c.10+3A>C", None),
    ("1024:A:C", "splice_region_variant&intron_variant", "LOW", "c.10+8A>C", None),
    ("1025:T:C", "intron_variant", "MODIFIER", "c.10+9T>C", None),
    ("1033:T:C", "intron_variant", "MODIFIER", "c.11-9T>C", None),
    ("1034:T:C", "splice_region_variant&intron_variant", "LOW", "c.11-8T>C", None),
    ("1039:T:C", "splice_region_variant&intron_variant", "LOW", "c.11-3T>C", None),
    ("1040:A:C", "splice_acceptor_variant", "HIGH", "c.11-2A>C", None),
    ("1041:G:C", "splice_acceptor_variant", "HIGH", "c.11-1G>C", None),
    ("1016:AG:", "splice_donor_variant&coding_sequence_variant", "HIGH", "c.10_10+1del", None),
    ("1017::C", "splice_region_variant&coding_sequence_variant", "LOW", "c.10_10+1insC", None),
    ("1018::C", "splice_donor_variant", "HIGH", "c.10+1_10+2insC", None),
    ("1019::C", "splice_region_variant&intron_variant", "LOW", "c.10+2_10+3insC", None),
    ("1017::A", "frameshift_variant&splice_region_variant", "HIGH", "c.10dup", "p.(Asp5ArgfsTer6)"),
    ("1000:CCG:", "5_prime_UTR_variant", "MODIFIER", None, None),
]


@pytest.mark.parametrize(
    ("change", "expected", "impact", "coding", "protein"), CHANGES, ids=[row[0] for row in CHANGES]
)
def test_terms_follow_from_place_and_translation(change, expected, impact, coding, protein) -> None:
    (found,) = predicted(change)
    said = found.coding.partition(":")[2] if found.coding else None
    assert ("&".join(found.terms), found.impact, said, found.protein) == (expected, impact, coding, protein)


def test_the_other_strand_tells_the_same() -> None:
    mirror = {B38: InMemoryReference({CHR1: [(1000, reverse_complement(SEQUENCE))]})}
    end = 2000 + len(SEQUENCE)
    exons = [(end - high, end - low) for low, high in EXONS[::-1]]
    known = replace(KNOWN, alignments={B38: alignment(B38, exons, reverse=True)})
    dice = random.Random(7)
    seen: set[str] = set()
    for _ in range(600):
        low = dice.randrange(1001, 1062)
        deleted = SEQUENCE[low - 1000 : low - 1000 + dice.choice([0, 0, 1, 1, 2, 3, 6])]
        inserted = "".join(dice.choices("ACGT", k=dice.choice([0, 1, 1, 2, 3, 6])))
        # Both are given at the 3' end of the transcript's own strand, as the contextual form has it on either strand.
        here = predicted(f"{low}:{deleted}:{inserted}")
        there = predicted(
            f"{end - low - len(deleted)}:{reverse_complement(deleted)}:{reverse_complement(inserted)}",
            known,
            references=mirror,
        )
        assert here == there
        seen.update(term for item in here for term in item.terms)
    assert len(seen) >= 17


KINDS = [
    (r"p\.\(Met1\?\)", {"start_lost"}),
    (r"p\.\(Ter\d+=\)", {"stop_retained_variant"}),
    (r"p\.\((?!Ter)\w+=\)", {"synonymous_variant"}),
    (r"p\.\([A-Z][a-z]{2}\d+(?!Ter)[A-Z][a-z]{2}\)", {"missense_variant", "protein_altering_variant"}),
    (r"p\.\([A-Z][a-z]{2}\d+Ter\)", {"stop_gained"}),
    (r"p\.\(\w+(ins|delins)\w*Ter\)", {"stop_gained"}),
    (r"p\.\((?!Ter)\w+fsTer[0-9?]+\)", {"frameshift_variant", "stop_lost", "protein_altering_variant"}),
    (r"p\.\(Ter\w+extTer[0-9?]+\)", {"stop_lost"}),
    (r"p\.\(\w+(del|dup|ins(?!\w*Ter)\w+|delins(?!\w*Ter)\w+)\)", {"inframe", "missense_variant", "protein_altering"}),
]


def test_terms_and_protein_text_say_the_same() -> None:
    dice = random.Random(9)
    counted: Counter[str] = Counter()
    for _ in range(6000):
        low = dice.randrange(1006, 1057)
        deleted = SEQUENCE[low - 1000 : low - 1000 + dice.choice([0, 0, 1, 1, 2, 3, 6])]
        inserted = "".join(dice.choices("ACGT", k=dice.choice([0, 1, 1, 2, 3, 6])))
        for found in predicted(f"{low}:{deleted}:{inserted}"):
            if found.protein is None or "Pro7_Ter8ins" in found.protein:
                continue  # a stop codon right before the stop codon ends nothing early
            fitting = [(kind, allowed) for kind, allowed in KINDS if re.fullmatch(kind, found.protein)]
            assert fitting, found
            kind, allowed = fitting[0]
            counted[kind] += 1
            assert any(term.startswith(tuple(allowed)) for term in found.terms), found
            assert "stop_lost" not in found.terms or re.search("ext|fs", found.protein), found
            assert "stop_gained" not in found.terms or found.protein.endswith("Ter)"), found
    assert min(counted.values()) >= 5
    assert len(counted) == len(KINDS)


# --- where something is missing ---------------------------------------------------------------------------------------


def test_nothing_is_said_about_codons_that_are_not_loaded() -> None:
    (found,) = predicted("1011:C:A", references={})
    assert (found.terms, found.impact, found.protein) == (("coding_sequence_variant",), "MODIFIER", None)
    assert found.coding == "NM_1.1:c.5C>A"
    assert terms("1017:G:A", references={}) == "splice_donor_variant"


def test_known_codons_tell_what_they_can() -> None:
    part = {B38: InMemoryReference({CHR1: [(1005, SEQUENCE[5:16])]})}
    (found,) = predicted("1011:C:A", references=part)
    assert (found.terms, found.protein) == (("missense_variant",), "p.(Ala2Asp)")
    (found,) = predicted("1010:G:", references=part)
    assert (found.terms, found.protein) == (("frameshift_variant",), None)
    ensembl = replace(KNOWN, accession="ENST1.1")
    assert terms("1011:C:A", ensembl, references=part) == "coding_sequence_variant"
    assert terms("1011:C:A", ensembl) == "missense_variant"
    assert terms("1011:C:A", replace(ensembl, mane=MANE_SELECT), references=part) == "missense_variant"


def test_a_stop_codon_that_is_not_the_last_is_not_judged_by_itself() -> None:
    bases = SEQUENCE[:15] + "A" + SEQUENCE[16:]  # TGG has become TGA
    part = {B38: InMemoryReference({CHR1: [(1005, bases[5:16])]})}
    assert terms("1013:T:C", references=part) == "coding_sequence_variant"


def test_a_stop_codon_tells_its_loss_without_what_is_behind_it() -> None:
    coding_only = {B38: InMemoryReference({CHR1: [(1000, SEQUENCE[:56])]})}
    (found,) = predicted("1053:T:C", references=coding_only)
    assert (found.terms, found.protein) == (("stop_lost",), None)
    (found,) = predicted("1010:G:", references=coding_only)
    assert (found.terms, found.protein) == (("frameshift_variant",), None)
    (found,) = predicted("1015::A", references=coding_only)
    assert found.protein == "p.(Trp3Ter)"


@pytest.mark.parametrize(
    ("name", "cds", "change", "expected"),
    [
        ("ENST1.1", (6, 29), "1011:C:A", "coding_sequence_variant"),  # no whole codons
        ("ENST1.1", (6, 29), "1011:C:", "frameshift_variant"),
        ("ENST1.1", (6, 29), "1011:CTT:", "coding_sequence_variant"),
        ("ENST1.1", (6, 29), "1008:T:G", "coding_sequence_variant"),
        ("ENST1.1", (8, 29), "1013:T:C", "missense_variant"),  # whole, without a start codon
        ("ENST1.1", (8, 29), "1010:G:A", "coding_sequence_variant"),
        ("ENST1.1", (5, 26), "1011:C:A", "coding_sequence_variant"),  # the stop codon is not part of it
        ("NM_1.1", (5, 26), "1011:C:A", "missense_variant"),
        ("NM_1.1", (5, 26), "1051:C:A", "missense_variant"),
        ("NM_1.1", (5, 26), "1047:C:", "frameshift_variant"),
        ("NM_1.1", (5, 26), "1050:C:", "coding_sequence_variant"),  # in the last codon
    ],
)
def test_a_coding_region_that_is_not_complete_is_not_translated_unless_it_is_certain(
    name, cds, change, expected
) -> None:
    found = predicted(change, replace(KNOWN, accession=name, cds=cds))
    assert "&".join(found[0].terms) == expected


def test_a_codon_that_is_read_through_decides_nothing() -> None:
    bases = SEQUENCE[:14] + "A" + SEQUENCE[15:]  # TGG has become TAG
    assert terms("1011:C:A", references={B38: InMemoryReference({CHR1: [(1000, bases)]})}) == "coding_sequence_variant"
    bases = SEQUENCE[:15] + "A" + SEQUENCE[16:]  # and here TGA, selenocysteine
    reference = {B38: InMemoryReference({CHR1: [(1000, bases)]})}
    (found,) = predicted("1011:C:A", references=reference)
    assert (found.terms, found.protein) == (("missense_variant",), "p.(Ala2Asp)")
    assert terms("1013:T:C", references=reference) == "coding_sequence_variant"
    assert terms("1046:T:A", references=reference) == "missense_variant"
    assert terms("1010:GCT:TGA", references=reference) == "coding_sequence_variant"
    assert terms("1010:GCT:TAA", references=reference) == "stop_gained"
    assert terms("1053:T:C", references=reference) == "stop_lost"
    (found,) = predicted("1010:G:", references=reference)
    assert (found.terms, found.protein) == (("frameshift_variant",), None)


def test_a_gap_of_the_alignment_is_not_translated() -> None:
    gapped = replace(KNOWN, cds=(5, 27), alignments={B38: alignment(B38, EXONS, gaps={1: "4=2I15="})})
    (found,) = predicted("1046:T:A", gapped)
    assert (found.terms, found.coding, found.protein) == (("coding_sequence_variant",), None, None)
    lacking = replace(KNOWN, cds=(5, 32), alignments={B38: alignment(B38, EXONS, gaps={1: "4=3D17="})})
    (found,) = predicted("1011:C:A", lacking)
    assert (found.terms, found.protein) == (("missense_variant",), "p.(Ala2Asp)")
    (found,) = predicted("1010:G:", lacking)
    assert (found.terms, found.protein) == (("frameshift_variant",), None)


def test_the_mitochondrial_code_has_its_own_starts_and_stops() -> None:
    sequence = "CC" + "ATATGAGCTTGGAAAT"  # M W A W K, and a T that the tail of the transcript makes a stop codon
    known = replace(transcript("ENST1.1", alignment(B38, [(1002, 1018)], contig=MT), cds=(0, 16)), protein="ENSP1.1")
    for references in (
        {B38: InMemoryReference({"NC_012920.1": [(1000, sequence)]})},
        {B37: InMemoryReference({"NC_012920.1": [(1000, sequence)]})},
    ):
        predictor = Predictor(InMemoryTranscripts([known]), references)

        def said(position: int, deleted: str, inserted: str, predictor=predictor) -> tuple[str, str | None]:
            (found,) = predictor.predict(Spdi("NC_012920.1", position, deleted, inserted))
            return "&".join(found.terms), found.protein

        assert said(1007, "A", "G") == ("synonymous_variant", "p.(Trp2=)")
        assert said(1009, "C", "A") == ("missense_variant", "p.(Ala3Asp)")
        assert said(1004, "A", "G") == ("start_retained_variant", None)
        assert said(1003, "T", "C") == ("start_lost", "p.(Met1?)")
        assert said(1017, "T", "C") == ("coding_sequence_variant", None)
        assert said(1014, "AAA", "AGA") == ("stop_gained", "p.(Lys5Ter)")


# --- which transcripts ------------------------------------------------------------------------------------------------


def test_selected_transcripts_come_first_then_clinical_ones_then_the_better() -> None:
    names = {
        "NM_1.1": None,
        "NM_2.1": MANE_PLUS_CLINICAL,
        "ENST3.1": MANE_SELECT,
        "XM_4.1": None,
        "NM_5.1": MANE_SELECT,
    }
    known = [replace(KNOWN, accession=name, mane=mane) for name, mane in names.items()]
    found = predicted("1011:C:A", *known, transcript("NR_6.1", alignment(B38, EXONS)))
    order = ["NM_5.1", "ENST3.1", "NM_2.1", "NM_1.1", "NR_6.1", "XM_4.1"]
    assert [item.transcript for item in found] == order
    assert [item.mane for item in found[:4]] == [MANE_SELECT, MANE_SELECT, MANE_PLUS_CLINICAL, None]
    assert (found[3].gene, found[3].hgnc, found[3].protein_accession) == ("GENE", "HGNC:1", "NP_1.1")
    assert found[4].terms == ("non_coding_transcript_exon_variant",)


def test_a_long_transcript_is_found_behind_the_end_of_a_later_one() -> None:
    short = transcript("NR_2.1", alignment(B38, [(1003, 1009)]))
    assert [item.transcript for item in predicted("1053:T:C", KNOWN, short)] == ["NM_1.1"]
    assert [item.transcript for item in predicted("1008:T:C", KNOWN, short)] == ["NM_1.1", "NR_2.1"]


def test_what_is_not_changed_or_not_touched_has_no_consequence() -> None:
    assert predicted("1011:C:C") == []
    assert predicted("1001:C:A") == []
    assert predicted("1063:G:A") == []
    assert predicted("1002::AA") == []
    assert terms("1000:" + SEQUENCE + ":") == "transcript_ablation"
    assert predicted("1011:C:A", transcript("NM_1.1", alignment(B37, EXONS))) == []


def test_a_change_is_judged_at_the_3_prime_end() -> None:
    # The exon ends with G and the intron begins with one: either may be the one that is gone.
    bases = SEQUENCE[:16] + "G" + SEQUENCE[17:]
    reference = {B38: InMemoryReference({CHR1: [(1000, bases)]})}
    (found,) = predicted("1016:G:", references=reference)
    assert (found.coding, found.terms) == ("NM_1.1:c.10+1del", ("splice_donor_variant",))


def test_starts_that_stay_are_no_loss() -> None:
    # ACCATG without CCA is ATG, too: only the place in the name reaches into the codon.
    bases = "GT" + "ACC" + CODING[:10] + INTRON + CODING[10:] + "CATAAGT" + "GTCACC"
    exons = [(1002, 1015), (1040, 1061)]
    known = replace(KNOWN, cds=(3, 27), alignments={B38: alignment(B38, exons)})
    (found,) = predicted("1002:ACC:", known, references={B38: InMemoryReference({CHR1: [(1000, bases)]})})
    assert found.coding == "NM_1.1:c.-2_1del"
    assert (found.terms, found.protein) == (("start_retained_variant", "5_prime_UTR_variant"), None)


def test_many_variants_are_sifted_by_their_distance_from_exons() -> None:
    more = replace(transcript("NR_2.1", alignment(B38, [(1030, 1035), (1200, 1210)])), gene="OTHER")
    predictor = Predictor(InMemoryTranscripts([KNOWN, more]), {})
    starts = np.repeat(np.arange(970, 1240), 4)
    ends = starts + np.tile([0, 1, 2, 12], 270)
    exons = [*EXONS, (1030, 1035), (1200, 1210)]
    found = predictor.exonic_rows(B38, 1, starts, ends)
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        low, high = (start - 1, end + 1) if start == end else (start, end)
        assert found[row] == any(low < b + 8 and high > a - 8 for a, b in exons)
    assert 0 < found.sum() < len(found)
    assert not predictor.exonic_rows(B38, 2, starts, ends).any()
    assert not predictor.exonic_rows(B37, 1, starts, ends).any()


# --- the terms --------------------------------------------------------------------------------------------------------


def test_terms_are_ordered_and_ranked() -> None:
    assert most_severe_first(["intron_variant", "stop_gained", "intron_variant"]) == ("stop_gained", "intron_variant")
    assert impact_of(["intron_variant", "splice_region_variant"]) == "LOW"
    assert impact_of(["gene_fusion"]) is None
    assert impact_of([]) is None
    ranks = [TERMS[name].rank for name in ("stop_gained", "missense_variant", "synonymous_variant", "intron_variant")]
    assert ranks == sorted(ranks)
    assert len({term.accession for term in TERMS.values()}) == len(TERMS)
