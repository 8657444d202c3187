"""How long a message takes to all others: measured in virtual time, where each delay is known."""

import asyncio
import json

import pytest
import websockets

from pytest_wsstability import run_virtual
from pytest_wsstability.core.fleet.frame import FanoutCounts
from pytest_wsstability.core.judge.verdict import Outcome, Rule
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.fleet import open_fleet
from pytest_wsstability.net.fleet import fanout, slot
from pytest_wsstability.net.fleet.fanout import GIVEN_UP, Fanout


def name_of(message):
    return json.loads(message).get("said") if isinstance(message, str) else None


class Speaker:
    """The first connection says something each five seconds."""

    def __init__(self):
        self.speaks = None

    async def __call__(self, connection):
        self.speaks = self.speaks or connection
        for number in range(4):
            await asyncio.sleep(5)
            if self.speaks is connection:
                await connection.send(json.dumps({"said": f"number {number}"}))


def fleet(delay_of, *, connections=10, alive_for="1m", **asked):
    """A server that sends each message on to all others, each after the delay of its place."""

    async def main():
        opened = []

        async def later(other, message, delay):
            await asyncio.sleep(delay)
            await other.send(message)

        async def handler(websocket):
            opened.append(websocket)
            async for message in websocket:
                for place, other in enumerate(opened):
                    delay = delay_of(place)
                    if other is not websocket and delay is not None:
                        tasks.append(asyncio.ensure_future(later(other, message, delay)))

        tasks = []
        speaker = Speaker()

        async def talk(connection):
            await speaker(connection)

        async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            async with open_fleet(
                f"ws://127.0.0.1:{port}",
                connections=connections,
                alive_for=alive_for,
                options={"profile": "frames"},
                traffic=talk,
                fanout_of=name_of,
                **asked,
            ) as made:
                pass  # fmt: skip
            await asyncio.gather(*tasks, return_exceptions=True)
            return made

    return run_virtual(main())


def test_a_message_reaches_all_others():
    made = fleet(lambda place: 0.1 * place, fanout_within="1s")
    fanout = made.summary.fanout

    assert made.verdict.outcome is Outcome.STABLE
    assert (fanout.messages, fanout.arrived, fanout.late, fanout.missing) == (4, 36, 0, 0)
    assert fanout.longest == pytest.approx(0.9, abs=0.05)
    assert [each.share for each in fanout.quantiles] == [0.5]
    assert fanout.quantiles[0].seconds == pytest.approx(0.5, abs=0.05)


def test_one_that_is_late_is_told():
    made = fleet(lambda place: 0.1 * place, fanout_within="850ms")

    assert [each.rule for each in made.verdict.violations] == [Rule.FANOUT]
    assert made.verdict.violations[0].observed == "4 of 36 were later, 0 did not come"


@pytest.mark.parametrize(
    ("delay", "p99", "outcome"),
    [(12.0, "13s", Outcome.STABLE), (12.0, "11s", Outcome.UNSTABLE), (None, "13s", Outcome.UNSTABLE)],
)
def test_what_may_take_longer_than_ten_seconds_is_waited_for(delay, p99, outcome):
    """Also where only a p99 is asked for."""
    assert fleet(lambda place: delay, connections=100, fanout_p99=p99).verdict.outcome is outcome


def test_one_that_does_not_come_is_told():
    made = fleet(lambda place: None if place == 5 else 0.1, fanout_within="1s")

    assert made.verdict.violations[0].observed == "0 of 36 were later, 4 did not come"


@pytest.mark.parametrize(("alive_for", "missing"), [("6050ms", 1), ("7s", 1), ("5950ms", 0)])
def test_one_that_does_not_come_before_the_end_of_the_hold_is_told(alive_for, missing):
    """However short it is: one message at 5 s, which all should have had at 6 s."""
    made = fleet(lambda place: None if place == 5 else 0.1, fanout_within="1s", ramp=0, alive_for=alive_for)

    assert (made.merge.fanout.messages, made.merge.fanout.missing) == (1, missing)
    assert made.verdict.outcome is (Outcome.UNSTABLE if missing else Outcome.STABLE)


@pytest.mark.parametrize(
    ("within", "p99", "at", "missing"),
    [
        (1.0, None, 1.0, 0),
        (1.0, None, 1.01, 1),
        (None, None, 9.0, 0),
        (None, 1.0, 1.0, 0),
        (None, 1.0, 1.01, 1),
        (2.0, 1.0, 2.0, 0),
    ],
)
def test_who_ends_is_owed_what_it_should_have_had_by_then(within, p99, at, missing):
    """And nothing where no time was asked for; each once."""

    async def main():
        fanout = Fanout(lambda message: message, within, p99)
        speaker = fanout.listen(0)
        fanout.listen(1)
        speaker.add(0.0, "one", sent=True)
        fanout.forget(1, at)
        first = fanout.since()[0]
        await asyncio.sleep(GIVEN_UP + 1)
        return first + fanout.since()[0]

    assert run_virtual(main()) == FanoutCounts(messages=1, missing=missing)


def test_a_p99_sees_that_nothing_comes_any_more():
    """Of the last seconds too: three messages reach all, and one at 20 s nobody until the end at 25 s."""
    said = []

    def delay_of(place):
        said.append(place)
        return 0.1 if len(said) <= 300 else None

    made = fleet(delay_of, connections=100, ramp=0, alive_for="25s", fanout_p99="1s")

    assert (made.summary.fanout.arrived, made.summary.fanout.missing) == (297, 99)
    assert made.verdict.violations[0].observed == "99 of 396 did not come"


def test_nothing_that_was_said_is_no_pass():
    made = fleet(lambda place: 0.1, fanout_within="1s", connections=1)

    assert made.verdict.outcome is Outcome.INCONCLUSIVE


def test_what_is_asked_needs_to_be_measured():
    with pytest.raises(ValueError, match=r"^fanout_within: which messages\?"):
        run_virtual(_opened(fanout_within="1s"))


async def _opened(**asked):
    async with open_fleet("ws://127.0.0.1:1", connections=1, alive_for="1s", **asked):
        pass


def test_an_error_of_the_function_ends_the_fleet():
    async def main():
        fanout = Fanout(lambda message: message["said"], None)
        fanout.listen(0).add(0.0, "text", sent=True)
        fanout.check()

    with pytest.raises(TypeError):
        run_virtual(main())


@pytest.mark.parametrize("name", [["a list"], {"id": 5}, 5, True, b"bytes"])
def test_what_is_no_name_ends_the_fleet(name):
    """A list would end the connection that reads the message, and True names all of them the same."""
    with pytest.raises(
        ValueError, match=rf"^fanout_of: {type(name).__name__} is no name of a message; give a"
    ):
        _named(lambda message: name)


def test_a_text_names_a_message_and_none_names_none():
    _named({"one": "number 1", "two": None}.get)


def _named(name_of):
    async def main():
        made = Fanout(name_of, None)
        speaker, other = made.listen(0), made.listen(1)
        for message in ("one", "two"):
            speaker.add(0.0, message, sent=True)
            other.add(0.0, message, sent=False)
        made.check()
        assert made.since()[0] == FanoutCounts(messages=1)

    run_virtual(main())


def lagging(monkeypatch, act, times=(1.0, None)):
    """What a loop in real time has counted that stands still: a message at 0 s, that has 1 s."""

    async def main():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(fanout, "tier_of", lambda loop: Tier.REAL)
        made = Fanout(lambda message: message, *times)
        speaker, other = made.listen(0), made.listen(1)
        await asyncio.sleep(0.01)

        def stand_still(seconds):
            loop._now += seconds

        await act(made, speaker, other, stand_still)
        made.stop()
        looks = made._lagged
        stand_still(1)
        await asyncio.sleep(1)
        assert made._lagged == looks
        return made.since()

    return run_virtual(main())


@pytest.mark.parametrize(("within", "step"), [(1.0, 0.05), (0.1, 0.005), (0.02, 0.005)])
def test_lags_are_looked_for_often_enough_and_no_more(monkeypatch, within, step):
    """Twice in the time of one that counts, and 200 times a second at most; never where there are none."""

    async def main(tier):
        monkeypatch.setattr(fanout, "tier_of", lambda loop: tier)
        made = Fanout(lambda message: message, within)
        await asyncio.sleep(0)
        return made._timer and made._timer.when()

    assert run_virtual(main(Tier.REAL)) == pytest.approx(step)
    assert run_virtual(main(Tier.VIRTUAL)) is None


def test_no_lag_is_looked_for_when_the_fleet_is_over(monkeypatch):
    """The loop may be one that goes on."""
    made = []

    def measuring(*args):
        made.append(Fanout(*args))
        return made[-1]

    monkeypatch.setattr(fanout, "tier_of", lambda loop: Tier.REAL)
    monkeypatch.setattr(slot, "Fanout", measuring)

    assert fleet(lambda place: 0.1, fanout_within="1s", connections=2).verdict.outcome is Outcome.STABLE
    assert [each._timer for each in made] == [None]


@pytest.mark.parametrize(
    ("lag", "then", "late", "excused"),
    [(0.1, 0.75, 1, 0), (0.151, 0.75, 0, 1), (0.151, 1.0, 1, 0), (0.5, 0.8, 0, 1)],
)
def test_a_lag_between_two_ticks_excuses_what_is_late_of_it(monkeypatch, lag, then, late, excused):
    """More than a tenth of the time, whenever it is, as a tick a second would not see; and what it took."""

    async def act(made, speaker, other, stand_still):
        speaker.add(0.0, "one", sent=True)
        await asyncio.sleep(0.2)
        stand_still(lag)
        await asyncio.sleep(then)
        other.add(0.0, "one", sent=False)

    counts, times = lagging(monkeypatch, act)

    assert counts == FanoutCounts(messages=1, late=late, excused=excused)
    assert times.count == late


def test_a_message_in_fragments_is_known_when_it_is_whole():
    """By its whole text, and once."""

    async def main():
        fanout = Fanout(lambda message: message, None)
        speaker, other = fanout.listen(0), fanout.listen(1)
        speaker.add_fragment(0.0, "one", fin=False)
        speaker.add_fragment(0.0, " two", fin=True)
        other.add(0.0, "one two", sent=False)
        return fanout.since()

    counts, times = run_virtual(main())

    assert (counts, times.count) == (FanoutCounts(messages=1), 1)


def test_what_is_read_first_after_a_lag_is_excused_too(monkeypatch):
    """The loop reads before its timers say that they are late."""

    async def act(made, speaker, other, stand_still):
        speaker.add(0.0, "one", sent=True)
        stand_still(1.2)
        other.add(0.0, "one", sent=False)

    assert lagging(monkeypatch, act)[0] == FanoutCounts(messages=1, excused=1)


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_a_lag_before_a_message_excuses_nothing(monkeypatch, pause):
    """Neither where the workload itself blocks the loop, and sends at once."""

    async def act(made, speaker, other, stand_still):
        stand_still(0.5)
        if pause:
            await asyncio.sleep(pause)
        speaker.add(0.0, "one", sent=True)
        await asyncio.sleep(1.2)
        other.add(0.0, "one", sent=False)

    assert lagging(monkeypatch, act)[0] == FanoutCounts(messages=1, late=1)


def test_a_lag_excuses_none_that_came_in_time(monkeypatch):
    async def in_time(made, speaker, other, stand_still):
        speaker.add(0.0, "one", sent=True)
        stand_still(0.5)
        await asyncio.sleep(0.2)
        other.add(0.0, "one", sent=False)

    counts, times = lagging(monkeypatch, in_time)
    assert (counts, times.count) == (FanoutCounts(messages=1), 1)


@pytest.mark.parametrize("times", [(1.0, None), (None, 1.0)])
def test_who_is_closed_after_a_lag_has_missed_nothing_for_sure(monkeypatch, times):
    async def act(made, speaker, other, stand_still):
        speaker.add(0.0, "one", sent=True)
        stand_still(1.2)
        made.forget(1, asyncio.get_running_loop().time())

    assert lagging(monkeypatch, act, times)[0] == FanoutCounts(messages=1, excused=1)


@pytest.mark.parametrize(("lag", "missing", "excused"), [(0.5, 2, 0), (8.9, 2, 0), (9.1, 0, 2)])
def test_a_lag_excuses_what_did_not_come_as_far_as_it_lasted(monkeypatch, lag, missing, excused):
    """And not because there was one in the same second."""
    found = []

    async def act(made, speaker, other, stand_still):
        made.listen(2)
        speaker.add(0.0, "one", sent=True)
        await asyncio.sleep(0.5)
        stand_still(lag)
        await asyncio.sleep(GIVEN_UP - 0.5 - lag + 0.01)
        found.append(made.since()[0])

    lagging(monkeypatch, act)

    assert found == [FanoutCounts(messages=1, missing=missing, excused=excused)]


def test_what_is_given_up_is_missing_once_and_who_left_is_owed_nothing():
    async def main():
        fanout = Fanout(lambda message: message, None)
        speaker = fanout.listen(0)
        for number in (1, 2, 3):
            fanout.listen(number)
        speaker.add(0.0, "one", sent=True)
        fanout.forget(3, 60.0)
        await asyncio.sleep(GIVEN_UP - 0.001)
        before = fanout.since()[0]
        await asyncio.sleep(0.002)
        return before, fanout.since()[0], fanout.since()[0]

    before, after, again = run_virtual(main())

    assert before == FanoutCounts(messages=1)
    assert after == FanoutCounts(missing=2)
    assert again == FanoutCounts()


def test_an_echo_to_the_sender_and_a_second_copy_count_for_nothing():
    async def main():
        fanout = Fanout(lambda message: message, None)
        speaker, other = fanout.listen(0), fanout.listen(1)
        speaker.add(0.0, "one", sent=True)
        for listening in (speaker, other, other):
            listening.add(0.0, "one", sent=False)
        other.add(0.0, "never sent here", sent=False)
        return fanout.since()

    counts, times = run_virtual(main())

    assert (counts, times.count) == (FanoutCounts(messages=1), 1)
