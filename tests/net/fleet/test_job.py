"""What the connections of a fleet do, on its way to another process."""

import json

import pytest

from pytest_wsstability import TLS, Requirement
from pytest_wsstability.fleet import FleetReconnects
from pytest_wsstability.net.fleet.job import FleetJob, load
from pytest_wsstability.profiles import JSON

REQUIREMENT = Requirement.of(alive_for="2m", heartbeat_every="25s", allow_close=[1001])


def caller(number):
    return {"session_id": f"caller-{number}"}


def sent(**values):
    job = FleetJob(url="ws://127.0.0.1:1/", requirement=REQUIREMENT, **values)
    return FleetJob.from_dict(json.loads(json.dumps(job.as_dict())))


def test_a_job_survives_json():
    options = {"client": "mute", "heartbeat": "25s", "headers": {"A": "b"}, "tls": TLS(insecure=True)}
    read = sent(options=options)

    assert read.requirement == REQUIREMENT
    assert read.options == options


def test_functions_are_loaded_by_their_names():
    assert sent(options_of=caller).options_of(3) == {"session_id": "caller-3"}


def test_a_function_without_a_name_is_refused():
    with pytest.raises(
        ValueError, match=r"^options_of: workers load a function by its name, which '.*<lambda>'"
    ):
        sent(options_of=lambda number: {})


def test_a_profile_is_loaded_by_its_name():
    with pytest.raises(
        ValueError, match=r"^profile 'json': workers load it by its name; give 'module:NAME'$"
    ):
        sent(options={"profile": JSON})
    read = sent(options={"profile": "pytest_wsstability.profiles:JSON"})

    assert read.options["profile"] is JSON


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", r"^traffic: 'nothing' names nothing; give 'module:attribute'$"),
        ("json:", r"^traffic: 'json:' names nothing"),
        ("no_such_module:talk", r"^traffic: 'no_such_module:talk': No module named 'no_such_module'$"),
        ("json:talk", r"^traffic: 'json:talk': the module 'json' has no 'talk'$"),
    ],
)
def test_names_that_nothing_has(name, message):
    with pytest.raises(ValueError, match=message):
        load(name, "traffic")


def name_of(message):
    return None


def test_what_a_fleet_is_asked_for_beside_goes_along():
    reconnects = FleetReconnects(within="10s", backoff="2s", per_second=5)
    read = sent(
        sources=("127.0.0.2",), reconnects=reconnects, fanout_of=name_of, fanout_within=0.5, fanout_p99=0.3
    )

    assert (read.sources, read.reconnects, read.fanout_within) == (("127.0.0.2",), reconnects, 0.5)
    assert (read.fanout_of, read.fanout_p99) == (name_of, 0.3)
    assert sent().reconnects is None


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        (["ws://127.0.0.1:1/", "ws://127.0.0.1:2/other"], None),
        (
            ["ws://127.0.0.1:1/", "ws://127.0.0.2:1/"],
            r"^url_of: connection 1 goes to '127\.0\.0\.2', and the fleet to '127\.0\.0\.1'",
        ),
        (["ws://127.0.0.1:1/", "http://127.0.0.1:1/"], r"^url_of: connection 1: url: "),
    ],
)
def test_all_go_to_one_host(urls, message):
    """Ports and paths may differ."""
    job = FleetJob(url="ws://127.0.0.1:1/", requirement=REQUIREMENT, url_of=urls.__getitem__)
    if message is None:
        job.check_targets(2)
    else:
        with pytest.raises(ValueError, match=message):
            job.check_targets(2)
