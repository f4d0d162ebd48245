"""What tools wrote into a VCF is stored with its variants, answers, and goes when nobody carries them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap64

from app.errors import BadFile
from app.fhir.parameters import OperationInputs
from app.fhir.tokens import parse_token
from app.store import bulk, consequence_sets, file_annotations, knowledge, knowledge_pages, runs
from app.store.knowledge import Release
from app.store.knowledge_unions import rebuild
from app.store.session import Database
from tests.small_store import SmallStore
from tests.store_dump import dump

VEP = (
    '##VEP="v110" cache="/vep"\n'
    '##INFO=<ID=CSQ,Number=.,Type=String,Description="Consequence annotations from Ensembl VEP. Format: '
    'Allele|Consequence|IMPACT|SYMBOL|Feature_type|Feature|HGVSc|HGVSp|MANE_SELECT">\n'
)
OTHER_VEP = VEP.replace("v110", "v111")
ANN = (
    '##SnpEffVersion="5.1d (build 2022)"\n'
    "##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation | "
    "Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | Transcript_BioType | Rank | HGVS.c | "
    "HGVS.p | cDNA.pos' \">\n"
)


def csq(allele: str, terms: str, impact: str, transcript: str = "NM_1.1", mane: str = "") -> str:
    return f"{allele}|{terms}|{impact}|GENE|Transcript|{transcript}|{transcript}:c.1A>G|NP_1.1:p.Met1Val|{mane}"


def vcf(*records: str, header: str = VEP, samples: int = 1) -> str:
    """Return a file; a record is 'POS REF ALT GT INFO', INFO being what stands for the annotation."""
    names = "\t".join(f"S{n}" for n in range(samples))
    lines = []
    for record in records:
        pos, ref, alt, genotype, info = record.split(" ", 4)
        cells = "\t".join(genotype.split(","))
        lines.append(f"chr1\t{pos}\t.\t{ref}\t{alt}\t.\tPASS\t{info}\tGT\t{cells}\n")
    head = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=248956422>\n"
    columns = f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n"
    return head + header + columns + "".join(lines)


MISSENSE = f"101 A G 0/1 CSQ={csq('G', 'missense_variant', 'MODERATE')}"
STOP = f"201 C T 0/1 CSQ={csq('T', 'stop_gained&splice_region_variant', 'HIGH')}"
INTRON = f"301 C T 0/1 CSQ={csq('T', 'intron_variant', 'MODIFIER')}"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> SmallStore:
    return SmallStore(database, tmp_path)


def asked(store: SmallStore, name: str, **inputs: Any) -> list[dict[str, Any]]:
    if "terms" in inputs:
        inputs["feature_consequences"] = tuple(map(parse_token, inputs.pop("terms")))
    answer = json.loads(store.context.answer(name, OperationInputs(**inputs)))
    return list(answer.get("parameter", []))


def of_subject(store: SmallStore, subject: str, *terms: str, **inputs: Any) -> list[dict[str, Any]]:
    """Return the consequences of a subject."""
    found = asked(store, "find-subject-molecular-consequences", subject=subject, terms=terms, **inputs)
    return [one["resource"] for one in found if one["name"] == "consequence"]


def who(store: SmallStore, *terms: str) -> list[str]:
    """Return who has a consequence in the population."""
    [found] = asked(store, "find-population-molecular-consequences", terms=terms, include_patient_list=True)
    return sorted(part["valueString"] for part in found["part"] if part["name"] == "subject")


def annotated(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as session:
        return session.run("select variant_id, origin_id, build, body from variant_annotation order by 1, 2")


def assert_unions_hold(database: Database) -> None:
    """Hold what leads from concepts to variants, from variants to concepts, and to carriers against each other."""
    with database.read() as session:
        wanted: dict[int, dict[int, set[int]]] = {}
        for release_id, concept_id, bits in session.run("select release_id, id, targets from knowledge_concept"):
            wanted.setdefault(release_id, {})[concept_id] = set(BitMap64.deserialize(bits))
        for (release_id,) in session.run("select id from knowledge_release"):
            pairs = knowledge_pages.read(session, [release_id], knowledge_pages.pages_of(session, [release_id]))
            found: dict[int, set[int]] = {concept_id: set() for concept_id in wanted.get(release_id, {})}
            for variant_id, concept_id in zip(pairs.variant.tolist(), pairs.concept.tolist(), strict=True):
                found[concept_id].add(variant_id)
            assert found == wanted.get(release_id, {})
    before = dump(database)
    with database.write() as session:
        rebuild(session)
    assert dump(database) == before


def release(database: Database, name: str) -> Release:
    with database.read() as session:
        return knowledge.named(session, name)


def test_annotations_answer_for_subject_and_population(store: SmallStore) -> None:
    report = store.ingest(vcf(MISSENSE, STOP, INTRON), "P1")
    store.ingest(vcf("101 A G 1/1 ."), "P2")

    [found] = of_subject(store, "P1", "missense_variant")

    text = json.dumps(found)
    assert all(one in text for one in ("NM_1.1:c.1A>G", "NP_1.1:p.Met1Val", "SO:0001583", "MODERATE", "VEP v110"))
    assert store.read(found["id"]) == found
    assert (who(store, "missense_variant"), who(store, "SO:0001587")) == (["P1", "P2"], ["P1"])
    assert (len(of_subject(store, "P2", "missense")), of_subject(store, "P2", "stop_gained")) == (1, [])
    assert report.annotations == {file_annotations.STORED: 2, "intergenic, upstream, downstream or intron, and "
                                  "nothing else of the variant": 1}  # fmt: skip


def test_what_lies_in_introns_alone_costs_no_row_and_what_has_more_keeps_all(store: SmallStore) -> None:
    distant = [
        csq("G", "intron_variant&non_coding_transcript_variant", "MODIFIER"),
        csq("G", "upstream_gene_variant", "MODIFIER"),
    ]
    utr = csq("T", "5_prime_UTR_variant", "MODIFIER", "NM_2.1")
    store.ingest(
        vcf(
            f"101 A G 0/1 CSQ={','.join(distant)}",
            f"201 C T 0/1 CSQ={csq('T', 'intron_variant', 'MODIFIER')},{utr}",
            f"301 C T 0/1 CSQ={csq('T', 'intron_variant', 'LOW')}",
        ),
        "P1",
    )

    bodies = [json.loads(row[3]) for row in annotated(store.database)]

    assert [[entry[0] for entry in body] for body in bodies] == [
        ["intron_variant", "5_prime_UTR_variant"],
        ["intron_variant"],
    ]


def test_each_alt_of_a_record_has_its_own(store: SmallStore) -> None:
    info = f"CSQ={csq('G', 'missense_variant', 'MODERATE')},{csq('T', 'stop_gained', 'HIGH')}"
    store.ingest(vcf(f"101 A G,T 0/1,1/2 {info}", samples=2), "P1", "P2")

    assert (who(store, "missense_variant"), who(store, "stop_gained")) == (["P1", "P2"], ["P2"])


def test_many_samples_are_read_alike(store: SmallStore) -> None:
    genotypes = ",".join(["0/1", *["0/0"] * 69])
    names = [f"P{n}" for n in range(70)]
    store.ingest(vcf(MISSENSE.replace("0/1", genotypes), samples=70), *names)

    assert who(store, "missense_variant") == ["P0"]


def test_the_mane_transcript_comes_first(store: SmallStore) -> None:
    info = ",".join(
        [
            csq("G", "synonymous_variant", "LOW", "NM_9.1"),
            csq("G", "missense_variant", "MODERATE", "NM_1.1", mane="ENST1.1"),
        ]
    )
    store.ingest(vcf(f"101 A G 0/1 CSQ={info}"), "P1")

    assert [entry[4] for entry in json.loads(annotated(store.database)[0][3])] == ["NM_1.1", "NM_9.1"]


def test_the_first_annotation_of_a_tool_stays_and_others_are_counted(store: SmallStore) -> None:
    store.ingest(vcf(MISSENSE), "P1")
    before = annotated(store.database)

    same = store.ingest(vcf(MISSENSE), "P2")
    other = store.ingest(vcf(f"101 A G 0/1 CSQ={csq('G', 'stop_gained', 'HIGH')}"), "P3")
    by_another = store.ingest(vcf(f"101 A G 0/1 CSQ={csq('G', 'stop_gained', 'HIGH')}", header=OTHER_VEP), "P4")

    assert annotated(store.database)[: len(before)] == before
    assert (same.annotations, other.annotations[file_annotations.DIFFERING]) == ({file_annotations.STORED: 0}, 1)
    assert by_another.annotations == {file_annotations.STORED: 1}
    assert who(store, "stop_gained") == ["P1", "P2", "P3", "P4"]


def test_a_variant_that_was_known_takes_the_annotation_of_a_later_file(store: SmallStore) -> None:
    store.ingest(vcf("101 A G 0/1 ."), "P1")

    store.ingest(vcf(MISSENSE), "P2")

    assert who(store, "missense_variant") == ["P1", "P2"]


def test_the_same_file_again_changes_nothing(store: SmallStore) -> None:
    job = store.file(vcf(MISSENSE, STOP), "P1")
    store.store(job)
    before = dump(store.database)

    [report] = store.store(job)

    assert report.is_repeated
    assert report.annotations == {file_annotations.STORED: 2}
    assert dump(store.database) == before


def test_a_file_that_fails_leaves_no_annotation(store: SmallStore) -> None:
    before = dump(store.database)

    with pytest.raises(BadFile):
        store.ingest(vcf(MISSENSE, "401 A G 0/1 .", "x A G 0/1 ."), "P1")

    assert dump(store.database) == before


def test_annotations_of_an_unfinished_run_are_not_seen_and_go_with_it(store: SmallStore) -> None:
    store.ingest(vcf("101 A G 0/1 ."), "P1")
    before = dump(store.database)
    job = store.file(vcf(MISSENSE), "P2")
    source = runs.Source("x", "0" * 64, {})
    run = runs.begin(store.database, source, job.plan(["S0"], "x"))
    with store.database.write() as session:
        staged = file_annotations.pack([(0, "VEP", "v110", "[]")])
        runs.checkpoint(session, run, chunks=(), delta=None, next_record=1, progress={}, annotated=staged)
    run.next_block += 1
    assert not annotated(store.database)

    runs.discard(store.database, run)

    assert dump(store.database) == before


def test_erasing_the_last_carrier_removes_the_annotation(store: SmallStore) -> None:
    store.ingest(vcf(MISSENSE), "P1")
    store.ingest(vcf(MISSENSE, STOP), "P2")

    bulk.erase_subject(store.database, "P2")

    assert (len(annotated(store.database)), who(store, "missense_variant"), who(store, "stop_gained")) == (
        1,
        ["P1"],
        [],
    )
    bulk.erase_subject(store.database, "P1")
    assert not annotated(store.database)
    with store.database.read() as session:
        assert not consequence_sets.active(session)
        assert not session.run("select 1 from knowledge_union")


def test_withdrawn_calls_take_their_annotations_along(store: SmallStore) -> None:
    store.ingest(vcf(STOP), "P1")

    store.store(store.file(vcf(MISSENSE), "P1"), replace=True)

    assert (who(store, "stop_gained"), who(store, "missense_variant")) == ([], ["P1"])
    assert len(annotated(store.database)) == 1


def test_an_origin_can_be_switched_off_and_removed(store: SmallStore) -> None:
    store.ingest(vcf(MISSENSE), "P1")
    store.ingest(vcf(f"101 A G 0/1 ANN={'G|stop_gained|HIGH|GENE|G|transcript|NM_1.1|x|1/1|c.1A>G|p.Met1Val|1'}",
                     header=ANN), "P2")  # fmt: skip
    name = "annotation-VEP-v110"
    assert who(store, "missense_variant") == who(store, "stop_gained") == ["P1", "P2"]

    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, name), active=False)
    assert (who(store, "missense_variant"), of_subject(store, "P1", "missense_variant")) == ([], [])
    assert len(of_subject(store, "P1", "stop_gained")) == 1
    with store.database.write() as session:
        knowledge.set_active(session, knowledge.named(session, name), active=True)
    assert who(store, "missense_variant") == ["P1", "P2"]

    with store.database.write() as session:
        knowledge.remove(session, knowledge.named(session, name))
    assert [row[1] for row in annotated(store.database)] == [
        release(store.database, "annotation-SnpEff-5.1d").release_id
    ]
    assert who(store, "missense_variant") == []


def test_unions_are_those_that_a_count_from_nothing_gives(store: SmallStore) -> None:
    store.ingest(vcf("101 A G 0/1 .", STOP), "P1")
    store.ingest(vcf(MISSENSE, INTRON), "P2")
    store.ingest(vcf(MISSENSE, STOP), "P3")

    assert_unions_hold(store.database)
    bulk.erase_subject(store.database, "P2")
    assert_unions_hold(store.database)
    bulk.erase_subject(store.database, "P3")
    assert_unions_hold(store.database)
