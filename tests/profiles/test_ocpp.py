"""OCPP-J: calls and results that only their ids tell apart."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles.conversation import Conversation
from pytest_wsstability.profiles.ocpp import OCPP, OCPP201
from tests.profiles.dialogue import Dialogue

BOOTS = {
    OCPP.name: {"chargePointModel": "wsstability", "chargePointVendor": "pytest"},
    OCPP201.name: {
        "chargingStation": {"model": "wsstability", "vendorName": "pytest"},
        "reason": "PowerUp",
    },
}


@pytest.mark.parametrize("profile", [OCPP, OCPP201])
def test_a_charge_point(profile):
    """Boots, is told an interval, and keeps to it."""
    dialogue = Dialogue(
        profile, client={"epoch": 1_700_000_000.0}, server={"interval": 60.0, "epoch": 1_700_000_000.0}
    ).run(60)
    said = [(at, who, json.loads(message)) for at, who, message in dialogue.said]

    accepted = {"currentTime": "2023-11-14T22:13:20Z", "interval": 60, "status": "Accepted"}
    assert said == [
        (0.0, "C", [2, "1", "BootNotification", BOOTS[profile.name]]),
        (0.0, "S", [3, "1", accepted]),
        (60.0, "C", [2, "2", "Heartbeat", {}]),
        (60.0, "S", [3, "2", {"currentTime": "2023-11-14T22:14:20Z"}]),
    ]


@pytest.mark.parametrize(
    ("result", "role"),
    [
        ('[3,"1",{"currentTime":"x","interval":60,"status":"Accepted"}]', Role.SESSION_CONFIRMED),
        ('[3,"1",{"currentTime":"x","interval":60,"status":"Rejected"}]', Role.SESSION_REFUSED),
        ('[3,"1",{"currentTime":"x","interval":60,"status":"Pending"}]', Role.SESSION_REFUSED),
        ('[3,"7",{"currentTime":"x","interval":60,"status":"Accepted"}]', Role.DATA),
        ('[3,"7",{}]', Role.DATA),
        ('[4,"7","NotImplemented","",{}]', Role.DATA),
        ('[2,"7","Reset",{"type":"Soft"}]', Role.DATA),
    ],
)
def test_what_a_central_system_says(result, role):
    """A result counts by the call's id."""
    client = Conversation(OCPP, End.CLIENT)
    client.opened(0.0)

    assert client.hear(result, 0.1).role is role


def test_a_result_for_another_id_is_no_answer():
    """Though it looks the same."""
    client = Conversation(OCPP, End.CLIENT, interval=10.0)
    client.opened(0.0)
    client.due(10.0)

    assert client.hear('[3,"9",{"currentTime":"x"}]', 10.1).role is Role.DATA
    assert client.hear('[3,"2",{"currentTime":"x"}]', 10.2).role is Role.HEARTBEAT_ANSWER
