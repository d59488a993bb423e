"""The command line's grammar: what lines ask for, what is said of those that ask for nothing, and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from random import Random

import pytest

from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ConsentKind,
    Drift,
    FlattenWhat,
    FlowKind,
    GuardAction,
    HaltScope,
    LimitKind,
    LimitScope,
    LimitStrength,
    OrderType,
    PerClient,
    Product,
    Side,
    SizingKind,
)
from engine.colon.asked import (
    AlertDo,
    AskedAlert,
    AskedBasket,
    AskedChange,
    AskedGuard,
    AskedLimit,
    AskedLists,
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
from engine.colon.records.asked import (
    AskedActions,
    AskedActionUndo,
    AskedBackup,
    AskedConsent,
    AskedConsentEnd,
    AskedConsents,
    AskedDispersion,
    AskedFlowClass,
    AskedFlows,
    AskedHistory,
    AskedProbe,
    AskedRecorded,
    AskedRisk,
    OfWhom,
)
from engine.colon.writing import line_of
from engine.desk import Desk
from engine.guards.asked import GuardOf, GuardWish
from engine.planning.intent import Intent, Selection, Sizing
from engine.planning.limits.typed import LimitWish
from engine.planning.plan_record import freeze
from engine.words.colon import asked_words, problem_words
from engine.words.line_forms import FORMS
from tests.desks import paper_desk
from tests.further import case
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


async def test_lines_about_what_is_on_record_are_understood(tmp_path: Path) -> None:
    async with knowing(tmp_path) as (_, known):
        until = date(2027, 3, 31)
        given = AskedConsent(15, ConsentKind.CONTRACT_NOTES, "mail of 2 Jan", None, until)
        for line, expected, words in (
            ("consents", AskedConsents(), "what clients have agreed to"),
            ("consent ps1015", AskedConsents(15), "what PS1015 has agreed to"),
            (
                "consent ps1015 contract-notes mail of 2 Jan until:2027-03-31",
                given,
                "enters the consent to contract notes by mail of PS1015: mail of 2 Jan until 31 Mar 2027",
            ),
            ("consent ps1015 end 3 by mail", AskedConsentEnd(15, 3, "by mail"), "consent 3 of PS1015 covers"),
            ("history", AskedHistory(OfWhom()), "what days have brought the desk"),
            ("history g:south", AskedHistory(OfWhom(group="South")), "what days have brought group South"),
            ("risk ps1015", AskedRisk(OfWhom(15)), "what PS1015 could lose"),
            ("dispersion 12", AskedDispersion(12), "what run 12 cost"),
            ("flows", AskedFlows(), "what came to clients and went by no trade"),
            (
                "flows class 7 pay-in cheque 9",
                AskedFlowClass(7, FlowKind.PAY_IN, "cheque 9"),
                "flow 7 was: pay in",
            ),
            (
                "actions ps1015",
                AskedActions(15),
                "companies' actions, and what was booked of them for PS1015",
            ),
            (
                "actions undo ps1015 tcs 2026-11-19 put off",
                AskedActionUndo(15, "NSE:TCS", date(2026, 11, 19), "put off"),
                "takes back what was booked for PS1015 of TCS of 19 Nov 2026: put off",
            ),
            ("recorded ps1015", AskedRecorded("ps1015"), "what happened on the replayed day of ps1015"),
            ("probe ps1015", AskedProbe(15), "looks by which address the calls of PS1015 leave"),
            ("backup", AskedBackup(), "copies the home's books to its backups"),
        ):
            asked = parse(line, known)
            assert asked == expected
            assert asked_words(asked, known.select).startswith(words)
        for wrong in (
            *("consent", "consent ps1015 gold x", "consent ps1015 phone", "consent ps1015 end 3"),
            *("consent ps1015 phone x until:soon", "history g:nobody", "risk one two", "dispersion x"),
            *("flows class 7", "flows class 7 gift", "backup one two", "recorded one two", "probe one two"),
        ):
            with pytest.raises(BadInput):
                parse(wrong, known)
        assert [one.word for one in completions("consent PS1015 con", known)] == ["contract-notes"]
        assert [one.word for one in completions("flows class 7 pay", known)] == ["pay-in", "pay-out"]


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
        assert parse("guard", known) == parse("guards", known) == AskedGuard(None)
        assert parse("guard ps1015 today loss 2% target 5000 flat", known) == AskedGuard(
            GuardWish(HaltScope.CLIENT, "15", FlattenWhat.TODAY, GuardAction.FLAT, 200, None, None, 5_000_00)
        )
        assert parse("guard g:south loss 1.5%", known) == AskedGuard(
            GuardWish(HaltScope.GROUP, "South", loss_bps=150)
        )
        assert parse("guard desk mtf off", known) == AskedGuard(
            GuardOf(HaltScope.EVERYTHING, "", FlattenWhat.MTF, off=True)
        )
        for wrong in ("guard ps1015 loss", "guard ps1015 loss 0%", "guard ps1015 loss 200%", "guard loss 2%"):
            with pytest.raises(BadInput):
                parse(wrong, known)
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
        assert parse("run 3 reverse tcs", known) == AskedOfRun(OfRun.REVERSE, 3, "NSE:TCS")
        assert parse("repair 3 INFY", known) == AskedOfRun(OfRun.REPAIR, 3, "NSE:INFY")
        assert parse("run 3 RESUME", known) == AskedOfRun(OfRun.RESUME, 3)
        assert parse("run 3 cancel", known) == AskedToCancel(run_number=3)
        assert parse("run 3 show", known) == AskedPage(Numbered.RUN, 3)
        for wrong in ("run 3 again", "run 3 pause TCS", "run 3 cancel 4", "reverse 3 NOSUCH", "run stop"):
            with pytest.raises(BadInput):
                parse(wrong, known)
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


WRONG = [
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
    (
        "buy infy 2% g:South VS1004=3",
        "VS1004: its line is to change, but it is not among the clients",
    ),
    ("buy infy 2% in-order", "in-order: only a basket's legs go in order"),
    ("basket no such", "no such: give legs, such as buy RELIANCE:15%, or a saved basket: Large caps"),
    ("run twelve", "twelve: give a whole number, such as 10"),
    ("gate 3", "3: gate takes no word"),
    ("alerts later", "later: give nothing, done N, or later N with 5m"),
    ("flaten desk", "flaten: no such command; flatten"),
    ("theme pink", "pink: choose one of dark, light"),
]


async def test_an_error_names_the_word_and_what_would_be_right(tmp_path: Path) -> None:
    async with knowing(tmp_path) as (_, known):
        for line, said in WRONG:
            with case(line, said):
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
            "sell TCS 50% broker:zerodha !group:HNI",
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

        assert offered("fla") == ["flatten"]
        for line in ("buy SBIN 5% mis", "sell SBIN 50% mis", "flatten desk all", "buy SBIN 5% day", "alert"):
            whole = line.rpartition(" ")[2]
            assert offered(line)[0].casefold() == whole, "what is a word in full stays it"
        assert offered("flatten desk all") == ["all"]
        assert offered("buy inf")[0] == "INFY"
        assert "g:South" in offered("buy infy 2% g:so")
        assert offered("buy infy 2% PS10")[0] == "PS1015"
        assert "!mtf" in offered("buy infy 2% !")
        assert '"Large caps"' in offered("basket ")
        assert completed("basket la", '"Large caps"') == 'basket "Large caps" '
        assert isinstance(parse(completed("basket la", '"Large caps"'), known), AskedBasket)
        assert offered("flatten client PS1")[0] == offered("flatten PS1")[0] == "PS1015"
        assert offered("guard PS1")[0] == "PS1015"
        assert offered("guard PS1015 ")[-2:] == ["block", "flat"]
        assert offered("run 3 re") == ["resume", "repair", "reverse"]
        assert offered("run 3 reverse inf")[0] == offered("reverse 3 inf")[0] == "INFY"
        assert offered("run 3 pause inf") == offered("pause 3 ") == []
        assert offered("theme d") == ["dark"]
        assert offered("alerts l") == ["later"]
        assert offered("alerts later ")[:2] == ["square_off", "chases_lost"]
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


@pytest.mark.parametrize(
    ("line", "wish", "removes"),
    [
        (
            "limit PS1015 order-value 5,00,000 soft",
            LimitWish(LimitScope.CLIENT, "PS1015", LimitKind.ORDER_VALUE, LimitStrength.SOFT, 5_00_000_00),
            False,
        ),
        ("limit desk stock 25%", LimitWish(LimitScope.DESK, "", LimitKind.STOCK, figure=25_00), False),
        (
            "limit desk daily-loss 2%",
            LimitWish(LimitScope.DESK, "", LimitKind.DAILY_LOSS_PERCENT, figure=2_00),
            False,
        ),
        ("limit desk orders none", LimitWish(LimitScope.DESK, "", LimitKind.ORDERS), True),
        (
            "limit desk list l:gsm soft",
            LimitWish(LimitScope.DESK, "", LimitKind.LIST, LimitStrength.SOFT, None, "gsm"),
            False,
        ),
    ],
)
async def test_a_limit_is_typed_as_it_is_said(tmp_path, line, wish, removes):
    async with knowing(tmp_path) as (_, known):
        assert parse(line, known) == AskedLimit(wish, removes)


async def test_whose_limit_it_is_alone_opens_its_form_and_lists_are_named(tmp_path):
    async with knowing(tmp_path) as (_, known):
        wish = LimitWish(LimitScope.GROUP, "HNI", LimitKind.ORDER_VALUE)
        assert parse("limit g:HNI", known) == AskedLimit(wish, form=True)
        assert [parse(line, known) for line in ("lists", "lists l:GSM")] == [AskedLists(), AskedLists("gsm")]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("limit", "limit"),
        ("lists gsm t2t", "word"),
        ("limit desk stock", "figure"),
        ("limit desk stocks 25", "limit"),
        ("limit desk list", "list"),
        ("limit desk cross 5", "figure"),
        ("limits desk", "client"),
    ],
)
async def test_a_limit_that_says_too_little_names_what_is_missing(tmp_path, line, field):
    async with knowing(tmp_path) as (_, known):
        with pytest.raises(BadInput) as refused:
            parse(line, known)
    assert refused.value.field == field


async def test_a_basket_of_a_file_names_every_bad_row_and_says_whose_orders_it_has(tmp_path: Path) -> None:
    orders, legs = tmp_path / "my orders.csv", tmp_path / "legs.csv"
    head = "client,symbol,side,quantity\n"
    async with knowing(tmp_path) as (desk, known):
        orders.write_text(
            f"{head}AM1042,RELIANCE,BUY,ten\nRG1008,TCS,BUY,3\nZZ99,INFY,BUY,1\n", encoding="utf-8"
        )
        with pytest.raises(BadInput) as caught:
            parse(f'basket orders "{orders}"', known)
        assert problem_words(caught.value) == (
            "my orders.csv: row 2, quantity: 'ten' is not valid; give a whole number, such as 10"
            " · row 4, client: 'ZZ99' is not valid; no client has this code or id"
        )
        orders.write_text(f"{head}AM1042,RELIANCE,BUY,4\nRG1008,RELIANCE,BUY,3\n", encoding="utf-8")
        listed = parse(f"basket orders {orders}", known)
        assert isinstance(listed, AskedBasket)
        assert listed.intent is not None
        plan = await desk.plans.preview(listed.intent)
        quantities = {desk.clients.get(line.client_id).code: line.quantity for line in plan.lines}
        assert quantities == {"AM1042": 4, "RG1008": 3}
        assert asked_words(listed, known.select) == "2 orders of my orders.csv · 2 clients"

        legs.write_text("symbol,side,size\nRELIANCE,BUY,15%\nTCS,BUY,20%\n", encoding="utf-8")
        read = parse(f"basket legs {legs} g:South in-order", known)
        assert read == parse("basket buy RELIANCE:15% TCS:20% g:South in-order", known)
        with pytest.raises(BadInput, match="there is no such file"):
            parse("basket orders nowhere.csv", known)
        offered = {one.word for one in completions(f"basket orders {tmp_path}/", known)}
        assert {str(legs), f'"{orders}"'} <= offered
