"""Where the documentation is: one address for messages, the site, and the README on a package index."""

# The address of the published site, with a slash at its end. Empty: it is not published, and messages name
# the command that explains them.
SITE = ""


def code(name: str, kind: str = "") -> str:
    """
    The stable code of a member of an enum, under which the FAQ explains it: ``rule-alive``.

    Args:
        name: the member's.
        kind: what comes before it, where members of several enums would have the same.

    """
    return "-".join([*([kind] if kind else []), name.lower().replace("_", "-")])


def page(name: str, anchor: str = "") -> str:
    """The address of a page of the site, such as ``faq``, from one of its anchors on."""
    place = f"{SITE}{name}.html"
    return f"{place}#{anchor}" if anchor else place


def explained(code: str) -> str:
    """Where a code is explained: on the site, or by the command that is installed with the plugin."""
    return page("faq", code) if SITE else f"wsstability explain {code}"
