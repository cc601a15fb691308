"""How glibc keeps memory in the process of the API."""

__all__ = ["ALLOCATOR"]

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(32 << 20),
}
"""Variables for its start, see mallopt(3). Zips and files pass through it in chunks of 2 MiB: by itself, glibc gives
such back to the kernel and takes them anew, a third of the processor time of a zip, and keeps some for each thread.
"""
