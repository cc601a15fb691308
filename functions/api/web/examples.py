"""The search on screen for programs: what to type to get the same frames."""

import shlex
from urllib.parse import parse_qsl

from starlette.requests import Request

from functions.api.peer import is_https
from functions.api.stage import root_of
from functions.api.web.search import Search

__all__ = ["address_of", "examples"]

_PAGE = 1000
_HEADER = '"Authorization: Token $FITSVAULT_TOKEN"'
_LOGIN = """export FITSVAULT_TOKEN=$(python3 -c '
import getpass, json, sys, urllib.parse, urllib.request
url, name = sys.argv[1:]
form = urllib.parse.urlencode({{"username": name, "password": getpass.getpass()}})
print(json.load(urllib.request.urlopen(url, form.encode()))["token"])
' {url} {username})
"""
_PYTHON = """import os
import shutil

import requests

archive = {archive}
headers = {{"Authorization": "Token " + os.environ["FITSVAULT_TOKEN"]}}
asked = {{
{asked}}}
while asked["cursor"] is not None:
    answer = requests.get(archive + "frames/", params=asked, headers=headers, timeout=60)
    answer.raise_for_status()
    page = answer.json()
    for frame in page["results"]:
        link = requests.get(archive + frame["url"] + "?redirect=false", headers=headers, timeout=60)
        link.raise_for_status()
        with requests.get(link.json()["url"], stream=True, timeout=60) as sent, open(frame["filename"], "wb") as file:
            sent.raise_for_status()
            shutil.copyfileobj(sent.raw, file)
    asked["cursor"] = page["next"]
"""


def address_of(request: Request) -> str:
    """Return the archive's address as the browser knows it, with a slash at its end."""
    scheme = "https" if is_https(request) else "http"
    return f"{scheme}://{request.url.netloc}{root_of(request)}/"


def examples(address: str, username: str, search: Search) -> list[tuple[str, str]]:
    """Return how to get a token into ``FITSVAULT_TOKEN``, and the search as programs for curl, wget and Python."""
    listed = shlex.quote(f"{address}frames/?{search.api_query(limit=_PAGE)}")
    packed = shlex.quote(f"{address}frames/zip/?{search.api_query()}")
    single = shlex.quote(f"{address}frames/zip/?{search.api_query(format='wget')}")
    curl = [
        f"curl -H {_HEADER} {listed}",
        "",
        "# the files, as one zip; broken off, it goes on with -C - added",
        f"curl -H {_HEADER} -o frames.zip {packed}",
    ]
    wget = [
        f"wget --header {_HEADER} -O frames.zip {packed}",
        "",
        "# one by one; run fetch.sh again to go on",
        f"wget --header {_HEADER} -O fetch.sh {single}",
        "sh fetch.sh",
    ]
    return [
        ("A token", _token(address, username)),
        ("curl", "\n".join(curl)),
        ("wget", "\n".join(wget)),
        ("Python", _python(address, search)),
    ]


def _token(address: str, username: str) -> str:
    return _LOGIN.format(url=shlex.quote(f"{address}api-token-auth/"), username=shlex.quote(username))


def _python(address: str, search: Search) -> str:
    asked = {"cursor": "", **dict(parse_qsl(search.api_query(limit=_PAGE), keep_blank_values=True))}
    return _PYTHON.format(
        archive=repr(address), asked="".join(f"    {name!r}: {value!r},\n" for name, value in asked.items())
    )
