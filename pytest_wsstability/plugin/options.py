"""What the command line, the ini file and the environment say, as one frozen value."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from ..virtual import Order

TIMES = ("auto", "virtual", "real")
INCONCLUSIVE = ("fail", "skip")
RERUNS = ("fail", "report")
PROGRESS = ("auto", "tty", "lines", "off")
# "all": each virtual test in two orders, where timers met.
ORDERS = ("fifo", "lifo", "random", "all")
DIAGNOSES = ("timeline", "probe")
# That of the loop, which is not loaded for options.
HORIZON = 86400.0


class Settings:
    """
    The options that every test of a run shares.

    No dataclass: to make one of this size takes 3 ms, and every run makes it, those included that use
    nothing of ours.

    """

    # The URL under test; None: the reference orchestrator.
    url: str | None
    # Where the URL came from, for messages.
    url_from: str
    # "auto", "virtual" or "real".
    time: str
    # The name of a profile; markers may say another.
    profile: str
    headers: tuple[tuple[str, str], ...]
    subprotocols: tuple[str, ...]
    insecure: bool
    ca: str | None
    # Run tests that are long in real time.
    long: bool
    # What an inconclusive verdict is: "fail" or "skip".
    inconclusive: str
    # What a lost connection is diagnosed by: "timeline", or "probe", which opens more of them.
    diagnose: str
    # What virtual time leaves open: the seed, and which of several simultaneous timers comes first.
    seed: int
    # Seconds of virtual time: beyond what a test asks for, and in each turn of the loop.
    virtual_horizon: float
    virtual_tick: float
    order: Order | Literal["all"]
    # Where ws_orchestrator listens; None: on the loopback, on a free port.
    host: str | None
    port: int | None
    # Start the holds of ws_soak at the start of the session.
    soak_early: bool
    # At most so many holds at once; None for no limit.
    soak_concurrency: int | None
    # New connections a second to one host, loopback excepted.
    soak_ramp: float
    # Report files, as they were written on the command line.
    reports: tuple[str, ...]
    # Gates, as expressions.
    fail_on: tuple[str, ...]
    # The name under which the run is kept; None: it is not.
    save: str | None
    # The run to compare with, empty for the latest; None: with none.
    compare: str | None
    # The folder of the runs that are kept, relative to the root directory.
    storage: str
    # How progress is shown: "auto", "tty", "lines" or "off".
    progress: str
    # Where the connections of fleets run: specs of execnet; empty for this process.
    workers: tuple[str, ...]
    # Whoever owns the hosts under test agrees to more load than is put on them unasked.
    load_agreed: bool
    # What a test is that was unstable and then, run again, stable: "fail" or "report".
    reruns: str

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: the settings of a run do not change")

    @property
    def wants_reports(self) -> bool:
        """Whether something is to be written or compared in the end, even if no test is ours."""
        return bool(self.reports or self.fail_on or self.save is not None or self.compare is not None)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini names."""
    group = parser.getgroup("wsstability", "WebSocket stability")
    add = group.addoption
    add(
        "--ws-url",
        metavar="URL",
        help="the URL under test (ws:// or wss://); default: the reference orchestrator",
    )
    add(
        "--ws-time",
        choices=TIMES,
        help="the clock: virtual, real, or auto (virtual unless the target is remote)",
    )
    add(
        "--ws-profile",
        metavar="NAME",
        help="the application protocol: json (default), frames, or one of yours",
    )
    add("--ws-header", metavar="'Name: value'", action="append", default=[], help="a request header; repeats")
    add(
        "--ws-subprotocol",
        metavar="NAME",
        action="append",
        default=[],
        help="a subprotocol to offer; repeats",
    )
    add("--ws-insecure", action="store_true", help="do not check the server's certificate")
    add("--ws-ca", metavar="FILE", help="PEM file with the certificate authorities to trust")
    add("--ws-long", action="store_true", help="run tests marked ws_long in real time too")
    add(
        "--ws-inconclusive",
        choices=INCONCLUSIVE,
        help="what an inconclusive verdict does to a test (default: fail)",
    )
    _add_order_options(parser, group)
    add("--ws-host", metavar="HOST", help="where ws_orchestrator listens (default: 127.0.0.1)")
    add("--ws-port", type=int, metavar="PORT", help="the port of ws_orchestrator (default: a free one)")
    parser.addini("ws_url", "the URL under test; --ws-url and WS_URL win", default="")
    parser.addini("ws_time", "the clock: auto, virtual or real", default="auto")
    parser.addini("ws_profile", "the application protocol", default="json")
    parser.addini("ws_headers", "request headers, one a line", type="linelist", default=[])
    parser.addini("ws_inconclusive", "what an inconclusive verdict does: fail or skip", default="fail")
    _add_diagnosis_options(group)
    _add_soak_options(parser, group)


def add_report_options(parser: pytest.Parser) -> None:
    """Declare the options of what a run leaves behind, and their ini names."""
    add = parser.getgroup("wsstability").addoption
    add(
        "--ws-report",
        metavar="FILE",
        action="append",
        default=[],
        help="write a report: FILE.json, FILE.jsonl, FILE.md or FILE.html; repeats",
    )
    add(
        "--ws-fail-on",
        metavar="GATE",
        action="append",
        default=[],
        help="fail the run on 'rtt_p95 > 250ms', 'unstable > 0' or the like; repeats",
    )
    add("--ws-save", metavar="NAME", help="keep the results of this run under a name")
    add(
        "--ws-compare",
        metavar="NAME",
        nargs="?",
        const="",
        help="compare with a run that was kept, by name or number (default: the latest)",
    )
    parser.addini("ws_fail_on", "gates that fail the run, one a line", type="linelist", default=[])
    parser.addini("ws_storage", "where runs are kept (default: .wsstability)", default=".wsstability")


def _add_order_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    add = group.addoption
    add(
        "--ws-order",
        choices=ORDERS,
        default="fifo",
        help="which of simultaneous virtual timers comes first; all: tests in two orders, if timers meet",
    )
    add("--ws-seed", type=int, default=0, metavar="N", help="seed of virtual time (default: 0)")
    parser.addini(
        "ws_virtual_horizon",
        "a virtual test that waits for so much longer than it asked for is given up; default: 24h",
        default="",
    )
    parser.addini(
        "ws_virtual_tick",
        "microseconds that pass in each turn of a virtual loop, for code that wants its clock to move",
        default="",
    )


def _add_diagnosis_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--ws-diagnose",
        choices=DIAGNOSES,
        default="timeline",
        help="what a lost connection is diagnosed by: its timeline, or then a probe of the URL (minutes)",
    )


def _add_soak_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--ws-soak-early",
        action="store_true",
        help="start the holds of ws_soak with the session, so that they run behind the ordinary tests",
    )
    group.addoption(
        "--ws-progress",
        choices=PROGRESS,
        help="how running holds are shown: redrawn in place (tty), a line a minute (lines), off, or auto",
    )
    group.addoption(
        "--ws-workers",
        metavar="SPEC",
        action="append",
        default=[],
        help="run fleets in worker processes, by specs of execnet: 4*popen, ssh=HOST//python=...; repeats",
    )
    group.addoption(
        "--ws-load-agreed",
        action="store_true",
        help="whoever owns the host agrees to more than 1,000 connections or 50 opens a second",
    )
    parser.addini("ws_reruns", "a test that is stable only when run again: fail or report", default="fail")
    parser.addini("ws_progress", "how running holds are shown: auto, tty, lines or off", default="auto")
    parser.addini("ws_soak_concurrency", "at most so many holds of ws_soak at once; default: all", default="")
    parser.addini(
        "ws_soak_ramp",
        "new connections a second to one host, loopback excepted; default: 10",
        default="10",
    )


def read_settings(config: pytest.Config) -> Settings:
    """
    The settings of a run.

    Raises:
        pytest.UsageError: for a value that makes no sense, naming it and where it came from.

    """
    option = config.getoption
    url, url_from = _url(config)
    lines = [(line, "ws_headers") for line in config.getini("ws_headers")]
    lines += [(line, "--ws-header") for line in option("--ws-header")]
    ca = option("--ws-ca")
    if ca is not None and not Path(ca).is_file():
        raise pytest.UsageError(f"--ws-ca: there is no file {ca!r}; give a PEM file")
    return Settings(
        url=url,
        url_from=url_from,
        time=_choice(config, "--ws-time", "ws_time", TIMES),
        profile=option("--ws-profile") or config.getini("ws_profile"),
        headers=tuple(_header(line, source) for line, source in lines),
        subprotocols=tuple(option("--ws-subprotocol")),
        insecure=option("--ws-insecure"),
        ca=ca,
        long=option("--ws-long"),
        diagnose=option("--ws-diagnose"),
        inconclusive=_choice(config, "--ws-inconclusive", "ws_inconclusive", INCONCLUSIVE),
        seed=option("--ws-seed"),
        virtual_horizon=_horizon(config),
        virtual_tick=_tick(config),
        order=option("--ws-order"),
        host=option("--ws-host"),
        port=_port(option("--ws-port")),
        soak_early=option("--ws-soak-early"),
        soak_concurrency=_concurrency(config),
        soak_ramp=_ramp(config),
        reports=tuple(option("--ws-report")),
        fail_on=(*config.getini("ws_fail_on"), *option("--ws-fail-on")),
        save=option("--ws-save"),
        compare=option("--ws-compare"),
        storage=config.getini("ws_storage"),
        progress=_choice(config, "--ws-progress", "ws_progress", PROGRESS),
        reruns=_reruns(config),
        workers=tuple(option("--ws-workers")),
        load_agreed=option("--ws-load-agreed"),
    )


def _url(config: pytest.Config) -> tuple[str | None, str]:
    sources = {
        "--ws-url": config.getoption("--ws-url"),
        "WS_URL": os.environ.get("WS_URL"),
        "ini ws_url": config.getini("ws_url"),
    }
    for source, value in sources.items():
        if value:
            from ..core.url import wrong_url

            if reason := wrong_url(value):
                raise pytest.UsageError(f"{source}: {reason}")
            return value, source
    return None, "default"


def _choice(config: pytest.Config, option: str, ini: str, valid: tuple[str, ...]) -> str:
    value: str = config.getoption(option) or config.getini(ini)
    if value not in valid:
        raise pytest.UsageError(f"ini {ini}: {value!r} is none of {', '.join(valid)}")
    return value


def _port(port: int | None) -> int | None:
    if port is not None and not 0 < port < 65536:
        raise pytest.UsageError(f"--ws-port: {port} is not a port; give 1 to 65535")
    return port


def _reruns(config: pytest.Config) -> str:
    value: str = config.getini("ws_reruns")
    if value not in RERUNS:
        raise pytest.UsageError(f"ini ws_reruns: {value!r} is none of {', '.join(RERUNS)}")
    return value


def _concurrency(config: pytest.Config) -> int | None:
    value = config.getini("ws_soak_concurrency").strip()
    if not value:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise pytest.UsageError(f"ini ws_soak_concurrency: {value!r} is no count; give a whole number from 1")
    return int(value)


def _ramp(config: pytest.Config) -> float:
    value = config.getini("ws_soak_ramp")
    try:
        ramp = float(value)
    except ValueError:
        ramp = 0.0
    if not 0 < ramp < math.inf:
        raise pytest.UsageError(
            f"ini ws_soak_ramp: {value!r} is no rate; give connections a second, such as 10 or 0.5"
        )
    return ramp


def _horizon(config: pytest.Config) -> float:
    if not (value := config.getini("ws_virtual_horizon").strip()):
        return HORIZON
    from ..core.duration import parse_duration

    try:
        return parse_duration(value, "ini ws_virtual_horizon")
    except ValueError as exc:
        raise pytest.UsageError(str(exc)) from None


def _tick(config: pytest.Config) -> float:
    value = config.getini("ws_virtual_tick").strip()
    try:
        microseconds = float(value or 0)
    except ValueError:
        microseconds = -1.0
    if not 0 <= microseconds < 1e6:
        raise pytest.UsageError(
            f"ini ws_virtual_tick: {value!r} is no number of microseconds; give one from 0 on, such as 1"
        )
    return microseconds / 1e6


def _header(line: str, source: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        # What was given may be a secret, so it is not shown.
        raise pytest.UsageError(f"{source}: a value without a header's name; give 'Name: value'")
    return name.strip(), value.strip()


def header(settings: Settings) -> str:
    """Target, clock and profile of a run in one line."""
    target = "the reference orchestrator"
    if settings.url is not None:
        from ..core.redact import redact_url

        target = f"{redact_url(settings.url)} (from {settings.url_from})"
    time = settings.time
    if time == "auto":
        time = "auto (real: the target is remote)" if settings.url else "auto (virtual)"
    return f"wsstability: target {target}, time {time}, profile {settings.profile}"
