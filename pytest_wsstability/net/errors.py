"""What goes wrong between a user and a connection."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import partial
from typing import Any

from ..core.cause import Diagnosis
from ..core.diagnosis import diagnose, diagnose_opening
from ..core.judge.verdict import Reason
from ..core.message import explain_end
from ..core.redact import redact_url
from ..core.site import code
from ..core.timeline.close import CloseEvidence
from ..core.timeline.timeline import Timeline


class OpeningStage(Enum):
    """The step of opening a connection that failed."""

    DNS = "name resolution"
    CONNECT = "TCP connection"
    PROXY = "proxy"
    TLS = "TLS handshake"
    HTTP = "upgrade refused"
    HANDSHAKE = "opening handshake"
    TIMEOUT = "timeout"

    @property
    def code(self) -> str:
        """What the FAQ explains it under: ``opening-dns``."""
        return code(self.name, "opening")


# What a copy of an opening that failed has too: all but the place that a redirect leads to.
_KEPT = ("status", "retry_after", "said", "unanswered", "shortage", "subprotocol", "extension", "served_by")


class OpeningError(ConnectionError):
    """
    The connection did not open, so there is nothing to say about its stability.

    Attributes:
        url: the target, secrets masked.
        stage: the step that failed.
        status: the HTTP status of a refused upgrade; None otherwise.
        retry_after: what its Retry-After field said; None where it had none.
        said: what a refusal said beside its status, its phrase included.
        unanswered: whether the connection, or the time for it, ended before the server had answered.
        location: where a redirect leads, secrets included; None where there was none.
        shortage: what this process or its machine lacked; None where it was not for that.
        subprotocol: what the server chose though it was not offered; None where it was not for that.
        extension: the same of extensions, with their parameters.
        served_by: who refused the upgrade, as its response says; empty where it does not.

    """

    def __init__(
        self,
        url: str,
        stage: OpeningStage,
        detail: str,
        *,
        status: int | None = None,
        retry_after: str | None = None,
        said: str = "",
        unanswered: bool = False,
        location: str | None = None,
        shortage: Reason | None = None,
        subprotocol: str | None = None,
        extension: str | None = None,
        served_by: str = "",
    ) -> None:
        self.url = redact_url(url)
        self.stage = stage
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.said = said
        self.unanswered = unanswered
        self.location = location
        self.shortage = shortage
        self.subprotocol = subprotocol
        self.extension = extension
        self.served_by = served_by
        super().__init__(f"{self.url} did not open ({stage.value}): {detail}")

    @property
    def headline(self) -> str:
        """One line for a place where the target is known: ``not opened: nobody listens on a.example:80``."""
        return f"not opened: {self.detail}"

    @property
    def diagnosis(self) -> Diagnosis:
        """Why it did not open, and what to change."""
        return diagnose_opening(
            self.stage.name, status=self.status, retry_after=self.retry_after, detail=self.detail,
            said=self.said, unanswered=self.unanswered, shortage=self.shortage, subprotocol=self.subprotocol,
            extension=self.extension,
        )  # fmt: skip

    def with_more(self, detail: str) -> OpeningError:
        """The same, with something else to say of what went wrong."""
        return OpeningError(self.url, self.stage, f"{self.detail}; {detail}", **self._facts())

    def _facts(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _KEPT}

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(OpeningError, **self._facts()), (self.url, self.stage, self.detail)


class ConnectionEnded(ConnectionError):
    """
    The connection has ended, so nothing can be sent or received on it.

    Attributes:
        evidence: how it ended.
        timelines: the record of this end as it stood then, and those of other ends; empty at a normal end.
        cohort: records of other connections to the same target.

    """

    def __init__(
        self, evidence: CloseEvidence, timelines: Sequence[Timeline] = (), cohort: Sequence[Timeline] = ()
    ) -> None:
        self.evidence = evidence
        self.timelines = tuple(timelines)
        self.cohort = tuple(cohort)
        self._diagnosis: Diagnosis | None = None
        super().__init__(f"the connection ended: {evidence.headline()}: {evidence}")

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Why it ended; None where nothing went wrong."""
        # Made when somebody asks: a server's handlers end by this error, thousands of them at once.
        if self._diagnosis is None and self.timelines:
            self._diagnosis = diagnose(self.timelines[0], self.timelines[1:], cohort=self.cohort)
        return self._diagnosis

    @diagnosis.setter
    def diagnosis(self, found: Diagnosis) -> None:
        # Whoever owns the server knows more than the records.
        self._diagnosis = found

    def __str__(self) -> str:
        found = self.diagnosis
        return super().__str__() if found is None else explain_end(self.timelines, found)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.evidence, self.timelines, self.cohort))


for _error in (OpeningError, ConnectionEnded):
    _error.__module__ = "pytest_wsstability"
