"""What an application says on its WebSocket, as data, for both ends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.timeline.events import Role

# A JSON object that must contain these members, or the exact text or bytes of a message.
Message = Mapping[str, Any] | str | bytes

# A function that gives the number or the id of an application message, or None.
Sequence = Callable[[str | bytes], int | str | None]

# Stands for the session's id in a JSON template.
SESSION_ID = "{session_id}"

# Session steps and heartbeats are short; parsing an audio frame's JSON fifty times a second is not.
_MAX_PARSED = 16 * 1024

_ROLES = {
    "ping": Role.HEARTBEAT,
    "pong": Role.HEARTBEAT_ANSWER,
    "session_info": Role.SESSION_INFO,
    "session_confirmed": Role.SESSION_CONFIRMED,
    "greeting": Role.GREETING,
    "notice": Role.NOTICE,
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """
    The messages of an application protocol; None where it has no such message.

    A message is a JSON object as a mapping, or exact text or bytes. A received object matches when it
    has every member of the template; ``SESSION_ID`` as a value stands for the session's id. A team
    whose pong is ``{"op": "PONG"}`` writes ``JSON.replace(name="ours", pong={"op": "PONG"})``.

    """

    name: str
    # Server to client, right after the opening handshake.
    greeting: Message | None = None
    # Client to server: after the greeting, or at once where there is none.
    session_info: Message | None = None
    # Server to client; a profile without it has no session.
    session_confirmed: Message | None = None
    # Client to server, and the answer; None: heartbeats are protocol pings.
    ping: Message | None = None
    pong: Message | None = None
    # What tells an application message from its neighbours, so that lost and repeated ones are counted: the
    # name of a member of JSON messages, or a function of a message that gives a whole number, an id, or None.
    sequence: str | Sequence | None = None
    # Server to client: the connection will end soon ("go away"), and that end is planned.
    notice: Message | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"profile name: {self.name!r} is not a name")
        if (self.ping is None) != (self.pong is None):
            raise ValueError(f"profile {self.name!r}: ping and pong come together, or both are None")
        if (self.session_info is None) != (self.session_confirmed is None):
            raise ValueError(f"profile {self.name!r}: session_info and session_confirmed come together")
        if self.sequence is not None and not callable(self.sequence) and not _is_name(self.sequence):
            raise ValueError(
                f"profile {self.name!r}: sequence is {self.sequence!r}; give the name of a JSON member, or a "
                "function of a message"
            )
        for field in _ROLES:
            message = getattr(self, field)
            if message is not None and (not isinstance(message, Mapping | str | bytes) or not message):
                raise ValueError(
                    f"profile {self.name!r}: {field} is {message!r}; give a JSON object as a mapping, "
                    "exact text or bytes, or None"
                )
            if isinstance(message, Mapping) and not _is_json(message):
                raise ValueError(f"profile {self.name!r}: {field} is {message!r}, which JSON cannot say")
        self._forbid_twins()
        exact = {message: role for message, role in self._messages() if not isinstance(message, Mapping)}
        templates = [(message, role) for message, role in self._messages() if isinstance(message, Mapping)]
        object.__setattr__(self, "_exact", exact)
        object.__setattr__(self, "_templates", templates)
        object.__setattr__(self, "_by_role", {role: message for message, role in self._messages()})
        # A heartbeat is the same text each time: looked up, it costs a tenth of writing and parsing it.
        fixed = {role: self.write(each) for each, role in self._messages() if not _names_session(each)}
        object.__setattr__(self, "_fixed", fixed)
        for template, role in templates:
            if role in fixed:
                for text in (fixed[role], json.dumps(template)):
                    exact[text] = self.read(text)[0]

    def _messages(self) -> list[tuple[Message, Role]]:
        messages = ((getattr(self, field), role) for field, role in _ROLES.items())
        return [(message, role) for message, role in messages if message is not None]

    def _forbid_twins(self) -> None:
        fields = [field for field in _ROLES if getattr(self, field) is not None]
        for index, field in enumerate(fields):
            for other in fields[:index]:
                if getattr(self, field) == getattr(self, other):
                    raise ValueError(
                        f"profile {self.name!r}: {other} and {field} are the same message, "
                        "so a received one could be either"
                    )

    @property
    def has_session(self) -> bool:
        """Whether a session is announced and confirmed."""
        return self.session_info is not None

    @property
    def heartbeat_is_frame(self) -> bool:
        """Whether the heartbeat is a protocol ping and not a message."""
        return self.ping is None

    def message(self, role: Role) -> Message | None:
        """The message of a role; None where the profile has none."""
        return self._by_role.get(role)  # type: ignore[attr-defined, no-any-return]

    def replace(self, **changes: Any) -> Profile:
        """A copy with other messages, or another name."""
        return dataclasses.replace(self, **changes)

    def read(self, payload: str | bytes) -> tuple[Role, str | None]:
        """
        What a message is for.

        Returns:
            Its role (``DATA`` for what is not the profile's), and the session id that it carries.

        """
        role = self._exact.get(payload)  # type: ignore[attr-defined]
        if role is not None:
            return role, None
        if not self._templates or len(payload) > _MAX_PARSED or isinstance(payload, bytes):  # type: ignore[attr-defined]
            return Role.DATA, None
        if not payload.lstrip().startswith("{"):
            return Role.DATA, None
        try:
            found = json.loads(payload)
        except (ValueError, RecursionError):
            return Role.DATA, None
        for template, role in self._templates:  # type: ignore[attr-defined]
            matches, session_id = _match(template, found)
            if matches:
                return role, session_id
        return Role.DATA, None

    def number(self, payload: str | bytes) -> int | str | None:
        """
        The number or id of an application message; None if it carries none.

        Raises:
            TypeError: if it is neither.

        """
        if callable(self.sequence):
            number = self.sequence(payload)
        elif self.sequence is None or isinstance(payload, bytes) or f'"{self.sequence}"' not in payload:
            return None
        else:
            try:
                found = json.loads(payload)
            except (ValueError, RecursionError):
                return None
            number = found.get(self.sequence) if isinstance(found, dict) else None
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | str)):
            raise TypeError(f"{number!r} is no whole number and no id")
        return number

    def say(self, role: Role, session_id: str | None = None) -> str | bytes | None:
        """The bytes or text of the message of a role; None where the profile has none."""
        fixed = self._fixed.get(role)  # type: ignore[attr-defined]
        if fixed is not None:
            return fixed  # type: ignore[no-any-return]
        message = self.message(role)
        return None if message is None else self.write(message, session_id)

    def write(self, message: Message, session_id: str | None = None) -> str | bytes:
        """The bytes or text of one of this profile's messages."""
        if not isinstance(message, Mapping):
            return message
        filled = {name: session_id if value == SESSION_ID else value for name, value in message.items()}
        # As a page's JSON.stringify writes it.
        return json.dumps(filled, separators=(",", ":"), ensure_ascii=False)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _names_session(message: Message) -> bool:
    return isinstance(message, Mapping) and SESSION_ID in message.values()


def may_name_session(value: Any) -> bool:
    """Whether a member of a message may be a session's id: text or a whole number; None says nothing."""
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def _is_json(message: Mapping[str, Any]) -> bool:
    """Whether a template comes back from JSON as it went in: with text keys, lists, no bytes, no NaN."""
    try:
        return bool(json.loads(json.dumps(dict(message), allow_nan=False)) == dict(message))
    except (TypeError, ValueError):
        return False


def _match(template: Mapping[str, Any], found: Any) -> tuple[bool, str | None]:
    if not isinstance(found, dict):
        return False, None
    session_id = None
    for name, value in template.items():
        if value == SESSION_ID and (name in found or len(template) > 1):
            # Servers may confirm without repeating the id, where something else tells the message.
            given = found.get(name)
            if not may_name_session(given):
                return False, None
            session_id = str(given) if given is not None else None
        elif name not in found or found[name] != value:
            return False, None
    return True, session_id
