"""The file of an upload (``multipart/form-data``), and how a file is sent back."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from app.api.cip_calls import Call
from app.api.scope import header
from app.errors import InvalidFields, UnsupportedMediaType, quoted

_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;,"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'(?:^|[;\s])name="?file"?(?:;|\s|$)', re.IGNORECASE)
_FILE_NAME = re.compile(rb'filename="([^"\r\n]*)"', re.IGNORECASE)
_MOST_PARTS: Final = 20
_MISSING: Final = "No file was submitted."


def sent_file(call: Call) -> tuple[str, bytes]:
    """Return (name, content) of the part ``file`` of an upload.

    Raises:
        UnsupportedMediaType: it is no upload.
        InvalidFields: it has no such part.
    """
    content_type = header(call.scope, b"content-type")
    boundary = _BOUNDARY.search(content_type)
    if not content_type.strip().lower().startswith("multipart/form-data") or boundary is None:
        raise UnsupportedMediaType(f'Unsupported media type "{quoted(content_type)}" in request.')
    mark = b"\r\n--" + (boundary[1] or boundary[2]).encode("latin-1")
    # A part begins after a mark and its line break; what comes before the first mark is not one.
    for part in (b"\r\n" + call.raw).split(mark, _MOST_PARTS + 1)[1 : _MOST_PARTS + 1]:
        head, gap, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        for line in head.split(b"\r\n") if gap else ():
            if line.lower().startswith(b"content-disposition:") and _NAME.search(line):
                named = _FILE_NAME.search(line)
                if named is not None:
                    return named[1].decode("latin-1"), content
    raise InvalidFields({"file": [_MISSING]})


def file_answer(file_name: str, content: bytes) -> Response:
    """Return a file as it is sent: to be kept, never to be shown in the browser as a page of this server."""
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")
