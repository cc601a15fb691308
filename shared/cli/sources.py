"""What ``ingest`` is asked to take: local paths, or a part of a bucket. Pure."""

from dataclasses import dataclass

__all__ = ["Source", "copied_key", "parse_source"]

_SCHEME = "s3://"


@dataclass(frozen=True, slots=True)
class Source:
    """A local path, or with a bucket the objects whose keys begin with ``path``."""

    path: str
    bucket: str | None = None


def parse_source(text: str) -> Source:
    """Return what a word of the command line means.

    >>> parse_source("s3://incoming/2026/11")
    Source(path='2026/11', bucket='incoming')
    """
    if not text.startswith(_SCHEME):
        return Source(text)
    bucket, _, prefix = text.removeprefix(_SCHEME).partition("/")
    return Source(prefix, bucket)


def copied_key(key: str, asked: str, prefix: str) -> str:
    """Return the key of a copy: what follows the last folder that was asked for, below ``prefix``.

    >>> copied_key("2026/11/a.fits", "2026/1", "night/")
    'night/11/a.fits'
    """
    folder = asked[: asked.rfind("/") + 1]
    return prefix + key.removeprefix(folder)
