"""An end that was announced, and one that comes for another reason."""

import pytest

from pytest_wsstability.core.judge.announcing import ends_otherwise
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, closed_by_peer, timeline


@pytest.mark.parametrize(
    ("how", "otherwise"),
    [
        (FIN, False),
        (closed_by_peer(1000), False),
        (closed_by_peer(1001, "Going away"), False),
        (closed_by_peer(4000), False),
        (closed_by_peer(4000, "bye"), False),
        (closed_by_peer(1001, "server shutting down"), False),
        (closed_by_peer(1000, "session expired"), False),
        (closed_by_peer(1013, "server overloaded"), False),
        # Words that mean other things too, or two things at once.
        (closed_by_peer(4000, "too slow"), False),
        (closed_by_peer(4000, "restarting: token expired"), False),
        (closed_by_peer(4000, "rate limit exceeded"), True),
        (closed_by_peer(1000, "token expired"), True),
        (closed_by_peer(1011, "keepalive ping timeout"), True),
        (closed_by_peer(1011), False),
        # A refusal is one without words too.
        *((closed_by_peer(code), True) for code in (1002, 1003, 1007, 1009)),
    ],
)
def test_what_a_close_frame_says_of_an_end_that_was_announced(how, otherwise):
    """A clear word of something else counts, and a code that refuses."""
    assert ends_otherwise(CloseEvidence(**{"end": End.CLIENT, "at": 60, **how})) is otherwise


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [("", Outcome.INCONCLUSIVE), ("reconnect", Outcome.INCONCLUSIVE), ("rate limit", Outcome.UNSTABLE)],
)
def test_an_end_for_another_reason_breaks_the_hold(reason, outcome):
    """The notice before it was about another one."""
    line = timeline((50, "<notice"), (60, closed_by_peer(4000, reason)))

    assert judge(Requirement.of(alive_for="2m"), line).outcome is outcome
