"""What is painted, and that a screen that fails of it does not take the emergency keys down."""

import pytest
from textual.css.stylesheet import Stylesheet

from screens.desk.screen import DeskScreen
from screens.frame.help import HelpScreen
from screens.halt.screen import CertificateScreen
from tests.screens.bench import opened
from tradedesk.testing import toasts_shown
from widgets.statusstrip import StatusStrip


async def test_f9_works_though_the_screen_cannot_be_painted() -> None:
    async with opened() as bench:

        def broken() -> None:
            raise ZeroDivisionError("a figure")

        bench.screen.on_frame = broken
        for _ in range(3):
            bench.app.frame()
        await bench.pilot.pause(0.01)
        assert toasts_shown(bench.app) == ["this screen could not be painted (a figure); the log says more"]
        bench.app.mending.complained = ""
        del bench.screen.on_frame
        await bench.f9()
        await bench.f9()
        assert isinstance(bench.screen, CertificateScreen)


async def test_a_screen_that_a_dialog_covers_is_not_painted_until_it_is_seen_again() -> None:
    async with opened() as bench:
        desk_screen = bench.screen
        assert isinstance(desk_screen, DeskScreen)
        await bench.keys("?")
        assert isinstance(bench.screen, HelpScreen)
        assert [desk_screen.is_current, bench.screen.is_current] == [False, True]
        bench.app.frozen = True
        bench.app.paint_strip()
        await bench.keys("escape")
        assert (bench.screen, desk_screen.is_current) == (desk_screen, True)
        assert "FROZEN" in bench.text


async def test_a_screen_shines_through_the_palette() -> None:
    async with opened() as bench:
        desk_screen = bench.screen
        await bench.keys("ctrl+p")
        assert bench.screen is not desk_screen
        assert desk_screen.is_current


async def test_a_screen_that_opens_has_no_style_sheet_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as bench:
        parsed: list[Stylesheet] = []
        reparse = Stylesheet.reparse

        def told(sheet: Stylesheet) -> None:
            parsed.append(sheet)
            reparse(sheet)

        monkeypatch.setattr(Stylesheet, "reparse", told)
        for key in ("2", "3", "1", "/", "escape", "b", "escape", "2"):
            await bench.keys(key)
        assert parsed == []


async def test_a_workspace_out_of_sight_takes_another_theme_when_it_is_seen_again() -> None:
    async with opened() as bench:
        await bench.keys("3")
        ground = bench.screen.query_one(StatusStrip).rich_style.bgcolor
        await bench.keys("1", "colon")
        await bench.type("theme high-contrast")
        await bench.keys("enter", "3")
        assert bench.screen.query_one(StatusStrip).rich_style.bgcolor != ground
