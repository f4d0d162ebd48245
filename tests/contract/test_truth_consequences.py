"""Consequences against published ones: the Sequence Ontology, SnpEff, and the effects that biocommons/hgvs lists.

Every difference has a cause, and each table of causes is asserted in full; ``-s`` prints what is not explained.
docs/explanation/consequences.md says who is right.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

from app.config import Settings
from app.errors import OperonError
from app.operations.context import Genome
from app.records import Build
from app.variants.consequence import Consequence, Predictor
from app.variants.consequence_terms import TERMS
from app.variants.liftover import Liftover
from app.variants.reference import InMemoryReference
from app.variants.spdi import reverse_complement
from app.variants.transcripts import InMemoryTranscripts, Transcript

# --- the terms --------------------------------------------------------------------------------------------------------

LATER = {"splice_donor_region_variant": "SO:0002170", "splice_polypyrimidine_tract_variant": "SO:0002169"}
"""Terms that the ontology has since 2020, with the accessions that release 105 of Ensembl VEP states"""


def test_terms_have_the_accessions_of_the_ontology(shared: Path) -> None:
    text = (shared / "data" / "clin" / "so-xp-simple.obo").read_text("utf-8", errors="replace")
    found = {}
    for stanza in text.split("[Term]\n")[1:]:
        fields = dict(re.findall(r"^(id|name|is_obsolete): (.*)$", stanza, re.MULTILINE))
        if "is_obsolete" not in fields:
            found[fields["name"]] = fields["id"]
    assert len(found) > 2000
    for term in TERMS.values():
        assert term.accession == found.get(term.name, LATER.get(term.name)), term


# --- biocommons/hgvs: the effects on proteins that its tests list -----------------------------------------------------

KINDS = [
    # what a p. text is like without brackets, and the terms of which one has to be there
    (r"\?", {"splice_donor_variant", "splice_acceptor_variant", "intron_variant"}),
    (r"Met1\?", {"start_lost"}),
    (r".*=", {"synonymous_variant", "stop_retained_variant"}),
    (r".*fs.*", {"frameshift_variant"}),
    (r".*ext.*", {"stop_lost"}),
    (r".*Ter", {"stop_gained"}),
    (r"[A-Z][a-z]{2}\d+[A-Z][a-z]{2}", {"missense_variant"}),
    (r".*delins.*", {"missense_variant", "inframe_deletion", "inframe_insertion", "protein_altering_variant"}),
    (r".*del", {"inframe_deletion"}),
    (r".*(dup|ins).*", {"inframe_insertion"}),
]

OTHER_ALLELE = "NM_001277115.1:c.6506C>A"
"""The codon is TCA, and TAA a stop codon; the published residue belongs to another allele of the dbSNP record"""
STOP_REPLACED = "NM_003777.3:c.13552_*36del57"
"""The end of the coding region goes, and a stop codon behind it ends the protein early: HGVS counts that as a shift of
the frame, but the 57 bases are whole codons"""

AGREE = "agree"
NO_BASES = "the bases that decide are not part of the test data"
OTHER_DATA = "the transcript is not part of the test data"
REFUSED = "the description cannot be placed"


def effect_agrees(published: str, terms: tuple[str, ...]) -> bool:
    """Return whether one of the terms is what a p. text implies."""
    text = published.partition(":p.")[2].strip("()").replace("*", "Ter")
    for pattern, implied in KINDS:
        if re.fullmatch(pattern, text):
            return not implied.isdisjoint(terms)
    raise AssertionError(f"no kind of effect: {published}")


def spliced_alone(transcript: Transcript, bases: str) -> Genome:
    """Return a genome of one transcript, whose exons have its own bases on GRCh37, nothing in between."""
    place = transcript.alignments[Build.GRCH37]
    stretches = []
    for part in place.segments():
        if part.start < part.end and part.tx_start < part.tx_end:
            piece = bases[part.tx_start : part.tx_end]
            stretches.append((part.start, reverse_complement(piece) if place.reverse else piece))
    reference = InMemoryReference({place.ref_seq: stretches})
    return Genome({Build.GRCH37: reference}, Liftover([]), InMemoryTranscripts([transcript]))


def test_effects_on_proteins_imply_the_terms(genome: Genome, shared: Path) -> None:
    answers = json.loads((shared / "data" / "transcripts" / "uta_answers_from_hgvs_tests.json").read_text("utf-8"))
    whole = {item["args"][0]: item["result"] for item in answers["get_seq"] if len(item["args"]) == 1}
    published: dict[str, set[tuple[str, str]]] = {}
    for path in (shared / "data" / "truth" / "biocommons-hgvs" / "gcp").iterdir():
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.decode().splitlines():
            row = line.split("\t")
            if len(row) > 3 and row[3] and ":c." in row[2] and not line.startswith("#"):
                published.setdefault(row[2].partition(":")[0], set()).add((row[2], row[3]))
    counts: Counter[str] = Counter()
    different: dict[str, str] = {}
    for accession, pairs in published.items():
        transcript = genome.transcripts.get(accession)
        if transcript is None or accession not in whole:
            counts[OTHER_DATA] += len(pairs)
            continue
        alone = spliced_alone(transcript, whole[accession])
        identifier = alone.identifier(Settings())
        predictor = Predictor(alone.transcripts, alone.references)
        for text, effect in pairs:
            try:
                change = identifier.identify(text).placement.spdi37
            except OperonError:
                counts[REFUSED] += 1
                continue
            assert change is not None
            found = predictor.predict(change)
            terms = found[0].terms if found else ()
            if effect_agrees(effect, terms):
                counts[AGREE] += 1
            elif "coding_sequence_variant" in terms:
                counts[NO_BASES] += 1
            else:
                different[text] = f"{effect} {terms}"
    print(f"\neffects on proteins: {dict(counts)}, different: {different}")
    assert set(different) == {OTHER_ALLELE, STOP_REPLACED}
    assert counts == {AGREE: 1803, OTHER_DATA: 62}


# --- SnpEff -----------------------------------------------------------------------------------------------------------

EFFECTS = {
    # Effects of SnpEff before version 4, as its documentation lists them, and the terms of today
    "INTRON": "intron_variant",
    "SYNONYMOUS_CODING": "synonymous_variant",
    "NON_SYNONYMOUS_CODING": "missense_variant",
    "UTR_5_PRIME": "5_prime_UTR_variant",
    "UTR_3_PRIME": "3_prime_UTR_variant",
    "EXON": "non_coding_transcript_exon_variant",
    "FRAME_SHIFT": "frameshift_variant",
    "UPSTREAM": "upstream_gene_variant",
    "DOWNSTREAM": "downstream_gene_variant",
}
OUTSIDE = {"upstream_gene_variant", "downstream_gene_variant"}

NEARBY = "SnpEff names what lies up to 5,000 bases beside a transcript"
REGION = "SnpEff 3.3 has no splice region"
NOT_LOADED = "the codon is not loaded"
COPY = "SnpEff places the transcript at a second place"
START_KEPT = "the insertion repeats the first base of the start codon, which is still there"
ONLY_OURS = "SnpEff does not have the transcript at this place"


def test_effects_of_snpeff_are_ours_or_differ_for_a_known_cause(genome: Genome, shared: Path) -> None:
    path = shared / "data" / "vcf" / "quartet.variants.annotated.partial.vcf.gz"
    predictor = Predictor(genome.transcripts, genome.references)
    known = {base(item.accession) for item in genome.transcripts.overlapping(Build.GRCH37, 6, 0, 171_115_067)}
    counts: Counter[str] = Counter()
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        if line.startswith("#"):
            continue
        _, pos, _, ref, alts, _, _, info, *_ = line.split("\t")
        effects = re.search(r"(?:^|;)EFF=([^;]*)", info)
        assert effects is not None
        for number, alt in enumerate(alts.split(","), 1):
            theirs = of_snpeff(effects[1], number, known)
            placement = genome.placer.place(Build.GRCH37, 6, int(pos) - 1, ref, alt)
            assert placement.spdi37 is not None
            ours = predictor.predict(placement.spdi37)
            for name in theirs.keys() | {base(item.transcript) for item in ours}:
                versions = [item for item in ours if base(item.transcript) == name]
                counts.update(compared(theirs.get(name), item) for item in versions or (None,))
    print(f"\nSnpEff: {dict(counts)}")
    assert counts == {AGREE: 410, NEARBY: 125, REGION: 13, NOT_LOADED: 9, COPY: 4, START_KEPT: 2, ONLY_OURS: 1}


def base(accession: str) -> str:
    return accession.partition(".")[0]


def of_snpeff(text: str, number: int, known: set[str]) -> dict[str, set[tuple[str, str]]]:
    """Return the effects, as (term, impact), of one ALT allele, by transcript without version, known ones only."""
    found: dict[str, set[tuple[str, str]]] = {}
    for item in text.split(","):
        effect, _, rest = item.partition("(")
        impact, *fields = rest.rstrip(")").split("|")
        name, genotype = base(fields[7]), fields[9]
        if name in known and genotype == str(number):
            found.setdefault(name, set()).add((EFFECTS[effect], impact))
    return found


def compared(theirs: set[tuple[str, str]] | None, ours: Consequence | None) -> str:
    """Return whether two predictions for a transcript agree, or the cause of the difference."""
    if theirs is None:
        return ONLY_OURS
    terms, (impact, *_) = {term for term, _ in theirs}, sorted({impact for _, impact in theirs})
    if ours is None:
        return NEARBY if terms <= OUTSIDE else COPY
    if terms == set(ours.terms) and impact == ours.impact:
        return AGREE
    extra = set(ours.terms) - terms
    if extra == {"splice_region_variant"} and terms < set(ours.terms):
        return REGION
    if "coding_sequence_variant" in extra and ours.protein is None:
        return NOT_LOADED
    if "start_retained_variant" in extra and ours.coding and ours.coding.endswith(":c.1dup"):
        return START_KEPT
    return f"? {theirs} {ours}"
