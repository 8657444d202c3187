"""A profile's messages, ready to be read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..core.timeline.events import End, Role
from ..core.timeline.flaws import Flaw
from .message_index import MessageIndex
from .messages import Message, Prefixed, wordings
from .placeholders import SAMPLE, Unsaid, Unwritable, Values
from .records import Records, Split
from .speech import Heard, Problem, key_of
from .templates import Free
from .wording import Parsed, Wording, json_of

_C, _S = End.CLIENT, End.SERVER
_BOTH = frozenset({_C, _S})
SENDERS = {"client": frozenset({_C}), "server": frozenset({_S}), "both": _BOTH}
# One message, or several that mean the same: the first is the one that is written.
Messages: TypeAlias = Message | tuple[Message, ...] | None
# Who sends what, and what it is for; heartbeats aside, whose senders differ.
FIELDS: dict[str, tuple[End, Role]] = {
    "session_info": (_C, Role.SESSION_INFO),
    "resume": (_C, Role.SESSION_INFO),
    "session_confirmed": (_S, Role.SESSION_CONFIRMED),
    "resumed": (_S, Role.SESSION_CONFIRMED),
    "session_refused": (_S, Role.SESSION_REFUSED),
    "resume_refused": (_S, Role.SESSION_REFUSED),
    "token": (_S, Role.STEP),
    "greeting": (_S, Role.GREETING),
    "heartbeat_request": (_S, Role.HEARTBEAT_REQUEST),
    "notice": (_S, Role.NOTICE),
    "error": (_S, Role.ERROR),
    "goodbye": (_C, Role.GOODBYE),
    # To a client it is a message like any other.
    "goodbye_answer": (_S, Role.DATA),
}
# Placeholders that write the same value in other words.
_SAME_VALUE = {
    "text_id": "id", "session_number": "session_id", "now_text": "now", "interval_ms": "interval",
    "timeout_ms": "timeout",
}  # fmt: skip
# The messages that a session begins with, one after the other.
_FIELD_OF = {field: FIELDS[field][1] for field in ("greeting", "session_info", "session_confirmed")}
_DATA = Heard(Role.DATA)
_FIRST = frozenset({Role.GREETING, Role.STEP})
# These are called the same in many protocols (``{"type":"error"}``, ``{"op":7}``).
_ANYBODYS = frozenset({Role.ERROR, Role.NOTICE, Role.HEARTBEAT_REQUEST})


@dataclass(frozen=True, slots=True)
class SessionStep:
    """A message of the session's handshake besides the greeting, session_info and session_confirmed."""

    by: End
    message: Message

    def __post_init__(self) -> None:
        if not isinstance(self.by, End):
            raise ValueError(f"a step is said by {self.by!r}; give End.CLIENT or End.SERVER")


class KnownMessage(NamedTuple):
    """One message of a profile, with who sends it and what it is for."""

    field: str
    sender: End
    role: Role
    wording: Wording
    step: int | None = None

    @property
    def names(self) -> frozenset[str]:
        """The placeholders in it, those that write the same value in other words as one."""
        return frozenset(_SAME_VALUE.get(name, name) for name in self.wording.names)

    @property
    def resumes(self) -> bool:
        """Whether it is for a client that comes back."""
        return self.field in ("resume", "resumed", "resume_refused")


class Words:
    """
    What the messages of a profile mean, and how they are written.

    Attributes:
        script: what both ends say in turn, up to session_info: who, its role, which of the steps.
        interval_is_named: the server says how often heartbeats are sent, or both ends do.
        names_interval: the server's messages have a place for it.
        names_timeout: and for how long an answer is waited for.
        session_is_number: some message has a number for the session's id.
        client_names_session: the client's session_info has a place for the session's id.
        server_names_session: the server chooses the session's id, and not the client.
        uses_sequence: the last number received is sent.
        tells_time: some message says what time it is.
        channel: the names of what a client joins and the server confirms, of which there may be several.
        fixed: messages that never change, by role, step, and whether they are for a client that comes back.
        is_counted_anew: a function writes the id of a heartbeat, and may count in one byte.
        are_fixed: no message has to remember more than how far the handshake is.

    """

    __slots__ = (
        "_binary_json", "_client", "_foreign", "_known", "_longest", "_names", "_readers",
        "_records", "_server", "_stream", "_told_by_client", "_told_by_server", "_written",
        "are_fixed", "channel", "client_names_session", "fixed", "interval_is_named", "is_counted_anew",
        "names_interval", "names_timeout", "script", "server_names_session", "session_is_number",
        "tells_time", "uses_sequence",
    )  # fmt: skip

    def __init__(
        self,
        messages: Mapping[str, Messages],
        steps: Sequence[SessionStep] = (),
        *,
        heartbeats_from: str,
        records: str | Split | None = None,
        match_ids: bool = False,
        agrees: bool = False,
        binary_json: bool = False,
        foreign: Mapping[str, Message] | None = None,
        stream: str | None = None,
    ) -> None:
        """
        The words of a profile, by its fields.

        Args:
            messages: by the names of `FIELDS`, and "ping" and "pong".
            steps: further messages of the session's handshake.
            heartbeats_from: one of `SENDERS`.
            records: the text that ends each message, or a function that cuts them.
            match_ids: answers are told by their ids alone.
            agrees: both ends name intervals.
            binary_json: JSON comes in binary frames too.
            foreign: what only a server of another version says, by the words for it.
            stream: how the client's frames of audio begin, which are none of these messages.

        Raises:
            ValueError: for a message that makes no sense, or two that can't be told apart.

        """
        self._records = records if isinstance(records, str) else ""
        self._binary_json, self._stream = binary_json, stream
        self._known = _known(messages, steps, SENDERS[heartbeats_from])
        _see_that_each_is_read(self._known, records)
        _see_that_ids_are_asked(self._known, match_ids)
        _forbid_twins(self._known, match_ids)
        self._foreign = [
            (words, each)
            for words, message in (foreign or {}).items()
            for each in _wordings("foreign", message)
        ]
        self._readers = {end: _readers(self._known, end) for end in _BOTH}
        self._told_by_client, self._told_by_server = (
            MessageIndex([(each.wording, each) for each in self._readers[end]]) for end in (_C, _S)
        )
        # The first of several messages that mean the same is the one that is written.
        first = {each.field: each for each in reversed(self._known)}.values()
        self._written = {(each.role, each.step, each.resumes): each for each in first}
        self._names: dict[str, frozenset[str]] = {}
        for each in self._known:
            self._names[each.field] = self.names(each.field) | each.names
        # A heartbeat is the same text each time: looked up, it costs a tenth of writing and parsing it.
        self.fixed = {
            key: self._text(each, {}) for key, each in self._written.items() if each.wording.is_fixed
        }
        self._client, self._server = self._fixed_texts(_C), self._fixed_texts(_S)
        self._longest = max(map(len, (*self._client, *self._server)), default=0)
        # A step may come again: it is known by where the handshake is, and written as before.
        self._describe(agrees, [steps.index(each) for each in steps])

    def _fixed_texts(self, sender: End) -> dict[str | bytes, Heard]:
        """What messages that never change mean, by their text."""
        exact: dict[str | bytes, Heard] = {}
        for each in self._known:
            if not each.wording.is_fixed:
                continue
            texts = {each.wording.write({})}
            if isinstance(each.wording.source, Mapping | list):
                texts.add(json.dumps(each.wording.source))
            for text in texts:
                heard = self._read(text, sender)
                if heard.problem is None and heard.role is not Role.DATA:
                    exact[text] = heard
        return exact

    def _describe(self, agrees: bool, order: list[int]) -> None:
        places = {_FIELD_OF[each.field]: each for each in self._known if each.field in _FIELD_OF}
        script = [places[role] for role in (Role.GREETING,) if role in places]
        steps = {each.step: each for each in self._known if each.step is not None}
        script += [steps[index] for index in order]
        # Without session_info the server confirms by itself.
        script += [places[role] for role in (Role.SESSION_INFO, Role.SESSION_CONFIRMED) if role in places][:1]
        self.script = tuple((each.sender, each.role, each.step) for each in script)
        told = self.names("greeting") | self.names("session_confirmed")
        told = told.union(*(self.names(each.field) for each in steps.values() if each.sender is _S))
        self.names_interval, self.names_timeout = "interval" in told, "timeout" in told
        self.interval_is_named = self.names_interval or agrees
        self.session_is_number = any("session_number" in each.wording.names for each in self._known)
        self.client_names_session = "session_id" in self.names("session_info")
        self.server_names_session = "session_id" in told and not self.client_names_session
        self.tells_time = any("now" in names for names in self._names.values())
        self.uses_sequence = "sequence" in self.names("ping") | self.names("resume")
        self.channel = self._carried("session_info") & self._carried("session_confirmed")
        self.is_counted_anew = any(each.field == "ping" and each.wording.is_function for each in self._known)
        # What a function says is known when it has said it; what a peer names first, this end may say later.
        told_later = any(
            each.wording.is_function or (each.role in _FIRST and _named(each.wording.source))
            for each in self._known
        )
        self.are_fixed = not (told_later or self.channel) and not frozenset().union(*self._names.values()) - {
            "session_id",
            "any",
        }

    def _carried(self, field: str) -> frozenset[str]:
        """What a message says under a name of the profile's own, which its answer carries back."""
        ours = (_named(each.wording.source) for each in self._known if each.field == field)
        return frozenset().union(*ours)

    def names(self, field: str) -> frozenset[str]:
        """The placeholders in a message, by its field."""
        return self._names.get(field, frozenset())

    def has(self, role: Role) -> bool:
        """Whether there is a message for a role, one of several steps aside."""
        return (role, None, False) in self._written

    def hear(self, payload: str | bytes, sender: End) -> Heard:
        """What a message of an end is for; ``DATA`` for what is not the profile's."""
        if sender is _C and self._stream and type(payload) is str and payload.startswith(self._stream):
            return _DATA
        # Of what is longer than all of them, as audio is, not even the hash is worth its time.
        if len(payload) <= self._longest:
            heard = (self._client if sender is _C else self._server).get(payload)
            if heard is not None:
                return heard
        return self._read(payload, sender)

    def _read(self, payload: str | bytes, sender: End) -> Heard:
        message = Parsed(self.as_text(payload))
        if sender is _S:
            for words, foreign in self._foreign:
                if foreign.read(message) is not None:
                    return Heard(Role.NONE, problem=Problem(Flaw.VERSION, f"{payload[:60]!r}: {words}"))
        for _, each in (self._told_by_client if sender is _C else self._told_by_server).possible(message):
            try:
                values = each.wording.read(message)
            except Exception as exc:
                # The user's function runs here.
                detail = f"{each.field} raised {exc!r} for {payload[:60]!r}"
                return Heard(Role.DATA, problem=Problem(Flaw.FUNCTION, detail))
            if values is not None:
                twin = None if each.wording.is_writable else self._twin(each, message, sender)
                if twin is not None:
                    detail = f"{each.field} and {twin.field} both match {payload[:60]!r}"
                    return Heard(Role.DATA, problem=Problem(Flaw.FUNCTION, detail))
                session_id = values.get("session_id")
                return Heard(
                    each.role,
                    key_of(values),
                    session_id,
                    values or None,
                    step=each.step,
                    resumes=each.resumes,
                )
        return _DATA

    def _twin(self, known: KnownMessage, message: Parsed, sender: End) -> KnownMessage | None:
        """Another message that can only be read and reads the same; None if there is none."""
        others = (each for each in self._readers[sender] if not each.wording.is_writable)
        fits = (
            each
            for each in others
            if each.sender is known.sender
            and (each.role, each.step) != (known.role, known.step)
            and _is_read(each.wording, message.payload)
        )
        return next(fits, None)

    def as_text(self, payload: str | bytes) -> str | bytes:
        """JSON as text, where it may come as bytes."""
        if not self._binary_json or isinstance(payload, str):
            return payload
        try:
            return payload.decode()
        except UnicodeDecodeError:
            return payload

    def as_json_text(self, payload: str | bytes) -> str | bytes:
        """The same, of JSON alone: other bytes may be audio, of which silence is text too."""
        text = self.as_text(payload)
        return payload if text is not payload and json_of(text) is None else text

    def telling(self, payload: str | bytes, sender: End) -> int:
        """How many parts of a message of an end are fixed by the profile; 0 for what may be anybody's."""
        message = Parsed(self.as_text(payload))
        ours = (
            each for each in self._readers[sender] if each.sender is sender and each.role not in _ANYBODYS
        )
        found = (each for each in ours if each.wording.read(message) is not None)
        return max((each.wording.telling(message) for each in found), default=0)

    def write(
        self, role: Role, values: Values, *, step: int | None = None, resumes: bool = False
    ) -> str | bytes:
        """
        The text or bytes of a message.

        Args:
            role: what it is for.
            values: what stands for its placeholders.
            step: which of the profile's steps it is.
            resumes: it resumes a session, or confirms that one is resumed.

        Raises:
            Unwritable: if there is no such message, or it can't be written; `Unsaid` if it is not to be.

        """
        known = self._written.get((role, step, resumes))
        if known is None:
            raise Unwritable(f"there is no message for {role.name.lower()}")
        return self._text(known, values)

    def _text(self, known: KnownMessage, values: Values) -> str | bytes:
        try:
            payload = known.wording.write(values)
        except Unsaid:
            raise
        except Unwritable as exc:
            raise Unwritable(f"{known.field}: {exc}") from None
        return payload + self._records if isinstance(payload, str) else payload

    def check_session_id(self, session_id: str) -> None:
        """
        See that a client can call its session so.

        Raises:
            Unwritable: if its message can't carry the id.

        """
        for each in self._written.values():
            if each.role is Role.SESSION_INFO and not each.resumes and "session_id" in each.names:
                self._text(each, {"session_id": session_id, "id": 0, "now": 0.0})

    def unwritable(self, end: End) -> str | None:
        """The field of a message that an end has to send and that can only be read; None: there is none."""
        return next(
            (
                each.field
                for each in self._written.values()
                if each.sender is end and each.field != "goodbye" and not each.wording.is_writable
            ),
            None,
        )


def _known(
    messages: Mapping[str, Messages], steps: Sequence[SessionStep], beat: frozenset[End]
) -> list[KnownMessage]:
    """Every message with its sender and role."""
    known = []
    for field, (sender, role) in FIELDS.items():
        known += [KnownMessage(field, sender, role, each) for each in _wordings(field, messages.get(field))]
    for index, step in enumerate(steps):
        if steps.index(step) < index:
            continue
        field = f"steps[{index}]"
        known += [
            KnownMessage(field, step.by, Role.STEP, each, index) for each in _wordings(field, step.message)
        ]
    # The client first: what an end says out of turn is then what the other one says.
    for sender in (end for end in (_C, _S) if end in beat):
        for field, end, role in (
            ("ping", sender, Role.HEARTBEAT),
            ("pong", sender.peer, Role.HEARTBEAT_ANSWER),
        ):
            known += [KnownMessage(field, end, role, each) for each in _wordings(field, messages.get(field))]
    return known


def _wordings(field: str, messages: Any) -> list[Wording]:
    several = messages if isinstance(messages, tuple) else (messages,)
    # An empty heartbeat is one (SocketCluster's); anything else that is empty was forgotten.
    if field not in ("ping", "pong") and any(isinstance(each, str | bytes) and not each for each in several):
        raise ValueError(f"{field} is {messages!r}; only heartbeats are empty messages, None is no message")
    return wordings(field, messages)


# Messages that an end may leave unsaid, by what it was asked. A function that gives None for another one has
# forgotten to return it.
_ANSWERS = frozenset({"pong", "goodbye_answer"})


def _see_that_each_is_read(known: list[KnownMessage], records: str | Split | None) -> None:
    """Refuse a message that nobody would take for what it is."""
    for each in known:
        try:
            written = each.wording.write(dict(SAMPLE))
        except Unwritable as exc:
            if isinstance(exc, Unsaid) and each.field not in _ANSWERS:
                raise ValueError(f"{each.field} is never said: {exc}") from None
            # It is read only, or not with values that were made up.
            continue
        why = "what it writes it does not read"
        if isinstance(records, str) and isinstance(written, str) and records in written:
            why = f"it has {records!r} in it, which ends each message"
        elif any(_is_read(each.wording, message) for message in _cut(written, records)):
            continue
        raise ValueError(f"{each.field} can match no message: {written!r:.80}: {why}")


def _see_that_ids_are_asked(known: list[KnownMessage], match_ids: bool) -> None:
    """Refuse an answer with the id of a question that has none: it would answer nothing."""
    for field, question in _QUESTIONS.items() if match_ids else [("pong", "ping")]:
        asked = [each for each in known if each.field == question]
        # What a function says is known when it has said it.
        if any(each.wording.is_function or "id" in each.names for each in asked):
            continue
        if any(each.field == field and "id" in each.names for each in known):
            raise ValueError(
                f"{field} has ID, the id of its question, and {question} has none; ANY stands for "
                "another one, and Free(1) writes one"
            )


def _cut(written: str | bytes, records: str | Split | None) -> Sequence[str | bytes]:
    """What is written, and the messages in it."""
    if records is None or isinstance(records, str):
        return [written]
    try:
        return [written, *Records(records).take(written)]
    except Exception:
        # A function that can't bear it says so when it is real.
        return [written]


def _is_read(wording: Wording, written: str | bytes) -> bool:
    try:
        return wording.read(Parsed(written)) is not None
    except Exception:
        # A function that can't bear made-up values; what it says of real ones is told with the message.
        return True


def _forbid_twins(known: list[KnownMessage], match_ids: bool) -> None:
    """Refuse two messages of one sender that each read what the other writes."""
    for index, each in enumerate(known):
        for other in known[:index]:
            same = each.sender is other.sender and (each.role, each.step) != (other.role, other.step)
            by_id = match_ids and "id" in each.names & other.names
            if same and not by_id and _alike(each.wording, other.wording):
                raise ValueError(
                    f"{other.field} and {each.field} are the same message of the {each.sender.value}, "
                    "so a received one could be either"
                )


def _readers(known: list[KnownMessage], sender: End) -> tuple[KnownMessage, ...]:
    """
    The messages of an end, in the order in which a received one is held against them.

    Exact ones first, then templates with more members, then patterns and functions; what the end says
    out of turn comes last.

    """
    ours = [each for each in known if each.sender is sender]
    others = [each for each in known if each.sender is not sender and not each.wording.is_function]
    return (*sorted(ours, key=_vagueness), *sorted(others, key=_vagueness))


def _vagueness(each: KnownMessage) -> tuple[bool, int]:
    return each.wording.is_function, -weight(each.wording.source)


def weight(value: Any) -> int:
    """How much of a message a template fixes."""
    if isinstance(value, Mapping):
        return sum(1 + weight(inner) for inner in value.values())
    if isinstance(value, list):
        return sum(1 + weight(inner) for inner in value)
    if isinstance(value, str | bytes):
        return 0 if value[:1] in ("{", b"{") else 1
    if isinstance(value, Free):
        # Any value fits, as it does a placeholder.
        return 0
    return weight(getattr(value, "template", 0)) if not isinstance(value, int) else 1


def _named(value: Any) -> frozenset[str]:
    """The names of `Free` in a template."""
    if isinstance(value, Free):
        return frozenset() if value.name is None else frozenset({value.name})
    if isinstance(value, Mapping | list):
        inner = value.values() if isinstance(value, Mapping) else value
        return frozenset().union(*map(_named, inner))
    return _named(value.template) if isinstance(value, Prefixed) else frozenset()


# What answers what, where answers are told by their ids.
_QUESTIONS = {"pong": "ping", "session_confirmed": "session_info", "session_refused": "session_info"}


def _alike(one: Wording, other: Wording) -> bool:
    """Whether each of two messages reads what the other writes; one that nobody writes reads only."""
    if not (one.is_writable or other.is_writable):
        return False
    return _reads(one, other) and _reads(other, one)


def _reads(reader: Wording, writer: Wording) -> bool:
    try:
        return reader.read(Parsed(writer.write(dict(SAMPLE)))) is not None
    except Unwritable:
        # A pattern or a function alone: it reads the other, and nothing tells them apart.
        return True
    except Exception:
        # A function that can't bear what another message says tells them apart.
        return False
