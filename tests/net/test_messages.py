"""Messages as users send, take and expect them, none of it for ever, and none of it silently wrong."""

import asyncio
import dataclasses
import pickle
import re
from functools import partial

import pytest

from pytest_wsstability import Cause, Connection, ConnectionEnded, End, faults
from tests.net.peers import BINARY, CONT, PING, PONG, TEXT, close, connected, frame, silent, talking

pytestmark = pytest.mark.ws_stability(time="virtual")

ECHO = {"echo": True}


def saying(*payloads, every=1.0):
    """A server that says something each second, and then nothing."""

    async def script(peer):
        for payload in payloads:
            await asyncio.sleep(every)
            text = isinstance(payload, str)
            peer.send(frame(TEXT, payload.encode()) if text else frame(BINARY, payload))
        await peer.gone()

    return talking(script)


def now(connection):
    return connection.websocket.loop.time() - connection.timeline.opened


# recv


async def test_recv_waits_so_long_and_no_longer():
    """It says what the connection is doing meanwhile; a later message is for the next call."""
    async with saying("one", "two", every=4.0) as connection:
        assert await connection.recv(within="5s") == "one"
        words = (
            r"^recv: no message came within 2 s; the connection is open at 6 s, and the last one came at 4 s$"
        )
        with pytest.raises(TimeoutError, match=words):
            await connection.recv(within=2)

        assert now(connection) == pytest.approx(6.0)
        assert await connection.recv(within="5s") == "two"


@pytest.mark.parametrize(
    "call",
    [
        lambda connection: connection.recv(within="20s"),
        lambda connection: connection.expect("x", within="20s"),
        lambda connection: connection.wait_closed(within="20s"),
    ],
)
async def test_what_does_not_come_on_a_dead_path_has_a_cause(call):
    """The heartbeats of this end show it: nothing else would say why the connection is silent."""
    async with connected({"faults": [("9s", faults.Blackhole())]}, heartbeat="4s") as (connection, _):
        with pytest.raises(TimeoutError) as caught:
            await call(connection)
        lines = str(caught.value).splitlines()

    assert lines[0].endswith("the last frame of any kind came at 8 s")
    assert [line.split()[0] for line in lines if "confidence" in line] == ["likely"]
    assert lines[-1] == "  read on   wsstability explain half-open"


async def test_who_asks_for_messages_again_and_again_looks_at_no_others(monkeypatch):
    """A thousand connections that each did took twenty times as long (measured)."""
    monkeypatch.setattr(Connection, "cohort", lambda self: pytest.fail("they say nothing of one that lives"))
    async with connected({}, heartbeat="4s") as (connection, _):
        with pytest.raises(TimeoutError, match=r"^recv: "):
            await connection.recv(within="22s")


async def test_what_does_not_come_on_a_healthy_connection_has_none():
    """The peer answers heartbeats, and has nothing to say."""
    async with connected({}, heartbeat="4s") as (connection, _):
        words = r"no message ever came; the last frame of any kind came at 20 s$"
        with pytest.raises(TimeoutError, match=words):
            await connection.recv(within="22s")


async def test_recv_says_that_nothing_ever_came():
    """Not even one message."""
    async with talking(silent) as connection:
        with pytest.raises(
            TimeoutError, match=r"within 1 s; the connection is open at 1 s, and no message ever came$"
        ):
            await connection.recv(within="1s")


async def test_a_message_at_the_last_instant_is_in_time():
    """The bound is the user's."""
    async with saying("one") as connection:
        assert await connection.recv(within="1001ms") == "one"


@pytest.mark.parametrize("within", [0, -1, "soon", float("nan")])
async def test_a_time_that_makes_no_sense_is_refused(within):
    """Before anything is waited for."""
    async with talking(silent) as connection:
        for call in (connection.recv(within=within), connection.expect("x", within=within)):
            with pytest.raises(ValueError, match=r"^within: "):
                await call


# The cause of an end


async def cut(peer):
    peer.send(frame(TEXT, b"one"))
    await asyncio.sleep(60)
    peer.cut()


async def iterate(connection):
    return [message async for message in connection]


@pytest.mark.parametrize(
    "use",
    [
        iterate,
        lambda connection: connection.expect("two", within="5m"),
        lambda connection: connection.recv_json(),
    ],
    ids=["iteration", "expect", "recv_json"],
)
async def test_an_end_that_went_wrong_carries_its_cause(use):
    """``async for`` that dies with 1006 says why, as a failed assertion does."""
    async with talking(cut) as connection:
        if use is not iterate:
            assert await connection.recv() == "one"
        with pytest.raises(ConnectionEnded) as caught:
            await use(connection)

        said = str(caught.value).splitlines()
        assert said[0] == "the connection ended: 1006 at 60 s: no close frame received or sent; FIN"
        assert any(line.startswith("  client    =") for line in said)
        assert any(line.startswith("  likely    ") for line in said)
        assert any(line.startswith("  fix       ") for line in said)
        assert caught.value.diagnosis.cause is Cause.IDLE_TIMEOUT
        assert caught.value.timelines[0].end is End.CLIENT
        assert caught.value.timelines[0] is not connection.timeline
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


async def test_a_normal_end_has_no_cause_to_tell():
    """Iteration ends, and `recv` says in one line that nothing more will come."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"), close(1000, "done"))
        await peer.gone()

    async with talking(script) as connection:
        assert await iterate(connection) == ["one"]
        with pytest.raises(ConnectionEnded) as caught:
            await connection.recv()

        assert caught.value.diagnosis is None
        assert str(caught.value).count("\n") == 0


async def test_our_own_close_is_no_riddle():
    """Who planned the end knows its cause, though the server does not answer."""

    async def script(peer):
        await asyncio.sleep(60)

    async with talking(script) as connection:
        connection.websocket.start_close(1000, planned=True)
        with pytest.raises(ConnectionEnded) as caught:
            await connection.recv()

        assert caught.value.diagnosis is None


# expect


@pytest.mark.parametrize(
    ("match", "found"),
    [
        ("three", "three"),
        (b"\x00\x01", b"\x00\x01"),
        ({"type": "answer"}, '{"type":"answer","to":{"id":7,"of":"x"}}'),
        ({"to": {"id": 7}}, '{"type":"answer","to":{"id":7,"of":"x"}}'),
        (re.compile("^th.*e$"), "three"),
        (re.compile(b"\x01$"), b"\x00\x01"),
        (lambda message: len(message) == 5, "three"),
        ({}, '{"type":"question"}'),
    ],
)  # fmt: skip
async def test_expect_takes_what_matches(match, found):
    """And passes over what does not."""
    said = [
        "one",
        '{"type":"question"}',
        "[1]",
        "[" * 5000,
        '{"type":"answer","to":{"id":7,"of":"x"}}',
        b"\x00\x01",
        "three",
    ]
    async with saying(*said) as connection:
        assert await connection.expect(match, within="20s") == found


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ('{"id":7}', {"id": "7"}), ('{"id":true}', {"id": 1}), ('{"id":7}', {"id": 7, "of": None}),
        ("[7]", {"id": 7}), ("id", b"id"), ("id", re.compile(b"id")), (b"id", "id"),
        (b"id", re.compile("id")),
    ],
)  # fmt: skip
async def test_expect_is_not_easily_satisfied(said, match):
    """A number is no text, a missing member no null, text no bytes."""
    async with saying(said) as connection:
        with pytest.raises(TimeoutError, match="did not come within 3 s"):
            await connection.expect(match, within="3s")


async def test_expect_says_what_came_instead():
    """The last three, one line each, nothing that a terminal would obey; the time is for all of them."""
    async with saying("one", "two", "\x1b[2Jthree", b"\xff", every=1.0) as connection:
        with pytest.raises(TimeoutError) as caught:
            await connection.expect("five", within="4500ms")

        assert str(caught.value) == (
            r"expect: five did not come within 4.5 s; 4 others came, the last: two, \x1b[2Jthree, b'\xff'"
        )
        assert now(connection) == pytest.approx(4.5)


async def test_expect_says_that_nothing_came():
    """What is there of the connection."""
    async with talking(silent) as connection:
        with pytest.raises(
            TimeoutError, match=r"^expect: \{'a': 1\} did not come within 1 s; the connection is open"
        ):
            await connection.expect({"a": 1}, within="1s")


async def matches_later(message):
    """No truth value but a coroutine, which is always true."""
    return False


def matches_in_a_generator(message):
    """The same."""
    yield False


class MatchesLater:
    """The same, called as an object."""

    async def __call__(self, message):
        return False


@pytest.mark.parametrize(
    "match", [matches_later, matches_in_a_generator, MatchesLater(), partial(matches_later)]
)
async def test_expect_refuses_what_would_match_every_message(match):
    """Whatever it says of them."""
    async with saying("one", every=1.0) as connection:
        with pytest.raises(TypeError, match=r"^expect: .* gives no truth value when it is called: write it"):
            await connection.expect(match, within="5s")


@pytest.mark.parametrize("match", [None, 7, ["one"], 1.5])
async def test_expect_refuses_what_matches_no_message(match):
    """With what would."""
    async with talking(silent) as connection:
        with pytest.raises(
            TypeError, match=r"matches no message; give text or bytes, members of a JSON object"
        ):
            await connection.expect(match, within="1s")


async def test_what_a_function_raises_is_raised():
    """It is the test's."""

    def wrong(message):
        raise LookupError(message)

    async with saying("one") as connection:
        with pytest.raises(LookupError, match="one"):
            await connection.expect(wrong, within="5s")


# JSON


@pytest.mark.parametrize(
    ("value", "text"),
    [({"a": [1, None, True]}, '{"a":[1,null,true]}'), ("é", '"é"'), (None, "null"), ([], "[]"), (1.5, "1.5")],
)
async def test_json_goes_both_ways(value, text):
    """As ``JSON.stringify`` writes it."""
    async with connected(ECHO) as (connection, _):
        await connection.send_json(value)
        assert await connection.recv(within="5s") == text
        await connection.send_json(value)
        assert await connection.recv_json(within="5s") == value


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        ({"a": object()}, TypeError, "^send_json: Object of type object is not JSON serializable"),
        ({"a": float("nan")}, ValueError, "^send_json: Out of range float values are not JSON compliant"),
        (b"bytes", TypeError, "^send_json: Object of type bytes is not JSON serializable"),
    ],
)
async def test_what_json_cannot_say_is_refused(value, error, words):
    """Nothing goes out."""
    async with connected(ECHO) as (connection, _):
        with pytest.raises(error, match=words):
            await connection.send_json(value)
        await connection.send("next")

        assert await connection.recv(within="5s") == "next"


@pytest.mark.parametrize("said", ["hello", "", "{", b"\xff", "[" * 100_000])
async def test_what_is_no_json_is_shown(said):
    """And taken, so that the next one can be read."""
    async with saying(said, "1") as connection:
        with pytest.raises(ValueError, match=r"^recv_json: not JSON \("):
            await connection.recv_json(within="5s")

        assert await connection.recv_json(within="5s") == 1


# send


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            {"type": "ping"},
            r"^send: a dict is no message; send_json\(\) sends it as JSON, json.dumps\(\) makes text of it$",
        ),
        ({}, r"^send: a dict is no message; send_json\(\)"),
        (7, r"^send: a int is no message; give str, bytes, or an iterable of them$"),
        (None, r"^send: a NoneType is no message"),
        (["a", b"b"], r"^send: the fragments of a message are all str or all bytes$"),
        ([b"a", "b"], r"^send: the fragments of a message are all str or all bytes$"),
    ],
)
async def test_what_is_no_message_is_refused(message, words):
    """A mapping would be sent as its keys, a fragment each."""
    async with connected(ECHO) as (connection, _):
        with pytest.raises(TypeError, match=words):
            await connection.send(message)


class Model:
    """A model as pydantic has it: it iterates over pairs of name and value."""

    def __iter__(self):
        return iter([("type", "move")])

    def model_dump(self, mode):
        return dict(self)

    def model_dump_json(self):
        return '{"type":"move"}'


@dataclasses.dataclass
class Ping:
    type: str = "move"


async def test_a_model_is_told_what_makes_a_message_of_it():
    """Of pydantic, or a dataclass."""
    async with connected(ECHO) as (connection, _):
        with pytest.raises(TypeError, match=r"^send: a Model is no message; send its model_dump_json\(\)$"):
            await connection.send(Model())
        with pytest.raises(TypeError, match=r"serializable; give its model_dump\(mode='json'\)$"):
            await connection.send_json(Model())
        with pytest.raises(TypeError, match=r"serializable; give dataclasses.asdict\(\) of it$"):
            await connection.send_json(Ping())
        await connection.send(Model().model_dump_json())

        assert await connection.recv_json(within="5s") == {"type": "move"}


async def test_a_refused_message_leaves_the_connection_as_it_was():
    """Only one that was begun fails it."""
    async with connected(ECHO) as (connection, _):
        for wrong in ({"a": 1}, 7, [None]):
            with pytest.raises(TypeError):
                await connection.send(wrong)
        await connection.send("next")

        assert await connection.recv(within="5s") == "next"


async def tokens(*words, every=1.0):
    for word in words:
        await asyncio.sleep(every)
        yield word


async def test_an_async_iterable_is_sent_as_it_comes():
    """Each fragment at its instant, a ping between two of them, and an empty one at the end."""
    got = []

    async def script(peer):
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            opcode, payload = await peer.frame()
            got.append((round(loop.time() - start, 1), opcode, payload))
            if opcode == PING:
                peer.send(frame(PONG, payload))

    async with talking(script) as connection:
        sending = asyncio.ensure_future(connection.send(tokens("a", "b", "c")))
        await asyncio.sleep(1.5)
        assert await connection.ping(b"now") < 1
        await sending

        await asyncio.sleep(1)
        assert got == [
            (1.0, TEXT, b"a"),
            (1.5, PING, b"now"),
            (2.0, CONT, b"b"),
            (3.0, CONT, b"c"),
            (3.0, CONT, b""),
        ]


@pytest.mark.parametrize("words", [("a",), ("a", "b"), (b"a", b"", b"c")])
async def test_an_async_iterable_is_one_message(words):
    """At the other end."""
    async with connected(ECHO) as (connection, _):
        await connection.send(tokens(*words))

        assert await connection.recv(within="9s") == type(words[0])().join(words)


async def test_a_heartbeat_waits_for_a_stream_of_fragments():
    """It is a message of its own, and goes out behind."""
    async with connected({"echo": True, "read_deadline": None}, heartbeat="2s") as (connection, _):
        await connection.send(tokens(*"abcde"))

        assert await connection.recv(within="1s") == "abcde"
        await asyncio.sleep(0.5)
        assert connection.timeline.heartbeats.answered == 2


async def test_an_empty_async_iterable_is_refused():
    """As an empty list is."""
    async with connected(ECHO) as (connection, _):
        with pytest.raises(ValueError, match=r"^send: no fragment to send$"):
            await connection.send(tokens())

        assert connection.websocket.is_open


async def test_an_async_iterable_that_fails_fails_the_connection():
    """The peer could not tell what it has from a whole message."""

    async def broken():
        yield "one"
        raise LookupError

    async with connected(ECHO) as (connection, _):
        with pytest.raises(LookupError):
            await connection.send(broken())
        await connection.wait_closed()

        assert connection.timeline.close.sent.code == 1011


async def test_a_connection_that_ends_ends_a_stream_of_fragments():
    """What would have come is not waited for."""

    async def script(peer):
        await asyncio.sleep(2.5)
        peer.send(close(1012))
        await peer.gone()

    async with talking(script) as connection:
        with pytest.raises(ConnectionEnded, match="1012"):
            await connection.send(tokens(*"abcdefgh"))

        assert now(connection) == pytest.approx(3.0)
