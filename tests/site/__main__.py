"""
What pages show, made anew: ``python -m tests.site``, after a change of words, of options or of keywords.

The reference, the failures of pages that need no process of their own, and the picture of a failure.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.site import pictures, reference, scenario
from tests.site.pages import DOCS, ROOT, text_of

for name in reference.MADE:
    (DOCS / f"{name}.md").write_text(reference.made(name))
for name in scenario.PAGES:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        renewed = scenario.renewed(text_of(name), folder, scenario.in_a_process(folder))
    (ROOT / name).write_text(renewed)
pictures.FAILURE.write_text(pictures.drawn(pictures.shown_failure()))
