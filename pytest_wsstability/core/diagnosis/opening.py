"""Why a connection did not open: admission, limits and outages are no instability."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from ..cause import Blame, Cause, Confidence, Diagnosis, Evidence
from ..judge.verdict import Reason
from ..redact import show_text
from ..timeline.close_reasons import Topic, read_error
from .experiments import experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedOpening:
    """How an opening failed, and what that is called."""

    cause: Cause
    # In words for the docs.
    shows: str
    # The name of the stage (see `net.errors.OpeningStage`), empty for any; and which HTTP statuses, where one
    # is needed.
    stage: str
    statuses: Callable[[int | None], bool] = lambda status: True
    # What the words of an answer have to speak of, where its status has several meanings; empty: of anything.
    topics: frozenset[Topic] = frozenset()
    # The same for words that no close reason has; None: whatever it says.
    words: re.Pattern[str] | None = None
    blame: Blame
    remedy: str
    # What else it may be; None where nothing else is known.
    runner_up: Cause | None = None

    @property
    def confidence(self) -> Confidence:
        """How sure it is."""
        return Confidence.HIGH if self.runner_up is None else Confidence.MEDIUM


def _is(*statuses: int) -> Callable[[int | None], bool]:
    return lambda status: status in statuses


def _may_be_full(status: int | None) -> bool:
    """Whether services were seen to refuse so who comes too often (Binance: 418), or when they are full."""
    return status in (503, 529) or (status in range(400, 500) and status not in (401, 407, *_NOT_THERE))


def _is_there(status: int | None) -> bool:
    """Whether a status leaves open that the path is wrong, whose page may speak of anything."""
    return status not in _NOT_THERE


# In the stage's place: the handshake failed over the subprotocol or the extension that the server chose, or
# nothing answered the upgrade, before the connection or the time for it ended.
_CHOSEN, _CHOSEN_EXTENSION = "HANDSHAKE, subprotocol", "HANDSHAKE, extension"
_UNANSWERED = {"HANDSHAKE": "HANDSHAKE, no answer", "TIMEOUT": "TIMEOUT, no answer"}
_FEWER = "open fewer connections at a time and with jitter, or raise the server's limit"
_GATEWAY = "see the gateway's log, and whether the server behind it runs"
# Nothing takes upgrades at this path.
_NOT_THERE = (404, 405)
# What a refusal says by itself, in the words of proxies and firewalls too (Squid, Akamai, Zscaler): who, or
# what, may not come in, and not whether credentials would help ("The method is not allowed").
_SAYS_NO = re.compile(r"access\W?denied|forbidden|permissions?|not allowed", re.IGNORECASE)
_LESS_HEAD = (
    "send shorter header fields (cookies, tokens), or raise the server's limit on them (nginx: "
    "large_client_header_buffers)"
)
# Starlette, Litestar, webpack-dev-server; BlackSheep; Django; Vite; Rails.
_OTHER_HOST = re.compile(
    r"invalid (?:http_)?host(?: header|:)|blocked request\. this host|blocked hosts?:", re.IGNORECASE
)
# nginx and Go say so of a request in the clear, both with 400.
_WANTS_TLS = re.compile(r"http request\b.* to (?:an )?https (?:port|server)", re.IGNORECASE)
# What nginx writes below a page of its own, and HAProxy's own words for 500.
_PROXY_PAGE = re.compile(
    r"\b(?:nginx|openresty|tengine)(?:/[\d.]+)?\s*$|error an internal server error occurred\.\s*$",
    re.IGNORECASE,
)
# What stands on pages of firewalls and bot checks before a server: Cloudflare's, CloudFront's, Imperva's.
_BLOCKED_PAGE = re.compile(
    r"just a moment\.\.\.|checking your browser|enable javascript and cookies|you have been blocked|"
    r"attention required! \| cloudflare|\berror 10[12]0\b|incapsula incident|"
    r"request blocked\. we can't connect",
    re.IGNORECASE,
)
_CREDENTIALS = "give what the server asks for: a token (--ws-header 'Authorization: ...'), a cookie"

OPENINGS = (
    FailedOpening(
        cause=Cause.NAME_UNKNOWN, shows="the name does not resolve", stage="DNS", blame=Blame.CLIENT,
        remedy="check the host in the URL, and the resolver of this machine",
    ),
    FailedOpening(
        cause=Cause.UNREACHABLE, shows="TCP: refused, or no route", stage="CONNECT", blame=Blame.SERVER,
        remedy="see whether the server listens on this port; refused for seconds only is a restart",
    ),
    FailedOpening(
        cause=Cause.PROXY_REFUSED, shows="the proxy towards the target did not open a way", stage="PROXY",
        blame=Blame.PATH,
        # tinyproxy asks with 401, and says 500 of a target that it does not reach.
        remedy="see what the proxy says: 407 or 401 asks for a user and a password in the URL of --ws-proxy, "
        "403 forbids the target, and with 500 to 504 the proxy does not reach it; where it says nothing, "
        "whether one listens there that speaks what the URL says (http://, socks5://)",
    ),
    FailedOpening(
        cause=Cause.TLS_FAILED, shows="the TLS handshake failed", stage="TLS", blame=Blame.SERVER,
        remedy="check the certificate's names, dates and authority (a test's own: --ws-ca FILE), and whether "
        "the port speaks TLS at all: ws:// goes without",
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 403 or 503 on the page of a firewall or a bot check", stage="HTTP",
        statuses=_is(403, 503), words=_BLOCKED_PAGE, blame=Blame.PATH,
        remedy="a firewall before the server takes this client for a bot: let its address, or a header that "
        "only the test has, through, or open the server behind the firewall; credentials do not help",
    ),
    FailedOpening(
        cause=Cause.THROTTLED, shows="HTTP 429, or Retry-After", stage="HTTP", statuses=_is(429),
        blame=Blame.SERVER, remedy=_FEWER,
    ),
    FailedOpening(
        cause=Cause.THROTTLED, shows="HTTP 4xx but 401, 404, 405 and 407, 503 or 529, and words of a limit, "
        "or of overload", stage="HTTP", statuses=_may_be_full, topics=frozenset({Topic.RATE, Topic.OVERLOAD}),
        blame=Blame.SERVER, remedy=_FEWER,
    ),
    FailedOpening(
        cause=Cause.RESTART, shows="HTTP 503, and words of a restart or of maintenance", stage="HTTP",
        statuses=_is(503), topics=frozenset({Topic.RESTART}), blame=Blame.SERVER,
        remedy="come back later, and with jitter",
    ),
    FailedOpening(
        cause=Cause.UPSTREAM_FAILED, shows="HTTP 502 or 504, or 520 to 527 or 530 (Cloudflare)", stage="HTTP",
        statuses=_is(502, 504, *range(520, 528), 530), blame=Blame.PATH, remedy=_GATEWAY,
    ),
    FailedOpening(
        cause=Cause.UPSTREAM_FAILED, shows="HTTP 503, and words of an upstream", stage="HTTP",
        statuses=_is(503), topics=frozenset({Topic.UPSTREAM}), blame=Blame.PATH, remedy=_GATEWAY,
    ),
    FailedOpening(
        cause=Cause.UPSTREAM_FAILED, shows="any other HTTP 503", stage="HTTP", statuses=_is(503),
        blame=Blame.PATH,
        remedy="see whether a server stands behind the gateway, and is ready (load balancers answer so where "
        "none is); where others are let in, open fewer at a time, or raise the server's limit",
        runner_up=Cause.THROTTLED,
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 400 or 403, and words of a host", stage="HTTP",
        statuses=_is(400, 403), words=_OTHER_HOST, blame=Blame.CLIENT,
        remedy="send a Host that the server allows (ws_stability(headers={'Host': ...})), or add this one to "
        "its list; behind a proxy, see whether that passes Host on",
    ),
    FailedOpening(
        cause=Cause.ORIGIN_REFUSED, shows="HTTP 400 or 403, and words of an origin", stage="HTTP",
        statuses=_is(400, 403), topics=frozenset({Topic.ORIGIN}), blame=Blame.CLIENT,
        remedy="send an Origin that the server allows (ws_stability(origin=...)), or add this one to its "
        "list; behind a proxy, see whether that passes Host on",
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="HTTP 401", stage="HTTP", statuses=_is(401),
        blame=Blame.CLIENT, remedy=_CREDENTIALS,
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="HTTP 407", stage="HTTP", statuses=_is(407), blame=Blame.CLIENT,
        # RFC 9110, section 15.5.8: no server says so of itself.
        remedy="a proxy on the way wants to know who asks: give it a user and a password, in --ws-proxy",
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="HTTP 403, and words of credentials", stage="HTTP",
        statuses=_is(403), topics=frozenset({Topic.TOKEN}), blame=Blame.CLIENT, remedy=_CREDENTIALS,
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="any other HTTP 403", stage="HTTP", statuses=_is(403),
        blame=Blame.CLIENT,
        remedy=f"{_CREDENTIALS}, an Origin (ws_stability(origin=...), without which Channels' validator lets "
        "nobody in); and check the path: uvicorn answers 403 to one without a WebSocket, as Envoy does where "
        "no upgrade is allowed; see whether it is the page of a proxy or a firewall on the way",
        runner_up=Cause.REFUSED,
    ),
    FailedOpening(
        cause=Cause.UPSTREAM_FAILED, shows="HTTP 500 on the page of a proxy (nginx, HAProxy)", stage="HTTP",
        statuses=_is(500), words=_PROXY_PAGE, blame=Blame.PATH,
        remedy="see the proxy's error log: it answers so by itself where a service that it asks first fails, "
        "or answers neither 2xx nor 401 nor 403 (nginx: auth_request), where a rewrite goes in circles, and "
        "from a tarpit (HAProxy)",
        runner_up=Cause.HANDLER_ERROR,
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 505", stage="HTTP", statuses=_is(505), blame=Blame.PATH,
        remedy="let the proxy before the server speak HTTP/1.1 to it, which upgrades need (nginx: "
        "proxy_http_version 1.1), and pass Upgrade and Connection on",
    ),
    FailedOpening(
        cause=Cause.HANDLER_ERROR, shows="HTTP 500", stage="HTTP", statuses=_is(500), blame=Blame.SERVER,
        remedy="see the server's traceback: its handler failed before it had accepted the connection",
    ),
    FailedOpening(
        cause=Cause.SESSION_LOST, stage="HTTP", statuses=_is(400, 404, 410),
        shows="HTTP 400, 404 or 410, and words of a session that is not known, or over",
        topics=frozenset({Topic.SESSION_UNKNOWN, Topic.SESSION_OVER}), blame=Blame.SERVER,
        remedy="open with a new session; behind several servers or workers, send each session to the one "
        "that knows it (sticky sessions), or let them share what they know",
    ),
    FailedOpening(
        cause=Cause.NO_WEBSOCKET, shows="HTTP 400, and words of a port that speaks TLS", stage="HTTP",
        statuses=_is(400), words=_WANTS_TLS, blame=Blame.CLIENT,
        remedy="the port speaks TLS: open wss:// and not ws://",
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 431", stage="HTTP", statuses=_is(431), blame=Blame.CLIENT,
        remedy=_LESS_HEAD,
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 400, and words of a size", stage="HTTP", statuses=_is(400),
        topics=frozenset({Topic.SIZE}), blame=Blame.CLIENT, remedy=_LESS_HEAD,
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 301, 302, 303, 307 or 308", stage="HTTP",
        statuses=_is(301, 302, 303, 307, 308), blame=Blame.CLIENT,
        remedy="open the address that it leads to (wss:// where that is https://), or follow it "
        "(--ws-redirects); where it leads to a page to log in, give credentials",
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 402", stage="HTTP", statuses=_is(402), blame=Blame.CLIENT,
        # Deepgram, ElevenLabs.
        remedy="see what the answer says: the account has no credits left, or its plan does not have this",
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="HTTP 451", stage="HTTP", statuses=_is(451), blame=Blame.CLIENT,
        # RFC 7725; Binance answers so to some countries.
        remedy="see what the answer says: the server refuses who comes from this place; open it from another",
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="any other HTTP status but 404 and 405, and words of credentials",
        stage="HTTP", statuses=_is_there,
        topics=frozenset({Topic.TOKEN}), blame=Blame.CLIENT, remedy=_CREDENTIALS, runner_up=Cause.REFUSED,
    ),
    FailedOpening(
        cause=Cause.SESSION_DUPLICATED,
        shows="any other HTTP status but 404 and 405, and words of a second connection",
        stage="HTTP", statuses=_is_there, topics=frozenset({Topic.DUPLICATE}), blame=Blame.CLIENT,
        remedy="close the old connection before the new one, or let the server drop the older of the two",
        runner_up=Cause.REFUSED,
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="any other HTTP status", stage="HTTP", blame=Blame.SERVER,
        remedy="see what the answer says; check the path of the URL (what answers there may be a page), and "
        "whether a proxy passes Upgrade and Connection on",
    ),
    FailedOpening(
        cause=Cause.NO_WEBSOCKET, shows="an answer that is no WebSocket handshake", stage="HANDSHAKE",
        blame=Blame.SERVER,
        remedy="see whether the port speaks WebSocket, and TLS (wss://) or not; and check the path: Socket.IO"
        " ends what is not for /socket.io/",
    ),
    FailedOpening(
        cause=Cause.NO_WEBSOCKET, shows="the connection ended without an answer",
        stage=_UNANSWERED["HANDSHAKE"],
        blame=Blame.SERVER,
        remedy="see whether the port speaks TLS (wss://) or not, and whether anything listens behind it: a "
        "proxy, a port that a container publishes and a port forward take connections for a server that is "
        "not there; and check the path (Socket.IO ends what is not for /socket.io/) and the subprotocol "
        "(libwebsockets ends what asks for another, and Janus what asks for none)",
        runner_up=Cause.UPSTREAM_FAILED,
    ),
    FailedOpening(
        cause=Cause.PROTOCOL_ERROR, shows="a subprotocol that was not offered", stage=_CHOSEN,
        blame=Blame.CLIENT,
        # RFC 6455, section 4.1: the client fails the connection then.
        remedy="offer the subprotocol that the server speaks (ws_stability(subprotocol=...), "
        "--ws-subprotocol NAME), or let the server choose one that was offered",
    ),
    FailedOpening(
        cause=Cause.PROTOCOL_ERROR, shows="an extension that was not offered, or not so",
        stage=_CHOSEN_EXTENSION, blame=Blame.SERVER,
        # RFC 6455, section 9.1. Browsers offer permessage-deflate, so that nobody else may have seen it.
        remedy="let the server, or the proxy that answers for it, take only extensions that the client "
        "offers; ws_connect(compression=True) offers permessage-deflate, as browsers do",
    ),
    FailedOpening(
        cause=Cause.OPENING_TIMED_OUT, shows="no answer in time", stage="TIMEOUT", blame=Blame.PATH,
        remedy="a firewall that drops packets, or a server that does not answer; open_timeout= waits longer",
    ),
    FailedOpening(
        cause=Cause.OPENING_TIMED_OUT, shows="no answer to the upgrade in time, though TCP was open",
        stage=_UNANSWERED["TIMEOUT"], blame=Blame.SERVER,
        remedy="see the server's log: its process stands still, has no descriptor left to accept with (too "
        "many open files; its kernel opens TCP all the same), or waits for something before it accepts; and "
        "check the path and the subprotocol: servers on Node pass over upgrades that are not theirs (Vite "
        "those without vite-hmr); open_timeout= waits longer",
    ),
    FailedOpening(
        cause=Cause.HARNESS_SHORT,
        shows="EMFILE, ENFILE, EADDRNOTAVAIL, ENOMEM or EAI_AGAIN: no descriptor, local port or memory was "
        "left on this machine, or its resolver had no answer for now",
        stage="", blame=Blame.HARNESS,
        remedy="hold fewer at once, or raise what was short: descriptors (ulimit -n), local ports "
        "(net.ipv4.ip_local_port_range), memory; see what the machine's resolver does",
    ),
)  # fmt: skip


def diagnose_opening(
    stage: str,
    *,
    status: int | None = None,
    retry_after: str | None = None,
    detail: str = "",
    said: str = "",
    unanswered: bool = False,
    shortage: Reason | None = None,
    subprotocol: str | None = None,
    extension: str | None = None,
) -> Diagnosis:
    """
    Say why a connection did not open.

    Args:
        stage: the name of the step that failed: "DNS", "CONNECT", "PROXY", "TLS", "HTTP", "HANDSHAKE",
            "TIMEOUT".
        status: the HTTP status of a refused upgrade.
        retry_after: what its Retry-After field said.
        detail: the error in words.
        said: the words of an answer beside its status.
        unanswered: whether the connection, or the time for it, ended before the upgrade was answered.
        shortage: what this process or machine lacked; None where it was not for that.
        subprotocol: what the server chose though it was not offered; None where it was not for that.
        extension: the same of extensions.

    Raises:
        ValueError: if there is no such stage.

    """
    topic = _topic(status, said)
    rows = [
        row
        for row in OPENINGS
        if row.stage == stage
        and row.statuses(status)
        and (not row.topics or topic in row.topics)
        and (row.words is None or row.words.search(said))
    ]
    if not rows:
        valid = ", ".join(dict.fromkeys(repr(row.stage) for row in OPENINGS if row.stage.isalpha()))
        raise ValueError(f"stage: {stage!r} is no step of an opening; valid ones: {valid}")
    if stage == "HTTP" and retry_after is not None:
        rows = [row for row in OPENINGS if row.cause is Cause.THROTTLED]
    chosen = _CHOSEN if subprotocol is not None else _CHOSEN_EXTENSION if extension is not None else None
    if (instead := _UNANSWERED.get(stage) if unanswered else chosen) is not None:
        rows = [row for row in OPENINGS if row.stage == instead]
    if shortage is not None:
        rows = [row for row in OPENINGS if row.cause is Cause.HARNESS_SHORT]
    row, how = rows[0], f"HTTP {status}" if status is not None else stage
    how = how if shortage is None else shortage.value
    evidence = [Evidence(show_text(detail) or how, 0.0)]
    if retry_after is not None:
        evidence.append(Evidence(f"Retry-After: {show_text(retry_after, 40)}", 0.0))
    return Diagnosis(
        cause=row.cause,
        confidence=row.confidence,
        blame=row.blame,
        sentence=f"the connection did not open: {row.cause.value} ({how}); that is no instability",
        headline=f"not opened: {row.cause.value} ({how})",
        evidence=tuple(evidence),
        remedy=row.remedy,
        runner_up=row.runner_up,
        experiment=None if row.runner_up is None else experiment(row.cause, row.runner_up),
        alternatives=() if row.runner_up is None else (row.runner_up,),
    )


def _topic(status: int | None, said: str) -> Topic | None:
    """What the words of an answer speak of clearly, those aside that its status always has."""
    usual = next((each.phrase for each in HTTPStatus if each == status), "")
    # "Not Found" speaks of nothing: "Session not found" beside it is all that tells of the session.
    if read_error(usual).topic is not None:
        said = re.sub(re.escape(usual), " ", said, flags=re.IGNORECASE)
    reading = read_error(said)
    if reading.topic is Topic.TOKEN:
        reading = read_error(_SAYS_NO.sub(" ", said))
    return reading.topic if reading.is_clear else None
