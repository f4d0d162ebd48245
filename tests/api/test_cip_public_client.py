"""The public client of the CIP-API, pycipapi, without a patch: it lists, loads and posts against this server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests import pycipapi_program
from tests.api.test_cip_reads import DETAILS, TIME, put
from tests.cip_server import PASSWORD, CipServer, cip_server
from tests.gel_oracle import GelOracle, oracle_folder

POSTED = "clinical_report.post.40101-1.positive.json"


@pytest.fixture
def served(shared: Path, tmp_path: Path, allow_loopback: Callable[[int], None]) -> Iterator[tuple[CipServer, str]]:
    """Yield a server that listens on loopback, and its address."""
    with cip_server(f"sqlite:///{tmp_path / 'operon.db'}", tmp_path) as made:
        for name in DETAILS:
            put(made, (shared / "packs" / "cipapi" / f"{name}.detail.json").read_bytes())
        config = uvicorn.Config(made.client.app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        allow_loopback(port)
        try:
            yield made, f"http://127.0.0.1:{port}/"
        finally:
            server.should_exit = True
            thread.join(10)


def test_the_public_client_lists_loads_and_posts(served: tuple[CipServer, str], shared: Path) -> None:
    folder = oracle_folder()
    _, url = served
    pack = shared / "packs" / "cipapi"
    trio = json.loads((pack / f"{DETAILS[0]}.detail.json").read_bytes())
    task = {
        "url": url,
        "password": PASSWORD,
        "report": json.loads((pack / POSTED).read_bytes()),
        "genome": trio["interpreted_genome"][0]["interpreted_genome_data"],
    }
    done = run(folder, task)
    assert done["listed"] == [
        [40102, "1", "sent_to_gmcs", "genomics_england"],
        [40101, "1", "report_sent", "genomics_england"],
        [3106, "1", "sent_to_gmcs", "illumina"],
        [611, "2", "report_sent", "omicia"],
    ]
    cases = {one["id"]: one for one in done["cases"]}
    assert cases.keys() == {40101, 40102, 3106, 611}
    assert (cases[40101]["closed"], cases[40102]["closed"]) == (True, False)
    assert len(cases[40101]["members"]) == 3
    assert [cases[number]["genomes"] for number in (40101, 40102, 3106, 611)] == [2, 1, 1, 1]
    assert cases[3106]["referral"] == "r20000000201"
    assert done["reports"]
    assert done["paged"] == 4
    assert [version for version, _, _ in done["posted"]] == [2, 3]
    assert all(TIME.fullmatch(created) for _, _, created in done["posted"])
    assert (done["priority"], done["dispatched"], done["flags"]) == ("urgent", "dispatched", [["other", "d"]])
    assert TIME.fullmatch(done["genome"][0])
    assert done["genome"][1] == "writer"


def run(folder: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Return what the program prints that uses the client."""
    ended = subprocess.run(
        [sys.executable, pycipapi_program.__file__],
        env={"PYTHONPATH": str(folder), "PATH": os.environ.get("PATH", "")},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-4000:]
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_the_validator_of_the_original_accepts_what_is_served(
    served: tuple[CipServer, str], gel_oracle: GelOracle
) -> None:
    server, _ = served
    for number in ("40101/1", "40102/1", "3106/1", "611/2"):
        case = server.get(f"/interpretation-request/{number}/?reports_v6=true").json()
        kind = "RareDiseaseExitQuestionnaire" if case["sample_type"] == "raredisease" else "CancerExitQuestionnaire"
        reports = case["clinical_report"]
        asked = [one["exit_questionnaire"] for one in reports if one["exit_questionnaire"]]
        documents = [
            *(("InterpretedGenome", one["interpreted_genome_data"]) for one in case["interpreted_genome"]),
            *(("ClinicalReport", one["clinical_report_data"]) for one in reports),
            *((kind, one["exit_questionnaire_data"]) for one in asked),
        ]
        assert documents
        for name, document in documents:
            assert gel_oracle.accepts(name, document), (number, name, gel_oracle.problems(name, document))
