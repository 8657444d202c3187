"""
Pages that run: their files, their commands, and the failures that these print.

A block of code whose first line is a comment with a file's name is written to that file; each line of a
block ``sh`` that calls pytest (or builds a program with Go) is run, and has to pass unless a failure is shown
below it.
``python -m tests.site.scenario`` runs the pages and writes the failures anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.site.pages import ROOT, text_of

# In the order in which they are read; those of the second kind need processes of their own, in real time.
PAGES = (
    "docs/reading-a-failure.md",
    "docs/hooks.md",
    "docs/voice.md",
    "docs/middleboxes.md",
    "docs/from-sleep.md",
    "docs/nginx.md",
    "docs/tokens.md",
    "docs/tutorial-fastapi.md",
    "docs/tutorial-aiohttp.md",
    "docs/tutorial-socketio.md",
    "docs/tutorial-protocols.md",
    "docs/tutorial-client.md",
    "docs/tutorial-proxy.md",
)
PROCESSES = ("docs/tutorial-channels.md", "docs/tutorial-node.md", "docs/tutorial-go.md")
WIDTH = "100"

_BLOCK = re.compile(r"^(<!-- failure -->\n)?```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"(?:#|//) ([\w./]+\.\w+)\n")
Runner = Callable[[list[str]], tuple[int, str]]


class Step(NamedTuple):
    """A block that does something, and where its text stands in the page."""

    what: str
    text: str
    start: int
    end: int


def names_a_file(text: str) -> bool:
    """Whether a block of code is to be written to a file."""
    return _NAMED.match(text) is not None


def steps(page: str) -> Iterator[Step]:
    """The files, the commands and the failures of a page, in their order."""
    for match in _BLOCK.finditer(page):
        shown, kind, text = match.groups()
        what = "failure" if shown else "file" if names_a_file(text) else "commands" if kind == "sh" else ""
        if what:
            yield Step(what, text, *match.span(3))


def commands(text: str) -> list[list[str]]:
    """What a block of shell calls of ours, and what it builds for that, as words."""
    return [shlex.split(line) for line in text.splitlines() if line.startswith(("pytest ", "go build "))]


def write(text: str, folder: Path) -> None:
    """Write a block to the file that its first line names."""
    match = _NAMED.match(text)
    assert match is not None
    path = folder / match[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def failure_in(output: str) -> str:
    """What pytest printed between the name of a test that failed and the next section."""
    found = re.findall(r"^_+ \S+ _+\n(.*?)^[-=]{3,}", output, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        raise ValueError(f"{len(found)} failures, where one is shown, in:\n{output}")
    return str(found[0])


def play(page: str, folder: Path, run: Runner) -> Iterator[tuple[Step, int, str]]:
    """
    Do what a page says.

    Yields:
        Each command's step or each failure's, with the exit code and the output of the command before.

    """
    code, output = 0, ""
    for step in steps(page):
        if step.what == "file":
            write(step.text, folder)
        elif step.what == "commands":
            for words in commands(step.text):
                if words[0] == "pytest":
                    code, output = run(words[1:])
                else:
                    code, output = _done(words, folder)
                yield step, code, output
        else:
            yield step, code, failure_in(output)


def renewed(page: str, folder: Path, run: Runner) -> str:
    """A page with the failures that its commands print now."""
    found = [(step, text) for step, _, text in play(page, folder, run) if step.what == "failure"]
    for step, text in reversed(found):
        page = page[: step.start] + text + page[step.end :]
    return page


def _done(words: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        words, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def in_a_process(folder: Path) -> Runner:
    """A runner of pytest in a process of its own."""

    def run(words: list[str]) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
        return _done(command, folder, COLUMNS=WIDTH, PYTHONPATH=str(ROOT))

    return run


if __name__ == "__main__":
    for name in sys.argv[1:] or (*PAGES, *PROCESSES):
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary)
            (ROOT / name).write_text(renewed(text_of(name), path, in_a_process(path)))
