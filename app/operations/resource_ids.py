"""The ids of resources in answers, made and taken apart.

An id says where its resource is stored, so that whatever was returned can be read again; it is the same one on every
server that reads the same files, and at most 64 characters long.

>>> phase_id("dv-0123456789abcdef-1-2629432-AG", "dv-0123456789abcdef-1-2629469-CT")
'sid-0123456789abcdef-1-2629432-2629469-bd5a3d1de909'
>>> PHASE.fullmatch("sid-0123456789abcdef-1-2629432-2629469-bd5a3d1de909").groups()
('0123456789abcdef', '1', '2629432', '2629469')
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

from app.store.studies import uid_of

_CALL_SET: Final = "([0-9a-f]{16})-([1-9][0-9]?)"
VARIANT: Final = re.compile(rf"dv-{_CALL_SET}-([0-9]{{1,9}})-(?:[A-Z]{{2}}|[0-9a-f]{{10}})(?:\.[1-9][0-9]*)?")
"""Call set, contig and start on its build, what tells alleles at one start apart, and a number for repeated calls"""
STRUCTURAL: Final = re.compile(rf"dv-{_CALL_SET}-[0-9]{{1,10}}-s[0-9a-f]{{10}}(?:\.[0-9]{{1,6}})?")
"""Call set, contig, start on its build, what tells sites at one start apart, and a number for repeated calls"""
NON_VARIANT: Final = re.compile(
    r"dv-(?:(?P<uid>[0-9a-f]{16})|s(?P<study>[0-9]{1,18}))-(?P<contig>[0-9]{1,2})-(?P<start>[0-9]{1,9})-n"
    r"(?:r(?P<end>[0-9]{1,9})|x(?P<digest>[0-9a-f]{16})|(?P<deleted>[ACGTN]*)\.(?P<inserted>[ACGTN]*))"
)
"""First call set or number of the test, place, and the end of a range or the change that was not found"""
PHASE: Final = re.compile(rf"sid-{_CALL_SET}-([0-9]{{1,9}})-([0-9]{{1,9}})-[0-9a-f]{{12}}")
"""Call set, contig, both starts, and what tells pairs of calls at these starts apart"""
STUDY: Final = re.compile("gs-([0-9a-f]{16})")
"""The test"""


def phase_id(first_id: str, second_id: str) -> str:
    """Return the id of the phase relation of two variants of one call set."""
    _, call_set, contig, start, _ = first_id.split("-", 4)
    other_start = second_id.split("-", 4)[3]
    digest = blake2b(f"{first_id} {second_id}".encode(), digest_size=6).hexdigest()
    return f"sid-{call_set}-{contig}-{start}-{other_start}-{digest}"


def study_id(subject_id: str, test_id: str) -> str:
    """Return the id of the Procedure that a test is."""
    return f"gs-{uid_of(subject_id, test_id)}"
