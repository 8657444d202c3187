"""
WAMP 2 in JSON: a session in a realm, whose number the router chooses.

Client: ``HELLO`` with the realm. Router: ``WELCOME`` with a session number, or ``ABORT``. ``GOODBYE`` ends
the session, and neither the connection nor its heartbeats, so a router's is an error, unless it announces a
shutdown or answers the client's. Heartbeats are ping frames, off by default at both ends; a reconnect is a
new session. Other realms: ``wamp("realm7")``.

"""

from __future__ import annotations

import json
import random
from typing import Any

from .messages import Codec
from .placeholders import Values
from .profile import Profile
from .templates import Free
from .wording import json_of

# Of messages: WAMP 2, section 6.5.
HELLO, WELCOME, ABORT, GOODBYE = 1, 2, 3, 6
# Why a router that goes says GOODBYE, and what it answers to a client that leaves (WAMP 2, section 4.5).
_SHUTDOWN, _ANSWERED = "wamp.close.system_shutdown", "wamp.close.goodbye_and_out"
# WAMP 2, section 2.1.2: ids of sessions are drawn from 1 to 2 ** 53.
_LARGEST = 2**53
_CLIENT_ROLES: dict[str, Any] = {"publisher": {}, "subscriber": {}, "caller": {}, "callee": {}}
_ROUTER_ROLES: dict[str, Any] = {"broker": {"features": {}}, "dealer": {"features": {}}}


def _message(message: str | bytes, kind: int, length: int) -> list[Any] | None:
    """A message of a kind and of so many elements at least; None for another one."""
    found = json_of(message)
    fits = isinstance(found, list) and len(found) >= length and type(found[0]) is int and found[0] == kind
    return found if fits else None


def _read_welcome(message: str | bytes) -> Values | None:
    found = _message(message, WELCOME, 3)
    if (
        found is None
        or type(found[1]) is not int
        or not isinstance(found[2], dict)
        or "roles" not in found[2]
    ):
        return None
    return {"session_id": str(found[1])}


def _is_refused(message: str | bytes) -> bool:
    """Whether a router refuses the session: OCPP's answers begin with the same number."""
    found = _message(message, ABORT, 3)
    return found is not None and isinstance(found[1], dict) and isinstance(found[2], str)


def _is_put_out(message: str | bytes) -> bool:
    """Whether a router ends the session and goes on itself."""
    found = _message(message, GOODBYE, 3)
    return found is not None and found[2] not in (_SHUTDOWN, _ANSWERED)


def _leaves(message: str | bytes) -> bool:
    """Whether a client ends the session, and does not answer the router's GOODBYE."""
    found = _message(message, GOODBYE, 3)
    return found is not None and found[2] != _ANSWERED


# What a router says to requests: to those of the second kind with an id of its own behind the request's.
_UNSUBSCRIBE, _UNREGISTER, _SUBSCRIBE, _REGISTER, _PUBLISH, _CALL = 34, 66, 32, 64, 16, 48
_DONE = {_UNSUBSCRIBE: 35, _UNREGISTER: 67}
_NAMED = {_SUBSCRIBE: 33, _REGISTER: 65, _PUBLISH: 17}


def _reply(message: str | bytes, began: Values) -> str | None:
    """What a router says that has no callee, and takes all else."""
    found = json_of(message)
    if not isinstance(found, list) or len(found) < 3 or not isinstance(found[0], int):
        return None
    kind, request, options = found[:3]
    if kind in _DONE:
        return json.dumps([_DONE[kind], request])
    if kind == _CALL:
        return json.dumps([8, kind, request, {}, "wamp.error.no_such_procedure"])
    asks = kind != _PUBLISH or (isinstance(options, dict) and options.get("acknowledge") is True)
    return json.dumps([_NAMED[kind], request, request]) if kind in _NAMED and asks else None


def _write_welcome(values: Values) -> str:
    name = str(values.get("session_id"))
    return json.dumps([WELCOME, int(name) if name.isdigit() else 1, {"roles": _ROUTER_ROLES}])


def new_session() -> str:
    """The number of a session, as routers draw one."""
    return str(random.randint(1, _LARGEST))


def wamp(realm: str, *, name: str = "wamp") -> Profile:
    """
    WAMP for one realm.

    Args:
        realm: to join.
        name: of the profile.

    """
    return Profile(
        name=name,
        title="WAMP 2",
        specification="https://wamp-proto.org/wamp_latest_ietf.html",
        session_of=f'the realm "{realm}", and wamp("your.realm") for another',
        session_info=[HELLO, Free(realm), {"roles": Free(_CLIENT_ROLES)}],
        session_confirmed=Codec(_read_welcome, _write_welcome, ("session_id",)),
        session_refused=Codec(
            _is_refused, json.dumps([ABORT, {"message": "refused"}, "wamp.error.no_such_realm"])
        ),
        error=Codec(_is_put_out, json.dumps([GOODBYE, {}, "wamp.close.killed"])),
        notice=[GOODBYE, Free({}), _SHUTDOWN],
        goodbye=Codec(_leaves, json.dumps([GOODBYE, {}, "wamp.close.close_realm"])),
        goodbye_answer=[GOODBYE, Free({}), _ANSWERED],
        reply=_reply,
        # Crossbar leaves that to the client, too (measured).
        goodbye_code=None,
        new_session_id=new_session,
        subprotocols=("wamp.2.json",),
        proved_with=("autobahn 26.10 (Python, client)", "autobahn 22.11 (npm, client)"),
    )


WAMP = wamp("realm1")
