"""The pages that are made from the profiles, and their list: `python -m tests.profiles_page` writes them."""

from __future__ import annotations

import sys
from pathlib import Path

from pytest_wsstability.core.duration import show_duration as show
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolTimer
from pytest_wsstability.profiles import Profile
from pytest_wsstability.profiles.catalogue import SHIPPED, find

PAGE = Path(__file__).parent.parent / "docs/profiles.md"
FOLDER = PAGE.with_suffix("")
BEGIN = "<!-- from here on: python -m tests.profiles_page -->\n"
_ENDS = {1005: "an empty close frame", 1006: "no close frame"}


def shipped() -> str:
    """The list of them, below the mark."""
    profiles = [find(name) for name in SHIPPED]
    rows = [
        f"| [`{each.name}`](profiles/{each.name}.md) | {each.title} | {_proved(each)} |" for each in profiles
    ]
    names = "\n".join(f"profiles/{each.name}" for each in profiles)
    return "\n".join([
        "## Shipped", "", "| profile | protocol | proved with |", "|---|---|---|", *rows, "",
        f"```{{toctree}}\n:hidden:\n\n{names}\n```", "",
    ])  # fmt: skip


def pages() -> dict[str, str]:
    """Names of files in docs/profiles/, and what stands in them."""
    return {f"{name}.md": _page(find(name)) for name in SHIPPED}


def _proved(profile: Profile) -> str:
    return ", ".join(profile.proved_with) or "nothing of other makers: transcripts and our own tests"


def _page(profile: Profile) -> str:
    rows = [
        ("specification", profile.specification),
        ("heartbeat", _heartbeat(profile)),
        ("interval", "as the test says" if profile.interval is None else show(profile.interval)),
        ("session", _session(profile)),
        ("subprotocol", ", ".join(f"`{name}`" for name in profile.subprotocols)),
        ("query", "&".join(f"{name}={value}" for name, value in profile.query.items())),
        ("audio", _audio(profile)),
        ("goodbye", _goodbye(profile)),
        ("maximum age", "" if profile.max_age is None else show(profile.max_age)),
        ("proved with", _proved(profile)),
    ]
    lines = [f"# `{profile.name}`: {profile.title}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows if text]
    if profile.timers:
        lines += [
            "",
            "| timer | run by | waits for | length | ends with | source |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_timer(timer) for timer in profile.timers]
    if profile.codes:
        lines += ["", "| code | sent by | means |", "|---|---|---|"]
        lines += [
            f"| {code.code} | {code.by.value if code.by else 'either'} | {code.meaning} |"
            for code in profile.codes
        ]
    return "\n".join([*lines, ""])


def _heartbeat(profile: Profile) -> str:
    if profile.shape is HeartbeatShape.PING_FRAMES:
        return "ping frames of the client"
    who = {"client": "the client sends", "server": "the server sends", "both": "each end sends"}
    answered = "answered" if profile.shape is HeartbeatShape.ANSWERED else "never answered"
    return f"{who[profile.heartbeats_from]}; {answered}"


def _goodbye(profile: Profile) -> str:
    if profile.goodbye is None:
        return ""
    answered = "is answered" if profile.goodbye_answer is not None else "is not answered"
    code = profile.goodbye_code
    end = "stays open" if code is None else f"ends with {_ENDS.get(code, code)}"
    return f"the client's {answered}; the connection then {end}"


def _session(profile: Profile) -> str:
    if profile.session_info is None and profile.session_confirmed is None:
        return "none"
    told = "confirmed" if profile.has_session else "not confirmed"
    if profile.words.server_names_session:
        named = "named by the server"
    elif "session_id" in profile.words.names("session_info"):
        named = "named by the client"
    else:
        named = "without a name"
    kept = "a client can come back to it" if profile.keeps_session else "each connection has its own"
    return f"{told}, {named}; {kept}"


def _audio(profile: Profile) -> str:
    audio = profile.audio
    if audio is None:
        return ""
    turns = "the client says when speech ends" if audio.speech_end is not None else "speech ends by silence"
    turns += ", or silence does" if audio.speech_end is not None and audio.endpointing else ""
    texts = "transcripts come back" if audio.final is not None else "no transcripts"
    down = f"{audio.down} down" if audio.answers else "nothing down"
    return f"{audio.format} up, {down}; {turns}; {texts}"


def _timer(timer: ProtocolTimer) -> str:
    if timer.intervals is not None:
        length = f"{timer.intervals:g} interval{'s' if timer.intervals != 1 else ''}" + (
            " and the timeout" if timer.and_timeout else ""
        )
    else:
        length = show(timer.seconds or 0.0)
    codes = [_ENDS.get(code, str(code)) for code in (timer.code, *timer.also)]
    who = "server" if timer.by is End.SERVER else "client"
    return (
        f"| {timer.name} | {who} | {timer.awaits.value} | {length} | {' or '.join(codes)} | {timer.source} |"
    )


if __name__ == "__main__":
    head = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(head + BEGIN + "\n" + shipped())
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.md"):
        stale.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
    sys.stdout.write(f"{PAGE.name} and {FOLDER.name}/ are written\n")
