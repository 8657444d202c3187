"""Where the documentation is: one address for messages, the site, and the README on a package index."""

# The address of the published site, with a slash at its end. Empty: it is not published, and messages name
# the pages' files in the repository.
SITE = ""


def page(name: str, anchor: str = "") -> str:
    """Where to read a page, such as ``faq``, from one of its anchors on."""
    place = f"{SITE}{name}.html" if SITE else f"docs/{name}.md"
    return f"{place}#{anchor}" if anchor else place
