"""The suite: what a browser asks before the web page may write to the store, and what it sees of the answer."""

import httpx
import pytest

from shared.cli.examinations.finding import Verdict
from shared.cli.examinations.origins import examine_origins
from shared.simulator import simulate_frame
from tests.stores.stored import StoredArchive

__all__ = ["Browsers"]

_ALLOW = "access-control-allow-origin"


class Browsers:
    """Pages of the archive's own address write by the API's forms; the store shows its answers to no others."""

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_it_is_asked_first(self, stored: StoredArchive, method: str) -> None:
        running = stored.running
        for origin in (running.url, running.url.replace("127.0.0.1", "localhost")):
            asked = {"Origin": origin, "Access-Control-Request-Method": method}
            place = f"{running.settings.s3_endpoint_url}/{running.bucket}"
            answer = httpx.options(place, headers=asked, trust_env=False)
            assert answer.is_success
            assert answer.headers[_ALLOW] in ("*", origin)

    def test_a_form_of_a_page_of_ours_writes(self, stored: StoredArchive) -> None:
        running = stored.running
        data = simulate_frame(name="from-a-browser.fits").data
        asked = {"filename": "browsers/from-a-browser.fits", "size": len(data)}
        form = running.http.post("/uploads/", json=asked).json()
        for origin, shown in ((running.url, True), ("http://stranger.example", False)):
            sent = {"data": form["fields"], "files": {"file": ("x", data)}}
            answer = httpx.post(form["url"], **sent, headers={"Origin": origin}, trust_env=False)
            assert (answer.headers.get(_ALLOW) in ("*", origin)) is shown
        running.wait_for_frame(form["key"])

    def test_the_doctor_asks_as_browsers_do(self, stored: StoredArchive) -> None:
        findings = list(examine_origins(stored.running.settings))
        assert [finding.verdict for finding in findings] == [Verdict.OK] * 2
