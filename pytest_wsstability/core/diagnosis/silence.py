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
    here = timelines[0]
    if here.close is not None or not _is_due(here):
        return None
    found = diagnose(here, timelines[1:], cohort=cohort)
    return None if found.cause is Cause.UNDETERMINED else found


def _is_due(timeline: Timeline) -> bool:
    """Whether an answer, the room to send, or the rest of a frame has been waited for too long."""
    now = timeline.duration
    if timeline.own_heartbeats.overdue(now, PROOF_TIMEOUT) or timeline.pings.overdue(now, PROOF_TIMEOUT):
        return True
    since = (timeline.unsent_since, timeline.half_frame_since)
    return any(at is not None and now - at >= PROOF_TIMEOUT for at in since)
