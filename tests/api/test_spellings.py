"""Every spelling of a variant finds it, over HTTP: on either build, along transcripts, wherever in its repeat.

One subject was tested on GRCh37, one on GRCh38. The chromosome is made up: a stretch that both builds have, and one
that GRCh38 has turned round. Positions below are zero-based within these stretches.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.main import create_app
from app.operations.context import Genome
from app.variants.accessions import accession
from app.variants.reference import InMemoryReference
from app.variants.spdi import reverse_complement
from app.variants.transcripts import InMemoryTranscripts
from tests.answers import Asking
from tests.api.client import Client
from tests.small_store import SmallStore, migrated
from tests.synthetic_transcripts import alignment, transcript
from tests.two_builds import B37, B38, Block, bases, genome
from tests.vcf_files import vcf

R37, R38, MT = accession(B37, 1), accession(B38, 1), "NC_012920.1"
A37, A38, SIZE = 1_000_000, 2_000_000, 600
"""Where the first stretch begins on either build; the second one follows it"""
T37, T38 = A37 + SIZE, A38 + SIZE
REPEAT = 120
"""G, five CA and TT in the first exon"""
SNV = 280
"""In the stretch that is turned round"""

FORWARD = bases(11, REPEAT) + "G" + "CA" * 5 + "TT" + bases(12, SIZE - REPEAT - 13)
TURNED = bases(13, SIZE)
REF = TURNED[SNV]
ALT = {"A": "C", "C": "G", "G": "T", "T": "A"}[REF]
OTHER = next(base for base in "ACGT" if base not in (REF, ALT))
ON38 = T38 + SIZE - 1 - SNV
REF38, ALT38 = reverse_complement(REF), reverse_complement(ALT)


def made_up() -> Genome:
    """Return both builds with two transcripts on either strand, one without a coding region and one that is turned."""
    stretches = {B37: (A37, FORWARD + TURNED), B38: (A38, FORWARD + reverse_complement(TURNED))}
    references = {
        build: InMemoryReference({accession(build, 1): [stretch], MT: [(70, "GTATGC")]})
        for build, stretch in stretches.items()
    }
    exons = {
        build: [(start + 100, start + 200), (start + 300, start + 400)] for build, start in ((B37, A37), (B38, A38))
    }
    single = {B37: [(T37 + 250, T37 + 400)], B38: [(T38 + SIZE - 400, T38 + SIZE - 250)]}
    known = [
        transcript("NM_000001.1", *(alignment(build, places) for build, places in exons.items()), cds=(10, 190)),
        transcript("NR_000001.1", *(alignment(build, places) for build, places in exons.items())),
        transcript(
            "ENST00000000001.2",
            *(alignment(build, places, reverse=True) for build, places in exons.items()),
            cds=(10, 190),
        ),
        transcript(
            "NM_000002.1",
            *(alignment(build, places, reverse=build is B38) for build, places in single.items()),
            cds=(10, 140),
        ),
    ]
    chains = genome([Block(A37, A38, SIZE), Block(T37, T38, SIZE, reverse=True)]).liftover
    return Genome(references, chains, InMemoryTranscripts(known))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    """Serve a store of two subjects with the same three variants: one tested on each build."""
    folder = tmp_path_factory.mktemp("home")
    mitochondrial = "chrM 73 . A G 50 PASS . GT 1/1"
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        store = SmallStore(database, folder, made_up())
        on37 = [
            f"chr1 {A37 + REPEAT + 1} . GCA G 50 PASS . GT 0/1",
            f"chr1 {T37 + SNV + 1} . {REF} {ALT} 50 PASS . GT 0/1",
        ]
        store.ingest(vcf(*on37, mitochondrial, build=B37), "P37", build=B37)
        # The same deletion, at the other end of the repeat.
        right = f"chr1 {A38 + REPEAT + 9} . ACA A 50 PASS . GT 0/1"
        store.ingest(vcf(right, f"chr1 {ON38 + 1} . {REF38} {ALT38} 50 PASS . GT 0/1", mitochondrial), "P38")
        client = Client(create_app(store.settings, store.context))
        yield Asking(client)
        client.close()


DELETION = {
    "SPDI, left": f"{R37}:{A37 + 121}:CA:",
    "SPDI, right": f"{R37}:{A37 + 129}:CA:",
    "SPDI, in between": f"{R37}:{A37 + 122}:AC:",
    "SPDI, the whole repeat": f"{R37}:{A37 + 121}:{'CA' * 5}:{'CA' * 4}",
    "SPDI, padded": f"{R37}:{A37 + 120}:GCACA:GCA",
    "SPDI by length": f"{R37}:{A37 + 129}:2:",
    "SPDI by length, with inserted bases": f"{R37}:{A37 + 121}:10:{'CA' * 4}",
    "g., left": f"{R37}:g.{A37 + 122}_{A37 + 123}del",
    "g., right": f"{R37}:g.{A37 + 130}_{A37 + 131}del",
    "g. with bases": f"{R37}:g.{A37 + 130}_{A37 + 131}delCA",
    "g. as delins": f"{R37}:g.{A37 + 122}_{A37 + 125}delinsCA",
    "GRCh38 SPDI, left": f"{R38}:{A38 + 121}:CA:",
    "GRCh38 SPDI by length": f"{R38}:{A38 + 129}:2:",
    "GRCh38 g., left": f"{R38}:g.{A38 + 122}_{A38 + 123}del",
    "GRCh38 g., right": f"{R38}:g.{A38 + 130}_{A38 + 131}del",
    "c., left": "NM_000001.1:c.12_13del",
    "c., right": "NM_000001.1:c.20_21del",
    "c. with the gene": "NM_000001.1(GENE):c.20_21delCA",
    "c. on a chromosome": f"{R38}(NM_000001.1):c.20_21del",
    "n. of a coding transcript": "NM_000001.1:n.30_31del",
    "n.": "NR_000001.1:n.22_23del",
    "c. of Ensembl, other strand": "ENST00000000001.2:c.160_161del",
    "n. of Ensembl, other strand": "ENST00000000001.2:n.178_179del",
    "SPDI on a transcript": "NM_000001.1:29:CA:",
    "SPDI on a transcript by length": "NR_000001.1:21:2:",
    "SPDI on a transcript of the other strand": "ENST00000000001.2:169:TG:",
}
SUBSTITUTION = {
    "SPDI": f"{R37}:{T37 + SNV}:{REF}:{ALT}",
    "SPDI by length": f"{R37}:{T37 + SNV}:1:{ALT}",
    "SPDI, padded": f"{R37}:{T37 + SNV - 1}:{TURNED[SNV - 1 : SNV + 2]}:{TURNED[SNV - 1]}{ALT}{TURNED[SNV + 1]}",
    "g.": f"{R37}:g.{T37 + SNV + 1}{REF}>{ALT}",
    "g. as delins": f"{R37}:g.{T37 + SNV + 1}delins{ALT}",
    "GRCh38 SPDI": f"{R38}:{ON38}:{REF38}:{ALT38}",
    "GRCh38 SPDI by length": f"{R38}:{ON38}:1:{ALT38}",
    "GRCh38 g.": f"{R38}:g.{ON38 + 1}{REF38}>{ALT38}",
    "c.": f"NM_000002.1:c.21{REF}>{ALT}",
    "n.": f"NM_000002.1:n.31{REF}>{ALT}",
    "SPDI on a transcript": f"NM_000002.1:30:{REF}:{ALT}",
}
MITOCHONDRIAL = {
    "m.": f"{MT}:m.73A>G",
    "g.": f"{MT}:g.73A>G",
    "SPDI": f"{MT}:72:A:G",
    "SPDI by length": f"{MT}:72:1:G",
    "SPDI, padded": f"{MT}:71:TAT:TGT",
}
SPELLINGS = [
    pytest.param(text, id=f"{variant}: {way}")
    for variant, ways in (("deletion", DELETION), ("substitution", SUBSTITUTION), ("mitochondrial", MITOCHONDRIAL))
    for way, text in ways.items()
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_spelling_finds_the_test_on_either_build(asked: Asking, text: str) -> None:
    [on37], [on38] = (asked.being(subject, [text])[0] for subject in ("P37", "P38"))

    assert (on37.assembly, on38.assembly) == ("GRCh37", "GRCh38")
    assert set(on37.spdis) == set(on38.spdis)
    assert [(found.numerator, found.denominator, found.subjects) for found in asked.carriers(text)] == [
        (2, 2, ("P37", "P38"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{R37}:{A37 + 121}:CACA:",
        f"{R37}:{A38 + 121}::CA",
        "NM_000001.1:c.20_21dup",
        "NM_000001.1:c.19_21del",
        f"{R37}:{T37 + SNV}:{REF}:{OTHER}",
        f"NM_000002.1:c.21{REF}>{OTHER}",
        f"{MT}:m.73A>C",
    ],
)
def test_another_change_at_the_same_place_is_another_variant(asked: Asking, text: str) -> None:
    assert [asked.being(subject, [text]) for subject in ("P37", "P38")] == [[[]], [[]]]
    assert [found.numerator for found in asked.carriers(text)] == [0]


@pytest.mark.parametrize(
    "text",
    [
        f"1-{A37 + REPEAT + 1}-GCA-G",
        f"GRCh37:1-{A37 + REPEAT + 1}-GCA-G",
        f"chr1:{A37 + REPEAT + 1}:GCA>G",
        f"{R37}:{A37 + 121}:CA",
    ],
)
def test_other_notations_are_refused(asked: Asking, text: str) -> None:
    for operation, inputs in (
        ("find-subject-specific-variants", [("subject", "P37")]),
        ("find-population-specific-variants", []),
    ):
        answer = asked.get(operation, *inputs, ("variants", text))
        assert (answer.status, answer.issues[0]["code"]) == (400, "invalid")
        assert answer.diagnostics == [f"variant ({text}) is not in the correct format(SPDI|HGVS)"]
