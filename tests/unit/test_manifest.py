"""The tables of an ingest: manifest and subjects, with every problem of a file told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from app.errors import BadFile, NotFound, SeveralProblems
from app.records import Build, Sex, SourceClass
from ingest.manifest import ManifestRow, read_manifest
from ingest.subjects import SubjectRow, read_subjects

COLUMNS = "vcf_filename,ref_build,patient_id,test_date,test_id,specimen_id"
MORE = "genomic_source_class,ratio_ad_dp,sample_position,studied_bed,uncallable_bed,dna_change_types,study_type"
ALL = f"{COLUMNS},{MORE}"


@pytest.fixture
def write(tmp_path):
    (tmp_path / "vcf").mkdir()
    for name in ("vcf/a.vcf", "vcf/b.vcf", "x.bed"):
        (tmp_path / name).touch()

    def write(*lines, header=ALL, encoding="utf-8"):
        path = tmp_path / "table.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
        return path

    return write


def manifest(path):
    return read_manifest(path, Settings())


def problems_of(read, path):
    with pytest.raises(SeveralProblems) as caught:
        read(path, Settings())
    found = []
    for problem in caught.value.problems:
        assert isinstance(problem, BadFile)
        assert problem.mend
        assert problem.source == "table.csv"
        found.append((problem.line_1based, problem.field))
    assert len(caught.value.issues()) == len(found)
    return found


# --- manifest ---------------------------------------------------------------------------------------------------------


def test_a_full_row_is_read(write, tmp_path):
    line = "vcf/a.vcf,GRCh37,P-1.x,2020-09-20,T1,Sp 1,germline,0.95,3,x.bed,x.bed,SNV; MNV;delins,targeted panel"
    (row,) = manifest(write(line))
    assert row == ManifestRow(
        2, tmp_path / "vcf/a.vcf", Build.GRCH37, "P-1.x", "T1", "2020-09-20", "Sp 1", SourceClass.GERMLINE,
        0.95, 3, tmp_path / "x.bed", tmp_path / "x.bed", ("SNV", "MNV", "delins"), "targeted panel",
    )  # fmt: skip


def test_what_is_left_empty_has_defaults(write):
    (row,) = manifest(write(",GRCh38,P1,,T1,", header=COLUMNS))
    assert (row.vcf, row.test_date, row.specimen_id) == (None, None, None)
    assert (row.source_class, row.homoplasmic_above, row.sample_position) == (SourceClass.UNSPECIFIED, 0.99, 0)
    assert (row.studied, row.uncallable, row.dna_change_types, row.study_type) == (None, None, (), None)


def test_unknown_columns_and_other_orders_and_blank_rows_are_fine(write):
    header = "note,test_id,PATIENT_ID,ref_build, vcf_filename ,test_date,specimen_id,x"
    rows = manifest(
        write('"a, ""b""\nc",T1,P1,grch38,vcf/a.vcf,,,', "", ",,,,,,,", "n,T2,P2,GRCh37,,,,", header=header)
    )
    assert [(row.line_1based, row.subject, row.test_id) for row in rows] == [(3, "P1", "T1"), (6, "P2", "T2")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(write, encoding):
    (row,) = manifest(write(",GRCh38,P1,,Größe,", header=COLUMNS, encoding=encoding))
    assert row.test_id == "Größe"


def test_windows_line_ends_are_read(write, tmp_path):
    path = write(",GRCh38,P1,,T1,S1", header=COLUMNS)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert [row.specimen_id for row in manifest(path)] == ["S1"]


def test_two_files_of_one_study_are_read(write):
    rows = manifest(
        write("vcf/a.vcf,GRCh37,P1,2020-01-01,T1,S1", "vcf/b.vcf,GRCh37,P1,2020-01-01,T1,S1", header=COLUMNS)
    )
    assert [row.test_id for row in rows] == ["T1", "T1"]


BAD_ROWS = [
    ("vcf_filename", "vcf/gone.vcf,GRCh38,P1,,T1,,,,,,,,"),
    ("vcf_filename", "vcf,GRCh38,P1,,T1,,,,,,,,"),
    ("vcf_filename", "http://127.0.0.1/a.vcf,GRCh38,P1,,T1,,,,,,,,"),
    ("studied_bed", ",GRCh38,P1,,T1,,,,,gone.bed,,,"),
    ("uncallable_bed", ",GRCh38,P1,,T1,,,,,,gone.bed,,"),
    ("ref_build", ",hg19,P1,,T1,,,,,,,,"),
    ("ref_build", ",,P1,,T1,,,,,,,,"),
    ("patient_id", ",GRCh38,,,T1,,,,,,,,"),
    ("patient_id", ",GRCh38,P 1,,T1,,,,,,,,"),
    ("patient_id", f",GRCh38,{'P' * 65},,T1,,,,,,,,"),
    ("test_id", ",GRCh38,P1,,,,,,,,,,"),
    ("test_id", f",GRCh38,P1,,{'T' * 201},,,,,,,,"),
    ("test_date", ",GRCh38,P1,2020-13-01,T1,,,,,,,,"),
    ("test_date", ",GRCh38,P1,20200101,T1,,,,,,,,"),
    ("test_date", ",GRCh38,P1,2020-02-30,T1,,,,,,,,"),
    ("specimen_id", ",GRCh38,P1,,T1,a\x07b,,,,,,,"),
    ("genomic_source_class", ",GRCh38,P1,,T1,,foetal,,,,,,"),
    ("ratio_ad_dp", ",GRCh38,P1,,T1,,,1.5,,,,,"),
    ("ratio_ad_dp", ",GRCh38,P1,,T1,,,nan,,,,,"),
    ("ratio_ad_dp", ",GRCh38,P1,,T1,,,-0.5,,,,,"),
    ("sample_position", ",GRCh38,P1,,T1,,,,-1,,,,"),
    ("sample_position", ",GRCh38,P1,,T1,,,,first,,,,"),
    ("columns", ",GRCh38,P1"),
    ("columns", ",GRCh38,P1,,T1,,,,,,,,,too,many"),
]


@pytest.mark.parametrize(
    ("field", "line"), BAD_ROWS, ids=[f"{field} {number}" for number, (field, _) in enumerate(BAD_ROWS)]
)
def test_a_bad_value_is_told_with_line_and_column(write, field, line):
    assert problems_of(read_manifest, write(",GRCh38,P0,,T0,,,,,,,,", line)) == [(3, field)]


def test_all_problems_are_told_at_once_in_the_order_of_lines(write):
    assert problems_of(read_manifest, write(*[line for _, line in BAD_ROWS])) == [
        (number, field) for number, (field, _) in enumerate(BAD_ROWS, 2)
    ]


def test_rows_of_one_study_must_agree(write):
    lines = [
        ",GRCh37,P1,2020-01-01,T1,S1",
        ",GRCh38,P1,2020-01-01,T1,S1",
        ",GRCh37,P1,2020-01-02,T1,S1",
        ",GRCh37,P1,2020-01-01,T1,S2",
        ",GRCh38,P2,2020-01-02,T1,S3",
    ]
    found = problems_of(read_manifest, write(*lines, header=COLUMNS))
    assert found == [(3, "ref_build"), (4, "test_date"), (5, "specimen_id")]


def test_a_sample_belongs_to_one_subject(write):
    header = f"{COLUMNS},sample_position"
    lines = ["vcf/a.vcf,GRCh37,P1,,T1,,0", "vcf/a.vcf,GRCh37,P2,,T2,,1", "vcf/a.vcf,GRCh37,P3,,T3,,0"]
    assert problems_of(read_manifest, write(*lines, header=header)) == [(4, "sample_position")]


BAD_TABLES = [
    ("a missing column", COLUMNS.replace("test_id", "test"), 1, "test_id"),
    ("a column twice", f"{COLUMNS},test_id", 1, "test_id"),
    ("semicolons", COLUMNS.replace(",", ";"), 1, "vcf_filename"),
    ("an open quote", f'{COLUMNS}\n"a,b', 2, None),
    ("a quote within", f'{COLUMNS}\n"a"b,c', 2, None),
]


@pytest.mark.parametrize(("header", "line", "field"), [pytest.param(*row[1:], id=row[0]) for row in BAD_TABLES])
def test_what_is_no_such_table_is_refused(write, header, line, field):
    with pytest.raises(BadFile) as caught:
        manifest(write(header=header))
    assert (caught.value.line_1based, caught.value.field) == (line, field)
    assert caught.value.mend


def test_text_that_is_not_utf_8_is_refused_with_its_line(write):
    path = write(",GRCh38,P1,,T1,", header=COLUMNS)
    path.write_bytes(path.read_bytes() + b",GRCh38,P1,,T\xe4,\n")
    with pytest.raises(BadFile, match="UTF-8") as caught:
        manifest(path)
    assert caught.value.line_1based == 3


def test_a_missing_manifest_is_not_found(tmp_path):
    with pytest.raises(NotFound):
        manifest(tmp_path / "gone.csv")


def test_the_demo_manifest_is_read(root):
    rows = manifest(root / "data" / "demo" / "manifest.csv")
    assert len(rows) == 7
    assert [row.subject for row in rows if row.vcf is None] == ["demo-aunt"]
    assert {row.source_class for row in rows} == {SourceClass.GERMLINE, SourceClass.SOMATIC}


def test_the_conformance_pack_is_read(shared):
    rows = manifest(shared / "packs" / "fhir-operations" / "data" / "manifest.csv")
    assert len(rows) == 1053
    assert sum(row.vcf is not None for row in rows) == 27
    assert {row.homoplasmic_above for row in rows} == {0.99}


# --- subjects ---------------------------------------------------------------------------------------------------------


def subjects(path):
    return read_subjects(path, Settings())


SUBJECT_COLUMNS = "subject_id,sex,birth_date,identifier_system,identifier_value"


def test_subjects_are_read(write):
    rows = subjects(write("a,male,1970-01-31,urn:x,7", "b,,,,", "c,F,1970,,8", "d,M,1970-05,,", header=SUBJECT_COLUMNS))
    assert rows == [
        SubjectRow(2, "a", Sex.MALE, "1970-01-31", "urn:x", "7"),
        SubjectRow(3, "b", None, None, None, None),
        SubjectRow(4, "c", Sex.FEMALE, "1970", None, "8"),
        SubjectRow(5, "d", Sex.MALE, "1970-05", None, None),
    ]


def test_ids_alone_are_enough(write):
    assert [row.subject for row in subjects(write("a", "b", header="subject_id"))] == ["a", "b"]


BAD_SUBJECTS = [
    ("subject_id", ",male,,,"),
    ("subject_id", "a_b,,,,"),
    ("subject_id", f"{'a' * 65},,,,"),
    ("sex", "a,masculine,,,"),
    ("birth_date", "b,,31.1.1970,,"),
    ("birth_date", "c,,1970-13,,"),
    ("birth_date", "d,,1970-02-30,,"),
    ("birth_date", "e,,0000,,"),
    ("identifier_value", "f,,,urn:x,"),
    ("identifier_value", f"g,,,urn:x,{'7' * 201}"),
]


def test_every_problem_of_the_subjects_is_told(write):
    found = problems_of(read_subjects, write(*[line for _, line in BAD_SUBJECTS], header=SUBJECT_COLUMNS))
    assert found == [(number, field) for number, (field, _) in enumerate(BAD_SUBJECTS, 2)]


def test_a_subject_of_two_sexes_is_refused_with_both_lines(write):
    path = write("a,M,1970,,", "b,F,,,", "a,male,1970,urn:x,7", "a,F,1971,,", header=SUBJECT_COLUMNS)
    assert problems_of(read_subjects, path) == [(5, "sex"), (5, "birth_date")]
    with pytest.raises(SeveralProblems, match=r"line 5, sex: female here, but male in line 2"):
        subjects(path)


def test_rows_that_repeat_a_subject_are_kept(write):
    rows = subjects(write("a,M,,urn:x,7", "a,,,urn:y,8", header=SUBJECT_COLUMNS))
    assert [(row.subject, row.identifier_value) for row in rows] == [("a", "7"), ("a", "8")]


def test_the_demo_subjects_are_read(root: Path):
    assert len(subjects(root / "data" / "demo" / "subjects.csv")) == 5
