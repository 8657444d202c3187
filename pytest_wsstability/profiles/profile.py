"""What an application says on its WebSocket, as data, for both ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..core.functions import gives_later
from ..core.number import is_number, is_whole
from ..core.secret_values import SECRETS
from ..core.timeline.close import may_be_sent
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import (
    HeartbeatShape,
    Intervals,
    ProtocolCode,
    ProtocolFacts,
    ProtocolTimer,
)
from .audio import Audio
from .literals import check_fixed, check_placeholders, check_subprotocol
from .messages import Codec, Message, Prefixed
from .placeholders import PLACEHOLDER, SAMPLE, Values, whole
from .records import Split
from .speech import HttpAnswer
from .templates import Free
from .wording import json_of
from .words import FIELDS, SENDERS, Messages, SessionStep, Words

# A function that gives the number or the id of an application message, or None.
Sequence: TypeAlias = Callable[[str | bytes], int | str | None]


# Of what session_info said and what the greeting or session_confirmed said: what both ends go by.
Agree: TypeAlias = Callable[[Values, Values], Intervals]

# Of a message, and of what the client's session_info said: what a server says to it, or None.
Reply: TypeAlias = Callable[[str | bytes, Values], str | bytes | None]

# Of the method and the target of an HTTP request: what a server answers; None for one that it does not know.
Http: TypeAlias = Callable[[str, str], HttpAnswer | None]

# Fields that hold several values of a kind, and how one is written.
_SEVERAL: dict[str, tuple[type, str]] = {
    "steps": (SessionStep, "SessionStep(End.CLIENT, message) or SessionStep(End.SERVER, message)"),
    "subprotocols": (str, "names as text"),
    "timers": (ProtocolTimer, "ProtocolTimer(...)"),
    "codes": (ProtocolCode, "ProtocolCode(...)"),
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """
    The messages of an application protocol; None where it has no such message.

    A message is JSON as a mapping or a list, text, or bytes; a received one matches when it has every
    member of the template. Placeholders (`SESSION_ID`, `ID`, `ANY` ...) stand for values, as a whole
    value or inside text. A compiled pattern or a function reads a message that data cannot describe;
    `Codec` writes one too. Several messages in a tuple mean the same. A team whose pong is
    ``{"op": "PONG"}`` writes ``JSON.replace(name="ours", pong={"op": "PONG"})``.

    """

    name: str
    # As people write it; None: the name.
    title: str | None = None
    # What its first messages look like, where that is the protocol below it.
    looks_like: str | None = None
    # Where it is specified.
    specification: str = ""

    # Server to client, right after the opening handshake.
    greeting: Messages = None
    # Further steps after the greeting, in their order, before session_info.
    steps: tuple[SessionStep, ...] = ()
    # Client to server: after the greeting and the steps, or at once where there are none.
    session_info: Messages = None
    # Server to client. Without session_info the server confirms by itself, right after the opening.
    session_confirmed: Messages = None
    # Which of a server's it asks for, and what asks for others: 'the topic "a", and ours("b") for another'.
    session_of: str = ""
    # Server to client: there will be no session.
    session_refused: Messages = None
    # Client to server, in the place of session_info: back to the session of the connection before.
    resume: Messages = None
    # Server to client, where it is another message than session_confirmed.
    resumed: Messages = None
    # Server to client: the session is not known any more. Without it the server begins a new one.
    resume_refused: Messages = None
    # Server to client, after the confirmation and whenever it likes: what to come back with from now on.
    token: Messages = None
    # Makes the name of a session at the end that names it; None: a UUID.
    new_session_id: Callable[[], str] | None = None

    # A heartbeat, and its answer. Neither: protocol pings and pongs. No pong: no answer is ever due.
    ping: Messages = None
    pong: Messages = None
    # Who sends them: "client", "server" or "both".
    heartbeats_from: str = "client"
    # Server to client: it wants a heartbeat at once. May look like one of the client's.
    heartbeat_request: Messages = None
    # The client sends none before its session is confirmed, because the server would refuse them.
    heartbeats_in_session: bool = False
    # Seconds between two heartbeats where neither the test nor the peer says so; None: none are sent.
    interval: float | None = None
    # Seconds that an answer may take, as the protocol has it.
    timeout: float | None = None
    # How both ends' words about intervals become one; None: the server's, else the client's.
    agree: Agree | None = None
    # Answers are told by their ids alone, because results of other questions look the same.
    match_ids: bool = False
    # An answer with an id is one to all heartbeats before that one, too.
    cumulative: bool = False

    # What tells a message from its neighbours, so that lost and repeated ones are counted: the name of a
    # member of JSON messages, or a function of a message that gives a whole number, an id, or None.
    # Heartbeats and confirmations count too, where the number is their sender's own.
    sequence: str | Sequence | None = None
    # Server to client: the connection will end soon ("go away"), and that end is planned.
    notice: Messages = None
    # Server to client: something is wrong ("token has expired").
    error: Messages = None

    # Client to server: it goes. Server to client: what it says to that, before it ends the connection with a
    # code: 1005 for an empty close frame, 1006 for none (then what `notice` announces may end so, too), None
    # where it leaves the connection open.
    goodbye: Messages = None
    goodbye_answer: Messages = None
    goodbye_code: int | None = 1000

    # Server to client: what it says to any other message of the client, for which programs wait (MQTT's
    # SUBSCRIBE, calls of OCPP); None: nothing.
    reply: Reply | None = None

    # What a server answers over HTTP to clients that ask before they connect; None: nothing.
    http: Http | None = None

    # How people speak in it; None where they do not.
    audio: Audio | None = None

    # What only a server of another version says, by the words for it: "an Engine.IO 3 server".
    foreign: Mapping[str, Message] = dataclasses.field(default_factory=dict)

    # JSON comes in binary frames too.
    binary_json: bool = False
    # What ends each of several messages in one frame, or a function for a stream of bytes. Line ends may
    # be missing behind JSON.
    records: str | Split | None = None
    # What the client offers, the preferred first, and what it adds to the URL and to the handshake request.
    subprotocols: tuple[str, ...] = ()
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)

    # What is known about its timers and close codes.
    timers: tuple[ProtocolTimer, ...] = ()
    codes: tuple[ProtocolCode, ...] = ()
    # Seconds after which the server ends every connection; None where it does not.
    max_age: float | None = None
    # The software that it was proved with.
    proved_with: tuple[str, ...] = ()

    # Its messages, ready to be read and written.
    words: Words = dataclasses.field(init=False, repr=False, compare=False)
    facts: ProtocolFacts = dataclasses.field(init=False, repr=False, compare=False)
    # Whether the heartbeat is a protocol ping and not a message.
    heartbeat_is_frame: bool = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"profile name: {self.name!r} is not a name")
        self._check_values()
        self._check_several()
        # What is wrong with a message is told with it.
        self._collect_secrets()
        self._check_literals()
        try:
            words = Words(
                {field: getattr(self, field) for field in (*FIELDS, "ping", "pong")},
                self.steps,
                heartbeats_from=self.heartbeats_from,
                records=self.records,
                match_ids=self.match_ids,
                agrees=self.agree is not None,
                binary_json=self.binary_json,
                foreign=self.foreign,
                stream=self._stream(),
            )
        except ValueError as exc:
            raise self._wrong(str(exc)) from None
        if self.cumulative and "id" not in words.names("ping"):
            raise self._wrong("cumulative without ID in ping: which heartbeats came before is told by ids")
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "heartbeat_is_frame", self.ping is None)
        object.__setattr__(self, "facts", self._known_facts())

    def _stream(self) -> str | None:
        """How frames of audio begin, where nothing else of the client's does."""
        around = self.audio.around if self.audio is not None else None
        return None if around is None or not isinstance(self.records, str | None) else around.before

    def _check_values(self) -> None:
        if self.pong is not None and self.ping is None:
            raise self._wrong("pong without ping: there is nothing to answer")
        if self.heartbeats_from not in SENDERS:
            raise self._wrong(
                f"heartbeats_from is {self.heartbeats_from!r}; valid ones: {', '.join(map(repr, SENDERS))}"
            )
        for field in ("interval", "timeout", "max_age"):
            value = getattr(self, field)
            if value is not None and not (is_number(value) and 0 < value < float("inf")):
                raise self._wrong(f"{field} is {value!r}; give seconds, or None")
        if self.new_session_id is not None:
            self._check_new_session_id(self.new_session_id)
        if self.sequence is not None and not callable(self.sequence) and not _is_name(self.sequence):
            raise self._wrong(
                f"sequence is {self.sequence!r}; give the name of a JSON member, or a function of a message"
            )
        if self.records is not None and not callable(self.records) and not _is_name(self.records):
            raise self._wrong(f"records is {self.records!r}; give the text that ends each, or a function")
        if self.reply is not None and not callable(self.reply):
            raise self._wrong(f"reply is {self.reply!r}; give a function of a message and of session_info")
        if self.http is not None and not callable(self.http):
            raise self._wrong(f"http is {self.http!r}; give a function of a method and a target")
        for field in ("sequence", "reply", "http"):
            if gives_later(getattr(self, field)):
                raise self._wrong(f"{field} gives nothing when it is called: write it with 'def', and return")
        if self.heartbeat_request is not None and self.heartbeats_from == "server":
            raise self._wrong('heartbeat_request with heartbeats_from="server": the client sends none')
        if self.heartbeats_in_session and self.session_confirmed is None:
            raise self._wrong("heartbeats_in_session without session_confirmed: none would ever be sent")
        if self.goodbye_answer is not None and self.goodbye is None:
            raise self._wrong("goodbye_answer without goodbye: there is nothing to answer")
        if self.goodbye_code is not None and not _is_end(self.goodbye_code):
            raise self._wrong(f"goodbye_code is {self.goodbye_code!r}; give a close code, 1005, 1006 or None")
        for field in ("resume", "resumed", "resume_refused", "token"):
            if getattr(self, field) is not None and self.session_confirmed is None:
                raise self._wrong(f"{field} without session_confirmed: there is no session to come back to")

    def _check_several(self) -> None:
        """What a comma that was left out makes of a tuple would fail much later, or be taken apart."""
        for field, (kind, valid) in _SEVERAL.items():
            value = getattr(self, field)
            if not isinstance(value, tuple | list):
                raise self._wrong(f"{field} is of type {type(value).__name__}; give a tuple of {valid}")
            for index, each in enumerate(value):
                if not isinstance(each, kind):
                    raise self._wrong(f"{field}[{index}] is of type {type(each).__name__}; give {valid}")
        if self.notice is None and any(timer.announced is not None for timer in self.timers):
            raise self._wrong("a timer is announced without notice: there is nothing to announce it with")

    def _check_new_session_id(self, make: Callable[[], str]) -> None:
        try:
            name = make()
        except Exception as exc:
            # The user's function runs here.
            raise self._wrong(f"new_session_id raised {exc!r}") from None
        if not isinstance(name, str) or not name:
            raise self._wrong(f"new_session_id gave {name!r}, which is no name")

    def _collect_secrets(self) -> None:
        """What a client says of itself may hold a token."""
        SECRETS.take_opening(headers=self.headers, subprotocols=self.subprotocols)
        for name, value in self.query.items():
            SECRETS.take(name, value)
        steps = (step.message for step in self.steps)
        for message in (self.session_info, self.resume, self.ping, self.pong, *steps):
            for each in message if isinstance(message, tuple) else (message,):
                SECRETS.take_message(_given(each))

    def _check_literals(self) -> None:
        messages = {field: getattr(self, field) for field in (*FIELDS, "ping", "pong")}
        messages |= {f"steps[{index}]": step.message for index, step in enumerate(self.steps)}
        try:
            for field, message in messages.items():
                check_placeholders(field, message)
            for field in ("query", "headers"):
                check_fixed(field, getattr(self, field))
            for name in self.subprotocols:
                check_subprotocol(name)
        except ValueError as exc:
            raise self._wrong(str(exc)) from None

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"profile {self.name!r}: {what}")

    def _known_facts(self) -> ProtocolFacts:
        return ProtocolFacts(
            name=self.name,
            title=self.title or self.name,
            heartbeat=self.shape,
            heartbeats_from=SENDERS[self.heartbeats_from],
            every=self.interval,
            timers=self.timers,
            codes=self.codes,
            max_age=self.max_age,
            greets=self.greeting is not None,
            begins_session=self.session_info is not None,
            has_session=self.has_session,
            session_of=self.session_of,
            names_errors=self.error is not None or self.notice is not None,
            cumulative=self.cumulative,
            heartbeats_in_session=self.heartbeats_in_session,
            names_interval=self.words.names_interval,
            ends_with_fin=self.goodbye is not None and self.goodbye_code == 1006,
            agrees=self.agree is not None,
        )

    @property
    def has_session(self) -> bool:
        """Whether a session is confirmed."""
        return self.session_confirmed is not None

    @property
    def keeps_session(self) -> bool:
        """Whether a client comes back to its session, by the name that it gave it or by `resume`."""
        return self.words.client_names_session or self.resume is not None

    @property
    def shape(self) -> HeartbeatShape:
        """What a heartbeat is, and whether an answer is due."""
        if self.ping is None:
            return HeartbeatShape.PING_FRAMES
        return HeartbeatShape.ONE_WAY if self.pong is None else HeartbeatShape.ANSWERED

    def remembers(self, end: End) -> bool:
        """Whether a conversation of an end has more to remember than how far the handshake is."""
        if self.records is not None or self.agree is not None or self.match_ids or self.resume is not None:
            return True
        if (self.heartbeats_in_session and end is End.CLIENT) or (self.reply and end is End.SERVER):
            return True
        runs = end is End.SERVER and any(timer.by is end and timer.played for timer in self.timers)
        return runs or not self.words.are_fixed

    def check_written_by(self, end: End) -> None:
        """
        See that an end can send all its messages.

        Raises:
            ValueError: for one that can only be read, naming it, or names what there is none of.

        """
        self._check_writable(self.words.unwritable(end), end)
        if end is End.SERVER and self.words.names_timeout and self.timeout is None:
            raise self._wrong("the server says how long an answer is waited for, and there is no timeout=")

    def check_spoken_by(self, end: End) -> None:
        """
        See that an end can send all its messages of a spoken conversation.

        Raises:
            ValueError: for one that can only be read, naming it.

        """
        self._check_writable(None if self.audio is None else self.audio.unwritable(end), end)

    def _check_writable(self, field: str | None, end: End) -> None:
        if field is not None:
            raise self._wrong(
                f"{field} can only be read, and the {end.value} has to send it: "
                f"give {field}=Codec(read, write)"
            )

    def beats(self, end: End) -> bool:
        """Whether an end sends heartbeats."""
        return end in SENDERS[self.heartbeats_from]

    def replace(self, **changes: Any) -> Profile:
        """A copy with other messages, or another name."""
        if "session_info" in changes:
            changes.setdefault("session_of", "")
        return dataclasses.replace(self, **changes)

    def number(self, payload: str | bytes) -> int | str | None:
        """
        The number or id of a message; None if it carries none.

        Raises:
            TypeError: if it is neither.

        """
        if callable(self.sequence):
            number = self.sequence(payload)
        elif self.sequence is None:
            return None
        else:
            text = self.words.as_text(payload)
            if isinstance(text, bytes) or f'"{self.sequence}"' not in text:
                return None
            found = json_of(text)
            number = whole(found.get(self.sequence)) if isinstance(found, dict) else None
        if number is not None and not (is_whole(number) or isinstance(number, str)):
            raise TypeError(f"{number!r} is no whole number and no id")
        return number


def _given(message: Any) -> Any:
    """What a team wrote into a message."""
    if isinstance(message, Prefixed):
        return _given(message.template)
    if isinstance(message, Codec):
        return _given(_written(message))
    if isinstance(message, Free):
        return _given(message.value)
    if isinstance(message, Mapping):
        return {name: _given(value) for name, value in message.items()}
    if isinstance(message, list):
        return [_given(value) for value in message]
    # What will stand there is collected when it is known.
    if isinstance(message, bytes):
        return PLACEHOLDER.sub("", message.decode(errors="replace")).encode()
    return PLACEHOLDER.sub("", message) if isinstance(message, str) else message


def _written(codec: Codec) -> Any:
    """What a codec writes, where a function does it with values that were made up."""
    if not callable(codec.write):
        return codec.write
    if gives_later(codec.write):
        return None
    try:
        return codec.write(dict(SAMPLE))
    except Exception:
        # The user's function runs here; what it raises is told when it is asked in earnest.
        return None


def _is_end(code: Any) -> bool:
    return isinstance(code, int) and (code in (1005, 1006) or may_be_sent(code))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
