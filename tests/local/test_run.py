"""`python -m localstack`: starts, stops, starts again, and says what is wrong."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from localstack.foreground import lock_home
from localstack.state import StartError
from shared.settings import LOCAL_SETTINGS_FILE, Settings
from shared.simulator import simulate_frame
from tests.archive import RunningArchive, StartedProcess, running_archive, wait_until


def processes_of(home: Path) -> list[int]:
    """Return the processes on this machine whose command line or environment names the home folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            alive = "State:\tZ" not in (entry / "status").read_text()
        except OSError:
            continue
        if alive and os.fsencode(home) in text and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def test_two_side_by_side_and_a_second_start(archive: RunningArchive, tmp_path: Path) -> None:
    home = tmp_path / "second home"
    synonyms = {"object_name": ["FIELD"]}
    extra = {"FITSVAULT_BUCKET": "science", "FITSVAULT_KEYWORD_SYNONYMS": json.dumps(synonyms)}
    with running_archive(home, extra) as second:
        second.store.write_bytes("science", "kept.fits", simulate_frame(OBJECT="kept").data, "application/fits")
        frame = second.wait_for_frame("kept.fits")
        assert archive.frame_of("kept.fits") is None
        output = "".join(second.lines)
        assert f"FITSVAULT_HOME='{home}' " in output, "the command line must not take another archive for this one"
        told = Settings(_env_file=home / LOCAL_SETTINGS_FILE)
        assert (told.bucket, told.keyword_synonyms) == ("science", synonyms)
        assert told.s3_secret_key == second.settings.s3_secret_key
        assert str(second.settings.s3_endpoint_url) in output
        assert output.rstrip().endswith(f"fitsvault ready: {second.url}")
        for name in ("state.json", "archive.env", "conf/s3.json", "conf/notification.toml", "conf/security.toml"):
            assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    assert processes_of(home) == []
    with running_archive(home, extra) as second:
        again = second.get(f"/frames/{frame['id']}/")
        assert again == frame
        link = second.get(f"/frames/{frame['id']}/download/", redirect="false")["url"]
        assert httpx.get(link, trust_env=False).content == simulate_frame(OBJECT="kept").data


def test_what_is_killed_is_started_again_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = StartedProcess(home, {})
    started.wait_until_ready()
    first = RunningArchive(home, started.lines)
    ingest = [pid for pid in processes_of(home) if b"ingest" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(ingest) == 1
    left = home / "work" / "fitsvault-left" / "object"
    left.parent.mkdir(parents=True)
    left.write_bytes(bytes(1000))
    os.kill(ingest[0], signal.SIGKILL)
    first.store.write_bytes(first.bucket, "missed.fits", simulate_frame().data, "application/fits")
    first.wait_for_frame("missed.fits")
    assert any("ingest has ended and is started again" in line for line in first.lines)
    assert not left.exists(), "what a killed ingest had under work fills the disk"
    first.close()

    assert len(processes_of(home)) >= 4
    started.process.kill()
    started.end()
    told: list[str] = []
    with lock_home(home, told.append):
        assert processes_of(home) == [], "who starts now finds ports and folders free"
    assert len(told) <= 1


def test_a_store_of_someone_else_is_used_and_swept(archive: RunningArchive, tmp_path: Path) -> None:
    """With an endpoint set no store is started; as nobody delivers its events, the sweep finds new objects."""
    secret = archive.settings.s3_secret_key
    extra = {
        "FITSVAULT_S3_ENDPOINT_URL": str(archive.settings.s3_endpoint_url),
        "FITSVAULT_S3_ACCESS_KEY": str(archive.settings.s3_access_key),
        "FITSVAULT_S3_SECRET_KEY": secret.get_secret_value() if secret else "",
        "FITSVAULT_BUCKET": "guest",
        "FITSVAULT_DERIVED_BUCKET": "guest-derived",
        "FITSVAULT_RECONCILE_SECONDS": "0.5",
    }
    home = tmp_path / "guest"
    with running_archive(home, extra) as guest:
        assert not (home / "store").exists()
        guest.store.write_bytes("guest", "swept.fits", simulate_frame(OBJECT="swept").data, "application/fits")
        assert guest.wait_for_frame("swept.fits")["OBJECT"] == "swept"
        guest.store.delete("guest", ("swept.fits",))
        wait_until("the frame has gone", lambda: guest.frame_of("swept.fits") is None)


def test_parts_that_do_not_end_are_not_waited_for_without_end(tmp_path: Path) -> None:
    told: list[str] = []
    with lock_home(tmp_path, told.append) as held:
        part = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(held,))
    with pytest.raises(StartError, match="parts of an archive that was killed still run"):
        lock_home(tmp_path, told.append, patience=0.2).__enter__()
    assert len(told) == 1
    part.communicate(b"\n")
    with lock_home(tmp_path, told.append):
        assert len(told) == 1


def test_a_generated_password_is_in_a_private_file_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    home = tmp_path / "home"
    started = StartedProcess(home, {"FITSVAULT_ADMIN_PASSWORD": "", "FITSVAULT_ADMIN_USERNAME": "chief"})
    try:
        started.wait_until_ready()
        path = home / "admin-password"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert str(path) in started.output
        password = path.read_text()
        assert password == password.strip(), "curl --data-urlencode password@file sends every byte"
        assert len(password) >= 16
        assert password not in started.output
        url = started.output.split("fitsvault ready: ")[1].strip()
        form = {"username": "chief", "password": password}
        assert httpx.post(f"{url}/api-token-auth/", data=form, timeout=30, trust_env=False).status_code == 200
    finally:
        started.process.send_signal(signal.SIGINT)
        code = started.end()
    assert code == 0
    assert processes_of(home) == []
    assert "Traceback" not in started.output


def test_a_home_in_use_and_a_port_in_use_are_named(archive: RunningArchive, tmp_path: Path) -> None:
    started = StartedProcess(archive.home, {})
    assert started.end() == 1
    assert f"another archive runs in {archive.home}" in started.output
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = StartedProcess(tmp_path / "home", {"FITSVAULT_PORT": str(port)})
        assert started.end() == 1
    assert f"port {port} is taken by another program; set FITSVAULT_PORT" in started.output


@pytest.mark.parametrize(
    ("name", "value"),
    [("FITSVAULT_LINK_SECONDS", "soon"), ("FITSVAULT_KEYWORD_SYNONYMS", '{"colour": ["FILT"]}')],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    started = StartedProcess(tmp_path, {name: value})
    assert started.end() == 2
    assert name in started.output
    assert "Traceback" not in started.output


def test_make_lists_its_commands() -> None:
    repository = Path(__file__).resolve().parents[2]
    answer = subprocess.run(["make"], cwd=repository, capture_output=True, text=True, check=True)
    for command in ("run", "test", "check", "bench"):
        assert f"make {command}" in answer.stdout


def test_an_address_that_is_not_ours_is_not_called_a_taken_port(tmp_path: Path) -> None:
    started = StartedProcess(tmp_path / "home", {"FITSVAULT_HOST": "192.0.2.1", "FITSVAULT_PORT": "8000"})
    assert started.end() == 1
    assert "cannot listen on 192.0.2.1, port 8000: Cannot assign requested address" in started.output
