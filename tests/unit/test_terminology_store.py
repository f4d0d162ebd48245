"""Terminology in the store: loaded, replaced and removed as a whole, translated, followed to its kinds."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.config import Settings
from app.errors import BadFile, Busy, InvalidInput, LimitExceeded, NotFound, TooCostly
from app.formats.code_systems import (
    DISEASE_ONTOLOGY,
    ICD_10,
    ICD_10_CM,
    MEDGEN,
    MONDO,
    NCIT,
    RXNORM,
    SNOMED,
    Coded,
)
from app.formats.terminology import CodeMap, Equivalence, IsA, Named
from app.store import terminology
from app.store.session import Database
from app.store.terminology import Mapped
from ingest import terminology as loading
from ingest.progress import Progress
from ingest.workspace import Workspace
from tests.small_store import NO_GENOME, migrated
from tests.store_dump import counts, dump
from tests.terminology_files import FILES, FOLDER
from tests.terminology_store import Loading, store

LUNG = (SNOMED, "900000001")


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with migrated(store_url) as opened:
        yield opened


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Loading:
    return Loading(database, tmp_path)


def translated(database: Database, system: str, code: str) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        return [
            (one.system, one.code, one.display, one.equivalence.value)
            for one in terminology.translate(session, system, code)
        ]


def below(database: Database, *codes: Coded) -> set[Coded]:
    with database.read() as session:
        return terminology.descendants(session, codes)


# --- releases ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_release_is_loaded(database: Database, load: Loading) -> None:
    rows = {kind: load(kind).rows for kind in FILES}
    assert all(rows.values())
    with database.read() as session:
        releases = terminology.releases(session)
    assert {release.name: release.rows for release in releases} == {
        kind if loading.KINDS[kind].is_one_source else FILES[kind][0]: number for kind, number in rows.items()
    }
    assert {release.name: release.version for release in releases}["doid.obo"] == "2024-05-29"
    [medgen] = [release for release in releases if release.name == "medgen"]
    digests = [hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in FILES["medgen"]]
    assert medgen.files == tuple(zip(FILES["medgen"], digests, strict=True))
    assert sum(counts(database)[table] for table in terminology._TABLES) == sum(rows.values())


def test_a_release_takes_the_place_of_the_one_before(database: Database, load: Loading) -> None:
    load("obo", version="first")
    before = dump(database)
    load("obo", "mondo.obo", name="doid.obo", version="second")
    with database.read() as session:
        [release] = terminology.releases(session)
    assert (release.name, release.version, release.files[0][0]) == ("doid.obo", "second", "mondo.obo")
    assert translated(database, SNOMED, "900000002") == []
    load("obo", version="first")
    after = dump(database)
    for table in ("terminology_map", "terminology_parent", "terminology_concept"):
        assert [row[1:] for row in after[table]] == [row[1:] for row in before[table]]


@pytest.mark.parametrize("wrong", ["C3411   lung\nlung\n", "<html>\n"])
def test_a_file_that_is_refused_changes_nothing(database: Database, load: Loading, tmp_path: Path, wrong: str) -> None:
    load("icd-10-cm")
    before = dump(database)
    path = tmp_path / "x.txt"
    path.write_text(wrong)
    with pytest.raises(BadFile):
        load("icd-10-cm", path)
    assert dump(database) == before


def test_a_file_without_anything_of_use_is_refused(database: Database, load: Loading, tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("subject_id\tpredicate_id\tobject_id\n")
    before = dump(database)
    with pytest.raises(BadFile, match="nothing in it is of use here"):
        load("sssom", path)
    assert dump(database) == before


def test_a_compressed_file_is_the_same_release(database: Database, load: Loading, tmp_path: Path) -> None:
    path = tmp_path / "doid.obo.gz"
    path.write_bytes(gzip.compress((FOLDER / "doid.obo").read_bytes()))
    assert load("obo", path) == load("obo")


def test_one_bar_shows_how_far_all_files_are(database: Database, tmp_path: Path) -> None:
    screen = io.StringIO()
    progress = Progress(console=Console(file=screen, force_terminal=True, width=100))
    workspace = Workspace(Settings(home=tmp_path), database, NO_GENOME)
    paths = [FOLDER / name for name in FILES["medgen"]]
    seen: list[int] = []

    class Seen:
        @contextmanager
        def file(self, name: str, size: int) -> Iterator[Any]:
            with progress.file(name, size):
                yield self
            assert (name, size) == ("medgen", sum(path.stat().st_size for path in paths))
            assert seen[-1] == size

        def at(self, bytes_done: int) -> None:
            seen.append(bytes_done)

    loading.load(workspace, "medgen", paths, Seen())  # type: ignore[arg-type]
    assert seen == sorted(seen)


def test_too_many_rows_are_refused(database: Database, load: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MOST_ROWS", 2)
    with pytest.raises(LimitExceeded, match="more than 2 rows"):
        load("icd-10-cm")
    assert "terminology_concept" not in counts(database)


@pytest.mark.parametrize(("kind", "options"), [("owl", {}), ("map", {"name": ""}), ("map", {"name": "x" * 61})])
def test_an_unknown_kind_and_a_bad_name_are_refused(load: Loading, kind: str, options: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        load(kind, "map.tsv", **options)


def test_a_load_waits_for_nobody(database: Database, load: Loading) -> None:
    with database.sole_writer(), pytest.raises(Busy):
        load("map")


def test_a_removed_release_leaves_nothing(database: Database, load: Loading) -> None:
    load("obo")
    load("map")
    kept = dump(database)
    load("snomed")
    with database.write() as session:
        terminology.remove_release(session, "snomed")
    after = dump(database)
    del kept["counter"], after["counter"]
    assert after == kept
    with database.write() as session, pytest.raises(NotFound, match="there is no release snomed"):
        terminology.remove_release(session, "snomed")


def test_every_change_of_what_is_loaded_is_a_new_version_of_the_data(database: Database, load: Loading) -> None:
    def version() -> int:
        return {str(name): int(value) for name, value in dump(database)["counter"]}.get("data_version", 0)

    versions = [version()]
    load("map")
    versions.append(version())
    with database.write() as session:
        terminology.remove_release(session, "map.tsv")
    versions.append(version())
    assert len(set(versions)) == 3


# --- translation ------------------------------------------------------------------------------------------------------


def test_every_target_is_told_the_closest_first(database: Database) -> None:
    a = ("http://a", "1")
    store(
        database,
        CodeMap(a, ("http://b", "3"), Equivalence.RELATED),
        CodeMap(a, ("http://b", "2"), Equivalence.NARROWER),
        CodeMap(a, ("http://b", "1"), Equivalence.EQUIVALENT, "one"),
        CodeMap(a, ("http://a", "9"), Equivalence.WIDER),
        CodeMap(("http://a", "2"), ("http://b", "4"), Equivalence.EQUIVALENT),
        CodeMap(("http://x", "1"), ("http://b", "5"), Equivalence.EQUIVALENT),
        Named("http://b", "2", "two"),
    )
    assert translated(database, *a) == [
        ("http://a", "9", "", "wider"),
        ("http://b", "1", "one", "equivalent"),
        ("http://b", "2", "two", "narrower"),
        ("http://b", "3", "", "relatedto"),
    ]
    assert translated(database, "http://a", "3") == []


def test_what_several_releases_say_of_one_target_is_told_once(database: Database) -> None:
    a, b = ("http://a", "1"), ("http://b", "1")
    store(database, CodeMap(a, b, Equivalence.RELATED, "b"), name="z")
    store(database, CodeMap(a, b, Equivalence.EQUIVALENT, "a"), name="y")
    with database.read() as session:
        assert terminology.translate(session, *a) == [Mapped(*b, "a", Equivalence.EQUIVALENT, ("y", "z"))]


def test_codes_and_systems_are_stored_in_one_spelling(database: Database, load: Loading) -> None:
    load("map")
    assert translated(database, ICD_10, "C349") == [(DISEASE_ONTOLOGY, "DOID:1324", "lung cancer", "equivalent")]
    assert translated(database, RXNORM, "1") == [(NCIT, "C1", "Lisivastatin", "equivalent")]
    load("conceptmap")
    assert [one[:2] for one in translated(database, *LUNG)] == [(MEDGEN, "C0000001"), (MEDGEN, "C0000009")]


def test_what_is_covered_is_known(database: Database, load: Loading) -> None:
    load("map")
    load("icd-10-cm")
    with database.read() as session:
        covered = terminology.coverage(session)
    assert covered.maps == {(ICD_10, DISEASE_ONTOLOGY), (SNOMED, DISEASE_ONTOLOGY), (RXNORM, NCIT)}
    assert covered.hierarchies == {ICD_10_CM}


def test_names_are_found_by_their_codes(database: Database, load: Loading) -> None:
    load("obo")
    with database.read() as session:
        assert terminology.names(session, [(DISEASE_ONTOLOGY, "DOID:4"), (DISEASE_ONTOLOGY, "DOID:5"), LUNG]) == {
            (DISEASE_ONTOLOGY, "DOID:4"): "disease"
        }


# --- kinds ------------------------------------------------------------------------------------------------------------


def test_kinds_are_followed_to_the_last(database: Database, load: Loading) -> None:
    load("obo")
    assert below(database, (DISEASE_ONTOLOGY, "DOID:1324"), (MONDO, "x")) == {
        *((DISEASE_ONTOLOGY, f"DOID:{number}") for number in (1324, 3908, 3910, 3905)),
        (MONDO, "x"),
    }
    assert below(database, (MONDO, "DOID:1324")) == {(MONDO, "DOID:1324")}
    assert below(database) == set()


def test_a_circle_ends(database: Database) -> None:
    store(database, IsA("s", "b", "a"), IsA("s", "c", "b"), IsA("s", "a", "c"), IsA("t", "z", "a"))
    assert below(database, ("s", "b")) == {("s", "a"), ("s", "b"), ("s", "c")}


def test_what_is_reached_on_several_ways_counts_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminology, "MOST_DESCENDANTS", 8)
    middle = [f"b{number}" for number in range(4)]
    ways = [(one, "a") for one in middle] + [("c", one) for one in middle] + [("d", "c"), ("e", "d")]
    store(database, *(IsA("s", child, parent) for child, parent in ways))
    assert below(database, ("s", "a")) == {("s", code) for code in ("a", *middle, "c", "d", "e")}


def test_too_many_kinds_are_refused_instead_of_cut(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminology, "MOST_DESCENDANTS", 3)
    store(database, *(IsA("s", str(number), "a") for number in range(2)))
    assert len(below(database, ("s", "a"))) == 3
    store(database, *(IsA("s", str(number), "a") for number in range(3)))
    with pytest.raises(TooCostly, match="a of s has more than 3 kinds"):
        below(database, ("s", "a"))
