"""A cancel-all over rows that no tradedesk leaves: it cancels what it can, and names the rest."""

import sqlite3
from contextlib import closing

import pytest

from brokers.contract import BrokerStatus
from data.clock import ManualClock
from data.store import StoreError
from data.vocabulary import DeskKind, SizingKind
from tests.desks import START, WAITS, buy, carry_out, filed_desk, until
from tests.further import further_rows
from tests.tampering import tamper
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

ROHAN = 8


async def home_with_orders(home, clock):
    async with filed_desk(home, clock) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00))
        return desk.counts().live, desk.clients.get(ROHAN).code


def tampered_desk(home, clock):
    settings = Settings(trader="api")
    return compose_desk(
        home, DeskKind.SCRIPT, clock=clock, settings=settings, waits=WAITS, latency=(0.0, 0.0), seed=7
    )


async def fired(desk):
    firing = desk.halt.fire_now("tester")
    await until(desk, firing.done)
    try:
        return firing.result()
    except StoreError:
        assert desk.halt.unwritten is not None
        return desk.halt.unwritten.certificate


def live_there(desk, codes):
    return [c for c in codes for o in exchange_of(desk).orders(c) if o.status is BrokerStatus.OPEN]


@pytest.mark.in_file
@pytest.mark.parametrize(
    ("row", "left"),
    further_rows(
        [
            ("DELETE FROM funds WHERE client_id = 8", 0),
            ("DELETE FROM client WHERE id = 8", 1),
            ("UPDATE orders SET trading_date = 'x' WHERE client_id = 8", 1),
        ]
    ),
    ids=["funds", "client", "date"],
)
async def test_one_odd_row_keeps_no_cancel_from_going(tmp_path, row, left):
    clock = ManualClock(START)
    total, code = await home_with_orders(tmp_path, clock)
    tamper(tmp_path / "desk.db", row)
    async with tampered_desk(tmp_path, clock) as desk:
        codes = {client.code for client in desk.clients.all()} | {code}
        made = await fired(desk)
        there = live_there(desk, codes)
        assert there in ([], [code][:left])
        assert len(made.orders) == total
        assert not (made.ended and there)


@pytest.mark.in_file
@pytest.mark.parametrize("refusing", ["halt", "halt_certificate"])
async def test_a_table_that_takes_no_row_keeps_no_cancel_from_being_told(tmp_path, refusing):
    clock = ManualClock(START)
    total, _ = await home_with_orders(tmp_path, clock)
    with closing(sqlite3.connect(tmp_path / "desk.db", isolation_level=None)) as file:
        file.execute(f"CREATE TRIGGER t BEFORE INSERT ON {refusing} BEGIN SELECT RAISE(ABORT, 'no'); END")
    async with tampered_desk(tmp_path, clock) as desk:
        made = await fired(desk)
        assert live_there(desk, [client.code for client in desk.clients.all()]) == []
        assert (made.ended, made.cancelled, bool(made.unbooked)) == (True, total, True)
        assert list((tmp_path / "certificates").glob("unbooked-*.json"))
