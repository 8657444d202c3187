"""A spoken conversation from its opening to its verdict, and a caller for scripts."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Unpack

from ...core.judge.excuses import Incidents
from ...core.judge.handshake import raised
from ...core.judge.heartbeat_rules import peer_beats
from ...core.judge.requirement import Requirement
from ...core.judge.rules import judge
from ...core.judge.verdict import Doubt, Finding, Rule, Verdict, Violation
from ...core.timeline.close import CloseEvidence
from ...core.timeline.events import End
from ...core.timeline.timeline import Timeline
from ...core.voice.call import Call
from ...core.voice.requirement import VoiceRequirement, answered
from ...core.voice.script import Script
from ...profiles import Profile, VoiceRole
from ...profiles.catalogue import audio_of, find
from ..client import connect
from ..connection import Connection
from ..errors import ConnectionEnded
from ..hold import opened_to_hold
from ..holding import SESSION_WITHIN, hold_open
from ..keywords import ConnectKeywords
from ..proxy.proxy import FaultProxy
from ..server.orchestrator import Orchestrator
from .caller import HANGS_UP, Caller, CallTimeout
from .soak import VoiceSoak


@asynccontextmanager
async def open_call(
    url: str,
    *,
    silence: str = "sent",
    seed: int = 0,
    sound: str | Path | None = None,
    keep_audio: bool = False,
    **options: Unpack[ConnectKeywords],
) -> AsyncIterator[Caller]:
    """
    Open a connection and speak on it: ``async with voice.open_call(url) as caller:``.

    Args:
        url: of the agent.
        silence, seed, sound, keep_audio: see `Caller`.
        options: keywords of `connect`.

    Raises:
        OpeningError: if the connection did not open.
        TimeoutError: if its session was not confirmed.
        ValueError: for a protocol without audio, and a file that cannot be spoken.

    """
    audio_of(find(options.get("profile", "json")))
    options["inbox"] = 0
    connection = await connect(url, **options)
    try:
        if not await _confirmed(connection, SESSION_WITHIN):
            raise TimeoutError(f"open_call: the session was not confirmed within {SESSION_WITHIN:g} s")
        caller = Caller(connection, silence=silence, seed=seed, sound=sound, keep_audio=keep_audio)
        try:
            yield caller
        finally:
            await caller.stop()
            connection = caller.connection
    finally:
        await connection.close()


async def _confirmed(connection: Connection, within: float) -> bool:
    websocket = connection.websocket
    if not websocket.profile.has_session:
        return True
    await websocket.wait_session(connection.timeline.opened + within)
    return connection.timeline.session_confirmed_at is not None


async def hold_call(
    requirement: Requirement,
    asked: VoiceRequirement,
    script: Script,
    *,
    url: str,
    orchestrator: Orchestrator | None = None,
    through: Callable[[str], FaultProxy] | None = None,
    opened: Callable[[Connection], object] | None = None,
    keep_audio: bool = False,
    **options: Unpack[ConnectKeywords],
) -> VoiceSoak:
    """
    Open a connection, speak on it as a script says while it is held to a requirement, and judge both.

    Args:
        requirement: of the connection; an empty one: it has to live to the end of the conversation.
        asked: of the conversation.
        script: how the user speaks.
        url: of the agent.
        orchestrator: the one behind the URL, if it is ours.
        through: makes the proxy to hold the connection through, given the target; None for no proxy.
        opened: called with the connection once it is open.
        keep_audio: keep the agent's audio.
        options: keywords of `connect`.

    Raises:
        OpeningError: if the connection did not open.
        ValueError: for a protocol without audio, or without what is asked, and a file that cannot be spoken.

    """
    profile = find(options.get("profile", "json"))
    check_asked(asked, profile)
    check_script(script, requirement)
    held_open = opened_to_hold(url, requirement, orchestrator, through, opened, options)
    async with held_open as (connection, proxy):
        caller = Caller(
            connection, silence=script.silence, seed=script.seed, sound=script.sound, keep_audio=keep_audio,
            starts=False,
        )  # fmt: skip
        held = _Held(_of_conversation(requirement, profile), asked, script, caller)
        try:
            await held.hold()
            return held.soak(orchestrator, proxy)
        finally:
            await caller.stop()
            await caller.connection.close()


def check_asked(asked: VoiceRequirement, profile: Profile) -> None:
    """
    See that a protocol has what a conversation is to show.

    Raises:
        ValueError: if not, naming the keyword.

    """
    audio = audio_of(profile)
    profile.check_spoken_by(End.CLIENT)
    asked.check_fits(profile.name, answers=audio.answers, transcribes=audio.has(VoiceRole.FINAL))


def check_script(script: Script, requirement: Requirement) -> None:
    """
    See that a conversation has an end, and that it fits what its connection is held to.

    Raises:
        ValueError: if not, naming the keyword.

    """
    if script.turns is None and requirement.alive_for is None:
        raise ValueError("turns: how many? without alive_for nothing else ends the conversation")
    if script.reconnect_in is not None and requirement.alive_for is not None:
        raise ValueError(
            "reconnect_in: the connection is lost on purpose, so that it cannot be held with alive_for"
        )
    if script.reconnect_in is not None and script.turns is not None and script.reconnect_in > script.turns:
        raise ValueError(f"reconnect_in: {script.reconnect_in} is beyond the last of {script.turns} turns")


def _of_conversation(requirement: Requirement, profile: Profile) -> Requirement:
    """A conversation begins with its session, which has to be confirmed; marks in audio are no heartbeats."""
    if profile.audio is not None and profile.audio.plays_on and not profile.beats(End.CLIENT):
        requirement = dataclasses.replace(requirement, heartbeat_every=None, heartbeat_within=None)
    if not profile.has_session or requirement.session_within is not None:
        return requirement
    return dataclasses.replace(requirement, session_within=SESSION_WITHIN)


class _Held:
    """One conversation while it is held."""

    def __init__(
        self, requirement: Requirement, asked: VoiceRequirement, script: Script, caller: Caller
    ) -> None:
        self._requirement, self._asked, self._script, self._caller = requirement, asked, script, caller
        self._verdict: Verdict | None = None
        # Whether the script came to its end, well or not.
        self._ended = False

    async def hold(self) -> None:
        """Speak and hold, until both are over, or one of them has failed."""
        talk = asyncio.ensure_future(self._talk())
        tasks: list[asyncio.Future[None]] = [talk]
        if self._requirement.alive_for is not None:
            tasks.append(asyncio.ensure_future(self._hold()))
        try:
            pending = set(tasks)
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                if self._is_decided(talking=not talk.done()):
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._caller.connection.websocket.is_over:
            await self._caller.connection.both_ended()

    async def _talk(self) -> None:
        caller = self._caller
        within = self._requirement.session_within or SESSION_WITHIN
        if await _confirmed(caller.connection, within):
            caller.start()
            # What did not come stands in the call, and what ended in the timeline.
            with suppress(CallTimeout, ConnectionEnded):
                await caller.converse(self._script)
        self._ended = True

    async def _hold(self) -> None:
        self._verdict = await hold_open(self._caller.connection.websocket, self._requirement)

    def _is_decided(self, *, talking: bool) -> bool:
        """Whether a promise is broken; or the hold is over, and the script has no end of its own."""
        if self._verdict is not None and self._verdict.violations:
            return True
        if not talking:
            return any(isinstance(each, Violation) for each in self._findings())
        return self._verdict is not None and self._script.turns is None

    def _findings(self) -> list[Finding]:
        """What the conversation broke, or leaves in doubt."""
        caller, timeline = self._caller, self._caller.connection.timeline
        found = self._asked.findings(caller.call, caller.now, ended=self._ended)
        close = timeline.close
        lives = self._requirement.alive_for is None and not self._is_over_well(close)
        if lives and close is not None and not close.planned:
            headline = close.headline()
            expected = "the connection lives to the end of the conversation"
            found.insert(
                0, Violation(Rule.ALIVE, close.at, expected, f"{headline}: {close}", headline, str(close))
            )
        return list(_excused(found, caller.call, timeline, self._requirement))

    def _is_over_well(self, close: CloseEvidence | None) -> bool:
        """Whether the agent has hung up as it should when it had given its last answer."""
        call, turns = self._caller.call, self._caller.call.turns
        if close is None or close.code != HANGS_UP:
            return False
        return len(turns) == self._script.turns and all(answered(call, turn) for turn in turns)

    def _told(self) -> Sequence[Timeline]:
        """What was seen of the first connection that broke a promise before its loss; else of the latest."""
        broken = (each for each in self._caller.lost if _broke(self._requirement, each[0]))
        return next(broken, self._caller.connection.timelines)

    def soak(self, orchestrator: Orchestrator | None, proxy: FaultProxy | None) -> VoiceSoak:
        """What came of it."""
        caller, connection = self._caller, self._caller.connection
        caller.call.over(caller.now)
        timelines = self._told()
        verdict = judge(self._requirement, timelines[0])
        held = self._verdict if self._verdict is not None else verdict
        agent = None if orchestrator is None else orchestrator.agent_record(connection)
        if agent is not None:
            caller.call.told_by_agent(agent.turns)
        # What the connection broke comes first: it explains what the conversation lacks.
        findings: list[Finding] = [*held.violations, *held.doubts, *self._findings()]
        whole = Verdict.of(findings, horizon=max(held.horizon, caller.now), tier=timelines[0].tier)
        kept = caller.wav() if caller.received is not None else None
        return VoiceSoak(
            self._requirement, whole, timelines, url=connection.url, call=caller.call,
            duration=caller.now, origin=caller.origin, asked=self._asked, ended=self._ended,
            agent=agent, wav=kept,
            spins=getattr(connection.websocket.loop, "spins", ()), proxy=proxy,
        )  # fmt: skip


def _broke(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether a connection that was lost on purpose broke a promise, however few heartbeats it saw."""
    asked = dataclasses.replace(requirement, heartbeats_at_least=0)
    if peer_beats(timeline) and not timeline.heartbeats.sent:
        # The first may have been due later.
        asked = dataclasses.replace(
            asked, heartbeat_every=None, heartbeat_within=None, heartbeat_missed_max=0
        )
    return bool(judge(asked, timeline).violations)


def _excused(
    findings: Iterable[Finding], call: Call, timeline: Timeline, requirement: Requirement
) -> Iterable[Finding]:
    """Findings, those of them excused that the test's own loop, or the profile's functions, may have made."""
    incidents = Incidents(timeline)
    for each in findings:
        if isinstance(each, Doubt) or each.rule is Rule.ALIVE:
            yield each
            continue
        if unsaid := raised(requirement, timeline, until=each.at):
            each = dataclasses.replace(each, excuses=unsaid)
        if each.rule not in (Rule.FIRST_AUDIO, Rule.UNDERRUNS, Rule.BARGE_IN):
            yield each
            continue
        came = each.at
        if each.rule is Rule.UNDERRUNS and call.playout.underruns:
            came += call.playout.underruns[0].seconds
        elif each.rule is Rule.BARGE_IN:
            came += max(turn.stop_latency or 0.0 for turn in call.turns)
        yield dataclasses.replace(each, excuses=(*each.excuses, *incidents.late(came, came)))
