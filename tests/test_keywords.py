"""One list is the truth: the keywords that type checkers see are those that the code takes."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from pytest_wsstability import Orchestrator, Requirement, connect, marks
from pytest_wsstability.core.judge.requirement import RequirementKeywords
from pytest_wsstability.net.keywords import ConnectKeywords
from pytest_wsstability.net.server.behaviour import Behaviour, BehaviourKeywords
from pytest_wsstability.net.server.orchestrator import OrchestratorKeywords
from pytest_wsstability.plugin import plans
from pytest_wsstability.plugin.marks import StabilityKeywords
from pytest_wsstability.plugin.opening import OF_A_FLEET


def keyword_only(function):
    return {
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.kind is each.KEYWORD_ONLY
    }


def refused(make):
    """The valid names that the error about an unknown keyword lists."""
    with pytest.raises(TypeError, match="valid ones: ") as caught:
        make(no_such_keyword=1)
    return set(str(caught.value).split("valid ones: ")[1].split(", "))


def test_the_keywords_of_a_requirement():
    """Its fields, its converters and its typed keywords are the same."""
    fields = {field.name for field in dataclasses.fields(Requirement)}

    assert set(RequirementKeywords.__annotations__) == fields == refused(Requirement.of)


def test_the_keywords_of_the_stability_mark():
    """Those of a requirement, and those that say how a test opens."""
    assert set(StabilityKeywords.__annotations__) == {
        *RequirementKeywords.__annotations__,
        *plans._NOT_REQUIRED,
        *OF_A_FLEET,
    }


def test_the_keywords_of_the_orchestrator():
    """Those of its constructor, and those of its behaviour."""
    assert set(BehaviourKeywords.__annotations__) == refused(Behaviour.of)
    assert set(OrchestratorKeywords.__annotations__) == keyword_only(Orchestrator) | set(
        BehaviourKeywords.__annotations__
    )


def test_the_keywords_of_connect():
    """Those that are handed on by ``ws_connect`` and `Connection.reconnect`."""
    assert set(ConnectKeywords.__annotations__) == keyword_only(connect)


@pytest.mark.parametrize("name", [name for name in marks.__all__ if name != "middlebox"])
def test_a_bare_mark_says_so(name):
    """It would mark nothing, and its test would pass unseen."""
    with pytest.raises(TypeError, match=rf"^marks\.{name} stands bare; call it: @marks\.{name}\("):

        @getattr(marks, name)
        def test_something(): ...


def test_a_bare_middlebox_says_so():
    with pytest.raises(TypeError, match=r"^marks\.middlebox stands bare"):
        marks.middlebox(lambda: None)


def test_an_argument_without_a_keyword_is_named():
    with pytest.raises(
        TypeError, match=r"^marks\.stability takes keywords only, not '2m'; write marks\.stability\("
    ):
        marks.stability("2m")


def test_each_mark_is_the_one_of_its_name():
    """The typed twins are the markers that pytest knows, with their keywords untouched."""
    assert marks.stability(alive_for="2m", client="mute").mark.name == "ws_stability"
    assert marks.stability(alive_for="2m", client="mute").kwargs == {"alive_for": "2m", "client": "mute"}
    assert marks.orchestrator(read_deadline="60s").mark.name == "ws_orchestrator"
    assert marks.orchestrator(read_deadline="60s").kwargs == {"read_deadline": "60s"}
    assert marks.long().mark.name == "ws_long"
    assert marks.middlebox("nginx").mark.name == "ws_middlebox"
    assert marks.middlebox("nginx").args == ("nginx",)
