"""Much to do at one instant: all of it is done, in its order, and a bounded part in each turn of the loop."""

import asyncio

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.net.fleet.turns import Turns, in_turns
from tests.net.fleet.by_turn import ByTurn

NUMBERS = [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (9, [3, 3, 3])]


@pytest.mark.parametrize(("items", "counts"), NUMBERS)
def test_items_are_given_three_a_turn(items, counts):
    given, by_turn = [], ByTurn()

    async def main():
        async for item in in_turns(range(items), 3):
            given.append(item)
            by_turn.note()

    run_virtual(main())

    assert given == list(range(items))
    assert by_turn.counts == counts


@pytest.mark.parametrize(("items", "counts"), NUMBERS)
def test_three_a_turn_are_done(items, counts):
    done, by_turn = [], ByTurn()

    async def main():
        turns = Turns(by_turn.noting(done.append), 3)
        for item in range(items):
            turns.add(item)
        assert turns.is_idle == (not items)
        await asyncio.sleep(1)
        assert turns.is_idle

    run_virtual(main())

    assert done == list(range(items))
    assert by_turn.counts == counts


def test_what_is_added_meanwhile_waits_for_its_turn():
    """A thing done may bring another: it does not get a turn of its own beside the others."""
    by_turn = ByTurn()

    async def main():
        def do(item):
            by_turn.note()
            if item:
                turns.add(item - 1)

        turns = Turns(do, 2)
        turns.add(3)
        turns.add(3)
        await asyncio.sleep(1)

    run_virtual(main())

    assert by_turn.counts == [2, 2, 2, 2]


def test_what_is_cleared_is_not_done():
    done = []

    async def main():
        turns = Turns(done.append, 2)
        for item in range(5):
            turns.add(item)
        await asyncio.sleep(0)
        turns.clear()
        await asyncio.sleep(1)
        turns.add(9)
        await asyncio.sleep(1)

    run_virtual(main())

    assert done == [0, 1, 9]
