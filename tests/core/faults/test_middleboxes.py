"""Named proxies and load balancers: their timers, and the table of them."""

import re
from pathlib import Path

import pytest

from pytest_wsstability.core.faults import EndsWith, IdleTimeout, MaxAge, Program, ResetBy
from pytest_wsstability.core.faults.middleboxes import MIDDLEBOXES, middlebox

PAGE = Path(__file__).parents[3] / "docs" / "middleboxes.md"

ANY, DATA, EACH, DOWN = ResetBy.ANY, ResetBy.DATA, ResetBy.EACH, ResetBy.DOWNSTREAM
FIN, RST, SILENCE, NOTHING = EndsWith.FIN, EndsWith.RESET, EndsWith.SILENCE, EndsWith.BLACKHOLE


@pytest.mark.parametrize(
    ("name", "timers"),
    [
        ("nginx", [IdleTimeout(60, reset_by=ANY, ends_with=FIN)]),
        ("haproxy", [IdleTimeout(50, reset_by=ANY, ends_with=FIN)]),
        ("envoy-route-timeout", [MaxAge(15, ends_with=FIN)]),
        ("aws-nlb", [IdleTimeout(350, reset_by=ANY, ends_with=SILENCE)]),
        ("aws-api-gateway", [IdleTimeout(600, reset_by=DATA, ends_with=FIN), MaxAge(7200, ends_with=FIN)]),
        ("cloudfront", [IdleTimeout(600, reset_by=DOWN, ends_with=FIN)]),
        ("gcp-lb", [MaxAge(30, ends_with=FIN)]),
        ("heroku", [IdleTimeout(55, reset_by=ANY, ends_with=FIN)]),
        ("azure-lb", [IdleTimeout(240, reset_by=ANY, ends_with=NOTHING)]),
        ("azure-lb-tcp-reset", [IdleTimeout(240, reset_by=ANY, ends_with=RST)]),
        ("oci-lb", [IdleTimeout(60, reset_by=EACH, ends_with=FIN)]),
        ("traefik", []),
    ],
)
def test_timers_of_a_box(name, timers):
    """Seconds, what resets them and how they end a connection are those of the fact."""
    assert list(middlebox(name).faults) == timers


@pytest.mark.parametrize("box", MIDDLEBOXES.values(), ids=lambda box: box.name)
def test_a_box_is_complete(box):
    """Each has a name that can stand in a test's id, a source, and faults that make a program."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", box.name)
    assert box.title
    assert box.reference
    assert len(Program.of(box.faults)) == len(box.faults)
    assert all(isinstance(fault, IdleTimeout | MaxAge) for fault in box.faults)


@pytest.mark.parametrize(
    ("name", "index", "advice"),
    [
        ("nginx", 0, "a heartbeat or ping every 30 s or less would do, or raise proxy_read_timeout"),
        (
            "oci-lb",
            0,
            "a heartbeat or ping that the other end answers every 30 s or less would do, or raise ",
        ),
        (
            "cloudfront",
            0,
            "a ping of the server, or a heartbeat that it answers, every 300 s or less would do",
        ),
        ("aws-api-gateway", 0, "a heartbeat message (ping frames do not count) every 300 s or less would do"),
        ("aws-api-gateway", 1, "no traffic helps against an age: reconnect and resume before it"),
        (
            "envoy-route-timeout",
            0,
            "no traffic helps against an age: reconnect and resume before it, or raise ",
        ),
    ],
)
def test_advice_fits_the_timer(name, index, advice):
    """What keeps one timer from running out does nothing for another."""
    box = middlebox(name)

    assert box.advice(box.faults[index]).startswith(advice)


@pytest.mark.parametrize("name", ["ngnix", "", None, 5])
def test_unknown_box_is_refused(name):
    """The valid names are listed."""
    with pytest.raises(
        ValueError, match=rf"^ws_middlebox: {name!r} is unknown; valid ones: 'nginx', .*'oci-lb'$"
    ):
        middlebox(name)


ENDINGS = {
    EndsWith.FIN: "FIN",
    EndsWith.RESET: "RST",
    EndsWith.SILENCE: "silence, then RST on the next data",
    EndsWith.BLACKHOLE: "silence",
}


def as_table() -> str:
    """The boxes as the page shows them."""
    lines = [
        "| name | what it is | timer | ends with | setting | known from |",
        "|---|---|---|---|---|---|",
    ]
    for box in MIDDLEBOXES.values():
        endings = " / ".join(dict.fromkeys(ENDINGS[fault.ends_with] for fault in box.faults)) or "-"
        ends = endings if box.end_is_known else "not known; FIN stands for it"
        knob = f"`{box.knob}`" if box.knob else "-"
        known = f"{box.tag.value}: {box.reference}" + (f"; {box.note}" if box.note else "")
        lines.append(f"| `{box.name}` | {box.title} | {box.describe()} | {ends} | {knob} | {known} |")
    return "\n".join(lines) + "\n"


def test_page_has_the_table():
    """The page is written from the data: `python -m tests.core.faults.test_middleboxes` writes it anew."""
    assert as_table() in PAGE.read_text()


def write_page() -> None:
    """Put the table of today's data into the page."""
    text = PAGE.read_text()
    start = text.index("| name | what it is |")
    end = text.index("\n\n", start) + 1
    PAGE.write_text(text[:start] + as_table() + text[end:])


if __name__ == "__main__":
    write_page()
