"""Templates, patterns and pairs of functions: what they read, what they write."""

from __future__ import annotations

import datetime
import re

import pytest

from pytest_wsstability.profiles.messages import Codec, Prefixed, wording
from pytest_wsstability.profiles.placeholders import (
    ANY,
    ID,
    INTERVAL,
    INTERVAL_MS,
    NOW,
    NOW_TEXT,
    SEQUENCE,
    SESSION_ID,
    SESSION_NUMBER,
    TEXT_ID,
    TIMEOUT,
    TIMEOUT_MS,
    TOKEN,
    Unwritable,
    date_text,
)
from pytest_wsstability.profiles.templates import Free
from pytest_wsstability.profiles.wording import Parsed

JOIN = {"type": "join", "d": {"id": SESSION_ID, "v": [1, ANY]}}
OPEN = Prefixed("0", {"sid": SESSION_ID, "pingInterval": INTERVAL_MS, "pingTimeout": TIMEOUT_MS})
CONNACK = b"\x20{session_id}\x00"
READ = Codec(read=re.compile(r"PONG (?P<id>\d+)"), write=f"PONG {ID}")


def named(value):
    """A name for a test, the same in every process."""
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))[:40]


def read(message, payload):
    return wording(message).read(Parsed(payload))


@pytest.mark.parametrize(
    ("message", "payload", "values"),
    [
        # Nested members and lists: a received one may have more of both.
        (JOIN, '{"d": {"v": [1, null, 3], "id": "s-1"}, "type": "join"}', {"session_id": "s-1"}),
        (JOIN, '{"type": "join", "d": {"id": "s-1", "v": [2, null]}}', None),
        (JOIN, '{"type": "join", "d": {"id": "s-1", "v": [1]}}', None),
        (JOIN, '{"type": "join", "d": "s-1"}', None),
        (JOIN, '{"type": "join"}', None),
        # A session's id is text or a whole number; what names none is another message.
        (JOIN, '{"type": "join", "d": {"id": 7, "v": [1, 2]}}', {"session_id": "7"}),
        (JOIN, '{"type": "join", "d": {"id": null, "v": [1, 2]}}', {"session_id": None}),
        (JOIN, '{"type": "join", "d": {"id": true, "v": [1, 2]}}', None),
        # Where it is said to be a number, text is another message.
        ({"op": 1, "s": SESSION_NUMBER}, '{"op": 1, "s": 7}', {"session_id": "7"}),
        ({"op": 1, "s": SESSION_NUMBER}, '{"op": 1, "s": "7"}', None),
        ({"op": 1, "s": SESSION_NUMBER}, '{"op": 1, "s": true}', None),
        ({"op": 1, "s": SESSION_NUMBER}, '{"op": 1}', {}),
        (f"S {SESSION_NUMBER}", "S 12", {"session_id": "12"}),
        (f"S {SESSION_NUMBER}", "S x", None),
        # It may be missing beside others, an id may not.
        (JOIN, '{"type": "join", "d": {"v": [1, 2]}}', {}),
        ({"op": "pong", "id": ID}, '{"op": "pong"}', None),
        ({"op": "pong", "id": ID}, '{"op": "pong", "id": null}', None),
        ({"op": "pong", "id": ID}, '{"op": "pong", "id": "a"}', {"id": "a"}),
        ([None, TEXT_ID, "phoenix"], '[null,"6","phoenix","phx_reply",{}]', {"id": "6"}),
        ([None, TEXT_ID, "phoenix"], '["1","6","phoenix"]', None),
        ([3, TEXT_ID], "[3]", None),
        # The same placeholder twice is the same value.
        ({"a": ID, "b": ID}, '{"a": 1, "b": 1}', {"id": 1}),
        ({"a": ID, "b": ID}, '{"a": 1, "b": 2}', None),
        # JSON's 1 and true are two things.
        ({"ok": True}, '{"ok": 1}', None),
        ({"n": 1}, '{"n": true}', None),
        ({"n": 1}, '{"n": 1.0}', {}),
        # Numbers are numbers; what is not said is None.
        ({"op": 10, "d": {"i": INTERVAL_MS}}, '{"op": 10, "d": {"i": 41250}}', {"interval": 41.25}),
        ({"op": 10, "i": INTERVAL}, '{"op": 10, "i": 60}', {"interval": 60.0}),
        ({"op": 10, "i": INTERVAL}, '{"op": 10, "i": "60"}', None),
        ({"op": 10, "i": INTERVAL}, '{"op": 10}', {}),
        ({"op": 1, "d": SEQUENCE}, '{"op": 1, "d": null}', {"sequence": None}),
        ({"op": 1, "d": SEQUENCE}, '{"op": 1, "d": 17}', {"sequence": 17}),
        ({"op": 1, "d": SEQUENCE}, '{"op": 1, "d": "a17"}', {"sequence": "a17"}),
        ({"op": 1, "d": SEQUENCE}, '{"op": 1, "d": true}', None),
        ({"op": 1, "d": SEQUENCE}, '{"op": 1, "d": [17]}', None),
        ({"t": "x", "ts": NOW}, '{"t": "x", "ts": 1700000000000}', {"now": 1700000000000}),
        ({"t": "x", "h": TOKEN}, '{"t": "x", "h": {"deep": 1}}', {"token": {"deep": 1}}),
        ({"status": Free("ok")}, '{"status": "error"}', {}),
        ({"status": Free("ok")}, '{"state": "ok"}', None),
        ({"t": 1, "status": Free("ok", optional=True)}, '{"t": 1}', {}),
        ({"t": 1, "status": Free("ok")}, '{"t": 1}', None),
        ({"status": Free("ok", optional=True)}, "{}", None),
        # Of members that may all be left out, none may: nothing else tells the message.
        ({"s": SESSION_ID, "t": TOKEN}, '{"s": "a", "t": "b"}', {"session_id": "a", "token": "b"}),
        ({"s": SESSION_ID, "t": TOKEN}, '{"s": "a"}', None),
        ({"s": SESSION_ID, "t": TOKEN}, '{"error": "no"}', None),
        ({"d": {"s": SESSION_ID, "t": TOKEN}}, '{"d": {}}', None),
        ({"op": 1, "d": {"s": SESSION_ID, "t": TOKEN}}, '{"op": 1, "d": {}}', {}),
        ({"t": 1, "a": Free("x", "topic")}, '{"t": 1, "a": "y"}', {"topic": "y"}),
        # Inside text, JSON in JSON too.
        ({"d": f'{{"id":"{SESSION_ID}"' + ANY}, '{"d":"{\\"id\\":\\"1.2\\"}"}', {"session_id": "1.2"}),
        # Text and bytes.
        ("2", "2", {}),
        ("2", b"2", None),
        (f"PONG {ID}", "PONG 7", {"id": "7"}),
        (f"PONG {ID}", "PONG ", None),
        (f"{ID} PONG {ID}", "7 PONG 7", {"id": "7"}),
        (f"{ID} PONG {ID}", "7 PONG 8", None),
        (f"PONG {ID}", b"PONG 7", None),
        (f"beat {INTERVAL_MS},{ANY}", "beat 2500,\nmore", {"interval": 2.5}),
        (f"beat {INTERVAL_MS}", "beat soon", None),
        (CONNACK, b"\x20abc\x00", {"session_id": "abc"}),
        (CONNACK, b"\x20\xc3\xa4\x00", {"session_id": "ä"}),
        (CONNACK, b"\x20\xff\x00", {"session_id": "ff"}),
        (CONNACK, b"\x21abc\x00", None),
        (CONNACK, "\x20abc\x00", None),
        # JSON behind a prefix.
        (OPEN, '0{"sid":"s","pingInterval":25000,"pingTimeout":20000}',
         {"session_id": "s", "interval": 25.0, "timeout": 20.0}),
        (OPEN, '1{"sid":"s"}', None),
        (OPEN, "0", None),
        (OPEN, b'0{"sid":"s"}', None),
        # Patterns and functions.
        (READ, "PONG 12", {"id": "12"}),
        (READ, "PONG x", None),
        (re.compile(rb"\x01(?P<session_id>..)"), b"\x01ab", {"session_id": "ab"}),
        (re.compile(rb"\x01.."), "\x01ab", None),
        # A group that took no part, one that is no number, and two that say different things.
        (re.compile("(?:#(?P<id>.))?pong"), "pong", {}),
        (re.compile("every (?P<interval>.+)"), "every 2.5", {"interval": 2.5}),
        (re.compile("every (?P<interval>.+)"), "every day", None),
        (re.compile("(?P<id>.)-(?P<text_id>.)"), "7-7", {"id": "7"}),
        (re.compile("(?P<id>.)-(?P<text_id>.)"), "7-8", None),
        (lambda message: message.startswith("pong"), "pong!", {}),
        (lambda message: message.startswith("pong"), "ping!", None),
        (lambda message: {"id": message[1:]}, "p7", {"id": "7"}),
        # No JSON, too deep, too long a number, too large to be looked at: another message, never an error.
        (JOIN, "{", None),
        (JOIN, "[" * 3000, None),
        ({"a": ANY}, '{"a":' + "9" * 5000 + "}", None),
        ({"a": ANY}, '{"a":"' + "x" * 256 * 1024 + '"}', None),
    ],
    ids=named,
)  # fmt: skip
def test_what_a_message_reads(message, payload, values):
    """The values that stand for placeholders; None for another message."""
    assert read(message, payload) == values


@pytest.mark.parametrize(
    ("source", "text", "values"),
    [
        (f"a {ID} b {SESSION_ID} c", "a x b y c", {"id": "x", "session_id": "y"}),
        (f"a {ID} b {SESSION_ID} c", "a x b y b z c", {"id": "x", "session_id": "y b z"}),
        (f"a {ID} b {SESSION_ID} c", "a  b  b z c c", {"id": " b ", "session_id": "z c"}),
        (f"a {ID} b {SESSION_ID} c", "a x b y", None),
        # A number, and what is said twice, may stand further on than the text before it does.
        (f"{ID} n{SEQUENCE}!", "x nx n7!", {"id": "x nx", "sequence": 7}),
        (f"{ID}-{TOKEN}={ID}", "a-b-c=a-b", {"id": "a-b", "token": "c"}),
        (f"{ID}-{TOKEN}={ID}", "a-b-c=a", {"id": "a", "token": "b-c"}),
        # A hundred thousand places where one may end, and none where all do.
        (f"a {ID} b {SESSION_ID} c", "a x" + " b " * 100_000, None),
        (f"{ANY},{ID},{SESSION_ID};", "," * 100_000, None),
        (f"{ID} {SEQUENCE} {TOKEN};", "a" + " 1" * 50_000, None),
        # What stands behind a number may be a part of it.
        (f"{ID} {SEQUENCE}1{TOKEN}", "a 211", {"id": "a", "sequence": 2, "token": "1"}),
        (f"{ID} {NOW}.{TOKEN}", "a 1.5.", {"id": "a", "now": 1, "token": "5."}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_text_is_looked_through_once(source, text, values):
    """However often a peer writes what stands between two placeholders."""
    assert read(source, text) == values


def test_an_interval_that_nobody_named_is_null():
    """As the number of messages is, before the first."""
    assert wording({"op": "hi", "every": INTERVAL_MS}).write({}) == '{"op":"hi","every":null}'


def test_a_session_that_is_a_number_is_written_as_one():
    """And one that is none can't be."""
    message = wording({"s": SESSION_NUMBER})

    assert message.write({"session_id": "7"}) == '{"s":7}'
    assert message.write({}) == '{"s":null}'
    with pytest.raises(Unwritable, match="'abc' is no whole number, and SESSION_NUMBER stands for one"):
        message.write({"session_id": "abc"})


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (JOIN, '{"type":"join","d":{"id":"s-1","v":[1,null]}}'),
        ({"id": ID}, '{"id":7}'),
        ({"id": TEXT_ID}, '{"id":"7"}'),
        ({"n": NOW, "t": NOW_TEXT}, '{"n":1700000000500,"t":"2023-11-14T22:13:20Z"}'),
        ({"d": SEQUENCE, "h": TOKEN, "s": Free("ok")}, '{"d":41,"h":"t-1","s":"ok"}'),
        ({"i": INTERVAL, "ms": INTERVAL_MS}, '{"i":2.5,"ms":2500}'),
        ({"t": TIMEOUT, "ms": TIMEOUT_MS}, '{"t":1.5,"ms":1500}'),
        ({"s": f"of {SESSION_ID}, {ID}"}, '{"s":"of s-1, 7"}'),
        (f"PONG {ID}{chr(10)}", "PONG 7\n"),
        ("plain", "plain"),
        (b"\x00", b"\x00"),
        (CONNACK, b"\x20s-1\x00"),
        (OPEN, '0{"sid":"s-1","pingInterval":2500,"pingTimeout":1500}'),
        (READ, "PONG 7"),
        (Codec(read=bool, write=b"\x01"), b"\x01"),
        (Codec(read=bool, write=lambda values: values["session_id"] + "!"), "s-1!"),
    ],
    ids=named,
)
def test_what_a_message_writes(message, written):
    """As a page's JSON.stringify does, and no placeholder literally."""
    values = {
        "session_id": "s-1",
        "id": 7,
        "now": 1_700_000_000.5,
        "sequence": 41,
        "token": "t-1",
        "interval": 2.5,
        "timeout": 1.5,
    }

    assert wording(message).write(values) == written
    reread = wording(message).read(Parsed(written))
    assert reread is not None


@pytest.mark.parametrize(
    ("inner", "is_read"), [({"id": SESSION_ID}, False), ({"id": SESSION_ID, "n": SEQUENCE}, True)]
)
def test_of_several_members_all_may_be_missing_and_of_one_it_may_not(inner, is_read):
    """Where something else tells the message; a member alone is what it is about."""
    found = wording({"type": "x", "d": inner}).read(Parsed('{"type":"x","d":{}}'))

    assert (found is not None) is is_read


def test_without_a_clock_it_is_the_beginning_of_time():
    """As of a message of audio, which nobody gives the instant."""
    assert wording({"n": NOW, "t": NOW_TEXT}).write({}) == '{"n":0,"t":"1970-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    ("message", "values", "error"),
    [
        (lambda message: True, {}, "it can only be read: give Codec(read, write)"),
        (Codec(read=bool), {}, "it can only be read: give Codec(read, write)"),
        (
            Codec(read=bool, write=lambda values: values["no"]),
            {"id": 7},
            "write raised KeyError('no') for {'id': 7}",
        ),
        (
            CONNACK,
            {"session_id": "\ud800"},
            "session_id: '\\ud800' cannot be sent in binary: surrogates not allowed",
        ),
    ],
)
def test_what_cannot_be_written(message, values, error):
    """The value and the reason."""
    with pytest.raises(Unwritable, match=f"^{re.escape(error)}$"):
        wording(message).write(values)


@pytest.mark.parametrize(
    "seconds", [0, 951_782_399, 951_782_400, 951_868_800, 1_700_000_000, 4_102_444_799, 1_709_164_800]
)
def test_dates_are_those_of_the_calendar(seconds):
    """RFC 3339 in UTC, leap days and ends of years included."""
    expected = datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert date_text(seconds) == expected
