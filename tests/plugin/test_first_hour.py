"""What somebody writes in the first hour: a clear error, a failure that says why, or a pass."""

from __future__ import annotations

import pytest

OWN = """
import asyncio, json

import pytest, pytest_asyncio, websockets

from pytest_wsstability import assert_handshake, assert_session_confirmed, assert_stable, faults
from pytest_wsstability.profiles import FRAMES, JSON, SESSION_ID, Profile

{source}
"""

# Sessions that a profile does not have.

NO_SESSION = {
    "a connection": ("await c.assert_session_confirmed(within='1s')", "assert_session_confirmed"),
    "a requirement": ("await c.assert_stable(session_within='1s')", "session_within"),
    "a handshake": ("c.assert_handshake()", "handshake"),
    "a requirement of a handshake": ("await c.assert_stable(handshake=True)", "handshake"),
    "a function": ("assert_session_confirmed(c.timeline, within='1s')", "session_within"),
    "a function of a handshake": ("assert_handshake(c.timeline)", "handshake"),
    "a function of all": ("assert_stable(c.timeline, session_within='1s')", "session_within"),
    "error messages": ("await c.assert_stable(alive_for='1s', no_error_messages=True)", "no_error_messages"),
}


@pytest.mark.parametrize(("call", "what"), NO_SESSION.values(), ids=NO_SESSION)
@pytest.mark.parametrize(
    "profile", ["FRAMES", "JSON.replace(name='p', session_info=None, session_confirmed=None)"]
)
def test_what_the_profile_has_not_cannot_be_asserted(failure, call, what, profile):
    """It says so, at once, and blames no server."""
    printed = failure(
        OWN.format(
            source=f"""
P = {profile}

@pytest.mark.ws_stability(profile=P)
async def test_it(ws_connect):
    c = await ws_connect()
    {call}
"""
        )
    )

    name = "frames" if profile == "FRAMES" else "p"
    assert f"ValueError: {what}: the profile '{name}' " in printed
    assert "blame" not in printed


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        (
            'session_within="5s"',
            "session_within: the profile 'frames' has no session to confirm; say which message confirms it",
        ),
        ("handshake=True", "handshake: the profile 'frames' has no session"),
        ("no_error_messages=True", "no_error_messages: the profile 'frames' calls no message an error"),
    ],
)
def test_nor_required_by_a_mark(refusal, mark, words):
    """At collection."""
    printed = refusal(
        OWN.format(
            source=f"""
@pytest.mark.ws_stability(alive_for="2m", profile="frames", {mark})
def test_it(ws_soak):
    pass
"""
        )
    )

    assert words in printed


def test_a_soak_has_the_same_words(failure):
    """Its assertions need no waiting, and no session either."""
    printed = failure(
        OWN.format(
            source="""
@pytest.mark.ws_stability(alive_for="2m", profile="frames")
def test_it(ws_soak):
    ws_soak.assert_session_confirmed(within="1s")
"""
        )
    )

    assert "ValueError: session_within: the profile 'frames' has no session to confirm" in printed


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("faults.AcceptThenClose(4406)", "4406 at 0 s"),
        ("faults.AcceptThenClose(1008)", "1008 at 0 s"),
        ("faults.NeverConfirm(), ('1s', faults.Malformed())", "1006 at 1 s"),
        ("faults.NeverConfirm(), ('1s', faults.EmptyClose())", "1005 at 1 s"),
    ],
)
def test_an_end_is_no_missing_greeting(failure, given, told):
    """A profile without a greeting waits for none, and the end of the connection is told."""
    printed = failure(
        OWN.format(
            source=f"""
P = Profile(name="p", session_info={{"type": "init"}}, session_confirmed={{"type": "ack"}})

@pytest.mark.ws_orchestrator(faults=[{given}])
@pytest.mark.ws_stability(alive_for="2m", session_within="3s", profile=P)
def test_it(ws_soak):
    pass
"""
        )
    )

    assert told in printed
    assert "no greeting" not in printed


CONFIRMING = """
def confirming(answer):
    async def handler(ws):
        await ws.send(json.dumps({{"type": "connection_established"}}))
        async for message in ws:
            told = json.loads(message)
            if told["type"] == "session_info":
                await ws.send(json.dumps({{"type": "session_confirmed", **answer(told)}}))
            else:
                await ws.send(json.dumps({{"type": "pong"}}))
    return handler

@pytest_asyncio.fixture
async def ws_url():
    answer = {answer}
    async with websockets.serve(confirming(answer), "127.0.0.1", 0, ping_interval=None) as server:
        yield "ws://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]

@pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", {asked})
async def test_it(ws_soak):
    pass
"""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("lambda told: {}", "session confirmed without its id"),
        ("lambda told: {'session_id': None}", "session confirmed without its id"),
        ("lambda told: {'session_id': ''}", "another session confirmed"),
        ("lambda told: {'session_id': SESSION_ID}", "another session confirmed"),
    ],
)
def test_a_handshake_wants_the_id_of_the_session(run, answer, words):
    """Where the profile has one; that a session was confirmed at all may go without."""
    source = CONFIRMING.format(answer=answer, asked="handshake=True")
    result = run(OWN.format(source="{source}").replace("{source}", source))

    assert result.parseoutcomes() == {"failed": 1}
    assert words in result.stdout.str()


def test_a_session_that_is_confirmed_without_an_id(passes):
    """It was confirmed."""
    source = CONFIRMING.format(answer="lambda told: {}", asked="session_within='5s'")

    assert passes(OWN.format(source="{source}").replace("{source}", source)) == 1


def test_an_id_within_the_message_is_filled_in(passes):
    """At any depth; the server has it, and says it back."""
    assert (
        passes(
            OWN.format(source="{source}").replace(
                "{source}",
                """
P = Profile(
    name="p",
    session_info={"type": "join", "d": {"ids": [SESSION_ID]}},
    session_confirmed={"type": "joined", "d": {"ids": [SESSION_ID]}},
)
SEEN = []

@pytest_asyncio.fixture
async def ws_url():
    async def handler(ws):
        async for message in ws:
            SEEN.append(json.loads(message))
            await ws.send(json.dumps({"type": "joined", "d": SEEN[-1]["d"]}))
    async with websockets.serve(handler, "127.0.0.1", 0) as server:
        yield "ws://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]

@pytest.mark.ws_stability(profile=P)
async def test_it(ws_connect):
    c = await ws_connect(session_id="abc")
    await c.assert_session_confirmed(within="1s")
    assert SEEN == [{"type": "join", "d": {"ids": ["abc"]}}]
""",
            )
        )
        == 1
    )


@pytest.mark.parametrize("value", ["{'type': 'x'}", "[{'type': 'x'}]", "7", "None", "object()"])
def test_what_is_no_message_is_told_without_our_frames(failure, value):
    """What helps, in the line that sends it."""
    printed = failure(
        OWN.format(
            source=f"""
async def test_it(ws_connect):
    c = await ws_connect()
    await c.send({value})
"""
        )
    )

    assert "TypeError: send: " in printed
    assert "connection.py" not in printed
    if "{" in value:
        assert "send_json() sends " in printed
