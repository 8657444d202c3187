"""A verdict that hangs on the order of simultaneous timers says so."""

import pytest

# These races are meant.
MEANT = ("-W", "ignore::pytest_wsstability.StabilityWarning")

EDGE = """
    import pytest

    @pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval=None, deadline_reset_by="heartbeat")
    @pytest.mark.ws_stability(alive_for="{hold}", heartbeat_every="{every}")
    def test_it(ws_soak):
        pass
"""


def test_only_one_order_is_stable(failure):
    printed = failure(EDGE.format(hold="90s", every="60s"), *MEANT)
    assert "inconclusive: knife edge at t=60.000 s: read deadline and heartbeat together" in printed


def test_both_orders_end_but_not_at_the_same_time(failure):
    printed = failure(EDGE.format(hold="5m", every="60s"), *MEANT)
    assert "in doubt  knife edge at t=60.000 s: read deadline and heartbeat together" in printed


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
def test_just_before_is_stable_in_any_order(passes, order):
    assert passes(EDGE.format(hold="5m", every="59.9s"), f"--ws-order={order}", *MEANT) == 1


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
def test_just_after_ends_in_any_order_without_doubt(failure, order):
    printed = failure(EDGE.format(hold="5m", every="60.1s"), f"--ws-order={order}", *MEANT)
    assert "1006 at 60 s" in printed
    assert "knife edge" not in printed


ASYNC = """
    import pytest

    @pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval=None, deadline_reset_by="heartbeat")
    async def test_it(ws_connect):
        connection = await ws_connect(heartbeat="60s")
        await connection.assert_alive_for("5m")
"""


@pytest.mark.parametrize(("order", "end"), [("fifo", "1006 at 60 s"), ("lifo", "1006 at 120 s")])
def test_the_order_can_be_chosen(failure, order, end):
    assert end in failure(ASYNC, f"--ws-order={order}")


IN_ASYNC = EDGE.replace("def test_it", "async def test_it")


def test_a_soak_in_an_async_test_is_looked_at_twice(failure):
    """On the test's own loop, with the reference orchestrator."""
    printed = failure(IN_ASYNC.format(hold="90s", every="60s"), *MEANT)
    assert "inconclusive: knife edge at t=60.000 s: read deadline and heartbeat together" in printed


def test_a_soak_in_an_async_test_without_an_edge(passes, failure):
    """Either way."""
    assert passes(IN_ASYNC.format(hold="5m", every="59.9s"), *MEANT) == 1
    assert "knife edge" not in failure(IN_ASYNC.format(hold="5m", every="60.1s"), *MEANT)


def test_a_soak_of_their_own_server_is_not_held_twice(passes):
    """What a fixture has started is there once."""
    assert (
        passes(
            """
        import pytest_asyncio, pytest
        from pytest_wsstability import Orchestrator

        held = []

        @pytest_asyncio.fixture
        async def ws_url():
            async with Orchestrator(read_deadline="75s", ended=held.append) as orchestrator:
                yield orchestrator.url

        @pytest.mark.ws_stability(alive_for="5m", heartbeat_every="30s")
        async def test_it(ws_soak):
            assert ws_soak.ties
            assert len(held) == 1
        """
        )
        == 1
    )
