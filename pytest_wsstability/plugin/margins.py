"""What can be known of a test before it runs: its margins, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from ..core.faults import IdleTimeout, ResetBy
from ..core.faults.middleboxes import middlebox
from ..core.judge.margins import KnownTimer, TrafficRates, concerns, margin
from ..core.judge.verdict import Outcome
from ..core.message.protocol import misfit
from ..core.timeline.events import End, Opcode, Role
from ..core.timeline.protocol_facts import Awaited
from ..net.client_side import KEEPALIVE
from ..net.server.behaviour import Behaviour, behaviour_of
from .markers import ORCHESTRATOR, fixtures_of
from .plans import is_virtual, middlebox_of, orchestrator_of, plan_of, target_of
from .project_fixtures import our_fixtures
from .settings import TargetKind
from .stash import orchestrator_key, soak_key, spins_key

if TYPE_CHECKING:
    from ..core.faults import Fault
    from ..core.result import Result
    from ..profiles import Profile


class StabilityWarning(pytest.PytestWarning):
    """The numbers of a test do not go together: a race with a timer, or a hold that proves nothing."""


# What resets a timer of a protocol, as far as the marker says what is sent.
_RESET_BY = frozenset({Awaited.MESSAGE, Awaited.HEARTBEAT, Awaited.AGE})

# Where filters of warnings look for it.
StabilityWarning.__module__ = "pytest_wsstability"


def warn(item: pytest.Item) -> None:
    """
    Warn of a test whose numbers do not go together, unless it is expected to fail, or a mark ignores it.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    if not _may_go_elsewhere(item) and not _is_ignored(item):
        _warn(item)


def warn_of_use(item: pytest.Item) -> None:
    """
    Warn in the same way of a test that says in its body where it connects to, once it has.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    if _may_go_elsewhere(item) and _is_used(item):
        _warn(item)


def _warn(item: pytest.Item) -> None:
    if item.get_closest_marker("xfail") is not None:
        return
    for text in _concerns(item):
        item.warn(StabilityWarning(f"{item.nodeid}: {text}"))


def _may_go_elsewhere(item: pytest.Item) -> bool:
    """Whether the test itself says where its connections lead."""
    own = our_fixtures(item)
    return "ws_connect" in own and {"ws_soak", "ws_connection"}.isdisjoint(own)


def _is_used(item: pytest.Item) -> bool:
    """Whether anybody has connected to the reference orchestrator of a test."""
    running = item.stash.get(orchestrator_key, None)
    return running is not None and bool(running.sessions)


def warn_of_idle_faults(item: pytest.Item) -> None:
    """
    Warn of faults that a mark gives to the reference orchestrator, where another server was under test.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    if "ws_url" not in fixtures_of(item) or not orchestrator_of(item).get("faults"):
        return
    if not _is_reference(item) and orchestrator_key not in item.stash:
        text = (
            f"{item.nodeid}: no fault of {ORCHESTRATOR}(faults=) was injected, for the server under test is "
            f"that of {target_of(item).source}; ws_proxy(faults=) breaks the link to any server"
        )
        item.warn(StabilityWarning(text))


def warn_of_spins(item: pytest.Item) -> None:
    """
    Warn of a test whose virtual clock went on though a task never let the loop come to rest.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    soak = item.stash.get(soak_key, None)
    spins = dict.fromkeys([*item.stash.get(spins_key, ()), *(soak.spins if soak is not None else ())])
    for at, place in spins:
        text = (
            f"{item.nodeid}: virtual time went on at t={at:.9g} s, though {place} turned the loop again and "
            "again without a wait: use a timer, such as sleep(0.01), or an event"
        )
        item.warn(StabilityWarning(text))


def warn_of_misfits(item: pytest.Item, results: Iterable[Result]) -> None:
    """
    Warn of a stable verdict about a connection on which nobody spoke the profile that was asked for.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    for result in results:
        for timeline in result.timelines[:1] if result.verdict.outcome is Outcome.STABLE else ():
            text = misfit(timeline)
            if text is not None and timeline.protocol is not None and timeline.protocol.has_session:
                item.warn(StabilityWarning(f"{item.nodeid}: {text}"))


def _is_ignored(item: pytest.Item) -> bool:
    """Marks of filters count when a test runs, and this is earlier."""
    filters = [str(each) for mark in item.iter_markers("filterwarnings") for each in mark.args]
    return any(each.startswith("ignore") and StabilityWarning.__name__ in each for each in filters)


def _concerns(item: pytest.Item) -> list[str]:
    requirement, fleet = plan_of(item).requirement, plan_of(item).fleet
    if requirement is None or requirement.alive_for is None:
        return []
    if fleet is not None and (text := fleet.asked.forecast(fleet.connections - fleet.stalled)) is not None:
        return [text]
    timers = list(_timers(item))
    if not _sends_what_it_says(item):
        # The heartbeat stands in the test's body: only the length of the hold is known.
        timers = [timer for timer in timers if timer.seconds >= requirement.alive_for]
    slow = not is_virtual(item)
    return concerns(requirement.alive_for, timers, _traffic(item), with_certain_ends=slow) if timers else []


def add_margins(item: pytest.Item, report: pytest.TestReport) -> None:
    """Show the margins of a test that failed, as far as they are known."""
    requirement = plan_of(item).requirement
    if not report.failed or requirement is None or not _sends_what_it_says(item):
        return
    if _may_go_elsewhere(item) and not _is_used(item):
        return
    traffic = _traffic(item)
    known = [found for timer in _timers(item) if (found := margin(timer, traffic)) is not None]
    if known:
        report.sections.append(("margins", "\n".join(map(str, known))))


def _sends_what_it_says(item: pytest.Item) -> bool:
    """Whether the marker alone says what the client sends."""
    requirement = plan_of(item).requirement
    names = our_fixtures(item)
    return "ws_connect" not in names or (requirement is not None and requirement.heartbeat_every is not None)


def _is_reference(item: pytest.Item) -> bool:
    return target_of(item).kind is TargetKind.REFERENCE


def _behaviour(item: pytest.Item) -> Behaviour | None:
    """How the reference orchestrator will behave; None where it is not the target, or a handler may talk."""
    written = orchestrator_of(item)
    if not _is_reference(item) or {"handler", "faults"} & set(written):
        return None
    fields = Behaviour.__dataclass_fields__
    profile = written.get("profile", plan_of(item).profile)
    return behaviour_of(profile, **{name: value for name, value in written.items() if name in fields})


def _traffic(item: pytest.Item) -> TrafficRates:
    plan, behaviour = plan_of(item), _behaviour(item)
    asked = plan.requirement.heartbeat_every if plan.requirement is not None else None
    sends = plan.profile.beats(End.CLIENT) and not plan.profile.heartbeat_is_frame
    return TrafficRates(
        heartbeat_every=asked or (_interval(item, plan.profile) if sends else None),
        server_ping_every=behaviour.ping_interval if behaviour is not None else None,
        ping_every=KEEPALIVE if plan.client == "keepalive" else None,
        answers=plan.client in ("browser", "keepalive"),
    )


def _timers(item: pytest.Item) -> Iterator[KnownTimer]:
    """The timers that will rule the connections of a test, as far as they are known."""
    behaviour = _behaviour(item)
    yield from _of_protocol(item, behaviour)
    if behaviour is None:
        return
    if behaviour.read_deadline is not None:
        yield _deadline(item, behaviour, behaviour.read_deadline)
    if (name := middlebox_of(item)) is not None:
        box = middlebox(name)
        for fault in box.faults:
            yield from _of_fault(item, behaviour, fault, f"the idle timeout of {box.name}")


def _of_protocol(item: pytest.Item, behaviour: Behaviour | None) -> Iterator[KnownTimer]:
    """Timers that every server of the profile runs by default; nothing is known of one with faults."""
    if behaviour is None and _is_reference(item):
        return
    profile = plan_of(item).profile
    for timer in profile.timers:
        seconds = timer.runs(_interval(item, profile), profile.timeout)
        if timer.by is not End.SERVER or seconds is None or timer.awaits not in _RESET_BY:
            continue
        data = timer.awaits is not Awaited.AGE
        yield KnownTimer(
            name=timer.name,
            seconds=seconds,
            by_heartbeat=data and not profile.heartbeat_is_frame,
            by_pong=False,
            by_ping=False,
            by_server_ping=False,
            chosen=False,
        )


def _interval(item: pytest.Item, profile: Profile) -> float | None:
    """Seconds between two heartbeats that the ends go by, as far as that is known before a run."""
    behaviour, requirement = _behaviour(item), plan_of(item).requirement
    if profile.agree is not None and requirement is not None and requirement.heartbeat_every is not None:
        # The client promises it.
        return requirement.heartbeat_every
    if behaviour is not None and behaviour.heartbeat_interval is not None:
        return behaviour.heartbeat_interval
    return profile.interval


def _deadline(item: pytest.Item, behaviour: Behaviour, seconds: float) -> KnownTimer:
    frame = Opcode.PING if plan_of(item).profile.heartbeat_is_frame else Opcode.TEXT
    return KnownTimer(
        name="the orchestrator's read deadline",
        seconds=seconds,
        by_heartbeat=behaviour.resets(frame, Role.HEARTBEAT),
        by_pong=behaviour.resets(Opcode.PONG, Role.NONE),
        by_ping=behaviour.resets(Opcode.PING, Role.NONE),
        by_server_ping=False,
        # A mark of the module is for tests of all lengths.
        chosen=any(mark.name == ORCHESTRATOR and "read_deadline" in mark.kwargs for mark in item.own_markers),
    )


def _of_fault(item: pytest.Item, behaviour: Behaviour, fault: Fault, name: str) -> Iterator[KnownTimer]:
    if not isinstance(fault, IdleTimeout):
        return
    by, is_frame = fault.reset_by, plan_of(item).profile.heartbeat_is_frame
    answered = behaviour.answer_heartbeats is not None
    from_client = by in (ResetBy.ANY, ResetBy.UPSTREAM)
    both_ways = by in (ResetBy.DOWNSTREAM, ResetBy.EACH)
    yield KnownTimer(
        name=name,
        seconds=fault.seconds,
        by_heartbeat=from_client or (both_ways and answered) or (by is ResetBy.DATA and not is_frame),
        # With a timer for each direction, the server's ping and its pong reset both.
        by_pong=from_client or both_ways,
        by_ping=from_client or both_ways,
        by_server_ping=by in (ResetBy.ANY, ResetBy.DOWNSTREAM),
        chosen=True,
    )
