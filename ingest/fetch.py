"""Fetching the public reference files: downloaded, checked, taken in like files given by hand, and recorded."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.config import Settings
from app.errors import BadFile, Busy, InvalidInput, quoted
from app.records import Build
from ingest import provenance
from ingest import reference as reference_files
from ingest.download import Checksum, Downloader
from ingest.progress import Progress
from ingest.public_sources import MiB, PublicSource

_DOWNLOADS = "downloads"


def chosen(sources: Sequence[PublicSource], only: Sequence[str]) -> list[PublicSource]:
    """Return the sources that ``only`` names, singly or by kind; all if it is empty.

    Raises:
        InvalidInput: there is no such source.
    """
    known = {source.name for source in sources} | {source.kind for source in sources}
    for name in only:
        if name not in known:
            raise InvalidInput(f"--only: there is no {quoted(name)}; there are {', '.join(sorted(known))}")
    return [source for source in sources if not only or source.name in only or source.kind in only]


def planned(settings: Settings, sources: Sequence[PublicSource]) -> Iterator[str]:
    """Yield a sentence on each source: what it is, what is there already, and on which terms it is offered."""
    loaded = _loaded(settings)
    for source in sources:
        part = settings.reference_dir / _DOWNLOADS / f"{source.file}.part"
        come = part.stat().st_size if part.is_file() else 0
        state = f"about {max(1, source.size // MiB):,} MiB to download"
        if source.url in loaded:
            state = "loaded already"
        elif come:
            state += f", of which {come / MiB:,.1f} MiB have come"
        yield f"{source.name}: {source.what}; {source.release}; {state}; {source.licence}; {source.url}"


def fetch(
    settings: Settings,
    sources: Sequence[PublicSource],
    progress: Progress,
    *,
    downloader: Callable[[Path, Progress], Downloader] = Downloader,
) -> Iterator[str]:
    """Fetch and take in sources one after the other, and yield sentences on each.

    What was fetched stays, whatever becomes of the next one; the same call goes on where an earlier one stopped.

    Raises:
        OperonError: a file cannot be had or is not what it should be; nothing of that file is taken in.
        OSError: the disk is full.
    """
    folder = settings.reference_dir / _DOWNLOADS
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        client = downloader(folder, progress)
        try:
            for source in sources:
                if source.url in _loaded(settings):
                    yield f"{source.name}: loaded already"
                else:
                    yield from _fetch(settings, source, client, progress)
        finally:
            client.close()


def _fetch(settings: Settings, source: PublicSource, client: Downloader, progress: Progress) -> Iterator[str]:
    _refuse_full_disk(settings.reference_dir, source)
    checksum = _published(client.text(source.checksums), source) if source.checksums else None
    fetched = client.fetch(source.url, source.file, max_bytes=source.max_bytes, checksum=checksum)
    progress.say(f"{source.file}: taking it in")
    try:
        lines = _take_in(settings, source, fetched.path)
    except BadFile:
        fetched.path.unlink()  # to fetch it again is the only way out
        raise
    origin = {"name": source.file, "url": source.url, "release": source.release, "licence": source.licence}
    checked = f"{checksum.algorithm} {checksum.digest}" if checksum else None
    provenance.record(settings.reference_dir, fetched.sha256, {**origin, "checked": checked, "bytes": fetched.size})
    fetched.path.unlink()
    yield from lines


def _take_in(settings: Settings, source: PublicSource, path: Path) -> list[str]:
    match source:
        case PublicSource(kind="sequence", build=Build() as build):
            return reference_files.add_sequences(settings, build, [path])
        case PublicSource(kind="chain", build=Build() as build):
            return [reference_files.add_chain_file(settings, build, build.other, path)]
        case _:
            return list(reference_files.add_files(settings, [path]))


def _loaded(settings: Settings) -> set[str]:
    """Return the addresses whose files were fetched and are still in use."""
    used = reference_files.checksums(settings)
    return {entry["url"] for sha256, entry in provenance.read(settings.reference_dir).items() if sha256 in used}


def _published(text: str, source: PublicSource) -> Checksum:
    """Return the checksum that a list of ``MD5  ./NAME`` lines has for a source."""
    for line in text.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*").removeprefix("./") == source.file:
            return Checksum("md5", digest)
    raise BadFile(
        str(source.checksums), f"it has no checksum of {source.file}", mend="The site may have moved the file"
    )


def _refuse_full_disk(folder: Path, source: PublicSource) -> None:
    needed = source.stored + source.size
    free = shutil.disk_usage(folder).free
    if free < needed:
        text = f"{source.name} needs about {needed // MiB:,} MiB, and the disk has {free // MiB:,} MiB left"
        raise OSError(errno.ENOSPC, text, str(folder))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time download; the lock ends with the process."""
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("another fetch is running") from error
        yield
    finally:
        os.close(handle)
