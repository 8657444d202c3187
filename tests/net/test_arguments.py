"""What cannot be meant is refused before anything is dialled, and the message names it."""

import dataclasses
import enum
import re
import ssl

import pytest

from pytest_wsstability import (
    TLS,
    FaultProxy,
    Orchestrator,
    assert_no_abnormal_closure,
    connect,
    diagnose,
    hold,
    judge,
)
from pytest_wsstability.core.timeline.events import DeadlineTraffic
from pytest_wsstability.net.port import Port
from pytest_wsstability.net.server.behaviour import Behaviour
from pytest_wsstability.net.target import parse_headers, parse_url
from pytest_wsstability.profiles import JSON, Profile
from tests.net.certificates import trusting

pytestmark = pytest.mark.ws_stability

# Nobody listens there; the arguments are looked at first.
URL = "ws://127.0.0.1:9/"


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/", "http://example.org/", "example.org", "", "ws://", "ws:///path", "ws://host:x/"],
)
async def test_a_url_of_another_kind_is_refused(url):
    """ws:// and wss://, with a host."""
    words = rf"^url: {re.escape(repr(url))} is not a WebSocket URL \(.+\); give ws:// or wss:// and a host$"
    with pytest.raises(ValueError, match=words):
        await connect(url)


async def test_a_refused_url_keeps_its_secrets():
    """The message goes into a log."""
    with pytest.raises(ValueError, match=r"token=\*\*\*"):
        await connect("ftp://example.org/?token=hunter2")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("ws://example.org", ("example.org", 80, False, "/")),
        ("wss://example.org/a?b=c", ("example.org", 443, True, "/a?b=c")),
        ("ws://[::1]:8765/", ("::1", 8765, False, "/")),
        ("WSS://Example.org:8443/", ("example.org", 8443, True, "/")),
    ],
)
def test_a_url_has_defaults(url, parts):
    """Ports 80 and 443 (RFC 6455, section 3)."""
    uri = parse_url(url)

    assert (uri.host, uri.port, uri.secure, uri.resource_name) == parts


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "a\tb"])
@pytest.mark.parametrize(
    "make", [lambda name: [(name, "v")], lambda name: {name: "v"}], ids=["pairs", "mapping"]
)
async def test_a_header_needs_a_name(name, make):
    """A token (RFC 9110, section 5.1). It is not shown: a value may stand in its place."""
    words = r"^header: a name must be there, without spaces, colons and line breaks$"
    with pytest.raises(ValueError, match=words):
        await connect(URL, headers=make(name))


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n", "\r"])
async def test_a_header_value_has_no_line_break(value):
    """Nothing is smuggled into the request; the value, which may be a secret, is not shown."""
    with pytest.raises(ValueError, match=r"^header Authorization: the value has a line break$"):
        await connect(URL, headers={"Authorization": value})
    with pytest.raises(ValueError, match=r"^header Authorization: the value has a line break$"):
        Orchestrator(headers={"Authorization": value})


@pytest.mark.parametrize("value", ["€", "a\0b", "\x7f", "\x1b[31m"])
async def test_a_header_value_has_no_strange_character(value):
    """Refused at once, and not by a handshake that never starts."""
    words = r": the value has a character that no header can carry$"
    with pytest.raises(ValueError, match=rf"^header X{words}"):
        await connect(URL, headers={"X": value})
    with pytest.raises(ValueError, match=rf"^header Origin{words}"):
        await connect(URL, origin=value)
    with pytest.raises(ValueError, match=rf"^header Sec-WebSocket-Protocol{words}"):
        await connect(URL, subprotocols=[value])


@pytest.mark.parametrize("value", ["v2, v1", "v2,v1", "Bearer s3cr3t"])
async def test_a_subprotocol_is_one_name(value):
    """Two in one text would be offered as two; what may be a token is not shown."""
    words = r"^subprotocol: a name has no commas and no spaces; give several one by one, the preferred first$"
    with pytest.raises(ValueError, match=words):
        await connect(URL, subprotocols=["v3", value])
    with pytest.raises(ValueError, match=words):
        await connect(URL, subprotocols=value)


@pytest.mark.parametrize("given", ["", [""], ["v1", ""]])
async def test_a_subprotocol_has_a_name(given):
    """A variable that nobody has set is no subprotocol, and no server takes it."""
    with pytest.raises(ValueError, match=r"^subprotocol: it is empty; give a name, or none at all$"):
        await connect(URL, subprotocols=given)


async def test_a_header_value_is_text():
    """A number is a mistake that is named."""
    with pytest.raises(ValueError, match=r"^header X: the value is int, not text$"):
        await connect(URL, headers={"X": 1})
    with pytest.raises(ValueError, match=r"^header: a name is ASCII$"):
        await connect(URL, headers={"é": "1"})
    with pytest.raises(TypeError, match=r"^headers: str is no mapping; give {'Name': 'value'}$"):
        Orchestrator(headers="X: 1")
    with pytest.raises(TypeError, match=r"^headers: a name and a value, both text, make one; give "):
        await connect(URL, headers=[("X", "1", "2")])
    with pytest.raises(TypeError, match=r"^headers: int is no mapping; give {'Name': 'value'}$"):
        await connect(URL, headers=5)


@pytest.mark.parametrize(("value", "kind"), [(5, "int"), (b"caller-5", "bytes")])
async def test_a_session_id_is_text(value, kind):
    """A fleet's function of a number is soon one that gives that number."""
    with pytest.raises(ValueError, match=rf"^session_id: the value is {kind}, not text$"):
        await connect(URL, session_id=value)


@pytest.mark.parametrize(("name", "value"), [("max_size", 0), ("max_size", -1), ("inbox", -1)])
async def test_a_limit_that_makes_no_sense_is_refused(name, value):
    """Zero messages is a choice, zero bytes is none."""
    with pytest.raises(ValueError, match=rf"^{name}: {value} "):
        await connect(URL, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("url", ["ws://a/"], r".* is not a WebSocket URL \(it is no text\); give ws:// or wss:// and a host"),
        ("url", {}, r"'{}' is not a WebSocket URL \(it is no text\)"),
        ("subprotocols", None, r"a name is text, not NoneType; give one, or a list with the preferred first"),
        ("subprotocols", 5, r"a name is text, not int; give one"),
        ("subprotocols", ["v1", None], r"a name is text, not NoneType; give one"),
        ("subprotocols", b"v1", r"a name is text, not int; give one"),
        ("redirects", "x", r"'x' is no number of redirects; give 0 to follow none, or 5"),
        ("redirects", None, r"None is no number of redirects"),
        ("redirects", -1, r"-1 is no number of redirects"),
        ("inbox", None, r"None is no number of messages; give 0 to throw them away"),
        ("inbox", "5", r"'5' is no number of messages"),
        ("max_size", "1 MB", r"'1 MB' is no number of bytes from 1 on; give one, or None for no limit"),
        ("max_size", 2.5, r"2\.5 is no number of bytes"),
        ("address", 5, r"5 is no host with a port; give \('127\.0\.0\.1', 8000\)"),
        ("address", "localhost:80", r"'localhost:80' is no host with a port"),
        ("address", ("localhost",), r"\('localhost',\) is no host with a port"),
        ("source", ["127.0.0.1"], r"\['127\.0\.0\.1'\] is no IP address of this machine"),
        ("tls", True, r"bool is no TLS; give TLS\(ca='ca\.pem'\) or TLS\(insecure=True\)"),
        ("tls", ssl.create_default_context(), r"SSLContext is no TLS; give TLS"),
        (
            "resume",
            "session-5",
            r"str is no Resumption; give Resumption\(session_id=\.\.\.\), or call reconnect",
        ),
    ],
)
async def test_an_argument_of_another_kind_is_refused(name, value, words):
    """It is named, and what is valid; Python's own words named neither."""
    with pytest.raises((TypeError, ValueError), match=f"^{name}: {words}"):
        await connect(**{"url": URL, name: value})


async def test_a_profile_with_a_query_has_a_url_that_is_text():
    """The query is put into it before it is looked at."""
    with pytest.raises(ValueError, match=r"^url: .*\(it is no text\)"):
        await connect(["ws://a/"], profile="socketio")


@pytest.mark.parametrize("make", [Orchestrator, lambda **options: FaultProxy(URL, **options)])
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("host", 5, r"5 is no text; give 127\.0\.0\.1, or 0\.0\.0\.0 for everywhere"),
        ("host", ["127.0.0.1"], r"\['127\.0\.0\.1'\] is no text"),
        ("port", "http", r"'http' is no port; give one from 1 to 65535, or 0 for a free one"),
        ("port", None, r"None is no port"),
        ("port", True, r"True is no port"),
        ("port", -1, r"-1 is no port"),
        ("port", 80.5, r"80\.5 is no port"),
        ("port", 65536, r"65536 is no port"),
    ],
)
def test_a_place_to_listen_is_a_host_and_a_port(make, name, value, words):
    """Before anything listens."""
    with pytest.raises((TypeError, ValueError), match=f"^{name}: {words}"):
        make(**{name: value})


class Ports(int, enum.Enum):
    """The text of its member is the member's name."""

    CHAT = 8765


@pytest.mark.parametrize("port", ["8765", Ports.CHAT])
def test_a_port_may_be_the_text_of_a_variable_or_a_constant(port):
    """As os.environ has it, and as settings have it."""
    assert Port("127.0.0.1", port, None).asked == ("127.0.0.1", 8765)


@pytest.mark.parametrize("url", [["ws://a/"], {}, 5, None])
def test_what_a_proxy_leads_to_is_text(url):
    """What has no hash, too."""
    with pytest.raises(ValueError, match=r"^url: .*\(it is no text\)"):
        FaultProxy(url)


def test_headers_may_repeat():
    """Pairs, in their order."""
    assert parse_headers([("A", "1"), ("A", "2")]) == (("A", "1"), ("A", "2"))


@pytest.mark.parametrize("kind", ["firefox", "", None, 1])
async def test_an_unknown_kind_of_client_is_refused(kind):
    """The valid ones are named."""
    words = rf"^client: {kind!r} is no kind of client; valid ones: 'browser', 'mute', 'stalled', 'keepalive'$"
    with pytest.raises(ValueError, match=words):
        await connect(URL, client=kind)


@pytest.mark.parametrize("open_it", [lambda name: connect(URL, profile=name)])
async def test_an_unknown_profile_is_refused(open_it):
    """At both ends."""
    words = r"^profile: 'graphql' is unknown; valid ones: 'json', 'frames', .*, module:NAME, or a Profile$"
    with pytest.raises(ValueError, match=words):
        await open_it("graphql")
    with pytest.raises(ValueError, match=words):
        Orchestrator(profile="graphql")


async def test_a_profile_that_is_none_is_told_by_its_type():
    """Its value may be the settings of a team."""
    with pytest.raises(
        ValueError, match=r"^profile: a value of the type dict is unknown; valid ones: 'json'"
    ):
        await connect(URL, profile={"token": "hunter2hunter"})


async def test_a_proxy_is_text():
    """An object of another library's for URLs failed in the parser, and bytes did."""
    with pytest.raises(ValueError, match=r"^proxy: the value is bytes, not text; give http://host:port"):
        await connect(URL, proxy=b"http://joe:hunter2hunter@proxy.example:3128")


@pytest.mark.parametrize("make", [Orchestrator, lambda **options: FaultProxy(URL, **options)])
def test_no_host_is_not_everywhere(make):
    """A variable that is not set opens no port to the network."""
    with pytest.raises(
        ValueError, match=r"^host: it is empty; give 127\.0\.0\.1, or 0\.0\.0\.0 for everywhere$"
    ):
        make(host="")


@pytest.mark.parametrize("name", ["heartbeat", "open_timeout"])
@pytest.mark.parametrize("value", [0, -1, "0s", "soon", True, float("nan"), float("inf")])
async def test_a_duration_must_be_one(name, value):
    """Longer than nothing."""
    with pytest.raises(ValueError, match=rf"^{name}: "):
        await connect(URL, **{name: value})


def test_a_missing_ca_file_is_refused(tmp_path):
    """Before any handshake fails for another reason."""
    path = str(tmp_path / "none.pem")
    with pytest.raises(ValueError, match=rf"^ca: there is no file '{re.escape(path)}'; give a PEM file"):
        TLS(ca=path)


async def test_a_ca_file_that_is_no_pem_is_refused(tmp_path):
    """A certificate in DER, for one."""
    path = tmp_path / "ca.der"
    path.write_bytes(b"\x30\x82\x01\x0a")
    with pytest.raises(ValueError, match=rf"^ca: '{re.escape(str(path))}' cannot be read as PEM"):
        await connect("wss://127.0.0.1:9/", tls=TLS(ca=str(path)))


def test_connections_share_a_context_as_long_as_its_files_are_the_same(tmp_path, monkeypatch):
    """Each would take 20 ms and a megabyte; those that offer another protocol have another one."""
    tls = trusting(tmp_path)
    again = dataclasses.replace(tls)
    shared = tls.context("http/1.1")

    assert again.context("http/1.1") is shared
    assert tls.context("h2") is not shared
    assert tls.context() is not shared
    assert dataclasses.replace(tls, insecure=True).context("http/1.1").verify_mode is ssl.CERT_NONE
    assert shared.verify_mode is ssl.CERT_REQUIRED
    path = tmp_path / "ca.pem"
    path.write_bytes(path.read_bytes() * 2)
    assert tls.context("http/1.1") is not shared
    one = TLS().context()
    assert TLS().context() is one
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    assert TLS().context() is not one


def test_a_context_is_not_shared_with_a_test_that_has_said_otherwise(tmp_path, monkeypatch):
    """Where there are no authorities, where keys go, or what makes a context."""
    keys = str(tmp_path / "keys.log")
    one = TLS().context()
    with monkeypatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        assert TLS().context() is not one
    with monkeypatch.context() as patched:
        patched.setenv("SSLKEYLOGFILE", keys)
        written = TLS().context()
        assert written.keylog_filename == keys
        # Its size is that of the handshakes so far.
        (tmp_path / "keys.log").write_text("CLIENT_RANDOM")
        assert TLS().context() is written
    with monkeypatch.context() as patched:
        patched.setattr(ssl, "create_default_context", lambda **_: "the test's own")
        assert TLS().context() == "the test's own"
    assert TLS().context() is one


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"read_deadline": 0}, r"^read_deadline: must be longer than 0, not 0"),
        ({"read_deadline": "soon"}, r"^read_deadline: 'soon' is not a duration"),
        ({"read_deadline": False}, r"^read_deadline: False is not a duration"),
        ({"ping_interval": -1}, r"^ping_interval: -1 is negative"),
        (
            {"deadline_reset_by": "pongs"},
            r"^deadline_reset_by: 'pongs' is no kind of traffic; valid ones: 'pong', ",
        ),
        (
            {"deadline_reset_by": ["pong", "x"]},
            r"^deadline_reset_by: 'x' is no kind of traffic; valid ones: ",
        ),
        ({"deadline_reset_by": []}, r"^deadline_reset_by: nothing would reset the deadline; valid ones: "),
        ({"deadline_reset_by": 5}, r"^deadline_reset_by: 5 is no kind of traffic; valid ones: "),
        (
            {"on_deadline": 1006},
            r"^on_deadline: 1006 is neither 'drop' nor a close code; valid codes: 1000-1003, ",
        ),
        ({"on_deadline": "close"}, r"^on_deadline: 'close' is neither 'drop' nor a close code"),
        ({"on_deadline": True}, r"^on_deadline: True is neither 'drop' nor a close code"),
        ({"greet": "soon"}, r"^greet: 'soon' is not a duration.*; or True \(at once\) or False \(never\)$"),
        ({"answer_heartbeats": -1}, r"^answer_heartbeats: -1 is negative"),
        ({"confirm_sessions": None}, r"^confirm_sessions: None is not a duration"),
        ({"echo": True, "handler": print}, r"^echo: there is a handler already; give one of the two$"),
        ({"subprotocols": None}, r"^subprotocols: a name is text, not NoneType; give one, or a list"),
        ({"subprotocols": [5]}, r"^subprotocols: a name is text, not int; give one, or a list"),
        ({"max_size": "1 MB"}, r"^max_size: '1 MB' is no number of bytes from 1 on"),
        ({"tls": TLS()}, r"^tls: TLS is no ssl\.SSLContext; give the server's, with its certificate$"),
        ({"limits": 5}, r"^limits: 5 is no Limits; give Limits\(connections=100, sessions=1000\)$"),
        ({"allow_origins": True}, r"^allow_origins: True is no list; an origin is scheme://host"),
        ({"allow_origins": [5]}, r"^allow_origins: 5 is no text; an origin is scheme://host"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(keywords, words):
    """It is named, and so are the valid ones."""
    with pytest.raises((TypeError, ValueError), match=words):
        Orchestrator(**keywords)


async def test_one_subprotocol_is_no_sequence_of_letters():
    """As at the client."""
    async with Orchestrator(subprotocols="chat") as server:
        connection = await connect(server.url, subprotocols="chat")
        assert connection.subprotocol == "chat"
        await connection.close()


@pytest.mark.parametrize("value", [5, b"abc", ["abc"], {}])
async def test_the_id_of_a_session_to_wait_for_is_text(value):
    """Numbers have no letters, and lists no hash."""
    async with Orchestrator() as server:
        with pytest.raises(
            TypeError, match=r"^id: .* is no id of a session; give text, or nothing for the first"
        ):
            await server.wait_for_session(value)


async def test_what_is_judged_is_a_requirement_and_a_timeline():
    """A connection has one, and the URL comes second in hold()."""
    async with Orchestrator() as server:
        connection = await connect(server.url)
        words = r"^timeline: Connection is no Timeline; give that of a connection, connection\.timeline$"
        for judged in (assert_no_abnormal_closure, diagnose):
            with pytest.raises(TypeError, match=words):
                judged(connection)
        words = r"^requirement: str is no Requirement; give Requirement\.of\(alive_for='2m'\)$"
        with pytest.raises(TypeError, match=words):
            await hold(server.url)
        with pytest.raises(TypeError, match=words):
            judge("2m", connection.timeline)
        await connection.close()


def test_an_unknown_keyword_is_refused():
    """A typing mistake must not become a server with other timers."""
    with pytest.raises(
        TypeError, match=r"^unknown orchestrator keyword 'read_timeout'; valid ones: read_deadline, "
    ):
        Orchestrator(read_timeout=5)


def test_the_defaults_are_those_of_the_story():
    """A read deadline of 60 s that only pongs reset, pings every 30 s, no close frame."""
    behaviour = Behaviour.of()

    assert (behaviour.read_deadline, behaviour.ping_interval) == (60.0, 30.0)
    assert (behaviour.deadline_reset_by, behaviour.on_deadline) == (frozenset({DeadlineTraffic.PONG}), "drop")
    assert (behaviour.greet, behaviour.confirm_sessions, behaviour.answer_heartbeats) == (0.0, 0.0, 0.0)


def test_delays_are_true_false_or_a_duration():
    """At once, never, after a while."""
    behaviour = Behaviour.of(greet=True, confirm_sessions=False, answer_heartbeats="1.5s")

    assert (behaviour.greet, behaviour.confirm_sessions, behaviour.answer_heartbeats) == (0.0, None, 1.5)


@pytest.mark.parametrize("value", ["ping", DeadlineTraffic.PING, ["ping"], {"ping"}, (DeadlineTraffic.PING,)])
def test_kinds_of_traffic_are_one_or_several(value):
    """Names or members, alone or in any iterable."""
    assert Behaviour.of(deadline_reset_by=value).deadline_reset_by == {DeadlineTraffic.PING}


def test_two_behaviours_of_the_same_values_are_equal():
    """A behaviour is a value."""
    assert Behaviour.of(read_deadline="1m") == Behaviour.of(read_deadline=60)
    assert Behaviour.of(read_deadline="1m") != Behaviour.of(read_deadline=61)


def test_a_profile_of_ones_own_is_taken_as_it_is():
    """No registration is needed."""
    mine = Profile(name="mine", ping="PING", pong="PONG")

    assert Orchestrator(profile=mine).profile is mine
    assert Orchestrator().profile is JSON
