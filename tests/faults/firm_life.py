"""One life of a desk that shares a database, as a process: it trades, rests and says what is wrong."""

import asyncio
import logging
import random
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from data.errors import BadInput
from data.records import replace
from data.store import StoreError
from data.vocabulary import DeskKind, OrderState
from engine.desk import Desk
from engine.refusals import Refusal
from tests.faults.actions import (
    bulk,
    cancel_some,
    free_unsent,
    halt_and_resume,
    modify_some,
    patience,
)
from tests.faults.at_brokers import KITE
from tests.faults.broker_house import NAP_S
from tests.faults.broker_life import LONGEST_S, WAITS, control, move_in, read_all, settled, sign_in_due
from tests.faults.clock import FastClock, monotonic
from tests.faults.frozen_between import Between, StopsItself
from tests.faults.remote import RULES
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

DOES = ((0.03, halt_and_resume), (0.63, bulk), (0.83, modify_some), (1.0, cancel_some))
"""What desks do, each up to this share: a halt is of everything, a broker or a symbol, for all of them."""

SHORTER = replace(WAITS, send_timeout_s=20.0)
"""A send begins only where a lease outlasts it, and leases last as long as they do."""


FREEZES = {f"freeze between {place.value}": place for place in Between}
"""The words on which a desk stops itself there, as it goes on trading."""


@dataclass(frozen=True, slots=True)
class FirmLife:
    """A desk by name, in a home of that name; `clients` are whom it takes: codes with blanks, or `free`."""

    name: str
    folder: Path
    database: str
    broker: str
    key_file: Path
    clients: str
    clock: FastClock
    seed: int
    kind: DeskKind = DeskKind.APP
    redis: str = ""

    @property
    def settings(self) -> Settings:
        """What its configuration says."""
        more = {"database_url": self.database, "desk_clients": self.clients, "redis_url": self.redis}
        shared = {"vault": "rows", "wrapping_key_file": self.key_file, "trader": self.name}
        return KITE.settings(self.broker).model_copy(update={**more, **shared})


@dataclass(frozen=True, slots=True)
class Rest:
    """What a desk says that has come to rest: how many clients it owns, and what is wrong."""

    clients: int
    live: int
    wrong: tuple[str, ...]


def make(pipe: Connection, life: FirmLife, clients: int) -> None:
    """Lay a market and clients with routes and secrets into the books, and end."""
    asyncio.run(_make(pipe, life, clients))


async def _make(pipe: Connection, life: FirmLife, clients: int) -> None:
    async with _desk(life) as desk:
        await move_in(desk, (KITE,), clients)
        pipe.send([client.code for client in desk.clients.all()])


def live(pipe: Connection, life: FirmLife) -> None:
    """Live until the driver says `end`: `trade` and `rest` are its other words, and where to stop itself."""
    logging.basicConfig(level=logging.WARNING, format="%(created).3f %(levelname)s %(name)s %(message)s")
    asyncio.run(_live(pipe, life))


def _desk(life: FirmLife) -> Any:
    KITE.wait_less()
    return compose_desk(
        life.folder / life.name,
        life.kind,
        clock=life.clock.napping(NAP_S),
        settings=life.settings,
        rules=replace(RULES, desk_clients=life.clients, stands_by_for_all=True),
        waits=SHORTER,
        seed=life.seed,
    )


async def _live(pipe: Connection, life: FirmLife) -> None:
    dice, words = random.Random(f"{life.name}:{life.seed}"), asyncio.Queue[str]()
    stops = StopsItself()
    asyncio.get_running_loop().add_reader(pipe.fileno(), lambda: words.put_nowait(_said(pipe)))
    async with _desk(life) as desk:
        pipe.send("open")
        while (word := await words.get()) != "end":
            if word == "trade" and life.kind is not DeskKind.KEEP:
                await _strike(desk)
            if word in FREEZES:
                stops.arm(FREEZES[word])
            if word == "trade" or word in FREEZES:
                while words.empty():
                    if life.kind is not DeskKind.KEEP:
                        await sign_in_due(desk)
                        drawn = dice.random()
                        with suppress(Refusal, BadInput, StoreError):
                            await next(does for share, does in DOES if drawn < share)(desk, dice)
                    await patience(0.02)
            else:
                pipe.send(await _at_rest(desk, life.kind))
    pipe.send("closed")


async def _strike(desk: Desk) -> None:
    """Have some placements of everybody's end in doubt, until the market is calm again."""
    for fault in ("late_in_book", "drop_connection", "timed_out_done"):
        await control(desk, "faults", fault=fault, share=0.05, delay_s=20, route="place")


def _said(pipe: Connection) -> str:
    try:
        return str(pipe.recv())
    except EOFError:
        return "end"


async def _at_rest(desk: Desk, kind: DeskKind) -> Rest:
    """Have nothing in doubt or on its way any more, and every client's books read."""
    if kind is DeskKind.KEEP:
        end = monotonic() + LONGEST_S
        while monotonic() < end and any(
            order.state in (OrderState.SENDING, OrderState.UNKNOWN) for order in desk.orders.all(live=True)
        ):
            await patience(0.05)
    else:
        await free_unsent(desk)
        await settled(desk)
    await read_all(desk)
    wrong = [f"doctor: {one.name}: {one.detail}" for one in await desk.doctor.run() if not one.ok]
    wrong += [f"break: {one}" for one in desk.reconcile.breaks()]
    if trouble := desk.trading_disabled:
        wrong.append(f"it sends nothing: {trouble}")
    held = seam(desk).kept.store.leases
    return Rest(0 if held is None else len(held.held), len(desk.orders.all(live=True)), tuple(wrong))
