"""The ring of packed events."""

import pytest

from pytest_wsstability.core.timeline.events import Direction, Event, EventKind, FaultName, Opcode, Role
from pytest_wsstability.core.timeline.recorder import UNMEASURED, Recorder, measure_of, sort_of


def record(recorder, at, size=1, number=0):
    recorder.append(at, sort_of(EventKind.FRAME, Direction.SENT, Opcode.TEXT, Role.DATA), size, number)


@pytest.mark.parametrize(
    ("appended", "kept"),
    [
        (0, []),
        (2, [0.0, 1.0]),
        (3, [0.0, 1.0, 2.0]),
        (4, [1.0, 2.0, 3.0]),
        (6, [3.0, 4.0, 5.0]),
        (7, [4.0, 5.0, 6.0]),
    ],
)
def test_the_last_events_stay_oldest_first(appended, kept):
    """A ring of three keeps the last three, wherever it has wrapped."""
    recorder = Recorder(3)
    for number in range(appended):
        record(recorder, float(number))

    assert [event.at for event in recorder] == kept
    assert len(recorder) == len(kept)


EVENTS = [
    Event(0.1, EventKind.FRAME, Direction.RECEIVED, Opcode.CONT, 0, Role.DATA),
    Event(1 / 3, EventKind.FRAME, Direction.SENT, Opcode.PONG, 125, Role.HEARTBEAT_ANSWER),
    Event(1e6 + 1e-6, EventKind.FRAME, Direction.RECEIVED, Opcode.CLOSE, 2, Role.NONE),
    Event(2.0, EventKind.LOOP_LAG, seconds=0.25),
    # A laptop that was closed for a weekend.
    Event(3.0, EventKind.SUSPENDED, seconds=200_000.0),
    Event(4.0, EventKind.ENDED),
    Event(5.0, EventKind.FAULT, fault=FaultName.DROP),
    Event(6.0, EventKind.FAULT, fault=list(FaultName)[-1]),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind.name)
def test_an_event_comes_back_as_it_went_in(event):
    """Eighteen bytes hold every field; lags and sleeps are kept in milliseconds."""
    recorder = Recorder(1)
    sort = sort_of(event.kind, event.direction, event.opcode, event.role)
    recorder.append(event.at, sort, measure_of(event), 0)

    assert list(recorder) == [event]


@pytest.mark.parametrize(("size", "kept"), [(2**32 - 1, 2**32 - 1), (2**32, 2**32 - 1), (2**40, 2**32 - 1)])
def test_sizes_over_4_gib_are_capped(size, kept):
    """A record has four bytes for a size, which must not end a test of huge messages."""
    recorder = Recorder(1)
    record(recorder, 0.0, size)

    assert [event.size for event in recorder] == [kept]


def test_reading_is_of_one_moment():
    """The ring may move on while somebody looks at its events."""
    recorder = Recorder(2)
    record(recorder, 0.0)
    record(recorder, 1.0)
    seen = []
    for event in recorder:
        seen.append(event.at)
        record(recorder, 9.0)

    assert seen == [0.0, 1.0]


@pytest.mark.parametrize(
    "numbers",
    [[0, 1, 5], [65_534, 65_536, 65_540], [10, 60_000, 120_000], [2**40, 2**40 + 1, 2**40 + 65_535]],
)
def test_numbers_are_whole_again(numbers):
    """Half of each is kept; the rest follows from the event after it."""
    recorder = Recorder(3)
    for number in [3, *numbers]:
        record(recorder, float(number), number=number)

    assert [number for number, _ in recorder.numbered(numbers[-1])] == numbers
    assert [at for _, (at, _) in recorder.numbered(numbers[-1])] == numbers


@pytest.mark.parametrize("capacity", [3, 4, 5, 100])
@pytest.mark.parametrize("first", [0, 3, 7, 9])
@pytest.mark.parametrize("numbers", [range(9), [0, 1, 4, 6, 8], [65_533, 65_534, 65_540, 131_075]])
def test_records_since_a_number(capacity, first, numbers):
    """Wherever the ring has wrapped, and whatever was numbered beside it; the number's upper half follows."""
    recorder = Recorder(capacity)
    for number in numbers:
        record(recorder, float(number), number=number)
    kept = [*numbers][-capacity:]
    since = kept[-1] - 8 + first

    assert [each[0] for each in recorder.packed_since(since, kept[-1])] == [n for n in kept if n >= since]


@pytest.mark.parametrize(
    ("size", "direction", "are_alike"),
    [
        (1, Direction.SENT, True),
        (2**24, Direction.SENT, True),
        (1, Direction.RECEIVED, False),
    ],
)
def test_what_is_left_without_the_measure_is_all_the_rest(size, direction, are_alike):
    """Events of one kind share it, however large they are."""
    recorder = Recorder(2)
    record(recorder, 0.0)
    recorder.append(1.0, sort_of(EventKind.FRAME, direction, Opcode.TEXT, Role.DATA), size, 1)
    one, other = (what[UNMEASURED] for _, (_, what) in recorder.numbered(1))

    assert (one == other) is are_alike
