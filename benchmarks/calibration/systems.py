"""Random systems as plain data: a server, a path, clients with their traffic, and what is done to them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from pytest_wsstability.core.known_timers import KNOWN_TIMERS, CountsFrom

from .reasons import words_of

# Seconds that people write into settings.
_WRITTEN = (
    *(3, 5, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 75, 80, 90, 100, 110, 120, 150, 180),
    *(200, 240, 250, 300, 350, 400, 450, 480, 500, 600),
)
# No system is watched for longer.
LONGEST = 700.0


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a server or a box ends a connection."""

    # "fin", "rst" or "close".
    style: str = "fin"
    # Of a close frame; None sends an empty one.
    code: int | None = None
    words: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that a server does to all of its connections, or to some, at an instant."""

    at: float
    # A tag of the oracle.
    tag: str
    ending: Ending
    # Seconds from the first to the last; the share of the connections that it meets.
    lasts: float = 0.0
    share: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """What a server does; durations are its own, its clock's skew included."""

    answers: bool = True
    confirms: bool = True
    # Messages of its own, of so many bytes, until an age.
    push_every: float | None = None
    push_size: int = 100
    push_until: float = float("inf")
    # Ping frames, and how long it waits for the pong; None does not care.
    ping_every: float | None = None
    ping_timeout: float | None = None
    # Whatever arrives counts as a pong; or no pong is recognised at all.
    any_is_pong: bool = False
    misses_pongs: bool = False
    # Deadlines are looked at in ticks of so many seconds, of all connections at once; 0 at once.
    tick: float = 0.0
    # A text of one byte that the client has to answer, and how long it waits.
    beat_every: float | None = None
    beat_timeout: float = 10.0
    deadline: float | None = None
    # "any", "data" or "pong".
    deadline_counts: str = "any"
    age: float | None = None
    timer_ending: Ending = Ending()
    timer_tag: str = ""
    # It fails on the data message of this number, or returns at this age.
    fails_on: int | None = None
    returns_at: float | None = None
    # A close for a reason of its own at an age.
    closes_at: float | None = None
    close_tag: str = ""
    ending: Ending = Ending()
    # Bytes of a message that it takes; messages that it takes each ten seconds.
    size_limit: int | None = None
    rate_limit: int | None = None
    # Bytes that wait for a slow client before it is thrown out.
    queue_limit: int | None = None
    # Its loop stands still: from when, and for how long.
    blocks: tuple[tuple[float, float], ...] = ()
    # It reads nothing, answers no heartbeat, or answers no ping from an instant on.
    deaf_from: float = float("inf")
    zombie_from: float = float("inf")
    pongless_from: float = float("inf")
    # Bytes written into the stream at an age, and then the end.
    garbage: bytes = b""
    garbage_at: float | None = None
    # Half a frame, and nothing after it.
    half_frame_at: float | None = None
    notice_at: float | None = None
    event: Event | None = None
    # Each of its reactions is late by up to so much.
    load: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Path:
    """What is between the ends; nothing is passed to the diagnosis."""

    latency: float = 0.0
    jitter: float = 0.0
    bandwidth: float | None = None
    # "any", "upstream", "downstream", "each" or "data", and how it ends: "fin", "reset", "silence",
    # "blackhole".
    idle: float | None = None
    idle_reset_by: str = "any"
    idle_ends: str = "fin"
    age: float | None = None
    age_ends: str = "fin"
    # A dead path from an instant on, in a direction.
    dead_at: float | None = None
    dead: str = "both"
    # A path that stands still for a while.
    stalls_at: float | None = None
    stalls_for: float = 0.0
    # Control frames that do not pass: "ping" or "pong", and in which direction.
    eats: str = ""
    eats_way: str = "upstream"

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands between the ends."""
        return self == Path()


@dataclass(frozen=True, kw_only=True)
class Client:
    """What each client does."""

    kind: str = "browser"
    profile: str = "json"
    heartbeat: float | None = None
    # Texts each so many seconds, of a size, between two ages.
    talk_every: float | None = None
    talk_size: int = 60
    talk_from: float = 0.0
    talk_until: float = float("inf")
    # One message of a size at an age.
    big: tuple[float, int] | None = None
    # It closes at an age.
    closes_at: float | None = None
    # It takes messages, or lets them wait until reading pauses.
    takes: bool = True
    unsolicited_pongs: float | None = None


@dataclass(frozen=True, kw_only=True)
class System:
    """A system: what is drawn, and nothing of what is found."""

    number: int
    kind: str
    # Whether it is one of a real clock: late, jittery, and with a kernel that can be asked.
    real: bool
    kernel: bool
    # When each connection is opened, in seconds.
    opens: tuple[float, ...]
    hold: float
    client: Client = Client()
    server: Server = Server()
    path: Path = Path()
    # Seconds that an answer may take, for those that judge answers.
    within: float | None = None
    session_within: float | None = None
    seed: int = field(default=0)


def draw(seed: int, number: int) -> System:
    """The system of a number, of a seed."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
    system = KINDS[kind][1](rng, _base(rng, number, kind))
    return replace(system, seed=rng.randrange(2**31))


def _base(rng: random.Random, number: int, kind: str) -> System:
    count = rng.choices((1, 2, 3, rng.randint(4, 8), rng.randint(9, 20)), (46, 12, 12, 18, 12))[0]
    how = rng.choice(("at once", "one by one", "apart", "apart"))
    if how == "at once":
        opens = tuple(round(rng.uniform(0, 0.05), 4) for _ in range(count))
    elif how == "one by one":
        opens = tuple(round(index * rng.uniform(0.1, 1.0), 4) for index in range(count))
    else:
        opens = tuple(round(rng.uniform(0, 60), 4) for _ in range(count))
    real = rng.random() < 0.6
    return System(
        number=number,
        kind=kind,
        real=real,
        kernel=real and rng.random() < 0.6,
        opens=opens,
        hold=rng.choice((60.0, 90.0, 130.0, 200.0, 320.0)),
        client=_client(rng),
        server=_server(rng, real),
        path=_path(rng),
    )


def _client(rng: random.Random) -> Client:
    profile = rng.choices(("json", "frames"), (4, 1))[0]
    traffic = rng.choices(("silent", "beats", "talk", "both", "early"), (2, 4, 2, 2, 1))[0]
    talk = round(rng.uniform(1, 20), 2) if traffic in ("talk", "both", "early") else None
    return Client(
        kind=rng.choices(("browser", "keepalive"), (8, 1))[0],
        profile=profile,
        heartbeat=round(rng.choice((5, 10, 15, 20, 25, 30, 45, rng.uniform(3, 60))), 2)
        if traffic in ("beats", "both")
        else None,
        talk_every=talk,
        talk_size=rng.choice((20, 60, 200, 640)),
        talk_until=rng.uniform(10, 40) if traffic == "early" else float("inf"),
    )


def _server(rng: random.Random, real: bool) -> Server:
    return Server(
        answers=rng.random() < 0.9,
        push_every=round(rng.uniform(0.5, 20), 2) if rng.random() < 0.35 else None,
        push_size=rng.choice((20, 100, 500)),
        ping_every=round(rng.choice((10, 15, 20, 25, 30, 54, rng.uniform(5, 60))), 2)
        if rng.random() < 0.5
        else None,
        load=rng.choice((0.0, 0.01, 0.05, 0.3)) if real else rng.choice((0.0, 0.0, 0.005)),
    )


def _path(rng: random.Random) -> Path:
    if rng.random() < 0.6:
        return Path()
    latency = rng.choice((0.002, 0.02, 0.08, 0.2))
    return Path(latency=latency, jitter=latency * rng.choice((0.0, 0.3)))


# Numbers.


def seconds(rng: random.Random, *kinds: CountsFrom, most: float = LONGEST) -> float:
    """How long a timer is: a known default, a number that people write, or any."""
    known = [each.seconds for each in KNOWN_TIMERS if each.counts_from in kinds and 3 <= each.seconds <= most]
    how = rng.random()
    if how < 0.45 and known:
        return rng.choice(known)
    if how < 0.75:
        return float(rng.choice([each for each in _WRITTEN if each <= most]))
    return round(rng.uniform(4, min(most, 200)), 1)


def _skewed(rng: random.Random, system: System, value: float) -> float:
    """A timer of a clock that is not quite ours, on a machine that is not quite idle."""
    if not system.real:
        return value
    return value * (1 + rng.gauss(0, 0.0005)) + rng.choice(
        (0.0, 0.0, rng.uniform(0, 0.2), rng.uniform(0, 1.0))
    )


def cut(rng: random.Random) -> Ending:
    """An end without a close frame."""
    return Ending(style=rng.choice(("fin", "fin", "rst")))


def close(
    rng: random.Random, tag: str, codes: tuple[int | None, ...], *, said: float = 0.6, foreign: float = 0.1
) -> Ending:
    """A close frame with one of these codes; with telling words, with others, or with none."""
    how = rng.random()
    words = words_of(tag, rng) if how < said else words_of("foreign", rng) if how < said + foreign else ""
    code = rng.choice(codes)
    return Ending(style="close", code=code, words=words if code is not None else "")


def _middle(rng: random.Random, system: System) -> float:
    """An instant at which all connections are open, in the middle of the hold."""
    return max(system.opens) + rng.uniform(3, max(5.0, system.hold - max(system.opens) - 5))


# Kinds of systems: a weight, and what is drawn.


def idle_box(rng: random.Random, system: System) -> System:
    """A proxy with an idle timeout, under traffic that may let it run out."""
    reset_by = rng.choices(("any", "upstream", "downstream", "each", "data"), (8, 1, 1, 1, 1))[0]
    kinds = {
        "any": (CountsFrom.IDLE, CountsFrom.SILENT), "upstream": (CountsFrom.IDLE_UPSTREAM,),
        "downstream": (CountsFrom.IDLE_DOWNSTREAM,), "each": (CountsFrom.IDLE_EACH,),
        "data": (CountsFrom.MESSAGES,),
    }  # fmt: skip
    length = seconds(rng, *kinds[reset_by])
    ends = rng.choices(("fin", "reset", "silence", "blackhole"), (6, 3, 1, 1))[0]
    path = replace(system.path, idle=_skewed(rng, system, length), idle_reset_by=reset_by, idle_ends=ends)
    client, server = system.client, system.server
    if rng.random() < 0.7:
        # Traffic that is rarer than the timer is long, after some that was not.
        client = replace(client, heartbeat=None, talk_every=rng.uniform(1, 6), talk_until=rng.uniform(5, 40))
        pings = None if reset_by in ("any", "each") or rng.random() < 0.5 else length / rng.uniform(1.5, 4)
        server = replace(server, ping_every=pings, push_every=None)
        if reset_by == "upstream" or reset_by == "each":
            server = replace(server, push_every=length / rng.uniform(2, 6))
        if reset_by == "downstream":
            client = replace(client, talk_until=float("inf"))
            server = replace(
                server, push_every=rng.uniform(1, 5), push_until=rng.uniform(5, 30), answers=False
            )
    within = 5.0 if ends in ("silence", "blackhole") else None
    if within:
        client = replace(client, heartbeat=length * 1.2)
    return replace(
        system, path=path, client=client, server=server, within=within, hold=min(LONGEST, 2.2 * length + 60)
    )


def age_box(rng: random.Random, system: System) -> System:
    """A proxy, gateway or server with a maximum age."""
    length = seconds(rng, CountsFrom.AGE)
    real = _skewed(rng, system, length)
    if rng.random() < 0.6:
        path = replace(system.path, age=real, age_ends=rng.choice(("fin", "fin", "reset")))
        system = replace(system, path=path)
    else:
        ending = (
            cut(rng) if rng.random() < 0.6 else close(rng, "session over", (1000, 1001, 1008, 4000, None))
        )
        server = replace(
            system.server,
            closes_at=real,
            close_tag="age",
            ending=ending,
            tick=rng.choice((0.0,) * 5 + (4.0, 4.0, 30.0)),
        )
        system = replace(system, server=server)
    return replace(system, hold=1.4 * length + 20)


def deadline_server(rng: random.Random, system: System) -> System:
    """A server with a read deadline."""
    counts = rng.choice(("any", "any", "data", "pong"))
    kinds = {
        "any": (CountsFrom.IDLE_UPSTREAM,),
        "data": (CountsFrom.MESSAGES_UPSTREAM,),
        "pong": (CountsFrom.PONG,),
    }
    length = seconds(rng, *kinds[counts], most=300)
    ending = (
        cut(rng)
        if rng.random() < 0.5
        else close(rng, "idle", (1000, 1001, 1008, 1011, 3008, 4000, 4408, None))
    )
    server = replace(
        system.server, deadline=_skewed(rng, system, length), deadline_counts=counts, timer_ending=ending,
        timer_tag=f"deadline {counts}", tick=rng.choice((0.0, 0.0, 0.0, 1.0, 4.0, 15.0, 30.0)),
    )  # fmt: skip
    client = system.client
    if counts == "any":
        client = replace(client, heartbeat=None, talk_every=rng.uniform(1, 6), talk_until=rng.uniform(5, 40))
        server = replace(server, ping_every=None, push_every=rng.choice((None, length / 3)))
    elif counts == "data":
        client = replace(client, heartbeat=None, talk_every=rng.uniform(1, 6), talk_until=rng.uniform(5, 40))
        server = replace(server, ping_every=length / rng.uniform(1.5, 4))
    else:
        server = replace(server, ping_every=None if rng.random() < 0.7 else length * 1.5)
    return replace(system, server=server, client=client, hold=2.2 * length + 60)


def mute_client(rng: random.Random, system: System) -> System:
    """A client that answers no pings, and a server that minds."""
    every, timeout = rng.choice(
        ((54, 6), (20, 20), (12, 12), (30, 30), (10, 5), (15, 10), (rng.uniform(5, 40), rng.uniform(3, 30)))
    )
    ending = (
        cut(rng)
        if rng.random() < 0.4
        else close(rng, "keepalive", (1000, 1001, 1008, 1011, 1011, 3000, 4000, None))
    )
    server = replace(
        system.server, ping_every=every, ping_timeout=_skewed(rng, system, timeout), timer_ending=ending,
        timer_tag="pong missing", tick=rng.choice((0.0, 0.0, 0.0, 5.0)),
    )  # fmt: skip
    return replace(
        system, server=server, client=replace(system.client, kind="mute"), hold=3.5 * (every + timeout)
    )


def keepalive_misses(rng: random.Random, system: System) -> System:
    """A keepalive that runs out though the client answers: the path, the server's loop, or the server."""
    every, timeout = rng.choice(((20, 20), (25, 10), (10, 5), (15, 10), (30, 30)))
    ending = close(rng, "keepalive", (1011, 1011, 1000, 1001, 4000, 3000), said=0.85)
    server = replace(
        system.server, ping_every=every, ping_timeout=timeout, timer_ending=ending, timer_tag="pong missed"
    )
    why = rng.choice(("late", "blind", "blocked", "deaf", "eaten", "upload", "dead"))
    path, client = system.path, system.client
    start = rng.uniform(5, 60)
    if why == "late":
        path = replace(path, latency=timeout * rng.uniform(0.55, 0.9), jitter=0.0)
        server = replace(server, timer_tag="pong late")
    elif why == "blind":
        server = replace(server, misses_pongs=True)
    elif why == "blocked":
        blocks = tuple(
            (start + number * 1.1 * timeout, timeout * rng.uniform(1.0, 1.08)) for number in range(40)
        )
        server = replace(server, blocks=blocks, timer_tag="loop blocked")
    elif why == "deaf":
        server = replace(server, deaf_from=start, timer_tag="not reading")
        if rng.random() < 0.7:
            client = replace(client, talk_every=rng.uniform(0.2, 2), talk_until=float("inf"))
    elif why == "eaten":
        way = rng.choice((("pong", "upstream"), ("ping", "downstream")))
        path = replace(path, eats=way[0], eats_way=way[1])
        server = replace(server, timer_tag="control frames eaten")
    elif why == "upload":
        path = replace(path, bandwidth=20_000.0)
        client = replace(client, big=(start, 3_000_000))
        server = replace(server, timer_tag="pong late")
    else:
        path = replace(path, dead_at=start, dead="upstream")
        server = replace(server, timer_tag="path dead")
    return replace(
        system, server=server, path=path, client=client, hold=max(system.hold, 3 * (every + timeout) + start)
    )


def beats_of_the_server(rng: random.Random, system: System) -> System:
    """A server that asks in its own words, as Engine.IO does, of a client that does not know them."""
    every, timeout = rng.choice(((25, 20), (10, 5), (30, 10), (rng.uniform(5, 30), rng.uniform(3, 20))))
    ending = (
        cut(rng) if rng.random() < 0.2 else close(rng, "keepalive", (1000, 1000, None, None, 1001), said=0.2)
    )
    server = replace(
        system.server, beat_every=every, beat_timeout=_skewed(rng, system, timeout), timer_ending=ending,
        timer_tag="beat missing", push_every=None, ping_every=None,
    )  # fmt: skip
    client = replace(system.client, profile="frames", talk_every=None, heartbeat=None)
    return replace(system, server=server, client=client, hold=2.5 * (every + timeout))


def restart(rng: random.Random, system: System) -> System:
    """A process that stops: killed, crashed, or told to."""
    how = rng.choice(("killed", "killed", "told", "told"))
    at = _middle(rng, system)
    ending = (
        cut(rng)
        if how == "killed"
        else close(rng, "restart", (1001, 1001, 1012, 1012, 1000, 1011, None), said=0.5)
    )
    event = Event(
        at=at, tag="restart", ending=ending, lasts=rng.choice((0.0, 0.02, 0.3, 1.2)),
        share=rng.choices((1.0, 0.5), (5, 1))[0],
    )  # fmt: skip
    client = system.client
    if rng.random() < 0.15:
        client = replace(client, heartbeat=None, talk_every=None)
    if rng.random() < 0.1:
        client = replace(client, kind="mute")
    return replace(system, server=replace(system.server, event=event), client=client, hold=at + 20)


def closes_all(rng: random.Random, system: System) -> System:
    """A server that closes all of its connections on purpose: a room that is closed, a game that is over."""
    at = _middle(rng, system)
    ending = close(rng, "done", (1000, 1000, 1001, 4000, None), said=0.4)
    event = Event(at=at, tag="done", ending=ending, lasts=rng.choice((0.0, 0.05, 0.5)))
    return replace(system, server=replace(system.server, event=event), hold=at + 20)


def unconfirmed(rng: random.Random, system: System) -> System:
    """A session that is never confirmed, or a path that is dead from the start."""
    server, path = system.server, system.path
    if rng.random() < 0.7:
        server = replace(server, confirms=False, ping_every=rng.choice((None, 2.0)))
    else:
        path = replace(path, dead_at=max(system.opens) + 0.1)
    return replace(
        system, opens=system.opens[:1], server=server, path=path, session_within=5.0, hold=40.0,
        client=replace(system.client, profile="json", kind="browser"),
    )  # fmt: skip


def handler(rng: random.Random, system: System) -> System:
    """A handler that fails on a message, or returns."""
    if rng.random() < 0.65:
        ending = cut(rng) if rng.random() < 0.5 else close(rng, "error", (1011,), said=0.3)
        server = replace(
            system.server, fails_on=rng.randint(2, 12), ending=ending, close_tag="handler failed"
        )
        client = replace(system.client, talk_every=rng.uniform(2, 20), talk_until=float("inf"))
    else:
        ending = cut(rng) if rng.random() < 0.3 else close(rng, "done", (1000, 1000, 4000, None), said=0.3)
        server = replace(
            system.server,
            returns_at=rng.uniform(5, system.hold - 5),
            ending=ending,
            close_tag="handler returned",
        )
        client = system.client
    return replace(system, server=server, client=client, hold=max(system.hold, 200))


_POLICIES: dict[str, tuple[int | None, ...]] = {
    "token": (1008, 1008, 3000, 3003, 4401, 4403, 4001),
    "session over": (1000, 1001, 1008, 4000, 4002),
    "origin": (1008, 4403, 1000),
    "duplicate": (1008, 4409, 4000, 1000),
    "overload": (1013, 1013, 1008, 4429, 1001),
    "upstream": (1014, 1011, 1013),
    "done": (1000, 1000, 1001, None, 4000),
}


def policy(rng: random.Random, system: System) -> System:
    """A server that closes for a reason of its own, at some age."""
    tag = rng.choice(list(_POLICIES))
    at = rng.uniform(1, system.hold - 5)
    if tag in ("token", "session over"):
        at = rng.choice((60.0, 120.0, 300.0, 600.0, at))
    if tag in ("origin", "duplicate", "overload"):
        at = rng.uniform(0.1, 3)
    ending = close(rng, tag, _POLICIES[tag], said=0.75)
    server = replace(system.server, closes_at=at, close_tag=tag, ending=ending)
    return replace(system, server=server, hold=at + 20)


def rate_limit(rng: random.Random, system: System) -> System:
    """A server that takes so many messages each ten seconds."""
    ending = (
        cut(rng) if rng.random() < 0.15 else close(rng, "rate", (1008, 1008, 4429, 1013, 1000), said=0.75)
    )
    server = replace(system.server, rate_limit=rng.randint(5, 15), ending=ending, close_tag="rate")
    client = replace(system.client, talk_every=0.5, talk_from=rng.uniform(5, 30), talk_until=float("inf"))
    return replace(system, server=server, client=client, hold=60.0)


def size_limit(rng: random.Random, system: System) -> System:
    """A message over the server's limit."""
    how = rng.random()
    ending = (
        cut(rng)
        if how < 0.3
        else Ending(style="close", code=1009, words=rng.choice(("", words_of("size", rng))))
        if how < 0.75
        else close(rng, "size", (1000, 1008, 1011, None), said=0.5)
    )
    limit = rng.choice((512, 1000, 4096, 65_536))
    server = replace(system.server, size_limit=limit, ending=ending, close_tag="size")
    big = (rng.uniform(5, 50), int(limit * rng.uniform(1.1, 4)))
    return replace(system, server=server, client=replace(system.client, big=big, talk_size=20), hold=90.0)


def slow_consumer(rng: random.Random, system: System) -> System:
    """A feed that is faster than the client's link."""
    ending = cut(rng) if rng.random() < 0.3 else close(rng, "slow", (1008, 1000, 1001, 1013, 4000), said=0.6)
    server = replace(
        system.server, push_every=0.1, push_size=2000, queue_limit=60_000, ending=ending, close_tag="slow",
        ping_every=None,
    )  # fmt: skip
    path = replace(Path(), bandwidth=rng.uniform(5_000, 12_000))
    return replace(system, opens=system.opens[:3], server=server, path=path, hold=120.0)


_GARBAGE = {
    "frame": (
        b"\xc1\x02hi",
        b"\x83\x01x",
        b"\x8a\x7e\x00\xc8" + b"x" * 200,
        b"\x81\x82abcdhi",
        b"\x81\x02\xff\xfe",
    ),
    "http": (
        b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n" + b"<html>" * 40,
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    ),
    "text": (
        b"-ERR unknown command\r\n",
        b"Segmentation fault (core dumped)\n",
        b"java.io.IOException: Broken pipe\n",
    ),
    "mid": (b"\x82\x7e\x10\x00" + b"x" * 100,),
}


def broken_frames(rng: random.Random, system: System) -> System:
    """Frames that break the protocol, or bytes that are no frames."""
    what = rng.choice(("frame", "frame", "http", "text", "half", "mid"))
    at = rng.uniform(2, system.hold - 10)
    garbage = rng.choice(_GARBAGE.get(what, (b"",)))
    server = system.server
    if what == "half":
        server = replace(server, half_frame_at=at, push_every=None, ping_every=None)
        client = replace(system.client, heartbeat=5.0)
        return replace(system, server=server, client=client, within=4.0, hold=at + 40)
    server = replace(server, garbage=garbage, garbage_at=at, close_tag=f"garbage {what}", ending=cut(rng))
    return replace(system, server=server, hold=at + 20)


def dead_path(rng: random.Random, system: System) -> System:
    """A path that is dead, both ways or one way, or stands still for a while."""
    at = _middle(rng, system)
    path = system.path
    if rng.random() < 0.75:
        path = replace(path, dead_at=at, dead=rng.choice(("both", "both", "upstream", "downstream")))
    else:
        path = replace(path, stalls_at=at, stalls_for=rng.uniform(6, 40))
    return _asking(rng, replace(system, path=path), at)


def dead_peer(rng: random.Random, system: System) -> System:
    """A server that stands still, reads nothing, or whose application is dead."""
    at, what = _middle(rng, system), rng.choice(("frozen", "frozen", "deaf", "zombie", "pongless"))
    server = system.server
    if what == "frozen":
        server = replace(server, blocks=((at, rng.choice((12.0, 500.0))),))
    elif what == "deaf":
        server = replace(server, deaf_from=at)
    elif what == "zombie":
        server = replace(server, zombie_from=at, answers=True)
    else:
        server = replace(server, pongless_from=at)
    return _asking(rng, replace(system, server=server), at)


def _asking(rng: random.Random, system: System, at: float) -> System:
    """A client that asks, so that it notices."""
    client = replace(
        system.client,
        kind=rng.choice(("browser", "keepalive")),
        heartbeat=rng.choice((5.0, 10.0, 15.0)),
        profile="json",
    )
    server = replace(system.server, answers=True)
    return replace(system, client=client, server=server, within=rng.choice((3.0, 5.0)), hold=at + 90)


def ours(rng: random.Random, system: System) -> System:
    """The client closes, or does not take its messages."""
    if rng.random() < 0.5:
        return replace(system, client=replace(system.client, closes_at=rng.uniform(3, system.hold - 5)))
    server = replace(
        system.server, push_every=0.2, ping_every=10.0, ping_timeout=5.0, timer_tag="not taken",
        timer_ending=close(rng, "keepalive", (1011, 1000, 1001)),
    )  # fmt: skip
    return replace(system, client=replace(system.client, takes=False), server=server, hold=60.0)


def notice(rng: random.Random, system: System) -> System:
    """A server that gives notice, and ends the connection soon after."""
    at = rng.uniform(3, system.hold - 15)
    ending = close(rng, "restart", (1000, 1001, 1012), said=0.3)
    server = replace(
        system.server, notice_at=at, closes_at=at + rng.uniform(0.5, 10), close_tag="notice", ending=ending
    )
    return replace(system, server=server, client=replace(system.client, profile="gateway"))


def slow_answers(rng: random.Random, system: System) -> System:
    """Answers that take long."""
    path = replace(system.path, latency=rng.uniform(1.5, 4), jitter=rng.uniform(0, 0.5))
    client = replace(system.client, heartbeat=10.0, profile="json", kind="browser", talk_every=None)
    return replace(
        system, path=path, client=client, server=replace(system.server, answers=True, push_every=None),
        within=2.0, hold=60.0,
    )  # fmt: skip


KINDS = {
    "idle box": (14, idle_box),
    "age": (9, age_box),
    "deadline": (9, deadline_server),
    "mute client": (8, mute_client),
    "keepalive misses": (8, keepalive_misses),
    "beats of the server": (3, beats_of_the_server),
    "restart": (13, restart),
    "closes all": (3, closes_all),
    "unconfirmed": (2, unconfirmed),
    "handler": (7, handler),
    "policy": (14, policy),
    "rate limit": (4, rate_limit),
    "size limit": (5, size_limit),
    "slow consumer": (2, slow_consumer),
    "broken frames": (6, broken_frames),
    "dead path": (6, dead_path),
    "dead peer": (7, dead_peer),
    "ours": (2, ours),
    "notice": (2, notice),
    "slow answers": (2, slow_answers),
}
