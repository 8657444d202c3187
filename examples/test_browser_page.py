"""
A page in a real browser, held by the reference server: the story, where it happened.

Needs ``pip install pytest-wsstability[browser]`` and a Chromium (Debian: ``apt-get install chromium``).

"""

import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

playwright = pytest.importorskip("playwright.async_api", reason="pip install pytest-wsstability[browser]")

PAGE = Path(__file__).with_name("voice_page.html")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

# A browser has a clock of its own.
pytestmark = [
    pytest.mark.ws_stability(time="real"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]


@pytest_asyncio.fixture
async def page():
    """An empty page of a headless browser."""
    async with playwright.async_playwright() as starter:
        # Chromium refuses to run as root inside its sandbox, as containers do.
        browser = await starter.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield await browser.new_page()
        await browser.close()


def address(url, **query):
    return f"{PAGE.as_uri()}?{urlencode({'url': url, **query})}"


@pytest.mark.ws_orchestrator(read_deadline="2s", ping_interval="1s")
async def test_page_announces_its_session_and_answers_pings(ws_orchestrator, page):
    """Twice the read deadline, which only the browser's pongs reset."""
    await page.goto(address(ws_orchestrator.url, heartbeat=0.5))
    session = await ws_orchestrator.wait_for_session("call-1", within="10s")
    await session.assert_stable(alive_for="4s", session_within="2s", heartbeat_every="500ms")
    session.assert_pings_answered(within="1s")
    await page.evaluate("leave()")
    await session.connection.wait_closed()
    session.assert_closed(code=1000, reason="left the page", by="client")


@pytest.mark.ws_orchestrator(deadline_reset_by="heartbeat", read_deadline="1s")
async def test_page_that_is_too_slow(ws_orchestrator, page):
    """What the page sees when its heartbeat comes too late, and what the server knows."""
    await page.goto(address(ws_orchestrator.url, heartbeat=30))
    session = await ws_orchestrator.wait_for_session("call-1", within="10s")
    with pytest.raises(AssertionError, match="read deadline of 1 s ran out"):
        await session.assert_alive_for("4s")
    await page.wait_for_function("document.getElementById('closed').value === '1006'")


@pytest.mark.ws_long
@pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval="30s")
async def test_page_holds_for_more_than_two_minutes(ws_orchestrator, page):
    """The numbers of the story, unshortened."""
    await page.goto(address(ws_orchestrator.url))
    session = await ws_orchestrator.wait_for_session("call-1", within="10s")
    await session.assert_stable(alive_for="130s", session_within="5s", heartbeat_every="25s")
