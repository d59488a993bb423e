"""The command line's grammar: what lines ask for, what is said of those that ask for nothing, and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from data.errors import BadInput
from data.records import replace
from data.vocabulary import Drift, FlattenWhat, HaltScope, OrderType, PerClient, Product, Side, SizingKind
from engine.colon.asked import (
    AlertDo,
    AskedAlert,
    AskedBasket,
    AskedChange,
    AskedOfRun,
    AskedOrders,
    AskedPage,
    AskedToCancel,
    AskedToConvert,
    AskedToConvertAll,
    AskedToFlatten,
    AskedToSave,
    Numbered,
    OfRun,
)
from engine.colon.completing import completed, completions
from engine.colon.grammar import READERS, parse
from engine.colon.known import Around, Known, Names
from engine.colon.writing import line_of
from engine.desk import Desk
from engine.planning.intent import Intent, Selection, Sizing
from engine.planning.plan_record import freeze
from engine.words.colon import FORMS, asked_words, problem_words
from tests.desks import paper_desk
from tradedesk.app.typed.colon_commands import plain_commands

COMMANDS = {name: command.help for name, command in plain_commands().items()}


@asynccontextmanager
async def knowing(tmp_path: Path) -> AsyncIterator[tuple[Desk, Known]]:
    async with paper_desk(tmp_path) as desk:
        legs = parse("basket buy RELIANCE:15% TCS:20%", desk.known())
        assert isinstance(legs, AskedBasket)
        assert legs.intent is not None
        await desk.baskets.save("Large caps", legs.intent.legs)
        names = Names(await desk.baskets.all(), {"theme": ["dark", "light"]}, COMMANDS)
        yield desk, desk.known(names, Around(marked=(1, 4), shown=(5, 6, 7)))


def order(line: str, known: Known) -> AskedOrders:
    asked = parse(line, known)
    assert isinstance(asked, AskedOrders)
    return asked


async def test_lines_are_understood_and_say_what_they_would_do(tmp_path: Path) -> None:
    async with knowing(tmp_path) as (desk, known):
        south = [client for client in desk.clients.all() if "South" in client.groups]
        lent = [client for client in south if client.mtf_limit_paise == 0]
        assert 0 < len(lent) < len(south)
        asked = order("buy infy 2% @1500 g:south !mtf", known)
        assert asked.client_id is None
        assert asked.intent == Intent(
            Side.BUY,
            "NSE:INFY",
            Sizing(SizingKind.PERCENT_OF_CAPITAL, 200),
            OrderType.LIMIT,
            limit_paise=1500_00,
            selection=Selection(tuple(client.id for client in lent), title="group South without MTF"),
            multiplied=True,
        )
        words = asked_words(asked, known.select)
        assert words.startswith(
            f"BUY INFY 2 % of capital CNC LIMIT 1,500.00 · group South without MTF · {len(lent)} clients"
        )
        ticket = order(":BUY tcs 10 ps1015 ioc", known)
        assert ticket.client_id == 15
        assert asked_words(ticket, known.select) == "BUY TCS 10 shares each CNC MARKET · IOC · PS1015"
        many = order("sell tcs 100%capital marked mis drift:none again", known)
        assert many.intent.drift is Drift.NONE
        assert many.intent.selection == Selection((1, 4), title="2 MARKED of 50")

        basket = parse('basket "large caps" in-order g:South', known)
        assert isinstance(basket, AskedBasket)
        assert basket.intent is not None
        assert basket.intent.per_client is PerClient.IN_ORDER
        assert [leg.key for leg in basket.intent.legs] == ["NSE:RELIANCE", "NSE:TCS"]
        assert parse("flatten mis", known) == AskedToFlatten(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        assert parse("flatten client ps1015 all", known) == AskedToFlatten(
            HaltScope.CLIENT, "15", FlattenWhat.ALL
        )
        assert parse("flatten ps1015", known) == AskedToFlatten(HaltScope.CLIENT, "15", FlattenWhat.MIS)
        assert parse("flatten g:south mtf", known) == AskedToFlatten(
            HaltScope.GROUP, "South", FlattenWhat.MTF
        )
        assert parse("convert PS1015 TCS mis cnc", known) == AskedToConvert(
            15, "NSE:TCS", Product.MIS, Product.CNC
        )
        assert parse("convert marked mis cnc", known) == AskedToConvertAll(
            (1, 4), None, Product.MIS, Product.CNC
        )
        of_group = parse("convert g:South tcs mtf cnc", known)
        assert isinstance(of_group, AskedToConvertAll)
        assert of_group.key == "NSE:TCS"
        with pytest.raises(BadInput):
            parse("convert TCS mis cnc", known)
        assert parse("basket save Large caps", known) == AskedToSave("Large caps")
        assert parse("run 12", known) == AskedPage(Numbered.RUN, 12)
        assert parse("resume", known) == AskedPage(Numbered.CERTIFICATE, None)
        assert parse("reverse 3", known) == AskedOfRun(OfRun.REVERSE, 3)
        assert parse("cancel 4 5", known) == AskedToCancel((4, 5))
        assert parse("cancel ps1015", known) == AskedToCancel(client_id=15)
        assert parse("modify 7 @1500.50 20", known) == AskedChange(7, 20, 1500_50)
        assert parse("alerts", known) == AskedAlert()
        assert parse("alerts DONE square_off", known) == AskedAlert(AlertDo.DONE, "square_off")
        assert parse("alerts later square_off", known) == AskedAlert(AlertDo.LATER, "square_off", "10m")
        assert parse("alerts later chases_lost 15:00", known) == AskedAlert(
            AlertDo.LATER, "chases_lost", "15:00"
        )
        for line in (
            "alerts",
            "alerts later square_off 5m",
            "alerts done square_off",
            "orders",
            "gate",
            "help",
            "quit",
            "sign in PS1015",
        ):
            assert asked_words(parse(line, known), known.select)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("buy infy 2%%", "2%%: a size is 2%, 10 or ₹50000"),
        ("buy infy", "give the size: a size is 2%, 10 or ₹50000"),
        ("buy 10 infy", "10: the symbol comes first, then the size: INFY 2%"),
        ("buy infyy 2%", "infyy: did you mean INFY"),
        ("buy infy 2% @15,00", "15,00: a price is rupees with at most two decimals, as @1500.50"),
        ("buy infy 2% @1500 @1501", "@1501: the limit was given already"),
        ("buy infy 2% g:nobody", "g:nobody: no such group; there are"),
        ("buy infy 2% growth", "growth: behind the size stand @1500 (limit)"),
        ("buy infy 2% PS1015 !PS1015", "PS1015 !PS1015: nobody is left; name others or leave out fewer"),
        ("buy infy 2% @1500.03", "1500.03: INFY trades in ticks of"),
        ("buy infy 2% g:South VS1004=3", "VS1004: its line is to change, but it is not among the clients"),
        ("buy infy 2% in-order", "in-order: only a basket's legs go in order"),
        ("basket no such", "no such: give legs, such as buy RELIANCE:15%, or a saved basket: Large caps"),
        ("run twelve", "twelve: give a whole number, such as 10"),
        ("gate 3", "3: gate takes no word"),
        ("alerts later", "later: give nothing, done KIND, or later KIND with 5m"),
        ("flaten desk", "flaten: no such command; flatten"),
        ("theme pink", "pink: choose one of dark, light"),
    ],
)
async def test_an_error_names_the_word_and_what_would_be_right(tmp_path: Path, line: str, said: str) -> None:
    async with knowing(tmp_path) as (_, known):
        with pytest.raises(BadInput) as told:
            parse(line, known)
        assert problem_words(told.value).startswith(said)


async def test_the_line_of_an_intent_plans_the_same_plan_by_its_digest(tmp_path: Path) -> None:
    async with knowing(tmp_path) as (desk, known):
        for line in (
            "buy INFY 2% @1500 g:South !mtf",
            "buy INFY 2.5%available c:PS1015,MI1001 t:1600",
            "buy INFY ₹50000 MTF marked:MI1001,VS1004",
            "buy INFY 10 shown:AR1005,SN1006,KJ1007 drift:none",
            "buy INFY 10 PS1015 again",
            "buy INFY 10 c:PS1015",
            "buy TCS 25% g:South g:HNI SN1006=3 SN1006=MTF MI1001=0",
            "sell TCS 50% b:zerodha !g:HNI",
            "basket buy RELIANCE:15% TCS:20%:MTF@2500.00 sell INFY:100% g:South in-order",
        ):
            asked = parse(line, known)
            assert isinstance(asked, AskedOrders | AskedBasket)
            assert asked.intent is not None
            shown = line_of(asked.intent, known)
            assert shown is not None, line
            again = parse(shown, known)
            assert isinstance(again, AskedOrders | AskedBasket)
            assert again.intent is not None
            one, other = [await desk.plans.preview(intent) for intent in (asked.intent, again.intent)]
            now = desk.clock.now()
            assert freeze(one, 1, now).digest == freeze(other, 1, now).digest, line
        listed = replace(asked.intent, listed=True)
        assert line_of(listed, known) is None, "what no line can say is not said wrongly"


async def test_completions_are_words_of_the_place_and_complete_to_lines_that_are_understood(
    tmp_path: Path,
) -> None:
    async with knowing(tmp_path) as (_, known):

        def offered(line: str) -> list[str]:
            return [one.word for one in completions(line, known)]

        assert offered("fl") == ["flatten"]
        assert offered("buy inf")[0] == "INFY"
        assert "g:South" in offered("buy infy 2% g:so")
        assert offered("buy infy 2% PS10")[0] == "PS1015"
        assert "!mtf" in offered("buy infy 2% !")
        assert '"Large caps"' in offered("basket ")
        assert completed("basket la", '"Large caps"') == 'basket "Large caps" '
        assert isinstance(parse(completed("basket la", '"Large caps"'), known), AskedBasket)
        assert offered("flatten client PS1")[0] == offered("flatten PS1")[0] == "PS1015"
        assert offered("theme d") == ["dark"]
        assert offered("alerts l") == ["later"]
        assert offered("alerts later ") == ["square_off", "chases_lost"]
        assert offered("alerts later square_off e") == ["eod"]


async def test_no_typed_text_raises(tmp_path: Path) -> None:
    pieces = (
        *READERS,
        *("infy", "TCS", "3MINDIA", "2%", "10", "₹50000", "rs5", "25%available", "0", "-1", "1e9", "٣", "½"),
        *(
            "@",
            "@1500",
            "@1,5",
            "t:",
            "t:1490",
            "g:South",
            "g:",
            "!mtf",
            "!",
            "!g:",
            "c:",
            "c:,",
            "b:zerodha",
        ),
        *(
            "PS1015",
            "ps1015=5",
            "PS1015=",
            "=",
            "all",
            "holders",
            "marked",
            "marked:",
            "shown:PS1015",
            "again",
        ),
        *("RELIANCE:15%", "TCS:10:MTF@2500", ":::", "buy", "sell", "in", "in-order", "drift:none", "drift:"),
        *(
            '"',
            '"large caps"',
            "\x00",
            "\u202e",
            "[red]",
            "{}",
            "%s",
            "\\",
            "'",
            "run",
            "12",
            "99999999999999",
        ),
    )
    random = Random(5)
    async with knowing(tmp_path) as (_, known):
        understood = 0
        for _ in range(4_000):
            words = [random.choice(pieces) for _ in range(random.randrange(1, 7))]
            if random.random() < 0.3:
                words = ["".join(random.choice(words) for _ in range(3)), *words]
            line = random.choice((" ", "  ", "")).join(words)[: random.randrange(1, 80)]
            for one in completions(line, known):
                assert completed(line, one.word)
            said = ""
            try:
                asked = parse(line, known)
            except BadInput as bad:
                said = problem_words(bad)
            else:
                understood += 1
                said = asked_words(asked, known.select)
                intent = asked.intent if isinstance(asked, AskedOrders | AskedBasket) else None
                shown = None if intent is None else line_of(intent, known)
                if shown is not None:
                    again = parse(shown, known)
                    assert isinstance(again, AskedOrders | AskedBasket)
                    assert again.intent == intent
            assert said
        assert understood > 50


def test_every_command_says_what_stands_behind_it() -> None:
    assert list(FORMS) == list(READERS)
    assert not set(READERS) & set(COMMANDS)


async def test_a_list_of_nobody_is_not_everybody_and_a_term_is_said_once(tmp_path: Path) -> None:
    async with knowing(tmp_path) as (_, known):
        for line, said in (
            ("buy TCS 10 c:", "give codes"),
            ("buy TCS 10 c:,", "give codes"),
            ("basket buy TCS:10 INFY:5 c:", "give codes"),
            ("modify 5 20 30", "given already"),
            ("modify 5 @1500 @1600", "given already"),
        ):
            with pytest.raises(BadInput, match=said):
                parse(line, known)
