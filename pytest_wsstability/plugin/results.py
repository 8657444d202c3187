"""The results of a session: taken from each test when it is over, and sent home by the workers of xdist."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from .diagnosing import ask_hooks
from .fixtures import connector_key, forget, orchestrator_key, soak_key
from .markers import plan_of

if TYPE_CHECKING:
    from ..core.judge.judgement import Judgement
    from ..core.judge.verdict import Verdict
    from ..core.result import Result, Run
    from ..core.timeline.timeline import Timeline
    from ..net.errors import OpeningError
    from .files.recording import Tape
    from .soaks.background import Hold

results_key = pytest.StashKey["Results"]()
# What went wrong in the phases of a test so far, and whether one of them neither passed nor was to fail.
_errors_key = pytest.StashKey[list[BaseException]]()
_failed_key = pytest.StashKey[bool]()
_found_key = pytest.StashKey["list[Result]"]()
# The attribute of a worker's report; pytest sends attributes that it does not know along.
_LUGGAGE = "wsstability_results"


class Results:
    """What was held in a session so far, in the order in which the tests ended."""

    def __init__(self, *, worker: str = "", started: str = "") -> None:
        self.worker = worker
        # Of the whole session, which is the controller's where there are workers.
        self.started = started or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # What writes results down as they come; None where nobody asked for it.
        self.tape: Tape | None = None
        self._results: list[Result] = []
        self._origin = time.monotonic()

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def add(self, result: Result) -> None:
        """Take a result down."""
        self._results.append(result)
        self.record(result)

    def record(self, result: Result) -> None:
        """Write a result down if somebody asked for it, and keep it no longer."""
        if self.tape is not None:
            self.tape.add(result)

    def since_start(self, opened: float | None = None) -> float:
        """Seconds from the start of the session to a reading of a loop's real clock, or to now."""
        return max(0.0, (time.monotonic() if opened is None else opened) - self._origin)

    def run(self, complaints: tuple[str, ...] = ()) -> Run:
        """The session as reports show it."""
        import platform

        from .. import __version__
        from ..core.result import Run

        return Run(
            started=self.started,
            tool=f"pytest-wsstability {__version__}",
            machine=f"{platform.python_implementation()} {platform.python_version()}, "
            f"{platform.system()} {platform.machine()}",
            results=tuple(self._results),
            complaints=complaints,
        )


def start(config: pytest.Config) -> None:
    """Begin to take results down."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    config.stash[results_key] = Results(
        worker=worker.get("workerid", ""), started=worker.get("wsstability_started", "")
    )


def tell_worker(node: Any) -> None:
    """Let a worker of xdist that is about to start know which session it belongs to."""
    node.workerinput["wsstability_started"] = node.config.stash[results_key].started


def before_report(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Remember what went wrong in a phase; after the last one, find what was held in the test."""
    if call.when == "setup":
        item.stash[_errors_key], item.stash[_failed_key] = [], False
    if call.excinfo is not None:
        item.stash[_errors_key].append(call.excinfo.value)
    if call.when != "teardown":
        return
    item.stash[_failed_key] |= call.excinfo is not None
    found = item.stash[_found_key] = list(_found(item, item.config.stash[results_key]))
    forget(item)
    if found:
        from ..report.junit import PREFIX, properties

        # JUnit shows those of the last report; a test that runs again has its own.
        others = [pair for pair in item.user_properties if not pair[0].startswith(PREFIX)]
        item.user_properties[:] = [*others, *properties(found)]


def after_report(item: pytest.Item, report: pytest.TestReport) -> None:
    """Remember how a phase ended; after the last one, take down what was held, or send it home."""
    # A skip is no pass either, unless it is pytest's word for a failure that was expected.
    item.stash[_failed_key] |= report.failed or (report.skipped and not hasattr(report, "wasxfail"))
    if report.when != "teardown":
        return
    results, found = item.config.stash[results_key], item.stash[_found_key]
    del item.stash[_found_key]
    for result in found:
        # What a worker sends home now, it has not to keep.
        (results.record if results.worker else results.add)(result)
    if results.worker and found:
        setattr(report, _LUGGAGE, json.dumps([result.as_dict() for result in found]))
    if results.tape is not None:
        results.tape.over(item.nodeid)


def unpack(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport | None) -> None:
    """Take down what a worker of xdist sent with a report."""
    luggage = getattr(report, _LUGGAGE, None)
    if luggage is not None:
        unpack_text(config, luggage)


def unpack_text(config: pytest.Config, text: str) -> None:
    """Take down what a worker of xdist has packed."""
    from ..core.result import Result

    for data in json.loads(text):
        config.stash[results_key].add(Result.from_dict(data))


def packed(config: pytest.Config) -> str:
    """What a worker of xdist has not sent with a report, for `unpack_text`."""
    return json.dumps([result.as_dict() for result in config.stash[results_key]])


def take_unjudged(session: pytest.Session, holds: list[Hold]) -> None:
    """Take down holds whose tests had no turn any more, because the run ended before."""
    from ..core.result import Result
    from ..core.timeline.events import Tier

    results = session.config.stash[results_key]
    places = {item.nodeid: item.location for item in session.items} if holds else {}
    for hold in holds:
        if hold.soak is not None:
            real = hold.soak.verdict.tier is Tier.REAL
            path, line, _ = places[hold.name]
            results.add(
                Result(
                    nodeid=hold.name,
                    url=hold.soak.url,
                    requirement=hold.requirement,
                    verdict=hold.soak.verdict,
                    timelines=tuple(hold.soak.timelines),
                    started_at=results.since_start(hold.soak.timeline.opened if real else None),
                    worker=results.worker,
                    path=path,
                    line=(line or 0) + 1,
                )
            )


def _found(item: pytest.Item, results: Results) -> Iterator[Result]:
    """The holds of a test, each connection once."""
    errors = item.stash[_errors_key]
    seen: set[int] = set()
    for url, judgement, timelines in _judged(item):
        seen.add(id(timelines[0]))
        yield _result(item, results, url, judgement, timelines)
    if not errors:
        return
    from ..core.judge.judgement import Judgement
    from ..core.message.errors import StabilityError
    from ..net.errors import OpeningError

    for error in errors:
        if isinstance(error, StabilityError) and not seen.intersection(map(id, error.timelines[:1])):
            yield _result(item, results, "", Judgement(error.requirement, error.verdict), error.timelines)
        elif isinstance(error, OpeningError) and (requirement := plan_of(item).requirement) is not None:
            yield _result(item, results, error.url, Judgement(requirement, _not_opened(item, error)), ())


def _judged(item: pytest.Item) -> Iterator[tuple[str, Judgement, tuple[Timeline, ...]]]:
    """Target, judgement and timelines of each connection that the test asserted something about."""
    from ..core.redact import redact_url

    soak = item.stash.get(soak_key, None)
    if soak is not None:
        yield soak.url, soak.judgement, tuple(soak.timelines)
    connector = item.stash.get(connector_key, None)
    for connection in connector.connections if connector is not None else ():
        if connection.judgement is not None:
            yield connection.url, connection.judgement, tuple(connection.timelines)
    orchestrator = item.stash.get(orchestrator_key, None)
    if orchestrator is None:
        return
    # A session may have had several connections, one after the other.
    for connection in (each for session in orchestrator.sessions for each in session.connections):
        if connection.judgement is not None:
            yield redact_url(orchestrator.url), connection.judgement, tuple(connection.timelines)


def _result(
    item: pytest.Item, results: Results, url: str, judgement: Judgement, timelines: tuple[Timeline, ...]
) -> Result:
    from ..core.result import Result
    from ..core.timeline.events import Tier

    verdict = ask_hooks(item, judgement.verdict, timelines)
    opened = timelines[0].opened if timelines and verdict.tier is Tier.REAL else None
    path, line, _ = item.location
    return Result(
        nodeid=item.nodeid,
        url=url,
        requirement=judgement.requirement,
        verdict=verdict,
        timelines=timelines,
        started_at=results.since_start(opened),
        attempt=getattr(item, "execution_count", 1),
        worker=results.worker,
        expected=_is_expected(item, verdict, timelines),
        path=path,
        line=(line or 0) + 1,
    )


def _is_expected(item: pytest.Item, verdict: Verdict, timelines: tuple[Timeline, ...]) -> bool:
    """Whether the test asked for a verdict that is not stable: it passed, or failed over another one."""
    from ..core.judge.verdict import Outcome
    from ..core.message.errors import StabilityError

    if verdict.outcome is Outcome.STABLE:
        return False
    if not item.stash[_failed_key]:
        return True
    failures = [error for error in item.stash[_errors_key] if isinstance(error, StabilityError)]
    own = any(error.timelines[0] is timelines[0] for error in failures if error.timelines and timelines)
    # A result of no connection in particular is the failure itself.
    return bool(failures) and bool(timelines) and not own


def _not_opened(item: pytest.Item, error: OpeningError) -> Verdict:
    from ..core.diagnosis import diagnose_opening
    from ..core.judge.verdict import Rule, Verdict, Violation
    from ..core.redact import show_text
    from ..core.timeline.events import Tier
    from .clock import is_virtual

    text = show_text(str(error))
    return Verdict.of(
        [Violation(Rule.OPENED, 0.0, "the connection opens", text, text)],
        horizon=0.0,
        tier=Tier.VIRTUAL if is_virtual(item) else Tier.REAL,
        diagnosis=diagnose_opening(
            error.stage.name, status=error.status, retry_after=error.retry_after, detail=error.detail
        ),
    )
