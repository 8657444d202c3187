"""A message is looked up by the member that tells it; where there is none, all are tried."""

import pytest

from pytest_wsstability.profiles import SESSION_ID, Codec
from pytest_wsstability.profiles.message_index import MessageIndex
from pytest_wsstability.profiles.messages import wording
from pytest_wsstability.profiles.wording import Parsed

PING, PONG = {"type": "ping"}, {"type": "pong", "id": 7}
LATER = {"id": 1, "type": "ping"}
OTHERS = [
    [PING, "ping"],
    [PING, {"op": "pong"}],
    [PING, {"type": SESSION_ID}],
    [PING, {"type": 7}],
    [PING, Codec(bool, "x")],
    [PING, [None, "ping"]],
    [[None, "ping"], [None]],
    [[None, "ping"], [None, SESSION_ID]],
    ["ping"],
    [],
]


def possible(messages, payload):
    messages = MessageIndex([(wording(each), number) for number, each in enumerate(messages)])
    return [number for _, number in messages.possible(Parsed(payload))]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ('{"type":"ping"}', [0, 2]),
        ('{"type":"pong","more":1}', [1]),
        ('{"type":"audio","audio":"AAAA"}', []),
        ('{"type":["ping"]}', []),
        ('{"typ":"ping"}', []),
        ('["ping"]', []),
        ("no JSON", []),
        (b"\x00\x01", []),
    ],
)
def test_by_a_member_that_all_have(payload, found):
    """In their order; what has another text there is none of them."""
    assert possible([PING, PONG, LATER], payload) == found


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        ('["1","2","room","join"]', [0]),
        ('[null,"2","phoenix","beat",{},1]', [1, 2]),
        ('[null,"2","room"]', []),
        ('[null,"2","room",7]', []),
        ('{"3":"join"}', []),
        ("no JSON", []),
    ],
)
def test_by_an_element_that_all_have(payload, found):
    """Where all are lists: the fourth, which is a text of its own in each."""
    messages = [[SESSION_ID, 1, "room", "join"], [None, 1, SESSION_ID, "beat"], [None, 2, "room", "beat"]]

    assert possible(messages, payload) == found


@pytest.mark.parametrize("messages", OTHERS)
def test_without_one_all_are_tried(messages):
    assert possible(messages, '{"type":"audio"}') == list(range(len(messages)))
