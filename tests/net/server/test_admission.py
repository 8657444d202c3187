"""Who may connect to a server that browsers can reach."""

import asyncio

import pytest
from websockets.datastructures import Headers

from pytest_wsstability import Orchestrator, connect, run_virtual
from pytest_wsstability.net.server.admission import Admission

HERE = "127.0.0.1:8765"


def refusal(listens="127.0.0.1", allowed=(), **fields):
    """Why a request to a server that listens there is refused, with these header fields."""
    given = {"host": HERE, **fields}
    several = {name: [value] if isinstance(value, str) else value for name, value in given.items()}
    pairs = [(name, each) for name, values in several.items() for each in values]
    return Admission.of(listens, allowed).refusal(Headers(pairs))


@pytest.mark.parametrize(
    "fields",
    [
        # No browser.
        {},
        {"host": "[::1]:8765"},
        {"host": "192.168.1.5"},
        {"host": "localhost:8765"},
        {"host": "app.localhost:8765"},
        # A name without a dot is that of a machine or a container, and of no site.
        {"host": "orchestrator:8765"},
        # Its own page, by whatever name.
        {"origin": f"http://{HERE}"},
        {"origin": "http://orchestrator:8765", "host": "orchestrator:8765"},
        {"origin": "http://192.168.1.5", "host": "192.168.1.5"},
        {"origin": "https://192.168.1.5:443", "host": "192.168.1.5"},
        {"origin": "http://[::1]:8765", "host": "[::1]:8765"},
        # Another page of this machine: a server that is being developed.
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.2:3000"},
    ],
)
def test_who_may_connect(fields):
    """Clients that are no browser, the server's own page, and on loopback the pages of this machine."""
    assert refusal(**fields) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"origin": "https://evil.example"}, "Origin: 'https://evil.example' is not allowed"),
        ({"origin": "null"}, "Origin: 'null' is not allowed"),
        ({"origin": "file://"}, "Origin: 'file://' is not allowed"),
        ({"origin": ""}, "Origin: '' is not allowed"),
        ({"origin": "http://127.0.0.1.evil.example"}, "Origin: "),
        ({"origin": "http://localhost.evil.example"}, "Origin: "),
        ({"origin": "http://localhost@evil.example"}, "Origin: "),
        ({"origin": "chrome-extension://abc"}, "Origin: "),
        ({"origin": "http://x\x9b2J.example"}, "Origin: "),
        ({"origin": [f"http://{HERE}", "https://evil.example"]}, "Origin: 2 of them"),
        # DNS rebinding: the foreign page's own name leads here, so that both agree.
        (
            {"origin": "http://evil.example:8765", "host": "evil.example:8765"},
            "Host: 'evil.example:8765'",
        ),
        ({"host": "evil.example"}, "Host: 'evil.example' is no name of this server"),
        ({"host": "evil.example."}, "Host: "),
        ({"host": "127.0.0.1.evil.example"}, "Host: "),
        ({"host": "127.0.0.1@evil.example"}, "Host: "),
        ({"host": "127.0.0.1:http"}, "Host: "),
        ({"host": ""}, "Host: "),
        ({"host": []}, "Host: 0 of them"),
        ({"host": [HERE, "evil.example"]}, "Host: 2 of them"),
        ({"host": "[::1"}, "Host: "),
    ],
)
def test_who_is_refused(fields, words):
    """With the field and what it says."""
    said = refusal(**fields)

    assert said is not None
    assert said.startswith(words)
    assert said.isprintable()


@pytest.mark.parametrize(
    ("allowed", "fields", "admitted"),
    [
        (["https://app.example"], {"origin": "https://app.example"}, True),
        (["https://APP.example:443"], {"origin": "https://app.example"}, True),
        (["https://app.example"], {"origin": "http://app.example"}, False),
        (["https://app.example"], {"origin": "https://app.example:8443"}, False),
        (["https://app.example"], {"origin": "https://app.example", "host": "app.example"}, True),
        (["https://app.example"], {"origin": "https://evil.example", "host": "app.example"}, False),
        (["null"], {"origin": "null"}, True),
        (["chrome-extension://abc"], {"origin": "chrome-extension://abc"}, True),
        (["*"], {"origin": "https://evil.example", "host": "evil.example"}, True),
    ],
)
def test_what_is_allowed_besides(allowed, fields, admitted):
    """An origin in any way of writing it, exactly; its host is a name of the server too."""
    assert (refusal(allowed=allowed, **fields) is None) is admitted


@pytest.mark.parametrize(
    ("host", "fields", "admitted"),
    [
        ("0.0.0.0", {"origin": "http://localhost:3000"}, False),
        ("0.0.0.0", {"origin": f"http://{HERE}"}, True),
        ("voice.example", {"host": "voice.example:8765", "origin": "http://voice.example:8765"}, True),
        ("::1", {"origin": "http://localhost:3000"}, True),
        ("localhost", {"origin": "http://localhost:3000"}, True),
    ],
)
def test_a_server_that_leaves_loopback(host, fields, admitted):
    """Pages of a visitor's machine are foreign to it; the name on which it listens is its own."""
    assert (refusal(host, **fields) is None) is admitted


@pytest.mark.parametrize(
    "text",
    [
        "app.example",
        "localhost:3000",
        "https://",
        "https://a.example/",
        "https://u@a.example",
        "",
        "http://a:x",
    ],
)
def test_what_is_no_origin(text):
    """The error names it and says what one looks like."""
    with pytest.raises(
        ValueError, match=r"^allow_origins: .*an origin is scheme://host or scheme://host:port"
    ):
        Admission.of("127.0.0.1", [text])


def test_one_text_is_no_list_of_origins():
    """Its characters would be taken for origins."""
    with pytest.raises(TypeError, match=r"^allow_origins: 'https://a\.example' is one text; give a list"):
        Admission.of("127.0.0.1", "https://a.example")


def test_a_foreign_page_is_refused_before_the_upgrade():
    """With 403 and the reason, on the server that checks; another one checks nothing."""

    async def script(**keywords):
        async with Orchestrator(**keywords) as orchestrator:
            try:
                connection = await connect(orchestrator.url, origin="https://evil.example")
            except Exception as exc:
                return str(exc), [each.status for each in orchestrator.attempts]
            await connection.close()
            return "opened", [each.status for each in orchestrator.attempts]

    refused, statuses = run_virtual(script(allow_origins=[]))
    assert "HTTP 403" in refused
    assert "Origin: 'https://evil.example' is not allowed" in refused
    assert statuses == [403]
    assert run_virtual(script()) == ("opened", [101])
    assert run_virtual(script(allow_origins=["https://evil.example"])) == ("opened", [101])


def test_a_page_is_shown_to_nobody_by_a_foreign_name():
    """DNS rebinding reads nothing."""

    async def script():
        async with Orchestrator(page="<title>x</title>", allow_origins=[]) as orchestrator:
            _, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            writer.write(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            answer = (await reader.read()).decode()
            writer.close()
            return answer

    answer = run_virtual(script())
    assert answer.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert "<title>" not in answer
