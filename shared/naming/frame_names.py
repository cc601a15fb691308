"""The key of an uploaded frame, from its header."""

from dataclasses import dataclass

from shared.errors import BadKeyError
from shared.naming.header import Header, header_text
from shared.naming.keys import check_key, check_segment, quoted
from shared.naming.template import Template

__all__ = ["FrameNames"]


@dataclass(frozen=True, slots=True)
class FrameNames:
    """The two templates of an archive.

    Without ``filename`` a frame is named after FNAME up to its first dot.
    """

    path: Template
    filename: Template | None = None

    @classmethod
    def parse(cls, path: str, filename: str | None) -> "FrameNames":
        """Read the templates; BadTemplateError if one of them cannot be used."""
        return cls(
            Template.parse("PATH_FORMATTER", path),
            Template.parse("FILENAME_FORMATTER", filename) if filename else None,
        )

    @property
    def needs_name(self) -> bool:
        """Whether a header needs FNAME, whatever the templates say."""
        return self.filename is None

    def stem(self, header: Header) -> str:
        """Return the frame's name without extension, or with what FILENAME_FORMATTER made of one.

        Raises
        ------
        MissingKeywordError
            The header lacks a keyword.
        BadKeyError
            What the header makes is no name of a file.
        """
        if self.filename is not None:
            return _checked("FILENAME_FORMATTER", self.filename.render(header))
        name = header_text(header, "FNAME")
        if "/" in name or "\\" in name:
            raise BadKeyError(f"FNAME: {quoted(name)} has a slash or backslash in a name")
        return _checked("FNAME", name.partition(".")[0])

    def key(self, header: Header, filename: str) -> str:
        """Return the key of a frame whose file name is known: PATH_FORMATTER, a slash where it ends in none, the name.

        Raises
        ------
        MissingKeywordError
            The header lacks a keyword.
        BadKeyError
            The key would leave the archive's prefix, or is none.
        """
        folder = self.path.render(header)
        slash = "/" if folder and not folder.endswith("/") else ""
        try:
            return check_key(f"{folder}{slash}{filename}")
        except BadKeyError as error:
            raise BadKeyError(f"PATH_FORMATTER: {error}") from error


def _checked(source: str, name: str) -> str:
    try:
        return check_segment(name)
    except BadKeyError as error:
        raise BadKeyError(f"{source}: {error}") from error
