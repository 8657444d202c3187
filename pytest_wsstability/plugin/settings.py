"""What the options of a run say, as one value, and what is under test."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..virtual import Order


class TargetKind(Enum):
    """What is under test."""

    # Whatever a fixture of the project's gives as ``ws_url``.
    FIXTURE = "ws_url"
    URL = "url"
    APP = "app"
    COMMAND = "command"
    REFERENCE = "the reference orchestrator"


# Places where a target is given, the one that counts first.
ON_COMMAND_LINE, IN_ENVIRONMENT, IN_INI = range(3)


class GivenTarget:
    """A target, and where it was given."""

    __slots__ = ("kind", "place", "source", "value")

    def __init__(self, kind: TargetKind, value: str = "", *, source: str = "", place: int = IN_INI) -> None:
        self.kind = kind
        self.value = value
        # For messages: ``--ws-app``, ``WS_URL``, ``ini ws_url``.
        self.source = source
        self.place = place


class Settings:
    """The options that every test of a run shares."""

    # What is under test, as far as options, environment and ini file say: the one that counts first.
    targets: tuple[GivenTarget, ...]
    # How long a command may take until its port is open, in seconds, and where it listens.
    command_timeout: float
    command_url: str
    # The server of an app and its settings, as it was written.
    server: str | None
    # "auto", "virtual" or "real".
    time: str
    # The name of a profile; markers may say another.
    profile: str
    headers: tuple[tuple[str, str], ...]
    # The same by the place where they are given: the command line, the ini file.
    header_layers: tuple[tuple[tuple[str, str], ...], ...]
    subprotocols: tuple[str, ...]
    insecure: bool
    ca: str | None
    # The client's certificate and key.
    cert: str | None
    key: str | None
    # The proxy towards the target: a URL, or "env" for what the environment says.
    proxy: str | None
    # How many redirects are followed.
    redirects: int
    # Names of headers, parameters and members whose values are secrets too.
    secrets: tuple[str, ...]
    # Run tests that are long in real time.
    long: bool
    # What an inconclusive verdict is: "fail" or "skip".
    inconclusive: str
    # What a lost connection is diagnosed by: "timeline", or "probe", which opens more of them.
    diagnose: str
    # What virtual time leaves open: the seed, and which of several simultaneous timers comes first.
    seed: int
    order: Order | Literal["all"]
    # A duration beyond what a test asks for; None: 24 hours.
    virtual_horizon: str | None
    # Seconds of virtual time in each turn of the loop.
    virtual_tick: float
    # Where ws_orchestrator listens; None: on the loopback, on a free port.
    host: str | None
    port: int | None
    # Start the holds of ws_soak at the start of the session.
    soak_early: bool
    # At most so many holds at once; None for no limit.
    soak_concurrency: int | None
    # New connections a second to one host, loopback excepted.
    soak_ramp: float
    # Where the connections of fleets run: specs of execnet; empty for this process.
    workers: tuple[str, ...]
    # The scheduler of a Dask cluster on which they run instead; None without.
    cluster: str | None
    # Whoever owns the hosts under test agrees to more load than is put on them unasked.
    load_agreed: bool
    # The folder for the audio of spoken conversations, relative to the invocation; None: it is not kept.
    keep_audio: str | None
    # Report files, as they were written on the command line.
    reports: tuple[str, ...]
    # Gates, as expressions.
    fail_on: tuple[str, ...]
    # The name under which the run is kept; None: it is not.
    save: str | None
    # The run to compare with, empty for the latest; None: with none.
    compare: str | None
    # Where artifacts go, of which tests ("on", "off" or "failures"), and of how many runs.
    artifacts: str | None
    keep: str
    keep_runs: int
    # The HAR file, and whether payloads are in it.
    har: str | None
    payloads: bool
    # The folder of the runs that are kept, relative to the root directory.
    storage: str
    # How progress is shown: "auto", "tty", "lines" or "off".
    progress: str
    # What a test is that was unstable and then, run again, stable: "fail" or "report".
    reruns: str

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: the settings of a run do not change")

    @property
    def gives_secrets(self) -> bool:
        """Whether something was given that may hold a secret."""
        return bool(self.targets or self.headers or self.subprotocols or self.proxy or self.secrets)

    @property
    def need_a_look(self) -> bool:
        """Whether there is something to check that needs more of the package than this module."""
        builtin = self.profile in ("json", "frames")
        return bool(self.targets or self.server) or self.virtual_horizon is not None or not builtin

    @property
    def target(self) -> GivenTarget:
        """What is under test unless a test or a fixture says otherwise."""
        return self.targets[0] if self.targets else GivenTarget(TargetKind.REFERENCE)

    @property
    def wants_reports(self) -> bool:
        """Whether something is to be written or compared in the end, even if no test is ours."""
        files = self.reports or self.artifacts or self.har or self.keep_audio
        return bool(files or self.fail_on or self.save is not None or self.compare is not None)
