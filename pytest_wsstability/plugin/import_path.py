"""Where the modules that options and marks name are found: apps, and profiles of the project's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def import_from_here(config: pytest.Config) -> None:
    """Let modules be found where pytest is run, as ``python -m pytest`` and the servers of apps have it."""
    here = str(config.invocation_params.dir)
    if here not in sys.path:
        sys.path.insert(0, here)
