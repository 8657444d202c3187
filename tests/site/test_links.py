"""Every relative link of every page leads somewhere, on GitHub and on the site."""

from __future__ import annotations

import re

import pytest

from tests.site.pages import DOCS, NAMES, ROOT, anchors, blocks, broken, links, text_of

_TREES = [block.text for block in blocks(text_of("docs/index.md")) if block.kind == "{toctree}"]


def test_each_link_leads_somewhere():
    """To a file of the repository, and to a heading in it."""
    lost = {name: broken(text_of(name), (ROOT / name).parent) for name in NAMES}

    assert {name: links for name, links in lost.items() if links} == {}


def test_no_page_of_the_site_leads_to_one_outside():
    """The site has pages of its own for those in the repository's root: security.md, contributing.md."""
    pages = [name for name in NAMES if name.startswith("docs/")]

    assert [
        (name, link) for name in pages for link in links(text_of(name)) if re.match(r"\.\./[^#]*\.md", link)
    ] == []


def test_each_page_is_in_the_contents():
    """Once."""
    listed = [line for tree in _TREES for line in tree.splitlines()]
    pages = [path.stem for path in DOCS.glob("*.md") if path.stem != "index"]

    assert {page: listed.count(page) for page in pages if listed.count(page) != 1} == {}


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("[a](there.md)", []),
        ("[a](nowhere.md)", ["nowhere.md"]),
        ("[a](there.md#two-words)", []),
        ("[a](there.md#two)", ["there.md#two"]),
        ("# Here\n[a](#here) [b](#there)", ["#there"]),
        ("![a](picture.svg)", ["picture.svg"]),
        ("[a]: nowhere.md", ["nowhere.md"]),
        ("[a](https://a.example/nowhere)", []),
        ("`[a](nowhere.md)`", []),
        ("```text\n[a](nowhere.md)\n```\n", []),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, text, lost):
    """A file, an anchor, a picture, a reference; what stands in code is none."""
    (tmp_path / "there.md").write_text("# Two words\n")

    assert broken(text, tmp_path) == lost


def test_anchors_are_those_of_github():
    """Lower case, hyphens for spaces, without punctuation; a second one has a number."""
    text = "# `wsstability probe`: what\n## What is *not* said\n## What is *not* said\n```sh\n# none\n```\n"

    assert anchors(text) == {"wsstability-probe-what", "what-is-not-said", "what-is-not-said-1"}


def test_links_are_found():
    """The pattern sees those of the README."""
    assert len(links(text_of("README.md"))) > 5
    assert not any(re.search(r"\s", link) for link in links(text_of("README.md")))
