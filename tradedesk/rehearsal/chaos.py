"""Every process of a rehearsed firm killed or frozen while it trades, and its servers too: then the proof."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from data.clock import SystemClock
from tradedesk.rehearsal.firm import RehearsedFirm, Size, firm_of
from tradedesk.rehearsal.frozen_processes import send
from tradedesk.rehearsal.proving import HeldTo
from tradedesk.rehearsal.rehearsal import Load, begin_trading, prove

TRADES_S = 3.0
"""Of trading before something happens, and after it."""

FROZEN_S = (1.0, 6.0)
"""How long somebody stands still; a desk's own watchdog would end it after ten seconds."""

AWAY_S = (0.1, 2.0)
"""How long somebody who has ended is not there."""

LOOKS = 12
"""How often what differs is looked at again: a desk gets its clients back from whoever stood by for it."""

OF_POSTGRES = ("PostgreSQL restarted", "PostgreSQL frozen")
OF_REDIS = ("Redis restarted", "Redis frozen", "Redis emptied")


class ChaosRound(Struct, frozen=True):
    """One round: what happened, the orders until then, and for how many seconds all came to rest."""

    event: str
    orders: int
    seconds: float
    held: HeldTo


class Chaos(Struct, frozen=True):
    """All rounds, and how many of each event ended as they must."""

    desks: int
    clients: int
    rounds: tuple[ChaosRound, ...]
    well: Mapping[str, int]

    @property
    def holds(self) -> bool:
        """Whether all did."""
        return all(one.held.holds for one in self.rounds)


def events_of(firm: RehearsedFirm) -> list[str]:
    """What may happen to a firm: to each kind of its processes, and to servers that are the rehearsal's."""
    found = [f"{what} {how}" for what in ("desk", *firm.others) for how in ("killed", "frozen")]
    found += OF_POSTGRES if firm.postgres is not None else ()
    return [*found, *(OF_REDIS if firm.redis is not None else ())]


async def chaos(
    size: Size,
    load: Load,
    rounds: int,
    kept: Path | None,
    told: Callable[[str], None],
    only: Sequence[str] = (),
) -> Chaos:
    """So many rounds of each event, or of those named, in an order by dice, until one ends as it must not.

    Raises `BadInput`, `Silent`.
    """
    dice, clock, done = random.Random(f"chaos:{size.seed}"), SystemClock(), list[ChaosRound]()
    async with firm_of(size, kept, told) as firm:
        events = [*(only or events_of(firm))] * rounds
        dice.shuffle(events)
        for number, event in enumerate(events, 1):
            await begin_trading(firm, load)
            await clock.sleep(TRADES_S)
            await _Happening(firm, load, dice).happen(event)
            await clock.sleep(TRADES_S)
            began = clock.monotonic()
            held = await prove(firm, LOOKS)
            done.append(ChaosRound(event, held.orders, round(clock.monotonic() - began, 1), held))
            told(f"{number:4d} {event:22s} {held.orders:6d} orders  {'; '.join(held.wrong) or 'well'}")
            if not held.holds:
                break
    well = Counter(one.event for one in done if one.held.holds)
    return Chaos(size.desks, size.desks * size.clients, tuple(done), dict(well))


class _Happening:
    def __init__(self, firm: RehearsedFirm, load: Load, dice: random.Random) -> None:
        self._firm, self._load, self._dice = firm, load, dice
        self._clock = SystemClock()

    async def happen(self, event: str) -> None:
        """Have it happen; who died of it lives again."""
        who, how = event.rsplit(" ", 1)
        match who:
            case "PostgreSQL" | "Redis":
                await self._to_server(who, how)
            case "desk":
                await self._to_desk(self._dice.choice(self._firm.names), how)
            case _:
                await self._to_other(who, how)

    async def _to_server(self, who: str, how: str) -> None:
        server = self._firm.postgres if who == "PostgreSQL" else self._firm.redis
        assert server is not None
        if how == "emptied":
            assert self._firm.redis is not None
            await asyncio.to_thread(self._firm.redis.ask, "FLUSHALL")
        elif how == "frozen":
            await asyncio.to_thread(server.freeze)
            await self._wait(FROZEN_S)
            await asyncio.to_thread(server.thaw)
        else:
            await asyncio.to_thread(server.kill)
            await self._wait(AWAY_S)
            started = await asyncio.to_thread(server.start)
            if started is not None:
                self._firm.note(started.pid)

    async def _to_desk(self, name: str, how: str) -> None:
        desk = self._firm.desks[name]
        if await self._struck(desk.process, how):
            return
        await self._firm.open_desk(name)
        await begin_trading(self._firm, self._load, (name,))

    async def _to_other(self, name: str, how: str) -> None:
        if not await self._struck(self._firm.others[name].process, how):
            await self._firm.start(name)

    async def _struck(self, process: asyncio.subprocess.Process, how: str) -> bool:
        """Kill or freeze it; returns whether it lives after that."""
        if how == "frozen":
            send(signal.SIGSTOP, [process.pid])
            await self._wait(FROZEN_S)
            send(signal.SIGCONT, [process.pid])
            await self._clock.sleep(0.5)
        elif process.returncode is None:
            process.kill()
        if how == "killed" or process.returncode is not None:
            await process.wait()
            await self._wait(AWAY_S)
            return False
        return True

    async def _wait(self, span: tuple[float, float]) -> None:
        await self._clock.sleep(self._dice.uniform(*span))
