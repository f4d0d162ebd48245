"""Rules of knowledge: implications of structural variants by region, gene and number of copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.fhir.parameters import Dialect, RangeInput
from app.fhir.tokens import parse_token
from app.operations.context import Genome
from app.records import SourceClass
from app.store import bulk, knowledge
from app.store.session import Database
from app.variants.interval import parse_range
from app.variants.liftover import Liftover
from app.variants.transcripts import InMemoryTranscripts
from bench.statements import counted
from ingest.knowledge import LoadOptions, LoadReport, load
from ingest.progress import Progress
from ingest.rejustify import rejustify
from ingest.workspace import Workspace
from tests.fhir_files import bundle, coded, concept, implication, source_class, store_fhir, tbd, variant
from tests.knowledge_files import table
from tests.knowledge_links import check_links
from tests.small_store import SmallStore, component
from tests.store_dump import dump
from tests.synthetic_transcripts import alignment, transcript
from tests.two_builds import B37, B38, Block, genome
from tests.vcf_files import vcf

QUIET = Progress(quiet=True)
R37, R38 = "NC_000001.10", "NC_000001.11"
GENE = transcript(
    "NM_1.1", alignment(B37, [(1000, 1100), (1900, 2000)]), alignment(B38, [(61000, 61100), (61900, 62000)])
)
GENOME = Genome({}, genome([Block(0, 60_000, 50_000)], {}).liftover, InMemoryTranscripts([GENE]))


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path, GENOME)


def sv(start: int, end: int, kind: str = "DEL", info: str = "", *, cell: str = "0/1", keys: str = "GT") -> str:
    """Return a record whose nominal interval is [start, end)."""
    return f"chr1 {start + 1} . N <{kind}> 50 PASS SVTYPE={kind};END={end}{info} {keys} {cell}"


def rule(row_id: str = "r1", condition: str = "C1", **cells: str) -> dict[str, str]:
    """Return a row of diagnostic knowledge with a rule."""
    named = {f"rule_{name}": text for name, text in cells.items()}
    return {"row_id": row_id, "significance_display": "Pathogenic", "phenotypes.code": condition,
            "phenotypes.system": "urn:c", "phenotypes.display": f"condition {condition}", **named}  # fmt: skip


def learn(store: SmallStore, *rows: dict[str, str], kind: str = "diagnostic", **options: Any) -> LoadReport:
    """Load a release of rules."""
    path = store.folder / f"{kind}-{options.get('version', 1)}.tsv"
    path.write_bytes(table(*rows))
    workspace = Workspace(store.settings, store.database, store.context.genome)
    return load(workspace, kind, [path], LoadOptions(**{"version": "1", **options}), QUIET)


def implied(store: SmallStore, subject: str = "P1", operation: str = "dx-implications", **inputs: Any) -> list[Any]:
    """Return the implications of a subject, each of which can be read by its id, with all that it is derived from."""
    answer = store._answer(f"find-subject-{operation}", subject=subject, **inputs)
    resources = [(parameter["name"], parameter["resource"]) for parameter in answer.get("parameter", [])]
    shown = {resource["id"]: resource for name, resource in resources if name == "variant"}
    found = [resource for name, resource in resources if name != "variant"]
    for resource in found:
        assert store.read(resource["id"]) == resource
        for reference in resource["derivedFrom"]:
            id_ = reference["reference"].removeprefix("Observation/")
            assert store.read(id_) == shown[id_]
    assert len({resource["id"] for resource in found}) == len(found)
    return found


def by_condition(store: SmallStore, *codes: str, **inputs: Any) -> list[str]:
    """Return who has an implication for a condition, after checking that every answer says the same."""
    check_links(store.database)
    tokens = tuple(parse_token(f"urn:c|{code}") for code in (codes or ("C1",)))
    answer = store._answer("find-population-dx-implications", conditions=tokens, include_patient_list=True, **inputs)
    parts = answer["parameter"][0]["part"]
    who = [part["valueString"] for part in parts if part["name"] == "subject"]
    counted_ = next(part["valueQuantity"]["value"] for part in parts if part["name"] == "numerator")
    assert counted_ == len(who)
    with store.database.read() as session:
        subjects = [row[0] for row in session.run("select subject_id from subject order by subject_id")]
    assert sorted(who) == [one for one in subjects if implied(store, one, conditions=tokens, **inputs)]
    return sorted(who)


def ranges(*texts: str) -> tuple[RangeInput, ...]:
    return tuple(RangeInput(text, parse_range(text)) for text in texts)


def notes(found: Sequence[dict[str, Any]]) -> list[str]:
    return [component(one, "conclusion-string")["valueString"] for one in found]


# --- where a variant has to lie ---------------------------------------------------------------------------------------

FUZZY = ";CIPOS=-10,20;CIEND=-30,40"
"""Of [1000, 2000): outer [990, 2040), inner [1020, 1970)"""
PLACES = [
    ("covers", sv(1000, 2000), ["1000-2000", "1500-1501"], ["999-2000", "1000-2001", "0-5000", "2000-2001"]),
    ("covers", sv(1000, 2000, info=FUZZY), ["1020-1970"], ["1019-1970", "1020-1971", "1000-2000"]),
    ("covers", sv(1000, 2000, "DUP", FUZZY), ["1020-1970"], ["1019-1970", "1020-1971"]),
    ("covers", sv(1000, 2000, "INV", FUZZY), ["1020-1970"], ["1019-1970", "1020-1971"]),
    ("covers", sv(1000, 2000, "CNV", FUZZY), ["1020-1970"], ["1019-1970", "1020-1971"]),
    ("covers", sv(1000, 1020, info=";CIPOS=-5,15;CIEND=-9,0"), [], ["1010-1011", "1000-1020"]),
    ("covers", sv(1000, 2000, info=";IMPRECISE"), [], ["1000-2000", "1500-1501"]),
    ("covers", sv(1000, 2000, info=FUZZY + ";IMPRECISE"), ["1020-1970"], ["1019-1970"]),
    ("covers", f"chr1 1001 . A{'C' * 60} A 50 PASS . GT 0/1", ["1000-1061", "1010-1060"], ["999-1061", "1000-1062"]),
    ("covers", f"chr1 1001 . {'AC' * 40} {'AC' * 10} 50 PASS . GT 0/1", ["1019-1061"], ["1018-1061", "1019-1062"]),
    ("overlaps", sv(1000, 2000), ["1000-2000", "0-1002", "1999-3000"], ["0-1001", "2000-3000", "999-1000"]),
    ("overlaps", sv(1000, 2000, info=FUZZY), ["0-1022", "1969-3000"], ["0-1021", "1970-3000", "990-991"]),
    ("overlaps", sv(1000, 2000, info=";IMPRECISE"), [], ["1000-2000", "0-5000"]),
    ("covers", "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;SVLEN=99 GT 0/1", ["999-1001"], ["1000-1001", "999-1000"]),
    ("overlaps", "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;SVLEN=99 GT 0/1", ["999-1001"], ["1000-1002", "900-1000"]),
    ("covers", "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;CIPOS=-10,20 GT 0/1", ["989-1021"], ["990-1021", "989-1020"]),
    ("covers", "chr1 1000 . A <INS> 50 PASS SVTYPE=INS;IMPRECISE GT 0/1", [], ["0-5000"]),
    ("overlaps", "chr1 1001 . A A[chr1:5000[ 50 PASS SVTYPE=BND GT 0/1", [], ["0-9000"]),
]  # fmt: skip


@pytest.mark.parametrize("knowledge_first", [True, False])
@pytest.mark.parametrize(("relation", "record", "hits", "misses"), PLACES)
def test_what_certainly_lies_as_a_rule_says_meets_it(
    store: SmallStore, relation: str, record: str, hits: list[str], misses: list[str], *, knowledge_first: bool
) -> None:
    every = [(f"H{n}", text) for n, text in enumerate(hits)] + [(f"M{n}", text) for n, text in enumerate(misses)]
    rows = [
        rule(code, code, region38=f"{R38}:{text}", changes="DEL ; DUP ; INV ; INS ; CNV", relation=relation)
        for code, text in every
    ]
    if knowledge_first:
        learn(store, *rows)
        store.ingest(vcf(record))
    else:
        store.ingest(vcf(record))
        learn(store, *rows)

    found = {code for code, _ in every if by_condition(store, code) == ["P1"]}
    assert found == {code for code, _ in every if code[0] == "H"}
    in_range = implied(store, ranges=ranges(f"{R38}:0-9000"))
    assert len(in_range) == len(hits)


def test_only_the_kinds_that_a_rule_names_meet_it(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"), rule("r2", "C2", region38=f"{R38}:1200-1300",
          changes="DUP ; INV"))  # fmt: skip
    for subject, kind in (("P1", "DEL"), ("P2", "DUP"), ("P3", "INV"), ("P4", "CNV")):
        store.ingest(vcf(sv(1000, 2000, kind)), subject, test=subject)
    assert by_condition(store, "C1") == ["P1"]
    assert by_condition(store, "C2") == ["P2", "P3"]
    assert by_condition(store, "C1", "C2") == ["P1", "P2", "P3"]


def test_an_answer_names_the_rule_and_the_note_of_its_row(store: SmallStore) -> None:
    row = {**rule(gene="GENE", changes="DEL ; DUP", copies_max="1"), "note": "Read the paper"}
    learn(store, row)
    store.ingest(vcf(sv(60_500, 63_000, keys="GT:CN", cell="0/1:1")))
    [found] = implied(store, ranges=ranges(f"{R38}:61000-61001"))
    assert notes([found]) == [
        f"By rule: deletion or duplication that covers {R38}:61000-62000 / {R37}:1000-2000 (GENE), at most 1 copy;"
        " Read the paper"
    ]


def test_ranges_choose_among_the_variants_that_meet_a_rule(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:0-9000", changes="DEL", relation="overlaps"))
    store.ingest(vcf(sv(1000, 2000), sv(3000, 4000), sv(5000, 6000), sv(9500, 9900)))
    assert [len(implied(store, ranges=ranges(f"{R38}:{text}"))) for text in ("0-9999", "0-3500", "1500-1600")] == [
        3, 2, 1,
    ]  # fmt: skip
    assert len(implied(store, ranges=ranges(f"{R38}:0-3500", f"{R38}:1500-5500"))) == 3
    assert implied(store, ranges=ranges(f"{R38}:9500-9900")) == []
    assert len(implied(store, conditions=(parse_token("urn:c|C1"),))) == 3


def test_a_variant_of_several_tests_is_one_implication(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"))
    for test in ("T1", "T2", "T3"):
        store.ingest(vcf(sv(1000, 2000)), test=test, name=f"{test}.vcf")
    tokens = (parse_token("urn:c|C1"),)
    assert [len(one["derivedFrom"]) for one in implied(store, conditions=tokens)] == [3]
    some = implied(store, conditions=tokens, test_identifiers=("T1", "T3"))
    assert [len(one["derivedFrom"]) for one in some] == [2]


def test_treatments_follow_from_rules_as_well(store: SmallStore) -> None:
    row = {"row_id": "t1", "predicted_implication": "Supports Resistance", "medications.code": "7",
           "medications.system": "urn:m", "medications.display": "drug", "contexts.code": "9",
           "contexts.system": "urn:c", "contexts.display": "context", "rule_region38": f"{R38}:1200-1300",
           "rule_changes": "DEL"}  # fmt: skip
    learn(store, row, {**row, "row_id": "t2", "rule_copies_max": "0", "medications.code": "8"}, kind="therapeutic")
    store.ingest(vcf(sv(1000, 2000)), "P1", test="P1")
    store.ingest(vcf(sv(1000, 2000, cell="1/1")), "P2", test="P2")
    treated = {code: (parse_token(f"urn:m|{code}"),) for code in ("7", "8")}
    context = (parse_token("urn:c|9"),)
    for more in ({}, {"conditions": context}):
        for code, expected in (("7", ["P1", "P2"]), ("8", ["P2"])):
            asked = {"treatments": treated[code], **more}
            found = [one for one in ("P1", "P2") if implied(store, one, "tx-implications", **asked)]
            answer = store._answer("find-population-tx-implications", include_patient_list=True, **asked)
            who = [part["valueString"] for part in answer["parameter"][0]["part"] if part["name"] == "subject"]
            assert found == who == expected


def test_consequences_follow_from_rules_as_well(store: SmallStore) -> None:
    term = {"feature_consequences.system": "http://www.sequenceontology.org", "feature_consequences.code": "SO:0001893",
            "feature_consequences.display": "transcript_ablation", "rule_gene": "GENE",
            "rule_changes": "DEL"}  # fmt: skip
    zero = {**term, "rule_copies_max": "0", "feature_consequences.code": "SO:0001879"}
    learn(store, {"row_id": "m1", **term}, {"row_id": "m2", **zero}, kind="consequence")
    store.ingest(vcf(sv(60_500, 63_000)), "P1", test="P1")
    store.ingest(vcf(sv(60_500, 63_000, cell="1/1")), "P2", test="P2")
    for asked in ({"ranges": ranges(f"{R38}:61000-61001")}, {"feature_consequences": (parse_token("_ablation"),)}):
        found = [len(implied(store, who, "molecular-consequences", **asked)) for who in ("P1", "P2")]
        assert found == [1, 2]
    for code, expected in (("SO:0001893", ["P1", "P2"]), ("SO:0001879", ["P2"])):
        tokens = (parse_token(f"http://www.sequenceontology.org|{code}"),)
        answer = store._answer(
            "find-population-molecular-consequences", feature_consequences=tokens, include_patient_list=True
        )
        who = [part["valueString"] for part in answer["parameter"][0]["part"] if part["name"] == "subject"]
        has = [
            one for one in ("P1", "P2") if implied(store, one, "molecular-consequences", feature_consequences=tokens)
        ]
        assert who == has == expected


# --- numbers of copies ------------------------------------------------------------------------------------------------

COPIES = [
    ({"copies_max": "1"}, sv(1000, 2000, keys="GT:CN", cell="0/1:1"), True),
    ({"copies_max": "1"}, sv(1000, 2000, keys="GT:CN", cell="0/1:2"), False),
    ({"copies_max": "1"}, sv(1000, 2000, keys="GT:CN", cell="0/1:1.5"), False),
    ({"copies_max": "1"}, sv(1000, 2000, keys="GT:CN", cell="0/1:0.4"), True),
    ({"copies_max": "1"}, sv(1000, 2000, cell="0/1"), True),
    ({"copies_max": "0"}, sv(1000, 2000, cell="0/1"), False),
    ({"copies_max": "0"}, sv(1000, 2000, cell="1|1"), True),
    ({"copies_max": "0"}, sv(1000, 2000, cell="1"), True),
    ({"copies_max": "1"}, sv(1000, 2000, cell="./1"), False),
    ({"copies_max": "1"}, sv(1000, 2000, cell="0/0/1"), False),
    ({"copies_min": "1", "copies_max": "1"}, sv(1000, 2000, cell="1/1"), False),
    ({"copies_max": "1"}, "chr1 1001 . N <DEL>,<DUP> 50 PASS SVTYPE=CNV;END=2000 GT 1/2", False),
    ({"copies_max": "1"}, sv(1000, 2000, "CNV", cell="0/1"), False),
    ({"copies_max": "1"}, sv(1000, 2000, "CNV", keys="GT:CN", cell="0/1:1"), True),
    ({"copies_min": "3"}, sv(1000, 2000, "DUP", cell="0/1"), False),
    ({"copies_min": "3"}, sv(1000, 2000, "DUP", keys="GT:CN", cell="0/1:3"), True),
    ({"copies_min": "4"}, sv(1000, 2000, "DUP", keys="GT:CN", cell="0/1:3"), False),
    ({"copies_min": "3", "copies_max": "4"}, sv(1000, 2000, "DUP", keys="GT:CN", cell="0/1:5"), False),
    ({"copies_min": "0"}, sv(1000, 2000, "INV"), False),
]  # fmt: skip


@pytest.mark.parametrize(("copies", "record", "meets"), COPIES)
def test_a_number_of_copies_is_stated_or_shown_by_the_genotype_of_a_deletion(
    store: SmallStore, copies: dict[str, str], record: str, *, meets: bool
) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", **copies))
    store.ingest(vcf(record))
    assert by_condition(store) == (["P1"] if meets else [])
    assert len(implied(store, ranges=ranges(f"{R38}:1200-1300"))) == meets


def test_calls_of_one_site_count_by_their_own_copies(store: SmallStore) -> None:
    cells = "0/1:1 0/1:2 1/1:0"
    samples = ("S1", "S2", "S3")
    store.ingest(vcf(sv(1000, 2000, keys="GT:CN", cell=cells), samples=samples), "P1", "P2", "P3")
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL", copies_max="1"),
          rule("r2", "C1", region38=f"{R38}:1200-1300", changes="DEL", copies_max="0"),
          rule("r3", "C2", region38=f"{R38}:1200-1300", changes="DEL"))  # fmt: skip
    assert by_condition(store) == ["P1", "P3"]
    assert by_condition(store, "C2") == ["P1", "P2", "P3"]
    assert [len(implied(store, one, conditions=(parse_token("urn:c|C1"),))) for one in ("P1", "P3")] == [1, 2]


def test_the_genotype_of_another_tissue_shows_no_number_of_copies(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL", copies_max="1"))
    store.ingest(vcf(sv(1000, 2000)), "P1", test="P1", source_class=SourceClass.SOMATIC)
    store.ingest(vcf(sv(1000, 2000)), "P2", test="P2")
    somatic = sv(1000, 2000, keys="GT:CN", cell="0/1:1")
    store.ingest(vcf(somatic), "P3", test="P3", source_class=SourceClass.SOMATIC)
    assert by_condition(store) == ["P2", "P3"]
    assert by_condition(store, source_class=SourceClass.GERMLINE) == ["P2"]
    assert by_condition(store, source_class=SourceClass.SOMATIC) == ["P3"]


# --- genes and builds -------------------------------------------------------------------------------------------------


def test_a_gene_is_met_at_its_place_on_either_build(store: SmallStore) -> None:
    learn(store, rule(gene="GENE", changes="DEL"))
    store.ingest(vcf(sv(900, 2100), build=B37), "P1", test="P1", build=B37)
    store.ingest(vcf(sv(60_900, 62_100)), "P2", test="P2")
    store.ingest(vcf(sv(61_001, 62_100)), "P3", test="P3")
    store.ingest(vcf(sv(900, 2100)), "P4", test="P4")
    assert by_condition(store) == ["P1", "P2"]


def test_a_rule_of_one_build_is_met_by_the_lifted_place_of_the_other(store: SmallStore) -> None:
    learn(store, rule(region37=f"{R37}:1000-2000", changes="DEL"), rule("r2", "C2", region38=f"{R38}:61000-62000",
          changes="DEL"))  # fmt: skip
    store.ingest(vcf(sv(900, 2100), build=B37), "P1", test="P1", build=B37)
    store.ingest(vcf(sv(60_900, 62_100)), "P2", test="P2")
    store.ingest(vcf(sv(900, 2100)), "P3", test="P3")
    store.ingest(vcf(sv(60_900, 62_100), build=B37), "P4", test="P4", build=B37)
    assert by_condition(store, "C1") == by_condition(store, "C2") == ["P1", "P2"]


def test_a_rule_of_both_builds_is_met_on_the_build_of_the_report(store: SmallStore) -> None:
    learn(store, rule(region37=f"{R37}:1000-2000", region38=f"{R38}:61500-61600", changes="DEL"))
    store.ingest(vcf(sv(1400, 1700), build=B37), "P1", test="P1", build=B37)
    store.ingest(vcf(sv(61_400, 61_700)), "P2", test="P2")
    assert by_condition(store) == ["P2"]


def test_a_site_without_a_place_on_the_build_of_a_rule_meets_it_when_it_gets_one(
    database: Database, tmp_path: Path
) -> None:
    bare = SmallStore(database, tmp_path, Genome({}, Liftover()))
    learn(bare, rule(region38=f"{R38}:61000-62000", changes="DEL"),
          rule("r2", "C2", region38=f"{R38}:61000-62000", changes="DEL", copies_max="1"))  # fmt: skip
    bare.ingest(vcf(sv(900, 2100), build=B37), "P1", test="P1", build=B37)
    assert by_condition(bare) == by_condition(bare, "C2") == []

    rejustify(database, GENOME, QUIET)
    store = SmallStore(database, tmp_path, GENOME)
    assert by_condition(store) == by_condition(store, "C2") == ["P1"]


REJECTED = [
    ({"gene": "GENE2", "changes": "DEL"}, "a rule for a gene that is not known: GENE2"),
    ({"gene": "GENE", "region38": f"{R38}:60999-61500", "changes": "DEL"},
     "a rule whose region is not within its gene: GENE"),
    ({"gene": "GENE", "region38": "NC_000002.12:61000-61500", "changes": "DEL"},
     "a rule whose region is not within its gene: GENE"),
    ({"region38": f"{R38}:1-9", "changes": "INV", "copies_max": "1"},
     "no usable rule: an insertion or inversion has no number of copies"),
    ({"region38": f"{R38}:1-9", "changes": "DEL", "relation": "near"},
     "no usable rule: near is neither covers nor overlaps"),
    ({"gene": "GENE", "changes": "DEL", "terms": "SO:0001587"},
     "no usable rule: no variant is structural and has a consequence for a protein"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "problem"), REJECTED)
def test_a_rule_that_cannot_be_met_is_rejected_with_its_cause(
    store: SmallStore, cells: dict[str, str], problem: str
) -> None:
    report = learn(store, rule(**cells), rule("r2", gene="GENE", region38=f"{R38}:61000-61001", changes="DEL"))
    assert (report.items, [one.problem for one in report.rejects.noted]) == (1, [problem])


def test_a_rule_for_a_gene_needs_transcripts(database: Database, tmp_path: Path) -> None:
    store = SmallStore(database, tmp_path, Genome({}, Liftover()))
    report = learn(store, rule(gene="GENE", changes="DEL"))
    assert [one.problem for one in report.rejects.noted] == ["a rule for a gene, and no transcripts are loaded: GENE"]


# --- what changes -----------------------------------------------------------------------------------------------------


def test_releases_are_switched_and_removed_with_their_rules(store: SmallStore) -> None:
    before = dump(store.database)
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"))
    learn(store, {**rule("x"), "b38_spdi": f"{R38}:5:A:G"}, version="2", beside=True)
    store.ingest(vcf(sv(1000, 2000)))
    assert by_condition(store) == ["P1"]
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, "diagnostic-1"), active=False)
    assert by_condition(store) == []
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, "diagnostic-1"), active=True)
    assert by_condition(store) == ["P1"]
    bulk.erase_subject(store.database, "P1")
    with store.database.write() as session:
        for name in ("diagnostic-1", "diagnostic-2"):
            knowledge.remove(session, knowledge.named(session, name))
    after = dump(store.database)
    assert {name: rows for name, rows in after.items() if name != "counter"} == {
        name: rows for name, rows in before.items() if name != "counter"
    }


def test_the_rule_keeps_nothing_of_whoever_is_erased(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"), rule("r2", "C2", region38=f"{R38}:1200-1300",
          copies_max="1"))  # fmt: skip
    kept = {name: rows for name, rows in dump(store.database).items() if name != "counter"}
    store.ingest(vcf(sv(1000, 2000), sv(1100, 2000)))
    store.ingest(vcf(sv(1000, 2000)), "P2", test="P2")
    assert by_condition(store) == ["P1", "P2"]
    bulk.erase_subject(store.database, "P1")
    assert by_condition(store) == by_condition(store, "C2") == ["P2"]
    bulk.erase_subject(store.database, "P2")
    assert {name: rows for name, rows in dump(store.database).items() if name != "counter"} == kept


def test_a_replaced_file_leaves_what_it_has_now(store: SmallStore) -> None:
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"))
    store.ingest(vcf(sv(1000, 2000)))
    store.store(store.file(vcf(sv(1250, 2000))), replace=True)
    assert by_condition(store) == []
    store.store(store.file(vcf(sv(1100, 2000))), replace=True)
    assert by_condition(store) == ["P1"]


def test_without_rules_no_statement_is_run_for_them(store: SmallStore) -> None:
    row = {**rule("x"), "b38_spdi": f"{R38}:1500:A:G"}
    learn(store, row)
    store.ingest(vcf("chr1 1501 . A G 50 PASS . GT 0/1", sv(1000, 2000)))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("find-subject-dx-implications", {"subject": "P1", "conditions": (parse_token("urn:c|C1"),)}),
        ("find-subject-dx-implications", {"subject": "P1", "ranges": ranges(f"{R38}:0-5000")}),
        ("find-population-dx-implications", {"conditions": (parse_token("urn:c|C1"),)}),
    ]
    for name, inputs in asked:
        with counted(store.database) as statements:
            store._answer(name, **inputs)
        assert statements
        assert not [text for text in statements if "knowledge_rule" in text or "structural" in text]


# --- beside what reports state ----------------------------------------------------------------------------------------


def reported(kind: str, says: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a deletion of 1000-2000 that certainly reaches so far, and of what it means."""
    span = {"low": {"value": 1000}, "high": {"value": 2000}}
    deletion = variant(
        coded("48019-4", "SO:0000159", system="http://www.sequenceontology.org"),
        coded("48013-7", R38, system="http://www.ncbi.nlm.nih.gov/refseq"),
        *({"code": concept(code), "valueRange": span} for code in ("81301-4", "81302-2")),
        coded("92822-6", "LA30100-4"),
        source_class(),
        id_="v1",
    )
    return bundle(deletion, implication(kind, says))


def check_both(store: SmallStore, operation: str, name: str, dialect: Dialect, **inputs: Any) -> None:
    """Check that a rule and a report say something of the one call of P1, which the answer has once."""
    entries = store.ask(f"find-subject-{operation}", subject="P1", dialect=dialect, **inputs)
    assert [entry["name"] for entry in entries] == [name, "variant", name]
    [by_rule, shown, by_report] = [entry["resource"] for entry in entries]
    assert by_rule["derivedFrom"] == by_report["derivedFrom"] == [{"reference": f"Observation/{shown['id']}"}]
    assert store.read(by_rule["id"])
    assert store.read(by_report["id"])


@pytest.mark.parametrize("dialect", Dialect)
def test_what_a_rule_and_a_report_say_of_one_call_are_two_implications_of_it(
    store: SmallStore, dialect: Dialect
) -> None:
    store_fhir(store, reported("diagnostic-implication", coded("81259-4", "C1", system="urn:c")))
    learn(store, rule(region38=f"{R38}:1200-1300", changes="DEL"), rule("r2", "C2", region38=f"{R38}:1-2",
          changes="DEL"))  # fmt: skip
    store.ingest(vcf(sv(1100, 2000)), "P2", test="T2")
    check_both(store, "dx-implications", "implication", dialect, conditions=(parse_token("urn:c|C1"),))
    check_both(store, "dx-implications", "implication", dialect, ranges=ranges(f"{R38}:1200-1300"))
    assert by_condition(store) == ["P1", "P2"]
    assert by_condition(store, "C2") == []
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, "diagnostic-1"), active=False)
    answer = store.ask("find-population-dx-implications", conditions=(parse_token("urn:c|C1"),))
    assert answer[0]["part"][0]["valueQuantity"]["value"] == 1


@pytest.mark.parametrize("dialect", Dialect)
def test_what_a_rule_and_a_report_say_a_call_does_are_two_consequences_of_it(
    store: SmallStore, dialect: Dialect
) -> None:
    ontology, ablation = "http://www.sequenceontology.org", "SO:0001893"
    says = {"code": tbd("feature-consequence"), "valueCodeableConcept": concept(ablation, ontology)}
    store_fhir(store, reported("molecular-consequence", says))
    learn(store, {"row_id": "m1", "feature_consequences.system": ontology, "feature_consequences.code": ablation,
          "rule_region38": f"{R38}:1200-1300", "rule_changes": "DEL"}, kind="consequence")  # fmt: skip
    store.ingest(vcf(sv(1100, 2000)), "P2", test="T2")
    asked = {"feature_consequences": (parse_token(f"{ontology}|{ablation}"),)}
    check_both(store, "molecular-consequences", "consequence", dialect, **asked, ranges=ranges(f"{R38}:1200-1300"))
    if dialect is Dialect.IG:
        check_both(store, "molecular-consequences", "consequence", dialect, **asked)
    answer = store.ask("find-population-molecular-consequences", include_patient_list=True, **asked)
    assert [part["valueString"] for part in answer[0]["part"] if part["name"] == "subject"] == ["P1", "P2"]
