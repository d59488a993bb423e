"""The alert before brokers end intraday positions: once a day, by their net, repeated by no restart."""

from datetime import datetime

from data.clock import IST
from data.vocabulary import AlertKind, DeskKind, Product, Side, SizingKind
from engine.rules import SQUARE_OFF_TOLD_AT
from tests.desks import (
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    manual_clock,
    on_tape,
    paper_desk,
    until,
)
from tradedesk.compose.paper import exchange_of

QTY, MIS = SizingKind.FIXED_QUANTITY, Product.MIS
PRIYA, ROHAN = 15, 8


def to_the_moment(desk) -> None:
    """Have the market's clock stand where alerts of the kind begin."""
    day = desk.market.now().astimezone(IST).date()
    exchange_of(desk).jump(datetime.combine(day, SQUARE_OFF_TOLD_AT, IST))


async def later(desk, seconds: float) -> None:
    await manual_clock(desk).advance(seconds)


async def test_what_is_open_is_named_once_a_day_and_a_restart_tells_nothing_again(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, PRIYA, product=MIS))
        await carry_out(desk, buy("HDFCBANK", QTY, 5, ROHAN))
        by_phone(desk, ROHAN, Side.SELL, 100, product=MIS)
        await later(desk, 30)
        assert desk.alerts.standing == []
        to_the_moment(desk)
        await until(desk, lambda: desk.alerts.standing, step_s=5)
        (alert,) = desk.alerts.standing
        assert alert.kind is AlertKind.SQUARE_OFF
        assert {(one.client_id, one.tradingsymbol, one.net) for one in alert.positions} == {
            (PRIYA, "TCS", 4),
            (ROHAN, "INFY", -100),
        }
        assert list(alert.ends) == sorted(alert.ends)
        (told,) = on_tape(desk, "MIS open")
        assert told.startswith("MIS open: 2 positions of 2 clients · brokers square off from 15:00")
        await desk.alerts.put_off(alert)
        assert desk.alerts.standing == []
        await until(desk, lambda: desk.alerts.standing, step_s=60)
        await desk.alerts.done(alert)
        assert desk.alerts.standing == []
        await books_are_sound(desk)
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        await later(desk, 60)
        assert desk.alerts.standing == []
        assert len(await desk.audit.rows(action="ALERT_RAISED")) == 1


async def test_nothing_open_tells_nothing(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, PRIYA))
        to_the_moment(desk)
        await later(desk, 60)
        assert desk.alerts.standing == []
        assert await desk.audit.rows(action="ALERT_RAISED") == []
