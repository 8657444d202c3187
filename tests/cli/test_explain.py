"""wsstability explain: what a code at the end of a failure means."""

from __future__ import annotations

import json
import re

import pytest

from pytest_wsstability import cli
from pytest_wsstability.cli.explain import close_codes, entries, text, words


@pytest.fixture
def explain(capsys):
    """Run the command in this process: ``status, stdout, stderr = explain("max-age")``."""

    def runner(*arguments):
        try:
            status = cli.main(["explain", *arguments])
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return runner


@pytest.fixture
def terminal(monkeypatch):
    """Standard output as a terminal of so many columns, without colour."""

    def set_width(columns):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")

    return set_width


def test_a_code(explain):
    """Its words, then what the FAQ says; in a pipe a paragraph is a line."""
    status, out, err = explain("half-open")

    assert (status, err) == (0, "")
    assert out == (
        "half-open: a dead path (half-open)\n"
        "\n"
        "Nothing comes any more, and nobody closed: a host that is gone, a network that is cut, a firewall "
        "that drops. Only a heartbeat or a ping notices. Look at the network first; where the kernel's view "
        "is not known (not Linux, virtual time), a frozen process looks the same.\n"
    )


@pytest.mark.parametrize("columns", [50, 80, 120])
@pytest.mark.parametrize("arguments", [(), ("half-open",)])
def test_it_fits_the_terminal(explain, terminal, columns, arguments):
    """Broken between words, and the lines are filled."""
    terminal(columns)
    _, out, _ = explain(*arguments)
    lengths = [len(line) for line in out.splitlines()]

    assert columns * 0.7 < max(lengths) <= columns


def test_the_list(explain):
    """Every code of the FAQ, under its heading, with its words."""
    _, out, _ = explain()

    assert re.findall(r"^  (\S+)  ", out, re.MULTILINE) == [*entries(), *close_codes()]
    assert "\nTimers\n  idle-timeout              an idle timeout\n" in out


ABNORMAL = "No close frame arrived. Nobody sends it: the end that sees this makes it up."
RESTART = "Reconnect after a moment. Who usually sends it: a server at shutdown."


@pytest.mark.parametrize(
    ("code", "told"),
    [("1006", f"abnormal closure\n\n{ABNORMAL}"), ("1012", f"service restart\n\n{RESTART}")],
)
def test_a_close_code(explain, code, told):
    """What people have in their hands who have no failure of ours yet: it says that the code is no cause."""
    status, out, _ = explain(code)

    assert (status, out.startswith(f"{code}: {told}\n\nA close code ")) == (0, True)
    assert out.endswith("wsstability hold URL --for 2m looks for it.\n")


@pytest.mark.parametrize(
    ("code", "whose"), [("3000", "3000 (registered by a library)"), ("4999", "4999 (private use)")]
)
def test_a_close_code_of_an_application(explain, code, whose):
    """It is not ours to explain."""
    status, _, err = explain(code)

    assert status == 2
    assert f"argument CODE: close code {whose}: the application or its library says what it means" in err


@pytest.mark.parametrize("spelled", ["rule-alive", "RULE_ALIVE", " Rule-Alive"])
def test_a_code_as_others_spell_it(explain, spelled):
    """As a program names a member of an enum, or as it was copied."""
    assert explain(spelled) == explain("rule-alive")


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("pings-unanswered", "; near it: ping-unanswered, heartbeat-unanswered;"),
        ("alive", "; near it: rule-alive;"),
        ("timeout", "; near it: idle-timeout, keepalive-timeout, engine-io-ping-timeout, opening-timeout;"),
        ("1016", "'1016'; near it: 1015, 1014, 1013; wsstability explain without a code lists them all"),
        ("", "''; wsstability explain without a code lists them all"),
    ],
)
def test_no_such_code(explain, given, near):
    """Usage: those that have it as a word, then those that are spelled alike; never all of them."""
    status, out, err = explain(given)

    assert (status, out) == (2, "")
    assert f"argument CODE: there is no code {given!r}" in err
    assert near in err
    assert len(err) < 300


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("", "or assert how the client comes back."),
        ("https://docs.example/", "comes back (reconnects (https://docs.example/reconnects.html))."),
    ],
)
def test_links_to_pages(explain, monkeypatch, site, expected):
    """They have an address where there is a site; else nothing is said of them."""
    monkeypatch.setattr("pytest_wsstability.core.site.SITE", site)

    assert expected in explain("injected-fault")[1]


def test_links_to_codes(explain):
    """The code can be copied."""
    assert "The machine slept during the hold. As machine-slept." in explain("doubt-suspended")[1]


@pytest.mark.parametrize("site", ["", "https://docs.example/"])
def test_nothing_of_the_markup_is_left(monkeypatch, site):
    """No entry shows a link's brackets, a file of the repository, or a heading."""
    monkeypatch.setattr("pytest_wsstability.core.site.SITE", site)
    shown = {entry.code: "\n".join(entry.paragraphs()) for entry in entries().values()}

    assert [code for code, told in shown.items() if re.search(r"\]\(|\.md\b|^#| [.,;]", told)] == []
    assert sum(len(told) for told in shown.values()) > len(text()) * 0.6


def test_json(explain):
    """One object of one code, or of all."""
    one, every = (json.loads(explain(*arguments, "--json")[1]) for arguments in (["max-age"], []))

    assert one["code"], one["words"] == ("max-age", "a maximum age")
    assert one["section"] == "Timers"
    assert one["text"].startswith("Connections end at this age")
    assert one in every["codes"]
    assert len(every["codes"]) == len(words()) + len(close_codes())


def test_a_duration_is_not_explained_where_there_is_none(explain):
    """The help of this command is about codes."""
    status, out, _ = explain("--help")

    assert status == 0
    assert "exit: 0 explained, 2 no such code" in out
    assert "DURATION" not in out
