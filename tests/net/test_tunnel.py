"""Through a proxy towards the target: CONNECT and SOCKS, and never towards this machine."""

from __future__ import annotations

import asyncio
import base64
import socket
import sys
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.uri import parse_uri

from pytest_wsstability import Blame, Cause, Confidence, OpeningError, Orchestrator, connect
from pytest_wsstability.net.errors import OpeningStage
from pytest_wsstability.net.tunnel import proxy_for, unused_variable
from tests.net.certificates import server_context, trusting
from tests.net.peers import answering, pump, serving

VARIABLES = ("WSS_PROXY", "WS_PROXY", "SOCKS_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Whatever this machine's environment says."""
    for name in (*VARIABLES, *map(str.lower, VARIABLES)):
        monkeypatch.delenv(name, raising=False)


@asynccontextmanager
async def http_proxy(target, answer="200 Connection established"):
    """An HTTP proxy that leads everybody to one address, and keeps the requests."""
    requests = []

    async def serve(reader, writer):
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        if not answer.startswith("2"):
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection(*target)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[:2], requests


@asynccontextmanager
async def socks_proxy(target, *, credentials=None, reply=0):
    """A SOCKS5 proxy (RFC 1928, RFC 1929) that leads everybody to one address, and keeps what was asked."""
    asked = []

    async def serve(reader, writer):
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        method = 0 if credentials is None else 2
        writer.write(bytes([5, method if method in methods else 255]))
        if method == 2:
            _, length = await reader.readexactly(2)
            name = await reader.readexactly(length)
            password = await reader.readexactly((await reader.readexactly(1))[0])
            writer.write(bytes([1, int((name, password) != credentials)]))
        _, _, _, kind = await reader.readexactly(4)
        length = (await reader.readexactly(1))[0] if kind == 3 else 4
        asked.append((kind, await reader.readexactly(length), int.from_bytes(await reader.readexactly(2))))
        writer.write(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if reply:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_connection(*target)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], asked


def address_of(server):
    uri = parse_uri(server.url)
    return uri.host, uri.port


@pytest.mark.ws_stability
async def test_a_target_behind_an_http_proxy():
    """CONNECT with credentials; the target has a name that only the proxy knows."""
    async with Orchestrator() as server, http_proxy(address_of(server)) as ((host, port), requests):
        connection = await connect("ws://inside.example/", proxy=f"http://me:pw@{host}:{port}")
        await connection.assert_session_confirmed(within=5)
        await connection.close()

    (request,) = requests
    assert request.startswith("CONNECT inside.example:80 HTTP/1.1\r\nHost: inside.example:80\r\n")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'me:pw').decode()}\r\n" in request


@pytest.mark.ws_stability
async def test_tls_goes_through_the_proxy(tmp_path):
    """The certificate that is checked is the target's."""
    context, tls = server_context("inside.example"), trusting(tmp_path)
    async with Orchestrator(tls=context) as server, http_proxy(address_of(server)) as ((host, port), _):
        connection = await connect("wss://inside.example/", proxy=f"http://{host}:{port}", tls=tls)
        await connection.assert_session_confirmed(within=5)
        await connection.close()


@pytest.mark.ws_stability
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            "407 Proxy Authentication Required",
            "it answered 407 Proxy Authentication Required to CONNECT inside.example:80",
        ),
        ("502 Bad Gateway", "it answered 502 Bad Gateway to CONNECT inside.example:80"),
    ],
)
async def test_a_proxy_that_refuses_is_told(answer, words):
    """By its address, and with what it said."""
    async with http_proxy(("127.0.0.1", 9), answer) as ((host, port), _):
        with pytest.raises(OpeningError) as caught:
            await connect("ws://inside.example/", proxy=f"http://{host}:{port}")

    assert caught.value.stage is OpeningStage.PROXY
    assert str(caught.value).endswith(f"the proxy {host}:{port}: {words}")


@pytest.mark.ws_stability
async def test_a_proxy_that_is_not_there_is_no_fault_of_the_target():
    """It was the server's, which should listen on the proxy's port."""
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
    with pytest.raises(OpeningError, match=rf"the proxy 127.0.0.1:{port}: nobody listens on") as caught:
        await connect("ws://inside.example/", proxy=f"http://127.0.0.1:{port}")

    found = caught.value.diagnosis
    assert (caught.value.stage, found.cause) == (OpeningStage.PROXY, Cause.PROXY_REFUSED)
    assert (found.blame, found.confidence) == (Blame.PATH, Confidence.HIGH)


@pytest.mark.ws_stability
async def test_a_proxy_that_speaks_no_tls_is_told():
    """By its address: the target has nothing to do with it."""
    async with leading_nowhere(b"") as port:
        with pytest.raises(OpeningError) as caught:
            await connect("ws://inside.example/", proxy=f"https://127.0.0.1:{port}", open_timeout=1)

    words = f"the proxy 127.0.0.1:{port} did not end the TLS handshake (does it speak TLS?) within 1 s"
    assert (caught.value.stage, caught.value.detail) == (OpeningStage.TIMEOUT, words)


@pytest.mark.ws_stability
async def test_a_proxy_that_says_nothing_is_told():
    """It closes, or sends what never ends."""
    async with serving(answering(b"")) as url:
        with pytest.raises(OpeningError, match="it closed the connection instead of answering CONNECT"):
            await connect("ws://inside.example/", proxy=url.replace("ws:", "http:"))


@asynccontextmanager
async def leading_nowhere(answer):
    """A proxy, by its port, that lets everybody through to what says this, and nothing more."""

    async def script(peer):
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.reader.read(1)
        peer.send(answer)
        await peer.gone()

    async with serving(script) as url:
        yield urlsplit(url).port


@pytest.mark.ws_stability
@pytest.mark.parametrize(
    ("url", "answer", "stage", "words"),
    [
        ("ws://inside.example/", b"", OpeningStage.TIMEOUT, "no HTTP response to the upgrade within 1 s"),
        (
            "wss://inside.example/", b"", OpeningStage.TIMEOUT,
            "inside.example:443 did not end the TLS handshake (does it speak TLS?) within 1 s",
        ),
        (
            "ws://inside.example/", b"HTTP/1 101\r\n\r\n", OpeningStage.HANDSHAKE,
            "inside.example:80: did not receive a valid HTTP response: invalid HTTP status line: HTTP/1 101",
        ),
    ],
)  # fmt: skip
async def test_behind_a_proxy_the_target_is_named(monkeypatch, url, answer, stage, words):
    """Told was that the proxy does not speak TLS; the variable that names it is used, and not advised."""
    async with leading_nowhere(answer) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(OpeningError) as caught:
            await connect(url, proxy="env", open_timeout=1)

    told = f"{words}; the way led through the proxy 127.0.0.1:{port}"
    assert (caught.value.stage, caught.value.detail) == (stage, told)


@pytest.mark.ws_stability
async def test_a_redirect_behind_a_proxy_is_followed():
    """What is said of the way costs no place that it leads to."""

    async def serve(reader, writer):
        for answer in ("200 OK", "302 Found\r\nLocation: /there\r\nContent-Length: 0"):
            asked = await reader.readuntil(b"\r\n\r\n")
            paths.append(asked.split()[1].decode())
            writer.write(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        writer.close()

    paths = []
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(OpeningError, match="it leads to /there, and is not followed"):
            await connect("ws://inside.example/here", proxy=proxy, redirects=1)

    assert paths == ["inside.example:80", "/here", "inside.example:80", "/there"]


# python-socks opens a socket of the kernel's, so these run in real time.


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_target_behind_a_socks_proxy():
    """With credentials; the name of the target, which only the proxy knows, is resolved there."""
    async with (
        Orchestrator() as server,
        socks_proxy(address_of(server), credentials=(b"me", b"pw")) as (port, asked),
    ):
        connection = await connect("ws://inside.example/", proxy=f"socks5h://me:pw@127.0.0.1:{port}")
        await connection.assert_session_confirmed(within=5)
        await connection.close()

    assert asked == [(3, b"inside.example", 80)]


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_tls_goes_through_a_socks_proxy(tmp_path):
    """The certificate that is checked is the target's."""
    context, tls = server_context("inside.example"), trusting(tmp_path)
    async with Orchestrator(tls=context) as server, socks_proxy(address_of(server)) as (port, asked):
        connection = await connect("wss://inside.example/", proxy=f"socks5h://127.0.0.1:{port}", tls=tls)
        await connection.assert_session_confirmed(within=5)
        await connection.close()

    assert asked == [(3, b"inside.example", 443)]


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_socks_proxy_that_refuses_is_told():
    """By its address, and with what it said (RFC 1928, section 6: 2 is a rule that does not allow it)."""
    async with socks_proxy(("127.0.0.1", 9), reply=2) as (port, _):
        with pytest.raises(OpeningError) as caught:
            await connect("ws://inside.example/", proxy=f"socks5h://127.0.0.1:{port}")

    assert caught.value.stage is OpeningStage.PROXY
    assert f"the proxy 127.0.0.1:{port}: Connection not allowed by ruleset" in str(caught.value)


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
@pytest.mark.parametrize(
    ("name", "stage", "words"),
    [
        (
            "inside.example", OpeningStage.DNS,
            "the name 'inside.example' does not resolve here (Name or service not known); with socks5h:// or "
            "socks4a:// the proxy resolves it",
        ),
        (
            "proxy.example", OpeningStage.PROXY,
            "the proxy proxy.example:{port}: its name does not resolve (Name or service not known)",
        ),
    ],
)  # fmt: skip
async def test_a_name_that_is_not_found_on_the_way_is_told(monkeypatch, name, stage, words):
    """With socks5:// that of the target is looked up here: told was the proxy's, and the proxy blamed."""
    loop = asyncio.get_running_loop()
    look_up = loop.getaddrinfo

    async def getaddrinfo(host, port, **hints):
        if host == name:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return await look_up("127.0.0.1", port, **hints)

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)

    async def serve(reader, writer):
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OpeningError) as caught:
            await connect("ws://inside.example/", proxy=f"socks5://proxy.example:{port}")

    assert (caught.value.stage, caught.value.detail) == (stage, words.format(port=port))


@pytest.mark.ws_stability
async def test_a_socks_proxy_without_its_package_is_told(monkeypatch):
    """The message is the line that installs it."""
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(OpeningError, match=r"needs python-socks: pip install 'python-socks\[asyncio\]'$"):
        await connect("ws://inside.example/", proxy="socks5://proxy.example:1080")


@pytest.mark.parametrize(
    ("variable", "url", "expected"),
    [
        ("HTTPS_PROXY", "wss://a.example/", "http"),
        ("https_proxy", "ws://a.example/", "http"),
        ("HTTPS_PROXY", "wss://localhost/", None),
        ("HTTPS_PROXY", "ws://127.0.0.1:80/", None),
        ("FTP_PROXY", "wss://a.example/", None),
    ],
)
def test_what_the_environment_says(monkeypatch, variable, url, expected):
    """Only where env is asked for, and never for this machine."""
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    uri = parse_uri(url)
    found = proxy_for(uri, "env")

    assert (found and found.scheme) == expected
    assert proxy_for(uri, None) is None
    assert (unused_variable(uri) is None) == (expected is None)


def test_a_proxy_of_the_option_is_not_for_this_machine():
    """Loopback is reached without anybody's help."""
    assert proxy_for(parse_uri("ws://127.0.0.1:80/"), "http://proxy.example:3128") is None
    assert proxy_for(parse_uri("ws://a.example/"), "socks5h://proxy.example:1080").port == 1080


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "proxy", "http://a.example/path", "http://joe:hunter2hunter", "http://[a"]
)
@pytest.mark.parametrize("target", ["ws://a.example/", "ws://127.0.0.1:80/"])
def test_a_proxy_that_is_none_is_told(url, target):
    """With the valid ones, and without its password, whether this target goes through it or not."""
    words = r"^proxy: .*; give http://host:port, socks5://host:port, or env$"
    with pytest.raises(ValueError, match=words) as caught:
        proxy_for(parse_uri(target), url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.ws_stability
async def test_a_failed_opening_names_the_variable_that_is_set(monkeypatch):
    """Where only a proxy leads out, the connection fails without it."""

    async def create_connection(*args, **options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection, raising=False)
    with pytest.raises(OpeningError, match=r"; HTTPS_PROXY is set, and is used with --ws-proxy env only"):
        await connect("wss://nowhere.example/")
