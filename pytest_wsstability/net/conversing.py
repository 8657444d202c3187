"""What the ends of a connection say: a conversation for each, with what the test has to say about it."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable

from ..core.timeline.events import End
from ..profiles import Conversation, Profile, Resumption, Unwritable

# RFC 8259, section 6: whole numbers up to here are the same to every reader of JSON.
_LARGEST = 2**53 - 1


def client_conversation(
    profile: Profile,
    *,
    session_id: str | None,
    heartbeat: float | None,
    beats: bool,
    before: Resumption | None,
    loop: asyncio.AbstractEventLoop,
) -> Conversation:
    """
    What a client says.

    Raises:
        ValueError: for a session id that the protocol can't carry.

    """
    name = None if profile.words.server_names_session else session_id or _new_id(profile)
    conversation = Conversation(
        profile,
        End.CLIENT,
        session_id=name,
        interval=heartbeat,
        beats=beats,
        before=before if profile.keeps_session else None,
        epoch=_epoch(profile, loop),
    )
    if session_id is not None and name is not None:
        _check_session_id(profile, session_id)
    return conversation


def server_conversation(
    profile: Profile, *, interval: float | None, knows: Callable[[str], bool], loop: asyncio.AbstractEventLoop
) -> Conversation:
    """What a server says; it names the session where the client does not."""
    return Conversation(
        profile,
        End.SERVER,
        session_id=None if profile.words.client_names_session else _new_id(profile),
        interval=interval,
        knows=knows if profile.resume is not None else None,
        epoch=_epoch(profile, loop),
    )


def _new_id(profile: Profile) -> str:
    if profile.new_session_id is not None:
        return profile.new_session_id()
    return str(random.randint(1, _LARGEST)) if profile.words.session_is_number else str(uuid.uuid4())


def _epoch(profile: Profile, loop: asyncio.AbstractEventLoop) -> float | None:
    """Seconds since 1970 at the loop's instant 0; None where nobody says what time it is."""
    return time.time() - loop.time() if profile.words.tells_time else None


def _check_session_id(profile: Profile, session_id: str) -> None:
    """Refuse what no message can carry, before it is too late to say so."""
    try:
        session_id.encode()
        profile.words.check_session_id(session_id)
    except UnicodeEncodeError as exc:
        raise ValueError(
            f"session_id: {session_id!r} cannot be sent in UTF-8: {exc.reason} at position {exc.start}"
        ) from None
    except Unwritable as exc:
        raise ValueError(f"session_id: {exc}") from None
