"""Ten minutes before the closing auction the orders that it does not take over are listed, once."""

from datetime import datetime, time
from pathlib import Path

from data.clock import IST
from data.records import replace
from data.vocabulary import AlertKind, DeskKind, Dies, OrderType, Side, SizingKind
from engine.words.alerts import alert_words, named_words
from tests.desks import buy, carry_out, manual_clock, on_tape, paper_desk, until
from tradedesk.compose.brokers.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
ROHAN, PRIYA = 8, 15


def to(desk, at: str) -> None:
    day = desk.market_clock.trading_day
    exchange_of(desk).jump(datetime.combine(day, time.fromisoformat(at), IST))


async def test_stops_parts_and_far_limits_are_listed_and_what_was_done_with_is_gone(tmp_path: Path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        limit = replace(buy("TCS", QTY, 2, PRIYA, again=True), order_type=OrderType.LIMIT)
        await carry_out(desk, replace(limit, limit_paise=2450_00))  # within 3 % of 2,500.00
        await carry_out(desk, replace(limit, limit_paise=2400_00))
        await carry_out(desk, replace(limit, limit_paise=2440_00, disclosed_quantity=1))
        stop = replace(buy("INFY", QTY, 2, ROHAN), order_type=OrderType.SL_M, trigger_paise=1520_00)
        await carry_out(desk, stop)
        far = replace(limit, key="NSE:RIIL", limit_paise=0)  # no derivatives, no auction
        await desk.market.fetch(["NSE:RIIL"])
        price = desk.market.quote("NSE:RIIL")
        assert price is not None
        await carry_out(desk, replace(far, limit_paise=price.last_paise * 9 // 10 // 5 * 5))
        to(desk, "15:04:50")
        await manual_clock(desk).advance(6)
        assert desk.alerts.standing == []
        to(desk, "15:05")
        await until(desk, lambda: desk.alerts.standing, step_s=1)
        (alert,) = desk.alerts.standing
        assert alert.kind is AlertKind.HAND_OVER
        assert [(one.tradingsymbol, one.why) for one in alert.dying] == [
            ("TCS", Dies.BAND),
            ("TCS", Dies.DISCLOSED),
            ("INFY", Dies.STOP),
        ]
        assert alert_words(alert) == (
            "3 orders of 2 clients end at 15:15, not taken into the auction · Enter e x"
        )
        band = named_words(alert.dying[0])
        assert band == (
            f"order {alert.dying[0].order_id} BUY 2 TCS at 2,400.00: outside ±3 % of the last price"
        )
        assert on_tape(desk, "not taken into the auction") == [
            "3 orders of 2 clients end at 15:15, not taken into the auction · !"
        ]
        await desk.orders.cancel([alert.dying[0].order_id])
        await until(desk, lambda: len(desk.alerts.standing[0].dying) == 2)
        await desk.alerts.done(alert)
        await manual_clock(desk).advance(30)
        assert desk.alerts.standing == []
        assert len(await desk.audit.rows(action="ALERT_RAISED")) == 1
        assert {one.side for one in alert.dying} == {Side.BUY}
