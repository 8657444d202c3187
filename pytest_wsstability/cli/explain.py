"""`wsstability explain`: what a code at the end of a failure means."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from itertools import groupby

from ..core import site
from ..core.cause import Cause
from ..core.judge.verdict import Reason, Rule
from ..core.message.wrap import wrapped
from ..net.errors import OpeningStage
from ..report.colours import is_coloured, paint
from .exits import STABLE
from .output import add_output_options, columns, say_json

EPILOG = "exit: 0 explained, 2 no such code"

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_ENTRY = re.compile(r"^### (\S+)\n\n(.*?)\n(?=\n#|\Z)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
# A page and nothing else in brackets: without an address there is nothing to say about it.
_ASIDE = re.compile(r"\s\(\[[^\]]+\]\([\w-]+\.md[^)\s]*\)\)")
_NEAR = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What the FAQ says of a code.

    Attributes:
        code: as a failure names it.
        section: the heading that it stands under.
        text: its paragraphs, in Markdown.

    """

    code: str
    section: str
    text: str

    def paragraphs(self) -> list[str]:
        """The same as plain text, none of them broken into lines."""
        text = self.text if site.SITE else _ASIDE.sub("", self.text)
        return [each.replace("\n", " ") for each in _LINK.sub(_target, text).split("\n\n")]


def text() -> str:
    """The FAQ, which the page of the same name shows too."""
    return resources.files(__package__).joinpath("faq.md").read_text(encoding="utf-8")


def entries() -> dict[str, Entry]:
    """The entries of the FAQ by their codes."""
    # What stands before the first heading, then headings and what follows each by turns.
    _, *parts = _SECTION.split(text())
    return {
        code: Entry(code, section, told)
        for section, body in zip(parts[::2], parts[1::2], strict=True)
        for code, told in _ENTRY.findall(body)
    }


def words() -> dict[str, str]:
    """What each code stands for, in a few words."""
    return {member.code: member.value for kind in (Cause, Rule, Reason, OpeningStage) for member in kind}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    # The conversion refuses what is no code, naming its neighbours; the choices are for completion.
    parser.add_argument(
        "code",
        nargs="?",
        type=_code,
        choices=tuple(entries()),
        metavar="CODE",
        help="as a failure names it: ping-unanswered, rule-alive; without one, all are listed",
    )
    add_output_options(parser, json="one JSON object, nothing else")


def run(options: argparse.Namespace) -> int:
    """Explain one code, or list them all."""
    if options.json:
        told = [_told(entry) for entry in entries().values() if options.code in (None, entry.code)]
        say_json(told[0] if options.code else {"codes": told})
        return STABLE
    lines = _listed() if options.code is None else _explained(entries()[options.code])
    coloured = is_coloured(sys.stdout, options.color)
    for line, is_heading in lines:
        print(paint(line, ("bold",)) if coloured and is_heading else line)
    return STABLE


def _told(entry: Entry) -> dict[str, str]:
    return {
        "code": entry.code,
        "words": words()[entry.code],
        "section": entry.section,
        "text": "\n\n".join(entry.paragraphs()),
    }


def _explained(entry: Entry) -> Iterator[tuple[str, bool]]:
    """The lines that explain a code, and whether each is a heading."""
    yield f"{entry.code}: {words()[entry.code]}", True
    for paragraph in entry.paragraphs():
        yield "", False
        for line in textwrap.wrap(paragraph, columns(), break_long_words=False, break_on_hyphens=False):
            yield line, False


def _listed() -> Iterator[tuple[str, bool]]:
    """The lines that list all codes, and whether each is a heading."""
    told = words()
    for number, (section, group) in enumerate(groupby(entries().values(), lambda entry: entry.section)):
        if number:
            yield "", False
        yield section, True
        for entry in group:
            for line in wrapped(f"  {entry.code:<24}  {told[entry.code]}", columns()):
                yield line, False


def _code(given: str) -> str:
    """
    The code that is meant, however it is spelled.

    Raises:
        argparse.ArgumentTypeError: for one that there is not, with those that are near.

    """
    codes = tuple(entries())
    meant = given.strip().lower().replace("_", "-").replace(" ", "-")
    if meant in codes:
        return meant
    parts = [code for code in codes if f"-{meant}-" in f"-{code}-"]
    near = (parts + [code for code in get_close_matches(meant, codes) if code not in parts])[:_NEAR]
    nearest = f"; near it: {', '.join(near)}" if near else ""
    raise argparse.ArgumentTypeError(
        f"there is no code {given!r}{nearest}; wsstability explain without a code lists them all"
    )


def _target(link: re.Match[str]) -> str:
    """A link in plain text: a code is its own, a page has an address once there is a site."""
    named, target = link.groups()
    page, _, anchor = target.partition("#")
    if not page:
        return named if named == anchor or anchor not in entries() else f"{named} ({anchor})"
    return f"{named} ({site.page(page.removesuffix('.md'), anchor)})" if site.SITE else named
