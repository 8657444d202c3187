"""The HTML report in a browser: opened from a file, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pytest_wsstability.report import html
from tests.browser.conftest import ARTIFACTS
from tests.browser.samples import run_of
from tests.core.script import timeline
from tests.report import made
from tests.report.held import result, run

pytestmark = [pytest.mark.slow, pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

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


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """300 holds of both tiers."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    path.write_text(html.render(run_of(300)), encoding="utf-8")
    return path.as_uri()


async def rows(page) -> list[str]:
    """The tests whose rows can be seen."""
    found = await page.locator("tr[data-hold] th button:visible").all()
    return [(await row.text_content()) for row in found]


async def test_it_opens(page, report):
    """A row a connection and both charts, no error, no request but the file, no markup from outside."""
    await page.goto(report)
    await page.locator("#survival-0 canvas").wait_for()
    await page.locator("#rtts-0 canvas").wait_for()

    assert len(await rows(page)) == 4
    assert page.seen.errors == []
    assert page.seen.requests == [report]
    assert await page.title() != "run"
    assert await page.locator("img").count() == 0


async def test_filter_by_verdict_and_by_words(page, report):
    """What is not asked for is hidden, and the count says so."""
    await page.goto(report)
    await page.uncheck("input[name=word][value=unstable]")
    assert await rows(page) == ["test_stable"]
    assert await page.inner_text("#shown") == "1 of 4"
    await page.check("input[name=word][value=unstable]")
    await page.fill("#find", "1006 mute")

    assert await rows(page) == ["test_mute"]


async def test_nothing_matches(page, report):
    """It is said, and one click brings everything back."""
    await page.goto(report)
    assert not await page.is_visible("#nothing")
    await page.fill("#find", "no such words")
    assert await rows(page) == []
    assert await page.inner_text("#nothing") == "Nothing matches. Show all 4 again"
    await page.click("#nothing button")
    assert len(await rows(page)) == 4


async def test_a_timeline_opens_by_keyboard(page, report):
    """Enter on a test's name shows the lanes of both ends below each other, and what the failure says."""
    await page.goto(report)
    button = page.get_by_role("button", name="test_deaf")
    await button.focus()
    await page.keyboard.press("Enter")
    names = await page.locator(".detail svg text").all_text_contents()

    assert [name for name in names if name.endswith(" end")] == ["client end", "server end"]
    assert [name for name in names if name in ("heartbeats", "pings")] == ["heartbeats", "pings"] * 2
    assert "every heartbeat answered within 25 s" in await page.inner_text(".detail")
    await page.keyboard.press("Enter")
    assert await page.locator(".detail").count() == 0


async def test_an_unanswered_heartbeat_looks_unanswered(page, report):
    """A ring, and dots until it was given up, at both ends; who has to change something is red."""
    await page.goto(report)
    await page.get_by_role("button", name="test_deaf").click()

    assert (await page.get_attribute(".detail .lanes path.open", "d")).count("a4 4 0 1 0 8 0") == 2
    assert await page.locator(".detail .lanes path.wait").count() == 1
    assert await page.locator(".detail text.blamed").all_text_contents() == ["server end"]


async def test_an_unanswered_ping_looks_unanswered(page, report):
    """The page that withholds its pongs."""
    await page.goto(report)
    await page.get_by_role("button", name="test_mute").click()
    rings = await page.get_attribute(".detail .lanes path.open", "d")

    assert rings.count("a4 4 0 1 0 8 0") == 2
    assert await page.locator(".detail text.blamed").all_text_contents() == ["client end"]


async def test_a_stable_hold_shows_no_missed_heartbeat(page, report):
    """The control: the same page draws nothing red for it."""
    await page.goto(report)
    await page.get_by_role("button", name="test_stable").click()

    assert await page.locator(".detail .lanes path.answered").count() == 2
    assert await page.locator(".detail svg[role=img] path.open").count() == 0


async def test_heartbeats_that_nobody_answers_are_no_missed_ones(page, tmp_path):
    """Ticks without a ring, and words that say of no answer that it is missing."""
    line = timeline((10, ">beat"), (20, "<beat"), until=30, protocol=made.ONE_WAY)
    path = tmp_path / "report.html"
    path.write_text(
        html.render(run(replace(made.result(nodeid="test_one_way"), timelines=(line,)))), encoding="utf-8"
    )
    await page.goto(path.as_uri())
    await page.get_by_role("button", name="test_one_way").click()
    await page.locator(".detail div.lanes").focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")

    assert (await page.get_attribute(".detail .lanes path.answered", "d")).count("M") == 2
    assert await page.locator(".detail svg[role=img] path.open").count() == 0
    assert await page.inner_text(".detail output") == "client end, +10.000 s: heartbeat sent"


async def test_events_are_read_by_pointer_and_by_keyboard(page, report):
    """With the end, the instant, and how long the answer took."""
    await page.goto(report)
    await page.get_by_role("button", name="test_deaf").click()
    box = await page.locator(".detail svg[role=img]").bounding_box()
    await page.mouse.move(box["x"] + 104 + (box["width"] - 180) * 0.5, box["y"] + 30)
    assert await page.inner_text(".detail output") == "client end, +25.000 s: heartbeat sent, not answered"
    await page.locator(".detail div.lanes").focus()
    await page.keyboard.press("ArrowRight")
    said = [await page.inner_text(".detail output")]
    await page.keyboard.press("ArrowRight")
    said.append(await page.inner_text(".detail output"))

    assert all(text.startswith(("client end, +", "server end, +")) for text in said)
    assert said[0] != said[1]


async def test_a_chart_says_its_values(page, report):
    """Below it, while the pointer is over it."""
    await page.goto(report)
    await page.locator("#survival-0 canvas").wait_for()
    before = await page.inner_text("#survival-text-0")
    await page.hover("#survival-0 .u-over")

    assert before.startswith("2 of 4 connections ended unplanned; 37.5% were still up after 60 s (")
    assert (await page.inner_text("#survival-text-0")).startswith(
        "after 60 s: 37.5 % still up, the true share between "
    )


async def test_a_hold_has_an_address(page, report):
    """It opens its group and itself, also when the page is already there."""
    await page.goto(report)
    await page.get_by_role("button", name="test_mute").click()
    address = page.url
    assert "#hold-" in address
    await page.get_by_role("button", name="test_mute").click()
    assert "#" not in page.url
    await page.goto("about:blank")
    await page.goto(address)

    assert await page.locator(".detail").count() == 1
    assert await page.get_by_role("button", name="test_mute").get_attribute("aria-expanded") == "true"


async def test_rows_are_sorted_by_a_column(page, many):
    """Within their groups, and the groups by the first of theirs; a second click turns it round."""
    await page.goto(many)
    await page.click("section[data-tier='0'] .sort[data-key=held]")
    up = await page.locator("section[data-tier='0'] tr.group .why").all_text_contents()
    await page.click("section[data-tier='0'] .sort[data-key=held]")
    down = await page.locator("section[data-tier='0'] tr.group .why").all_text_contents()

    assert sorted(up) == sorted(down)
    assert up != down
    assert await page.locator("section[data-tier='0'] th[aria-sort=descending]").count() == 1


async def test_300_holds_fit_before_the_first_click(page, many):
    """At most 2,000 pixels: causes, each of which opens; the head of the table stays in sight."""
    await page.goto(many)
    await page.locator("#rtts-1 canvas").wait_for()
    height = await page.evaluate("document.documentElement.scrollHeight")
    assert height <= 2000
    assert await rows(page) == []
    group = page.locator("tr.group button").first
    count = int((await group.locator(".count").text_content()).split()[0])
    await group.click()
    assert len(await rows(page)) == count
    await page.locator("tr[data-hold]:visible").last.scroll_into_view_if_needed()

    assert (await page.locator("thead th").first.bounding_box())["y"] >= 0


async def test_who_looks_for_something_sees_it(page, many):
    """Folded groups open for what was found in them."""
    await page.goto(many)
    await page.fill("#find", "agent-003")

    assert await rows(page) == ["test_stream_outlives_a_pause[agent-003-eu-central-1]"]
    assert await page.inner_text("#shown") == "1 of 300"


@pytest.mark.parametrize(
    ("device", "width", "scheme"),
    [("desktop", 1200, "light"), ("desktop", 1200, "dark"), ("phone", 390, "light")],
)
@pytest.mark.parametrize("count", [1, 18, 300])
async def test_pictures(page, tmp_path, count, device, width, scheme):
    """Kept beside the test run, to be looked at; none is wider than its screen."""
    path = tmp_path / "report.html"
    path.write_text(html.render(await asyncio.to_thread(run_of, count)), encoding="utf-8")
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme=scheme)
    await page.goto(path.as_uri())
    if device == "desktop":
        await page.locator("#survival-0 canvas").wait_for()
    ARTIFACTS.mkdir(exist_ok=True)
    await page.screenshot(path=ARTIFACTS / f"report-{count}-{device}-{scheme}.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.seen.errors == []


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
    assert ground == {"light": "rgb(36, 41, 47)", "dark": "rgb(201, 209, 217)"}[scheme]
