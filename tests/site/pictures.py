"""
The pictures of the README, from what runs print: ``python -m tests.site.pictures`` draws them.

The failure is that of docs/reading-a-failure.md, which a test keeps real. The report is of a run of the tests
below, as a browser shows it (needs Playwright and a Chromium).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

from tests.site.pages import DOCS, ROOT, text_of

FAILURE = DOCS / "pictures/failure.svg"
REPORT = DOCS / "pictures/report.png"
# Pixels of a character, a line and the room around.
_WIDE, _HIGH, _ROOM = 7.8, 19, 22
_COLOURS = {
    "first": "#ff7b72", "expected": "#f0f6fc", "observed": "#ff7b72", "likely": "#e3b341", "fix": "#7ee787",
    "not": "#8b949e", "covered": "#8b949e", "read on": "#8b949e",
}  # fmt: skip
_PLAIN = "#c9d1d9"
_SUITE = """
import pytest
from pytest_wsstability import faults

SILENT = pytest.mark.ws_orchestrator(ping_interval=None, deadline_reset_by="any")


@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", session_within="5s")
def test_voice_session(ws_soak): ...


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_a_client_without_pongs(ws_soak): ...


@SILENT
@pytest.mark.ws_stability(alive_for="10m")
@pytest.mark.parametrize("room", ["lobby", "support", "sales"])
def test_a_quiet_room(ws_soak, room): ...


@SILENT
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s")
@pytest.mark.parametrize("room", ["lobby", "support", "sales"])
def test_a_room_with_heartbeats(ws_soak, room): ...
"""


def shown_failure() -> str:
    """The failure that the page about failures goes through."""
    page = text_of("docs/reading-a-failure.md")
    (text,) = re.findall(r"<!-- failure -->\n```text\n(.*?)```", page, re.DOTALL)
    return text


def drawn(text: str) -> str:
    """A failure as a terminal shows it, as SVG."""
    lines = text.splitlines()
    width = max(map(len, lines)) * _WIDE + 2 * _ROOM
    height = len(lines) * _HIGH + 2 * _ROOM
    rows, colour = [], _COLOURS["first"]
    for number, line in enumerate(lines):
        # What hangs below a line has its colour.
        if number and not line.startswith(" " * 12):
            colour = next((_COLOURS[name] for name in _COLOURS if line.startswith(f"  {name}")), _PLAIN)
        elif re.match(r" {12}(\d|-)", line):
            colour = _PLAIN
        # Words by their columns: not every viewer keeps spaces.
        for words in re.finditer(r"\S+(?: \S+)*", line):
            left, length = _ROOM + words.start() * _WIDE, len(words[0]) * _WIDE
            rows.append(
                f'<text x="{left:g}" y="{_ROOM + number * _HIGH + 14}" fill="{colour}"'
                f' textLength="{length:g}" lengthAdjust="spacingAndGlyphs">{escape(words[0])}</text>'
            )
    style = 'font-family="ui-monospace,Menlo,Consolas,monospace" font-size="13"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" role="img" {style}>',
        f"<title>{escape(lines[0])}</title>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#0d1117"/>',
        *rows,
        "</svg>\n",
    ])  # fmt: skip


def photograph(path: Path) -> None:
    """The report of a run, as a browser shows its first screen."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_voice.py").write_text(_SUITE)
        report = Path(folder) / "report.html"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--ws-report={report}"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120, stdout=subprocess.DEVNULL,
            check=False,
        )  # fmt: skip
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1000, "height": 760})
            page.goto(report.as_uri())
            page.screenshot(path=path)
            browser.close()


if __name__ == "__main__":
    FAILURE.write_text(drawn(shown_failure()))
    photograph(REPORT)
