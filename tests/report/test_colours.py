"""Which lines of a message are coloured how, and when."""

from __future__ import annotations

import io

import pytest

from pytest_wsstability.report.colours import is_coloured, paint, styled


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        # By no-color.org an empty value is none.
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_what_is_coloured(monkeypatch, environment, terminal, pipe):
    """A terminal that nobody speaks against; the option has the last word."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert is_coloured(Terminal()) is terminal
    assert is_coloured(io.StringIO()) is pipe
    assert is_coloured(io.StringIO(), "yes")
    assert not is_coloured(Terminal(), "no")


def test_what_hangs_below_a_line_has_its_colour():
    """The first sentence its own; a label the label's; what has no style none."""
    message = "\n".join(
        [
            "server stopped answering (1006 at 60 s of 120 s)",
            "  expected  alive for 120 s",
            "  observed  1006 at 60 s: no close frame received or sent; RST",
            "  client    ----=----X",
            "  fix       answer ping frames with pong frames",
        ]
    )

    assert list(styled(message, 44, ("red", "bold"))) == [
        ("server stopped answering (1006 at 60 s of", ("red", "bold")),
        ("    120 s)", ("red", "bold")),
        ("  expected  alive for 120 s", ("bold",)),
        ("  observed  1006 at 60 s: no close frame", ("red",)),
        ("            received or sent; RST", ("red",)),
        ("  client    ----=----X", ()),
        ("  fix       answer ping frames with pong", ("green",)),
        ("            frames", ("green",)),
    ]


def test_paint():
    """By ECMA-48; nothing around nothing."""
    assert paint("a", ("red", "bold")) == "\x1b[31;1ma\x1b[0m"
    assert (paint("a", ()), paint("", ("red",))) == ("a", "")
