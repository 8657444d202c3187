"""What a user of Locust costs that holds a WebSocket: a greenlet each, by `websocket-client`."""

from __future__ import annotations

from gevent import monkey

# Before anything else has a socket.
monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
import websocket  # noqa: E402
from locust import User, constant_pacing, task  # noqa: E402
from locust.env import Environment  # noqa: E402

from .fleet_real import EVERY, PING, RATE, Meter  # noqa: E402
from .processes import raise_file_limit  # noqa: E402


class Caller(User):
    """One connection with a heartbeat every 5 s."""

    wait_time = constant_pacing(EVERY)
    url = ""
    beats = 0

    def on_start(self) -> None:
        self._client = websocket.create_connection(self.url)

    @task
    def beat(self) -> None:
        """A heartbeat and its answer."""
        self._client.send(PING)
        self._client.recv()
        Caller.beats += 1


def measured(url: str, connections: int, hold: float) -> dict[str, float]:
    """As the variants of `fleet_real`."""
    meter = Meter()
    Caller.url = url
    runner = Environment(user_classes=[Caller]).create_local_runner()
    runner.start(connections, spawn_rate=RATE)
    while Caller.beats < connections:
        gevent.sleep(0.1)
    before = Caller.beats
    meter.begin()
    gevent.sleep(hold - 2)
    found = meter.read(connections, Caller.beats - before)
    runner.quit()
    return found


if __name__ == "__main__":
    raise_file_limit()
    url, connections, hold = sys.argv[1:]
    print(json.dumps(measured(url, int(connections), float(hold))))
