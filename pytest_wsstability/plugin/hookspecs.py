"""Hooks of the plugin, for conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.cause import Diagnosis
    from ..core.timeline.timeline import Timeline
    from ..profiles import Profile


def __dir__() -> list[str]:
    # pluggy asks everything here what it is.
    return [name for name in globals() if name.startswith("pytest_")]


@pytest.hookspec
def pytest_wsstability_profiles(config: pytest.Config) -> Iterable[Profile]:  # type: ignore[empty-body]
    """
    Give application protocols of your own, for ``--ws-profile`` and ``profile=``.

    Returns:
        Profiles; a name that the package has already replaces its own.

    """


@pytest.hookspec(firstresult=True)
def pytest_wsstability_diagnose(timeline: Timeline, others: Sequence[Timeline]) -> Diagnosis | None:
    """
    Say why a connection ended or broke, where you know it better: "our gateway cuts at 55 s".

    Called for each failure that has a diagnosis; the first one that is not None replaces it.

    Args:
        timeline: the record that was judged.
        others: records of other ends of the same connection.

    Returns:
        A `Diagnosis`, or None for "no idea".

    """
