"""Which of our modules a function needs: those that its handler imports, wherever in a module it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

__all__ = ["needed_sources"]

_TOPS = ("functions", "shared")


def needed_sources(root: Path, entry: str) -> list[Path]:
    """Return the files of the module ``entry`` and of all that it imports below ``root``, sorted, relative to it."""
    found: set[Path] = set()
    waiting = [entry]
    while waiting:
        for path in _files(root, waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.extend(_imports((root / path).read_text()))
    return sorted(found)


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
