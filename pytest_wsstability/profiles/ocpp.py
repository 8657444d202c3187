"""
OCPP-J 1.6 and 2.0.1: a charge point boots, and is told how often to send heartbeats.

Charge point: ``BootNotification``. Central system: the answer with an ``interval`` in seconds, at which
the charge point sends ``Heartbeat`` from then on. Its identity is the last part of the URL; there is no
session id.

"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, ProtocolTimer
from .placeholders import INTERVAL, NOW_TEXT, TEXT_ID, Values
from .profile import Profile
from .templates import Free
from .wording import json_of

# What stands in the results of calls, where something has to: all else is answered with {}.
_ACCEPTED = {"status": "Accepted"}
_RESULTS: Mapping[str, Any] = {
    "StartTransaction": {"transactionId": 1, "idTagInfo": _ACCEPTED},
    "Get15118EVCertificate": {**_ACCEPTED, "exiResponse": ""},
    **dict.fromkeys(
        (
            "DataTransfer",
            "GetCertificateStatus",
            "NotifyEVChargingNeeds",
            "NotifyEVChargingSchedule",
            "SignCertificate",
        ),
        _ACCEPTED,
    ),
}


def _reply(results: Mapping[str, Any], message: str | bytes, began: Values) -> str | None:
    """The result of a call that a charge point makes of its own: StatusNotification, MeterValues."""
    found = json_of(message)
    if not isinstance(found, list) or len(found) < 4 or found[0] != 2 or not isinstance(found[2], str):
        return None
    if found[2] == "BootNotification":
        # One of another version: it would be accepted without a status.
        return None
    return json.dumps([3, found[1], results.get(found[2], {})])


def _ocpp(name: str, title: str, subprotocol: str, boot: Mapping[str, Any], authorized: str) -> Profile:
    def answer(status: str) -> list[Any]:
        return [3, TEXT_ID, {"currentTime": NOW_TEXT, "interval": INTERVAL, "status": status}]

    return Profile(
        name=name,
        title=title,
        specification="OCPP-J, Open Charge Alliance",
        session_info=[2, TEXT_ID, "BootNotification", boot],
        session_confirmed=answer("Accepted"),
        session_refused=(answer("Rejected"), answer("Pending")),
        ping=[2, TEXT_ID, "Heartbeat", {}],
        pong=[3, TEXT_ID, {"currentTime": NOW_TEXT}],
        reply=partial(_reply, {**_RESULTS, "Authorize": {authorized: _ACCEPTED}}),
        match_ids=True,
        interval=300,
        timeout=30,
        subprotocols=(subprotocol,),
        timers=(
            ProtocolTimer(
                name="the heartbeat interval of BootNotification",
                by=End.SERVER,
                awaits=Awaited.HEARTBEAT,
                intervals=1.0,
                remedy="send Heartbeat at the interval that the answer to BootNotification names",
                source="OCPP 1.6, section 4.6",
                played=False,
            ),
            ProtocolTimer(
                name="the response timeout of ocpp's charge point",
                by=End.CLIENT,
                awaits=Awaited.ANSWER,
                seconds=30,
                remedy="answer each call",
                source="ocpp 2.1.0 (Python), measured: the call fails, the connection stays",
            ),
        ),
        proved_with=("ocpp 2.1 (charge point and central system)",),
    )


OCPP = _ocpp(
    "ocpp",
    "OCPP 1.6",
    "ocpp1.6",
    {"chargePointModel": Free("wsstability"), "chargePointVendor": Free("pytest")},
    "idTagInfo",
)
OCPP201 = _ocpp(
    "ocpp2.0.1",
    "OCPP 2.0.1",
    "ocpp2.0.1",
    {
        "chargingStation": Free({"model": "wsstability", "vendorName": "pytest"}),
        "reason": Free("PowerUp"),
    },
    "idTokenInfo",
)
