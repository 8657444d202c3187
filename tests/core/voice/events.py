"""A call of a script of what happened when."""

from functools import partial

from pytest_wsstability.core.voice.call import Call


def call(*events, **options):
    """A call of ``(at, what, *arguments)``; options are those of `Call`."""
    made = Call(**options)
    for at, what, *rest in events:
        match what:
            case "speak":
                made.speech_began(at)
            case "hush":
                made.speech_ended(at)
            case "partial" | "final" | "blank":
                made.transcript(at, final=what != "partial", is_empty=what == "blank")
            case "token":
                made.token(at)
            case "tool":
                made.tool_called(at)
            case "audio":
                made.audio(at, *rest)
            case "chunk":
                made.audio(at, 0.1, sequence=rest[0])
            case "done":
                made.turn_done(at)
            case "interrupted":
                made.interrupted(at)
            case "back":
                made.came_back(at, at)
            case "over":
                made.over(at)
            case "quiet":
                made.fell_quiet(at)
            case "given up":
                made.give_up(at)
            case "malformed":
                made.malformed_audio(at, *rest)
            case "unknown":
                made.unknown_message(partial(str, rest[0]), *rest[1:])
            case "foreign":
                made.foreign(at, *rest)
    return made
