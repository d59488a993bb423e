"""The shares that clients bring: as lots of their own, the same at the broker, and sound through days."""

from datetime import date

import pytest

from data.errors import BadInput
from data.records import replace
from data.reference.seed import demo_lots
from data.vocabulary import Bucket, ClientStatus, Product, SizingKind
from engine.accounts.client_file import NewClient
from engine.accounts.opening_shares import OpeningLot
from tests import demo_shares
from tests.desks import books_are_sound, carry_out, paper_desk, sell
from tests.engine.test_days import agree, next_day

TODAY, YESTERDAY, LONG_BEFORE = date(2026, 11, 18), date(2026, 11, 17), date(2025, 12, 1)


def newcomer(*shares: OpeningLot) -> NewClient:
    """A client with shares and some cash."""
    return NewClient(
        "NN0001", "Nina", "zerodha", "NN1", ClientStatus.ACTIVE, 5_00_000_00, 1_00_000_00, shares=shares
    )


async def test_with_its_shares_each_client_has_the_capital_it_is_told_of(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        for client in desk.clients.all():
            funds, held = desk.funds.of(client.id), desk.holdings.of(client.id)
            cost = sum(one.cost_paise for one in held)
            assert funds.net_cash_paise + cost == client.capital_paise
            lots = await desk.statements.lots(client.id)
            assert sum(lot.quantity for lot in lots) == sum(one.quantity for one in held)
            await agree(desk, client.id)
        await desk.reconcile.ensure([client.id for client in desk.clients.all()])
        assert desk.reconcile.breaks() == []
        await books_are_sound(desk)


async def test_shares_that_clients_brought_settle_and_are_sold_the_oldest_first(tmp_path):
    async with paper_desk(tmp_path, shares=True) as desk:
        priya = desk.clients.find("PS1015").id
        lots = await desk.statements.lots(priya)
        (coming,) = (lot for lot in lots if lot.bucket is Bucket.T1)
        assert (coming.tradingsymbol, coming.opened_on) == ("HCLTECH", YESTERDAY)
        tcs = next(lot for lot in lots if lot.tradingsymbol == "TCS")
        await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, tcs.quantity, priya))
        (trade,) = await desk.holdings.transactions(priya)
        assert trade.pnl_paise == tcs.quantity * 2500_00 - tcs.cost_paise
        await next_day(desk)
        assert {lot.bucket for lot in await desk.statements.lots(priya)} == {Bucket.FREE}
        for client in desk.clients.all():
            await agree(desk, client.id)
        await books_are_sound(desk)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("quantity", {"quantity": 0}),
        ("cost", {"cost_paise": -1}),
        ("product", {"product": Product.MIS}),
        ("loan", {"loan_paise": 1}),
        ("loan", {"product": Product.MTF, "loan_paise": 20_000_01}),
        ("bought_on", {"bought_on": TODAY}),
    ],
)
async def test_shares_that_nobody_can_hold_as_the_day_opens_add_no_client(tmp_path, field, changed):
    async with paper_desk(tmp_path) as desk:
        lot = OpeningLot(desk.market.index.resolve("TCS"), 8, 20_000_00, LONG_BEFORE)
        before = len(desk.clients.all())
        with pytest.raises(BadInput) as told:
            await desk.clients.add([newcomer(replace(lot, **changed))])
        assert told.value.field == field
        assert len(desk.clients.all()) == before
        await desk.clients.add([newcomer(lot)])
        (held,) = desk.holdings.of(desk.clients.find("NN0001").id)
        assert (held.free, held.cost_paise) == (8, 20_000_00)
        await agree(desk, held.client_id)


@pytest.mark.proof
def test_the_file_of_shares_is_the_paper_market_s_past():
    assert demo_shares.FILE.read_text(encoding="utf-8") == demo_shares.text()


def test_no_client_brings_shares_of_a_day_that_was_none():
    assert all(one.bought_on < TODAY and one.quantity > 0 for one in demo_lots())
