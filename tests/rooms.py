"""The picture of the rooms in the docs, made from the imports: `python -m tests.rooms` writes it anew."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import grimp

PAGE = Path(__file__).parents[1] / "docs" / "rooms.md"
LAYERS = ("tradedesk", "screens", "widgets", "engine", "brokers", "data")

_HEAD = """\
# The rooms

Made from the imports by `python -m tests.rooms`; a test compares the two. An arrow goes from the room that
imports to the one that is imported. What a room is for stands at the top of its file or `__init__.py`; which
arrows there may be is held by the contracts in `pyproject.toml`."""


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
    """A line a room: the first sentences of its docstring."""
    for room in rooms:
        place = PAGE.parents[1].joinpath(*room.split("."))
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        words = file.read_text(encoding="utf-8").split('"""')[1].partition("\n\n")[0]
        yield f"- `{room.replace('.', '/')}`: {' '.join(words.split())}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
