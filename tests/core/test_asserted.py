"""What is taken down of assertions while a watch is on."""

from __future__ import annotations

import inspect

import pytest

from pytest_wsstability.core.asserted import Watch, asserting, awaited, failing, keywords, watching
from pytest_wsstability.core.judge.requirement import Requirement


@awaited
async def assert_something(value):
    """An assertion that waits."""
    return value


def step(coroutine):
    """Send into a coroutine that never waits."""
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def throw(coroutine):
    """Throw into a coroutine that has not begun."""
    with pytest.raises(KeyError):
        coroutine.throw(KeyError())


def test_an_assertion_stays_a_plain_coroutine():
    """For type checkers, tasks and gather."""
    with watching(Watch()):
        coroutine = assert_something(3)

        assert inspect.iscoroutine(coroutine)
        assert assert_something.__name__ == "assert_something"
        assert step(coroutine) == 3


@pytest.mark.parametrize("use", [step, throw, lambda coroutine: coroutine.close()])
def test_one_that_was_used_is_no_unused_one(use):
    """Sent into, thrown into or closed."""
    with watching(Watch()) as watch:
        use(assert_something(1))

    assert watch.take_unused() == []


def test_one_that_nobody_used_is_told_with_its_line():
    """Once, and closed, so that Python has nothing to warn of."""
    with watching(Watch()) as watch:
        assert_something(1)
        line = inspect.currentframe().f_lineno - 1
        step(assert_something(2))

    (unused,) = watch.take_unused()
    assert (unused.name, unused.path, unused.line) == ("assert_something", __file__, line)
    assert watch.take_unused() == []


def test_one_of_a_task_is_left_to_it():
    """A task closes what it was given when it is cancelled."""
    with watching(Watch()) as watch:
        coroutine = assert_something(1)

    assert len(watch.take_unused([coroutine])) == 1
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
    coroutine.close()


def test_nothing_is_kept_without_a_watch():
    """A script has Python's own warning."""
    coroutine = assert_something(1)
    with watching(Watch()) as watch:
        pass

    assert watch.take_unused() == []
    coroutine.close()


def test_the_innermost_watch_has_it():
    """A test may run pytest itself."""
    with watching(Watch()) as outer, watching(Watch()) as inner:
        assert_something(1)

    assert outer.take_unused() == []
    assert len(inner.take_unused()) == 1


@awaited
async def assert_later(event):
    """An assertion that waits for something."""
    await event


class Never:
    """Something that does not come."""

    def __await__(self):
        yield


def test_one_that_waits_still():
    """Of the body of a test; one of a fixture may have its turn after it."""
    with watching(Watch()) as watch:
        early = assert_later(Never())
        watch.begin_body()
        late, done = assert_later(Never()), assert_something(1)
        early.send(None)
        late.send(None)
        step(done)

    assert [coroutine for coroutine, _ in watch.unfinished()] == [late]
    early.close()
    late.close()
    assert watch.unfinished() == []


def test_used_ones_are_let_go():
    """A test that asserts for ever needs no memory for it."""
    with watching(Watch()) as watch:
        forgotten = assert_something(0)
        for number in range(3000):
            step(assert_something(number))

        assert len(watch._coroutines) <= 1001
    assert len(watch.take_unused()) == 1
    del forgotten


def test_keywords_that_ask_for_something():
    """As the mark has them."""
    assert keywords(Requirement()) == []
    assert keywords(Requirement.of(alive_for="2m", allow_close=1001, handshake=False)) == [
        "alive_for", "allow_close"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "asserted", "judged"),
    [
        ({"alive_for": "2m"}, {"alive_for": "1s"}, True),
        ({"alive_for": "2m"}, {"session_within": "1s"}, False),
        ({"alive_for": "2m", "session_within": "5s"}, {"session_within": "1s"}, True),
        ({"heartbeat_every": "25s"}, {"heartbeat_within": "5s"}, True),
        ({"heartbeat_every": "25s"}, {"alive_for": "2m"}, False),
        ({"no_error_messages": True}, {"alive_for": "2m"}, True),
        ({"alive_for": "2m"}, {"no_abnormal_closure": True}, False),
        ({"messages_at_least": 3}, {"message_every": "5s"}, True),
        ({"rtt_p95": "1s"}, {"rtt_p95": "2s"}, True),
        ({"alive_for": "2m"}, {}, False),
    ],
)
def test_what_an_assertion_judges(mark, asserted, judged):
    """One of the keywords is enough; those of heartbeats, of messages and of an end go together."""
    with watching(Watch()) as watch:
        asserting(Requirement.of(**asserted))

    assert watch.judges(Requirement.of(**mark)) is judged
    watch.forget()
    assert not watch.judges(Requirement.of(**mark))


def test_an_assertion_without_a_watch_is_not_taken_down(monkeypatch):
    """A script may assert with nobody looking on; a later watch knows nothing of it."""
    # Without the watch of the plugin, which is on during this test.
    monkeypatch.setattr("pytest_wsstability.core.asserted._watches", [])
    asserting(Requirement.of(alive_for="2m"))
    failing(AssertionError("no"))

    with watching(Watch()) as watch:
        assert not watch.judges(Requirement.of(alive_for="2m"))


@pytest.mark.parametrize(("before", "behind"), [(0, 0), (900, 0), (0, 1001), (900, 1001)])
def test_one_that_waits_still_is_known_behind_any_number_of_others(before, behind):
    """Those that have ended are let go, in the fixtures as in the body."""
    with watching(Watch()) as watch:
        for _ in range(before):
            step(assert_something(1))
        watch.begin_body()
        waiting = assert_later(Never())
        waiting.send(None)
        for _ in range(behind):
            step(assert_something(2))

    assert [where.name for _, where in watch.unfinished()] == ["assert_later"]
    waiting.close()
