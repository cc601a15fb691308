"""Shared objects: smaller, and loaded all the same."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging.stripping import loaded_part, strip

EXTENSIONS = ("sqlalchemy.engine._processors_cy", "pydantic_core._pydantic_core", "markupsafe._speedups")


def extension(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


@pytest.mark.parametrize("name", EXTENSIONS)
def test_what_is_left_is_loaded(tmp_path: Path, name: str) -> None:
    whole = extension(name)
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes())
    strip(tmp_path)
    assert cut.stat().st_size < whole.stat().st_size
    code = (
        "import importlib.machinery as m, importlib.util as u, sys;"
        "loader = m.ExtensionFileLoader(sys.argv[1], sys.argv[2]);"
        "module = u.module_from_spec(u.spec_from_loader(sys.argv[1], loader));"
        "loader.exec_module(module); print(module.__file__)"
    )
    done = subprocess.run([sys.executable, "-c", code, name, cut], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(cut)), done.stderr


def test_debugging_information_goes() -> None:
    whole = extension("sqlalchemy.util._collections_cy").read_bytes()
    assert b".debug_info" in whole
    assert len(loaded_part(whole)) < len(whole) / 4


def test_once_is_enough() -> None:
    once = loaded_part(extension("pydantic_core._pydantic_core").read_bytes())
    assert loaded_part(once) == once


@pytest.mark.parametrize(
    "data", [b"", b"INPUT(libm.so.6)", b"\x7fELF\x01\x01 of 32 bits", b"\x7fELF\x02\x02 big-endian"]
)
def test_other_files_stay_as_they_are(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "libm.so.6"
    path.write_bytes(data)
    strip(tmp_path)
    assert path.read_bytes() == data
