"""Frames as links instead of bytes: lists for programs and people who rather fetch them one by one.

The links lead to the API, which signs one into the store when it is asked: they last as long as the frames. No token is
in them, or in anything that is written here.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence

from shared.bundle.assembly import named_frames
from shared.bundle.inside import manifest_rows, render_manifest
from shared.index.bundles import BundleFrame

__all__ = ["LinkOf", "aria2_input", "csv_manifest", "json_manifest", "wget_script"]

LinkOf = Callable[[int], str]
"""From a frame's id to the URL of its download."""


def json_manifest(frames: Sequence[BundleFrame], link_of: LinkOf, asked: Sequence[str]) -> bytes:
    """Return what a bundle of these frames would hold, each file with its link."""
    files = list(_rows(frames, link_of))
    told = {"asked": list(asked), "count": len(files), "bytes": sum(frame.size for frame in frames), "files": files}
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def csv_manifest(frames: Sequence[BundleFrame], link_of: LinkOf) -> bytes:
    """Return a bundle's manifest with a link in each line."""
    return render_manifest(_rows(frames, link_of), ["url"])


def wget_script(frames: Sequence[BundleFrame], link_of: LinkOf) -> bytes:
    """Return a shell script that fetches the frames, goes on where it was stopped, and checks what has come."""
    lines = [
        "#!/bin/sh",
        "# Fetches frames into the current folder, with the token in FITSVAULT_TOKEN. Run it again to go on.",
        "set -eu",
        ': "${FITSVAULT_TOKEN:?Set it to your token.}"',
        "umask 077",
        "config=$(mktemp)",
        "trap 'rm -f \"$config\"' EXIT",
        'printf "header = Authorization: Token %s\\n" "$FITSVAULT_TOKEN" > "$config"',
        "umask 022",
        'fetch() { wget --config="$config" --no-verbose --continue --output-document="$1" "$2"; }',
        *(f"fetch {shlex.quote(f'./{name}')} {shlex.quote(link_of(frame.id))}" for name, frame in named_frames(frames)),
        "sha256sum --check --quiet <<'END_OF_SUMS'",
        *(f"{frame.sha256}  ./{name}" for name, frame in named_frames(frames)),
        "END_OF_SUMS",
    ]
    return ("\n".join(lines) + "\n").encode(errors="replace")


def aria2_input(frames: Sequence[BundleFrame], link_of: LinkOf) -> bytes:
    """Return a file for ``aria2c --input-file``, which is told the token by ``--header``."""
    blocks = (
        f"{link_of(frame.id)}\n  out={name}\n  checksum=sha-256={frame.sha256}\n  continue=true\n"
        for name, frame in named_frames(frames)
    )
    return "".join(blocks).encode(errors="replace")


def _rows(frames: Iterable[BundleFrame], link_of: LinkOf) -> Iterator[dict[str, object]]:
    named = list(named_frames(frames))
    for row, (_, frame) in zip(manifest_rows(named), named, strict=True):
        yield row | {"url": link_of(frame.id)}
