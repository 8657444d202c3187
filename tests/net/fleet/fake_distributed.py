"""A Dask cluster that has one worker, and does nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pytest_wsstability.net.fleet import cluster


class FakeClient:
    """Of a scheduler that is not there; counts how often it is closed."""

    asynchronous = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.closed = 0

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        """As ``distributed.Client`` has it."""
        return {"workers": {"tcp://one": {}}}

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def fake_distributed(monkeypatch: Any) -> list[FakeClient]:
    """The clients that are made from now on."""
    clients: list[FakeClient] = []

    def made(*arguments: Any, **options: Any) -> FakeClient:
        clients.append(FakeClient())
        return clients[-1]

    comm = SimpleNamespace(get_address_host=str)
    monkeypatch.setattr(cluster, "_distributed", lambda: SimpleNamespace(Client=made, comm=comm))
    return clients
