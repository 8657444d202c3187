"""docs/fleets.md: its table is computed, its code runs, its failure is real."""

import math
import re
from pathlib import Path

import pytest

from pytest_wsstability.core.statistics.proportion import connections_needed, lower_bound

PAGE = (Path(__file__).parent.parent / "docs/fleets.md").read_text()
EXAMPLES = (Path(__file__).parent.parent / "examples/test_fleet.py").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| 0\.\d+ \|", line)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_is_computed(row):
    target, *numbers = row

    assert [f"{connections_needed(float(target), lost=lost):,}" for lost in (0, 1, 2, 3, 5)] == numbers


def test_the_table_is_found():
    assert len(ROWS) == 5


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_the_code_runs(pytester, number):
    block = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[number]
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(block)

    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_failure_is_real(pytester):
    block = re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1]
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", connections=60, survival=0.9, client="mute", ramp="6s")
        def test_it(ws_fleet):
            pass
        """
    )

    assert block in "\n".join(pytester.runpytest_inprocess().outlines)


CLAIMS = re.findall(r"^\| [^|]+ \| ([\d,]+) \| at least ([\d.]+) %", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("connections", "percent"), CLAIMS)
def test_what_so_many_can_claim_is_computed(connections, percent):
    """Rounded down to as many digits as the page has."""
    number = int(connections.replace(",", ""))
    digits = len(percent.partition(".")[2])
    shown = math.floor(lower_bound(number, number) * 100 * 10**digits) / 10**digits

    assert f"{shown:.{digits}f}" == percent


def test_the_claims_are_found():
    assert len(CLAIMS) == 5
