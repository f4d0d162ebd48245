"""HGVS along transcripts against published answers: ClinVar, biocommons/hgvs, and the examples of the specifications.

Each table's answers are counted, equal ones and those of each cause, so that reading nothing cannot pass.
``-s`` prints the counts.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import CannotNormalize, InvalidInput, OperonError, UnknownRefSeq, UnreadableVariant
from app.operations.context import Genome
from app.records import Build, LiftStatus
from app.variants.accessions import locate
from app.variants.identify import Identifier, identify
from app.variants.liftover import Liftover
from app.variants.placement import Placement, Placer
from app.variants.reference import InMemoryReference
from tests.network_guard import guard
from tests.small_store import SmallStore, migrated

B37, B38 = Build.GRCH37, Build.GRCH38
NOT_LOADED = "the sequence is not part of the test data"
OTHER_ASSEMBLY = "the chromosome is of NCBI36"
Y_COPY = "the pair names the Y copy of a pseudoautosomal region"
NO_HGVS = "the c. text is no valid HGVS"


@pytest.fixture(scope="module")
def truth(shared: Path) -> Path:
    return shared / "data" / "truth" / "biocommons-hgvs"


@pytest.fixture(autouse=True)
def nobody_was_asked() -> Iterator[None]:
    yield
    assert guard.refused == []


def rows(path: Path) -> Iterator[list[str]]:
    for line in lines(path):
        if line.strip() and not line.startswith("#"):
            yield line.split("\t")


def lines(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return content.decode().splitlines()


# --- single examples --------------------------------------------------------------------------------------------------

BRCA1 = [
    ("c.5266dup", "g.41209082dup", "g.43057065dup"),
    ("c.68_69del", "g.41276047_41276048del", "g.43124030_43124031del"),
    ("c.181T>G", "g.41258504A>C", "g.43106487A>C"),
    ("c.5123C>A", "g.41215920G>T", "g.43063903G>T"),
    ("c.4065_4068del", "g.41243482_41243485del", "g.43091465_43091468del"),
    ("c.213-11T>G", "g.41256984A>C", "g.43104967A>C"),
]


@pytest.mark.parametrize(("coding", "on37", "on38"), BRCA1)
def test_brca1_examples_are_one_variant_on_both_builds(
    identifier: Identifier, coding: str, on37: str, on38: str
) -> None:
    found = identifier.identify(f"NM_007294.4:{coding}").placement
    assert found.status is LiftStatus.OK
    assert found.justified
    for text in (f"NC_000017.10:{on37}", f"NC_000017.11:{on38}", str(found.spdi37), str(found.spdi38)):
        assert identifier.identify(text).placement == found


def test_a_wrong_base_of_brca1_is_refused(identifier: Identifier) -> None:
    with pytest.raises(CannotNormalize, match="the reference has T there, not A"):
        identifier.identify("NM_007294.4:c.181A>G")


@pytest.mark.parametrize(
    ("spellings", "canonical"),
    [
        (
            ["NM_001195798.2:c.12G>A", "NC_000019.9:g.11200236G>A", "NC_000019.10:g.11089560G>A"],
            "NC_000019.10:11089559:G:A",
        ),
        (["NM_001354609.2:c.1799T>A", "NC_000007.13:g.140453136A>T"], "NC_000007.14:140753335:A:T"),
        (["NM_001127510.3:c.145A>T", "NC_000005.9:g.112102032A>T"], "NC_000005.10:112766334:A:T"),
    ],
)
def test_spellings_of_the_implementation_guide_are_one_variant(
    identifier: Identifier, spellings: list[str], canonical: str
) -> None:
    found = identifier.identify(canonical).placement
    assert str(found.canonical) == canonical
    for text in spellings:
        assert identifier.identify(text).placement == found


def test_an_unknown_transcript_of_the_reference_implementation_is_refused(identifier: Identifier) -> None:
    with pytest.raises(CannotNormalize, match=r"NM_001385641\.1 is not loaded; known versions: none"):
        identifier.identify("NM_001385641.1:c.804C>T")


def test_subjects_of_the_reference_implementation_are_found_by_transcript(
    genome: Genome, shared: Path, tmp_path: Path
) -> None:
    files = shared / "packs" / "fhir-operations" / "data" / "vcf"
    apc = "NM_001127510.3:c.145A>T", "NC_000005.9:g.112102032A>T", "NC_000005.10:112766334:A:T"
    braf = "NM_001354609.2:c.1799T>A", "NM_004333.6:c.1799T>A"
    with migrated(f"sqlite:///{tmp_path / 'operon.db'}") as database:
        store = SmallStore(database, tmp_path, genome)
        for name, build in (("m123.m123-T1.GRCh37", B37), ("CA12345.CA12345-T1.GRCh38", B38)):
            subject = name.partition(".")[0]
            store.ingest(gzip.decompress((files / f"{name}.unspecified.vcf.gz").read_bytes()), subject, build=build)
        assert [item.present for item in store.specific("m123", *apc, *braf)] == [True, True, True, False, False]
        assert [item.present for item in store.specific("CA12345", *apc, *braf)] == [False, False, False, True, True]
        assert [found[1:3] for found in store.population([braf[0]], [apc[0]])] == [(0, 2)]
        assert [found[1:3] for found in store.population([braf[0], apc[0], "NM_002524.5:c.182A>C"])] == [
            (1, 2),
            (1, 2),
            (0, 2),
        ]
        with pytest.raises(CannotNormalize, match="known versions: none"):
            store.specific("m123", "NM_001385641.1:c.804C>T")


# --- pairs of c. and g. -----------------------------------------------------------------------------------------------


class Comparison:
    """Counts pairs of texts that should be one variant, and finds a cause for those that are not."""

    def __init__(self, genome: Genome, identifier: Identifier, explained: Callable[[str], str | None]) -> None:
        self._genome = genome
        self._identifier = identifier
        self._explained = explained
        self.counts: Counter[str] = Counter()
        self.unexplained: list[str] = []

    def add(self, along_transcript: str, on_chromosome: str) -> None:
        """Compare the two on the build that the second is written on."""
        cause = self._difference(along_transcript, on_chromosome)
        if cause is None:
            self.counts["equal"] += 1
            return
        cause = self._explained(along_transcript) or cause
        self.counts[cause] += 1
        if cause.startswith("?"):
            self.unexplained.append(f"{along_transcript} {on_chromosome} {cause}")

    @property
    def equal(self) -> int:
        """Return how many pairs are one variant."""
        return self.counts["equal"]

    def report(self, name: str) -> None:
        """Print the counts."""
        print(f"\n{name}: {dict(self.counts.most_common())}")

    def _difference(self, along_transcript: str, on_chromosome: str) -> str | None:
        one, two = self._read(along_transcript), self._read(on_chromosome)
        for failure in (two, one):
            if isinstance(failure, UnknownRefSeq):
                return OTHER_ASSEMBLY
            if isinstance(failure, OperonError):
                return NOT_LOADED if "not loaded" in failure.diagnostics else f"? {failure.diagnostics}"
        assert isinstance(one, Placement)
        assert isinstance(two, Placement)
        build = max(locate(on_chromosome.partition(":")[0])[1])
        if one.on(build) == two.on(build):
            return None
        if (one.contig, two.contig) == (23, 24):
            return Y_COPY
        place = two.on(build)
        assert place is not None
        known = self._genome.references[build].fetch(place.ref_seq, place.position - 1, place.end + 1)
        return NOT_LOADED if known is None else f"? {one.on(build)} {place}"

    def _read(self, text: str) -> Placement | OperonError:
        try:
            return self._identifier.identify(text).placement
        except OperonError as error:
            return error


TRANSCRIPT_DIFFERS = "the transcript has another base than either build, which cdot does not tell"
OTHER_INTRON = "the g. text lies in another intron, at c.905-32, and is no change"
ON_RNA = "ClinVar gives the effect on RNA as c., the splice site as g."
SHORTER_INTRON = (
    "GRCh38 has one C less in the intron: what stands at the stated place there is no C, and nothing is missing"
)
NOT_HGVS = re.compile(
    r"is not in the correct format|an offset counts from|states [0-9]+ base\(s\) for a range of"
    r"|neighbouring bases|uncertain positions|written c\.\*1|the range ends before it starts"
)
CLINVAR_CAUSES = {
    **dict.fromkeys(
        [
            "NM_000051.3:c.5762_5763insNG_009830.1:g.91138_91274",
            "NM_000057.2:c.557-559delCAA",
            "NM_000057.2:c.1544_1545dupA",
            "NM_000057.2:c.3255-3256insT",
            "NM_007294.3:c.68_69delAG(185delAG",
            "NM_000136.2:c.67delG(322delG)",
            "NM_000186.3:c.3677_3700del24",
            "NM_000495.3:c.546+3insT",
            "NM_000426.3:c.7750-1713_7899-2153del4987",
            "NM_000179.2:c.3647-35insTTTGTTCTAATTCCTTT",
            "NM_000257.2:c.3972+62insC",
            "NM_000363.4:c.549+68insGCCTAG",
            "NM_005359.5:c.373_4insAT",
            "NM_005359.5:c.375dup7",
        ],
        NO_HGVS,
    ),
    "NM_005359.5:c.788-32A>T": OTHER_INTRON,
    "NM_080424.2:c.1274C=": TRANSCRIPT_DIFFERS,
    "NM_000280.3:c.1033_1183del151": ON_RNA,
    "NM_014639.3:c.2578_2634del57": ON_RNA,
    "NM_004517.2:c.448+13delC": SHORTER_INTRON,
}


def test_clinvar_pairs_are_one_variant(genome: Genome, identifier: Identifier, truth: Path) -> None:
    compared = Comparison(genome, identifier, CLINVAR_CAUSES.get)
    # Rows that biocommons could not read with its own data are commented out, and are read here all the same.
    for line in lines(truth / "clinvar_hgvs_sets.tsv.gz"):
        texts = line.split("\t")[2].split() if line.count("\t") == 2 else []
        for text in texts:
            if genome.transcripts.get(text.partition(":")[0]) is not None:
                for other in texts:
                    if other.startswith("NC_"):
                        compared.add(text, other)
    compared.report("ClinVar")
    assert compared.unexplained == []
    assert compared.counts == {
        "equal": 3_806,
        NOT_LOADED: 32,
        NO_HGVS: 28,
        Y_COPY: 22,
        ON_RNA: 3,
        OTHER_ASSEMBLY: 2,
        OTHER_INTRON: 2,
        TRANSCRIPT_DIFFERS: 2,
        SHORTER_INTRON: 1,
    }


@pytest.mark.parametrize("text", [text for text, cause in CLINVAR_CAUSES.items() if cause is NO_HGVS])
def test_texts_of_clinvar_that_are_no_hgvs_are_refused_for_what_is_wrong_with_them(
    identifier: Identifier, text: str
) -> None:
    assert NOT_HGVS.search(outcome(identifier, text)) or outcome(identifier, text) == "unreadable"


def test_the_other_differences_of_clinvar_are_what_their_causes_say(genome: Genome, identifier: Identifier) -> None:
    there = identifier.identify("NC_000018.10:g.51059834T=").placement
    assert identifier.identify("NM_005359.5:c.905-32T=").placement == there
    assert there.spdi38 is not None
    assert there.spdi38.deleted == there.spdi38.inserted
    run = [genome.references[build].fetch(*place) for build, place in ILK_INTRON.items()]
    assert run == ["TCCCCCA", "TCCCCA"]
    shorter = identifier.identify("NM_004517.2:c.448+13delC").placement
    assert (str(shorter.spdi37), shorter.spdi38) == ("NC_000011.9:6630028:CCCCC:CCCC", None)
    for build in Build:
        exonic = identifier.identify("NM_014639.3:c.2578_2634del").placement.on(build)
        assert exonic is not None
        assert len(exonic.deleted) - len(exonic.inserted) == 57


ILK_INTRON = {B37: ("NC_000011.9", 6_630_027, 6_630_034), B38: ("NC_000011.10", 6_608_797, 6_608_803)}


DNAH11_INTRON = re.compile(r"NM_001277115\.1:c\.545[89][+-]")
DBSNP_ALIGNMENT = "dbSNP counts from c.5458, which is no end of an exon in the alignment of UTA"
NO_TRANSCRIPT = "the transcript is not part of the test data"
GCP = [
    ("ADRA2B-dbSNP.tsv", {"equal": 77}),
    ("BAHCC1-dbSNP.tsv", {NO_TRANSCRIPT: 204}),
    ("DNAH11-HGMD.tsv", {"equal": 13, NOT_LOADED: 4}),
    ("DNAH11-dbSNP-NM_001277115.tsv", {"equal": 168}),
    ("DNAH11-dbSNP-NM_003777.tsv", {"equal": 158}),
    ("DNAH11-dbSNP.tsv.gz", {"equal": 20_696, DBSNP_ALIGNMENT: 74, NOT_LOADED: 21}),
    ("FOLR3-dbSNP.tsv", {"equal": 132}),
    ("JRK-dbSNP.tsv", {"equal": 177, NOT_LOADED: 1}),
    ("NEFL-dbSNP.tsv", {"equal": 26}),
    ("ORAI1-dbSNP.tsv", {"equal": 195}),
    ("ZCCHC3-dbSNP.tsv", {"equal": 45}),
    ("noncoding.tsv", {"equal": 94, NOT_LOADED: 9}),
    ("real.tsv", {"equal": 60}),
    ("regression.tsv", {"equal": 37}),
]


@pytest.mark.parametrize(("name", "counts"), GCP, ids=[name for name, _ in GCP])
def test_pairs_of_biocommons_are_one_variant(
    genome: Genome, identifier: Identifier, truth: Path, name: str, counts: dict[str, int]
) -> None:
    compared = Comparison(genome, identifier, lambda text: DBSNP_ALIGNMENT if DNAH11_INTRON.match(text) else None)
    for row in rows(truth / "gcp" / name):
        if row[0] == "id":
            continue
        if genome.transcripts.get(row[2].partition(":")[0]) is None:
            compared.counts[NO_TRANSCRIPT] += 1
        else:
            compared.add(row[2], row[1])
    compared.report(name)
    assert compared.unexplained == []
    assert compared.counts == counts


def test_pairs_of_a_transcript_that_is_not_loaded_are_refused(identifier: Identifier, truth: Path) -> None:
    refused = 0
    for row in rows(truth / "gcp" / "BAHCC1-dbSNP.tsv"):
        if row[0] != "id":
            with pytest.raises(CannotNormalize, match=r"transcript NM_001080519\.2 is not loaded"):
                identifier.identify(row[2])
            refused += 1
    assert refused == 204


# --- transcripts that differ from the chromosome ----------------------------------------------------------------------

AROUND = {
    "NC_000020.11": [(57_391_434, "GCACGTCG")],
    "NC_000019.10": [(50_378_560, "GGAAAC")],
    "NC_000007.14": [(149_779_571, "TGACAGCCC")],
}
"""The bases that proj-near-disc.tsv shows in its comments"""


UNKNOWN_BASES = re.compile(r"which is not loaded, or not on the chromosome|the reference has C there, not G")


def test_projections_near_discrepancies(genome: Genome, truth: Path) -> None:
    placer = Placer({B38: InMemoryReference(AROUND)}, Liftover())
    counts: Counter[str] = Counter()
    for _, _, along_transcript, on_chromosome in rows(truth / "proj-near-disc.tsv"):
        expected = identify(on_chromosome, placer).placement.spdi38
        try:
            found = identify(along_transcript, placer, genome.transcripts).placement.spdi38
        except CannotNormalize as error:
            # Neither the bases that only the transcript has nor those that differ are part of cdot.
            counts[error.reason if not UNKNOWN_BASES.search(error.reason) else TRANSCRIPT_DIFFERS] += 1
            continue
        if along_transcript.endswith("n.41="):
            assert found != expected
            counts[TRANSCRIPT_DIFFERS] += 1
            continue
        assert found == expected, along_transcript
        counts["equal"] += 1
    print(f"\nproj-near-disc: {dict(counts)}")
    assert set(counts) == {"equal", TRANSCRIPT_DIFFERS}
    assert counts["equal"] >= 20
    assert counts.total() == 34


# --- the grammar ------------------------------------------------------------------------------------------------------

CARRIERS = {
    # A part of the grammar is tried inside a whole description.
    "accn": ["{}:g.1A>T", "{}:n.1A>T"],
    "dna_con": ["NM_01234.5:c.1_3{}"],
    "dna_copy": ["NM_01234.5:c.1_3{}", "NC_000001.11:g.100_102{}"],
    "dna_del": ["NM_01234.5:c.1_5{}"],
    "dna_delins": ["NM_01234.5:c.1_5{}"],
    "dna_dup": ["NM_01234.5:c.1_3{}"],
    "dna_edit": ["NM_01234.5:c.1{}", "NM_01234.5:n.1{}", "NC_000001.11:g.100{}"],
    "dna_ident": ["NM_01234.5:c.1{}"],
    "dna_ins": ["NM_01234.5:c.1_2{}"],
    "dna_inv": ["NM_01234.5:c.1_4{}"],
    "dna_subst": ["NM_01234.5:c.1{}", "NC_000001.11:g.100{}"],
    "c_interval": ["NM_01234.5:c.{}del"],
    "c_pos": ["NM_01234.5:c.{}del"],
    "def_c_interval": ["NM_01234.5:c.{}del"],
    "def_c_pos": ["NM_01234.5:c.{}del"],
    "def_g_interval": ["NC_000001.11:g.{}del"],
    "def_g_pos": ["NC_000001.11:g.{}del"],
    "def_m_interval": ["NC_012920.1:m.{}del"],
    "def_m_pos": ["NC_012920.1:m.{}del"],
    "def_n_interval": ["NM_01234.5:n.{}del"],
    "def_n_pos": ["NM_01234.5:n.{}del"],
    "g_interval": ["NC_000001.11:g.{}del"],
    "g_pos": ["NC_000001.11:g.{}del"],
    "m_interval": ["NC_012920.1:m.{}del"],
    "m_pos": ["NC_012920.1:m.{}del"],
    "n_interval": ["NM_01234.5:n.{}del"],
    "n_pos": ["NM_01234.5:n.{}del"],
    "uncertain_c_interval": ["NM_01234.5:c.{}del"],
    "uncertain_g_interval": ["NC_000001.11:g.{}del"],
    "uncertain_n_interval": ["NM_01234.5:n.{}del"],
    "r_interval": ["NM_01234.5:r.{}del"],
    "r_pos": ["NM_01234.5:r.{}del"],
    "def_r_interval": ["NM_01234.5:r.{}del"],
    "def_r_pos": ["NM_01234.5:r.{}del"],
    "rna_del": ["NM_01234.5:r.1_5{}"],
    "rna_delins": ["NM_01234.5:r.1_5{}"],
    "rna_dup": ["NM_01234.5:r.1_3{}"],
    "rna_edit": ["NM_01234.5:r.1{}"],
    "rna_ident": ["NM_01234.5:r.1{}"],
    "rna_ins": ["NM_01234.5:r.1_2{}"],
    "rna_inv": ["NM_01234.5:r.1_4{}"],
    "rna_subst": ["NM_01234.5:r.1{}"],
    "c_posedit": ["NM_01234.5:c.{}"],
    "g_posedit": ["NC_000001.11:g.{}"],
    "m_posedit": ["NC_012920.1:m.{}"],
    "n_posedit": ["NM_01234.5:n.{}"],
    "r_posedit": ["NM_01234.5:r.{}"],
    "p_posedit": ["NP_01234.5:p.{}"],
    "p_posedit_special": ["NP_01234.5:p.{}"],
    "p_interval": ["NP_01234.5:p.{}del"],
    "p_pos": ["NP_01234.5:p.{}del"],
    "def_p_interval": ["NP_01234.5:p.{}del"],
    "def_p_pos": ["NP_01234.5:p.{}del"],
    "pro_fs": ["NP_01234.5:p.Ala3{}"],
    "pro_ext": ["NP_01234.5:p.Ter3{}"],
    "pro_ident": ["NP_01234.5:p.Ala3{}"],
    "c_typed_posedit": ["NM_01234.5:{}"],
    "g_typed_posedit": ["NC_000001.11:{}"],
    "m_typed_posedit": ["NC_012920.1:{}"],
    "n_typed_posedit": ["NM_01234.5:{}"],
    "p_typed_posedit": ["NP_01234.5:{}"],
    "r_typed_posedit": ["NM_01234.5:{}"],
    "opt_gene_expr": ["NM_01234.5{}:c.1A>T"],
    "paren_gene": ["NM_01234.5{}:c.1A>T"],
    "gene_symbol": ["NM_01234.5({}):c.1A>T"],
    **{f"{kind}_variant": ["{}"] for kind in ("hgvs", *"cgmnpr")},
}
MISSING_OR_NOT_SUPPORTED = re.compile(
    r"is not loaded|is not valid|count along a|m\. describes the mitochondrial genome"
    r"|uncertain positions|brackets|copy numbers and conversions|a protein change|a change of RNA"
    r"|states [0-9]+ base|the range ends before it starts|the reference has|neighbouring bases"
)
CONVERSIONS = re.compile(r"con.*:")
"""A second colon, which is neither SPDI nor HGVS to the specification of the operations"""


def grammar_cases(path: Path) -> Iterator[tuple[str, bool]]:
    for row in rows(path):
        func, test, valid, kind = row[:4]
        if func in CARRIERS:
            for part in list(test) if kind == "string" else test.split("|") if kind == "list" else [test]:
                for carrier in CARRIERS[func]:
                    yield carrier.format(part), valid.lower() == "true"


def outcome(identifier: Identifier, text: str) -> str:
    try:
        identifier.identify(text)
    except UnreadableVariant:
        return "unreadable"
    except InvalidInput as error:
        return error.diagnostics
    return "read"


def test_the_grammar_is_accepted_and_its_opposite_refused(identifier: Identifier, truth: Path) -> None:
    counts: Counter[str] = Counter()
    wrong = []
    for text, valid in grammar_cases(truth / "grammar_test.tsv"):
        found = outcome(identifier, text)
        cause = MISSING_OR_NOT_SUPPORTED.search(found)
        if not valid:
            counts["refused as it should be"] += found != "read"
            wrong += [f"reject {text}"] if found == "read" else []
        elif CONVERSIONS.search(text):
            assert found == "unreadable"
            counts["conversion from another sequence"] += 1
        elif found == "read" or cause:
            counts[cause[0] if cause else "read"] += 1
        else:
            wrong.append(f"accept {text}: {found}")
    print(f"\ngrammar: {dict(counts)}")
    assert wrong == []
    # Most rows name a transcript that nobody has, so that what is read of them ends there.
    assert counts == {
        "refused as it should be": 97,
        "read": 11,
        "is not loaded": 106,
        "is not valid": 16,
        "neighbouring bases": 1,
        "states 2 base": 1,
        "a change of RNA": 53,
        "a protein change": 70,
        "copy numbers and conversions": 18,
        "conversion from another sequence": 2,
        "uncertain positions": 47,
    }
    parts = Counter(row[0] in CARRIERS for row in rows(truth / "grammar_test.tsv"))
    assert parts == {True: 175, False: 126}  # the others are the header, and parts smaller than a position


@pytest.mark.parametrize("name", ["gauntlet", "reject"])
def test_the_lists_of_whole_descriptions(identifier: Identifier, truth: Path, name: str) -> None:
    accepted: list[str] = []
    refused: list[str] = []
    for line in (truth / name).read_text("utf-8").splitlines():
        match = re.match(r"(#- |#!unsupported: |#)?([A-Z]{2}_[0-9.]+:\S+)", line)
        if match:
            (accepted if match[1] is None and name == "gauntlet" else refused).append(match[2])
    print(f"\n{name}: {len(accepted)} to accept, {len(refused)} to refuse")
    found = {text: outcome(identifier, text) for text in accepted}
    assert {
        text: said for text, said in found.items() if said != "read" and not MISSING_OR_NOT_SUPPORTED.search(said)
    } == {}
    assert [text for text in refused if outcome(identifier, text) == "read"] == []
    assert (len(accepted), len(refused)) >= ((25, 15) if name == "gauntlet" else (0, 1))


def test_random_genomic_variants_are_read_or_refused(identifier: Identifier, truth: Path) -> None:
    counts: Counter[str] = Counter()
    with gzip.open(truth / "random-vars.gz", "rt", encoding="utf-8") as stream:
        for number, line in enumerate(stream):
            if number % 50 == 0 and line.strip() and not line.startswith("#"):
                found = outcome(identifier, line.strip())
                counts[found if found in ("read", "unreadable") else "refused"] += 1
    print(f"\nrandom-vars: {dict(counts)}")
    assert counts["unreadable"] == 0
    assert counts.total() >= 2_000
