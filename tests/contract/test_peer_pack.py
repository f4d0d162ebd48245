"""The conformance pack rebuilt from the test suite of the HL7 reference implementation: loaded, served and graded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.formats.annotations import AT_A_DISTANCE
from app.records import Build
from app.variants.accessions import CONTIGS, MT, accession, length
from app.variants.interval import Interval, parse_range
from tests import client_apps as apps
from tests.answers import IMPLIED, Asking, asking, assert_counted, assert_implied
from tests.command_line import ROOT, CommandLine, free_port
from tests.gene_files import cds_row, gene_row, mrna_row, write_gff3
from tests.postman import CALLS, path_of
from tests.synthetic_transcripts import cdot_place, cdot_record, write_cdot

OPERATIONS = (
    "find-subject-variants",
    "find-subject-specific-variants",
    "find-subject-structural-intersecting-variants",
    "find-subject-structural-subsuming-variants",
    "find-population-specific-variants",
    "find-population-structural-intersecting-variants",
    "find-population-structural-subsuming-variants",
    "find-subject-haplotypes",
    "find-subject-specific-haplotypes",
    "find-population-specific-haplotypes",
    "find-study-metadata",
    "find-subject-tx-implications",
    "find-subject-dx-implications",
    "find-subject-molecular-consequences",
    "find-population-tx-implications",
    "find-population-dx-implications",
    "find-population-molecular-consequences",
)
UTILITIES = ("get-feature-coordinates", "find-the-gene")
UNKNOWN_TRANSCRIPTS = ("NM_001385641.1",)
SUBJECT_PATHS = "/subject-operations/genotype-operations/"


@dataclass(frozen=True)
class Loaded:
    operon: CommandLine
    err: str


@pytest.fixture(scope="module")
def pack(shared: Path) -> Path:
    return shared / "packs" / "fhir-operations"


@pytest.fixture(scope="module")
def loaded(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    # The command of this checkout, whatever is installed.
    command = tmp_path_factory.mktemp("bin") / "operon"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ingest.cli "$@"\n')
    command.chmod(0o755)
    environment = {
        "PATH": f"{command.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "OPERON_HOME": str(operon.home),
    }
    script = subprocess.run(["bash", pack / "load.sh"], env=environment, capture_output=True, check=False)
    operon.done("reference", "add", *feature_files(pack, tmp_path_factory.mktemp("features")))
    operon.done("knowledge", "compute")
    return Loaded(operon, script.stderr.decode())


def feature_files(pack: Path, folder: Path) -> list[Path]:
    """Write the genes, transcripts and proteins of the pack as the public files would have them."""
    features = json.loads((pack / "data" / "features" / "features.json").read_text("utf-8"))
    genes, described = features["genes"], features["transcripts"]
    records = [record_of_gene(gene, name) for gene in genes for name in gene["transcripts"]]
    records += [record_of_transcript(transcript) for transcript in described]
    mane = [name for gene in genes for name in gene["MANE"]] + [one["transcript"] for one in described if one["MANE"]]
    rows = [mrna_row(name, tag="MANE Select") for name in mane]
    for protein in features["proteins"]:
        rows.append(cds_row(protein["protein"], f"rna-{protein['transcript']}", protein["proteinName"]))
    files = [write_cdot(folder / "transcripts.json", *records)]
    for build in Build:
        listed = [row_of_gene(gene, build) for gene in genes]
        more = rows if build is Build.GRCH38 else []
        files.append(write_gff3(folder / f"{build}.gff.gz", *listed, *more, assembly=build.value))
    return files


def place(feature: dict[str, Any], build: Build) -> Interval:
    """Return the range of a feature of the pack on one build."""
    return parse_range(feature[f"build{build.value[-2:]}Coordinates"])


def row_of_gene(gene: dict[str, Any], build: Build) -> str:
    found, hgnc = place(gene, build), int(gene["geneId"].removeprefix("HGNC:"))
    contig = int(found.ref_seq[3:9])
    return gene_row(gene["geneSymbol"], (found.start, found.end), hgnc=hgnc, build=build, contig=contig)


def record_of_gene(gene: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a transcript of which the pack tells the gene alone: its first ten bases stand for it."""
    places = {}
    for build in Build:
        found = place(gene, build)
        exon = (found.start, found.start + 10, 0, 1, 10)
        places[build] = cdot_place(build, [exon]) | {"contig": found.ref_seq}
    names = {"gene_name": gene["geneSymbol"], "hgnc": gene["geneId"].removeprefix("HGNC:")}
    return cdot_record(name, places, **names)


def record_of_transcript(transcript: dict[str, Any]) -> dict[str, Any]:
    """Return a transcript of the pack with its exons and codons."""
    places, codons = {}, {}
    for build in Build:
        number, at, exons = build.value[-2:], 0, []
        strand = transcript[f"build{number}Strand"]
        start, stop = transcript[f"build{number}CDSEnd"], transcript[f"build{number}CDSStart"]
        assert strand == "-"
        for one in sorted(transcript["exons"], key=lambda exon: exon["exonNumber"]):
            exon = place(one, build)
            if exon.start < start <= exon.end:
                codons["start_codon"] = at + exon.end - start
            if exon.start <= stop < exon.end:
                codons["stop_codon"] = at + exon.end - stop
            size = exon.end - exon.start
            exons.append((exon.start, exon.end, one["exonNumber"] - 1, at + 1, at + size))
            at += size
        places[build] = cdot_place(build, exons, strand=strand) | {"contig": place(transcript, build).ref_seq}
    return cdot_record(transcript["transcript"], places, gene_name=transcript["geneSymbol"], hgnc=None, **codons)


@pytest.fixture(scope="module")
def asked(loaded: Loaded) -> Iterator[Asking]:
    with asking(loaded.operon.home) as opened:
        yield opened


@pytest.fixture
def base_url(loaded: Loaded, allow_loopback: Callable[[int], None]) -> Iterator[str]:
    port = free_port()
    allow_loopback(port)
    server = loaded.operon.start("serve", "--port", str(port), log_level="error")
    assert server.stdout is not None
    assert server.stderr is not None
    with server.stdout, server.stderr:
        try:
            await_ready(server, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def await_ready(server: subprocess.Popen[bytes], base: str) -> None:
    for _ in range(600):
        with suppress(urllib.error.URLError), urllib.request.urlopen(f"{base}/readyz", timeout=5) as answer:
            assert json.load(answer)["status"] == "ok"
            return
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            break
    raise RuntimeError("the server did not start")


def test_everything_of_the_pack_is_loaded(loaded: Loaded) -> None:
    assert "load.sh: failed" not in loaded.err, loaded.err
    releases = [json.loads(line) for line in loaded.operon.done("knowledge", "list").out.splitlines()]
    given = [one for one in releases if not one["release"].startswith(("annotation-", "computed"))]
    assert [(one["active"], one["rejected"], one["items"] > 0) for one in given] == 3 * [(True, 0, True)]


def test_every_patient_exists(loaded: Loaded, pack: Path) -> None:
    named = {patient["patientID"] for patient in json.loads((pack / "data" / "patients.json").read_text("utf-8"))}
    rows = loaded.operon.rows("select subject_id from subject")
    assert len(rows) == 1116
    assert {subject for (subject,) in rows} == named


def test_wrong_base_of_a_deletion_does_not_refuse_its_file(loaded: Loaded, pack: Path) -> None:
    [file] = (pack / "data" / "vcf").glob("ABC789.*.vcf.gz")
    rows = loaded.operon.rows(
        "select cs.source from call_set cs join study st on st.id = cs.study_id"
        " join subject s on s.ordinal = st.subject_ordinal where s.subject_id = 'ABC789'"
    )
    assert rows == [(file.name,)]


def test_answers_are_graded_as_those_of_the_reference_implementation(base_url: str, pack: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--base-url", base_url, "--only", ",".join(OPERATIONS), "--report", str(report)]
    graded = subprocess.run(
        [sys.executable, str(pack / "compare.py"), *options, "-v"], capture_output=True, check=False
    )
    totals: dict[str, int] = json.loads(report.read_bytes())["totals"]
    assert totals.get("different", 0) == 0, graded.stdout.decode()
    assert graded.returncode == 0
    assert sum(totals.values()) >= 58


def spoiled(body: dict[str, Any]) -> dict[str, Any]:
    """Return an answer that says something else: the other presence, another count, one parameter less or more.

    Of implications all are left out, since several rows say the same.
    """
    entries = body.get("parameter", [])
    touched = False
    for part in [part for entry in entries for part in entry.get("part", [])]:
        if part["name"] == "presence":
            part["valueBoolean"], touched = not part["valueBoolean"], True
        elif part["name"] == "numerator":
            part["valueQuantity"]["value"] += 1
            touched = True
    if not touched:
        invented = {"name": "variants", "part": [{"name": "presence", "valueBoolean": True}]}
        entries = [] if any("resource" in entry for entry in entries) else entries[1:] or [invented]
    return {"resourceType": "Parameters", "parameter": entries}


@contextmanager
def serving_spoiled(asked: Asking) -> Iterator[int]:
    """Serve answers that are wrong: spoiled ones, and good news where an error is due."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = asked.client.get(self.path)
            body = spoiled(answer.json()) if answer.status == 200 else {"resourceType": "Parameters"}
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield http.server_address[1]
        finally:
            http.shutdown()
            thread.join()


def test_wrong_answers_would_be_graded_as_different(asked: Asking, pack: Path, tmp_path: Path) -> None:
    """The grading is no rubber stamp: of answers that are spoiled on their way, not one passes."""
    report = tmp_path / "report.json"
    with serving_spoiled(asked) as port:
        options = ["--base-url", f"http://127.0.0.1:{port}", "--only", ",".join(OPERATIONS), "--report", str(report)]
        graded = subprocess.run(
            [sys.executable, str(pack / "compare.py"), *options, "-v"], capture_output=True, check=False
        )
    totals: dict[str, int] = json.loads(report.read_bytes())["totals"]
    assert set(totals) == {"different"}, graded.stdout.decode()
    assert totals["different"] >= 14
    assert graded.returncode == 1


def test_utilities_answer_as_those_of_the_reference_implementation(base_url: str, pack: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--base-url", base_url, "--only", ",".join(UTILITIES), "--report", str(report)]
    graded = subprocess.run(
        [sys.executable, str(pack / "compare.py"), *options, "-v"], capture_output=True, check=False
    )
    totals: dict[str, int] = json.loads(report.read_bytes())["totals"]
    assert set(totals) == {"identical"}, graded.stdout.decode()
    assert totals["identical"] >= 6


def test_links_are_those_of_the_pack(asked: Asking, pack: Path) -> None:
    features = json.loads((pack / "data" / "features" / "features.json").read_text("utf-8"))
    for kind, key in (("genes", "geneSymbol"), ("transcripts", "transcript"), ("proteins", "protein")):
        for feature in features[kind]:
            answer = asked.client.get(f"/utilities/get-feature-coordinates?{kind.rstrip('s')}={feature[key]}").json()
            [found] = answer if isinstance(answer, list) else [answer]
            links = {name: text for name, text in feature.items() if name.endswith("Link")}
            assert links.items() <= found.items()


def reference(asked: Asking, operation: str, *inputs: tuple[str, str]) -> list[dict[str, Any]]:
    base = SUBJECT_PATHS if "subject" in operation else "/population-operations/genotype-operations/"
    answer = asked.get(operation, *inputs, base=base)
    assert answer.status == 200, answer.body
    return answer.json()["parameter"]


def names(entry: dict[str, Any]) -> list[str]:
    return [part["name"] for part in entry["part"]]


def spdis(entry: dict[str, Any]) -> list[str]:
    texts = [json.dumps(part["resource"]) for part in entry["part"] if part["name"] == "variant"]
    return sorted(re.findall(r'"code": "(NC_[0-9.]+:[0-9]+:[ACGT]*:[ACGT]*)"', text)[0] for text in texts)


def test_gene_has_the_same_variants_on_either_build(asked: Asking) -> None:
    answers = [
        reference(asked, "find-subject-variants", ("subject", "HG00403"), ("ranges", ranges))
        for ranges in ("NC_000019.9:11200138-11244496", "NC_000019.10:11089431-11133820")
    ]
    (on_37,), (on_38,) = answers
    assert spdis(on_37) == spdis(on_38)
    assert names(on_37).count("variant") == 19


def test_range_given_twice_is_answered_twice(asked: Asking) -> None:
    gene = "NC_000002.12:178525988-178807423"
    question = [("subject", "NB6TK329"), ("testIdentifiers", "TL000016660-ASM"), ("ranges", f"{gene}, {gene}")]
    one, other = reference(asked, "find-subject-variants", *question)
    assert one == other


def test_phase_of_a_pair_is_told(asked: Asking) -> None:
    question = [("subject", "NB6TK329"), ("ranges", "NC_000001.11:2629432-2629470"), ("includePhasing", "true")]
    [entry] = reference(asked, "find-subject-variants", *question)
    assert names(entry) == ["rangeItem", "presence", "variant", "variant", "sequencePhaseRelationship"]
    assert entry["part"][4]["resource"]["valueCodeableConcept"]["coding"][0]["code"] == "Cis"


def test_hgvs_and_spdi_are_the_same_question(asked: Asking) -> None:
    texts = ["NC_000005.9:g.112102032A>T", "NC_000005.9:112102031:A:T", "NM_001127510.3:c.145A>T"]
    answer = reference(asked, "find-subject-specific-variants", ("subject", "m123"), ("variants", ",".join(texts)))
    assert [spdis(entry) for entry in answer] == 3 * [["NC_000005.9:112102031:A:T"]]


def test_absent_variants_are_seven_items_in_order(asked: Asking) -> None:
    variants = [
        "NC_000005.9:112154946:CC:C",
        "NC_000005.9:112157612:C:T",
        "NC_000017.10:41246373:G:",
        "NC_000017.10:41243854:AAA:AAAA",
        "NC_000013.10:32900284:C:A",
        "NC_000019.9:11216262:C:A",
        "NC_000014.8:23894101:A:T",
    ]
    question = [("subject", "HG00404"), ("variants", ",".join(variants))]
    answer = reference(asked, "find-subject-specific-variants", *question)
    assert [(entry["part"][0]["valueString"], entry["part"][1]["valueBoolean"]) for entry in answer] == [
        (text, False) for text in variants
    ]


def test_people_with_all_three_variants_are_six(asked: Asking) -> None:
    variants = ["144931726:G:A", "145532548:T:C", "145592072:A:T"]
    # The stray subject belongs to no population question and is ignored.
    question = [("subject", "HG00403"), *(("variants", f"NC_000001.10:{text}") for text in variants)]
    [entry] = reference(asked, "find-population-specific-variants", *question, ("includePatientList", "true"))
    numbers = [part["valueQuantity"]["value"] for part in entry["part"] if "valueQuantity" in part]
    assert numbers == [6, 1116]
    assert names(entry).count("subject") == 6


TOKENS = (
    "CYP2C19", "CYP2C19 *1/*17", "cyp2c19 *17/*1", "CYP2C19 *1", "CYP2C19 *17", "*1/*1", "CYP2D6 *1/*4", "CYP2D6 *41",
    "http://www.pharmvar.org|CYP2C19 *1/*17", "https://www.pharmvar.org|CYP2C19 *17", "|CYP2C9 *1/*2", "HLA-B",
    "HLA-B*27", "B*8", "HLA-A*01", "DRB1*13:02", "DRB1*13:AKBAR", "HLA-DRB1*03",
    "hla#3.33.0#HLA-B*08:01/HLA-B*40:01", "nothing",
)  # fmt: skip


def test_subjects_that_have_a_haplotype_are_those_that_are_counted(asked: Asking, pack: Path) -> None:
    operations = ("find-subject-specific-haplotypes", "find-population-specific-haplotypes")
    present = assert_counted(asked, patients_of(pack), operations, "haplotypes", TOKENS)
    assert len(present["CYP2C19"]) == 1032
    assert (present["HLA-B*27"], present["nothing"]) == (set(), set())
    assert present["DRB1*13:02"] == {"XYZ234"}


STRUCTURAL = ("intersecting", "subsuming")


def patients_of(pack: Path) -> list[str]:
    return sorted(patient["patientID"] for patient in json.loads((pack / "data" / "patients.json").read_text("utf-8")))


def stored_variants(asked: Asking, patients: Sequence[str]) -> list[str]:
    """Return some variants of every subject with calls, by SPDI: at most four of each chromosome."""
    contigs = [contig for contig in CONTIGS if contig != MT]
    ranges = ",".join(f"{accession(Build.GRCH37, contig)}:0-{length(Build.GRCH37, contig)}" for contig in contigs)
    found: list[str] = []
    for patient in patients:
        answer = asked.parameters(
            "find-subject-variants", ("subject", patient), ("ranges", ranges), ("includeVariants", "true")
        )
        found += [text for entry in answer for text in spdis(entry)[:4]]
    return list(dict.fromkeys(found))


def test_subjects_that_have_a_variant_are_those_that_are_counted(asked: Asking, pack: Path) -> None:
    patients = patients_of(pack)
    items = stored_variants(asked, patients)
    carriers = 0
    for at in range(0, len(items), 40):
        some = items[at : at + 40]
        operations = ("find-subject-specific-variants", "find-population-specific-variants")
        carriers += sum(map(len, assert_counted(asked, patients, operations, "variants", some).values()))
    assert len(items) >= 20
    assert carriers >= 100


@pytest.mark.parametrize("relation", STRUCTURAL)
def test_subjects_that_have_a_structural_variant_are_those_that_are_counted(
    asked: Asking, pack: Path, relation: str
) -> None:
    ranges = [
        "NC_000007.14:116672195-116798386", "NC_000007.13:116312249-116438431", "NC_000022.10:42522500-42526812",
        "NC_000022.11:42126498-42130810", "NC_000017.11:43044294-43125364", "NC_000013.11:32315507-32400268",
        "NC_000002.12:178525988-178807423", "NC_000002.11:179390715-179672150", "NC_000017.10:37844346-37884911",
        "NC_000007.14:55019016-55211628", "NC_000004.12:54727415-54727542",
    ]  # fmt: skip
    operations = (f"find-subject-structural-{relation}-variants", f"find-population-structural-{relation}-variants")
    present = assert_counted(asked, patients_of(pack), operations, "ranges", ranges)
    assert sum(map(len, present.values())) >= 4


KINDS = {"find-subject-dx-implications": 1, "find-subject-tx-implications": 2, "find-subject-molecular-consequences": 3}
ROLES = {"conditions": 1, "treatments": 2, "featureConsequences": 3}


@pytest.mark.parametrize(("operation", "name"), IMPLIED)
def test_subjects_that_are_told_an_implication_are_those_that_are_counted(
    asked: Asking, loaded: Loaded, pack: Path, operation: str, name: str
) -> None:
    concepts = loaded.operon.rows(
        "select distinct system, code, display from knowledge_concept where kind = ? and role = ? order by 1, 2, 3",
        KINDS[operation],
        ROLES[name],
    )
    concepts = [one for one in concepts if one[2] not in AT_A_DISTANCE]  # these alone are refused
    present = assert_implied(asked, patients_of(pack), operation, name, concepts)
    assert any(present.values())
    assert len(set(map(len, present.values()))) > 1 or len(concepts) < 3


@pytest.mark.parametrize("operation", ["dx-implications", "tx-implications", "molecular-consequences"])
def test_subjects_with_a_variant_that_means_something_are_those_that_are_counted(
    asked: Asking, loaded: Loaded, pack: Path, operation: str
) -> None:
    called = [
        row[0]
        for row in loaded.operon.rows(
            "select distinct s.subject_id from subject s join study t on t.subject_ordinal = s.ordinal"
            " join call_set c on c.study_id = t.id order by 1"
        )
    ]
    items = stored_variants(asked, called)
    told = {}
    for patient in called:
        answer = asked.client.form(
            f"/fhir/$find-subject-{operation}", f"subject={patient}&variants={','.join(items)}"
        ).json()
        found = [entry["resource"] for entry in answer.get("parameter", []) if entry["name"] == "variant"]
        told[patient] = {text for one in found for text in re.findall(r"NC_[0-9.]+:[0-9]+:[ACGT]*:[ACGT]*", str(one))}
    for item in items:
        [entry] = asked.parameters(f"find-population-{operation}", ("variants", item), ("includePatientList", "true"))
        listed = [part["valueString"] for part in entry["part"] if part["name"] == "subject"]
        assert listed == [patient for patient in called if item in told[patient]], item
    assert sum(map(bool, told.values())) >= 2


@pytest.mark.parametrize("subject", ["NB6TK328", "XYZ123", "XYZ234"])
def test_code_of_a_genotype_is_the_question_that_finds_it(asked: Asking, subject: str) -> None:
    genes = "http://www.genenames.org/geneId|HGNC:2625,http://www.genenames.org|2621,HLA-B,HGNC:4948"
    entries = reference(asked, "find-subject-haplotypes", ("subject", subject), ("genes", genes))
    found = [part["resource"] for entry in entries for part in entry["part"] if part["name"] == "genotype"]
    assert found
    for genotype in found:
        code = genotype["valueCodeableConcept"]["coding"][0]["code"]
        question = [("subject", subject), ("haplotypes", code)]
        [entry] = reference(asked, "find-subject-specific-haplotypes", *question)
        assert genotype in [part.get("resource") for part in entry["part"]]


@pytest.mark.parametrize(("name", "query"), [(name, query) for name, queries in CALLS.items() for query in queries])
def test_requests_of_the_postman_collection_are_answered(asked: Asking, name: str, query: str) -> None:
    answer = asked.client.get(f"{path_of(name)}?{query}")

    refused = [transcript for transcript in UNKNOWN_TRANSCRIPTS if transcript in query]
    assert answer.status == (400 if refused else 200), answer.body
    if refused:
        return
    found = answer.json()
    if name in UTILITIES:
        assert found
    else:
        assert found["resourceType"] == "Parameters"
        assert found.get("parameter") or name.endswith(("implications", "consequences"))


# --- published clients ------------------------------------------------------------------------------------------------

PGX_SUBJECTS = ("XYZ234", "NB6TK328", "NB6TK329", "XYZ123", "XYZ345")
WITH_CALLS = ("NB6TK329", "HG00403", "huC30902", "HG02657", "CA12345", "HCC1143", "m123", "ABC789")
MENDELIAN = (
    "NC_000005.9:112043194-112181936", "NC_000017.10:41196311-41277381", "NC_000013.10:32889644-32974405",
    "NC_000019.9:11200138-11244496", "NC_000006.11:26087508-26095469", "NC_000007.13:140413127-140624729",
)  # fmt: skip


@pytest.fixture
def fetch(asked: Asking) -> apps.Fetch:
    def fetched(path: str) -> Any:
        answer = asked.client.get(path, accept="application/json")
        assert answer.status == 200, (path, answer.body)
        return answer.json()

    return fetched


def test_simple_app_lists_the_variants_of_a_gene(fetch: apps.Fetch) -> None:
    assert len(apps.simple_app(fetch, "HG00403", "NC_000019.9:11200138-11244496")) == 19


@pytest.mark.parametrize("subject", [*WITH_CALLS, *PGX_SUBJECTS])
def test_get_variants_lists_what_a_subject_has_in_a_gene(fetch: apps.Fetch, subject: str) -> None:
    for gene in ("APC", "BRCA1", "BRCA2", "CYP2D6", "MET", "NOGENE"):
        apps.get_variants(fetch, subject, gene)


@pytest.mark.parametrize("condition", apps.SCREENED)
def test_genetic_screening_has_rows_for_every_listed_subject(fetch: apps.Fetch, condition: str) -> None:
    screened = apps.genetic_screening(fetch, condition)
    assert all(screened.values())
    assert all(all(row) for rows in screened.values() for row in rows)


def test_genetic_screening_finds_somebody(fetch: apps.Fetch) -> None:
    assert len(apps.genetic_screening(fetch, apps.SCREENED[0])) == 5


@pytest.mark.parametrize("subject", PGX_SUBJECTS)
def test_columns_of_pgx_screening_are_equally_long(fetch: apps.Fetch, subject: str) -> None:
    columns = apps.pgx_screening(fetch, subject)
    assert len(set(map(len, columns.values()))) == 1, columns
    assert all(cell for column in columns.values() for cell in column)
    if subject == "NB6TK328":
        assert len(columns["genotype"]) >= 16


@pytest.mark.parametrize("subject", WITH_CALLS)
def test_mendelian_screening_joins_what_three_operations_say(fetch: apps.Fetch, subject: str) -> None:
    found = [row for ranges in MENDELIAN for row in apps.mendelian_screening(fetch, subject, ranges).values()]
    assert all("spdi" in row for row in found)
    impacts = {impact for row in found for impact, _ in row["consequences"]}
    assert impacts <= {"HIGH", "MODERATE", "LOW", "MODIFIER"}
    if subject == "HG00403":
        assert sum(len(row["implications"]) for row in found) >= 80


def test_polygenic_score_adds_up_alleles(fetch: apps.Fetch) -> None:
    alleles = [(f"NC_000001.10:{text}", 1.0, False) for text in ("144931726:G:A", "145532548:T:C", "145592072:A:T")]
    assert apps.polygenic_score(fetch, "HG00403", alleles) >= 0
    assert apps.polygenic_score(fetch, "HG00403", [(spdi, 1.0, True) for spdi, _, _ in alleles]) >= 0


@pytest.mark.parametrize("gene", ["APC", "BRCA1", "LDLR"])
def test_rare_disease_app_reads_phases(fetch: apps.Fetch, gene: str) -> None:
    if not fetch(f"/utilities/get-feature-coordinates?gene={gene}"):
        return
    for subject in WITH_CALLS:
        ids, together = apps.rare_disease_app(fetch, subject, gene)
        assert {id_ for pair in together for id_ in pair} <= set(ids)
