"""Timelines on disk while holds run: a line each event, so that a crash costs a second of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from ...core.judge.requirement import Requirement
from ...core.redact import redact_text
from ...core.timeline.events import Tier
from ...report import jsonl

if TYPE_CHECKING:
    from ...core.result import Result, Run
    from ...core.timeline.timeline import Timeline
    from ...net.connection import Connection

# Seconds between two looks at the open connections.
_INTERVAL = 1.0


@dataclass(eq=False, slots=True)
class _Track:
    """A connection that is being written down."""

    number: int
    nodeid: str
    timeline: Timeline
    loop: asyncio.AbstractEventLoop
    # How many of its events are written.
    written: int = 0


def left_over(path: Path) -> Path | None:
    """
    Make room for the lines of a new run: those of one that was cut short are kept beside them.

    Returns:
        Where those are now; None if there are none.

    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - len(jsonl.END) - 2))
            if file.read().rstrip().endswith(jsonl.END.encode()):
                return None
        numbers = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in count(1))
        kept = next(each for each in numbers if not each.exists())
        path.rename(kept)
    except OSError:
        return None
    return kept


class _File:
    """A file that is opened when there is something to write, and given up when its disk is full."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Where an earlier run is that was cut short; None for none.
        self.earlier: Path | None = None
        self._file: TextIO | None = None
        # What went wrong, in the system's words; None while nothing has.
        self.error: str | None = None

    def write(self, text: str) -> None:
        """Write lines; they are the system's at once, so that only its own crash can lose them."""
        if self.error is not None:
            return
        try:
            if self._file is None:
                self.earlier = left_over(self.path)
                self._file = self.path.open("w", encoding="utf-8")
            self._file.write(text)
            self._file.flush()
        except OSError as exc:
            self.error = exc.strerror or str(exc)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError as exc:
                self.error = self.error or exc.strerror


class WrittenReport(NamedTuple):
    """What became of a report."""

    path: Path
    # Why it could not be written, in the system's words; None if it was.
    error: str | None

    def __str__(self) -> str:
        if self.error is None:
            return f"report written to {self.path}"
        return f"the report {self.path.name} was not written: {self.error}"


class JsonlWriter:
    """
    What happens on the connections of a session, line by line.

    In real time about once a second; in virtual time, where a second is none, when a test is over. The
    controller of xdist writes what its workers send home; until then a worker writes a file of its own.
    Its methods may be called from any thread.

    """

    def __init__(self, paths: Iterable[Path], run: Run, clock: Callable[[float | None], float]) -> None:
        """
        Take down nothing yet.

        Args:
            paths: the files.
            run: the session, for the first line.
            clock: seconds since its start, of a reading of a loop's clock; of None, now.

        """
        self._files = [_File(path) for path in paths]
        self._clock = clock
        self._lock = threading.RLock()
        self._tracks: dict[int, _Track] = {}
        self._numbers = 0
        self._head = f"{jsonl.run_line(run)}\n"

    def watch(self, nodeid: str, requirement: Requirement | None, connection: Connection) -> None:
        """Write down what happens on a connection that a test has opened."""
        timeline = connection.timeline
        if timeline.tier is Tier.VIRTUAL:
            return
        with self._lock:
            loop = connection.websocket.loop
            first = not any(track.loop is loop for track in self._tracks.values())
            track = _Track(self._next(), nodeid, timeline, loop)
            self._tracks[timeline.serial] = track
            line = jsonl.hold_line(
                track.number,
                nodeid=redact_text(nodeid),
                url=connection.url,
                requirement=requirement or Requirement(),
                timeline=timeline,
                opened_at=self._clock(timeline.opened),
            )
            self._write([line])
        if first:
            loop.call_later(_INTERVAL, self._look, loop)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write what is new on the connections of a loop; called on it, about once a second."""
        with self._lock:
            tracks = [track for track in self._tracks.values() if track.loop is loop]
            if not tracks:
                return
            lines = [line for track in tracks for line in self._news(track)]
            self._write([*lines, jsonl.tick_line(self._clock(None))])
        loop.call_later(_INTERVAL, self._look, loop)

    def _news(self, track: _Track) -> list[str]:
        timeline, total = track.timeline, track.timeline.total
        if total == track.written:
            return []
        lines = jsonl.event_lines(track.number, timeline.signals_since(track.written))
        if total - track.written > len(lines):
            lines.append(jsonl.traffic_line(track.number, timeline))
        track.written = total
        if timeline.close is not None:
            lines.append(jsonl.close_line(track.number, timeline.close))
        return lines

    def add(self, result: Result) -> None:
        """A test is over: write what is not written yet, and its result."""
        with self._lock:
            track = self._tracks.pop(result.timelines[0].serial, None) if result.timelines else None
            if track is None:
                self._write(jsonl.finished_lines(self._next(), result))
            else:
                self._write([*self._news(track), jsonl.result_line(track.number, result)])

    def over(self, nodeid: str) -> None:
        """A test is over, and what it has judged is written: whatever else it opened, nobody asked about."""
        with self._lock:
            for key, track in list(self._tracks.items()):
                if track.nodeid == nodeid:
                    del self._tracks[key]
                    self._write([*self._news(track), jsonl.dropped_line(track.number)])

    def close(self, complaints: Iterable[str], *, whole: bool) -> list[WrittenReport]:
        """Write that the run is over, if it is and its holds are, and close the files."""
        with self._lock:
            end = [jsonl.END] if whole else []
            self._write([*(jsonl.complaint_line(text) for text in complaints), *end])
            self.leave()
        return [WrittenReport(file.path, file.error) for file in self._files]

    def earlier(self) -> list[Path]:
        """Files of runs that were cut short, which stood where those of this run are."""
        return [file.earlier for file in self._files if file.earlier is not None]

    def leave(self) -> None:
        """Close the files as those of a run that is not over: somebody else has to take what is in them."""
        with self._lock:
            for file in self._files:
                file.close()

    def discard(self) -> None:
        """Close the files and delete them: what is in them is elsewhere by now."""
        with self._lock:
            self.leave()
            for file in self._files:
                file.path.unlink(missing_ok=True)

    def _write(self, lines: Iterable[str]) -> None:
        head, self._head = self._head, ""
        text = head + "\n".join([*lines, ""])
        for file in self._files:
            file.write(text)
