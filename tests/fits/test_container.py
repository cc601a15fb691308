import bz2
import gzip
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import BadContainerError, TooLargeError
from shared.fits.container import container_of, unpacked
from shared.fits.model import Container
from tests.fits.builders import image

FRAME = image()
LIMIT = 1 << 20


def content(path: Path, limit: int = LIMIT) -> tuple[bytes, Container]:
    with unpacked(path, work_dir=path.parent, limit=limit) as (plain, container):
        return plain.read_bytes(), container


def test_a_plain_file_is_given_itself_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(FRAME)
    with unpacked(path, work_dir=tmp_path, limit=10) as (plain, container):
        assert plain == path
        assert container is Container.NONE


@pytest.mark.parametrize(
    ("data", "container"),
    [
        (gzip.compress(FRAME), Container.GZIP),
        (gzip.compress(FRAME[:100]) + gzip.compress(FRAME[100:]), Container.GZIP),
        (gzip.compress(FRAME) + bytes(100_000), Container.GZIP),
        (bz2.compress(FRAME), Container.BZIP2),
        (bz2.compress(FRAME[:100]) + bz2.compress(FRAME[100:]), Container.BZIP2),
        (bz2.compress(FRAME) + bytes(7), Container.BZIP2),
    ],
)
def test_streams_are_unpacked_whatever_their_name(tmp_path: Path, data: bytes, container: Container) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(data)
    assert content(path) == (FRAME, container)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_one_level_is_unpacked(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(pack(gzip.compress(FRAME)))
    assert gzip.decompress(content(path)[0]) == FRAME


@pytest.mark.parametrize("keep", [3, 11, 40, -1])
def test_a_cut_gzip_stream_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(gzip.compress(FRAME)[:keep])
    with pytest.raises(BadContainerError, match=r"gzip stream is cut off after [\d,]+ bytes"):
        content(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_cut_bzip2_stream_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits"
    path.write_bytes(bz2.compress(FRAME)[:-3])
    with pytest.raises(BadContainerError, match="bzip2 stream is cut off"):
        content(path)


def test_a_second_member_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(gzip.compress(FRAME) + gzip.compress(FRAME)[:-4])
    with pytest.raises(BadContainerError, match=f"after {2 * len(FRAME):,} bytes"):
        content(path)


def test_a_wrong_crc_is_told_with_the_bytes_that_came_out(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(FRAME))
    packed[-8] ^= 1
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(packed)
    with pytest.raises(BadContainerError, match=r"damaged; [\d,]+ bytes .*CRC"):
        content(path)


@pytest.mark.parametrize("junk", [b"junk", b"\0\0\0junk", b"\0" * 70_000 + b"x"])
def test_other_bytes_behind_a_stream_are_refused(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(gzip.compress(FRAME) + junk)
    with pytest.raises(BadContainerError, match="other bytes follow"):
        content(path)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_stream_that_unpacks_to_too_much_is_given_up_in_little_memory(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "bomb.fits.gz"
    path.write_bytes(pack(bytes(64 << 20)))
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="more than the 20,000,000 bytes"):
            content(path, limit=20_000_000)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert list(tmp_path.iterdir()) == [path]


def test_exactly_the_limit_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "frame.fits.gz"
    path.write_bytes(gzip.compress(FRAME))
    assert content(path, limit=len(FRAME))[0] == FRAME


def test_text_that_begins_like_bzip2_is_none() -> None:
    assert container_of(b"BZh9 is no stream") is Container.NONE


@given(st.binary(max_size=300), st.sampled_from([b"\x1f\x8b\x08", b"BZh91AY&SY", b""]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_bytes_are_unpacked_or_refused(tmp_path: Path, tail: bytes, magic: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(magic + tail)
    try:
        content(path)
    except BadContainerError:
        assert magic or tail[:2] == b"\x1f\x8b"


ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from shared.fits.container import unpacked
folder = Path(sys.argv[1])
path = folder / "object"
path.write_bytes(sys.stdin.buffer.read())
if sys.argv[2:]:
    (folder / "other").write_bytes(bytes(int(sys.argv[2])))
try:
    with unpacked(path, work_dir=folder, limit=1 << 40):
        print("unpacked")
except Exception as error:
    print(type(error).__name__, error)
print(sorted(found.name for found in folder.iterdir()))
"""


def on_a_small_disk(folder: Path, data: bytes, *taken: int) -> list[str]:
    """Unpack on a disk of 4 MiB, of which others have taken so many bytes."""
    command = 'mount -t tmpfs -o size=4m tmpfs "$1" && exec "$2" -c "$3" "$1" $4'
    arguments = [str(folder), sys.executable, ON_A_SMALL_DISK, *map(str, taken)]
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    try:
        subprocess.run([*namespace, "sh", "-c", 'mount -t tmpfs tmpfs "$1"', "sh", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system of its own for a test here: {error}")
    done = subprocess.run(
        [*namespace, "sh", "-c", command, "sh", *arguments], input=data, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_what_no_disk_here_could_hold_is_too_large(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    outcome, left = on_a_small_disk(tmp_path, pack(bytes(8 << 20)))
    assert outcome.startswith("TooLargeError")
    assert "4,194,304 bytes of the disk" in outcome
    assert left == "['object']"


def test_what_does_not_fit_just_now_may_fit_later(tmp_path: Path) -> None:
    outcome, left = on_a_small_disk(tmp_path, gzip.compress(bytes(3 << 20)), 2 << 20)
    assert outcome.startswith("OSError [Errno 28]")
    assert left == "['object', 'other']"
    assert on_a_small_disk(tmp_path, gzip.compress(bytes(3 << 20)))[0] == "unpacked"
