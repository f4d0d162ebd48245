"""The guard against network use must itself be able to refuse, and to let through what was asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.network_guard import NetworkForbidden, guard

# TEST-NET-1 (RFC 5737): no machine has such an address, should the guard ever let a packet out.
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def refusals() -> Iterator[list[str]]:
    yield guard.refused
    guard.refused.clear()


@pytest.mark.parametrize("address", [(ELSEWHERE, 443), ("127.0.0.1", 1)], ids=["elsewhere", "loopback"])
def test_connection_is_refused(address: tuple[str, int], refusals: list[str]) -> None:
    with socket.socket() as client, pytest.raises(NetworkForbidden, match=f"reach {address[0]}:{address[1]}"):
        client.connect(address)


def test_datagram_is_refused(refusals: list[str]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client, pytest.raises(NetworkForbidden):
        client.sendto(b"?", (ELSEWHERE, 53))


def test_ipv6_connection_is_refused(refusals: list[str]) -> None:
    with socket.socket(socket.AF_INET6) as client, pytest.raises(NetworkForbidden):
        client.connect(("2001:db8::1", 443, 0, 0))


def test_name_lookup_is_refused(refusals: list[str]) -> None:
    with pytest.raises(NetworkForbidden, match=r"look up 'genome\.example'"):
        socket.getaddrinfo("genome.example", 443)


def test_swallowed_refusal_is_remembered(refusals: list[str]) -> None:
    with socket.socket() as client, suppress(Exception):
        client.connect((ELSEWHERE, 443))
    assert refusals == [f"reach {ELSEWHERE}:443"]


def test_listening_port_of_the_test_needs_permission(listener: socket.socket, refusals: list[str]) -> None:
    with socket.socket() as client, pytest.raises(NetworkForbidden):
        client.connect(listener.getsockname())


def test_allowed_loopback_port_connects(listener: socket.socket, allow_loopback) -> None:
    allow_loopback(listener.getsockname()[1])
    with socket.create_connection(listener.getsockname()) as client:
        assert client.getpeername() == listener.getsockname()


def test_unix_sockets_connect() -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"x")
        assert right.recv(1) == b"x"
