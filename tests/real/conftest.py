"""After the run, the table of the docs, if one is wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def documented(request):
    """Write the table of a clean run into the file that WSSTABILITY_REAL_TABLE names."""
    yield
    session = request.session
    # What did not run yet would be played for the table.
    is_clean = not session.testsfailed and session.exitstatus != pytest.ExitCode.INTERRUPTED
    if is_clean and (file := os.environ.get("WSSTABILITY_REAL_TABLE")):
        from tests.real import table

        table.write(Path(file))
