"""What is asked of a CIP-API server: the list of cases, details, and what participants agreed to.

>>> client = CipClient(read_environment("UAT", settings, os.environ), settings)                      # doctest: +SKIP
>>> client.cases({"sample_type": "cancer"}).cases[0].name                                            # doctest: +SKIP
'40101-1'
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.config import Settings
from app.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound, Unavailable
from ingest.cip_environment import Environment
from ingest.cip_http import Answer, Sender, Waits
from ingest.cip_tokens import Tokens

_PAGE_SIZE = 500
_PASSES = 2
_MOST_BARREN = 3
"""Pages one after the other that name no case which was not named before: they do not end"""

_NEVER = datetime.min.replace(tzinfo=UTC)

CaseKey = tuple[int, int]
"""Interpretation request and its version"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A case as the list has it."""

    ir_id: int
    version: int
    last_modified: str = ""
    last_status: str = ""
    workflow_status: str = ""

    @property
    def key(self) -> CaseKey:
        """Return request and version."""
        return self.ir_id, self.version

    @property
    def name(self) -> str:
        """Return ``40101-1``."""
        return f"{self.ir_id}-{self.version}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The list of cases; without ``is_complete`` it changed while it was read, so that some may be missing."""

    cases: tuple[Listed, ...]
    is_complete: bool
    unreadable: int = 0
    """Entries that name no case"""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON document and the bytes that it came as."""

    content: Mapping[str, Any]
    raw: bytes


@dataclass(slots=True)
class _Pass:
    """What one reading of all pages found."""

    cases: dict[CaseKey, Listed] = field(default_factory=dict)
    count: int = -1
    unreadable: int = 0


class CipClient:
    """Asks a server; may be used by several threads. ``clock`` counts seconds since 1970."""

    def __init__(
        self,
        environment: Environment,
        settings: Settings,
        *,
        waits: Waits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.environment = environment
        times = waits or Waits()
        self._server = Sender(environment.base_url, settings, times)
        self._login = Sender(environment.login_url, settings, times)
        self._tokens = Tokens(environment, self._login, self._server, clock)
        self._vain = ""
        """A token that was new when a case was refused: another one changes nothing"""

    def close(self) -> None:
        """Close the connections."""
        self._server.close()
        self._login.close()

    def cases(self, filters: Mapping[str, str]) -> Listing:
        """Return all cases that the server lists.

        While it is read the list may change, and cases move to pages that were read already. So it is read again if
        it does not have as many as it says.

        Raises:
            Unavailable: the list cannot be had, or does not end.
            NotAuthenticated: there is no token for it.
            NotAllowed: it is not for whoever asks.
        """
        query = {"page_size": str(_PAGE_SIZE), "minimize": "True", "extra_params": "show_referral", **filters}
        found: dict[CaseKey, Listed] = {}
        for _ in range(_PASSES):
            one = self._pages(f"{self.environment.base_url}/interpretation-request/?{urlencode(query)}")
            found.update(one.cases)
            if one.count == len(found) + one.unreadable:
                break
        cases = tuple(found[key] for key in sorted(found))
        return Listing(cases, one.count == len(found) + one.unreadable, one.unreadable)

    def detail(self, ir_id: int, version: int, *, as_stored: bool = False) -> Document:
        """Return the detail of a case with its referral, inner documents in the newest model if the server can.

        With ``as_stored`` they come in the model that the server has them in.

        Raises:
            NotFound: there is no such case any more.
            NotAllowed: it is not for whoever asks.
            InvalidInput: what came is not the detail of this case.
            Unavailable: it cannot be had.
            NotAuthenticated: there is no token for it.
        """
        what = f"case {ir_id}-{version}"
        query = f"{'' if as_stored else 'reports_v6=true&'}extra_params=show_referral"
        answer = self._get(f"{self.environment.base_url}/interpretation-request/{ir_id}/{version}/?{query}", what)
        detail = answer.json
        if not isinstance(detail, Mapping):
            raise InvalidInput(f"{what}: the server's answer is no object")
        if _integer(detail.get("interpretation_request_id")) != ir_id or _integer(detail.get("version")) != version:
            raise InvalidInput(f"{what}: the server's answer does not say that it is of this case")
        return Document(detail, answer.body)

    def econsent(self, referral_id: str) -> Document | None:
        """Return what the participants of a referral agreed to; None where the server keeps nothing of it.

        Raises:
            NotAllowed: it is not for whoever asks.
            InvalidInput: what came is nothing of the kind.
            Unavailable: it cannot be had.
            NotAuthenticated: there is no token for it.
        """
        what = "econsent of a referral"
        try:
            answer = self._get(f"{self.environment.base_url}/referral/{quote(referral_id, safe='')}/econsent/", what)
        except NotFound:
            return None
        if not isinstance(answer.json, Mapping) or not isinstance(answer.json.get("econsent"), list):
            raise InvalidInput(f"{what}: the server's answer has no list of it")
        return Document(answer.json, answer.body)

    def _pages(self, url: str) -> _Pass:
        """Return what the pages from one on list; an answer that is no page ends everything."""
        seen: set[str] = set()
        found, barren, asked = _Pass(), 0, url
        while True:
            if asked in seen:
                raise Unavailable("the list of cases leads back to a page that was read already")
            seen.add(asked)
            try:
                page = self._get(asked, "the list of cases").json
            except NotFound:
                if len(seen) == 1:
                    raise
                return found  # so many cases are gone by now that there is no such page
            if not isinstance(page, Mapping) or not isinstance(page.get("results"), list):
                raise Unavailable("the list of cases has another shape than expected: there are no results in it")
            before = len(found.cases)
            _take(page, found)
            following = page.get("next")
            if not following:
                return found
            barren = barren + 1 if len(found.cases) == before else 0
            if barren == _MOST_BARREN or not isinstance(following, str):
                raise Unavailable("the list of cases does not end")
            asked = self._server.address(following, asked)

    def _get(self, url: str, what: str) -> Answer:
        """Return a good answer; one with 401 or 403 is asked for again, with another token."""
        token = self._tokens.get()
        answer = self._send(url, what, token)
        if answer.status in (401, 403):
            if answer.status == 401 or token != self._vain:
                token = self._tokens.renewed(token)
            answer = self._send(url, what, token)
            if answer.status == 403:
                self._vain = token
        match answer.status:
            case 200 | 203 | 206:
                return answer
            case 401:
                raise NotAuthenticated(f"{what}: the server does not accept the token: {_detail(answer)}")
            case 403:
                raise NotAllowed(f"{what}: the server refuses it: {_detail(answer)}")
            case 404 | 410:
                raise NotFound(f"{what}: the server has no such thing")
            case status:
                raise Unavailable(f"{what}: the server answers with status {status}")

    def _send(self, url: str, what: str, token: str) -> Answer:
        return self._server.send("GET", url, what=what, headers={"Authorization": f"JWT {token}"})


def _take(page: Mapping[str, Any], found: _Pass) -> None:
    count = page.get("count")
    found.count = count if isinstance(count, int) else -1
    for entry in page["results"]:
        one = _listed(entry)
        if one is None:
            found.unreadable += 1
        else:
            found.cases[one.key] = one


def _listed(entry: Any) -> Listed | None:
    """Return a case that the list names, as ``GEL-40101-1``, ``40101-1``, or a number beside a version."""
    if not isinstance(entry, Mapping):
        return None
    parts = str(entry.get("interpretation_request_id", "")).split("-")
    if len(parts) == 1 or not parts[-2].isdecimal():
        parts.append(str(entry.get("version", "")))
    ir_id, version = _integer(parts[-2]), _integer(parts[-1])
    if ir_id is None or version is None:
        return None
    texts = (value if isinstance(value := entry.get(name), str) else "" for name in ("last_status", "workflow_status"))
    return Listed(ir_id, version, last_modified_of(entry), *texts)


def last_modified_of(entry: Mapping[str, Any]) -> str:
    """Return when the case was changed last, or its referral, or what one of its participants agreed to."""
    own = entry.get("last_modified")
    if not isinstance(own, str) or moment(own) is None:
        return own if isinstance(own, str) else ""
    parts: list[Any] = [referral := entry.get("referral")]
    consent = referral.get("econsent") if isinstance(referral, Mapping) else None
    given = consent.get("participant_consent") if isinstance(consent, Mapping) else None
    parts += given if isinstance(given, list) else []
    texts = [own, *(part.get("last_modified") for part in parts if isinstance(part, Mapping))]
    return max(
        (text for text in texts if isinstance(text, str) and moment(text)), key=lambda text: moment(text) or _NEVER
    )


def moment(text: str) -> datetime | None:
    """Return a moment that the server writes, in UTC; None where the text is none."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _integer(value: Any) -> int | None:
    """Return a small number that is written as one or as its digits."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _detail(answer: Answer) -> str:
    """Return the reason that the server gives, shortened."""
    found = answer.json.get("detail") if isinstance(answer.json, Mapping) else None
    return " ".join(found.split())[:200] if isinstance(found, str) else f"status {answer.status}"
