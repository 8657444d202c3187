"""What execnet and Dask leave behind of workers that were killed is collected with their test."""

from __future__ import annotations

import gc
import warnings

import pytest


@pytest.fixture(autouse=True)
def collected():
    """Pipes that nobody closes are warned about when they are collected, in whatever test runs then."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
