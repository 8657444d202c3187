"""What marks say of how a test opens, checked: a wrong value is a TypeError or ValueError that names it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ..core.duration import parse_duration
from ..core.fleet.plan import FleetPlan, check_connections
from ..core.fleet.requirement import FleetRequirement
from ..core.secret_values import SECRETS
from ..net.fleet.job import check_functions, sources_of
from ..net.target import merge_headers
from ..net.traffic import Traffic
from ..profiles.literals import check_subprotocol
from .asked import FleetAsked


def collect_secrets(given: Mapping[str, Any]) -> None:
    """Collect what a mark gives that may be a secret, before anything of it is checked and told."""
    headers, names = given.get("headers"), given.get("subprotocol", ())
    SECRETS.take_opening(
        url=given.get("url"),
        headers=headers if isinstance(headers, Mapping) else (),
        subprotocols=names if isinstance(names, list | tuple) else (names,),
    )


def read_headers(given: Any) -> dict[str, str | None]:
    """Header fields of a mark, by name; None as a value removes a field."""
    if not isinstance(given, Mapping):
        raise TypeError(f"headers: {type(given).__name__} is no mapping; give {{'Name': 'value'}}")
    merge_headers(given)
    return dict(given)


def read_subprotocols(given: Any) -> tuple[str, ...]:
    """The subprotocols that a mark offers: one, or several with the preferred first."""
    names = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not all(isinstance(name, str) and name for name in names):
        raise TypeError(f"subprotocol: {given!r} is no name; give one, or a list with the preferred first")
    for name in names:
        check_subprotocol(name)
    return names


def read_origin(given: Any) -> str | None:
    """The Origin header of a mark."""
    if given is not None and not isinstance(given, str):
        raise TypeError(f"origin: {given!r} is no text; give it as a browser sends it: 'https://app.example'")
    return given


def read_traffic(given: Any) -> Traffic | None:
    """The workload of a mark."""
    if given is not None and not inspect.iscoroutinefunction(given):
        raise TypeError(
            f"traffic: {given!r} is no coroutine function; give 'async def talk(connection): ...', not called"
        )
    traffic: Traffic | None = given
    return traffic


# Keywords of the mark that only make sense with `ws_fleet`.
OF_A_FLEET = (
    "connections", "survival", "confidence", "ramp", "refused_max", "stalled", "drain", "reconnects",
    "sources", "options_of", "url_of", "fanout_of", "fanout_within", "fanout_p99",
)  # fmt: skip


def read_fleet(values: dict[str, Any], alive_for: Any) -> FleetAsked | None:
    """The fleet of a mark, each connection of which is held so long; None where it asks for none."""
    if not values:
        return None
    if "connections" not in values:
        raise ValueError(f"{next(iter(values))}: only makes sense with connections")
    connections, ramp, stalled = values.pop("connections"), values.pop("ramp", None), values.pop("stalled", 0)
    check_connections(connections, stalled)
    seconds = 0.0 if ramp is None else parse_duration(ramp, "ramp", zero=True)
    if alive_for is not None:
        # They open while the first ones are held.
        hold = parse_duration(alive_for, "alive_for")
        FleetPlan(connections=connections, hold=hold, ramp=seconds, stalled=stalled)
    functions = {name: values.pop(name, None) for name in ("options_of", "url_of", "fanout_of")}
    check_functions(**functions)
    sources = sources_of(values.pop("sources", ()))
    asked = FleetRequirement.of(**values, measures_fanout=functions["fanout_of"] is not None)
    return FleetAsked(
        connections=connections, ramp=ramp, stalled=stalled, asked=asked, sources=sources, **functions
    )
