"""The colours: each theme can be read; a theme file is taken, or its fault named by file, line, variable."""

import os
from pathlib import Path

import pytest
from textual.theme import Theme

from data.home import themes_folder
from screens.frame.cards.theme import ThemeCard
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.app.theme.contrast import GROUNDS, LEAST, TEXTS, contrasts
from tradedesk.app.theme.files import read_theme
from tradedesk.app.theme.themes import DARK_VARIABLES, THEMES
from tradedesk.compose.kept import SettingsOfHome
from tradedesk.compose.settings import Settings, load_settings
from tradedesk.testing import shown_strips

AAA = 7.0
"""What high contrast is held to on its background (WCAG 2.2, 1.4.6), but for the red of what is armed."""


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_text_can_be_read_on_every_ground_of_every_theme(theme: Theme) -> None:
    found = list(contrasts(theme))
    assert len(found) == len(GROUNDS) * len(TEXTS) - 1
    assert [one for one in found if one[2] < LEAST] == []
    if theme.name == "high-contrast":
        assert [one for one in found if one[1] == "background" and one[0] != "armed" and one[2] < AAA] == []
    assert set(DARK_VARIABLES) <= set(theme.variables), "each is whole by itself"


def test_up_and_down_differ_for_those_who_see_no_red_and_green() -> None:
    """Blue and orange: the one has more blue than red, the other more red than blue."""
    variables = next(theme for theme in THEMES if theme.name == "colour-blind").variables
    for cool, warm in (("pnl-up", "pnl-down"), ("side-buy", "side-sell")):
        red, blue = (int(variables[cool][place : place + 2], 16) for place in (1, 5))
        assert blue > red
        red, blue = (int(variables[warm][place : place + 2], 16) for place in (1, 5))
        assert red > blue


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "primary = 5\n",
            "mine.toml line 1: primary: 5 is no colour; write #12703a or a name such as seagreen",
        ),
        (
            "based = 'dusk'\n",
            "mine.toml line 1: based: 'dusk' is no built-in theme; choose one of dark, light",
        ),
        ("# x\n\npnl-up = '#fff'\n", "mine.toml line 3: pnl-up: no theme has this; put it under [variables]"),
        ("colour = '#fff'\n", "mine.toml line 1: colour: no theme has this; known: primary"),
        (
            "[variables]\npnl_up = '#fff'\n",
            "mine.toml line 2: pnl_up: no variable is called so; the desk's own",
        ),
        ("[variables]\n\npnl-up = 'grün'\n", "mine.toml line 3: pnl-up: 'grün' is no colour"),
        ("variables = 3\n", "mine.toml line 1: variables: write a table"),
        ("dark = 'yes'\n", "mine.toml line 1: dark: 'yes': say true or false"),
        ("text_alpha = 3\n", "mine.toml line 1: text_alpha: 3: give a number from 0 to 1"),
        ("primary = \n", "mine.toml: it must be TOML: Invalid value (at line 1"),
        (
            "[variables]\nblock-cursor-text-style = 'loud'\n",
            "mine.toml line 2: block-cursor-text-style: it is no",
        ),
    ],
)
def test_a_fault_is_told_by_file_line_and_variable(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    read = read_theme(path)
    assert read.theme is None
    assert read.complaints[0].startswith(told)


def test_a_theme_says_what_differs_and_weak_colours_are_told(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text("based = 'light'\nprimary = 'navy'\n[variables]\npnl-up = '#12703a'\n", encoding="utf-8")
    read = read_theme(path)
    assert read.complaints == ()
    assert read.theme is not None
    light = next(theme for theme in THEMES if theme.name == "light")
    assert (read.theme.name, read.theme.primary, read.theme.dark) == ("paper", "navy", False)
    assert read.theme.variables == {**light.variables, "pnl-up": "#12703a"}
    path.write_text("based = 'light'\n[variables]\nstale = '#e0e0c0'\n", encoding="utf-8")
    read = read_theme(path)
    assert read.theme is not None, "it is taken all the same"
    assert "paper.toml line 3: stale: hard to read on accent-muted: contrast 1.0" in read.complaints[0]
    (tmp_path / "dark.toml").write_text("primary = 'navy'\n", encoding="utf-8")
    assert "dark is a built-in theme" in read_theme(tmp_path / "dark.toml").complaints[0]
    path.write_text(f"based={'[' * 40_000}", encoding="utf-8")
    assert "it must be TOML" in read_theme(path).complaints[0]
    os.mkfifo(tmp_path / "pipe.toml")
    assert "it is no file" in read_theme(tmp_path / "pipe.toml").complaints[0]


def colours(bench: PaperBench) -> set[str]:
    """The colours of what is painted."""
    return {
        part.style.color.get_truecolor().hex
        for strip in shown_strips(bench.app)
        for part in strip
        if part.style and part.style.color
    }


async def test_a_theme_is_seen_as_its_file_is_saved_and_kept_by_enter(tmp_path: Path) -> None:
    folder = themes_folder(tmp_path)
    folder.mkdir()
    file = folder / "mine.toml"
    file.write_text("[variables]\nside-buy = '#abcdef'\n", encoding="utf-8")
    kept = SettingsOfHome(tmp_path, asks=False)
    async with opened_on_paper(tmp_path, (80, 24), Settings(trader="tester"), kept=kept) as bench:
        bench.app.run_command("theme")
        await bench.settle()
        assert isinstance(bench.card, ThemeCard)
        await bench.keys("left")
        assert "‹mine›" in bench.text
        assert "#abcdef" in colours(bench)
        file.write_text("[variables]\nside-buy = '#fedcba98'\nstale = 'no'\n", encoding="utf-8")
        await bench.settle()
        assert "mine.toml line 3: stale: 'no' is no colour" in bench.text
        assert "#abcdef" in colours(bench), "the last good one stays"
        file.write_text("[variables]\nside-buy = '#fedcba'\n", encoding="utf-8")
        await bench.settle()
        assert "#fedcba" in colours(bench)
        assert "no colour" not in bench.text
        await bench.keys("escape")
        assert bench.app.theme == "dark"
        bench.app.run_command("theme")
        await bench.settle()
        await bench.keys("left", "enter")
        assert load_settings(tmp_path).theme == "mine"
        assert bench.card is None
        assert bench.app.theme == "mine"
    settings = load_settings(tmp_path)
    file.write_text("side-buy = 3", encoding="utf-8")
    async with opened_on_paper(tmp_path / "again", settings=settings, kept=kept) as bench:
        assert bench.app.theme == "dark", "a theme that cannot be read keeps nobody from the desk"
        assert "mine.toml line 1: side-buy" in bench.toasts[0]
