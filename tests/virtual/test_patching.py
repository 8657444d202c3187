"""The clocks of the standard library follow the loop, where that was asked for."""

import asyncio
import copy
import datetime
import functools
import pickle
import time
import typing
import warnings

import pytest

from pytest_wsstability.virtual import run_virtual

REAL = time.time, time.monotonic, time.perf_counter, datetime.datetime

CLOCKS = {
    "time.time": lambda: time.time(),
    "time.monotonic": lambda: time.monotonic(),
    "time.time_ns": lambda: time.time_ns() / 1e9,
    "time.monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "datetime.now": lambda: datetime.datetime.now().timestamp(),
    "datetime.now with a zone": lambda: datetime.datetime.now(datetime.UTC).timestamp(),
    "datetime.today": lambda: datetime.datetime.today().timestamp(),
    "datetime.utcnow": lambda: datetime.datetime.utcnow().replace(tzinfo=datetime.UTC).timestamp(),
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_patched_clock_follows_the_loop(clock):
    read = CLOCKS[clock]

    async def main():
        await asyncio.sleep(60)
        before = read()
        await asyncio.sleep(86400)
        return round(read() - before, 3)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert run_virtual(main(), patch_time=True) == 86400


def test_it_starts_at_the_real_time():
    async def main():
        return time.time()

    before = time.time()
    assert before <= run_virtual(main(), patch_time=True) <= time.time()


def test_other_threads_keep_their_clock():
    async def main():
        await asyncio.sleep(86400 * 365)
        return await asyncio.to_thread(time.time) < time.time() - 86400

    assert run_virtual(main(), patch_time=True) is True


def test_perf_counter_stays_real():
    async def main():
        return time.perf_counter is REAL[2]

    assert run_virtual(main(), patch_time=True) is True


def test_datetimes_stay_datetimes():
    async def main():
        now = datetime.datetime.now()
        return (
            type(now) is REAL[3],
            isinstance(now, datetime.datetime),
            issubclass(REAL[3], datetime.datetime),
            datetime.datetime(2024, 2, 29) == REAL[3](2024, 2, 29),
        )

    assert run_virtual(main(), patch_time=True) == (True, True, True, True)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("zone", [None, datetime.UTC])
def test_datetimes_can_be_pickled_and_copied(protocol, zone):
    """As for a pool of processes, or a cache: what was written meanwhile is read everywhere."""
    made = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=zone, fold=1)
    before = pickle.dumps(made, protocol)

    async def main():
        assert pickle.loads(before) == made
        assert copy.deepcopy(made) == copy.copy(made) == made
        return pickle.dumps([made, datetime.datetime.now(zone)], protocol)

    written = run_virtual(main(), patch_time=True)
    assert b"wsstability" not in written
    again, now = pickle.loads(written)
    assert (again, again.fold) == (made, made.fold)
    assert type(again) is type(now) is datetime.datetime
    assert pickle.loads(pickle.dumps(made)) == made


def test_the_clocks_are_restored():
    async def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtual(main(), patch_time=True)
    assert (time.time, time.monotonic, time.perf_counter, datetime.datetime) == REAL


def test_without_asking_the_clocks_are_real():
    async def main():
        await asyncio.sleep(86400)
        return (time.time, time.monotonic, time.perf_counter, datetime.datetime) == REAL

    assert run_virtual(main()) is True


def test_a_table_of_types_that_is_made_meanwhile():
    """As pydantic's, where it is imported then: it knows the instants' type, then and later."""

    async def main():
        assert type(datetime.datetime.now()) == datetime.datetime  # noqa: E721
        assert datetime.datetime != datetime.date
        return {datetime.datetime: "an instant"}, functools.singledispatch(str), datetime.datetime

    table, written, meanwhile = run_virtual(main(), patch_time=True)
    written.register(meanwhile, lambda at: "an instant")

    assert table[datetime.datetime] == written(datetime.datetime.now(datetime.UTC)) == "an instant"
    assert (datetime.date in table, meanwhile == meanwhile, meanwhile != datetime.datetime) == (
        False,
        True,
        False,
    )


def test_types_that_are_made_later():
    """`typing` gives what it has made of an equal one, which other libraries (msgspec) do not know."""

    async def main():
        return typing.Optional[datetime.datetime]  # noqa: UP045

    run_virtual(main(), patch_time=True)

    assert typing.get_args(typing.Optional[datetime.datetime])[0] is datetime.datetime  # noqa: UP045


def test_a_model_of_pydantics_that_is_made_meanwhile():
    """As with the first import of a client library: its instants are real ones, then and later."""
    pydantic = pytest.importorskip("pydantic")

    async def main():
        return pydantic.create_model("Made", at=(datetime.datetime, ...))

    made = run_virtual(main(), patch_time=True)

    at = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    assert made(at=at).at == at
    assert type(made(at="2026-01-01T00:00:00Z").at) is datetime.datetime
