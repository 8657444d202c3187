"""The HTML report in a browser: opened from a file, without a network."""

from __future__ import annotations

import pytest

from pytest_wsstability.report import html
from tests.report.held import result, run

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

HOSTILE = "<img src=x onerror=document.title='run'><script>document.title='run'</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Four holds, one of them with a name that wants to be markup."""
    pytest.importorskip("jinja2", reason="jinja2 is not installed")
    held = [
        result("test_stable"),
        result("test_mute", client="mute"),
        result("test_deaf", answer_heartbeats=False),
        result(f"test_named[{HOSTILE}]", read_deadline="30s", deadline_reset_by="ping", on_deadline=4000),
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(run(*held)), encoding="utf-8")
    return path.as_uri()


async def rows(page) -> list[str]:
    """The tests whose rows can be seen."""
    return [await row.inner_text() for row in await page.locator("tbody button:visible").all()]


async def test_it_opens(page, report):
    """A row a connection and both charts, no error, no request but the file, no markup from outside."""
    await page.goto(report)
    await page.locator("#survival canvas").wait_for()
    await page.locator("#rtts canvas").wait_for()

    assert len(await rows(page)) == 4
    assert page.seen.errors == []
    assert page.seen.requests == [report]
    assert await page.title() != "run"
    assert await page.locator("img").count() == 0


async def test_filter_by_verdict_and_by_words(page, report):
    """What is not asked for is hidden, and the count says so."""
    await page.goto(report)
    await page.uncheck("input[value=unstable]")
    assert await rows(page) == ["test_stable"]
    assert await page.inner_text("#shown") == "1 of 4"
    await page.check("input[value=unstable]")
    await page.fill("#find", "1006 mute")

    assert await rows(page) == ["test_mute"]
    await page.fill("#find", "no such words")
    assert await rows(page) == []


async def test_a_timeline_opens_by_keyboard(page, report):
    """Enter on a test's name shows the lanes of both ends and what the failure says; again hides them."""
    await page.goto(report)
    button = page.get_by_role("button", name="test_deaf")
    await button.focus()
    await page.keyboard.press("Enter")

    assert await page.locator(".lane svg").count() == 2
    assert await page.locator(".lane path.missed").count() == 2
    assert "every heartbeat answered within 25 s" in await page.inner_text(".detail")
    await page.keyboard.press("Enter")
    assert await page.locator(".detail").count() == 0


async def test_a_stable_hold_shows_no_missed_heartbeat(page, report):
    """The control: the same page draws nothing red for it."""
    await page.goto(report)
    await page.get_by_role("button", name="test_stable").click()

    assert await page.locator(".lane path.heartbeat").count() == 2
    assert await page.locator(".lane path.missed").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_on_a_phone(page, report, scheme):
    """Nothing is wider than the screen, and the text stands out from its ground in either scheme."""
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.emulate_media(color_scheme=scheme)
    await page.goto(report)
    await page.get_by_role("button", name="test_mute").click()
    width = await page.evaluate("document.documentElement.scrollWidth")
    ground = await page.evaluate("getComputedStyle(document.body).color")

    assert width <= 360
    assert ground == {"light": "rgb(0, 0, 0)", "dark": "rgb(255, 255, 255)"}[scheme]
