"""One public surface: its names load when they are asked for, and every error of ours has the one root."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import brokers
import data
import engine
import tradedesk
from data.errors import TradedeskError

ROOT = Path(__file__).parents[2]

INSIDE = {
    "Fault",
    "GrowwFault",
    "MintRefused",
    "HeldBack",
    "KeptBack",
    "NotDelivered",
    "SentOnce",
    "Turned",
    "_RowProblem",
}
"""Exceptions that never leave the layer that raises them, or the simulator."""


def test_every_public_name_is_there() -> None:
    assert {name: getattr(tradedesk, name).__name__ for name in tradedesk.__all__} == {
        name: name for name in tradedesk.__all__
    }
    assert {"open_desk", "Intent", "TradedeskError"} <= set(dir(tradedesk))


def test_a_type_checker_sees_each_name_where_it_is_loaded_from() -> None:
    text = Path(str(tradedesk.__file__)).read_text(encoding="utf-8")
    seen = {
        name.asname: getattr(importlib.import_module(str(one.module)), name.name)
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.ImportFrom)
        for name in one.names
        if name.asname
    }
    assert seen == {name: getattr(tradedesk, name) for name in tradedesk.__all__}


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    code = "import sys, tradedesk; print([name for name in ('sqlalchemy', 'engine') if name in sys.modules])"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout == "[]\n"


def test_every_error_of_ours_has_the_one_root() -> None:
    found = set[str]()
    for package in (data, brokers, engine):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in module.name:
                continue
            found |= {
                name
                for name, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
                if issubclass(value, Exception) and value.__module__ == module.name
                if not issubclass(value, TradedeskError)
            }
    assert found == INSIDE
