"""Properties of a JUnit report."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree

from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.junit import properties, render, suite_properties
from tests.report.made import cut, doubtful, expected, good, hostile, run


def test_properties_of_a_test():
    """The words of the summary; what there is nothing to say about is left out."""
    assert dict(properties([cut()])) == {
        "ws_verdict": "UNSTABLE",
        "ws_tier": "virtual time",
        "ws_target": "wss://staging.example/ws",
        "ws_held": "60/120 s",
        "ws_heartbeats": "2/2",
        "ws_rtt_p50": "too few",
        "ws_rtt_p95": "too few",
        "ws_rtt_max": "100 ms",
        "ws_close": "1006",
        "ws_cause": "1006 at 60 s of 120 s: no close frame received or sent; FIN",
    }
    assert "ws_cause" not in dict(properties([good()]))


def test_a_second_hold_of_the_same_test():
    """Names are not used twice."""
    found = dict(properties([cut(), good()]))

    assert (found["ws_verdict"], found["ws_verdict_2"]) == ("UNSTABLE", "stable")


def test_properties_of_the_suite():
    """Totals of each tier, and what was complained about."""
    assert suite_properties(run(good(), cut(tier=Tier.REAL), complaints=("a gate",))) == [
        ("ws_real_time", "0 of 1 holds stable, 1 unstable; watched for 60 s at most"),
        ("ws_virtual_time", "1 of 1 holds stable; watched for 120 s at most"),
        ("ws_failed", "a gate"),
    ]


def test_exact_strings():
    """A subclass of str would end the session of a worker of xdist."""
    assert all(type(text) is str for pair in properties([hostile(), good()]) for text in pair)


def test_a_case_with_an_address_among_its_parameters():
    """It is a test of its file, and not of a class that has half of the address in its name."""
    held = dataclasses.replace(cut(), nodeid="test_a.py::test_it[ws://[::1]:80/]")
    (case,) = ElementTree.fromstring(render(run(held)).encode()).iter("testcase")

    assert (case.get("classname"), case.get("name")) == ("test_a.py", "test_it[ws://[::1]:80/]")


def test_cases_fail_as_their_holds_do():
    """Not those that a test asked for; a server that shows failures by their type parts the two kinds."""
    made = [good(), cut(), doubtful(), expected(cut())]
    suite = ElementTree.fromstring(render(run(*made)).encode())[0]
    failures = [case.find("failure") for case in suite.iter("testcase")]

    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    assert [each if each is None else each.get("type") for each in failures] == [
        None, "unstable", "inconclusive", None,
    ]  # fmt: skip
    assert [each.get("message") for each in failures if each is not None] == [
        each.verdict.headline for each in made[1:3]
    ]
    assert [case.get("time") for case in suite.iter("testcase")] == ["120.000", "60.000", "40.000", "60.000"]


def test_a_complaint_is_a_case_of_its_own():
    """Where nothing was held there would be none, and so none that fails."""
    suite = ElementTree.fromstring(render(run(complaints=('"x" did not open\x1b',))))[0]
    (case,) = suite.findall("testcase")

    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "0", "1")
    assert case.get("name") == case.find("error").get("message") == '"x" did not open\\x1b'
