"""Refuse every network connection that a test makes without having asked for it.

The guard is an audit hook (https://docs.python.org/3/library/audit_events.html), so it sees the ``socket`` calls of
every library written in Python, during collection and in session fixtures too. Unix sockets pass, and so do loopback
ports that a test names through the fixture ``allow_loopback``. C libraries with sockets of their own are not seen.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from typing import Any

_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class NetworkForbidden(RuntimeError):
    """A test reached for the network; not an ``OSError``, so that no retry or fallback swallows it."""


class NetworkGuard:
    """Decide about socket calls and remember the refused ones."""

    def __init__(self) -> None:
        self.allowed_ports: set[int] = set()
        self.refused: list[str] = []

    def install(self) -> None:
        """Start watching; a hook lasts as long as the process."""
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _LOOKUPS:
            host = arguments[0]
            if not is_loopback(host):
                self._refuse(f"look up {host!r}")
        elif event in _SENDS:
            sock, address = arguments[:2]
            if sock.family == socket.AF_UNIX or address is None:
                return
            host, port = address[:2]
            if not (is_loopback(host) and port in self.allowed_ports):
                self._refuse(f"reach {host}:{port}")

    def _refuse(self, deed: str) -> None:
        self.refused.append(deed)
        raise NetworkForbidden(f"a test tried to {deed}; ask for a loopback port with the fixture allow_loopback")


def is_loopback(host: object) -> bool:
    """Return whether a host, as ``socket`` takes it, is this machine and needs no name service."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is None or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


guard = NetworkGuard()
