"""Second causes, each by the record that leaves it and one that is nearly the same and does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis import rivals
from pytest_wsstability.core.diagnosis.cohort import Beside, Shared
from pytest_wsstability.core.diagnosis.extract import extract
from tests.core.script import FIN, timeline


def read(*rows, end=60, **known):
    """The features of a script that ends so."""
    return extract(timeline(*rows, (end, FIN)), **known)


def beside(**values):
    return read(beside=Beside(**values))


def answered(pings):
    """So many pings of this end, each answered."""
    return read(
        *(row for at in range(pings) for row in ((at, ">ping", b"%d" % at), (at, "<pong", b"%d" % at)))
    )


def bunched(times):
    """So many answers of this peer that came several at once."""
    features = read()
    return replace(features, own_heartbeats=replace(features.own_heartbeats, bunches=times))


ALL = {"shared": Shared.EVERYTHING}
FITS = [
    # A path that was quiet for four seconds may have lost what came; more explains nothing.
    (rivals.FROZEN[0], read((56, "<text")), True),
    (rivals.FROZEN[0], read((55.75, "<text")), False),
    (rivals.PONGS_LOST[0], answered(0), False),
    (rivals.PONGS_LOST[0], answered(1), True),
    (rivals.BLOCKED, bunched(0), False),
    (rivals.BLOCKED, bunched(1), True),
    (rivals.ENDED_TOGETHER, beside(together=0, **ALL), False),
    (rivals.ENDED_TOGETHER, beside(together=1, **ALL), True),
    (rivals.ENDED_TOGETHER, beside(together=1), False),
    # One other at one instant, or ages that agree less than four times as closely as the ends.
    (rivals.OPENED_TOGETHER, beside(together=1, ages_apart=0.25), True),
    (rivals.OPENED_TOGETHER, beside(together=2, ages_apart=0.25), False),
    (rivals.OPENED_TOGETHER, beside(together=2, ages_apart=0.5), True),
    (rivals.OPENED_TOGETHER, beside(together=1, same_age=2), False),
    # Each age that tokens are given, and none between.
    *((rivals.TOKEN, read(end=age), True) for age in (300, 600, 900, 1800, 3600, 7200, 86400)),
    *((rivals.TOKEN, read(end=age), False) for age in (200, 400, 1200, 2700, 5400, 28800)),
]  # fmt: skip


@pytest.mark.parametrize(("rival", "features", "fits"), FITS)
def test_a_second_cause_fits_what_leaves_it(rival, features, fits):
    """Instants and counts at the limit of each."""
    assert rival.when(features) is fits


@pytest.mark.parametrize(
    ("repeats", "values", "does"),
    [
        (rivals.repeats_silence, {"same_silence": 1}, False),
        (rivals.repeats_silence, {"same_silence": 2}, True),
        (rivals.repeats_age, {"same_age": 1}, False),
        (rivals.repeats_age, {"same_age": 2}, True),
        (rivals.shares_age, {"shared": Shared.AGE}, False),
        (rivals.shares_age, {"shared": Shared.AGE, "together": 1}, True),
        (rivals.of_an_age, {"same_age": 2, "same_age_spoke": True}, False),
    ],
)
def test_two_others_show_that_it_repeats_itself(repeats, values, does):
    """At other instants; at one instant, one other of the same age does."""
    assert repeats(beside(**values)) is does
