"""Markers: closest wins, the rest merges."""

from __future__ import annotations

import pytest


def test_they_merge_and_the_closest_wins(passes):
    """Module, class, function; each keyword by itself."""
    assert (
        passes(
            """
            import pytest

            pytestmark = pytest.mark.ws_stability(alive_for="1m", heartbeat_every="10s")

            @pytest.mark.ws_stability(heartbeat_within="3s", alive_for="90s")
            class TestVoice:
                @pytest.mark.ws_stability(alive_for="2m")
                def test_function(self, ws_soak):
                    assert ws_soak.requirement.alive_for == 120
                    assert ws_soak.requirement.heartbeat_every == 10
                    assert ws_soak.requirement.heartbeat_within == 3

                def test_class(self, ws_soak):
                    assert ws_soak.requirement.alive_for == 90
                    assert ws_soak.requirement.heartbeat_within == 3

            def test_module(ws_soak):
                assert ws_soak.requirement.alive_for == 60
                assert ws_soak.requirement.heartbeat_within is None
            """
        )
        == 3
    )


def test_a_class_is_closer_than_its_bases(passes):
    """pytest lists the marks of a base class first; each keyword is that of the class nearest to the test."""
    source = """
    import unittest

    import pytest

    @pytest.mark.ws_stability(alive_for="1m", heartbeat_every="10s")
    @pytest.mark.ws_orchestrator(read_deadline=150, ping_interval=20)
    class Every:
        pass

    class Voice(Every):
        pytestmark = pytest.mark.ws_stability(heartbeat_within="3s", heartbeat_every="20s")

    @pytest.mark.ws_stability(alive_for="2m")
    @pytest.mark.ws_orchestrator(ping_interval=None)
    class Test(Voice{base}):
        @pytest.fixture(autouse=True)
        def hold(self, ws_soak, request):
            self.soak = ws_soak

        def test_it(self):
            requirement = self.soak.requirement
            assert requirement.alive_for == 120
            assert (requirement.heartbeat_every, requirement.heartbeat_within) == (20, 3)
            assert [each.at for each in self.soak.timeline if each.opcode == 9] == [120]

    class TestUnmarked(Test):
        pass
    """
    assert passes(source.format(base="")) == 2
    assert passes(source.format(base=", unittest.TestCase")) == 2


def test_the_middlebox_of_a_class_is_no_base_class_s(passes):
    """Nor is its server the one of a class further up."""
    source = """
    import pytest

    @pytest.mark.ws_middlebox("nginx")
    class Base: ...

    @pytest.mark.ws_stability(alive_for="3m", heartbeat_every="20s")
    @pytest.mark.ws_middlebox("heroku")
    class TestIt(Base):
        def test_it(self, ws_soak, ws_middlebox):
            assert ws_middlebox.name == "heroku"
    """
    assert passes(source) == 1


def test_the_orchestrators_merge_too(passes):
    """One server for a module, one detail for a test."""
    passes(
        """
        import pytest

        pytestmark = pytest.mark.ws_orchestrator(read_deadline="30s", ping_interval="10s")

        @pytest.mark.ws_orchestrator(ping_interval=None, deadline_reset_by={"data", "pong"})
        async def test_it(ws_orchestrator):
            assert ws_orchestrator.behaviour.read_deadline == 30
            assert ws_orchestrator.behaviour.ping_interval is None
        """
    )


def test_marks_of_parameters(passes):
    """The closest of all."""
    assert (
        passes(
            """
            import pytest

            @pytest.mark.ws_stability(alive_for="1m")
            @pytest.mark.ws_orchestrator(ping_interval=None)
            @pytest.mark.parametrize(
                ("deadline", "hold"),
                [
                    pytest.param(
                        120, 100,
                        marks=[
                            pytest.mark.ws_orchestrator(read_deadline=120),
                            pytest.mark.ws_stability(alive_for=100),
                        ],
                    ),
                    pytest.param(
                        90, 60, marks=pytest.mark.ws_orchestrator(read_deadline=90), id="ninety"
                    ),
                ],
            )
            async def test_it(ws_connection, ws_orchestrator, deadline, hold):
                assert ws_orchestrator.behaviour.read_deadline == deadline
                assert ws_connection.requirement.alive_for == hold
            """,
            # Holds this short prove nothing of the deadline, and need not.
            "-W",
            "ignore::pytest_wsstability.StabilityWarning",
        )
        == 2
    )


@pytest.mark.parametrize(
    "time",
    [pytest.param(time, marks=pytest.mark.ws_stability(time=time)) for time in ("virtual", "real")],
)
async def test_the_time_of_a_parameter(ws_connect, ws_clock, time):
    """A test that runs in both tiers."""
    await (await ws_connect()).assert_alive_for("50ms")
    assert ws_clock.is_virtual is (time == "virtual")


def test_they_can_be_selected(run):
    """-m knows them."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1m")
        def test_hold(ws_soak):
            pass

        def test_other():
            pass
        """,
        "-m",
        "not ws_stability",
    )

    assert result.parseoutcomes() == {"passed": 1, "deselected": 1}


def test_they_are_registered(pytester):
    """--strict-markers accepts them, --markers describes them."""
    result = pytester.runpytest_inprocess("--markers")

    result.stdout.fnmatch_lines(
        ["@pytest.mark.ws_stability(alive_for, *): *", "@pytest.mark.ws_orchestrator(*): *", "*ws_long: *"]
    )


def test_strict_markers(passes):
    """No warning, no error."""
    passes(
        """
        import pytest

        @pytest.mark.ws_long
        @pytest.mark.ws_orchestrator(echo=True)
        @pytest.mark.ws_stability(alive_for="1m")
        def test_it(ws_soak):
            pass
        """,
        "--strict-markers",
    )


def test_a_marker_on_a_class_of_other_tests_too(passes):
    """A class may be marked for the loop's sake without a requirement."""
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(time="virtual", client="keepalive")
        class TestIt:
            def test_it(self):
                pass
        """
    )
