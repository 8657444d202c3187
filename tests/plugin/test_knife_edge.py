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


def test_both_orders_end_for_one_cause_at_different_times(failure):
    """1006 at 60 s or at 120 s: the instant alone leaves nothing in doubt."""
    printed = failure(EDGE.format(hold="5m", every="60s"), *MEANT)
    assert "read deadline 60 s, reset by heartbeats (1006 at 60 s of 300 s)" in printed
    assert "knife edge" not in printed


def test_both_orders_end_for_different_causes(failure):
    """Broken in either, so unstable; that the order chose the cause is said."""
    closing = EDGE.replace("import pytest", "import pytest\n    from pytest_wsstability import faults", 1)
    closing = closing.replace('"heartbeat")', '"heartbeat", faults=[("90s", faults.CloseWith(4008))])')
    printed = failure(closing.format(hold="5m", every="60s"), "--ws-order=lifo", *MEANT)
    assert "(4008 at 90 s of" in printed
    assert "in doubt  knife edge at t=60.000 s: heartbeat and read deadline together" in printed


# The two timers of a connection meet at 60 s; which comes first decides.
RACE = """
    import asyncio

    def factory():
        async def app(connection):
            first = []
            for number in range(2):
                asyncio.get_running_loop().call_later(60, first.append, number)
            await asyncio.sleep(61)
            {then}
        return app
"""
RACED = """
    import pytest

    @pytest.mark.ws_stability(alive_for="5m", profile="frames")
    def test_it(ws_soak):
        pass
"""


@pytest.mark.parametrize(
    ("then", "edge"),
    [
        ("await asyncio.sleep(first[0]); await connection.close(4001 + first[0])", True),
        ("await asyncio.sleep(first[0]); await connection.close(4001)", False),
        (
            "await asyncio.sleep(first[0])\n"
            "            await connection.close(4001, ('token expired', 'too many messages')[first[0]])",
            True,
        ),
    ],
)
def test_another_close_code_is_another_end_and_so_is_another_cause(failure, pytester, then, edge):
    """Closed on purpose in either order: the code and the words tell them apart, and the instant does not."""
    pytester.makepyfile(app=RACE.format(then=then))
    printed = failure(RACED, "--ws-app=app:factory()")
    assert "4001 at 61 s" in printed
    assert ("knife edge" in printed) is edge


# A hold that lasts longer than an hour is tried in another order for an hour.


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_an_edge_within_the_first_hour_is_told(failure, order):
    """Whichever order came first; each end is that of the whole hold."""
    printed = failure(
        EDGE.format(hold="100m", every="59m").replace("60s", "59m"), f"--ws-order={order}", *MEANT
    )
    told = " ".join(printed.split())
    assert "inconclusive: knife edge at t=3540.000 s: " in told
    assert "(1006 at 3540 s of 6000 s), in another stable" in told


@pytest.mark.parametrize("minutes", ["60m", "61m"])
def test_an_end_after_the_first_hour_stands(failure, passes, minutes):
    """The other order knows nothing of it, and is not said to have been stable."""
    source = EDGE.format(hold="100m", every=minutes).replace("60s", minutes)
    printed = failure(source, "--ws-order=fifo", *MEANT)
    assert "read deadline" in printed
    assert "knife edge" not in printed
    assert passes(source, "--ws-order=lifo", *MEANT) == 1


# A message every 10 s, when heartbeats are due too.
SPEAKING = """
    import asyncio
    from websockets.exceptions import ConnectionClosed

    def factory():
        async def app(connection):
            try:
                while True:
                    await asyncio.sleep(10)
                    await connection.send("tick")
            except ConnectionClosed:
                pass
        return app
"""
COUNTED = """
    import pytest

    @pytest.mark.ws_stability(alive_for="{hold}", messages_at_least={least}, profile="frames")
    def test_it(ws_soak):
        assert ws_soak.ties
"""


def test_counts_of_a_long_hold_are_not_asked_of_its_first_hour(passes, failure, pytester):
    """719 messages in two hours are 359 in one."""
    pytester.makepyfile(app=SPEAKING)
    source = COUNTED.replace("messages_at", 'heartbeat_every="20s", messages_at')
    assert passes(source.format(hold="2h", least=700), "--ws-app=app:factory()") == 1
    printed = failure(source.format(hold="2h", least=721), "--ws-app=app:factory()")
    assert "of at least 721 messages in 2 h" in printed
    assert "knife edge" not in printed


@pytest.mark.parametrize(("hold", "edge"), [("1h", True), ("61m", False)])
def test_a_count_that_the_order_decides(failure, pytester, hold, edge):
    """One order sends a message, the other none: only where both were held to the end, that is known."""
    then = "await (connection.send('tick') if first[0] else asyncio.sleep(0)); await connection.wait_closed()"
    pytester.makepyfile(app=RACE.format(then=then))
    printed = failure(COUNTED.format(hold=hold, least=1), "--ws-app=app:factory()")
    assert "0 of at least 1 messages in" in printed
    assert ("knife edge" in printed) is edge


# Two heartbeats of the server, and messages at the same instants.
BEATING = """
    import asyncio, json
    from websockets.exceptions import ConnectionClosed

    def factory():
        async def app(connection):
            try:
                for second in range(5, 300, 5):
                    await asyncio.sleep(5)
                    beat = {"op": "beat", "id": second} if second in (15, 30) else {"op": "tick"}
                    await connection.send(json.dumps(beat))
            except ConnectionClosed:
                pass
        return app
"""


def test_counts_are_compared_where_both_orders_covered_the_hold(failure, pytester):
    """Heartbeats that are too few in either order are no knife edge."""
    pytester.makepyfile(app=BEATING)
    printed = failure(
        """
        import pytest
        from pytest_wsstability.profiles import ID, Profile

        OURS = Profile(
            name="ours", heartbeats_from="server",
            ping={"op": "beat", "id": ID}, pong={"op": "beatAck", "id": ID},
        )

        @pytest.mark.ws_stability(alive_for="1m", heartbeat_within="5s", heartbeats_at_least=3, profile=OURS)
        def test_it(ws_soak):
            pass
        """,
        "--ws-app=app:factory()",
    )
    assert "2 of at least 3 heartbeats answered" in printed
    assert "knife edge" not in printed


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


@pytest.mark.parametrize("failing", ["pytest.fail('in this order')", "raise LookupError('in this order')"])
def test_what_the_traffic_raises_in_one_order_only(run, failing):
    """It is a failure of the test's own, however it is raised."""
    source = f"""
    import pytest

    orders = []

    async def talk(connection):
        orders.append(1)
        if len(orders) == 2:
            {failing}

    @pytest.mark.ws_stability(alive_for="10m", heartbeat_every="20s", profile="frames", traffic=talk)
    def test_it(ws_soak): ...
    """
    result = run(source)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E * in this order"])
