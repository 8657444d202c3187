"""What a server says of itself and of a session, for the page that people look at."""

from __future__ import annotations

from typing import Any

from ...core.duration import show_duration as show
from ...core.faults import Program
from ...core.timeline.close import CloseEvidence, describe_code
from ...core.timeline.events import DeadlineTraffic, Direction, Opcode
from ...profiles import Profile
from .behaviour import OPCODES, Behaviour
from .session import Session


def settings_of(behaviour: Behaviour, profile: Profile, program: Program) -> dict[str, str]:
    """How a server behaves, as labels with words."""
    settings = {
        "Read deadline": _deadline(behaviour),
        "When it runs out": _end(behaviour.on_deadline),
        "Pings": "none" if behaviour.ping_interval is None else f"every {show(behaviour.ping_interval)}",
        "Heartbeats are answered": _when(behaviour.answer_heartbeats),
        "Profile": profile.name,
        "Faults": ", ".join(map(str, program)) or "none",
    }
    if profile.has_session:
        settings["Sessions are confirmed"] = _when(behaviour.confirm_sessions)
    return settings


def _deadline(behaviour: Behaviour) -> str:
    if behaviour.read_deadline is None:
        return "none"
    kinds = behaviour.deadline_reset_by
    words = " and ".join(kind.plural for kind in DeadlineTraffic if kind in kinds)
    reset_by = "any frame" if DeadlineTraffic.ANY in kinds else f"{words} only"
    return f"{show(behaviour.read_deadline)}, reset by {reset_by}"


def _end(code: int | str) -> str:
    if isinstance(code, int):
        return f"closes with {describe_code(code)}"
    return "drops the connection, without a close frame"


def _when(delay: float | None) -> str:
    return "never" if delay is None else f"after {show(delay)}" if delay else "at once"


def state_of(session: Session, behaviour: Behaviour) -> dict[str, Any]:
    """The latest connection of a session: ages and times left in seconds, and why it has ended."""
    timeline, close = session.timeline, session.timeline.close
    timeline.observe(session.connection.websocket.loop.time())
    deadline = None
    if behaviour.read_deadline is not None:
        due = (behaviour.last_reset(timeline) or 0.0) + behaviour.read_deadline
        deadline = {"seconds": behaviour.read_deadline, "left": due - timeline.duration}
    return {
        "age": timeline.duration,
        "deadline": deadline,
        "received": {
            "messages": timeline.count(Direction.RECEIVED, *OPCODES[DeadlineTraffic.DATA]),
            "heartbeats": timeline.heartbeats.sent,
            "pongs": timeline.count(Direction.RECEIVED, Opcode.PONG),
        },
        "end": None if close is None else {"at": close.at, "why": _why(close)},
    }


def _why(close: CloseEvidence) -> str:
    """Why a connection ended, in the server's words."""
    return close.local_text or str(close)
