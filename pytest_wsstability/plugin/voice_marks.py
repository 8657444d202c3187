"""What the ws_voice markers of a test say, checked: of the conversation, and of how the caller speaks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.judge.requirement import Requirement
from ..core.timeline.events import End
from ..core.voice.pipeline import Pipeline
from ..core.voice.requirement import VoiceRequirement
from ..core.voice.script import Script, ScriptKeywords
from ..net.voice.caller import read_sound
from ..net.voice.holding import check_asked, check_script
from ..profiles.catalogue import audio_of
from .asked import Plan, VoiceAsked
from .markers import VOICE
from .plans import merged, orchestrator_of, plan_of, target_of
from .project_fixtures import our_fixtures
from .settings import TargetKind
from .stash import voice_key

if TYPE_CHECKING:
    import pytest


def voice_of(item: pytest.Item) -> VoiceAsked | None:
    """
    What the ws_voice markers of a test say; None where it has no spoken conversation.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """
    if voice_key not in item.stash:
        item.stash[voice_key] = _voice(item)
    return item.stash[voice_key]


def with_agent(item: pytest.Item, options: dict[str, Any]) -> dict[str, Any]:
    """The keywords of the reference orchestrator of a test, which has to answer where somebody speaks."""
    asked = VOICE in our_fixtures(item) and {"voice", "handler", "echo"}.isdisjoint(options)
    return {**options, "voice": Pipeline()} if asked else options


def _voice(item: pytest.Item) -> VoiceAsked | None:
    marked = item.get_closest_marker(VOICE) is not None
    if VOICE not in our_fixtures(item):
        if marked:
            raise ValueError(f"{VOICE}: the test does not use the fixture {VOICE}")
        return None
    if not marked:
        raise ValueError(f"{VOICE}: what has it to show? give the test a {VOICE} marker, such as turns=20")
    plan = plan_of(item)
    if plan.traffic is not None:
        raise ValueError(f"traffic: with the fixture {VOICE} the caller talks")
    asked = _read(merged(item, VOICE), plan, folder=item.path.parent)
    is_reference = target_of(item).kind is TargetKind.REFERENCE
    if is_reference and "voice" in with_agent(item, orchestrator_of(item)):
        plan.profile.check_spoken_by(End.SERVER)
    return asked


def _read(values: dict[str, Any], plan: Plan, *, folder: Path) -> VoiceAsked:
    """
    The conversation of a mark.

    Args:
        values: its keywords.
        plan: what else the test asks for.
        folder: of the test's file, from which a WAV file is looked for.

    """
    script = {name: values.pop(name) for name in ScriptKeywords.__annotations__ if name in values}
    try:
        asked = VoiceRequirement.of(**values)
    except TypeError as exc:
        raise TypeError(f"{exc}, {', '.join(ScriptKeywords.__annotations__)}") from None
    audio = audio_of(plan.profile)
    check_asked(asked, plan.profile)
    if asked.barge_in_within is not None:
        # Nobody can stop for a user who never speaks over it.
        script.setdefault("barge_ins", 0.2)
    if script.get("sound") is not None:
        path = folder / str(script["sound"])
        script["sound"] = str(path)
        read_sound(path, audio.format)
    made = Script(turns=asked.turns, **script)
    check_script(made, plan.requirement or Requirement())
    return VoiceAsked(asked=asked, script=made)
