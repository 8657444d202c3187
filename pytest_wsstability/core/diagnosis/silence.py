"""Why nothing comes on a connection that is open, where its record shows that something should."""

from __future__ import annotations

from collections.abc import Sequence

from ..cause import Cause, Diagnosis
from ..judge.requirement import PROOF_TIMEOUT
from ..timeline.timeline import Timeline
from .engine import diagnose


def diagnose_silence(timelines: Sequence[Timeline], *, cohort: Sequence[Timeline] = ()) -> Diagnosis | None:
    """
    Say why an open connection is silent.

    Args:
        timelines: the record of the end that waits, then those of other ends of the same connection.
        cohort: records of other connections of the same run.

    Returns:
        None where nothing is due, so that the peer may just have nothing to say, and where no cause is known.

    """
    if not is_overdue(timelines[0]):
        return None
    found = diagnose(timelines[0], timelines[1:], cohort=cohort)
    return None if found.cause is Cause.UNDETERMINED else found


def is_overdue(timeline: Timeline) -> bool:
    """Whether an open connection waits too long for an answer, room to send, or the rest of a frame."""
    if timeline.close is not None:
        return False
    now = timeline.duration
    if timeline.own_heartbeats.overdue(now, PROOF_TIMEOUT) or timeline.pings.overdue(now, PROOF_TIMEOUT):
        return True
    since = (timeline.unsent_since, timeline.half_frame_since)
    return any(at is not None and now - at >= PROOF_TIMEOUT for at in since)
