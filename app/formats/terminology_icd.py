"""ICD-10-CM as its publisher gives it: ``icd10cm-order-YYYY.txt`` or ``icd10cm-codes-YYYY.txt``.

https://www.cms.gov/medicare/coding-billing/icd-10-codes. In the order file a number (5 places), the code (7), whether
it is billable (1), a short name (60) and a long name follow each other, each after a blank; in the codes file the code
(7) and its name. A code is a kind of every code that it begins with, down to the three places of its category.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.formats.code_systems import ICD_10_CM
from app.formats.terminology import IsA, Named, Notes, Statement, TermText

_CODE = "[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}"
_ORDER = re.compile(rf"[0-9]{{5}} ({_CODE}) *(?<=^.{{13}}) ([01]) (.{{60}}) (.+)")
_CODES = re.compile(rf"({_CODE}) *(?<=^.{{7}}) ?(\S.*)")
_RELEASE = re.compile(r"icd10cm[-_](?:order|codes)[-_]([0-9]{4})", re.IGNORECASE)
_CATEGORY = 3


def read_icd_10_cm(text: TermText, notes: Notes) -> Iterator[Statement]:
    """Yield the names and the hierarchy of the codes.

    Raises:
        BadFile: it is neither of the files, or a line has another form.
    """
    is_order = _ORDER.fullmatch(text.first_line()) is not None
    form = _ORDER if is_order else _CODES
    if not form.fullmatch(text.first_line()):
        text.refuse_kind("order or codes file of ICD-10-CM")
    if release := _RELEASE.match(text.name):
        notes.version = release[1]
    linked: set[str] = set()
    for line_1based, line in text.lines():
        if not line.strip():
            continue
        match = form.fullmatch(line)
        if match is None:
            text.refuse("the line has another form", line_1based, "code", "Copy the file again")
        code = match[1]
        yield Named(ICD_10_CM, code, text.display(match[match.re.groups], line_1based, "name"))
        # The codes file does not list the codes in between: they still lead from the category to what is listed.
        while len(code) > _CATEGORY and code not in linked:
            linked.add(code)
            text.check_held(len(linked))
            yield IsA(ICD_10_CM, code, code[:-1])
            code = code[:-1]
