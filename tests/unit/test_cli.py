"""Every command, and what each refusal says: file, line, field and mend, an exit code, and a store left as it was."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import app
from app.config import Settings
from app.store import migrate, runs
from app.store.session import Database
from tests.answers import asking, observations
from tests.command_line import CommandLine, Ended
from tests.genotype_files import line, write_table
from tests.synthetic_chains import Block, write
from tests.vcf_files import bgzf, gzipped, vcf

CHR1, CHRX = "NC_000001.11", "NC_000023.11"
EVERYTHING = f"{CHR1}:0-248956422,{CHRX}:0-156040895,NC_012920.1:0-16569"
SNV = "chr1 1000101 . A G 50 PASS . GT 0/1"
OTHER = "chr1 1000201 . C T 50 PASS . GT 1/1"
LINE = 11  # of the first record in the texts of ``vcf``


@pytest.fixture
def operon(tmp_path: Path) -> CommandLine:
    """Return the commands on an empty store."""
    operon = CommandLine(tmp_path / "home")
    operon.done("db", "upgrade")
    return operon


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def ingest(operon: CommandLine, path: Path | str, *options: str | Path, **more: Any) -> Ended:
    return operon.run("ingest", "vcf", path, "--assembly", "GRCh38", *options, **more)


def parameters(ended: Ended) -> list[dict[str, Any]]:
    assert ended.code == 0, ended.err
    answer: list[dict[str, Any]] = json.loads(ended.out)["parameter"]
    return answer


def spdis(operon: CommandLine, subject: str, *inputs: str) -> list[str]:
    """Return the SPDIs of everything that a subject has."""
    asked = (f"subject={subject}", f"ranges={EVERYTHING}", "includeVariants=true", *inputs)
    answer = parameters(operon.run("query", "find-subject-variants", *asked))
    return [found.spdis[0] for entry in answer for found in observations(entry)]


def said(ended: Ended) -> list[str]:
    """Return what went to stderr; every message there says which program speaks."""
    lines = ended.err.splitlines()
    assert all(line.startswith("operon: ") for line in lines), ended.err
    assert "Traceback" not in ended.err
    return [line.removeprefix("operon: ") for line in lines]


# --- the program itself -----------------------------------------------------------------------------------------------


def test_version_is_printed(operon: CommandLine) -> None:
    assert operon.done("version").out == f"{app.__version__}\n"


def test_without_arguments_the_help_is_printed(operon: CommandLine) -> None:
    ended = operon.run()
    assert ended.code == 2
    for verb in ("version", "serve", "demo", "normalize", "query", "db", "reference", "ingest", "subject"):
        assert re.search(rf"\b{verb}\b", ended.out + ended.err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'. Try 'operon --help'."),
        (["ingest", "frobnicate"], "No such command 'frobnicate'. Try 'operon ingest --help'."),
        (["ingest", "vcf", "a.vcf", "--frob"], "No such option: --frob. Try 'operon ingest vcf --help'."),
        (["ingest", "vcf", "a.vcf"], "Missing option '--assembly'"),
        (["ingest", "vcf", "a.vcf", "--assembly", "hg19"], "'hg19' is not one of 'GRCh37', 'GRCh38'"),
        (["ingest", "vcf", "a.vcf", "--assembly", "GRCh38", "--source-class", "tumour"], "germline, somatic, mixed"),
        (["ingest", "vcf", "a.vcf", "--assembly", "GRCh38", "--homoplasmic-above", "2"], "--homoplasmic-above"),
        (["query", "find-subject-variants", "subject"], "subject: write inputs as name=value"),
        (["query", "find-subject-variants"], "Missing argument 'inputs'"),
    ],
)
def test_wrong_usage_ends_with_2(operon: CommandLine, arguments: list[str], message: str) -> None:
    ended = operon.run(*arguments)
    assert ended.code == 2
    [text] = said(ended)
    assert message in text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"port": "eighty"}, "OPERON_PORT: Input should be a valid integer"),
        ({"ref_mismatch_share": "7"}, "OPERON_REF_MISMATCH_SHARE: Input should be less than 1"),
        ({"database_url": "mysql://example"}, "OPERON_DATABASE_URL must name sqlite or postgresql"),
    ],
)
def test_setting_that_does_not_fit_ends_with_78(operon: CommandLine, settings: dict[str, str], message: str) -> None:
    ended = operon.run("db", "check", stdin=b"", **settings)
    assert ended.code == 78
    [text] = said(ended)
    assert text.startswith(message)


def test_error_inside_the_program_ends_with_70(operon: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(migrate, "current", fail)
    ended = operon.run("db", "current")
    assert ended.code == 70
    assert "RuntimeError: not foreseen" in ended.err
    assert ended.err.endswith("operon: this is an error inside Operon; please report it with the lines above\n")


# --- the store --------------------------------------------------------------------------------------------------------


def test_store_is_created_once_and_checked(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path / "home")
    assert operon.done("db", "current").out == "none\n"
    revision = operon.done("db", "upgrade").out
    assert re.fullmatch(r"[0-9]{4}\n", revision)
    assert operon.done("db", "upgrade").out == operon.done("db", "current").out == revision
    assert operon.done("db", "check").out == "ok\n"


def test_store_goes_back_to_nothing_and_up_again(operon: CommandLine) -> None:
    operon.done("db", "downgrade", "base")
    assert operon.done("db", "current").out == "none\n"
    assert operon.run("db", "check").code == 78
    operon.done("db", "upgrade")
    assert operon.done("db", "check").out == "ok\n"


def test_unknown_revision_is_refused(operon: CommandLine) -> None:
    ended = operon.run("db", "downgrade", "9999")
    assert ended.code == 65
    assert "9999" in said(ended)[0]
    assert operon.done("db", "check").out == "ok\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["db", "check"],
        ["serve"],
        ["ingest", "vcf", "a.vcf", "--assembly", "GRCh38"],
        ["ingest", "manifest", "a.csv"],
        ["subject", "list"],
        ["subject", "erase", "P1", "--yes"],
        ["query", "find-subject-variants", "subject=P1", f"ranges={CHR1}:1-2"],
    ],
    ids=" ".join,
)
def test_missing_store_ends_with_78_and_is_not_created(tmp_path: Path, arguments: list[str]) -> None:
    operon = CommandLine(tmp_path / "home")
    ended = operon.run(*arguments)
    assert ended.code == 78
    assert said(ended) == ["there is no store yet: run 'operon db upgrade'"]
    assert not (operon.home / "operon.db").exists()


def test_subjects_need_a_store(tmp_path: Path, files: Path) -> None:
    people = written(files, "people.csv", "subject_id\nP1\n")
    assert CommandLine(tmp_path / "home").run("ingest", "subjects", people).code == 78


def test_address_beyond_loopback_is_refused(operon: CommandLine) -> None:
    ended = operon.run("serve", "--host", "0.0.0.0")
    assert ended.code == 78
    assert "OPERON_ENV=dev" in said(ended)[0]


def test_unreachable_database_ends_with_69(operon: CommandLine, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://operon@/operon?host={tmp_path}"
    for arguments in (["db", "upgrade"], ["db", "check"], ["subject", "list"]):
        ended = operon.run(*arguments, database_url=url)
        assert ended.code == 69
        assert said(Ended(69, "", ended.err.splitlines()[0]))[0].startswith("the database is not available")


# --- reference files --------------------------------------------------------------------------------------------------


def test_sequence_is_added_once_and_shown(operon: CommandLine, files: Path) -> None:
    fasta = written(files, "window.fa", f">{CHR1}:1000001-1000010\nACGTACGTAC\n")
    first = operon.done("reference", "add", "--assembly", "GRCh38", fasta).out
    again = operon.done("reference", "add", "--assembly", "GRCh38", fasta).out
    assert (first, again) == ("window.fa: 1 sequences, 10 new bases of GRCh38\n", "window.fa: already added\n")
    [shown] = json.loads(operon.done("reference", "status").out)["sequence"]["GRCh38"]
    assert (shown["name"], shown["bases"]) == ("window.fa", 10)


def test_contradicting_sequence_is_refused_with_both_files_named(operon: CommandLine, files: Path) -> None:
    one = written(files, "one.fa", f">{CHR1}:1000001-1000010\nACGTACGTAC\n")
    other = written(files, "other.fa", f">{CHR1}:1000006-1000015\nAAAAAAAAAA\n")
    operon.done("reference", "add", "--assembly", "GRCh38", one)
    status = operon.done("reference", "status").out
    ended = operon.run("reference", "add", "--assembly", "GRCh38", other)
    assert ended.code == 65
    assert "other.fa" in ended.err
    assert "one.fa" in ended.err
    assert operon.done("reference", "status").out == status


def test_chain_is_added_and_shown(operon: CommandLine, files: Path) -> None:
    from app.records import Build

    chain = write(files / "a.chain.gz", Build.GRCH37, Block(0, 1000, 500))
    out = operon.done("reference", "add-chain", "--from", "GRCh37", "--to", "GRCh38", chain).out
    assert out == "a.chain.gz: GRCh37 to GRCh38, 1 chains\n"
    [(direction, shown)] = json.loads(operon.done("reference", "status").out)["chains"].items()
    assert (direction, shown["name"]) == ("GRCh37 to GRCh38", "a.chain.gz")


def test_chain_between_one_build_is_refused(operon: CommandLine) -> None:
    ended = operon.run("reference", "add-chain", "--from", "GRCh37", "--to", "GRCh37", "a.chain")
    assert (ended.code, said(ended)) == (65, ["--from and --to name the same build"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["ingest", "vcf", "missing.vcf", "--assembly", "GRCh38"],
        ["ingest", "manifest", "missing.csv"],
        ["ingest", "subjects", "missing.csv"],
        ["reference", "add", "--assembly", "GRCh38", "missing.fa"],
        ["reference", "add-chain", "--from", "GRCh37", "--to", "GRCh38", "missing.chain"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_missing_file_ends_with_66(operon: CommandLine, files: Path, arguments: list[str]) -> None:
    before = operon.dump()
    paths = [files / argument if argument.startswith("missing") else argument for argument in arguments]
    ended = operon.run(*paths)
    [name] = [argument for argument in arguments if argument.startswith("missing")]
    assert (ended.code, said(ended)) == (66, [f"{name}: there is no such file"])
    assert operon.dump() == before


# --- ingest: what is stored -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [str.encode, lambda text: gzipped(text.encode()), lambda text: bgzf(text.encode())])
def test_plain_gzip_and_bgzf_are_read(operon: CommandLine, files: Path, form: Any) -> None:
    path = written(files, "sample.vcf", form(vcf(SNV, OTHER)))
    ended = ingest(operon, path, "--subject", "P1")
    assert ended.code == 0
    assert (ended.out, spdis(operon, "P1")) == ("", [f"{CHR1}:1000100:A:G", f"{CHR1}:1000200:C:T"])


def test_summary_goes_to_stderr(operon: CommandLine, files: Path) -> None:
    ended = ingest(operon, written(files, "sample.vcf", vcf(SNV)))
    assert "sample.vcf stored" in ended.err
    assert re.search(r"calls stored\W+1\b", ended.err)


def test_quiet_says_nothing(operon: CommandLine, files: Path) -> None:
    ended = ingest(operon, written(files, "sample.vcf", vcf(SNV)), "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_standard_input_is_read(operon: CommandLine) -> None:
    ended = ingest(operon, "-", "--subject", "P1", "--test-id", "T1", "--quiet", stdin=bgzf(vcf(SNV).encode()))
    assert ended.code == 0, ended.err
    assert spdis(operon, "P1") == [f"{CHR1}:1000100:A:G"]
    assert sorted(path.name for path in operon.home.iterdir() if path.suffix != ".lock") == ["operon.db"]


def test_subject_and_test_take_the_names_of_sample_and_file(operon: CommandLine, files: Path) -> None:
    assert ingest(operon, written(files, "wgs-17.vcf.gz", gzipped(vcf(SNV, samples=("S9",)).encode()))).code == 0
    assert spdis(operon, "S9", "testIdentifiers=wgs-17") == [f"{CHR1}:1000100:A:G"]


def test_facts_of_the_test_are_answered(operon: CommandLine, files: Path) -> None:
    facts = ("--subject", "P1", "--test-id", "T1", "--test-date", "2026-01-31", "--specimen-id", "blood-1")
    assert ingest(operon, written(files, "sample.vcf", vcf(SNV)), *facts).code == 0
    chosen = ("testIdentifiers=T1", "specimenIdentifiers=blood-1", "testDateRange=ge2026-01-31")
    assert len(spdis(operon, "P1", *chosen)) == 1
    assert spdis(operon, "P1", "testDateRange=gt2026-01-31") == []


TWO_SAMPLES = vcf(f"{SNV} 0/0", f"{OTHER} 0/1", samples=("S1", "S2"))


def test_one_sample_of_several_is_taken(operon: CommandLine, files: Path) -> None:
    assert ingest(operon, written(files, "two.vcf", TWO_SAMPLES), "--sample", "S2", "--subject", "P2").code == 0
    assert spdis(operon, "P2") == [f"{CHR1}:1000200:C:T"]
    assert [json.loads(line)["subject_id"] for line in operon.done("subject", "list").out.splitlines()] == ["P2"]


def test_every_sample_is_its_own_subject(operon: CommandLine, files: Path) -> None:
    assert ingest(operon, written(files, "two.vcf", TWO_SAMPLES), "--all-samples").code == 0
    assert (len(spdis(operon, "S1")), len(spdis(operon, "S2"))) == (2, 1)


def test_files_that_belong_together_are_one_test(operon: CommandLine, files: Path) -> None:
    one, other = written(files, "one.vcf", vcf(SNV)), written(files, "other.vcf", vcf(OTHER))
    assert ingest(operon, one, other, "--subject", "P1", "--test-id", "T1").code == 0
    assert len(spdis(operon, "P1", "testIdentifiers=T1")) == 2


def test_filtered_records_are_kept_only_on_demand(operon: CommandLine, files: Path) -> None:
    path = written(files, "sample.vcf", vcf(SNV, OTHER.replace("PASS", "q10")))
    ingest(operon, path, "--subject", "P1")
    ingest(operon, path, "--subject", "P2", "--keep-filtered")
    assert (len(spdis(operon, "P1")), len(spdis(operon, "P2"))) == (1, 2)


def phases(operon: CommandLine, subject: str) -> int:
    asked = (f"subject={subject}", f"ranges={CHR1}:0-2000000", "includePhasing=true")
    [entry] = parameters(operon.run("query", "find-subject-variants", *asked))
    return sum(part["name"] == "sequencePhaseRelationship" for part in entry["part"])


def test_phased_contigs_are_one_set_only_on_demand(operon: CommandLine, files: Path) -> None:
    path = written(files, "sample.vcf", vcf(SNV.replace("0/1", "0|1"), OTHER.replace("1/1", "1|0")))
    ingest(operon, path, "--subject", "P1")
    ingest(operon, path, "--subject", "P2", "--phased-contigs")
    assert (phases(operon, "P1"), phases(operon, "P2")) == (0, 1)


def states(operon: CommandLine, subject: str) -> list[str | None]:
    asked = (f"subject={subject}", f"ranges={EVERYTHING}", "includeVariants=true")
    answer = parameters(operon.run("query", "find-subject-variants", *asked))
    return [found.state for entry in answer for found in observations(entry)]


def test_threshold_of_homoplasmy_is_given(operon: CommandLine, files: Path) -> None:
    path = written(files, "sample.vcf", vcf("chrM 1555 . A G 50 PASS . GT:AF 0/1:0.9"))
    ingest(operon, path, "--subject", "P1")
    ingest(operon, path, "--subject", "P2", "--homoplasmic-above", "0.8")
    assert (states(operon, "P1"), states(operon, "P2")) == (["heteroplasmic"], ["homoplasmic"])


def test_somatic_calls_have_no_state_and_a_class_of_their_own(operon: CommandLine, files: Path) -> None:
    ingest(operon, written(files, "sample.vcf", vcf(SNV)), "--subject", "P1", "--source-class", "somatic")
    assert states(operon, "P1") == [None]
    assert len(spdis(operon, "P1", "genomicSourceClass=somatic")) == 1
    assert spdis(operon, "P1", "genomicSourceClass=germline") == []


def test_regions_are_stored_with_the_test(operon: CommandLine, files: Path) -> None:
    studied = written(files, "studied.bed", "chr1\t1000000\t1002000\nchrX\t5\t10\n")
    uncallable = written(files, "uncallable.bed", "chr1\t1000500\t1000600\n")
    options = ("--subject", "P1", "--studied", studied, "--uncallable", uncallable)
    assert ingest(operon, written(files, "sample.vcf", vcf(SNV)), *options).code == 0
    rows = operon.rows("select kind, contig from study_region order by kind, contig")
    assert rows == [("studied", 1), ("studied", 23), ("uncallable", 1)]


def test_report_says_what_was_stored_and_what_not(operon: CommandLine, files: Path) -> None:
    records = (
        SNV,
        OTHER.replace("PASS", "q10"),
        "chrUn_1 5 . A G 50 PASS . GT 0/1",
        "chr1 9 . A <DEL> 50 PASS . GT 0/1",
    )
    path, report = written(files, "sample.vcf", vcf(*records)), files / "report.json"
    assert ingest(operon, path, "--report", report, "--quiet").code == 0
    [told] = json.loads(report.read_bytes())
    assert told["source"] == "sample.vcf"
    assert (told["build"], told["samples"], told["records"]) == ("GRCh38", ["S1"], 4)
    assert (told["calls"], told["variants_new"], told["already_stored"]) == ([1], 1, False)
    left_out = {entry["reason"]: (entry["records"], entry["lines"]) for entry in told["left_out"]}
    assert left_out == {"filtered": (1, [12]), "other-contig": (1, [13]), "structural-end": (1, [14])}
    assert "no REF could be compared" in told["warnings"][0]


def test_same_file_again_adds_nothing(operon: CommandLine, files: Path) -> None:
    path, report = written(files, "sample.vcf", vcf(SNV)), files / "report.json"
    ingest(operon, path, "--subject", "P1")
    before = operon.dump()
    ended = ingest(operon, path, "--subject", "P1", "--report", report)
    assert (ended.code, operon.dump()) == (0, before)
    assert "sample.vcf was stored before" in ended.err
    assert json.loads(report.read_bytes())[0]["already_stored"] is True


def test_replace_withdraws_what_the_test_had(operon: CommandLine, files: Path) -> None:
    one, other = written(files, "one.vcf", vcf(SNV)), written(files, "other.vcf", vcf(OTHER))
    ingest(operon, one, "--subject", "P1", "--test-id", "T1")
    ingest(operon, other, "--subject", "P1", "--test-id", "T1", "--replace")
    assert spdis(operon, "P1") == [f"{CHR1}:1000200:C:T"]


MANIFEST = "vcf_filename,ref_build,patient_id,test_date,test_id,specimen_id,genomic_source_class\n"


def test_manifest_stores_files_and_studies_without_calls(operon: CommandLine, files: Path) -> None:
    written(files, "sample.vcf", vcf(SNV))
    rows = "sample.vcf,GRCh38,P1,2026-01-31,T1,B1,germline\n,GRCh38,P2,2026-02-20,T2,B2,germline\n"
    report = files / "report.json"
    ended = operon.done("ingest", "manifest", written(files, "calls.csv", MANIFEST + rows), "--report", report)
    assert "1 studies without calls" in ended.err
    assert [entry["source"] for entry in json.loads(report.read_bytes())] == ["sample.vcf"]
    assert (len(spdis(operon, "P1")), spdis(operon, "P2")) == (1, [])


# --- ingest: what is refused ------------------------------------------------------------------------------------------


@pytest.fixture
def stored(operon: CommandLine, files: Path) -> CommandLine:
    """Return a store that holds something, and whose genome is known around the records."""
    window = ">NC_000001.11:1000101-1000110\n" + "ACACACACAC\n"
    operon.done("reference", "add", "--assembly", "GRCh38", written(files, "window.fa", window))
    people = written(files, "known.csv", "subject_id,sex\nP0,female\n")
    operon.done("ingest", "subjects", people)
    ingest(operon, written(files, "before.vcf", vcf(SNV)), "--subject", "P0", "--test-id", "T0")
    return operon


WRONG_REFS = vcf(*(f"chr1 {1000101 + at} . G T 50 PASS . GT 0/1" for at in range(6)))
TRUNCATED = bgzf(vcf(*(f"chr1 {1000201 + at} . A G 50 PASS . GT 0/1" for at in range(5000))).encode())

REFUSED_VCFS: dict[str, tuple[str | bytes, list[str], str]] = {
    "a truncated BGZF file": (TRUNCATED[: len(TRUNCATED) * 2 // 3], [], r"bad\.vcf.*(cut off|truncated|ends).*copy"),
    "a BGZF file without its end mark": (TRUNCATED[:-28], [], r"bad\.vcf.*(cut off|truncated|end).*copy"),
    "contig lengths of the other build": (
        vcf(SNV, build="GRCh37"),
        [],
        r"bad\.vcf, line 2, ##contig: the contig lengths are those of GRCh37, not GRCh38\. Say that",
    ),
    "reference bases of the other build": (
        WRONG_REFS,
        [],
        rf"bad\.vcf, line {LINE}, REF: 6 of 6 REF alleles .* contradict GRCh38, e\.g\. G here\. Give the assembly",
    ),
    "an unknown sample": (vcf(SNV), ["--sample", "S7"], r"bad\.vcf: it has no sample S7\. Its samples are S1"),
    "several samples and no choice": (
        TWO_SAMPLES,
        [],
        r"bad\.vcf: it has 2 samples\. Choose one with --sample NAME, or take all with --all-samples",
    ),
    "a sample name that is no id": (
        vcf(SNV, samples=("S 1",)),
        [],
        r"bad\.vcf: the sample name S 1 is no FHIR id .*\. Name the subject with --subject",
    ),
    "no VCF at all": ("subject_id\nP1\n", [], r"bad\.vcf, line 1: this is no VCF\. The first line must be"),
    "an unreadable genotype": (
        vcf(SNV, SNV.replace("0/1", "0/x")),
        ["--subject", "P1"],
        rf"bad\.vcf, line {LINE + 1}, .*0/x.*\. \w+",
    ),
    "a position beyond the chromosome": (
        vcf("chr1 248956423 . A G 50 PASS . GT 0/1"),
        ["--subject", "P1"],
        rf"bad\.vcf, line {LINE}, POS: the record ends after the last base .*\. Check",
    ),
    "a sample and all samples": (vcf(SNV), ["--sample", "S1", "--all-samples"], r"--sample and --all-samples exclude"),
    "one subject for all samples": (vcf(SNV), ["--subject", "P1", "--all-samples"], r"--subject names one subject; .*"),
    "a subject that is no id": (vcf(SNV), ["--subject", "P 1"], r"--subject: P 1 is no FHIR id; use up to 64"),
    "a date that is none": (vcf(SNV), ["--test-date", "31.1.2026"], r"--test-date: 31\.1\.2026 is no date; write YYYY"),
    "a day that is none": (vcf(SNV), ["--test-date", "2026-02-30"], r"--test-date: 2026-02-30 is not in the calendar"),
}


@pytest.mark.parametrize("what", REFUSED_VCFS)
def test_refused_vcf_says_where_and_what_to_do_and_stores_nothing(stored: CommandLine, files: Path, what: str) -> None:
    content, options, pattern = REFUSED_VCFS[what]
    path, before = written(files, "bad.vcf", content), stored.dump()
    ended = ingest(stored, path, *options)
    assert ended.code == 65
    [text] = said(ended)
    assert re.match(pattern, text, re.IGNORECASE), text
    assert stored.dump() == before


def test_one_bad_file_refuses_all_files_of_the_command(stored: CommandLine, files: Path) -> None:
    good, bad = written(files, "good.vcf", vcf(OTHER)), written(files, "bad.vcf", WRONG_REFS)
    before = stored.dump()
    assert ingest(stored, good, bad, "--subject", "P1").code == 65
    assert stored.dump() == before


def test_build_of_a_known_test_cannot_change(stored: CommandLine, files: Path) -> None:
    before = stored.dump()
    path = written(files, "again.vcf", vcf(SNV, build="GRCh37"))
    ended = stored.run(*("ingest", "vcf", path, "--assembly", "GRCh37", "--subject", "P0", "--test-id", "T0"))
    assert ended.code == 65
    assert "test T0: build is GRCh38 in the store and GRCh37 in the input; give the file another test id" in ended.err
    assert stored.dump() == before


REFUSED_BEDS = {
    "too few columns": ("chr1\t5\n", r"bad\.bed, line 1, columns: there are fewer than three columns\. Write chrom"),
    "no number": ("#x\nchr1\tfive\t7\n", r"bad\.bed, line 2, start: five is no position\. Write a whole number"),
    "start after end": ("chr1\t9\t7\n", r"bad\.bed, line 1, start: the start 9 is after the end 7\. Exchange them"),
    "beyond the chromosome": ("chr1\t9\t999999999\n", r"bad\.bed, line 1, end: the end 999,999,999 .*\. Check that"),
}


@pytest.mark.parametrize("what", REFUSED_BEDS)
@pytest.mark.parametrize("option", ["--studied", "--uncallable"])
def test_bad_line_of_a_region_file_is_named(stored: CommandLine, files: Path, what: str, option: str) -> None:
    content, pattern = REFUSED_BEDS[what]
    before = stored.dump()
    path = written(files, "good.vcf", vcf(OTHER))
    ended = ingest(stored, path, "--subject", "P1", option, written(files, "bad.bed", content))
    assert ended.code == 65
    assert re.match(pattern, said(ended)[0]), ended.err
    assert stored.dump() == before


REFUSED_PEOPLE = {
    "two sexes in one file": (
        "subject_id,sex\nP1,male\nP1,female\n",
        r"people\.csv, line 3, sex: female here, but male in line 2, for the same subject\. Keep the one",
    ),
    "another sex than in the store": (
        "subject_id,sex\nP1,male\nP0,male\n",
        r"people\.csv.*: subject P0: the sex is female and also male\. Correct the file, or erase the subject",
    ),
    "no known sex": ("subject_id,sex\nP1,x\n", r"people\.csv, line 2, sex: x is no administrative sex\. Write male"),
    "no date": ("subject_id,birth_date\nP1,1.2.80\n", r"people\.csv, line 2, birth_date: 1\.2\.80 is no date\. Write"),
    "no column of subjects": ("id\nP1\n", r"people\.csv, line 1, subject_id: the column is missing\. The header needs"),
    "no id": ("subject_id\nP 1\n", r"people\.csv, line 2, subject_id: P 1 is no id\. Use 1 to 64"),
}


@pytest.mark.parametrize("what", REFUSED_PEOPLE)
def test_refused_table_of_subjects_names_line_and_column(stored: CommandLine, files: Path, what: str) -> None:
    content, pattern = REFUSED_PEOPLE[what]
    before = stored.dump()
    ended = stored.run("ingest", "subjects", written(files, "people.csv", content))
    assert ended.code == 65
    [text] = said(ended)
    assert re.match(pattern, text), text
    assert stored.dump() == before


def test_every_problem_of_a_manifest_is_named(stored: CommandLine, files: Path) -> None:
    rows = "missing.vcf,GRCh38,P1,2026-01-31,T1,,\n,hg19,P 2,tomorrow,,,\n"
    before = stored.dump()
    ended = stored.run("ingest", "manifest", written(files, "calls.csv", MANIFEST + rows))
    assert ended.code == 65
    places = [text.split(":")[0] for text in said(ended)]
    assert places == [
        "calls.csv, line 2, vcf_filename",
        *(f"calls.csv, line 3, {column}" for column in ("ref_build", "patient_id", "test_date", "test_id")),
    ] or sorted(places) == sorted(set(places))
    assert len(places) == 5
    assert stored.dump() == before


def test_report_that_cannot_be_written_stops_before_anything_is_stored(stored: CommandLine, files: Path) -> None:
    path, before = written(files, "good.vcf", vcf(OTHER)), stored.dump()
    manifest = written(files, "calls.csv", MANIFEST)
    for report in (files, files / "nowhere" / "report.json"):
        for ended in (
            ingest(stored, path, "--report", report),
            stored.run("ingest", "manifest", manifest, "--report", report),
        ):
            assert ended.code == 73
            assert said(ended) == [f"{report}: this file cannot be written. Give --report another path"]
    assert stored.dump() == before


def test_second_ingest_at_the_same_time_ends_with_75(stored: CommandLine, files: Path) -> None:
    path, before = written(files, "good.vcf", vcf(OTHER)), stored.dump()
    people = written(files, "people.csv", "subject_id\nP1\n")
    with (
        closing(Database(Settings(home=stored.home).store_url)) as database,
        database.sole_writer(),
    ):
        refused = [
            ingest(stored, path, "--subject", "P1"),
            stored.run("ingest", "subjects", people),
            stored.run("subject", "erase", "P0", "--yes"),
        ]
    assert [ended.code for ended in refused] == [75, 75, 75]
    assert {text for ended in refused for text in said(ended)} == {"another ingest is writing to this store"}
    assert stored.dump() == before


# --- interruption -----------------------------------------------------------------------------------------------------

THREE_CONTIGS = vcf(SNV, "chrX 1000 . A G 50 PASS . GT 0/1", "chrM 73 . A G 50 PASS . GT 1")


def test_interrupted_ingest_is_invisible_and_goes_on(
    operon: CommandLine, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_blocks = []
    checkpoint = runs.checkpoint

    def interrupted(*arguments: Any, **named: Any) -> None:
        checkpoint(*arguments, **named)
        stored_blocks.append(named["next_record"])
        if len(stored_blocks) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(runs, "checkpoint", interrupted)
    path = written(files, "sample.vcf", THREE_CONTIGS)
    ended = ingest(operon, path, "--subject", "P1", "--quiet")
    assert ended.code == 130
    assert said(ended) == ["interrupted; the same command continues where this one stopped"]
    assert operon.done("subject", "list").out == ""
    report = files / "report.json"
    assert ingest(operon, path, "--subject", "P1", "--quiet", "--report", report).code == 0
    assert stored_blocks == [1, 2, 2, 3]
    assert len(spdis(operon, "P1")) == 3
    assert json.loads(report.read_bytes())[0]["calls"] == [3]


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (signal.SIGINT, 130, "interrupted; the same command continues where this one stopped"),
        (signal.SIGTERM, 143, "terminated; the same command continues where this one stopped"),
    ],
)
def test_signal_ends_a_process_that_reads_and_nothing_is_stored(
    stored: CommandLine, sent: signal.Signals, code: int, message: str
) -> None:
    before = stored.dump()
    reading, writing = os.pipe()
    process = stored.start("ingest", "vcf", "-", "--assembly", "GRCh38", "--subject", "P1", stdin=reading)
    os.close(reading)
    assert process.stderr is not None
    assert process.stdout is not None
    # More than the pipe holds: once all is written, the process is reading. The end of the pipe wakes it up in case the
    # signal came between two reads.
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        pipe.write(vcf(SNV).encode() + b"#" * 2**20)
        process.send_signal(sent)
    with process.stdout, process.stderr as stderr:
        err = stderr.read().decode()
    assert process.wait() == code
    assert err == f"operon: {message}\n"
    assert stored.dump() == before


# --- subjects ---------------------------------------------------------------------------------------------------------


def test_subjects_are_added_completed_and_listed(operon: CommandLine, files: Path) -> None:
    table = "subject_id,sex,birth_date,identifier_system,identifier_value\nP1,F,1980,https://example.org/id,7\nP2,,,,\n"
    ended = operon.done("ingest", "subjects", written(files, "people.csv", table))
    assert ended.err == "2 added, 0 completed, 0 unchanged\n"
    more = written(files, "more.csv", "subject_id,sex\nP1,female\nP2,male\n")
    assert operon.done("ingest", "subjects", more).err == "0 added, 1 completed, 1 unchanged\n"
    first, second = map(json.loads, operon.done("subject", "list").out.splitlines())
    assert first == {
        "subject_id": "P1",
        "sex": "female",
        "birth_date": "1980",
        "identifiers": [{"system": "https://example.org/id", "value": "7"}],
    }
    assert (second["subject_id"], second["sex"], second["birth_date"]) == ("P2", "male", None)


def test_erased_subject_leaves_no_trace(stored: CommandLine, files: Path) -> None:
    ingest(stored, written(files, "other.vcf", vcf(SNV, OTHER)), "--subject", "Q-4711")
    ended = stored.done("subject", "erase", "Q-4711", "--yes")
    assert (ended.out, ended.err) == ("", "")
    assert b"Q-4711" not in b"".join(path.read_bytes() for path in stored.home.glob("operon.db*"))
    assert spdis(stored, "P0") == [f"{CHR1}:1000100:A:G"]
    asked = (f"variants={CHR1}:1000100:A:G", "includePatientList=true")
    [entry] = parameters(stored.run("query", "find-population-specific-variants", *asked))
    assert [part.get("valueString") for part in entry["part"]][3:] == ["P0"]


@pytest.mark.parametrize("answer", [b"n\n", b""], ids=["no", "no answer"])
def test_erasing_asks_first(stored: CommandLine, answer: bytes) -> None:
    before = stored.dump()
    ended = stored.run("subject", "erase", "P0", stdin=answer)
    assert ended.code == 1
    assert "Remove every trace of P0?" in ended.out + ended.err
    assert ended.err.endswith("operon: nothing was changed\n")
    assert stored.dump() == before


def test_unknown_subject_cannot_be_erased(stored: CommandLine) -> None:
    ended = stored.run("subject", "erase", "nobody", "--yes")
    assert (ended.code, said(ended)) == (66, ["Patient (nobody) not found."])


# --- questions --------------------------------------------------------------------------------------------------------

BIG = f"{CHR1}:1000100:A:" + "G" * 2**21
REFUSED_QUESTIONS = {
    "an end before the start": (
        "find-subject-variants",
        [("subject", "P0"), ("ranges", f"{CHR1}:20-10")],
        (65, 400),
        r"Range start\(20\) should be less than or equal to Range end\(10\)",
    ),
    "an unknown accession": (
        "find-subject-variants",
        [("subject", "P0"), ("ranges", "NC_000001.99:10-20")],
        (65, 400),
        r"RefSeq\(NC_000001\.99\) is not valid",
    ),
    "no range at all": (
        "find-subject-variants",
        [("subject", "P0"), ("ranges", "chr1")],
        (65, 400),
        r".*chr1.*",
    ),
    "a missing range": ("find-subject-variants", [("subject", "P0")], (2, 400), r"Missing query parameter 'ranges'"),
    "an unknown subject": (
        "find-subject-variants",
        [("subject", "nobody"), ("ranges", f"{CHR1}:10-20")],
        (66, 404),
        r"Patient \(nobody\) not found\.",
    ),
    "a malformed SPDI": (
        "find-subject-specific-variants",
        [("subject", "P0"), ("variants", f"{CHR1}:1000100:A")],
        (65, 400),
        r"variant \(NC_000001\.11:1000100:A\) is not in the correct format\(SPDI\|HGVS\)",
    ),
    "an SPDI that contradicts the reference": (
        "find-population-specific-variants",
        [("variants", f"{CHR1}:1000100:T:G")],
        (65, 400),
        r"Cannot normalize variant: NC_000001\.11:1000100:T:G \(.*\)",
    ),
    "an SPDI with other letters": (
        "find-population-specific-variants",
        [("variants", f"{CHR1}:1000100:A:X")],
        (65, 400),
        r"Cannot normalize variant: .* \(the inserted sequence may hold the letters A, C, G, T and N only\)",
    ),
    "a transcript variant": (
        "find-subject-specific-variants",
        [("subject", "P0"), ("variants", "NM_000059.3:c.7G>A")],
        (65, 400),
        r"Cannot normalize variant: NM_000059\.3:c\.7G>A \(.*transcript.*\)",
    ),
    "a protein variant": (
        "find-population-specific-variants",
        [("variants", "NP_000050.2:p.(Lys3Arg)")],
        (65, 400),
        r"Cannot normalize variant: .* \(a protein change does not say which bases change\)",
    ),
    "a variant of two megabytes": (
        "find-population-specific-variants",
        [("variants", BIG)],
        (65, 414),
        r".*(longer than 1,000 characters|OPERON_MAX_URL_BYTES|8192).*",
    ),
    "an unknown input": (
        "find-population-specific-variants",
        [("variants", f"{CHR1}:1000100:A:G"), ("variant", "x")],
        (65, None),
        r".*variant.*",
    ),
}


@pytest.mark.parametrize("what", REFUSED_QUESTIONS)
def test_refused_question_says_what_is_wrong(stored: CommandLine, what: str) -> None:
    operation, inputs, (code, status), pattern = REFUSED_QUESTIONS[what]
    ended = stored.run("query", operation, *(f"{name}={value}" for name, value in inputs))
    assert (ended.code, ended.out) == (code, "")
    [text] = said(ended)
    assert re.match(pattern, text), text
    assert len(text) < 400
    if status is None:
        return
    with asking(stored.home) as asked:
        answer = asked.get(operation, *inputs)
    assert answer.status == status
    [text] = answer.diagnostics
    assert re.match(pattern, text), text
    assert len(answer.body) < 1000


def test_several_bad_variants_are_several_messages(stored: CommandLine) -> None:
    ended = stored.run("query", "find-population-specific-variants", f"variants={CHR1}:1:A,chr7,NM_000059.3:c.7G>A")
    assert ended.code == 65
    assert len(said(ended)) == 3


def test_unknown_operation_ends_with_66(stored: CommandLine) -> None:
    ended = stored.run("query", "find-everything", "subject=P0")
    assert ended.code == 66
    assert "find-subject-variants" in said(ended)[0]


def test_query_prints_what_the_server_answers(stored: CommandLine) -> None:
    inputs = [("subject", "P0"), ("variants", f"{CHR1}:1000100:A:G")]
    out = stored.done("query", "$find-subject-specific-variants", *(f"{name}={value}" for name, value in inputs)).out
    with asking(stored.home) as asked:
        assert asked.get("find-subject-specific-variants", *inputs).json() == json.loads(out)


def test_query_speaks_the_reference_dialect_on_demand(stored: CommandLine) -> None:
    asked = ("query", "find-subject-variants", "subject=P0", f"ranges={CHR1}:0-2000000")
    listed = [[part["name"] for part in parameters(stored.run(*asked, *more))[0]["part"]] for more in ([], ["--ref"])]
    assert listed == [["rangeItem", "presence"], ["rangeItem", "presence", "variant"]]


def test_normalize_prints_an_object_for_each_line(stored: CommandLine) -> None:
    lines = f"{CHR1}:1000100:A:G\n\nNM_000059.3:c.7G>A\n{CHR1}:g.1000101A>G\n".encode()
    given, refused, hgvs = map(json.loads, stored.done("normalize", "-", stdin=lines).out.splitlines())
    assert (given["canonical"], given["GRCh38"], given["GRCh37"]) == (*(2 * [f"{CHR1}:1000100:A:G"]), None)
    assert given["liftover"] == "no-chain"
    assert hgvs["canonical"] == given["canonical"]
    assert refused["canonical"] is None
    assert "transcript" in refused["error"]


def test_normalize_reads_variants_as_gnomad_writes_them(stored: CommandLine) -> None:
    ways = ["1-1000101-A-G", "chr1-1000101-AC-GC", "GRCh38:1-1000101-A-G", f"{CHR1}:1000100:A:G"]
    out = stored.done("normalize", "--assembly", "GRCh38", *ways).out
    assert [json.loads(line)["canonical"] for line in out.splitlines()] == 4 * [f"{CHR1}:1000100:A:G"]
    wrong, homeless = map(json.loads, stored.done("normalize", "GRCh38:1-1000101-T-G", ways[0]).out.splitlines())
    assert wrong["error"].startswith("Cannot normalize variant: GRCh38:1-1000101-T-G (the reference has A at position")
    assert "which assembly" in homeless["error"]
    with asking(stored.home) as asked:
        answer = asked.get("find-subject-specific-variants", ("subject", "P0"), ("variants", ways[2]))
    assert answer.status == 400
    assert answer.diagnostics == [f"variant ({ways[2]}) is not in the correct format(SPDI|HGVS)"]


def test_normalize_needs_no_store(tmp_path: Path) -> None:
    out = CommandLine(tmp_path / "home").done("normalize", f"{CHR1}:1000100:A:G").out
    assert json.loads(out)["input"] == f"{CHR1}:1000100:A:G"


def test_command_is_installed(tmp_path: Path) -> None:
    operon = CommandLine(tmp_path / "home")
    ended = operon.run_apart("frobnicate")
    assert (ended.code, ended.err) == (2, "operon: No such command 'frobnicate'. Try 'operon --help'.\n")
    assert (Path(sys.executable).parent / "operon").is_file()


def test_genotypes_are_ingested_and_asked_for(operon: CommandLine, tmp_path: Path) -> None:
    file, report = write_table(tmp_path / "g.tsv", line("P1"), line("P2", "CYP2C19 *1/*1")), tmp_path / "report.json"

    ended = operon.done("ingest", "haplotypes", file, "--report", report)

    assert ended.err.splitlines() == ["g.tsv: 2 genotypes read, 2 added, 0 known; 2 subjects and 2 tests are new"]
    [told] = json.loads(report.read_bytes())
    assert (told["source"], told["added"], told["already_stored"]) == ("g.tsv", 2, False)
    asked = operon.done("query", "find-subject-specific-haplotypes", "subject=P1", "haplotypes=cyp2c19 *17/*1")
    assert json.loads(asked.out)["parameter"][0]["part"][1]["valueBoolean"]
    again = operon.done("ingest", "haplotypes", "-", stdin=file.read_bytes())
    assert again.err.splitlines() == ["standard input was stored before"]
    assert operon.done("ingest", "haplotypes", file, "--quiet").err == ""


def test_a_table_of_genotypes_with_problems_ends_with_65(operon: CommandLine, tmp_path: Path) -> None:
    before = operon.dump()
    ended = operon.run("ingest", "haplotypes", write_table(tmp_path / "g.tsv", line("P1"), line("P 2"), line("P3", "")))
    assert ended.code == 65
    texts = said(ended)
    assert [text.partition(":")[0] for text in texts] == [
        "g.tsv, line 3, subject_id",
        "g.tsv, line 4, genotype_code",
    ]
    assert operon.dump() == before
