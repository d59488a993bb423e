"""Shares on margin at a desk: lists, pledges, companies' actions, warnings, what restores, consent."""

from datetime import date

import pytest

from brokers.simulators.exchange.accounts import pay
from data.audit import AuditAction
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.records import replace
from data.repositories.accounts.lent import capital_brought
from data.vocabulary import (
    AlertKind,
    Demat,
    MtfLevel,
    MtfWarningKind,
    PledgeState,
    Product,
    Reason,
    RouteKind,
    RunCount,
    SizingKind,
)
from engine.access.routes import NewRoute
from engine.market.quotes import QuoteMap
from engine.mtf.warnings import of_count
from engine.words.alerts import alert_words
from engine.words.trading.mtf import ladder_words, restoring_words, warning_words
from tests.desks import books_are_sound, buy, carry_out, paper_desk
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

AMIT, ROHAN = 22, 8


def mtf_buy(quantity, client, symbol="INFY", **more):
    return buy(symbol, SizingKind.FIXED_QUANTITY, quantity, client, product=Product.MTF, **more)


async def priced(desk, symbol, last):
    exchange_of(desk).pin(symbol, last, last)
    await desk.market.fetch([f"NSE:{symbol}"])
    desk.valuation.revalue({f"NSE:{symbol}"})


async def test_an_imported_list_decides_who_is_lent_on_and_at_which_margin(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("Symbol,ISIN,Margin (%)\nINFY,INE009A01021,25\nNOSUCH,,20\n")
    async with paper_desk(tmp_path) as desk:
        made = await desk.mtf_lists.take("zerodha", file)
        assert (made.stocks, made.unknown, made.before) == (1, ("NOSUCH",), None)
        plan = await desk.plans.freeze(mtf_buy(10, AMIT))
        (line,) = plan.lines
        assert line.loan_paise == 10 * 1530_00 * 75 // 100  # of the protected price, as all of a reservation
        run = await desk.runs.settled((await desk.runs.start(plan, plan.digest)).number, 30)
        assert run.counts[RunCount.FILLED] == 1  # the paper broker asks for the same
        refused = (await desk.plans.preview(mtf_buy(10, AMIT, "TCS"))).lines[0]
        assert refused.reason is Reason.NOT_MTF_ELIGIBLE

        file.write_text("Symbol,Leverage\nTCS,4.5x\n")
        await next_day(desk)
        assert desk.mtf_lists.is_stale("zerodha")
        made = await desk.mtf_lists.take("zerodha", file)
        assert (made.came, made.gone, made.held) == (("NSE:TCS",), ("NSE:INFY",), ("NSE:INFY",))
        assert not desk.mtf_lists.is_stale("zerodha")
        stock = desk.mtf_lists.stock("zerodha", "NSE:TCS")
        assert stock is not None
        assert stock.margin_bps == 2_223
        await desk.mtf.read()
        (left,) = [one for one in desk.mtf.warnings() if one.kind is MtfWarningKind.LEFT_LIST]
        assert warning_words(left).startswith("INFY left the broker's list on 19 Nov: 7 days")
        assert desk.mtf.of(AMIT).stocks[0].margin_bps is None
        await books_are_sound(desk)


async def test_a_bad_list_changes_nothing(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text("Symbol,Margin (%)\nINFY,250\nINFY,20\n")
    async with paper_desk(tmp_path) as desk:
        with pytest.raises(FileProblem) as wrong:
            await desk.mtf_lists.take("zerodha", file)
        assert [problem.row for problem in wrong.value.problems] == [2]
        with pytest.raises(BadInput, match="give a day up to"):
            await desk.mtf_lists.take("zerodha", file, date(2026, 12, 1))
        assert desk.mtf_lists.of("zerodha") is None


async def test_a_pledge_waits_until_it_is_accepted_and_what_is_bought_later_waits_anew(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, mtf_buy(50, AMIT))
        await desk.mtf.read()
        (pledge,) = desk.mtf.pledges()
        assert (pledge.state, pledge.quantity, pledge.tradingsymbol) == (PledgeState.PENDING, 50, "INFY")
        assert f"{pledge.accept_by:%H:%M}" == "13:30"  # 19:00 in India
        await desk.mtf.accept_pledge(pledge, "seen in CDSL")
        (accepted,) = desk.mtf.pledges()
        assert (accepted.state, accepted.note, accepted.accepted_by) == (
            PledgeState.ACCEPTED,
            "seen in CDSL",
            "tester",
        )
        (row,) = [
            one
            for one in await desk.audit.rows(client_id=AMIT)
            if one.action == AuditAction.MTF_PLEDGE_ACCEPTED
        ]
        assert row.details["note"] == "seen in CDSL"
        with pytest.raises(BadInput, match="no pledge of the client's waits"):
            desk.mtf.to_accept(AMIT)

        await carry_out(desk, mtf_buy(10, AMIT, again=True))
        await desk.mtf.read()
        assert [one.quantity for one in desk.mtf.to_accept(AMIT, "INFY")] == [60]
        await next_day(desk)
        await desk.mtf.read()
        (late,) = desk.mtf.pledges()
        assert late.state is PledgeState.OVERDUE
        assert "converted to CNC" in warning_words(next(iter(desk.mtf.warnings())))
        await next_day(desk)
        await desk.mtf.read()
        assert desk.mtf.pledges() == []  # the broker holds it, and goes on lending


async def test_a_ddpi_accepts_by_itself(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.routes.set(AMIT, NewRoute(RouteKind.PAPER, demat=Demat.DDPI))
        await carry_out(desk, mtf_buy(5, AMIT))
        await desk.mtf.read()
        assert [one.state for one in desk.mtf.pledges()] == [PledgeState.AUTOMATIC]


async def test_without_consent_no_line_is_bought_on_margin(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.routes.set(AMIT, NewRoute(RouteKind.PAPER, mtf_enabled=False))
        (line,) = (await desk.plans.preview(mtf_buy(5, AMIT))).lines
        assert line.reason is Reason.MTF_NO_CONSENT == "mtf_no_consent"
        (wanted,) = (await desk.plans.preview(buy("INFY", SizingKind.FIXED_QUANTITY, 5_000, AMIT))).lines
        assert [one.product for one in wanted.alternatives] == [Product.CNC]


async def test_a_merger_is_told_the_trading_day_before_and_a_dividend_is_not(tmp_path):
    file = tmp_path / "ca.csv"
    file.write_text(
        "Symbol,Series,Purpose,Ex-Date\n"
        "INFY,EQ,Scheme of Arrangement,20-Nov-2026\nINFY,EQ,Dividend - Rs 20,19-Nov-2026\n"
        "TCS,EQ,Bonus 1:1,-\n"
    )
    async with paper_desk(tmp_path) as desk:
        assert len((await desk.actions.take(file)).actions) == 2
        assert len((await desk.actions.take(file)).actions) == 2
        await carry_out(desk, mtf_buy(5, AMIT))
        await desk.mtf.read()
        assert len(desk.actions.all()) == 2
        action = MtfWarningKind.ACTION
        assert [one for one in desk.mtf.warnings() if one.kind is action] == []
        await next_day(desk)
        await desk.mtf.read()
        (one,) = [one for one in desk.mtf.warnings() if one.kind is action]
        assert warning_words(one).startswith("INFY Scheme of Arrangement, ex-date 20 Nov")


async def test_what_is_paid_in_and_what_is_sold_restores_a_call(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, mtf_buy(300, AMIT))
        await desk.mtf.read()
        await priced(desk, "INFY", 600_00)
        view = desk.mtf.of(AMIT)
        assert all(rung.reached for rung in view.rungs), ladder_words(view)
        found = desk.mtf.restoring(AMIT)
        assert [one.threshold.level for one in found] == [MtfLevel.FLOOR, MtfLevel.CALL, MtfLevel.SALE]
        assert found[0].sales[0].quantity is None
        call = found[1]
        assert call.pay_in_paise > 0
        assert restoring_words(call).startswith("off the call: pay in ")


def told(desk):
    """Of what the day's alerts about shares on margin are, and of whom."""
    return sorted(
        (one.client_ids, one.told["of"]) for one in desk.alerts.standing if one.kind is AlertKind.MTF
    )


async def test_an_alert_is_raised_once_a_warning_and_day(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, mtf_buy(20, AMIT))
        await desk.mtf.read()
        for _ in range(2):
            await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert told(desk) == [((AMIT,), "pledge")]
        (alert,) = [one for one in desk.alerts.standing if one.kind is AlertKind.MTF]
        assert alert_words(alert).startswith("MTF AP1022: pledge INFY 20 of 18 Nov, lent ")
        await desk.alerts.done(alert)
        await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert told(desk) == []
        await carry_out(desk, mtf_buy(20, ROHAN))
        await desk.mtf.read()
        await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert told(desk) == [((ROHAN,), "pledge")]
        rows = [one for one in await desk.audit.rows() if one.action == AuditAction.ALERT_RAISED]
        assert len(rows) == 2


async def test_more_stocks_than_the_settings_allow_are_warned_of(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, mtf_buy(5, AMIT))
        await desk.mtf.read()
        view = desk.mtf.of(AMIT)
        assert of_count(replace(view, stocks=view.stocks * 10), 10) == []
        (many,) = of_count(replace(view, stocks=view.stocks * 11), 10)
        assert warning_words(many) == "11 stocks on margin"


async def test_no_call_is_told_by_an_old_price(tmp_path, monkeypatch):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, mtf_buy(300, AMIT))
        await desk.mtf.read()
        await priced(desk, "INFY", 600_00)
        with monkeypatch.context() as silent:
            silent.setattr(QuoteMap, "is_older", lambda *asked: True)
            await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert told(desk) == [((AMIT,), "pledge")]
        await priced(desk, "INFY", 600_00)
        await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert told(desk) == [((AMIT,), of) for of in ("call", "floor", "pledge", "sale")]


async def test_capital_moves_with_what_was_adopted_and_not_with_the_first_comparison(tmp_path):
    async with paper_desk(tmp_path) as desk:
        exchange = exchange_of(desk)
        store = seam(desk).store

        async def base():
            async with store.reader() as reader:
                return (await capital_brought(reader, [AMIT]))[AMIT]

        await desk.reconcile.ensure([AMIT])
        before = await base()
        with exchange.transaction():
            pay(exchange.books, "AP1022", -20_000_00)
        await next_day(desk)
        await desk.reconcile.ensure([AMIT])
        assert await base() == before - 20_000_00
