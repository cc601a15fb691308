"""What goes into a package, what stays out of it, and in which bytes."""

import os
import subprocess
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from infra.packaging.interpreter import find_python
from infra.packaging.model import PACKAGES, REPOSITORY
from infra.packaging.pruning import is_needed, prune
from infra.packaging.sources import needed_sources
from infra.packaging.zipping import write_zip
from shared.schema import REVISIONS


def modules(name: str) -> set[str]:
    return {path.as_posix() for path in needed_sources(REPOSITORY, PACKAGES[name].entry, PACKAGES[name].found)}


def test_a_package_has_the_modules_of_its_function_and_no_other() -> None:
    api, ingest = modules("api"), modules("ingest")
    assert {"functions/__init__.py", "functions/api/app.py", "functions/api/routes/frames.py"} <= api
    assert {"functions/api/web/templates/search.html", "functions/api/web/static/main.js"} <= api
    assert {"shared/ingest/service.py", "shared/fits/science.py", "shared/fits/preview.py"} <= ingest
    assert "shared/fits/preview.py" not in api
    for name in PACKAGES:
        tops = {path.split("/")[1] for path in modules(name) if path.startswith("functions/")}
        assert tops == {"__init__.py", name}
        assert not any(path.startswith(("shared/cli", "shared/pyobs")) for path in modules(name))
        assert any(path.startswith("shared/migrations") for path in modules(name)) is (name == "migrate")


def test_the_function_that_migrates_has_all_versions() -> None:
    migrate = modules("migrate")
    versions = {path.name[:4] for path in Path("shared/migrations/versions").glob("0*.py")}
    assert versions == {Path(path).name[:4] for path in migrate if path.startswith("shared/migrations/versions/0")}
    assert versions == set(REVISIONS)
    assert "shared/migrations/env.py" in migrate
    assert "shared/fits/model.py" not in migrate


def test_what_is_imported_late_is_there_as_well(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").touch()
    (tmp_path / "shared" / "early.py").write_text("import os\ndef late():\n    from shared import inner\n")
    (tmp_path / "shared" / "inner.py").write_text("import shared.early\n")
    (tmp_path / "shared" / "other.py").touch()
    found = needed_sources(tmp_path, "shared.early")
    assert found == [Path("shared/__init__.py"), Path("shared/early.py"), Path("shared/inner.py")]


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("numpy/_core/multiarray.py", True),
        ("numpy/_core/tests/test_array.py", False),
        ("numpy/_core/include/numpy/arrayobject.h", False),
        ("astropy/tests/runner.py", True),
        ("astropy/io/fits/tests/data/test0.fits", False),
        ("botocore/data/s3/2006-03-01/service-2.json.gz", True),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/endpoints.json", True),
        ("botocore/docs/docstring.py", True),
        ("fastapi-1.0.dist-info/METADATA", True),
        ("fastapi-1.0.dist-info/RECORD", False),
        ("fastapi-1.0.dist-info/licenses/LICENSE", True),
        ("bin/fastapi", False),
        ("sqladmin/statics/css/main.css", True),
        ("sqladmin/statics/js/jquery.min.js", False),
        ("sqladmin/templates/sqladmin/list.html", True),
        ("wtforms/locale/de/LC_MESSAGES/wtforms.mo", False),
        ("wtforms/i18n.py", True),
        ("pydantic/v1/main.py", False),
        ("pydantic/main.py", True),
        ("PIL/_imaging.cpython-312-x86_64-linux-gnu.so", True),
        ("PIL/__pycache__/Image.cpython-312.pyc", False),
    ],
)
def test_what_no_function_opens_is_left_out(path: str, needed: bool) -> None:
    assert is_needed(PurePosixPath(path)) is needed


def test_folders_that_are_empty_then_go_too(tmp_path: Path) -> None:
    for name in ("a/tests/data/x.fits", "a/b.py", "c/include/c.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    prune(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == ["a", "a/b.py"]


def test_a_zip_depends_on_contents_alone(tmp_path: Path) -> None:
    zips = []
    for number, names in enumerate((["b/x.py", "a.py"], ["a.py", "b/x.py"])):
        folder = tmp_path / str(number)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
            (folder / name).chmod(0o700 if number else 0o640)
            os.utime(folder / name, (1e9 + number * 1e6,) * 2)
        zips.append(tmp_path / f"{number}.zip")
        assert write_zip(folder, zips[-1]) == 10
    assert zips[0].read_bytes() == zips[1].read_bytes()
    with zipfile.ZipFile(zips[0]) as archive:
        assert archive.namelist() == ["a.py", "b/x.py"]
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_an_interpreter_is_what_it_is_said_to_be() -> None:
    assert find_python("2.1") is None
    for version in ("3.11", "3.12", "3.13"):
        if found := find_python(version):
            answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
            assert answer.stdout.startswith(f"Python {version}.")
