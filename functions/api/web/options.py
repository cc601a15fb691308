"""The options of the form's lists, with the numbers of frames that each would leave."""

from dataclasses import dataclass

from functions.api.web.fields import CHOICES
from functions.api.web.search import Search
from shared.index.facet_counts import FacetCounts

__all__ = ["Option", "no_options", "options_of"]


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be chosen; ``count`` is None where it is not known."""

    value: str
    label: str
    count: int | None


def options_of(search: Search, facets: FacetCounts) -> dict[str, list[Option]]:
    """Return the options of each list by the name of its parameter; a chosen one that leaves no frame stays."""
    found = {}
    for choice in CHOICES:
        counts = getattr(facets, choice.facet)
        options = [Option(str(one.value), str(one.value), one.count) for one in counts]
        found[choice.name] = _with_chosen(options, search.given.get(choice.name))
    return found


def no_options(search: Search) -> dict[str, list[Option]]:
    """Return the lists of a search that cannot be answered: what was chosen, and nothing else."""
    return {choice.name: _with_chosen([], search.given.get(choice.name), None) for choice in CHOICES}


def _with_chosen(options: list[Option], chosen: str | None, count: int | None = 0) -> list[Option]:
    if chosen is None or any(option.value == chosen for option in options):
        return options
    return [*options, Option(chosen, chosen, count)]
