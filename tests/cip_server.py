"""The CIP-API-compatible interface of a small store, and users who ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.main import create_app
from app.security.cip_passwords import digest_of
from app.store import cip_users
from tests.api.client import Answer, Client
from tests.small_store import SmallStore, migrated

PASSWORD = "correct horse"
_DIGEST = digest_of(PASSWORD)


@dataclass
class CipServer:
    """A server with users of every role."""

    store: SmallStore
    client: Client
    tokens: dict[str, str] = field(default_factory=dict)

    def add_user(self, username: str, role: str = "reader", workspaces: tuple[str, ...] = ()) -> None:
        with self.store.database.write() as session:
            cip_users.add(
                session,
                username,
                password=_DIGEST,
                email=f"{username}@example.org",
                role=role,
                workspaces=workspaces,
            )

    def token(self, username: str = "reader") -> str:
        """Return a token of a user, which is asked for once."""
        if username not in self.tokens:
            answer = self.client.post(
                "/api/2/get-token/", {"username": username, "password": PASSWORD}, "application/json"
            )
            assert answer.status == 200, answer.body
            self.tokens[username] = answer.json()["token"]
        return self.tokens[username]

    def get(self, path: str, user: str = "reader", **headers: str) -> Answer:
        """Ask for a path below the root."""
        return self.client.get(f"/api/2{path}", authorization=f"JWT {self.token(user)}", **headers)

    def send(self, method: str, path: str, body: Any = b"", user: str = "writer", **headers: str) -> Answer:
        """Send a body (bytes as they are, anything else as JSON)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: Mapping[str, str] = {"authorization": f"JWT {self.token(user)}", "content_type": "application/json"}
        return self.client.request(method, f"/api/2{path}", data, {**sent, **headers})


@contextmanager
def cip_server(url: str, folder: Path, **settings: Any) -> Iterator[CipServer]:
    """Yield a server with the users ``reader``, ``writer`` and ``admin``."""
    with migrated(url) as database:
        store = SmallStore(database, folder, **settings)
        app = create_app(store.settings, store.context)
        server = CipServer(store, Client(app))
        for role in ("reader", "writer", "admin"):
            server.add_user(role, role)
        try:
            yield server
        finally:
            server.client.close()
