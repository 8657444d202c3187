"""What the user gives is found by value, in every form; healthy text stays."""

from __future__ import annotations

import base64
import html
import json
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest

from pytest_wsstability.core.redact import (
    redact,
    redact_source,
    redact_text,
    redact_url,
    show_session,
    show_text,
)
from pytest_wsstability.core.secret_names import ORDINARY_WORDS, is_secret, name_own
from pytest_wsstability.core.secret_values import SECRETS, SecretValues, hashed

VALUE = 'pä55"<w+rd>/7'
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlX29m"


@pytest.fixture
def values():
    """A collector of its own."""
    return SecretValues()


@pytest.mark.parametrize(
    "given",
    [
        {"url": "wss://joe:hunter2hunter@host/ws"},
        {"url": "wss://hunter2hunter@host/ws"},
        {"url": "wss://joe:hunter2/hunter@host/ws", "found": "hunter2/hunter"},
        {"url": "wss://host/ws?token=hunter2hunter"},
        {"url": "wss://host/ws?room=aX7hunter2hunter", "found": "aX7hunter2hunter"},
        {"url": "wss://host/ws#access_token=hunter2hunter"},
        {"url": "wss://host/ws#hunter2hunter"},
        {"headers": {"Authorization": "Bearer hunter2hunter"}},
        {"headers": [("authorization", "hunter2hunter")]},
        {"headers": {"Authorization": f"Basic {base64.b64encode(b'joe:hunter2hunter').decode()}"}},
        {"headers": {"Authorization": 'Digest username="joe", response="hunter2hunter"'}},
        {"headers": {"Cookie": "theme=dark; sid=hunter2hunter; lang=de"}},
        {"headers": {"X-Anything": "aX7hunter2hunter"}, "found": "aX7hunter2hunter"},
        {"headers": {"Referer": "https://host/?key=hunter2hunter"}},
        {"headers": {"Sec-WebSocket-Protocol": "bearer, hunter2hunter"}},
        {"subprotocols": ["bearer", "hunter2hunter"]},
        {"subprotocols": [f"base64url.bearer.authorization.{JWT}"], "found": JWT.split(".")[1]},
        {"subprotocols": "bearer, hunter2hunter"},
        # By mistake, or as ASGI has its header fields.
        {"url": b"wss://joe:hunter2hunter@host/ws"},
        {"headers": [(b"x-api-key", b"hunter2hunter")]},
        {"headers": {"X-Api-Key": b"hunter2hunter"}},
        {"subprotocols": [b"bearer", b"hunter2hunter"]},
        {"subprotocols": b"aX7hunter2hunter", "found": "aX7hunter2hunter"},
        {"proxy": "http://joe:hunter2hunter@proxy:3128"},
        # Encoded as nobody has to.
        {"url": "wss://host/ws?token=%68unter2%2fhunter", "found": "%68unter2%2fhunter"},
        # No base64, and no credentials in it.
        {"headers": {"Authorization": "Basic hunter2_hunter!"}, "found": "hunter2_hunter!"},
    ],
    ids=str,
)
def test_places(values, given):
    """Whatever opens a connection is collected, even where it makes no sense."""
    found = given.pop("found", "hunter2hunter")
    values.take_opening(**given)

    assert values.mask(f"you said <{found}>") == "you said <***>"


TOKEN = "aX7hunter2hunterQ"


def in_base64(text):
    """As it stands in a URL or a subprotocol."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "given",
    [
        # Behind a word, and behind what ends one.
        {"subprotocols": [f"bearer-{TOKEN}"]},
        {"subprotocols": [f"Authorization_{TOKEN}"]},
        {"subprotocols": [f"{'of-' * 8}{TOKEN}"]},
        {"subprotocols": [f"auth={TOKEN}"]},
        {"subprotocols": [f"Bearer%20{TOKEN}"]},
        {"headers": {"X-Anything": f"v1:{TOKEN}"}},
        # As Express signs the id of a session, and as others write JSON into a cookie.
        {"headers": {"Cookie": f"connect.sid=s%3A{TOKEN}.c2lnbmF0dXJl"}},
        {"headers": {"Cookie": f"auth={quote(json.dumps({'token': TOKEN}))}"}},
        {"headers": {"Cookie": f"session={in_base64(json.dumps({'token': TOKEN}))}"}},
        {"headers": {"X-Auth": json.dumps({"token": TOKEN})}},
        {"headers": {"Authorization": f"Basic {in_base64(TOKEN)}"}},
        # As AWS AppSync has header fields, and Azure a signature.
        {"subprotocols": [f"header-{in_base64(json.dumps({'host': 'h', 'x-api-key': TOKEN}))}"]},
        {"url": f"wss://host/?header={in_base64(json.dumps({'x-api-key': TOKEN}))}&payload=e30="},
        {"url": f"wss://host/?sb-hc-token={quote(f'SharedAccessSignature sr=x&sig={TOKEN}&se=1')}"},
        {"url": f"wss://host/?authorization=Bearer%20{TOKEN}"},
        {"url": f"wss://host/?next={quote(f'wss://x/?token={TOKEN}')}"},
        {"url": f"wss://host/?a=1;token={TOKEN}"},
        # Without a name, and in the path.
        {"url": f"wss://host/?{TOKEN}"},
        {"url": f"wss://host/ws;jsessionid={TOKEN}?a=1"},
    ],
    ids=str,
)
def test_what_a_value_is_made_of(values, given):
    """A peer says the token alone that stood behind a word, in JSON or in Base64."""
    values.take_opening(**given)

    assert values.mask(f"no such token: {TOKEN}") == "no such token: ***"


def test_a_token_behind_many_words_is_known_with_them_alone(values):
    """As a sentence whose words are joined: each of its ends would be one value more."""
    values.take("title", f"{'of-' * 9}{TOKEN}")

    assert values.news() == [("", f"{'of-' * 9}{TOKEN}", "***")]


def test_what_stands_beside_a_token_is_shown(values):
    """The host and the words around it, and what a JSON web token tells."""
    fields = {"host": "x7k2m9q4w1.appsync-api.eu-west-1.amazonaws.com", "x-api-key": TOKEN}
    values.take_opening(
        url=f"wss://host/?header={in_base64(json.dumps(fields))}",
        headers={"Authorization": f"Bearer {JWT}", "X-Auth": f"scheme:{TOKEN}"},
    )

    for text in (fields["host"], "the subject 1234 has no scheme", '{"sub":"1234"}', '{"alg":"HS256"}'):
        assert values.mask(text) == text


@pytest.mark.parametrize("name", ["token", "Token", "session_token"])
def test_a_value_that_is_its_own_name(values, name):
    """As in an example: hiding it would hide the user's own ``token=token``."""
    values.take(name, name.lower())

    assert values.news() == []


@pytest.mark.parametrize(
    ("command", "text", "shown"),
    [
        ("node s.js --token hunter2hunter --port 1", "hunter2hunter", "***"),
        ("TOKEN=hunter2hunter node s.js", "hunter2hunter", "***"),
        ("node s.js --db=postgres://u:hunter2hunter@db/x", "hunter2hunter", "***"),
        ("node 'unfinished --key hunter2hunter", "hunter2hunter", "***"),
        ("curl -u joe:hunter2hunter localhost", "hunter2hunter", "***"),
        ("sh -c 'TOKEN=hunter2hunter node s.js'", "hunter2hunter", "***"),
        ("bash -lc 'cd /srv/app-7f3c9d && node s.js --key hunter2hunter'", "hunter2hunter", "***"),
        ("sh -c 'cd /srv/app-7f3c9d && node s.js'", "/srv/app-7f3c9d/s.js", "/srv/app-7f3c9d/s.js"),
        ("sh -c hunter2hunterQ7a", "hunter2hunterQ7a", "***"),
        ("node s.js -H 'Authorization: Bearer hunter2hunter'", "hunter2hunter", "***"),
        ("node server.js --host localhost --verbose", "node server.js --verbose", "node server.js --verbose"),
    ],
)
def test_a_command_line(values, command, text, shown):
    """Options, variables and URLs of the server under test; its words stay."""
    values.take_command(command)

    assert values.mask(text) == shown


@pytest.mark.parametrize(
    "message",
    [
        {"type": "connection_init", "payload": {"Authorization": "Bearer hunter2hunter"}},
        '{"type":"auth","token":"hunter2hunter"}',
        ["1", "phx_join", {"password": "hunter2hunter"}],
        "token=hunter2hunter",
        ({"type": "auth"}, "Bearer hunter2hunter"),
        {"op": "auth", "args": ["hunter2hunter", 1700000000]},
        'CONNECT {"token":"hunter2hunter"}',
        b'CONNECT {"token":"hunter2hunter"}\r\n',
        'CONNECT {"token":"hunter2hunter"}\r\nPING\r\n',
        'CONNECT {"lang":"go"}\r\nPASS hunter2hunter\r\n',
        "PASS oauth:hunter2hunter",
        "CONNECT [{]\npasscode:hunter2hunter\n\n\0",
        "CONNECT\nhost:ws://host/\npasscode:hunter2hunter\n\n\0",
        "<auth xmlns='urn:ietf:params' mechanism='PLAIN'>hunter2hunter</auth>",
        b"\xff\x00hunter2hunter\x00",
        # As behind a length of 50 bytes.
        b"\x002hunter2hunter",
    ],
    ids=str,
)
def test_a_session_message(values, message):
    """Mappings, lists, JSON as text or behind a word, text and bytes; what only says what it is stays."""
    values.take_message(message)

    assert values.mask("no: hunter2hunter") == "no: ***"
    assert values.mask("connection_init, phx_join") == "connection_init, phx_join"


def test_a_number_in_a_session_message(values):
    """By the name of a PIN; a number of anything else is shown."""
    values.take_message({"pin": 471100, "sent": 1712345678901})

    assert values.mask("pin=471100 since 1712345678901") == "pin=*** since 1712345678901"


FORMS = {
    "as it is": VALUE,
    "percent-encoded": quote(VALUE, safe=""),
    "percent-encoded in lower case": quote(VALUE, safe="").lower(),
    "percent-encoded path": quote(VALUE),
    "JSON": json.dumps(VALUE)[1:-1],
    "JSON in UTF-8": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "HTML": html.escape(VALUE),
    "repr": repr(f"{VALUE}'")[1:-3],
    "ascii": ascii(VALUE)[1:-1],
    "UTF-8 as ISO 8859-1": VALUE.encode().decode("latin-1"),
    "hexadecimal": VALUE.encode().hex(),
    "hexadecimal of a dump": VALUE.encode().hex(" "),
    "hexadecimal of a fingerprint": VALUE.encode().hex(":"),
    "hexadecimal of .NET's BitConverter": VALUE.encode().hex("-").upper(),
    "shouted": VALUE.upper(),
    "percent-encoded, every byte": "".join(f"%{byte:02X}" for byte in VALUE.encode()),
    "percent-encoded twice": quote(quote(VALUE, safe=""), safe=""),
    "JavaScript's encodeURIComponent": quote(VALUE, safe="!'()*~"),
    "JavaScript's encodeURI": quote(VALUE, safe=";,/?:@&=+$#!'()*~"),
    "JSON in JSON": json.dumps(json.dumps(VALUE)[1:-1])[1:-1],
    "JSON in JSON in JSON": json.dumps(json.dumps(json.dumps(VALUE)[1:-1])[1:-1])[1:-1],
    "JSON of PHP": json.dumps(VALUE)[1:-1].replace("/", r"\/"),
    "JSON of Go": VALUE.replace('"', r"\"").replace("<", r"\u003c").replace("&", r"\u0026"),
    "JSON, every character": "".join(f"\\u{ord(char):04x}" for char in VALUE),
    "repr of bytes": repr(VALUE.encode())[2:-1],
    "C, every byte": "".join(f"\\x{byte:02x}" for byte in VALUE.encode()),
    "HTML, decimal": "".join(f"&#{ord(char)};" for char in VALUE),
    "HTML, hexadecimal": "".join(f"&#x{ord(char):X};" for char in VALUE),
    "Markdown": re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", VALUE),
    "a shell": VALUE.replace("'", "'\"'\"'"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms(values, form):
    """A peer, a log or a renderer writes a value in many ways."""
    values.take("password", VALUE)

    assert values.mask(f"got {FORMS[form]}!") == "got ***!"


@pytest.mark.parametrize("beside", ["İstanbul", "ΑΣ", "😀"])
@pytest.mark.parametrize("value", [VALUE, "AbİcΣDefGh9", "Ab😀cd😀Ef9"])
def test_letters_that_change_when_they_are_lowered(values, value, beside):
    """One dotted I in a text leaves the capitals of no value standing."""
    values.take("password", value)

    assert values.mask(f"{beside} {value} {beside}") == f"{beside} *** {beside}"
    assert values.mask(f"{beside} {json.dumps(value)} {beside}") == f'{beside} "***" {beside}'


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_inside_base64(values, before, encode):
    """Wherever it begins in the text that was encoded: no character of it stays whole."""
    values.take("password", VALUE)
    encoded = encode(f"{before}{VALUE} and more".encode()).decode()

    shown = values.mask(encoded)

    assert "***" in shown
    decoded = base64.b64decode(shown.partition("***")[0] + "==", validate=False)
    assert len(decoded) <= len(before.encode()) + 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"token {JWT[:30]}", "token ***"),
        (f"token {JWT[:30]}... and on", "token ***... and on"),
        (f"token {JWT[:30]}… and on", "token ***… and on"),
        (f"...{JWT[-20:]} ended", "...*** ended"),
        # As unittest shortens what is not equal.
        (f"'{JWT[:30]}[12 chars]{JWT[-9:]}' != 'x'", "'***[12 chars]***' != 'x'"),
        (f"'{JWT[:30]}[1234567 chars]' != 'x'", "'***[1234567 chars]' != 'x'"),
        # So little tells nothing.
        (f"token {JWT[:7]}", f"token {JWT[:7]}"),
    ],
)
def test_cut_short(values, text, shown):
    """By the end of a close reason, or by whoever shortens a `repr`."""
    values.take("token", JWT)

    assert values.mask(text) == shown


@pytest.mark.parametrize("margin", ["", "  ", "E         "])
@pytest.mark.parametrize(
    ("side", "line", "shown"),
    [
        ("leading", JWT[-20:], "***"),
        ("leading", f"{JWT[-20:]}&room=7", "***&room=7"),
        ("trailing", JWT[:15], "***"),
        ("trailing", f"url={JWT[:15]}", "url=***"),
        ("leading", JWT[-7:], JWT[-7:]),
    ],
)
def test_what_pytest_leaves_out_of_a_diff(values, margin, side, line, shown):
    """What two texts begin or end with alike, so that a line of it begins or ends amid a value."""
    values.take("token", JWT)
    head = f"{margin}Skipping 48 identical {side} characters in diff, use -v to show\n{margin}- expected\n"

    assert values.mask(f"{head}{margin}+ {line}\n") == f"{head}{margin}+ {shown}\n"


def test_lines_with_a_sign_that_are_of_no_diff(values):
    """A list of words, of which one ends as a value does."""
    values.take("token", "bX7s-recording-room")

    assert values.mask("- 1.recording-room\n- recording-room") == "- 1.recording-room\n- recording-room"


@pytest.mark.parametrize("sign", ["-", "+", " "])
def test_a_literal_that_is_broken(values, sign):
    """As pytest compares what is long, a header field of bytes say: no line of it has all of a value."""
    values.take("token", JWT)
    parts = f"b'Bearer {JWT[:9]}'", f"b'{JWT[9:40]}'", f"b'{JWT[40:]}',"
    broken = "\n".join(f"E         {sign}         {part}" for part in parts)

    assert values.mask(broken) == f"E         {sign}         b'Bearer ***',"


@pytest.mark.parametrize("cuts", [(1,), (7, 30), (8, 16, 40), (len(JWT) - 1,)])
@pytest.mark.parametrize("margin", ["{}", f"{' ' * 29}{{}}   ", "│ {} │", "E       {}"])
@pytest.mark.parametrize("encode", [str, lambda value: base64.b64encode(value.encode()).decode()])
def test_over_lines(values, encode, margin, cuts):
    """As rich and textwrap fold what is longer than a line, wherever they do."""
    values.take("token", JWT)
    value = encode(JWT)
    pieces = [value[begin:end] for begin, end in pairwise([0, *cuts, len(value)])]
    pieces[0], pieces[-1] = f"GET /ws?q={pieces[0]}", f"{pieces[-1].rstrip('=')} HTTP/1.1"

    shown = values.mask("\n".join(margin.format(piece) for piece in pieces))

    assert shown == margin.format("GET /ws?q=*** HTTP/1.1")


def test_letters_alone_over_lines(values):
    """As a token of Hugging Face without its beginning."""
    values.take("token", value := "XXceRMIqFFEiwuLZXCxnbbyqtUBDmbqhAZ", secret=True)

    assert values.mask(f"it is {value[:9]}\n{value[9:]} here") == "it is *** here"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # Plain words may be parts of others.
        ("sunflowers", "the sun\nflowers grow"),
        ("1234567890", "12345\n67890"),
        # Not at the end of a line.
        ("hX1oPt8Qz", "hX1oP more\nt8Qz"),
        ("hX1oPt8Qz", "hX1oP\nand t8Qz"),
    ],
)
def test_parts_in_two_lines_that_are_no_value(values, value, text):
    """What stands there by chance stays."""
    values.take("token", value, secret=True)

    assert values.mask(text) == text


class Counting(dict):
    """Counts how often it is asked."""

    asked = 0

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)

    def get(self, key, default=None):
        self.asked += 1
        return super().get(key, default)


@pytest.mark.parametrize("dots", ["." * 3000, "\u2026 " * 1500, ("." * 72 + " [ 5%]\n") * 38])
def test_dots_cost_no_more_than_letters(values, dots):
    """As progress bars print them: what stands behind each of them is looked for once for all."""
    values.take("token", JWT)
    values._tails = Counting(values._tails)

    assert values.mask(f"{dots}...{JWT[-9:]}") == f"{dots}...***"
    assert values._tails.asked <= len(dots) + 12


@pytest.mark.parametrize(
    ("name", "value", "text", "shown"),
    [
        # Short ones where they stand.
        ("X-Pin", "4711", "x-pin: 4711; x-pin=4711", "x-pin: ***; x-pin=***"),
        ("X-Pin", "4711", '{"X-Pin": "4711"}', '{"X-Pin": "***"}'),
        ("X-Pin", "4711", "4711 messages, x-pin: 47110", "4711 messages, x-pin: 47110"),
        ("token", "short", "token='short', a short one", "token='***', a short one"),
        # Words of ours, too.
        ("password", "websocket", "password=websocket: a websocket", "password=***: a websocket"),
        ("token", "Connection", "the connection ended", "the connection ended"),
        # Plain words and numbers stand alone.
        ("password", "swordfish", "a swordfish, swordfishes, Swordfish!", "a ***, swordfishes, ***!"),
        ("pin", "12345678", "0.12345678 s, 123456789 B, pin 12345678", "0.12345678 s, 123456789 B, pin ***"),
        # What has a name of its own is none.
        ("room", "lobby-berlin-7", "room lobby-berlin-7", "room lobby-berlin-7"),
        # How many there are of what has the name of a secret.
        ("max_tokens", "4096", "max_tokens=4096", "max_tokens=4096"),
        ("X-Session", "4096", "x-session=4096", "x-session=***"),
        ("subprotocol", "graphql-transport-ws", "graphql-transport-ws", "graphql-transport-ws"),
        ("", "v12.stomp", "v12.stomp", "v12.stomp"),
        # Words that are written together; nothing shorter than a word, but a few.
        ("event", "joinRoom", "event joinRoom", "event joinRoom"),
        ("event", "RoomJoinedById2", "event RoomJoinedById2", "event RoomJoinedById2"),
        ("event", "kodWeTzoq", "event kodWeTzoq", "event ***"),
        ("event", "kodWERtzoq", "event kodWERtzoq", "event ***"),
        ("event", "join4Room", "event join4Room", "event ***"),
        ("event", "joinRoom123", "event joinRoom123", "event ***"),
        ("token", "joinRoom", "token joinRoom", "token ***"),
        # The name of a model, but not what is made of such pieces, or has a longer one.
        ("model", "gpt-4o-realtime", "model=gpt-4o-realtime", "model=gpt-4o-realtime"),
        ("model", "llama-70b-chat", "model=llama-70b-chat", "model=llama-70b-chat"),
        ("model", "llama-700b-chat", "model=llama-700b-chat", "model=***"),
        ("model", "gpt-4o-70b-chat", "model=gpt-4o-70b-chat", "model=***"),
        ("model", "AB-4o-CD-EF", "model=AB-4o-CD-EF", "model=***"),
        ("key", "gpt-4o-realtime", "key=gpt-4o-realtime", "key=***"),
    ],
)  # fmt: skip
def test_healthy_text_stays(values, name, value, text, shown):
    """Masks that fall into sentences would help nobody, and would tell what the secret is."""
    values.take(name, value)

    assert values.mask(text) == shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (
            ["base64url.bearer.authorization.k8s.io.Zm9vYmFyQmF6UXV4", "v4.channel.k8s.io"],
            "v4.channel.k8s.io",
        ),
        (["realtime", "insecure-api-key.sk-hX7qW2eR5tY8", "beta.realtime-v1"], "beta.realtime-v1"),
        (["bearer", "v4.channel.k8s.io"], "***"),
        (["insecure-api-key", "beta.realtime-v1"], "***"),
        (["access-token.v2", "beta.realtime-v1"], "***"),
    ],
)
def test_what_follows_a_subprotocol_that_has_its_token_is_shown(values, names, shown):
    """The one that the server is to choose, of which an error tells; behind a bare scheme it is the token."""
    values.take_subprotocols(names)

    assert values.mask(f"chosen: {names[-1]}") == f"chosen: {shown}"


@pytest.mark.parametrize(
    "field", ["Origin", "User-Agent", "Accept-Language", "Host", "Content-Type", "X-Forwarded-Host"]
)
def test_fields_that_everybody_sends_are_no_secrets(values, field):
    """Not even when their value looks like one."""
    values.take_headers({field: "aX7bY8cZ9dW0"})

    assert values.mask("aX7bY8cZ9dW0") == "aX7bY8cZ9dW0"


def test_words_of_our_messages_are_no_secrets_by_value():
    """Those that head the lines of a failure and stand in its causes: a table against the documents."""
    text = Path(__file__).parents[2].joinpath("docs/reading-a-failure.md").read_text()
    words = {word.lower() for word in re.findall(r"[a-z]{8,}", text)}

    assert words >= _FREQUENT
    assert _FREQUENT <= ORDINARY_WORDS


# Of them, what nearly every failure has.
_FREQUENT = {"expected", "observed", "evidence", "heartbeats", "deadline", "received"}


def test_session_ids_are_hashed(values):
    """The same at both ends and in every run, so that what both say can be joined."""
    values.take_session_id("3f2a77aa-9c1e-4b6d")

    shown = values.mask("session 3f2a77aa-9c1e-4b6d ended")

    assert shown == f"session {hashed('3f2a77aa-9c1e-4b6d')} ended"
    assert re.fullmatch(r"session #[0-9a-f]{8} ended", shown)
    assert show_session("3f2a77aa-9c1e-4b6d") == hashed("3f2a77aa-9c1e-4b6d")
    assert show_session("3f2a77aa-9c1e-4b6e") != hashed("3f2a77aa-9c1e-4b6d")


@pytest.mark.parametrize(("name", "shown"), [("abc", "abc"), ("a\x1b", "a\\x1b"), (None, "(none)"), ("", "")])
def test_short_session_ids_stay(name, shown):
    """Escaped, since a client chose them."""
    assert show_session(name) == shown


def test_a_hostile_session_id_hides_no_words():
    """A peer's id is hashed where it is shown, and not looked for elsewhere."""
    assert show_session("unstable connection") == hashed("unstable connection")
    assert show_text("unstable connection") == "unstable connection"


def test_the_oldest_is_forgotten_first(values, monkeypatch):
    """A fleet with a token a connection costs bounded memory."""
    monkeypatch.setattr("pytest_wsstability.core.secret_values._MOST", 3)
    for number in range(5):
        values.take("token", f"hunter{number}hunter")

    assert values.mask("hunter1hunter hunter2hunter hunter4hunter") == "hunter1hunter *** ***"


def test_of_short_ones_the_oldest_is_forgotten_first_too(values, monkeypatch):
    monkeypatch.setattr("pytest_wsstability.core.secret_values._MOST", 3)
    for number in (0, 1, 2, 3, 4, 2):
        values.take("pin", f"pin{number}")

    assert values.mask("pin=pin1 pin=pin2 pin=pin3 pin=pin4") == "pin=pin1 pin=*** pin=*** pin=***"


def test_by_value_in_data():
    """In data classes, mappings, lists and tuples; keys and other values stay."""
    SECRETS.take("token", "hunter2hunter")

    assert redact({"a": ["hunter2hunter", 7], "b": ("x hunter2hunter", None)}) == {
        "a": ["***", 7],
        "b": ("x ***", None),
    }


@pytest.mark.parametrize(
    "name", ["pwd", "user_pwd", "userPin", "X-OTP", "hmac", "content-hash", "sid", "bearer"]
)
def test_names_as_whole_words(name):
    """In snake case, camel case and header fields."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["ping", "opinion", "passive", "inside", "pinned", "hashed", "bearing", "spin"]
)
def test_parts_of_words_are_no_names_of_secrets(name):
    """Only whole words count."""
    assert not is_secret(name)


def test_names_of_a_teams_own():
    """By ini ``ws_secrets``, as whole words and whole names."""
    try:
        name_own(["Badge", "x-room-code"])

        assert is_secret("X-Badge")
        assert is_secret("X-Room-Code")
        assert not is_secret("badger")
        assert redact_text('{"badge": "abc"} badge=abc') == '{"badge": "***"} badge=***'
    finally:
        name_own([])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"pwd": "abc", "type": "x"}', '{"pwd": "***", "type": "x"}'),
        ("{'X-Api-Key': 'abc'}", "{'X-Api-Key': '***'}"),
        ("authorization: abc; x-team: voice", "authorization: ***; x-team: voice"),
        ("Cookie: sid=1; theme=dark", "Cookie: ***; theme=dark"),
        ("denied: pin=4711", "denied: pin=***"),
        # Words of ours with the form of an assignment.
        ("close code=1006, session_within=5s, key=x", "close code=1006, session_within=5s, key=x"),
        ("basic authentication, the bearer token expired", "basic authentication, the bearer token expired"),
    ],
)
def test_unknown_values_go_by_their_names(text, shown):
    """What a peer sets itself was not given by anybody."""
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "source",
    ["    connect(url, token=token)", '    headers = {"Authorization": token}', "    assert pwd == other"],
)
def test_source_stays(source):
    """Tracebacks show the user's own code, where names stand for values."""
    assert redact_source(source) == source


def test_local_variables_go_by_their_names():
    """As pytest prints them with ``--showlocals``."""
    shown = redact_source("pwd        = 'abc'\nroom       = 'abc'")

    assert shown == "pwd        = '***'\nroom       = 'abc'"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://joe:pa/ss@host/ws", "wss://***@host/ws"),
        ("wss://joe:pa#ss@host/ws", "wss://***@host/ws"),
        ("wss://joe:pa?ss@host/ws", "wss://***@host/ws"),
        ("wss//joe:hunter2hunter@host/ws", "***@host/ws"),
        ("wss:/joe:hunter2hunter@host/ws", "***@host/ws"),
        ("joe:hunter2hunter@host/ws", "***@host/ws"),
        ("/rooms/bob@example.com", "/rooms/bob@example.com"),
        ("?q=bob@example.com", "?q=bob@example.com"),
    ],
)
def test_a_password_that_somebody_forgot_to_encode(url, shown):
    """What looks like a port is the beginning of a password; so may what has no scheme before it."""
    assert redact_url(url) == shown


@pytest.mark.parametrize("url", ["wss//{}", "wss:/{}", "{}", "wss:{}", "next=wss://{}"])
def test_a_password_behind_no_scheme(values, url):
    """A URL that is wrong was given all the same; a path on a server has no password."""
    values.take_url(url.format("joesephine:hunter2hunter@host/ws"))
    values.take_url("/rooms/somebody7:hunter3hunter@example.com")

    assert values.mask("joesephine hunter2hunter hunter3hunter") == "*** *** hunter3hunter"


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:1/room?userEmail=alice7alice@example.com&lang=de",
        "ws://127.0.0.1/@alice7alice/room",
        "ws://chat.example.com/room#alice7alice@example.com",
        "ws://gateway-one-2x:8080/@alice7alice/room",
        "ws://[2001:db8::7]:1/@alice7alice/room",
        "localhost:8000/@alice7alice/room",
    ],
)
def test_an_at_sign_behind_the_host(values, url):
    """Where a host begins it, nothing is user information: the host stands in all that is shown."""
    values.take_url(url)

    host = re.split(r"[/?#]", url.partition("://")[2] or url)[0]
    assert values.mask(f"connected to {host}/") == f"connected to {host}/"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        # A word alone may be a user, and a port that is no number the beginning of a password.
        ("wss://joe7joe7joe/hunter2@example.com/ws", "joe7joe7joe/hunter2"),
        ("wss://joe:4hunter/2hunter@example.com/ws", "4hunter/2hunter"),
        ("wss://joe:p@ss/word7@example.com/ws", "p@ss/word7"),
        ("wss://joe:p@ss.word/word7@example.com/ws", "p@ss.word/word7"),
        # Before the host, whatever follows it.
        ("wss://joe:hunter2hunter@example.com/@alice", "hunter2hunter"),
        ("wss://joe:hunter2hunter@127.0.0.1:1?mail=alice@example.com", "hunter2hunter"),
    ],
)
def test_a_password_before_an_at_sign(values, url, secret):
    """What may be one is."""
    values.take_url(url)

    assert values.mask(f"you said <{secret}>") == "you said <***>"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("127.0.0.1", False),
        ("127.0.0.1:8765", False),
        ("127.12.13.14", False),
        ("localhost:8765", False),
        ("[::1]:8765", False),
        ("128.0.0.1", True),
        ("127.0.0.1:87x65", True),
        ("localhosts:8765", True),
    ],
)
def test_a_loopback_address_is_no_secret(values, value, found):
    """Not even as a token: it stands in each second line that is shown."""
    values.take("token", value)

    assert (values.mask(f"at {value}") != f"at {value}") == found
    assert bool(values.news()) == found


@pytest.mark.parametrize("text", ["Bearer alloy2025", "bearer opus48000"])
def test_what_stands_behind_bearer_is_a_secret(values, text):
    """In a place that tells nothing, and however ordinary it looks; but not in a sentence."""
    values.take_message(text)
    values.take_message("bearer tokens4711 expired")

    assert values.mask(f"no: {text.split()[1]}, tokens4711") == "no: ***, tokens4711"


def test_another_process_learns_what_was_collected(values):
    """Each once: values, sessions and names with short values; what nobody asks for is bounded."""
    values.take("token", "hunter2hunter2")
    values.take("pin", "1234")
    values.take_session_id("a-session-7f3a")
    other = SecretValues()
    other.learn(json.loads(json.dumps(values.news())))

    text = "pin=1234 hunter2hunter2 a-session-7f3a"
    assert other.mask(text) == values.mask(text) == f"pin=*** *** {hashed('a-session-7f3a')}"
    values.take("token", "hunter2hunter2")
    assert values.news() == []


def test_short_parts_of_a_web_token_are_words(values):
    """A payload without claims is ``e30``, which stands in many a text."""
    values.take("token", "eyJhbGciOiJIUzI1NiJ9.e30.hunter2hunter")

    assert values.mask("e30 eyJhbGciOiJIUzI1NiJ9 hunter2hunter") == "e30 *** ***"


def test_two_values_that_overlap_are_hidden_as_one(values):
    """The end of what was left out belongs to one, and the text to both."""
    values.take("token", "hunter2hunter...tail")
    values.take("token", "a-value-with-tail99999")
    values.take("token", "another-with-tail9999")

    assert values.mask("<hunter2hunter...tail99999>") == "<***>"


@pytest.mark.parametrize("behind", ["", "\r\n", "\r\nPING\r\n"])
def test_a_name_in_json_behind_a_word_makes_a_secret(values, behind):
    """As NATS has it, with what its client says next: a password that looks like words is one by its name."""
    values.take_message('CONNECT {"pass":"correct-horse"}' + behind)

    assert values.mask("no: correct-horse") == "no: ***"
