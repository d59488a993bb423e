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
from tradedesk.app.keymap import BANNED_KEYS, PROFILES, all_commands, faults, key_table, keys_of
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
    assert faults(all_commands().values(), PROFILES[profile]) == []
    assert key_table(profile).complaints == ()


def test_a_fault_is_found() -> None:
    def command(name: str, keys: str, priority: bool = False) -> Command:
        return Command(name, keys, "x", "x", "x", "x", priority=priority)

    made = [
        command("one", "b"),
        command("two", "c,b"),
        command("three", "ctrl+m"),
        command("four", "v", True),
    ]
    found = faults(made, {})
    assert "two = 'b': it means one already; give that another key, or take a free one" in found
    assert any(fault.startswith("three = 'ctrl+m': it is banned") for fault in found)
    assert any(fault.startswith("four = 'v': it has priority over every field") for fault in found)


@pytest.mark.parametrize("profile", PROFILES)
def test_own_keys_lie_over_those_of_the_profile(profile: str) -> None:
    own = {
        "freeze": "z,F10",
        "privacy": "Ctrl+E",
        "watch": {"remove": ["PgDn", "Ctrl+D"]},
        "grid.page_down": "f11",
    }
    table = key_table(profile, own | ({"ticket.sell": "s,f2"} if profile == "odin" else {}))
    assert table.complaints == ()
    assert table.keys_of(COMMANDS["freeze"]) == ("z", "f10")
    assert table.keys_of(COMMANDS["privacy"]) == ("ctrl+e",)
    assert table.keys_of(COMMANDS["watch.remove"]) == ("pagedown", "ctrl+d"), "an id may stand without quotes"
    assert table.meaning("f10") == "freeze"
    assert table.meaning("ctrl+o") == "", "the table's own key is none's any more"
    assert table.keys_of(COMMANDS["help"]) == key_table(profile).keys_of(COMMANDS["help"])


def test_two_commands_may_change_their_keys_with_each_other() -> None:
    table = key_table("plain", {"copy": "t", "file": "c"})
    assert table.complaints == ()
    assert (table.meaning("t"), table.meaning("c")) == ("copy", "file")


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"ticket.bye": "b"}, "keymap ticket.bye: no command has this id; did you mean ticket.buy?"),
        ({"privacy": "ctrl+"}, "keymap privacy = 'ctrl+': no such key; write keys as b, F5, ctrl+e"),
        ({"privacy": ""}, "keymap privacy = '': no such key; write keys as"),
        ({"privacy": 5.5}, "keymap privacy = '5.5': no such key"),
        ({"privacy": "f9"}, "keymap privacy = 'F9': it means halt.press already; give that another key"),
        ({"privacy": "y"}, "keymap privacy = 'y': it means review.yes already"),
        ({"privacy": "Enter"}, "keymap privacy = 'Enter': Enter opens and closes everywhere; take another"),
        ({"privacy": "esc"}, "keymap privacy = 'Esc': Esc opens and closes everywhere"),
        (
            {"privacy": "ctrl+i"},
            "keymap privacy = 'ctrl+i': it is banned, since terminals send it as another",
        ),
        ({"halt.press": "f10"}, "keymap halt.press = 'F10': F9 ctrl+g may not be moved; leave it out"),
        ({"close": "f10"}, "keymap close = 'F10': Esc may not be moved; leave it out"),
        ({"review.yes": "f10"}, "keymap review.yes = 'F10': y may not be moved"),
        ({"palette": "p"}, "keymap palette = 'p': it has priority over every field"),
        ({"copy": "x"}, "keymap copy = 'x': it means order.cancel already"),
        ({"order.cancel": "f5"}, "keymap order.cancel = 'F5': x stays, since the screens name it: 'x,F5'"),
        (5, "keymap 5: write a table, [keymap], with lines such as"),
        ("b", "keymap 'b': write a table"),
    ],
)
def test_a_bad_keymap_is_named_and_the_profiles_keys_stay(own: object, told: str) -> None:
    for profile in PROFILES:
        table = key_table(profile, own)
        assert table.complaints[0].startswith(told)
        assert table.moved == PROFILES[profile]


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
        assert keys_of(COMMANDS["halt.press"], PROFILES[profile]) == ("f9", "ctrl+g")
        assert keys_of(COMMANDS["halt.stand_down"], PROFILES[profile]) == ("escape",)
        assert keys_of(COMMANDS["review.yes"], PROFILES[profile]) == ("y",)


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
