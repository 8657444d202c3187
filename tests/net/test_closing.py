"""How this end closes, and what can be done with a connection that has ended."""

import asyncio

import pytest

from pytest_wsstability import ConnectionEnded, End, Orchestrator
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.net.websocket import LINGER
from tests.net.peers import CLOSE, TEXT, close, connected, frame, opened, serving, silent, talking

pytestmark = pytest.mark.ws_stability


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
)
async def test_a_valid_code_goes_over_the_wire(code):
    """And comes back, as RFC 6455, section 5.5.1, asks for."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.close(code, "because")
        await session.connection.wait_closed()

        frame = CloseFrame(code, "because")
        assert (connection.timeline.close.sent, connection.timeline.close.received) == (frame, frame)
        assert connection.timeline.close.by is End.CLIENT
        assert connection.timeline.close.planned
        session.assert_closed(code=code, reason="because", by="client")
        assert not session.timeline.close.planned


@pytest.mark.parametrize(
    "code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_536, 1000.0, "1000", True]
)
async def test_a_code_that_may_not_stand_on_the_wire_is_refused(code):
    """Nothing is sent, and the connection goes on."""
    async with connected({"echo": True}) as (connection, _):
        words = rf"^close code: {code!r} may not be sent; valid ones: 1000-1003, 1007-1014 and 3000-4999$"
        with pytest.raises(ValueError, match=words):
            await connection.close(code)
        await connection.send("still here")

        assert await connection.recv() == "still here"


@pytest.mark.parametrize("apart", [False, True], ids=["with the handshake", "after it"])
@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_close_frame_within_a_message(apart, pieces):
    """RFC 6455, section 5.4: it may stand between fragments, and is answered with its own code."""
    begun = [frame(TEXT, b"begun", fin=False), close(4000, "enough")]

    async def script(peer):
        if apart:
            await asyncio.sleep(0.01)
        for chunk in [b"".join(begun)] if pieces == 1 else begun:
            peer.send(chunk)
            if apart:
                await asyncio.sleep(0.01)
        assert await peer.frame() == (CLOSE, b"\x0f\xa0enough")

    async with talking(script) as connection:
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.received, evidence.sent) == (CloseFrame(4000, "enough"),) * 2
        assert evidence.parser_error is None


@pytest.mark.parametrize("code", [1006, 1000.0, "1000"])
async def test_a_refused_close_plans_nothing(code):
    """What ends the connection afterwards is not excused by the call that failed."""
    go = asyncio.Event()

    async def script(peer):
        await go.wait()

    async with talking(script) as connection:
        with pytest.raises(ValueError, match="close code"):
            await connection.close(code)
        go.set()
        await connection.wait_closed()

        assert connection.timeline.close.planned is False


async def test_a_reason_that_is_no_text_is_refused():
    """Bytes are no reason, whatever is in them."""
    async with connected() as (connection, _):
        with pytest.raises(ValueError, match=r"^close reason: b'why' is no text; give str"):
            await connection.close(1000, b"why")

        assert connection.websocket.is_open


@pytest.mark.parametrize(("code", "reason"), [(1000, "x" * 124), (1000, "€" * 42), (None, "why")])
async def test_a_reason_that_does_not_fit_is_refused(code, reason):
    """A control frame carries 125 bytes, two of them the code; without a code there is no reason."""
    async with connected() as (connection, _):
        with pytest.raises(
            ValueError, match=r"^close reason: at most 123 bytes of UTF-8, and only with a code"
        ):
            await connection.close(code, reason)

        assert connection.websocket.is_open


async def test_an_empty_close_frame_is_1005_at_the_other_end():
    """RFC 6455, section 7.1.5."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.close(None)
        await session.connection.wait_closed()

        session.assert_closed(code=1005, reason="", by="client")
        session.assert_no_abnormal_closure()


async def test_closing_twice_is_closing_once():
    """At the same time, or later."""
    async with connected() as (connection, _):
        await asyncio.gather(connection.close(), connection.close(4000, "too late"))
        await connection.close(4001)

        connection.assert_closed(code=1000, reason="", by="client")


@pytest.mark.parametrize("use", ["send", "fragments", "recv", "ping", "pong"])
async def test_a_connection_that_has_ended_cannot_be_used(use):
    """The error says how it ended."""
    async with connected() as (connection, _):
        await connection.close()
        calls = {
            "send": lambda: connection.send("late"),
            "fragments": lambda: connection.send(["late", "r"]),
            "recv": connection.recv,
            "ping": connection.ping,
            "pong": connection.pong,
        }
        with pytest.raises(ConnectionEnded, match=r"^the connection ended: 1000 at .*sent 1000") as caught:
            await calls[use]()

        assert caught.value.evidence is connection.timeline.close


async def test_nothing_is_sent_once_the_closing_handshake_has_begun():
    """RFC 6455, section 5.5.1: no data frame after a close frame."""

    async def script(peer):
        peer.send(close(1001, "restart"))
        assert (await peer.frame())[0] == CLOSE
        begun.set()
        await used.wait()
        peer.writer.write_eof()
        assert await peer.reader.read() == b""

    begun, used = asyncio.Event(), asyncio.Event()
    async with talking(script) as connection:
        await begun.wait()
        with pytest.raises(ConnectionEnded, match=r"1001 at .*received 1001 \(going away\) restart"):
            await connection.send("late")
        used.set()
        await connection.wait_closed()


async def test_what_came_before_the_close_can_still_be_taken():
    """The end does not throw away messages."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"), frame(TEXT, b"two"), close(1000))
        await peer.frame()

    async with talking(script) as connection:
        await connection.wait_closed()

        assert [await connection.recv(), await connection.recv()] == ["one", "two"]
        with pytest.raises(ConnectionEnded):
            await connection.recv()


@pytest.mark.parametrize("code", [1000, 1001, None, 4000])
async def test_iteration_ends_on_a_normal_closure(code):
    """1000, 1001, an empty close frame, or a code of the application's own."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"), frame(TEXT, b"two"), frame(CLOSE) if code is None else close(code))
        await peer.frame()

    async with talking(script) as connection:
        assert [message async for message in connection] == ["one", "two"]


@pytest.mark.ws_stability(time="virtual")
async def test_iteration_goes_on_to_the_answer_to_our_own_close():
    """What the peer has to say before it is not lost, and an end that both agree on is no error."""

    async def script(peer):
        _, payload = await peer.frame()
        await asyncio.sleep(2)
        peer.send(frame(TEXT, b"last"))
        await asyncio.sleep(2)
        peer.send(frame(TEXT, b"words"), frame(CLOSE, payload))
        await peer.gone()

    async with talking(script) as connection:
        loop, taken = connection.websocket.loop, asyncio.ensure_future(taken_from(connection))
        await asyncio.sleep(1)
        connection.websocket.start_close(1000)

        assert await taken == ["last", "words"]
        assert loop.time() - connection.timeline.opened == 5.0


async def taken_from(connection):
    return [message async for message in connection]


async def answers_nothing(peer):
    await peer.gone()


async def ends_the_stream(peer):
    await peer.frame()
    await asyncio.sleep(3)


async def says_something_else(peer):
    await peer.frame()
    await asyncio.sleep(3)
    peer.send(close(1011))
    await peer.gone()


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    ("script", "code", "at"),
    [(answers_nothing, 1006, 11.0), (ends_the_stream, 1006, 4.0), (says_something_else, 1011, 4.0)],
)
async def test_iteration_raises_where_our_own_close_is_not_answered(script, code, at):
    """As soon as that is known: half a stream must not look like a whole one."""
    async with talking(script) as connection:
        loop, taken = connection.websocket.loop, asyncio.ensure_future(taken_from(connection))
        await asyncio.sleep(1)
        connection.websocket.start_close(1000)
        with pytest.raises(ConnectionEnded) as caught:
            await taken

        assert (caught.value.evidence.code, loop.time() - connection.timeline.opened) == (code, at)


@pytest.mark.ws_stability(time="virtual")
async def test_iteration_waits_for_nothing_where_this_end_failed():
    """No answer makes that a normal closure."""
    async with talking(answers_nothing) as connection:
        loop, taken = connection.websocket.loop, asyncio.ensure_future(taken_from(connection))
        await asyncio.sleep(1)
        connection.websocket.start_close(1011)
        with pytest.raises(ConnectionEnded):
            await taken

        assert loop.time() - connection.timeline.opened == 1.0


@pytest.mark.parametrize("code", [1002, 1011, 1012])
async def test_iteration_raises_on_a_failure(code):
    """Half a stream must not look like a whole one."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"), close(code))
        await peer.frame()

    async with talking(script) as connection:
        taken = []
        with pytest.raises(ConnectionEnded, match=rf"^the connection ended: {code} at "):
            taken.extend([message async for message in connection])


async def test_iteration_raises_on_1006():
    """A dropped connection, after the messages before it."""

    async def script(peer):
        peer.send(frame(TEXT, b"one"))

    async with talking(script) as connection:
        messages = aiter(connection)
        assert await anext(messages) == "one"
        with pytest.raises(
            ConnectionEnded, match=r"^the connection ended: 1006 at .*no close frame received"
        ):
            await anext(messages)


@pytest.mark.ws_stability(time="virtual")
async def test_a_peer_that_never_answers_the_close_is_given_up():
    """After exactly 10 s; the age of the connection is that of its close frame."""
    async with talking(silent) as connection:
        await asyncio.sleep(60)
        await connection.close(1000, "done")

        assert connection.websocket.loop.time() == connection.timeline.opened + 70.0
        evidence = connection.timeline.close
        assert (evidence.at, evidence.code, evidence.by) == (60.0, 1006, End.CLIENT)
        assert evidence.transport is TransportEnd.CLOSED
        assert evidence.local_text == "the peer did not close within 10 s"
        assert evidence.abnormal


@pytest.mark.ws_stability(time="virtual")
async def test_a_peer_that_answers_the_close_but_keeps_the_stream_is_given_up():
    """RFC 6455, section 7.1.1: the server closes the TCP connection first, but a client need not wait."""

    async def script(peer):
        peer.send(frame(CLOSE, (await peer.frame())[1]))
        await peer.gone()

    async with talking(script) as connection:
        await connection.close()

        assert connection.websocket.loop.time() == connection.timeline.opened + 10.0
        assert connection.timeline.close.code == 1000
        assert connection.timeline.close.local_text == "the peer did not close within 10 s"


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_starts_the_close_and_never_ends_it_is_given_up():
    """Its 1012 is what counts, with the reason."""

    async def script(peer):
        peer.send(close(1012, "node eu-3 restarts"))
        await peer.gone()

    async with talking(script) as connection:
        await connection.wait_closed()

        connection.assert_closed(code=1012, reason="node eu-3 restarts", by="server")
        assert connection.timeline.close.at == 0.0
        assert connection.websocket.loop.time() == connection.timeline.opened + 10.0


@pytest.mark.ws_stability(time="virtual")
async def test_nobody_else_waits_for_the_answer_to_our_own_close():
    """Whoever takes a message is told at once that none will be wanted any more."""
    async with talking(answers_nothing) as connection:
        taken = asyncio.ensure_future(connection.recv())
        await asyncio.sleep(1)
        connection.websocket.start_close(1000)
        with pytest.raises(ConnectionEnded):
            await taken

        assert connection.websocket.loop.time() - connection.timeline.opened == 1.0


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    "end",
    [
        lambda websocket: websocket.fail(1002, "no"),
        # A stream that ends without a closing handshake, which nothing gives up.
        lambda websocket: websocket.drop(LocalReason.FAULT, planned=True),
    ],
)
async def test_a_connection_that_is_over_already_is_closed_in_a_moment(end):
    """Only a closing handshake that was planned leaves the peer its time."""
    async with talking(lambda peer: asyncio.sleep(60)) as connection:
        connection.websocket.send_message(b"x" * 10_000_000)
        await asyncio.sleep(1)
        end(connection.websocket)
        await connection.close()

        assert connection.websocket.loop.time() - connection.timeline.opened == pytest.approx(1 + LINGER)


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("second", [0.0, 3.0])
@pytest.mark.parametrize(("answer", "code", "took"), [(9.999, 1000, 9.999), (10.001, 1006, 10.0)])
async def test_a_second_close_waits_with_the_first(second, answer, code, took):
    """Whoever calls it, and when: the peer has its ten seconds, and no call cuts another short."""

    async def script(peer):
        _, payload = await peer.frame()
        await asyncio.sleep(answer)
        peer.send(frame(CLOSE, payload))

    async def later(connection):
        await asyncio.sleep(second)
        await connection.close()

    async with talking(script) as connection:
        loop = connection.websocket.loop
        await asyncio.gather(connection.close(), later(connection))

        assert loop.time() - connection.timeline.opened == pytest.approx(took)
        assert connection.timeline.close.code == code


async def test_two_ends_may_close_at_once():
    """Each sees the code of the other."""

    async def script(peer):
        sent = await peer.frame()
        peer.send(close(1001, "me too"))
        assert sent == (CLOSE, (4000).to_bytes(2, "big"))

    async with talking(script) as connection:
        await connection.close(4000)

        evidence = connection.timeline.close
        assert (evidence.sent.code, evidence.received.code, evidence.received_first) == (4000, 1001, False)
        assert evidence.by is End.CLIENT


async def test_messages_that_come_before_the_answer_to_our_close_are_kept():
    """The peer may have had something to say."""

    async def script(peer):
        await peer.frame()
        peer.send(frame(TEXT, b"last words"), close(1000))

    async with talking(script) as connection:
        await connection.close()

        assert await connection.recv() == "last words"


async def test_leaving_a_waiting_close_leaves_the_connection_closing():
    """A cancelled close() is no error of the connection."""
    async with serving(closing_on_demand(go := asyncio.Event())) as url, opened(url, profile="frames") as one:
        waiting = asyncio.create_task(one.close())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go.set()
        await one.wait_closed()

        one.assert_closed(code=1000, by="client")


def closing_on_demand(go):
    async def script(peer):
        await peer.upgrade()
        _, payload = await peer.frame()
        await go.wait()
        peer.send(frame(CLOSE, payload))

    return script


async def test_a_server_handler_sees_the_end_of_its_client():
    """At the server's end too, iteration ends on a normal closure, and `recv` raises."""
    ends = []

    async def handler(connection):
        async for _ in connection:
            pass
        ends.append(connection.timeline.end)
        with pytest.raises(ConnectionEnded):
            await connection.recv()

    async with Orchestrator(handler=handler) as orchestrator:
        async with opened(orchestrator.url) as connection:
            await connection.close()
        await asyncio.sleep(0)
    assert ends == [End.SERVER]
