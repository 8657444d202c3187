"""Why a connection did not open: admission, limits and outages are no instability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..cause import Blame, Cause, Confidence, Diagnosis, Evidence
from ..judge.verdict import Reason
from ..redact import show_text


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
    blame: Blame
    remedy: str


def _is(*statuses: int) -> Callable[[int | None], bool]:
    return lambda status: status in statuses


# In the stage's place: the handshake failed over the subprotocol that the server chose.
_CHOSEN = "HANDSHAKE, subprotocol"

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
        remedy="see what the proxy says: 407 asks for a user and a password in the URL of --ws-proxy, "
        "403 forbids the target, and with 502 to 504 the proxy does not reach it",
    ),
    FailedOpening(
        cause=Cause.TLS_FAILED, shows="the TLS handshake failed", stage="TLS", blame=Blame.SERVER,
        remedy="check the certificate's names, dates and authority (a test's own: --ws-ca FILE), and whether "
        "the port speaks TLS at all: ws:// goes without",
    ),
    FailedOpening(
        cause=Cause.THROTTLED, shows="HTTP 429 or 503, or Retry-After", stage="HTTP",
        statuses=_is(429, 503), blame=Blame.SERVER,
        remedy="open fewer connections at a time and with jitter, or raise the server's limit",
    ),
    FailedOpening(
        cause=Cause.UNAUTHORIZED, shows="HTTP 401, 403 or 407", stage="HTTP", statuses=_is(401, 403, 407),
        blame=Blame.CLIENT,
        remedy="give what the server asks for: a token (--ws-header 'Authorization: ...'), a cookie, an "
        "Origin; and check the path: uvicorn answers 403 to one without a WebSocket, too",
    ),
    FailedOpening(
        cause=Cause.UPSTREAM_FAILED, shows="HTTP 502 or 504, or 520 to 527 (Cloudflare)", stage="HTTP",
        statuses=_is(502, 504, *range(520, 528)),
        blame=Blame.PATH, remedy="see the gateway's log, and whether the server behind it runs",
    ),
    FailedOpening(
        cause=Cause.HANDLER_ERROR, shows="HTTP 500", stage="HTTP", statuses=_is(500), blame=Blame.SERVER,
        remedy="see the server's traceback: its handler failed before it had accepted the connection",
    ),
    FailedOpening(
        cause=Cause.REFUSED, shows="any other HTTP status", stage="HTTP", blame=Blame.SERVER,
        remedy="check the path of the URL (what answers there may be a page), and whether a proxy passes "
        "Upgrade and Connection on",
    ),
    FailedOpening(
        cause=Cause.NO_WEBSOCKET, shows="an answer that is no WebSocket handshake", stage="HANDSHAKE",
        blame=Blame.SERVER,
        remedy="see whether the port speaks WebSocket, and TLS (wss://) or not; and check the path: Socket.IO"
        " ends what is not for /socket.io/",
    ),
    FailedOpening(
        cause=Cause.PROTOCOL_ERROR, shows="a subprotocol that was not offered", stage=_CHOSEN,
        blame=Blame.CLIENT,
        # RFC 6455, section 4.1: the client fails the connection then.
        remedy="offer the subprotocol that the server speaks (ws_stability(subprotocol=...), "
        "--ws-subprotocol NAME), or let the server choose one that was offered",
    ),
    FailedOpening(
        cause=Cause.OPENING_TIMED_OUT, shows="no answer in time", stage="TIMEOUT", blame=Blame.PATH,
        remedy="a firewall that drops packets, or a server that does not answer; open_timeout= waits longer",
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
    shortage: Reason | None = None,
    subprotocol: str | None = None,
) -> Diagnosis:
    """
    Say why a connection did not open.

    Args:
        stage: the name of the step that failed: "DNS", "CONNECT", "PROXY", "TLS", "HTTP", "HANDSHAKE",
            "TIMEOUT".
        status: the HTTP status of a refused upgrade.
        retry_after: what its Retry-After field said.
        detail: the error in words.
        shortage: what this process or machine lacked; None where it was not for that.
        subprotocol: what the server chose though it was not offered; None where it was not for that.

    Raises:
        ValueError: if there is no such stage.

    """
    rows = [row for row in OPENINGS if row.stage == stage and row.statuses(status)]
    if not rows:
        valid = ", ".join(dict.fromkeys(repr(row.stage) for row in OPENINGS if row.stage.isalpha()))
        raise ValueError(f"stage: {stage!r} is no step of an opening; valid ones: {valid}")
    if stage == "HTTP" and retry_after is not None:
        rows = [row for row in OPENINGS if row.cause is Cause.THROTTLED]
    if subprotocol is not None:
        rows = [row for row in OPENINGS if row.stage == _CHOSEN]
    if shortage is not None:
        rows = [row for row in OPENINGS if row.cause is Cause.HARNESS_SHORT]
    row, how = rows[0], f"HTTP {status}" if status is not None else stage
    how = how if shortage is None else shortage.value
    evidence = [Evidence(show_text(detail) or how, 0.0)]
    if retry_after is not None:
        evidence.append(Evidence(f"Retry-After: {show_text(retry_after, 40)}", 0.0))
    return Diagnosis(
        cause=row.cause,
        confidence=Confidence.HIGH,
        blame=row.blame,
        sentence=f"the connection did not open: {row.cause.value} ({how}); that is no instability",
        headline=f"not opened: {row.cause.value} ({how})",
        evidence=tuple(evidence),
        remedy=row.remedy,
    )
