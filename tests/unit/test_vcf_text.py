"""Variants in the way of a VCF, as one short text."""

from __future__ import annotations

import pytest

from app.errors import CannotNormalize, UnknownRefSeq
from app.formats.vcf_text import spdi_of
from app.records import Build

B37, B38 = Build.GRCH37, Build.GRCH38


@pytest.mark.parametrize(
    ("text", "assembly", "expected"),
    [
        ("17-43057062-T-TG", B38, "NC_000017.11:43057061:T:TG"),
        ("17-41209079-T-TG", B37, "NC_000017.10:41209078:T:TG"),
        ("chr17-43057062-t-tg", B38, "NC_000017.11:43057061:T:TG"),
        ("GRCh38:17-43057062-T-TG", None, "NC_000017.11:43057061:T:TG"),
        ("grch37-17-41209079-T-TG", None, "NC_000017.10:41209078:T:TG"),
        ("GRCh38:X-1-N-A", B38, "NC_000023.11:0:N:A"),
        ("M-73-A-G", B37, "NC_012920.1:72:A:G"),
    ],
)
def test_a_text_is_the_spdi_of_its_record(text: str, assembly: Build | None, expected: str) -> None:
    assert spdi_of(text, assembly) == expected


@pytest.mark.parametrize(
    "text",
    [
        "NC_000017.11:43057061:T:TG",
        "NC_000017.11:g.43057062dup",
        "17-43057062-T-",
        "17-43057062--TG",
        "17-43057062-T-<DEL>",
        "17:43057062:T:TG",
        "hg19:17-43057062-T-TG",
        "17-43057062-T-TG-A",
        "17-43057062-T-TG\n",
        "",
    ],
)
def test_other_texts_are_left_to_others(text: str) -> None:
    assert spdi_of(text, B38) is None


@pytest.mark.parametrize(
    ("text", "assembly", "reason"),
    [
        ("17-43057062-T-TG", None, "which assembly"),
        ("GRCh37:17-41209079-T-TG", B38, "on GRCh37, not on GRCh38"),
        ("17-0-T-TG", B38, "count from 1"),
    ],
)
def test_what_has_no_place_is_refused(text: str, assembly: Build | None, reason: str) -> None:
    with pytest.raises(CannotNormalize, match=reason):
        spdi_of(text, assembly)


def test_other_sequences_are_refused() -> None:
    with pytest.raises(UnknownRefSeq, match=r"RefSeq\(GL000220\) is not valid"):
        spdi_of("GL000220-5-A-G", B38)
