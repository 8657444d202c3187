"""Marks of classes and modules that none of their tests is held to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from .asked import MarkedNode
from .markers import JUDGES, STABILITY, is_skipped, marks_in
from .plans import asks, plan_of
from .project_fixtures import may_ask_by_name, our_fixtures
from .stash import marked_key


def note(collector: pytest.Collector, made: Sequence[pytest.Item | pytest.Collector]) -> None:
    """Take down what a collector has collected, for the marks above it."""
    # Others, such as doctests, are in a tree of their own.
    tests = [each for each in made if isinstance(each, pytest.Function)]
    collectors = [each for each in made if isinstance(each, pytest.Collector)]
    for node in _marked(collector):
        found = collector.config.stash.setdefault(marked_key, {}).setdefault(node, MarkedNode())
        found.pending += len(collectors) - (node is not collector)
        found.tests += tests


def wrong(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Collector, str]]:
    """The classes and modules of tests whose mark nothing is held to, and what to write."""
    known = items[0].config.stash.get(marked_key, {}) if items else {}
    first = {node: item for item in reversed(items) for node in item.iter_parents()}
    for node, found in known.items():
        # A hook of the project's may give them fixtures once they are made.
        if node not in first or found.pending or any(map(_may_be_held, found.tests)):
            continue
        if all(map(is_skipped, found.tests)):
            continue
        # What it asks for a closer one may take back.
        if plan_of(first[node]).requirement is not None:
            kind = "class" if isinstance(node, pytest.Class) else "module"
            yield (
                node,
                f"{STABILITY}: no test of this {kind} is held to it; let those that are to be use one of the "
                f"fixtures {', '.join(sorted(JUDGES))}; in a unittest.TestCase by "
                '@pytest.mark.usefixtures("ws_soak")',
            )


def _marked(collector: pytest.Collector) -> Iterator[pytest.Collector]:
    """A collector, and those above it, with a mark that asks for something, and is not a base class's."""
    for node in collector.iter_parents():
        if isinstance(node, pytest.Class):
            written: Sequence[object] = marks_in(node.obj)
        else:
            written = node.own_markers if isinstance(node, pytest.Module) else ()
        if any(map(asks, written)):
            assert isinstance(node, pytest.Collector)
            yield node


def _may_be_held(item: pytest.Function) -> bool:
    return not JUDGES.isdisjoint(our_fixtures(item)) or may_ask_by_name(item)
