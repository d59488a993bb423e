"""A rehearsal from its servers to its proof: a load on every desk, a halt of the firm, what differs."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from msgspec import Struct

from data.clock import SystemClock
from data.server.held_to import kept_books
from data.server.top_statements import top_statements
from tradedesk.compose.rehearsing.rehearsal import control
from tradedesk.rehearsal.firm import RehearsedFirm, Size, firm_of
from tradedesk.rehearsal.measured import HaltMeasured, Rehearsed, WritersMeasured, between, merged, waited
from tradedesk.rehearsal.proving import HeldTo, proof_of

FROZEN_S = 60.0
"""How long the broker answers nobody, in a rehearsal that is long enough."""

FROZEN_SHARE = 0.2
"""Of a shorter one, how much."""

REPEATS = 3
"""How often what differs is looked at again: what a desk was just booking is no difference."""

LOOK_AGAIN_S = 2.0

WRITERS_CLIENTS = 10
"""Clients of each writer."""

WRITTEN_S = 10.0
"""How long they write."""

REST_S = 900.0
"""Within which a desk has come to rest: an order in doubt is known four minutes later at the latest."""


class Load(Struct, frozen=True):
    """What the traders of a firm do: for how long, how many orders a minute all of them together.

    Then so many writers without screen and broker are measured beside each other.
    """

    minutes: float
    orders_a_minute: int
    writers: int = 0


async def rehearse(size: Size, load: Load, kept: Path | None, told: Callable[[str], None]) -> Rehearsed:
    """Rehearse a firm, and take it down again. Raises `BadInput`, `Silent`."""
    began = os.getloadavg()[0]
    async with firm_of(size, kept, told) as firm:
        return await _rehearsed(firm, load, told, began)


async def _rehearsed(firm: RehearsedFirm, load: Load, told: Callable[[str], None], began: float) -> Rehearsed:
    told(f"trading for {load.minutes:g} minutes")
    orders = await _trade(firm, load)
    measures = [await desk.ask("measures") for desk in firm.desks.values()]
    moments = await firm.venue.ask("moments")
    told("halting the firm with live orders")
    halt = await _halt(firm)
    memory = firm.memory_mb()
    told("holding the books to the broker's ledger")
    proof = await prove(firm)
    top = await asyncio.to_thread(top_statements, firm.books)
    written = None
    if load.writers and firm.postgres is not None:
        told(f"ending the desks; writing with {load.writers} writers")
        await firm.end_processes()
        written = await _written(firm, load.writers)
    return Rehearsed(
        desks=firm.size.desks,
        clients=firm.size.desks * firm.size.clients,
        minutes=load.minutes,
        cores=os.cpu_count() or 1,
        load=(began, os.getloadavg()[0]),
        orders=orders,
        orders_a_minute=round(orders / load.minutes),
        reserved=waited(second for one in measures for second in one["reserved"]),
        at_broker=waited(between(merged(measures, "keyed"), moments["came"])),
        booked=waited(between(moments["traded"], merged(measures, "booked"))),
        statements_a_commit=round(_sum(measures, "statements") / max(1, _sum(measures, "commits")), 1),
        commits=_sum(measures, "commits"),
        refused=_sum(measures, "refused"),
        halt=halt,
        memory_mb=memory,
        proof=proof,
        writers=written,
        top=top,
    )


async def _written(firm: RehearsedFirm, writers: int) -> WritersMeasured:
    """Have writers write beside each other, as many processes of them as this machine has cores."""
    each, processes = WRITERS_CLIENTS, min(writers, os.cpu_count() or 1)
    await firm.make_writers(writers, each)
    ends = [1 + writers * one // processes for one in range(processes + 1)]
    groups = await asyncio.gather(*(firm.writers(*ends_of, each) for ends_of in pairwise(ends)))
    told = await asyncio.gather(*(one.ask("write", seconds=WRITTEN_S) for one in groups))
    seconds = max(one["seconds"] for one in told)
    return WritersMeasured(
        writers=writers,
        clients=writers * each,
        orders_a_minute=round(60 * _sum(told, "orders") / seconds),
        commits_a_second=round(_sum(told, "commits") / seconds),
        statements_a_commit=round(_sum(told, "statements") / max(1, _sum(told, "commits")), 1),
    )


def _sum(measures: list[Mapping[str, Any]], what: str) -> int:
    return sum(int(one[what]) for one in measures)


async def _trade(firm: RehearsedFirm, load: Load) -> int:
    """Trade at every desk, the broker frozen for a while; returns how many orders came there."""
    clock, seconds = SystemClock(), load.minutes * 60
    await begin_trading(firm, load)
    await clock.sleep(seconds / 2)
    frozen_s = min(FROZEN_S, seconds * FROZEN_SHARE)
    await control(firm.url, "faults", {"fault": "frozen", "seconds": frozen_s, "delay_s": frozen_s})
    await clock.sleep(seconds / 2)
    orders = len((await firm.venue.ask("moments"))["came"])
    await asyncio.gather(*(desk.ask("stop") for desk in firm.desks.values()))
    return orders


async def begin_trading(firm: RehearsedFirm, load: Load, names: Sequence[str] = ()) -> None:
    """Have desks trade, all of them or those named. Raises `Silent`."""
    every_s = firm.size.desks * firm.size.clients * 60 / load.orders_a_minute
    for name in names or firm.names:
        await firm.desks[name].ask("trade", every_s=every_s)


async def _halt(firm: RehearsedFirm) -> HaltMeasured:
    """Lay an order of every client, and stop the firm by the first desk."""
    live = sum(await asyncio.gather(*(desk.ask("lay", REST_S) for desk in firm.desks.values())))
    first = firm.desks[firm.names[0]]
    made = await first.ask("halt", REST_S)
    began, number = made["began"], str(made["number"])
    knew = [(await desk.ask("halted")).get(number) for desk in firm.desks.values()]
    cancels = [one for one in (await firm.venue.ask("moments"))["cancels"] if one >= began]
    await first.ask("resume")
    return HaltMeasured(
        live=live,
        known_ms=_ms(max(one for one in knew if one is not None) - began),
        last_cancel_ms=_ms(max(cancels, default=began) - began),
        certificate_ms=_ms(made["ended"] - began),
        unread=made["unread"],
    )


def _ms(seconds: float) -> int:
    return round(1000 * max(0.0, seconds))


async def prove(firm: RehearsedFirm, looks: int = REPEATS) -> HeldTo:
    """Have every desk come to rest, and hold the books to the broker's ledger. Raises `Silent`.

    What differs is looked at again, `looks` times in all.
    """
    for left in reversed(range(looks)):
        rests = await asyncio.gather(*(desk.ask("rest", REST_S) for desk in firm.desks.values()))
        wrong = [
            f"{name}: {words}"
            for name, rest in zip(firm.desks, rests, strict=True)
            for words in rest["wrong"]
        ]
        owned = sum(rest["clients"] for rest in rests)
        everybody = firm.size.desks * firm.size.clients
        wrong += [] if owned == everybody else [f"{owned} of {everybody} clients have a desk"]
        proof = proof_of(
            await asyncio.to_thread(kept_books, firm.books), await firm.venue.ask("ledger"), wrong
        )
        if proof.holds or not left:
            return proof
        await SystemClock().sleep(LOOK_AGAIN_S)
    raise AssertionError("it is held to the ledger at least once")
