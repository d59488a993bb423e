"""The one table of commands: unique, without clashes and banned keys, and the only source of bindings."""

from importlib import import_module
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import screens
import widgets
from screens.frame.commands import COMMANDS, Command
from screens.frame.workspace import Dialog, Framed
from tradedesk.app.application import TradedeskApp
from tradedesk.app.keymap import BANNED_KEYS, PROFILES, all_commands, faults, keys_of
from tradedesk.app.workspaces import WORKSPACES


def bound_classes() -> list[type[DOMNode]]:
    """Every class of ours that has bindings of its own."""
    found: list[type[DOMNode]] = [TradedeskApp]
    for package in (screens, widgets):
        for path in Path(package.__path__[0]).rglob("*.py"):
            place = path.relative_to(Path(package.__path__[0])).with_suffix("")
            module = import_module(".".join([package.__name__, *place.parts]))
            found += [
                value
                for value in vars(module).values()
                if isinstance(value, type)
                and issubclass(value, DOMNode)
                and value.__module__ == module.__name__
                and "BINDINGS" in vars(value)
            ]
    return list(dict.fromkeys(found))


def bindings_of(owner: type[DOMNode]) -> list[Binding]:
    return list(Binding.make_bindings(vars(owner)["BINDINGS"]))


@pytest.mark.parametrize("profile", PROFILES)
def test_table_has_no_faults(profile: str) -> None:
    assert faults(all_commands().values(), profile) == []


def test_a_fault_is_found() -> None:
    def command(name: str, keys: str, priority: bool = False) -> Command:
        return Command(name, keys, "x", "x", "x", "x", priority=priority)

    made = [
        command("one", "b"),
        command("two", "c,b"),
        command("three", "ctrl+m"),
        command("four", "v", True),
    ]
    found = faults(made)
    assert "b means one and two" in found
    assert "three: ctrl+m is banned" in found
    assert "four: the letter v has priority" in found


def test_every_binding_has_an_id_and_comes_from_the_table() -> None:
    table = all_commands()
    checked = 0
    for owner in bound_classes():
        for binding in bindings_of(owner):
            checked += 1
            assert binding.id, f"{owner.__name__}: {binding.key} has no id"
            assert binding.key not in BANNED_KEYS, f"{owner.__name__}: {binding.key} is banned"
            assert not (binding.priority and len(binding.key) == 1), f"{owner.__name__}: {binding.key}"
            if binding.id in table:
                entry = Binding.make_bindings([(table[binding.id].keys, "x", "x")])
                assert binding.key in {each.key for each in entry}, (owner, binding)
            else:
                # Fields are their own small worlds; screens and grids are not.
                assert not issubclass(owner, Framed), f"{owner.__name__}: {binding.id} is not in the table"
    assert checked > 40


def test_no_screen_binds_one_key_twice() -> None:
    for owner in bound_classes():
        keys = [binding.key for binding in bindings_of(owner)]
        assert len(keys) == len(set(keys)), f"{owner.__name__}: {sorted(keys)}"


def test_dialogs_can_be_left_and_helped() -> None:
    ids = {binding.id for binding in bindings_of(Dialog)}
    assert {"close", "help"} <= ids


def test_emergency_keys_stand_in_every_profile() -> None:
    for profile in PROFILES:
        assert keys_of(COMMANDS["halt.press"], profile) == ("f9", "ctrl+g")
        assert keys_of(COMMANDS["halt.stand_down"], profile) == ("escape",)
        assert keys_of(COMMANDS["review.yes"], profile) == ("y",)


def test_workspaces_have_digits_and_letters_of_their_own() -> None:
    assert [entry.digit for entry in WORKSPACES] == list("123456789")
    assert len({entry.letter for entry in WORKSPACES}) == len(WORKSPACES)


def test_a_screens_style_sheet_is_found_by_those_that_inherit_it_too() -> None:
    paths = {
        owner: Path(owner.__dict__["CSS_PATH"])
        for owner in bound_classes()
        if isinstance(owner.__dict__.get("CSS_PATH"), Path)
    }
    assert len(paths) > 10
    assert all(path.is_absolute() and path.exists() for path in paths.values())
    assert not any(
        isinstance(owner.__dict__.get("CSS_PATH"), str)
        for owner in bound_classes()
        if issubclass(owner, Framed)
    )
