"""Bodies of SNP data: what is refused as a whole, which samples are left out, what their sender is told."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from app.formats.snp_batch import Batch, FieldProblem, SampleData, copies_of, read_batch, read_date
from tests.snp_batches import batch, sample


def accepted(body: object) -> Batch:
    found = read_batch(body)
    assert isinstance(found, Batch), found
    return found


def refused(body: object) -> dict[str, str]:
    found = read_batch(body)
    assert not isinstance(found, Batch)
    return {problem.name: problem.message for problem in found}


def test_a_batch_keeps_everything_that_was_sent():
    body = batch(
        sample("12345_A", ("rs16947", "A/G"), birthday="1982-09-11", gender="F", cnv=[{"gene": "CYP2D6", "cnv": 3}]),
        test_id=17,
        comment="urgent",
    )
    [found] = accepted(body).samples
    assert (found.batch_id, found.test_date, found.sample_id) == ("B1", "2017-01-20", "12345_A")
    assert (found.birthday, found.gender, found.test_id, found.comment) == ("1982-09-11", "F", 17, "urgent")
    assert [(one.rs, one.genotype, one.assay, one.gene) for one in found.snps] == [
        ("rs16947", "A/G", "ABC1", "CYP2C19")
    ]
    assert copies_of(found) == {"CYP2D6": 3}
    assert SampleData.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2017-01-20T10:10:00+0200", "2017-01-20T10:10:00+02:00"),
        ("2017-01-20T10:10:00+02:00", "2017-01-20T10:10:00+02:00"),
        ("2017-01-20T10:10:00Z", "2017-01-20T10:10:00+00:00"),
        ("2017-01-20T10:10:00", None),
        ("2017-01-20", None),
        ("2017-02-30T10:10:00Z", None),
        ("20170120T101000Z", None),
        ("", None),
    ],
)
def test_dates_have_an_offset_in_one_of_three_spellings(text: str, read: str | None):
    assert read_date(text) == read


def test_a_missing_batch_id_is_named_with_a_dot():
    assert read_batch({"date": "2017-01-20T10:10:00Z", "data": [sample()]}) == (
        FieldProblem("batch.id", "this field is required"),
    )


def test_every_field_that_is_wrong_is_named():
    assert refused({}) == dict.fromkeys(("batch.id", "date", "data"), "this field is required")
    assert set(refused(batch(date="yesterday", comment=5, test_id="x"))) == {"date", "comment", "test_id"}
    assert set(refused(batch(data={}))) == {"data"}
    assert set(refused(batch(data=[]))) == {"data"}
    assert set(refused([])) == {"body"}


def test_a_sample_that_cannot_be_named_refuses_the_batch():
    assert refused(batch({"snp": []}, sample())) == {"data.0.sample_id": "this field is required"}
    assert set(refused(batch(sample(), 7))) == {"data.1"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (sample("123", birthday="11.9.1982"), "data.1.birthday"),
        (sample("123", birthday="1982-02-30"), "data.1.birthday"),
        (sample("123", gender="X"), "data.1.gender"),
        (sample("123", snp={}), "data.1.snp"),
        (sample("123", snp=[5]), "data.1.snp.0"),
        (sample("123", ("16947", "A/G")), "data.1.snp.0"),
        (sample("123", ("rs16947", "")), "data.1.snp.0"),
        (sample("123", ("rs16947", "A/G/T")), "data.1.snp.0"),
        (sample("123", cnv=[{"gene": "CYP2D6", "cnv": "3"}]), "data.1.cnv.0"),
        (sample("123", cnv=[{"gene": "CYP2D6", "cnv": True}]), "data.1.cnv.0"),
        (sample("123", cnv=[{"gene": "CYP2D6", "cnv": -1}]), "data.1.cnv.0"),
        (sample("123", cnv=[{"cnv": 1}]), "data.1.cnv.0"),
        ({"sample_id": "123"}, "data.1"),
    ],
)
def test_a_sample_with_a_wrong_value_is_left_out_and_the_others_are_kept(wrong: dict[str, Any], path: str):
    found = accepted(batch(sample("P1"), wrong, sample("P2")))
    assert [one.sample_id for one in found.samples] == ["P1", "P2"]
    assert found.errors == ("BatchSample '123' failed schema validation",)
    assert [warning for warning in found.warnings if path in warning]


def test_values_that_are_given_twice_are_warned_of():
    twice = accepted(batch(sample("P1", ("rs1", "A/G"), ("rs1", "A/G"))))
    assert (len(twice.samples), twice.warnings) == (1, ("BatchSample may contain duplicate values",))
    again = accepted(batch(sample("P1"), sample("P1")))
    assert (len(again.samples), again.errors) == (1, ())
    assert again.warnings == ("BatchSample may contain duplicate values",)


def test_of_two_different_entries_of_a_sample_neither_is_taken():
    found = accepted(batch(sample("P1", ("rs1", "A/G")), sample("P1", ("rs1", "A/A")), sample("P2")))
    assert [one.sample_id for one in found.samples] == ["P2"]
    assert found.errors == ("BatchSample 'P1' failed schema validation",)


def test_copies_that_contradict_each_other_are_none():
    given = [{"gene": "CYP2D6", "cnv": 1}, {"gene": "CYP2D6", "cnv": 3}, {"gene": "GSTM1", "cnv": 0}]
    [found] = accepted(batch(sample("P1", cnv=given))).samples
    assert copies_of(found) == {"GSTM1": 0}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["batch_id", "date", "data", "sample_id", "snp", "cnv", "rs", "gene"]), inner)
    ),
    max_leaves=12,
)


@hypothesis.given(JSON)
def test_no_body_breaks_the_reader(body: Any):
    for one in (body, batch(data=body), batch(body), batch(sample(snp=body)), batch(sample(cnv=[body]))):
        assert isinstance(read_batch(one), Batch | tuple)
