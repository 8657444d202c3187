"""The state of a fleet for Prometheus: what a scrape gives, read with the library's own parser."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pytest_wsstability.core.fleet.frame import Ending, Fate, Frame
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.report.openmetrics import parse_address, serve

pytestmark = pytest.mark.real


def scraped(merge):
    with (
        serve(("127.0.0.1", 0), merge) as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer,
    ):
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scrape():
    merge = FleetMerge(FleetPlan(connections=10, hold=60))
    before = scraped(merge)
    ended = [Ending(number=n, fate=Fate.ENDED, age=5.0, at=5.0, cause="restart") for n in (0, 1)]
    merge.add(
        Frame(
            slot=0, attempt=1, sequence=0, at=5.0, opened=9, heartbeats_sent=20, heartbeats_answered=18,
            messages=3, lag=0.25, endings=tuple(ended), stable=((2, 3),),
            rtt_counts=(1, 2) + (0,) * 10 + (4,),
        )
    )  # fmt: skip
    now = scraped(merge)

    assert before["wsstability_fleet_connections", "open"] == 0
    assert now["wsstability_fleet_planned",] == 10
    assert now["wsstability_fleet_connections", "open"] == 5
    assert now["wsstability_fleet_connections", "ended"] == 2
    assert now["wsstability_fleet_connections", "stable"] == 2
    assert now["wsstability_fleet_ended", "restart"] == 2
    assert now["wsstability_fleet_opened_total",] == 9
    assert now["wsstability_fleet_heartbeats_sent_total",] == 20
    assert now["wsstability_fleet_heartbeats_answered_total",] == 18
    assert now["wsstability_fleet_messages_total",] == 3
    assert now["wsstability_fleet_lag_seconds",] == 0.25
    assert now["wsstability_fleet_rtt_seconds_bucket", "0.001"] == 1
    assert now["wsstability_fleet_rtt_seconds_bucket", "5.0"] == 3
    assert now["wsstability_fleet_rtt_seconds_bucket", "+Inf"] == 7


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["9464", ":9464", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", ""])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match=r"^metrics: '.*' is no address; give HOST:PORT"):
        parse_address(text)


def test_a_port_that_is_taken():
    merge = FleetMerge(FleetPlan(connections=1, hold=1))
    with (
        serve(("127.0.0.1", 0), merge) as port,
        pytest.raises(ValueError, match=rf"^metrics: 127\.0\.0\.1:{port}: .*in use"),
        serve(("127.0.0.1", port), merge),
    ):
        pass
