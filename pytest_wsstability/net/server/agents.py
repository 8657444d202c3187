"""The voice agents of one server: one for each connection, and a dialogue for each session."""

from __future__ import annotations

from collections.abc import Callable

from ...core.timeline.events import End
from ...core.voice.agent_record import AgentRecord
from ...core.voice.pipeline import Pipeline
from ...core.voice.sound import noise
from ...core.voice.stage_faults import LosesContext, MixesSessions
from ...profiles import Audio, Profile, VoiceRole
from ...profiles.catalogue import audio_of
from ..connection import Connection
from .agent import Agent, Dialogue


class VoiceAgents:
    """The agents of one server: one for each connection, and a dialogue for each session."""

    def __init__(self, pipeline: Pipeline, audio: Audio, block: Callable[[float], object]) -> None:
        """
        No agent yet.

        Args:
            pipeline: how they answer.
            audio: the messages of the protocol.
            block: keeps the server's event loop for so many seconds.

        """
        self.pipeline, self.audio, self.block = pipeline, audio, block
        # Before anybody waits for an answer: the first time it takes 20 ms.
        noise(pipeline.seed, audio.down)
        self._dialogues: dict[str, Dialogue] = {}
        self._agents: dict[Connection, Agent] = {}
        self._error: BaseException | None = None

    @classmethod
    def of(cls, pipeline: Pipeline, profile: Profile, block: Callable[[float], object]) -> VoiceAgents:
        """
        The agents of a server that speaks a protocol.

        Raises:
            TypeError, ValueError: for what is no pipeline, a protocol without audio or with messages that can
                only be read, and faults that nobody could see in it, naming them.

        """
        if not isinstance(pipeline, Pipeline):
            raise TypeError(f"voice: {pipeline!r} is no pipeline; give voice.Pipeline(...)")
        try:
            audio = audio_of(profile)
            profile.check_spoken_by(End.SERVER)
        except ValueError as exc:
            raise ValueError(f"voice: {exc}") from None
        for name, fault in pipeline.faults:
            if isinstance(fault, MixesSessions) and "session_id" not in audio.names(VoiceRole.ANSWER):
                raise ValueError(
                    f"voice: {fault!r} of {name.value}: audio of the profile {profile.name!r} does not say "
                    "whose it is"
                )
        return cls(pipeline, audio, block)

    def start(self, connection: Connection) -> None:
        """A connection is open."""
        self._agents[connection] = Agent(self, connection)

    def part(self, connection: Connection, part: Callable[[], None]) -> None:
        """The client of a connection goes."""
        self._agents[connection].part(part)

    def stop(self, connection: Connection) -> None:
        """A connection has ended."""
        agent = self._agents.get(connection)
        if agent is not None:
            agent.stop()

    def dialogue(self, session_id: str | None) -> tuple[Dialogue, bool]:
        """That of a session, and whether it was known; a new one where the session has no name."""
        known = self._dialogues.get(session_id) if session_id is not None else None
        if known is not None and not any(isinstance(each, LosesContext) for each in self.pipeline.ai.faults):
            return known, True
        made = Dialogue()
        if known is not None:
            made.record.forgot = known.turns
            made.record.turns = known.record.turns
        if session_id is not None:
            self._dialogues[session_id] = made
        return made, False

    def record(self, connection: Connection) -> AgentRecord | None:
        """What the agent of a connection (the server's end) knows of its session; None if it is not ours."""
        agent = self._agents.get(connection)
        return None if agent is None else agent.record

    def failed(self, error: BaseException) -> None:
        """Something raised that nobody asked for."""
        self._error = self._error or error

    def finish(self) -> None:
        """
        The server stops.

        Raises:
            BaseException: what an agent raised by itself, the first.

        """
        for agent in self._agents.values():
            agent.stop()
        error, self._error = self._error, None
        if error is not None:
            raise error
