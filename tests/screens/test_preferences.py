"""Settings of the screen: asked for once, changed while it is open, kept, and told where they are bad."""

from pathlib import Path

import pytest

from data.home import settings_file
from screens.desk.screen import DeskScreen
from screens.frame.cards.profile import ProfileCard
from screens.halt.screen import CertificateScreen
from screens.orders.screen import OrdersScreen
from screens.ticket.card import TicketCard
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.kept import SettingsOfHome
from tradedesk.compose.settings import Settings, load_settings


async def colon(bench: PaperBench, line: str) -> None:
    await bench.keys("colon")
    await bench.type(line)
    await bench.keys("enter")


@pytest.mark.parametrize("size", further([(80, 24), (120, 40)]))
async def test_the_first_start_asks_for_the_keys_once(tmp_path: Path, size: tuple[int, int]) -> None:
    kept = SettingsOfHome(tmp_path, asks=True)
    async with opened_on_paper(tmp_path, size, Settings(trader="tester"), kept=kept) as bench:
        assert isinstance(bench.card, ProfileCard)
        assert "RELIANCE" in bench.text, "the desk goes on above it"
        assert "‹plain›" in bench.text
        assert "cancels ALL live orders of ALL clients" in bench.text
        assert "no snap quote here" not in bench.text
        await bench.keys("right", "right")
        assert "‹odin›" in bench.text
        assert "no snap quote here" in bench.text
        assert "not seen yet" in bench.text
        await bench.f9()
        assert "it arrives" in bench.text
        await bench.keys("escape")
        assert isinstance(bench.card, ProfileCard), "Esc stood down and closed nothing"
        await bench.keys("enter")
        assert bench.card is None
        assert load_settings(tmp_path).keys == "odin"
        assert not bench.desk.halt.active()
        assert bench.lines()[-1].startswith(" Enter open  e client  F1 F2 order  B S bulk")
        await bench.keys("plus")
        assert isinstance(bench.card, TicketCard)
        await bench.keys("enter", "plus", "minus", "plus")
        assert isinstance(bench.card, TicketCard)
        assert len(bench.screen.query(TicketCard)) == 1
        assert not bench.card.fields.number("quantity").frozen, "inside a ticket + and - do nothing"
        await bench.keys("5")
        assert bench.card.fields.number("quantity").value == "5"
    again = load_settings(tmp_path)
    async with opened_on_paper(tmp_path / "again", size, again, kept=kept) as bench:
        assert bench.card is None


async def test_esc_takes_plain_keys_and_profile_changes_them(tmp_path: Path) -> None:
    kept = SettingsOfHome(tmp_path, asks=True)
    async with opened_on_paper(tmp_path, settings=Settings(trader="tester"), kept=kept) as bench:
        await bench.keys("escape")
        assert load_settings(tmp_path).keys == "plain"
        await bench.keys("f2")
        assert bench.card is None
        await colon(bench, "profile odin")
        await bench.keys("f2")
        assert isinstance(bench.card, TicketCard)
        assert bench.card.side == "SELL"
        await bench.keys("escape", "question_mark")
        assert "F1 + b" in bench.text
        await bench.keys("escape", "ctrl+p")
        await bench.type("buy one")
        assert "F1 + b" in bench.text
        await bench.keys("escape")
        await colon(bench, "profile neat")
        assert "choose one of plain, kite, odin" in bench.text
        assert load_settings(tmp_path).keys == "odin"


async def test_the_demonstration_and_a_halted_desk_do_not_ask(tmp_path: Path) -> None:
    settings = Settings(trader="tester")
    kept = SettingsOfHome(tmp_path, asks=False)
    async with opened_on_paper(tmp_path, settings=settings, kept=kept) as bench:
        assert bench.card is None
        await bench.f9()
        await bench.f9()
        assert isinstance(bench.screen, CertificateScreen)


async def test_a_bad_keymap_is_told_and_the_profiles_keys_work(tmp_path: Path) -> None:
    settings = Settings(trader="tester", keys="odin", keymap={"privacy": "f9", "ticket.bye": "b"})
    async with opened_on_paper(tmp_path, settings=settings) as bench:
        assert "keymap ticket.bye: no command has this id; did you mean ticket.buy?" in bench.toasts[0]
        await bench.keys("f1")
        assert isinstance(bench.card, TicketCard)


async def test_own_keys_stand_in_line_help_and_what_is_said(tmp_path: Path) -> None:
    own = {"order.cancel": "x,F10", "help": "f11", "privacy": "ctrl+e", "filter": "f,ctrl+k"}
    async with opened_on_paper(tmp_path, settings=Settings(trader="tester", keymap=own)) as bench:
        assert "F11 keys" in bench.lines()[-1]
        await bench.keys("f10")
        assert bench.toasts[-1].startswith("F10 cancels live orders")
        await bench.keys("ctrl+e")
        assert bench.app.privacy
        await bench.keys("ctrl+o")
        assert bench.app.privacy, "the table's own key was moved away"
        await bench.keys("f11")
        await bench.type("hide names")
        assert "ctrl+e" in bench.text
        await bench.keys("escape", "escape", "question_mark")
        assert isinstance(bench.screen, DeskScreen)


async def test_settings_of_the_screen_change_at_once_and_are_kept(tmp_path: Path) -> None:
    settings_file(tmp_path).write_text("# mine\nkeys = 'plain'\n", encoding="utf-8")
    kept = SettingsOfHome(tmp_path, asks=True)
    async with opened_on_paper(tmp_path, settings=load_settings(tmp_path), kept=kept) as bench:
        rows = sum("│" in line for line in bench.lines())
        await colon(bench, "set density compact")
        assert sum("│" in line for line in bench.lines()) < rows
        await colon(bench, "set flash off")
        assert bench.app.flash_frames == 0
        await colon(bench, "set theme light")
        assert bench.app.theme == "light"
        await colon(bench, "set workspace orders")
        for line, told in [
            ("set density wide", "choose one of roomy, compact"),
            ("set refresh_hz fast", "give a number"),
            ("set policy exact", "`tradedesk config set` has the others"),
            ("set density", "say behind it what it is to be: roomy, compact"),
        ]:
            await colon(bench, line)
            assert told in bench.text or told in bench.toasts[-1]
            await bench.keys("escape", "escape")
    text = settings_file(tmp_path).read_text(encoding="utf-8")
    assert text.startswith("# mine\nkeys = 'plain'\n")
    async with opened_on_paper(tmp_path / "again", settings=load_settings(tmp_path), kept=kept) as bench:
        assert isinstance(bench.screen, OrdersScreen)
        assert bench.app.has_class("-compact")
