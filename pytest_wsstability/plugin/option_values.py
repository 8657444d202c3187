"""What the texts of options mean: each function raises ValueError with what is wrong about one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.duration import parse_duration
from ..core.header_field import header_field
from ..core.url import as_websocket, wrong_url

# What a name of a header, a parameter or a member does not have, and a list of them does.
_SEPARATOR = re.compile(r"[,;=:\"']")
# Stands for the port of a command.
_PORT = "{port}"


def read_file(text: str) -> str:
    """The path of a PEM file that there is."""
    if not Path(text).is_file():
        raise ValueError(f"there is no file {text!r}; give a PEM file")
    return text


def filled(what: str) -> Callable[[str], str]:
    """A text that is not empty, as that of a variable that is not set; ``what`` is to be written."""

    def read(text: str) -> str:
        if not text:
            raise ValueError(f"it is empty; write {what}")
        return text

    return read


def read_command_url(text: str) -> str:
    """Where a command listens, at a port that is filled in when it is known."""
    url = as_websocket(text)
    if reason := wrong_url(url.replace(_PORT, "8000")):
        raise ValueError(f"{reason}, such as ws://127.0.0.1:{_PORT}/ws")
    return url


def read_port(port: Any) -> int:
    """A TCP port."""
    if not 0 < port < 65536:
        raise ValueError(f"{port} is not a port; give 1 to 65535")
    return int(port)


def read_count(text: str) -> int:
    """A whole number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is no count; give a whole number from 1")
    return int(text)


def read_number(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise ValueError(f"{text!r} is no count; give a whole number from 0")
    return int(text)


def read_rate(text: str) -> float:
    """So many a second."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < math.inf:
        raise ValueError(f"{text!r} is no rate; give connections a second, such as 10 or 0.5")
    return rate


def read_microseconds(text: str) -> float:
    """Seconds, of microseconds."""
    try:
        microseconds = float(text)
    except ValueError:
        microseconds = -1.0
    if not 0 <= microseconds < 1e6:
        raise ValueError(f"{text!r} is no number of microseconds; give one from 0 on, such as 1")
    return microseconds / 1e6


def read_name(text: str) -> str:
    """One name."""
    if _SEPARATOR.search(text):
        raise ValueError(f"{text!r} is no name; give one a line, without quotes and values")
    return text


def reader(name: str) -> Callable[[Any], Any]:
    """What a text means to the option of a name: most take it as it is."""
    return READERS.get(name, _as_it_is)


def _as_it_is(text: Any) -> Any:
    return text


# By the name of the option.
READERS: Mapping[str, Callable[[Any], Any]] = {
    # What it names is looked up for the first test that needs it.
    "app": filled("module:name, or module:factory()"),
    "artifacts": filled("a folder"),
    "ca": read_file,
    "cert": read_file,
    "cluster": filled("the address of a scheduler, such as tcp://scheduler:8786"),
    "command_timeout": parse_duration,
    "command_url": read_command_url,
    "headers": header_field,
    "keep_audio": filled("a folder"),
    "keep_runs": read_count,
    "key": read_file,
    "port": read_port,
    "redirects": read_number,
    "secrets": read_name,
    "soak_concurrency": read_count,
    "soak_ramp": read_rate,
    "virtual_tick": read_microseconds,
    "workers": filled("a spec of execnet, such as 4*popen"),
}
