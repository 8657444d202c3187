"""The plugin in real time, against servers that others wrote: one suite, four stacks, the same outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.against import inner
from tests.servers import launch

pytestmark = [pytest.mark.slow, pytest.mark.real]

SUITE = Path(__file__).with_name("suite.py").read_text()
# The servers' reason for each close that they plan.
REASON = "planned by the test"
GREEN = {"passed": 1}
RED = {"failed": 1}
# There was no connection to hold to anything.
NOT_OPENED = {"failed": 1}


class Row(NamedTuple):
    """One test of the suite against one route."""

    path: str
    test: str
    outcome: dict[str, int]
    # Patterns of lines that pytest prints, in this order.
    printed: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def closed(code: int, name: str) -> Row:
    """A server that closes with a code, under a requirement that does not allow it."""
    line = f"*{code} at * of 2 s*[[]client end]"
    seen = f"*observed*received {code} ({name}) {REASON}; *"
    return Row(
        f"/close/{code}?after=0.1", "test_is_stable", RED, (line, seen, f"*planned*allow_close={code}*")
    )


def allowed(code: int) -> Row:
    """The same server under a requirement that allows it."""
    return Row(f"/close/{code}?after=0.1", "test_may_be_closed_early", GREEN)


REFUSED = "*did not open (upgrade refused): HTTP 403 Forbidden: no entry: status 403"
PLAIN = {
    "stable": Row("/ws", "test_is_stable", GREEN),
    "closed by the client": Row("/ws", "test_closes_as_asked", GREEN),
    "heartbeats unanswered": Row(
        "/deaf",
        "test_is_stable",
        RED,
        ("*heartbeats not answered within 1 s*", "*expected  every heartbeat answered within 1 s"),
    ),
    "session unconfirmed": Row(
        "/unconfirmed",
        "test_is_stable",
        RED,
        ("session_info sent at *, and no answer (session not confirmed within 1 s)*",),
    ),
    "too slow": Row(
        "/slow?delay=3", "test_answers_while_open", RED, ("*heartbeats not answered within 600 ms*",)
    ),
    "slow": Row("/slow?delay=0.1", "test_answers_while_open", GREEN),
    "1000": closed(1000, "normal closure"),
    "1001": closed(1001, "going away"),
    "1011": closed(1011, "internal error"),
    "4000": closed(4000, "private use"),
    "1000 allowed": allowed(1000),
    "1001 allowed": allowed(1001),
    "1011 allowed": allowed(1011),
    "4000 allowed": allowed(4000),
    "1012 not allowed": Row(
        "/close/1012?after=0.1", "test_may_be_closed_early", RED, ("*1012 (service restart) planned by *",)
    ),
    "dropped": Row(
        "/drop?after=0.1",
        "test_is_stable",
        RED,
        ("*1006 at * of 2 s*[[]client end]",),
    ),
    "dropped in spite of allow_close": Row(
        "/drop?after=0.1", "test_may_be_closed_early", RED, ("*1006 at *[[]client end]",)
    ),
    "refused to a fixture": Row("/refuse/403", "test_is_stable", NOT_OPENED, (REFUSED,)),
    "refused to a test": Row("/refuse/403", "test_closes_as_asked", RED, (REFUSED,)),
    "subprotocol": Row("/ws", "test_speaks_the_subprotocol", GREEN, options=("--ws-subprotocol", "voice.v1")),
    "no subprotocol": Row("/ws", "test_speaks_the_subprotocol", RED, ("*assert None == 'voice.v1'",)),
}
DISTRUST = "*certificate is not trusted: *--ws-ca FILE*--ws-insecure"
# CA stands for the file of the authority that signed the server's certificate.
SECURE = {
    "authority known": Row("/ws", "test_answers_while_open", GREEN, options=("--ws-ca", "CA")),
    "authority unknown to a fixture": Row("/ws", "test_is_stable", NOT_OPENED, (DISTRUST,)),
    "authority unknown to a test": Row("/ws", "test_closes_as_asked", RED, (DISTRUST,)),
    "nothing checked": Row("/ws", "test_closes_as_asked", GREEN, options=("--ws-insecure",)),
}


@pytest.fixture(scope="module", params=launch.STACKS)
def plain(request):
    """Each stack, started once."""
    yield from started(request.param, None)


@pytest.fixture(scope="module", params=launch.STACKS)
def secure(request, tmp_path_factory):
    """Each stack over TLS, started once."""
    yield from started(request.param, launch.make_tls(tmp_path_factory.mktemp("tls")))


def started(name, tls):
    if reason := launch.missing(name):
        pytest.skip(f"{name} cannot run here: {reason}")
    with launch.start(name, tls=tls) as server:
        yield server


@pytest.fixture(autouse=True)
def project(pytester, monkeypatch):
    """A project with the suite in it, without settings from the environment of this run."""
    inner.prepare(pytester, monkeypatch)
    pytester.makepyfile(test_suite=SUITE)
    return pytester


def check(project, server: launch.ThirdParty, row: Row) -> None:
    """Run the test of a row, and compare."""
    options = [server.tls.cafile if option == "CA" else option for option in row.options]
    url = f"--ws-url={server.url(row.path)}"
    result = inner.run(project, url, *options, f"test_suite.py::{row.test}")
    assert result.parseoutcomes() == row.outcome
    result.stdout.fnmatch_lines(
        [f"wsstability: target {server.url(row.path)} (from --ws-url), time auto (real: *", *row.printed]
    )


@pytest.mark.parametrize("row", PLAIN.values(), ids=PLAIN)
def test_outcome(project, plain, row):
    """What a route does decides, and not which stack it is on."""
    check(project, plain, row)


@pytest.mark.parametrize("row", SECURE.values(), ids=SECURE)
def test_outcome_over_tls(project, secure, row):
    """A certificate is checked, and the options say how."""
    check(project, secure, row)
