"""Each step of opening a connection has an error of its own: name, TCP, TLS."""

import asyncio
import pickle
import socket
import ssl
from datetime import datetime

import pytest

from pytest_wsstability import TLS, Blame, Cause, OpeningError, Orchestrator, connect
from pytest_wsstability.net.errors import OpeningStage
from tests.net.certificates import authority, server_context, trusting
from tests.net.peers import answering, opened, served, serving, silent

pytestmark = pytest.mark.ws_stability


async def error_of(url, **options):
    with pytest.raises(OpeningError) as caught:
        await connect(url, **options)
    return caught.value


async def test_a_name_that_does_not_resolve(monkeypatch):
    """The resolver's words stand beside the name."""

    async def create_connection(*args, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection, raising=False)
    error = await error_of("ws://nowhere.example/")

    assert error.stage is OpeningStage.DNS
    assert str(error) == (
        "ws://nowhere.example/ did not open (name resolution): the name 'nowhere.example' does not resolve "
        "(Name or service not known)"
    )


async def close_at_once(peer):
    pass


async def close_after_hello(peer):
    await peer.reader.read(64)


async def reset_after_hello(peer):
    await peer.reader.read(64)
    peer.cut()


async def answer_in_http(peer):
    await peer.reader.read(64)
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
@pytest.mark.parametrize(
    "script",
    [close_at_once, close_after_hello, reset_after_hello, answer_in_http],
    ids=lambda each: each.__name__,
)
async def test_a_server_that_speaks_no_tls(script):
    """Never an empty word: the port, and that ws:// may be meant."""
    async with serving(script) as url:
        error = await error_of(url.replace("ws:", "wss:"))

    assert error.stage is OpeningStage.TLS
    assert "speak TLS?" in error.detail
    assert "ws:// goes without" in error.diagnosis.remedy


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_name_that_the_loop_cannot_resolve(monkeypatch):
    """asyncio's own way to the resolver."""

    async def getaddrinfo(*args, **options):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    error = await error_of("ws://nowhere.example:8765/")

    assert error.stage is OpeningStage.DNS
    assert "Temporary failure in name resolution" in str(error)


async def test_nobody_listens():
    """The most common mistake of all: the server is not running."""
    async with serving(silent) as url:
        pass
    error = await error_of(url)

    where = url.removeprefix("ws://").rstrip("/")
    assert error.stage is OpeningStage.CONNECT
    assert str(error).endswith(f"(TCP connection): nobody listens on {where} (connection refused)")


@pytest.mark.parametrize(
    ("raised", "words"),
    [
        (OSError(113, "No route to host"), "No route to host"),
        (TimeoutError(110, "Connection timed out"), "Connection timed out"),
        (OSError("Multiple exceptions: [Errno 111] one, [Errno 113] two"), "Multiple exceptions"),
    ],
)
async def test_what_the_system_says_about_the_way_there(monkeypatch, raised, words):
    """Routing, the kernel's own timeout, and several addresses that all failed."""

    async def create_connection(*args, **options):
        raise raised

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection, raising=False)
    error = await error_of("ws://10.255.255.1:80/")

    assert error.stage is OpeningStage.CONNECT
    assert words in str(error)


@pytest.mark.ws_stability(time="virtual")
async def test_a_host_that_swallows_packets(monkeypatch):
    """No SYN-ACK: the step that timed out is TCP, and not the handshake."""

    async def create_connection(*args, **options):
        await asyncio.sleep(3600)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection, raising=False)
    error = await error_of("ws://10.255.255.1:80/")

    assert error.stage is OpeningStage.TIMEOUT
    assert str(error).endswith("10.255.255.1:80 did not accept a TCP connection within 10 s")
    assert asyncio.get_running_loop().time() == 10.0


# TLS.


async def test_a_trusted_certificate_opens(tmp_path):
    """With the authority's certificate; the URL of the orchestrator says wss."""
    async with Orchestrator(tls=server_context("127.0.0.1"), echo=True) as orchestrator:
        assert orchestrator.url.startswith("wss://127.0.0.1:")
        async with opened(orchestrator.url, tls=trusting(tmp_path)) as connection:
            await connection.send("x" * 100_000)

            assert await connection.recv() == "x" * 100_000
            await connection.close()
            connection.assert_closed(code=1000)


async def test_an_unknown_authority_is_not_trusted():
    """The advice names the options."""
    async with Orchestrator(tls=server_context("127.0.0.1")) as orchestrator:
        error = await error_of(orchestrator.url)

    assert error.stage is OpeningStage.TLS
    assert "the certificate is not trusted: " in str(error)
    assert "--ws-ca FILE" in str(error)


async def test_a_certificate_for_another_host_is_not_trusted(tmp_path):
    """The right authority, the wrong name."""
    async with Orchestrator(tls=server_context("other.example")) as orchestrator:
        error = await error_of(orchestrator.url, tls=trusting(tmp_path))

    assert error.stage is OpeningStage.TLS
    assert "127.0.0.1" in str(error)
    # Whose authority it is was never the question.
    assert "; use a name that stands in it, or check nothing with --ws-insecure" in str(error)
    assert "--ws-ca" not in str(error)


async def test_a_certificate_of_tomorrow_is_not_trusted(tmp_path):
    """One of the clocks is wrong, and no authority."""
    issued = authority().issue_cert(
        "127.0.0.1", not_before=datetime(2090, 1, 1), not_after=datetime(2091, 1, 1)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    async with Orchestrator(tls=context) as orchestrator:
        error = await error_of(orchestrator.url, tls=trusting(tmp_path))

    assert "not yet valid; set the clock that is wrong, here or where it was issued, or check" in str(error)


async def test_insecure_checks_nothing():
    """For a server of one's own with a certificate that it made itself."""
    async with served({"tls": server_context("other.example")}, tls=TLS(insecure=True)) as (connection, _):
        await connection.assert_session_confirmed(within="5s")


async def test_a_server_without_tls_is_asked_with_it():
    """wss:// where ws:// is right."""

    async def script(peer):
        await peer.reader.read(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(script) as url:
        error = await error_of(url.replace("ws://", "wss://"))

    assert error.stage is OpeningStage.TLS
    assert "does 127.0.0.1:" in str(error)
    assert "speak TLS?" in str(error)


@pytest.mark.parametrize(
    ("alert", "told"),
    [
        (70, "TLSV1_ALERT_PROTOCOL_VERSION; let the server speak TLS 1.2 or newer"),
        (
            40,
            "_ALERT_HANDSHAKE_FAILURE; no cipher is common, or the server wants a certificate of you",
        ),
        (112, "UNRECOGNIZED_NAME; the server does not know this host name"),
        (116, "_ALERT_CERTIFICATE_REQUIRED; the server wants a certificate of this client (--ws-cert FILE)"),
        (48, "_ALERT_UNKNOWN_CA; the server wants another certificate of this client (--ws-cert FILE)"),
        (80, "_ALERT_INTERNAL_ERROR; see the server's log"),
    ],
)
async def test_a_server_that_refuses_the_tls_handshake(alert, told):
    """By an alert (RFC 8446, section 6.2): whoever sends one speaks TLS."""

    async def script(peer):
        await peer.reader.read(100)
        peer.send(bytes([0x15, 3, 3, 0, 2, 2, alert]))
        await peer.gone()

    async with serving(script) as url:
        error = await error_of(url.replace("ws://", "wss://"))

    assert error.stage is OpeningStage.TLS
    assert told in str(error)


async def test_a_server_with_tls_is_asked_without_it():
    """ws:// where wss:// is right: the server answers with an alert, or not at all."""
    async with Orchestrator(tls=server_context("127.0.0.1")) as orchestrator:
        error = await error_of(orchestrator.url.replace("wss://", "ws://"))

    assert error.stage is OpeningStage.HANDSHAKE


@pytest.mark.parametrize(
    ("answer", "stage", "status"),
    [
        (b"HTTP/1.0 401 Unauthorized\r\n\r\n", OpeningStage.HTTP, 401),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", OpeningStage.HTTP, 200),
        (b"HTTP/1.0 101 Switching Protocols\r\n\r\n", OpeningStage.HANDSHAKE, None),
        (b"HTTP/0.9 401 Unauthorized\r\n\r\n", OpeningStage.HANDSHAKE, None),
    ],
)
async def test_a_refusal_in_an_older_http_is_one(answer, stage, status):
    """Its status says what to change; an upgrade needs HTTP/1.1 (RFC 6455, section 4.1)."""

    async def script(peer):
        await peer.reader.read(1000)
        peer.send(answer)

    async with serving(script) as url:
        error = await error_of(url)

    assert (error.stage, error.status) == (stage, status)


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_is_silent_in_the_tls_handshake():
    """The step that hangs is TLS, and that is said."""
    async with serving(silent) as url:
        error = await error_of(url.replace("ws://", "wss://"))

    where = url.removeprefix("ws://").rstrip("/")
    assert error.stage is OpeningStage.TIMEOUT
    assert str(error).endswith(f"{where} did not end the TLS handshake (does it speak TLS?) within 10 s")
    assert asyncio.get_running_loop().time() == 10.0


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x03", b"\x16\x03\x03\x40\x00" + bytes(100)], ids=["head", "half"]
)
async def test_a_server_that_stops_in_the_tls_handshake(sent):
    """A ServerHello that never ends."""

    async def script(peer):
        await peer.reader.read(100)
        peer.send(sent)
        await silent(peer)

    async with serving(script) as url:
        error = await error_of(url.replace("ws://", "wss://"), open_timeout="3s")

    assert "did not end the TLS handshake" in str(error)
    assert asyncio.get_running_loop().time() == pytest.approx(3.0, abs=0.01)


async def test_a_server_that_goes_in_the_tls_handshake():
    """FIN instead of a ServerHello."""

    async def script(peer):
        await peer.reader.read(100)

    async with serving(script) as url:
        error = await error_of(url.replace("ws://", "wss://"))

    assert error.stage is OpeningStage.TLS


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_is_silent_after_the_tls_handshake():
    """The upgrade has its own time, and its own words."""
    loop = asyncio.get_running_loop()

    async with serving(lambda peer: asyncio.sleep(60), server_context("127.0.0.1")) as url:
        error = await error_of(url, tls=TLS(insecure=True), open_timeout="4s")

    assert str(error).endswith("no HTTP response to the upgrade within 4 s")
    assert loop.time() == pytest.approx(4.0, abs=0.01)
    # A server without descriptors has its kernel open TCP all the same.
    assert error.diagnosis.blame is Blame.SERVER
    assert "too many open files" in error.diagnosis.remedy


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_resolver_that_hangs(monkeypatch):
    """The name is a step of its own."""

    async def getaddrinfo(*args, **options):
        await asyncio.sleep(3600)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    error = await error_of("ws://nowhere.example:8765/", open_timeout="50ms")

    assert error.stage is OpeningStage.TIMEOUT
    assert str(error).endswith("the name 'nowhere.example' did not resolve within 50 ms")


def resolving(monkeypatch, *addresses):
    """Let every name lead to these."""

    async def getaddrinfo(*args, **options):
        return [(family, socket.SOCK_STREAM, 6, "", address) for family, address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_the_next_address_is_tried(monkeypatch):
    """A name with an address where nobody listens, such as ``localhost`` with ::1."""
    async with Orchestrator() as orchestrator:
        port = int(orchestrator.url.strip("/").rsplit(":", 1)[1])
        resolving(monkeypatch, (socket.AF_INET, ("127.0.0.2", 1)), (socket.AF_INET, ("127.0.0.1", port)))
        async with opened(f"ws://two.example:{port}/") as connection:
            await connection.assert_session_confirmed(within="5s")


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_an_address_that_swallows_packets_leaves_time_for_the_next(monkeypatch):
    """Each has its share of the time."""
    loop = asyncio.get_running_loop()
    connect_to = loop.create_connection

    async def create_connection(factory, host, *args, **options):
        if host == "127.0.0.2":
            await asyncio.sleep(3600)
        return await connect_to(factory, host, *args, **options)

    monkeypatch.setattr(loop, "create_connection", create_connection)
    async with Orchestrator() as orchestrator:
        port = int(orchestrator.url.strip("/").rsplit(":", 1)[1])
        resolving(monkeypatch, (socket.AF_INET, ("127.0.0.2", 1)), (socket.AF_INET, ("127.0.0.1", port)))
        async with opened(f"ws://two.example:{port}/", open_timeout="400ms") as connection:
            assert connection.websocket.is_open


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
@pytest.mark.parametrize(
    ("second", "words"),
    [("127.0.0.1", "connection refused"), ("nowhere", "2 addresses: Connection refused; ")],
)
async def test_addresses_that_all_fail(monkeypatch, second, words):
    """The same error once, several side by side."""
    resolving(monkeypatch, (socket.AF_INET, ("127.0.0.1", 1)), (socket.AF_INET, (second, 1)))
    loop = asyncio.get_running_loop()
    connect_to = loop.create_connection

    async def create_connection(factory, host, *args, **options):
        if host == "nowhere":
            raise OSError(101, "Network is unreachable")
        return await connect_to(factory, host, *args, **options)

    monkeypatch.setattr(loop, "create_connection", create_connection)
    error = await error_of("ws://two.example:1/")

    assert error.stage is OpeningStage.CONNECT
    assert words in str(error)


HTTP2 = "the server speaks HTTP/2 (ALPN h2), where WebSocket is another handshake (RFC 8441)"
# SETTINGS and GOAWAY with PROTOCOL_ERROR: what an HTTP/2 server says to an HTTP/1.1 request (RFC 9113).
GOAWAY = bytes.fromhex("0000000400000000000000080700000000000000000000000001")


def choosing(*protocols):
    """The TLS context of a server that chooses one of these by ALPN, if there are any."""
    context = server_context("127.0.0.1")
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


@pytest.mark.parametrize(
    "answer",
    [
        GOAWAY,
        b"",
        b"HTTP/1.1 426 Upgrade Required\r\n\r\n",
        b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n",
    ],
    ids=["goaway", "FIN", "426", "505"],
)
async def test_a_server_that_speaks_http2_only(answer):
    """It chooses h2 where that is offered; a WebSocket client offers http/1.1, and is told why that fails."""
    async with serving(answering(answer), choosing("h2")) as url:
        error = await error_of(url, tls=TLS(insecure=True))

    assert HTTP2 in str(error)


async def test_a_refusal_by_a_server_that_speaks_http2_says_who_refused():
    """What its response tells is kept beside the words about HTTP/2."""
    refusal = b"HTTP/1.1 426 Upgrade Required\r\nServer: h2only/1.0\r\nRetry-After: 7\r\n\r\n"
    async with serving(answering(refusal), choosing("h2")) as url:
        error = await error_of(url, tls=TLS(insecure=True))

    assert HTTP2 in str(error)
    assert (error.status, error.retry_after, error.served_by) == (426, "7", "h2only/1.0")


@pytest.mark.parametrize("protocols", [[], ["http/1.1"], ["h2", "http/1.1"]])
async def test_a_server_that_speaks_http1_is_not_suspected(protocols):
    """A refusal is a refusal; with http/1.1 on offer, h2 is no obstacle."""
    chosen = []

    async def script(peer):
        chosen.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await answering(b"HTTP/1.1 403 Forbidden\r\n\r\n")(peer)

    async with serving(script, choosing(*protocols)) as url:
        error = await error_of(url, tls=TLS(insecure=True))

    assert (error.stage, error.status) == (OpeningStage.HTTP, 403)
    assert "HTTP/2" not in str(error)
    assert chosen == ["http/1.1" if protocols else None]


async def test_a_tls_alert_about_the_protocol_is_explained(monkeypatch):
    """Servers may refuse in the TLS handshake already (RFC 7301, section 3.2)."""
    refused = ssl.SSLError(
        1, "[SSL: TLSV1_ALERT_NO_APPLICATION_PROTOCOL] tlsv1 alert no application protocol"
    )
    refused.reason = "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"

    async def start_tls(*args, **options):
        raise refused

    async with serving(silent) as url:
        monkeypatch.setattr(asyncio.get_running_loop(), "start_tls", start_tls, raising=False)
        error = await error_of(url.replace("ws://", "wss://"))

    assert error.stage is OpeningStage.TLS
    assert HTTP2 in str(error)


@pytest.mark.ws_stability(time="virtual")
async def test_a_tls_server_drops_a_connection_whose_deadline_ran_out(tmp_path):
    """Over TLS the end of the stream is a close_notify and a FIN; it is 1006 all the same."""
    context = server_context("127.0.0.1")
    async with (
        Orchestrator(tls=context, deadline_reset_by="heartbeat") as orchestrator,
        opened(orchestrator.url, tls=trusting(tmp_path)) as connection,
    ):
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.code, evidence.at, evidence.by.value) == (1006, 60.0, "server")


async def test_an_opening_error_survives_pickling():
    """pytest-xdist sends it from process to process."""
    error = OpeningError(
        "ws://me:pw@example.org/", OpeningStage.HTTP, "HTTP 403",
        status=403, said="bad origin", served_by="b2",
    )  # fmt: skip
    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.stage, copy.status, copy.url) == (str(error), OpeningStage.HTTP, 403, error.url)
    assert copy.served_by == "b2"
    silent = OpeningError("ws://example.org/", OpeningStage.HANDSHAKE, "no", unanswered=True)
    for each in (error, silent):
        assert pickle.loads(pickle.dumps(each)).diagnosis == each.diagnosis


def answer(status, body=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("said", "cause", "runner_up"),
    [
        (answer("503 Service Unavailable"), Cause.UPSTREAM_FAILED, Cause.THROTTLED),
        (answer("503 Service Unavailable", "no healthy upstream"), Cause.UPSTREAM_FAILED, None),
        (answer("503 Too Many Connections"), Cause.THROTTLED, None),
        (answer("403 Forbidden", "Cross origin websockets not allowed"), Cause.ORIGIN_REFUSED, None),
        (b"SSH-2.0-OpenSSH_9\r\n", Cause.NO_WEBSOCKET, None),
        (b"", Cause.NO_WEBSOCKET, Cause.UPSTREAM_FAILED),
    ],
)
async def test_what_an_answer_says_is_its_cause(said, cause, runner_up):
    """Or that there was none: a port forward without a server ends a connection so."""
    async with serving(answering(said)) as url:
        error = await error_of(url)

    assert (error.diagnosis.cause, error.diagnosis.runner_up) == (cause, runner_up)


async def test_a_connection_that_ends_before_the_handshake_has_no_answer():
    """As one with which a proxy finds nobody to talk to."""

    async def script(peer):
        peer.cut()

    async with serving(script) as url:
        error = await error_of(url)

    assert error.unanswered


async def test_fields_of_a_response_are_those_of_the_connection():
    """However many connections have some of them in common."""
    first = Orchestrator(headers={"X-One": "1", "X-Two": "2"})
    second = Orchestrator(headers={"X-One": "1", "X-Two": "3"})
    async with first, second:
        found = []
        for server in (first, second, first):
            async with opened(server.url) as connection:
                found.append(dict(connection.response_headers))

    assert [(fields["X-One"], fields["X-Two"]) for fields in found] == [("1", "2"), ("1", "3"), ("1", "2")]
    # What answers the client's key is another one each time, and is of no use to anybody.
    assert not any("Sec-WebSocket-Accept" in fields for fields in found)
