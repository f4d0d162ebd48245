"""The pack of sample cases: every expectation of it, through the command line and with the windows of sequence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.command_line import CommandLine, add_chains, add_windows

PROBAND, MOTHER, FATHER = "p10000000101", "p10000000102", "p10000000103"
OUTSIDE = {"NC_000013.11:20189546:CCCCCC:CCCCC", "NC_000015.10:72346579:GATAGATA:GATAGATAGATA"}
"""Their sequence is in none of the windows, so they are stored as reported"""
TRIO = "rd_trio_40101-1.v6.detail.json"


@pytest.fixture(scope="module")
def pack(shared: Path) -> Path:
    return shared / "packs" / "cipapi"


@pytest.fixture(scope="module")
def expected(pack: Path) -> dict[str, Any]:
    return dict(orjson.loads((pack / "EXPECTED.json").read_bytes()))


@pytest.fixture(scope="module")
def empty(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an empty store with sequence and chains."""
    operon = CommandLine(tmp_path_factory.mktemp("empty"))
    operon.done("db", "upgrade")
    add_windows(operon, shared)
    add_chains(operon, shared)
    return operon.home


@pytest.fixture(scope="module")
def filled(empty: Path, pack: Path, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Return a store with every case of the pack."""
    operon = CommandLine(_copy(empty, tmp_path_factory.mktemp("filled")))
    operon.done("ingest", "cip-api", *sorted(pack.glob("*.detail.json")))
    return operon


def _copy(home: Path, folder: Path) -> Path:
    return Path(shutil.copytree(home, folder / "home"))


def ask(operon: CommandLine, operation: str, *inputs: str) -> list[dict[str, Any]]:
    """Return the parameters of an answer."""
    found: list[dict[str, Any]] = orjson.loads(operon.done("query", operation, *inputs).out).get("parameter", [])
    return found


def exported(operon: CommandLine, subject: str) -> list[dict[str, Any]]:
    """Return the Observations of a subject."""
    bundle = orjson.loads(operon.done("export", "fhir", subject).out)
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Observation"]


def parts(resource: dict[str, Any], code: str) -> list[str]:
    """Return the codes of the components of an Observation with a code."""
    return [
        coding["code"]
        for part in resource["component"]
        if part["code"]["coding"][0]["code"] == code
        for coding in part["valueCodeableConcept"].get("coding", [])
    ]


def spdis(operon: CommandLine, subject: str) -> set[str]:
    """Return the SPDIs of the small variants of a subject."""
    return {spdi for one in exported(operon, subject) if one.get("component") for spdi in parts(one, "81252-9")}


def test_small_variants_have_the_expected_forms(filled: CommandLine, expected: dict[str, Any]) -> None:
    trio = set().union(*(spdis(filled, subject) for subject in (PROBAND, MOTHER, FATHER)))

    assert set(expected["rd_trio_40101-1"].values()) - OUTSIDE <= trio
    assert set(expected["cancer_3106-1"].values()) <= spdis(filled, "p20000000201")


def test_members_carry_as_many_variants_as_expected(filled: CommandLine, expected: dict[str, Any]) -> None:
    counts = expected["counts"]["rd_trio_40101-1"]
    found = {
        name: filled.rows(
            "select sum(cs.calls) from call_set cs join study st on st.id = cs.study_id"
            " join subject s on s.ordinal = st.subject_ordinal where s.subject_id = ?",
            subject,
        )[0][0]
        - filled.rows(
            "select count(*) from structural_chunk c join call_set cs on cs.id = c.call_set_id"
            " join study st on st.id = cs.study_id join subject s on s.ordinal = st.subject_ordinal"
            " where s.subject_id = ?",
            subject,
        )[0][0]
        for name, subject in (("proband", PROBAND), ("mother", MOTHER), ("father", FATHER))
    }
    assert found == {name: counts[f"{name}_carried_small_variants"] for name in found}


def test_a_case_on_grch37_is_found_on_grch38(filled: CommandLine, expected: dict[str, Any]) -> None:
    listed = expected["rd_duo_611-2 GRCh37 -> GRCh38 vcf, GRCh37 spdi"]
    found = spdis(filled, "115000611") | spdis(filled, "115000612")
    assert {spdi for _, spdi in listed.values()} <= found

    [answer] = ask(filled, "find-subject-variants", "subject=115000611", "ranges=NC_000007.14:117559590-117559594")
    assert next(part["valueBoolean"] for part in answer["part"] if part["name"] == "presence")
    [answer] = ask(filled, "find-subject-variants", "subject=115000612", "ranges=NC_000017.11:43124026-43124032")
    present = next(part["valueBoolean"] for part in answer["part"] if part["name"] == "presence")
    [other] = ask(filled, "find-subject-variants", "subject=115000611", "ranges=NC_000017.11:43124026-43124032")
    assert present or next(part["valueBoolean"] for part in other["part"] if part["name"] == "presence")


def test_the_states_of_the_trio_are_those_of_its_calls(filled: CommandLine) -> None:
    states = {
        (subject, spdi): parts(one, "53034-5")
        for subject in (PROBAND, MOTHER, FATHER)
        for one in exported(filled, subject)
        if one.get("component")
        for spdi in parts(one, "81252-9")
    }
    assert states[PROBAND, "NC_000023.11:154031325:G:A"] == ["LA6707-9"]
    assert (MOTHER, "NC_000023.11:154031325:G:A") not in states
    for subject in (PROBAND, MOTHER):
        assert states[subject, "NC_012920.1:3242:A:G"] == ["LA6703-8"]
        assert states[subject, "NC_012920.1:11777:G:A"] == ["LA6704-6"]
    assert (FATHER, "NC_012920.1:3242:A:G") not in states
    assert states[MOTHER, "NC_000006.12:26092912:G:A"] == []


def test_reports_state_what_the_proband_s_variants_mean(filled: CommandLine) -> None:
    found = {}
    for one in exported(filled, PROBAND):
        if one["code"]["coding"][0]["code"] == "diagnostic-implication":
            [target] = one["derivedFrom"]
            found[target["reference"]] = parts(one, "53037-8")
    assert sorted(found.values()) == [["LA26332-9"], ["LA6668-3"], ["LA6668-3"], ["LA6668-3"]]
    for relative in (MOTHER, FATHER):
        assert not [
            one for one in exported(filled, relative) if one["code"]["coding"][0]["code"] == "diagnostic-implication"
        ]
    range_ = "ranges=NC_000022.11:19000000-19000100"
    resources = [one["resource"] for one in ask(filled, "find-subject-dx-implications", f"subject={PROBAND}", range_)]
    assert [parts(one, "53037-8") for one in resources if parts(one, "53037-8")] == [["LA6668-3"]]


def test_drug_responses_of_a_cancer_case_are_stated(filled: CommandLine) -> None:
    found = [
        one for one in exported(filled, "p20000000201") if one["code"]["coding"][0]["code"] == "therapeutic-implication"
    ]
    texts = {
        part["valueCodeableConcept"].get("text")
        for one in found
        for part in one["component"]
        if part["code"]["coding"][0]["code"] in ("51963-7", "therapeutic-implication")
    }
    assert {"alpelisib", "sensitive", "increased risk of toxicity"} <= texts


def test_a_second_run_writes_nothing(filled: CommandLine, pack: Path) -> None:
    before = filled.dump()

    ended = filled.done("ingest", "cip-api", *sorted(pack.glob("*.detail.json")))

    assert filled.dump() == before
    assert "0 cases new or changed" in ended.err


def test_malformed_genomes_cost_no_more_than_they_must(empty: Path, pack: Path, tmp_path: Path) -> None:
    operon = CommandLine(_copy(empty, tmp_path))
    wanted = orjson.loads((pack / "malformed" / "EXPECTED.json").read_bytes())
    names = ("m11_ig_unknown_service_missing", "m12_ig_ref_mismatch")
    told = tmp_path / "report.json"

    ended = operon.run(
        "ingest", "cip-api", pack / TRIO, *(pack / "malformed" / f"{name}.json" for name in names), "--report", told
    )

    assert ended.code == 3
    report = orjson.loads(told.read_bytes())
    assert {one["path"]: [one["message"]] for one in report["files"]["quarantined"]} == wanted[names[0]]["expect_error"]
    [case] = report["cases"]
    found = [one for one in case["problems"] if one["scope"] == "quarantine-variant"]
    assert {one["path"].split(".", 1)[1]: [one["message"]] for one in found} == wanted[names[1]]["expect_error"]
    assert case["counts"]["calls"] == 36


def test_files_that_cannot_be_read_are_refused_and_cost_no_other(empty: Path, pack: Path, tmp_path: Path) -> None:
    operon = CommandLine(_copy(empty, tmp_path))

    ended = operon.run("ingest", "cip-api", pack / "malformed" / "m10_truncated_json.json", pack / TRIO)

    assert ended.code == 65
    assert "m10_truncated_json.json, line 1, column 51: it is no JSON" in ended.err
    assert operon.rows("select state from cip_case") == [("stored",)]


def test_a_dry_run_stores_nothing(empty: Path, pack: Path, tmp_path: Path) -> None:
    operon = CommandLine(_copy(empty, tmp_path))
    before = operon.dump()

    operon.done("ingest", "cip-api", pack / TRIO, "--dry-run")

    assert operon.dump() == before


def test_bare_documents_go_into_their_case(empty: Path, pack: Path, tmp_path: Path) -> None:
    operon = CommandLine(_copy(empty, tmp_path))
    detail = orjson.loads((pack / TRIO).read_bytes())
    [report] = detail["clinical_report"]
    bare = {
        "case.json": {**detail, "clinical_report": [], "interpreted_genome": detail["interpreted_genome"][:1]},
        "genome.json": detail["interpreted_genome"][1]["interpreted_genome_data"],
        "report.json": report["clinical_report_data"],
        "answers.json": report["exit_questionnaire"]["exit_questionnaire_data"],
    }
    for name, document in bare.items():
        (tmp_path / name).write_bytes(orjson.dumps(document))
    files = [tmp_path / name for name in reversed(list(bare))]

    operon.done("ingest", "cip-api", *files, "--case", "40101-1")
    before = operon.dump()
    operon.done("ingest", "cip-api", *files, "--case", "40101-1")

    assert operon.dump() == before
    found = [one for one in exported(operon, PROBAND) if one["code"]["coding"][0]["code"] == "diagnostic-implication"]
    assert len(found) == 4
