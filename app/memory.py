"""How the C allocator treats the large blocks that answers are built in.

glibc gives memory back to the system as soon as a large block is freed. An answer of half a megabyte is built twice
(text, then bytes), and getting its pages anew each time took fifteen times as long as building it.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)"""
_KEPT_BYTES = 64 * 2**20
_LARGEST_BYTES = 32 * 2**20
"""glibc takes no more on 64-bit systems; blocks above it are still given back at once"""


def keep_large_blocks() -> bool:
    """Let the process keep up to 64 MiB of freed memory for the next answer; return whether the allocator can."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False  # another C library, which has its own way
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)) and bool(mallopt(_MMAP_THRESHOLD, _LARGEST_BYTES))
