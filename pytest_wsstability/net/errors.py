"""What goes wrong between a user and a connection."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..core.redact import redact_url
from ..core.timeline.close import CloseEvidence


class OpeningStage(Enum):
    """The step of opening a connection that failed."""

    DNS = "name resolution"
    CONNECT = "TCP connection"
    TLS = "TLS handshake"
    HTTP = "upgrade refused"
    HANDSHAKE = "opening handshake"
    TIMEOUT = "timeout"


class OpeningError(ConnectionError):
    """
    The connection did not open, so there is nothing to say about its stability.

    Attributes:
        url: the target, secrets masked.
        stage: the step that failed.
        status: the HTTP status of a refused upgrade; None otherwise.
        retry_after: what its Retry-After field said; None where it had none.

    """

    def __init__(
        self,
        url: str,
        stage: OpeningStage,
        detail: str,
        *,
        status: int | None = None,
        retry_after: str | None = None,
    ) -> None:
        self.url = redact_url(url)
        self.stage = stage
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"{self.url} did not open ({stage.value}): {detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_opening_error, (self.url, self.stage, self.detail, self.status, self.retry_after))


def _opening_error(
    url: str, stage: OpeningStage, detail: str, status: int | None, retry_after: str | None
) -> OpeningError:
    return OpeningError(url, stage, detail, status=status, retry_after=retry_after)


class ConnectionEnded(ConnectionError):
    """
    The connection has ended, so nothing can be sent or received on it.

    Attributes:
        evidence: how it ended.

    """

    def __init__(self, evidence: CloseEvidence) -> None:
        self.evidence = evidence
        super().__init__(f"the connection ended: {evidence.headline()}: {evidence}")


for _error in (OpeningError, ConnectionEnded):
    _error.__module__ = "pytest_wsstability"
