"""The options with which every command opens connections."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from ..core.header_field import header_field
from ..core.judge.requirement import Requirement
from ..core.secret_values import SECRETS
from ..core.url import as_websocket
from ..net.target import TLS, parse_url

# What a command asks of a connection: options are named in errors by what they are stored as.
_ASKED = ("alive_for", "heartbeat_every", "heartbeat_within", "session_within")
# What --profile takes, in its help.
PROFILES = "json (default), another name (a wrong one lists all), or module:NAME"


def add_connect_options(parser: argparse.ArgumentParser, *, auto: bool = False) -> None:
    """Declare them, the URL first; with ``auto`` the profile may be left to the server."""
    add = parser.add_argument
    # As browsers take it (WHATWG, WebSockets Standard, section 3.1), and as --ws-url does.
    add("url", type=as_websocket, help="ws:// or wss://; http:// and https:// stand for them")
    add("--profile", default="json", help=f"{PROFILES}, or auto" if auto else PROFILES)
    add("--header", action="append", default=[], metavar="'Name: value'", help="a request header; repeats")
    add("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to offer; repeats")
    add("--origin", metavar="ORIGIN", help="the Origin header, as a browser sends it: https://app.example")
    add("--ca", metavar="FILE", help="PEM file with the certificate authorities to trust")
    add("--insecure", action="store_true", help="do not check the server's certificate")
    add("--cert", metavar="FILE", help="PEM file with a certificate of this client's, and maybe its key")
    add("--key", metavar="FILE", help="PEM file with the key of that certificate")
    help_proxy = "the proxy on the way: http://, socks5://, or env; never towards this machine; default: none"
    add("--proxy", metavar="URL", help=help_proxy)
    add("--redirects", type=_number, default=0, metavar="N", help="how many are followed (default: 0)")


def add_heartbeat_options(parser: argparse.ArgumentParser) -> None:
    """Declare what is asked of heartbeats."""
    add = parser.add_argument
    add(
        "--heartbeat",
        dest="heartbeat_every",
        metavar="DURATION",
        help="a heartbeat this often, each answered within --within",
    )
    add(
        "--within",
        dest="heartbeat_within",
        metavar="DURATION",
        help="time for an answer (default: the interval)",
    )


def requirement_of(options: argparse.Namespace) -> Requirement:
    """
    What is asked of each connection.

    Raises:
        ValueError: for a value that makes no sense.

    """
    if options.heartbeat_within is not None and options.heartbeat_every is None:
        raise ValueError("--within: answers to what? give --heartbeat too")
    values = {name: getattr(options, name, None) for name in _ASKED}
    return Requirement.of(**{name: value for name, value in values.items() if value is not None})


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
    SECRETS.take_opening(
        url=options.url, headers=headers, subprotocols=options.subprotocol, proxy=options.proxy
    )
    parse_url(options.url)
    return {
        "profile": options.profile,
        "headers": _headers(options.header),
        "subprotocols": options.subprotocol,
        "origin": options.origin,
        "tls": TLS(ca=options.ca, insecure=options.insecure, cert=options.cert, key=options.key),
        "proxy": options.proxy,
        "redirects": options.redirects,
    }


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of redirects; give 0 or more")
    return int(text)


def _headers(lines: Sequence[str]) -> list[tuple[str, str]]:
    try:
        return [header_field(line) for line in lines]
    except ValueError as exc:
        raise ValueError(f"--header: {exc}") from None
