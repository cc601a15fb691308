"""``python -m infra.packaging``: build the packages, and say how large they are."""

import argparse
import sys
from pathlib import Path

from infra.packaging.build import ARCHITECTURES, BuildError, Built, build
from infra.packaging.model import LIMIT_BYTES, PACKAGES, REPOSITORY


def main() -> int:
    """Build what is asked for; 1 where a package is too large or cannot be built."""
    options = _options()
    print(f"Python {options.python}, {options.architecture}")  # noqa: T201 - what people read
    try:
        built = [
            build(
                PACKAGES[name], options.output / f"{name}.zip", python=options.python, architecture=options.architecture
            )
            for name in options.functions or PACKAGES
        ]
    except BuildError as error:
        print(f"fitsvault: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for one in built:
        print(_line(one))  # noqa: T201
    if not all(one.is_compiled for one in built):
        print(f"No Python {options.python} is here to compile them: cold starts will be slower.")  # noqa: T201
    return int(any(one.unzipped_bytes > LIMIT_BYTES for one in built))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description=__doc__)
    parser.add_argument("functions", nargs="*", choices=[[], *PACKAGES], help="all, where none is named")
    parser.add_argument("--python", default="3.12", metavar="VERSION", help="3.12 or 3.13 on Lambda (3.12)")
    parser.add_argument("--architecture", default="x86_64", choices=ARCHITECTURES)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "packages", metavar="FOLDER")
    return parser.parse_args()


def _line(one: Built) -> str:
    zipped, unzipped, aim = one.path.stat().st_size / 2**20, one.unzipped_bytes / 2**20, one.package.aim_bytes / 2**20
    judgement = "" if one.unzipped_bytes <= one.package.aim_bytes else f", more than the {aim:.0f} MB aimed at"
    if one.unzipped_bytes > LIMIT_BYTES:
        judgement = f", MORE THAN LAMBDA TAKES ({LIMIT_BYTES / 2**20:.0f} MB)"
    return f"{one.path.name:14} {zipped:6.1f} MB zipped {unzipped:6.1f} MB unzipped{judgement}"


if __name__ == "__main__":
    sys.exit(main())
