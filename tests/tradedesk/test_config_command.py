"""`tradedesk config` and `tradedesk keys`: what holds, where it comes from, what is wrong."""

from cli_desk import Terminal

from data.home import settings_file, themes_folder
from tradedesk.compose.settings import Settings

BAD = """\
# a home with a fault of each kind
polcy = "exact"
refresh_hz = 50
density = "compact"
theme = "mine"

[keymap]
"privacy" = "f9"
"ticket.bye" = "b"
"""


def test_every_setting_is_shown_with_its_source_and_what_it_does(empty: Terminal) -> None:
    empty.home.mkdir()
    settings_file(empty.home).write_text("density = 'compact'\n", encoding="utf-8")
    shown = empty.done("config")
    by_key = {one["key"]: one for one in shown["settings"]}
    assert list(by_key) == list(Settings.model_fields)
    assert (by_key["density"]["value"], by_key["density"]["source"]) == ("compact", "config.toml")
    assert (by_key["workspace"]["value"], by_key["workspace"]["source"]) == ("desk", "default")
    assert all(one["does"] for one in shown["settings"])
    assert shown["problems"] == []
    printed = empty.run("config")
    assert printed.code == 0
    assert "density" in printed.out


def test_every_fault_is_named_at_once_and_the_rest_shown(empty: Terminal) -> None:
    empty.home.mkdir()
    settings_file(empty.home).write_text(BAD, encoding="utf-8")
    themes_folder(empty.home).mkdir()
    (themes_folder(empty.home) / "mine.toml").write_text('primary = "blau"\n', encoding="utf-8")
    printed = empty.run("config", "--json")
    assert printed.code == 2
    told = "\n".join(printed.document["problems"])
    for words in (
        "did you mean policy?",
        "refresh_hz",
        "less than or equal to 10",
        "keymap ticket.bye: no command has this id; did you mean ticket.buy?",
        "mine.toml line 1: primary: 'blau' is no colour",
        "theme: 'mine' is not valid",
    ):
        assert words in told
    by_key = {one["key"]: one for one in printed.document["settings"]}
    assert by_key["density"]["value"] == "compact"
    assert by_key["refresh_hz"]["value"] == 5.0
    settings_file(empty.home).write_text("density = \n", encoding="utf-8")
    printed = empty.run("config")
    assert printed.code == 2
    assert "it must be TOML" in printed.err


def test_one_setting_is_changed_and_comments_stay(empty: Terminal) -> None:
    empty.home.mkdir()
    settings_file(empty.home).write_text("# mine\ndensity = 'roomy' # for now\n", encoding="utf-8")
    assert empty.done("config", "set", "density", "compact")["value"] == "compact"
    assert empty.done("config", "set", "policy", "exact")["source"] == "config.toml"
    text = settings_file(empty.home).read_text(encoding="utf-8")
    assert text == '# mine\ndensity = "compact" # for now\npolicy = "exact"\n'
    refused = empty.run("config", "set", "refresh_hz", "50", "--json")
    assert (refused.code, refused.error["field"]) == (2, "setting refresh_hz")
    assert settings_file(empty.home).read_text(encoding="utf-8") == text


def test_keys_are_listed_under_their_ids(empty: Terminal) -> None:
    empty.home.mkdir()
    settings_file(empty.home).write_text("keys = 'odin'\n[keymap]\nfreeze = 'z,f11'\n", encoding="utf-8")
    shown = empty.done("keys")
    by_id = {one["id"]: one["keys"] for one in shown["commands"]}
    assert shown["profile"] == "odin"
    assert by_id["ticket.buy"] == ["f1", "plus", "b"]
    assert by_id["freeze"] == ["z", "f11"]
    assert by_id["halt.press"] == ["f9", "ctrl+g"]
    settings_file(empty.home).write_text("[keymap]\nfreeze = 'f11'\n", encoding="utf-8")
    refused = empty.run("keys")
    assert refused.code == 2
    assert "keymap freeze = 'F11': z stays" in refused.err


def test_the_doctor_of_keys_needs_a_terminal(empty: Terminal) -> None:
    refused = empty.run("keys", "doctor", "--json")
    assert (refused.code, refused.error["field"]) == (2, "terminal")
