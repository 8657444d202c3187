"""Spoken conversations: an agent's pipeline, a caller, and what they have to show."""

from .core.call_summary import Turn
from .core.voice.audio import AudioFormat, Encoding
from .core.voice.call import Call
from .core.voice.failure import VoiceError
from .core.voice.pipeline import Pipeline, Stage
from .core.voice.requirement import VoiceRequirement
from .core.voice.script import Script
from .core.voice.sound import WrongSound
from .core.voice.stage_faults import (
    BlocksLoop,
    BlocksReading,
    Crashes,
    DropsAudio,
    Floods,
    LosesContext,
    MixesSessions,
    ReordersAudio,
    Slow,
    Stalled,
)
from .net.voice.caller import Caller, CallTimeout
from .net.voice.holding import hold_call, open_call
from .net.voice.soak import VoiceSoak
from .profiles import RAW, Audio

__all__ = [
    "RAW",
    "Audio",
    "AudioFormat",
    "BlocksLoop",
    "BlocksReading",
    "Call",
    "CallTimeout",
    "Caller",
    "Crashes",
    "DropsAudio",
    "Encoding",
    "Floods",
    "LosesContext",
    "MixesSessions",
    "Pipeline",
    "ReordersAudio",
    "Script",
    "Slow",
    "Stage",
    "Stalled",
    "Turn",
    "VoiceError",
    "VoiceRequirement",
    "VoiceSoak",
    "WrongSound",
    "hold_call",
    "open_call",
]
