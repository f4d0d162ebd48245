"""Opening input files: what is read, what is refused, and that nothing but the file itself is touched."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys

import pytest

from app.config import Settings
from app.errors import BadFile, LimitExceeded, NotFound
from ingest.source import open_source

DATA = b"line one\nline two\n" * 1000


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def stdin(monkeypatch):
    def give(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def test_a_file_has_name_size_hash_and_content(path, settings):
    with open_source(path, settings) as source:
        assert (source.name, source.size, source.compressed) == ("a.vcf", len(DATA), False)
        assert source.sha256 == hashlib.sha256(DATA).hexdigest()
        with source.open() as stream:
            assert stream.read() == DATA


def test_readers_begin_at_the_start_and_do_not_disturb_each_other(path, settings):
    with open_source(path, settings) as source, source.open() as first:
        assert first.read(9) == b"line one\n"
        with source.open() as second:
            assert second.read(4) == b"line"
        assert first.read(8) == b"line two"


def test_compression_is_recognized_by_content_and_the_stored_bytes_are_hashed(tmp_path, settings):
    path = tmp_path / "no-suffix"
    path.write_bytes(packed := gzip.compress(DATA))
    with open_source(path, settings) as source:
        assert source.compressed
        assert source.sha256 == hashlib.sha256(packed).hexdigest()


def test_an_empty_file_is_opened(tmp_path, settings):
    (tmp_path / "empty").touch()
    with open_source(tmp_path / "empty", settings) as source:
        assert (source.size, source.compressed, source.open().read()) == (0, False, b"")


def test_symbolic_links_are_followed_and_the_file_stays_the_same_when_the_link_moves(path, tmp_path, settings):
    link = tmp_path / "link.vcf"
    link.symlink_to(path)
    with open_source(link, settings) as source:
        link.unlink()
        link.symlink_to("/etc/hostname")
        assert (source.name, source.open().read()) == ("link.vcf", DATA)


def test_a_file_that_grows_meanwhile_is_noticed(path, settings):
    with open_source(path, settings) as source:
        source.check_unchanged()
        with path.open("ab") as more:
            more.write(b"x")
        with pytest.raises(BadFile, match="changed"):
            source.check_unchanged()


def test_standard_input_is_kept_until_it_is_closed(stdin, settings):
    for given in ("-", None):
        stdin(DATA)
        with open_source(given, settings) as source:
            assert (source.name, source.size) == ("standard input", len(DATA))
            assert source.sha256 == hashlib.sha256(DATA).hexdigest()
            assert source.open().read() == source.open().read() == DATA
            assert not list(settings.home.iterdir())
        assert not list(settings.home.iterdir())


def test_standard_input_is_capped(stdin, tmp_path):
    stdin(DATA)
    with (
        pytest.raises(LimitExceeded, match="OPERON_VCF_MAX_BYTES"),
        open_source("-", Settings(home=tmp_path / "home", vcf_max_bytes=len(DATA) - 1)),
    ):
        pass


def test_a_file_above_the_cap_is_refused_before_it_is_read(path, tmp_path):
    with (
        pytest.raises(LimitExceeded, match="OPERON_VCF_MAX_BYTES"),
        open_source(path, Settings(vcf_max_bytes=len(DATA) - 1)),
    ):
        pass
    with open_source(path, Settings(vcf_max_bytes=len(DATA))) as source:
        assert source.size == len(DATA)


def test_a_missing_file_ends_with_exit_code_66(tmp_path, settings):
    with (
        pytest.raises(NotFound, match=r"gone\.vcf: there is no such file") as caught,
        open_source(tmp_path / "gone.vcf", settings),
    ):
        pass
    assert caught.value.exit_code == 66
    assert str(tmp_path) not in caught.value.diagnostics


def test_a_link_to_nothing_is_missing(tmp_path, settings):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(NotFound), open_source(tmp_path / "link", settings):
        pass


URLS = [
    "http://127.0.0.1:9/x.vcf",
    "https://example.org/x.vcf",
    "ftp://example.org/x.vcf",
    "s3://bucket/x.vcf",
    "gs:bucket/x.vcf",
    "file:///etc/passwd",
    "data:text/plain,x",
    "HTTP://example.org/x",
    "x.vcf.gz##idx##http://127.0.0.1/i.tbi",
    "nul\0.vcf",
]


@pytest.mark.parametrize("name", URLS)
def test_names_that_look_like_a_url_are_refused_and_nothing_is_fetched(name, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadFile, match="only files of this machine"), open_source(type(tmp_path)(name), settings):
        pass


def test_folders_devices_pipes_and_loops_are_refused(tmp_path, settings):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to-folder").symlink_to(tmp_path)
    for name in (tmp_path, tmp_path / "pipe", tmp_path / "loop", tmp_path / "to-folder", type(tmp_path)("/dev/null")):
        with pytest.raises(BadFile) as caught, open_source(name, settings):
            pass
        assert caught.value.exit_code == 65
        assert caught.value.mend


def test_no_descriptor_stays_open(path, tmp_path, settings):
    folder = type(tmp_path)("/dev/fd")
    before = len(list(folder.iterdir()))
    with open_source(path, settings) as source:
        source.open().close()
    with pytest.raises(BadFile), open_source(tmp_path, settings):
        pass
    assert len(list(folder.iterdir())) == before
