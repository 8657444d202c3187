"""What a slot has to tell: added up until its next frame, and records that wait for its last."""

from __future__ import annotations

import random
from collections import Counter

from ...core.fleet.frame import Ending, FanoutCounts, Frame, Return, runs_of
from ...core.fleet.merge import KEPT_FAILURES, KEPT_STABLE
from ...core.fleet.plan import Slot
from ...core.fleet_summary import FleetRecord
from ...core.samples import Sample
from ...core.timeline.timeline import Timeline
from .explaining import EndedConnection
from .held import Held


class NextFrame:
    """
    What has happened in a slot since its frame before.

    Args:
        slot: whose frame it is.
        draw: which records of stable connections are kept.

    Attributes:
        opened: how many connections opened.
        backends, subnets: of which of them, and from where.
        endings, retold: what is told of those that ended; and of some of them once more, in the last frame.
        stable: the numbers of those that were held to their end.
        returns: which of them came back, or did not.
        missed, rtts: heartbeats of theirs without an answer in time, and round trips, once they are over.
        lag: the worst of the event loop, in seconds.
        failure: what a function of the user's raised; it is told with each frame from then on.
        sequence: the number of the frame.

    """

    def __init__(self, slot: Slot, draw: random.Random) -> None:
        self._slot, self._draw = slot, draw
        self.sequence = 0
        self.failure = ""
        self.retold: list[Ending] = []
        self._seen_stable = 0
        # Records that are kept, by cause; those of stable connections under "".
        self._kept: dict[str, list[FleetRecord]] = {}
        self._begin()

    def _begin(self) -> None:
        """Nothing has happened yet."""
        self.opened, self.lag, self.missed, self.rtts = 0, 0.0, 0, Sample()
        self.backends: Counter[str] = Counter()
        self.subnets: Counter[str] = Counter()
        self.endings: list[Ending] = []
        self.stable: list[int] = []
        self.returns: list[Return] = []
        self._sent = self._answered = self._one_way = self._messages = 0

    def count(self, held: Held, timeline: Timeline) -> None:
        """Add what a connection has sent and received since this was done before."""
        heartbeats, messages = timeline.heartbeats, timeline.messages_received
        sent, answered = heartbeats.sent, heartbeats.answered
        self._sent += sent - held.sent
        self._answered += answered - held.answered
        if timeline.is_one_way:
            self._one_way += sent - held.sent
        self._messages += messages - held.messages
        held.sent, held.answered, held.messages, held.events = sent, answered, messages, timeline.total

    def finish(self, held: Held, timeline: Timeline, within: float | None) -> None:
        """Add what is known of a connection once it is over; ``within``: seconds that a heartbeat has."""
        self.count(held, timeline)
        self.rtts.merge(timeline.heartbeats.told)
        if within is not None:
            self.missed += timeline.heartbeats.missed(timeline.duration, within)

    def keep_stable(self, number: int, timeline: Timeline) -> None:
        """Each stable connection has the same chance to be among those that are kept (reservoir sampling)."""
        self._seen_stable += 1
        kept = self._kept.setdefault("", [])
        place = len(kept) if len(kept) < KEPT_STABLE else self._draw.randrange(self._seen_stable)
        if place < KEPT_STABLE:
            kept[place : place + 1] = [FleetRecord(number=number, cause="", timeline=timeline.sealed())]

    def keep_ended(self, ended: EndedConnection, cause: str) -> None:
        """The first that ended of a cause are kept."""
        kept = self._kept.setdefault(cause, [])
        if len(kept) < KEPT_FAILURES:
            kept.append(FleetRecord(number=ended.number, cause=cause, timeline=ended.timeline))

    @property
    def kept_stable(self) -> list[Timeline]:
        """The records of stable connections that are kept."""
        return [each.timeline for each in self._kept.get("", ())]

    def take(
        self,
        at: float,
        *,
        rtt_counts: tuple[int, ...],
        fanout: tuple[FanoutCounts, Sample] | None,
        is_last: bool = False,
        cut_short: bool = False,
    ) -> Frame:
        """
        The frame, after which nothing has happened.

        Args:
            at: seconds since the slot started.
            rtt_counts: round trips that ended since, by the first of `RTT_LIMITS` that they do not exceed.
            fanout: what has become of messages that are for all; None where nobody sends such.
            is_last: it is the slot's last one.
            cut_short: more would have come of some connections.

        """
        counts, times = fanout if fanout is not None else (FanoutCounts(), Sample())
        frame = Frame(
            slot=self._slot.number,
            # A second attempt at a slot opens nothing, and the controller tells of it: see `Cluster`.
            attempt=1,
            sequence=self.sequence,
            at=at,
            opened=self.opened,
            heartbeats_sent=self._sent,
            heartbeats_answered=self._answered,
            heartbeats_one_way=self._one_way,
            heartbeats_missed=self.missed,
            messages=self._messages,
            backends=dict(self.backends),
            subnets=dict(self.subnets),
            returns=tuple(self.returns),
            fanout=counts,
            fanout_times=times,
            rtt_counts=rtt_counts,
            rtts=self.rtts,
            lag=self.lag,
            endings=tuple(self.endings),
            stable=tuple(runs_of(self.stable, self._slot.of)),
            is_last=is_last,
            cut_short=cut_short,
            failure=self.failure,
            records=tuple(each for kept in self._kept.values() for each in kept) if is_last else (),
            retold=tuple(self.retold) if is_last else (),
        )
        self.sequence += 1
        self._begin()
        return frame
