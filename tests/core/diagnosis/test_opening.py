"""Why a connection did not open: by stage, HTTP status and Retry-After."""

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, Confidence, diagnose_opening
from pytest_wsstability.core.diagnosis.opening import OPENINGS
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.net.errors import OpeningError, OpeningStage


@pytest.mark.parametrize(
    ("stage", "answer", "cause", "blame"),
    [
        ("DNS", {}, Cause.NAME_UNKNOWN, Blame.CLIENT),
        ("CONNECT", {}, Cause.UNREACHABLE, Blame.SERVER),
        ("PROXY", {}, Cause.PROXY_REFUSED, Blame.PATH),
        ("TLS", {}, Cause.TLS_FAILED, Blame.SERVER),
        ("HTTP", {"status": 429}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 500, "retry_after": "7"}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 401}, Cause.UNAUTHORIZED, Blame.CLIENT),
        ("HTTP", {"status": 503, "retry_after": "7"}, Cause.THROTTLED, Blame.SERVER),
        ("HTTP", {"status": 407}, Cause.UNAUTHORIZED, Blame.CLIENT),
        ("HTTP", {"status": 502}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 504}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 519}, Cause.REFUSED, Blame.SERVER),
        ("HTTP", {"status": 520}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 527}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 528}, Cause.REFUSED, Blame.SERVER),
        # Cloudflare, where no tunnel to the server is open (error 1033).
        ("HTTP", {"status": 530}, Cause.UPSTREAM_FAILED, Blame.PATH),
        ("HTTP", {"status": 531}, Cause.REFUSED, Blame.SERVER),
        ("HTTP", {"status": 500}, Cause.HANDLER_ERROR, Blame.SERVER),
        ("HTTP", {"status": 404}, Cause.REFUSED, Blame.SERVER),
        ("HTTP", {"status": 402}, Cause.REFUSED, Blame.CLIENT),
        ("HTTP", {"status": 451}, Cause.REFUSED, Blame.CLIENT),
        # A proxy that speaks HTTP/1.0 to the server, as nginx does unless it is told otherwise.
        ("HTTP", {"status": 505}, Cause.REFUSED, Blame.PATH),
        ("HTTP", {"status": 506}, Cause.REFUSED, Blame.SERVER),
        ("HANDSHAKE", {"subprotocol": "v9"}, Cause.PROTOCOL_ERROR, Blame.CLIENT),
        ("HANDSHAKE", {"extension": "x-webkit"}, Cause.PROTOCOL_ERROR, Blame.SERVER),
        ("HANDSHAKE", {}, Cause.NO_WEBSOCKET, Blame.SERVER),
        ("TIMEOUT", {}, Cause.OPENING_TIMED_OUT, Blame.PATH),
        # TCP was open: no firewall has dropped it.
        ("TIMEOUT", {"unanswered": True}, Cause.OPENING_TIMED_OUT, Blame.SERVER),
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


@pytest.mark.parametrize(
    ("status", "said", "cause", "runner_up"),
    [
        # Load balancers answer 503 where no server is ready (AWS ALB, ingress-nginx, HAProxy); servers that
        # are full do as well.
        (503, "", Cause.UPSTREAM_FAILED, Cause.THROTTLED),
        (503, "Service Unavailable", Cause.UPSTREAM_FAILED, Cause.THROTTLED),
        (503, "Service Unavailable No server is available to handle this request.", Cause.UPSTREAM_FAILED,
         Cause.THROTTLED),
        # Apache says so of whatever is not there.
        (503, "Service Unavailable The server is temporarily unable to service your request due to "
         "maintenance downtime or capacity problems.", Cause.UPSTREAM_FAILED, Cause.THROTTLED),
        # nginx answers 500 itself where auth_request fails, and HAProxy from a tarpit; a server behind them
        # has a page of its own.
        (500, "Internal Server Error nginx/1.22.1", Cause.UPSTREAM_FAILED, Cause.HANDLER_ERROR),
        (500, "Internal Server Error openresty", Cause.UPSTREAM_FAILED, Cause.HANDLER_ERROR),
        (500, "Internal Server Error An internal server error occurred.", Cause.UPSTREAM_FAILED,
         Cause.HANDLER_ERROR),
        (500, "Internal Server Error nginx is not what failed", Cause.HANDLER_ERROR, None),
        (500, "Internal Server Error in mynginx", Cause.HANDLER_ERROR, None),
        (500, "Internal Server Error", Cause.HANDLER_ERROR, None),
        (503, "Service Unavailable maintenance", Cause.RESTART, None),
        (503, "Service Unavailable no healthy upstream", Cause.UPSTREAM_FAILED, None),
        (503, "Backend fetch failed", Cause.UPSTREAM_FAILED, None),
        (503, "Service Unavailable Too many connections", Cause.THROTTLED, None),
        (503, "Service Unavailable rate limit exceeded", Cause.THROTTLED, None),
        (503, "Service Unavailable The server is shutting down", Cause.RESTART, None),
        # Origins are refused so (gorilla, Tornado, coder/websocket), and paths without a WebSocket (uvicorn).
        (403, "Forbidden", Cause.UNAUTHORIZED, Cause.REFUSED),
        (403, '{"detail": "Forbidden"}', Cause.UNAUTHORIZED, Cause.REFUSED),
        (403, "Forbidden Cross origin websockets not allowed", Cause.ORIGIN_REFUSED, None),
        # Engine.IO of Python, and Autobahn.
        (400, 'BAD REQUEST "Not an accepted origin."', Cause.ORIGIN_REFUSED, None),
        (400, "WebSocket connection denied: origin 'https://a.example' not allowed",
         Cause.ORIGIN_REFUSED, None),
        (400, "Bad Request", Cause.REFUSED, None),
        (404, "Not Found no such origin", Cause.REFUSED, None),
        (403, 'Forbidden request Origin "https://a.example" is not authorized for Host "b"',
         Cause.ORIGIN_REFUSED, None),
        (403, "Forbidden You don't have permission to access this resource.", Cause.UNAUTHORIZED,
         Cause.REFUSED),
        (403, "Forbidden You don't have permission to access /ws on this server.", Cause.UNAUTHORIZED,
         Cause.REFUSED),
        # Nor do words that say no more than the status: Squid, Akamai, Zscaler and S3 have them.
        (403, "Forbidden You have no permission to speak", Cause.UNAUTHORIZED, Cause.REFUSED),
        (403, "Forbidden Access Denied. Access control configuration prevents your request.",
         Cause.UNAUTHORIZED, Cause.REFUSED),
        (403, "Forbidden Sorry, you don't have permission to visit this site. Not allowed to browse Chat.",
         Cause.UNAUTHORIZED, Cause.REFUSED),
        (403, "Forbidden <Code>AccessDenied</Code><Message>Access Denied</Message>", Cause.UNAUTHORIZED,
         Cause.REFUSED),
        (403, "Forbidden Access denied: your token has expired", Cause.UNAUTHORIZED, None),
        (403, "Forbidden Not allowed: authentication required", Cause.UNAUTHORIZED, None),
        (403, "Forbidden rate limit exceeded", Cause.THROTTLED, None),
        # Binance, and what others say beside statuses of their own.
        (418, "I'm a teapot {\"code\":-1003,\"msg\":\"Way too much request weight used; IP banned\"}",
         Cause.THROTTLED, None),
        (418, "I'm a teapot", Cause.REFUSED, None),
        (400, "Bad Request too many connections", Cause.THROTTLED, None),
        (499, "too many connections", Cause.THROTTLED, None),
        (529, "site is overloaded", Cause.THROTTLED, None),
        (399, "too many connections", Cause.REFUSED, None),
        (528, "too many connections", Cause.REFUSED, None),
        (500, "Internal Server Error too many connections", Cause.HANDLER_ERROR, None),
        (401, "Unauthorized too many connections", Cause.UNAUTHORIZED, None),
        (407, "too many connections", Cause.UNAUTHORIZED, None),
        # Spring.
        (403, "Forbidden Invalid CORS request", Cause.ORIGIN_REFUSED, None),
        (403, "Forbidden invalid token", Cause.UNAUTHORIZED, None),
        # What is told clearly by its status needs no words.
        (429, "Too Many Requests no healthy upstream", Cause.THROTTLED, None),
        (404, "Not Found origin not allowed", Cause.REFUSED, None),
        # Engine.IO and SignalR, where another worker or server knows the session.
        (400, 'Bad Request {"code":1,"message":"Session ID unknown"}', Cause.SESSION_LOST, None),
        (404, "Not Found No Connection with that ID", Cause.SESSION_LOST, None),
        (404, 'Not Found {"error":"Session not found"}', Cause.SESSION_LOST, None),
        (404, "Not Found 404 Not Found", Cause.REFUSED, None),
        (410, "Gone session gone", Cause.SESSION_LOST, None),
        (410, 'Gone {"message":"session expired"}', Cause.SESSION_LOST, None),
        (409, "Conflict session expired", Cause.REFUSED, None),
        # Words that have one meaning beside any status.
        (400, 'Bad Request {"error":"invalid_api_key"}', Cause.UNAUTHORIZED, Cause.REFUSED),
        (422, "Unprocessable Entity token expired", Cause.UNAUTHORIZED, Cause.REFUSED),
        (409, "Conflict already connected", Cause.SESSION_DUPLICATED, Cause.REFUSED),
        (420, "Enhance Your Calm rate limit exceeded", Cause.THROTTLED, None),
        (400, "Bad Request missing room id", Cause.REFUSED, None),
        (405, "Method Not Allowed", Cause.REFUSED, None),
        # Flask of a wrong path; and who or what is not allowed is none of credentials.
        (405, "Method Not Allowed The method is not allowed for the requested URL.", Cause.REFUSED, None),
        (400, "Bad Request WebSockets are not allowed here", Cause.REFUSED, None),
        # The page of a path that is wrong speaks of anything.
        (404, 'Not Found {"error": "Not Found", "see": "/docs/authentication"}', Cause.REFUSED, None),
        (406, 'Not Acceptable {"error": "Not Found", "see": "/docs/authentication"}', Cause.UNAUTHORIZED,
         Cause.REFUSED),
        (405, "Method Not Allowed already connected", Cause.REFUSED, None),
        (404, "Not Found see the rate limit of each path", Cause.REFUSED, None),
        # nginx, Go.
        (400, "Bad Request 400 The plain HTTP request was sent to HTTPS port", Cause.NO_WEBSOCKET, None),
        (400, "Bad Request Client sent an HTTP request to an HTTPS server.", Cause.NO_WEBSOCKET, None),
        (404, "Not Found Client sent an HTTP request to an HTTPS server.", Cause.REFUSED, None),
    ],
)  # fmt: skip
def test_the_words_of_an_answer_tell_what_its_status_leaves_open(status, said, cause, runner_up):
    """Where they do not, the second cause is named, with what tells the two apart."""
    found = diagnose_opening("HTTP", status=status, said=said)

    assert (found.cause, found.runner_up) == (cause, runner_up)
    assert found.confidence is (Confidence.HIGH if runner_up is None else Confidence.MEDIUM)
    assert (found.experiment is None) is (runner_up is None)
    assert found.alternatives == (() if runner_up is None else (runner_up,))


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (300, "Multiple Choices", "path"),
        (301, "Moved Permanently", "--ws-redirects"),
        (302, "Found", "--ws-redirects"),
        (303, "See Other", "--ws-redirects"),
        (304, "Not Modified", "path"),
        (307, "Temporary Redirect", "--ws-redirects"),
        (308, "Permanent Redirect", "--ws-redirects"),
        (400, "Bad Request 400 Request Header Or Cookie Too Large", "cookies"),
        (400, "Bad Request", "path"),
        (400, "Bad Request Invalid host header", "'Host'"),
        (400, 'Bad Request {"message":"invalid host header"}', "'Host'"),
        (400, "Bad Request Invalid HTTP_HOST header: '127.0.0.1:8000'.", "'Host'"),
        (403, 'Forbidden Blocked request. This host ("app.example") is not allowed.', "'Host'"),
        (403, "Forbidden Blocked hosts: app.example", "'Host'"),
        # A field of the application's.
        (400, "Bad Request invalid hostname in the form", "path"),
        (431, "Request Header Fields Too Large", "cookies"),
    ],
)
def test_an_upgrade_that_was_refused_says_what_to_change(status, said, advice):
    """The path and the proxy's fields where nothing tells more."""
    found = diagnose_opening("HTTP", status=status, said=said)

    assert (found.cause, found.confidence) == (Cause.REFUSED, Confidence.HIGH)
    assert advice in found.remedy


def test_an_end_without_an_answer_may_be_that_of_a_proxy():
    """It took the connection for a server that is not there."""
    found = diagnose_opening("HANDSHAKE", unanswered=True)

    assert (found.cause, found.confidence) == (Cause.NO_WEBSOCKET, Confidence.MEDIUM)
    assert found.runner_up is Cause.UPSTREAM_FAILED
    assert "port forward" in found.experiment


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


@pytest.mark.parametrize(
    ("status", "asks_for"), [(402, "credits"), (407, "--ws-proxy"), (401, "--ws-header")]
)
def test_who_wants_something_is_told_apart(status, asks_for):
    """The account, a proxy on the way, and the server."""
    assert asks_for in diagnose_opening("HTTP", status=status).remedy


@pytest.mark.parametrize(
    ("status", "said", "cause"),
    [
        (403, "Access denied Error 1020 You have been blocked by the site owner.", Cause.REFUSED),
        (403, "Just a moment... Enable JavaScript and cookies to continue", Cause.REFUSED),
        (503, "Checking your browser before accessing", Cause.REFUSED),
        (403, "Request blocked. We can't connect to the server for this app", Cause.REFUSED),
        # An application's own, and other statuses.
        (403, "error 1008: captcha token is wrong", Cause.UNAUTHORIZED),
        (403, "your account was blocked", Cause.UNAUTHORIZED),
        (429, "Just a moment...", Cause.THROTTLED),
        (503, "Service Unavailable", Cause.UPSTREAM_FAILED),
    ],
)
def test_a_firewall_that_takes_the_client_for_a_bot_wants_no_credentials(status, said, cause):
    """Its page says so, to people."""
    found = diagnose_opening("HTTP", status=status, said=said)

    assert found.cause is cause
    assert ("credentials do not help" in found.remedy) is (cause is Cause.REFUSED)


def test_an_upgrade_that_nobody_answers_may_be_for_another_path():
    """Of Node's servers, those that pass over what is not theirs leave the connection open."""
    (row,) = (each for each in OPENINGS if each.stage == "TIMEOUT, no answer")

    assert "check the path and the subprotocol" in row.remedy
