"""What the server of a test said or did, in the causes of its fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...core.cause import Cause
from ...core.fleet.told import retold
from ...core.redact import redact_url
from ...core.url import is_here
from ...net.apps.watching import AppRecord
from ..plans import plan_of
from ..stash import app_record_key
from .output import done, server_lines
from .routes import other_routes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from ...core.diagnosis.client_end import ClientEnd
    from ...core.diagnosis.lines import ServerLine
    from ...core.fleet.frame import Ending
    from ...net.fleet.fleet import Fleet

# What a connection that was cut has in the place of a close code (RFC 6455, section 7.1.5).
_ABNORMAL = 1006


def tell_fleet(item: pytest.Item, fleet: Fleet) -> None:
    """Bring what the server of a test said or did into the causes of a fleet that is over."""
    # Machines elsewhere have clocks of their own.
    if not is_here(fleet.url):
        return
    endings = fleet.merge.endings
    cut = [each.seen.opened for each in endings if each.seen is not None and each.code == _ABNORMAL]
    lines = server_lines(item, cut=min(cut, default=None))
    told = retold(endings, lines, _doing(item))
    fleet.merge.retell([_refused(item, fleet, each) for each in told])


def _doing(item: pytest.Item) -> Callable[[ClientEnd], Iterable[ServerLine]]:
    """Gives what the app under test did with one connection, of thousands."""
    by_port: dict[int | None, AppRecord] = defaultdict(AppRecord)
    if (record := item.stash.get(app_record_key, None)) is not None:
        for each in record.left_open:
            by_port[each.port].left_open.append(each)
        for each in record.cancelled:
            by_port[each.port].cancelled.append(each)
        for handler in record.handlers:
            by_port[handler.port].handlers[handler] = None

    def doing(end: ClientEnd) -> Iterator[ServerLine]:
        for port in end.ports:
            if port in by_port:
                yield from done(by_port[port], end.at)

    return doing


def _refused(item: pytest.Item, fleet: Fleet, ending: Ending) -> Ending:
    """A connection that did not open, with the path as its cause where the app has no WebSocket there."""
    if ending.status is None:
        return ending
    asked = plan_of(item).fleet
    url_of = asked.url_of if asked is not None else None
    path = urlsplit(fleet.url if url_of is None else redact_url(url_of(ending.number))).path
    if (found := other_routes(item, path)) is None:
        return ending
    said, remedy = found
    cause = f"no WebSocket of the app at {path}"
    return replace(ending, cause=cause, found=Cause.REFUSED, headline=said, remedy=remedy)
