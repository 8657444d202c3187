"""What people read: the pages, their links and anchors, and the blocks of code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# In the repository, by their paths from its root.
NAMES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in DOCS.glob("*.md")),
)
_FENCED = re.compile(
    r"^(?P<fence>`{3,})(?P<kind>\S*).*?\n(?P<text>.*?)^(?P=fence)\n", re.MULTILINE | re.DOTALL
)
_CODE = re.compile(r"`[^`\n]*`")
# [text](target) and ![text](target), and [name]: target.
_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    text: str
    line: int


def text_of(name: str) -> str:
    """A page as it is written."""
    return (ROOT / name).read_text()


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in _FENCED.finditer(text):
        yield Block(match["kind"], match["text"], text.count("\n", 0, match.start()) + 1)


def prose(text: str) -> str:
    """A page without its fenced blocks and without what stands in backticks."""
    return _CODE.sub("", _FENCED.sub("", text))


def links(text: str) -> list[str]:
    """Where a page leads."""
    return [target or named for target, named in _LINK.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """The places of a page that a link can name, as GitHub and MyST make them from headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.replace("`", ""))
        slug = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        name, number = slug, 0
        while name in found:
            number += 1
            name = f"{slug}-{number}"
        found.add(name)
    return found


def broken(text: str, folder: Path) -> list[str]:
    """The links of a page in a folder that lead nowhere; those to other hosts are not followed."""
    return [
        target
        for target in links(text)
        if not re.match(r"[a-z]+:", target) and not _leads(target, text, folder)
    ]


def _leads(target: str, text: str, folder: Path) -> bool:
    path, _, anchor = target.partition("#")
    file = folder / path
    if path and not file.exists():
        return False
    if not anchor:
        return True
    there = file.read_text() if path else text
    return anchor in anchors(there)
