"""The passport page and reports that open with a PIN: complete, escaped, honest, and closed to whoever guesses."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.formats.snp_batch import Batch, read_batch
from app.main import create_app
from app.operations.pgx_pdf import DISCLAIMER
from app.store import pgx_reports, subjects
from app.store.pgx_reports import MOST_FAILURES, Wanted
from ingest.inbox import work_off
from ingest.progress import Progress
from tests.api.client import Answer, Client
from tests.api.test_pages import Page
from tests.small_store import SmallStore, migrated
from tests.snp_batches import batch, sample

POOR = {"rs4244285": "A/A", "rs12769205": "G/G", "rs3758581": "G/G"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    folder: Path = tmp_path_factory.mktemp("store")
    with migrated(f"sqlite:///{folder / 'operon.db'}") as database:
        store = SmallStore(database, folder)
        gene = store.context.pgx().content.gene("CYP2C19")
        assert gene is not None
        usual = {one.name: f"{one.ref38}/{one.ref38}" for one in gene.positions if one.name.startswith("rs")}
        left_out = "rs4986893"
        genotypes = [entry for entry in (usual | POOR).items() if entry[0] != left_out]
        person = {"birthday": "1982-09-11", "gender": "F"}
        submit(store, batch(sample("P1", *genotypes, **person), batch_id="B<1>"))
        work_off(store.workspace, Progress(quiet=True))
        yield store


@pytest.fixture
def client(store: SmallStore) -> Iterator[Client]:
    client = Client(create_app(store.settings, store.context))
    yield client
    client.close()


def submit(store: SmallStore, body: dict[str, object]) -> None:
    read = read_batch(body)
    assert isinstance(read, Batch), read
    store.context.queue_snp_data(read)


def shown(answer: Answer, status: int = 200) -> tuple[str, Page]:
    assert answer.status == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answer.headers["content-security-policy"]
    text = answer.body.decode()
    parsed = Page(text)
    assert "script" not in parsed.tags
    assert parsed.tags.count("h1") == 1
    return html.unescape(text), parsed


def login(store: SmallStore, language: str = "en") -> pgx_reports.Login:
    with store.database.write() as session:
        ordinal = subjects.find(session, ["P1"])["P1"].ordinal
        wanted = Wanted(ordinal, "doctor", language)
        return pgx_reports.obtain(session, store.context.pgx_desk.sealer, wanted, timedelta(days=1))


def test_the_form_leads_to_the_passport(client: Client):
    text, parsed = shown(client.get("/pgx"))
    assert re.search(r'<label for="subject">', text)
    assert "subject" in parsed.ids
    policy = client.get("/pgx").headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert shown(client.get("/pgx?subject=P1"))[0] == shown(client.get("/pgx/P1"))[0]


def test_the_passport_shows_each_result_and_what_it_rests_on(client: Client):
    text, _ = shown(client.get("/pgx/P1"))
    for said in ("CYP2C19", "*2/*2", "PM", "Poor Metabolizer", "B<1>", "2017-01-20", "1982-09-11", "rs4986893"):
        assert said in text, said
    assert re.search(r"<td>\d+/\d+</td>", text)
    assert DISCLAIMER in text


def test_drugs_to_act_on_have_text_source_release_and_link(client: Client, store: SmallStore):
    text, parsed = shown(client.get("/pgx/P1"))
    acting = text[text.index('id="acting"') : text.index('id="drugs"')]
    assert "Clopidogrel" in acting
    assert "CPIC" in acting
    assert store.context.pgx().release in acting
    assert any(link.startswith("https://") for link in parsed.links)
    assert 'class="grade grade-d">D<' in acting
    grades = re.findall(r'<h3><span class="grade grade-(.)">', acting)
    assert grades == sorted(grades, reverse=True)


def test_genes_without_a_test_are_named_and_never_normal(client: Client, store: SmallStore):
    text, _ = shown(client.get("/pgx/P1"))
    [named] = re.findall(r"<strong>Not tested:</strong> ([^<]*)</p>", text)
    genes = {gene.symbol for gene in store.context.pgx().content.genes}
    assert set(named.split(", ")) == genes - {"CYP2C19"}


def test_nothing_comes_from_elsewhere_but_links_to_sources(client: Client):
    _, parsed = shown(client.get("/pgx/P1"))
    assert parsed.links
    own = [link for link in parsed.links if link.startswith("/")]
    assert all(client.get(link).status == 200 for link in own)


def test_a_person_who_is_not_known_is_said_to_be_so(client: Client):
    text, _ = shown(client.get("/pgx/nobody"), 404)
    assert "There is no subject" in text
    shown(client.get(f"/pgx?subject={EVIL}"), 404)


def test_what_is_stored_is_escaped(client: Client, store: SmallStore, monkeypatch: pytest.MonkeyPatch):
    found = store.context.pgx_passport("P1")
    report = replace(found.report, sample_id=EVIL, test_provider=EVIL)
    evil = replace(found, report=report, untested=(EVIL,), disclaimer=EVIL)
    monkeypatch.setattr(store.context, "pgx_passport", lambda _: evil)
    text = client.get("/pgx/P1").body.decode()
    assert "<script" not in text
    assert text.count("&lt;script") == 4


def test_nothing_is_shown_while_data_wait(client: Client, store: SmallStore):
    submit(store, batch(sample("P1"), batch_id="B2"))
    text, _ = shown(client.get("/pgx/P1"))
    assert "not ready" in text
    assert "*2/*2" not in text
    with store.database.write() as session:
        session.run("delete from inbox where batch = 'B2' returning 1")
    assert "*2/*2" in shown(client.get("/pgx/P1"))[0]


def test_the_page_can_be_printed(root: Path):
    css = (root / "app/web/static/site.css").read_text()
    assert "@media print" in css
    assert "break-inside: avoid" in css


def test_a_report_opens_with_its_pin_in_its_language(client: Client, store: SmallStore):
    made = login(store, "ro")
    asked, parsed = shown(client.get(f"/report/{made.token}"))
    assert 'name="pin"' in asked
    assert "*2/*2" not in asked
    assert "pin" in parsed.ids
    opened, _ = shown(client.form(f"/report/{made.token}", f"pin={made.pin}"))
    assert "*2/*2" in opened
    assert 'lang="ro"' in opened
    assert "Metabolizator lent" in opened


def test_a_wrong_pin_opens_nothing_and_too_many_close_the_address(client: Client, store: SmallStore):
    made = login(store, "fi")
    wrong = "0000" if made.pin != "0000" else "1111"
    for _ in range(MOST_FAILURES):
        text, _ = shown(client.form(f"/report/{made.token}", f"pin={wrong}"), 403)
        assert "*2/*2" not in text
    text, _ = shown(client.form(f"/report/{made.token}", f"pin={made.pin}"), 404)
    assert "*2/*2" not in text
    shown(client.get(f"/report/{made.token}"), 404)


def test_an_address_that_never_was_is_told_as_a_closed_one(client: Client, store: SmallStore):
    never, _ = shown(client.get("/report/never"), 404)
    tried, _ = shown(client.form("/report/never", "pin=1234"), 404)
    assert never == tried


@pytest.mark.parametrize("body", ["", "pin=", "pin=%ff", "x" * 5000, "pin=" + "9" * 5000])
def test_bodies_without_a_pin_open_nothing(client: Client, store: SmallStore, body: str):
    made = login(store, "de")
    assert client.form(f"/report/{made.token}", body).status in (400, 403, 404)


def test_attempts_are_recorded_without_the_token(client: Client, store: SmallStore):
    made = login(store, "nl")
    client.form(f"/report/{made.token}", f"pin={made.pin}")
    with store.database.read() as session:
        [row] = session.run("select path, status, patient_ref from pgx_audit order by id desc limit 1")
    assert row[:2] == ("/report/{token}", 200)
    assert row[2] not in (None, "P1")
