"""Files that are sent to a case through the CIP-API-compatible interface, and asked for again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from app.errors import InvalidFields, NotFound, TooCostly
from app.formats.gel_values import timestamp
from app.operations import cip_documents as documents
from app.operations.cip_cases import require_consent, visible_case
from app.operations.cip_documents import Document
from app.operations.cip_writing import Number, Writer, hold
from app.store import cip_attachments, cip_cases
from app.store.cip_attachments import Attachment

LARGEST: Final = 16 * 2**20
_LONGEST_NAME: Final = 200
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,32}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9 ()_+.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent."""

    file_name: str
    file_type: str
    content: bytes


def add_file(writer: Writer, number: Number, sent: SentFile, url_of: Callable[[str], str]) -> Document:
    """Add a file to a case and return its entry; ``url_of`` gives the address of a file by its name.

    Raises:
        NotFound: there is no such case.
        InvalidFields: its name or type cannot be used, or it is empty.
        TooCostly: it is too large.
    """
    _check(sent)
    with writer.of.database.write() as session:
        held = hold(writer, session, number)
        require_consent(writer.context, session, held.case)
        attachment = Attachment(held.case.row, sent.file_name, sent.content)
        at = timestamp(held.at)
        seconds = int(held.at.timestamp())
        name = cip_attachments.add(session, attachment, seconds=seconds, created_at=at, username=writer.user)
        entry = {"url": url_of(name), "file_name": sent.file_name, "file_type": sent.file_type}
        changed = documents.add_file(held.detail, entry, at=held.at)
        cip_cases.put(session, changed, orjson.dumps(changed), origin=held.case.origin)
    return entry


def find_file(writer: Writer, name: str) -> tuple[Attachment, Number]:
    """Return a file that was sent, and its case. Raises NotFound, and NotAllowed for a case of other sites."""
    with writer.of.database.read() as session:
        found = cip_attachments.find(session, name)
        if found is None:
            raise NotFound("Not found.")
        number = cip_attachments.case_of(session, found)
        require_consent(writer.context, session, visible_case(session, writer.caller, number))
    return found, number


def _check(sent: SentFile) -> None:
    if len(sent.content) > LARGEST:
        raise TooCostly(f"The file is larger than {LARGEST} bytes")
    problems = {}
    if not sent.content:
        problems["file"] = ["The submitted file is empty."]
    elif not _NAME.fullmatch(sent.file_name) or sent.file_name.strip(". ") == "" or len(sent.file_name) > _LONGEST_NAME:
        problems["file"] = ["The name of the file has characters that are not taken, or too many."]
    if not _TYPE.fullmatch(sent.file_type):
        problems["file_type"] = ["Letters and digits only."]
    if problems:
        raise InvalidFields(problems)
