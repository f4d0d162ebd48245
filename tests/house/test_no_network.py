"""Nothing reaches for a network: not on import, not while data are loaded, not while questions are answered.

A fresh interpreter is watched from its first line, since here everything is imported already. What a library opens in
C (libpq, htslib) is not seen by an audit hook; htslib never gets a name that it could take for a URL.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pyliftover
import pytest

from app.errors import CannotNormalize
from app.records import Build
from app.variants.hgvs import read_hgvs
from app.variants.liftover import add_chain, load_liftover
from tests.demo_files import DEMO
from tests.network_guard import guard

WATCH = """
import json, socket, sys
from tests.network_guard import guard

opened, told = [], {}

def audit(event, arguments):
    # An event loop wakes itself up through a pair of Unix sockets, which leads nowhere.
    if event == "socket.__new__" and arguments[1] != socket.AF_UNIX:
        opened.append(f"socket of family {arguments[1]}")
    elif event in ("urllib.Request", "http.client.connect", "ftplib.connect"):
        opened.append(event)

sys.addaudithook(audit)
guard.install()
"""
TELL = """
print(json.dumps({"opened": opened, "refused": guard.refused, "told": told, "modules": sorted(sys.modules)}))
"""

LOAD_AND_ASK = """
from pathlib import Path
from tests.command_line import CommandLine
from tests.answers import asking

operon = CommandLine(Path(sys.argv[1]))
operon.done("demo", "--no-serve", "--quiet")
with asking(operon.home) as asked:
    child = ("subject", "demo-child")
    told["statuses"] = [
        asked.get("find-subject-variants", child, ("ranges", "NC_000017.11:43044294-43125482")).status,
        asked.get("find-subject-specific-variants", child, ("variants", "NC_000007.13:g.117199645del")).status,
        asked.get("find-population-specific-variants", ("variants", "NC_000006.12:26092912:G:A")).status,
    ]
    for path in ("/", "/docs", "/fhir/metadata", "/openapi.json", "/readyz", "/metrics"):
        told["statuses"].append(asked.client.get(path).status)
"""


def watched(statements: str, folder: Path, root: Path) -> dict[str, Any]:
    """Run statements in a fresh interpreter and return what it opened and what it told."""
    program = WATCH + textwrap.dedent(statements) + TELL
    ended = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=root, capture_output=True, check=False, text=True
    )
    assert ended.returncode == 0, ended.stderr
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def test_import_opens_no_socket(tmp_path: Path, root: Path) -> None:
    seen = watched("import app.main, ingest.cli, app.variants.hgvs, app.variants.liftover", tmp_path, root)
    assert (seen["opened"], seen["refused"]) == ([], [])


def test_loading_and_asking_open_no_socket(tmp_path: Path, root: Path) -> None:
    seen = watched(LOAD_AND_ASK, tmp_path, root)
    assert seen["told"]["statuses"] == 9 * [200]
    assert (seen["opened"], seen["refused"]) == ([], [])
    # Both were at work, and neither with the part that asks a server.
    assert {"hgvs.parser", "pyliftover"} <= set(seen["modules"])
    assert not {"hgvs.dataproviders.uta", "hgvs.dataproviders.seqfetcher", "requests"} & set(seen["modules"])


@pytest.mark.parametrize(
    "statement",
    [
        "socket.socket()",
        "from urllib.request import Request, urlopen\ntry: urlopen('http://192.0.2.1/')\nexcept RuntimeError: pass",
    ],
    ids=["socket", "request"],
)
def test_watch_would_notice(tmp_path: Path, root: Path, statement: str) -> None:
    assert watched(statement, tmp_path, root)["opened"] != []


@pytest.mark.parametrize(
    "text", ["NC_000017.10:g.41246374G>A", "NC_000007.13:g.117199646_117199648delCTT", "NC_012920.1:m.1555A>G"]
)
def test_reading_genomic_hgvs_asks_nobody(text: str) -> None:
    assert read_hgvs(text, {}).ref_seq == text.partition(":")[0]
    assert guard.refused == []


def test_transcript_is_refused_rather_than_looked_up() -> None:
    with pytest.raises(CannotNormalize, match="transcript"):
        read_hgvs("NM_000059.3:c.7G>A", {})
    assert guard.refused == []


def test_chains_are_read_without_the_part_of_pyliftover_that_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: Any, **__: Any) -> None:
        raise AssertionError("a chain file was looked for outside the reference folder")

    monkeypatch.setattr(pyliftover.liftover, "open_liftover_chain_file", download)
    for build in Build:
        add_chain(tmp_path, build, build.other, DEMO / "chain" / f"{build}_to_{build.other}.chain")
    lifted = load_liftover(tmp_path).lift_interval(Build.GRCH37, 17, 41209079, 41209082)
    assert (lifted.start, lifted.end) == (43057062, 43057065)
