"""Which of our files a function needs: the modules it imports, early or late, with the templates and assets beside."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["needed_sources"]

_TOPS = ("functions", "shared")
_DATA = ("templates", "static")


def needed_sources(root: Path, entry: str, found_by_file: Sequence[str] = ()) -> list[Path]:
    """Return the files of ``entry`` and of all modules that it imports below ``root``, sorted, relative to it.

    And those of all modules that are right in the packages ``found_by_file``, with what they import.
    What stands in the folders ``templates`` and ``static`` of a package is needed with the package.
    """
    found: set[Path] = set()
    waiting = [entry, *(name for package in found_by_file for name in _modules(root, package))]
    while waiting:
        for path in _files(root, waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.extend(_imports((root / path).read_text()))
    return sorted(found.union(*(_data(root, path.parent) for path in found if path.name == "__init__.py")))


def _data(root: Path, package: Path) -> Iterator[Path]:
    for folder in _DATA:
        yield from (path.relative_to(root) for path in (root / package / folder).rglob("*") if path.is_file())


def _modules(root: Path, package: str) -> Iterator[str]:
    yield from (f"{package}.{path.stem}" for path in root.joinpath(*package.split(".")).glob("*.py"))


def _files(root: Path, module: str) -> Iterator[Path]:
    """Yield the file of a module, and those of the packages that it is in."""
    parts = module.split(".")
    if parts[0] not in _TOPS:
        return
    for length in range(1, len(parts) + 1):
        path = Path(*parts[:length])
        for one in (path / "__init__.py", path.with_suffix(".py")):
            if (root / one).is_file():
                yield one


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
