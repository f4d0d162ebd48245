"""``operon ingest cip-api --from-server``: what is printed, what is refused, and how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from tests.cip_stub import SECRET, TENANT, CipStub, running
from tests.command_line import CommandLine, Ended
from tests.unit.test_cip_sync import detail, path_of


class Fetching:
    """The command on one store and one server."""

    def __init__(self, operon: CommandLine, stub: CipStub) -> None:
        self.operon = operon
        self.stub = stub

    def run(self, *options: str, name: str = "TEST") -> Ended:
        return self.operon.run("ingest", "cip-api", "--from-server", name, *options, cip_login_url=self.stub.host)


@pytest.fixture
def fetching(
    tmp_path: Path, allow_loopback: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fetching]:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with running() as stub:
        allow_loopback(stub.port)
        variables = {
            "CIPAPI_BASE_URL": stub.host,
            "CIPAPI_TENANT_ID": TENANT,
            "CIPAPI_CLIENT_ID": "client",
            "CIPAPI_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        }
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)
        yield Fetching(operon, stub)


def test_the_environment_is_shown_and_every_case_has_a_line(fetching: Fetching):
    fetching.stub.put_cases(detail(7), detail(8))
    ended = fetching.run()
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.startswith(f"Fetching from TEST ({fetching.stub.api})\n")
    assert "[1/2] 7-1 new (0 SNV, 0 SV, 0 STR)\n[2/2] 8-1 new" in ended.err
    assert "2 cases listed: 2 new\n" in ended.err
    assert SECRET not in ended.err
    assert fetching.operon.rows("select distinct origin from cip_case") == [("TEST",)]
    assert "2 cases listed: 2 unchanged\n" in fetching.run().err
    assert fetching.run("--quiet").err == ""


def test_a_dry_run_says_what_would_be_fetched(fetching: Fetching):
    fetching.stub.put_cases(detail(7), detail(8))
    before = fetching.operon.dump()
    assert fetching.run("--dry-run").out == "7-1 new\n8-1 new\n"
    told = json.loads(fetching.run("--dry-run", "--json", "--limit", "1").out)
    assert told["fetch"] == [{"case": "7-1", "why": "new", "last_modified": detail(7)["last_modified"]}]
    assert fetching.operon.dump() == before


def test_the_report_is_json_on_request(fetching: Fetching, tmp_path: Path):
    fetching.stub.put_cases(detail(7))
    ended = fetching.run("--json", "--report", str(tmp_path / "report.json"), "--quiet")
    told = json.loads(ended.out)
    assert (told["environment"], told["counts"]["new"], told["cases"][0]["case"]) == ("TEST", 1, "7-1")
    assert json.loads((tmp_path / "report.json").read_text()) == told


def test_a_run_without_some_case_ends_with_3(fetching: Fetching):
    fetching.stub.put_cases(detail(7), detail(8))
    fetching.stub.put(path_of(8), {"detail": "?"})
    ended = fetching.run()
    assert ended.code == 3
    assert "8-1 failed: case 8-1: the server's answer does not say that it is of this case; run 1 of 5" in ended.err


def test_filters_are_sent(fetching: Fetching):
    fetching.stub.put_cases(detail(7))
    options = ("--status", "sent_to_gmcs", "--status", "blocked", "--site", "RJ7", "--sample-type", "cancer")
    assert fetching.run(*options, "--category", "100k").code == 0
    [asked] = [one.query for one in fetching.stub.asked if one.path == "/api/2/interpretation-request/"]
    sent = [asked[name] for name in ("status", "workspace", "sample_type", "category")]
    assert sent == [["sent_to_gmcs,blocked"], ["RJ7"], ["cancer"], ["100k"]]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--ids", "7"), 65, "--ids"),
        (("--ids", "7-1", "--site", "RJ7"), 65, "--ids"),
        (("--since", "yesterday"), 65, "--since"),
        (("--sample-type", "both"), 65, "--sample-type"),
        (("--concurrent", "9"), 2, "--concurrent"),
        (("case.json",), 2, "not both"),
    ],
)
def test_options_that_make_no_sense_are_refused(fetching: Fetching, options: tuple[str, ...], code: int, message: str):
    ended = fetching.run(*options)
    assert ended.code == code
    assert message in ended.err
    assert fetching.stub.asked == []


def test_options_of_a_server_need_a_server(fetching: Fetching):
    assert fetching.operon.run("ingest", "cip-api", "case.json", "--limit", "1").code == 2
    assert fetching.operon.run("ingest", "cip-api").code == 2


def test_a_login_that_is_refused_and_a_name_that_is_not_known(fetching: Fetching, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CIPAPI_CLIENT_ID", "another")
    ended = fetching.run()
    assert (ended.code, SECRET in ended.err) == (77, False)
    assert "the login was refused with status 401" in ended.err
    monkeypatch.delenv("CIPAPI_BASE_URL")
    assert fetching.run().code == 78


def test_a_program_that_is_killed_while_it_fetches_is_continued(fetching: Fetching):
    """The server says nothing more in the middle, and the program is killed there."""
    fetching.stub.put_cases(*map(detail, range(1, 13)))
    fetching.stub.script[f"/api/2{path_of(6)}"] = ["stall *"]
    process = fetching.operon.start(
        "ingest", "cip-api", "--from-server", "TEST", "--concurrent", "1", cip_login_url=fetching.stub.host
    )
    with process:
        while not any(one.path == f"/api/2{path_of(6)}" for one in list(fetching.stub.asked)):
            assert process.poll() is None
            fetching.stub.ended.wait(0.02)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    stored = _numbers(fetching, "cip_case")
    assert stored == _numbers(fetching, "cip_sync")
    assert stored == list(range(1, len(stored) + 1))
    assert len(stored) < 6
    fetching.stub.script.clear()
    ended = fetching.run("--json")
    assert json.loads(ended.out)["counts"]["new"] == 12 - len(stored)
    assert _numbers(fetching, "cip_case") == _numbers(fetching, "cip_sync") == list(range(1, 13))


def _numbers(fetching: Fetching, table: str) -> list[Any]:
    return [number for (number,) in fetching.operon.rows(f"select ir_id from {table} order by ir_id")]


def test_settings_show_no_passwords_of_addresses() -> None:
    shown = repr(Settings(cip_proxy="http://u:hidden@proxy:1", database_url="postgresql://u:hidden@host/d"))
    assert "hidden" not in shown
