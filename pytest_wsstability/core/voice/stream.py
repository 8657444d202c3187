"""Audio that went out and audio that came, in bounded memory: how late, how even, and what is missing."""

from __future__ import annotations

from ..judge.numbering import Numbers
from ..samples import Sample


class SentAudio:
    """The frames of the user: how many, and how late each was."""

    __slots__ = ("chunks", "lateness", "seconds", "size", "waiting_max")

    def __init__(self) -> None:
        self.chunks = 0
        # Seconds of audio, and its bytes on the wire.
        self.seconds = 0.0
        self.size = 0
        # How much later than its deadline each frame went out.
        self.lateness = Sample()
        # The most bytes that waited in this end's own buffers.
        self.waiting_max = 0

    def chunk(self, at: float, seconds: float, *, due: float, size: int = 0) -> None:
        """
        A frame went out.

        Args:
            at: when.
            seconds: how long it plays.
            due: when it was to go out.
            size: its bytes on the wire.

        """
        self.chunks += 1
        self.seconds += seconds
        self.size += size
        self.lateness.add(max(0.0, at - due), at)

    def bytes_waiting(self, size: int) -> None:
        """So many bytes wait in this end's own buffers."""
        self.waiting_max = max(self.waiting_max, size)


class HeardAudio:
    """
    The chunks of the agent.

    Instants are seconds since the opening handshake ended. The gap between two chunks of one utterance is
    judged, not the one between two utterances: nobody speaks all the time.

    """

    __slots__ = (
        "_first", "_last", "_position", "_shift", "_transit", "chunks", "gaps", "jitter", "jitter_max",
        "lost_at", "numbers", "reordered", "reordered_at", "repeated_at", "resumes", "seconds", "size",
    )  # fmt: skip

    def __init__(self) -> None:
        self.chunks = 0
        # Seconds of audio, and its bytes on the wire.
        self.seconds = 0.0
        self.size = 0
        # Between neighbours of one utterance.
        self.gaps = Sample()
        # RFC 3550, section 6.4.1, in seconds: the running estimate, and the largest one.
        self.jitter = self.jitter_max = 0.0
        # Chunks by their sequence numbers, where the protocol has them.
        self.numbers = Numbers()
        # The number with which they begin, where each answer is numbered anew what is added to go on, and
        # whether the next answer comes over another connection: there, to begin anew is to have forgotten.
        self._first: int | None = None
        self._shift = 0
        self.resumes = False
        # Chunks with a number below one that had come already, and that had not come itself.
        self.reordered = 0
        # The first of them, the first number that came again, and the first that came before one that is
        # still missing; None without any.
        self.reordered_at: float | None = None
        self.repeated_at: float | None = None
        self.lost_at: float | None = None
        # The latest chunk's instant, None between utterances; its transit, None before the first.
        self._last: float | None = None
        self._transit: float | None = None
        # Where in the media the next chunk begins, in seconds.
        self._position = 0.0

    def chunk(
        self,
        at: float,
        seconds: float,
        *,
        size: int = 0,
        sequence: int | None = None,
        timestamp: float | None = None,
        opens: bool = False,
    ) -> None:
        """
        A chunk came.

        Args:
            at: when.
            seconds: how long it plays.
            size: its bytes on the wire.
            sequence: its number in the stream.
            timestamp: where in the media it begins, in seconds; None: where the one before ended.
            opens: whether it is the first one of an answer.

        """
        self.chunks += 1
        self.seconds += seconds
        self.size += size
        if self._last is not None:
            self.gaps.add(at - self._last, at)
        if sequence is not None:
            self._number(sequence, at, opens=opens or self._last is None)
        begins = self._position if timestamp is None else timestamp
        self._jitter(at - begins)
        self._position = begins + seconds
        self._last = at

    def _number(self, sequence: int, at: float, *, opens: bool) -> None:
        runs, repeats = self.numbers.runs, self.numbers.repeats
        highest = runs[-1][1] if runs else None
        if self._first is None:
            self._first = sequence
        elif opens:
            if highest is not None and sequence == self._first and not (self.resumes and not self._shift):
                self._shift = highest + 1 - sequence
            self.resumes = False
        sequence += self._shift
        self.numbers.add(sequence)
        if self.numbers.repeats > repeats:
            self.repeated_at = at if self.repeated_at is None else self.repeated_at
        elif highest is not None and sequence < highest:
            self.reordered += 1
            self.reordered_at = at if self.reordered_at is None else self.reordered_at
        if len(self.numbers.runs) <= 1:
            self.lost_at = None
        elif self.lost_at is None:
            self.lost_at = at

    def _jitter(self, transit: float) -> None:
        """D(i-1,i) is the difference of two transits: J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16."""
        if self._transit is not None:
            self.jitter += (abs(transit - self._transit) - self.jitter) / 16
            self.jitter_max = max(self.jitter_max, self.jitter)
        self._transit = transit

    def pause(self) -> None:
        """The utterance is over: the silence that follows is no gap, and its transit no jitter."""
        self._last = self._transit = None
