"""Servers that do not answer the upgrade as they should: each is told in one line."""

import asyncio
import logging
import pickle
import re
import socket
import struct

import pytest

from pytest_wsstability import Blame, OpeningError, connect
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.net.errors import OpeningStage
from tests.net.peers import accepting, answering, close, opened, serving, silent

pytestmark = pytest.mark.ws_stability

TOKEN = "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"


def http(status, body="", **fields):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", body]).encode()


async def error_of(script, path="", **options):
    """Why the connection to such a server did not open."""
    async with serving(script) as url:
        with pytest.raises(OpeningError) as caught:
            await connect(url + path, **options)
    return caught.value


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "401 Unauthorized", "404 Not Found", "429 Too Many Requests", "503 Busy"]
)
async def test_a_refused_upgrade_tells_the_status(status):
    """The first thing that anybody wants to know."""
    error = await error_of(answering(http(status, "no\nsecond line")))

    assert (error.stage, error.status) == (OpeningStage.HTTP, int(status[:3]))
    assert str(error) == f"{error.url} did not open (upgrade refused): HTTP {status}: no"


async def test_the_first_line_of_the_body_is_shown_without_secrets():
    """Servers like to quote the request in their error pages."""
    body = f"bad token in /ws?token=abc&room=7 from Bearer {TOKEN}\nTraceback: secret things"
    error = await error_of(answering(http("403 Forbidden", body)))

    assert str(error).endswith("HTTP 403 Forbidden: bad token in /ws?token=***&room=7 from Bearer ***")


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        # aiohttp, Tornado, nginx, a page of somebody's.
        ("401 Unauthorized", "401: Unauthorized", ""),
        ("404 Not Found", "<html><title>404: Not Found</title><body>404: Not Found</body></html>", ""),
        (
            "502 Bad Gateway",
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad "
            "Gateway</h1></center>\r\n<hr><center>nginx/1.26.3</center>\r\n</body>\r\n</html>",
            ": nginx/1.26.3",
        ),
        ("403 Forbidden", "<style>\nbody { color: red }\n</style>\n<p>no such room</p>", ": no such room"),
        ("401 Unauthorized", "<p>your browser doesn&#39;t &lt;know&gt;</p>", ": your browser doesn't <know>"),
        ("403 Forbidden", "<p>&#27;[2J&#10;&#10;/ws?token&#61;abc</p>", ": [2J /ws?token=***"),
        ("403 Forbidden", "<" * 2000, f": {'<' * 10}"),
        # Squid, whose style sheet is longer than what is told, and Tomcat, which says its title twice.
        (
            "502 Bad Gateway",
            f"<title>ERROR: no page</title><style><!-- {'a' * 3000} --></style></head><body><h1>ERROR</h1>"
            "<h2>No page</h2> <p>Read <b>Error</b></p>",
            ": ERROR No page Read Error",
        ),
        ("404 Not Found", "<title>Page not found</title><p>chat, news</p>", ": Page not found chat, news"),
        # What is cut off is no word either.
        ("403 Forbidden", f"<p>no such room <style>{'a' * 20000}", ": no such room"),
        ("403 Forbidden", f"<p>no such room <!-- {'a' * 20000}", ": no such room"),
        ("403 Forbidden", '<p>no such room <a class="wide', ": no such room"),
        ("403 Forbidden", "3 < 5 rooms", ": 3 < 5 rooms"),
        # What is no page has no tags.
        ("400 Bad Request", '{"error": "rooms<max, or <id>"}', ': {"error": "rooms<max, or <id>"}'),
        ("403 Forbidden", "rooms<max\nof 5", ": rooms<max"),
        ("403 Forbidden", "\ufeff<p>no such room</p>", ": no such room"),
    ],
)
async def test_of_a_page_its_words_are_told(status, body, told):
    """Without its tags, and without the status once more."""
    error = await error_of(answering(http(status, body)))

    assert f"(upgrade refused): HTTP {status}{told}" in str(error)
    assert told or str(error).endswith(status)


async def test_a_refusal_without_a_body_needs_none():
    """No colon dangles."""
    error = await error_of(answering(http("403 Forbidden")))

    assert str(error).endswith("(upgrade refused): HTTP 403 Forbidden")


async def test_retry_after_is_shown():
    """The server said when to come again."""
    error = await error_of(answering(http("503 Service Unavailable", "busy", Retry_After="120")))

    assert str(error).endswith("HTTP 503 Service Unavailable (Retry-After: 120): busy")


async def test_a_body_in_bytes_of_no_encoding_is_shown_as_far_as_it_goes():
    """And on one line, without the terminal's control characters."""
    response = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\n\x1b[31mab\xff\xfe\r\nx"
    error = await error_of(answering(response))

    assert error.status == 403
    assert str(error).isprintable()


async def test_a_huge_body_is_cut():
    """Nobody reads a page of HTML in a test report."""
    error = await error_of(answering(http("500 Internal Server Error", "x" * 5000)))

    assert len(str(error)) < 400


async def test_a_refusal_of_a_server_that_stays_is_told_at_once():
    """Content-Length says where the body ends."""
    error = await error_of(answering(http("403 Forbidden", "no"), stay=True))

    assert error.status == 403


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n", "HTTP 200 OK: data: 1"),
        (
            b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 50\r\n\r\nno token",
            "HTTP 401 Unauthorized: no token",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n: \r\n", "HTTP 200 OK"),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", "HTTP 502 Bad Gateway"),
    ],
)
@pytest.mark.ws_stability(time="virtual")
async def test_a_refusal_without_an_end_tells_its_status(response, told):
    """A stream of server-sent events, or a length that is wrong: no firewall, and no silent server."""
    error = await error_of(answering(response, stay=True), open_timeout="3s")

    assert error.stage is OpeningStage.HTTP
    assert str(error).endswith(f"(upgrade refused): {told}; the answer had no end within 3 s")


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
            "HTTP 200 OK; {}: body too large: 2000000 bytes",
        ),
        (b"HTTP/1.1 403 \x1b[31m\r\n\r\n", "HTTP 403 \\x1b[31m; {}: invalid HTTP reason phrase: \\x1b[31m"),
        (
            b"HTTP/1.1 404\r\nRetry-After: 9\r\n\r\n",
            "HTTP 404 (Retry-After: 9); {}: invalid HTTP status line: HTTP/1.1 404",
        ),
        (
            b"HTTP/1.1 302 X\r\nLocation: /a\r\n b\r\n\r\n",
            "it leads to /a, and is not followed (--ws-redirects); {}: invalid HTTP header line:  b",
        ),
    ],
)
async def test_a_refusal_that_cannot_be_read_tells_its_status(response, told):
    """Its first line says what matters."""
    error = await error_of(answering(response))

    assert error.stage is OpeningStage.HTTP
    assert str(error).endswith(told.format("the answer cannot be read"))


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\nbad room", "HTTP 403 Forbidden: bad room; {}"),
        (b"HTTP/1.0 403 Forbidden\r\n\r\nbad room", "HTTP 403 Forbidden: bad room; {}"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nno", "HTTP 503 Busy: no; {}"),
        (
            b"HTTP/1.1 403 Forbidden\r\nContent",
            "the server closed the connection in the middle of its answer",
        ),
        (b"HTTP/1.1 101 Sw", "the server closed the connection in the middle of its answer"),
        (b"", "the server closed the connection before it answered the handshake"),
    ],
)
@pytest.mark.ws_stability(time="virtual")
async def test_an_answer_that_is_cut_by_a_reset(response, told):
    """As by a server that has not read all of the request; the system may keep what came before."""

    async def script(peer):
        await peer.request()
        peer.send(response)
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        sock = peer.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        peer.cut()

    error = await error_of(script)

    assert str(error).endswith(told.format("the connection was cut before the answer had an end"))


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize("size", [1, 4, 8, 9, 11, 12, 13])
@pytest.mark.ws_stability(time="virtual")
async def test_a_refusal_may_come_in_pieces(version, size):
    """Of any size, in either version."""
    response = b"HTTP/" + version + b" 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"

    async def script(peer):
        await peer.request()
        for start in range(0, len(response), size):
            peer.send(response[start : start + size])
            await asyncio.sleep(0.01)

    assert str(await error_of(script)).endswith("(upgrade refused): HTTP 403 Forbidden: no")


UNREADABLE = "the answer cannot be read"
# In the words of websockets 17, and of 15 and 16.
TOO_LONG = "(?:read [0-9]+ bytes, expected no more than 8192 bytes|line too long)"
TOO_MANY = "(?:expected no more than 128 headers|too many HTTP headers)"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (b"X: " + b"x" * 8187, "HTTP 403 Forbidden: no"),
        (b"X: " + b"x" * 8188, f"HTTP 403 Forbidden: no; {UNREADABLE}: {TOO_LONG}"),
        (b"X: " + b"x" * 2**16, f"HTTP 403 Forbidden; {UNREADABLE}: {TOO_LONG}"),
        (b"\r\n".join([b"X: y"] * 127), "HTTP 403 Forbidden: no"),
        (b"\r\n".join([b"X: y"] * 128), f"HTTP 403 Forbidden: no; {UNREADABLE}: {TOO_MANY}"),
        (b"\r\n".join([b"X: y"] * 9999), f"HTTP 403 Forbidden; {UNREADABLE}: {TOO_MANY}"),
    ],
    ids=["line", "long line", "endless line", "fields", "many fields", "endless fields"],
)
async def test_a_refusal_with_a_long_head_tells_its_status(head, told):
    """Its first line has come, whatever follows: cookies and policies of a proxy."""
    response = b"HTTP/1.1 403 Forbidden\r\n" + head + b"\r\nContent-Length: 2\r\n\r\nno"
    error = await error_of(answering(response, stay=True))

    assert (error.stage, error.status) == (OpeningStage.HTTP, 403)
    assert re.search(rf"\(upgrade refused\): {told}", str(error))


@pytest.mark.parametrize("size", [1, 7, 30, 1000])
@pytest.mark.ws_stability(time="virtual")
async def test_what_comes_before_the_answer_is_skipped(size):
    """RFC 9110, section 15.2: hints, and that the server is at work. Frames behind the answer are read."""

    async def script(peer):
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        response = interim + accepting(await peer.request()) + close(4000)
        for start in range(0, len(response), size):
            peer.send(response[start : start + size])
            await asyncio.sleep(0.001)
        await peer.frame()

    async with serving(script) as url, opened(url, profile="frames") as connection:
        await connection.wait_closed()

        connection.assert_closed(code=4000)


@pytest.mark.parametrize(
    ("response", "stage", "status"),
    [
        (b"HTTP/1.1 102 Processing\r\n\r\n", OpeningStage.TIMEOUT, None),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + http("403 No"), OpeningStage.HTTP, 403),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3000 + http("403 No"), OpeningStage.HTTP, 403),
        (b"HTTP/1.1 103 Early Hints\r\n" + b"Link: x\r\n" * 2**14, OpeningStage.HTTP, 103),
    ],
    ids=["alone", "before a refusal", "thousands", "endless"],
)
@pytest.mark.ws_stability(time="virtual")
async def test_what_comes_before_no_answer(response, stage, status):
    """It is none by itself."""
    error = await error_of(answering(response, stay=True))

    assert (error.stage, error.status) == (stage, status)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("Retry-After: 3\r\nRetry-After: 4", " (Retry-After: 3)"),
        ("Location: /a\r\nLocation: /b", ": it leads to /a, and is not followed (--ws-redirects 1: "),
        ("Location: ws://[::1", ": it leads to ws://[::1, and is not followed (--ws-redirects 1: "),
        ("X: a\x00b\x7f\r\nRetry-After: 5\x00", " (Retry-After: 5)"),
    ],
)
async def test_fields_of_a_refusal_that_break_a_rule(fields, told):
    """Twice where it may be once, no URL, or with a character that no field may hold."""
    response = f"HTTP/1.1 307 Go\r\n{fields}\r\nContent-Length: 0\r\n\r\n".encode()
    error = await error_of(answering(response), redirects=1)

    assert f"(upgrade refused): HTTP 307 Go{told}" in str(error)


async def test_a_server_that_speaks_tls_is_told_so():
    """An alert of OpenSSL, for ws:// to the port of wss://."""
    error = await error_of(answering(b"\x15\x03\x01\x00\x02\x02\x46"))

    assert str(error).endswith(": it answered in TLS: write wss:// for ws://")


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Le",
        b"HTTP/1.1 403",
        b"HTTP/1.0",
        b"HTTP/1.1 103 Early Hints\r\nLink",
        b"HTTP/1.1 101 Go\r\nX : y\r\n\r\n",
        b"HTTP/1.1 1000 X\r\n\r\n",
    ],
)
async def test_what_is_no_whole_refusal_is_told_as_no_handshake(response):
    """Half a head, a 101, or no status at all."""
    assert (await error_of(answering(response))).stage is OpeningStage.HANDSHAKE


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "301 Moved", "426 Upgrade Required"])
async def test_only_101_switches_protocols(status):
    """A server that is no WebSocket server answers with a page."""
    error = await error_of(answering(http(status, "<html>", Location="http://example.org/")))

    assert (error.stage, error.status) == (OpeningStage.HTTP, int(status[:3]))


async def test_a_wrong_accept_is_refused():
    """RFC 6455, section 4.1: it proves that the server read our key."""

    async def script(peer):
        request = await peer.request()
        wrong = accepting(request.replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x"))
        peer.send(wrong)
        await peer.gone()

    error = await error_of(script)
    assert error.stage is OpeningStage.HANDSHAKE
    assert "Sec-WebSocket-Accept" in str(error)


@pytest.mark.parametrize("missing", ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: "])
async def test_a_missing_field_is_refused(missing):
    """RFC 6455, section 4.2.2, has three of them."""

    async def script(peer):
        lines = accepting(await peer.request()).split(b"\r\n")
        peer.send(b"\r\n".join(line for line in lines if not line.startswith(missing.encode())))
        await peer.gone()

    error = await error_of(script)
    assert error.stage is OpeningStage.HANDSHAKE
    assert missing.partition(":")[0] in str(error)


@pytest.mark.parametrize("field", ["Sec-WebSocket-Protocol: other", "Sec-WebSocket-Extensions: x-unheard"])
async def test_what_was_not_offered_is_refused(field):
    """RFC 6455, section 4.1: the server chooses from what the client offers."""

    async def script(peer):
        await peer.upgrade(field)
        await peer.gone()

    assert (await error_of(script, subprotocols=["v1"])).stage is OpeningStage.HANDSHAKE


@pytest.mark.parametrize(
    "garbage",
    [b"hello\r\n\r\n", b"\x00\xff" * 100, b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x46"],
)
async def test_garbage_is_no_http(garbage):
    """Another protocol's server, or a TLS server that was asked without TLS."""
    error = await error_of(answering(garbage))

    assert error.stage is OpeningStage.HANDSHAKE
    assert str(error).isprintable()
    assert error.url.removeprefix("ws://").rstrip("/") in str(error)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        # CivetWeb, where it has no WebSocket; told was "connection closed while reading HTTP status line".
        (b"Error 404: Not Found\nNot found", "'Error 404: Not Found'"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "'SSH-2.0-OpenSSH_9.6'"),
        (b"-ERR unknown command 'GET'\r\n", "\"-ERR unknown command 'GET'\""),
        (b"+OK POP3 ready", "'+OK POP3 ready'"),
        # The greeting of MySQL; told was a line that ends without a carriage return.
        (
            b"J\0\0\0\n8.0.36\0\x08\0\0\0",
            "4a 00 00 00 0a 38 2e 30 2e 33 36 00 08 00 00 00 (J\\x00\\x00\\x00)",
        ),
        # A frame before the upgrade.
        (b"\x81\x02hi", "81 02 68 69 (\\x81\\x02hi)"),
    ],
)
@pytest.mark.parametrize("stay", [False, True])
async def test_what_is_no_http_is_quoted(said, shown, stay):
    """By its first line, also of a server that waits; told was a process that stands still."""
    error = await error_of(answering(said, stay=stay))

    assert error.detail.endswith(f"it answered with what is no HTTP: {shown}")
    assert (error.stage, error.diagnosis.cause) == (OpeningStage.HANDSHAKE, Cause.NO_WEBSOCKET)


@pytest.mark.parametrize(
    "begun", [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", b"HTTP/1.1 403 No"]
)
async def test_an_answer_that_was_begun_is_one(begun):
    """Its server has accepted the connection, and does not stand still before that; no firewall took it."""
    error = await error_of(answering(begun, stay=True))

    assert (error.stage, error.unanswered) == (OpeningStage.HANDSHAKE, False)
    assert error.detail.endswith(": its answer had no end within 10 s")
    assert (error.diagnosis.cause, error.diagnosis.blame) == (Cause.NO_WEBSOCKET, Blame.SERVER)


async def closes_at_once(peer):
    peer.cut()


@pytest.mark.parametrize(
    "script",
    [closes_at_once, answering(b""), answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgr")],
    ids=["before it reads", "before it answers", "inside its answer"],
)
async def test_a_server_that_closes_in_the_handshake(script):
    """A reverse proxy without a backend, say; half a response is none."""
    assert (await error_of(script)).stage is OpeningStage.HANDSHAKE


async def test_an_answer_may_come_byte_by_byte():
    """Slow is not wrong."""

    async def script(peer):
        for byte in accepting(await peer.request()) + close(4000):
            peer.send(bytes([byte]))
            await asyncio.sleep(0.0005)
        await peer.frame()

    async with serving(script) as url, opened(url, profile="frames") as connection:
        await connection.wait_closed()

        connection.assert_closed(code=4000)


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    ("timeout", "seconds", "words"), [(10, 10.0, "10 s"), ("500ms", 0.5, "500 ms"), ("1m", 60.0, "60 s")]
)
async def test_a_server_that_never_answers_is_given_up(timeout, seconds, words):
    """After exactly open_timeout, and the transport is gone."""
    loop = asyncio.get_running_loop()
    gone = loop.create_future()

    async def script(peer):
        await silent(peer)
        gone.set_result(loop.time())

    async with serving(script) as url:
        with pytest.raises(OpeningError) as caught:
            await connect(url, open_timeout=timeout)
        assert await gone == seconds
    assert caught.value.stage is OpeningStage.TIMEOUT
    assert str(caught.value).endswith(f"(timeout): no HTTP response to the upgrade within {words}")


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_drips_its_answer_is_given_up():
    """open_timeout is for the whole handshake, and not for each read."""

    async def script(peer):
        for byte in accepting(await peer.request()):
            peer.send(bytes([byte]))
            await asyncio.sleep(1)

    assert (await error_of(script)).stage is OpeningStage.TIMEOUT
    assert asyncio.get_running_loop().time() == 10.0


async def test_an_endless_header_is_refused():
    """Memory is bounded before the connection is open, too."""

    async def script(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
        for _ in range(1000):
            peer.send(b"X: " + b"x" * 1000 + b"\r\n")
        await peer.gone()

    assert (await error_of(script)).stage is OpeningStage.HANDSHAKE


async def test_secrets_in_the_url_stay_out_of_errors():
    """User information, and the values of query parameters that look like secrets."""
    async with serving(answering(http("403 Forbidden", "no"))) as url:
        with pytest.raises(OpeningError) as caught:
            await connect(url.replace("ws://", "ws://me:hunter2@") + "room?token=hunter2&lang=en")

    error = caught.value
    assert "hunter2" not in f"{error} {error!r} {error.url}"
    assert error.url.startswith("ws://***@127.0.0.1:")
    assert error.url.endswith("/room?token=***&lang=en")


async def test_secrets_stay_out_of_the_log_of_the_wire(caplog):
    """Outside of pytest nobody else stands between it and a file."""
    caplog.set_level(logging.DEBUG, "pytest_wsstability.wire")
    async with serving(answering(http("403 Forbidden", "no hunter2hunter"))) as url:
        with pytest.raises(OpeningError):
            await connect(
                f"{url}?token=hunter2hunter",
                headers={"Authorization": "Bearer hunter3hunter"},
                subprotocols=["bearer", "hunter4hunter"],
            )

    assert "hunter" not in caplog.text
    assert "> Authorization: ***" in caplog.messages
    assert "> Sec-WebSocket-Protocol: bearer, ***" in caplog.messages
    assert "> Sec-WebSocket-Version: 13" in caplog.messages


async def test_a_cancelled_opening_leaves_nothing():
    """No transport, no task: the server sees the client go."""
    gone, asked = asyncio.Event(), asyncio.Event()

    async def script(peer):
        await peer.request()
        asked.set()
        await peer.gone()
        gone.set()

    async with serving(script) as url:
        opening = asyncio.create_task(connect(url))
        await asked.wait()
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await gone.wait()


@pytest.mark.parametrize(
    ("compression", "field", "told"),
    [
        (False, "permessage-deflate", "'permessage-deflate', which was not offered"),
        (True, "x-webkit-deflate-frame", "'x-webkit-deflate-frame', which was not offered"),
        (True, "permessage-deflate; server_max_window_bits=7", "bits=7', which was not offered so"),
    ],
)  # fmt: skip
async def test_an_extension_that_was_not_offered_is_named(compression, field, told):
    """A subprotocol that was offered is not what is wrong."""

    async def script(peer):
        await peer.upgrade("Sec-WebSocket-Protocol: v1", f"Sec-WebSocket-Extensions: {field}")

    error = await error_of(script, subprotocols=["v1"], compression=compression)

    assert (error.extension, error.subprotocol) == (field, None)
    assert "the server chose the extension " in str(error)
    assert str(error).endswith(told)
    assert pickle.loads(pickle.dumps(error)).diagnosis.cause is Cause.PROTOCOL_ERROR


@pytest.mark.parametrize("offered", [[], ["v1"]])
async def test_of_a_subprotocol_and_an_extension_the_subprotocol_is_named(offered):
    """Neither was offered."""

    async def script(peer):
        await peer.upgrade("Sec-WebSocket-Protocol: v9", "Sec-WebSocket-Extensions: permessage-deflate")

    error = await error_of(script, subprotocols=offered)

    assert (error.extension, error.subprotocol) == (None, "v9")


@pytest.mark.parametrize("head", [b"HTTP/1.1 101 Yes\n", b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\n"])
async def test_a_line_without_a_carriage_return_is_no_end_of_the_connection(head):
    """The server is still there."""
    error = await error_of(answering(head + b"\n", stay=True))

    assert error.detail.endswith(": a line of its answer ends without a carriage return")


async def test_a_length_that_stands_twice_is_named():
    """And not as a word in quotation marks alone."""
    error = await error_of(answering(http("400 Bad Request", "no", content_length="3")))

    assert error.detail.endswith("the answer cannot be read: several fields 'Content-Length'")
