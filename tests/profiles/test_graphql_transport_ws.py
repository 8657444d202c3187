"""GraphQL over WebSocket."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.graphql_transport_ws import GRAPHQL_TRANSPORT_WS as GRAPHQL
from tests.profiles.dialogue import Dialogue


def test_both_ends_ask_and_answer():
    """Each at its own interval."""
    dialogue = Dialogue(GRAPHQL, client={"interval": 10.0}, server={"interval": 15.0}).run(20)

    assert dialogue.said == [
        (0.0, "C", '{"type":"connection_init"}'),
        (0.0, "S", '{"type":"connection_ack"}'),
        (10.0, "C", '{"type":"ping"}'),
        (10.0, "S", '{"type":"pong"}'),
        (15.0, "S", '{"type":"ping"}'),
        (15.0, "C", '{"type":"pong"}'),
        (20.0, "C", '{"type":"ping"}'),
        (20.0, "S", '{"type":"pong"}'),
    ]
    assert (GRAPHQL.facts.heartbeat, GRAPHQL.facts.both_ask) == (HeartbeatShape.ANSWERED, True)


def test_nobody_asks_by_himself():
    """As the clients and servers have it by default."""
    assert len(Dialogue(GRAPHQL).run(600).said) == 2


@pytest.mark.parametrize(
    ("message", "sender", "role"),
    [
        ('{"type":"connection_init","payload":{"token":"T"}}', End.CLIENT, Role.SESSION_INFO),
        ('{"type":"connection_ack","payload":{"hello":"x"}}', End.SERVER, Role.SESSION_CONFIRMED),
        ('{"type": "pong"}', End.CLIENT, Role.HEARTBEAT_ANSWER),
        ('{"type":"ping","payload":{"x":1}}', End.SERVER, Role.HEARTBEAT),
        ('{"id":"1","type":"subscribe","payload":{"query":"subscription{tick}"}}', End.CLIENT, Role.DATA),
        ('{"id":"1","type":"next","payload":{"data":{"tick":0}}}', End.SERVER, Role.DATA),
    ],
)
def test_what_is_said(message, sender, role):
    """As graphql-ws, strawberry and gql write it."""
    assert GRAPHQL.words.hear(message, sender).role is role


def test_a_client_that_does_not_begin():
    """4408, after 3 s."""
    server = Conversation(GRAPHQL, End.SERVER)
    server.opened(0.0)
    (end,) = server.due(3.0)

    assert (end.timer.code, end.timer.reason, end.seconds) == (4408, "Connection initialisation timeout", 3)


@pytest.mark.parametrize(
    ("by", "meaning"),
    [
        (End.SERVER, "connection_init did not come in time"),
        (End.CLIENT, "the server did not answer a ping of the client in time"),
    ],
)
def test_4408_has_two_meanings(by, meaning):
    """Told by who sends it."""
    assert GRAPHQL.facts.code(4408, by).meaning == meaning
