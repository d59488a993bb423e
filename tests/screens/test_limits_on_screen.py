"""Limits on screen: a form that sets one by a word, the panel that takes it away, the client's page."""

from pathlib import Path

from data.vocabulary import LimitKind, LimitStrength
from screens.clients.page import ClientScreen
from screens.frame.cards.confirm import WordsCard
from screens.limits.limit_card import FigureInput, LimitCard
from screens.limits.limits_card import LimitsCard
from screens.limits.lists_card import ListsCard
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.answerfield import AnswerField


async def line(bench: PaperBench, words: str) -> None:
    await bench.keys("colon", *words, "enter")


def values(bench: PaperBench) -> list[tuple[LimitStrength, int | None]]:
    return [
        (one.strength, one.figure) for one in bench.desk.limits.all() if one.kind is LimitKind.ORDER_VALUE
    ]


async def test_a_limit_is_set_by_its_form_changed_from_the_panel_and_taken_away_by_a_word(tmp_path: Path):
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await line(bench, "limit PS1015")
        assert isinstance(bench.card, LimitCard)
        await bench.keys("tab")
        await bench.type("5,00,000")
        assert "PS1015: order value ₹5,00,000, hard" in bench.text
        await bench.keys("enter", "right", "enter")
        await bench.type("yes")
        await bench.keys("enter")
        assert values(bench) == []
        assert "'yes' is not valid; type set" in bench.text
        await bench.type("set")
        await bench.keys("enter")
        await bench.until(lambda: values(bench) == [(LimitStrength.SOFT, 5_00_000_00)])
        await line(bench, "limits PS1015")
        assert isinstance(bench.card, LimitsCard)
        await bench.until(lambda: "₹5,00,000" in bench.text)
        await bench.keys("enter")
        assert isinstance(bench.card, LimitCard)
        await bench.type("set")
        assert bench.card.query_one(AnswerField).text == "set"
        assert bench.card.query_one("#limit-figure", FigureInput).value == "500000.00"
        bench.card.query_one("#limit-figure").focus()
        await bench.keys("ctrl+u")
        await bench.type("4,00,000")
        assert "in the place of ₹5,00,000 soft" in " ".join(bench.text.split())
        await bench.keys("escape")
        await line(bench, "limits PS1015")
        await bench.until(lambda: "₹5,00,000" in bench.text)
        await bench.keys("delete")
        assert isinstance(bench.card, WordsCard)
        await bench.type("off")
        await bench.keys("enter")
        await bench.until(lambda: values(bench) == [])
        await line(bench, "lists")
        assert isinstance(bench.card, ListsCard)


async def test_a_clients_page_lists_the_limits_over_it_with_what_is_used(tmp_path: Path):
    async with opened_on_paper(tmp_path) as bench:
        before = bench.desk.limits.all()
        await line(bench, "limit PS1015 orders -10")
        assert "above zero" in bench.text or "whole number" in bench.text
        await bench.keys("escape")
        await line(bench, "limit PS1015 orders 10")
        assert bench.desk.limits.all() == before, "a line sets nothing by itself"
        await bench.type("set")
        await bench.keys("enter")
        await bench.until(lambda: any(one.kind is LimitKind.ORDERS for one in bench.desk.limits.all()))
        await line(bench, "client PS1015")
        assert isinstance(bench.screen, ClientScreen)
        await bench.keys(*["tab"] * 6)
        await bench.until(lambda: "orders a day" in bench.text)
        assert "  0 %" in bench.text
