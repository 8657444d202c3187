"""How much is done in one turn of the loop."""

from __future__ import annotations

import asyncio


class ByTurn:
    """Counts calls, turn by turn; turns without one are left out."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._is_new = True

    def note(self) -> None:
        """One more."""
        if self._is_new:
            self._is_new = False
            self.counts.append(0)
            asyncio.get_running_loop().call_soon(self._end)
        self.counts[-1] += 1

    def _end(self) -> None:
        self._is_new = True

    def noting(self, function):
        """A function whose calls are counted."""

        def noted(*args, **keywords):
            self.note()
            return function(*args, **keywords)

        return noted
