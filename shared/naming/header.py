"""What templates know of a header: values by keyword."""

from collections.abc import Mapping

from shared.errors import BadKeyError, MissingKeywordError

__all__ = ["Header", "HeaderValue", "header_text", "header_value"]

HeaderValue = bool | int | float | complex | str | None
Header = Mapping[str, HeaderValue]
"""Values by upper-case keyword; None for a card without a value."""


def header_value(header: Header, keyword: str) -> bool | int | float | complex | str:
    """Return a keyword's value.

    Raises
    ------
    MissingKeywordError
        The header does not have the keyword.
    BadKeyError
        The keyword has no value.
    """
    if keyword not in header:
        raise MissingKeywordError(keyword)
    value = header[keyword]
    if value is None:
        raise BadKeyError(f"Keyword '{keyword}' has no value")
    return value


def header_text(header: Header, keyword: str) -> str:
    """Return a keyword's value as a name shows it: without the blanks around it."""
    return str(header_value(header, keyword)).strip()
