"""The summary at the end of a run."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.judge.verdict import Note, Noted
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.terminal import is_quiet, summary
from tests.report.made import BEATS, cut, doubtful, expected, good, hostile, result, run


def text(made, **options):
    return "\n".join(line.text for line in summary(made, **options))


def test_the_worst_first_under_its_target():
    """Verdict, held, heartbeats, round trips, close, test; the cause below; the horizon last."""
    made = run(good(tier=Tier.REAL, nodeid="t.py::ok"), cut(tier=Tier.REAL, nodeid="t.py::red"))

    assert text(made) == "\n".join(
        [
            "real time, wss://staging.example/ws",
            "  verdict        held  heartbeats  rtt p50      p95     max  close  test",
            "  UNSTABLE   60/120 s         2/2  too few  too few  100 ms   1006  t.py::red",
            "    cause: 1006 at 60 s of 120 s: no close frame received or sent; FIN",
            "  stable    120/120 s         4/4  too few  too few  100 ms      -  t.py::ok",
            "real time: 1 of 2 holds stable, 1 unstable; watched for 120 s at most",
        ]
    )


def test_a_green_virtual_run_is_one_line():
    """Nobody needs a table of what took no time and went well."""
    made = run(good(), good(), expected(cut()))

    assert is_quiet(made)
    assert text(made) == (
        "virtual time: 2 of 2 holds stable, 1 ended as the test expected; watched for 120 s at most"
    )


def test_many_that_ended_together():
    """It is said once, below the totals, and not left to who reads all rows."""
    *_, last = text(run(*[cut(tier=Tier.REAL)] * 3)).splitlines()

    assert last == "3 of 3 connections ended within 0 s, 60 s after the start"


@pytest.mark.parametrize("made", [good(tier=Tier.REAL), cut(), doubtful()])
def test_what_makes_it_speak(made):
    """Real time was spent, or something failed."""
    assert not is_quiet(run(good(), made))


def test_a_stable_hold_whose_heartbeats_stopped_has_its_row():
    """Nothing requires them, so that it is no failure: who reads the summary should know."""
    made = good()
    note = Note(Noted.STOPPED, 60.0, "none was answered after 60 s")
    odd = dataclasses.replace(made, nodeid="odd", verdict=dataclasses.replace(made.verdict, notes=(note,)))

    assert not is_quiet(run(made, odd))
    assert "odd" in text(run(made, odd))


def test_a_stable_hold_whose_peer_said_why_nothing_comes_has_its_row():
    """A message that was the last one says that a token has expired: who reads the summary should know."""
    odd = result(*BEATS[:2], (31, "<feed", "JWT expired"), *BEATS[2:], until=120, nodeid="odd")
    made = run(good(nodeid="ok"), odd)

    assert not is_quiet(made)
    assert [name for name in ("odd", "ok") if f"  {name}" in text(made)] == ["odd"]
    assert "note: a last message: the server said 'JWT expired' at 31 s" in text(made)


def test_a_failure_in_virtual_time_has_its_row_and_the_stable_ones_have_none():
    """Unless everything is asked for."""
    made = run(good(nodeid="ok"), cut(nodeid="red"), expected(cut(nodeid="asked")))

    assert [name for name in ("red", "ok", "asked") if f"  {name}" in text(made)] == ["red"]
    assert all(f"  {name}" in text(made, everything=True) for name in ("red", "ok", "asked"))


def test_tiers_are_never_mixed():
    """A table and a line of totals each."""
    lines = text(run(cut(tier=Tier.REAL), good(), cut())).splitlines()

    assert [line for line in lines if line.startswith(("real time:", "virtual time:"))] == [
        "real time: 0 of 1 holds stable, 1 unstable; watched for 60 s at most",
        "virtual time: 1 of 2 holds stable, 1 unstable; watched for 120 s at most",
    ]


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_longer_than_the_terminal_or_than_100_columns(width):
    """Long names lose their beginning, long causes their end; the numbers stay."""
    made = run(
        hostile(tier=Tier.REAL, url=f"wss://{'very-' * 30}long.example/"),
        good(tier=Tier.REAL, nodeid=f"tests/{'deep/' * 40}test_it.py::test_it"),
        doubtful(),
    )
    # Below 72 columns, the numbers alone are wider.
    limit = min(max(width, 72), 100)

    assert max(len(line.text) for line in summary(made, width=width)) <= limit
    assert "test_it.py::test_it" in text(made, width=width)


def test_five_hundred_holds_are_summed_up():
    """The worst of them have rows."""
    made = run(
        *(good(tier=Tier.REAL, nodeid=f"ok{n}") for n in range(500)), cut(tier=Tier.REAL, nodeid="red")
    )
    lines = text(made).splitlines()

    assert len(lines) < 60
    assert any("red" in line for line in lines)
    assert "  and 461 more" in lines


def test_more_failures_than_a_screen_has_are_told_by_their_causes():
    """The largest first, with some of their tests and how many more there are."""
    many = [cut(tier=Tier.REAL, nodeid=f"t.py::test_{number:03}") for number in range(300)]
    made = run(*many, doubtful(tier=Tier.REAL, nodeid="t.py::test_other"), good(tier=Tier.REAL))

    assert text(made, width=80) == "\n".join(
        [
            "real time, wss://staging.example/ws",
            "  300 of 302  UNSTABLE: 1006 at 60 s of 120 s: no close frame received or sent;",
            "              FIN",
            "    t.py::test_000",
            "    t.py::test_001",
            "    t.py::test_002",
            "    and 297 more",
            "    1 of 302  INCONCLUSIVE: watched 40 s of 120 s: it is still open",
            "    t.py::test_other",
            "    1 of 302  stable",
            "real time: 1 of 302 holds stable, 300 unstable, 1 inconclusive",
            "watched for 120 s at most",
            "300 of 302 connections ended within 0 s, 60 s after the start",
        ]
    )


@pytest.mark.parametrize(
    ("targets", "head", "rest"),
    [
        (["wss://eu.example/ws", "wss://us.example/ws"], "wss://*.example/ws", ["eu", "us"]),
        (["ws://127.0.0.1:49152/", "ws://127.0.0.1:49153/"], "ws://127.0.0.1:*/", ["49152", "49153"]),
        (["wss://a.example/voice", "wss://a.example/video"], "wss://a.example/*", ["voice", "video"]),
        (["wss://a.example/", "wss://a.example/ws"], "wss://a.example/*", ["wss://a.example/", "ws"]),
    ],
)
def test_several_targets_stand_in_one_table(targets, head, rest):
    """Each test says what of its target is its own; what they share stands above."""
    rows = [good(tier=Tier.REAL, nodeid=f"t{n}", url=url) for n, url in enumerate(targets)]
    lines = text(run(*rows)).splitlines()

    assert lines[0] == f"real time, {head}"
    assert [line.rpartition(" at ")[2] for line in lines[2:4]] == rest


def test_complaints_come_last_and_are_red():
    """Gates and regressions, as people know them from coverage thresholds."""
    *_, last = summary(run(good(), complaints=("ws_fail_on unstable > 0: 1 of 2 holds",)))

    assert (last.text, last.colour) == ("✗ ws_fail_on unstable > 0: 1 of 2 holds", "red")


def test_gates_that_hold_come_before_and_are_green():
    """With their values."""
    made = dataclasses.replace(run(good()), passed=("ws_fail_on unstable > 0: 0 of 2 holds",))
    *_, last = summary(made)

    assert (last.text, last.colour) == ("✓ ws_fail_on unstable > 0: 0 of 2 holds", "green")


def test_colours_follow_the_verdict():
    """Through pytest's own writer, which knows whether there are any."""
    rows = summary(run(good(tier=Tier.REAL), cut(tier=Tier.REAL), doubtful(tier=Tier.REAL)))

    assert {line.text.split()[0]: line.colour for line in rows if line.colour} == {
        "stable": "green", "UNSTABLE": "red", "INCONCLUSIVE": "yellow", "cause:": "yellow",
    }  # fmt: skip


def test_hostile_texts_are_harmless():
    """No escape sequence reaches the terminal, and no line starts that is not ours."""
    shown = text(run(hostile()))

    assert "\x1b" not in shown
    assert not any(line.startswith("::") for line in shown.splitlines())


@pytest.mark.parametrize(("count", "more"), [(40, []), (41, ["  and 1 more"])])
def test_forty_rows_are_shown(count, more):
    made = run(*(good(tier=Tier.REAL, nodeid=f"t.py::{number:02}") for number in range(count)))
    lines = text(made).splitlines()

    assert sum("t.py::" in line for line in lines) == 40
    assert [line for line in lines if line.endswith(" more")] == more


@pytest.mark.parametrize(("count", "rows"), [(15, 15), (16, 0)])
def test_a_screen_of_failures_has_a_row_for_each(count, rows):
    """More of them are told by their causes."""
    made = run(*(cut(tier=Tier.REAL, nodeid=f"t.py::{number:02}") for number in range(count)))

    assert sum(line.startswith("  UNSTABLE ") for line in text(made).splitlines()) == rows


@pytest.mark.parametrize("width", [72, 80, 100])
def test_a_long_target_loses_its_end(width):
    url = f"wss://{'very-' * 30}long.example/"
    first, *_ = text(run(cut(tier=Tier.REAL, url=url)), width=width).splitlines()

    assert first == f"real time, {url}"[: width - 3] + "..."
