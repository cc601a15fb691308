"""Text of others made harmless before a terminal shows it. Pure."""

import unicodedata

__all__ = ["harmless"]

_BLANK = str.maketrans("\t\n\r", "   ")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def harmless(text: str) -> str:
    r"""Return text of a file, a key or a header as one line that cannot steer a terminal.

    >>> harmless("M\x1b[2J 51")
    'M\ufffd[2J 51'
    """
    return "".join(
        "\ufffd" if unicodedata.category(character) in _HIDDEN else character for character in text.translate(_BLANK)
    )
