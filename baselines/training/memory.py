"""Keep freed memory at hand: an update allocates and frees large tensors thousands of times."""

from __future__ import annotations

import ctypes

GLIBC_TRIM_THRESHOLD, GLIBC_TOP_PAD, GLIBC_MMAP_THRESHOLD = -1, -2, -3
"""Parameters of `mallopt`, from glibc's malloc.h."""
KEEP = 2**30
"""Bytes: allocations up to this size come from the heap, and so much free memory stays in it."""
GROWTH = 2**27
"""Bytes by which the heap grows at once."""


def keep_freed_memory() -> bool:
    """Tell the C library's allocator not to give memory back to the system after every large tensor.

    By default glibc maps tensors above a threshold anew each time, and every first touch of a page is a
    fault: a tenth to a quarter of an update's time with small networks on a CPU. Results do not change.
    The setting holds for the whole process.

    Returns:
        Whether the allocator took it; False where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    settings = ((GLIBC_MMAP_THRESHOLD, KEEP), (GLIBC_TRIM_THRESHOLD, KEEP), (GLIBC_TOP_PAD, GROWTH))
    return all([mallopt(name, size) == 1 for name, size in settings])
