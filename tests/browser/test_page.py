"""The test page of `wsstability serve`, as a person uses it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from pytest_wsstability import Orchestrator
from pytest_wsstability.cli import serve
from tests.browser.conftest import ARTIFACTS

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@asynccontextmanager
async def shown(page, **behaviour):
    """The page, shown by an orchestrator of its own."""
    async with Orchestrator(page=serve.page(), **behaviour) as orchestrator:
        await page.goto(f"http{orchestrator.url.removeprefix('ws')}")
        yield orchestrator
        # A page that stays connected would be closed with 1001: what is tested has been seen by now.
        await page.goto("about:blank")


async def shows(page, selector: str, text: str) -> None:
    """Wait until a part of the page has a text."""
    await page.locator(selector).filter(has_text=text).wait_for()


async def hold(page, *, seconds: float, every: float, within: float = 5) -> str:
    """Run the page's long-connection test and give its verdict."""
    await page.fill("#hold", str(seconds))
    await page.fill("#every", str(every))
    await page.fill("#within", str(within))
    await page.click("#test")
    await page.wait_for_selector("#verdict[data-outcome]")
    return await page.inner_text("#verdict")


async def test_long_connection(page):
    """Held, confirmed, answered: stable, with its heartbeats drawn and nothing asked of anybody else."""
    async with shown(page) as orchestrator:
        verdict = await hold(page, seconds=3, every=0.5)

        assert verdict.startswith("stable: alive for 3 s, session confirmed, ")
        assert await page.locator("#lane line.answered").count() >= 2
        assert await page.locator("#lane line.missed").count() == 0
        here = f"http{orchestrator.url.removeprefix('ws')}"
        assert all(each == here or each.startswith(f"{here}status?session=") for each in page.seen.requests)
        assert page.seen.errors == []
        session = await orchestrator.wait_for_session(within="5s")
        await session.connection.wait_closed()
        session.assert_closed(code=1000, by="client")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"answer_heartbeats": False}, "heartbeats not answered within"),
        ({"read_deadline": "1s", "deadline_reset_by": "ping"}, "1006 (abnormal closure)"),
        ({"read_deadline": "1s", "deadline_reset_by": "ping", "on_deadline": 1012}, "1012 (service restart)"),
        ({"confirm_sessions": False}, "the session was not confirmed"),
    ],
    ids=["deaf", "dropped", "closed", "unconfirmed"],
)
async def test_unstable(page, behaviour, words):
    """Each way to fail is told in its own words."""
    async with shown(page, **behaviour):
        verdict = await hold(page, seconds=20, every=0.4, within=1)

        assert verdict.startswith("unstable: ")
        assert words in verdict


async def test_why_it_ended_as_the_server_knows_it(page):
    """Which deadline, what would have reset it, what came instead; and all numbers agree."""
    async with shown(page, read_deadline="5s", ping_interval=None):
        verdict = await hold(page, seconds=20, every=2)
        await shows(page, "#why", "the server, after 5 s: read deadline of 5 s ran out (only pongs reset it;")

        duration = await page.inner_text("#duration")
        assert verdict == f"unstable: 1006 (abnormal closure) after {duration} of 20 s, no closing handshake"
        assert await page.inner_text("#close") == (
            f"1006 (abnormal closure) after {duration}, no closing handshake"
        )
        assert "none came; heartbeats, the last at " in await page.inner_text("#why")
        assert await page.inner_text("#beats") == "2 of 2"
        sent = await page.inner_text("#sent")
        assert await page.inner_text("#arrived") == f"{sent} messages, 2 heartbeats, 0 pongs"
        assert await page.locator("#lane line").count() == 2


@pytest.mark.parametrize(
    ("device", "width", "scheme"),
    [("desktop", 1200, "light"), ("desktop", 1200, "dark"), ("phone", 390, "light")],
)
async def test_pictures(page, device, width, scheme):
    """Alive and dead, kept beside the test run, to be looked at; none is wider than its screen."""
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme=scheme)
    ARTIFACTS.mkdir(exist_ok=True)

    async def picture(state):
        await page.screenshot(path=ARTIFACTS / f"page-{state}-{device}-{scheme}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

    async with shown(page, read_deadline="60s", ping_interval=None):
        await page.fill("#every", "0.5")
        await page.click("#connect")
        await page.locator("#lane line.answered").first.wait_for(state="attached")
        await shows(page, "#deadline", "left of 60 s")
        await picture("alive")
        assert await page.locator("#lane rect.over").count() == 0
    async with shown(page, read_deadline="1s", ping_interval=None):
        await hold(page, seconds=5, every=0.4)
        await shows(page, "#why", "read deadline of 1 s ran out")
        await picture("dead")
        # From the end on, what was left of the hold is shaded.
        at = float(await page.get_attribute("#lane rect.over", "x"))
        assert float(await page.locator("#lane line").last.get_attribute("x1")) < at < 120
    assert page.seen.errors == []


async def test_how_long_the_server_still_waits(page):
    """Its settings at once, and a countdown that what resets the deadline sets back."""
    async with shown(page, read_deadline="30s", deadline_reset_by="heartbeat"):
        await shows(page, "#settings", "30 s, reset by heartbeats only")
        await page.fill("#every", "3")
        await page.click("#connect")
        await shows(page, "#deadline", "left of 30 s")
        await shows(page, "#deadline", "28.")
        # A heartbeat sets it back to where it was.
        await shows(page, "#deadline", "29.")

        assert float(await page.get_attribute("#left", "value")) > 0.5


async def test_no_deadline(page):
    """Then nothing is counted down."""
    async with shown(page, read_deadline=None):
        await page.click("#connect")
        await shows(page, "#deadline", "none")

        assert (
            await page.locator("#left").evaluate("element => getComputedStyle(element).visibility")
            == "hidden"
        )


@pytest.mark.parametrize(
    ("seconds", "labels"),
    [
        (120, ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]),
        (5, ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s"]),
        (7200, ["0 s", "1000 s", "2000 s", "3000 s", "4000 s", "5000 s", "6000 s", "7000 s"]),
        (0.5, ["0 s", "100 ms", "200 ms", "300 ms", "400 ms", "500 ms"]),
    ],
)
async def test_the_axis_has_round_ticks(page, seconds, labels):
    """Below the heartbeats, from the opening to the end of the hold."""
    async with shown(page):
        await page.evaluate(f"drawAxis(0, {seconds})")

        assert (await page.inner_text("#axis")).split("\n") == labels
        # No label leaves the drawing.
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_another_server_is_not_asked(page):
    """Only its own server knows of the page's session."""
    async with shown(page) as orchestrator, Orchestrator() as other:
        await page.fill("#url", other.url)
        await page.click("#connect")
        await shows(page, "#state", "open")
        await shows(page, "#why", "cannot be asked")

        here = f"http{orchestrator.url.removeprefix('ws')}"
        assert page.seen.requests == [here, f"{here}status?session="]


async def test_disconnecting_is_no_verdict_on_the_server(page):
    """A person ends the test early: inconclusive."""
    async with shown(page):
        await page.fill("#hold", "60")
        await page.click("#test")
        await shows(page, "#state", "open")
        await page.click("#disconnect")
        await page.wait_for_selector("#verdict[data-outcome=inconclusive]")

        assert (await page.inner_text("#verdict")).startswith("inconclusive: you disconnected after ")


async def test_nobody_listens(page):
    """What never opened is told as that."""
    async with shown(page) as orchestrator:
        await orchestrator.stop()
        verdict = await hold(page, seconds=5, every=1)

        assert verdict.startswith("unstable: did not open: 1006")


async def test_by_keyboard(page):
    """Everything is reached with Tab and works with Enter."""
    async with shown(page):
        await page.focus("#url")
        for expected in ("every", "within", "hold", "connect"):
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.id") == expected
        await page.keyboard.press("Enter")
        await shows(page, "#state", "open")
        await page.focus("#disconnect")
        await page.keyboard.press("Enter")
        await shows(page, "#state", "closed")

        assert (await page.inner_text("#close")).startswith("1000 (normal closure)")


async def test_a_hostile_reason_is_text(page):
    """A close reason is shown and not run."""

    async def handler(connection):
        await connection.recv()

    async with shown(page, handler=handler) as orchestrator:
        await page.click("#connect")
        session = await orchestrator.wait_for_session(within="5s")
        session.connection.websocket.start_close(4000, "<img src=x onerror=alert(1)>")
        await shows(page, "#state", "closed")

        assert "<img src=x onerror=alert(1)>" in await page.inner_text("#close")
        assert await page.locator("img").count() == 0


async def test_the_log_can_be_copied(page):
    """The clipboard has the log, or where it may not, the log is selected."""
    async with shown(page):
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.click("#connect")
        await shows(page, "#session", "confirmed after")
        await page.click("#copy")
        await shows(page, "#copied", "copied")

        assert '{"type":"session_info"' in await page.evaluate("navigator.clipboard.readText()")


async def test_a_wrong_url(page):
    """The browser's own words, and no connection."""
    async with shown(page):
        await page.fill("#url", "ftp://127.0.0.1/")
        await page.click("#connect")
        await shows(page, "#close", "did not open: ")
