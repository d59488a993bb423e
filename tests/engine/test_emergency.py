"""A cancel-all that the books cannot take: it names all that survives it, and its certificate is not lost."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from brokers.contract import (
    BrokerError,
    BrokerRows,
    BrokerStatus,
    Conditional,
    ConditionalKind,
    PassedOver,
    Refused,
)
from data.records import replace
from data.store import GateMode, StoreUnwritable
from data.vocabulary import DeskKind, HaltScope, OrderState, SizingKind
from engine.access.sessions import Sessions
from engine.execution.runs import Runs
from engine.halt.booked import FILE_ONLY
from engine.halt.halts import Halts
from tests.desks import (
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    disk,
    on_tape,
    paper_desk,
    sends_nothing,
    there,
    until,
)
from tests.read_only import make_read_only
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

ROHAN, PRIYA, AMIT = 8, 15, 22
FUTURE = PassedOver("77", "NFO NRML", "NIFTY26NOVFUT", "SELL", 50)
GTT = Conditional(ConditionalKind.GTT, "9", "TCS when it reaches 2400", places_orders=True)


class Survivors(Wire):
    """A broker with what no cancel-all touches: an order of another segment, and GTTs."""

    async def orders(self, account):
        rows = await super().orders(account)
        return replace(rows, passed_over=(FUTURE,)) if account.client_id == ROHAN else rows

    async def conditionals(self, account):
        assert self.cancelled, "cancels go first"
        if account.client_id == AMIT:
            raise BrokerError("HTTP 502 Bad Gateway")
        return BrokerRows((GTT,) if account.client_id == PRIYA else ())

    async def delete_conditional(self, account, conditional):
        raise AssertionError("only where it is wanted")


async def fired_on_a_full_disk(desk):
    """What a cancel-all leaves that met a full disk, with orders of the desk and of a client's phone."""
    await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00))
    total = desk.counts().live
    by_phone(desk, AMIT, limit_paise=1400_00)
    Survivors(desk)
    await disk(desk, full=True)
    firing = desk.halt.fire_now("tester")
    await until(desk, firing.done)
    with pytest.raises(StoreUnwritable, match=f"took {total + 1} cancels all the same"):
        firing.result()
    assert desk.halt.unwritten is not None
    return desk.halt.unwritten.certificate


def left(home):
    return sorted(path.name for path in (home / "certificates").glob("*"))


async def certified(desk):
    rows = await desk.audit.rows(100)
    return [row.details["halt"] for row in rows if row.action == "HALT_CERTIFIED"]


async def test_a_cancel_all_that_the_books_cannot_take_names_what_survives_it(tmp_path):
    async with paper_desk(tmp_path) as desk:
        made = await fired_on_a_full_disk(desk)
        code = {client_id: desk.clients.get(client_id).code for client_id in (ROHAN, PRIYA, AMIT)}
        assert (made.number, made.ended, made.unread) == (FILE_ONLY, True, ())
        assert made.unbooked
        assert len(made.orders) == made.cancelled == desk.counts().live > 40
        assert [(one.code, one.what, one.quantity) for one in made.passed_over] == [
            (code[ROHAN], "NFO NRML", 50)
        ]
        assert [(one.code, one.kind, one.result) for one in made.conditionals] == [
            (code[PRIYA], "gtt", "active")
        ]
        assert made.conditionals_unread == (code[AMIT],)
        assert [(one.client_id, one.result) for one in made.external] == [(AMIT, "ended")]
        assert {line.released_paise for line in made.lines} == {0}
        assert {line.first_cancel_s is None for line in made.lines} == {False}
        assert made.still_blocked_paise == made.blocked_before_paise > 0


async def test_a_halt_that_no_file_took_either_is_written_as_soon_as_one_can_be(tmp_path, monkeypatch):
    async with paper_desk(tmp_path) as desk:
        with monkeypatch.context() as read_only:
            make_read_only(read_only, tmp_path)
            made = await fired_on_a_full_disk(desk)
            lost = there(desk.halt.unwritten)
            assert "NOT HALTED" in lost.words
            assert (lost.kept, lost.no_file, desk.halt.active()) == (False, "Read-only file system", [])
            assert not (tmp_path / "HALT").exists()
        await until(desk, lambda: left(tmp_path))
        assert (there(desk.halt.unwritten).kept, "NOT HALTED" in there(desk.halt.unwritten).words) == (
            True,
            False,
        )
        assert [(halt.number, halt.at) for halt in desk.halt.active()] == [
            (FILE_ONLY, made.at.replace(microsecond=0))
        ]
        await disk(desk, full=False)
        await until(desk, lambda: desk.halt.certificate(1) is not None)
        assert [(halt.number, halt.at) for halt in desk.halt.active()] == [(1, made.at)]


async def test_its_certificate_is_taken_up_by_the_next_opening_and_by_no_other(tmp_path):
    async with paper_desk(tmp_path) as desk:
        made = await fired_on_a_full_disk(desk)
        (name,) = left(tmp_path)
        kept = (tmp_path / "certificates" / name).read_bytes()
    async with paper_desk(tmp_path, demo=False) as again:
        assert again.halt.certificate(1) == replace(made, number=1)
        assert [(halt.number, halt.at, halt.by) for halt in again.halt.active()] == [(1, made.at, "tester")]
        assert await certified(again) == [1]
        assert left(tmp_path) == ["halt-1.json"]
    (tmp_path / "certificates" / name).write_bytes(kept)  # as where a program ends right after the commit
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as third:
        assert await certified(third) == [1]
        assert [halt.number for halt in third.halt.active()] == [1]
        assert left(tmp_path) == ["halt-1.json"]
        assert await third.halt.resume(1, "resume", "tester") == 1
        assert third.halt.active() == []


async def test_a_desk_that_is_open_takes_it_up_once_the_books_can_be_written(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await fired_on_a_full_disk(desk)
        await disk(desk, full=False)
        await until(desk, lambda: desk.halt.certificate(1) is not None)
        await until(desk, lambda: desk.counts().live == 0)
        assert desk.halt.unwritten is None
        assert [halt.number for halt in desk.halt.active()] == [1]
        assert {order.state for order in desk.orders.all()} == {OrderState.CANCELLED}
        await books_are_sound(desk)
        assert await desk.halt.resume(FILE_ONLY, "resume", "tester") == 1, (
            "the screen may still show the file"
        )


async def test_a_certificate_whose_halt_alone_is_in_the_books_is_kept_too(tmp_path):
    async with paper_desk(tmp_path) as desk:
        write, full = seam(desk).store.write, []

        async def only_the_halt(unit, gate=GateMode.SHARED):
            if full:
                raise StoreUnwritable("database or disk is full")
            full.append(True)
            return await write(unit, gate)

        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, PRIYA, limit_paise=2400_00))
        seam(desk).store.write = only_the_halt
        firing = desk.halt.fire_now("tester")
        await until(desk, firing.done)
        made = firing.result()
        assert (made.number, made.ended, made.cancelled) == (1, True, 2)
        assert made.unbooked
        del seam(desk).store.write
        await until(desk, lambda: left(tmp_path) == ["halt-1.json"])
        assert await certified(desk) == [1]
        await until(desk, lambda: desk.counts().live == 0)
        await books_are_sound(desk)


async def test_what_was_reserved_and_not_sent_is_freed_as_the_books_take_the_halt(tmp_path):
    async with paper_desk(tmp_path) as desk:
        sends_nothing(desk)
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN, limit_paise=2400_00))
        await desk.runs.start(plan, plan.digest)

        def refused(unit, gate=GateMode.SHARED):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(StoreUnwritable("database or disk is full"))
            return future

        seam(desk).store.submit = refused
        with pytest.raises(StoreUnwritable):
            await desk.halt.fire("tester", HaltScope.CLIENT, str(ROHAN))
        assert desk.halt.unwritten is not None
        (entry,) = desk.halt.unwritten.certificate.orders
        assert entry.result == "unsent"
        del seam(desk).store.submit
        await until(desk, lambda: desk.counts().unsent == 0)
        (order,) = desk.orders.all()
        assert (order.state, order.blocked_paise) == (OrderState.CANCELLED, 0)
        assert [(halt.scope, halt.value) for halt in desk.halt.active()] == [(HaltScope.CLIENT, str(ROHAN))]
        await books_are_sound(desk)


async def test_it_reads_back_until_nothing_is_live_at_the_brokers(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00))
        number = by_phone(desk, PRIYA, limit_paise=1400_00)
        wire, late = Wire(desk), []

        async def cancel(account, broker_order_id):
            if broker_order_id != number:
                return None
            late.append(asyncio.create_task(done_later(account, broker_order_id)))
            return Refused("being_processed", "Order is being processed")

        async def done_later(account, broker_order_id):
            await desk.clock.sleep(3.0)
            await wire.broker.cancel(account, broker_order_id)

        wire.on_cancel = cancel
        await disk(desk, full=True)
        firing = desk.halt.fire_now("tester")
        await until(desk, firing.done)
        assert isinstance(firing.exception(), StoreUnwritable)
        assert desk.halt.unwritten is not None
        made = desk.halt.unwritten.certificate
        orders = exchange_of(desk).orders(desk.clients.get(PRIYA).code)
        assert {one.status for one in orders} == {BrokerStatus.CANCELLED}
        assert (made.ended, [one.result for one in made.external]) == (True, ["ended"])
        assert desk.clock.monotonic() >= 3


async def test_a_file_that_holds_no_certificate_is_set_aside_by_name(tmp_path):
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "unbooked-1.json").write_text("{")
    async with paper_desk(tmp_path) as desk:
        assert left(tmp_path) == ["unreadable-1.json"]
        assert desk.halt.active() == []


BROKEN = {
    "a time without its zone": {"at": "2026-11-18T09:15:00"},
    "a time that is a number": {"at": 5},
    "a year of no calendar": {"at": "9999-12-31T23:59:59+00:00"},
    "nobody": {"by": None},
    "somebody who is an object": {"by": {"a": 1}},
    "half a character": {"by": "\ud800"},
    "no value": {"value": None},
    "a value that is a list": {"value": [1]},
    "a value for everything": {"value": "zerodha"},
    "a scope without a value": {"scope": "symbol"},
    "a client of nobody": {"scope": "client", "value": "99999"},
    "a group of nobody": {"scope": "group", "value": "no such group"},
    "a scope of no kind": {"scope": "planet", "value": "mars"},
    "a number that no row takes": {"number": 10**30},
    "a number below none": {"number": -1},
    "no number": {"number": None},
    "an end in words": {"ended": "maybe"},
    "money that is no number": {"released_paise": float("nan")},
    "lines in words": {"lines": "x"},
    "a field of no certificate": {"surprise": 1},
}


async def a_certificate(folder):
    """One as a cancel-all leaves it."""
    async with paper_desk(folder) as desk:
        made = await fired_on_a_full_disk(desk)
        return made.to_json()


def damaged_texts(values):
    """Files that hold no certificate, by what is wrong with each."""
    lines, orders = values["lines"], values["orders"]
    texts = {name: json.dumps({**values, **wrong}) for name, wrong in BROKEN.items()}
    one = {**lines[0], "client_id": [1]}
    texts["a client that is a list"] = json.dumps({**values, "lines": [one]})
    texts["an order of letters"] = json.dumps({**values, "orders": [{**orders[0], "order_id": "zz"}]})
    texts |= {"nothing": "", "zeros": "\0" * 500, "a list": "[1]", "a word": '"x"', "depth": "[" * 200_000}
    return texts


async def test_files_that_hold_no_certificate_keep_no_desk_from_opening(tmp_path):
    texts = damaged_texts(await a_certificate(tmp_path / "first"))
    home = tmp_path / "second"
    (home / "certificates").mkdir(parents=True)
    for number, text in enumerate(texts.values()):
        (home / "certificates" / f"unbooked-{number:02}.json").write_text(text)
    async with paper_desk(home) as desk:
        assert left(home) == [f"unreadable-{number:02}.json" for number in range(len(texts))]
        assert (desk.halt.active(), await certified(desk)) == ([], [])
        told = on_tape(desk, "could not be taken up")
        assert len(told) == len(texts)
        assert "certificates/unreadable-00.json" in told[0]
        assert "certificate.at" in told[0]
        (check,) = [one for one in await desk.doctor.run() if one.name == "certificates"]
        assert not check.ok
        assert "unreadable-00.json" in check.detail
        assert desk.trading_disabled is None


async def test_a_damaged_file_keeps_no_other_from_the_books_and_no_heartbeat_from_going_on(tmp_path):
    values = await a_certificate(tmp_path / "first")
    home = tmp_path / "second"
    async with paper_desk(home) as desk:
        (home / "certificates").mkdir()
        naive = json.dumps({**values, "at": "2026-11-18T09:15:00"})
        (home / "certificates" / "unbooked-1.json").write_text(naive)
        (home / "certificates" / "unbooked-2.json").write_text("[" * 200_000)
        (home / "certificates" / "unbooked-3.json").write_text(json.dumps(values))
        await until(desk, lambda: "halt-1.json" in left(home))
        assert left(home) == ["halt-1.json", "unreadable-1.json", "unreadable-2.json"]
        assert [halt.number for halt in desk.halt.active()] == [1]


@pytest.mark.in_file
async def test_a_part_of_the_heartbeat_that_fails_skips_no_other_and_is_done_again(tmp_path, monkeypatch):
    tried, failing = [], []

    def out_of_order(work):
        async def tried_once(service, **options):
            if not failing:
                return await work(service, **options)
            tried.append(work)
            raise RuntimeError("out of order")

        return tried_once

    for service, name in ((Runs, "pause_dead"), (Sessions, "expire_due"), (Halts, "book_left")):
        monkeypatch.setattr(service, name, out_of_order(getattr(service, name)))
    async with paper_desk(tmp_path) as desk:
        failing.append(True)
        first = heartbeat(tmp_path)
        await until(desk, lambda: heartbeat(tmp_path) > first)
        second = heartbeat(tmp_path)
        await until(desk, lambda: heartbeat(tmp_path) > second)
        assert len(tried) >= 6


def heartbeat(home):
    """When the desk last told that it is not frozen."""
    with closing(sqlite3.connect(home / "desk.db")) as connection:
        return connection.execute("SELECT max(heartbeat_at) FROM instance").fetchone()[0]
