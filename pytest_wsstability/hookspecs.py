"""Hooks of the plugin, for conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .profiles import Profile


@pytest.hookspec
def pytest_wsstability_profiles(config: pytest.Config) -> Iterable[Profile]:  # type: ignore[empty-body]
    """
    Give application protocols of your own, for ``--ws-profile`` and ``profile=``.

    Returns:
        Profiles; a name that the package has already replaces its own.

    """
