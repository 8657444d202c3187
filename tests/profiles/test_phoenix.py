"""Phoenix channels: arrays, and refs that are text."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.phoenix import PHOENIX, phoenix
from tests.profiles.dialogue import Dialogue


def test_a_channel():
    """The client joins and sends heartbeats; each reply has the question's ref."""
    dialogue = Dialogue(phoenix("room:42", {"token": "t"})).run(30)

    assert dialogue.said == [
        (0.0, "C", '["1","1","room:42","phx_join",{"token":"t"}]'),
        (0.0, "S", '["1","1","room:42","phx_reply",{"status":"ok","response":{}}]'),
        (30.0, "C", '[null,"2","phoenix","heartbeat",{}]'),
        (30.0, "S", '[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]'),
    ]


def test_a_server_answers_whatever_topic_a_client_joins():
    """The npm client's first ref is 6."""
    server = Conversation(PHOENIX, End.SERVER)
    server.opened(0.0)
    (confirm,) = server.answer(server.hear('["6","6","room:other","phx_join",{"a":1}]', 0.1))

    assert server.write(confirm, 0.1) == '["6","6","room:other","phx_reply",{"status":"ok","response":{}}]'


@pytest.mark.parametrize(
    ("message", "role"),
    [
        ('["1","1","room:lobby","phx_reply",{"status":"ok","response":{}}]', Role.SESSION_CONFIRMED),
        (
            '["1","1","room:lobby","phx_reply",{"status":"error","response":{"reason":"no"}}]',
            Role.SESSION_REFUSED,
        ),
        # The reply to another join, or to a push, whatever it says.
        ('["1","9","room:lobby","phx_reply",{"status":"error","response":{"reason":"no"}}]', Role.DATA),
        ('["9","9","room:lobby","phx_reply",{"status":"ok","response":{}}]', Role.DATA),
        ('[null,"9","phoenix","phx_reply",{"status":"ok","response":{}}]', Role.DATA),
        ('["1",null,"room:lobby","new_msg",{"body":"hi"}]', Role.DATA),
        # The channel is over, and the connection is not.
        ('["1","1","room:lobby","phx_error",{}]', Role.ERROR),
        ('["1","1","room:lobby","phx_close",{}]', Role.ERROR),
        # Another one, which a workload has joined and left.
        ('["9","9","room:42","phx_error",{}]', Role.DATA),
        ('["9","9","room:42","phx_close",{}]', Role.DATA),
    ],
)
def test_what_a_server_says(message, role):
    """A reply belongs to what was asked with its ref."""
    client = Conversation(PHOENIX, End.CLIENT)
    client.opened(0.0)

    assert client.hear(message, 0.1).role is role


def test_a_client_that_says_nothing():
    """Is gone after a minute."""
    dialogue = Dialogue(PHOENIX, mute={Role.HEARTBEAT}).run(100)

    assert dialogue.ended == (60.0, "the timeout of Phoenix' socket transport")
