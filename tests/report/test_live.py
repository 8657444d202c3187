"""Lines that are written over: what a terminal shows in the end."""

from __future__ import annotations

import io
import re

import pytest

from pytest_wsstability.report.live import LiveBlock


class Screen(io.StringIO):
    """A terminal that understands what the block sends."""

    def rows(self) -> list[str]:
        """What stands on the screen; the row of the cursor is cut at the cursor."""
        rows, row, column = [""], 0, 0
        for token in re.findall(r"\x1b\[\d*[A-Z]|.|\n", self.getvalue(), re.DOTALL):
            if token == "\n":
                row, column = row + 1, 0
                rows += [""] * (row + 1 - len(rows))
            elif token == "\r":
                column = 0
            elif token.endswith("A") and token[0] == "\x1b":
                row -= int(token[2:-1])
                assert row >= 0
            elif token.endswith("C") and token[0] == "\x1b":
                column += int(token[2:-1])
            elif token == "\x1b[J":
                rows[row:] = [rows[row][:column]]
            else:
                rows[row] = rows[row][:column].ljust(column) + token + rows[row][column + 1 :]
                column += 1
        return rows


def plain(*lines):
    """Rows of one piece without a style."""
    return [((line, ()),) for line in lines]


@pytest.mark.parametrize("before", ["", "test_it.py ..", "a line\n", "a line\ntest_it.py F"])
def test_erased_it_leaves_no_trace(before):
    """The cursor is back where it was, and what comes next follows it."""
    screen, block = Screen(), LiveBlock()
    screen.write(before)
    column = len(before.rpartition("\n")[2])

    block.draw(screen, plain("one", "two"), width=80, column=column)
    assert screen.rows()[-2:] == ["one", "two"]
    block.draw(screen, plain("a much longer line"), width=80, column=column)
    block.draw(screen, plain("three", "four", "five"), width=80, column=column)
    assert screen.rows()[-3:] == ["three", "four", "five"]
    block.erase(screen)
    block.erase(screen)
    screen.write(".")

    # A terminal that scrolled for the block has empty rows below.
    assert "\n".join(screen.rows()).rstrip("\n") == f"{before}."
    assert not block.shown


def test_lines_never_wrap():
    """What wraps cannot be erased."""
    screen = Screen()

    LiveBlock().draw(screen, plain("x" * 100), width=20)

    assert screen.rows() == ["x" * 19]


def test_names_cannot_move_the_cursor():
    """A test id may hold anything."""
    screen = Screen()

    LiveBlock().draw(screen, plain("test_it[\x1b[2J\n]"), width=80)

    assert screen.rows() == ["test_it[?[2J?]"]


def test_what_the_terminal_cannot_show():
    """An old code page gets question marks, and no traceback."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")

    LiveBlock().draw(stream, plain("test_grüße"), width=80)

    assert raw.getvalue() == b"test_gr??e"


@pytest.mark.parametrize(
    ("coloured", "written"),
    [(True, "\x1b[31;1m!2\x1b[0m  \x1b[2mtest_\x1b[0m"), (False, "!2  test_")],
)
def test_styles_take_no_room(coloured, written):
    """A row is cut by what is seen of it, and a style ends where its piece does."""
    screen = Screen()
    row = (("!2", ("red", "bold")), ("  ", ()), ("test_it", ("light",)), ("gone", ("red",)))

    LiveBlock().draw(screen, [row], width=10, coloured=coloured)

    assert screen.getvalue() == written
