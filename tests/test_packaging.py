"""What is published: the wheel, its metadata, and the public names."""

from __future__ import annotations

import re
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
    assert not any(part.startswith(("test_", "tests")) for name in names for part in name.split("/"))
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


def test_the_description_has_no_link_that_leads_nowhere(metadata):
    """Relative ones do, on a package index."""
    assert re.findall(r"\]\((?!https://)[^)]*\)", metadata.get_payload()) == []


@pytest.mark.parametrize(
    ("site", "text"),
    [
        ("", "See the guide and PyPI.\n\n"),
        (
            "https://docs.example/",
            "See [the guide](https://docs.example/first-hour.html#node) and [PyPI](https://pypi.org/).\n"
            "![A failure](https://docs.example/failure.svg)\n",
        ),
    ],
)
def test_links_of_the_readme_on_an_index(site, text):
    """They lead to the site; where there is none, only their words are left."""
    from hatch_build import for_an_index

    readme = (
        "See [the guide](docs/first-hour.md#node) and [PyPI](https://pypi.org/).\n"
        "![A failure](docs/pictures/failure.svg)\n"
    )

    assert for_an_index(readme, site) == (text if site else text.replace("PyPI", "[PyPI](https://pypi.org/)"))


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
