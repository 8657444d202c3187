"""The options with which every command opens connections."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from ..core.header_field import header_field
from ..core.secret_values import SECRETS
from ..net.target import TLS

# What --profile takes, in its help.
PROFILES = "json (default), another name (a wrong one lists all), or module:NAME"


def add_connect_options(parser: argparse.ArgumentParser, *, auto: bool = False) -> None:
    """Declare them; with ``auto`` the profile may be left to the server."""
    add = parser.add_argument
    add("--profile", default="json", help=f"{PROFILES}, or auto" if auto else PROFILES)
    add("--header", action="append", default=[], metavar="'Name: value'", help="a request header; repeats")
    add("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to offer; repeats")
    add("--origin", metavar="ORIGIN", help="the Origin header, as a browser sends it: https://app.example")
    add("--ca", metavar="FILE", help="PEM file with the certificate authorities to trust")
    add("--insecure", action="store_true", help="do not check the server's certificate")


def connect_options(options: argparse.Namespace) -> dict[str, Any]:
    """
    What they say, as keywords of `connect`.

    Raises:
        ValueError: for a value that makes no sense, naming its option.

    """
    if ":" in options.profile and "" not in sys.path:
        # A team's own profile stands where the command is run, as with python -m.
        sys.path.insert(0, "")
    # Before anything is checked: what is wrong with one of them must not show another.
    lines = [line.partition(":") for line in options.header]
    headers = [(name.strip(), value.strip()) for name, _, value in lines]
    SECRETS.take_opening(url=options.url, headers=headers, subprotocols=options.subprotocol)
    return {
        "profile": options.profile,
        "headers": _headers(options.header),
        "subprotocols": options.subprotocol,
        "origin": options.origin,
        "tls": TLS(ca=options.ca, insecure=options.insecure),
    }


def _headers(lines: Sequence[str]) -> list[tuple[str, str]]:
    try:
        return [header_field(line) for line in lines]
    except ValueError as exc:
        raise ValueError(f"--header: {exc}") from None
