"""The summary of a CI job."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.markdown import escape, render
from tests.report.made import HOSTILE, cut, doubtful, expected, fleet, good, hostile, run


def test_a_table_of_each_tier_and_the_failures_below():
    """The worst first, the whole story folded away."""
    text = render(run(good(tier=Tier.REAL), cut(tier=Tier.REAL), good()))

    assert text.startswith(
        "## WebSocket stability\n\n- **real time**: 1 of 2 holds stable, 1 unstable; watched"
    )
    assert "- **virtual time**: 1 of 1 holds stable; watched for 120 s at most\n" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == [
        "| verdict", "| UNSTABLE", "| stable", "| verdict", "| stable",
    ]  # fmt: skip
    assert all(row.count("|") == 5 for row in rows)
    assert "<details><summary>test_it.py::test_it: 1006 at 60 s of 120 s: no close frame" in text
    assert "    1006 at 60 s of 120 s" in text
    assert text.count("<details>") == text.count("</details>") == 1


def test_no_holds():
    """It says so."""
    assert "- no connection was held" in render(run())


def test_complaints():
    """Above the tables."""
    text = render(run(good(), complaints=("ws_fail_on rtt_p95 > 1ms: 3 ms",)))

    assert "- ❌ ws_fail_on rtt_p95 &#62; 1ms: 3 ms\n" in text


def test_expected_ends_are_no_failures():
    """They stand in the table, and are not told."""
    text = render(run(expected(cut())))

    assert "| expected |" in text
    assert "<details>" not in text


def test_hostile_texts_are_shown_as_they_are():
    """No markup, no link, no mention, no HTML; and a table stays a table."""
    text = render(run(hostile(), cut()))

    for dangerous in ("<script", "](http", "http://evil", "@all", "`|`"):
        outside = [line for line in text.splitlines() if not line.startswith("    ")]
        assert not any(dangerous in line for line in outside), dangerous
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(row.count("|") == 5 for row in rows)
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1006 at 60 s of 120 s", "1006 at 60 s of 120 s"),
        ("a\nb\r\n c", "a b c"),
        ("<b>", "&#60;b&#62;"),
        ("a|b", "a&#124;b"),
        ("[x](y)", "&#91;x&#93;(y)"),
        ("wss://x/", "wss&#58;//x/"),
        ("@me #1 `x` *y* ~z~ $w$", "&#64;me &#35;1 &#96;x&#96; &#42;y&#42; &#126;z&#126; &#36;w&#36;"),
    ],
)
def test_escape(text, expected):
    """What means something becomes a character reference."""
    assert escape(text) == expected


@pytest.mark.slow
def test_it_stays_under_the_limit_of_a_step():
    """GitHub refuses a summary of more than 1,024 KiB, and then shows nothing at all."""
    made = [cut(nodeid=f"test_it.py::test_it[{n}-{HOSTILE}]") for n in range(2000)]
    made += [doubtful(nodeid=f"d{n}") for n in range(500)]
    text = render(run(*made))

    assert len(text.encode()) < 500_000
    assert text.count("<details>") == 20
    assert "\nand 2480 more failures\n" in text
    assert "\nand 2300 more\n" in text


def test_a_fleet_shows_the_first_records_of_each_cause():
    """The others are in the JSON report."""
    made = fleet()
    (record,) = made.records
    many = [dataclasses.replace(record, number=number) for number in range(5)]
    stable = [dataclasses.replace(record, number=number, cause="") for number in (90, 91)]
    text = render(run(dataclasses.replace(made, records=(*many, *stable))))

    assert [line.strip() for line in text.splitlines() if "kept  " in line] == [
        *(f"kept      connection {number}, restart" for number in range(3)),
        *(f"kept      connection {number}, stable" for number in (90, 91)),
    ]
    assert text.count("    beats  ") == 5


def test_a_fleet_tells_its_whole_story():
    text = render(run(fleet()))

    assert (
        "| UNSTABLE | restart: 12 of 100 ended before 120 s | test_it.py::test_many | 88 of 100 for 120 s |"
        in text
    )
    assert "      events    12 ends in 1 event; design effect 12" in text
