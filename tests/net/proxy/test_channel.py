"""One direction of a link: order, flow control, and nothing lost."""

import asyncio
from random import Random

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.net.proxy.channel import CAPACITY, Channel, TcpFlag
from pytest_wsstability.net.proxy.shape import Shape


class Ends:
    """Both ends of a channel: takes what comes out, with the time, as long as there is room."""

    def __init__(self, room=10**9):
        self.space = room
        self.log = []
        self.asked_for_more = 0
        self.ended = 0
        self.kept_back = []

    def more(self):
        self.asked_for_more += 1

    def room(self):
        return self.space

    def data(self, data):
        self.space -= len(data)
        self.log.append((self._now(), data))

    def fin(self):
        self.log.append((self._now(), TcpFlag.FIN))

    def reset(self):
        self.log.append((self._now(), TcpFlag.RST))

    def channel_ended(self, channel):
        self.ended += channel.delivered is not None

    def keeps_back(self, channel, since, until, again):
        self.kept_back.append((round(since, 3), round(until, 3), again))

    def _now(self):
        return round(asyncio.get_running_loop().time(), 9)


def shape(**values):
    made = Shape(Random(0))
    for name, value in values.items():
        setattr(made, name, value)
    return made


def on_channel(script, *, room=10**9, **values):
    """Run a script on a channel with a shape, and give what came out."""

    async def play():
        ends = Ends(room)
        channel = Channel(asyncio.get_running_loop(), ends.channel_ended, ends.keeps_back, ends, ends)
        if values:
            channel.reshape(shape(**values))
        await script(channel, ends)
        return ends

    return run_virtual(play())


async def abc(channel, ends):
    """Six bytes in three pieces at one instant, and FIN."""
    for piece in (b"ab", b"cd", b"ef"):
        channel.data(piece)
    channel.fin()
    await asyncio.sleep(10)


@pytest.mark.parametrize(
    ("values", "log"),
    [
        ({}, [(0.0, b"ab"), (0.0, b"cd"), (0.0, b"ef"), (0.0, TcpFlag.FIN)]),
        ({"delay": 0.5}, [(0.5, b"ab"), (0.5, b"cd"), (0.5, b"ef"), (0.5, TcpFlag.FIN)]),
        ({"held_until": 2.0}, [(2.0, b"ab"), (2.0, b"cd"), (2.0, b"ef"), (2.0, TcpFlag.FIN)]),
        ({"held": True}, []),
        # A rate of 20 bytes a second carries one byte in 50 ms.
        (
            {"bandwidth": 20.0},
            [
                (0.05, b"a"),
                (0.1, b"b"),
                (0.15, b"c"),
                (0.2, b"d"),
                (0.25, b"e"),
                (0.3, b"f"),
                (0.3, TcpFlag.FIN),
            ],
        ),
        (
            {"bandwidth": 2.0, "delay": 1.0},
            [(1.5 + n / 2, bytes([97 + n])) for n in range(6)] + [(4.0, TcpFlag.FIN)],
        ),
        (
            {"slice_size": 1, "slice_delay": 0.1},
            [
                (0.0, b"a"),
                (0.1, b"b"),
                (0.2, b"c"),
                (0.3, b"d"),
                (0.4, b"e"),
                (0.5, b"f"),
                (0.6, TcpFlag.FIN),
            ],
        ),
    ],
)
def test_bytes_leave_when_they_are_due(values, log):
    """In order, FIN behind them, at the exact instants."""
    assert on_channel(abc, **values).log == log


class Reading(Ends):
    """Reads in a turn of its own, all that has come by then, as transports do."""

    def __init__(self):
        super().__init__()
        self.reads = []

    def data(self, data):
        super().data(data)
        asyncio.get_running_loop().call_soon(self.read)

    def read(self):
        if self.log:
            self.reads.append(b"".join(data for _, data in self.log))
            self.log.clear()


@pytest.mark.parametrize(("size", "reads"), [(0, [b"abc"]), (1, [b"a", b"b", b"c"]), (2, [b"ab", b"c"])])
def test_slices_come_in_turns_of_their_own(size, reads):
    """A receiver reads each piece by itself, without a pause between them too."""

    async def play():
        ends = Reading()
        channel = Channel(asyncio.get_running_loop(), ends.channel_ended, ends.keeps_back, ends, ends)
        channel.reshape(shape(slice_size=size))
        channel.data(b"abc")
        await asyncio.sleep(1)
        return ends.reads

    assert run_virtual(play()) == reads


@pytest.mark.parametrize("seed", range(10))
def test_jitter_keeps_the_order(seed):
    """Nothing overtakes what was sent before it."""

    async def script(channel, ends):
        channel.reshape(shape(delay=0.1, jitter=0.1))
        for number in range(50):
            channel.data(bytes([number]))
            await asyncio.sleep(0.001)
        await asyncio.sleep(1)

    ends = on_channel(script)
    assert b"".join(data for _, data in ends.log) == bytes(range(50))
    assert [at for at, _ in ends.log] == sorted(at for at, _ in ends.log)


def test_what_was_held_is_delivered_when_it_is_healed():
    """TCP loses nothing; all comes at once, in order."""

    async def script(channel, ends):
        channel.data(b"ab")
        await asyncio.sleep(1)
        channel.data(b"cd")
        channel.fin()
        await asyncio.sleep(1)
        assert ends.log == []
        channel.reshape(None)

    assert on_channel(script, held=True, delay=5.0).log == [(2.0, b"ab"), (2.0, b"cd"), (2.0, TcpFlag.FIN)]


@pytest.mark.parametrize(
    ("values", "room", "kept_back"),
    [
        ({}, 100, []),
        # It waits for the receiver, and not for a fault.
        ({}, 2, []),
        ({"delay": 0.5}, 2, [(0, 0.5, False), (1, 1.5, True)]),
        ({"delay": 0.5}, 100, [(0, 0.5, False), (1, 1.5, True)]),
        ({"delay": 1.5}, 100, [(0, 1.5, False), (1, 2.5, True), (1, 2, True)]),
        ({"held_until": 3.0}, 100, [(0, 3, False), (1, 3, True), (0, 2, True)]),
        # Nobody knew for how long before it was healed.
        ({"held": True}, 100, [(0, 2, False)]),
        ({"held": True, "delay": 0.5}, 100, [(0, 2, False)]),
        ({"bandwidth": 4.0}, 100, [(0, 0.5, False), (1, 1.5, True)]),
    ],
)
def test_what_a_shape_keeps_back_is_told(values, room, kept_back):
    """From when it came until it leaves, and whether the shape is the one that did so before."""

    async def script(channel, ends):
        channel.data(b"ab")
        await asyncio.sleep(1)
        channel.data(b"cd")
        await asyncio.sleep(1)
        channel.reshape(None)

    assert on_channel(script, room=room, **values).kept_back == kept_back


@pytest.mark.parametrize(("size", "kept_back"), [(511, [(0, 0.511)]), (512, [])])
def test_a_slow_link_keeps_back_what_is_small(size, kept_back):
    """What is large takes its time on any link; and what waits behind it is told with its own time alone."""

    async def script(channel, ends):
        channel.data(bytes(size))
        channel.data(bytes(10))
        await asyncio.sleep(2)

    told = [each[:2] for each in on_channel(script, bandwidth=1000.0).kept_back]
    assert told == [*kept_back, (0, 0.01)]


def test_what_waits_as_a_fault_begins_is_kept_back_by_that_too():
    """Each of what is in the channel then: it came before."""

    async def script(channel, ends):
        channel.data(b"ab")
        await asyncio.sleep(0.25)
        channel.shape.held_until = 3.0
        channel.reshape(channel.shape)
        await asyncio.sleep(4)

    assert on_channel(script, delay=0.5).kept_back == [(0, 0.5, False), (0, 0.25, True), (0, 3, False)]


def test_a_full_channel_says_so_and_asks_for_more():
    """The sender waits, and is told once there is room again."""

    async def script(channel, ends):
        channel.data(bytes(CAPACITY - 1))
        assert channel.room() == 1
        channel.data(b"xy")
        assert channel.room() == 0
        channel.reshape(None)
        assert channel.room() == CAPACITY

    ends = on_channel(script, held=True)
    assert ends.asked_for_more == 1
    assert sum(len(data) for _, data in ends.log) == CAPACITY + 1


def test_the_receiver_decides_how_much_comes():
    """Without room nothing is delivered, and nothing is lost."""

    async def script(channel, ends):
        channel.data(b"abcdef")
        assert ends.log == [(0.0, b"abcd")]
        channel.data(b"gh")
        ends.space = 3
        channel.pump()
        ends.space = 100
        channel.pump()
        assert channel.is_empty

    assert on_channel(script, room=4).log == [(0.0, b"abcd"), (0.0, b"ef"), (0.0, b"g"), (0.0, b"h")]


def test_what_is_sent_behind_the_end_is_lost():
    """FIN and RST come once, and nothing after them."""

    async def script(channel, ends):
        channel.fin()
        channel.data(b"late")
        channel.reset()
        assert channel.room() == CAPACITY

    ends = on_channel(script)
    assert (ends.log, ends.ended) == ([(0.0, TcpFlag.FIN)], 1)


def test_a_refusal_overtakes_everything():
    """What is in the channel is gone, and the receiver gets RST at once."""

    async def script(channel, ends):
        channel.data(b"abc")
        channel.refuse()
        channel.refuse()
        await asyncio.sleep(10)

    ends = on_channel(script, delay=1.0)
    assert (ends.log, ends.ended) == ([(0.0, TcpFlag.RST)], 1)


def test_a_closed_channel_has_no_timer():
    """Nothing comes out, and nothing keeps the loop awake."""

    async def script(channel, ends):
        channel.data(b"abc")
        channel.close()
        await asyncio.sleep(10)

    assert on_channel(script, delay=1.0).log == []


def test_the_instant_at_which_the_sender_ends_is_kept():
    """Also where what it says is held back; the first time counts."""

    async def script(channel, ends):
        await asyncio.sleep(3)
        channel.fin()
        await asyncio.sleep(4)
        channel.reset()
        assert (channel.sender_ended_at, channel.delivered, ends.log) == (3.0, None, [])

    on_channel(script, held=True)
