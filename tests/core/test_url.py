"""WebSocket URLs: what is wrong with one, how a path joins a base, and who can reach a host."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.url import as_websocket, is_here, is_loopback, is_relative, join, wrong_url

SPACE = "it has a space or a control character; %20 stands for a space"
ADVICE = "; give ws:// or wss:// and a host"


@pytest.mark.parametrize("url", ["ws://h", "wss://h:8443/ws?a=1", "ws://[::1]:80/", "wss://bücher.example/"])
def test_a_url_that_is_one(url):
    assert wrong_url(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (7, "'7' is not a WebSocket URL (it is no text)"),
        ("http://h", "'http://h' is not a WebSocket URL (its scheme is 'http')"),
        ("h/ws", "'h/ws' is not a WebSocket URL (it has no scheme)"),
        ("ws:///ws", "'ws:///ws' is not a WebSocket URL (it has no host)"),
        ("ws://h:0/", "'ws://h:0/' is not a WebSocket URL (its port is none from 1 to 65535)"),
        ("ws://h/#top", "'ws://h/' is not a WebSocket URL (it has a fragment)"),
        (f"ws://{'a' * 64}/", f"'ws://{'a' * 64}/' is not a WebSocket URL ('{'a' * 64}' is no host name)"),
        ("ws://h/a b", f"'ws://h/a b' is not a WebSocket URL ({SPACE})"),
        ("ws://h/\r\nHost: x", f"'ws://h/Host: x' is not a WebSocket URL ({SPACE})"),
        ("ws://h/ws\n", f"'ws://h/ws' is not a WebSocket URL ({SPACE})"),
        ("/ws", "'/ws' is not a WebSocket URL (it is a path on no server)"),
    ],
)
def test_what_is_wrong_with_a_url(url, reason):
    """RFC 6455, section 3."""
    assert wrong_url(url) == reason + ADVICE


@pytest.mark.parametrize("url", ["ws://h:port/", "ws://h:70000/", "ws://[::1/"])
def test_what_python_refuses_is_said_in_its_words(url):
    assert wrong_url(url).startswith(f"{url!r} is not a WebSocket URL (")


def test_a_wrong_url_shows_no_secret():
    assert "hunter2" not in wrong_url("http://me:hunter2@h/?token=hunter2")


@pytest.mark.parametrize(
    ("url", "taken"),
    [("http://h/ws", "ws://h/ws"), ("HTTPS://h", "wss://h"), ("ws://h", "ws://h"), ("ftp://h", "ftp://h")],
)
def test_urls_of_http_fixtures_are_taken_as_websocket(url, taken):
    assert as_websocket(url) == taken


@pytest.mark.parametrize(
    ("url", "relative"), [("/ws", True), ("//h/ws", False), ("ws://h", False), ("ws", False), (None, False)]
)
def test_a_path_is_relative(url, relative):
    assert is_relative(url) is relative


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("ws://h:1/a/b", "/voice", "ws://h:1/voice"),
        ("ws://h?key=1", "/voice", "ws://h/voice?key=1"),
        ("ws://h?key=1", "/voice?x=2", "ws://h/voice?key=1&x=2"),
        ("ws://h", "/voice?x=2", "ws://h/voice?x=2"),
    ],
)
def test_a_path_joins_the_base_and_keeps_its_query(base, path, joined):
    """RFC 3986, section 5.3."""
    assert join(base, path) == joined


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("LOCALHOST", True), ("LOCALHOST.", True), ("app.localhost", True),
        ("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True), ("fe80::1%eth0", False),
        ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("192.168.1.2", False),
        ("localhost.example", False), ("example.org", False), ("", False),
    ],
)  # fmt: skip
def test_who_can_reach_a_host(host, expected):
    """Only this machine reaches the loopback (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3)."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("ws://localhost:1/x", True), ("ws://[::1]:1", True), ("wss://example.org", False), ("/voice", False)],
)
def test_who_can_reach_the_host_of_a_url(url, expected):
    """It is its host that counts; a path alone has none."""
    assert is_here(url) is expected
