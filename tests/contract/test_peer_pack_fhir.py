"""The conformance pack once more, its data ingested as FHIR Bundles: graded as it is after its VCFs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, add_chains, add_windows, free_port
from tests.contract.test_peer_pack import OPERATIONS, await_ready

CALLS, STRUCTURAL, GENOTYPES, IMPLICATIONS = 183, 6, 1046, 2251

BY_TABLE_ALONE = {"find-subject-specific-haplotypes/3"}
"""DRB1*13:AKBAR stands for several alleles, which the pack's table lists and its Bundles do not"""

BY_STUDIES = {f"find-study-metadata/{number}" for number in (1, 2, 3)}
"""The pack's Bundles have no study, so the Bundle names the one test of its subject; the VCFs' table names each"""

ON_IMPLICATIONS = tuple(
    f"find-{whose}-{what}"
    for whose in ("subject", "population")
    for what in ("dx-implications", "tx-implications", "molecular-consequences")
)

IMPLICATION_CASES, IDENTICAL_IMPLICATIONS = 20, 14
"""No knowledge is loaded: every answer is what the Bundles state. What is not identical differs in population allele
frequencies, which are not kept, and in consequences that are computed for further transcripts"""

STRUCTURAL_CASES = 10
"""Cases of the four structural operations: none of them differs"""


@pytest.fixture(scope="module")
def loaded(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    pack, work = shared / "packs" / "fhir-operations", tmp_path_factory.mktemp("windows")
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("db", "upgrade")
    add_chains(operon, shared)
    known = pack / "data" / "reference" / "known_bases.tsv"
    subprocess.run([sys.executable, pack / "known_windows.py", known, work], check=True, capture_output=True)
    for build in ("GRCh37", "GRCh38"):
        operon.done("reference", "add", "--assembly", build, work / f"{build}.fa")
    add_windows(operon, shared)
    operon.done("reference", "add-transcripts", shared / "data" / "transcripts" / "cdot_clinical.json")
    report = work / "report.json"
    operon.done("ingest", "fhir", "--quiet", "--report", report, *sorted((pack / "data" / "fhir").glob("*.json")))
    (operon.home / "report.json").write_bytes(report.read_bytes())
    return operon


@pytest.fixture
def base_url(loaded: CommandLine, allow_loopback: Callable[[int], None]) -> Iterator[str]:
    port = free_port()
    allow_loopback(port)
    server = loaded.start("serve", "--port", str(port), log_level="error")
    assert server.stdout is not None
    assert server.stderr is not None
    with server.stdout, server.stderr:
        try:
            await_ready(server, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def test_every_variant_is_stored_and_what_is_not_is_counted(loaded: CommandLine) -> None:
    reports = json.loads((loaded.home / "report.json").read_bytes())
    assert len(reports) == 1116
    assert sum(report["calls"] for report in reports) == CALLS
    assert sum(report["structural_calls"] for report in reports) == STRUCTURAL
    assert sum(report["genotypes"] for report in reports) == GENOTYPES
    assert not any(report["refused"] for report in reports)
    assert sum(report["implications"] for report in reports) == IMPLICATIONS
    assert not any(report["skipped"] for report in reports)


def test_answers_are_graded_as_after_the_vcfs(base_url: str, shared: Path, tmp_path: Path) -> None:
    pack, report = shared / "packs" / "fhir-operations", tmp_path / "report.json"
    options = ["--base-url", base_url, "--only", ",".join(OPERATIONS), "--report", str(report)]
    graded = subprocess.run(
        [sys.executable, str(pack / "compare.py"), *options, "-v"], capture_output=True, check=False
    )
    totals: dict[str, int] = json.loads(report.read_bytes())["totals"]
    text = graded.stdout.decode()
    assert set(re.findall(r"^DIFFERENT +(\S+)", text, re.MULTILINE)) == BY_TABLE_ALONE | BY_STUDIES, text
    assert totals["different"] == len(BY_TABLE_ALONE | BY_STUDIES)
    assert len(re.findall(r"^(?:IDENTICAL|SAME) +\S+-structural-\S+", text, re.MULTILINE)) == STRUCTURAL_CASES, text
    assert totals["identical"] + totals["same"] >= 34


def test_what_comes_out_goes_into_another_store_and_comes_out_alike(
    loaded: CommandLine, shared: Path, tmp_path: Path
) -> None:
    other = CommandLine(tmp_path / "home")
    other.done("db", "upgrade")
    (other.home / "reference").symlink_to(loaded.home / "reference")
    for subject in ("NB6TK329", "HG00403", "m123", "ABC789", "HCC1143"):
        written = tmp_path / f"{subject}.json"
        loaded.done("export", "fhir", subject, "--output", written)
        other.done("ingest", "fhir", written, "--quiet")
        assert other.done("export", "fhir", subject).out == written.read_text("utf-8")


def test_implications_of_the_bundles_are_graded_as_knowledge_is(base_url: str, shared: Path, tmp_path: Path) -> None:
    pack, report = shared / "packs" / "fhir-operations", tmp_path / "report.json"
    options = ["--base-url", base_url, "--only", ",".join(ON_IMPLICATIONS), "--report", str(report)]
    graded = subprocess.run(
        [sys.executable, str(pack / "compare.py"), *options, "-v"], capture_output=True, check=False
    )
    totals: dict[str, int] = json.loads(report.read_bytes())["totals"]
    assert totals.get("different", 0) == 0, graded.stdout.decode()
    assert totals["identical"] >= IDENTICAL_IMPLICATIONS
    assert totals["identical"] + totals["same"] == IMPLICATION_CASES
