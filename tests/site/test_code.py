"""Every block of Python of every page runs: here, in a page that is followed, or in a test of its own."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.against import inner
from tests.site.pages import NAMES, ROOT, blocks, text_of
from tests.site.scenario import PAGES, PROCESSES, names_a_file

# Pages whose blocks are no test files, and the tests that run them.
OWN = {
    "docs/api.md": "tests/test_public_names.py",
    "docs/first-hour.md": "tests/plugin/servers/test_first_hour.py",
    "docs/fleets.md": "tests/test_fleets_page.py",
    "docs/profiles.md": "tests/profiles/test_pages.py",
    "docs/write-your-own.md": "tests/test_write_your_own_page.py",
}


class Code(NamedTuple):
    """A block of a page."""

    page: str
    line: int
    text: str


ALONE = [
    Code(name, block.line, block.text)
    for name in NAMES
    if name not in OWN
    for block in blocks(text_of(name))
    if block.kind == "python" and not names_a_file(block.text)
]


@pytest.mark.parametrize("code", ALONE, ids=lambda code: f"{code.page}:{code.line}")
def test_a_block_without_a_name_is_a_test_file(pytester, monkeypatch, code):
    """It passes as it stands, in strict mode, without any setting."""
    inner.prepare(pytester, monkeypatch)
    pytester.makepyfile(test_block=code.text)

    assert set(inner.run(pytester).parseoutcomes()) == {"passed"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_with_named_files_is_followed(name):
    """Its commands run them."""
    python = [block.text for block in blocks(text_of(name)) if block.kind == "python"]
    if any(map(names_a_file, python)):
        assert name in {*PAGES, *PROCESSES}


@pytest.mark.parametrize(("page", "test"), OWN.items())
def test_a_page_with_a_test_of_its_own_has_it(page, test):
    """The file reads that page."""
    assert page.rpartition("/")[2] in (ROOT / test).read_text()


def test_blocks_are_found():
    """Those of the README, for one."""
    assert len([code for code in ALONE if code.page == "README.md"]) >= 3
