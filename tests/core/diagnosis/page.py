"""The docs page about causes, made from the tables: ``python -m tests.core.diagnosis.page``."""

from __future__ import annotations

import re

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis.opening import OPENINGS, FailedOpening
from pytest_wsstability.core.diagnosis.rivals import CONTRADICTED
from pytest_wsstability.core.diagnosis.rows_protocol import SAID_ELSE
from pytest_wsstability.core.diagnosis.signature import Signature
from pytest_wsstability.core.diagnosis.table import SIGNATURES
from pytest_wsstability.core.known_timers import KNOWN_TIMERS, TimerDefault

# Whole phrases, which some records leave out.
PHRASES = frozenset(
    {
        "compression_off",
        "credentials_first",
        "heartbeat_first",
        "heartbeat_helps",
        "hidden_tab",
        "injected_advice",
        "read_since_pong",
        "stood_still",
    }
)

_TITLE = """\
# Causes, and how they are told

<!-- Made by `python -m tests.core.diagnosis.page`, and checked by a test: do not edit. -->

Every cause that a failure can name, and what a record has to show for it. Each code leads to the
[FAQ](faq.md), where the cause is explained.

A diagnosis is read from the record of one end, *this end*, and from the other end's where it is held. The
rows are tried in the order of their numbers, and the first that fits is the diagnosis. Its runner-up is
the one named there, else the next row that fits. Where *or else* names a second cause with *if*, and the
record fits that too, it is the runner-up, and high confidence becomes medium. Where a close reason speaks
of several things, or a protocol's code and an error message right before it of two, each is among the
causes, and the confidence is medium. Where no row fits, the diagnosis is *undetermined*, with the nearest
causes and their distance.

A close code alone proves little: a ping timeout was seen as 1011, 1000, 1008, 1001, an empty close frame
and no close frame at all. FIN or RST says what the first hop did, and nothing more. A timer's length is a
hypothesis about its owner: 60 s alone fits nginx, AWS ALB and others.

A protocol that is known (`profile=`) says its timers, close codes and error messages: they count as the
peer's own words.

Where a test owns the server (`--ws-app`, `--ws-command`, a fixture of its own), an error that a handler
raised, a line that was logged or printed, and the end of the process, within a second of the connection's
end, are quoted and outrank what was inferred:

- With several connections only those count that name this one, by its port or its session, or that its
  handler logged. In a [fleet](fleets.md) an error that names nobody counts for the ends nearest to it.
- An error that a handler gets because its connection is over ("Cannot write to closing transport",
  "broken pipe") is no cause. One that quotes a close frame which never went over this connection
  ("received 1002") is of a service behind the handler.
- Any other that says that something is over ("the operation was canceled", "socket hang up") may come of
  the end or of such a service: it is never sure, and second to a cause of at least medium confidence.
- An error of a task that no handler has started is at most the likelier of two.
- A line whose like, whatever its numbers, was logged three times in the first half of the connection's life
  says nothing of its end.

Where the plugin serves the app in virtual time, and the test has put no proxy before it, nothing between the
two ends can lose a frame: no path is blamed there.

Your own rules come first: implement `pytest_wsstability_diagnose(timeline, others)` in a conftest, and
return a `Diagnosis`, or None where you know nothing better.

"""


def page() -> str:
    """The whole page in Markdown."""
    parts = [_TITLE, "## Ends, and connections that broke a promise\n\n", _causes()]
    parts += ["\n## Openings that failed\n\n", _openings()]
    parts += ["\n## Timers that are known by their numbers\n\n", _TIMERS, _timers()]
    return "".join(parts)


_TIMERS = """\
Defaults; who runs a box may have changed them. In real time a timer fits from 0.35 s early to 1.5 s or 2 %
late, in virtual time to 50 ms.

"""


def _causes() -> str:
    numbered: dict[Cause, list[tuple[int, Signature]]] = {}
    for number, row in enumerate(SIGNATURES, 1):
        numbered.setdefault(row.cause, []).append((number, row))
    return "\n".join(_section(cause, numbered[cause]) for cause in Cause if cause in numbered)


def _section(cause: Cause, rows: list[tuple[int, Signature]]) -> str:
    head = "| row | the record shows | confidence | what to change | or else |\n" + "|---" * 5 + "|\n"
    told = (
        (
            str(number),
            f"{row.shows} (*{row.source}*)",
            row.confidence.value,
            f"{row.blame.value}: {_plain(row.remedy)}" if row.remedy else row.blame.value,
            _or_else(row),
        )
        for number, row in rows
    )
    code = f"[`{cause.code}`](faq.md#{cause.code})"
    return f"### {cause.value[0].upper()}{cause.value[1:]}\n\n{code}\n\n{head}{''.join(map(_row, told))}"


def _or_else(row: Signature) -> str:
    """The runner-up; then what fits as well in some records, which makes high medium."""
    named = [row.runner_up.value] if row.runner_up else []
    # What a reason that says several things means is told once, above the table.
    told = {*CONTRADICTED, *SAID_ELSE}
    named += [f"if {each.shows}: {each.cause.value}" for each in row.rivals if each not in told]
    return "; ".join(named)


def _openings() -> str:
    head = "| cause | the opening shows | confidence | who changes something | what | or else |\n"
    rows = [_opening(row) for row in OPENINGS]
    return head + "|---" * 6 + "|\n" + "".join(map(_row, rows))


def _opening(row: FailedOpening) -> tuple[str, ...]:
    other = row.runner_up.value if row.runner_up is not None else ""
    return row.cause.value, row.shows, row.confidence.value, row.blame.value, row.remedy, other


def _timers() -> str:
    head = "| seconds | counts from | whose | setting | known as | from |\n"
    ordered: list[TimerDefault] = sorted(KNOWN_TIMERS, key=lambda timer: timer.seconds)
    rows = [
        (
            f"{timer.seconds:g}",
            timer.counts_from.value,
            timer.owner,
            timer.knob,
            timer.tag.value,
            timer.source,
        )
        for timer in ordered
    ]
    return head + "|---" * 6 + "|\n" + "".join(map(_row, rows))


def _plain(template: str | None) -> str:
    """A template with its words as they are called: ``more often than every *half idle*``."""

    def word(match: re.Match[str]) -> str:
        return "" if match[1] in PHRASES else f"*{match[1].replace('_', ' ')}*"

    return re.sub(r"\{(\w+)\}", word, template or "")


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    print(page(), end="")
