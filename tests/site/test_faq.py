"""The FAQ has an entry for every code that a failure can name, and no other."""

from __future__ import annotations

import re

import pytest

from pytest_wsstability.cli.explain import entries
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.site import SITE, explained, page
from pytest_wsstability.net.errors import OpeningStage

ENTRIES = {code: entry.text for code, entry in entries().items()}
MEMBERS = [member for kind in (Cause, Rule, Reason, OpeningStage) for member in kind]


def test_each_code_has_an_entry():
    """Of a sentence at least; the address in a failure leads to it."""
    assert [each.code for each in MEMBERS if len(ENTRIES.get(each.code, "").split()) < 5] == []


def test_no_entry_is_stale():
    """Each is about a code that there is."""
    assert sorted(ENTRIES) == sorted(member.code for member in MEMBERS)


def test_no_code_is_used_twice():
    """Four enums, one list."""
    assert len({member.code for member in MEMBERS}) == len(MEMBERS)


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (Cause.PING_UNANSWERED, "ping-unanswered"),
        (Rule.ALIVE, "rule-alive"),
        (Reason.LOOP_LAG, "doubt-loop-lag"),
        (OpeningStage.DNS, "opening-dns"),
    ],
)
def test_codes_are_made_of_names(member, code):
    """Of the member's, which stays, and not of its words, which may be said better some day."""
    assert member.code == code


def test_where_a_code_is_explained(monkeypatch):
    """On the site where it has an address, else by the command, which is there wherever the plugin is."""
    monkeypatch.setattr("pytest_wsstability.core.site.SITE", "")
    assert explained("rule-alive") == "wsstability explain rule-alive"
    monkeypatch.setattr("pytest_wsstability.core.site.SITE", "https://docs.example/")
    assert explained("rule-alive") == "https://docs.example/faq.html#rule-alive"
    assert page("faq") == "https://docs.example/faq.html"


def test_the_address_is_one():
    """Nothing, or one that pages can be put behind."""
    assert SITE == "" or re.fullmatch(r"https://\S+/", SITE)
