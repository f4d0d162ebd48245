"""``operon cip-api``: who may ask the CIP-API-compatible interface, and who asked what."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from app.config import Settings
from app.errors import InvalidInput, InvalidValue, NotFound, quoted
from app.security.cip_passwords import digest_of
from app.store import cip_audit, cip_users
from ingest.audit_cli import moment
from ingest.workspace import open_database, require_schema

app = typer.Typer(no_args_is_help=True, help="The CIP-API-compatible interface: its users, and what they asked.")
user = typer.Typer(no_args_is_help=True, help="Users of the interface.")
app.add_typer(user, name="user")

_NAME: Final = re.compile(r"[A-Za-z0-9_.@+-]{1,150}")
_SHORTEST: Final = 12

Name = Annotated[str, typer.Argument(help="Name to log in with.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File whose first line is the password; else it is asked for.")
]


class RoleName(Enum):
    """What a user may do."""

    reader = "reader"
    writer = "writer"
    admin = "admin"


@user.command("add")
def add(
    name: Name,
    *,
    role: Annotated[
        RoleName,
        typer.Option(help="reader sees cases; writer sends documents and statuses, too; admin registers cases, too."),
    ] = RoleName.reader,
    email: Annotated[str, typer.Option(help="Address, which tokens name.")] = "",
    workspace: Annotated[
        list[str] | None, typer.Option(help="Site whose cases the user sees. Repeatable; without it: all cases.")
    ] = None,
    password_file: PasswordFile = None,
) -> None:
    """Let somebody log in."""
    if not _NAME.fullmatch(name):
        raise InvalidValue(f"The name '{quoted(name)}' has other characters than letters, digits and _.@+-")
    digest = digest_of(_password(password_file))
    with open_database(Settings()) as database:
        require_schema(database)
        with database.write() as session:
            made = cip_users.add(
                session, name, password=digest, email=email, role=role.value, workspaces=sorted(set(workspace or ()))
            )
    if made is None:
        raise InvalidInput(f"There is a user '{quoted(name)}' already")


@user.command("list")
def entries() -> None:
    """Print the users, one JSON object a line."""
    with open_database(Settings()) as database:
        require_schema(database)
        with database.read() as session:
            for one in cip_users.everybody(session):
                shown = {
                    "username": one.username,
                    "user_id": one.user_id,
                    "email": one.email,
                    "role": one.role,
                    "workspaces": one.workspaces,
                    "created_at": one.created_at,
                }
                print(orjson.dumps(shown).decode())


@user.command("password")
def password(name: Name, *, password_file: PasswordFile = None) -> None:
    """Give a user another password, which ends the tokens of the user."""
    digest = digest_of(_password(password_file))
    with open_database(Settings()) as database:
        require_schema(database)
        with database.write() as session:
            _require(cip_users.set_password(session, name, digest), name)


@user.command("remove")
def remove(name: Name) -> None:
    """Remove a user, which ends the tokens of the user."""
    with open_database(Settings()) as database:
        require_schema(database)
        with database.write() as session:
            _require(cip_users.remove(session, name), name)


@app.command("audit")
def audit(
    *,
    since: Annotated[str | None, typer.Option(help="Only from this moment on: YYYY-MM-DD, or with time (UTC).")] = None,
    username: Annotated[str | None, typer.Option("--user", help="Only requests of this user.")] = None,
) -> None:
    """Print the requests to the interface, one JSON object a line."""
    start = moment(since) if since is not None else ""
    with open_database(Settings()) as database:
        require_schema(database)
        for entry in cip_audit.entries(database, since=start, username=username):
            print(orjson.dumps(entry).decode())


def _require(found: bool, name: str) -> None:
    if not found:
        raise NotFound(f"There is no user '{quoted(name)}'")


def _password(file: Path | None) -> str:
    """Return the password of a new user; it is never an argument, which other users of the machine could see."""
    if file is None:
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        given = file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    if len(given) < _SHORTEST:
        raise InvalidInput(f"A password has at least {_SHORTEST} characters")
    return given
