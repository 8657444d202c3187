"""A finished spoken conversation: what the ``ws_voice`` fixture gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ...core.call_summary import CallSummary, Turn
from ...core.duration import Duration
from ...core.judge.judgement import Judgement
from ...core.judge.requirement import Requirement
from ...core.judge.verdict import Outcome, Verdict
from ...core.message.errors import StabilityError
from ...core.timeline.timeline import Timeline
from ...core.voice.agent_record import AgentRecord
from ...core.voice.call import Call
from ...core.voice.diagnosis import diagnosed_call
from ...core.voice.failure import VoiceError
from ...core.voice.requirement import VoiceKeywords, VoiceRequirement
from ...core.voice.summary import summarize_call
from ..hold import Soak
from ..proxy.proxy import FaultProxy


class VoiceSoak(Soak):
    """
    A spoken conversation from its first turn to its end, and the connection that carried it.

    Everything that a `Soak` has is about the connection; what is said here is about the conversation.

    Attributes:
        call: what the caller saw.
        agent: what the agent recorded of the turns, where it is the reference orchestrator's; else None.
        asked: what the conversation was to show.
        ended: whether the script came to its end, so that what is missing is missing.

    """

    def __init__(
        self,
        requirement: Requirement,
        verdict: Verdict,
        timelines: Sequence[Timeline],
        *,
        url: str,
        call: Call,
        duration: float,
        origin: float,
        asked: VoiceRequirement,
        ended: bool,
        agent: AgentRecord | None,
        wav: bytes | None,
        spins: Sequence[tuple[float, str]],
        proxy: FaultProxy | None,
    ) -> None:
        self.call, self.asked, self.agent, self.ended = call, asked, agent, ended
        self._duration, self._origin, self._wav = duration, origin, wav
        super().__init__(requirement, verdict, timelines, url=url, spins=spins, proxy=proxy)

    def _failure(self, verdict: Verdict) -> StabilityError:
        return VoiceError(self.requirement, self._diagnosed(verdict, ()), self._timelines, self.summary)

    def _diagnosed(self, verdict: Verdict, cohort: Sequence[Timeline]) -> Verdict:
        return diagnosed_call(
            verdict, self._timelines, self.call, self.agent, origin=self._origin, cohort=cohort
        )

    @property
    def summary(self) -> CallSummary:
        """The call in numbers, as reports have it."""
        return summarize_call(self.call, self._duration)

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns, in their order."""
        return self.call.turns

    def wav(self) -> bytes:
        """
        The agent's audio as a WAV file.

        Raises:
            ValueError: if it was not kept.

        """
        if self._wav is None:
            raise ValueError("wav: the agent's audio was not kept; run with --ws-keep-audio DIR")
        return self._wav

    def assert_voice(self, **asked: Unpack[VoiceKeywords]) -> Verdict:
        """Every part of a requirement holds; the keywords are those of the ``ws_voice`` marker."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement.of(**asked))

    def assert_turns(self, at_least: int) -> Verdict:
        """So many turns were answered, and each answer came to its end."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement.of(turns=at_least))

    def assert_first_audio(self, *, p95: Duration | None = None, within: Duration | None = None) -> Verdict:
        """
        Answers began so soon after the end of the speech.

        Args:
            p95: 95 of 100 did: seconds, or text such as "800ms".
            within: each of them did.

        Raises:
            VoiceError: if not; inconclusive, if too few turns carry a p95.
            ValueError: if neither is given.

        """
        __tracebackhide__ = True
        if p95 is None and within is None:
            raise ValueError("assert_first_audio: give p95=, within=, or both")
        return self._conclude_voice(VoiceRequirement.of(first_audio_p95=p95, first_audio_within=within))

    def assert_underruns(self, *, at_most: int = 0) -> Verdict:
        """A player ran dry no more often than this."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement.of(underruns=at_most))

    def assert_barge_in(self, *, within: Duration) -> Verdict:
        """Audio stopped so soon after the user spoke over it, each time."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement.of(barge_in_within=within))

    def assert_transcripts(self) -> Verdict:
        """Each turn has a final transcript."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement.of(transcripts=True))

    def assert_audio_intact(self) -> Verdict:
        """The agent's audio was this session's, readable, whole, in order, sent once, and no silence."""
        __tracebackhide__ = True
        return self._conclude_voice(VoiceRequirement())

    def _conclude_voice(self, asked: VoiceRequirement) -> Verdict:
        __tracebackhide__ = True
        protocol = self.timeline.protocol
        name = "" if protocol is None else protocol.name
        asked.check_fits(name, answers=self.call.answers, transcribes=self.call.transcribes)
        tier = self.timeline.tier
        verdict = asked.check(self.call, duration=self._duration, tier=tier, ended=self.ended)
        error = None if verdict.outcome is Outcome.STABLE else self._failure(verdict)
        verdict = verdict if error is None else error.verdict
        self.note(Judgement(Requirement(), verdict, tuple(self._timelines)))
        if error is not None:
            raise error
        return verdict
