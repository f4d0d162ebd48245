"""Cases that this server serves, fetched by its own client into an empty store, give the same store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import uvicorn

from app.config import Settings
from app.formats.gel_migration import migrated_detail
from app.main import create_app
from app.operations.registry import open_context
from app.security.cip_passwords import digest_of
from app.store import cip_cases, cip_users
from app.store.session import Database
from tests.cip_server import PASSWORD
from tests.command_line import CommandLine
from tests.store_dump import Dump

PACK = (
    "rd_duo_611-2.grch37.v4",
    "cancer_3106-1.v6",
    "rd_trio_40101-1.v6",
    "rd_singleton_40102-1.v6.negneg",
)
"""In the order in which they are fetched, so that rows have the same numbers"""
OWN = {"cip_sync", "cip_user", "cip_audit", "ingest_run", "counter"}
"""Tables of how something came into a store, not of what is there"""
HERE = {"cip_case": ("origin", "updated"), "knowledge_release": ("loaded",)}


@contextmanager
def listening(home: Path, allow_loopback: Callable[[int], None]) -> Iterator[str]:
    """Serve the store of a folder on loopback, and yield the address."""
    settings = Settings(home=home)
    with_user(settings)
    context = open_context(settings)
    config = uvicorn.Config(create_app(settings, context), host="127.0.0.1", port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    allow_loopback(port)
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(10)
        context.close()


def with_user(settings: Settings) -> None:
    database = Database(settings.store_url)
    with database.write() as session:
        cip_users.add(
            session, "reader", password=digest_of(PASSWORD), email="reader@example.org", role="reader", workspaces=()
        )
    database.close()


@pytest.fixture
def fetched(
    tmp_path: Path, allow_loopback: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[CommandLine, CommandLine]]:
    """Return a function that ingests files into one store and fetches its cases into another one."""

    def fetch(files: list[Path], *options: str) -> tuple[CommandLine, CommandLine]:
        served, own = CommandLine(tmp_path / "served"), CommandLine(tmp_path / "own")
        for one in (served, own):
            one.done("db", "upgrade")
        ended = served.run("ingest", "cip-api", *files, "--quiet")
        assert ended.code in (0, 3), ended.err
        with listening(served.home, allow_loopback) as url:
            monkeypatch.setenv("CIPAPI_BASE_URL", url)
            monkeypatch.setenv("CIPAPI_USERNAME", "reader")
            monkeypatch.setenv("CIPAPI_PASSWORD", PASSWORD)
            pulled = own.run("ingest", "cip-api", "--from-server", "TEST", "--json", *options)
            assert pulled.code == ended.code, pulled.err
            counts = json.loads(pulled.out)["counts"]
            assert (counts["new"], counts["failed"], counts["conflict"]) == (len(files), 0, 0), pulled.err
            before = own.dump()
            again = own.done("ingest", "cip-api", "--from-server", "TEST", "--json", *options)
            assert json.loads(again.out)["counts"]["unchanged"] == len(files), again.err
            assert own.dump() == before
        return served, own

    return fetch


def content(operon: CommandLine) -> Dump:
    """Return what is in a store, but for where it is from and when it came."""
    found = {table: rows for table, rows in operon.dump().items() if table not in OWN}
    for table, columns in HERE.items():
        names = [name for _, name, *_ in operon.rows(f"pragma table_info({table})")]
        hidden = {names.index(column) for column in columns}
        found[table] = [tuple(v for at, v in enumerate(row) if at not in hidden) for row in found[table]]
    return found


def documents(operon: CommandLine) -> dict[str, Any]:
    with closing(Database(Settings(home=operon.home).store_url)) as database, database.read() as session:
        _, cases = cip_cases.page(session, cip_cases.CaseFilters(), offset=0, limit=10)
        return {case.name: cip_cases.detail_of(session, case.row) for case in cases}


def test_a_small_case_comes_back_as_it_was(fetched: Any, tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(SMALL, indent=1))
    served, own = fetched([file])
    assert documents(own) == documents(served)
    assert content(own) == content(served)
    assert [served.rows(f"select count(*) from {table}")[0][0] for table in ("call_set", "cip_consent")] == [1, 1]


def test_the_cases_of_the_pack_come_back_as_they_were(fetched: Any, shared: Path) -> None:
    served, own = fetched([shared / "packs" / "cipapi" / f"{name}.detail.json" for name in PACK], "--as-stored")
    assert len(documents(served)) == 4
    assert documents(own) == documents(served)
    assert content(own) == content(served)


def test_documents_that_the_server_rewrote_say_the_same(fetched: Any, shared: Path) -> None:
    served, own = fetched([shared / "packs" / "cipapi" / f"{name}.detail.json" for name in PACK])
    before = documents(served)
    old = before.pop("611-2")
    assert documents(own) == {**before, "611-2": orjson.dumps(migrated_detail(orjson.loads(old)))}
    whole, back = content(served), content(own)
    rows, rewritten = whole.pop("cip_case"), back.pop("cip_case")
    assert back == whole
    differing = {
        at for one, other in zip(rows, rewritten, strict=True) for at in range(len(one)) if one[at] != other[at]
    }
    assert len(differing) == 2  # the document and its digest


SMALL: dict[str, Any] = {
    "status": [{"status": "sent_to_gmcs", "created_at": "2023-02-02T10:00:00.000000Z", "user": "x"}],
    "interpretation_request_id": 70001,
    "version": "1",
    "created_at": "2023-02-01T08:00:00.000000Z",
    "last_modified": "2023-02-02T10:00:01.000000Z",
    "cip": "genomics_england",
    "sample_type": "raredisease",
    "interpretation_request_data": {
        "json_request": {
            "versionControl": {"gitVersionControl": "6.2.0"},
            "interpretationRequestId": "70001",
            "interpretationRequestVersion": 1,
            "genomeAssembly": "GRCh38",
            "workspace": ["SITE1"],
            "pedigree": {
                "familyId": "r70001",
                "readyForAnalysis": True,
                "members": [
                    {
                        "pedigreeId": 1,
                        "isProband": True,
                        "participantId": "p70001",
                        "sex": "FEMALE",
                        "affectionStatus": "AFFECTED",
                        "samples": [{"sampleId": "S70001", "labSampleId": "1"}],
                        "hpoTermList": [{"term": "HP:0001250", "termPresence": "yes"}],
                    }
                ],
            },
        }
    },
    "interpreted_genome": [
        {
            "cip_version": 1,
            "created_at": "2023-02-01T11:30:00.100000Z",
            "interpreted_genome_data": {
                "versionControl": {"gitVersionControl": "6.2.0"},
                "interpretationRequestId": "70001-1",
                "interpretationRequestVersion": 1,
                "interpretationService": "genomics_england_tiering",
                "referenceDatabasesVersions": {},
                "softwareVersions": {"gel-tiering": "1.0.14"},
                "structuralVariants": [],
                "shortTandemRepeats": [],
                "variants": [
                    {
                        "variantCoordinates": {
                            "assembly": "GRCh38",
                            "chromosome": "1",
                            "position": 11796321,
                            "reference": "G",
                            "alternate": "A",
                        },
                        "variantCalls": [
                            {
                                "participantId": "p70001",
                                "sampleId": "S70001",
                                "zygosity": "heterozygous",
                                "alleleOrigins": ["germline_variant"],
                            }
                        ],
                        "reportEvents": [
                            {
                                "reportEventId": "RE1",
                                "phenotypes": {"nonStandardPhenotype": ["seizures"]},
                                "variantConsequences": [{"id": "SO:0001583", "name": "missense_variant"}],
                                "modeOfInheritance": "biallelic",
                                "genomicEntities": [{"type": "gene", "geneSymbol": "MTHFR"}],
                                "tier": "TIER2",
                                "variantClassification": {"clinicalSignificance": "likely_pathogenic"},
                            }
                        ],
                    }
                ],
            },
        }
    ],
    "clinical_report": [],
    "gel_tiering_qc_outcome": [],
    "proband": "p70001",
    "number_of_samples": 1,
    "files": [],
    "last_status": "sent_to_gmcs",
    "case_priority": "medium",
    "tags": [],
    "family_id": "r70001",
    "assembly": "GRCh38",
    "case_id": "GEL-70001-1",
    "program": "rare_disease",
    "workspaces": ["SITE1"],
    "referral": {
        "referral_id": "r70001",
        "referral_uid": "u70001",
        "analysis_scope": "raredisease",
        "last_modified": "2023-01-10T15:21:24.239129Z",
        "clinical_indication_code": "R59",
        "clinical_indication_full_name": "Epilepsy",
        "econsent": {
            "participant_consent": [
                {
                    "participant_id": "p70001",
                    "referral_id": "r70001",
                    "primaryGenomicTestingConsent": "yes",
                    "researchFindingConsent": "no",
                    "last_modified": "2023-01-10T15:18:58.915454Z",
                }
            ],
            "overall_econsent": "green",
        },
    },
}
