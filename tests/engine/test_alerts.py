"""The alert before brokers end intraday positions: once a day, by their net, repeated by no restart."""

from datetime import datetime, timedelta

import pytest

from data.clock import IST
from data.errors import BadInput
from data.vocabulary import AlertKind, DeskKind, Product, Side, SizingKind
from engine.colon.alerts import offered, put_off_for
from engine.rules import SQUARE_OFF_TOLD_AT
from engine.words.alerts import PUT_OFF_WORDS
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
from tradedesk.compose.brokers.paper import exchange_of

QTY, MIS = SizingKind.FIXED_QUANTITY, Product.MIS
PRIYA, ROHAN = 15, 8


def to_the_moment(desk) -> None:
    """Have the market's clock stand where alerts of the kind begin."""
    day = desk.market.now().astimezone(IST).date()
    exchange_of(desk).jump(datetime.combine(day, SQUARE_OFF_TOLD_AT, IST))


async def later(desk, seconds: float) -> None:
    await manual_clock(desk).advance(seconds)


@pytest.mark.proof
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
        shown = await desk.alerts.put_off(alert)
        assert desk.alerts.standing == []
        await until(desk, lambda: desk.alerts.standing, step_s=60)
        await desk.alerts.done(alert)
        assert desk.alerts.standing == []
        (done,) = await desk.audit.rows(action="ALERT_DONE")
        of_alert = (await desk.audit.story(done.seq)).subjects[0]
        rows = (await desk.audit.chapter(of_alert, done.seq)).rows
        assert [row.action for row in rows] == ["ALERT_RAISED", "ALERT_PUT_OFF", "ALERT_DONE"]
        assert datetime.fromisoformat(rows[1].details["until"]) == shown
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


@pytest.mark.parametrize(
    ("text", "minutes"), [("5m", 5), ("1H", 60), (" 15:00 ", 15), ("15:30", 45), ("eod", 9 * 60 + 15)]
)
def test_an_alert_is_put_off_for_a_span_until_a_time_or_for_the_day(text: str, minutes: int) -> None:
    now = datetime(2026, 11, 23, 14, 45, tzinfo=IST)
    assert put_off_for(text, now) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "0m", "14:45", "9:15", "24:10", "soon", "-5m", "5", "9999m"])
def test_what_is_no_span_and_no_time_to_come_puts_nothing_off(text: str) -> None:
    with pytest.raises(BadInput, match=r"put off.*a time after 14:45"):
        put_off_for(text, datetime(2026, 11, 23, 14, 45, tzinfo=IST))


def test_a_time_that_has_passed_is_not_offered() -> None:
    assert offered(datetime(2026, 11, 23, 14, 59, tzinfo=IST)) == ["5m", "10m", "30m", "1h", "15:00", "eod"]
    assert "15:00" not in offered(datetime(2026, 11, 23, 15, 0, tzinfo=IST))
    assert set(offered(datetime(2026, 11, 23, 9, 15, tzinfo=IST))) == set(PUT_OFF_WORDS)


async def test_one_is_put_off_by_a_word_and_known_by_its_kind_until_it_is_done_with(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, 4, PRIYA, product=MIS))
        to_the_moment(desk)
        await until(desk, lambda: desk.alerts.standing, step_s=5)
        (alert,) = desk.alerts.standing
        with pytest.raises(BadInput, match=r"give square_off \(1\)"):
            desk.alerts.named("margin")
        shown = await desk.alerts.put_off(alert, "30m")
        assert shown - desk.clock.now() == timedelta(minutes=30)
        assert desk.alerts.standing == []
        manual_clock(desk).set_wall(-5_400)
        assert desk.alerts.standing == [alert], "no clock that was set back keeps it away for longer"
        await desk.alerts.done(desk.alerts.named("square_off"))
        with pytest.raises(BadInput, match="no alert of the day"):
            desk.alerts.named("square_off")
        told = [one.command for one in await desk.audit.commands()]
        assert told[-2:] == ["alerts later square_off 30m", "alerts done square_off"]
