"""Values of keywords over the headers that describe one observation, in order of trust."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from shared.fits.keywords import Synonyms
from shared.fits.model import Card
from shared.fits.values import has_value

__all__ = ["Lookup"]

T = TypeVar("T")


class Lookup:
    """The headers of one observation, the science HDU's first, asked by field of the synonym table.

    Parameters
    ----------
    headers
        Cards of each header, the most trusted first.
    synonyms
        The table of `shared.fits.keywords`.
    """

    def __init__(self, headers: Iterable[tuple[Card, ...]], synonyms: Synonyms) -> None:
        self.synonyms = synonyms
        self._cards: dict[str, list[Card]] = {}
        for cards in headers:
            for card in cards:
                self._cards.setdefault(card.keyword, []).append(card)

    def cards(self, keyword: str) -> list[Card]:
        """Return all cards of a keyword, the science HDU's first."""
        return self._cards.get(keyword, [])

    def keywords(self) -> Iterator[str]:
        """Yield every keyword once, in order of appearance."""
        yield from self._cards

    def first(self, field: str, read: Callable[[Card], T | None]) -> T | None:
        """Return what ``read`` makes of the first card, in order of synonyms, that it can read."""
        for keyword in self.synonyms[field]:
            for card in self.cards(keyword):
                found = read(card)
                if found is not None:
                    return found
        return None

    def pairs(self, field: str) -> Iterator[tuple[Card, Card | None]]:
        """Yield for each synonym that is there its first card with a value, or two where it is a pair.

        The second card is None where the synonym is no pair, or where its half is missing.
        """
        for names in self.synonyms[field]:
            one, _, other = names.partition("/")
            ones, others = self.cards(one), self.cards(other)
            if ones:
                yield _telling(ones), _telling(others) if others else None


def _telling(cards: list[Card]) -> Card:
    return next((card for card in cards if has_value(card.value)), cards[0])
