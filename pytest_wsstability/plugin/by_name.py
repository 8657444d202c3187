"""The fixtures of a project that the plugin asks for by name, and pytest does not see a test ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .markers import FLEET, VOICE
from .plans import base_target_of, overrides
from .seams.pytest import definitions
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
    asked = [] if _OPENS.isdisjoint(seen) else [*_OPENING]
    target = base_target_of(test)
    if "ws_url" in seen and target.kind is TargetKind.APP and not target.value:
        asked.append("ws_app")
    names = [name for name in asked if overrides(name, test)]
    for name in names:
        found = definitions(name, test)
        if name in seen or not found:
            continue
        seen.add(name)
        fixture = found[-1]
        if fixture.params:
            metafunc.fixturenames.append(name)
            metafunc.parametrize(name, fixture.params, indirect=True, scope=fixture.scope, ids=fixture.ids)
        # What it uses is looked at next.
        names += fixture.argnames
