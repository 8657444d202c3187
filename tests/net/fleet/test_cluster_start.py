"""Which worker of a Dask cluster is named when not all start: with a client that says what a test says."""

from types import SimpleNamespace

import pytest

from pytest_wsstability.net.fleet import cluster
from pytest_wsstability.net.fleet.engine import WorkerError

pytest.importorskip("distributed")

ADDRESSES = {0: "tcp://one", 1: "tcp://two"}


class Client:
    """Of what is submitted, it says at once what `said` has for a slot."""

    def __init__(self, said):
        self._said = said

    def subscribe_topic(self, name, heard):
        self._heard = heard

    def submit(self, work, name, *arguments, **options):
        if arguments and arguments[0] in self._said:
            slot = arguments[0]
            self._heard((0.0, {"slot": slot, "attempt": "first", **self._said[slot]}))
        return SimpleNamespace(exception=lambda timeout: None, add_done_callback=lambda callback: None)


def started(said):
    cluster._Run(Client(said), ADDRESSES).start({0: "{}", 1: "{}"})


def test_all_start():
    started({0: {}, 1: {}})


def test_the_one_that_can_not_is_named_though_another_has_said_nothing_yet():
    """Its error ends the wait: the other one has had no time."""
    with pytest.raises(WorkerError, match=r"^worker 1 \(tcp://two\): it has another version$"):
        started({1: {"error": "it has another version"}})


def test_of_two_that_can_not_the_first_is_named():
    with pytest.raises(WorkerError, match=r"^worker 0 \(tcp://one\): no$"):
        started({1: {"error": "no"}, 0: {"error": "no"}})


def test_the_one_that_says_nothing_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "READY_WITHIN", 0.01)
    with pytest.raises(WorkerError, match=r"^worker 1 \(tcp://two\) did not start within 0 s$"):
        started({0: {}})
