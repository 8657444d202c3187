"""The HTML report of many connections: writing it, its size, and how soon a browser shows it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_wsstability import Requirement, hold, run_virtual
from pytest_wsstability.core.result import Result, Run
from pytest_wsstability.core.timeline.events import Direction, Event, EventKind, Opcode, Role
from pytest_wsstability.core.timeline.timeline import Timeline
from pytest_wsstability.report import html

from .figures import Figure, cpu_seconds, middle

CONNECTIONS = 500
EVENTS = 1000
_MIB = 2**20


def figures() -> Iterator[Figure]:
    """CPU seconds, MiB, and milliseconds to the first paint."""
    run = _run()
    of = f"{CONNECTIONS} connections of {EVENTS} events"
    pages: list[str] = []
    seconds = middle([cpu_seconds(lambda: pages.append(html.render(run))) for _ in range(3)])
    yield Figure(name="HTML written", value=seconds, unit="s", limit=3, of=f"CPU, median of 3, {of}")
    size = len(pages[-1].encode()) / _MIB
    yield Figure(name="HTML size", value=size, unit="MiB", limit=8, of=of)
    chromium = shutil.which("chromium")
    if chromium is None:
        print("  no chromium on the PATH: the first paint is not measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(pages[-1], encoding="utf-8")
        paint = asyncio.run(_first_paint(chromium, path.as_uri()))
    yield Figure(name="first paint", value=paint, unit="s", limit=2, of="median of 3, headless chromium")


def _run() -> Run:
    requirement = Requirement.of(alive_for="2m", heartbeat_every="25s", session_within="5s")
    held = run_virtual(hold(requirement, client="mute"))
    data = held.timeline.as_dict(_events())
    results = tuple(
        Result(
            nodeid=f"tests/test_many.py::test_voice[{number}]",
            url=held.url,
            requirement=requirement,
            verdict=held.verdict,
            timelines=(Timeline.from_dict(data),),
        )
        for number in range(CONNECTIONS)
    )
    return Run(started="2026-01-01T00:00:00Z", tool="benchmark", machine="-", results=results)


def _events() -> list[Event]:
    """Audio-like traffic with heartbeats in it, at uneven instants."""
    events = []
    for number in range(EVENTS):
        at = 60 * number / EVENTS + (number * 7919 % 13) / 1000
        role = (Role.HEARTBEAT, Role.HEARTBEAT_ANSWER)[number % 2] if number % 20 < 2 else Role.DATA
        direction = Direction.RECEIVED if number % 2 else Direction.SENT
        events.append(Event(at, EventKind.FRAME, direction, Opcode.TEXT, 640, role))
    return events


async def _first_paint(chromium: str, url: str) -> float:
    from playwright.async_api import async_playwright

    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    paints = []
    async with async_playwright() as starter:
        browser = await starter.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(3):
            page = await browser.new_page()
            await page.goto(url)
            paints.append(await (await page.wait_for_function(script)).json_value() / 1000)
            await page.close()
        await browser.close()
    return middle(paints)
