"""What holds for each operation that something answers, whatever it asks: URL forms, methods, inputs, errors.

The operations are read from the definitions: one that is added is tested without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.fhir.definitions import Definition
from app.fhir.validate import problems
from app.main import create_app
from app.operations.registry import open_context
from tests.answers import asking
from tests.api.client import Answer, Client
from tests.command_line import CommandLine
from tests.operation_calls import OFFERED, SUBJECT, body, needed, query, required

every = pytest.mark.parametrize("definition", OFFERED.values(), ids=lambda one: one.name)
about_subjects = pytest.mark.parametrize(
    "definition", [one for one in OFFERED.values() if one.about_subject], ids=lambda one: one.name
)
FORMS = ("{base}${name}", "{base}%24{name}", "{base}${name}/", "{base}Patient/${name}", "{base}Patient/%24{name}/")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("demo", "--no-serve", "--quiet")
    return operon.home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[Client]:
    with asking(home) as asked:
        yield asked.client


def answer_to(client: Client, definition: Definition, **headers: str) -> Answer:
    """Return the answer to the complete question at the plainest URL."""
    answer = client.get(f"/fhir/${definition.name}?{query(needed(definition))}", **headers)
    assert answer.status == 200, answer.body
    return answer


def test_there_are_operations() -> None:
    assert len(OFFERED) >= 3


@every
def test_the_answer_is_valid_and_says_what_it_is(client: Client, definition: Definition) -> None:
    answer = answer_to(client, definition)

    assert answer.json()["resourceType"] == "Parameters"
    assert problems(answer.json()) == []
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Prefer"


@every
@pytest.mark.parametrize("form", FORMS)
def test_every_url_and_method_gives_the_same_answer(client: Client, definition: Definition, form: str) -> None:
    inputs, expected = needed(definition), answer_to(client, definition)
    url = form.format(base="/fhir/", name=definition.name)

    assert client.get(f"{url}?{query(inputs)}").body == expected.body
    assert client.post(url, body(inputs.items())).body == expected.body
    assert client.post(url, body(inputs.items()), "application/json").body == expected.body
    assert client.form(url, query(inputs)).body == expected.body
    assert client.post(f"{url}?{query(inputs)}", b"", "").body == expected.body
    head = client.head(f"{url}?{query(inputs)}")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == expected.headers["content-length"]
    assert client.options(url).status == 204


@every
def test_paths_of_the_reference_implementation_differ_in_wording_alone(client: Client, definition: Definition) -> None:
    inputs = needed(definition)
    for base in ("", "/fhir"):
        url = f"{base}{definition.ref_path}"
        theirs = client.get(f"{url}?{query(inputs)}")
        assert theirs.status == 200, theirs.body
        assert problems(theirs.json()) == []
        assert client.post(url, body(inputs.items())).body == theirs.body
        assert client.get(f"{url.replace('$', '%24')}/?{query(inputs)}").body == theirs.body
        ours = client.get(f"{url}?{query(inputs)}&_dialect=ig")
        assert ours.body == answer_to(client, definition).body
    assert answer_to(client, definition, prefer="dialect=ref").body == theirs.body
    assert client.get(url, accept="*/*").headers["content-type"] == "application/problem+json" or not required(
        definition
    )


@every
def test_one_patient_can_be_asked_about_where_the_definition_allows_it(client: Client, definition: Definition) -> None:
    inputs = {name: value for name, value in needed(definition).items() if name != "subject"}
    url = f"/fhir/Patient/{SUBJECT}/${definition.name}"
    answer = client.get(f"{url}?{query(inputs)}")

    if not definition.instance:
        assert (answer.status, answer.issues[0]["code"]) == (404, "not-supported")
        return
    assert answer.body == answer_to(client, definition).body
    assert client.post(url, body(inputs.items())).body == answer.body
    assert client.get(f"{url}?{query(inputs)}&subject=Patient/{SUBJECT}").body == answer.body
    other = client.get(f"{url}?{query(inputs)}&subject=demo-mother")
    assert (other.status, other.issues[0]["code"]) == (400, "value")


@every
def test_an_operation_about_subjects_can_be_called_on_one(definition: Definition) -> None:
    assert definition.instance is definition.about_subject


@every
def test_each_missing_input_is_named(client: Client, definition: Definition) -> None:
    for missing in required(definition):
        for given in ({}, {missing: ""}, {missing: " "}):
            inputs = {**{name: value for name, value in needed(definition).items() if name != missing}, **given}
            for answer in (
                client.get(f"/fhir/${definition.name}?{query(inputs)}"),
                client.form(f"/fhir/Patient/${definition.name}", query(inputs)),
            ):
                assert answer.status == 400
                [issue] = answer.issues
                assert (issue["code"], issue["diagnostics"]) == ("required", f"Missing query parameter '{missing}'")


@every
def test_unknown_inputs_are_ignored_unless_strictness_is_asked_for(client: Client, definition: Definition) -> None:
    expected, url = answer_to(client, definition), f"/fhir/${definition.name}?{query(needed(definition))}"
    for unknown in ("specimenIdentfiers=1", "_summary=true", "_elements=id", "x", "=y"):
        assert client.get(f"{url}&{unknown}").body == expected.body, unknown
    refused = client.get(f"{url}&specimenIdentfiers=1", prefer="handling=strict")
    assert refused.status == 400
    assert refused.diagnostics == ["Unknown query parameter 'specimenIdentfiers'"]
    for preference in ("return=minimal", "return=representation", "respond-async", "handling=strict", "wait=10"):
        assert answer_to(client, definition, prefer=preference).body == expected.body, preference


@every
def test_an_empty_value_is_an_absent_one(client: Client, definition: Definition) -> None:
    inputs = needed(definition)
    url = f"/fhir/${definition.name}?{query(inputs)}"
    empty = "&".join(f"{name}=" for name in definition.parameters if name not in inputs)

    assert client.get(f"{url}&{empty}").body == answer_to(client, definition).body
    assert (
        client.form(f"/fhir/${definition.name}", f"{query(inputs)}&{empty}").body == answer_to(client, definition).body
    )


@about_subjects
def test_an_unknown_subject_is_not_found(client: Client, definition: Definition) -> None:
    inputs = needed(definition)
    for subject in ("P-9", "Patient/P-9", "http://elsewhere.example/Patient/P-9"):
        answer = client.get(f"/fhir/${definition.name}?{query({**inputs, 'subject': subject})}")
        assert answer.status == 404, subject
        [issue] = answer.issues
        assert (issue["code"], issue["details"]["text"]) == ("not-found", "ERROR: Patient not found")
        assert issue["diagnostics"] == "Patient (P-9) not found."


@about_subjects
def test_every_way_to_name_a_subject_is_read(client: Client, definition: Definition) -> None:
    expected, inputs = answer_to(client, definition), needed(definition)
    del inputs["subject"]
    for subject in (f"Patient/{SUBJECT}", f"http://elsewhere.example/fhir/Patient/{SUBJECT}", f"%20{SUBJECT}%20"):
        assert client.get(f"/fhir/${definition.name}?subject={subject}&{query(inputs)}").body == expected.body, subject
    values: list[dict[str, Any]] = [
        {"valueReference": {"reference": f"Patient/{SUBJECT}"}},
        {"valueUri": f"Patient/{SUBJECT}"},
        {"valueId": SUBJECT},
    ]
    for value in values:
        sent = body(inputs.items())
        sent["parameter"].append({"name": "subject", **value})
        assert client.post(f"/fhir/${definition.name}", sent).body == expected.body, value


@every
def test_booleans_are_read_in_every_spelling(client: Client, definition: Definition) -> None:
    url = f"/fhir/${definition.name}"
    flags = [name for name, parameter in definition.parameters.items() if parameter.type == "boolean"]
    for flag in flags:
        for wanted, spellings in ((True, ("true", "TRUE", "1", "%20true")), (False, ("false", "False", "0"))):
            sent = body(needed(definition).items())
            sent["parameter"].append({"name": flag, "valueBoolean": wanted})
            expected = client.post(url, sent)
            assert expected.status == 200
            for spelling in spellings:
                got = client.get(f"{url}?{query(needed(definition))}&{flag}={spelling}")
                assert got.body == expected.body, (flag, spelling)
        refused = client.get(f"{url}?{query(needed(definition))}&{flag}=yes")
        assert (refused.status, refused.issues[0]["code"]) == (400, "value")


@every
def test_blanks_after_commas_do_not_count(client: Client, definition: Definition) -> None:
    for name, value in needed(definition).items():
        if not definition.parameters[name].repeats:
            continue
        twice, url = f"{value},{value}", f"/fhir/${definition.name}"
        inputs = {**needed(definition), name: twice}
        expected = client.get(f"{url}?{query(inputs)}")
        assert expected.status == 200
        for spaced in (f"{value}, {value}", f" {value} ,{value} ", f",{value},,{value},"):
            assert client.get(f"{url}?{query({**inputs, name: spaced})}").body == expected.body, spaced


@every
@pytest.mark.parametrize(
    "value", ["nonsense", "(", "[", "*", "\\", "%00", "NC_000001.11:5-1", "1" * 5000, "%F0%9F%A7%AC"]
)
def test_nonsense_in_any_input_is_the_callers_error(client: Client, definition: Definition, value: str) -> None:
    for name in definition.parameters:
        inputs = {one: text for one, text in needed(definition).items() if one != name}
        answer = client.get(f"/fhir/${definition.name}?{query(inputs)}&{name}={value}")
        assert answer.status < 500, (name, answer.body)
        if answer.status != 200:
            assert answer.issues


@every
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client: Client, definition: Definition, method: str) -> None:
    answer = client.request(method, f"/fhir/${definition.name}")

    assert (answer.status, answer.issues[0]["code"]) == (405, "not-supported")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@every
def test_an_unchanged_answer_is_not_sent_again(client: Client, definition: Definition) -> None:
    tag = answer_to(client, definition).headers["etag"]
    again = client.get(f"/fhir/${definition.name}?{query(needed(definition))}", if_none_match=tag)

    assert (again.status, again.body) == (304, b"")


@every
def test_the_statement_and_the_definitions_know_the_operation(client: Client, definition: Definition) -> None:
    [rest] = client.get("/fhir/metadata").json()["rest"]
    [patient] = [one for one in rest["resource"] if one["type"] == "Patient"]
    entry = {"name": definition.name, "definition": definition.canonical}

    assert rest["operation"].count(entry) == 1
    assert patient["operation"].count(entry) == definition.about_subject
    for found in ("code=" + definition.name, "url=" + definition.canonical, "name=" + definition.resource["name"]):
        bundle = client.get(f"/fhir/OperationDefinition?{found}").json()
        assert definition.name in [one["resource"]["id"] for one in bundle["entry"]]
    assert client.get(f"/fhir/OperationDefinition/{definition.name}").json() == dict(definition.resource)


@every
def test_a_browser_elsewhere_may_ask_where_that_is_allowed(home: Path, definition: Definition) -> None:
    with asking(home, cors_origins="https://app.example") as asked:
        headers = {"origin": "https://app.example", "access_control_request_method": "GET"}
        for path in (f"/fhir/${definition.name}", definition.ref_path, f"/fhir/Patient/x/${definition.name}"):
            preflight = asked.client.options(path, **headers, access_control_request_headers="prefer")
            assert preflight.status == 200
            assert preflight.headers["access-control-allow-origin"] == "https://app.example"


@every
def test_whatever_the_answer_names_can_be_read(client: Client, definition: Definition) -> None:
    """Every resource by its id, as the same bytes, and everything that a resource refers to."""
    flags = {name: "true" for name, parameter in definition.parameters.items() if parameter.type == "boolean"}
    answer = client.get(f"/fhir/${definition.name}?{query({**needed(definition), **flags})}")
    resources = [
        part["resource"]
        for parameter in answer.json().get("parameter", [])
        for part in (parameter, *parameter.get("part", []))
        if "resource" in part
    ]
    references = set(re.findall(rb'"reference":"([A-Z][A-Za-z]+/[^"]+)"', answer.body))

    for resource in resources:
        read = client.get(f"/fhir/{resource['resourceType']}/{resource['id']}")
        assert read.status == 200, resource["id"]
        assert read.body in answer.body
        assert read.json() == resource
    assert {reference: client.get(f"/fhir/{reference.decode()}").status for reference in references} == dict.fromkeys(
        references, 200
    )
    # The sample data have no structural variant.
    assert resources or "includeVariants" not in definition.parameters or "structural" in definition.name


@every
def test_in_a_batch_the_answer_is_the_same(client: Client, definition: Definition) -> None:
    url = f"${definition.name}"
    entries = [
        {"request": {"method": "GET", "url": f"{url}?{query(needed(definition))}"}},
        {"request": {"method": "POST", "url": url}, "resource": body(needed(definition).items())},
    ]
    answer = client.post("/fhir", {"resourceType": "Bundle", "type": "batch", "entry": entries})

    assert answer.body.count(answer_to(client, definition).body) == 2


@every
def test_a_database_that_is_away_is_no_empty_answer(tmp_path: Path, definition: Definition) -> None:
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'none' / 'operon.db'}", log_level="error")
    context = open_context(settings)
    client = Client(create_app(settings, context))
    try:
        for url in (f"/fhir/${definition.name}", definition.ref_path):
            answer = client.get(f"{url}?{query(needed(definition))}", accept="application/fhir+json")
            assert (answer.status, answer.issues[0]["code"]) == (503, "transient")
            assert answer.headers["retry-after"]
    finally:
        client.close()
        context.close()
