"""``python -m localstack``: the whole archive on this machine, in the foreground."""

import os
import shlex
import sys

import typer
from pydantic import ValidationError

from localstack.foreground import lock_home, stop_on_signals
from localstack.state import check_port
from localstack.supervisor import LocalArchive
from shared.errors import BadTemplateError, FitsvaultError
from shared.fits.keywords import extended
from shared.naming.frame_names import FrameNames
from shared.settings import Settings, problems, unknown_variables

__all__ = ["main"]


def main() -> None:
    """Run the archive until Ctrl-C or SIGTERM. All that it writes is its owner's alone."""
    os.umask(0o077)
    try:
        settings = Settings()
    except ValidationError as error:
        for problem in problems(error):
            typer.echo(f"fitsvault: {problem}", err=True)
        sys.exit(2)
    for unknown in unknown_variables(os.environ):
        typer.echo(f"fitsvault: {unknown}", err=True)
    try:
        extended(settings.keyword_synonyms)
    except ValueError as error:
        typer.echo(f"fitsvault: FITSVAULT_KEYWORD_SYNONYMS: {error}", err=True)
        sys.exit(2)
    try:
        FrameNames.parse(settings.path_formatter, settings.filename_formatter)
    except BadTemplateError as error:
        typer.echo(f"fitsvault: FITSVAULT_{error}", err=True)
        sys.exit(2)
    try:
        with stop_on_signals(), lock_home(settings.home, _tell) as held:
            _run(settings, held)
    except KeyboardInterrupt:
        typer.echo("stopped")
    except (FitsvaultError, OSError) as error:
        typer.echo(f"fitsvault: {error}", err=True)
        sys.exit(1)


def _tell(news: str) -> None:
    typer.echo(f"fitsvault: {news}", err=True)


def _run(settings: Settings, held: int) -> None:
    check_port(settings.host, settings.port, "FITSVAULT_PORT")
    check_port(settings.event_host, settings.event_port or 0, "FITSVAULT_EVENT_PORT")
    if settings.s3_endpoint_url is None:
        check_port("127.0.0.1", settings.s3_port, "FITSVAULT_S3_PORT")
    archive = LocalArchive(settings, tell=_tell, held=held)
    try:
        password_file = archive.start()
        _greet(archive, str(password_file) if password_file else None)
        for news in archive.watch():
            typer.echo(news, err=True)
    finally:
        typer.echo("stopping…", err=True)
        archive.stop()


def _greet(archive: LocalArchive, password_file: str | None) -> None:
    settings = archive.settings
    secret = settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else "(from the environment)"
    command = os.path.relpath(os.path.join(os.path.dirname(sys.executable), "fitsvault"))  # noqa: PTH118, PTH120
    if home := os.environ.get("FITSVAULT_HOME"):
        command = f"FITSVAULT_HOME={shlex.quote(home)} {command}"
    password = _password(archive, password_file)
    typer.echo(
        f"""
  API            {archive.url}   documentation {archive.url}/docs
  S3 endpoint    {settings.s3_endpoint_url}   buckets {settings.bucket} (frames go here), {settings.derived_bucket}
  S3 keys        {settings.s3_access_key} / {secret}
  Admin          {settings.admin_username}, {password}
  Home           {archive.home}   logs in {archive.home / "logs"}

  Upload         {command} upload *.fits
  A demo night   {command} demo
"""
    )
    typer.echo(f"fitsvault ready: {archive.url}")


def _password(archive: LocalArchive, password_file: str | None) -> str:
    if password_file:
        return f"password in {password_file}"
    if archive.settings.admin_password is not None:
        return "password as in FITSVAULT_ADMIN_PASSWORD, if the account was made with it"
    return "password as it was set; a new one: fitsvault user passwd " + shlex.quote(archive.settings.admin_username)


if __name__ == "__main__":
    main()
