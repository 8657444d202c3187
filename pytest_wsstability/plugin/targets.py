"""Where the connections of a test lead, and how they open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import pytest

from ..core.faults.middleboxes import middlebox
from ..core.redact import redact_url
from ..core.secret_values import SECRETS
from ..core.url import as_websocket, join, port_of, wrong_url
from ..net.proxy.path import between
from ..net.proxy.proxies import MiddleboxProxy, behind
from ..net.target import TLS, header_pairs, merge_headers
from .margins import StabilityWarning
from .opening import read_subprotocols
from .plans import is_virtual, middlebox_of, plan_of, target_of
from .project_fixtures import overrides
from .reports.results import results_of
from .settings import TargetKind
from .stash import (
    app_record_key,
    connector_key,
    opening_key,
    orchestrator_key,
    proxies_key,
    settings_key,
    soak_key,
    transcripts_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..net.connection import Connection
    from ..net.proxy.proxy import FaultProxy

T = TypeVar("T")


class OwnURL(str):
    """The URL of a server that the test itself runs; empty where only ws_soak will start it."""

    __slots__ = ()


class GivenURL(str):
    """A URL of the options or marks: whoever prints its `repr`, as tracebacks do, prints no secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(redact_url(self))


class ReferenceURL(OwnURL):
    """That of the reference orchestrator."""

    __slots__ = ()


class AppURL(OwnURL):
    """That of the app under test."""

    __slots__ = ()


def known_url(item: pytest.Item) -> str | None:
    """The URL under test where it is known before any fixture is; None else."""
    target = target_of(item)
    if target.kind is not TargetKind.URL:
        return None
    return joined(as_websocket(target.value), plan_of(item).path)


def aimed(item: pytest.Item, url: str) -> str:
    """Where the connections of a test lead: what ``ws_url`` gives, with the path of its marker."""
    SECRETS.take_url(url)
    if target_of(item).kind is not TargetKind.FIXTURE:
        return url
    base = as_websocket(str(url))
    if reason := wrong_url(base):
        pytest.fail(f"the fixture ws_url: {reason}", pytrace=False)
    return joined(base, plan_of(item).path)


def joined(base: str, path: str | None) -> str:
    """A path on the server of a URL; the URL itself where there is none."""
    return base if path is None else join(base, path)


def connect_options(item: pytest.Item, under_test: str, target: str) -> dict[str, Any]:
    """What the marker and the options say about a connection to a target, and its URL."""
    settings, plan = item.config.stash[settings_key], plan_of(item)
    options: dict[str, Any] = {"client": plan.client, "profile": plan.profile}
    if plan.requirement is not None:
        options["heartbeat"] = plan.requirement.heartbeat_every
    if (found := behind(proxies_of(item), target)) is not None:
        # Names in the handshake and in certificates are the server's; only the way is another.
        target, proxy = found
        options["address"] = proxy.address
    options["url"] = target
    # Credentials are for the server under test and for no other.
    if urlsplit(target).netloc == urlsplit(under_test).netloc:
        headers, subprotocols = item.stash.get(opening_key, ({}, None))
        options["headers"] = merge_headers(plan.headers, headers, *settings.header_layers)
        options["subprotocols"] = plan.subprotocols or subprotocols or settings.subprotocols
        options["origin"] = plan.origin
        options["redirects"] = settings.redirects
        options["tls"] = TLS(
            ca=settings.ca, insecure=settings.insecure, cert=settings.cert, key=settings.key
        )  # fmt: skip
    options["proxy"] = settings.proxy
    return options


def watched_options(item: pytest.Item, under_test: str, target: str) -> dict[str, Any]:
    """The same, of a connection whose payloads are taken down where that was asked for."""
    payloads = item.config.stash[settings_key].payloads
    return {**connect_options(item, under_test, target), "transcript": payloads}


def prepare_opening(request: pytest.FixtureRequest) -> None:
    """Ask the fixtures that a project may override how the connections of this test open."""
    given = request.getfixturevalue("ws_subprotocols")
    names = () if given is None else given
    pairs = _checked("ws_headers", header_pairs, request.getfixturevalue("ws_headers"))
    # Before they are checked: what is wrong with one of them must not show another.
    SECRETS.take_opening(headers=pairs, subprotocols=names if isinstance(names, list | tuple) else (names,))
    _checked("ws_headers", merge_headers, pairs)
    request.node.stash[opening_key] = pairs, _checked("ws_subprotocols", read_subprotocols, names)


def _checked(fixture: str, read: Callable[[Any], T], given: Any) -> T:
    """What is read of a fixture's value; one that makes no sense fails the test."""
    try:
        return read(given)
    except (TypeError, ValueError) as exc:
        wrong = str(exc)
    # Out of the handler: the message is told once.
    pytest.fail(f"the fixture {fixture}: {wrong}", pytrace=False)


def opens_before_fixtures(item: pytest.Item) -> bool:
    """Whether all that is needed to open a connection of a test is known before any fixture is."""
    own = any(overrides(name, item) for name in ("ws_headers", "ws_subprotocols"))
    return known_url(item) is not None and not own


def hold_options(item: pytest.Item, url: str) -> dict[str, Any]:
    """What the marker and the options say about a hold; it goes through the middlebox of the test."""
    options = {**watched_options(item, url, url), "opened": watcher(item), "traffic": plan_of(item).traffic}
    if (name := middlebox_of(item)) is not None:
        options["through"] = partial(MiddleboxProxy, preset=middlebox(name))
    return options


def watcher(item: pytest.Item) -> Callable[[Connection], object]:
    """What is called with each connection of a test once it is open."""
    writer = results_of(item.config).writer

    def opened(connection: Connection) -> None:
        connection.others = connection.others or between(connection, proxies_of(item))
        connection.timeline.direct = leads_to_app(item, connection)
        if item.config.stash[settings_key].payloads:
            item.stash.setdefault(transcripts_key, {})[connection.timeline.serial] = connection
        if writer is not None:
            writer.watch(item.nodeid, plan_of(item).requirement, connection)

    return opened


def leads_to_app(item: pytest.Item, connection: Connection) -> bool:
    """Whether an open connection leads to the app itself on the virtual network, which loses nothing."""
    record, transport = item.stash.get(app_record_key, None), connection.websocket.transport
    if record is None or record.port is None or transport is None or not is_virtual(item):
        return False
    return port_of(transport.get_extra_info("peername")) == record.port


def proxies_of(item: pytest.Item) -> list[FaultProxy]:
    """The fault proxies that a test has started."""
    return [proxy for proxies in item.stash.get(proxies_key, ()) for proxy in proxies.proxies]


def warn_of_bypassed(item: pytest.Item) -> None:
    """
    Warn of a proxy that would have broken the path of a test that passed, and that nothing went through.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    soak = item.stash.get(soak_key, None)
    for proxy in proxies_of(item):
        name, way = f"{proxy!r} of ws_proxy(faults=)", "its url"
        replaced = False
        if isinstance(proxy, MiddleboxProxy):
            name = f"the middlebox {proxy.name}"
            way = "ws_middlebox.url, as ws_connect() does without a URL"
            # A hold brings a box of its own; and a test of its timers alone may connect to nothing.
            replaced = (soak is not None and soak.proxy is not None) or not _has_connected(item)
        if proxy.connections or replaced or not proxy.program.steps:
            continue
        text = f"no connection went through {name}, so nothing was broken: connect to {way}"
        item.warn(StabilityWarning(f"{item.nodeid}: {text}"))


def _has_connected(item: pytest.Item) -> bool:
    """Whether anybody is known to have connected in a test."""
    connector, orchestrator = item.stash.get(connector_key, None), item.stash.get(orchestrator_key, None)
    opened = connector is not None and bool(connector.connections)
    return opened or (orchestrator is not None and bool(orchestrator.attempts))


def fault_reports(item: pytest.Item) -> list[str]:
    """What was broken on purpose in a test, as far as it was applied, and how to break it again."""
    soak = item.stash.get(soak_key, None)
    held = [soak.proxy] if soak is not None and soak.proxy is not None else []
    reports = [proxy.report() for proxy in [*held, *proxies_of(item)] if proxy.applied or proxy.failures]
    orchestrator = item.stash.get(orchestrator_key, None)
    if orchestrator is not None and orchestrator.program:
        lines = [f"faults of the orchestrator {orchestrator.program!r}"]
        reports.append("\n".join([*lines, *(f"  applied   {applied}" for applied in orchestrator.applied)]))
    if orchestrator is not None and orchestrator.pipeline is not None and orchestrator.pipeline.faults:
        broken = "; ".join(f"{name.value} {fault!r}" for name, fault in orchestrator.pipeline.faults)
        reports.append(f"faults of the voice pipeline: {broken}")
    return reports
