"""The README as a package index shows it, where links into a repository lead nowhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# A picture or a link to a file of the repository.
_RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


class Readme(MetadataHookInterface):
    """Gives the project its readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add it to the metadata."""
        root = Path(self.root)
        site = runpy.run_path(str(root / "pytest_wsstability/core/site.py"))["SITE"]
        text = for_an_index((root / "README.md").read_text(encoding="utf-8"), site)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def for_an_index(text: str, site: str) -> str:
    """
    A README whose relative links lead to the site.

    Args:
        text: the README.
        site: the site's address; without one, links become their words, and pictures go.

    """

    def link(match: re.Match[str]) -> str:
        picture, words, target = match.groups()
        if not site:
            return "" if picture else words
        path, _, anchor = target.partition("#")
        name = Path(path).name if picture else f"{Path(path).stem.lower()}.html"
        return f"{picture}[{words}]({site}{name}{f'#{anchor}' if anchor else ''})"

    return _RELATIVE.sub(link, text)
