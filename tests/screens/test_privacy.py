"""Privacy: no client's name and no amount in any screen, picture, copied text or file; prices stay."""

import re
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color

from data.home import exports_folder
from data.money import amount_words, grouped, half_up
from engine.colon.asked import AskedOrders
from engine.colon.grammar import parse
from engine.words import formats
from engine.words.privacy import MASK, Privacy, is_private, without_privacy
from screens.frame.routes import WorkspaceName
from tests.further import further
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.places import PARTS, Visit
from tradedesk.app.veil import Veil

SEEN = ("desk", "bulk, a plan", "orders", "positions", "a client", "ticket", "review", "cancel many")
"""Where names or amounts surely stand while nothing is hidden."""

UNITS = re.compile(r"₹ ?-?\d|(?<![\w.,])\d[\d,]*(\.\d+)? (L|cr)\b")
"""What only an amount is written as."""


def names(bench: PaperBench) -> set[str]:
    """The parts of every client's name that are words."""
    return {
        word
        for client in bench.desk.clients.all()
        for word in client.name.split()
        if len(word) > 2 and word not in ("Client",)
    }


def amounts(bench: PaperBench) -> set[str]:
    """What clients own, have blocked or have won, as the screens write it, from a thousand rupees on."""
    found: set[str] = set()
    for client in bench.desk.clients.all():
        funds, value = bench.desk.funds.of(client.id), bench.desk.valuation.client(client.id)
        for paise in (
            client.capital_paise,
            funds.available_paise,
            funds.blocked_paise,
            value.portfolio_paise,
            value.value_paise,
            value.invested_paise,
        ):
            if paise is not None and abs(paise) >= 1_000_00:
                found |= {grouped(half_up(abs(paise), 100)), amount_words(abs(paise))}
    return found


def leaks(bench: PaperBench, text: str, hide: set[str]) -> list[str]:
    """Names and amounts in a text; an amount that is no part of a longer figure."""
    words = set(re.findall(r"[\w.,]+", text))
    return [*sorted(words & hide), *(found.group() for found in UNITS.finditer(text))]


async def test_what_is_to_be_hidden_is_there_to_be_seen_and_is_shown_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(200, 50)) as bench:
        visit = Visit(bench)
        await visit.furnish()
        hide = names(bench) | amounts(bench)
        for place in SEEN:
            await visit.open(place)
            assert leaks(bench, bench.text, hide), place
            await visit.leave()
        await bench.keys("ctrl+o")
        assert leaks(bench, bench.text, hide) == []
        await bench.keys("ctrl+o")
        assert leaks(bench, bench.text, hide) != []


@pytest.mark.parametrize("places", further(PARTS))
async def test_no_screen_and_no_picture_names_a_client_or_an_amount(
    tmp_path: Path, places: tuple[str, ...]
) -> None:
    async with opened_on_paper(tmp_path, size=(200, 50)) as bench:
        visit = Visit(bench)
        await visit.furnish()
        hide = names(bench) | amounts(bench)
        await bench.keys("ctrl+o")
        assert bench.app.privacy
        for place in places:
            await visit.open(place)
            text = bench.text
            found = leaks(bench, text, hide)
            assert found == [], f"{place}: {found}"
            if places is PARTS[0]:  # a picture of any screen is made by the one function
                picture = re.sub(r"&#160;|<[^>]*>", " ", bench.app.export_screenshot())
                assert leaks(bench, picture, hide) == [], f"{place}, its picture"
            assert "2,5" in text or place not in ("desk", "ticket"), "prices stay"
            await visit.leave()


async def test_no_copy_and_no_file_names_a_client_or_an_amount(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(200, 50)) as bench:
        await Visit(bench).furnish()
        hide = names(bench) | amounts(bench)
        await bench.keys("ctrl+o")
        for name in (
            WorkspaceName.DESK,
            WorkspaceName.ORDERS,
            WorkspaceName.POSITIONS,
            WorkspaceName.CLIENTS,
            WorkspaceName.DAY,
        ):
            bench.app.open_workspace(name)
            await bench.settle()
            await bench.keys("c", "t")
            assert leaks(bench, bench.app.clipboard, hide) == [], name
        files = sorted(exports_folder(tmp_path).glob("*.csv"))
        assert len(files) == 5
        raw = {f"{float(one.replace(',', '')):.2f}" for one in amounts(bench)}
        for file in files:
            text = file.read_text(encoding="utf-8-sig")
            assert leaks(bench, text, hide | raw) == [], file.name
            assert MASK in text


def test_formats_hide_amounts_and_leave_prices_where_privacy_is_worn() -> None:
    privacy = Privacy()
    from engine.words.privacy import wear

    wear(privacy)
    shown = formats.rupees(1_234_500)
    privacy.on = True
    try:
        figures = (
            formats.amount,
            formats.rupees,
            formats.short,
            formats.lakh,
            formats.signed,
            formats.signed_short,
        )
        assert {one(1_234_567_89) for one in figures} == {MASK}
        assert {one(None) for one in figures} == {formats.DASH}
        assert formats.price(245_050) == "2,450.50"
        assert formats.signed_amount(1_250) == "+12.50"
        assert formats.typed(245_050) == "2450.50"
        with without_privacy():
            assert formats.rupees(1_234_500) == shown, "a command's answer is not the screen's"
        assert is_private()
    finally:
        privacy.on = False


def test_a_line_is_masked_across_its_segments_and_keeps_its_cells() -> None:
    privacy = Privacy(on=True)
    privacy.know(["Priya Sharma", "Rao & B"])
    line = [
        Segment("PS1015 Pri"),
        Segment("ya Shar… "),
        Segment("₹48,508"),
        Segment(" 1.11 L at 2,450.50 Raoul"),
    ]
    masked = "".join(one.text for one in Veil(privacy).apply(line, Color(0, 0, 0)))
    assert masked == "PS1015 ••••• ••••• ••••••• •••••• at 2,450.50 Raoul"
    assert privacy.hidden("Rao and Priya") == "••• and •••••"


async def test_toasts_the_tape_and_the_log_of_commands_name_nobody_and_no_amount(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, (120, 40), notifications=True) as bench:
        desk, client = bench.desk, bench.client("AM1042")
        name = desk.clients.get(client).name
        await desk.notes.on_client(client, f"{name} wants ₹5,00,000 back")
        asked = parse("buy TCS ₹50000", bench.app.known())
        assert isinstance(asked, AskedOrders)
        await desk.plans.freeze(asked.intent)
        hide = names(bench) | amounts(bench) | {"50000", "50,000"}
        told = f"sent as run 1: BUY 19 TCS for AM1042 {name}, at most ₹48,508 of 1.11 L"
        for private in (False, True):
            if private:
                await bench.keys("ctrl+o")
            bench.app.say(told)
            await bench.settle()
            assert bool(leaks(bench, bench.lines()[-1], hide)) is not private
            await bench.keys("colon", *"log", "enter")
            await bench.until(lambda: any("buy TCS" in one.command for one in bench.card.listed))
            await bench.settle()
            assert ("buy TCS" in bench.text) is not private
            found = leaks(bench, bench.text, hide)
            assert found == [] if private else found
            await bench.keys("c")
            if private:
                assert leaks(bench, bench.app.clipboard, hide) == []
            await bench.keys("escape")
