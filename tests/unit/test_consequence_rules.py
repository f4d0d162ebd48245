"""Rules of knowledge: implications of small variants by what they do to a gene or its protein."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import BadFile
from app.fhir.parameters import RangeInput
from app.fhir.tokens import parse_token
from app.operations.context import Genome
from app.records import SourceClass
from app.store import bulk, knowledge, knowledge_rules
from app.store.session import Database
from app.variants.interval import parse_range
from app.variants.liftover import Liftover
from app.variants.reference import InMemoryReference
from app.variants.transcripts import MANE_SELECT, InMemoryTranscripts
from ingest.consequence_rules import ConsequenceRules
from ingest.knowledge import LoadOptions, LoadReport, load
from ingest.progress import Progress
from ingest.rejustify import rejustify
from ingest.workspace import Workspace
from tests.fhir_files import bundle, spdi, store_fhir, variant
from tests.knowledge_files import table
from tests.knowledge_links import check_links
from tests.small_store import SmallStore, component
from tests.store_dump import dump
from tests.synthetic_transcripts import alignment, transcript
from tests.two_builds import B38
from tests.vcf_files import vcf

QUIET = Progress(quiet=True)
R38 = "NC_000001.11"
CODING = "ATG" + "GCTTGGAAAGATCTGCCC" + "TAA"
"""M A W K D L P, a stop codon"""
INTRON = "GTAAGCCATTCATTCTTTCCTTTAG"
SEQUENCE = "CC" + "GTCGG" + CODING[:10] + INTRON + CODING[10:] + "CATAAGT" + "GTCACC"
EXONS = [(1002, 1017), (1042, 1063)]
REFERENCES = {B38: InMemoryReference({R38: [(1000, SEQUENCE)]})}
SELECT = replace(
    transcript("NM_1.1", alignment(B38, EXONS), cds=(5, 29), gene="GENE", hgnc="HGNC:1"), protein="NP_1.1",
    mane=MANE_SELECT,
)  # fmt: skip
MINOR = replace(transcript("NM_2.1", alignment(B38, EXONS), cds=(8, 29), gene="GENE", hgnc="HGNC:1"), protein="NP_2.1")
"""Begins one residue later, out of its frame's start, so it says of changes of bases 5 to 8 that they are not coding"""
OTHER = transcript("NM_3.1", alignment(B38, [(1000, 1069)]), cds=None, gene="OTHER", hgnc="HGNC:2")
GENOME = Genome(REFERENCES, Liftover(), InMemoryTranscripts([SELECT, MINOR, OTHER]))
BLIND = Genome({}, Liftover(), InMemoryTranscripts([SELECT, MINOR, OTHER]))

STOP, FRAME, DONOR, MISSENSE = "SO:0001587", "SO:0001589", "SO:0001575", "SO:0001583"
TRUNCATING = " ; ".join((STOP, FRAME, DONOR, "SO:0001574"))
VARIANTS = {
    "stop": "chr1 1015 . G A 50 PASS . GT 0/1",  # p.(Trp3Ter)
    "frame": "chr1 1010 . GG G 50 PASS . GT 0/1",  # p.(Ala2LeufsTer?)
    "donor": "chr1 1018 . G A 50 PASS . GT 0/1",
    "missense": "chr1 1012 . C A 50 PASS . GT 0/1",  # p.(Ala2Asp)
    "exchange": "chr1 1012 . CTT AAC 50 PASS . GT 0/1",  # p.(Ala2_Trp3delinsGluArg)
    "silent": "chr1 1013 . T C 50 PASS . GT 0/1",  # p.(Ala2=)
    "inframe": "chr1 1044 . AGATCTG A 50 PASS . GT 0/1",
    "reaching": "chr1 1006 . GGATGG G 50 PASS . GT 0/1",  # 1005 to 1011 in its contextual form, p.(Met1?)
    "intron": "chr1 1031 . T C 50 PASS . GT 0/1",
    "outside": "chr1 1500 . A C 50 PASS . GT 0/1",
}


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, GENOME)


def fill(store: SmallStore, *names: str) -> None:
    """Give each of some variants to a subject of its name."""
    for name in names or VARIANTS:
        store.ingest(vcf(VARIANTS[name]), name, test=name)


def rule(row_id: str = "r1", condition: str = "C1", **cells: str) -> dict[str, str]:
    named = {f"rule_{name}": text for name, text in cells.items()}
    return {"row_id": row_id, "significance_display": "Pathogenic", "phenotypes.code": condition,
            "phenotypes.system": "urn:c", "phenotypes.display": f"condition {condition}", **named}  # fmt: skip


def stated(term: str, **cells: str) -> dict[str, str]:
    """Return a consequence that a release states of the variant that is computed to be a stop codon."""
    return {"row_id": "m1", "b38_spdi": f"{R38}:1014:G:A", "feature_consequences.code": term,
            "feature_consequences.system": "http://www.sequenceontology.org", "gene": "GENE", **cells}  # fmt: skip


def learn(store: SmallStore, *rows: dict[str, str], kind: str = "diagnostic", **options: Any) -> LoadReport:
    path = store.folder / f"{kind}-{options.get('version', 1)}.tsv"
    path.write_bytes(table(*rows))
    workspace = Workspace(store.settings, store.database, store.context.genome)
    return load(workspace, kind, [path], LoadOptions(**{"version": "1", **options}), QUIET)


def implied(store: SmallStore, subject: str, **inputs: Any) -> list[Any]:
    """Return the implications of a subject, each of which can be read by its id."""
    answer = store._answer("find-subject-dx-implications", subject=subject, **inputs)
    found = [one["resource"] for one in answer.get("parameter", []) if one["name"] == "implication"]
    for resource in found:
        assert store.read(resource["id"]) == resource
    assert len({resource["id"] for resource in found}) == len(found)
    return found


def who(store: SmallStore, code: str = "C1") -> list[str]:
    """Return who has an implication for a condition, after checking that every answer says the same."""
    check_links(store.database)
    tokens = (parse_token(f"urn:c|{code}"),)
    answer = store._answer("find-population-dx-implications", conditions=tokens, include_patient_list=True)
    counted_ = sorted(part["valueString"] for part in answer["parameter"][0]["part"] if part["name"] == "subject")
    with store.database.read() as session:
        subjects = [row[0] for row in session.run("select subject_id from subject order by subject_id")]
    assert counted_ == [one for one in subjects if implied(store, one, conditions=tokens)]
    everywhere = (RangeInput("all", parse_range(f"{R38}:0-5000")),)
    for one in subjects:
        found = [text for some in implied(store, one, ranges=everywhere) for text in str(some).split("condition ")]
        assert (one in counted_) == any(text.startswith(f"{code}'") for text in found)
    return counted_


RULES = [
    ({"terms": TRUNCATING}, ["donor", "frame", "stop"]),
    ({"terms": STOP}, ["stop"]),
    ({"terms": MISSENSE}, ["exchange", "missense"]),
    ({"protein": "p.Ala2Asp"}, ["missense"]),
    ({"protein": "p.Ala2Glu"}, []),
    ({"protein_at": "2"}, ["exchange", "frame", "missense"]),
    ({"protein_at": "3-4"}, ["exchange", "stop"]),
    ({"protein_at": "2-3", "terms": f"{STOP} ; {FRAME}"}, ["frame", "stop"]),
    ({"protein_at": "1"}, ["reaching"]),
    ({"terms": "SO:0002012", "region38": f"{R38}:1010-1012"}, ["reaching"]),
    ({"terms": "SO:0002012", "region38": f"{R38}:1002-1006"}, ["reaching"]),
    ({"terms": "SO:0002012", "region38": f"{R38}:1011-1012"}, []),
    ({"terms": "SO:0002012", "region38": f"{R38}:1002-1005"}, []),
    ({"terms": TRUNCATING, "region38": f"{R38}:1012-1015"}, ["stop"]),
    ({"terms": TRUNCATING, "region38": f"{R38}:1011-1014"}, []),
    ({"terms": TRUNCATING, "region38": f"{R38}:1015-1018"}, ["donor"]),
]  # fmt: skip


@pytest.mark.parametrize("knowledge_first", [True, False])
@pytest.mark.parametrize(("cells", "expected"), RULES)
def test_a_rule_is_met_by_what_variants_do(
    store: SmallStore, cells: dict[str, str], expected: Sequence[str], *, knowledge_first: bool
) -> None:
    row = rule(gene="GENE", **cells)
    if knowledge_first:
        learn(store, row)
        fill(store)
    else:
        fill(store)
        learn(store, row)
    assert who(store) == list(expected)


def test_what_the_variants_do_is_what_the_tests_count_on() -> None:
    predictor = GENOME.predictor()
    assert predictor is not None
    found = {}
    for name, place in (("stop", "1014:G:A"), ("missense", "1011:C:A"), ("exchange", "1011:CTT:AAC")):
        position, deleted, inserted = place.split(":")
        change = GENOME.placer.place(B38, 1, int(position), deleted, inserted).canonical
        found[name] = [(one.gene, one.mane, one.protein) for one in predictor.predict(change) if one.mane]
    assert found == {
        "stop": [("GENE", MANE_SELECT, "p.(Trp3Ter)")],
        "missense": [("GENE", MANE_SELECT, "p.(Ala2Asp)")],
        "exchange": [("GENE", MANE_SELECT, "p.(Ala2_Trp3delinsGluArg)")],
    }


def test_only_transcripts_that_stand_for_the_gene_count(database: Database, tmp_path: Path) -> None:
    row = rule(gene="GENE", terms="SO:0001623")  # 5' of the coding region of the minor one alone
    both = SmallStore(database, tmp_path, GENOME)
    learn(both, row)
    fill(both, "missense")
    assert who(both) == []
    alone = SmallStore(database, tmp_path, Genome(REFERENCES, Liftover(), InMemoryTranscripts([MINOR])))
    learn(alone, row, version="2")
    fill(alone, "silent")
    assert who(alone) == []  # before the start codon at 1010, 1012 is in its first codon


def test_an_answer_names_the_rule(store: SmallStore) -> None:
    learn(store, rule(gene="HGNC:1", terms=f"{STOP} ; {FRAME}", protein_at="2-3", region38=f"{R38}:1010-1016"))
    fill(store, "stop")
    [found] = implied(store, "stop", variants=((f"{R38}:1014:G:A",),))
    assert component(found, "conclusion-string")["valueString"] == (
        "By rule: stop_gained or frameshift_variant, a change of residues 2 to 3 (MANE Select) in GENE at"
        f" {R38}:1010-1016"
    )
    for asked, number in ((f"{R38}:1014:G:A", 1), (f"{R38}:1014:G:C", 0)):
        answer = store._answer("find-population-dx-implications", variants=((asked,),))
        assert answer["parameter"][0]["part"][0]["valueQuantity"]["value"] == number


def test_ranges_choose_among_the_variants_of_a_subject(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=TRUNCATING))
    store.ingest(vcf(*(VARIANTS[name] for name in ("frame", "stop", "donor", "silent"))))
    for text, number in (("0-5000", 3), ("1000-1015", 2), ("1014-1019", 2), ("1014-1015", 1), ("1012-1013", 0)):
        assert len(implied(store, "P1", ranges=(RangeInput("x", parse_range(f"{R38}:{text}")),))) == number
    assert len(implied(store, "P1", conditions=(parse_token("urn:c|C1"),))) == 3


def test_each_variant_of_several_tests_is_one_implication(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=TRUNCATING))
    for test in ("T1", "T2", "T3"):
        store.ingest(vcf(VARIANTS["frame"], VARIANTS["stop"]), test=test, name=f"{test}.vcf")
    tokens = (parse_token("urn:c|C1"),)
    assert [len(one["derivedFrom"]) for one in implied(store, "P1", conditions=tokens)] == [3, 3]
    some = implied(store, "P1", conditions=tokens, test_identifiers=("T1", "T3"))
    assert [len(one["derivedFrom"]) for one in some] == [2, 2]


def test_what_an_active_release_states_counts_in_place_of_what_is_computed(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=STOP), rule("r2", "C2", gene="GENE", terms=MISSENSE))
    fill(store, "stop")
    assert (who(store, "C1"), who(store, "C2")) == (["stop"], [])

    learn(store, stated(MISSENSE), kind="consequence")
    assert (who(store, "C1"), who(store, "C2")) == ([], ["stop"])

    rules = ConsequenceRules(GENOME)
    for active, expected in ((False, (["stop"], [])), (True, ([], ["stop"]))):
        with store.database.write() as session:
            rules.switch(session, knowledge.named(session, "consequence-1"), active=active)
        assert (who(store, "C1"), who(store, "C2")) == expected
    with store.database.write() as session:
        rules.remove(session, knowledge.named(session, "consequence-1"))
    assert (who(store, "C1"), who(store, "C2")) == (["stop"], [])


def test_a_new_release_of_consequences_takes_the_place_of_the_former_one(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=STOP), rule("r2", "C2", gene="GENE", terms=MISSENSE))
    learn(store, stated(MISSENSE), kind="consequence")
    fill(store, "stop")
    assert (who(store, "C1"), who(store, "C2")) == ([], ["stop"])
    learn(store, stated(STOP), kind="consequence", version="2")
    assert (who(store, "C1"), who(store, "C2")) == (["stop"], [])


STATED = [
    ({"gene": "GENE"}, {"terms": DONOR}, True),
    ({"gene": "OTHER"}, {"terms": DONOR}, False),
    ({"gene": "", "transcript": "NM_2.1"}, {"terms": DONOR}, True),
    ({"gene": "", "transcript": "NM_9.1"}, {"terms": DONOR}, False),
    ({"transcript": "NM_1.1", "p_hgvs": "NP_1.1:p.(Trp3Arg)"}, {"protein": "p.Trp3Arg"}, True),
    ({"transcript": "NM_1.1", "p_hgvs": "NP_1.1:p.Trp3Arg"}, {"protein_at": "3"}, True),
    ({"transcript": "NM_2.1", "p_hgvs": "NP_2.1:p.Trp3Arg"}, {"protein": "p.Trp3Arg"}, False),
    ({"p_hgvs": "p.Trp3Arg"}, {"protein": "p.Trp3Arg"}, False),
]  # fmt: skip


@pytest.mark.parametrize(("says", "cells", "meets"), STATED)
def test_a_stated_consequence_counts_for_its_gene_and_transcript(
    store: SmallStore, says: dict[str, str], cells: dict[str, str], *, meets: bool
) -> None:
    learn(store, stated(DONOR, **says), kind="consequence")
    learn(store, rule(gene="GENE", **cells))
    fill(store, "stop")
    assert who(store) == (["stop"] if meets else [])


def test_sequence_that_arrives_later_tells_what_variants_do(database: Database, tmp_path: Path) -> None:
    blind = SmallStore(database, tmp_path, BLIND)
    learn(blind, rule(gene="GENE", terms=STOP))
    fill(blind, "stop", "missense")
    assert who(blind) == []
    version = blind.context.data_version()
    rejustify(database, GENOME, QUIET)
    assert who(SmallStore(database, tmp_path, GENOME)) == ["stop"]
    assert blind.context.data_version() != version


REJECTED = [
    ({"region38": f"{R38}:1-9", "terms": STOP}, "a rule for consequences that names no gene"),
    (
        {"gene": "OTHER", "protein": "p.Val600Glu"},
        "a rule for a protein whose gene has no MANE Select transcript: OTHER",
    ),
    ({"gene": "OTHER", "protein_at": "6"}, "a rule for a protein whose gene has no MANE Select transcript: OTHER"),
    ({"gene": "NONE", "terms": STOP}, "a rule for a gene that is not known: NONE"),
    ({"gene": "GENE", "protein": "V600E"}, "no usable rule: V600E is no change of a protein, written as p.Val600Glu"),
]


@pytest.mark.parametrize(("cells", "problem"), REJECTED)
def test_a_rule_that_cannot_be_evaluated_is_rejected(store: SmallStore, cells: dict[str, str], problem: str) -> None:
    report = learn(store, rule(**cells))
    assert (report.items, [one.problem for one in report.rejects.noted]) == (0, [problem])


def test_without_transcripts_such_rules_are_rejected(database: Database, tmp_path: Path) -> None:
    report = learn(SmallStore(database, tmp_path, Genome({}, Liftover())), rule(gene="GENE", terms=STOP))
    assert [one.problem for one in report.rejects.noted] == ["a rule for a gene, and no transcripts are loaded: GENE"]


def test_a_consequence_does_not_follow_from_consequences(store: SmallStore) -> None:
    row = {**stated(STOP), "b38_spdi": "", "rule_gene": "GENE", "rule_terms": FRAME}
    report = learn(store, row, kind="consequence")
    assert [one.problem for one in report.rejects.noted] == ["a consequence that follows from consequences"]


def test_a_variant_that_only_a_rule_is_about_goes_with_its_carrier(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=TRUNCATING))
    learn(store, {**rule("x", "C3"), "b38_spdi": f"{R38}:1017:G:A"}, version="2", beside=True)
    kept = {name: rows for name, rows in dump(store.database).items() if name != "counter"}
    fill(store, "stop", "donor")
    assert (who(store), who(store, "C3")) == (["donor", "stop"], ["donor"])
    for name in ("stop", "donor"):
        bulk.erase_subject(store.database, name)
    assert {name: rows for name, rows in dump(store.database).items() if name != "counter"} == kept


def check_rules(store: SmallStore) -> int:
    """Compare the links of all rules with those that a load of them all would find, and return how many there are."""
    check_links(store.database)
    with store.database.read() as session:
        linked = {
            (int(variant_id), int(item_id))
            for variant_id, item_id in session.run(
                "select l.variant_id, l.item_id from knowledge_link l join knowledge_rule r on r.item_id = l.item_id"
            )
        }
        found = ConsequenceRules(store.context.genome).links_of_items(session, 0, 1_000_000)
        assert linked == {*found, *knowledge_rules.sites_of_items(session, 0, 1_000_000)}
    return len(linked)


@pytest.mark.parametrize("seed", range(4))
def test_links_are_what_a_load_finds_after_any_changes(database: Database, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    stores = [SmallStore(database, tmp_path, BLIND), SmallStore(database, tmp_path, GENOME)]
    store = stores[0]
    versions = iter(range(1, 100))
    long = [f"chr1 {at} . N <DEL> 50 PASS SVTYPE=DEL;END={at + 300} GT 0/1" for at in (951, 1001, 1101)]
    records = [*VARIANTS.values(), *long]
    rules = [rule(f"r{n}", f"C{n % 3}", gene="GENE", **cells) for n, (cells, _) in enumerate(RULES)]
    rules += [
        rule("s1", "C1", region38=f"{R38}:1100-1200", changes="DEL"),
        rule("s2", "C2", gene="GENE", changes="DEL", copies_max="1"),
        rule("s3", "C2", gene="OTHER", changes="DEL", relation="overlaps"),
    ]
    exact = [{**rule(f"x{n}", f"C{n}"), "b38_spdi": f"{R38}:{spdi}"}
             for n, spdi in enumerate(("1014:G:A", "1012:T:C", "1499:A:C", "1009:G:"))]  # fmt: skip
    says = [stated(STOP), stated(MISSENSE), {**stated(FRAME), "b38_spdi": f"{R38}:1012:T:C"}]

    def ingest() -> None:
        one = f"P{dice.randrange(4)}"
        text = vcf(*dice.sample(records, dice.randint(1, 6)))
        kind = dice.choice([SourceClass.GERMLINE, SourceClass.SOMATIC])
        store.store(store.file(text, one, test=f"{one}-{dice.randrange(2)}", source_class=kind), replace=True)

    def teach() -> None:
        rows = dice.sample([*rules, *exact], dice.randint(1, 6))
        learn(store, *rows, version=str(next(versions)), beside=dice.random() < 0.7)

    def state() -> None:
        learn(store, dice.choice(says), kind="consequence", version=str(next(versions)), beside=dice.random() < 0.5)

    def change() -> None:
        of_consequences = ConsequenceRules(store.context.genome)
        with database.write() as session:
            if known := knowledge.releases(session):
                release = dice.choice(known)
                if dice.random() < 0.3:
                    of_consequences.remove(session, release)
                else:
                    of_consequences.switch(session, release, active=not release.active)

    def erase() -> None:
        if known := bulk.all_subjects(database):
            bulk.erase_subject(database, dice.choice(known).subject_id)

    most = 0
    for step in range(60):
        if step == 30:
            rejustify(database, GENOME, QUIET)
            store = stores[1]
        else:
            dice.choice([ingest, ingest, ingest, teach, teach, state, change, change, erase])()
        most = max(most, check_rules(store))
    assert most > 5
    learn(store, *rules, *exact, version="all", beside=True)
    check_rules(store)
    found = [who(store, code) for code in ("C0", "C1", "C2")]
    assert any(found)


def test_what_comes_in_as_fhir_meets_rules_as_well(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=STOP))
    store_fhir(store, bundle(variant(spdi(f"{R38}:1014:G:A")), variant(spdi(f"{R38}:1011:C:A"), id_="v2")))
    assert who(store) == ["P1"]


def test_an_ingest_that_fails_leaves_no_link(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", terms=TRUNCATING), rule("r2", "C2", region38=f"{R38}:1100-1200", changes="DEL"))
    kept = {name: rows for name, rows in dump(store.database).items() if name != "counter"}
    long = "chr1 1051 . N <DEL> 50 PASS SVTYPE=DEL;END=1300 GT 0/1"
    other = "chrX 5 . A C 50 PASS . GT 0/x"
    with pytest.raises(BadFile):
        store.ingest(vcf(VARIANTS["stop"], long, "chrX 4 . A C 50 PASS . GT 0/1", other))
    assert {name: rows for name, rows in dump(store.database).items() if name != "counter"} == kept
    store.ingest(vcf(VARIANTS["silent"], "chr1 1501 . N <DEL> 50 PASS SVTYPE=DEL;END=1700 GT 0/1"))
    assert (who(store), who(store, "C2")) == ([], [])
    store.ingest(vcf(VARIANTS["stop"], long), "P2", test="P2")
    assert (who(store), who(store, "C2")) == (["P2"], ["P2"])
