"""Many clients are compared at once, and still each by itself: whose figure is odd, or whose order moves."""

import asyncio
from pathlib import Path

from brokers.contract import BrokerAccount, BrokerFunds
from data.records import replace
from data.store import Unit
from data.vocabulary import BreakKind, SizingKind
from engine.desk import Desk
from engine.reconciliation.differences import Theirs, compare
from tests.desks import Wire, buy, paper_desk
from tests.statements import counted
from tradedesk.testing import seam


class OddFunds(Wire):
    """The broker's books, in which one client's money fits no column and another's is a lakh short."""

    def __init__(self, desk: Desk, odd: int, wrong: int) -> None:
        super().__init__(desk)
        self.odd, self.wrong = odd, wrong
        self.codes = {client.code: client.id for client in desk.clients.all()}

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        told = await self.broker.funds(account)
        client_id = self.codes[account.user_id]
        if client_id == self.odd:
            return replace(told, available_paise=2**80)
        if client_id == self.wrong:
            return replace(told, available_paise=told.available_paise - 1_00_000_00)
        return told


async def check(desk: Desk, client_ids: list[int]) -> dict[int, object]:
    """Compare these at once; says of each whether it was compared, or what it failed of."""
    done = await asyncio.gather(*map(desk.reconcile.check, client_ids), return_exceptions=True)
    return dict(zip(client_ids, done, strict=True))


async def test_an_odd_figure_fails_its_own_client_alone_and_a_difference_is_its_own(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        everybody = [client.id for client in desk.clients.all() if client.gate is None]
        assert set((await check(desk, everybody)).values()) == {True}
        odd, wrong = everybody[1:3]
        OddFunds(desk, odd, wrong)
        done = await check(desk, everybody)
        assert [one for one, ended in done.items() if ended is not True] == [odd]
        assert [(one.client_id, one.kind) for one in desk.reconcile.breaks()] == [(wrong, BreakKind.CASH)]


async def test_a_moving_order_keeps_its_own_client_from_being_compared_alone(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        everybody = [client.id for client in desk.clients.all() if client.gate is None]
        await check(desk, everybody)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, everybody[0]))
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        done = await check(desk, everybody)
        assert [one for one, ended in done.items() if ended is not True] == [everybody[0]]


async def test_many_take_no_more_statements_than_few(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        everybody = [client.id for client in desk.clients.all() if client.gate is None]
        await check(desk, everybody)
        inside, broker = seam(desk), desk.connections.feed.broker
        theirs: dict[int, Theirs] = {}
        for client_id in everybody:
            account = BrokerAccount(client_id, desk.clients.get(client_id).code)
            read = (await broker.funds(account), await broker.holdings(account))
            theirs[client_id] = Theirs(*read, desk.clock.now())
        found: list[int] = []
        for some in (everybody[:3], everybody):
            those = {client_id: theirs[client_id] for client_id in some}

            def unit_of_work(unit: Unit, those: dict[int, Theirs] = those) -> None:
                with counted() as statements:
                    compare(unit, those, inside.book, inside.timing, inside.engine, inside.market_data.index)
                found.append(len(statements))

            await inside.store.write(unit_of_work)
        assert found[0] == found[1] <= 16
