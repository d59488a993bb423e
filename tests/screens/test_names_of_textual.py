"""No screen or widget of ours lies over a name of Textual's own: `_closing` would stop its messages."""

import ast
import importlib
import inspect
import pkgutil
import string
from collections.abc import Iterator
from functools import cache
from textwrap import dedent
from types import ModuleType

from textual import events
from textual.keys import Keys, _character_to_key
from textual.message_pump import MessagePump

import screens
import widgets
from tradedesk import app


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


@cache
def kept_by(kind: type) -> frozenset[str]:
    """The names of what methods of a class set on `self`."""
    targets = (
        target
        for node in ast.walk(ast.parse(dedent(inspect.getsource(kind))))
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for one in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for target in ast.walk(one)
    )
    return frozenset(
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute)
        and isinstance(target.value, ast.Name)
        and target.value.id == "self"
    )


@cache
def ours() -> frozenset[type]:
    """Our classes that get messages."""
    return frozenset(
        kind
        for package in (screens, widgets, app)
        for module in modules_of(package)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, MessagePump) and not kind.__module__.startswith("textual")
    )


def test_nothing_of_ours_lies_over_what_textual_keeps_for_itself() -> None:
    taken = {
        f"{kind.__qualname__}.{name}"
        for kind in ours()
        for name in kept_by(kind)
        for base in kind.__mro__
        if base.__module__.startswith("textual")
        if name.startswith("_") and not name.startswith("__") and name in kept_by(base)
    }
    assert ours()
    assert taken == set()


def test_nothing_of_ours_is_taken_for_what_answers_a_key() -> None:
    """Textual calls `key_at` and `_key_at` of whatever has the focus, and of all around it, for `@`."""
    pressed = [events.Key(_character_to_key(one), one) for one in string.printable]
    names = {key.name for key in pressed} | {events.Key(one.value, None).name for one in Keys}
    calls = {f"{start}{name}" for start in ("key_", "_key_") for name in names}
    taken = {
        f"{kind.__qualname__}.{name}" for kind in ours() for name in calls & (kept_by(kind) | set(vars(kind)))
    }
    assert taken == set()
