"""A workload of the user's, from its begin to its end."""

import asyncio

import pytest

from pytest_wsstability import Orchestrator, Outcome, Requirement, hold
from pytest_wsstability.net.traffic import start_talking, stop_talking
from tests.net.peers import connected

pytestmark = pytest.mark.ws_stability(time="virtual")


async def slow_to_end(connection):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(2)


async def test_a_hold_waits_until_its_workload_has_cleaned_up():
    async with Orchestrator() as server:
        loop = asyncio.get_running_loop()
        held = await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=slow_to_end)

        assert held.verdict.outcome is Outcome.STABLE
        assert loop.time() - held.timeline.opened == pytest.approx(12.0, abs=0.1)


async def test_a_cancellation_while_a_workload_cleans_up_is_the_callers():
    """Taken for the workload's own, it would be lost: a timeout that never comes."""
    loop = asyncio.get_running_loop()
    async with Orchestrator() as server:
        begun = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(11):
                await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=slow_to_end)

        assert loop.time() - begun == pytest.approx(11.0, abs=0.1)


async def test_a_clean_up_ends_with_the_patience_of_its_caller():
    """Nothing runs on behind whoever gave up."""
    async with connected() as (connection, _):
        talk = start_talking(connection, slow_to_end)
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stop_talking(talk)
        await asyncio.sleep(0.5)

        assert talk.cancelled()
