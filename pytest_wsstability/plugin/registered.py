"""What lives as long as a run: registered with pytest under a name when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pytest

_Kept = TypeVar("_Kept")


def registered(config: pytest.Config, name: str, make: Callable[[], _Kept]) -> _Kept:
    """What a run has under a name; made, and given the hooks that it has, if there is nothing yet."""
    found: _Kept | None = config.pluginmanager.get_plugin(name)
    if found is None:
        found = make()
        config.pluginmanager.register(found, name)
    return found
