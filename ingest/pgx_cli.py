"""``operon pgx``: call pharmacogenes of stored tests, show the results, and say what other definitions would change."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
import typer

from app.config import Settings
from app.errors import InvalidInput
from app.operations.consent import ConsentGate, open_gate
from app.operations.pgx import PgxProfile, PgxResult, profile_of
from app.operations.pgx_active import ActivePgxReader
from app.pgx import call_body
from app.pgx.calls import CallStatus
from app.store.session import Database
from ingest import pgx_calls, pgx_diff
from ingest.progress import Progress
from ingest.workspace import open_workspace

pgx = typer.Typer(no_args_is_help=True, help="Results of pharmacogenes.")

_SHOWN_POSITIONS = 10


@dataclass(frozen=True, slots=True)
class _Context:
    """What reading a profile asks for."""

    database: Database
    reader: ActivePgxReader
    consent: ConsentGate

    def pgx(self) -> Any:
        return self.reader.current("")


@pgx.command("call")
def pgx_call(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Call all tests anew, not only those that wait.")] = False,
    subject: Annotated[str | None, typer.Option("--subject", help="Only the tests of this subject.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")] = False,
) -> None:
    """Call the tests that are new, or were called by other definitions; interrupted, the same command goes on."""
    with open_workspace(Settings()) as workspace:
        definitions = pgx_calls.definitions_in_use(workspace)
        report = pgx_calls.call(workspace, definitions, Progress(quiet=quiet), anew=everything, subject_id=subject)
    if not quiet:
        print(report.line(), file=sys.stderr)


@pgx.command("show")
def pgx_show(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject.")],
    gene: Annotated[str | None, typer.Option("--gene", help="Only this gene.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a gene.")] = False,
) -> None:
    """Print the results of a subject with what they rest on."""
    settings = Settings()
    with open_workspace(settings) as workspace:
        reader = ActivePgxReader(workspace.database, settings)
        profile = profile_of(_Context(workspace.database, reader, open_gate(workspace.database, settings)), subject)
    found = {symbol: result for symbol, result in profile.results.items() if gene in {None, symbol}}
    if gene is not None and not found:
        raise InvalidInput(f"there is no result of {gene} for this subject")
    for result in found.values():
        print(orjson.dumps(_json(result)).decode() if as_json else "\n".join(_lines(result)))
    if not profile.is_ready:
        _say_waiting(profile)


def _say_waiting(profile: PgxProfile) -> None:
    del profile
    print("operon: a test of this subject waits to be called: run 'operon pgx call'", file=sys.stderr)


def _json(result: PgxResult) -> dict[str, Any]:
    return {
        **orjson.loads(call_body.encode(result.call)),
        "genotype": result.call.genotype,
        "test_id": result.test_id,
        "test_date": result.test_date,
        "specimen_id": result.specimen_id,
    }


def _lines(result: PgxResult) -> list[str]:
    call = result.call
    found = " or ".join(call.genotypes) or call.status.value
    head = [call.gene, found]
    if call.status is CallStatus.AMBIGUOUS:
        head.append("(ambiguous)")
    lines = [" ".join(head)]
    for name, value in (
        ("phenotype", call.phenotype),
        ("activity score", call.activity),
        ("reason", call.reason),
        ("other diplotypes that fit", ", ".join(one.text for one in call.alternatives)),
        ("positions", f"{call.called_positions} of {call.total_positions} called" if call.total_positions else ""),
        ("missing", _some(call.missing)),
        ("undocumented allele at", _some(call.undocumented)),
        ("alleles that could not be told", _some(call.uncallable)),
        ("copies", "" if call.copy_number is None else str(call.copy_number)),
        ("method", call.method.value),
        ("test", " ".join(filter(None, (result.test_id, result.test_date)))),
        ("definitions", call.release),
    ):
        if value:
            lines.append(f"  {name}: {value}")
    return lines + [f"  note: {one.text}" for one in call.warnings]


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN_POSITIONS])
    return shown if len(names) <= _SHOWN_POSITIONS else f"{shown} and {len(names) - _SHOWN_POSITIONS} more"


@pgx.command("diff")
def pgx_diff_(
    *,
    release: Annotated[
        str | None, typer.Option("--release", help="A loaded release; default: the definitions in use.")
    ] = None,
) -> None:
    """Print which stored results other definitions would change, one JSON object each; nothing is stored."""
    with open_workspace(Settings()) as workspace:
        for change in pgx_diff.changes(workspace, release):
            print(orjson.dumps(change).decode())
