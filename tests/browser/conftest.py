"""Chromium, and a screenshot of what it showed when a test failed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

ARTIFACTS = Path(__file__).parents[2] / "test-artifacts"
CHROMIUM = shutil.which("chromium")
# As root and in a container, without asking anybody outside for anything.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_report_key = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[_report_key] = report
    return report


class Seen:
    """What a page did besides what it showed."""

    def __init__(self, page):
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._console)

    def _console(self, message):
        if message.type == "error":
            self.errors.append(message.text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    """A headless Chromium; without one the tests are skipped, and say what is missing."""
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH; Debian: apt-get install chromium")
    async with playwright.async_playwright() as starter:
        running = await starter.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser, request):
    """An empty page of a visitor of its own; what it did besides is in `page.seen`."""
    context = await browser.new_context(viewport={"width": 1000, "height": 1100})
    page = await context.new_page()
    page.seen = Seen(page)
    yield page
    report = request.node.stash.get(_report_key, None)
    if report is not None and report.failed:
        ARTIFACTS.mkdir(exist_ok=True)
        name = re.sub(r"[^\w.-]+", "_", request.node.name)
        await page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True)
    await context.close()
