"""Profiles by their names."""

from __future__ import annotations

import json
import re

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles import JSON, catalogue
from pytest_wsstability.profiles.catalogue import SHIPPED, find, is_shipped, shipped
from tests.core.script import closed_by_peer, timeline

OURS = JSON.replace(name="ours")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_has_the_name_it_is_found_by(name):
    """And says what it is, and where it is specified."""
    profile = find(name)

    assert profile.name == profile.facts.name == name
    assert profile.title
    assert profile.specification or name == "json"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_code_that_ends_everything_tells_no_cause(name):
    """What an end with 1000, 1001 or an empty close frame was for, its protocol's meaning does not tell."""
    assert [code for code in find(name).codes if code.code in (1000, 1001, 1005) and code.topic] == []


def test_a_conversation_of_pipecat_that_is_over_was_not_idle():
    """Its 1000 in the middle of a talk; its timer has a row of its own."""
    facts = find("pipecat").facts
    talk = [(at, what) for at in range(1, 40) for what in (">audio", "<audio")]
    found = diagnose(timeline(*talk, (40.3, closed_by_peer(1000)), protocol=facts))

    assert (found.cause, found.confidence) == (Cause.CLOSED_BY_PEER, Confidence.LOW)
    silent = diagnose(timeline(*talk[:20], (310, closed_by_peer(1000)), protocol=facts))
    assert silent.cause is Cause.READ_DEADLINE


def test_a_profile_is_itself():
    """Nothing is looked up."""
    assert find(OURS) is OURS


def test_a_team_has_its_own():
    """One of them may replace a shipped one."""
    other = JSON.replace(ping={"op": "PING"}, pong={"op": "PONG"})

    assert find("ours", [OURS]) is OURS
    assert find("json", [other]) is other
    assert find("json") is JSON


@pytest.mark.parametrize(
    ("profile", "is_ours"),
    [(JSON, True), (find("mqtt"), True), (OURS, False), (JSON.replace(greeting=None), False)],
)
def test_a_shipped_profile_is_known_by_its_name(profile, is_ours):
    """Another one with its name is not it."""
    assert is_shipped(profile) is is_ours


def test_a_profile_is_found_where_it_stands():
    """Module and name."""
    assert find("pytest_wsstability.profiles.json:JSON") is JSON


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no.such.module:X", "profile: 'no.such.module:X' is not there: No module named 'no'"),
        (
            "pytest_wsstability:NOTHING",
            "profile: 'pytest_wsstability:NOTHING' is not there: "
            "module 'pytest_wsstability' has no attribute 'NOTHING'",
        ),
        (":X", "profile: ':X' is not there: '' is no name of a module"),
        ("json:dumps", "profile: 'json:dumps' is of the type function, which is no Profile"),
    ],
)
def test_what_is_not_there_is_told(name, words):
    """With the reason."""
    with pytest.raises(ValueError, match=f"^{re.escape(words)}"):
        find(name)


def test_one_whose_module_fails_is_told_so(tmp_path, monkeypatch):
    """With the line, and not that it were not there."""
    (tmp_path / "failing_profile.py").write_text(
        "from pytest_wsstability.profiles import Profile\nOURS = Profile(pingg={})"
    )
    monkeypatch.syspath_prepend(tmp_path)
    # Python 3.13 says more: "Did you mean 'ping'?".
    words = (
        r"^profile: 'failing_profile:OURS': importing failing_profile failed: TypeError: .*'pingg'.*, "
        r"at .*:2 "
    )

    with pytest.raises(ValueError, match=words):
        find("failing_profile:OURS")


@pytest.mark.parametrize("name", ["jsn", "", 7, None])
def test_an_unknown_one_lists_those_that_are_there(name):
    """The team's too."""
    with pytest.raises(
        ValueError,
        match=r"valid ones: 'json', .*'pipecat', 'ours', module:NAME, "
        r"or a Profile$",
    ):
        find(name, [OURS])


def test_no_two_places_have_one_name():
    """A name that is added must be added to the docs too."""
    places = list(catalogue._SHIPPED.values())

    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("name", "greets", "begins_session", "names_errors"),
    [
        ("json", True, True, False),
        ("frames", False, False, False),
        ("graphql-transport-ws", False, True, True),
        # Errors alone, and notices alone.
        ("jsonrpc", False, False, True),
        ("slack", False, False, True),
    ],
)
def test_what_the_judge_is_told_of_a_profile(name, greets, begins_session, names_errors):
    """By what it has messages for."""
    facts = shipped(name).facts

    assert (facts.greets, facts.begins_session, facts.names_errors) == (greets, begins_session, names_errors)


def openai_error(*, type="invalid_request_error", **error):
    return json.dumps({"type": "error", "event_id": "e", "error": {"type": type, **error}})


@pytest.mark.parametrize(
    ("name", "message", "role"),
    [
        # WAMP 2, section 4.5: ABORT is 3, GOODBYE is 6.
        ("wamp", '[3,{},"wamp.error.no_such_realm"]', Role.SESSION_REFUSED),
        ("wamp", '[6,{},"wamp.close.killed"]', Role.ERROR),
        ("wamp", '[6,{},["wamp.close.killed"]]', Role.ERROR),
        # It announces the end of the connection, or answers a client that leaves.
        ("wamp", '[6,{},"wamp.close.system_shutdown"]', Role.NOTICE),
        ("wamp", '[6,{},"wamp.close.goodbye_and_out"]', Role.DATA),
        ("wamp", '[9,{},"wamp.close.system_shutdown"]', Role.DATA),
        ("wamp", '[1,{},"wamp.close.system_shutdown"]', Role.DATA),
        # The end of a session at its greatest age is announced; a cancel that came too late breaks nothing.
        ("openai-realtime", openai_error(code="session_expired", message="60 minutes"), Role.NOTICE),
        ("openai-realtime", openai_error(code="response_cancel_not_active"), Role.DATA),
        ("openai-realtime", openai_error(code="unknown_parameter"), Role.ERROR),
        ("openai-realtime", openai_error(type="server_error"), Role.ERROR),
        ("openai-realtime", '{"type":"error"}', Role.ERROR),
        ("openai-realtime", '{"type":"error","error":"text"}', Role.ERROR),
        ("openai-realtime", '{"type":"response.done","response":{"error":{"type":"error"}}}', Role.DATA),
        ("openai-realtime", '"error"', Role.DATA),
        ("openai-realtime", b'{"type":"error"}', Role.DATA),
        # Also a session that the client may try to come back to is over.
        ("discord", '{"op":9,"d":false}', Role.SESSION_REFUSED),
        ("discord", '{"op":9,"d":true}', Role.ERROR),
        ("discord", '{"op":7,"d":null}', Role.NOTICE),
    ],
)
def test_what_a_server_says_of_the_end_of_a_session(name, message, role):
    """In the words of its protocol."""
    assert shipped(name).words.hear(message, End.SERVER).role is role


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (
            {"status_details": {"error": {"code": "rate_limit_exceeded", "message": "Limit reached"}}},
            "rate_limit_exceeded: Limit reached",
        ),
        ({"status_details": {"error": {"type": "server_error", "message": "oh"}}}, "oh"),
        ({"status_details": {"error": "oh"}}, "the response failed"),
        ({"status_details": None, "error": None}, "the response failed"),
    ],
)
@pytest.mark.parametrize("status", ["failed", "incomplete", "cancelled"])
def test_a_response_of_openai_that_failed_is_an_error(response, said, status):
    """In the service's own words; one that was cut short is none."""
    message = json.dumps({"type": "response.done", "response": {"status": status, **response}})
    heard = shipped("openai-realtime").words.hear(message, End.SERVER)

    failed = status == "failed"
    assert heard.role is (Role.ERROR if failed else Role.DATA)
    assert heard.values == ({"said": said} if failed else None)


@pytest.mark.parametrize(
    ("name", "message", "role"),
    [
        ("deepgram", '{"type": "CloseStream"}', Role.GOODBYE),
        # The router's ends a session that was to be held; the client's is its own affair.
        ("wamp", '[6,{},"wamp.close.normal"]', Role.GOODBYE),
        # It answers the router's.
        ("wamp", '[6,{},"wamp.close.goodbye_and_out"]', Role.DATA),
        ("wamp", '[7,{},"wamp.close.normal"]', Role.DATA),
        ("stomp", b"DISCONNECT\nreceipt:77\n\n", Role.GOODBYE),
        ("stomp", b"UNSUBSCRIBE\nid:0\n\n", Role.DATA),
        ("mqtt", b"\xe0\x00", Role.GOODBYE),
        ("mqtt5", b"\xe0\x02\x04\x00", Role.GOODBYE),
        ("rtvi", '{"label":"rtvi-ai","type":"disconnect-bot","id":"1"}', Role.GOODBYE),
    ],
)
def test_a_client_says_that_it_goes(name, message, role):
    """In the words of its protocol."""
    assert shipped(name).words.hear(message, End.CLIENT).role is role
