"""Files that were sent to a case: kept beside its notes, so that they go with it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

import orjson

from app.store import codec, counters
from app.store.session import Session

_KIND: Final = "file"
_NAME = re.compile(r"(\d{1,12})\.(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a case."""

    case_row: int
    file_name: str
    """As the sender calls it"""
    content: bytes


def add(session: Session, attachment: Attachment, *, seconds: int, created_at: str, username: str) -> str:
    """Keep a file and return the name that it is asked for by: ``1591259855.43``."""
    number = counters.allocate(session, counters.CIP_NOTE, 1)
    name = f"{seconds}.{number}"
    packed = b64encode(codec.compress(attachment.content)).decode()
    body = orjson.dumps({"name": name, "file_name": attachment.file_name, "content": packed}).decode()
    columns = ("id", "case_row", "kind", "body", "created_at", "username")
    session.insert_rows("cip_note", columns, [(number, attachment.case_row, _KIND, body, created_at, username)])
    return name


def find(session: Session, name: str) -> Attachment | None:
    """Return the file of a name; None if there is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    rows = session.run(
        "select case_row, body from cip_note where id = :id and kind = :kind", {"id": int(found[2]), "kind": _KIND}
    )
    for case_row, text in rows:
        body = orjson.loads(text)
        if body["name"] == name:
            content = codec.decompress(memoryview(b64decode(body["content"])))
            return Attachment(case_row, body["file_name"], content)
    return None


def case_of(session: Session, attachment: Attachment) -> tuple[int, int]:
    """Return (request, version) of the case of a file."""
    rows = session.run("select ir_id, version from cip_case where id = :row", {"row": attachment.case_row})
    return int(rows[0][0]), int(rows[0][1])
