"""The two tables of `docs/architecture.md` that follow an order and a tick name what is there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlmodel import SQLModel

import data.schema  # noqa: F401 - makes the tables known

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
WAYS = ("The way of an order", "The way of a tick")
HEAD = ["step", "where", "commit opened by", "may touch before or without it", "may touch inside it"]
NO_COMMIT = "none"
WRITES = {"write", "write_signed_on"}
"""What opens a commit: `Store.write`, and the same of an engine that has signed on."""


class Symbol(NamedTuple):
    """A name, and the file that the text says has it."""

    path: str
    name: str


def _rows(way: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {way}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _named(text: str) -> tuple[list[str], list[Symbol], list[str]]:
    """The files that a cell names, its symbols, each of the file before it, and names without a file."""
    paths: list[str] = []
    symbols: list[Symbol] = []
    others: list[str] = []
    for name in re.findall(r"`([^`]+)`", text):
        if name.endswith((".py", "/")):
            paths.append(name)
        elif paths:
            symbols.append(Symbol(paths[-1], name))
        else:
            others.append(name)
    return paths, symbols, others


@cache
def _defined(path: str) -> dict[str, ast.AST]:
    """What a file defines, by name; what stands in a class as `Class.name`."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return dict(_definitions(module, ""))


def _definitions(scope: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node, f"{node.name}.")
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if isinstance(node, ast.AnnAssign):
            targets = (node.target,)
        for target in targets:
            if isinstance(target, ast.Name):
                yield f"{prefix}{target.id}", node


@pytest.mark.parametrize("way", WAYS)
def test_every_row_of_a_way_has_its_cells(way: str) -> None:
    head, rule, *rows = _rows(way)
    assert head == HEAD
    assert set(rule) == {"---"}
    assert [row for row in rows if len(row) != len(HEAD) or not row[0] or not row[1]] == []
    assert len(rows) > 5


@pytest.mark.parametrize("way", WAYS)
def test_every_file_and_symbol_of_a_way_is_there(way: str) -> None:
    missing: list[object] = []
    for row in _rows(way)[2:]:
        for cell in row[1:3]:
            paths, symbols, unplaced = _named(cell)
            missing += unplaced
            missing += [path for path in paths if not (ROOT / path).exists()]
            missing += [one for one in symbols if one.name not in _defined(one.path)]
    assert missing == []


@pytest.mark.parametrize("way", WAYS)
def test_what_a_way_touches_are_tables_and_files(way: str) -> None:
    tables = SQLModel.metadata.tables.keys()
    for row in _rows(way)[2:]:
        paths, symbols, names = _named(" ".join(row[3:]))
        assert (paths, symbols) == ([], []), "files stand under `where`"
        assert [name for name in names if name not in tables] == []


@pytest.mark.parametrize("way", WAYS)
def test_whoever_a_way_says_opens_a_commit_does(way: str) -> None:
    opening = 0
    for row in _rows(way)[2:]:
        if row[2] == NO_COMMIT:
            assert row[4] == "", f"{row[0]}: nothing is inside no commit"
            continue
        _, symbols, _ = _named(row[2])
        assert symbols, row
        for symbol in symbols:
            calls = {
                call.func.attr
                for call in ast.walk(_defined(symbol.path)[symbol.name])
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
            }
            assert calls & WRITES, f"{symbol} opens no commit"
            opening += 1
    assert opening
