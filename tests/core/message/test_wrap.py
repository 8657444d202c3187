"""Messages that fit a terminal."""

import time

import pytest

from pytest_wsstability.core.message.wrap import wrapped

LONG = "the server's 60 s read deadline, which only pongs reset, closed the connection"


@pytest.mark.parametrize(
    ("line", "width", "lines"),
    [
        ("short", 80, ["short"]),
        (f"  likely    {LONG}", 60, [
            "  likely    the server's 60 s read deadline, which only",
            "            pongs reset, closed the connection",
        ]),
        (f"    cause: {LONG}", 60, [
            "    cause: the server's 60 s read deadline, which only pongs",
            "           reset, closed the connection",
        ]),
        (f"pongs withheld: {LONG}", 60, [
            "pongs withheld: the server's 60 s read deadline, which only",
            "    pongs reset, closed the connection",
        ]),
        ("  fix       " + "x" * 80, 60, ["  fix", "            " + "x" * 80]),
        # Nothing is legible there.
        (f"  likely    {LONG}", 39, [f"  likely    {LONG}"]),
    ],
)  # fmt: skip
def test_lines_are_broken_between_words(line, width, lines):
    assert list(wrapped(line, width)) == lines


@pytest.mark.parametrize(
    "line",
    [
        "            0 s            15 s           30 s           45 s           60 s",
        "  client    =------------------------=----=-------------------=---------X",
        "    beats                            +                        +",
    ],
)
def test_drawings_are_never_broken(line):
    assert list(wrapped(line, 50)) == [line]


def test_a_line_of_spaces_is_looked_at_in_one_go():
    """As any other line: 100,000 of them took more than half a minute."""
    before = time.process_time()

    assert list(wrapped(f"  client{' ' * 100_000}here", 50)) == ["  client", "    here"]
    assert time.process_time() - before < 2


def test_a_legend_is_broken_between_its_signs():
    """A sign and its meaning stay together."""
    line = "            - silence   = bytes   X end   + answered   ! not answered"

    assert list(wrapped(line, 50)) == [
        "            - silence   = bytes   X end",
        "            + answered   ! not answered",
    ]
    assert list(wrapped(line, 70)) == [line]


def test_a_number_keeps_its_unit_and_an_end_its_name():
    """No line begins with a unit."""
    line = f"  evidence  {'x' * 28} 10 s after the last one [client end]"

    assert list(wrapped(line, 44)) == [
        f"  evidence  {'x' * 28}",
        "            10 s after the last one",
        "            [client end]",
    ]


def test_no_line_is_wider_than_the_terminal():
    """But for words that are."""
    text = "\n".join(f"  evidence  {LONG} {number}" for number in range(5))

    assert max(map(len, wrapped(text, 60))) <= 60
    assert [word for line in wrapped(text, 60) for word in line.split()] == text.split()
