"""What virtual tests draw from the module random: each something else, and the same again."""

from __future__ import annotations

import shlex

import pytest

DRAWN = "drawn "
LOOP = f"""
    import random

    import pytest

    @pytest.mark.parametrize("number", range(2))
    async def test_it(ws_connect, number):
        print("{DRAWN}", random.random())
        (await ws_connect()).assert_closed()
    """
SOAK = f"""
    import random

    import pytest

    async def talk(connection):
        print("{DRAWN}", random.random())
        await connection.close()

    @pytest.mark.parametrize("number", range(2))
    @pytest.mark.ws_stability(alive_for="2m", traffic=talk)
    def test_it(ws_soak, number): ...
    """


def drawn(result: pytest.RunResult) -> list[str]:
    """What the tests of a run drew, in their order."""
    return [line for line in result.outlines if line.startswith(DRAWN)]


def again(result: pytest.RunResult) -> list[list[str]]:
    """The arguments of the printed commands."""
    return [shlex.split(line)[1:] for line in result.outlines if line.startswith("pytest ")]


@pytest.mark.parametrize("source", [LOOP, SOAK])
def test_each_test_draws_something_else(run, source):
    """An app that serves them all may keep the names that it has drawn."""
    first = drawn(run(source))

    assert len(set(first)) == 2
    assert drawn(run(source)) == first
    assert not set(first) & set(drawn(run(source, "--ws-seed=42")))


@pytest.mark.slow
@pytest.mark.parametrize("source", [LOOP, SOAK])
@pytest.mark.parametrize("given", [(), ("--ws-seed=7",), ("--rootdir=..",)])
def test_the_printed_command_draws_the_same(run, pytester, source, given):
    """It names one test of the two, and that draws as in the run of both."""
    result = run(source, *given)
    commands = again(result)

    assert len(commands) == 2
    for command, seen in zip(commands, drawn(result), strict=True):
        assert drawn(pytester.runpytest_inprocess("-p", "no:cacheprovider", *command)) == [seen]


def test_two_orders_of_one_test_draw_the_same(run):
    """What differs between them is the order alone."""
    source = """
        import asyncio, random

        async def test_it(ws_clock):
            await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))
            print("drawn ", random.random())
            assert False
        """
    first, second = drawn(run(source, "--ws-order=all"))

    assert first == second


def test_a_group_of_xdist_is_no_part_of_the_id(run, pytester):
    """With ``--dist loadgroup`` pytest 8.4 has it in the id, and finds no test by that."""
    conftest = """
        def pytest_collection_modifyitems(items):
            for item in items:
                grouped = property(lambda _, plain=item.nodeid: f"{plain}@group")
                item.__class__ = type("Grouped", (type(item),), {"nodeid": grouped})
        """
    result = run(SOAK, conftest=conftest)
    commands = again(result)
    pytester.makeconftest("")

    assert len(commands) == 2
    for command, seen in zip(commands, drawn(result), strict=True):
        assert drawn(pytester.runpytest_inprocess("-p", "no:cacheprovider", *command)) == [seen]
