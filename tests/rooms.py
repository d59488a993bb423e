"""The page of the rooms, made from imports and docstrings: `python -m tests.rooms` writes it anew."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "rooms.md"
LAYERS = ("tradedesk", "screens", "widgets", "engine", "brokers", "data")

_HEAD = """\
# The rooms

Made by `python -m tests.rooms`; a test compares the two. An arrow goes from the room that imports to the one
that is imported; which arrows there may be is held by the contracts in `pyproject.toml`. What a room is for
stands at the top of its file or `__init__.py`. Under it stands each of its files, with the first sentence of
its docstring."""


def page() -> str:
    """The page as the imports of this tree have it: the layers, then the rooms of each."""
    graph = grimp.build_graph(*LAYERS)
    arrows = {
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    parts = [_HEAD, "## The layers", _picture(arrows, 1, {name: name for name in LAYERS})]
    for layer in LAYERS:
        rooms = {
            ".".join(name.split(".")[:2]): name.split(".")[1]
            for name in sorted(graph.modules)
            if name.startswith(f"{layer}.")
        }
        parts += [f"## {layer}", _picture(arrows, 2, rooms), "\n".join(_what_for(rooms))]
    return "\n\n".join(parts) + "\n"


def _picture(arrows: Iterable[tuple[str, str]], depth: int, rooms: Mapping[str, str]) -> str:
    ends = {tuple(".".join(name.split(".")[:depth]) for name in pair) for pair in arrows}
    lines = [f'    {_node(room)}["{label}"]' for room, label in rooms.items()]
    lines += [
        f"    {_node(importer)} --> {_node(imported)}"
        for importer, imported in sorted(ends)
        if importer != imported and {importer, imported} <= rooms.keys()
    ]
    return "\n".join(["```mermaid", "graph TD", *lines, "```"])


def _node(room: str) -> str:
    return room.replace(".", "_")


def _what_for(rooms: Iterable[str]) -> Iterator[str]:
    """A line a room, with all that the top of it says, and under it a line a file."""
    for room in rooms:
        place = ROOT.joinpath(*room.split("."))
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        yield f"- `{room.replace('.', '/')}`: {_top(file)}"
        yield from _files(place, 1)


def _files(folder: Path, depth: int) -> Iterator[str]:
    """A line a file of a folder, folders of its own behind them, each with its files."""
    indent = "  " * depth
    for file in sorted(folder.glob("*.py")):
        if file.name != "__init__.py":
            yield f"{indent}- `{file.name}`: {_first_sentence(file)}"
    for inner in sorted(path.parent for path in folder.glob("*/__init__.py")):
        yield f"{indent}- `{inner.name}/`: {_first_sentence(inner / '__init__.py')}"
        yield from _files(inner, depth + 1)


def _top(file: Path) -> str:
    """The first paragraph of a file's docstring, in one line."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def _first_sentence(file: Path) -> str:
    return re.split(r"(?<=[.!?])\s", _top(file), maxsplit=1)[0]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
