"""Laws of names: they lead back to the variant, and an effect on a protein makes the protein that was translated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bioutils.sequences import aa3_to_aa1_lut, translate_cds
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.records import Build
from app.variants.hgvs_coding import CodingMap
from app.variants.hgvs_text import genomic_hgvs
from app.variants.identify import identify
from app.variants.liftover import Liftover
from app.variants.normalize import justify
from app.variants.placement import Placer
from app.variants.protein import UNKNOWN, Protein
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi, reverse_complement
from app.variants.transcripts import InMemoryTranscripts, Transcript
from tests.synthetic_transcripts import alignment, transcript

B38, REF_SEQ, OFFSET = Build.GRCH38, "NC_000001.11", 5_000
many = settings(max_examples=2000, deadline=None)


@dataclass(frozen=True)
class Case:
    """A change of a short sequence that a transcript lies on."""

    sequence: str
    known: Transcript
    change: Spdi

    @property
    def reference(self) -> InMemoryReference:
        return InMemoryReference({REF_SEQ: [(OFFSET, self.sequence)]})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw exons anywhere, a coding region anywhere in them, and a change that often repeats what is there."""
    sequence = draw(st.text("ACGT", min_size=60, max_size=60) | st.text("AC", min_size=60, max_size=60))
    cuts = sorted(draw(st.sets(st.integers(8, 52), min_size=4, max_size=4)))
    exons = [(OFFSET + low, OFFSET + high) for low, high in zip(cuts[::2], cuts[1::2], strict=True)]
    length = sum(high - low for low, high in exons)
    cds = sorted(draw(st.sets(st.integers(0, length), min_size=2, max_size=2)) if length > 1 else [0, length])
    known = transcript(
        "NM_1.1",
        alignment(B38, exons, reverse=draw(st.booleans())),
        cds=draw(st.sampled_from([None, (cds[0], cds[1])])),
    )
    start, end = sorted((draw(st.integers(8, 51)), draw(st.integers(8, 51))))
    end = min(end, start + 9)
    inserted = draw(
        st.sampled_from(["", sequence[start - 2 : start], sequence[start:end]]) | st.text("ACGT", max_size=5)
    )
    assume(inserted != sequence[start:end])
    reference = InMemoryReference({REF_SEQ: [(OFFSET, sequence)]})
    found = justify(reference, REF_SEQ, OFFSET + start, sequence[start:end], inserted)
    assume(found.justified)
    return Case(sequence, known, Spdi(REF_SEQ, found.position, found.deleted, found.inserted))


def read_back(case: Case, text: str) -> Spdi | None:
    placer = Placer({B38: case.reference}, Liftover())
    return identify(text, placer, InMemoryTranscripts([case.known])).placement.spdi38


@many
@given(cases())
def test_a_genomic_name_leads_back_to_its_variant(case):
    text = genomic_hgvs(case.change)
    assert text is not None
    assert read_back(case, text) == case.change


@many
@given(cases())
def test_a_name_along_a_transcript_leads_back_to_its_variant(case):
    places = CodingMap(case.known, case.known.alignments[B38])
    along = places.describe(case.change.position, case.change.deleted, case.change.inserted)
    if along is None:
        span = case.known.alignments[B38]
        # Only what reaches an end of the transcript, where an insertion may lie beyond it, has no name.
        assert case.change.position <= span.start or case.change.end >= span.end
        return
    assert read_back(case, along.text) == case.change


@many
@given(cases())
def test_the_bases_that_a_name_replaces_make_the_changed_transcript(case):
    span, change = case.known.alignments[B38], case.change
    along = CodingMap(case.known, span).describe(change.position, change.deleted, change.inserted)
    if along is None or along.start is None or along.end is None:
        return
    plain = spliced(case.sequence, case)
    altered = plain[: along.start] + along.inserted + plain[along.end :]
    at, end = change.position - OFFSET, change.end - OFFSET
    grown = len(change.inserted) - len(change.deleted)
    sequence = case.sequence[:at] + change.inserted + case.sequence[end:]
    # The exon with the change grows by it; the ones behind move.
    assert any(altered == spliced(sequence, case, grown=grown, exon=number) for number in range(len(span.exons)))


def spliced(sequence: str, case: Case, *, grown: int = 0, exon: int | None = None) -> str:
    """Return the transcript of a sequence in which one exon, by the order of the chromosome, has grown."""
    span = case.known.alignments[B38]
    parts, moved = [], 0
    for number, item in enumerate(sorted(span.exons, key=lambda item: item.start)):
        low, high = item.start - OFFSET + moved, item.end - OFFSET + moved
        if number == exon:
            high, moved = high + grown, grown
        parts.append(sequence[low:high])
    plain = "".join(parts)
    return reverse_complement(plain) if span.reverse else plain


# --- proteins ---------------------------------------------------------------------------------------------------------

CODON = st.text("ACGT", min_size=3, max_size=3).filter(lambda codon: codon not in ("TAA", "TAG", "TGA"))
EFFECT = re.compile(
    r"p\.\((?P<first>[A-Z][a-z]{2}[0-9]+)(?:_(?P<last>[A-Z][a-z]{2}[0-9]+))?"
    r"(?P<what>=|delins|del|dup|ins|(?P<new>[A-Z][a-z]{2})(?P<kind>fs|ext)?)(?P<rest>.*)\)"
)


def one_letter(text: str) -> str:
    return "".join(aa3_to_aa1_lut[name] for name in re.findall(r"[A-Z][a-z]{2}", text))


def applied(before: str, effect: str) -> str | re.Pattern[str]:
    """Return the protein that an effect makes, or for a new frame or end a pattern of it."""
    match = EFFECT.fullmatch(effect)
    assert match is not None, effect
    start = int(match["first"][3:]) - 1
    last = int(match["last"][3:]) if match["last"] else start + 1
    assert before[start] == one_letter(match["first"])
    assert not match["last"] or before[last - 1] == one_letter(match["last"])
    if match["kind"]:
        end = re.fullmatch(r"Ter([0-9]+|\?)", match["rest"])
        assert end is not None, effect
        head = re.escape(before[:start] + one_letter(match["new"]))
        if end[1] == "?":
            return re.compile(head + r"[^*]*")
        left = int(end[1]) - (1 if match["kind"] == "fs" else 0) - 1
        return re.compile(rf"{head}[^*]{{{left}}}\*")
    match match["what"]:
        case "=":
            return before
        case "del":
            return before[:start] + before[last:]
        case "dup":
            return before[:last] + before[start:last] + before[last:]
        case "ins":
            made = before[: start + 1] + one_letter(match["rest"]) + before[start + 1 :]
        case "delins":
            made = before[:start] + one_letter(match["rest"]) + before[last:]
        case _:
            made = before[:start] + one_letter(match["new"]) + before[last:]
    return made[: made.index("*") + 1]


@many
@given(st.lists(CODON, min_size=1, max_size=8), st.text("ACGT", max_size=12), st.data())
def test_an_effect_makes_the_protein_that_is_translated(codons, behind, data):
    coding = "ATG" + "".join(codons) + "TAA"
    bases = coding + behind
    start = data.draw(st.integers(3, len(coding) - 1))
    end = data.draw(st.integers(start, min(len(bases), start + 9)))
    inserted = data.draw(st.text("ACGT", max_size=9) | st.just(bases[start:end]) | st.just(bases[start - 3 : start]))
    effect = Protein(bases, len(coding)).change(start, end, inserted)
    altered = bases[:start] + inserted + bases[end:]
    whole = translate_cds(altered[: len(altered) // 3 * 3])
    expected = whole[: whole.index("*") + 1] if "*" in whole else whole
    if effect == UNKNOWN:
        # The protein has no known end, and is not told by its next residue alone.
        assert "*" not in expected
        return
    made = applied(translate_cds(coding), effect)
    assert made == expected if isinstance(made, str) else made.fullmatch(expected), effect
