"""`wsstability explain`: what a code at the end of a failure means, or a close code."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from itertools import groupby

from ..core import site
from ..core.cause import Cause
from ..core.judge.verdict import Reason, Rule
from ..core.message.wrap import wrapped
from ..core.timeline.close import CLOSE_CODES, OF_APPLICATIONS, CloseCode, describe_code
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
_NOT_WHY = (
    "A close code says what happened, and not why: each has many causes. A failure names its cause, by a "
    "code of its own (`read on`); without a test, wsstability hold URL --for 2m looks for it."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What there is to say of a code.

    Attributes:
        code: as a failure names it.
        words: what it stands for.
        section: the heading that it stands under.
        text: its paragraphs, in Markdown.

    """

    code: str
    words: str
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
    known = words()
    return {
        code: Entry(code, known[code], section, told)
        for section, body in zip(parts[::2], parts[1::2], strict=True)
        for code, told in _ENTRY.findall(body)
    }


def words() -> dict[str, str]:
    """What each code stands for, in a few words."""
    return {member.code: member.value for kind in (Cause, Rule, Reason, OpeningStage) for member in kind}


def close_codes() -> dict[str, Entry]:
    """The close codes of RFC 6455 and IANA, by their numbers."""
    return {str(code): _of_close(each) for code, each in CLOSE_CODES.items()}


def _of_close(code: CloseCode) -> Entry:
    sent = (
        f"Who usually sends it: {code.sender}."
        if code.on_the_wire
        else "Nobody sends it: the end that sees this makes it up."
    )
    told = f"{code.meaning[0].upper()}{code.meaning[1:]}. {sent}"
    return Entry(str(code.code), code.name, "Close codes", f"{told}\n\n{_NOT_WHY}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    # The conversion refuses what is no code, naming its neighbours; the choices are for completion.
    parser.add_argument(
        "code",
        nargs="?",
        type=_code,
        choices=(*entries(), *close_codes()),
        metavar="CODE",
        help="as a failure names it: ping-unanswered, rule-alive, 1006; without one, all are listed",
    )
    add_output_options(parser, json="one JSON object, nothing else")


def run(options: argparse.Namespace) -> int:
    """Explain one code, or list them all."""
    known = {**entries(), **close_codes()}
    if options.json:
        told = [_told(entry) for entry in known.values() if options.code in (None, entry.code)]
        say_json(told[0] if options.code else {"codes": told})
        return STABLE
    lines = _listed(known) if options.code is None else _explained(known[options.code])
    coloured = is_coloured(sys.stdout, options.color)
    for line, is_heading in lines:
        print(paint(line, ("bold",)) if coloured and is_heading else line)
    return STABLE


def _told(entry: Entry) -> dict[str, str]:
    return {
        "code": entry.code,
        "words": entry.words,
        "section": entry.section,
        "text": "\n\n".join(entry.paragraphs()),
    }


def _explained(entry: Entry) -> Iterator[tuple[str, bool]]:
    """The lines that explain a code, and whether each is a heading."""
    yield f"{entry.code}: {entry.words}", True
    for paragraph in entry.paragraphs():
        yield "", False
        for line in textwrap.wrap(paragraph, columns(), break_long_words=False, break_on_hyphens=False):
            yield line, False


def _listed(known: Mapping[str, Entry]) -> Iterator[tuple[str, bool]]:
    """The lines that list all codes, and whether each is a heading."""
    for number, (section, group) in enumerate(groupby(known.values(), lambda entry: entry.section)):
        if number:
            yield "", False
        yield section, True
        for entry in group:
            for line in wrapped(f"  {entry.code:<24}  {entry.words}", columns()):
                yield line, False


def _code(given: str) -> str:
    """
    The code that is meant, however it is spelled.

    Raises:
        argparse.ArgumentTypeError: for one that there is not, with those that are near.

    """
    codes = (*entries(), *close_codes())
    meant = given.strip().lower().replace("_", "-").replace(" ", "-")
    if meant in codes:
        return meant
    if meant.isdigit() and int(meant) in OF_APPLICATIONS:
        known = describe_code(int(meant))
        raise argparse.ArgumentTypeError(
            f"close code {known}: the application or its library says what it means"
        )
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
