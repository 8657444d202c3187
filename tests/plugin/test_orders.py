"""--ws-order all: each virtual test in two orders of simultaneous timers, if timers meet in it."""

from __future__ import annotations

import pytest

ALL = "--ws-order=all"

EDGE = """
    import pytest

    @pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval=None, deadline_reset_by="heartbeat")
    async def test_it(ws_connect):
        connection = await ws_connect(heartbeat="{every}")
        await connection.assert_alive_for("{hold}")
"""


def test_only_one_order_passes(run):
    """The second run says what met when, and how each ended."""
    result = run(EDGE.format(every="60s", hold="90s"), ALL, "-v")

    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(
        [
            "*::test_it[[]order-fifo] FAILED*",
            "*::test_it[[]order-lifo] FAILED*",
            "knife edge at t=60.000 s: read deadline and heartbeat together; "
            "with --ws-order fifo *1006 at 60 s of 90 s*, with --ws-order lifo it passes",
        ]
    )


def test_both_orders_fail_for_different_causes(run):
    """The failure is still shown under the knife edge."""
    closing = EDGE.replace("import pytest", "import pytest\n    from pytest_wsstability import faults", 1)
    closing = closing.replace('"heartbeat")', '"heartbeat", faults=[("90s", faults.CloseWith(4008))])')
    result = run(closing.format(every="60s", hold="5m"), ALL)

    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(
        [
            "knife edge at t=60.000 s: read deadline and heartbeat together; with --ws-order fifo "
            "*1006 at 60 s *, with --ws-order lifo *4008 at 90 s *"
        ]
    )
    # The id with the order exists with that option only.
    again = "pytest *::test_it[[]order-lifo[]]* --ws-time virtual --ws-order all --ws-seed 0"
    result.stdout.fnmatch_lines([again])


def test_a_failure_in_a_task_group_is_compared_by_what_is_in_it(run):
    """Groups of both orders read the same."""
    closing = EDGE.replace("import pytest", "import asyncio\n    import pytest", 1)
    closing = closing.replace("import pytest", "import pytest\n    from pytest_wsstability import faults", 1)
    closing = closing.replace('"heartbeat")', '"heartbeat", faults=[("90s", faults.CloseWith(4008))])')
    held = 'await connection.assert_alive_for("{hold}")'
    group = f"async with asyncio.TaskGroup() as group:\n            group.create_task({held[6:]})"
    result = run(closing.replace(held, group).format(every="60s", hold="5m"), ALL)

    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(
        ["knife edge at t=60.000 s: *1006 at 60 s *, with --ws-order lifo *4008 at 90 s *"]
    )


def test_no_edge_where_only_the_instant_differs(run):
    """1006 at 60 s or at 120 s, for one cause."""
    result = run(EDGE.format(every="60s", hold="5m"), ALL)

    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(["*1006 at 60 s of *", "*1006 at 120 s of *"])
    result.stdout.no_fnmatch_line("*knife edge*")


def test_no_edge_where_both_end_alike(run):
    """Both pass, or both fail in the same way."""
    source = EDGE.format(every="20s", hold="5m").replace("ping_interval=None", "ping_interval=20")
    assert run(source, ALL).parseoutcomes() == {"passed": 2}

    red = run(source.replace("'heartbeat'", "'ping'").replace('"heartbeat"', '"ping"'), ALL)
    assert red.parseoutcomes() == {"failed": 2}
    red.stdout.no_fnmatch_line("*knife edge*")


def test_no_second_run_where_nothing_met(run):
    """It would show nothing."""
    result = run(
        """
        import asyncio

        async def test_it(ws_clock):
            await asyncio.sleep(5)
        """,
        ALL,
        "-rs",
    )

    assert result.parseoutcomes() == {"passed": 1, "skipped": 1}
    result.stdout.fnmatch_lines(
        ["SKIPPED * no timers met with --ws-order fifo: another order changes nothing"]
    )


def test_any_error_counts(run):
    """What the tests of a team compare is theirs."""
    result = run(
        """
        import asyncio
        import pytest

        @pytest.mark.parametrize("wait", [1, 2])
        async def test_it(ws_clock, wait):
            seen = []
            for name in "ab":
                asyncio.get_running_loop().call_later(wait, seen.append, name)
            await asyncio.sleep(wait + 1)
            assert seen == ["a", "b"]
        """,
        ALL,
    )

    assert result.parseoutcomes() == {"passed": 2, "failed": 2}
    for wait in (1, 2):
        result.stdout.fnmatch_lines(
            [
                f"knife edge at t={wait}.000 s: several timers together; "
                "with --ws-order fifo it passes, with --ws-order lifo AssertionError: *"
            ]
        )


def test_a_marker_alone_is_enough(run):
    """A virtual test with none of our fixtures."""
    result = run(
        """
        import asyncio
        import pytest

        @pytest.mark.ws_stability(time="virtual")
        async def test_it():
            await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))
        """,
        ALL,
    )

    assert result.parseoutcomes() == {"passed": 2}


@pytest.mark.parametrize("more", ["--ws-time=real", "-p no:wsstability"])
def test_others_run_once(run, more):
    """Real tests, tests on a shared loop, sync tests and tests that are not ours."""
    ours = "" if "no:" in more else "async def test_ours(ws_clock): pass"
    order = () if "no:" in more else (ALL,)
    result = run(
        f"""
        import pytest

        @pytest.mark.asyncio
        async def test_theirs(): pass

        def test_sync(): pass

        {ours}
        """,
        *order,
        *more.split(),
    )

    assert result.parseoutcomes() == {"passed": 2 + bool(ours)}


def test_a_shared_loop_has_one_order(passes):
    """Its tests cannot be told apart."""
    source = """
        import asyncio
        import pytest

        @pytest.mark.ws_stability(time="virtual")
        @pytest.mark.asyncio(loop_scope="class")
        class TestShared:
            async def test_it(self, ws_clock):
                await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))
    """
    assert passes(source, ALL) == 1


def test_without_the_option_nothing_changes(run):
    """One run, and the plain id."""
    result = run(EDGE.format(every="60s", hold="90s"), "-v")

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*::test_it FAILED*"])
    result.stdout.no_fnmatch_line("*knife edge*")


def test_an_expected_failure_is_left_alone(run):
    """Whatever its order."""
    source = EDGE.format(every="60s", hold="90s").replace(
        "    @pytest", "    @pytest.mark.xfail\n    @pytest", 1
    )

    assert run(source, ALL, "-o", "xfail_strict=false").parseoutcomes() == {"xfailed": 1, "xpassed": 1}


TWICE = """
    import asyncio, json
    import pytest
    import websockets

    async def client(url, *, again):
        async with websockets.connect(url, ping_interval=None) as ws:
            await ws.recv()
            await ws.send(json.dumps({"type": "session_info", "session_id": "twice"}))
            await asyncio.sleep(60)
            assert not again

    @pytest.mark.ws_stability(time="virtual")
    async def test_it(ws_orchestrator, ws_clock):
        tasks = [asyncio.create_task(client(ws_orchestrator.url, again=number)) for number in (0, 0)]
        await ws_clock.advance("1m")
        await asyncio.gather(*tasks)
        ws_orchestrator.assert_no_duplicate_session()

    @pytest.mark.ws_stability(time="virtual")
    async def test_next(ws_orchestrator, ws_clock):
        await ws_clock.advance("1m")
"""


def test_a_failure_about_several_connections_at_once(run):
    """It has no timeline of its own; the failures of both orders are told, and the other tests run."""
    result = run(TWICE, ALL)

    outcomes = result.parseoutcomes()
    assert outcomes["failed"] >= 1
    assert outcomes["passed"] >= 1
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*session 'twice' had two open connections*"])
