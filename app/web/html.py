"""How pages are sent: with a policy that allows what they need and nothing else."""

from __future__ import annotations

from starlette.responses import Response

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; "
    "connect-src 'self'{origin}; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)


def policy(*, styles: str = "", origin: str = "", forms: str = "'none'") -> str:
    """Return the content security policy of a page."""
    return _POLICY.format(styles=styles, origin=origin, forms=forms)


def html_page(html: str, policy: str, status: int = 200) -> Response:
    """Return a page as it is sent."""
    headers = {"Content-Security-Policy": policy}
    return Response(html, status, headers=headers, media_type="text/html")
