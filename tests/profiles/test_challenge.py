"""A login that answers what the server has named: a challenge, a salt, a nonce."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.profiles import Codec, Free, Profile, SessionStep
from tests.profiles.dialogue import Dialogue


def digest(text):
    """As obs-websocket 5 has it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def login(values):
    """What a client says that knows the password."""
    proof = digest(digest("secret" + values["salt"]) + values["challenge"])
    return json.dumps({"op": 1, "d": {"authentication": proof}})


CHALLENGE = {"challenge": Free("c", "challenge"), "salt": Free("s", "salt")}
OBS = Profile(
    name="obs",
    greeting={"op": 0, "d": {"authentication": CHALLENGE}},
    session_info=Codec(lambda text: json.loads(text).get("op") == 1, login),
    session_confirmed={"op": 2},
)
# As a step, and without a function: the nonce is said back, in heartbeats too.
NONCE = Profile(
    name="nonce",
    steps=(
        SessionStep(End.CLIENT, {"op": "hi"}),
        SessionStep(End.SERVER, {"op": "nonce", "nonce": Free("a", "nonce")}),
    ),
    session_info={"op": "login", "nonce": Free("none", "nonce")},
    session_confirmed={"op": "ok"},
    ping={"op": "ping", "nonce": Free("none", "nonce")},
    pong={"op": "pong"},
    interval=5,
)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (OBS, [{"op": 1, "d": {"authentication": digest(digest("secrets") + "c")}}]),
        (NONCE, [{"op": "hi"}, {"op": "login", "nonce": "a"}, {"op": "ping", "nonce": "a"}]),
    ],
    ids=["obs", "nonce"],
)
def test_what_the_server_names_can_be_answered(profile, said):
    """It is there for the messages that follow, under its name in the profile."""
    dialogue = Dialogue(profile).run(7)

    assert [json.loads(text) for _, who, text in dialogue.said if who == "C"] == said
