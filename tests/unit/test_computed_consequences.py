"""Questions by terms alone find computed consequences: all of them, or it is an error that names the command."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyroaring import BitMap64

from app.errors import InvalidInput, NotInstalled
from app.fhir.codes import SEQUENCE_ONTOLOGY
from app.fhir.parameters import RangeInput
from app.formats.annotations import AT_A_DISTANCE
from app.operations.context import Genome
from app.records import Build
from app.store import bulk, computed, consequence_sets, knowledge
from app.store.session import Database
from app.variants.consequence import Consequence, Predictor
from app.variants.consequence_terms import TERMS
from app.variants.interval import parse_range
from app.variants.liftover import Liftover
from app.variants.reference import InMemoryReference
from app.variants.spdi import Spdi
from app.variants.transcripts import InMemoryTranscripts
from ingest import consequences
from ingest.calls import VcfOptions, ingest_vcfs
from ingest.consequences import compute
from ingest.knowledge import LoadOptions, load
from ingest.progress import Progress
from ingest.rejustify import rejustify
from ingest.workspace import Workspace
from tests.fhir_files import bundle, coded, concept, implication, spdi, store_fhir, tbd, variant
from tests.knowledge_files import table
from tests.small_store import SmallStore
from tests.two_builds import Block
from tests.two_builds import genome as genome_of
from tests.unit.test_annotated_ingest import assert_unions_hold, csq, of_subject, vcf, who
from tests.unit.test_consequence import CHR1, KNOWN, REFERENCE, SEQUENCE

QUIET = Progress(quiet=True)
SWEPT = sorted(TERMS.keys() - AT_A_DISTANCE)
EVERY = [f"{1001 + at} {base} {other} 0/1 ." for at, base in enumerate(SEQUENCE) for other in "ACGT" if other != base]
"""Every substitution around the transcript"""


def genome(**references: InMemoryReference) -> Genome:
    return Genome({**REFERENCE, **{Build(name): one for name, one in references.items()}}, Liftover(),
                  InMemoryTranscripts([KNOWN]))  # fmt: skip


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, genome())


def workspace(store: SmallStore) -> Workspace:
    return Workspace(store.settings, store.database, store.context.genome)


def told(store: SmallStore, variant: str, *terms: str) -> str:
    """Load a release that states terms of a variant, and return its name."""
    path = store.folder / f"{'-'.join(terms)}.tsv"
    rows = {
        "row_id": "1",
        "b38_spdi": variant,
        "feature_consequences.system": " ; ".join("http://www.sequenceontology.org" for _ in terms),
        "feature_consequences.code": " ; ".join(TERMS[term].accession for term in terms),
        "feature_consequences.display": " ; ".join(terms),
        "impact": "LOW",
    }
    path.write_bytes(table(rows))
    return load(
        workspace(store), "consequence", [path], LoadOptions(version="-".join(terms), beside=True), QUIET
    ).release


def switch(store: SmallStore, name: str, *, on: bool) -> None:
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, name), active=on)


def assert_answers_agree(store: SmallStore, *subjects: str) -> dict[str, list[str]]:
    """Hold population, subject and unions counted anew against each other, for all terms; return who has which."""
    found = {}
    for term in SWEPT:
        by_subject = [one for one in subjects if of_subject(store, one, TERMS[term].accession)]
        in_range = [
            one
            for one in subjects
            if of_subject(store, one, TERMS[term].accession, ranges=(RangeInput("x", parse_range(f"{CHR1}:900-1200")),))
        ]
        assert who(store, TERMS[term].accession) == by_subject == in_range, term
        if by_subject:
            found[term] = by_subject
    assert_unions_hold(store.database)
    return found


def test_every_term_is_found_for_subject_and_population(store: SmallStore) -> None:
    for at in range(7):
        store.ingest(vcf(*EVERY[at::7]), f"P{at}")
    report = compute(workspace(store), QUIET)

    found = assert_answers_agree(store, *(f"P{at}" for at in range(7)))

    assert report.examined == len(EVERY)
    assert {"missense_variant", "stop_gained", "splice_donor_variant", "5_prime_UTR_variant", "start_lost"} <= set(
        found
    )


def test_a_question_while_variants_wait_is_refused_with_the_command(store: SmallStore) -> None:
    store.ingest(vcf(EVERY[30]), "P1")
    for ask in (lambda: who(store, "missense_variant"), lambda: of_subject(store, "P1", "missense_variant")):
        with pytest.raises(NotInstalled, match="operon knowledge compute"):
            ask()
    compute(workspace(store), QUIET)
    assert isinstance(who(store, "missense_variant"), list)

    store.ingest(vcf(EVERY[31]), "P1")

    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(store, "missense_variant")


def test_carriers_of_examined_variants_join_without_another_examination(store: SmallStore) -> None:
    store.ingest(vcf(*EVERY), "P1")
    compute(workspace(store), QUIET)

    store.ingest(vcf(*EVERY[20:60]), "P2")

    assert_answers_agree(store, "P1", "P2")
    assert compute(workspace(store), QUIET).examined == 0


@pytest.mark.parametrize("word", ["intron_variant", "intergenic_variant", "SO:0001627"])
def test_terms_of_introns_and_between_genes_alone_are_refused(store: SmallStore, word: str) -> None:
    store.ingest(vcf(*EVERY), "P1")
    compute(workspace(store), QUIET)

    with pytest.raises(InvalidInput, match="introns and between genes"):
        who(store, word)
    with pytest.raises(InvalidInput, match="introns and between genes"):
        of_subject(store, "P1", word, "missense_variant")
    assert of_subject(store, "P1", "intron_variant", ranges=(RangeInput("x", parse_range(f"{CHR1}:900-1200")),))


def test_other_sequences_or_transcripts_make_everything_wait_again(
    store: SmallStore, database: Database, tmp_path: Path
) -> None:
    store.ingest(vcf(*EVERY), "P1")
    compute(workspace(store), QUIET)
    other = SmallStore(database, tmp_path, genome(GRCh37=InMemoryReference({"NC_000001.10": [(5, "ACGT")]})))

    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(other, "missense_variant")
    assert compute(workspace(other), QUIET).examined == len(EVERY)

    assert_answers_agree(other, "P1")
    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(store, "missense_variant")


def test_a_stated_consequence_takes_the_place_of_computed_ones(store: SmallStore) -> None:
    change = f"{CHR1}:1010:G:A"  # computed as missense_variant
    store.ingest(vcf("1011 G A 0/1 ."), "P1")
    store.ingest(vcf("1011 G A 1/1 .", "1012 C A 0/1 ."), "P2")
    compute(workspace(store), QUIET)
    assert assert_answers_agree(store, "P1", "P2") == {"missense_variant": ["P1", "P2"]}

    name = told(store, change, "synonymous_variant")
    assert assert_answers_agree(store, "P1", "P2") == {
        "missense_variant": ["P2"],
        "synonymous_variant": ["P1", "P2"],
    }
    switch(store, name, on=False)
    assert assert_answers_agree(store, "P1", "P2") == {"missense_variant": ["P1", "P2"]}
    switch(store, name, on=True)
    with store.database.write() as session:
        knowledge.remove(session, knowledge.named(session, name))
    assert assert_answers_agree(store, "P1", "P2") == {"missense_variant": ["P1", "P2"]}


def test_an_annotation_takes_the_place_of_computed_ones(store: SmallStore) -> None:
    store.ingest(vcf("1011 G A 0/1 ."), "P1")
    compute(workspace(store), QUIET)

    store.ingest(vcf(f"1011 G A 0/1 CSQ={csq('A', 'stop_gained', 'HIGH')}"), "P2")

    assert assert_answers_agree(store, "P1", "P2") == {"stop_gained": ["P1", "P2"]}
    switch(store, "annotation-VEP-v110", on=False)
    assert assert_answers_agree(store, "P1", "P2") == {"missense_variant": ["P1", "P2"]}


def test_releases_annotations_reports_and_computed_consequences_answer_together(store: SmallStore) -> None:
    store.ingest(vcf("1011 G A 0/1 .", f"1012 C A 0/1 CSQ={csq('A', 'start_lost', 'HIGH')}"), "P2")
    store.ingest(vcf("1012 C A 0/1 .", "1013 T C 0/1 .", "1015 G A 1/1 ."), "P3")
    stop = {"code": tbd("feature-consequence"), "valueCodeableConcept": concept("SO:0001587", SEQUENCE_ONTOLOGY)}
    reported = implication("molecular-consequence", stop)
    store_fhir(store, bundle(variant(spdi(f"{CHR1}:1010:G:A"), coded("53034-5", "LA6706-1")), reported))
    name = told(store, f"{CHR1}:1012:T:C", "inframe_deletion")
    compute(workspace(store), QUIET)

    expected = {
        "missense_variant": ["P1", "P2"],
        "start_lost": ["P2", "P3"],
        "inframe_deletion": ["P3"],
        "stop_gained": ["P1", "P3"],
        "splice_region_variant": ["P3"],
    }
    assert assert_answers_agree(store, "P1", "P2", "P3") == expected
    switch(store, name, on=False)
    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(store, "inframe_deletion")
    compute(workspace(store), QUIET)
    del expected["inframe_deletion"]
    assert assert_answers_agree(store, "P1", "P2", "P3") == {**expected, "synonymous_variant": ["P3"]}
    bulk.erase_subject(store.database, "P3")
    expected = {"missense_variant": ["P1", "P2"], "start_lost": ["P2"], "stop_gained": ["P1"]}
    assert assert_answers_agree(store, "P1", "P2") == expected


def test_what_was_computed_is_not_found_where_it_cannot_be_computed(store: SmallStore, tmp_path: Path) -> None:
    store.ingest(vcf("1011 G A 0/1 ."), "P1")
    told(store, f"{CHR1}:1012:T:C", "inframe_deletion")
    compute(workspace(store), QUIET)
    bare = SmallStore(store.database, tmp_path)

    for ask in (lambda: who(bare, "missense_variant"), lambda: of_subject(bare, "P1", "missense_variant")):
        with pytest.raises(NotInstalled, match="operon knowledge deactivate computed"):
            ask()
    switch(store, "computed", on=False)
    assert (who(bare, "missense_variant"), of_subject(bare, "P1", "missense_variant")) == ([], [])


def test_variants_that_were_placed_anew_wait_again(store: SmallStore, tmp_path: Path) -> None:
    blocks = [Block(500, 1000, len(SEQUENCE))]
    whole = genome_of(blocks, {Build.GRCH37: [(500, SEQUENCE)], Build.GRCH38: [(1000, SEQUENCE)]})
    before = SmallStore(store.database, tmp_path, Genome(whole.references, Liftover(), InMemoryTranscripts([KNOWN])))
    after = SmallStore(store.database, tmp_path, Genome(whole.references, whole.liftover, InMemoryTranscripts([KNOWN])))
    text = vcf("511 G A 0/1 .").replace("248956422", "249250621")
    before.ingest(text, "P1", build=Build.GRCH37)
    before.ingest(vcf("1012 C A 0/1 ."), "P2")
    compute(workspace(before), QUIET)
    assert who(before, "missense_variant") == ["P2"]

    rejustify(store.database, after.context.genome, QUIET)

    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(after, "missense_variant")
    compute(workspace(after), QUIET)
    assert assert_answers_agree(after, "P1", "P2") == {"missense_variant": ["P1", "P2"]}


def test_what_is_stated_needs_no_examination_until_it_is_switched_off(store: SmallStore) -> None:
    store.ingest(vcf(f"1011 G A 0/1 CSQ={csq('A', 'stop_gained', 'HIGH')}"), "P1")

    assert who(store, "stop_gained") == ["P1"]
    assert who(store, "intron_variant") == []
    assert compute(workspace(store), QUIET).examined == 0
    switch(store, "annotation-VEP-v110", on=False)
    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(store, "stop_gained")
    assert compute(workspace(store), QUIET).examined == 1
    assert assert_answers_agree(store, "P1") == {"missense_variant": ["P1"]}


def test_a_switched_off_computation_is_an_error_and_a_removed_one_waits(store: SmallStore) -> None:
    store.ingest(vcf("1011 G A 0/1 ."), "P1")
    compute(workspace(store), QUIET)

    switch(store, "computed", on=False)
    with pytest.raises(NotInstalled, match="operon knowledge activate computed"):
        who(store, "missense_variant")
    switch(store, "computed", on=True)
    assert who(store, "missense_variant") == ["P1"]

    with store.database.write() as session:
        knowledge.remove(session, knowledge.named(session, "computed"))
    with pytest.raises(NotInstalled, match="operon knowledge compute"):
        who(store, "missense_variant")
    assert compute(workspace(store), QUIET).examined == 1
    assert who(store, "missense_variant") == ["P1"]


def test_erasing_leaves_nothing_of_variants_that_nobody_carries(store: SmallStore) -> None:
    store.ingest(vcf("1011 G A 0/1 ."), "P1")
    store.ingest(vcf("1011 G A 0/1 .", "1012 C A 0/1 ."), "P2")
    compute(workspace(store), QUIET)

    bulk.erase_subject(store.database, "P2")
    assert assert_answers_agree(store, "P1") == {"missense_variant": ["P1"]}
    bulk.erase_subject(store.database, "P1")

    with store.database.read() as session:
        assert not session.run("select 1 from computed_variants")
        assert not any(BitMap64.deserialize(row[0]) for row in session.run("select targets from knowledge_concept"))
        assert not consequence_sets.active(session)


def test_an_interrupted_computation_goes_on_where_it_stopped(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ingest(vcf(*EVERY), "P1")
    monkeypatch.setattr(consequences, "_BATCH", 50)
    predict, asked = Predictor.predict, []

    def interrupted(self: Predictor, change: Spdi) -> list[Consequence]:
        asked.append(change)
        if len(asked) == 120:
            raise KeyboardInterrupt
        return predict(self, change)

    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "predict", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compute(workspace(store), QUIET)
    with pytest.raises(NotInstalled):
        who(store, "missense_variant")

    assert 0 < compute(workspace(store), QUIET).examined < len(EVERY)
    assert_answers_agree(store, "P1")


def test_an_ingest_examines_its_own_variants_unless_told_otherwise(store: SmallStore) -> None:
    for at, (wanted, waits) in enumerate([(False, 1), (True, 1), (False, 2)]):
        path = store.folder / f"calls{at}.vcf"
        path.write_text(vcf(f"{1011 + at} {SEQUENCE[10 + at]} {'A' if SEQUENCE[10 + at] != 'A' else 'C'} 0/1 ."))
        ingest_vcfs(workspace(store), [path], VcfOptions(Build.GRCH38, subject="P1", consequences=wanted), QUIET)
        with store.database.read() as session:
            assert len(computed.waiting(session)) == waits


def test_computing_again_for_all_gives_the_same(store: SmallStore) -> None:
    store.ingest(vcf(*EVERY), "P1")
    compute(workspace(store), QUIET)
    before = assert_answers_agree(store, "P1")

    assert compute(workspace(store), QUIET, anew=True).examined == len(EVERY)

    assert assert_answers_agree(store, "P1") == before


def test_a_question_runs_as_many_statements_for_many_variants_as_for_few(
    store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.store.session import Session

    run, counts = Session.run, []
    store.ingest(vcf(EVERY[30]), "P1")
    for more in (EVERY[30:33], EVERY):
        store.ingest(vcf(*more), "P1", test=f"T{len(more)}")
        compute(workspace(store), QUIET)
        ran: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(Session, "run", lambda self, sql, p=None, ran=ran: (ran.append(sql), run(self, sql, p))[1])
            who(store, "SO:0001583")
        counts.append(len(ran))

    assert counts[0] == counts[1]
