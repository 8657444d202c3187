"""The HTML report as text; what it does in a browser is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys

import pytest

from pytest_wsstability.report import html
from tests.report.held import result, run

pytest.importorskip("jinja2", reason="jinja2 is not installed")


def data(page: str):
    """What the page's script works on."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


@pytest.fixture(scope="module")
def page():
    return html.render(run(result("test_stable"), result("test_mute", client="mute"), complaints=("a gate",)))


def test_a_row_for_each_hold(page):
    """The worst first, with its verdict, and what was held of what was required."""
    rows = re.findall(
        r'<tr data-outcome="(\w+)".*?<button[^>]*>(\w+)</button>.*?Held">([^<]*)<', page, re.DOTALL
    )

    assert rows == [("unstable", "test_mute", "60/120 s"), ("stable", "test_stable", "120/120 s")]
    assert "<title>WebSocket stability: 1 unstable, 1 stable</title>" in page
    assert '<p class="complaint">a gate</p>' in page
    assert "virtual time: 1 of 2 holds stable, 1 unstable; nothing is known beyond 120 s" in page


def test_both_ends_of_the_connection(page):
    """Each timeline that is held has a lane; the failure is told in parts."""
    (mute, _) = data(page)["holds"]

    assert [lane["end"] for lane in mute["lanes"]] == ["client", "server"]
    assert mute["lanes"][0]["age"] == 60
    assert mute["lanes"][0]["events"].startswith("VLKL")
    assert ["expected", "alive for 120 s"] in mute["facts"]
    assert mute["within"] == 25


def test_survival_and_round_trips(page):
    """One of two ended at 60 s: half is left to the longest look; round trips stand at their heartbeats."""
    charts = data(page)

    assert charts["survival"] == [[0, 60, 120], [1, 0.5, 0.5]]
    assert "1 of 2 connections ended unplanned; 50.0% were still up after 60 s" in page
    assert sorted(set(charts["rtts"][0])) == [25, 50, 75, 100]


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def test_hostile_text_is_text():
    """A close reason, a URL and a test's name come from others."""
    server = {"read_deadline": "30s", "deadline_reset_by": "ping", "on_deadline": 4000}
    held = result(HOSTILE.replace("::", ""), **server)

    page = html.render(run(held, complaints=(HOSTILE,), machine=HOSTILE))

    assert HOSTILE not in page
    assert "<img" not in page
    # The data, uPlot and our own.
    assert page.count("<script") == page.count("</script>") == 3


def test_secrets_are_masked():
    """In the facts too, which quote what peers and systems say."""
    import dataclasses

    held = result(client="mute")
    said = dataclasses.replace(held.verdict.violations[0], observed="GET /ws?token=s3cr3t failed")
    verdict = dataclasses.replace(held.verdict, violations=(said,))

    page = html.render(run(dataclasses.replace(held, verdict=verdict)))

    assert "s3cr3t" not in page
    assert "token=***" in page


def test_only_its_own_scripts_may_run(page):
    """The policy names the digest of each script and style, and nothing else."""
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in [*scripts, *styles]
    ]

    assert len(digests) == 3
    assert all(f"sha256-{digest}" in policy.replace("&#39;", "'") for digest in digests)
    assert policy.startswith("default-src &#39;none&#39;")
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_the_licence_of_uplot_goes_with_it(page):
    """Its text is in the file that carries its code."""
    assert "Permission is hereby granted, free of charge" in page
    assert "Leon Sorokin" in page


def test_nothing_was_held():
    """An empty run has an empty report."""
    page = html.render(run())

    assert "nothing was held" in page
    assert data(page) == {"holds": [], "survival": [[], []], "rtts": [[], []]}


def test_without_jinja2(monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(
        html.MissingExtra, match=r"^an HTML report needs jinja2: pip install 'pytest-wsstability\[report\]'$"
    ):
        html.render(run())
