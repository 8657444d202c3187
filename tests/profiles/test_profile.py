"""Application protocols as data."""

import contextlib
import dataclasses
import json
import re

import pytest

from pytest_wsstability.core.redact import redact_text
from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.profiles import (
    ANY,
    FRAMES,
    ID,
    INTERVAL,
    INTERVAL_MS,
    JSON,
    SESSION_ID,
    SESSION_NUMBER,
    TEXT_ID,
    TIMEOUT_MS,
    Codec,
    Free,
    Prefixed,
    Profile,
    SessionStep,
    Unwritable,
)
from pytest_wsstability.profiles.catalogue import find

EXACT = Profile(name="engine", ping="2", pong="3")
BINARY = Profile(name="binary", ping=b"\x00", pong=b"\x01")


def read(profile, payload):
    """Role and session id of a message, whoever sends it."""
    heard = profile.words.hear(payload, End.SERVER)
    if heard.role is Role.DATA:
        heard = profile.words.hear(payload, End.CLIENT)
    return heard.role, heard.session_id


@pytest.mark.parametrize(
    ("role", "written"),
    [
        (Role.GREETING, '{"type":"connection_established"}'),
        (Role.SESSION_INFO, '{"type":"session_info","session_id":"s-1"}'),
        (Role.SESSION_CONFIRMED, '{"type":"session_confirmed","session_id":"s-1"}'),
        (Role.HEARTBEAT, '{"type":"ping"}'),
        (Role.HEARTBEAT_ANSWER, '{"type":"pong"}'),
    ],
)
def test_json_round_trip(role, written):
    """What one end writes, as a page's JSON.stringify does, the other reads as the same step."""
    text = JSON.words.write(role, {"session_id": "s-1"})

    assert text == written
    session_id = "s-1" if "s-1" in written else None
    assert read(JSON, text) == (role, session_id)


@pytest.mark.parametrize(
    ("payload", "role", "session_id"),
    [
        # Order, space and further members are the peer's.
        ('  {"ts": 1, "type": "pong"}', Role.HEARTBEAT_ANSWER, None),
        ('{"type": "session_confirmed"}', Role.SESSION_CONFIRMED, None),
        ('{"type": "session_confirmed", "session_id": null}', Role.SESSION_CONFIRMED, None),
        ('{"type": "session_info", "session_id": 7}', Role.SESSION_INFO, "7"),
        ('{"type": "session_info", "session_id": "größe"}', Role.SESSION_INFO, "größe"),
        # What is no text or whole number names no session.
        ('{"type": "session_info", "session_id": ["s-1"]}', Role.DATA, None),
        ('{"type": "session_info", "session_id": {"id": "s-1"}}', Role.DATA, None),
        ('{"type": "session_info", "session_id": true}', Role.DATA, None),
        ('{"type": "session_info", "session_id": 1.5}', Role.DATA, None),
        # All else is the application's.
        ("", Role.DATA, None),
        ("pong", Role.DATA, None),
        ('"pong"', Role.DATA, None),
        ('["pong"]', Role.DATA, None),
        ("{", Role.DATA, None),
        ('{"type": "pong"', Role.DATA, None),
        ('{"type": "pong"} and more', Role.DATA, None),
        ('{"type": "PONG"}', Role.DATA, None),
        ('{"kind": "pong"}', Role.DATA, None),
        ('{"type": ["pong"]}', Role.DATA, None),
        ('{"data": {"type": "pong"}}', Role.DATA, None),
        (b'{"type":"pong"}', Role.DATA, None),
        # Hostile: too deep for the parser, too long a number, too large to be looked at.
        ('{"a":' * 3000, Role.DATA, None),
        ('{"a":' + "9" * 5000 + "}", Role.DATA, None),
        ('{"type":"pong","pad":"' + "x" * 256 * 1024 + '"}', Role.DATA, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_json_reading(payload, role, session_id):
    """A template's members must be there and equal; what can't be read is data, never an error."""
    assert read(JSON, payload) == (role, session_id)


def test_a_message_just_small_enough_is_read():
    """Session steps may carry some payload: 256 KiB is the limit."""
    head, tail = '{"type":"pong","pad":"', '"}'
    padding = "x" * (256 * 1024 - len(head) - len(tail))

    assert read(JSON, head + padding + tail)[0] is Role.HEARTBEAT_ANSWER
    assert read(JSON, head + padding + "x" + tail)[0] is Role.DATA


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ('{"type":"session_confirmed","session_id":"a"', Role.SESSION_CONFIRMED),
        ('{"type":"error"', Role.ERROR),
    ],
)
def test_what_begins_a_session_or_is_an_error_may_have_much_to_say(message, role):
    """A state of 20 KiB, or the request that was wrong."""
    ours = JSON.replace(name="ours", error={"type": "error"})

    assert read(ours, message + ',"state":"' + "x" * 20_000 + '"}')[0] is role


def test_a_pong_of_our_own_takes_three_lines():
    """A team's other words for one step leave the rest as it is."""
    ours = JSON.replace(name="ours", pong={"op": "PONG"})

    assert read(ours, '{"op": "PONG", "seq": 3}') == (Role.HEARTBEAT_ANSWER, None)
    assert read(ours, '{"type": "pong"}') == (Role.DATA, None)
    assert read(ours, '{"type": "ping"}') == (Role.HEARTBEAT, None)
    assert read(JSON, '{"type": "pong"}') == (Role.HEARTBEAT_ANSWER, None)
    assert (ours.name, JSON.name) == ("ours", "json")  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "payload", "role"),
    [
        (EXACT, "2", Role.HEARTBEAT),
        (EXACT, "3", Role.HEARTBEAT_ANSWER),
        (EXACT, "22", Role.DATA),
        (EXACT, b"2", Role.DATA),
        (BINARY, b"\x00", Role.HEARTBEAT),
        (BINARY, b"\x00\x00", Role.DATA),
        (BINARY, "\x00", Role.DATA),
        (FRAMES, '{"type":"ping"}', Role.DATA),
        (FRAMES, "", Role.DATA),
    ],
)
def test_exact_messages(profile, payload, role):
    """Text matches text and bytes match bytes, as a whole."""
    assert read(profile, payload) == (role, None)


@pytest.mark.parametrize(("profile", "text"), [(EXACT, "2"), (BINARY, b"\x00")])
def test_exact_messages_are_written_as_they_are(profile, text):
    """Nothing is filled in."""
    assert profile.words.write(Role.HEARTBEAT, {"session_id": "s-1"}) == text


def test_templates_are_filled_in_and_stay_templates():
    """A placeholder stands for the session's id alone and inside text; none goes out literally."""
    template = {"id": SESSION_ID, "text": f"of {SESSION_ID}", "n": 1}
    profile = Profile(name="x", session_info=template, session_confirmed="ok")

    written = profile.words.write(Role.SESSION_INFO, {"session_id": "s-1"})
    assert json.loads(written) == {"id": "s-1", "text": "of s-1", "n": 1}
    assert template["id"] == SESSION_ID


@pytest.mark.parametrize(
    ("profile", "has_session", "heartbeat_is_frame"),
    [(JSON, True, False), (FRAMES, False, True), (EXACT, False, False)],
)
def test_what_a_profile_has(profile, has_session, heartbeat_is_frame):
    """A profile without session messages has no session; one without ping beats with protocol pings."""
    assert (profile.has_session, profile.heartbeat_is_frame) == (has_session, heartbeat_is_frame)


@pytest.mark.parametrize("role", [Role.DATA, Role.NONE, Role.GREETING])
def test_no_message_for_a_role(role):
    """What the profile does not say, nobody can write."""
    assert not EXACT.words.has(role)
    with pytest.raises(Unwritable, match=f"^there is no message for {role.name.lower()}$"):
        EXACT.words.write(role, {})


VALID = (
    "give JSON as a mapping or a list, text, bytes, Prefixed, Codec, a compiled pattern, a function, or None"
)
STEP, STEPS = (
    SessionStep(End.CLIENT, "hello"),
    "SessionStep(End.CLIENT, message) or SessionStep(End.SERVER, message)",
)
EMPTY = "only heartbeats are empty messages, None is no message"
ALL = "any message with more in it would match;"
NO_ID = "has ID, the id of its question, and {} has none; ANY stands for another one, and Free(1) writes one"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "profile name: '' is not a name"),
        ({"name": 7}, "profile name: 7 is not a name"),
        ({"pong": "3"}, "profile 'x': pong without ping: there is nothing to answer"),
        ({"greeting": 7}, f"profile 'x': greeting is 7; {VALID}"),
        ({"ping": {}, "pong": "3"}, f"profile 'x': ping is {{}}; {ALL} the text '{{}}' matches {{}} alone"),
        ({"ping": [], "pong": "3"}, f"profile 'x': ping is []; {ALL} the text '[]' matches [] alone"),
        ({"ping": {"op": 1}, "pong": {"op": 2, "id": ID}}, f"profile 'x': pong {NO_ID.format('ping')}"),
        ({"ping": "PING", "pong": f"PONG {TEXT_ID}"}, f"profile 'x': pong {NO_ID.format('ping')}"),
        (
            {"session_info": {"op": 1}, "session_confirmed": {"id": ID, "op": 2}, "match_ids": True},
            f"profile 'x': session_confirmed {NO_ID.format('session_info')}",
        ),
        (
            {"session_confirmed": {"a": 1}, "session_refused": {"id": ID}, "match_ids": True},
            f"profile 'x': session_refused {NO_ID.format('session_info')}",
        ),
        ({"greeting": ""}, f"profile 'x': greeting is ''; {EMPTY}"),
        ({"error": ("no", b"")}, f"profile 'x': error is ('no', b''); {EMPTY}"),
        (
            {"ping": Codec(read=bool, names=("sid",))},
            "profile 'x': ping is Codec(read=<class 'bool'>, write=None, names=('sid',)); "
            "'sid' is no placeholder's name; valid ones: session_id, session_number, id, text_id, now, "
            "now_text, sequence, interval, interval_ms, timeout, timeout_ms, token, url, any, audio, text, "
            "turn, number",
        ),
        ({"ping": (), "pong": "3"}, f"profile 'x': ping is (); {VALID}"),
        ({"ping": Codec(read="x")}, f"profile 'x': ping is Codec(read='x', write=None, names=()); {VALID}"),
        (
            {"ping": Prefixed("", {"a": 1})},
            f"profile 'x': ping is Prefixed(prefix='', template={{'a': 1}}); {VALID}",
        ),
        (
            {"greeting": {"op": b"hi"}},
            "profile 'x': greeting is {'op': b'hi'}; b'hi' in 'op' is nothing that JSON can say",
        ),
        (
            {"greeting": {1: "hi"}},
            "profile 'x': greeting is {1: 'hi'}; member 1 is no text, which JSON cannot say",
        ),
        (
            {"greeting": {"d": [float("nan")]}},
            "profile 'x': greeting is {'d': [nan]}; nan in 'd' is nothing that JSON can say",
        ),
        (
            {"greeting": f"{ID}{SESSION_ID}"},
            "profile 'x': greeting is '{id}{session_id}'; nothing stands between two placeholders, "
            "so that nobody could tell them apart",
        ),
        (
            {"heartbeats_from": "me"},
            "profile 'x': heartbeats_from is 'me'; valid ones: 'client', 'server', 'both'",
        ),
        ({"interval": 0}, "profile 'x': interval is 0; give seconds, or None"),
        ({"timeout": True}, "profile 'x': timeout is True; give seconds, or None"),
        ({"max_age": float("inf")}, "profile 'x': max_age is inf; give seconds, or None"),
        ({"records": ""}, "profile 'x': records is ''; give the text that ends each, or a function"),
        (
            {"resume": "again"},
            "profile 'x': resume without session_confirmed: there is no session to come back to",
        ),
        (
            {"greeting": {"op": "hb"}, "notice": {"op": "hb"}},
            "profile 'x': greeting and notice are the same message of the server, "
            "so a received one could be either",
        ),
        # Each reads what the other writes, though they are written differently.
        (
            {"session_confirmed": {"op": "ok", "id": SESSION_ID}, "notice": {"op": "ok", "id": ANY}},
            "profile 'x': session_confirmed and notice are the same message of the server, "
            "so a received one could be either",
        ),
        # A pattern that nobody writes, and the text that it reads too.
        (
            {"ping": "p", "pong": re.compile("o.*"), "greeting": "oh"},
            "profile 'x': greeting and pong are the same message of the server, "
            "so a received one could be either",
        ),
        # What no message can match.
        (
            {"greeting": "one\ntwo", "records": "\n"},
            "profile 'x': greeting can match no message: 'one\\ntwo': "
            "it has '\\n' in it, which ends each message",
        ),
        (
            {"greeting": {"op": "hi", "pad": "x" * 256 * 1024}},
            "profile 'x': greeting can match no message: "
            + repr('{"op":"hi","pad":"' + "x" * 256 * 1024 + '"}')[:80]
            + ": what it writes it does not read",
        ),
        (
            {"ping": Codec(lambda message: message == "p", "q")},
            "profile 'x': ping can match no message: 'q': what it writes it does not read",
        ),
        # A function without a return; an answer alone may be left out.
        (
            {"ping": Codec(lambda message: message == "p", lambda values: None), "pong": "q"},
            "profile 'x': ping is never said: write gave None",
        ),
        (
            {"sequence": 7},
            "profile 'x': sequence is 7; give the name of a JSON member, or a function of a message",
        ),
        # A function that makes names.
        (
            {"new_session_id": lambda: 1 / 0},
            "profile 'x': new_session_id raised ZeroDivisionError('division by zero')",
        ),
        ({"new_session_id": lambda: 7}, "profile 'x': new_session_id gave 7, which is no name"),
        ({"new_session_id": str}, "profile 'x': new_session_id gave '', which is no name"),
        # Commas that were left out, and values that would be read much later.
        ({"steps": STEP}, f"profile 'x': steps is of type SessionStep; give a tuple of {STEPS}"),
        ({"steps": (STEP, {"a": 1})}, f"profile 'x': steps[1] is of type dict; give {STEPS}"),
        ({"subprotocols": "sip"}, "profile 'x': subprotocols is of type str; give a tuple of names as text"),
        (
            {"ping": "ping", "pong": "pong", "heartbeats_in_session": True},
            "profile 'x': heartbeats_in_session without session_confirmed: none would ever be sent",
        ),
        (
            {"ping": "ping", "pong": "pong", "cumulative": True},
            "profile 'x': cumulative without ID in ping: which heartbeats came before is told by ids",
        ),
        (
            {"subprotocols": ("v12.stomp, v11.stomp",)},
            "profile 'x': subprotocol: a name has no commas and no spaces; give several one by one, the "
            "preferred first",
        ),
        ({"subprotocols": (b"sip",)}, "profile 'x': subprotocols[0] is of type bytes; give names as text"),
        ({"timers": (20,)}, "profile 'x': timers[0] is of type int; give ProtocolTimer(...)"),
        ({"codes": {4001: "x"}}, "profile 'x': codes is of type dict; give a tuple of ProtocolCode(...)"),
        # Both ends ask, in the same words as they answer.
        (
            {"ping": "hb", "pong": "hb", "heartbeats_from": "both"},
            "profile 'x': pong and ping are the same message of the server, "
            "so a received one could be either",
        ),
    ],
)
def test_a_bad_definition_is_refused(fields, message):
    """At once, naming the profile, the message and what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Profile(**{"name": "x", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"ping": {"op": 1, "id": TEXT_ID}, "pong": {"op": 2, "id": ID}},
        # One of several has it, or a function may give it.
        {"ping": ({"op": 1}, {"op": 1, "id": ID}), "pong": {"op": 2, "id": ID}},
        {"ping": Codec(lambda message: message == "PING", "PING"), "pong": {"op": 2, "id": ID}},
        {"ping": {"op": 1}, "pong": {"op": 2, "id": ANY}},
        # Not told by its id, where answers are not.
        {"session_info": {"op": 1}, "session_confirmed": {"id": ID, "op": 2}},
    ],
)
def test_an_id_that_is_asked_for_or_means_another_thing(fields):
    """Nothing else is refused."""
    assert Profile(name="x", **fields).name == "x"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"greeting": f"HELLO every {INTERVAL}"}, True),
        ({"session_confirmed": {"pingInterval": INTERVAL_MS}}, True),
        ({"steps": (SessionStep(End.SERVER, {"every": INTERVAL}),)}, True),
        ({"session_confirmed": {"pingTimeout": TIMEOUT_MS}}, False),
        ({"session_info": {"every": INTERVAL}}, False),
    ],
)
def test_whether_a_server_names_an_interval(fields, named):
    """The profile's own is a guess at what a server does that names none."""
    assert Profile(name="x", ping="?", pong="!", interval=8, **fields).facts.names_interval is named


@pytest.mark.parametrize(
    ("said", "key"),
    [("7", b"7"), ('"7"', b"7"), ("7.0", b"7"), ("7e0", b"7"), ("7.5", b"7.5"), ('"7.0"', b"7.0")],
)
def test_a_whole_number_is_one_however_it_is_written(said, key):
    """In JSON 7.0 is 7, and so some peers say an id again."""
    profile = Profile(name="x", ping={"n": ID}, pong={"id": ID})

    assert profile.words.hear(f'{{"id":{said}}}', End.SERVER).key == key


def test_the_number_of_a_session_is_a_whole_one_however_it_is_written():
    """As an id is."""
    profile = Profile(name="x", session_confirmed={"s": SESSION_NUMBER})

    assert profile.words.hear('{"s":3.0}', End.SERVER).session_id == "3"


def test_who_says_a_step_is_an_end():
    """Text would be neither of them, and the step nobody's."""
    with pytest.raises(ValueError, match=r"^a step is said by 'server'; give End.CLIENT or End.SERVER$"):
        SessionStep("server", "hello")


def test_a_message_of_another_version_is_quoted_from_its_beginning():
    """Sixty characters of it."""
    profile = Profile(name="x", ping="p", foreign={"the old protocol": re.compile("old.*")})

    assert profile.words.hear("old" * 30, End.SERVER).problem == (
        Flaw.VERSION,
        f"{'old' * 20!r}: the old protocol",
    )
    assert profile.words.hear("old" * 30, End.CLIENT).problem is None


@pytest.mark.parametrize("field", ["interval", "timeout", "max_age"])
@pytest.mark.parametrize(
    ("seconds", "is_right"),
    [(0.5, True), (1, True), (0, False), (-1, False), (float("inf"), False), (True, False), ("5", False)],
)
def test_times_of_a_profile_are_seconds(field, seconds, is_right):
    """Above zero; JSON's true is an int to Python."""
    expected = contextlib.nullcontext() if is_right else pytest.raises(ValueError, match=f": {field} is ")
    with expected:
        Profile(name="x", **{field: seconds})


def test_what_can_only_be_read_cannot_be_sent():
    """By the end that has to send it; the other end reads."""
    profile = Profile(name="x", ping="p", pong=re.compile("o.*"))

    profile.check_written_by(End.CLIENT)
    with pytest.raises(
        ValueError,
        match=r"^profile 'x': pong can only be read, and the server has to send it: "
        r"give pong=Codec\(read, write\)$",
    ):
        profile.check_written_by(End.SERVER)


@pytest.mark.parametrize("timeout", [None, 20])
def test_a_server_names_no_timeout_that_it_does_not_have(timeout):
    """It would say null, which clients take for none at all: socketcluster-client gives up at once."""
    profile = Profile(name="x", greeting={"op": "hello", "within": TIMEOUT_MS}, timeout=timeout)
    says = r"^profile 'x': the server says how long an answer is waited for, and there is no timeout=$"
    refused = pytest.raises(ValueError, match=says) if timeout is None else contextlib.nullcontext()

    profile.check_written_by(End.CLIENT)
    with refused:
        profile.check_written_by(End.SERVER)


@pytest.mark.parametrize(("session_id", "fits"), [("7", True), ("abc", False)])
def test_a_session_is_called_what_its_message_can_carry(session_id, fits):
    profile = Profile(name="x", session_info={"s": SESSION_NUMBER}, session_confirmed="ok")
    if fits:
        profile.words.check_session_id(session_id)
    else:
        with pytest.raises(Unwritable):
            profile.words.check_session_id(session_id)


def fails(message):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("other", "message", "problem"),
    [
        (re.compile("hi.*"), "hi all", "greeting and notice both match 'hi all'"),
        (re.compile("ho.*"), "hi all", None),
        (re.compile("hi.*"), "hi" * 40, f"greeting and notice both match {'hi' * 30!r}"),
        # One that can't bear it says so when it is its turn; until then it may be its own.
        (fails, "hi all", "greeting and notice both match 'hi all'"),
    ],
)
def test_two_functions_that_read_one_message_are_told(other, message, problem):
    """What nobody writes cannot be compared before."""
    heard = Profile(name="x", greeting=re.compile("h.*"), notice=other).words.hear(message, End.SERVER)

    assert (heard.role, heard.problem) == (
        (Role.GREETING, None) if problem is None else (Role.DATA, (Flaw.FUNCTION, problem))
    )


def test_functions_that_raise_make_no_profile_wrong():
    """What they make of messages that were made up says nothing."""
    reads = Codec(lambda message: {"id": message.split("#")[1]}, lambda values: f"hi#{values['id']}")
    profile = Profile(name="x", greeting=reads, notice="bye")

    assert profile.words.hear("bye", End.SERVER).role is Role.NOTICE
    # The same, where the function is asked about the other.
    profile = Profile(name="x", greeting="bye", notice=reads)
    assert profile.words.hear("bye", End.SERVER).role is Role.GREETING
    assert profile.words.hear("hi#1", End.SERVER).role is Role.NOTICE
    assert Profile(name="x", ping="p", records=fails).records is fails


def test_replacing_checks_anew():
    """A copy is as good as its original, or refused."""
    with pytest.raises(ValueError, match=r"^profile 'ours': pong without ping: there is nothing to answer$"):
        JSON.replace(name="ours", ping=None)


def test_an_answer_to_a_goodbye_needs_one():
    """Nothing else would bring it about."""
    with pytest.raises(
        ValueError, match=r"^profile 'ours': goodbye_answer without goodbye: there is nothing to answer$"
    ):
        JSON.replace(name="ours", goodbye_answer={"type": "bye"})


@pytest.mark.parametrize("code", [None, 1000, 1005, 1006, 1012, 3000, 4999])
def test_a_server_may_end_so_after_a_goodbye(code):
    """With a code that a close frame may carry, with an empty one, with none, or not at all."""
    assert JSON.replace(name="ours", goodbye="bye", goodbye_code=code).goodbye_code == code


def test_what_a_profile_knows_of_the_ends_of_its_servers():
    """Without a close frame, where a goodbye is answered so."""
    ends = {
        code: JSON.replace(name="ours", goodbye="bye", goodbye_code=code).facts.ends_with_fin
        for code in (None, 1000, 1005, 1006)
    }

    assert ends == {None: False, 1000: False, 1005: False, 1006: True}
    assert not JSON.replace(name="ours", goodbye_code=1006).facts.ends_with_fin


@pytest.mark.parametrize("code", [0, 999, 1004, 1015, 2999, 5000, "1000"])
def test_no_server_can_end_so_after_a_goodbye(code):
    """What no close frame may carry."""
    with pytest.raises(ValueError, match=rf"^profile 'ours': goodbye_code is {code!r}; give a close code"):
        JSON.replace(name="ours", goodbye="bye", goodbye_code=code)


def test_a_goodbye_that_is_only_read_is_enough_for_a_client():
    """Ours says none: it closes."""
    ours = Profile(name="ours", goodbye=re.compile("bye.*"))

    ours.check_written_by(End.CLIENT)
    assert ours.words.hear("bye now", End.CLIENT).role is Role.GOODBYE


def test_a_profile_is_a_value():
    """Nobody changes the profile that others use."""
    assert JSON.replace(name="json") == JSON
    with pytest.raises(dataclasses.FrozenInstanceError):
        JSON.pong = "3"


def test_words_of_a_protocol_are_no_secrets():
    """Though they look like some; what a team wrote into its messages is one."""
    find("ocpp")
    Profile(
        name="x",
        session_info=[
            2,
            "BootNotification",
            {"token": "s3cr3t-of-a-team"},
            Free({"token": "s3cr3t-behind-free"}),
        ],
    )

    told = redact_text("BootNotification with s3cr3t-of-a-team and s3cr3t-behind-free")
    assert told == "BootNotification with *** and ***"


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        ('{"seq":7,"text":"a"}', 7),
        ('{"seq":"a7"}', "a7"),
        ('{"seq":7.0}', 7),
        ('{"seq":null}', None),
        ('{"text":"seq"}', None),
        ('{"text":"\\"seq\\""}', None),
        ('["seq"]', None),
        ('{"seq":', None),
        (b'{"seq":7}', None),
        ("[" * 100_000 + '"seq"', None),
    ],
    ids=range(10),
)
def test_the_number_of_a_message(payload, number):
    """That of a member of a JSON object; what has none is not numbered."""
    assert JSON.replace(sequence="seq").number(payload) == number


@pytest.mark.parametrize("payload", ['{"seq":true}', '{"seq":1.5}', '{"seq":[1]}'])
def test_a_number_that_is_none_is_an_error(payload):
    """A whole number, or an id."""
    with pytest.raises(TypeError, match=r" is no whole number and no id$"):
        JSON.replace(sequence="seq").number(payload)


def test_another_session_has_not_the_name_of_the_first():
    """Whoever writes its first message knows which of the server's it asks for."""
    named = JSON.replace(name="ours", session_of='the room "a"')

    assert named.replace(ping=None, pong=None).session_of
    assert not named.replace(session_info={"join": "b"}).session_of
