"""The ticket: live need, remedies under a and m, and a review that takes y and nothing else."""

from pathlib import Path

from textual.widgets import Input

from data.vocabulary import RunCount
from engine.accounts.client_edit import ClientEdit
from screens.ticket.card import TicketCard
from screens.ticket.review import ReviewCard
from screens.ticket.what_if import WhatIfCard
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.choicefield import ChoiceField
from widgets.livegrid import LiveGrid
from widgets.numberfield import NumberField
from widgets.symbolinput import SymbolInput


async def from_watchlist(bench: PaperBench, symbol: str = "TCS") -> None:
    watch = bench.screen.query_one("#watch", LiveGrid)
    watch.focus()
    watch.move_cursor(f"NSE:{symbol}")
    await bench.settle()
    await bench.keys("b")


async def filled(bench: PaperBench, quantity: str = "30") -> None:
    await from_watchlist(bench)
    await bench.type("PS1015")
    await bench.keys("enter")
    await bench.type(quantity)
    await bench.settle()


def number(bench: PaperBench, name: str) -> str:
    return bench.screen.query_one(f"#{name}", NumberField).value


async def test_from_the_watchlist_the_symbol_is_set_and_the_client_is_asked_for(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await from_watchlist(bench)
        assert isinstance(bench.card, TicketCard)
        client, symbol = (bench.screen.query_one(name, SymbolInput) for name in ("#client", "#symbol"))
        assert (client.text, client.chosen_key, symbol.chosen_key) == ("", None, "NSE:TCS")
        assert bench.screen.focused is not None
        assert client in bench.screen.focused.ancestors


async def test_from_a_client_row_the_symbol_is_proposed_and_typing_replaces_it(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        clients = bench.screen.query_one("#clients", LiveGrid)
        clients.move_cursor(bench.client("PS1015"))
        await bench.keys("b")
        client, symbol = (bench.screen.query_one(name, SymbolInput) for name in ("#client", "#symbol"))
        assert client.chosen_key == bench.client("PS1015")
        assert symbol.chosen_key == "NSE:RELIANCE"
        assert symbol in bench.screen.focused.ancestors
        await bench.keys("enter")
        assert bench.screen.focused.id == "quantity", "Enter takes the proposal"
        await bench.keys("shift+tab")
        await bench.type("RELAINCE")
        await bench.keys("enter")
        assert "did you mean RELIANCE" in bench.text
        bench.screen.focused.clear()
        await bench.type("TCS")
        await bench.keys("enter")
        assert symbol.chosen_key == "NSE:TCS", "typing replaces the proposal"
        assert bench.screen.focused.id == "quantity"


async def test_what_is_in_the_way_stands_there_with_two_ways_out(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench)
        text = bench.text
        assert "BUY TCS for PS1015 Priya Sharma" in text
        assert "cash 50,000 · held 25,000 · needs 76,591 at ≤2,550.00" in text
        assert "CANNOT SEND: insufficient available funds, short by 26,59" in text
        assert "a 19 sh · m 30 by MTF: own 15,414, borrowed 61,200, 0→12 %" in text
        await bench.keys("enter")
        assert isinstance(bench.card, TicketCard), "there is no review of what cannot be sent"
        assert bench.desk.runs.all() == []


async def test_a_and_m_fall_through_the_number_field_and_mend_the_order(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench)
        await bench.keys("m")
        assert bench.screen.query_one("#product", ChoiceField).value == "MTF"
        assert number(bench, "quantity") == "30"
        assert "CANNOT SEND" not in bench.text
        assert "MTF lends" in bench.text
        await bench.keys("m")
        await bench.keys("a")
        assert (bench.screen.query_one("#product", ChoiceField).value, number(bench, "quantity")) == (
            "CNC",
            "19",
        )
        assert "CANNOT SEND" not in bench.text


async def test_only_y_sends_and_only_once(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench)
        await bench.keys("a")
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        assert "valid 60 s" in bench.text
        assert "BUY 19 TCS for PS1015 Priya Sharma, CNC, MARKET up to 2,550.00, max ₹48,508" in bench.text
        await bench.keys("enter", "enter", "n", "Y", "space", "slash", "question_mark", "B", "q", "1")
        assert isinstance(bench.card, ReviewCard), "nothing else leads away from it"
        assert bench.desk.runs.all() == []
        await bench.keys("y", "y")
        assert bench.card is None
        run = bench.desk.runs.get(1)
        assert (run.counts[RunCount.FILLED], run.counts[RunCount.TOTAL]) == (1, 1)
        assert len(bench.desk.runs.all()) == 1
        assert bench.toasts[-1] == "PS1015 BUY TCS: filled 19 at 2,500.00"


async def test_keys_typed_before_the_review_is_seen_are_forgotten(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench, "2")
        await bench.keys("enter", "y", "y", apart=0.0001)
        assert bench.desk.runs.all() == []
        assert isinstance(bench.card, ReviewCard | TicketCard)


async def test_a_review_too_old_or_off_the_price_is_made_anew_and_asks_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await from_watchlist(bench, "RELIANCE")
        await bench.type("AM1042")
        await bench.keys("enter")
        await bench.type("10")
        await bench.keys("enter")
        await bench.pin("RELIANCE", 247050)
        await bench.keys("y")
        assert bench.desk.runs.all() == []
        assert "NOT SENT, made anew" in bench.text
        assert "up to 2,520.00" in bench.text
        await bench.pass_time(61)
        await bench.keys("y")
        assert bench.desk.runs.all() == []
        await bench.keys("y")
        assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 1


async def test_esc_forgets_what_was_typed(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench, "7")
        await bench.keys("escape")
        assert bench.card is None
        await bench.keys("b")
        assert number(bench, "quantity") == ""
        assert "draft" not in bench.text
        await bench.keys("escape")
        await from_watchlist(bench, "INFY")
        assert number(bench, "quantity") == ""
        assert bench.screen.query_one("#client", SymbolInput).text == ""


async def test_at_and_the_arrows_set_the_price_by_the_tick(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench, "5")
        await bench.keys("at")
        assert bench.screen.query_one("#type", ChoiceField).value == "LIMIT"
        assert number(bench, "price") == "2500.00"
        bench.screen.query_one("#price", NumberField).focus()
        await bench.keys("up", "pageup", "down")
        assert number(bench, "price") == "2501.00"
        bench.screen.query_one("#quantity", NumberField).focus()
        await bench.keys("up", "pagedown")
        assert number(bench, "quantity") == "0"
        await bench.type("5")
        await bench.keys("enter")
        assert "CNC, LIMIT 2,501.00" in bench.text


async def test_a_sell_starts_with_what_is_held_and_offers_what_is_free(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await filled(bench, "30")
        await bench.keys("m", "enter", apart=1)
        await bench.keys("y")
        assert bench.desk.runs.get(1).counts[RunCount.FILLED] == 1
        await bench.keys("s")
        await bench.type("PS1015")
        await bench.keys("enter")
        assert bench.screen.query_one("#product", ChoiceField).value == "MTF"
        await bench.type("31")
        await bench.settle()
        assert "SELL TCS for PS1015 Priya Sharma" in bench.text
        assert "not enough shares free to sell, short by 1 shares, 30 free to sell" in bench.text
        await bench.keys("a")
        assert number(bench, "quantity") == "30"
        await bench.keys("enter")
        assert "SELL 30 TCS for PS1015 Priya Sharma, MTF" in bench.text


async def test_a_stop_order_asks_for_its_trigger_and_a_price_gives_it_a_limit(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench, "5")
        kind = bench.screen.query_one("#type", ChoiceField)
        trigger = bench.screen.query_one("#trigger", NumberField)
        assert not trigger.display
        kind.focus()
        await bench.keys("left")
        assert kind.value == "SL-M"
        assert "trigger: an SL-M order needs the price that sets it off" in bench.text
        trigger.focus()
        await bench.type("2400")
        await bench.settle()
        assert "waits above the last price, 2500.00" in bench.text
        trigger.value = ""
        await bench.type("2600")
        await bench.settle()
        assert "CANNOT" not in bench.text
        assert "validity" not in bench.text
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        assert "SL-M trigger 2,600.00 up to" in " ".join(bench.text.split())
        await bench.keys("escape")
        bench.screen.query_one("#price", NumberField).focus()
        await bench.type("2610")
        assert kind.value == "SL"
        await bench.keys("enter")
        assert "SL 2,610.00 trigger 2,600.00" in " ".join(bench.text.split())
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        (order,) = bench.desk.orders.all()
        assert (order.order_type, order.limit_paise, order.trigger_paise) == ("SL", 261000, 260000)


async def test_an_order_at_once_or_not_at_all_says_so_and_leaves_nothing_open(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench, "5")
        validity = bench.screen.query_one("#validity", ChoiceField)
        assert validity.options == ("DAY", "IOC"), "the paper exchange takes no after-market orders"
        validity.focus()
        await bench.keys("right")
        assert validity.value == "IOC"
        bench.screen.query_one("#price", NumberField).focus()
        await bench.type("2400")
        await bench.settle()
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        assert "LIMIT 2,400.00, IOC, max" in " ".join(bench.text.split())
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        (order,) = bench.desk.orders.all()
        assert (order.state, order.filled_quantity, order.standing) == ("CANCELLED", 0, "IOC")
        assert bench.desk.funds.of(order.client_id).blocked_paise == 25_000_00, "only the hold is left"


async def test_a_stop_order_stands_for_the_day_whatever_was_chosen_before(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench, "5")
        validity, kind = (bench.screen.query_one(name, ChoiceField) for name in ("#validity", "#type"))
        validity.focus()
        await bench.keys("right")
        kind.focus()
        await bench.keys("left")
        assert (kind.value, validity.value, validity.display) == ("SL-M", "DAY", False)


async def test_the_same_order_again_is_refused_until_a_capital_a_insists(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench, "5")
        await bench.keys("enter", "escape")
        await bench.keys("enter")
        await bench.pass_time(0.5)
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        assert len(bench.desk.orders.all()) == 1
        await filled(bench, "5")
        await bench.pass_time(0.5)
        assert "A  the same again, on purpose" in bench.text
        assert "A again" in bench.lines()[-1]
        await bench.keys("enter")
        assert isinstance(bench.card, TicketCard)
        await bench.keys("A")
        await bench.pass_time(0.5)
        assert "CANNOT SEND" not in bench.text
        assert "the same again, on purpose" in bench.text
        await bench.keys("6", "backspace")
        await bench.pass_time(0.5)
        assert "CANNOT SEND" in bench.text, "another quantity is another wish"
        await bench.keys("A", "enter")
        assert isinstance(bench.card, ReviewCard)
        await bench.pass_time(0.5)
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        assert len(bench.desk.orders.all()) == 2


async def test_the_instruction_is_typed_kept_and_reviewed_with_the_order(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        client_id = bench.client("RV1012")
        await bench.desk.clients.edit(client_id, ClientEdit(discretionary=False))
        await from_watchlist(bench)
        await bench.type("RV1012")
        await bench.keys("enter")
        await bench.type("2")
        assert "CANNOT SEND" in bench.text
        assert "instruction" in bench.text
        bench.screen.query_one("#ref", Input).focus()
        await bench.type("call 09:12")
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        assert "ref call 09:12" in " ".join(bench.text.split())
        await bench.keys("y")
        await bench.until(lambda: bench.card is None)

        await from_watchlist(bench, "INFY")
        await bench.type("RV1012")
        await bench.keys("enter")
        await bench.pass_time(0.3)
        assert bench.screen.query_one("#ref", Input).value == "call 09:12", "kept for the client"


async def test_what_the_market_sees_stands_behind_more_where_there_is_no_room(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await from_watchlist(bench)
        await bench.type("RV1012")
        await bench.keys("enter")
        await bench.type("30")
        await bench.keys("@")
        shows = bench.screen.query_one("#disclosed", NumberField)
        assert not shows.region
        bench.screen.query_one("#more", ChoiceField).focus()
        await bench.keys("enter")
        assert bench.screen.focused is shows
        assert shows.region
        await bench.type("2")
        await bench.pass_time(0.5)
        assert "3 at least" in bench.text
        await bench.keys("ctrl+u")
        await bench.type("3")
        await bench.keys("enter")
        assert isinstance(bench.card, ReviewCard)
        assert "shows 3" in bench.text


async def test_w_shows_what_the_order_would_leave_and_sends_nothing(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await filled(bench)
        await bench.pass_time(0.3)
        await bench.keys("w")
        assert isinstance(bench.card, WhatIfCard)
        assert "WHAT IF BUY 30 TCS CNC for PS1015" in bench.text
        assert "short by 26,591" in bench.text
        assert "0 → 30 shares" in bench.text
        await bench.keys("w")
        assert isinstance(bench.card, TicketCard)
        assert number(bench, "quantity") == "30"
        assert bench.desk.orders.all() == []
