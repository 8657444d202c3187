"""What is left of a spoken conversation when it is over: its turns, and what a player missed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Turn:
    """
    One turn: the user speaks, the agent answers.

    Instants are seconds since the opening handshake ended; None for what has not happened (yet).

    """

    number: int
    # The user's first and last frame of speech.
    speech_from: float
    speech_until: float | None = None
    # What the agent sent of it: a first transcript, the final one, the first token, the first audio.
    transcript_at: float | None = None
    final_at: float | None = None
    token_at: float | None = None
    audio_at: float | None = None
    # When the agent called a tool last, with whose result its answer goes on.
    tool_at: float | None = None
    # When the agent said that its turn is over, and when a player has played all of it.
    done_at: float | None = None
    played_until: float | None = None
    # When the user spoke over the agent, and the last audio that came, or that was heard, after that.
    barged_in_at: float | None = None
    audio_until: float | None = None
    # The number that the agent gives the turn; None where it gives none.
    agent_number: int | None = None
    # When the wait for an answer, or for the end of one, was given up.
    given_up_at: float | None = None
    # Seconds of the agent's audio, and what a player missed of it.
    audio_seconds: float = 0.0
    underruns: int = 0
    underrun_seconds: float = 0.0

    @property
    def first_audio(self) -> float | None:
        """Time to first audio (TTFA) in seconds, from the end of the user's speech."""
        return self._since_speech(self.audio_at)

    @property
    def first_token(self) -> float | None:
        """Time to the first token in seconds, from the end of the user's speech."""
        return self._since_speech(self.token_at)

    @property
    def first_transcript(self) -> float | None:
        """Time to the first transcript in seconds, from the start of the user's speech."""
        return None if self.transcript_at is None else self.transcript_at - self.speech_from

    @property
    def final_transcript(self) -> float | None:
        """Time to the final transcript in seconds, from the end of the user's speech."""
        return self._since_speech(self.final_at)

    @property
    def stop_latency(self) -> float | None:
        """
        How long audio went on after the user spoke over it, in seconds.

        None without a barge-in, and for one at which nothing was heard any more.

        """
        if self.barged_in_at is None:
            return None
        went_on = max(0.0, (self.audio_until or 0.0) - self.barged_in_at)
        was_played = self.played_until is not None and self.played_until <= self.barged_in_at
        return None if was_played and not went_on else went_on

    @property
    def heard_until(self) -> float | None:
        """When the agent was not heard any more; None where it was not heard at all."""
        if self.audio_at is None:
            return None
        if self.barged_in_at is None:
            return self.played_until or self.audio_until or self.audio_at
        return min(self.played_until or self.barged_in_at, self.barged_in_at)

    @property
    def is_unanswered(self) -> bool:
        """Whether the user still speaks, and nothing of an answer has come."""
        return self.speech_until is None and self.token_at is None and self.audio_at is None

    @property
    def wait_until(self) -> float | None:
        """When the user's wait for audio ended: it came, or was given up; None if neither."""
        return self.given_up_at if self.audio_at is None else self.audio_at

    def _since_speech(self, at: float | None) -> float | None:
        if at is None or self.speech_until is None:
            return None
        # One that is sure before the user has ended answers at once.
        return max(0.0, at - self.speech_until)


@dataclass(frozen=True, slots=True)
class Underrun:
    """A player that had nothing to play in the middle of an utterance."""

    # Seconds since the opening handshake ended.
    at: float
    # Until the next chunk came.
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSummary:
    """What is left of a call when it is over; instants are seconds since the opening handshake ended."""

    turns: tuple[Turn, ...] = ()
    underruns: tuple[Underrun, ...] = ()
    # Times without a connection.
    away: tuple[tuple[float, float], ...] = ()
    duration: float = 0.0
    # Frames of the user: how many; seconds after their deadlines, of 99 in 100 and of the latest; the most
    # bytes that waited.
    frames: int = 0
    late_p99: float | None = None
    late_max: float | None = None
    waiting_max: int = 0
    # The agent's audio: chunks, seconds, the largest jitter (RFC 3550), the most that waited to be played.
    chunks: int = 0
    audio: float = 0.0
    jitter_max: float = 0.0
    ahead_max: float = 0.0
    # The slowest round trip of a heartbeat while audio flowed, and while none did; None without any.
    rtt_speaking: float | None = None
    rtt_idle: float | None = None
