"""Thousands of random layouts of zips: ``make prove-bundles`` tries more of them than ``make test`` has time for."""

import argparse
import datetime as dt
import io
import random
import subprocess
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from shared.bundle.names import unique_names
from shared.bundle.plan import Content, Piece, Plan
from tests.bundle.layouts import MOMENT, PlannedFile, made, stored, whole
from tests.parts import need_program

__all__ = ["UNPACKERS", "check_by_program", "check_bytes", "check_sizes", "odd_plan", "sized_plan"]

UNPACKERS = {
    "unzip": (["-tq"], "Debian: apt install unzip"),
    "7zz": (["t"], "Debian: apt install 7zip"),
    "bsdtar": (["-tf"], "Debian: apt install libarchive-tools"),
}
_LETTERS = "abcXYZ 0123456789_-+.%()[]'~äßñΩж光🌌e\u0301"
_TIMES = (dt.datetime(1, 1, 1), dt.datetime(1980, 1, 1), MOMENT, dt.datetime(9999, 12, 31, 23, 59, 59))
_LIMIT32 = 0xFFFFFFFF
_LARGEST = 6 * 10**12
_WINDOWS = 5


def odd_plan(chance: random.Random, counts: Sequence[int] = (0, 1, 2, 5, 20, 300)) -> tuple[Plan, dict[str, bytes]]:
    """Plan few to hundreds of files, and return what is in them: odd names, no bytes, times at both ends."""
    filenames = ["".join(chance.choices(_LETTERS, k=chance.choice([1, 8, 60]))) for _ in range(chance.choice(counts))]
    contents = {f"night/{name}": chance.randbytes(chance.choice([0, 1, 30, 3000])) for name in unique_names(filenames)}
    return Plan(made(name, data, chance.choice(_TIMES)) for name, data in contents.items()), contents


def sized_plan(chance: random.Random, most: int = 70_000) -> Plan:
    """Plan files of up to 6 TB, also about the limits of 32 bits; one plan in 200 has up to ``most`` files."""
    count = chance.randint(1000, most) if chance.random() < 1 / 200 else chance.choice([0, 1, 2, 5, 12])
    limits = (chance.randint(_LIMIT32 - 3, _LIMIT32 + 3), chance.randint(0, 3), chance.randint(0, _LARGEST))
    sizes = [chance.choice([*limits, chance.randint(0, 10**9)]) for _ in range(count)]
    return Plan(stored(f"night/{n} é.fits", size, crc32=n) for n, size in enumerate(sizes))


def check_bytes(plan: Plan, contents: dict[str, bytes], chance: random.Random) -> None:
    """Fail unless Python unpacks what was put in, and ranges are slices of the whole."""
    data = whole(plan.contents())
    assert (len(data), zlib.crc32(data)) == (plan.length, plan.crc32())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    for _ in range(_WINDOWS):
        start = chance.randint(0, plan.length)
        stop = chance.choice([chance.randint(start, plan.length), start + chance.randint(0, 200), plan.length + 5])
        assert whole(plan.contents(start, stop)) == data[start:stop]


def check_sizes(plan: Plan, chance: random.Random) -> None:
    """Fail unless Python finds every file where it is, and ranges are slices of the whole; objects are zeros."""
    expected = [(entry.name, entry.size, entry.crc32) for entry in plan.entries]
    with zipfile.ZipFile(PlannedFile(plan)) as archive:
        found = archive.infolist()
        assert [(info.filename, info.file_size, info.CRC) for info in found] == expected
        for info in chance.sample(found, min(len(found), 12)):
            archive.open(info).close()
    parts = list(plan.contents())
    ends = list(accumulate(map(_length, parts)))
    assert (ends or [0])[-1] == plan.length
    for _ in range(_WINDOWS):
        start = max(chance.choice([0, *ends]) - chance.randint(0, 99), 0)
        stop = min(start + chance.randint(0, 999), plan.length)
        assert whole(plan.contents(start, stop)) == _slice(parts, ends, start, stop)


def check_by_program(program: str, paths: Sequence[Path]) -> None:
    """Fail unless the program finds no fault with any of the zips."""
    arguments, how = UNPACKERS[program]
    command = need_program(program, how)
    for path in paths:
        done = subprocess.run(
            [command, *arguments, str(path)], capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8"}
        )
        empty = program == "unzip" and path.stat().st_size == 22  # of which unzip warns
        assert done.returncode == (1 if empty else 0), f"{path}: {done.stdout[-500:]} {done.stderr[-500:]}"
        assert program != "7zz" or "Everything is Ok" in done.stdout


def _length(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stop - content.start


def _slice(parts: Sequence[Content], ends: Sequence[int], start: int, stop: int) -> bytes:
    """Cut the window out of all parts, one by one."""
    found = b""
    for part, end in zip(parts, ends, strict=True):
        begin = end - _length(part)
        low, high = max(start, begin) - begin, min(stop, end) - begin
        if low < high:
            found += bytes(high - low) if isinstance(part, Piece) else part[low:high]
    return found


def main() -> None:
    """Try so many layouts of each kind, and tell how long it took."""
    parser = argparse.ArgumentParser(description="Prove layouts of zips.")
    parser.add_argument("--layouts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    print(f"seed {given.seed}", flush=True)

    def timed(what: str, run: Callable[[], int]) -> None:
        begin = time.monotonic()
        count = run()
        print(f"{what}: {count} in {time.monotonic() - begin:.0f} s, no fault", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.zip" for number in range(given.layouts)]

        def by_bytes() -> int:
            for path in paths:
                plan, contents = odd_plan(chance)
                check_bytes(plan, contents, chance)
                path.write_bytes(whole(plan.contents()))
            return len(paths)

        def by_sizes() -> int:
            for _ in paths:
                check_sizes(sized_plan(chance), chance)
            return len(paths)

        timed("bytes, by zipfile and ranges", by_bytes)
        timed("sizes up to 6 TB and 70,000 files, by plan alone", by_sizes)
        for program in UNPACKERS:

            def by_program(program: str = program) -> int:
                check_by_program(program, paths)
                return len(paths)

            timed(program, by_program)


if __name__ == "__main__":
    main()
