"""A name resolver that speaks as Sesame does, or does not."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote_plus, urlsplit

__all__ = ["M51", "Sesame", "resolver_server"]

M51 = (202.469575, 47.1952583)
_KNOWN = """# {name}\t#Q1234
#=S=Simbad (via url):    1
%@ 1090268
%C.0 GiP
%J 202.469575 +47.195258 = 13:29:52.69 +47:11:42.9
%J.E [1032.37 800.26 90] D 2006AJ....131.1163S
%V z 0.00155 B [0.00001] 2011A&A...531A..70S
%I.0 M  51
#====Done (2026-Nov-26,02:47:47z)====
"""
_UNKNOWN = """# {name}\t#Q1235
#=SNV=ok
#! *** Nothing found *** \n#====Done (2026-Nov-26,02:47:47z)====
"""
_WRONG = {"html": "<html>down for maintenance</html>", "far": "%J 361.0 +95.0 = 0 0\n"}


class Sesame(ThreadingHTTPServer):
    """Knows M 51; ``asked`` are the names that it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}/cgi-bin/nph-sesame/-oI/SNV?{{name}}"


class _Door(BaseHTTPRequestHandler):
    server: Sesame

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = unquote_plus(url.query)
        self.server.asked.append(name)
        match url.path.removeprefix("/"):
            case "cgi-bin/nph-sesame/-oI/SNV":
                text = _KNOWN if name.replace(" ", "").upper() == "M51" else _UNKNOWN
                self._send(200, text.format(name=name))
            case "json":
                self._send(200, '{"ra": 10.5, "dec": -20}' if name == "mine" else '{"ra": null, "dec": null}')
            case "elsewhere":
                self._send(302, "", f"http://localhost:{self.server.server_port}/json?mine")
            case "here":
                self._send(302, "", f"/json?{url.query}")
            case "round":
                self._send(302, "", self.path)
            case "long":
                self._send(200, "# " + "x" * (1 << 20) + "\n%J 1.0 +1.0 = 0 0\n")
            case "slow":
                self.send_response(200)
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b"#")
                    self.wfile.flush()
                    time.sleep(0.05)
            case "html" | "far" as kind:
                self._send(200, _WRONG[kind])
            case status:
                self._send(int(status), "")

    def _send(self, status: int, text: str, location: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def resolver_server() -> Iterator[Sesame]:
    """Run one for the length of the block."""
    with Sesame() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
