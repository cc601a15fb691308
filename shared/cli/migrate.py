"""``fitsvault migrate-from-pyobs``: takes over a pyobs-archive with its ids, links, accounts and tokens."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.application import ExitCode, app, fail
from shared.cli.parts import Parts, opened
from shared.cli.terminal import count_bar, say
from shared.database import write
from shared.index.reservations import continue_ids_above
from shared.pyobs.accounts import AccountFate, import_accounts
from shared.pyobs.model import PyobsFrame, object_key
from shared.pyobs.source import MOST_ID, PyobsSource
from shared.pyobs.transfer import Choices, Fate, Item, Transfer
from shared.pyobs.verify import Verdict, verify

__all__ = ["migrate_from_pyobs"]

_WAITING_AT_ONCE = 1000
_GOOD = (Fate.READY, Fate.UPLOADED, Fate.THERE)


@app.command(
    name="migrate-from-pyobs",
    epilog="Example: fitsvault migrate-from-pyobs --database sqlite:////srv/pyobs/db.sqlite3 --root /srv/pyobs/data",
)
def migrate_from_pyobs(
    database: Annotated[
        str,
        typer.Option(
            envvar="PYOBS_DATABASE_URL",
            help="The pyobs-archive's database: sqlite:///file or postgresql://user@host/name. It is only read. A"
            " password belongs into the variable, PGPASSWORD or ~/.pgpass, not on the command line.",
            show_default=False,
            show_envvar=True,
        ),
    ],
    root: Annotated[
        Path,
        typer.Option(help="Its ARCHIVE_ROOT.", exists=True, file_okay=False, resolve_path=True, show_default=False),
    ],
    prefix: Annotated[str, typer.Option(help="What all keys begin with.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at everything, write nothing.")] = False,
    keep_missing: Annotated[
        bool, typer.Option("--keep-missing", help="Keep the ids of frames without a file, for when it turns up.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace objects that have a frame's key and other bytes.")
    ] = False,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Read again what an earlier run has brought, even if it looks unchanged.")
    ] = False,
    open_projects: Annotated[
        bool, typer.Option("--open-projects", help="Go on although every account will see the frames of all projects.")
    ] = False,
    accounts: Annotated[bool, typer.Option(help="Take over accounts and tokens.")] = True,
    new_ids_above: Annotated[
        int,
        typer.Option(
            help="Ids that new frames stay above; leave room if the pyobs-archive goes on.", min=0, max=MOST_ID
        ),
    ] = 0,
    workers: Annotated[int, typer.Option(help="Files read and sent at once.", min=1, max=32)] = 4,
    wait: Annotated[bool, typer.Option(help="Wait until all is indexed, and compare it.")] = True,
    patience: Annotated[
        float, typer.Option(help="Seconds without news after which the rest is indexed from here.", min=0)
    ] = 30.0,
) -> None:
    """Take over a pyobs-archive: files, ids, related frames, accounts and tokens.

    Stopped and run again it goes on. Frames whose files are missing are told, and make the exit code 1.
    """
    choices = Choices(
        root=root, prefix=prefix, keep_missing=keep_missing, overwrite=overwrite, recheck=recheck, workers=workers
    )
    with closing(PyobsSource(database)) as source, opened() as parts:
        if source.project_count() and not open_projects:
            fail(
                "it has projects, which may hide frames from some accounts; here every account sees every frame. "
                "Use --open-projects if that may be"
            )
        migration = _Migration(parts, source, choices)
        if not dry_run:
            with write(parts.sessions) as session:
                continue_ids_above(session, max(source.largest_id(), new_ids_above))
        is_whole = migration.take_accounts(dry_run=dry_run) if accounts else True
        if dry_run:
            is_whole &= migration.plan()
        else:
            is_whole &= migration.bring(patience if wait else None)
            is_whole &= migration.compare() if wait else True
    if not is_whole:
        raise typer.Exit(ExitCode.NOT_ALL)


class _Migration:
    """One run of the command; each step says what it did, and tells whether all of it went well."""

    def __init__(self, parts: Parts, source: PyobsSource, choices: Choices) -> None:
        self._parts = parts
        self._source = source
        self._choices = choices
        self._transfer = Transfer(parts.store, parts.sessions, parts.bucket, choices)
        self._left_out: set[int] = set()

    def take_accounts(self, *, dry_run: bool) -> bool:
        """Take over accounts and tokens."""
        fates: Counter[AccountFate] = Counter()
        tokens = 0
        for done in import_accounts(self._parts.sessions, self._source.users(), dry_run=dry_run):
            fates[done.fate] += 1
            tokens += done.tokens
            if done.reason or done.fate in (AccountFate.LOCKED, AccountFate.JOINED):
                say(f"account {done.username}: {'; '.join(filter(None, (done.fate.value, done.reason)))}")
        typer.echo(f"accounts: {_counted(fates)}; {tokens} tokens")
        return not fates[AccountFate.LEFT] and not fates[AccountFate.REFUSED]

    def plan(self) -> bool:
        """Say what would become of the frames."""
        fates: Counter[Fate] = Counter()
        size = 0
        for frames in self._source.frames():
            for item in self._transfer.plan(frames):
                self._tell(item, fates)
                size += item.size
        typer.echo(f"frames: {_counted(fates)}; {size:,} bytes")
        return self._is_good(fates)

    def bring(self, patience: float | None) -> bool:
        """Bring the files, and wait now and then until they are indexed, unless ``patience`` is None."""
        fates: Counter[Fate] = Counter()
        expected: dict[str, str] = {}
        with count_bar() as bar:
            task = bar.add_task("Files", total=self._source.count())
            for frames in self._source.frames():
                for item in self._transfer.bring(frames):
                    bar.advance(task)
                    self._tell(item, fates)
                    if item.etag is not None:
                        expected[item.key] = item.etag
                if patience is not None and len(expected) >= _WAITING_AT_ONCE:
                    self._await(expected, patience)
            if patience is not None:
                self._await(expected, patience)
        typer.echo(f"frames: {_counted(fates)}")
        return self._is_good(fates)

    def compare(self) -> bool:
        """Compare every frame that was brought with what it was."""
        verdicts: Counter[Verdict] = Counter()
        with count_bar() as bar:
            task = bar.add_task("Comparing", total=self._source.count())
            for frames in self._source.frames():
                bar.advance(task, len(frames))
                for found in verify(
                    self._parts.sessions, self._parts.bucket, self._brought(frames), left_out=self._left_out
                ):
                    verdicts[found.verdict] += 1
                    if found.verdict is not Verdict.KEPT:
                        say(f"frame {found.frame.id} {found.key}: {found.verdict}: {found.reason}", style="red")
        typer.echo(f"compared: {_counted(verdicts)}")
        return verdicts.total() == verdicts[Verdict.KEPT]

    def _brought(self, frames: Sequence[PyobsFrame]) -> dict[str, PyobsFrame]:
        return {
            object_key(frame, self._choices.root, self._choices.prefix): frame
            for frame in frames
            if frame.id not in self._left_out
        }

    def _await(self, expected: dict[str, str], patience: float) -> None:
        from shared.ingest.arrivals import await_arrivals  # noqa: PLC0415 - brings astropy

        parts = self._parts
        for _ in await_arrivals(parts.ingester(), parts.sessions, parts.bucket, expected, patience=patience):
            pass
        expected.clear()

    def _tell(self, item: Item, fates: Counter[Fate]) -> None:
        fates[item.fate] += 1
        if item.fate not in _GOOD:
            self._left_out.add(item.frame.id)
            name = item.path or item.frame.basename
            say(f"frame {item.frame.id} {name}: {item.fate}: {item.reason}", style="red")

    def _is_good(self, fates: Counter[Fate]) -> bool:
        return all(fate in _GOOD for fate in fates)


def _counted(counts: Counter[Fate] | Counter[AccountFate] | Counter[Verdict]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items()) or "none"
