"""Annotations of GitHub Actions."""

from __future__ import annotations

from pytest_wsstability.report.github import CAP, error_commands
from tests.report.made import cut, expected, good, hostile, run


def test_one_line_a_failure():
    """At the test, with the cause; nothing for what is stable or was asked for."""
    assert list(error_commands(run(good(), cut(), expected(cut())))) == [
        "::error file=test_it.py,line=3,title=test_it.py%3A%3Atest_it::"
        "1006 at 60 s of 120 s: no close frame received or sent; FIN"
    ]


def test_paths_are_those_of_the_repository():
    """The tests' root directory may be a part of it."""
    (line,) = error_commands(run(cut()), "services/voice/")

    assert line.startswith("::error file=services/voice/test_it.py,line=3,")


def test_complaints():
    """They stand at no line."""
    assert list(error_commands(run(good(), complaints=("ws_fail_on unstable > 10%: 1 of 2",)))) == [
        "::error title=WebSocket stability::ws_fail_on unstable > 10%25: 1 of 2"
    ]


def test_hostile_texts_start_no_command():
    """The runner obeys whatever stands at the start of a line."""
    (line,) = error_commands(run(hostile()))
    properties = line.removeprefix("::error ").partition("::")[0]

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert [each.partition("=")[0] for each in properties.split(",")] == ["file", "line", "title"]
    assert "%250A" in line


def test_no_more_than_are_shown():
    """GitHub drops the eleventh without a word, so ours says it."""
    lines = list(error_commands(run(*[cut()] * 30)))

    assert len(lines) == CAP
    assert lines[-1] == "::error title=WebSocket stability::and 21 more failures"
    assert len(list(error_commands(run(*[cut()] * CAP)))) == CAP
