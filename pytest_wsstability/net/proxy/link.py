"""A link with faults between two ends: the same one on the virtual network and in a proxy over TCP."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable
from functools import partial
from random import Random

from ...core.faults import (
    AppliedFault,
    CutAfter,
    CutAt,
    EndsWith,
    Fault,
    Flow,
    HalfClose,
    IdleTimeout,
    MaxAge,
    Program,
    Stall,
)
from ...core.faults.fault import FaultLabel
from ...core.timeline.events import Direction, Opcode
from ...core.timeline.timeline import Timeline
from .channel import Channel, Receiver, Sender, TcpFlag
from .filters import FrameFilter, ResetFilter
from .idle import IdleTimer
from .observer import LinkObserver
from .shape import Shape

# When, in what order among those of one instant, whether healing calls it off, and what it does.
_Due = tuple[float, int, bool, Callable[[], object]]


class Link:
    """
    Two channels and what happens to them.

    Args:
        loop: whose clock counts.
        client: the client's end, as a sender of bytes and as a place to deliver to.
        server: the server's end.
        number: which connection this is, counted from 0.
        program: the faults of this connection.
        applied: where faults are recorded that were applied.
        apply: does a fault to a link, now.
        reads: whether frames can be read; not over TLS.
        name: how faults are called on the timeline; None keeps no timeline.

    """

    __slots__ = (
        "_agenda", "_applied", "_apply", "_loop", "_number", "_observer", "_order", "_randoms", "_seed",
        "_timer", "downstream", "healed_at", "idle", "lost_at", "lost_by", "on_change", "opened", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: tuple[Sender, Receiver],
        server: tuple[Sender, Receiver],
        *,
        number: int,
        program: Program,
        applied: list[AppliedFault],
        apply: Callable[[Link, Fault], object],
        reads: bool = True,
        name: Callable[[Fault], FaultLabel] | None = None,
    ) -> None:
        self._loop = loop
        self._number = number
        self._applied = applied
        self._apply = apply
        self._seed = program.seed
        # None where no timeline is kept.
        self._observer = LinkObserver(loop, name) if name is not None else None
        # The clock's reading at which the connection was opened.
        self.opened = loop.time()
        ended, kept_back = self._channel_ended, self._kept_back
        self.upstream = Channel(loop, ended, kept_back, client[0], server[1])
        self.downstream = Channel(loop, ended, kept_back, server[0], client[1])
        for flow in Flow.BOTH.directions:
            self.channel(flow).filter = FrameFilter(self, flow, reads=reads)
        # Middleboxes that wait for silence; None until there is one.
        self.idle: list[IdleTimer] | None = None
        # What is to happen, the soonest first, with one timer for all of it; None while there is nothing.
        self._agenda: list[_Due] | None = None
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        # The first fault after which the client has no sign of its peer, when it was applied, and when it was
        # undone, by the loop's clock; None until then.
        self.lost_by: str | None = None
        self.lost_at: float | None = None
        self.healed_at: float | None = None
        # Called when something of this, or of an end, is new; None: nobody wants to know.
        self.on_change: Callable[[], object] | None = None
        # Random numbers for each direction; None until they are needed.
        self._randoms: dict[Flow, Random] | None = None
        if program.applies_to(number):
            for step in program:
                self.plan(step.fault, step.when)

    @property
    def timeline(self) -> Timeline | None:
        """The frames that passed; None before the opening handshake has ended, and where none is kept."""
        timeline = self._observer.timeline if self._observer is not None else None
        if timeline is not None:
            timeline.observe(self._loop.time())
        return timeline

    @property
    def ending(self) -> str | None:
        """Who or what ended the connection; None while it is open, and where no timeline is kept."""
        if self._observer is None or not self.is_over:
            return None
        _, reason, label = self._observer.ending()
        return label.text if label is not None else reason.value

    def channel(self, flow: Flow) -> Channel:
        """The channel of a single direction."""
        return self.upstream if flow is Flow.UPSTREAM else self.downstream

    def frame_filters(self, flow: Flow) -> list[FrameFilter]:
        """The filters of a direction or of both; none once the connection is forgotten."""
        filters = [self.channel(each).filter for each in flow.directions]
        return [each for each in filters if isinstance(each, FrameFilter)]

    # What is known of a loss.

    @property
    def client_ended_at(self) -> float | None:
        """The loop's clock when the client's end said goodbye or closed its stream; None if it has not."""
        timeline = self._observer.timeline if self._observer is not None else None
        instants = [self.upstream.sender_ended_at]
        if timeline is not None:
            goodbye = timeline.last(direction=Direction.SENT, opcode=Opcode.CLOSE)
            instants.append(None if goodbye is None else timeline.opened + goodbye)
        return min((at for at in instants if at is not None), default=None)

    @property
    def keeps_back(self) -> bool:
        """Whether faults keep back bytes that have come, in either direction."""
        return self.upstream.keeps_back or self.downstream.keeps_back

    @property
    def due_until(self) -> float:
        """The loop's clock when the last of the faults is due that are planned; 0.0 when there is none."""
        return self.opened + self._agenda[-1][0] if self._agenda else 0.0

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    # What is to happen.

    @property
    def age(self) -> float:
        """Seconds since the connection was opened."""
        return self._loop.time() - self.opened

    def plan(self, fault: Fault, when: float) -> None:
        """Apply a fault so many seconds after the opening; at once if that is past."""
        at = fault.at if isinstance(fault, CutAt) else when
        # Timers are recorded when they run out, and not when they begin.
        records = not isinstance(fault, IdleTimeout | MaxAge | CutAfter)
        self._schedule(fault, at, lambda: self._apply(self, fault), records=records, lasts=False)

    def start_age_timer(self, fault: MaxAge) -> None:
        """A middlebox waits for the connection to be so old."""
        action = partial(self.end_with, fault.ends_with, fault)
        self._schedule(fault, fault.seconds, action, records=True, lasts=True)

    def _schedule(
        self, fault: Fault, when: float, action: Callable[[], object], *, records: bool, lasts: bool
    ) -> None:
        def act() -> None:
            if records:
                self.fault_applied(fault, when)
            action()

        self._order += 1
        if self._agenda is None:
            self._agenda = []
        insort(self._agenda, (when, self._order, lasts, act), key=lambda due: due[:2])
        self._work()

    def _work(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._agenda:
            when = self.opened + self._agenda[0][0]
            if when > self._loop.time():
                self._timer = self._loop.call_at(when, self._work)
                return
            self._agenda.pop(0)[3]()

    def fault_applied(self, fault: Fault, planned: float | None = None) -> None:
        """Record a fault that was applied; without a plan this is when it was due."""
        if self._observer is not None:
            self._observer.fault_applied(fault)
        if fault.is_loss and self.lost_at is None:
            self.lost_by, self.lost_at = repr(fault), self._loop.time()
            if isinstance(fault, Stall):
                self.healed_at = self.lost_at + fault.seconds
            self._changed()
        at = self.age
        self._applied.append(
            AppliedFault(fault, self._number, at if planned is None else min(planned, at), at)
        )

    # What faults do.

    def end(self, flag: TcpFlag, fault: Fault) -> None:
        """Both ends get FIN or RST, behind the bytes that are on their way."""
        self._blame(fault)
        self.upstream.end(flag)
        self.downstream.end(flag)

    def half_close(self, fault: HalfClose) -> None:
        """The receiver of one direction gets FIN, and then ends its own."""
        self._blame(fault)
        self.channel(fault.direction).end(TcpFlag.FIN)

    def end_with(self, how: EndsWith, fault: Fault) -> None:
        """A middlebox ends the connection in its way."""
        if how is EndsWith.FIN:
            self.end(TcpFlag.FIN, fault)
        elif how is EndsWith.RESET:
            self.end(TcpFlag.RST, fault)
        elif how is EndsWith.SILENCE:
            self._blame(fault)
            for channel, back in ((self.upstream, self.downstream), (self.downstream, self.upstream)):
                channel.close()
                channel.filter = ResetFilter(back)
        else:
            self.reshape(Flow.BOTH, lambda shape: shape.hold())

    def _blame(self, fault: Fault) -> None:
        if self._observer is not None and not self.is_over:
            self._observer.ended_by = self._observer.ended_by or fault

    def cut(self, fault: CutAfter) -> None:
        """So many bytes have passed."""
        self.fault_applied(fault)
        self.end(TcpFlag.FIN, fault)

    def reshape(self, flow: Flow, change: Callable[[Shape], object]) -> None:
        """Change what is done to the bytes of a direction, or of both."""
        for each in flow.directions:
            shape = self.channel(each).shape or Shape(self._random(each))
            change(shape)
            self.channel(each).reshape(shape)

    def _random(self, flow: Flow) -> Random:
        if self._randoms is None:
            seeds = {each: f"{self._seed}/{self._number}/{each.value}" for each in Flow.BOTH.directions}
            self._randoms = {each: Random(seed) for each, seed in seeds.items()}
        return self._randoms[flow]

    def start_idle_timer(self, fault: IdleTimeout) -> None:
        """A middlebox waits for silence from now on."""

        def expired(planned: float) -> None:
            self.fault_applied(fault, planned - self.opened)
            self.end_with(fault.ends_with, fault)

        self.idle = [*(self.idle or ()), IdleTimer(self._loop, fault, expired)]

    def heal(self) -> None:
        """All lasting faults end; what was held is delivered."""
        if self.lost_at is not None and self.healed_at is None and not self.is_over:
            self.healed_at = self._loop.time()
            self._changed()
        self._agenda = [due for due in self._agenda or () if not due[2]]
        self._stop_idle_timers()
        for each in self.frame_filters(Flow.BOTH):
            each.drop(frozenset())
            each.budget = None
        for channel in (self.upstream, self.downstream):
            channel.reshape(None)

    def cancel_faults(self) -> None:
        """No fault is applied any more, and those that last end."""
        self._agenda = None
        self._work()
        self.heal()

    # What the filters see.

    def answered(self, status: int | None) -> None:
        """The server has answered the opening handshake."""
        if status != 101:
            # What follows is no WebSocket, and its bytes are no frames.
            for each in self.frame_filters(Flow.BOTH):
                each.frames = each.handshake = None
        elif self._observer is not None:
            self._observer.opened()

    def passed(self, flow: Flow, opcode: int, size: int) -> None:
        """A whole frame has gone by."""
        if self._observer is not None:
            self._observer.frame(flow, opcode, size)
            if opcode == Opcode.CLOSE:
                self._changed()

    def touched(self, flow: Flow, *, message: bool) -> None:
        """Bytes have gone by."""
        now = self._loop.time()
        for timer in self.idle or ():
            timer.touch(now, flow, message=message)

    # The end.

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come out at either end."""
        ends = (self.upstream.delivered, self.downstream.delivered)
        return TcpFlag.RST in ends or None not in ends

    def _channel_ended(self, channel: Channel) -> None:
        """FIN or RST has gone into a channel, or come out of it."""
        if channel is self.downstream and channel.delivered is TcpFlag.RST:
            # It has ended the client's end too.
            self.upstream.sender_ended_at = self.upstream.sender_ended_at or self._loop.time()
        self._changed()
        if channel.delivered is None:
            return
        if self._observer is not None:
            self._observer.direction_ended(self._flow(channel), channel.delivered)
        if self.is_over:
            self._stop()

    def _flow(self, channel: Channel) -> Flow:
        return Flow.UPSTREAM if channel is self.upstream else Flow.DOWNSTREAM

    def _kept_back(self, channel: Channel, since: float, until: float, again: bool) -> None:
        """What faults do to a direction keeps something back."""
        if self._observer is not None:
            self._observer.kept_back(self._flow(channel), since, until, again=again)

    def close(self) -> None:
        """Cut the connection: both ends get RST at once."""
        self._stop()
        self.upstream.refuse()
        self.downstream.refuse()

    def _stop(self) -> None:
        if self._observer is not None:
            readers = [each.frames for each in self.frame_filters(Flow.BOTH)] or [None, None]
            self._observer.ended(*readers)
        self._agenda = None
        self._work()
        self._stop_idle_timers()

    def _stop_idle_timers(self) -> None:
        for timer in self.idle or ():
            timer.cancel()
        self.idle = None
