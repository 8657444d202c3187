"""Why a connection did not open: by stage, HTTP status and Retry-After."""

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, Confidence, diagnose_opening
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.net.errors import OpeningError, OpeningStage


@pytest.mark.parametrize(
    ("stage", "answer", "cause", "blame"),
    [
        ("DNS", {}, Cause.NAME_UNKNOWN, Blame.CLIENT),
        ("CONNECT", {}, Cause.UNREACHABLE, Blame.SERVER),
        ("PROXY", {}, Cause.PROXY_REFUSED, Blame.PATH),
        ("TLS", {}, Cause.TLS_FAILED, Blame.SERVER),
        ("HTTP", {"status": 503}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 429}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 500, "retry_after": "7"}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 401}, Cause.UNAUTHORIZED, Blame.CLIENT),
        ("HTTP", {"status": 403}, Cause.UNAUTHORIZED, Blame.CLIENT),
        ("HTTP", {"status": 407}, Cause.UNAUTHORIZED, Blame.CLIENT),
        ("HTTP", {"status": 502}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 504}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 519}, Cause.REFUSED, Blame.SERVER),
        ("HTTP", {"status": 520}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 527}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 528}, Cause.REFUSED, Blame.SERVER),
        ("HTTP", {"status": 500}, Cause.HANDLER_ERROR, Blame.SERVER),
        ("HTTP", {"status": 404}, Cause.REFUSED, Blame.SERVER),
        ("HANDSHAKE", {"subprotocol": "v9"}, Cause.PROTOCOL_ERROR, Blame.CLIENT),
        ("HANDSHAKE", {}, Cause.NO_WEBSOCKET, Blame.SERVER),
        ("TIMEOUT", {}, Cause.OPENING_TIMED_OUT, Blame.PATH),
        # Retry-After speaks of an answer of HTTP; what was short here comes before all else.
        ("TIMEOUT", {"retry_after": "7"}, Cause.OPENING_TIMED_OUT, Blame.PATH),
        ("CONNECT", {"shortage": Reason.DESCRIPTORS}, Cause.HARNESS_SHORT, Blame.HARNESS),
        ("HTTP", {"status": 503, "shortage": Reason.DESCRIPTORS}, Cause.HARNESS_SHORT, Blame.HARNESS),
    ],
)
def test_each_stage(stage, answer, cause, blame):
    """The stage and the answer leave no doubt."""
    found = diagnose_opening(stage, **answer)

    assert (found.cause, found.blame, found.confidence) == (cause, blame, Confidence.HIGH)
    assert "no instability" in found.sentence


def test_what_the_server_asked_for_is_evidence():
    """Retry-After stands beside the error, in printable characters."""
    found = diagnose_opening("HTTP", status=503, retry_after="120\x1b", detail="HTTP 503 Busy")

    assert [each.text for each in found.evidence] == ["HTTP 503 Busy", r"Retry-After: 120\x1b"]
    assert found.headline == "not opened: a limit on connections (HTTP 503)"


@pytest.mark.parametrize("stage", OpeningStage)
def test_each_step_of_an_opening_has_a_cause(stage):
    """An error of any of them says what to change."""
    assert OpeningError("ws://a.example/", stage, "no").diagnosis.remedy


def test_an_unknown_stage_is_refused():
    """With the valid ones."""
    with pytest.raises(ValueError, match=r"^stage: 'LUNCH' is no step of an opening; valid ones: 'DNS', "):
        diagnose_opening("LUNCH")
