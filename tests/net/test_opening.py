"""Each step of opening a connection has an error of its own: name, TCP, TLS."""

import asyncio
import pickle
import socket

import pytest

from pytest_wsstability import TLS, OpeningError, Orchestrator, connect
from pytest_wsstability.net.errors import OpeningStage
from tests.net.certificates import server_context, trusting
from tests.net.peers import opened, serving, silent

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


async def test_insecure_checks_nothing():
    """For a server of one's own with a certificate that it made itself."""
    async with (
        Orchestrator(tls=server_context("other.example")) as orchestrator,
        opened(orchestrator.url, tls=TLS(insecure=True)) as connection,
    ):
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


async def test_a_server_with_tls_is_asked_without_it():
    """ws:// where wss:// is right: the server answers with an alert, or not at all."""
    async with Orchestrator(tls=server_context("127.0.0.1")) as orchestrator:
        error = await error_of(orchestrator.url.replace("wss://", "ws://"))

    assert error.stage is OpeningStage.HANDSHAKE


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_is_silent_in_the_tls_handshake():
    """open_timeout covers TLS too."""
    async with serving(silent) as url:
        error = await error_of(url.replace("ws://", "wss://"))

    assert error.stage is OpeningStage.TIMEOUT
    assert asyncio.get_running_loop().time() == 10.0


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
    error = OpeningError("ws://me:pw@example.org/", OpeningStage.HTTP, "HTTP 403", status=403)
    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.stage, copy.status, copy.url) == (str(error), OpeningStage.HTTP, 403, error.url)
