"""A halt's round: who is read, who is not and is named, and certificates that follow one another."""

import pytest

from brokers.contract import Accepted, BrokerError, BrokerStatus, NotSent
from data.store import StoreUnwritable
from data.vocabulary import ClientStatus, OrderState, SessionState, SizingKind
from tests.desks import Wire, books_are_sound, buy, by_phone, carry_out, disk, paper_desk, until
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
GATEWAY = "HTTP 502 Bad Gateway"


class Unread:
    """Reads of these clients' books fail, for ever or so many times."""

    def __init__(self, desk, times=10**6, *client_ids):
        self.wire = Wire(desk)
        self.left = dict.fromkeys(client_ids, times)
        self.wire.on_read = self

    async def __call__(self, account):
        if self.left.get(account.client_id, 0) > 0:
            self.left[account.client_id] -= 1
            raise BrokerError(GATEWAY)


def status_of(desk, client_id, number):
    orders = exchange_of(desk).orders(desk.clients.get(client_id).code)
    return next(order.status for order in orders if order.broker_order_id == number)


async def certified(desk, fired):
    await until(desk, fired.done)
    return fired.result()


async def test_a_client_whose_book_could_not_be_read_once_is_read_again(tmp_path):
    async with paper_desk(tmp_path) as desk:
        unread = Unread(desk, 2, AMIT)
        number = by_phone(desk, AMIT, limit_paise=1400_00)
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert unread.left[AMIT] == 0
        assert status_of(desk, AMIT, number) is BrokerStatus.CANCELLED
        assert (made.ended, made.unread, made.unreachable) == (True, (), 0)
        assert [one.broker_order_id for one in made.external] == [number]


async def test_while_a_client_is_unread_nothing_has_ended_and_it_is_named(tmp_path):
    async with paper_desk(tmp_path) as desk:
        unread = Unread(desk, 10**6, AMIT)
        number = by_phone(desk, AMIT, limit_paise=1400_00)
        began = desk.clock.monotonic()
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert desk.clock.monotonic() - began >= 30
        assert not made.ended
        (one,) = made.unread
        assert (one.client_id, one.code, one.why, made.unreachable) == (
            AMIT,
            desk.clients.get(AMIT).code,
            GATEWAY,
            1,
        )
        assert any("WhatsApp" in path for path in one.emergency)
        assert any("phone desk" in path for path in one.emergency)
        assert desk.halt.latest() == made

        unread.left.clear()
        await until(desk, lambda: desk.halt.latest() != made)
        await until(desk, lambda: (desk.home / "certificates" / "halt-1-2.json").exists())
        assert status_of(desk, AMIT, number) is BrokerStatus.CANCELLED
        assert (desk.halt.certificate(1) or made).ended
        assert (desk.home / "certificates" / "halt-1.json").exists()
        told = await desk.audit.rows(20, "HALT_CERTIFIED")
        assert [(row.details["version"], row.details["ended"]) for row in told] == [(1, False), (2, True)]
        await books_are_sound(desk)
        with pytest.raises(Exception, match="halt_certificate is append-only"):
            await seam(desk).store.write(
                lambda unit: unit.connection.exec_driver_sql("UPDATE halt_certificate SET ended = TRUE")
            )


async def test_an_order_of_a_client_who_cannot_be_read_is_cancelled_and_not_called_ended(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=2400_00))
        unread = Unread(desk, 10**6, ROHAN)

        async def cancel(account, number):
            return Accepted(number)  # the broker takes it, and the order goes on living

        unread.wire.on_cancel = cancel
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert (made.ended, made.unknown, [one.client_id for one in made.unread]) == (False, 1, [ROHAN])
        assert [order.result for order in made.orders] == ["live"]


async def test_an_inactive_client_with_a_session_is_in_the_round(tmp_path):
    async with paper_desk(tmp_path) as desk:
        number = by_phone(desk, AMIT, limit_paise=1400_00)
        await desk.clients.set_status(AMIT, ClientStatus.INACTIVE, "left")
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert status_of(desk, AMIT, number) is BrokerStatus.CANCELLED
        assert made.ended


async def test_who_is_not_signed_in_is_named_and_no_obstacle(tmp_path):
    async with paper_desk(tmp_path) as desk:
        out = {client.code for client in desk.clients.all() if client.session is SessionState.EXPIRED}
        assert out
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert made.ended
        assert set(made.not_signed_in) == out
        assert made.clients == len(desk.clients.all()) - len(out)


async def test_a_cancel_of_which_nothing_left_this_machine_is_called_tried(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA, limit_paise=2400_00))
        wire = Wire(desk)

        async def cancel(account, number):
            return NotSent("no connection to Kite") if account.client_id == ROHAN else None

        wire.on_cancel = cancel
        made = await certified(desk, desk.halt.fire_now("tester"))
        results = {order.client_id: order.result for order in made.orders}
        assert results == {ROHAN: "tried", PRIYA: "cancelled"}
        lines = {line.client_id: line for line in made.lines}
        assert (lines[ROHAN].tried, lines[ROHAN].first_cancel_s) == (1, None)
        assert (made.tried, made.ended) == (1, False)
        assert lines[PRIYA].first_cancel_s is not None


async def test_what_cannot_be_written_is_cancelled_from_the_books_and_counts_who_was_not_read(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00))
        total = desk.counts().live
        unread = Unread(desk, 10**6, AMIT)
        number = by_phone(desk, PRIYA, limit_paise=1400_00)
        await disk(desk, full=True)
        code = desk.clients.get(AMIT).code
        firing = desk.halt.fire_now("tester")
        await until(desk, firing.done)
        with pytest.raises(StoreUnwritable, match=f"took {total + 1} cancels all the same; NOT READ.*{code}"):
            firing.result()
        assert status_of(desk, PRIYA, number) is BrokerStatus.CANCELLED
        assert desk.halt.unwritten is not None
        assert [one.why for one in desk.halt.unwritten.unread] == [GATEWAY]
        await disk(desk, full=False)
        unread.left.clear()
        await until(desk, lambda: desk.counts().live == 0)


async def test_reading_goes_on_when_a_desk_is_opened_again(tmp_path):
    async with paper_desk(tmp_path) as desk:
        Unread(desk, 10**6, AMIT)
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert not made.ended
    async with paper_desk(tmp_path, demo=False) as again:
        assert again.halt.latest() == made
        await until(again, lambda: again.halt.latest() != made)


async def test_a_read_of_before_its_cancel_ended_proves_nothing_of_a_client(tmp_path):
    async with paper_desk(tmp_path) as desk:
        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=2400_00))
        (order_id,) = run.order_ids
        wire, reads, ended = Wire(desk), list[float](), list[float]()

        async def read(account):
            if account.client_id == ROHAN:
                if ended:
                    raise BrokerError(GATEWAY)
                reads.append(desk.clock.monotonic())

        async def cancel(account, broker_order_id):
            while not reads:
                await desk.clock.sleep(0.5)
            await desk.clock.sleep(0.5)
            ended.append(desk.clock.monotonic())
            return await wire.broker.cancel(account, broker_order_id)

        wire.on_read, wire.on_cancel = read, cancel
        made = await certified(desk, desk.halt.fire_now("tester"))
        assert desk.orders.get(order_id).state is OrderState.CANCELLED, "the stream has told"
        assert (len(reads) > 0, made.ended) == (True, False)
        assert [one.client_id for one in made.unread] == [ROHAN]
        wire.on_read = None
        await until(desk, lambda: (desk.halt.certificate(1) or made).ended)
