"""One row of the table of causes: what the record must show, and what is then said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ..cause import Blame, Cause, Confidence
from ..timeline.events import End
from .features import Features


class Blamed(Enum):
    """Who is to blame, seen from the end that recorded; `blame` gives it the end's name."""

    SELF = "this end"
    PEER = "the other end"
    SERVER = "the server"
    CLIENT = "the client"
    PATH = "the path"
    HARNESS = "the test process"
    NOBODY = "nobody"

    def blame(self, end: End) -> Blame:
        """Who that is, for a record of this end."""
        if self not in (Blamed.SELF, Blamed.PEER):
            return Blame[self.name]
        mine, theirs = (Blame.SERVER, Blame.CLIENT) if end is End.SERVER else (Blame.CLIENT, Blame.SERVER)
        return mine if self is Blamed.SELF else theirs


class Claim(NamedTuple):
    """What a row says once it fits: the cause, how sure it is at most, and who is to blame."""

    cause: Cause
    confidence: Confidence
    blame: Blamed


@dataclass(frozen=True, slots=True)
class Rival:
    """A second cause that some records leave: the sentence names it, and the confidence is less."""

    cause: Cause
    # When it fits as well, in words for the docs, and as a function of the features.
    shows: str
    when: Callable[[Features], bool]
    # What the sentence then ends with, behind a semicolon; empty where the sentence says it already.
    says: str = ""
    # The most that it leaves: medium where the first cause is likelier, low where nothing prefers one.
    leaves: Confidence = Confidence.MEDIUM


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """
    A cause and how it is recognised.

    Templates are filled with `words.WORDS`.

    """

    claim: Claim
    # What the record must show, in words for the docs, and as a function of the features.
    shows: str
    when: Callable[[Features], bool]
    sentence: str
    # The short form, for one line of a summary.
    headline: str
    # What connections that fit it are called together, where the words of the cause claim more than it shows.
    together: str = ""
    # Names of the facts that carry it; see `evidence.facts`.
    evidence: tuple[str, ...] = ()
    remedy: str | None = None
    # What else it may be; without it, the next row that fits says it, unless this one is proved.
    runner_up: Cause | None = None
    # Causes that then fit as well: the first of them is the runner-up.
    rivals: tuple[Rival, ...] = ()
    # Whether the record leaves nothing else, so that no other row is named beside it.
    proved: bool = False
    # Where the signature is from.
    source: str

    @property
    def cause(self) -> Cause:
        """The claim's."""
        return self.claim.cause

    @property
    def confidence(self) -> Confidence:
        """The claim's: what the rivals that fit leave of it is the diagnosis's."""
        return self.claim.confidence

    @property
    def blame(self) -> Blamed:
        """The claim's, seen from the end that recorded."""
        return self.claim.blame
