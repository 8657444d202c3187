"""
Generated conversations, and a slow reference for every number that a `Call` keeps.

A conversation is a list of what happened, in milliseconds, each with the turn that it belongs to. The
reference reads the finished list as often as it likes, and knows whose audio a chunk is; the `Call` is told
the same, one after the other, and has to find out.

"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from pytest_wsstability.core.voice.call import Call

PREBUFFER = 60


@dataclass(frozen=True)
class Event:
    """What happened at ``at`` (ms): to which turn, how long it plays, its number, how late or slow it is."""

    at: float
    kind: str
    turn: int = 0
    ms: int = 0
    sequence: int = 0
    late: float = 0


# The streams.


def conversation(seed: int) -> tuple[list[Event], bool]:
    """
    One to four turns, and whether the agent numbers its turns.

    Users act at odd milliseconds, agents at even ones, heartbeats between two: nothing is at once.

    """
    dice = random.Random(seed)
    numbered = dice.random() < 0.5
    events: list[Event] = []
    begins, sequence, stop = 1 + 2 * dice.randint(0, 200), 0, 0
    turns = dice.randint(1, 4)
    for turn in range(1, turns + 1):
        # Without numbers an answer that is broken off has to be over before the user has ended.
        speech = 2 * dice.randint(10, 600) + (0 if numbered else stop)
        ends = begins + speech
        events += [Event(begins, "speak", turn), Event(ends, "hush", turn), *_frames(dice, begins, ends)]
        if dice.random() < 0.8:
            events.append(Event(begins + 2 * dice.randint(0, speech // 2) + 1, "partial", turn))
        first = max(ends + 1 + 2 * dice.randint(5, 400), begins + stop + 3)
        events += [Event(first, "final", turn), Event(first + 2 * dice.randint(0, 100), "token", turn)]
        speaks = events[-1].at + 2 * dice.randint(1, 200)
        answer = _answer(dice, turn, speaks, sequence)
        done = answer[-1].at + 2 * dice.randint(1, 50)
        begins, stop = int(answer[0].at) + 1 + 2 * dice.randint(0, 1500), 0
        if begins < done:
            stop = 2 * dice.randint(0, 200)
            answer = [each for each in answer if each.at <= begins + stop]
            done = begins + 1 + stop
            events.append(Event(done, dice.choice(["done", "interrupted"]) if turn < turns else "done", turn))
        else:
            events.append(Event(done, "done", turn))
        events += answer
        sequence = max(each.sequence for each in answer)
        if dice.random() < 0.2 and begins > done + 20:
            sequence += 1
            events.append(Event(done + 10, "audio", 0, 20, sequence))
    last = max(each.at for each in events)
    for _ in range(dice.randint(0, 12)):
        events.append(Event(dice.randint(0, int(last)) + 0.5, "pong", late=dice.uniform(0, 300)))
    return sorted(events, key=lambda each: each.at), numbered


def _frames(dice: random.Random, begins: int, ends: int) -> Iterator[Event]:
    """What the user says: 20 ms each, some of them late, none before the one in front of it."""
    at = 0.0
    for due in range(begins, ends, 20):
        at = max(at, due + dice.choice([0, 0, 0, 0, 1.25, 3, 40]))
        yield Event(at, "sent", ms=20, late=at - due)


def _answer(dice: random.Random, turn: int, at: float, sequence: int) -> list[Event]:
    """Chunks of an answer: some lost, some twice, some in the place of the next; ahead of time, or late."""
    length, pace = dice.choice([20, 40, 100, 200]), dice.choice([0.0, 0.1, 0.5, 1.0, 1.2])
    chunks: list[Event] = []
    for number in range(sequence + 1, sequence + 1 + dice.randint(1, 24)):
        chunks.append(Event(at, "audio", turn, length, number))
        if dice.random() < 0.04:
            chunks.append(Event(at, "audio", turn, length, number))
        stalls = 2 * dice.randint(20, 400) if dice.random() < 0.06 else 0
        at += round(length * pace / 2) * 2 + stalls
    for index in range(len(chunks) - 1):
        if dice.random() < 0.04:
            here, there = chunks[index], chunks[index + 1]
            chunks[index : index + 2] = [
                Event(here.at, "audio", turn, length, there.sequence),
                Event(there.at, "audio", turn, length, here.sequence),
            ]
    return [each for each in chunks if dice.random() > 0.04] or chunks[:1]


def told(events: list[Event], *, numbered: bool) -> Call:
    """The call that is told all of it, in order, as a caller tells it."""
    call = Call(prebuffer=PREBUFFER / 1000)
    for each in events:
        at, number = each.at / 1000, each.turn if numbered and each.turn else None
        if number is not None and each.kind in ("final", "token", "audio", "done"):
            call.numbered(at, number)
        match each.kind:
            case "speak":
                call.speech_began(at)
            case "hush":
                call.speech_ended(at)
            case "sent":
                call.sent(at, each.ms / 1000, due=(each.at - each.late) / 1000)
            case "partial" | "final":
                call.transcript(at, final=each.kind == "final")
            case "token":
                call.token(at)
            case "audio":
                call.audio(at, each.ms / 1000, sequence=each.sequence, number=number)
            case "done":
                call.turn_done(at, number=number)
            case "interrupted":
                call.interrupted(at)
            case "pong":
                call.round_trip(at, each.late / 1000)
    return call


# The reference: each number from the whole list, as its definition says.


class Player(NamedTuple):
    """A player that takes one millisecond after the other."""

    # The milliseconds that wait at each instant, from the first chunk on, once what came then is there.
    waiting: dict[int, int]
    # Gaps in the middle of the speech, in milliseconds.
    gaps: list[int]
    # When all of it has been played.
    dry: int


def play(chunks: list[Event], prebuffer: int = PREBUFFER) -> Player:
    """Play one answer."""
    queue = [(int(each.at), each.ms) for each in chunks]
    (first, _), (last, _) = queue[0], queue[-1]
    now, started, held, gap, waiting, gaps = first, False, 0, 0, {}, []
    while now <= last or held:
        while queue and queue[0][0] == now:
            held += queue.pop(0)[1]
            if gap:
                gaps.append(gap)
            gap = 0
        waiting[now] = held
        started = started or held >= prebuffer or now >= first + prebuffer
        if started and held:
            held -= 1
        elif started:
            gap += 1
        now += 1
    return Player(waiting, gaps, now)


def jitter(chunks: list[tuple[float, int]]) -> list[float]:
    """|D(i-1,i)| of RFC 3550, section 6.4.1, of each pair of neighbours, in milliseconds."""
    return [abs((now - before) - length) for (before, length), (now, _) in pairwise(chunks)]


def reference(events: list[Event]) -> dict[str, object]:
    """Every number, in milliseconds; those of a turn under its number."""
    speaks = {each.turn: each.at for each in events if each.kind == "speak"}
    turns = {
        turn: Answer.of([each for each in events if each.turn == turn], speaks.get(turn + 1, math.inf))
        for turn in speaks
    }
    found: dict[str, object] = {f"turn {turn}": answer.numbers() for turn, answer in turns.items()}
    late = sorted(each.late for each in events if each.kind == "sent")
    found["streams"] = {
        **_numbering(events),
        "dropped": sum(answer.dropped for answer in turns.values()),
        "deepest": max((answer.deepest for answer in turns.values()), default=0),
        **_unevenness(_segments(events)),
        "late": (len(late), late[math.ceil(0.95 * len(late)) - 1], late[-1]),
        "audio up and down": (20 * len(late), sum(each.ms for each in events if each.kind == "audio")),
        "slowest heartbeats": _slowest(events, [each for answer in turns.values() for each in answer.heard]),
    }
    return found


class Answer(NamedTuple):
    """A turn: what was said and answered, and when the user spoke again (never: infinity)."""

    events: list[Event]
    audio: list[Event]
    # When it ended by itself or was broken off, and when the user speaks again.
    done: float
    over: float
    # What a player makes of the audio that came before that; None without any audio.
    player: Player | None

    @classmethod
    def of(cls, events: list[Event], over: float) -> Answer:
        audio = [each for each in events if each.kind == "audio"]
        done = next(each.at for each in events if each.kind in ("done", "interrupted"))
        return cls(events, audio, done, over, play([e for e in audio if e.at < over]) if audio else None)

    @property
    def barges(self) -> bool:
        """Whether the user speaks over it: while it comes, or while it is played."""
        if self.player is None:
            return False
        dry = self.player.dry if self.done < self.over else 0
        return self.done > self.over or self.over < max(self.done, dry)

    @property
    def stops(self) -> float | None:
        """How long it goes on when the user speaks; None where nothing was to be heard by then."""
        if self.player is None or not self.barges:
            return None
        goes_on = max(0.0, self.audio[-1].at - self.over)
        return goes_on if goes_on or self.over < self.player.dry else None

    @property
    def dropped(self) -> int:
        """What waited to be played when the user spoke over it."""
        return self.player.waiting.get(int(self.over), 0) if self.player is not None and self.barges else 0

    @property
    def deepest(self) -> int:
        return max(self.player.waiting.values()) if self.player is not None else 0

    @property
    def heard(self) -> list[tuple[float, float]]:
        """When audio flowed: the user's, and the agent's."""
        spoken = [(self.at("speak"), self.at("hush"))]
        return [(self.audio[0].at, min(self.done, self.over)), *spoken] if self.player is not None else spoken

    def at(self, *kinds: str) -> float:
        """When the first of some kinds came."""
        return min(each.at for each in self.events if each.kind in kinds)

    def numbers(self) -> dict[str, object]:
        gaps = self.player.gaps if self.player is not None else []
        return {
            "transcript": self.at("partial", "final") - self.at("speak"),
            "token": self.at("token") - self.at("hush"),
            "first audio": self.audio[0].at - self.at("hush") if self.audio else None,
            "audio": sum(each.ms for each in self.audio if each.at < self.over),
            "underruns": (len(gaps), sum(gaps)),
            "stops after": self.stops,
        }


def _numbering(events: list[Event]) -> dict[str, object]:
    """What the numbers of the agent's chunks tell."""
    came = [each.sequence for each in events if each.kind == "audio"]
    return {
        "stray": sum(each.kind == "audio" and not each.turn for each in events),
        "lost": len(set(range(min(came), max(came) + 1)) - set(came)) if came else 0,
        "twice": len(came) - len(set(came)),
        "reordered": sum(
            here not in came[:index] and here < max(came[:index], default=here)
            for index, here in enumerate(came)
        ),
    }


def _unevenness(segments: list[list[tuple[float, int]]]) -> dict[str, object]:
    """Jitter (RFC 3550, section 6.4.1) and gaps of the agent's audio."""
    estimate, largest = 0.0, 0.0
    for change in (change for segment in segments for change in jitter(segment)):
        estimate += (change - estimate) / 16
        largest = max(largest, estimate)
    gaps = [now - before for segment in segments for (before, _), (now, _) in pairwise(segment)]
    return {"jitter": (estimate, largest), "gaps": (len(gaps), max(gaps, default=None))}


def _slowest(events: list[Event], heard: list[tuple[float, float]]) -> tuple[float | None, float | None]:
    """The slowest heartbeat while audio flowed, and while none did."""
    rtts = [(each.at, each.late) for each in events if each.kind == "pong"]
    speaking = [late for at, late in rtts if any(since < at < until for since, until in heard)]
    idle = [late for _, late in rtts if late not in speaking]
    return max(speaking, default=None), max(idle, default=None)


def _segments(events: list[Event]) -> list[list[tuple[float, int]]]:
    """The agent's audio in pieces that nobody interrupts and that come to no end."""
    pieces: list[list[tuple[float, int]]] = [[]]
    for each in events:
        if each.kind in ("speak", "done", "interrupted"):
            pieces.append([])
        elif each.kind == "audio":
            pieces[-1].append((each.at, each.ms))
    return pieces


# What the call kept, in the same words.


def kept(call: Call) -> dict[str, object]:
    """The numbers of a call, as the reference has them."""
    found: dict[str, object] = {
        f"turn {turn.number}": {
            "transcript": _ms(turn.first_transcript),
            "token": _ms(turn.first_token),
            "first audio": _ms(turn.first_audio),
            "audio": _ms(turn.audio_seconds),
            "underruns": (turn.underruns, _ms(turn.underrun_seconds)),
            "stops after": _ms(turn.stop_latency),
        }
        for turn in call.turns
    }
    up, down, player = call.up, call.down, call.playout
    found["streams"] = {
        "stray": call.stray_chunks,
        "lost": call.lost_chunks,
        "twice": down.numbers.repeats,
        "reordered": down.reordered,
        "dropped": _ms(player.dropped),
        "deepest": _ms(player.deepest),
        "jitter": (_ms(down.jitter), _ms(down.jitter_max)),
        "gaps": (down.gaps.count, _ms(down.gaps.maximum) if down.gaps.count else None),
        "late": (up.lateness.count, _ms(up.lateness.quantile(0.95)), _ms(up.lateness.maximum)),
        "audio up and down": (_ms(up.seconds), _ms(down.seconds)),
        "slowest heartbeats": tuple(
            _ms(each.maximum) if each.count else None for each in (call.rtt_speaking, call.rtt_idle)
        ),
    }
    return found


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
