"""docs/faults.md lists every fault as the code has it."""

import re
from pathlib import Path

import pytest

from pytest_wsstability.core.faults import FAULTS, Place

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "faults.md"
_HEAD = "| fault | does |\n|---|---|\n"


def table(place: Place) -> str:
    """A row for each fault of a place: how it is made, and the sentence of its docstring."""
    rows = [
        f"| `{fault.example().removeprefix('faults.')}` | {sentence(fault)} |"
        for fault in FAULTS.values()
        if fault.place is place
    ]
    return _HEAD + "\n".join(rows) + "\n"


def sentence(fault) -> str:
    """The first paragraph, in one line."""
    return " ".join(fault.__doc__.strip().split("\n\n")[0].split()).replace("|", "\\|")


@pytest.mark.parametrize("place", Place)
def test_page_has_the_table(place):
    """`python -m tests.core.faults.test_page` writes it anew."""
    assert table(place) in PAGE.read_text()


def test_code_on_the_page_names_what_there_is():
    """Each `faults.Name` of the text exists."""
    names = set(re.findall(r"faults\.([A-Z]\w+)", PAGE.read_text())) - {"Program"}

    assert names
    assert names <= {fault.__name__ for fault in FAULTS.values()}


def write_page() -> None:
    """Put today's tables into the page."""
    parts = PAGE.read_text().split(_HEAD)
    assert len(parts) == 3
    tails = [part[part.index("\n## ") :] for part in parts[1:]]
    PAGE.write_text(parts[0] + table(Place.LINK) + tails[0] + table(Place.PEER) + tails[1])


if __name__ == "__main__":
    write_page()
