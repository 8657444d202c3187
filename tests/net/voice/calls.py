"""Spoken conversations in virtual time, with everything that may go wrong in them."""

from pytest_wsstability import Orchestrator, Requirement, connect, run_virtual
from pytest_wsstability.core.voice.requirement import VoiceRequirement
from pytest_wsstability.core.voice.script import Script
from pytest_wsstability.net.voice.caller import Caller
from pytest_wsstability.net.voice.holding import hold_call
from pytest_wsstability.voice import Pipeline

ASKED = {
    "turns": 6, "first_audio_within": "800ms", "underruns": 0, "barge_in_within": "300ms",
    "transcripts": True,
}  # fmt: skip
HELD = {"alive_for": "2m", "heartbeat_every": "5s", "heartbeat_within": "5s"}
SCRIPT = {"barge_ins": 0.2, "answer_within": "20s"}


def spoken(
    *, asked=None, held=None, script=None, known=True, profile="json", server=None, pipeline=None, **stages
):
    """
    A finished conversation with the orchestrator's agent.

    Args:
        asked, held, script: keywords of the conversation, of the connection, and of the script.
        known: whether the agent's own record and the server's timeline are looked at.
        profile: the protocol.
        server: further keywords of the orchestrator.
        pipeline: that of the agent; else made of ``stages``.

    """

    async def main():
        voice = pipeline or Pipeline(**stages)
        async with Orchestrator(profile=profile, voice=voice, **(server or {})) as orchestrator:
            wanted = VoiceRequirement.of(**(ASKED if asked is None else asked))
            return await hold_call(
                Requirement.of(**(HELD if held is None else held)), wanted,
                Script(turns=wanted.turns, **(SCRIPT if script is None else script)), url=orchestrator.url,
                orchestrator=orchestrator if known else None, profile=profile,
            )  # fmt: skip

    return run_virtual(main())


def with_caller(story, *, profile="json", voice=None, server=None, caller=None, **options):
    """What a story makes of a caller (and the orchestrator) on an open connection; in virtual time."""

    async def main():
        wanted = server or {}
        if "handler" not in wanted:
            wanted = {"voice": voice or Pipeline(), **wanted}
        async with Orchestrator(profile=profile, **wanted) as orchestrator:
            connection = await connect(orchestrator.url, profile=profile, inbox=0, **options)
            orchestrator.witness(connection)
            if connection.websocket.profile.has_session:
                await connection.assert_session_confirmed(within="5s")
            user = Caller(connection, **(caller or {}))
            try:
                return await story(user, orchestrator)
            finally:
                await user.stop()
                await user.connection.close()

    return run_virtual(main())
