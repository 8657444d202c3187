"""What the command line, the ini file and the environment say: a table, read into one value."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import pytest

from .settings import IN_ENVIRONMENT, IN_INI, ON_COMMAND_LINE, GivenTarget, Settings, TargetKind

_PACKAGE = __name__.partition(".")[0]
TIMES = ("auto", "virtual", "real")
INCONCLUSIVE = ("fail", "skip")
RERUNS = ("fail", "report")
PROGRESS = ("auto", "tty", "lines", "off")
# "all": each virtual test in two orders, where timers met.
ORDERS = ("fifo", "lifo", "random", "all")
KEPT = ("on", "off", "failures")
DIAGNOSES = ("timeline", "probe")


# Neither is a dataclass: to make one of this size takes milliseconds, and every run makes them, those
# included that use nothing of ours.
class Option:
    """
    One setting, and where it is read from: the command line, then the environment, then the ini file.

    One that `repeats` is a tuple: what the ini file has, a line each, then what the command line has.

    """

    __slots__ = (
        "choices", "default", "dest", "env", "flag", "help", "ini", "ini_help", "keywords", "name", "repeats",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        *,
        flag: str = "",
        ini: str = "",
        env: str = "",
        help: str = "",
        ini_help: str = "",
        default: object = None,
        choices: tuple[str, ...] = (),
        **keywords: Any,
    ) -> None:
        # The attribute of `Settings`.
        self.name = name
        self.flag = flag
        # ... and that of pytest's options.
        self.dest = flag.lstrip("-").replace("-", "_")
        self.ini = ini
        self.env = env
        self.help = help
        self.ini_help = ini_help or help
        self.default = default
        self.choices = choices
        # Further keywords of argparse.
        self.keywords = keywords
        # Whether it may be given several times.
        self.repeats = keywords.get("action") == "append"

    def declare(self, parser: pytest.Parser, group: pytest.OptionGroup) -> None:
        """Let pytest know it."""
        if self.flag:
            keywords = {"choices": self.choices, **self.keywords} if self.choices else self.keywords
            # With a `dest`, pytest does not compare it with those of all options there are.
            group.addoption(self.flag, dest=self.dest, help=self.help, **keywords)
        if self.ini:
            kind: dict[str, Any] = {"type": "linelist", "default": []} if self.repeats else {"default": ""}
            parser.addini(self.ini, self.ini_help, **kind)

    def given(self, config: pytest.Config) -> Iterator[tuple[str, Any]]:
        """Where it was given, and what, that which counts first; for one that repeats, in its order."""
        said = getattr(config.option, self.dest) if self.flag else None
        if self.repeats:
            lines = config.getini(self.ini) if self.ini else ()
            yield from ((f"ini {self.ini}", line) for line in lines)
            yield from ((self.flag, text) for text in said or ())
            return
        if said is not None and said is not False:
            yield self.flag, said
        if self.env and (text := os.environ.get(self.env)):
            yield self.env, text
        if self.ini and (text := _ini(config, self.ini).strip()):
            yield f"ini {self.ini}", text

    def value(self, config: pytest.Config) -> Any:
        """
        What it is in a run.

        Raises:
            pytest.UsageError: for a value that makes no sense, naming it and where it came from.

        """
        if self.repeats:
            return tuple(self._checked(source, text) for source, text in self.given(config))
        for source, text in self.given(config):
            return self._checked(source, text)
        return self.default

    def _checked(self, source: str, text: Any) -> Any:
        if self.choices and text not in self.choices:
            raise pytest.UsageError(f"{source}: {text!r} is none of {', '.join(self.choices)}")
        try:
            return _reader(self.name)(text)
        except ValueError as exc:
            raise pytest.UsageError(f"{source}: {exc}") from None


def _reader(name: str) -> Callable[[Any], Any]:
    """What a text means to an option; loaded where something is given, as in most runs nothing is."""
    found: Callable[[Any], Any] = import_module(f"{__package__}.option_values").reader(name)
    return found


def _ini(config: pytest.Config, name: str) -> str:
    """What the ini file says, as text: from pytest 9 on, a number of TOML may be one."""
    try:
        text: str = config.getini(name)
    except (TypeError, pytest.UsageError) as exc:
        with warnings.catch_warnings():
            # Deprecated from pytest 9.2 on, and nothing else gives a value that getini refuses.
            warnings.simplefilter("ignore", pytest.PytestDeprecationWarning)
            given = config.inicfg[name]
        value = getattr(given, "value", given)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise pytest.UsageError(f"ini {name}: {exc}") from None
        return str(value)
    return text


OPTIONS = (
    Option(
        "url", flag="--ws-url", env="WS_URL", ini="ws_url", metavar="URL",
        help="the URL under test (ws:// or wss://); default: the reference orchestrator",
        ini_help="the URL under test; --ws-url and WS_URL win",
    ),
    Option(
        "app", flag="--ws-app", ini="ws_app", metavar="MODULE:NAME",
        help="the app under test, module:name or module:factory(): ASGI, aiohttp, Tornado, websockets",
    ),
    Option(
        "command", flag="--ws-command", ini="ws_command", metavar="COMMAND",
        help="the server under test as a process: 'node server.js --port {port}'; real time",
    ),
    Option(
        "command_timeout", ini="ws_command_timeout", default=30.0,
        help="how long the command may take until its port is open; default: 30s",
    ),
    Option(
        "command_url", ini="ws_command_url", default="ws://127.0.0.1:{port}",
        help="where the command listens; default: ws://127.0.0.1:{port}",
    ),
    Option(
        "server", ini="ws_server",
        help="the server of the app, with its own settings: uvicorn(ws_ping_interval=20)",
    ),
    Option(
        "time", flag="--ws-time", ini="ws_time", choices=TIMES, default="auto",
        help="the clock: virtual, real, or auto (virtual unless the target is remote)",
    ),
    Option(
        "profile", flag="--ws-profile", ini="ws_profile", default="json", metavar="NAME",
        help="the application protocol: json (default), another name (a wrong one lists all), or module:NAME",
    ),
    Option(
        "headers", flag="--ws-header", ini="ws_headers", metavar="'Name: value'", action="append",
        help="a request header; repeats", ini_help="request headers, one a line",
    ),
    Option(
        "subprotocols", flag="--ws-subprotocol", metavar="NAME", action="append",
        help="a subprotocol to offer; repeats",
    ),
    Option(
        "insecure", flag="--ws-insecure", default=False, action="store_true",
        help="do not check the server's certificate",
    ),
    Option(
        "ca", flag="--ws-ca", metavar="FILE",
        help="PEM file with the certificate authorities to trust",
    ),
    Option(
        "cert", flag="--ws-cert", ini="ws_cert", metavar="FILE",
        help="PEM file with the client's certificate, and its key unless --ws-key has it",
    ),
    Option(
        "key", flag="--ws-key", ini="ws_key", metavar="FILE",
        help="PEM file with the key of the client's certificate",
    ),
    Option(
        "proxy", flag="--ws-proxy", ini="ws_proxy", metavar="URL|env",
        help="the proxy to the target: http://..., socks5://..., or env, the one that the environment names; "
        "never towards this machine; default: none",
    ),
    Option(
        "redirects", flag="--ws-redirects", ini="ws_redirects", metavar="N", default=0,
        help="how many redirects are followed; default: 0, each is a failure",
    ),
    Option(
        "secrets", ini="ws_secrets", action="append",
        ini_help="names of headers, parameters and members whose values are secrets too, one a line",
    ),
    Option(
        "long", flag="--ws-long", default=False, action="store_true",
        help="run tests marked ws_long in real time too",
    ),
    Option(
        "inconclusive", flag="--ws-inconclusive", ini="ws_inconclusive", choices=INCONCLUSIVE, default="fail",
        help="what an inconclusive verdict does to a test (default: fail)",
    ),
    Option(
        "order", flag="--ws-order", choices=ORDERS, default="fifo",
        help="which of simultaneous virtual timers comes first; all: tests in two orders, where timers meet",
    ),
    Option(
        "seed", flag="--ws-seed", default=0, type=int, metavar="N",
        help="in virtual time, with a test's id, the seed of random and of --ws-order random (default: 0)",
    ),
    Option(
        "virtual_horizon", ini="ws_virtual_horizon",
        help="a virtual test that waits this much longer than it asked for is given up; default: 24h",
    ),
    Option(
        "virtual_tick", ini="ws_virtual_tick", default=0.0,
        help="microseconds that pass in each turn of a virtual loop, for code that wants its clock to move",
    ),
    Option(
        "host", flag="--ws-host", metavar="HOST", help="where ws_orchestrator listens (default: 127.0.0.1)"
    ),
    Option(
        "port", flag="--ws-port", type=int, metavar="PORT",
        help="the port of ws_orchestrator (default: a free one)",
    ),
    Option(
        "diagnose", flag="--ws-diagnose", choices=DIAGNOSES, default="timeline",
        help="how a lost connection is diagnosed: by its timeline, or by a probe of the URL too (minutes)",
    ),
    Option(
        "soak_early", flag="--ws-soak-early", default=False, action="store_true",
        help="start the holds of ws_soak with the session, so that they run during the ordinary tests",
    ),
    Option(
        "soak_concurrency", ini="ws_soak_concurrency",
        help="how many holds of ws_soak may run at once; default: all",
    ),
    Option(
        "soak_ramp", ini="ws_soak_ramp", default=10.0,
        help="new connections a second to one host, loopback excepted; default: 10",
    ),
    Option(
        "progress", flag="--ws-progress", ini="ws_progress", choices=PROGRESS, default="auto",
        help="how running holds are shown: redrawn in place (tty), a line a minute (lines), off, or auto",
    ),
    Option(
        "reruns", ini="ws_reruns", choices=RERUNS, default="fail",
        help="what becomes of a test that is stable only when run again: fail (default) or report",
    ),
    Option(
        "workers", flag="--ws-workers", metavar="SPEC", action="append",
        help="run fleets in worker processes, by specs of execnet: 4*popen, ssh=HOST//python=...; repeats",
    ),
    Option(
        "cluster", flag="--ws-cluster", metavar="ADDRESS",
        help="run fleets on a Dask cluster: the address of its scheduler, such as tcp://scheduler:8786",
    ),
    Option(
        "load_agreed", flag="--ws-load-agreed", default=False, action="store_true",
        help="the owner of the host agrees to more than 1,000 connections or 50 opens a second",
    ),
    Option(
        "keep_audio", flag="--ws-keep-audio", metavar="DIR",
        help="write what the agents of ws_voice said into this folder: a WAV file for each test",
    ),
    Option(
        "reports", flag="--ws-report", metavar="FILE", action="append",
        help="write a report: FILE.json, .jsonl, .md, .html or .xml (JUnit of the holds); repeats",
    ),
    Option(
        "fail_on", flag="--ws-fail-on", ini="ws_fail_on", metavar="GATE", action="append",
        help="fail the run on 'rtt_p95 > 250ms', 'unstable > 0' or the like; repeats",
        ini_help="gates that fail the run, one a line",
    ),
    Option(
        "artifacts", flag="--ws-artifacts", ini="ws_artifacts", metavar="DIR",
        help="keep a folder for each test: timelines, failure, output of the server, lanes as SVG",
    ),
    Option(
        "keep", flag="--ws-keep", ini="ws_keep", choices=KEPT, default="failures",
        help="which tests have a folder below --ws-artifacts: on (all), off, failures (default)",
    ),
    Option(
        "keep_runs", flag="--ws-keep-runs", ini="ws_keep_runs", metavar="N", default=10,
        help="how many runs keep their folders below --ws-artifacts, this one included; default: 10",
    ),
    Option(
        "har", flag="--ws-har", ini="ws_har", metavar="FILE",
        help="write the frames of all connections as an HTTP Archive; without payloads",
    ),
    Option(
        "payloads", flag="--ws-har-payloads", default=False, action="store_true",
        help="with payloads in --ws-har; of the secrets in them, those that the user gave are masked",
    ),
    Option("save", flag="--ws-save", metavar="NAME", help="keep the results of this run under a name"),
    Option(
        "compare", flag="--ws-compare", metavar="NAME", nargs="?", const="",
        help="compare with a run that was kept, by name or number (default: the latest)",
    ),
    Option(
        "storage", ini="ws_storage", default=".wsstability",
        help="where runs are kept (default: .wsstability)",
    ),
)  # fmt: skip


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini names."""
    group = parser.getgroup("wsstability", "WebSocket stability")
    for option in OPTIONS:
        option.declare(parser, group)


def read_settings(config: pytest.Config) -> Settings:
    """
    The settings of a run.

    Raises:
        pytest.UsageError: for a value that makes no sense, naming it and where it came from.

    """
    values = {option.name: option.value(config) for option in OPTIONS}
    layers: dict[bool, list[tuple[str, str]]] = {True: [], False: []}
    if values["headers"]:
        for (source, _), pair in zip(_option("headers").given(config), values["headers"], strict=True):
            layers[source.startswith("--")].append(pair)
    targets = _targets(config, [name for name in _TARGETS if values[name] is not None])
    return Settings(targets=targets, header_layers=tuple(map(tuple, layers.values())), **values)


def _option(name: str) -> Option:
    return next(option for option in OPTIONS if option.name == name)


def _targets(config: pytest.Config, names: Iterable[str]) -> tuple[GivenTarget, ...]:
    """All that are given, the one that counts first; two in one place are an error."""
    found = []
    for option in map(_option, names):
        for source, value in option.given(config):
            place = {option.flag: ON_COMMAND_LINE, option.env: IN_ENVIRONMENT}.get(source, IN_INI)
            found.append(GivenTarget(_TARGETS[option.name], value, source=source, place=place))
    found.sort(key=lambda given: given.place)
    for first, second in pairwise(found):
        if first.place == second.place:
            raise pytest.UsageError(f"{first.source} and {second.source}: give one of them, not both")
    return tuple(found)


_TARGETS = {kind.value: kind for kind in (TargetKind.URL, TargetKind.APP, TargetKind.COMMAND)}


def header(settings: Settings, target: str) -> list[str]:
    """What a run is about, and what a bug report needs beside what pytest says itself."""
    time = settings.time
    if time == "auto":
        real = {TargetKind.URL: "remote", TargetKind.COMMAND: "a process of its own"}
        why = real.get(settings.target.kind)
        time = f"auto (real: the target is {why})" if why else "auto (virtual)"
    asyncio_plugin = sys.modules.get("pytest_asyncio")
    versions = {
        "pytest-wsstability": import_module(f"{_PACKAGE}.core.version").__version__,
        "websockets": version("websockets"),
        "pytest-asyncio": getattr(asyncio_plugin, "__version__", "not loaded"),
    }
    return [
        f"wsstability: target {target}, time {time}, profile {settings.profile}",
        f"wsstability: {', '.join(f'{name} {number}' for name, number in versions.items())}",
    ]
