"""``operon audit``: who asked what, as it was recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from app.config import Settings
from app.errors import InvalidValue, quoted
from app.operations.pgx_desk import patient_ref
from app.store import pgx_audit
from app.store.sealing import open_sealer
from ingest.workspace import open_database, require_schema

app = typer.Typer(no_args_is_help=True, help="Who asked what, as it was recorded.")


@app.callback()
def group() -> None:
    """Let there be several kinds of audit."""


@app.command("pgx")
def pgx(
    *,
    since: Annotated[str | None, typer.Option(help="Only from this moment on: YYYY-MM-DD, or with time (UTC).")] = None,
    patient: Annotated[str | None, typer.Option(help="Only requests about the person with this id.")] = None,
) -> None:
    """Print the requests to the Abomics-compatible API, one JSON object a line."""
    settings = Settings()
    start = moment(since) if since is not None else ""
    reference = patient_ref(open_sealer(settings.secret_path), patient) if patient is not None else None
    with open_database(settings) as database:
        require_schema(database)
        for entry in pgx_audit.entries(database, since=start, patient_ref=reference):
            print(orjson.dumps(entry).decode())


def moment(text: str) -> str:
    """Return a moment as rows tell it. Raises InvalidValue for what is no date."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"--since {quoted(text)} is no date: write YYYY-MM-DD, perhaps with a time") from None
    aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return aware.isoformat(timespec="milliseconds")
