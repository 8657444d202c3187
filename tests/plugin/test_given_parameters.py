"""Parameters that ``parametrize(..., indirect=True)`` gives to fixtures of ours."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("name", "parametrize"),
    [
        ("ws_url", '"ws_url", ["ws://127.0.0.1:9"], indirect=True'),
        ("ws_url", '["number", "ws_url"], [(1, "ws://127.0.0.1:9")], indirect=["ws_url"]'),
        ("ws_url", '"number, ws_url", [(1, "ws://127.0.0.1:9")], indirect=True'),
        ("ws_orchestrator", 'argnames="ws_orchestrator", argvalues=[{"read_deadline": "1s"}], indirect=True'),
    ],
)
def test_one_that_nobody_looks_at_is_refused(refusal, name, parametrize):
    """The test would pass with another target than its parameter names."""
    printed = refusal(
        f"""
        import pytest

        @pytest.fixture
        def number(request): return request.param

        @pytest.mark.parametrize({parametrize})
        @pytest.mark.ws_stability(alive_for="1s")
        async def test_it(request, {"number, " if "number" in parametrize else ""}ws_connection, {name}): ...
        """
    )
    assert f"{name}: takes no parameter (indirect=True), so nobody would look at it" in printed


def test_a_fixture_of_the_projects_takes_one(passes):
    """Ours that it rests on is given the same, and leaves it to the other."""
    source = """
    import pytest

    @pytest.fixture
    def ws_url(ws_url, request):
        return f"{ws_url}/{request.param}"

    @pytest.mark.parametrize("ws_url", ["voice", "chat"], indirect=True)
    async def test_it(ws_connect, ws_url):
        assert ws_url.endswith(("/voice", "/chat"))
        await ws_connect()
    """
    assert passes(source) == 2


def test_a_middlebox_is_none(refusal):
    """The hold would go past it, and pass."""
    source = """
    import pytest

    @pytest.mark.parametrize("ws_middlebox", ["heroku"])
    @pytest.mark.ws_stability(alive_for="2m")
    def test_it(ws_soak, ws_middlebox): ...
    """
    assert "ws_middlebox: nothing goes through what parametrize gives; name" in refusal(source)
