"""The fixtures of a project that the plugin asks for by name, and pytest does not see a test ask for."""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import chain
from typing import TYPE_CHECKING, Any

from .markers import FLEET, VOICE
from .plans import base_target_of
from .project_fixtures import behind, hides, overrides, parametrized
from .settings import TargetKind

if TYPE_CHECKING:
    import pytest

_OPENING = ("ws_headers", "ws_subprotocols")
# With one of these a test opens connections.
_OPENS = frozenset({"ws_connect", "ws_soak", FLEET, VOICE})


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make a test for each parameter of these fixtures, and of those that they use."""
    test = metafunc.definition
    seen = set(metafunc.fixturenames)
    # A fixture may take the one that it overrides, and the first of the two that has parameters counts.
    marked = parametrized(test)
    for name, fixture in _asked(test, seen):
        if name in seen or (fixture.params is None and name not in marked):
            continue
        seen.add(name)
        metafunc.fixturenames.append(name)
        # What a mark gives counts, and pytest takes it for a fixture that the test uses.
        if fixture.params is not None and name not in marked:
            metafunc.parametrize(name, fixture.params, indirect=True, scope=fixture.scope, ids=fixture.ids)


def complete(test: pytest.Function) -> None:
    """
    Let a test name these fixtures, and those that they use, among its own.

    Other plugins look there for theirs: pytest-django makes no database for a test that names none.

    """
    names = test.fixturenames
    # Once its parameters are known: where there are any, pytest works the names out anew.
    asked = [name for name, _ in _asked(test, set(names))]
    names.extend(name for name in dict.fromkeys(asked) if name not in names)


def _asked(test: pytest.Item, seen: Set[str]) -> Iterator[tuple[str, pytest.FixtureDef[Any]]]:
    """What the plugin will ask for, for a test that names these fixtures."""
    asked = [] if _OPENS.isdisjoint(seen) else [*_OPENING]
    target = base_target_of(test)
    is_app = target.kind is TargetKind.APP and not target.value
    if "ws_url" in seen and is_app and not hides("ws_url", test):
        asked.append("ws_app")
    return chain.from_iterable(behind(each, test) for each in asked if overrides(each, test))
