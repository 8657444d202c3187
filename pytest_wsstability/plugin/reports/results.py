"""The results of a session: taken from each test when it is over, and sent home by the workers of xdist."""

from __future__ import annotations

import dataclasses
import json
import platform
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from ... import __version__
from ...core.fleet.failure import FleetError
from ...core.judge.judgement import Judgement
from ...core.judge.verdict import Doubt, Outcome, Rule, Verdict, Violation
from ...core.message.errors import StabilityError, leaves
from ...core.redact import redact, redact_url, show_text
from ...core.result import Result, Run
from ...core.timeline.events import Tier
from ...net.errors import OpeningError
from ...net.voice.soak import VoiceSoak
from ...report.junit import PREFIX, properties
from ..failures import ask_hooks
from ..margins import warn_of_misfits
from ..plans import is_virtual, plan_of
from ..registered import registered
from ..stash import connector_key, fleet_key, forget, orchestrator_key, soak_key, transcripts_key
from ..workers import Controller, controller_of, links_of

if TYPE_CHECKING:
    from ...core.call_summary import CallSummary
    from ...core.fleet_summary import FleetSummary
    from ...core.judge.requirement import Requirement
    from ...core.timeline.timeline import Timeline
    from ...core.transcript import TranscriptMessage
    from ...net.fleet.fleet import Fleet
    from .jsonl import JsonlWriter

_NAME = "wsstability-results"


def results_of(config: pytest.Config) -> Results:
    """The results of a run, begun when they are first asked for."""
    return registered(config, _NAME, lambda: _begun(config))


def _begun(config: pytest.Config) -> Results:
    controller = controller_of(config)
    return Results(started=links_of(config).started) if controller is None else Results(controller)


class Results:
    """What was held in a session so far, in the order in which the tests ended."""

    def __init__(self, controller: Controller | None = None, *, started: str = "") -> None:
        # Who keeps the results of a worker; None in a process that is none.
        self._controller = controller
        self.worker = controller.worker if controller is not None else ""
        # Of the whole session, which is the controller's where there are workers.
        self.started = controller.started if controller is not None else started
        # What writes results down as they come; None where nobody asked for it.
        self.writer: JsonlWriter | None = None
        self._results: list[Result] = []
        self._origin = time.monotonic()
        # Of the test that runs: what its phases raised, whether one of them neither passed nor was to fail,
        # what was held in it, which is known after the last, and how many attempts before had no reports.
        self._errors: list[BaseException] = []
        self._failed = False
        self._found: list[Result] = []
        self._unreported = 0

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def add(self, result: Result) -> None:
        """Take a result down; a worker sends it home, and keeps it no longer."""
        if self._controller is None:
            self._results.append(result)
        else:
            self._controller.tell("results", json.dumps([result.as_dict(payloads=True)]))
        if self.writer is not None:
            self.writer.add(result)

    def add_unjudged(
        self,
        item: pytest.Item,
        url: str,
        requirement: Requirement,
        verdict: Verdict,
        timelines: tuple[Timeline, ...],
    ) -> None:
        """Take down a hold whose test had no turn any more, because the run ended before."""
        self.add(self._result(item, url, Judgement(requirement, verdict, timelines), expected=False))

    def add_interrupted(self, item: pytest.Item, fleet: Fleet) -> None:
        """Take down a fleet whose test had no turn any more, because somebody ended the run."""
        self.add(dataclasses.replace(self._of_whole(item, fleet), expected=False))

    def since_start(self, opened: float | None) -> float:
        """Seconds from the start of the session to a reading of a loop's real clock; None: to now."""
        return max(0.0, (time.monotonic() if opened is None else opened) - self._origin)

    def run(self, complaints: tuple[str, ...] = (), passed: tuple[str, ...] = ()) -> Run:
        """The session as reports show it."""
        return Run(
            started=self.started,
            tool=f"pytest-wsstability {__version__}",
            machine=f"{platform.python_implementation()} {platform.python_version()}, "
            f"{platform.system()} {platform.machine()}",
            results=tuple(self._results),
            complaints=redact(complaints),
            passed=redact(passed),
        )

    def begin(self, item: pytest.Item) -> None:
        """
        A test is being set up: take down what its attempt before has held, if no report told of its end.

        pytest-retry runs a test again while the report of the first attempt is being made.

        """
        if not self._errors:
            return
        self._failed = True
        self._conclude(item)
        for result in self._found:
            self.add(result)
        self._errors, self._failed, self._found = [], False, []
        self._unreported += 1

    @property
    def errors(self) -> tuple[BaseException, ...]:
        """What the phases of the attempt that runs have raised."""
        return tuple(self._errors)

    @property
    def broken_silently(self) -> tuple[Result, ...]:
        """What was unstable in an attempt that failed and raised nothing, as soft assertions do."""
        if self._errors or not self._failed:
            return ()
        return tuple(each for each in self._found if each.verdict.outcome is Outcome.UNSTABLE)

    def unstable_so_far(self, item: pytest.Item) -> tuple[Result, ...]:
        """What is unstable in the attempt that runs, whoever has heard of it."""
        return tuple(each for each in self._held(item) if each.verdict.outcome is Outcome.UNSTABLE)

    def raised(self, error: BaseException) -> None:
        """Remember what went wrong in a phase, and of a group each error."""
        for leaf in leaves(error):
            if not any(each is leaf for each in self._errors):
                self._errors.append(leaf)

    def last(self, excinfo: pytest.ExceptionInfo[BaseException]) -> pytest.ExceptionInfo[BaseException]:
        """What a report is about: an error of the last attempt, where the first one's came in its place."""
        if not (self._unreported and self._errors):
            return excinfo
        return pytest.ExceptionInfo.from_exception(self._errors[-1])

    def before_report(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Remember what went wrong in a phase; after the last one, find what was held in the test."""
        if call.when == "setup":
            self._errors, self._failed, self._found, self._unreported = [], False, [], 0
        if call.excinfo is not None:
            self.raised(call.excinfo.value)
        if call.when != "teardown":
            return
        self._failed |= call.excinfo is not None
        self._conclude(item)
        if self._found:
            # JUnit shows those of the last report; a test that runs again has its own.
            others = [pair for pair in item.user_properties if not pair[0].startswith(PREFIX)]
            item.user_properties[:] = [*others, *properties(self._found)]

    def _conclude(self, item: pytest.Item) -> None:
        """Find what was held in an attempt."""
        self._found = list(self._held(item))
        warn_of_misfits(item, self._found)
        forget(item)

    def after_report(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Remember how a phase ended; after the last one, take down what was held, or send it home."""
        # A skip is no pass either, unless it is pytest's word for a failure that was expected.
        self._failed |= report.failed or (report.skipped and not hasattr(report, "wasxfail"))
        if report.when != "teardown":
            return
        for result in self._found:
            self.add(result)
        if self.writer is not None:
            self.writer.over(item.nodeid)
        self._errors, self._found = [], []

    @property
    def found(self) -> tuple[Result, ...]:
        """What was held in the test that runs; known from its last phase on."""
        return tuple(self._found)

    @property
    def has_failed(self) -> bool:
        """Whether a phase of the test that runs did neither pass nor was to fail."""
        return self._failed

    def unpack(self, text: str) -> None:
        """Take down what a worker of xdist has sent."""
        for data in json.loads(text):
            self.add(Result.from_dict(data))

    def _held(self, item: pytest.Item) -> Iterator[Result]:
        """The holds of a test, each connection once."""
        seen: set[int] = set()
        for url, judgement in _judged(item):
            seen.add(judgement.timelines[0].serial)
            yield self._of_test(item, url, judgement)
        fleet = item.stash.get(fleet_key, None)
        if fleet is not None:
            yield self._of_whole(item, fleet)
        for error in self._errors:
            if isinstance(error, FleetError):
                if fleet is None:
                    yield self._of_fleet(item, "", error.requirement, error.verdict, error.summary)
            elif isinstance(error, StabilityError):
                if not seen.intersection(each.serial for each in error.timelines[:1]):
                    judgement = Judgement(error.requirement, error.verdict, error.timelines)
                    yield self._of_test(item, "", judgement)
            elif isinstance(error, OpeningError) and (requirement := plan_of(item).requirement) is not None:
                yield self._of_test(item, error.url, Judgement(requirement, _not_opened(item, error)))

    def _of_test(self, item: pytest.Item, url: str, judgement: Judgement) -> Result:
        expected = self._is_expected(judgement.verdict, judgement.timelines)
        return self._result(item, url, judgement, expected=expected)

    def _of_whole(self, item: pytest.Item, fleet: Fleet) -> Result:
        made = self._of_fleet(item, fleet.url, fleet.requirement, fleet.verdict, fleet.summary)
        return redact(dataclasses.replace(made, records=fleet.kept))

    def _of_fleet(
        self, item: pytest.Item, url: str, requirement: Requirement, verdict: Verdict, summary: FleetSummary
    ) -> Result:
        judgement = Judgement(requirement, verdict, ())
        expected = verdict.outcome is not Outcome.STABLE and not self._failed
        return dataclasses.replace(self._result(item, url, judgement, expected=expected), fleet=summary)

    def _result(self, item: pytest.Item, url: str, judgement: Judgement, *, expected: bool) -> Result:
        timelines = judgement.timelines
        verdict = self._told(item, judgement)
        opened = timelines[0].opened if timelines and verdict.tier is Tier.REAL else None
        path, line, _ = item.location
        result = Result(
            nodeid=item.nodeid,
            url=url,
            requirement=judgement.requirement,
            verdict=verdict,
            timelines=timelines,
            started_at=self.since_start(opened),
            attempt=getattr(item, "execution_count", 1) + self._unreported,
            worker=self.worker,
            expected=expected,
            path=path,
            line=(line or 0) + 1,
            transcript=_transcript(item, timelines),
            call=_call(item, timelines),
        )
        # Here, and nowhere later: everything that is shown or written of a hold is made of this.
        return redact(result)

    def _told(self, item: pytest.Item, judgement: Judgement) -> Verdict:
        """The verdict as its failure told it, with what the server and a team said."""
        for error in self._errors:
            if isinstance(error, StabilityError) and error.timelines and judgement.timelines:
                same = error.timelines[0].serial == judgement.timelines[0].serial
                if same and error.verdict.violations == judgement.verdict.violations:
                    return error.verdict
        return ask_hooks(item, judgement.verdict, judgement.timelines)

    def _is_expected(self, verdict: Verdict, timelines: tuple[Timeline, ...]) -> bool:
        """Whether the test asked for a verdict that is not stable: it passed, or failed over another one."""
        if verdict.outcome is Outcome.STABLE:
            return False
        if not self._failed:
            return True
        failures = [error for error in self._errors if isinstance(error, StabilityError)]
        own = {each.serial for error in failures for each in error.timelines[:1]}
        # A result of no connection in particular is the failure itself.
        return bool(failures) and bool(timelines) and timelines[0].serial not in own


def _transcript(item: pytest.Item, timelines: tuple[Timeline, ...]) -> tuple[TranscriptMessage, ...]:
    """What was said on the connection of a result, where that is taken down."""
    found = item.stash.get(transcripts_key, {})
    connection = next((found[each.serial] for each in timelines if each.serial in found), None)
    return () if connection is None else tuple(connection.transcript)


def _call(item: pytest.Item, timelines: tuple[Timeline, ...]) -> CallSummary | None:
    """What was spoken on the connection of a result."""
    soak = item.stash.get(soak_key, None)
    if not isinstance(soak, VoiceSoak) or not timelines:
        return None
    return soak.summary if timelines[0].serial == soak.timeline.serial else None


def _judged(item: pytest.Item) -> Iterator[tuple[str, Judgement]]:
    """Target and judgement of each connection that the test asserted something about."""
    soak = item.stash.get(soak_key, None)
    if soak is not None:
        yield soak.url, soak.judgement
    connector = item.stash.get(connector_key, None)
    for connection in connector.connections if connector is not None else ():
        if connection.judgement is not None:
            yield connection.url, connection.judgement
    orchestrator = item.stash.get(orchestrator_key, None)
    if orchestrator is None:
        return
    # A session may have had several connections, one after the other.
    for connection in (each for session in orchestrator.sessions for each in session.connections):
        if connection.judgement is not None:
            yield redact_url(orchestrator.url), connection.judgement


def _not_opened(item: pytest.Item, error: OpeningError) -> Verdict:
    observed, headline = show_text(str(error)), show_text(error.headline)
    excuses = (Doubt(error.shortage, headline),) if error.shortage is not None else ()
    return Verdict.of(
        [Violation(Rule.OPENED, 0.0, "the connection opens", observed, headline, excuses=excuses)],
        horizon=0.0,
        tier=Tier.VIRTUAL if is_virtual(item) else Tier.REAL,
        diagnosis=error.diagnosis,
    )
