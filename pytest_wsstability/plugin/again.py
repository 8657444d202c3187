"""The command that runs a failed test again: it can be copied as it stands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..core.redact import redact_text, redact_url
from ..core.secret_names import is_secret
from .markers import id_of
from .options import OPTIONS, Option
from .plans import is_virtual
from .stash import settings_key

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# What these say is about the run as a whole, or is said for each test here.
_NOT_AGAIN = frozenset({
    "artifacts", "compare", "diagnose", "fail_on", "har", "inconclusive", "keep", "keep_runs", "long",
    "order", "payloads", "progress", "reports", "save", "seed", "soak_early", "time",
})  # fmt: skip


def command(item: pytest.Item) -> str:
    """
    The command line, quoted for a shell.

    What the ini file and markers say, they say again. Secrets stand as variables of the shell, named after
    the option (``"$WS_URL"``) or the header field (``"Authorization: $AUTHORIZATION"``).

    """
    return " ".join(
        ["pytest", shlex.quote(_id(item)), *_of_pytest(item.config), *_options(item.config), *_clock(item)]
    )


def from_here(path: Path, config: pytest.Config) -> str:
    """A path from the folder where pytest was started."""
    return os.path.relpath(path, config.invocation_params.dir)


def _id(item: pytest.Item) -> str:
    """The id of a test, as pytest takes it in the folder where it was started."""
    # The path in the id of a file outside the root directory (-c, --rootdir) leads nowhere.
    _, colons, name = id_of(item).partition("::")
    if redact_text(name) != name:
        # With a secret masked in it, it is that of no test: then all parameters are asked for.
        name = name.partition("[")[0]
    return from_here(item.path, item.config) + colons + name


def _clock(item: pytest.Item) -> Iterator[str]:
    settings = item.config.stash[settings_key]
    if is_virtual(item):
        yield f"--ws-time virtual --ws-order {settings.order} --ws-seed {settings.seed}"
        return
    if settings.time != "auto":
        yield f"--ws-time {settings.time}"
    if settings.long:
        yield "--ws-long"


def _of_pytest(config: pytest.Config) -> Iterator[str]:
    """The options of pytest's own without which there would be other settings or plugins."""
    if config.option.inifilename:
        yield f"-c {shlex.quote(str(config.option.inifilename))}"
    if config.option.rootdir:
        # The id of a test, which its seed is made of, begins there.
        yield f"--rootdir {shlex.quote(config.option.rootdir)}"
    if (seed := config.getoption("randomly_seed", None)) is not None:
        # pytest-randomly seeds the module random once more before each test, by chance if it is not told.
        yield f"--randomly-seed {seed}"
    for line in config.option.override_ini or ():
        name, _, value = line.partition("=")
        secret = _is_secret(value) or (name == "ws_headers" and _hides(value))
        yield f'-o "{name}=${_upper(name)}"' if secret else f"-o {shlex.quote(line)}"
    for name in config.option.plugins:
        # Those that are left out are the business of the run; xdist leaves the terminal out in its workers.
        if not name.startswith("no:") and name != "pytester":
            yield f"-p {shlex.quote(name)}"


def _options(config: pytest.Config) -> Iterator[str]:
    for option in OPTIONS:
        if not option.flag or option.name in _NOT_AGAIN:
            continue
        given = [value for source, value in option.given(config) if not source.startswith("ini ")]
        for value in given if option.repeats else given[:1]:
            if value is True:
                yield option.flag
            else:
                yield f"{option.flag} {_value(option, str(value))}"


def _value(option: Option, value: str) -> str:
    if option.name == "headers" and _hides(value):
        name = value.partition(":")[0].strip()
        return f'"{name}: ${_upper(name)}"'
    return f'"${_upper(option.flag)}"' if _is_secret(value) else shlex.quote(value)


def _is_secret(value: str) -> bool:
    """Whether an option's value is not to be printed: a URL with credentials or a token, for one."""
    return redact_text(value) != value or ("://" in value and redact_url(value) != value)


def _hides(lines: str) -> bool:
    """Whether one of some header fields may be a secret."""
    pairs = (line.partition(":") for line in lines.splitlines())
    return any(is_secret(name.strip()) or redact_text(value) != value for name, _, value in pairs)


def _upper(name: str) -> str:
    """The variable of an option or a header field: ``WS_URL``, ``AUTHORIZATION``."""
    return "".join(char if char.isalnum() else "_" for char in name.lstrip("-")).upper()
