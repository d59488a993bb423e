"""Settings changed by the program: kept among the trader's own lines, or refused with the file as it was."""

import tomllib
from pathlib import Path

import pytest

from data.errors import BadInput
from data.home import settings_file
from tests.books import change_by_hand, empty_books, found_by_programs
from tradedesk.compose.config_file import keep_setting, with_value
from tradedesk.compose.kept import SettingsOfHome
from tradedesk.compose.settings import SCREEN_SETTINGS, load_settings
from tradedesk.socket.protocol import settings_seen

OWN = """\
# the desk of Asha  # since May
trader = "asha"
Density = 'roomy'   # more "room"
theme = "da#rk" # not a comment inside

# my own keys
[keymap]
"freeze" = "z,f5"
"""


def test_a_value_changes_and_every_other_line_stays() -> None:
    changed = with_value(OWN, "density", "compact")
    assert changed == OWN.replace("'roomy'   # more", '"compact"   # more')
    changed = with_value(changed, "theme", 'li"ght')
    assert '\ntheme = "li\\"ght" # not a comment inside\n' in changed
    added = with_value(OWN, "flash", False)
    assert added == OWN.replace("inside\n", "inside\nflash = false\n")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "flash = false\n"),
        ("# nothing", "# nothing\nflash = false\n"),
        ("trader = 'a'\r\nflash = true # x\r\n", "trader = 'a'\r\nflash = false # x\r\n"),
        ("[keymap]\nflash = 'f5'\n", "flash = false\n[keymap]\nflash = 'f5'\n"),
        ('trader = """\nflash = true"""\n', 'trader = """\nflash = true"""\nflash = false\n'),
    ],
)
def test_a_value_finds_its_place(text: str, after: str) -> None:
    assert with_value(text, "flash", False) == after


def test_a_value_over_several_lines_is_the_traders_to_change() -> None:
    with pytest.raises(BadInput, match=r"write it into config\.toml by hand"):
        with_value('theme = """\ndark"""\n', "theme", "light")


def test_what_is_kept_is_checked_and_a_bad_value_leaves_the_file(tmp_path: Path) -> None:
    file = settings_file(tmp_path)
    file.write_text(OWN, encoding="utf-8")
    file.chmod(0o640)
    assert keep_setting(tmp_path, "density", "compact").density == "compact"
    assert load_settings(tmp_path).density == "compact"
    assert file.stat().st_mode & 0o777 == 0o640
    kept = file.read_text(encoding="utf-8")
    for key, typed, told in [
        ("density", "narrow", "Input should be 'roomy' or 'compact'"),
        ("flash", "maybe", "say on or off"),
        ("refresh_hz", "fast", "give a number"),
        ("refresh_hz", "٣", "give a number"),
        ("refresh_hz", "1_0", "give a number"),
        ("refresh_hz", "50", "less than or equal to 10"),
        ("keymap", "b", "write it into config.toml by hand"),
        ("paper_latency_ms", "1,2", "write it into config.toml by hand"),
        ("watch_columns", "ltp, chng", "Input should be 'ltp'"),
        ("strip_indices", "A,B,C,D,E", "at most 4"),
        ("colour", "red", "choose one of trader, policy"),
        ("workspace", "cellar", "'desk', 'bulk'"),
        ("consents", "gold hard", "give one of trading, mtf"),
    ]:
        with pytest.raises(BadInput) as refused:
            keep_setting(tmp_path, key, typed)
        assert told in str(refused.value)
    assert file.read_text(encoding="utf-8") == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.toml"]
    assert tomllib.loads(kept)["keymap"] == {"freeze": "z,f5"}


def test_the_environment_goes_over_the_file_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDESK_DENSITY", "roomy")
    with pytest.raises(BadInput, match="TRADEDESK_DENSITY in the environment goes over the file"):
        keep_setting(tmp_path, "density", "compact")
    assert not settings_file(tmp_path).exists()


def test_a_list_is_typed_with_commas_between_and_none_empties_it(tmp_path: Path) -> None:
    assert keep_setting(tmp_path, "strip_indices", "NIFTY 50, SENSEX").strip_indices == ("NIFTY 50", "SENSEX")
    assert settings_file(tmp_path).read_text(encoding="utf-8") == 'strip_indices = ["NIFTY 50", "SENSEX"]\n'
    assert keep_setting(tmp_path, "watch_columns", "chg,ltp").watch_columns == ("chg", "ltp")
    assert keep_setting(tmp_path, "strip_indices", "none").strip_indices == ()
    assert load_settings(tmp_path).watch_columns == ("chg", "ltp")


KITE_AT = "http://127.0.0.1:8100"


@pytest.mark.parametrize(
    ("kind", "broker", "address", "key", "typed"),
    [
        ("paper", "paper", "", "market", "kite"),
        ("paper", "paper", "", "market", "groww"),
        ("sim", "zerodha", KITE_AT, "market", "paper"),
        ("sim", "zerodha", KITE_AT, "kite_url", "http://127.0.0.1:9"),
    ],
)
async def test_no_setting_takes_a_home_to_another_venue_than_its_books(
    tmp_path: Path, kind: str, broker: str, address: str, key: str, typed: str
) -> None:
    """Settings name the venue of a fresh home; from then on its books say it, whatever is typed."""
    market = "paper" if broker == "paper" else "kite"
    keep_setting(tmp_path, "market", "groww")
    keep_setting(tmp_path, "kite_url", address)
    keep_setting(tmp_path, "market", market)
    empty_books(tmp_path)
    row = f"('{market}', '{kind}', '{broker}', '{address}', '')"
    change_by_hand(tmp_path, f"INSERT INTO connection (name, kind, broker, address, identity) VALUES {row}")
    with found_by_programs(tmp_path):
        kept = settings_file(tmp_path).read_bytes()
        with pytest.raises(BadInput, match="use another home"):
            keep_setting(tmp_path, key, typed)
        assert settings_file(tmp_path).read_bytes() == kept
        keep_setting(tmp_path, "market", market)  # and back, from a file that was changed by hand


def test_the_screen_keeps_its_own_settings_and_no_others(tmp_path: Path) -> None:
    kept = SettingsOfHome(tmp_path, asks=True)
    assert kept.keep("keys", "odin").keys == "odin"
    with pytest.raises(BadInput, match="tradedesk config set policy"):
        kept.keep("policy", "exact")
    assert settings_file(tmp_path).read_text(encoding="utf-8") == 'keys = "odin"\n'


def test_a_command_asks_the_open_app_whatever_the_screens_settings_are(tmp_path: Path) -> None:
    file = settings_file(tmp_path)
    file.write_text("policy = 'exact'\n", encoding="utf-8")
    seen = settings_seen(tmp_path)
    others = {"theme": "light", "keys": "odin", "flash": "off", "density": "compact", "workspace": "orders"}
    more = {"refresh_hz": "2", "watch_columns": "ltp, chg", "strip_indices": "SENSEX"}
    for key, typed in {**others, **more}.items():
        keep_setting(tmp_path, key, typed)
    assert {*others, *more, "keymap"} == set(SCREEN_SETTINGS)
    with file.open("a", encoding="utf-8") as behind:
        behind.write("[keymap]\nfreeze = 'z,f5'\n")
    assert settings_seen(tmp_path) == seen
    file.write_text("policy = 'worst'\n", encoding="utf-8")
    assert settings_seen(tmp_path) != seen


def test_the_profile_of_an_earlier_version_is_plain(tmp_path: Path) -> None:
    settings_file(tmp_path).write_text("keys = 'default'\n", encoding="utf-8")
    assert load_settings(tmp_path).keys == "plain"


@pytest.mark.parametrize("nested", [True, False])
def test_a_file_that_cannot_be_read_is_named_and_ends_no_command_otherwise(
    tmp_path: Path, nested: bool
) -> None:
    if nested:
        settings_file(tmp_path).write_text(f"a={'[' * 50_000}", encoding="utf-8")
    else:
        settings_file(tmp_path).mkdir()
    with pytest.raises(BadInput, match=r"config\.toml"):
        load_settings(tmp_path)
    with pytest.raises(BadInput, match=r"config\.toml"):
        keep_setting(tmp_path, "flash", "off")
    assert settings_seen(tmp_path)
