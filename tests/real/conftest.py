"""After the run, the table of the docs, if one is wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def documented():
    """Write the table from what ran, into the file that WSSTABILITY_REAL_TABLE names."""
    yield
    if file := os.environ.get("WSSTABILITY_REAL_TABLE"):
        from tests.real import table

        table.write(Path(file))
