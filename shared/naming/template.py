"""Templates over a header's keywords, as in ``{SITEID}/{DATE-OBS|date:/}/``."""

import re
from dataclasses import dataclass

from shared.errors import BadKeyError, BadTemplateError
from shared.naming.functions import FUNCTIONS
from shared.naming.header import Header, header_text
from shared.naming.keys import quoted

__all__ = ["Template"]

_PLACEHOLDER = re.compile(
    r"\{(?P<keyword>[A-Za-z0-9_-]+(?: [A-Za-z0-9_-]+)*)(?:\|(?P<function>\w+)(?P<parameters>(?::[^{}|:]*)*))?\}"
)


@dataclass(frozen=True, slots=True)
class _Placeholder:
    source: str
    keyword: str
    function: str | None
    parameters: tuple[str, ...]

    def filled(self, header: Header) -> str:
        if self.function is None:
            return header_text(header, self.keyword)
        return FUNCTIONS[self.function].apply(header, self.keyword, *self.parameters)


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read: literal text and placeholders in turn.

    ``name`` is that of its setting, for messages.
    """

    name: str
    source: str
    parts: tuple[str | _Placeholder, ...]

    @classmethod
    def parse(cls, name: str, source: str) -> "Template":
        """Read a template.

        Raises
        ------
        BadTemplateError
            A brace that belongs to no placeholder, an unknown function, or parameters that it does not take; the
            message names the setting, the placeholder and what is wrong.
        """
        parts: list[str | _Placeholder] = []
        end = 0
        for match in _PLACEHOLDER.finditer(source):
            parts += [_literal(name, source[end : match.start()]), _placeholder(name, match)]
            end = match.end()
        parts.append(_literal(name, source[end:]))
        return cls(name, source, tuple(part for part in parts if part))

    def render(self, header: Header) -> str:
        """Fill the template from a header.

        Raises
        ------
        MissingKeywordError
            The header does not have a keyword.
        BadKeyError
            A value that a function cannot take; the message names template, keyword and what is wrong.
        """
        return "".join(part if isinstance(part, str) else self._filled(part, header) for part in self.parts)

    def _filled(self, part: _Placeholder, header: Header) -> str:
        try:
            return part.filled(header)
        except BadKeyError as error:
            raise BadKeyError(f"{self.name} {part.source}: {error}") from error


def _literal(name: str, text: str) -> str:
    if "{" in text or "}" in text:
        raise BadTemplateError(
            f"{name}: {quoted(text)} has a brace that belongs to no {{KEYWORD}} or {{KEYWORD|function:parameter}}"
        )
    return text


def _placeholder(name: str, match: re.Match[str]) -> _Placeholder:
    source, word = match[0], match["function"]
    parameters = tuple(match["parameters"].split(":")[1:]) if match["parameters"] else ()
    if word is not None:
        function = FUNCTIONS.get(word)
        if function is None:
            raise BadTemplateError(f"{name} {source}: {word} is none of {', '.join(FUNCTIONS)}")
        if not function.least <= len(parameters) <= function.most:
            many = f"{function.least} to {function.most}" if function.least != function.most else f"{function.most}"
            raise BadTemplateError(f"{name} {source}: {word} takes {many} parameters, not {len(parameters)}")
        try:
            function.check(*parameters)
        except BadTemplateError as error:
            raise BadTemplateError(f"{name} {source}: {error}") from error
    return _Placeholder(source, match["keyword"].upper(), word, parameters)
