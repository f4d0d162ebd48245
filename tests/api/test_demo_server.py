"""The sample data in the real application: what the pages promise is answered, and the answers agree."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.answers import (
    IMPLIED,
    asking,
    assert_counted,
    assert_implied,
    counted,
    item,
    observations,
    observed,
    parts,
    present,
)
from tests.command_line import CommandLine
from tests.demo_files import BUILDS, DEMO, haplotypes, listed, place, rows, structural, variants
from tests.genotype_files import line, write_table
from tests.operation_calls import OFFERED

FAMILY = ("demo-aunt", "demo-child", "demo-father", "demo-grandmother", "demo-mother")
RELATIONS = ("intersecting", "subsuming")
IN_CASE = ("p900000001", "p900000002", "p900000003")
"""People of the case ``cip/90001-1.json``"""
COHORT = ("HG00096", "HG00097", "HG00099", "HG00100", "HG00101")
SUBJECT_PATH, POPULATION_PATH = (
    "/subject-operations/genotype-operations/",
    "/population-operations/genotype-operations/",
)
CURL = re.compile(r"^curl '(?:http://127\.0\.0\.1:8000)(/[^']+)'$", re.MULTILINE)
VARIANTS = {row["id"]: row for row in variants()}
OTHER_ALLELE = {"F5-Leiden": "F5-usual-allele-on-GRCh37", "F5-usual-allele-on-GRCh37": "F5-Leiden"}

# The requests of the reference implementation's Postman collection to these operations; most subjects are not here.
POSTMAN = (
    "subject=NB6TK329&testIdentifiers=TL000016660-ASM&includeVariants=true"
    "&ranges=NC_000002.12:178525988-178807423,NC_000002.12:178525988-178807423",
    "subject=HG00403&ranges=NC_000019.9:11200138-11244496&includeVariants=true&includePhasing=true",
    "subject=HG00403&includeVariants=true&ranges=NC_000019.10:11089431-11133820",
    "subject=HG00403&ranges=NC_000019.9:11221327-11221447&includeVariants=true",
    "subject=NB6TK329&ranges=NC_000001.11:2629432-2629470&includeVariants=true&includePhasing=true",
)
POSTMAN_SPECIFIC = (
    "subject=m123&variants=NC_000005.9:g.112102032A>T",
    "subject=m123&variants=NM_001127510.3:c.145A>T",
    "subject=m123&variants=NM_001385641.1:c.804C>T",
    "subject=HG00404&variants=NC_000005.9:112154946:CC:C,NC_000005.9:112157612:C:T,NC_000017.10:41246373:G:,"
    "NC_000017.10:41243854:AAA:AAAA,NC_000013.10:32900284:C:A,NC_000019.9:11216262:C:A,NC_000014.8:23894101:A:T",
)
POSTMAN_POPULATION = (
    "variants=NC_000011.10:g.8263343T>C&variants=NC_000006.11:26091305:T:C",
    "subject=HG00403&variants=NC_000001.10:144931726:G:A&variants=NC_000001.10:145532548:T:C"
    "&variants=NC_000001.10:145592072:A:T&includePatientList=true",
    "variants=NC_000001.10:144931726:G:A, NC_000001.10:145532548:T:C, NC_000001.10:145592072:A:T",
    "variants=NM_001354609.2:c.1799T>A,NM_002524.5:c.182A>C&includePatientList=true",
)


@pytest.fixture(scope="module")
def operon(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def printed(operon: CommandLine) -> str:
    """Load the sample data and return what the command printed."""
    return operon.done("demo", "--no-serve", "--quiet").out


@pytest.fixture(scope="module")
def client(operon: CommandLine, printed: str) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(home=operon.home, log_level="warning"))) as client:
        yield client


def ask(client: TestClient, path: str) -> list[dict[str, Any]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    parameters: list[dict[str, Any]] = answer.json()["parameter"]
    return parameters


def post(client: TestClient, operation: str, **inputs: str) -> list[dict[str, Any]]:
    answer = client.post(
        f"/fhir/${operation}", content=urlencode(inputs), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 200, answer.text
    parameters: list[dict[str, Any]] = answer.json()["parameter"]
    return parameters


def answers_something(entry: dict[str, Any]) -> bool:
    if entry["name"] in ("implication", "consequence"):
        return bool(entry["resource"]["derivedFrom"])
    if parts(entry, "numerator"):
        [number] = [part["valueQuantity"]["value"] for part in parts(entry, "numerator")]
        return number == len(parts(entry, "subject")) > 0
    if parts(entry, "testId"):
        return item(entry, "regionStudied").startswith("['NC_")
    found = [*parts(entry, "variant"), *parts(entry, "genotype")]
    return bool(found) and all(part["valueBoolean"] for part in parts(entry, "presence"))


def test_questions_that_are_printed_have_answers_of_every_family(client: TestClient, printed: str) -> None:
    paths = CURL.findall(printed)
    assert len(paths) == len(set(paths)) == 11
    for path in paths:
        first, *others = ask(client, path)
        assert answers_something(first), path
        assert not others or "$find-study-metadata" in path or "-implications" in path, path
    families = ("-variants?", "-structural-", "-haplotypes?", "$find-study-metadata", "$find-population-")
    for family in (*families, "-dx-implications", "-tx-implications", "-molecular-consequences"):
        assert any(family in path for path in paths), family


def test_case_of_the_sample_data_has_a_page(client: TestClient, printed: str) -> None:
    assert "/cip/cases/90001-1" in printed
    assert "1 case" in client.get("/cip/cases").text
    page = client.get("/cip/cases/90001-1")
    assert page.status_code == 200
    for shown in ("MECP2", "X:154031326 G&gt;A", "heterozygous, de novo", "pathogenic", "TIER1", "green", "<svg"):
        assert shown in page.text, shown


def test_printed_pharmacogenetic_requests_have_answers(client: TestClient, printed: str) -> None:
    report, cards = [curl(client, line) for line in printed.splitlines() if line.startswith("curl ") and " -H " in line]
    flags = {one["inn"]: one["genetic_flag"] for one in report["drugs"]}
    assert (flags["Abacavir"], flags["Clopidogrel"], flags["Simvastatin"]) == ("D", "D", "D")
    assert {"CYP2C19", "HLA-B", "SLCO1B1"} <= set(report["summary"]["significant_genes"])
    [hla] = [one for one in report["results"] if one["gene"] == "HLA-B"]
    assert (hla["genotype"], hla["phenotype"]) == ("*08:01/*57:01", "POS")
    [card] = cards["cards"]
    assert (card["indicator"], card["summary"]) == (
        "critical",
        "Abacavir: HLA-B*57:01 positive – abacavir is not recommended",
    )
    assert "Clopidogrel" in client.get("/pgx/demo-child").text


def curl(client: TestClient, line: str) -> Any:
    """Return what a printed command answers."""
    words = iter(shlex.split(line)[1:])
    url, headers, data = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words)
        else:
            url = word.removeprefix("http://127.0.0.1:8000")
    answer = client.request("POST" if data else "GET", url, content=data, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_loading_again_changes_nothing(operon: CommandLine, printed: str) -> None:
    before = operon.dump()
    assert operon.done("demo", "--no-serve", "--quiet").out == printed
    after = operon.dump()
    # Tests without calls are declared again, which always tells the caches of clients that there may be something new.
    for content in (before, after):
        content["counter"] = [row for row in content["counter"] if row[0] != "data_version"]
    assert after == before


def test_another_family_of_the_same_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    other = line("demo-father", test_id="demo-father-wgs", specimen_id="another")
    operon.done("ingest", "haplotypes", write_table(tmp_path / "other.tsv", other))
    refused = operon.run("demo", "--no-serve", "--quiet")
    assert (refused.code, refused.out) == (65, "")
    assert "other data of the sample family" in refused.err
    operon.done("subject", "erase", "demo-father", "--yes")
    assert "http" in operon.done("demo", "--no-serve", "--quiet").out


def test_questions_of_the_readme_have_answers(client: TestClient, root: Path) -> None:
    paths = CURL.findall((root / "README.md").read_text("utf-8"))
    assert len(paths) == 6
    for path in paths:
        entry, *others = ask(client, path)
        assert answers_something(entry), path
        assert not others or "-implications" in path, path


def test_commands_of_the_readme_have_answers(operon: CommandLine, printed: str, root: Path) -> None:
    commands = re.findall(
        r"^\.venv/bin/operon ((?:query|normalize) .+)$", (root / "README.md").read_text("utf-8"), re.M
    )
    query, normalize = (operon.done(*command.split()).out for command in commands)
    assert '"valueBoolean":true' in query
    assert '"GRCh38":"NC_000017.11:43057062:GGG:GGGG"' in normalize


def test_page_of_examples_leads_to_answers(client: TestClient) -> None:
    page = client.get("/")
    paths = [path.replace("&amp;", "&") for path in re.findall(r'href="(/fhir/\$find[^"]+)"', page.text)]
    assert {path.partition("?")[0].removeprefix("/fhir/$") for path in paths} == set(OFFERED)
    for path in paths:
        entry, *others = ask(client, path)
        assert answers_something(entry), path
        assert not others or entry["name"] in ("implication", "consequence"), path


def test_page_and_statement_name_the_knowledge_that_answers_use(client: TestClient) -> None:
    assert "sample-diagnostic-1" in client.get("/").text
    said = client.get("/fhir/metadata").json()["rest"][0]["documentation"]
    assert all(f"sample-{kind}-1" in said for kind in ("diagnostic", "therapeutic", "consequence"))


def called(row: dict[str, str]) -> dict[str, str]:
    """Return the state in each test whose file has the variant, without calls that the laboratory filtered out."""
    states = dict(entry.split("=") for entry in row["carriers"].split("; ") if entry)
    return {test_id: state for test_id, state in states.items() if state != "filtered"}


def carriers(row: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return by subject the state in each of their tests."""
    states = called(row)
    if row["id"] in OTHER_ALLELE:
        # Where the builds have different bases, one copy of the one allele says that the other copy is the other one.
        other = called(VARIANTS[OTHER_ALLELE[row["id"]]])
        states |= {test_id: state for test_id, state in other.items() if state == "heterozygous"}
    owners = {study["test_id"]: study["patient_id"] for study in rows(DEMO / "manifest.csv")}
    found: dict[str, dict[str, str]] = {}
    for test_id, state in states.items():
        found.setdefault(owners[test_id], {})[test_id] = state
    return found


def state_of(resource: dict[str, Any]) -> str:
    """Return the state of an answered variant in the words of the truth table."""
    found = observed(resource)
    if found.source_class == "somatic":
        [share] = [
            component["valueQuantity"]["value"]
            for component in resource["component"]
            if component["code"]["coding"][0]["code"] == "81258-6"
        ]
        return f"somatic {share}"
    return found.state or "unknown"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("subject", FAMILY)
def test_subject_has_the_variants_of_the_table(client: TestClient, subject: str, build: str) -> None:
    tests = {study["specimen_id"]: study["test_id"] for study in rows(DEMO / "manifest.csv")}
    texts = [row[f"{build.lower()}_spdi"] for row in VARIANTS.values()]
    answer = post(client, "find-subject-specific-variants", subject=subject, variants=",".join(texts))
    assert [item(entry, "variantItem") for entry in answer] == texts
    for row, entry in zip(VARIANTS.values(), answer, strict=True):
        resources = [part["resource"] for part in parts(entry, "variant")]
        states = {tests[found["specimen"]["identifier"]["value"]]: state_of(found) for found in resources}
        assert (row["id"], states, len(resources)) == (row["id"], carriers(row).get(subject, {}), len(states))
        assert present(entry) is bool(resources)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_population_has_the_carriers_of_the_table(client: TestClient, variant: str, build: str) -> None:
    text = VARIANTS[variant][f"{build.lower()}_spdi"]
    [named] = post(client, "find-population-specific-variants", variants=text, includePatientList="true")
    [bare] = post(client, "find-population-specific-variants", variants=text)
    expected = tuple(sorted(carriers(VARIANTS[variant])))
    assert counted(named).subjects == expected
    assert counted(named).numerator == counted(bare).numerator == len(expected)
    assert counted(named).denominator == counted(bare).denominator == len(FAMILY) + len(COHORT) + len(IN_CASE)


def test_population_counts_whom_the_subject_operation_finds(client: TestClient) -> None:
    everything = found_by_range(client)
    texts = sorted(set().union(*everything.values()))
    counts = post(client, "find-population-specific-variants", variants=",".join(texts), includePatientList="true")
    named = [counted(entry).subjects for entry in counts]
    for subject in (*FAMILY, *COHORT):
        answer = post(client, "find-subject-specific-variants", subject=subject, variants=",".join(texts))
        has = [present(entry) for entry in answer]
        assert has == [subject in who for who in named], subject
        assert everything[subject] <= {text for text, held in zip(texts, has, strict=True) if held}
    assert len(texts) > 2000


def found_by_range(client: TestClient) -> dict[str, set[str]]:
    """Return by subject the SPDIs, on the build of the test, of every variant on every chromosome that has any."""
    sequences = [row["grch37_spdi"].partition(":")[0] for row in VARIANTS.values()]
    asked = ",".join(f"{sequence}:0-999999999" for sequence in dict.fromkeys([*sequences, "NC_000022.10"]))
    found = {}
    for subject in (*FAMILY, *COHORT):
        answer = post(client, "find-subject-variants", subject=subject, ranges=asked, includeVariants="true")
        found[subject] = {variant.spdis[0] for entry in answer for variant in observations(entry)}
    return found


POSTMAN_STRUCTURAL = [
    f"{SUBJECT_PATH}$find-subject-structural-intersecting-variants?subject=HCC1143&specimenIdentifiers=HCC1143-Sp1"
    "&ranges=NC_000007.14:55019016-55211628,NC_000004.12:54727415-54727542",
    f"{SUBJECT_PATH}$find-subject-structural-intersecting-variants?subject=ABC789"
    "&ranges=NC_000002.12:179400709-179483218&includeVariants=true",
    f"{SUBJECT_PATH}$find-subject-structural-subsuming-variants?subject=ABC789"
    "&ranges=NC_000022.10:42522500-42526812&includeVariants=true",
    f"{POPULATION_PATH}$find-population-structural-intersecting-variants"
    "?ranges=NC_000017.11:43044294-43125364,NC_000013.11:32315507-32400268&includePatientList=true",
    f"{POPULATION_PATH}$find-population-structural-subsuming-variants?includePatientList=true"
    "&ranges=NC_000017.10:37844346-37884911,NC_000007.13:116312249-116438431",
]


@pytest.mark.parametrize(
    "path",
    [
        *(f"{SUBJECT_PATH}$find-subject-variants?{query}" for query in POSTMAN),
        *(f"{SUBJECT_PATH}$find-subject-specific-variants?{query}" for query in POSTMAN_SPECIFIC),
        *(f"{POPULATION_PATH}$find-population-specific-variants?{query}" for query in POSTMAN_POPULATION),
        *POSTMAN_STRUCTURAL,
    ],
)
def test_requests_of_the_postman_collection_are_answered(client: TestClient, path: str) -> None:
    answer = client.get(path)
    transcripts, unknown = "NM_" in path, "subject=" in path and "$find-population" not in path
    assert answer.status_code in ((400,) if transcripts and not unknown else (404,) if unknown else (200,))
    assert answer.json()


def test_postman_questions_about_the_family_have_answers(client: TestClient) -> None:
    [entry] = ask(
        client, f"{SUBJECT_PATH}$find-subject-variants?subject=demo-child&ranges=NC_000019.10:11089431-11133820"
    )
    assert [part["name"] for part in entry["part"]] == ["rangeItem", "presence", "variant", "variant"]
    texts = ("NC_000019.9:g.11200236G>A", "NC_000019.10:g.11089560G>A", "NC_000019.10:11089559:G:A")
    answer = ask(client, f"{POPULATION_PATH}$find-population-specific-variants?variants={','.join(texts)}")
    assert [counted(entry).numerator for entry in answer] == [2, 2, 2]


def state_and_copies(resource: dict[str, Any]) -> tuple[str | None, int]:
    """Return the state of an answered structural variant in the words of the truth table, and its number of copies."""
    components = {component["code"]["coding"][0]["code"]: component for component in resource["component"]}
    source, state = (
        components[code]["valueCodeableConcept"]["coding"][0]["display"] if code in components else None
        for code in ("48002-0", "53034-5")
    )
    assert (state is None) is (source == "somatic")
    copies: int = components["82155-3"]["valueQuantity"]["value"]
    return state or source, copies


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("relation", RELATIONS)
def test_structural_variants_are_those_of_the_table_on_either_build(
    client: TestClient, relation: str, build: str
) -> None:
    table, tests = structural(), {study["specimen_id"]: study["test_id"] for study in rows(DEMO / "manifest.csv")}
    ranges = ",".join(row[build.lower()] for row in table)
    for subject in FAMILY:
        answer = post(
            client,
            f"find-subject-structural-{relation}-variants",
            subject=subject,
            ranges=ranges,
            includeVariants="true",
        )
        for row, entry in zip(table, answer, strict=True):
            resources = [part["resource"] for part in parts(entry, "variant")]
            found = {tests[found["specimen"]["identifier"]["value"]]: state_and_copies(found) for found in resources}
            states = carriers(row).get(subject, {})
            expected = {test: (state, int(row["copy_number"])) for test, state in states.items()}
            assert (row["id"], found, len(resources)) == (row["id"], expected, len(expected))
            assert present(entry) is bool(found)
    answer = post(client, f"find-population-structural-{relation}-variants", ranges=ranges, includePatientList="true")
    assert [counted(entry).subjects for entry in answer] == [tuple(sorted(carriers(row))) for row in table]


def test_the_family_has_no_structural_variants_but_those_of_the_table(client: TestClient) -> None:
    sequences = dict.fromkeys(place(row, build)[0] for row in structural() for build in BUILDS)
    ranges = ",".join(f"{sequence}:0-999999999" for sequence in sequences)
    expected = Counter(subject for row in structural() for subject, states in carriers(row).items() for _ in states)
    found: Counter[str] = Counter()
    for subject in FAMILY:
        answer = post(
            client,
            "find-subject-structural-intersecting-variants",
            subject=subject,
            ranges=ranges,
            includeVariants="true",
        )
        ids = {part["resource"]["id"] for entry in answer for part in parts(entry, "variant")}
        found.update({subject: len(ids)} if ids else {})
    assert found == expected


def everybody(operon: CommandLine) -> list[str]:
    return sorted(subject for (subject,) in operon.rows("select subject_id from subject"))


def test_whoever_is_counted_has_it(operon: CommandLine, printed: str) -> None:
    assert printed
    items = [row[f"{build.lower()}_spdi"] for row in VARIANTS.values() for build in BUILDS]
    operations = ("find-subject-specific-variants", "find-population-specific-variants")
    with asking(operon.home) as asked:
        found = [
            assert_counted(asked, everybody(operon), operations, "variants", items[at : at + 40])
            for at in range(0, len(items), 40)
        ]
    assert sum(len(who) for present in found for who in present.values()) >= 60


@pytest.mark.parametrize("relation", RELATIONS)
def test_whoever_is_counted_has_the_structural_variant(operon: CommandLine, printed: str, relation: str) -> None:
    assert printed
    ranges = []
    for row in structural():
        for ref_seq, start, end in (place(row, build) for build in BUILDS):
            middle = (start + end) // 2
            places = [(start, end), (start - 1, end), (start, end + 1), (middle, middle + 1)]
            places += [(start - reach, start - reach + 1) for reach in (1, 1000, 50_000, 60_000)]
            ranges += [f"{ref_seq}:{low}-{high}" for low, high in places]
    operations = (f"find-subject-structural-{relation}-variants", f"find-population-structural-{relation}-variants")
    with asking(operon.home) as asked:
        found = assert_counted(asked, everybody(operon), operations, "ranges", ranges)
    assert set().union(*found.values()) == set().union(*map(carriers, structural()))
    assert set() in found.values()


def test_whoever_is_counted_has_the_haplotype(operon: CommandLine, printed: str) -> None:
    assert printed
    table = haplotypes()
    expected: dict[str, set[str]] = {"CYP2C19 *3": set(), "HLA-B*08": {"demo-child"}}
    for row in table:
        for token in (row["gene_symbol"], row["genotype_code"], *listed(row["haplotypes"])):
            expected.setdefault(token, set()).add(row["subject_id"])
    operations = ("find-subject-specific-haplotypes", "find-population-specific-haplotypes")
    with asking(operon.home) as asked:
        found = assert_counted(asked, everybody(operon), operations, "haplotypes", list(expected))
    assert found == expected


KINDS = {"find-subject-dx-implications": 1, "find-subject-tx-implications": 2, "find-subject-molecular-consequences": 3}
ROLES = {"conditions": 1, "treatments": 2, "featureConsequences": 3}
CARRIED = {
    ("find-subject-dx-implications", "conditions"): 4,
    ("find-subject-tx-implications", "treatments"): 3,
    ("find-subject-tx-implications", "conditions"): 1,
    ("find-subject-molecular-consequences", "featureConsequences"): 5,
}
"""How many concepts of the sample knowledge somebody has at least"""


@pytest.mark.parametrize(("operation", "name"), IMPLIED)
def test_whoever_is_counted_is_told_an_implication(
    operon: CommandLine, printed: str, operation: str, name: str
) -> None:
    assert printed
    concepts = operon.rows(
        "select distinct system, code, display from knowledge_concept where kind = ? and role = ? order by 1, 2, 3",
        KINDS[operation], ROLES[name],
    )  # fmt: skip
    with asking(operon.home) as asked:
        found = assert_implied(asked, everybody(operon), operation, name, concepts)
    assert sum(map(bool, found.values())) >= CARRIED[operation, name]
