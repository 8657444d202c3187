"""A link with faults between two ends: the same one on the virtual network and in a proxy over TCP."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections.abc import Callable
from functools import partial
from random import Random

from ...core.faults import CutAfter, CutAt, EndsWith, Fault, Flow, IdleTimeout, MaxAge, Program, Strike
from ...core.timeline.timeline import Timeline
from .applying import strike
from .gate import Forgotten, Watch
from .idle import IdleTimer
from .lane import Exit, Lane, Mark, Source
from .observer import Passage
from .shape import Shape

# When, in what order among those of one instant, whether healing calls it off, and what it does.
_Due = tuple[float, int, bool, Callable[[], object]]


class Link:
    """
    Two lanes and what happens to them.

    Args:
        loop: whose clock counts.
        client: the client's end, as a source of bytes and as a place to deliver to.
        server: the server's end.
        number: which connection this is, counted from 0.
        program: what strikes this connection.
        strikes: where strikes are recorded.
        reads: whether frames can be read; not over TLS.
        name: how faults are called on the timeline; None keeps no timeline.

    """

    __slots__ = (
        "_agenda", "_loop", "_number", "_order", "_passage", "_randoms", "_seed", "_strikes", "_timer",
        "downstream", "idle", "opened", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        client: tuple[Source, Exit],
        server: tuple[Source, Exit],
        *,
        number: int,
        program: Program,
        strikes: list[Strike],
        reads: bool = True,
        name: Callable[[Fault], str] | None = None,
    ) -> None:
        self._loop = loop
        self._number = number
        self._strikes = strikes
        self._seed = program.seed
        # None where no timeline is kept.
        self._passage = Passage(loop, name) if name is not None else None
        # The clock's reading at which the connection was opened.
        self.opened = loop.time()
        self.upstream = Lane(loop, self, client[0], server[1])
        self.downstream = Lane(loop, self, server[0], client[1])
        for flow in Flow.BOTH.directions:
            self.lane(flow).gate = Watch(self, flow, reads=reads)
        # Middleboxes that wait for silence; None until there is one.
        self.idle: list[IdleTimer] | None = None
        # What is to happen, the soonest first, with one timer for all of it; None while there is nothing.
        self._agenda: list[_Due] | None = None
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        # Chance of each direction; None until it is needed.
        self._randoms: dict[Flow, Random] | None = None
        if program.strikes(number):
            for step in program:
                self.plan(step.fault, step.when)

    @property
    def timeline(self) -> Timeline | None:
        """The frames that passed; None before the opening handshake has ended, and where none is kept."""
        timeline = self._passage.timeline if self._passage is not None else None
        if timeline is not None:
            timeline.observe(self._loop.time())
        return timeline

    @property
    def ending(self) -> str | None:
        """Who or what ended the connection; None while it is open, and where no timeline is kept."""
        if self._passage is None or not self.is_over:
            return None
        _, reason, detail = self._passage.ending()
        return detail or reason.value

    def lane(self, flow: Flow) -> Lane:
        """The lane of a single direction."""
        return self.upstream if flow is Flow.UPSTREAM else self.downstream

    def watches(self, flow: Flow) -> list[Watch]:
        """The gates of a direction or of both; none once the connection is forgotten."""
        gates = [self.lane(each).gate for each in flow.directions]
        return [gate for gate in gates if isinstance(gate, Watch)]

    # What is to happen.

    @property
    def age(self) -> float:
        """Seconds since the connection was opened."""
        return self._loop.time() - self.opened

    def plan(self, fault: Fault, when: float) -> None:
        """Let a fault strike so many seconds after the opening; at once if that is past."""
        at = fault.at if isinstance(fault, CutAt) else when
        # Timers strike when they run out, and not when they begin.
        records = not isinstance(fault, IdleTimeout | MaxAge | CutAfter)
        self._schedule(fault, at, lambda: strike(self, fault), records=records, lasts=False)

    def age_out(self, fault: MaxAge) -> None:
        """A middlebox waits for the connection to be so old."""
        deed = partial(self.end_with, fault.ends_with, fault)
        self._schedule(fault, fault.seconds, deed, records=True, lasts=True)

    def _schedule(
        self, fault: Fault, when: float, deed: Callable[[], object], *, records: bool, lasts: bool
    ) -> None:
        def strike_now() -> None:
            if records:
                self.struck(fault, when)
            deed()

        self._order += 1
        if self._agenda is None:
            self._agenda = []
        insort(self._agenda, (when, self._order, lasts, strike_now), key=lambda due: due[:2])
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

    def struck(self, fault: Fault, planned: float | None = None) -> None:
        """Record a strike; without a plan it strikes when it should."""
        if self._passage is not None:
            self._passage.struck(fault)
        at = self.age
        self._strikes.append(Strike(fault, self._number, at if planned is None else min(planned, at), at))

    # What faults do.

    def end(self, mark: Mark, fault: Fault) -> None:
        """Both ends get FIN or RST, behind the bytes that are on their way."""
        self._blame(fault)
        self.upstream.end(mark)
        self.downstream.end(mark)

    def end_with(self, how: EndsWith, fault: Fault) -> None:
        """A middlebox ends the connection in its way."""
        if how is EndsWith.FIN:
            self.end(Mark.FIN, fault)
        elif how is EndsWith.RESET:
            self.end(Mark.RST, fault)
        elif how is EndsWith.SILENCE:
            self._blame(fault)
            for lane, back in ((self.upstream, self.downstream), (self.downstream, self.upstream)):
                lane.close()
                lane.gate = Forgotten(back)
        else:
            self.reshape(Flow.BOTH, lambda shape: shape.hold())

    def _blame(self, fault: Fault) -> None:
        if self._passage is not None and not self.is_over:
            self._passage.ended_by = self._passage.ended_by or fault

    def cut(self, fault: CutAfter) -> None:
        """So many bytes have passed."""
        self.struck(fault)
        self.end(Mark.FIN, fault)

    def reshape(self, flow: Flow, change: Callable[[Shape], object]) -> None:
        """Change what is done to the bytes of a direction, or of both."""
        for each in flow.directions:
            shape = self.lane(each).shape or Shape(self._random(each))
            change(shape)
            self.lane(each).reshape(shape)

    def _random(self, flow: Flow) -> Random:
        if self._randoms is None:
            seeds = {each: f"{self._seed}/{self._number}/{each.value}" for each in Flow.BOTH.directions}
            self._randoms = {each: Random(seed) for each, seed in seeds.items()}
        return self._randoms[flow]

    def start_idle_timer(self, fault: IdleTimeout) -> None:
        """A middlebox waits for silence from now on."""

        def expired(planned: float) -> None:
            self.struck(fault, planned - self.opened)
            self.end_with(fault.ends_with, fault)

        self.idle = [*(self.idle or ()), IdleTimer(self._loop, fault, expired)]

    def heal(self) -> None:
        """All lasting faults end; what was held is delivered."""
        self._agenda = [due for due in self._agenda or () if not due[2]]
        self._stop_idle_timers()
        for gate in self.watches(Flow.BOTH):
            gate.drop(frozenset())
            gate.cut = None
        for lane in (self.upstream, self.downstream):
            lane.reshape(None)

    def forgive(self) -> None:
        """Nothing strikes any more."""
        self._agenda = None
        self._work()
        self.heal()

    # What the gates see.

    def answered(self, status: int | None) -> None:
        """The server has answered the opening handshake."""
        if status != 101:
            # What follows is no WebSocket, and its bytes are no frames.
            for gate in self.watches(Flow.BOTH):
                gate.frames = gate.handshake = None
        elif self._passage is not None:
            self._passage.opened()

    def passed(self, flow: Flow, opcode: int, size: int) -> None:
        """A whole frame has gone by."""
        if self._passage is not None:
            self._passage.frame(flow, opcode, size)

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
        return Mark.RST in ends or None not in ends

    def lane_ended(self, lane: Lane) -> None:
        """FIN or RST has come out of a lane."""
        flow = Flow.UPSTREAM if lane is self.upstream else Flow.DOWNSTREAM
        if self._passage is not None and lane.delivered is not None:
            self._passage.direction_ended(flow, lane.delivered)
        if self.is_over:
            self._stop()

    def close(self) -> None:
        """Cut the connection: both ends get RST at once."""
        self._stop()
        self.upstream.refuse()
        self.downstream.refuse()

    def _stop(self) -> None:
        if self._passage is not None:
            readers = [gate.frames for gate in self.watches(Flow.BOTH)] or [None, None]
            self._passage.ended(*readers)
        self._agenda = None
        self._work()
        self._stop_idle_timers()

    def _stop_idle_timers(self) -> None:
        for timer in self.idle or ():
            timer.cancel()
        self.idle = None
