"""The schema's revisions lead to the tables of the program, and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Table

from app.errors import Misconfigured
from app.records import Build
from app.store import bulk, migrate, structural_places
from app.store.session import Database
from app.store.structural_places import is_place_table
from app.store.studies import StudyFacts
from app.store.subjects import Subject
from app.store.tables import metadata
from tests.small_store import SmallStore
from tests.vcf_files import vcf

TABLES = sorted(metadata.tables)


@pytest.fixture
def fresh(store_url: str) -> Iterator[Database]:
    """Return a database without a schema."""
    database = Database(store_url)
    yield database
    database.close()


def tables_in(database: Database) -> list[str]:
    names = set(sa.inspect(database.writer).get_table_names()) - {"alembic_version"}
    return sorted(name for name in names if not is_place_table(name))


def schema_of(database: Database) -> dict[str, object]:
    """Return every column, key and index as the database tells them."""
    inspector = sa.inspect(database.writer)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], tuple(index["column_names"])) for index in inspector.get_indexes(name)),
            sorted(
                (str(unique["name"]), tuple(unique["column_names"]))
                for unique in inspector.get_unique_constraints(name)
            ),
        )
        for name in tables_in(database)
    }


def test_the_schema_goes_up_and_down_and_up_again(fresh: Database) -> None:
    migrate.upgrade(fresh)
    first = schema_of(fresh)
    assert (tables_in(fresh), migrate.current(fresh)) == (TABLES, migrate.head(fresh))

    migrate.downgrade(fresh, "base")
    assert (tables_in(fresh), migrate.current(fresh)) == ([], None)

    migrate.upgrade(fresh)
    assert schema_of(fresh) == first


def test_going_up_twice_keeps_the_data(fresh: Database) -> None:
    migrate.upgrade(fresh)
    with fresh.write() as session:
        session.insert_rows("counter", ("name", "value"), [("calls", 7)])

    migrate.upgrade(fresh)

    with fresh.read() as session:
        assert session.run("select value from counter")[0][0] == 7


def test_the_schema_is_the_one_of_the_program(fresh: Database) -> None:
    migrate.upgrade(fresh)

    migrate.check_drift(fresh)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("alter table study drop column study_type", id="a column is missing"),
        pytest.param("alter table study add column mood text", id="a column too many"),
        pytest.param("drop table study_region", id="a table is missing"),
        pytest.param("drop index ix_call_set_run_id", id="an index is missing"),
    ],
)
def test_another_schema_is_noticed(fresh: Database, change: str) -> None:
    migrate.upgrade(fresh)
    with fresh.writer.begin() as connection:
        connection.exec_driver_sql(change)

    with pytest.raises(Misconfigured, match="differs from this program's tables"):
        migrate.check_drift(fresh)


def test_a_store_of_the_first_schema_takes_structural_variants_after_the_upgrade(
    fresh: Database, tmp_path: Path
) -> None:
    migrate.upgrade(fresh)
    migrate.downgrade(fresh, "0001")
    with fresh.write() as session:
        session.insert_rows("counter", ("name", "value"), [("variant", 5)])

    migrate.upgrade(fresh)

    store = SmallStore(fresh, tmp_path)
    store.ingest(vcf("chr1 101 . N <DEL> 50 PASS SVTYPE=DEL;END=200 GT 0/1"), "P1")
    assert store.structural_population("subsuming", "NC_000001.11:150-151")[0][1:3] == (1, 1)
    with fresh.read() as session:
        assert session.run("select id from structural_site") == [(5,)]


def test_an_sqlite_without_the_rtree_module_is_told_what_to_do() -> None:
    structural_places.require_rtree({"json_each", "rtree_i32"})

    with pytest.raises(Misconfigured, match=r"lacks the R\*Tree module"):
        structural_places.require_rtree({"json_each"})


def test_an_empty_database_has_no_revision(fresh: Database) -> None:
    assert migrate.current(fresh) is None


def test_a_failing_revision_leaves_the_schema_as_it_was(fresh: Database) -> None:
    with fresh.writer.begin() as connection:
        connection.exec_driver_sql("create table variant (mine integer)")

    with pytest.raises(sa.exc.DBAPIError):
        migrate.upgrade(fresh)

    assert tables_in(fresh) == ["variant"]
    assert migrate.current(fresh) is None


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_and_column_says_what_it_holds(table: Table) -> None:
    assert table.comment
    assert [column.name for column in table.columns if not column.comment] == []


def test_the_comments_are_in_the_database(postgres_url: str) -> None:
    database = Database(postgres_url)
    migrate.upgrade(database)
    inspector = sa.inspect(database.writer)

    for table in metadata.sorted_tables:
        assert inspector.get_table_comment(table.name)["text"] == table.comment
        stored = {column["name"]: column["comment"] for column in inspector.get_columns(table.name)}
        assert stored == {column.name: column.comment for column in table.columns}
    database.close()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_tables_that_hold_subjects_have_a_shard(table: Table) -> None:
    bearing = {
        "call_chunk",
        "call_set",
        "carrier",
        "carrier_page",
        "cds_card",
        "genotype",
        "knowledge_union",
        "pgx_report_login",
        "stated_concept",
        "stated_implication",
        "stated_owner",
        "structural_chunk",
        "study",
        "pgx_call",
        "pgx_study",
        "study_region",
        "subject",
    }

    column: Column[object] | None = table.columns.get("shard")
    assert (column is not None) == (table.name in bearing)


def test_tests_that_were_stored_without_an_id_get_the_one_that_new_ones_have(fresh: Database) -> None:
    subjects = [Subject("P1"), Subject("P.2-ü")]
    migrate.upgrade(fresh)
    bulk.declare_studies(
        fresh, [(subject, StudyFacts(test, Build.GRCH38), {}) for subject in subjects for test in ("T1", 'T "2" ü')]
    )
    with fresh.read() as session:
        before = session.run("select id, uid from study order by id")
    assert len({uid for _, uid in before}) == 4

    migrate.downgrade(fresh, "0001")
    migrate.upgrade(fresh)

    with fresh.read() as session:
        assert session.run("select id, uid from study order by id") == before
