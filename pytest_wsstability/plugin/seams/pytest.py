"""
The private parts of pytest that the plugin touches.

pytest has no public way to ask for a fixture's definition before the fixture is set up, and whether a test's
target is in this process depends on the definition of ``ws_url``: it has to be known when the test is made,
because its event loop does. Tried with pytest 8.4 and 9.0 to 9.2.

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

# What is touched, and of what; `definitions` says what is missing.
FIXTURE_MANAGER = "_fixturemanager"


def definitions(name: str, node: pytest.Item | pytest.Collector) -> Sequence[pytest.FixtureDef[Any]]:
    """
    The definitions of a fixture that a test, class or module sees, the one that counts last.

    Raises:
        RuntimeError: if pytest does not tell any more.

    """
    find = getattr(getattr(node.session, FIXTURE_MANAGER, None), "getfixturedefs", None)
    if find is None:
        raise RuntimeError(
            f"pytest {pytest.__version__} does not tell how fixtures are defined (no Session."
            f"{FIXTURE_MANAGER}): give the test ws_stability(time=...), and tell the maintainers of "
            "pytest-wsstability"
        )
    found: Sequence[pytest.FixtureDef[Any]] | None = find(name, node)
    return found or ()
