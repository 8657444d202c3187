"""
A process that has collected the tests once, and runs some of them in a fork of itself for each mutant.

It sees the mutants of functions. Those of what is made on import, and those that no test noticed here (a test
may have computed something while it was collected), are run by `running` in a process that loads all anew.

"""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from .covering import MARKS
from .running import OPTIONS, Answer, Limit, begin, in_a_child
from .sites import PACKAGE
from .swapping import Functions, changes


class Warm:
    """The process, from outside."""

    def __init__(self, tree: Path, tests: Sequence[str]) -> None:
        self._questions, theirs = multiprocessing.Pipe()
        fork = multiprocessing.get_context("fork")
        self._process = fork.Process(target=self._serve, args=(tree, tests, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def run(self, path: str, before: str, after: str, tests: Sequence[str], limit: Limit) -> Answer | None:
        """
        Whether a test fails with a mutant; the first that does ends it. None if that cannot be seen here.

        Args:
            path: the file, relative to the package.
            before, after: its text.

        """
        self._questions.send((path, before, after, tests, limit))
        answer: Answer | None = self._questions.recv()
        return answer

    def control(self, tests: Sequence[str], limit: Limit) -> None:
        """Nothing is broken: the tests must pass here, or whatever comes after says nothing."""
        answer = self.run("", "", "", tests, limit)
        if answer is None or answer[0] != 0:
            raise SystemExit(f"unbroken, where all tests are collected, one fails: {answer}")

    def close(self) -> None:
        self._questions.close()
        self._process.join()

    def _serve(self, tree: Path, tests: Sequence[str], questions: Connection) -> None:
        self._questions.close()
        begin(tree)
        pytest.main([*OPTIONS, "-m", MARKS, *tests], plugins=[_Answers(tree, questions)])


class _Answers:
    """In place of running what is collected, answers questions until there are no more."""

    def __init__(self, tree: Path, questions: Connection) -> None:
        self._package, self._questions = tree / PACKAGE, questions

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        functions = Functions(self._package)
        items = {item.nodeid: item for item in session.items}
        while True:
            try:
                path, before, after, tests, limit = self._questions.recv()
            except EOFError:
                os._exit(0)
            answer: Answer | None = None
            swaps = changes(before, after)
            if swaps is not None:
                known = [items[test] for test in tests if test in items]
                swap = functools.partial(functions.swap, self._package / path, swaps)
                answer = in_a_child(functools.partial(_run, session, swap, known), limit)
            self._questions.send(answer)


def _run(
    session: pytest.Session, swap: Callable[[], bool], items: Sequence[pytest.Item], writing: int
) -> int:
    """Run tests until one fails, whose name is written."""
    if not swap():
        return 0
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            os.write(writing, item.nodeid.encode())
            return 1
    return 0
