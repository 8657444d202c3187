"""Each script in virtual time, and on kernel sockets."""

import asyncio

import pytest

from pytest_wsstability import run_virtual


def in_real_time(script):
    """Run a script on kernel sockets; it must not take long."""

    async def patient():
        async with asyncio.timeout(20):
            return await script()

    return asyncio.run(patient())


both_times = pytest.mark.parametrize(
    "run", [pytest.param(lambda script: run_virtual(script()), id="virtual"), pytest.param(
        in_real_time, id="real", marks=pytest.mark.real
    )]
)  # fmt: skip
