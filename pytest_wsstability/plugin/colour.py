"""A failure in colours, on terminals that have them; the text itself stays plain."""

from __future__ import annotations

from typing import Any

# What a line starts with, and how it is then written.
_MARKUP: tuple[tuple[str, dict[str, bool]], ...] = (
    ("  expected", {"bold": True}),
    ("  observed", {"red": True}),
    ("  likely", {"yellow": True, "bold": True}),
    ("  fix", {"green": True}),
    ("  planned?", {"green": True}),
    ("  not ", {"light": True}),
    ("  covered", {"light": True}),
)


class Coloured:
    """
    A representation of a failure that pytest made, written line by line.

    Everything else is the representation's own: reports take it apart and send it between processes.

    """

    def __init__(self, representation: Any) -> None:
        self._representation = representation

    def __getattr__(self, name: str) -> Any:
        if name == "_representation":
            # Asked for while it is being copied, before there is one.
            raise AttributeError(name)
        return getattr(self._representation, name)

    def __str__(self) -> str:
        return str(self._representation)

    def toterminal(self, tw: Any) -> None:
        """Write it; a writer without colours leaves them out."""
        first, *rest = str(self).splitlines() or [""]
        tw.line(first, red=True, bold=True)
        for line in rest:
            markup = next((markup for start, markup in _MARKUP if line.startswith(start)), {})
            tw.line(line, **markup)
