"""Ladders from literal fates: ``"60"`` ended at 60 s, ``"alive"`` lived on, ``"lost 600"`` was found lost."""

from __future__ import annotations

import dataclasses

from pytest_wsstability.core.probe.observation import Observation, RungFate
from pytest_wsstability.core.probe.rungs import Rung, Traffic

HORIZON = 600.0
EVERY = 3.0

RUNGS = {
    "quiet": Rung(traffic=Traffic.SILENCE, answers=True),
    "mute": Rung(traffic=Traffic.SILENCE),
    "text": Rung(traffic=Traffic.TEXT, every=EVERY),
    "heartbeat": Rung(traffic=Traffic.HEARTBEAT, every=EVERY),
    "ping": Rung(traffic=Traffic.PING, every=EVERY),
    "pong": Rung(traffic=Traffic.PONG, every=EVERY),
    "all": Rung(traffic=Traffic.ALL, every=EVERY, answers=True),
    **{f"slow {n}": Rung(traffic=Traffic.PING, every=float(n), answers=True, slow=True)
       for n in (14, 28, 57, 115, 230)},
}  # fmt: skip
# What a server answers by default: the kinds after which its bytes keep coming.
ANSWERED = ("heartbeat", "ping", "all", "slow")
FIN = "no close frame received or sent; FIN"


def seen(name: str, fate: str, *, pings: float | None = None, answered=ANSWERED, **more) -> Observation:
    """What became of a rung; the server pings every ``pings`` seconds."""
    rung = RUNGS[name]
    word, _, number = fate.rpartition(" ")
    if fate == "not opened":
        return Observation(rung=rung, fate=RungFate.NOT_OPENED, detail="upgrade refused: HTTP 429")
    if word == "lost":
        return Observation(rung=rung, fate=RungFate.LOST, age=0.1, gap=float(number), pongs=0)
    age = HORIZON if fate == "alive" else float(number)
    beats = rung.every is not None and name.startswith(answered)
    every = rung.every or age
    said = age // every * every if rung.every is not None else 0.0
    count = int(age // pings) if pings is not None else 0
    heard = max(said if beats else 0.0, count * (pings or 0.0))
    observation = Observation(
        rung=rung,
        fate=RungFate.ALIVE if fate == "alive" else RungFate.ENDED,
        age=age,
        last=max(said, heard),
        last_sent=said,
        last_received=heard,
        server_pings=count,
        first_server_ping=pings if count else None,
        server_ping_every=pings if count > 1 else None,
        pongs=1 if beats else 0,
        detail="" if fate == "alive" else FIN,
    )
    return dataclasses.replace(observation, **more)


def ladder(default: str = "alive", *, pings: float | None = None, answered=ANSWERED, **fates: str):
    """All rungs; ``slow_14`` is the slow ping every 14 s, ``stagger`` apart in their openings."""
    named = {name.replace("_", " "): fate for name, fate in fates.items()}
    assert set(named) <= set(RUNGS)
    return [
        seen(name, named.get(name, default), pings=pings, answered=answered, opened_at=1000 + 0.25 * number)
        if named.get(name, default).partition(" ")[0] not in ("not", "lost")
        else seen(name, named.get(name, default))
        for number, name in enumerate(RUNGS)
    ]
