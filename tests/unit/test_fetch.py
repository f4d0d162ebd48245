"""Public reference files are fetched, checked, taken in and recorded, or nothing of them stays."""

from __future__ import annotations

import dataclasses
import fcntl
import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.config import Settings
from app.errors import BadFile, Busy, InvalidInput, NotFound, OperonError
from app.records import Build
from app.variants.liftover import load_liftover
from app.variants.reference import FastaReference
from ingest import fetch as fetching
from ingest.download import RETRIES, Downloader
from ingest.progress import Progress
from ingest.public_sources import SOURCES, PublicSource
from ingest.reference import status
from tests import odd_server, synthetic_chains
from tests.command_line import CommandLine
from tests.gene_files import gene_row, hgnc_row, write_gff3, write_hgnc
from tests.odd_server import OddServer

WINDOW = gzip.compress(b">NC_000017.11:101-120\n" + b"ACGT" * 5 + b"\n", mtime=0)
CHAIN = gzip.compress(synthetic_chains.text_of(Build.GRCH37, synthetic_chains.Block(100, 50, 300)), mtime=0)


@pytest.fixture
def server(allow_loopback: Callable[[int], None]) -> Iterator[OddServer]:
    with odd_server.running() as server:
        allow_loopback(server.port)
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def sequence(server: OddServer) -> PublicSource:
    """Return a source of sequence whose site has a list of checksums."""
    listed = f"{'0' * 32}  ./other.gz\n{hashlib.md5(WINDOW).hexdigest()}  ./genome.fna.gz\n"
    return dataclasses.replace(
        SOURCES[1],
        url=server.put("/38/genome.fna.gz", WINDOW),
        checksums=server.put("/38/md5checksums.txt", listed.encode()),
        stored=1,
    )


@pytest.fixture
def chain(server: OddServer) -> PublicSource:
    return dataclasses.replace(SOURCES[2], url=server.put("/GRCh37_to_GRCh38.chain.gz", CHAIN))


@pytest.fixture
def fetch(settings: Settings) -> Callable[..., list[str]]:
    def client(folder: Path, progress: Progress) -> Downloader:
        retries = RETRIES.new(backoff_factor=0, total=2)
        return Downloader(folder, progress, schemes=frozenset({"http"}), retries=retries)

    def fetch(*sources: PublicSource) -> list[str]:
        return list(fetching.fetch(settings, sources, Progress(quiet=True), downloader=client))

    return fetch


def left(settings: Settings) -> set[str]:
    return {path.name for path in (settings.reference_dir / "downloads").iterdir()} - {".lock"}


def test_fetched_files_are_loaded_and_their_origin_is_recorded(
    settings: Settings, fetch: Callable[..., list[str]], sequence: PublicSource, chain: PublicSource
) -> None:
    lines = fetch(sequence, chain)

    assert lines == [
        "genome.fna.gz: 1 sequences, 20 new bases of GRCh38",
        "GRCh37_to_GRCh38.chain.gz: GRCh37 to GRCh38, 1 chains",
    ]
    assert FastaReference(settings.reference_dir / "GRCh38").fetch("NC_000017.11", 100, 104) == "ACGT"
    assert [source.name for source in load_liftover(settings.reference_dir).sources] == ["GRCh37_to_GRCh38.chain.gz"]
    [entry] = status(settings)["sequence"]["GRCh38"]
    assert entry["fetched"]["url"] == sequence.url
    assert (entry["fetched"]["release"], entry["fetched"]["licence"]) == (sequence.release, sequence.licence)
    assert entry["fetched"]["checked"] == f"md5 {hashlib.md5(WINDOW).hexdigest()}"
    assert left(settings) == set()


def test_files_of_genes_are_fetched_checked_and_recorded(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], tmp_path: Path
) -> None:
    features = write_gff3(tmp_path / "genes.gff.gz", gene_row("A1BG", (100, 200), hgnc=5)).read_bytes()
    names = write_hgnc(tmp_path / "hgnc.txt", hgnc_row(5, "A1BG", aliases="GAB")).read_bytes()
    by_name = {source.name: source for source in SOURCES}
    checksums = server.put("/md5checksums.txt", f"{hashlib.md5(features).hexdigest()}  ./genes.gff.gz\n".encode())
    sources = [
        dataclasses.replace(by_name["genes-GRCh38"], url=server.put("/genes.gff.gz", features), checksums=checksums),
        dataclasses.replace(by_name["genes-hgnc"], url=server.put("/hgnc.txt", names)),
    ]

    assert fetch(*sources) == [
        "genes.gff.gz: 1 gene of GRCh38",
        "hgnc.txt: 1 gene of HGNC's list; 1 former and further names",
    ]
    listed, checked = status(settings)["genes"]
    assert (listed["fetched"]["licence"], listed["fetched"]["checked"]) == (sources[1].licence, None)
    assert checked["fetched"]["checked"] == f"md5 {hashlib.md5(features).hexdigest()}"
    assert fetch(*sources) == ["genes-GRCh38: loaded already", "genes-hgnc: loaded already"]
    assert left(settings) == set()


def test_what_is_loaded_is_not_fetched_again(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], sequence: PublicSource
) -> None:
    fetch(sequence)
    asked = len(server.asked)

    assert fetch(sequence) == ["sequence-GRCh38: loaded already"]
    assert len(server.asked) == asked
    assert "loaded already" in next(fetching.planned(settings, [sequence]))


def test_a_file_given_by_hand_has_no_recorded_origin(settings: Settings, operon_file: Path) -> None:
    CommandLine(settings.home).done("reference", "add", operon_file)

    [entry] = status(settings)["sequence"]["GRCh38"]
    assert "fetched" not in entry


@pytest.fixture
def operon_file(tmp_path: Path) -> Path:
    path = tmp_path / "window.fa.gz"
    path.write_bytes(WINDOW)
    return path


def broken(server: OddServer, source: PublicSource, content: bytes) -> PublicSource:
    server.files[urlsplit(source.url).path].content = content
    return source


def test_a_file_with_another_checksum_is_not_taken_in(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], sequence: PublicSource
) -> None:
    with pytest.raises(BadFile, match="MD5 is not"):
        fetch(broken(server, sequence, WINDOW[:-1] + b"\1"))

    assert status(settings)["sequence"]["GRCh38"] == []
    assert left(settings) == set()


@pytest.mark.parametrize("content", [CHAIN[:-9], b"", gzip.compress(b"no chain")], ids=["cut off", "empty", "other"])
def test_a_damaged_file_without_a_checksum_is_not_taken_in(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], chain: PublicSource, content: bytes
) -> None:
    with pytest.raises(BadFile):
        fetch(broken(server, chain, content))

    assert load_liftover(settings.reference_dir).sources == ()
    assert left(settings) == set()
    assert fetch(broken(server, chain, CHAIN)) == ["GRCh37_to_GRCh38.chain.gz: GRCh37 to GRCh38, 1 chains"]


def test_chains_of_the_other_direction_are_not_taken_in(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], chain: PublicSource
) -> None:
    turned = synthetic_chains.text_of(Build.GRCH38, synthetic_chains.Block(100, 50, 300))

    with pytest.raises(BadFile, match="leads from GRCh38 to GRCh37"):
        fetch(broken(server, chain, turned))

    assert left(settings) == set()


def test_a_site_without_the_file_leaves_the_sources_before_it(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], sequence: PublicSource, chain: PublicSource
) -> None:
    del server.files["/GRCh37_to_GRCh38.chain.gz"]

    with pytest.raises(NotFound):
        fetch(sequence, chain)

    assert len(status(settings)["sequence"]["GRCh38"]) == 1


def test_a_list_without_the_file_is_no_proof(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], sequence: PublicSource
) -> None:
    server.files["/38/md5checksums.txt"].content = b"0123  ./other.gz\n"

    with pytest.raises(BadFile, match=r"no checksum of genome\.fna\.gz"):
        fetch(sequence)

    assert "/38/genome.fna.gz" not in [path for path, _ in server.asked]


def test_an_interrupted_download_shows_in_the_plan_and_goes_on(
    server: OddServer, settings: Settings, fetch: Callable[..., list[str]], chain: PublicSource
) -> None:
    server.files["/GRCh37_to_GRCh38.chain.gz"].script += ["cut 40", *["status 500"] * 3]
    with pytest.raises(OperonError):
        fetch(chain)
    assert "of which 0.0 MiB have come" in next(fetching.planned(settings, [chain]))

    fetch(chain)

    assert server.ranges("/GRCh37_to_GRCh38.chain.gz")[-1] == "bytes=40-"


def test_an_interruption_while_a_file_is_taken_in_costs_no_second_download(
    server: OddServer,
    fetch: Callable[..., list[str]],
    chain: PublicSource,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "_take_in", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(chain)

    assert fetch(chain) == ["GRCh37_to_GRCh38.chain.gz: GRCh37 to GRCh38, 1 chains"]
    assert len(server.asked) == 1


def test_a_disk_without_room_is_noticed_before_anything_is_asked(
    server: OddServer, fetch: Callable[..., list[str]], sequence: PublicSource
) -> None:
    with pytest.raises(OSError, match="needs about"):
        fetch(dataclasses.replace(sequence, stored=2**60))

    assert server.asked == []


def test_a_second_fetch_at_the_same_time_is_refused(
    settings: Settings, fetch: Callable[..., list[str]], chain: PublicSource
) -> None:
    folder = settings.reference_dir / "downloads"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            fetch(chain)


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ([], [source.name for source in SOURCES]),
        (["chain"], ["chain-GRCh37-GRCh38", "chain-GRCh38-GRCh37"]),
        (["genes"], ["genes-GRCh37", "genes-GRCh38", "genes-hgnc"]),
        (["sequence-GRCh38", "transcripts-refseq-GRCh37"], ["sequence-GRCh38", "transcripts-refseq-GRCh37"]),
    ],
)
def test_sources_are_chosen_by_name_or_kind(only: list[str], names: list[str]) -> None:
    assert [source.name for source in fetching.chosen(SOURCES, only)] == names


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="there is no ucsc; there are chain, chain-GRCh37-GRCh38"):
        fetching.chosen(SOURCES, ["ucsc"])


def test_every_source_is_public_named_once_and_none_is_of_ucsc() -> None:
    assert len({source.name for source in SOURCES}) == len({source.file for source in SOURCES}) == len(SOURCES)
    for source in SOURCES:
        assert source.url.startswith("https://")
        assert "ucsc" not in source.url.lower()
        assert source.size < source.max_bytes
        assert "https://" in source.licence
        assert source.checksums is None or source.checksums.startswith(source.url.rpartition("/")[0])


def test_a_dry_run_touches_no_network_and_names_licence_and_address(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path).done("reference", "fetch", "--dry-run")

    assert len(ended.out.splitlines()) == len(SOURCES)
    for source, line in zip(SOURCES, ended.out.splitlines(), strict=True):
        assert line.startswith(f"{source.name}: ")
        assert source.licence in line
        assert line.endswith(source.url)
    assert not (tmp_path / "reference").exists()
