"""What is published: the wheel, its metadata, and the public names."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email import message_from_string
from email.message import Message
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import pytest_wsstability

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from this tree, by the backend that pyproject.toml names."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel, names) -> Message:
    (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    with zipfile.ZipFile(wheel) as archive:
        return message_from_string(archive.read(name).decode())


def test_the_wheel_has_the_package_and_nothing_else(names):
    """No tests, no examples, no benchmarks; every module, and the mark that it is typed."""
    top = {name.split("/")[0] for name in names}

    assert top == {"pytest_wsstability", f"pytest_wsstability-{pytest_wsstability.__version__}.dist-info"}
    assert "pytest_wsstability/py.typed" in names
    assert not any("test" in name.removeprefix("pytest_wsstability") for name in names)
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pytest_wsstability").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules


def test_the_metadata(metadata):
    """What package indexes and pytest's plugin list go by."""
    classifiers = metadata.get_all("Classifier")

    assert metadata["Name"] == "pytest-wsstability"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Version"] == pytest_wsstability.__version__
    assert {"Framework :: Pytest", "Framework :: AsyncIO", "Typing :: Typed"} <= set(classifiers)
    assert metadata.get_payload().startswith("#")


def test_the_description_is_there_for_people_without_a_checkout(metadata):
    """The README says how to install and what a test looks like."""
    assert "pip install pytest-wsstability" in metadata.get_payload()
    assert "ws_stability(" in metadata.get_payload()


def test_the_entry_points(wheel, names):
    """One plugin, one command."""
    (name,) = (name for name in names if name.endswith("entry_points.txt"))
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(name).decode()

    assert "[pytest11]\nwsstability = pytest_wsstability.plugin.hooks\n" in text
    assert "[console_scripts]\nwsstability = pytest_wsstability.cli:main\n" in text


def test_the_installed_entry_points_load():
    """Both names lead somewhere."""
    (plugin,) = entry_points(group="pytest11", name="wsstability")
    (command,) = entry_points(group="console_scripts", name="wsstability")

    assert plugin.load().__name__ == "pytest_wsstability.plugin.hooks"
    assert callable(command.load())


def test_the_version_is_one():
    """In the package as in its metadata."""
    assert pytest_wsstability.__version__ == version("pytest-wsstability")


def test_public_names_and_their_homes_agree():
    """What is promised is what can be found."""
    homes = [name for names in pytest_wsstability._HOMES.values() for name in names]

    assert len(homes) == len(set(homes))
    assert {*homes, *pytest_wsstability._MODULES, "__version__"} == set(pytest_wsstability.__all__)
    assert dir(pytest_wsstability) == sorted(pytest_wsstability.__all__)


@pytest.mark.parametrize("name", pytest_wsstability.__all__)
def test_each_public_name_resolves(name):
    """And what has a docstring to read has one."""
    value = getattr(pytest_wsstability, name)

    if callable(value) and hasattr(value, "__name__"):
        assert value.__doc__


def test_an_unknown_name_is_an_attribute_error():
    """As with any module."""
    with pytest.raises(AttributeError, match=r"^module 'pytest_wsstability' has no attribute 'Probe'$"):
        _ = pytest_wsstability.Probe


def test_the_type_checkers_names_are_the_same():
    """The imports for type checkers list what __getattr__ gives."""
    import ast

    tree = ast.parse((ROOT / "pytest_wsstability/__init__.py").read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {f"{home}.{name}" for home, names in pytest_wsstability._HOMES.items() for name in names}
    homes |= {f"None.{name}" for name in pytest_wsstability._MODULES}

    assert imported == homes


USER = """
import pytest

from pytest_wsstability import (
    JSON, Connection, Connector, Orchestrator, Outcome, Profile, Requirement, Session, Soak, StabilityError,
    Timeline, Verdict, assert_stable, connect, run_virtual,
)


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
def test_soak(ws_soak: Soak) -> None:
    verdict: Verdict = ws_soak.assert_stable()
    assert verdict.outcome is Outcome.STABLE
    timeline: Timeline = ws_soak.timeline
    assert_stable(timeline, alive_for="2m")
    rtts: float | None = timeline.duration
    assert rtts


async def test_connect(ws_connect: Connector, ws_url: str) -> None:
    connection: Connection = await ws_connect(heartbeat="25s")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="5s", at_least=4)
    async with ws_connect(ws_url, session_id="abc") as other:
        message: str | bytes = await other.recv()
        await other.send(message)


async def test_orchestrator(ws_orchestrator: Orchestrator) -> None:
    session: Session = await ws_orchestrator.wait_for_session("abc", within="5s")
    await session.assert_alive_for(120)


def test_without_fixtures() -> None:
    ours: Profile = JSON.replace(name="ours", ping={"op": "PING"}, pong={"op": "PONG"})
    requirement = Requirement.of(alive_for="2m")

    async def hold() -> float:
        async with Orchestrator(profile=ours) as orchestrator:
            connection = await connect(orchestrator.url, profile=ours)
            try:
                await connection.assert_stable(alive_for="2m")
            except StabilityError as error:
                assert error.verdict.violations
            return connection.timeline.duration

    seconds: float = run_virtual(hold())
    assert requirement.alive_for == seconds
"""


def test_a_users_file_type_checks_strictly(tmp_path):
    """py.typed is a promise."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    source = tmp_path / "test_user.py"
    source.write_text(USER)

    command = [
        sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", "--cache-dir",
        str(tmp_path / "cache"), str(source),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)

    assert done.stdout == ""
    assert done.returncode == 0
