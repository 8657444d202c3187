"""
What can go wrong with virtual time itself.

* `VirtualTimeError`
    * `VirtualDeadlock`

"""

from __future__ import annotations

REAL_TIME = "run this test in real time (--ws-time real)"


class VirtualTimeError(RuntimeError):
    """Something happened that virtual time cannot cover, such as a connection that leaves the process."""


class VirtualDeadlock(VirtualTimeError):
    """
    Nothing will ever happen any more, or the same things happen again and again and nothing else.

    Attributes:
        at: the virtual instant, in seconds of ``loop.time()``.
        waiting: one line for each unfinished task, saying where it waits.

    """

    def __init__(self, what: str, problem: str, *, at: float, waiting: list[str], advice: str) -> None:
        self.at = at
        self.waiting = waiting
        tasks = "".join(f"\n  {line}" for line in waiting) or "\n  (no task is left)"
        super().__init__(f"virtual time {what} at t={at:.9g} s: {problem}{tasks}\n{advice}")
