"""Secrets stay out of everything that is shown."""

import pytest

from pytest_wsstability.core import redact as door
from pytest_wsstability.core.redact import (
    redact,
    redact_source,
    redact_text,
    redact_url,
    show_message,
    show_text,
)
from pytest_wsstability.core.secret_names import is_secret
from pytest_wsstability.core.secret_values import SECRETS

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://host/ws?token=abc", "wss://host/ws?token=***"),
        ("wss://host/ws?room=7&access_token=abc&lang=de", "wss://host/ws?room=7&access_token=***&lang=de"),
        ("wss://joe:hunter2@host:8443/ws", "wss://***@host:8443/ws"),
        ("wss://joe:p@ss@host/ws", "wss://***@host/ws"),
        ("wss://host/ws?api%5Fkey=abc", "wss://host/ws?api_key=***"),
        ("wss://host/ws?sig=abc&signature=def", "wss://host/ws?sig=***&signature=***"),
        ("wss://host/ws?token=", "wss://host/ws?token=***"),
        ("wss://host/ws;jsessionid=abc?room=7", "wss://host/ws;jsessionid=***?room=7"),
        ("wss://host/ws?q=a%20b&token=abc", "wss://host/ws?q=a%20b&token=***"),
        # No URL, yet with a secret in it.
        ("ws://joe:hunter2@[::1/ws?token=abc", "ws://***@[::1/ws?token=***"),
        # Ordinary ones stay as they are.
        ("ws://127.0.0.1:8765/", "ws://127.0.0.1:8765/"),
        ("ws://[::1]:8765/ws", "ws://[::1]:8765/ws"),
        (
            "wss://host/rooms/7/ws?room=7&design=dark%20blue",
            "wss://host/rooms/7/ws?room=7&design=dark%20blue",
        ),
    ],
)
def test_url(url, shown):
    """User information and the values of secret parameters, and nothing else."""
    assert redact_url(url) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /ws?token=abc HTTP/1.1", "GET /ws?token=*** HTTP/1.1"),
        ('no route "/ws?room=7;key=abc"', 'no route "/ws?room=7;key=***"'),
        ("/ws?access%5Ftoken=abc", "/ws?access%5Ftoken=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("basic am9lOmh1bnRlcjI= refused", "basic *** refused"),
        ("cannot connect to ws://joe:hunter2@host/ws", "cannot connect to ws://***@host/ws"),
        (f"expired: {JWT}", "expired: ***"),
        # Ordinary text stays.
        ("connection refused (ws://host:8765/ws)", "connection refused (ws://host:8765/ws)"),
        ("see https://host/faq and mail joe@host", "see https://host/faq and mail joe@host"),
        ("size=5&room=7", "size=5&room=7"),
        ("502 Bad Gateway: upstream timed out", "502 Bad Gateway: upstream timed out"),
        ("keepalive ping timeout", "keepalive ping timeout"),
        (f"Sec-WebSocket-Protocol: bearer, {JWT}", "Sec-WebSocket-Protocol: bearer, ***"),
        ("Location: /ws?token=abc&room=7", "Location: /ws?token=***&room=7"),
    ],
)
def test_text(text, shown):
    """An error may quote the URL or the header that it is about."""
    assert redact_text(text) == shown


@pytest.mark.parametrize("name", ["key", "Keys", "auth", "session", "hash", "token", "sid", "accessCode"])
def test_members_by_their_names(name):
    """JSON has no sentences: a common word names a secret there, however its value looks."""
    assert redact_text(f'{{"{name}": "active-7"}}') == f'{{"{name}": "***"}}'
    assert redact_text(f"{{'{name}': 'Zz99-12ab-77'}}") == f"{{'{name}': '***'}}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"code": "RATE_LIMITED"}', '{"code": "RATE_LIMITED"}'),
        ('{"Code": "Zz99-12ab-77"}', '{"Code": "***"}'),
        ('{"errorCode": "Zz99-12ab-77"}', '{"errorCode": "Zz99-12ab-77"}'),
        ('{"sessionState": "notReadyYet"}', '{"sessionState": "notReadyYet"}'),
        ('{"session_state": "notReadyYet"}', '{"session_state": "***"}'),
        ('{"primaryKey": "orders_pkey"}', '{"primaryKey": "orders_pkey"}'),
        ('{"session_within": "5s"}', '{"session_within": "5s"}'),
    ],
)
def test_members_that_tell_of_something_else(text, shown):
    """A code alone is an error's where it is made of words."""
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("close code=1006", "close code=1006"),
        (
            "session=idle, auth=basic, key=7, keys=2, hash=x",
            "session=idle, auth=basic, key=7, keys=2, hash=x",
        ),
        ("errorCode=DB_DOWN", "errorCode=DB_DOWN"),
        ("sessionTimeout=300s", "sessionTimeout=300s"),
        ("accessCode=4711", "accessCode=***"),
        ("session_id=4711", "session_id=***"),
        ("GET /ws?code=abc&key=def", "GET /ws?code=***&key=***"),
    ],
)
def test_common_words_in_sentences(text, shown):
    """An assignment in a sentence is no query of a URL."""
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "cookie",
        "Set-Cookie",
        "Proxy-Authorization",
        "X-API-Key",
        "X-Auth-Token",
        "X-Session",
    ],
)
def test_names_of_secrets(name):
    """The value of a header field goes by the field's name."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["room", "lang", "design", "Upgrade", "Connection", "Host", "v", "encoding"])
def test_ordinary_names_are_no_secrets(name):
    """A report with everything masked would help nobody."""
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("ümlaut", "ümlaut"),
        ("two\nlines\r\n\ttab", "two\\nlines\\r\\n\\ttab"),
        ("\x1b[31m\u202eevil", "\\x1b[31m\\u202eevil"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
        ("?token=abc", "?token=***"),
    ],
)
def test_text_of_others_in_a_message(text, shown):
    """One line, printable, at most 200 characters, without secrets."""
    assert show_text(text) == shown


def test_a_message_is_shown_without_its_indentation():
    """What else is not printable stays escaped, and a secret stays masked."""
    text = '{\n   "janus": "error",\r\n\t"reason":\t"no \x1b[31m", "password": "hunter2hunter2"\n}'

    assert show_message(text) == (
        r'{ "janus": "error", "reason":\t"no \x1b[31m", "password": "***" }'.replace("\\\\", "\\")
    )
    assert show_message("x" * 201) == "x" * 197 + "..."


def test_bytes_are_redacted_by_value():
    """What is no text stays as it is, to the byte."""
    SECRETS.take("token", "hunter2-of-mine", secret=True)

    assert redact((b"\xff\x00 hunter2-of-mine", 1)) == (b"\xff\x00 ***", 1)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b'{"token": "abc", "room": "\xc3\xa4"}', b'{"token": "***", "room": "\xc3\xa4"}'),
        (b"\xff\x00 sk-proj-aB3dE5fG7h \xfe token=abc", b"\xff\x00 *** \xfe token=abc"),
    ],
)
def test_bytes_are_redacted_by_what_they_say(octets, shown):
    """Some protocols have JSON in binary frames; what is no text is looked through for keys alone."""
    assert redact(octets) == shown


def test_a_url_that_was_shown_before_is_masked_by_what_is_known_now():
    """By value, and beside its name."""
    url = "ws://host/rooms/hunter2-of-mine/pin:4711"
    assert redact_url(url) == url

    SECRETS.take("token", "hunter2-of-mine", secret=True)
    assert redact_url(url) == "ws://host/rooms/***/pin:4711"

    SECRETS.take("pin", "4711", secret=True)
    assert redact_url(url) == "ws://host/rooms/***/pin:***"


class OwnText(str):
    """A text that knows more of itself, as the URL of a fixture does."""

    __slots__ = ()


@pytest.mark.parametrize("way", [redact_text, redact_source, redact_url])
def test_what_is_shown_is_a_builtin_text(way):
    """Nothing else goes to another process, such as the report of a test under pytest-xdist."""
    shown = way(OwnText("ws://127.0.0.1:49152/"))

    assert (type(shown), shown) == (str, "ws://127.0.0.1:49152/")


def test_a_long_text_is_looked_through_once_until_more_is_known(monkeypatch):
    """A log of megabytes is in the report of each phase of a test, and goes to a terminal then."""
    looks = []
    monkeypatch.setattr(door, "issued", lambda text: looks.append(len(text)) or iter(()))
    text = f"{'said 1234 ' * 2_000} password=hunter4now, badge-of-mine-1"
    shown = redact_text(text)
    assert (redact_text(text), redact_text(shown), redact_source(shown)) == (shown, shown, shown)
    assert len(looks) == 1

    # The same text as source is another one.
    assert redact_source(text) == text
    SECRETS.take("badge", "badge-of-mine-1", secret=True)
    assert redact_source(shown).endswith(" password=***, ***")
    assert redact_text(text).endswith(" password=***, ***")
    assert redact_source(text).endswith(" password=hunter4now, ***")
