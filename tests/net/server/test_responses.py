"""What the orchestrator answers over HTTP: a page, the state of a session, and what exceeds its limits."""

from __future__ import annotations

import asyncio
import json

import pytest

from pytest_wsstability import OpeningError, Orchestrator, connect, faults, run_virtual
from pytest_wsstability.net.server.responses import Limits

PAGE = "<!doctype html><title>é</title>"


async def get(orchestrator: Orchestrator, target: str, *fields: str) -> tuple[str, str]:
    """The head and the body of the answer to a request."""
    host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.parametrize("target", ["/", "/?from=phone"])
def test_the_page(target):
    """A plain request for the root gets the page, as HTML, whole."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            return await get(orchestrator, target)

    head, body = run_virtual(script())

    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/html; charset=utf-8" in head
    assert f"Content-Length: {len(PAGE.encode())}" in head
    assert body == PAGE


@pytest.mark.parametrize(("page", "target"), [(None, "/"), (PAGE, "/favicon.ico"), (PAGE, "//")])
def test_no_page(page, target):
    """Elsewhere, and without a page, a plain request is told to upgrade."""

    async def script():
        async with Orchestrator(page=page) as orchestrator:
            return await get(orchestrator, target)

    head, body = run_virtual(script())

    assert head.startswith("HTTP/1.1 426 Upgrade Required\r\n")
    assert PAGE not in body


def test_an_upgrade_is_no_request_for_a_page():
    """The same address carries WebSocket connections."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            connection = await connect(orchestrator.url)
            await connection.assert_session_confirmed(within="1s")
            await connection.close()

    run_virtual(script())


@pytest.mark.parametrize("fields", [["soap, v2.json"], ["soap", "v2.json"], []])
def test_subprotocols_may_come_in_several_fields(fields):
    """RFC 6455, section 11.3.4: as in one."""

    async def script():
        async with Orchestrator() as orchestrator:
            host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            head = [
                "GET / HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                *(f"Sec-WebSocket-Protocol: {each}" for each in fields),
            ]  # fmt: skip
            writer.write("\r\n".join([*head, "", ""]).encode())
            answer = await reader.readuntil(b"connection_established")
            writer.close()
            return answer

    assert run_virtual(script()).startswith(b"HTTP/1.1 101 ")


# The state of a session, for the page.


async def state_of(orchestrator: Orchestrator, session: str) -> tuple[str, object]:
    """The status line, and what is known of a session."""
    head, body = await get(orchestrator, f"/status?session={session}")
    return head.partition("\r\n")[0], json.loads(body)["session"]


def test_the_state_of_a_session():
    """What its server has received, until when it waits for something, and that it has not ended."""

    async def script():
        async with Orchestrator(page=PAGE, deadline_reset_by="data", read_deadline="60s") as orchestrator:
            connection = await connect(orchestrator.url, session_id="abc", heartbeat="10s")
            await asyncio.sleep(35)
            found = await state_of(orchestrator, "abc")
            await connection.close()
            return found

    status, state = run_virtual(script())

    assert status == "HTTP/1.1 200 OK"
    assert state == {
        "age": 35.0,
        "deadline": {"seconds": 60.0, "left": 55.0},
        # The last ping was answered at 30 s, and session_info is a message too.
        "received": {"messages": 4, "heartbeats": 3, "pongs": 1},
        "end": None,
    }


def test_why_a_session_ended():
    """In the server's words, after it is over: what ran out, what would have reset it, what came instead."""

    async def script():
        async with Orchestrator(page=PAGE, ping_interval=None) as orchestrator:
            connection = await connect(orchestrator.url, session_id="abc", heartbeat="25s")
            await connection.wait_closed()
            return await state_of(orchestrator, "abc")

    _, state = run_virtual(script())

    assert state["end"] == {
        "at": 60.0,
        "why": "read deadline of 60 s ran out (only pongs reset it; none came; heartbeats, the last at 50 s, "
        "do not)",
    }
    assert state["age"] == 60.0


@pytest.mark.parametrize(
    "query", ["", "?session=", "?session=xyz", "?session=%ud800", "?x=abc", "?session=%00"]
)
def test_no_such_session(query):
    """Nothing is said about others."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            connection = await connect(orchestrator.url, session_id="abc")
            found = await get(orchestrator, f"/status{query}")
            await connection.close()
            return found

    head, body = run_virtual(script())

    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["session"] is None


@pytest.mark.parametrize(
    ("keywords", "settings"),
    [
        (
            {},
            {
                "Read deadline": "60 s, reset by pongs only",
                "When it runs out": "drops the connection, without a close frame",
                "Pings": "every 30 s",
                "Heartbeats are answered": "at once",
                "Profile": "json",
                "Faults": "none",
                "Sessions are confirmed": "at once",
            },
        ),
        (
            {
                "read_deadline": "5s", "deadline_reset_by": {"data", "pong"}, "on_deadline": 1008,
                "ping_interval": None, "answer_heartbeats": "2s", "confirm_sessions": False,
                "faults": [("30s", faults.WithholdPongs())],
            },
            {
                "Read deadline": "5 s, reset by pongs and data frames only",
                "When it runs out": "closes with 1008 (policy violation)",
                "Pings": "none",
                "Heartbeats are answered": "after 2 s",
                "Profile": "json",
                "Faults": "faults.WithholdPongs() at 30 s",
                "Sessions are confirmed": "never",
            },
        ),
        (
            {"read_deadline": None, "profile": "frames", "answer_heartbeats": False},
            {
                "Read deadline": "none",
                "When it runs out": "drops the connection, without a close frame",
                "Pings": "every 30 s",
                "Heartbeats are answered": "never",
                "Profile": "frames",
                "Faults": "none",
            },
        ),
        ({"deadline_reset_by": "any"}, {"Read deadline": "60 s, reset by any frame"}),
    ],
)  # fmt: skip
def test_settings(keywords, settings):
    """What a person has to know to understand what happens."""

    async def script():
        async with Orchestrator(page=PAGE, **keywords) as orchestrator:
            _, body = await get(orchestrator, "/status")
            return json.loads(body)["settings"]

    found = run_virtual(script())

    assert found == settings if len(settings) > 1 else settings.items() <= found.items()


def test_no_state_without_a_page():
    """A server that has none says nothing of its sessions."""

    async def script():
        async with Orchestrator() as orchestrator:
            connection = await connect(orchestrator.url, session_id="abc")
            found = await get(orchestrator, "/status?session=abc")
            await connection.close()
            return found

    assert run_virtual(script())[0].startswith("HTTP/1.1 426 ")


def test_looking_is_no_attempt():
    """Requests for the page and for states are no connections that a client tried to make."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            connection = await connect(orchestrator.url, session_id="abc")
            for target in ("/", "/status?session=abc"):
                await get(orchestrator, target)
            attempts = len(orchestrator.attempts)
            await connection.close()
            return attempts

    assert run_virtual(script()) == 1


# Limits.


UPGRADE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
]


def test_no_more_connections_than_allowed():
    """Who comes beyond is told to come back; once there is room, the next one may."""

    async def script():
        async with Orchestrator(limits=Limits(connections=2)) as orchestrator:
            first, second = [await connect(orchestrator.url) for _ in range(2)]
            with pytest.raises(OpeningError, match="HTTP 503") as refused:
                await connect(orchestrator.url)
            await first.close()
            third = await connect(orchestrator.url)
            for each in (second, third):
                await each.close()
            return refused.value.retry_after, [each.status for each in orchestrator.attempts]

    assert run_virtual(script()) == ("1", [101, 101, 503, 101])


@pytest.mark.parametrize(("lines", "size", "status"), [(3, 7_000, 101), (5, 7_000, 431), (400, 100, 431)])
def test_a_request_is_bounded(lines, size, status):
    """By 32 KiB in all, however many lines they are in; a request that never ends costs no more."""

    async def script():
        async with Orchestrator() as orchestrator:
            host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            fields = [f"X-{number}: {'x' * size}" for number in range(lines)]
            writer.write("\r\n".join(["GET / HTTP/1.1", f"Host: {host}", *UPGRADE, *fields, "", ""]).encode())
            line = await reader.readline()
            writer.close()
            await asyncio.sleep(1)
            return line.decode(), [each.status for each in orchestrator.attempts]

    line, attempts = run_virtual(script())

    assert line.startswith(f"HTTP/1.1 {status} ")
    assert attempts == [status]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("X-Folded: a\r\n b", "invalid HTTP header line:  b"),
        ("Content-Length: 5", "unsupported request body"),
        ("X-Null: \0", "invalid HTTP header value: \0"),
    ],
)
def test_a_request_that_cannot_be_read_is_answered(field, told):
    """As servers do, and whoever runs this one learns why."""

    async def script():
        async with Orchestrator() as orchestrator:
            head, body = await get(orchestrator, "/", *UPGRADE, field)
            await asyncio.sleep(1)
            return head, body, [(each.status, each.told) for each in orchestrator.attempts]

    head, body, attempts = run_virtual(script())

    assert head.startswith("HTTP/1.1 400 ")
    assert "X-Content-Type-Options: nosniff" in head
    assert body == f"did not receive a valid HTTP request: {told}\n"
    assert attempts == [(400, body.rstrip("\n"))]


def test_what_comes_behind_a_request_that_cannot_be_read_is_not_answered_again(caplog):
    """As the body of it; a second answer was a fatal error of the transport, which lost the first."""

    async def script():
        async with Orchestrator() as orchestrator:
            host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
            answer = await reader.read()
            writer.close()
            await asyncio.sleep(1)
            return answer, [each.status for each in orchestrator.attempts]

    answer, attempts = run_virtual(script())

    assert (answer.count(b"HTTP/1.1 400 "), attempts) == (1, [400])
    assert caplog.messages == []


def test_a_request_that_ends_amid_a_line_is_answered_by_nothing():
    """Its client has gone."""

    async def script():
        async with Orchestrator() as orchestrator:
            host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET / HTTP/1.1\r\nHost")
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            await asyncio.sleep(1)
            return answer, [each.status for each in orchestrator.attempts]

    assert run_virtual(script()) == (b"", [None])


def test_sessions_that_are_over_are_forgotten():
    """The oldest first, and none that is open; the server still counts on."""

    async def script():
        async with Orchestrator(limits=Limits(sessions=3)) as orchestrator:
            held = await connect(orchestrator.url, session_id="held")
            for number in range(10):
                connection = await connect(orchestrator.url, session_id=str(number))
                await connection.assert_session_confirmed(within="1s")
                await connection.close()
                await asyncio.sleep(1)
            found = [session.id for session in orchestrator.sessions]
            attempts = len(orchestrator.attempts)
            await held.close()
            return found, attempts

    found, attempts = run_virtual(script())

    assert found == ["held", "8", "9"]
    assert attempts <= 5
