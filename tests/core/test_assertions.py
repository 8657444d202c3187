"""The assertions: the same words as functions of a timeline and on everything that has one."""

import pickle
import re

import pytest

from pytest_wsstability.core import assertions
from pytest_wsstability.core.assertions import Judged
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.message.errors import StabilityError
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End, Opcode, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from tests.core.script import FIN, PLANNED, SENT, closed_by_peer, timeline

HEALTHY = timeline(
    (1, ">info"), (2, "<confirmed"), (20, ">ping", b"1"), (20.5, "<pong", b"1"), (25, ">beat"),
    (25.5, "<answer"), until=120,
)  # fmt: skip
DEAD = timeline((20, ">ping", b"1"), (25, ">beat"), (60, FIN))
LATE = timeline((25, ">beat"), (27, "<answer"), until=30)
CLOSED = timeline((60, closed_by_peer(4408, "idle")))
ONE_MISSED = timeline((25, ">beat"), (26, "<answer"), (50, ">beat"), until=60)
JUMBLED = timeline((0, ">info"), (0, "<confirmed"), until=60)
JUMBLED.irregularity(1000.0, Flaw.CONFIRMED_AGAIN, "session 'abc'")


FLOWING = timeline(until=120)
for at in (40.0, 80.0):
    FLOWING.message(1000 + at)


class Held(Judged):
    """What a connection or a session is to these assertions."""

    def __init__(self, *timelines):
        self.timelines = timelines

    timelines = ()


CODES = "valid ones: 1000-1003, 1007-1014 and 3000-4999, 1005 and 1006"

# Name, keywords, a timeline that passes, one that fails.
TABLE = [
    ("heartbeats_answered", {"within": "5s"}, HEALTHY, DEAD),
    ("heartbeats_answered", {"within": "5s", "at_least": 1}, LATE, DEAD),
    ("heartbeats_answered", {"within": "5s", "at_least": 2, "missed_max": 1}, None, HEALTHY),
    ("heartbeats_answered", {"within": "5s"}, HEALTHY, ONE_MISSED),
    ("heartbeats_answered", {"within": "5s", "missed_max": 1}, ONE_MISSED, DEAD),
    ("pings_answered", {"within": "1s"}, HEALTHY, DEAD),
    ("no_abnormal_closure", {}, CLOSED, DEAD),
    ("handshake", {}, HEALTHY, DEAD),
    ("handshake", {}, HEALTHY, JUMBLED),
    ("closed", {}, DEAD, HEALTHY),
    ("closed", {"code": 4408, "reason": "idle", "by": "server"}, CLOSED, DEAD),
    ("closed", {"by": End.CLIENT}, None, CLOSED),
    ("rtt", {"p95": "500ms"}, HEALTHY, LATE),
    ("messages_flow", {"every": "45s"}, FLOWING, HEALTHY),
    ("messages_flow", {"every": "45s", "at_least": 3}, None, FLOWING),
]
# Those that have to wait on a connection, and so are functions only.
FUNCTIONS = [
    *TABLE,
    ("alive_for", {"duration": "2m"}, HEALTHY, DEAD),
    ("session_confirmed", {"within": "2s"}, HEALTHY, DEAD),
    ("stable", {"alive_for": "2m", "heartbeat_within": "5s"}, HEALTHY, DEAD),
]


def assert_traceback_ends_here(error):
    """What users see last is their own line."""
    assert str(error.traceback.filter(error)[-1].path) == __file__


@pytest.mark.parametrize(("name", "keywords", "good", "bad"), FUNCTIONS)
def test_function_passes_and_fails(name, keywords, good, bad):
    """Each function is silent about a good timeline and raises for a bad one."""
    function = getattr(assertions, f"assert_{name}")
    if good is not None:
        function(good, **keywords)

    with pytest.raises(StabilityError) as error:
        function(bad, **keywords)
    assert [each.serial for each in error.value.timelines] == [bad.serial]
    assert_traceback_ends_here(error)
    assert error.value.verdict.outcome is not Outcome.STABLE


@pytest.mark.parametrize(("name", "keywords", "good", "bad"), TABLE)
def test_method_says_the_same(name, keywords, good, bad):
    """What has a timeline has the same assertions, and shows the other ends' timelines with a failure."""
    if good is not None:
        getattr(Held(good), f"assert_{name}")(**keywords)

    with pytest.raises(StabilityError) as error:
        getattr(Held(bad, CLOSED), f"assert_{name}")(**keywords)
    assert [each.serial for each in error.value.timelines] == [bad.serial, CLOSED.serial]
    assert_traceback_ends_here(error)


def test_methods_and_functions_have_the_same_names():
    """Nobody has to learn two vocabularies."""
    methods = {name for name in vars(Judged) if name.startswith("assert_")}
    functions = {name for name in vars(assertions) if name.startswith("assert_")}

    assert methods == {f"assert_{name}" for name, *_ in TABLE}
    assert functions == {f"assert_{name}" for name, *_ in FUNCTIONS}


def test_a_failure_shows_the_record_as_it_stood():
    """What the end does afterwards (its own close, say) is neither in the message nor for programs."""
    line = timeline((25, ">beat"), until=40)
    with pytest.raises(StabilityError) as error:
        assertions.assert_heartbeats_answered(line, within="5s")
    message, events = str(error.value), list(error.value.timelines[0])

    line.frame(1040, SENT, Opcode.CLOSE, 2, Role.NONE)
    line.over(1040, CloseEvidence(end=End.CLIENT, at=40, **PLANNED))
    error.value.retell(error.value.verdict)

    assert str(error.value) == message
    assert list(error.value.timelines[0]) == events
    assert error.value.timelines[0].close is None


def test_what_was_judged_is_noted_as_it_stood():
    """With the records of that instant, for reports."""
    noted = []

    class Noting(Held):
        def note(self, judgement):
            noted.append(judgement)

    line = timeline((25, ">beat"), (26, "<answer"), until=40)
    Noting(line, CLOSED).assert_heartbeats_answered(within="5s")
    line.frame(1050, SENT, Opcode.TEXT, 15, Role.HEARTBEAT)

    (judgement,) = noted
    assert [each.serial for each in judgement.timelines] == [line.serial, CLOSED.serial]
    assert judgement.timelines[0].heartbeats.sent == 1


def test_an_inconclusive_verdict_is_a_failure():
    """What can't be told does not pass."""
    with pytest.raises(StabilityError, match=r"^inconclusive: watched 30 s of 120 s: it is still open"):
        assertions.assert_alive_for(LATE, "2m")


def test_stable_gives_its_verdict():
    """For whoever reports the horizon."""
    assert assertions.assert_stable(HEALTHY, alive_for="1m").horizon == 60


def test_the_error_carries_its_facts():
    """An AssertionError for pytest; requirement, verdict and timelines for programs."""
    with pytest.raises(AssertionError) as error:
        assertions.assert_alive_for(DEAD, "2m")

    assert type(error.value) is StabilityError
    assert error.value.requirement == Requirement(alive_for=120.0)
    assert " (1006 at 60 s of 120 s) [client end]\n" in str(error.value)


def test_the_error_travels_between_processes():
    """It is rebuilt from its parts: the same message, the same facts."""
    with pytest.raises(StabilityError) as error:
        assertions.assert_alive_for(DEAD, "2m")
    other = pickle.loads(pickle.dumps(error.value))

    assert type(other) is StabilityError
    assert str(other) == str(error.value)
    assert other.verdict == error.value.verdict
    assert list(other.timelines[0]) == list(DEAD)


def test_the_error_is_public():
    """Tracebacks name it by the place where users import it from."""
    assert f"{StabilityError.__module__}.{StabilityError.__qualname__}" == "pytest_wsstability.StabilityError"


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"by": "peer"}, "by: 'peer' is no end; valid ones: 'client', 'server'"),
        ({"code": "1000"}, f"code: '1000' is no close code; {CODES}"),
        ({"code": 1016}, f"code: 1016 is no close code; {CODES}"),
    ],
)
def test_an_end_that_cannot_be_is_refused(keywords, message):
    """A misspelt expectation is a mistake of the test, not an instability."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        assertions.assert_closed(CLOSED, **keywords)


@pytest.mark.parametrize("keywords", [{}, {"every": None}, {"at_least": 0}])
def test_a_flow_that_asks_for_nothing_is_refused(keywords):
    """It would pass whatever came; the error names what can be asked."""
    message = "assert_messages_flow: give every= (a duration), at_least= (a number), or both"

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        assertions.assert_messages_flow(FLOWING, **keywords)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Held(FLOWING).assert_messages_flow(**keywords)


@pytest.mark.parametrize(
    ("name", "keywords", "message"),
    [
        ("assert_alive_for", {"duration": None}, "alive_for: None is not a duration"),
        ("assert_session_confirmed", {"within": None}, "session_within: None is not a duration"),
        ("assert_heartbeats_answered", {"within": None}, "heartbeat_within: None is not a duration"),
        ("assert_pings_answered", {"within": None}, "pings_within: None is not a duration"),
        ("assert_rtt", {"p95": None}, "rtt_p95: None is not a duration"),
        ("assert_stable", {}, "assert_stable: no requirement; give keywords such as alive_for"),
        ("assert_stable", {"alive_for": None}, "assert_stable: alive_for=None asks for nothing; name what"),
    ],
)
def test_an_assertion_that_asks_for_nothing_is_refused(name, keywords, message):
    """A variable of the environment that is not set would make a pass of nothing."""
    with pytest.raises(ValueError, match=f"^{message}"):
        getattr(assertions, name)(timeline((1, ">beat"), (1.1, "<answer"), until=60), **keywords)


def test_what_is_none_beside_something_is_not_asked_for():
    """As in a mark."""
    verdict = assertions.assert_stable(timeline(until=60), alive_for="1m", rtt_p95=None)

    assert verdict.outcome is Outcome.STABLE
