"""The words that fill a template, of one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Record = TypeVar("Record")


class TemplateWords(dict[str, str], Generic[Record]):
    """
    Words of a record by their names, each made when a template asks for it.

    Args:
        words: what makes each of them.
        record: what they are of.

    """

    def __init__(self, words: Mapping[str, Callable[[Record], str]], record: Record) -> None:
        super().__init__()
        self._words = words
        self._record = record

    def __missing__(self, name: str) -> str:
        return self._words[name](self._record)
