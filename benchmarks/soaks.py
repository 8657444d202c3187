"""
Soaks that overlap: a suite of 1, 50, 500 and 2,000 tests of 20 s each against a server in another process.

The total is what pytest says in its last line: collection and summary are in it, the start of Python is not.

"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .figures import Figure
from .processes import WITH, Spent, raise_file_limit, raw_server, run_pytest, suite

SECONDS = 20
_SUITE = f"""
import pytest

@pytest.mark.parametrize("number", range({{count}}))
@pytest.mark.ws_stability(alive_for={SECONDS}, heartbeat_every=5, heartbeat_within=2)
def test_soak(ws_soak, number):
    assert ws_soak.timeline.heartbeats.answered >= 3
"""


def figures() -> Iterator[Figure]:
    """The total as a multiple of one hold, and memory beyond that of one."""
    raise_file_limit()
    one, some, many, most = (_run(count) for count in (1, 50, 500, 2000))
    for count, spent, limit in ((1, one, None), (50, some, 1.05), (500, many, 1.2), (2000, most, 2.0)):
        of = f"times {SECONDS} s, CPU {spent.cpu:.1f} s, {spent.peak:.0f} MiB at most"
        yield Figure(name=f"total of {count} soaks", value=_total(spent) / SECONDS, limit=limit, of=of)
    more = many.peak - one.peak
    yield Figure(name="memory of 500 soaks beyond one", value=more, unit="MiB", limit=40, of="peak RSS")


def _run(count: int) -> Spent:
    with suite(test_soaks=_SUITE.format(count=count)) as folder, raw_server() as url:
        return run_pytest(folder, *WITH, "-q", f"--ws-url={url}")


def _total(spent: Spent) -> float:
    found = re.search(r"passed in ([\d.]+)s", spent.output)
    if found is None:
        raise RuntimeError(f"pytest did not say how long it took:\n{spent.output}")
    return float(found[1])
