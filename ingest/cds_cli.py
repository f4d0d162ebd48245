"""``operon cds``: what users of CDS clients did with the cards that they were shown."""

from __future__ import annotations

import sys

import orjson
import typer

from app.config import Settings
from app.store import cds
from ingest.workspace import open_database, require_schema

app = typer.Typer(no_args_is_help=True, help="Cards of CDS Hooks.")


@app.callback()
def group() -> None:
    """Cards of CDS Hooks."""


@app.command("feedback")
def feedback() -> None:
    """Print what users did with cards, one JSON object a line."""
    with open_database(Settings()) as database:
        require_schema(database)
        with database.read() as session:
            for entry in cds.feedback(session):
                sys.stdout.buffer.write(orjson.dumps(entry) + b"\n")
    sys.stdout.buffer.flush()
