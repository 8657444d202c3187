"""What a server does wrong in its application protocol, and which profiles can have it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ...core.faults import (
    DuplicateAnswers,
    DuplicateConfirm,
    Fault,
    LateAnswers,
    LateConfirm,
    LateHeartbeats,
    NeverConfirm,
    Program,
    RefuseResume,
    RefuseSession,
    SendError,
    SendNotice,
    WithholdHeartbeats,
    WrongIds,
    WrongSession,
)
from ...core.timeline.events import End, Role
from ...profiles import Profile, Say
from .behaviour import Behaviour, sends_heartbeats

if TYPE_CHECKING:
    from ..websocket import WebSocket

# Whose session a wrong confirmation names, in words and as a number.
SOMEBODY_ELSE, SOMEBODY_ELSES_NUMBER = "somebody-elses-session", "1"


class Misbehaving(Protocol):
    """The server's half of a connection, as far as faults change what it does."""

    behaviour: Behaviour

    def confirm_again(self, websocket: WebSocket) -> None:
        """Say the confirmation once more, if it was said."""

    def after(self, websocket: WebSocket, delay: float | None, say: Callable[[], object]) -> None:
        """Do something after so many seconds, 0 at once and None never, if the connection is still open."""


# What a profile has to have, or what stands in the error.


def _answers(profile: Profile) -> bool:
    return profile.pong is not None and profile.beats(End.CLIENT)


def _takes(profile: Profile) -> bool:
    return _answers(profile) or profile.heartbeat_is_frame


def _has(role: Role) -> Callable[[Profile], bool]:
    return lambda profile: profile.words.has(role)


Need = tuple[Callable[[Profile], bool], str]
_MESSAGES: Need = (
    lambda profile: not profile.heartbeat_is_frame,
    "the heartbeats of the profile {name!r} are pings; faults.WithholdPongs() leaves them unanswered",
)
_SENDS: Need = (sends_heartbeats, "servers of the profile {name!r} send no heartbeats")
_ANSWERS: Need = (_answers, "servers of the profile {name!r} answer no heartbeats with messages")
_SESSION: Need = (
    lambda profile: profile.has_session,
    "the profile {name!r} has no session to confirm",
)
_NEEDS: dict[type[Fault], tuple[Need, ...]] = {
    WithholdHeartbeats: (
        _MESSAGES,
        (
            lambda profile: sends_heartbeats(profile) or _answers(profile),
            "servers of the profile {name!r} neither send heartbeats nor answer any",
        ),
    ),
    LateHeartbeats: (_SENDS,),
    LateAnswers: ((_takes, "servers of the profile {name!r} answer no heartbeats"),),
    WrongIds: (
        _ANSWERS,
        (
            lambda profile: "id" in profile.words.names("pong"),
            "answers to heartbeats of the profile {name!r} carry no id",
        ),
    ),
    DuplicateAnswers: (_ANSWERS,),
    NeverConfirm: (_SESSION,),
    LateConfirm: (_SESSION,),
    DuplicateConfirm: (_SESSION,),
    WrongSession: (
        _SESSION,
        (
            lambda profile: "session_id" in profile.words.names("session_confirmed"),
            "the profile {name!r} confirms sessions without their id",
        ),
    ),
    RefuseSession: (
        (_has(Role.SESSION_REFUSED), "the profile {name!r} has no message that refuses a session"),
    ),
    RefuseResume: (
        (lambda profile: profile.resume is not None, "nobody resumes a session of the profile {name!r}"),
    ),
    SendNotice: ((_has(Role.NOTICE), "the profile {name!r} has no message that announces the end"),),
    SendError: ((_has(Role.ERROR), "the profile {name!r} has no error message"),),
}


def check(program: Program, profile: Profile) -> None:
    """
    See that the faults of a program make sense with a profile.

    Raises:
        ValueError: for one that has nothing to act on, naming it.

    """
    for step in program.peer:
        for fits, why in _NEEDS.get(type(step.fault), ()):
            if not fits(profile):
                raise ValueError(f"faults: {step.fault!r}: {why.format(name=profile.name)}")


# What is done.


def _behave(**changes: Any) -> Callable[[Misbehaving, WebSocket, Any], None]:
    def apply(side: Misbehaving, websocket: WebSocket, fault: Any) -> None:
        side.behaviour = dataclasses.replace(side.behaviour, **changes)

    return apply


def _delay(field: str) -> Callable[[Misbehaving, WebSocket, Any], None]:
    def apply(side: Misbehaving, websocket: WebSocket, fault: Any) -> None:
        side.behaviour = dataclasses.replace(side.behaviour, **{field: fault.delay})

    return apply


def _late_answers(side: Misbehaving, websocket: WebSocket, fault: LateAnswers) -> None:
    side.behaviour = dataclasses.replace(side.behaviour, answer_heartbeats=fault.delay)
    if websocket.profile.heartbeat_is_frame:
        websocket.withhold_pongs = True


def _wrong_session(side: Misbehaving, websocket: WebSocket, fault: WrongSession) -> None:
    number = websocket.profile.words.session_is_number
    wrong = SOMEBODY_ELSES_NUMBER if number else SOMEBODY_ELSE
    side.behaviour = dataclasses.replace(side.behaviour, confirm_as=wrong)
    side.confirm_again(websocket)


def _duplicate_confirm(side: Misbehaving, websocket: WebSocket, fault: DuplicateConfirm) -> None:
    if websocket.timeline is not None and websocket.timeline.session_confirmed_at is not None:
        side.confirm_again(websocket)
    else:
        side.behaviour = dataclasses.replace(side.behaviour, confirmations=2)


def _refuse_resume(side: Misbehaving, websocket: WebSocket, fault: RefuseResume) -> None:
    websocket.conversation.forget()


def _send(role: Role) -> Callable[[Misbehaving, WebSocket, Any], None]:
    def apply(side: Misbehaving, websocket: WebSocket, fault: Any) -> None:
        side.after(websocket, 0.0, partial(websocket.messages.say, Say(role)))

    return apply


PROTOCOL: dict[type[Fault], Callable[[Misbehaving, WebSocket, Any], None]] = {
    WithholdHeartbeats: _behave(answer_heartbeats=None, send_heartbeats=None),
    LateHeartbeats: _delay("send_heartbeats"),
    LateAnswers: _late_answers,
    WrongIds: _behave(wrong_ids=True),
    DuplicateAnswers: _behave(answers=2),
    NeverConfirm: _behave(confirm_sessions=None),
    LateConfirm: _delay("confirm_sessions"),
    WrongSession: _wrong_session,
    DuplicateConfirm: _duplicate_confirm,
    RefuseSession: _behave(refuse_sessions=True),
    RefuseResume: _refuse_resume,
    SendNotice: _send(Role.NOTICE),
    SendError: _send(Role.ERROR),
}
