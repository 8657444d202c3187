"""What clients ask the orchestrator by HTTP before they connect, as their protocols have it."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request

from pytest_wsstability import OpeningError, Orchestrator, connect, faults, run_virtual
from pytest_wsstability.core.faults import Program
from pytest_wsstability.net.server.registry import NoSessionError
from pytest_wsstability.profiles import JSON, HttpAnswer

posts = pytest.mark.skipif(
    not hasattr(Request("/", Headers()), "method"), reason="websockets before 17 reads GET only"
)
POLLING = "GET /socket.io/?EIO=4&transport=polling&t=x"


async def ask(orchestrator: Orchestrator, line: str, *fields: str) -> tuple[str, str]:
    """The head and the body of the answer to a request without a body."""
    host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode())
    head, _, body = (await reader.read()).decode(errors="replace").partition("\r\n\r\n")
    writer.close()
    return head, body


def asked(profile, line, *fields, **options):
    """The same, of an orchestrator of a profile, and its attempts."""

    async def script():
        async with Orchestrator(profile=profile, **options) as orchestrator:
            head, body = await ask(orchestrator, line, *fields)
            return head, body, [*orchestrator.attempts]

    return run_virtual(script())


@posts
@pytest.mark.parametrize("page", [None, "<html>"])
@pytest.mark.parametrize(
    ("query", "version", "names"),
    [
        ("?negotiateVersion=1", 1, {"connectionId", "connectionToken"}),
        # signalrcore (Python), and clients from before ASP.NET Core 3.
        ("", 0, {"connectionId"}),
        ("?negotiateVersion=x", 0, {"connectionId"}),
    ],
)
def test_signalr_negotiates(query, version, names, page):
    """A client with its default settings is told to speak WebSocket, and is no attempt to connect yet."""
    head, body, attempts = asked("signalr", f"POST /hub/negotiate{query}", "Content-Length: 0", page=page)

    assert head.startswith("HTTP/1.1 200 ")
    said = json.loads(body)
    assert said.pop("negotiateVersion") == version
    assert said.pop("availableTransports") == [{"transport": "WebSockets", "transferFormats": ["Text"]}]
    assert said.keys() == names
    assert attempts == []


@posts
def test_a_page_of_another_origin_may_negotiate():
    """Browsers ask whether they may first."""
    origin, wanted = "http://localhost:5173", "x-requested-with,x-signalr-user-agent"
    fields = ["Access-Control-Request-Method: POST", f"Access-Control-Request-Headers: {wanted}"]
    head, body, _ = asked("signalr", "OPTIONS /hub/negotiate", f"Origin: {origin}", *fields)

    assert head.startswith("HTTP/1.1 200 ")
    assert f"Access-Control-Allow-Origin: {origin}\r\n" in head
    assert f"Access-Control-Allow-Headers: {wanted}" in head
    assert body == ""


@posts
def test_but_not_of_a_site_that_is_not_allowed():
    """Who may not connect may not ask."""
    fields = ["Origin: https://evil.example", "Access-Control-Request-Method: POST"]
    head, _, _ = asked("signalr", "OPTIONS /hub/negotiate", *fields, allow_origins=[])

    assert head.startswith("HTTP/1.1 403 ")
    assert "Access-Control" not in head


@pytest.mark.parametrize("profile", ["socketio", "socketio-recovery", "engineio"])
def test_polling_is_refused_with_the_setting_to_change(profile):
    """Engine.IO's own error, which its clients show."""
    head, body, attempts = asked(profile, POLLING, "Origin: http://localhost")

    assert head.startswith("HTTP/1.1 400 ")
    assert "Access-Control-Allow-Origin: http://localhost\r\n" in head
    said = json.loads(body)
    assert said["code"] == 0
    assert "transports: ['websocket']" in said["message"]
    assert [each.status for each in attempts] == [400]


@pytest.mark.parametrize(
    ("profile", "line", "told"),
    [
        ("socketio", POLLING, "refused with HTTP 400: .*Transport unknown"),
        ("json", "GET /chat", "refused with HTTP 426: .*missing Connection header"),
    ],
)
def test_who_waits_for_a_session_is_told_why_none_came(profile, line, told):
    """A client that was refused is not nobody."""

    async def script():
        async with Orchestrator(profile=profile) as orchestrator:
            await ask(orchestrator, line)
            await orchestrator.wait_for_session(within="1s")

    with pytest.raises(NoSessionError, match=f"  observed  a client connected: {told}"):
        run_virtual(script())


def test_who_offers_http2_asks_by_http_too():
    """As Java's client does by default; an upgrade to WebSocket is another."""
    profile = JSON.replace(name="ours", http=lambda method, target: HttpAnswer(200, "{}"))
    offer = [
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQ",
    ]
    head, body, attempts = asked(profile, "GET /info", *offer)

    assert head.startswith("HTTP/1.1 200 ")
    assert (body, attempts) == ("{}", [])


def test_fields_that_come_twice():
    """Behind two proxies that each add one, say."""
    profile = JSON.replace(name="ours", http=lambda method, target: HttpAnswer(200, "{}"))
    head, _, _ = asked(profile, "GET /info", "Origin: http://a", "Origin: http://b")
    assert "Access-Control-Allow-Origin: http://a\r\n" in head

    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key]
    head, _, (attempt,) = asked(profile, "GET /", *upgrade, "Host: b", read_deadline="1s")
    assert head.startswith("HTTP/1.1 101 ")
    assert attempt.timeline is not None


def test_what_a_function_raises_is_told():
    """It is the user's."""
    profile = JSON.replace(name="ours", http=lambda method, target: 1 / 0)
    head, body, _ = asked(profile, "GET /info")

    assert head.startswith("HTTP/1.1 500 ")
    assert body == "http of the profile 'ours' raised ZeroDivisionError('division by zero')\n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [(HttpAnswer(799, ""), "799 is not a valid HTTPStatus"), ((200, "{}"), "has no attribute 'status'")],
)
def test_what_is_no_answer_is_told(answer, told):
    """And the client is not left without one."""
    head, body, _ = asked(JSON.replace(name="ours", http=lambda method, target: answer), "GET /x")

    assert head.startswith("HTTP/1.1 500 ")
    assert told in body


def test_another_request_is_told_to_upgrade():
    """None is no answer."""
    profile = JSON.replace(name="ours", http=lambda method, target: None)

    assert asked(profile, "GET /info")[0].startswith("HTTP/1.1 426 ")


def test_no_function():
    """Refused where the profile is made."""
    with pytest.raises(ValueError, match="http is 'x'; give a function of a method and a target"):
        JSON.replace(name="ours", http="x")


@pytest.mark.parametrize("line", ["GET /", "GET /info"])
def test_the_first_connection_is_the_first_that_asks_for_the_upgrade(line):
    """For faults that are for the first so many: a page that was looked at, or a question, is none."""
    profile = JSON.replace(name="ours", http=lambda method, target: HttpAnswer(200, "{}"))
    program = Program.of([faults.RefuseUpgrade(503)], connections=1)

    async def script():
        async with Orchestrator(profile=profile, page="<html>", faults=program) as orchestrator:
            await ask(orchestrator, line)
            with pytest.raises(OpeningError, match="503"):
                await connect(orchestrator.url, profile=profile)
            connection = await connect(orchestrator.url, profile=profile)
            await connection.close()

    run_virtual(script())
