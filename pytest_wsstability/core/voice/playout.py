"""The buffer of a player: audio comes in as it likes, and drains at real time."""

from __future__ import annotations

from ..call_summary import Underrun

# Audio that a player holds before it begins; hides a jitter of 30 ms (see docs/voice.md for the arithmetic).
PREBUFFER = 0.06
# Sums of chunk lengths are wrong by less than this after an hour of 20 ms frames.
_SAME = 1e-6
# So many underruns are kept with their instants; all are counted.
_KEPT = 64


class Playout:
    """
    A player of one direction's audio.

    It begins `prebuffer` seconds after the first chunk of an utterance, or as soon as that much is there,
    and plays without a pause from then on: the instant at which it has nothing left is when it began plus
    the seconds that came in. A chunk that comes later than that ends an underrun, and is played at once.
    Audio that comes faster than real time, as synthesized speech does, only fills the buffer.

    """

    __slots__ = (
        "_came",
        "_ends",
        "_pauses",
        "_prebuffer",
        "deepest",
        "deepest_at",
        "dropped",
        "underrun_count",
        "underrun_seconds",
        "underruns",
    )

    def __init__(self, *, prebuffer: float = PREBUFFER) -> None:
        self._prebuffer = prebuffer
        # When the player has nothing left; None between utterances.
        self._ends: float | None = None
        # Seconds of this utterance that came before the player began; None once it is known to play.
        self._came: float | None = None
        # Underruns since the last sound: in the middle of speech they are if more of it follows.
        self._pauses: list[Underrun] = []
        self.underrun_count = 0
        self.underrun_seconds = 0.0
        # The first of them.
        self.underruns: list[Underrun] = []
        # The most that was ever waiting to be played, in seconds, and when.
        self.deepest = self.deepest_at = 0.0
        # Seconds of audio thrown away by interruptions.
        self.dropped = 0.0

    @property
    def is_playing(self) -> bool:
        """Whether an utterance has begun and is not said to be over."""
        return self._ends is not None

    def chunk(self, at: float, seconds: float, *, silent: bool = False) -> None:
        """So many seconds of audio came, or of silence, which nobody misses where the utterance is over."""
        if self._ends is None:
            self._ends, self._came = at + self._prebuffer + seconds, 0.0
        elif at > self._ends + _SAME:
            self._pauses.append(Underrun(self._ends, at - self._ends))
            self._ends = at + seconds
        else:
            self._ends += seconds
        if self._pauses and not silent:
            self._count_pauses()
        self._begin(at, seconds)
        waiting = self.waiting(at)
        if waiting > self.deepest:
            self.deepest, self.deepest_at = waiting, at

    def _begin(self, at: float, seconds: float) -> None:
        """Begin to play as soon as the prebuffer is full: audio that comes at once is not waited for."""
        if self._came is None or self._ends is None:
            return
        self._came += seconds
        begins = self._ends - self._came
        if at >= begins - _SAME:
            self._came = None
        elif self._came >= self._prebuffer - _SAME:
            self._ends -= begins - at
            self._came = None

    def _count_pauses(self) -> None:
        self.underrun_count += len(self._pauses)
        self.underrun_seconds += sum(each.seconds for each in self._pauses)
        self.underruns += self._pauses[: _KEPT - len(self.underruns)]
        self._pauses.clear()

    def finish(self, at: float) -> float:
        """The utterance is whole: gives the instant at which the player has played all of it."""
        ends = max(at, self._ends) if self._ends is not None else at
        self._stop()
        return ends

    def interrupt(self, at: float, *, until: float | None = None) -> float:
        """
        Throw away what waits, as a player does whose user speaks.

        Args:
            at: when.
            until: when a finished utterance would have been played.

        Returns:
            The seconds thrown away.

        """
        waiting = self.waiting(at) if until is None else max(0.0, until - at)
        self.dropped += waiting
        self._stop()
        return waiting

    def _stop(self) -> None:
        self._ends = self._came = None
        self._pauses.clear()

    @property
    def dry_at(self) -> float | None:
        """When nothing is left to play; None between utterances."""
        return self._ends

    def waiting(self, at: float) -> float:
        """Seconds of audio that wait to be played."""
        if self._ends is None:
            return 0.0
        # Before it begins the player holds what came, and not the time until it begins.
        most = self._ends - at if self._came is None else self._came
        return max(0.0, min(most, self._ends - at))
