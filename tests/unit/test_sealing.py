"""The secret of an installation: made once, kept private, and needed for everything that is sealed."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import Misconfigured
from app.store.sealing import Sealer, open_sealer

ONE, OTHER = Sealer(b"1" * 32), Sealer(b"2" * 32)


def test_what_is_sealed_is_read_by_the_same_secret_and_purpose_alone() -> None:
    sealed = ONE.seal("pin", "token 1234")
    assert "1234" not in sealed
    assert ONE.unseal("pin", sealed) == "token 1234"
    assert ONE.unseal("other purpose", sealed) is None
    assert OTHER.unseal("pin", sealed) is None
    assert ONE.seal("pin", "token 1234") != sealed


def test_digests_differ_by_secret_purpose_and_text() -> None:
    digests = [ONE.digest("a", "P1"), ONE.digest("a", "P2"), ONE.digest("b", "P1"), OTHER.digest("a", "P1")]
    assert len(set(digests)) == 4
    assert ONE.digest("a", "P1") == digests[0]


def test_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "secret"
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: open_sealer(path), range(16)))
    assert len({sealer.digest("a", "b") for sealer in sealers}) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


@pytest.mark.parametrize(("content", "problem"), [("", "shorter"), ("zz", "not hexadecimal"), ("ab" * 31, "shorter")])
def test_file_that_is_no_secret_is_refused(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(Misconfigured, match=problem):
        open_sealer(tmp_path / "secret")


def test_secret_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be read or made"):
        open_sealer(tmp_path / "file" / "secret")
