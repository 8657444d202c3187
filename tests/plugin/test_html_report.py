"""`--ws-report FILE.html`."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("jinja2", reason="jinja2 is not installed")

SUITE = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="{client}")
def test_voice(ws_soak):
    pass
"""


@pytest.mark.parametrize(("client", "outcome"), [("browser", "stable"), ("mute", "unstable")])
def test_written_at_the_end(run, pytester, client, outcome):
    """A file beside the project, with the hold in it, whatever came of it."""
    result = run(SUITE.format(client=client), "--ws-report=held.html")

    page = (pytester.path / "held.html").read_text(encoding="utf-8")
    assert result.parseoutcomes() == {"stable": {"passed": 1}, "unstable": {"failed": 1}}[outcome]
    assert f"<title>WebSocket stability: 1 {outcome}</title>" in page
    assert "test_voice" in page


def test_without_jinja2(run, pytester, monkeypatch):
    """Said before anything runs, with the extra that brings it."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    result = run(SUITE.format(client="browser"), "--ws-report=held.html")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pip install 'pytest-wsstability[[]report]'*"])
    assert not (pytester.path / "held.html").exists()
