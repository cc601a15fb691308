"""Commands that ask a remote archive about frames: query and headers."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.filters import BadFilterError, Words, parse_words
from shared.cli.logins import Token, Url, connected
from shared.cli.remote import Remote
from shared.cli.tables import Format, csv_lines, json_lines, table_lines, whole_json
from shared.cli.terminal import harmless, say
from shared.errors import RemoteError

__all__ = ["ANY_WORDS", "Every", "Limit", "headers", "query", "words_of"]

ANY_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}
"""Settings of a command that takes filters as options that typer does not know."""

Limit = Annotated[int | None, typer.Option(help="At most so many frames.", min=1)]
Every = Annotated[bool, typer.Option("--all", help="All frames, without any filter.")]
"""Options of commands that take frames by id, by filters, or all."""

_TABLE = ["id", "DATE_OBS", "SITEID", "INSTRUME", "OBSTYPE", "OBJECT", "FILTER", "EXPTIME", "binning", "RLEVEL"]
_TABLE_ROWS = 100
_MOST_DIGITS = 19
_OF_DATES = {"night", "start", "end", "undated"}


@app.command(
    context_settings=ANY_WORDS,
    options_metavar="[OPTIONS] [NAME=value]...",
    epilog='Example: fitsvault query OBJECT="M 51" FILTER=V · fitsvault query --night 2026-11-21 --format csv',
)
def query(
    ctx: typer.Context,
    form: Annotated[Format, typer.Option("--format", help="How to write the frames.")] = Format.TABLE,
    limit: Annotated[
        int | None, typer.Option(help=f"At most so many; by default all, in a table {_TABLE_ROWS}.", min=1)
    ] = None,
    columns: Annotated[str, typer.Option(help="For table and CSV: names with commas between.")] = "",
    url: Url = None,
    token: Token = None,
) -> None:
    """List frames. Any filter of the REST interface as NAME=value or --NAME value; names in any case.

    Filters: IMAGETYPE SITE TELESCOPE INSTRUMENT FILTER binning RLEVEL OBJECT basename EXPTIME night REQNUM OBSNUM start
    end RA DEC radius undated; sort and order put the frames in order.
    """
    words = words_of(ctx)
    if words.ids:
        fail("frames are chosen by filters here; their headers by `fitsvault headers ID`", ExitCode.USAGE)
    shown = limit or (_TABLE_ROWS if form is Format.TABLE else None)
    with connected(url, token) as remote:
        frames = remote.frames(words.filters, shown)
        for line in _lines(frames, form, [name.strip() for name in columns.split(",") if name.strip()]):
            typer.echo(line)
        if form is Format.TABLE and limit is None:
            _tell_rest(remote, words)


@app.command(epilog="Example: fitsvault headers 12 · fitsvault headers m51-0001 --format json --full")
def headers(
    frame: Annotated[str, typer.Argument(metavar="ID|BASENAME", help="Which frame.", show_default=False)],
    form: Annotated[Format, typer.Option("--format", help="table, json or jsonl.")] = Format.TABLE,
    full: Annotated[bool, typer.Option("--full", help="Every HDU, with comments.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show the headers of a frame."""
    with connected(url, token) as remote:
        results = remote.headers(_id_of(remote, frame), full=full)
    if form is Format.JSON:
        typer.echo(json.dumps(results, indent=1))
        return
    cards = _cards(results) if full else results
    lines = json_lines(cards) if form is Format.JSONL else csv_lines(list(cards[0]) if cards else [], cards)
    for line in _card_lines(cards) if form is Format.TABLE else lines:
        typer.echo(line)


def words_of(ctx: typer.Context) -> Words:
    """Return what the words ask for that are not the command's own options; a wrong one ends the command."""
    try:
        return parse_words(ctx.args)
    except BadFilterError as error:
        fail(str(error), ExitCode.USAGE)


def _lines(frames: Iterable[dict[str, Any]], form: Format, columns: list[str]) -> Iterator[str]:
    if form is Format.JSON:
        return whole_json(frames)
    if form is Format.JSONL:
        return json_lines(frames)
    if form is Format.CSV:
        return _csv(_with(columns, frames), columns)
    titles = columns or [*_TABLE, "filename"]
    return table_lines(titles, ([frame.get(name) for name in titles] for frame in _with(columns, frames)))


def _with(columns: list[str], frames: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the frames, unless they have no such columns."""
    for frame in frames:
        if unknown := [name for name in columns if name not in frame]:
            fail(f"no column is called {harmless(unknown[0])}; there are {harmless(', '.join(frame))}", ExitCode.USAGE)
        yield frame


def _csv(frames: Iterator[dict[str, Any]], columns: list[str]) -> Iterator[str]:
    first = next(frames, None)
    if first is None:
        return csv_lines(columns, ()) if columns else iter(())
    return csv_lines(columns or list(first), _chain(first, frames))


def _chain(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _tell_rest(remote: Remote, words: Words) -> None:
    count = remote.count(words.filters)
    if count > _TABLE_ROWS:
        say(f"{_TABLE_ROWS} of {count} frames; --limit {count} shows all")
    elif not count:
        undated = 0 if words.filters.keys() & _OF_DATES else remote.count({**words.filters, "undated": "true"})
        say(f"no frames with a date; undated=true shows {undated} without" if undated else "no frames")


def _id_of(remote: Remote, frame: str) -> int:
    """Return the id of a frame that is given by id or by basename, with or without the extension."""
    if frame.isascii() and frame.isdecimal() and len(frame) <= _MOST_DIGITS:
        return int(frame)
    stem = frame.split(".fits", maxsplit=1)[0]
    found = [f for f in remote.frames({"basename": stem, "undated": "true"}) if f["basename"] in (frame, stem)]
    if not found:
        raise RemoteError(f"no frame is called {harmless(frame)}")
    if len(found) > 1:
        ids = ", ".join(str(f["id"]) for f in found)
        raise RemoteError(f"{len(found)} frames are called {harmless(frame)}: give one of the ids {ids}")
    return int(found[0]["id"])


def _cards(hdus: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"hdu": hdu["index"], **card} for hdu in hdus for card in hdu["cards"]]


def _card_lines(cards: list[dict[str, Any]]) -> Iterator[str]:
    before = None
    for card in cards:
        if card.get("hdu") != before:
            before = card.get("hdu")
            yield f"HDU {before}"
        value = "" if card["value"] is None else json.dumps(card["value"], ensure_ascii=False)
        comment = f" / {card['comment']}" if card.get("comment") else ""
        yield harmless(f"{card['key']:<8} = {value}{comment}")
