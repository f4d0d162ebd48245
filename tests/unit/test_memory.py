"""The allocator of the C library is asked once, and other C libraries are left alone."""

import ctypes
import platform
import subprocess
import sys

import pytest

from app.memory import keep_large_blocks

BUILD_TWICE = """
import resource
from app.memory import keep_large_blocks
{ask}
pieces = ["x" * 3000] * 150
def build():
    return "".join(pieces).encode()
for _ in range(5):
    build()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    build()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_answers_do_not_fetch_their_pages_anew():
    faults = int(
        subprocess.run(
            [sys.executable, "-c", BUILD_TWICE.format(ask="assert keep_large_blocks()")],
            check=True, capture_output=True, text=True,
        ).stdout
    )  # fmt: skip
    assert faults < 1000  # a hundred answers of two times 110 pages would be 22,000


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    assert keep_large_blocks() is False
