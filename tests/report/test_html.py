"""The HTML report as text; what it does in a browser is in tests/browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys

import pytest

from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report import html
from pytest_wsstability.report.extras import MissingExtra
from pytest_wsstability.report.reading import merged
from tests.report.held import result, run
from tests.report.made import cut, good

pytest.importorskip("jinja2", reason="jinja2 is not installed")


def data(page: str):
    """What the page's script works on."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


@pytest.fixture(scope="module")
def page():
    return html.render(run(result("test_stable"), result("test_mute", client="mute"), complaints=("a gate",)))


def groups(page: str):
    """Verdict, cause and count of each group, with the names and the holds below it."""
    found = []
    for body in re.findall(r"<tbody[^>]*>\s*<tr class=\"group\">.*?</tbody>", page, re.DOTALL):
        plain = body.replace("<wbr>", "")
        (verdict,) = re.findall(r'<b class="verdict \w+">([^<]*)</b>', plain)
        cause = "".join(re.findall(r'<span class="why">([^<]*)</span>', plain))
        (count,) = re.findall(r'<span class="count">([^<]*)</span>', plain)
        rows = re.findall(r'aria-expanded="false">([^<]*)</button>.*?Held">([^<]*)<', plain, re.DOTALL)
        found.append((verdict, cause, count, rows))
    return found


def test_a_row_for_each_hold_below_its_cause(page):
    """The worst first, with what was held of what was required."""
    assert groups(page) == [
        (
            "UNSTABLE", "pongs withheld, pong-only read deadline 60 s", "1 hold",
            [("test_mute", "60/120 s")],
        ),
        ("stable", "", "1 hold", [("test_stable", "120/120 s")]),
    ]  # fmt: skip
    assert "<title>WebSocket stability: 1 unstable, 1 stable</title>" in page
    assert '<p class="complaint">✗ a gate</p>' in page
    assert "1 of 2 holds stable, 1 unstable; watched for 120 s at most" in page


def test_both_ends_of_the_connection(page):
    """Each timeline that is held has a lane, with its clock's offset and its close code."""
    (mute, _) = data(page)["holds"]

    assert [(lane["end"], lane["offset"], lane["close"]) for lane in mute["lanes"]] == [
        ("client", 0, "1006"), ("server", 0, "1006")
    ]  # fmt: skip
    assert mute["lanes"][0]["age"] == 60
    assert mute["lanes"][0]["events"].startswith("VLKL")
    assert ["expected", "alive for 120 s"] in mute["facts"]
    assert mute["within"] == 25


def test_the_cause_comes_before_what_was_promised(page):
    """Whoever opens a hold reads why, who, and what to change first."""
    (mute, stable) = data(page)["holds"]

    assert [name for name, _ in mute["facts"][:4]] == ["likely", "blame", "fix", "expected"]
    assert mute["blame"] == "client"
    assert stable["blame"] is None
    assert ["test", "tests/test_voice.py:7"] in mute["facts"]


def test_survival_and_round_trips(page):
    """One of two ended at 60 s: half is left to the longest look; round trips stand at their heartbeats."""
    ((ages, shares, low, high),) = [each["survival"] for each in data(page)["charts"]]
    ((at, took, holds),) = [each["rtts"] for each in data(page)["charts"]]

    assert (ages, shares) == ([0, 60, 120], [1, 0.5, 0.5])
    assert all(least <= share <= most for least, share, most in zip(low, shares, high, strict=True))
    assert re.search(
        r"1 of 2 connections ended unplanned; 50.0% were still up after 60 s \(\d+% to \d+%\)", page
    )
    assert sorted(set(at)) == [25, 50, 75, 100]
    assert set(holds) == {0, 1}
    assert len(took) == 6


def test_real_and_virtual_time_are_apart():
    """Each has its charts, its totals and its table: 24 virtual hours and 3 real seconds share no axis."""
    real = cut(tier=Tier.REAL, nodeid="t.py::test_real")
    page = html.render(run(real, good(nodeid="t.py::test_virtual")))

    assert re.findall(r"<h2>(\w+ time)", page) == ["Real time", "Virtual time"]
    assert [each["survival"][0][-1] for each in data(page)["charts"]] == [60, 120]
    assert page.count("<table") == 2


def test_the_target_is_said_once():
    """Where all holds of a tier had the same one; else beside each."""
    one = html.render(run(good(nodeid="t.py::a"), good(nodeid="t.py::b"))).replace("<wbr>", "")
    two = html.render(run(good(nodeid="t.py::a"), good(nodeid="t.py::b", url="ws://other/"))).replace(
        "<wbr>", ""
    )

    assert one.count("wss://staging.example/ws") == 1
    assert "t.py · ws://other/" in two


def test_names_may_be_broken_between_their_words_only(page):
    """Behind what joins words: a browser takes <wbr> for it."""
    assert ">test_<wbr>mute</button>" in page


def test_a_hold_has_the_same_address_in_each_report_of_the_run():
    """In whatever order the results are rendered; two holds of one test have two."""
    held = [cut(nodeid="t.py::a"), good(nodeid="t.py::b"), cut(nodeid="t.py::a")]

    def addresses(page):
        return re.findall(r'<tr id="(hold-\w+)"', page)

    assert len(set(addresses(html.render(run(*held))))) == 3
    assert set(addresses(html.render(run(*held)))) == set(addresses(html.render(run(*reversed(held)))))


def test_many_holds_are_folded_below_their_causes():
    """300 rows are no overview; ten causes are."""
    many = html.render(run(*(cut(nodeid=f"t.py::test_{number}") for number in range(300))))
    few = html.render(run(*(cut(nodeid=f"t.py::test_{number}") for number in range(20))))

    assert '<table class="holds folded">' in many
    assert "300 holds</span>" in many
    assert '<table class="holds">' in few


def test_several_nights():
    """A trend for each test: verdicts, round trips and missed heartbeats, the failing ones first."""
    nights = [
        run(good(nodeid="t.py::test_a"), good(nodeid="t.py::test_b"), started="2026-11-24T02:00:00Z"),
        run(good(nodeid="t.py::test_a"), started="2026-11-25T02:00:00Z"),
        run(good(nodeid="t.py::test_a"), cut(nodeid="t.py::test_b"), started="2026-11-26T02:00:00Z"),
    ]
    page = html.render(merged(nights)).replace("<wbr>", "")
    rows = re.findall(r'<th scope="row">(\w+)<small>t.py</small></th>\s*<td[^>]*>(.*?)</td>', page, re.DOTALL)

    assert "<h2>3 runs</h2>" in page
    assert "Verdicts, 2026-11-24 02:00 to 2026-11-26 02:00" in page
    assert [(test, "".join(re.findall(r">([✓✗?·])<", signs))) for test, signs in rows] == [
        ("test_b", "✓·✗"), ("test_a", "✓✓✓")
    ]  # fmt: skip
    assert 'title="2026-11-26T02:00:00Z: unstable, 1006 at 60 s of 120 s: ' in page
    assert 'title="2026-11-25T02:00:00Z: not run"' in page
    assert '<path d="M0.0 2.0L50.0 2.0L100.0 2.0"/>' in page


def test_one_run_has_no_trend(page):
    """A line needs two points."""
    assert 'class="trends"' not in page


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
    assert data(page) == {"holds": [], "charts": []}


def test_without_jinja2(monkeypatch):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(
        MissingExtra, match=r"^an HTML report needs jinja2: pip install 'pytest-wsstability\[report\]'$"
    ):
        html.render(run())
