"""A header field as it is written on a command line."""

from __future__ import annotations


def header_field(line: str) -> tuple[str, str]:
    """
    Name and value of ``Name: value``, without the space around them.

    Raises:
        ValueError: if there is no name, or none that could be one. Nothing of the line is shown: without a
            name, all of it may be the secret.

    """
    name, colon, value = line.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        raise ValueError("a value without a header's name; give 'Name: value'")
    return name.strip(), value.strip()
