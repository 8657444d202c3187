"""
The pages of the reference that are made from the code: ``python -m tests.site.reference`` writes them.

Names, types, defaults and docstrings are the code's; what a keyword of a mark says is read from the page, and
stays as it is.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from pytest_wsstability import cli
from pytest_wsstability.cli import explain
from pytest_wsstability.net.server.orchestrator import OrchestratorKeywords
from pytest_wsstability.plugin import hooks, hookspecs
from pytest_wsstability.plugin.marks import StabilityKeywords, VoiceMarkKeywords
from pytest_wsstability.plugin.options import OPTIONS, Option
from tests.site.pages import DOCS

# A page is written by hand down to this line, and made from there on.
BEGIN = "<!-- from here on: python -m tests.site.reference -->\n"
# Modules whose names are looked up as members of them.
MODULES = ("faults", "fleet", "marks", "probe", "profiles", "strategies", "voice")
_KEYWORD = re.compile(r"^\| `(\w+)` \| .*? \| (.*) \|$", re.MULTILINE)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown."""
    names = list(head)
    lines = [names, ["---" for _ in names], *(list(row) for row in rows)]
    escaped = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "".join("| " + " | ".join(line) + " |\n" for line in escaped).replace("|  |", "| |")


def options_page(_: str) -> str:
    """Every option of the command line and of the ini file."""
    return table(("option", "ini", "says"), map(_option, OPTIONS))


def _option(option: Option) -> Iterator[str]:
    value = "|".join(option.choices) or option.keywords.get("metavar", "")
    optional = option.keywords.get("nargs") == "?"
    shown = f"{option.flag} {f'[{value}]' if optional else value}".strip()
    yield f"`{shown}`" if option.flag else ""
    yield f"`{option.ini}`" if option.ini else ""
    more = [f"also the variable `{option.env}`"] if option.env else []
    more += ["one a line in the ini file"] if option.repeats and option.ini and option.flag else []
    yield "; ".join([option.help or option.ini_help, *more])


def marks_page(page: str) -> str:
    """The keywords of the marks; what each says is the page's."""
    parts = []
    for name, keywords in (
        ("ws_stability", StabilityKeywords),
        ("ws_orchestrator", OrchestratorKeywords),
        ("ws_voice", VoiceMarkKeywords),
    ):
        told = dict(_KEYWORD.findall(page.partition(f"## `{name}`\n")[2].partition("\n## ")[0]))
        rows = [
            (f"`{each}`", f"`{_type(hint)}`", told.get(each, "").replace(r"\|", "|"))
            for each, hint in _hints(keywords)
            # Only `assert_closed` makes one.
            if each != "closed"
        ]
        parts.append(f"## `{name}`\n\n{table(('keyword', 'takes', 'says'), rows)}")
    return "\n".join(parts)


def _hints(keywords: Any) -> Iterator[tuple[str, str]]:
    for name, hint in keywords.__annotations__.items():
        yield name, str(getattr(hint, "__forward_arg__", hint))


def _type(hint: str) -> str:
    return re.sub(r"Literal\[(.*?)\]", lambda match: match[1].replace(", ", " | "), hint)


def fixtures_page(_: str) -> str:
    """The fixtures, by their docstrings."""
    # Versions of pytest differ in what a fixture shows of its function, so the source is read.
    functions = [
        each for each in ast.parse(inspect.getsource(hooks)).body if isinstance(each, ast.FunctionDef)
    ]
    told = {each.name: ast.get_docstring(each) for each in functions if each.name.startswith("ws_")}
    return "\n".join(f"## `{name}`\n\n{_markdown(told[name])}" for name in sorted(told))


def hooks_page(_: str) -> str:
    """The hooks, by their docstrings."""
    parts = []
    for name, hook in vars(hookspecs).items():
        if name.startswith("pytest_wsstability_"):
            signature = ", ".join(inspect.signature(hook).parameters)
            parts.append(f"## `{name}({signature})`\n\n{_markdown(inspect.getdoc(hook))}")
    return "\n".join(parts)


class _Parser(argparse.ArgumentParser):
    """One that can be asked what was added to it."""

    def __init__(self, **keywords: Any) -> None:
        self.added: list[argparse.Action] = []
        super().__init__(**keywords)

    def add_argument(self, *names: Any, **keywords: Any) -> argparse.Action:
        self.added.append(super().add_argument(*names, **keywords))
        return self.added[-1]


def commands_page(_: str) -> str:
    """Every command with its arguments and options, by its parser."""
    parts = [f"**DURATION**: {cli.DURATIONS}"]
    for name, purpose in cli.COMMANDS.items():
        command = cli.load(name)
        parser = _Parser(prog=f"wsstability {name}", add_help=False)
        command.add_options(parser)
        # As in the line of usage, what has no option comes first: the URL.
        rows = map(_argument, sorted(parser.added, key=lambda action: bool(action.option_strings)))
        sentence = f"{purpose[0].upper()}{purpose[1:]}."
        told = f"{command.EPILOG[0].upper()}{command.EPILOG[1:]}."
        parts.append(f"## `{parser.prog}`\n\n{sentence}\n\n{table(('argument', 'says'), rows)}\n{told}")
    return "\n\n".join(parts) + "\n"


def _argument(action: argparse.Action) -> Iterator[str]:
    value = "|".join(action.choices or ()) or action.metavar or action.dest.upper()
    if not action.option_strings:
        yield f"`{action.metavar or action.dest}`"
    else:
        yield f"`{action.option_strings[-1]}{'' if action.nargs == 0 else f' {value}'}`"
    yield action.help or ""


def faq_page(_: str) -> str:
    """The FAQ as `wsstability explain` has it."""
    return explain.text()


def names_page(_: str) -> str:
    """The public names in full, which Sphinx reads from their docstrings."""
    modules = ["pytest_wsstability", *(f"pytest_wsstability.{name}" for name in MODULES)]
    seen: set[int] = set()
    return "\n".join(_autodoc(import_module(name), seen) for name in modules)


def _autodoc(module: ModuleType, seen: set[int]) -> str:
    """The names of a module, but for those that stand in another one above."""
    lines = [f"## `{module.__name__}`\n", "```{eval-rst}"]
    for each in sorted(set(module.__all__) - {"__version__"}):
        name, value = f"{module.__name__}.{each}", getattr(module, each)
        if inspect.isclass(value) and id(value) in seen:
            continue
        seen.add(id(value))
        if inspect.isclass(value):
            lines += [f".. autoclass:: {name}", "   :members:"]
        elif inspect.isroutine(value):
            lines.append(f".. autofunction:: {name}")
        else:
            # Sphinx would show the docstring of its type.
            lines.append(f".. py:data:: {name}")
    return "\n".join([*lines, "```\n"])


def _markdown(docstring: str | None) -> str:
    """A docstring as it is written in this project, in Markdown."""
    text = (docstring or "").replace("``", "`")
    text = re.sub(r"^(Args|Returns|Raises|Yields):\n", r"*\1*\n\n", text, flags=re.MULTILINE)
    return re.sub(r"^    (\w[\w.]*): ", r"- `\1`: ", text, flags=re.MULTILINE).replace("\n    ", "\n") + "\n"


MADE: dict[str, Callable[[str], str]] = {
    "options": options_page,
    "marks": marks_page,
    "fixtures": fixtures_page,
    "hooks": hooks_page,
    "commands": commands_page,
    "faq": faq_page,
    "names": names_page,
}


def made(name: str) -> str:
    """A whole page: its head as it is, and what comes below made anew."""
    page = (DOCS / f"{name}.md").read_text()
    head, mark, _ = page.partition(BEGIN)
    if not mark:
        raise ValueError(f"docs/{name}.md has no line {BEGIN.strip()}")
    return head + BEGIN + "\n" + MADE[name](page)


if __name__ == "__main__":
    for name in sys.argv[1:] or MADE:
        (DOCS / f"{name}.md").write_text(made(name))
