"""Pages that people follow: their files, commands and failures are what they say."""

from __future__ import annotations

import pytest

from tests.against import inner
from tests.real import servers
from tests.servers import launch
from tests.site.pages import text_of
from tests.site.scenario import PAGES, PROCESSES, WIDTH, failure_in, in_a_process, play, steps


@pytest.fixture
def run(pytester, monkeypatch):
    """Pytest in this process, in an empty project as wide as the pages are."""
    inner.prepare(pytester, monkeypatch)
    monkeypatch.setenv("COLUMNS", WIDTH)

    def run(words):
        result = inner.run(pytester, *words)
        return result.ret, result.stdout.str()

    return run


def follow(name, folder, run):
    """Every command does what the page says: it passes, or prints the failure that is shown below it."""
    played = list(play(text_of(name), folder, run))
    for (step, code, output), following in zip(played, [*played[1:], None], strict=True):
        if step.what == "failure":
            assert output == step.text
        else:
            fails = following is not None and following[0].what == "failure"
            assert code == (1 if fails else 0), output
    return played


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_happens(name, pytester, run):
    """`python -m tests.site.scenario` writes the failures anew."""
    assert follow(name, pytester.path, run)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("name", PROCESSES)
def test_what_a_page_with_processes_says_happens(name, tmp_path, monkeypatch):
    """What is there runs; what is not is skipped by name."""
    if "node" in name and (missing := launch.missing("node")):
        pytest.skip(missing)
    if "tutorial-go" in name and (missing := servers.no_go()):
        pytest.skip(missing)
    if "channels" in name:
        pytest.importorskip("channels")
        pytest.importorskip("daphne")
    for variable in ("WS_URL", "PYTEST_ADDOPTS", "CI", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NODE_PATH", str(launch.HERE / "node_modules"))
    # Debian's packages of Go are no modules.
    monkeypatch.setenv("GO111MODULE", "off")
    monkeypatch.setenv("GOPATH", str(servers.GOCODE))

    assert follow(name, tmp_path, in_a_process(tmp_path))


def test_a_failure_is_found_in_an_output():
    """Between the name of the test and what comes after its words."""
    output = "=== FAILURES ===\n____ test_it ____\none\n  two\n---- run it again ----\npytest\n"

    assert failure_in(output) == "one\n  two\n"


def test_steps_of_a_page_are_found():
    """A file, a command, a failure; code without a name and other text do nothing."""
    page = (
        "```python\n# a.py\n```\n```python\nb = 1\n```\n```sh\npytest a.py\n```\n"
        "<!-- failure -->\n```text\nx\n```\n```text\ny\n```\n"
    )

    assert [step.what for step in steps(page)] == ["file", "commands", "failure"]
