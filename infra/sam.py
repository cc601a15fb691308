"""``python -m infra.sam …``: AWS's command line for what ``samconfig.toml`` says, from an environment of its own."""

import os
import sys

from infra.packaging.model import REPOSITORY
from localstack.environment import made_environment


def main() -> None:
    """Become ``sam``, which says nothing to anyone of having been run."""
    sam = made_environment("aws", print).with_name("sam")
    os.chdir(REPOSITORY)
    os.environ.setdefault("SAM_CLI_TELEMETRY", "0")
    os.execv(sam, [str(sam), *sys.argv[1:]])  # noqa: S606 - no shell, and the command is our own


if __name__ == "__main__":
    main()
