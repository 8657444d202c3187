"""How the commands tell a verdict: broken between words and in colour where somebody looks."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import pytest

from pytest_wsstability import cli
from pytest_wsstability.cli.reports import ReportFiles
from pytest_wsstability.cli.verdicts import say_message, style_of
from pytest_wsstability.core.judge.verdict import Note, Noted, Outcome
from pytest_wsstability.report import json_file
from tests.cli.command import Terminal
from tests.cli.test_cli import NOBODY
from tests.report.made import cut, good
from tests.report.made import run as run_of

pytestmark = pytest.mark.real

RED = "\x1b[31;1m"
MESSAGE = (
    "pings not answered (1006 at 60 s of 120 s)\n  fix       answer ping frames with pong frames \x1b[2J"
)


@pytest.fixture
def printed(monkeypatch):
    """What is written on a terminal of 40 columns that has colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")

    def printer(color="auto"):
        # pytest puts its own stream in place before each phase of a test.
        monkeypatch.setattr(sys, "stdout", stream := Terminal())
        say_message(MESSAGE, argparse.Namespace(color=color), ("red", "bold"))
        return stream.getvalue()

    return printer


def test_on_a_terminal(printed):
    """Lines as long as it is wide, in colour; what would move its cursor is escaped."""
    assert printed().splitlines() == [
        f"{RED}pings not answered (1006 at 60 s of\x1b[0m",
        f"{RED}    120 s)\x1b[0m",
        "\x1b[32m  fix       answer ping frames with pong\x1b[0m",
        "\x1b[32m            frames \\x1b[2J\x1b[0m",
    ]


def test_advice_names_the_options_of_the_commands(capsys):
    """Those of pytest have a prefix; what is a part of a URL is none."""
    text = "unstable: wss://a--ws-b/--ws-c\n  fix       see the profile (--ws-profile), or --ws-ca FILE"

    say_message(text, argparse.Namespace(color="no"), ())

    assert capsys.readouterr().out == (
        "unstable: wss://a--ws-b/--ws-c\n  fix       see the profile (--profile), or --ca FILE\n"
    )


def test_advice_in_a_report_names_them_too(tmp_path):
    """As deep as it stands, and in no timeline."""
    verdict = replace(cut().verdict, notes=(Note(Noted.PROOF, 0.0, "see --ws-ca FILE"),))

    ReportFiles([str(tmp_path / "run.json")]).write(replace(cut(), verdict=verdict))

    report = (tmp_path / "run.json").read_text()
    assert "see --ca FILE" in report
    assert "--ws-" not in report


@pytest.mark.parametrize("how", ["option", "variable"])
def test_without_colour(printed, monkeypatch, how):
    """The option, or NO_COLOR; lines are broken all the same."""
    if how == "variable":
        monkeypatch.setenv("NO_COLOR", "1")

    assert printed("no" if how == "option" else "auto").splitlines() == [
        "pings not answered (1006 at 60 s of", "    120 s)",
        "  fix       answer ping frames with pong", "            frames \\x1b[2J",
    ]  # fmt: skip


@pytest.mark.parametrize(("color", "first"), [("auto", ""), ("no", ""), ("yes", RED)])
def test_in_a_pipe_lines_are_whole(capsys, color, first):
    """Other programs read them."""
    say_message(MESSAGE, argparse.Namespace(color=color), ("red", "bold"))

    line, *_ = capsys.readouterr().out.splitlines()
    assert line == f"{first}pings not answered (1006 at 60 s of 120 s){first and chr(27) + '[0m'}"


@pytest.mark.parametrize(
    ("outcome", "colour"),
    [(Outcome.STABLE, "green"), (Outcome.UNSTABLE, "red"), (Outcome.INCONCLUSIVE, "yellow")],
)
def test_a_verdict_has_its_colour(outcome, colour):
    """As in the table of a run of pytest."""
    assert style_of(outcome) == (colour, "bold")


@pytest.mark.parametrize(
    "command",
    [
        ["hold", NOBODY],
        ["probe", NOBODY],
        ["fleet", NOBODY, "--connections=1", "--for=1s"],
        ["report", "{file}"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_has_the_option(tmp_path, capsys, command):
    """That prints for people."""
    (tmp_path / "run.json").write_text(json_file.render(run_of(good())))
    words = [word.format(file=tmp_path / "run.json") for word in command]

    coloured, plain = (cli.main([*words, f"--color={color}"]) for color in ("yes", "no"))
    out = capsys.readouterr().out

    assert coloured == plain
    assert "\x1b[" in out
    assert "\x1b[" not in out.rpartition("\x1b[0m")[2]


def test_another_value_is_refused(capsys):
    """Naming the valid ones."""
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(["hold", NOBODY, "--color=always"])

    assert "invalid choice: 'always'" in capsys.readouterr().err
