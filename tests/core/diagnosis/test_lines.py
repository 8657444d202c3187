"""What a line of a server is, told by itself; what it makes of a diagnosis is in `test_server_lines`."""

import pytest

from pytest_wsstability.core.diagnosis.lines import LineKind, ServerLine, printed

STAMP = "2026-11-28 13:15:12,345 "


@pytest.mark.parametrize(
    ("text", "kind", "is_warning"),
    [
        ("KeyError: 'user'", LineKind.RAISED, True),
        (f"{STAMP}KeyError: 'user'", LineKind.RAISED, True),
        ("    | KeyError: 'user'", LineKind.RAISED, True),
        ("ERROR: no user", LineKind.SAID, True),
        (f"{STAMP}INFO no user", LineKind.SAID, False),
        ("KeyError: 'INFO'", LineKind.RAISED, True),
        ("no user", LineKind.SAID, True),
    ],
)
def test_what_a_process_printed(text, kind, is_warning):
    """An error that nobody caught, or a line that is as grave as its level says."""
    line = printed(1.0, text)

    assert (line.kind, line.is_warning) == (kind, is_warning)


@pytest.mark.parametrize(
    ("text", "message", "first"),
    [
        ("WARNING chat: no user", "no user", "WARNING chat: no user"),
        (f"{STAMP}no user\nbut three", "no user\nbut three", "no user"),
        ("  | KeyError: 'user'", "  | KeyError: 'user'", "KeyError: 'user'"),
        ("", "", ""),
    ],
)
def test_what_a_line_says(text, message, first):
    """Its words are read without what loggers put before them, and quoted without a second clock."""
    line = ServerLine(at=1.0, text=text)

    assert (line.message, line.first) == (message, first)
