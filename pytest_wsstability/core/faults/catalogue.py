"""All faults by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from .fault import Fault
from .link import LINK_FAULTS
from .peer import PEER_FAULTS

FAULTS: Mapping[str, type[Fault]] = {fault.name: fault for fault in (*LINK_FAULTS, *PEER_FAULTS)}


def fault_of(name: Any, values: dict[str, Any]) -> Fault:
    """
    A fault by its name and parameters.

    Raises:
        ValueError: if there is no such fault or parameter, listing the valid ones.

    """
    kind = FAULTS.get(name) if isinstance(name, str) else None
    if kind is None:
        near = get_close_matches(str(name), FAULTS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ValueError(f"unknown fault {name!r}{hint}; valid ones: {', '.join(FAULTS)}")
    return kind._made_of(values)
