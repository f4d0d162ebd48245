"""A clinical report as a page: one file without anything from elsewhere, which can be kept and printed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from app.operations.cip_report_view import view

_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def report_page(detail: Mapping[str, Any], wrapper: Mapping[str, Any]) -> Response:
    """Return the page of a clinical report; ``wrapper`` is the report as the detail of its case has it."""
    style = _style()
    html = _environment().get_template("clinical_report.html").render(report=view(detail, wrapper), style=style)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    headers = {"Content-Security-Policy": _POLICY.format(style=digest), "Cache-Control": "no-store"}
    return Response(html, headers=headers, media_type="text/html")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("app.api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def _style() -> str:
    return (files("app.api") / "templates" / "clinical_report.css").read_text("utf-8")
