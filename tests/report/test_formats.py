"""Which renderer writes which file."""

from __future__ import annotations

import pytest

from pytest_wsstability.report import formats
from pytest_wsstability.report.formats import RENDERERS, renderer, wrong_report
from tests.report.made import cut, good, run


@pytest.mark.parametrize("suffix", RENDERERS)
def test_each_renders_a_run(suffix):
    """Text, with the verdicts in it."""
    assert wrong_report(f"a/b{suffix}") is None
    assert "1006 at 60 s of 120 s" in renderer(f"a/b{suffix}")(run(good(), cut()))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("report.pdf", r"^'report.pdf': a report cannot be '.pdf'; valid ones: .json, .jsonl, .md"),
        ("report", r"^'report': without a suffix its form is not known; valid ones: "),
        ("x/.json", r"^'x/.json': without a suffix its form is not known; valid ones: "),
    ],
)
def test_others_are_refused(path, message):
    """With the ones that there are."""
    with pytest.raises(ValueError, match=message):
        renderer(path)


def test_what_is_not_installed_is_said_before_the_run(monkeypatch):
    """A renderer may need more than the package does."""

    class Picky:
        @staticmethod
        def check():
            raise RuntimeError("it needs jinja2: pip install 'pytest-wsstability[report]'")

    monkeypatch.setattr(formats, "_module", lambda suffix: Picky)

    assert wrong_report("a.json") == "'a.json': it needs jinja2: pip install 'pytest-wsstability[report]'"
