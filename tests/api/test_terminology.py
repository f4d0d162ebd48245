"""The utility that translates codes, over HTTP, by what is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.fhir import codes
from tests.answers import asking
from tests.api.client import Client
from tests.command_line import CommandLine
from tests.terminology_files import FILES, FOLDER

PATH = "/utilities/translate-terminology"
DO, MEDGEN = codes.DISEASE_ONTOLOGY, codes.MEDGEN


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("db", "upgrade")
    for kind in ("obo", "medgen", "map", "rxnorm"):
        operon.done("terminology", "load", kind, *(FOLDER / name for name in FILES[kind]))
    with asking(operon.home) as opened:
        yield opened.client


@pytest.fixture
def bare(tmp_path: Path) -> CommandLine:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


def asked(system: str, code: str) -> str:
    return f"{PATH}?codeSystem={quote(system, safe='')}&code={quote(code, safe='')}"


def answered(server: Client, system: str, code: str) -> Any:
    answer = server.get(asked(system, code))
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def entry(system: str, code: str = "", display: str = "", *, outcome: str = "") -> dict[str, str]:
    default = "match found" if code else "no match found"
    return {"outcome": outcome or default, "code": code, "system": system, "display": display}


@pytest.mark.parametrize("system", [codes.SNOMED, "https://snomed.info/sct/"])
def test_snomed_is_told_in_the_disease_ontology_and_then_in_medgen(server: Client, system: str) -> None:
    assert answered(server, system, "900000002") == [
        entry(DO, "DOID:3908", "lung non-small cell carcinoma"),
        entry(MEDGEN, "C0000002", "Lung non-small cell carcinoma"),
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("900000006", [entry(DO), entry(MEDGEN, "C0000004", "Large cell carcinoma")]),
        ("123456", [entry(DO), entry(MEDGEN)]),
        # Two terms claim the first, two concepts the second: neither is the same as both.
        ("900000003", [entry(DO), entry(MEDGEN)]),
        ("900000005", [entry(DO), entry(MEDGEN)]),
    ],
)
def test_each_system_has_an_entry_whether_it_has_the_code_or_not(server: Client, code: str, expected: Any) -> None:
    assert answered(server, codes.SNOMED, code) == expected


@pytest.mark.parametrize("code", ["C34.9", "c349", " c34.9 "])
def test_dots_and_case_of_icd_10_do_not_count(server: Client, code: str) -> None:
    assert answered(server, codes.ICD_10, code)[0] == entry(DO, "DOID:1324", "lung cancer")
    assert answered(server, codes.ICD_10_CM, code)[0] == entry(DO, "DOID:3910", "lung adenocarcinoma")


def test_rxnorm_is_told_in_ncit(server: Client) -> None:
    assert answered(server, codes.RXNORM, "1") == [entry(codes.NCIT, "C1", "Lisivastatin")]
    # A product is not its ingredient.
    assert answered(server, codes.RXNORM, "5") == [entry(codes.NCIT)]


def test_several_matches_are_all_told(bare: CommandLine) -> None:
    header = "source_system\tsource_code\ttarget_system\ttarget_code\ttarget_display\tequivalence\n"
    rows = [
        f"{codes.SNOMED}\t1\t{DO}\t{number}\tn\t{word}\n"
        for number, word in [(3, "narrower"), (2, "equal"), (4, "wider"), (5, "relatedto")]
    ]
    bare.done("terminology", "load", "map", "-", stdin=(header + "".join(rows)).encode())
    with asking(bare.home) as opened:
        assert answered(opened.client, codes.SNOMED, "1") == [
            entry(DO, "DOID:2", "n"),
            entry(DO, "DOID:3", "n"),
            entry(MEDGEN, outcome="no map loaded"),
        ]


def test_a_server_without_a_map_of_the_system_does_not_say_that_there_is_no_match(bare: CommandLine) -> None:
    bare.done("terminology", "load", "icd-10-cm", FOLDER / FILES["icd-10-cm"][0])
    bare.done("terminology", "load", "rxnorm", *(FOLDER / name for name in FILES["rxnorm"]))
    with asking(bare.home) as opened:
        for system in (codes.SNOMED, codes.ICD_10, codes.RXNORM):
            answer = opened.client.get(asked(system, "1"), accept="application/fhir+json")
            assert (answer.status, answer.issues[0]["code"]) == (501, "not-supported")
            assert answer.diagnostics == [
                f"Codes of {system} cannot be translated here: no map is loaded (operon terminology load)"
            ]
        assert opened.client.get(asked("http://loinc.org", "1")).status == 400
        bare.done("terminology", "load", "obo", FOLDER / "doid.obo")
        assert opened.client.get(asked(codes.SNOMED, "1")).status == 200
        bare.done("terminology", "remove", "doid.obo")
        assert opened.client.get(asked(codes.SNOMED, "1")).status == 501


@pytest.mark.parametrize(
    ("query", "message", "parameter"),
    [
        ("", "Missing query parameter 'codeSystem'", "codeSystem"),
        ("?code=1", "Missing query parameter 'codeSystem'", "codeSystem"),
        ("?codeSystem=http://snomed.info/sct&code=%20", "Missing query parameter 'code'", "code"),
        ("?codeSystem=http://loinc.org&code=1", "'codeSystem' is one of http://www.nlm.nih.gov/", "codeSystem"),
        ("?codeSystem=http://snomed.info/sct&code=1&code=2", "'code' takes one value, not 2", "code"),
        ("?codeSystem=http://snomed.info/sct&code=a%00b", "'code' is no code: 'a\\x00b'", "code"),
        (f"?codeSystem=http://snomed.info/sct&code={'1' * 101}", "'code' is no code: ", "code"),
    ],
)
def test_a_bad_question_is_refused(server: Client, query: str, message: str, parameter: str) -> None:
    plain, fhir = server.get(PATH + query), server.get(PATH + query, accept="application/fhir+json")
    assert (plain.status, fhir.status) == (400, 400)
    [issue] = fhir.issues
    assert issue["diagnostics"] == plain.json()["detail"]
    assert issue["diagnostics"].startswith(message)
    assert issue["expression"] == [f"Parameters.parameter.where(name='{parameter}')"]


def test_it_is_asked_as_every_utility(server: Client) -> None:
    url = asked(codes.SNOMED, "900000002")
    body = server.get(url)
    assert server.get(url.replace("?", "/?")).body == body.body
    assert server.head(url).headers["content-length"] == body.headers["content-length"]
    assert server.post(url).status == 405
    assert server.get(url, if_none_match=body.headers["etag"]).status == 304
