"""The holds of a session's tests: started together in the background, judged one by one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ...core.redact import redact_text
from ...core.secret_values import SECRETS
from ...net.resources import Needs, claim
from ...report.progress import Survey
from ..markers import LONG, MIDDLEBOX
from ..plans import leads_out, plan_of, same_function
from ..project_fixtures import our_fixtures
from ..registered import registered
from ..reports.results import results_of
from ..secrecy import watch
from ..stash import never_open_key, settings_key, soak_key
from ..targets import hold_options, known_url, opens_before_fixtures
from ..workers import WorkerLink, controller_of, links_of
from .background import Hold, Holds
from .progress import NAME, display_of, progress_of
from .xdist import Groups, groups

if TYPE_CHECKING:
    from ...core.timeline.timeline import Timeline
    from ...net.hold import Soak
    from .progress import Progress

_NAME = "wsstability-soaks"
# Seconds that workers have to end their holds when the run is interrupted.
_LEAVING = 15.0
# Lines for holds that were not open.
_LINES = 20
# Holds whose progress is shown closely.
_CLOSE = 8
# Seconds between two looks at the holds while a test waits for its own.
_LOOK = 0.5


def soaks_of(session: pytest.Session) -> Soaks:
    """The holds of a session."""
    return registered(session.config, _NAME, lambda: Soaks(session, [], Groups({}, None)))


def put_last(session: pytest.Session) -> None:
    """
    Order the tests that hold a target outside this process last, and leave all other order as it is.

    Raises:
        pytest.UsageError: if this machine cannot hold as many together as are to be.

    """
    items = [item for item in session.items if "ws_soak" in our_fixtures(item)]
    outside = {same_function(item): item for item in items}
    leading = {function: leads_out(item) for function, item in outside.items()}
    items = [item for item in items if leading[same_function(item)]]
    if not items:
        return
    chosen = set(items)
    ordinary = [item for item in session.items if item not in chosen]
    session.items[:] = ordinary + items
    soaks = Soaks(session, items, groups(session.config, items, len(ordinary)))
    session.config.pluginmanager.register(soaks, _NAME)
    if (lacking := claim(soaks.needs, what="holds")) is not None:
        raise pytest.UsageError(f"{lacking} (ini ws_soak_concurrency)")


def stop(session: pytest.Session) -> None:
    """End what still runs at the end of a session, and keep what no test has judged."""
    config = session.config
    if (controller := controller_of(config)) is not None:
        controller.is_leaving = True
    holds, results = soaks_of(session).stop(), results_of(config)
    items = {item.nodeid: item for item in session.items} if holds else {}
    for hold in holds:
        if (soak := hold.soak) is not None:
            results.add_unjudged(
                items[hold.name], soak.url, hold.requirement, soak.verdict, tuple(soak.timelines)
            )
    never = [redact_text(f"{hold.name}: {hold.headline}") for hold in holds if hold.soak is None]
    if controller is not None:
        controller.tell("never open", never)
        controller.tell("over")
        return
    config.stash.setdefault(never_open_key, []).extend(never)
    try:
        if session.exitstatus == pytest.ExitCode.INTERRUPTED:
            links_of(config).stop(within=_LEAVING)
    finally:
        for link in links_of(config):
            receive(config, link)


def receive(config: pytest.Config, link: WorkerLink) -> None:
    """Do with what a worker has said what is to be done; on the controller."""
    for kind, value in link.take():
        if kind == "soaks":
            link.soaks = value
        elif kind == "results":
            results_of(config).unpack(value)
        elif kind == "secrets":
            # This process collects no test that would do it.
            watch(config)
            SECRETS.learn(json.loads(value))
        elif kind == "never open":
            config.stash.setdefault(never_open_key, []).extend(value)
        elif kind == "progress" and not config.pluginmanager.is_blocked(NAME):
            survey, line = value
            display_of(config).show(link.name, Survey.from_dict(survey), line)


def never_lines(config: pytest.Config) -> list[str]:
    """What to print about holds that no test has judged, and that have no verdict either."""
    never = config.stash.get(never_open_key, [])
    more = [f"  and {len(never) - _LINES} more"] if len(never) > _LINES else []
    heading = [f"WebSocket holds that were never open: {len(never)}"] if never else []
    return [*heading, *(f"  {line}" for line in never[:_LINES]), *more]


class Soaks:
    """
    The holds of one session.

    Tests whose URL is known before they run (by marker, option, ini or environment) share one start. The
    others, whose URL a fixture of the user's gives, start when they are set up.

    """

    def __init__(self, session: pytest.Session, items: Iterable[pytest.Item], groups: Groups) -> None:
        self._session = session
        self._groups = groups
        # Those that may start with others and have not.
        outside = list(items)
        self._unstarted = [item for item in outside if opens_before_fixtures(item) and _will_run(item)]
        # Tests whose failure is no end of the run: it is expected, or tried again.
        self._expected = {item.nodeid for item in outside if _may_fail(item)}
        # All that were ever started: connections that end together end for one reason.
        self._started: list[Hold] = []
        # Started, and not judged yet.
        self._holds: dict[str, Hold] = {}
        self._background: Holds | None = None
        self._progress: Progress | None = None

    @property
    def needs(self) -> Needs:
        """What the holds need that start together, at the most."""
        numbers = [self._groups.of[item.nodeid] for item in self._unstarted]
        own = self._groups.own
        largest = own if own is not None else max(numbers, key=numbers.count, default=None)
        together = [item for item in self._unstarted if self._groups.of[item.nodeid] == largest]
        most = self._session.config.stash[settings_key].soak_concurrency or len(together)
        targets = Counter(urlsplit(known_url(item) or "").netloc for item in together)
        # A proxy in front of a target has an end towards either, and a port.
        proxied = sum(MIDDLEBOX in our_fixtures(item) for item in together)
        return Needs(
            connections=min(most, len(together)),
            beside=3 * min(most, proxied),
            to_one_target=min(most, max(targets.values(), default=0)),
        )

    def start_early(self) -> None:
        """Start the holds that are this process's own, before any of their tests."""
        if self._groups.own is not None:
            self._start(self._groups.own)

    def _start(self, group: int, first: str = "") -> None:
        """Start the holds of a group from a test on: a worker that is gone has judged those before it."""
        ids = [item.nodeid for item in self._unstarted]
        if first and first not in ids:
            return
        begin = ids.index(first) if first else 0
        chosen = [item for item in self._unstarted[begin:] if self._groups.of[item.nodeid] == group]
        self._unstarted = [item for item in self._unstarted if item not in chosen]
        started = []
        for item in chosen:
            url = known_url(item)
            assert url is not None
            self._holds[item.nodeid] = hold = _hold(item, url)
            started.append(hold)
        self._started += started
        if started:
            self._holds_running().start(started)

    def judge(self, item: pytest.Item, url: str) -> Soak:
        """
        Wait for the hold of a test, which starts now if it has not, or if it was judged before.

        Raises:
            OpeningError: if the connection did not open.

        """
        __tracebackhide__ = True
        if item.nodeid in self._groups.of:
            self._start(self._groups.of[item.nodeid], item.nodeid)
        if item.nodeid not in self._holds:
            self._holds[item.nodeid] = hold = _hold(item, url)
            self._started.append(hold)
            self._holds_running().start([hold])
        hold = self._holds[item.nodeid]
        self._wait(item, hold)
        del self._holds[item.nodeid]
        if hold.soak is None:
            assert hold.error is not None
            raise hold.error
        hold.soak.beside(self._timelines(hold.url))
        return hold.soak

    def _timelines(self, url: str) -> list[Timeline]:
        """What the holds of a URL have seen so far, as far as they are finished."""
        return [hold.soak.timeline for hold in self._started if hold.soak is not None and hold.url == url]

    def look(self) -> None:
        """Say what has happened in the background before a test begins."""
        if self._background is not None:
            self._tell(self._background, between=True)

    def forget(self, item: pytest.Item) -> None:
        """A test is over: end its hold if nobody has judged it, as when another fixture failed."""
        hold = self._holds.pop(item.nodeid, None)
        if hold is not None:
            self._holds_running().interrupt(hold)

    def stop(self) -> list[Hold]:
        """End what still runs; returns the holds that no test has judged."""
        if self._background is None:
            return []
        self._background.stop()
        self._background = None
        unjudged, self._holds = list(self._holds.values()), {}
        return unjudged

    def _holds_running(self) -> Holds:
        if self._background is None:
            settings = self._session.config.stash[settings_key]
            self._progress = progress_of(self._session.config)
            self._background = Holds(concurrency=settings.soak_concurrency, ramp=settings.soak_ramp)
        return self._background

    def _stopping(self) -> str:
        """Why the run is about to stop (``-x``, ``--maxfail``), even before the failed hold has its turn."""
        controller = controller_of(self._session.config)
        if controller is not None and controller.stopped:
            return "the run stops for what happened in another process"
        limit = self._session.config.getoption("maxfail")
        if not limit:
            return ""
        broken = [hold for hold in self._holds.values() if hold.broken and hold.name not in self._expected]
        if not broken or self._session.testsfailed + len(broken) < limit:
            return ""
        return f"the run stops at {broken[-1].name}: {broken[-1].headline}"

    def _wait(self, item: pytest.Item, hold: Hold) -> None:
        """Wait for a hold, and show meanwhile how all of them go."""
        __tracebackhide__ = True
        holds = self._holds_running()
        try:
            while not hold.finished:
                holds.wait(_LOOK)
                self._tell(holds, but=hold)
                if not hold.finished and (reason := self._stopping()):
                    self._give_up(item, hold, reason)
        finally:
            if self._progress is not None:
                self._progress.rest()
                if not holds.running:
                    self._progress.idle()

    def _tell(self, holds: Holds, *, but: Hold | None = None, between: bool = False) -> None:
        """Show progress, and each failure when it is known, but that of the hold that is judged now."""
        news = holds.news()
        if self._progress is None:
            return
        for hold in news:
            is_told = hold is but or hold.name not in self._holds
            if hold.broken and not is_told and hold.name not in self._expected:
                self._progress.say(f"UNSTABLE {hold.name}: {hold.headline}")
        self._progress.tick(lambda: holds.survey(_CLOSE), between=between)

    def _give_up(self, item: pytest.Item, hold: Hold, reason: str) -> None:
        """End a hold that nobody needs any more, and its test."""
        __tracebackhide__ = True
        holds = self._holds_running()
        holds.interrupt(hold)
        while not hold.finished:
            holds.wait(_LOOK)
            holds.news()
        if hold.soak is not None:
            item.stash[soak_key] = hold.soak
        pytest.skip(f"{hold.headline}, because {reason}")


def _hold(item: pytest.Item, url: str) -> Hold:
    requirement = plan_of(item).requirement
    assert requirement is not None
    return Hold(item.nodeid, url, requirement, hold_options(item, url))


def _may_fail(item: pytest.Item) -> bool:
    """Whether a failure of a test is not the last word: it is expected, or the test is tried again."""
    tried_again = item.config.getoption("reruns", None) or item.get_closest_marker("flaky")
    return bool(tried_again) or item.get_closest_marker("xfail") is not None


def _will_run(item: pytest.Item) -> bool:
    """Whether nothing that can be known yet skips a test: its hold would run for nobody."""
    if item.get_closest_marker(LONG) is not None and not item.config.stash[settings_key].long:
        return False
    if item.get_closest_marker("skip") is not None:
        return False
    conditions = [mark.args[0] for mark in item.iter_markers("skipif") if mark.args]
    # A condition in a string is evaluated by pytest alone, when the test is set up.
    return not any(condition for condition in conditions if not isinstance(condition, str))
