"""Looks at connections of a slot that are due at about the same time share a timer."""

from types import SimpleNamespace

import pytest

from pytest_wsstability.net.fleet.looks import STEP, LookSchedule


class Clock:
    """What a `LookSchedule` needs of a loop."""

    def __init__(self, *, is_virtual=False):
        self.is_virtual = is_virtual
        self.timers = []

    def call_at(self, at, call, *args):
        timer = SimpleNamespace(at=at, run=lambda: call(*args), is_cancelled=False)
        timer.cancel = lambda: setattr(timer, "is_cancelled", True)
        self.timers.append(timer)
        return timer


def looks_at(*instants, is_virtual=False):
    """Looks that are set, the clock, and where it is put down who was looked at."""
    clock, seen = Clock(is_virtual=is_virtual), []
    looks = LookSchedule(clock, lambda held: seen.append(held.number))
    held = [SimpleNamespace(number=number, look_at=None) for number, _ in enumerate(instants)]
    for each, at in zip(held, instants, strict=True):
        looks.set(each, at)
    return looks, clock, seen, held


@pytest.mark.parametrize(
    ("is_virtual", "instants", "timers"),
    [
        (False, (7.01, 7.05, 7.1), 1),
        (False, (7.01, 7.11), 2),
        (True, (7.01, 7.05), 2),
        (True, (7.01, 7.01), 1),
    ],
)
def test_those_of_one_step_share_a_timer(is_virtual, instants, timers):
    """In virtual time a step is an instant."""
    _, clock, seen, _ = looks_at(*instants, is_virtual=is_virtual)
    for timer in clock.timers:
        timer.run()

    assert len(clock.timers) == timers
    assert seen == list(range(len(instants)))


def test_nobody_is_looked_at_early_or_more_than_a_step_late():
    _, clock, _, _ = looks_at(7.0001, 7.9999, 8.0)

    assert [timer.at for timer in clock.timers] == pytest.approx([7.1, 8.0])
    assert STEP == 0.1


def test_another_instant_stands_in_the_place_of_the_one_before():
    looks, clock, seen, (held,) = looks_at(7.0)
    looks.set(held, 9.0)
    clock.timers[0].run()
    assert seen == []

    clock.timers[1].run()
    assert seen == [0]


def test_who_is_over_is_not_looked_at():
    looks, clock, seen, (first, _) = looks_at(7.0, 7.0)
    first.look_at = None
    clock.timers[0].run()
    looks.set(first, 8.0)
    looks.stop()

    assert seen == [1]
    assert [timer.is_cancelled for timer in clock.timers] == [False, True]
