"""Two desks with homes of their own on one database: each has its own clients, and touches no other's."""

import asyncio
from pathlib import Path

import pytest

from brokers.contract import Ambiguous, BrokerAccount, BrokerStatus, NotSent, OrderRequest, Outcome
from data.audit import AuditAction
from data.engines.shared.leases import hand_clients
from data.errors import BadInput
from data.records import replace
from data.store import Unit
from data.tables.columns import stored_moment
from data.vocabulary import DeskKind, OrderState, PauseReason, RunStatus, SizingKind
from engine.desk import Desk
from engine.events import Event, RunChanged
from engine.execution.changes.cancels import ask
from engine.planning.intent import Selection
from engine.words.firm.leases import elsewhere_words
from screens.frame.strip import calm
from tests.books import database_url
from tests.desks import Wire, books_are_sound, buy, carry_out, sends_nothing, there, until
from tests.sharing import Firm
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


@pytest.fixture
def firm(tmp_path: Path, books_engine: str) -> Firm:
    return Firm(tmp_path, database_url(tmp_path))


def code_of(desk: Desk, client_id: int) -> str:
    book = seam(desk).kept.book
    return (book.clients.get(client_id) or book.elsewhere[client_id]).code


async def test_each_desk_trades_its_own_clients_and_knows_whose_the_others_are(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            assert set(seam(ravi).kept.book.clients) == {ROHAN}
            book = seam(asha).kept.book
            await until(asha, lambda: ROHAN in book.elsewhere and book.elsewhere[ROHAN].desk, step_s=0.1)
            assert ROHAN not in book.clients
            assert book.elsewhere[ROHAN].desk.startswith("ravi@")
            (who,) = asha.leases.elsewhere()
            assert elsewhere_words(asha.leases.elsewhere()) == f"1 client at {who}"
            told = calm(asha, None, None, (), frozen=False, privacy=False)
            assert f"1 client at {who}" in [one.text for one in told]
            with pytest.raises(BadInput, match="the desk ravi@"):
                seam(asha).kept.book.named(rohan)
            await asyncio.gather(
                carry_out(asha, buy("INFY", SizingKind.FIXED_QUANTITY, 2, PRIYA, AMIT)),
                carry_out(ravi, buy("INFY", SizingKind.FIXED_QUANTITY, 3, ROHAN)),
            )
            assert {one.client_id for one in asha.orders.all()} == {PRIYA, AMIT}
            assert {one.client_id for one in ravi.orders.all()} == {ROHAN}
            for desk in (asha, ravi):
                assert {one.state for one in desk.orders.all()} == {OrderState.FILLED}
            await books_are_sound(asha)


class Line:
    """A desk's line to its venue, on which calls wait until they are let through."""

    def __init__(self, desk: Desk) -> None:
        self.wire, self.open = Wire(desk), asyncio.Event()
        self.outcomes: list[Outcome] = []
        self.wire.on_place = self._place

    async def _place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        await self.open.wait()
        outcome = await self.wire.broker.place(account, request)
        self.outcomes.append(outcome)
        return outcome


async def silence(account: BrokerAccount, request: OrderRequest) -> Outcome:
    """A placement that nobody answers."""
    return Ambiguous("no answer")


async def on_its_way(desk: Desk, *client_ids: int) -> list[int]:
    """Orders that are being sent and wait on the line."""
    plan = await desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 2, *client_ids))
    run = await desk.runs.start(plan, plan.digest)
    sending = OrderState.SENDING
    await until(desk, lambda: all(desk.orders.get(i).state is sending for i in run.order_ids), step_s=0.0)
    return list(run.order_ids)


async def test_a_desk_that_opens_takes_no_order_of_another_for_a_lost_one(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        line = Line(asha)
        orders = await on_its_way(asha, ROHAN, PRIYA)
        async with firm.desk("ravi", "free", seed=8) as ravi:
            for _ in range(5):
                await firm.clock.advance(1.0)
            assert not seam(ravi).kept.book.orders
            assert not seam(ravi).kept.book.clients
            assert {asha.orders.get(one).state for one in orders} == {OrderState.SENDING}
            line.open.set()
            await until(asha, lambda: {one.state for one in asha.orders.all()} == {OrderState.FILLED})
        assert await audited(asha, AuditAction.ORDER_UNKNOWN) == 0
        await books_are_sound(asha)


async def audited(desk: Desk, action: AuditAction) -> int:
    """How many rows the audit has of an action."""
    async with seam(desk).store.reader() as reader:
        found = await reader.exec_driver_sql("SELECT count(*) FROM audit WHERE action = ?", (action.value,))
        return int(found.scalar_one())


async def test_a_run_of_another_desk_is_no_news_here(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            heard = list[Event]()
            seam(asha).kept.bus.subscribe(heard.append)
            _, run = await carry_out(ravi, buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN))
            _, mine = await carry_out(asha, buy("INFY", SizingKind.FIXED_QUANTITY, 1, PRIYA))
            await until(asha, lambda: any(isinstance(one, RunChanged) for one in heard), step_s=0.2)
            told = {one.number for one in heard if isinstance(one, RunChanged)}
            assert (run.number in told, mine.number in told) == (False, True)


@pytest.mark.parametrize("beats", [False, True], ids=["stays silent", "beats as it thaws"])
async def test_a_desk_that_froze_sends_nothing_once_another_has_its_client(firm: Firm, beats: bool) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        line, leases = Line(asha), seam(asha).store.leases
        assert leases is not None
        (order,) = await on_its_way(asha, ROHAN)
        beat, leases.beat = leases.beat, lambda: False
        firm.run_out(leases.instance_id)
        async with firm.desk("ravi", "free", seed=8) as ravi:
            state = lambda: ravi.orders.get(order).state  # noqa: E731
            await until(ravi, lambda: state() is OrderState.UNKNOWN)
            if beats:
                assert beat()
            line.open.set()
            await until(ravi, lambda: line.outcomes != [], step_s=0.0)
            assert isinstance(line.outcomes[0], NotSent)
            await until(ravi, lambda: state() is OrderState.NOT_RECEIVED, step_s=20.0)
            assert ravi.orders.get(order).blocked_paise == 0
            assert exchange_of(ravi).orders(code_of(ravi, ROHAN)) == []
            await books_are_sound(ravi)


async def test_doubt_about_a_client_that_another_desk_has_keeps_no_book_from_being_read(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        leases, store = seam(asha).store.leases, seam(asha).store
        assert leases is not None
        Wire(asha).on_place = silence
        plan = await asha.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        (order,) = (await asha.runs.start(plan, plan.digest)).order_ids
        await until(asha, lambda: asha.orders.get(order).state is OrderState.UNKNOWN)
        await seam(asha).workers.watcher.read(ROHAN)
        assert seam(asha).workers.watcher.resolver.evidence(order)

        def lost(unit: Unit) -> None:
            hand_clients(unit, {ROHAN}, leases.instance_id, 0, str(stored_moment(unit.now)))
            unit.of_anybody = unit.touched.leases = True

        await store.write(lost)
        assert ROHAN not in seam(asha).kept.book.clients
        await seam(asha).workers.watcher.read(PRIYA)
        assert not seam(asha).workers.watcher.resolver.evidence(order)


async def test_a_client_is_handed_over_once_nothing_of_it_is_being_sent(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan, priya = code_of(asha, ROHAN), code_of(asha, PRIYA)
        async with firm.desk("ravi", priya, seed=8) as ravi:
            line = Line(asha)
            (order,) = await on_its_way(asha, ROHAN)
            with pytest.raises(BadInput, match="is being sent"):
                await asha.leases.release(rohan, seam(ravi).engine.id)
            line.open.set()
            await until(asha, lambda: asha.orders.get(order).state is OrderState.FILLED)
            moved = await asha.leases.release(rohan, seam(ravi).engine.id)
            assert moved.moved == (rohan,)
            await until(ravi, lambda: ROHAN in seam(ravi).kept.book.clients)
            assert ravi.orders.get(order).state is OrderState.FILLED
            assert ROHAN not in seam(asha).kept.book.clients
            kept = await asha.leases.take(rohan)
            assert kept.moved == ()
            assert kept.kept[rohan].startswith("ravi@")
            await carry_out(ravi, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
            await books_are_sound(ravi)
        taken = await asha.leases.take(rohan)
        assert taken.moved == (rohan,)


async def test_what_a_dead_desk_left_unsent_waits_for_a_trader(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        sends_nothing(asha)
        plan = await asha.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 2, ROHAN))
        run = await asha.runs.start(plan, plan.digest)
        leases = seam(asha).store.leases
        assert leases is not None
        leases.beat = lambda: False
        firm.run_out(leases.instance_id)
        async with firm.desk("ravi", "free", seed=8) as ravi:
            wire = Wire(ravi)
            await until(ravi, lambda: ravi.runs.get(run.number).status is RunStatus.PAUSED)
            assert ravi.runs.get(run.number).pause_reason is PauseReason.ENGINE_DIED
            assert wire.placed == []
            await ravi.runs.go_on(run.number, 1)
            await until(ravi, lambda: ravi.orders.get(run.order_ids[0]).state is OrderState.FILLED)
            await books_are_sound(ravi)


async def test_a_halt_is_over_every_desk_and_its_certificate_names_what_lives_elsewhere(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            exchange = exchange_of(ravi)
            resting = buy("INFY", SizingKind.FIXED_QUANTITY, 1, limit_paise=140000)
            of_each = [(asha, AMIT), (ravi, ROHAN)]
            for desk, client_id in of_each:
                plan = await desk.plans.freeze(replace(resting, selection=Selection(client_ids=(client_id,))))
                run = await desk.runs.start(plan, plan.digest)
                await until(desk, lambda d=desk, r=run: d.orders.get(r.order_ids[0]).state is OrderState.OPEN)
            firing = asyncio.ensure_future(asha.halt.fire("asha"))
            await until(asha, firing.done, step_s=0.2)
            made = firing.result()
            await until(ravi, lambda: not seam(ravi).kept.book.live)
            await until(asha, lambda: there(asha.halt.certificate(made.number)).ended)
            assert {one.client_id for one in there(asha.halt.certificate(made.number)).lines} == {AMIT}
            for client_id in (AMIT, ROHAN):
                theirs = exchange.orders(code_of(ravi, client_id))
                assert {one.status for one in theirs} == {BrokerStatus.CANCELLED}
            assert ravi.halt_stands()
            await books_are_sound(asha)


async def test_who_stands_by_looks_after_a_dead_desk_and_sends_nothing_of_its_own(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        line, leases = Line(asha), seam(asha).store.leases
        assert leases is not None
        async with firm.desk("asha", "free", DeskKind.KEEP, seed=8) as keep:
            wire = Wire(keep)
            (sent,) = await on_its_way(asha, ROHAN)
            sends_nothing(asha)
            plan = await asha.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, PRIYA))
            unsent = (await asha.runs.start(plan, plan.digest)).order_ids[0]
            for _ in range(5):
                await firm.clock.advance(1.0)
            assert not seam(keep).kept.book.clients
            leases.beat = lambda: False
            firm.run_out(leases.instance_id)
            await until(keep, lambda: set(seam(keep).kept.book.clients) == {ROHAN})
            await until(keep, lambda: keep.orders.get(sent).state is OrderState.UNKNOWN)
            line.open.set()
            await until(keep, lambda: line.outcomes != [], step_s=0.0)
            assert isinstance(line.outcomes[0], NotSent)
            await until(keep, lambda: not seam(keep).kept.book.clients, step_s=20.0)  # it is proven, and free
            assert wire.placed == []
            async with firm.desk("asha", "free", DeskKind.APP, seed=9) as again:
                await until(again, lambda: len(seam(again).kept.book.clients) > 20)
                await until(keep, lambda: not seam(keep).kept.book.clients)
                assert again.orders.get(unsent).state is OrderState.RESERVED
                await until(again, lambda: again.orders.get(sent).state is OrderState.NOT_RECEIVED)
                await books_are_sound(again)


async def test_cancels_of_a_dead_desk_go_on_where_another_stands_by(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        resting = buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=140000)
        plan = await asha.plans.freeze(resting)
        (order,) = (await asha.runs.start(plan, plan.digest)).order_ids
        await until(asha, lambda: asha.orders.get(order).state is OrderState.OPEN)
        seam(asha).workers.canceller.close()  # it dies as it has asked, before a cancel leaves
        leases, store = seam(asha).store.leases, seam(asha).store
        assert leases is not None
        await store.write(lambda unit: ask(unit, [order], "cancelled", "asha"))
        leases.beat = lambda: False
        firm.run_out(leases.instance_id)
        async with firm.desk("asha", "free", DeskKind.KEEP, seed=8) as keep:
            await until(keep, lambda: seam(keep).kept.book.clients != {})
            await until(keep, lambda: not seam(keep).kept.book.live)
            await until(keep, lambda: not seam(keep).kept.book.clients)
            (theirs,) = exchange_of(keep).orders(code_of(keep, ROHAN))
            assert theirs.status is BrokerStatus.CANCELLED


async def test_who_stands_by_with_everybodys_sessions_does_so_for_the_desks_of_every_home(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = code_of(asha, ROHAN)
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            resting = buy("INFY", SizingKind.FIXED_QUANTITY, 1, limit_paise=140000)
            left = list[int]()
            for desk, client_id in ((asha, AMIT), (ravi, ROHAN)):
                plan = await desk.plans.freeze(replace(resting, selection=Selection(client_ids=(client_id,))))
                (order,) = (await desk.runs.start(plan, plan.digest)).order_ids
                await until(desk, lambda d=desk, o=order: d.orders.get(o).state is OrderState.OPEN)
                await seam(desk).store.write(lambda unit, o=order: ask(unit, [o], "cancelled", "trader"))
                seam(desk).workers.canceller.close()  # each dies as it has asked, before its cancel leaves
                left.append(order)
                leases = seam(desk).store.leases
                assert leases is not None
                leases.beat = lambda: False
                firm.run_out(leases.instance_id)
            async with (
                firm.desk("kiran", "free", DeskKind.KEEP, seed=9) as own_home,
                firm.desk("meena", "free", DeskKind.KEEP, seed=10, vault="rows") as keep,
                firm.desk("nila", "free", DeskKind.KEEP, seed=11, vault="rows") as second,
            ):
                both = {AMIT, ROHAN}
                had = lambda: {*seam(keep).kept.book.clients, *seam(second).kept.book.clients}  # noqa: E731
                await until(keep, lambda: had() == both)
                assert not seam(own_home).kept.book.clients
                await until(keep, lambda: had() == set(), step_s=0.5)  # their orders have ended
                for client_id in both:
                    (theirs,) = exchange_of(keep).orders(code_of(keep, client_id))
                    assert theirs.status is BrokerStatus.CANCELLED
                await books_are_sound(keep)


async def test_a_desk_that_the_server_has_not_heard_of_says_so_and_sends_nothing(firm: Firm) -> None:
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        leases, wire = seam(asha).store.leases, Wire(asha)
        assert leases is not None
        beat, leases.beat = leases.beat, lambda: False
        await firm.clock.advance(31.0)
        assert "has not heard of this desk" in there(asha.trading_disabled)
        plan = await asha.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 1, ROHAN))
        run = await asha.runs.start(plan, plan.digest)
        for _ in range(3):
            await firm.clock.advance(1.0)
        assert wire.placed == []
        leases.beat = beat
        await until(asha, lambda: asha.orders.get(run.order_ids[0]).state is OrderState.FILLED)
        assert asha.trading_disabled is None
