"""The table of causes in docs/voice.md, made from the rows: ``python -m tests.voice_page`` writes it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pytest_wsstability.core.voice.rows import ROWS

PAGE = Path(__file__).parent.parent / "docs/voice.md"
MARK = "<!-- causes -->\n"
_TABLE = re.compile(re.escape(MARK) + r"\n(?:\|.*\n)*")


def made() -> str:
    """The table."""
    lines = ["| cause | the record shows | who changes something | what |", "|---|---|---|---|"]
    lines += [f"| {row.cause.value} | {row.shows} | {row.blame.value} | {row.remedy} |" for row in ROWS]
    return "\n".join(lines) + "\n"


def renewed(text: str) -> str:
    """The page with the table as it is now."""
    return _TABLE.sub(lambda _: f"{MARK}\n{made()}", text)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name} is written\n")
