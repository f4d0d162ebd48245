"""The pages for people: what is loaded and how to ask, and the OpenAPI document made readable.

Everything they show comes from this server: no CDN, no build step, no script but Swagger UI's.
"""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import app
from app.api.answers import is_current, not_modified, weak_tag
from app.api.compression import accepts_gzip
from app.api.scope import OPERATION, header
from app.api.server import Server
from app.api.utilities import UTILITIES
from app.errors import UnknownOperation
from app.web import cases, cip_docs, passports
from app.web.html import html_page, policy

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served; ``packed`` content is stored as gzip and travels so where the client allows it."""

    content: bytes
    media_type: str
    packed: bool
    tag: str


def load_static() -> dict[str, StaticFile]:
    """Return every static file by its path below ``/static/``; what is not in here cannot be asked for."""
    return dict(_walk(files("app.web") / "static", ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, StaticFile]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
            continue
        name = entry.name.removesuffix(".gz")
        media_type = _MEDIA_TYPES.get(name[name.rfind(".") :])
        if media_type is not None:
            content = entry.read_bytes()
            yield prefix + name, StaticFile(content, media_type, entry.name != name, weak_tag(content))


def routes(server: Server) -> list[BaseRoute]:
    """Return the routes of the pages and of the files that they use."""
    environment = Environment(
        loader=PackageLoader("app.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["grouped"] = lambda number: f"{number:,}".replace(",", "\u202f")
    environment.globals["version"] = app.__version__
    static = load_static()

    async def home(request: Request) -> Response:
        request.scope[OPERATION] = "home"
        context = server.opened()
        summary, examples = await server.run(lambda: (context.summary(), context.examples()))
        root = server.root_url(request.scope)
        questions = [
            {"title": example.title, "path": example.path, "command": f"curl {shlex.quote(root + example.path)}"}
            for example in examples
        ]
        page = environment.get_template("home.html").render(
            root=request.scope.get("root_path", ""),
            summary=summary,
            questions=questions,
            operations=server.offered(),
            utilities=UTILITIES,
        )
        return html_page(page, policy())

    async def docs(request: Request) -> Response:
        request.scope[OPERATION] = "docs"
        root = request.scope.get("root_path", "")
        page = environment.get_template("docs.html").render(root=root, document=f"{root}/openapi.json")
        # Swagger UI sets styles on elements, and calls the address that the OpenAPI document names.
        return html_page(page, policy(styles=" 'unsafe-inline'", origin=_origin(server.settings.base_url)))

    async def asset(request: Request) -> Response:
        request.scope[OPERATION] = "static"
        file = static.get(request.path_params["path"])
        if file is None:
            raise UnknownOperation("No such file")
        if is_current(header(request.scope, b"if-none-match"), file.tag):
            return not_modified(file.tag)
        headers = {"ETag": file.tag, "Cache-Control": "public, no-cache", "Content-Type": file.media_type}
        if not file.packed:
            return Response(file.content, headers=headers)
        headers["Vary"] = "Accept-Encoding"
        if accepts_gzip(header(request.scope, b"accept-encoding").encode("latin-1")):
            return Response(file.content, headers={**headers, "Content-Encoding": "gzip"})
        return Response(gzip.decompress(file.content), headers=headers)

    return [
        Route("/", home),
        Route("/docs", docs),
        Route("/static/{path:path}", asset),
        *passports.routes(server, environment),
        *cases.routes(server, environment),
        *cip_docs.routes(server, environment, _origin(server.settings.base_url)),
    ]


def _origin(base_url: str | None) -> str:
    if not base_url:
        return ""
    parts = urlsplit(base_url)
    return f" {parts.scheme}://{parts.netloc}"
