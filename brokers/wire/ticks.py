"""Ticks whose unit a broker's file leaves open, and shares of which nothing is ordered until a quote agrees.

A tick below one is rupees, since there are none below a paisa; a file whose shares mostly have such ticks is
in rupees, any other in paise. A share that does not fit its file is in doubt: no order of it leaves before a
quote has shown prices that the tick divides and that fit the exchange's own list of ticks.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal

from msgspec import Struct

from brokers.contract import BrokerError, BrokerRows, InstrumentRow, Refused, Tick, UnreadRow
from brokers.life import Host
from data.clock import Clock
from data.records import replace
from data.reference.instruments import MOST_ODD
from data.store import StoreError

log = logging.getLogger(__name__)

TICKS_PAISE = frozenset({1, 5, 10, 50, 100, 500})
"""Ticks of shares at NSE and BSE (NSE/CMTR/67242 of March 2025; a share's price decides which)."""

TICK_IN_DOUBT = "tick_in_doubt"
"""Code of an order that was not sent, of what has a tick whose unit is in doubt."""

TICK_WAIT_S = 2.5
"""How long an order of an instrument whose tick is in doubt waits for the quote that may settle it."""


class FileRow(Struct, frozen=True):
    """A row of an instruments' file with its tick as it came; None for an index, which has none."""

    listed: InstrumentRow
    tick: Decimal | None


class FileDump(Struct, frozen=True):
    """What a file holds of shares and indices, and the keys `EXCHANGE:SYMBOL` whose tick is in doubt."""

    rows: BrokerRows[InstrumentRow]
    doubtful: frozenset[str]


def dump_of(broker: str, found: Mapping[str, FileRow], unread: Iterable[UnreadRow]) -> FileDump:
    """What the rows of a file come to, by key. Raises `BrokerError` where they are mostly odd."""
    odd = tuple(unread)
    if len(odd) > MOST_ODD * (len(found) + len(odd)):
        raise BrokerError(f"{broker}'s instruments cannot be read: {odd[0].words}", "bad_instruments")
    ticks = [row.tick for row in found.values() if row.tick is not None]
    in_rupees = 2 * sum(tick < 1 for tick in ticks) > len(ticks)
    doubtful: set[str] = set()
    taken: list[InstrumentRow] = []
    for key, row in found.items():
        tick = Decimal(1) if row.tick is None else row.tick
        paise = tick * 100 if row.tick is not None and (in_rupees or tick < 1) else tick
        fits = paise == int(paise) and int(paise) in TICKS_PAISE and (tick < 1) <= in_rupees
        if not fits and row.tick is not None:
            doubtful.add(key)
        taken.append(replace(row.listed, tick_paise=max(1, int(paise))))
    return FileDump(BrokerRows(tuple(taken), odd), frozenset(doubtful))


def tick_fits(tick_paise: int, quote: Tick) -> bool:
    """Whether what a share is quoted at agrees with its tick: every price of it is a multiple.

    Without both sides of the book too little was shown to tell.
    """
    prices = [level.price_paise for level in (*quote.bids, *quote.asks)]
    if not quote.bids or not quote.asks or tick_paise not in TICKS_PAISE:
        return False
    return all(price % tick_paise == 0 for price in (quote.last_paise, *prices))


class TickDoubts:
    """Whose tick is in doubt at a broker; `doubtful` is the tick in paise of each such share, by key.

    `quotes` asks the broker. `on_change` is told of all that are in doubt, whenever that changes.
    """

    def __init__(
        self, broker: str, quotes: Callable[[Collection[str]], Awaitable[Mapping[str, Tick]]], clock: Clock
    ) -> None:
        self.broker = broker
        self._quotes = quotes
        self._clock = clock
        self.doubtful: dict[str, int] = {}
        self.on_change: Callable[[Mapping[str, int]], None] = lambda doubtful: None

    def take(self, dump: FileDump) -> None:
        """Doubt what a file leaves open, and nothing else."""
        ticks = {f"{row.exchange}:{row.tradingsymbol}": row.tick_paise for row in dump.rows}
        self.doubtful = {key: ticks[key] for key in sorted(dump.doubtful)}
        self.on_change(self.doubtful)

    async def refusal(self, key: str) -> Refused | None:
        """Why no order of an instrument leaves; None where its tick is known, as a quote may show now."""
        if key not in self.doubtful:
            return None
        with suppress(TimeoutError):
            async with self._clock.timeout(TICK_WAIT_S):
                if await self._is_known(key):
                    return None
        words = f"the unit of {self.broker}'s tick size of {key} is in doubt, and no quote agrees with it yet"
        return Refused(TICK_IN_DOUBT, words)

    async def _is_known(self, key: str) -> bool:
        tick_paise = self.doubtful[key]
        try:
            found = (await self._quotes([key])).get(key)
        except BrokerError as error:
            log.warning("whether the tick of %s is right is not known: %s", key, error)
            return False
        if found is None or not tick_fits(tick_paise, found):
            return False
        if self.doubtful.pop(key, None) is not None:
            self.on_change(self.doubtful)
        return True


class KeptDoubts:
    """Keeps with a home whose tick is in doubt, for every process of it; what a quote has settled is 0."""

    def __init__(self, doubts: TickDoubts, host: Host) -> None:
        self._doubts = doubts
        self._host = host
        self._prefix = f"{doubts.broker.lower()}_tick/"
        self._kept: dict[str, str] = {}
        doubts.on_change = self._changed

    async def load(self) -> None:
        """Take up again what was in doubt."""
        self._kept = await self._host.kept(self._prefix)
        self._doubts.doubtful.update(
            (key, int(paise)) for key, paise in self._kept.items() if paise.isdecimal() and int(paise)
        )

    def _changed(self, doubtful: Mapping[str, int]) -> None:
        wanted = {key: str(paise) for key, paise in doubtful.items()}
        changed = {key: wanted.get(key, "0") for key in self._kept.keys() | wanted.keys()}
        changed = {key: paise for key, paise in changed.items() if self._kept.get(key) != paise}
        if not changed:
            return
        self._kept.update(changed)
        keep_soon(self._host, {self._prefix + key: paise for key, paise in changed.items()})
        if news := [key for key, paise in changed.items() if paise != "0"]:
            some = ", ".join(news[:3]) + (f" and {len(news) - 3} more" if len(news) > 3 else "")
            words = "no order of it leaves before a quote agrees"
            self._host.tell(f"the unit of {self._doubts.broker}'s tick size is in doubt for {some}: {words}")


def keep_soon(host: Host, facts: Mapping[str, str]) -> None:
    """Keep facts of a home beside what goes on; a failure is logged, for they are learnt again."""

    async def keep() -> None:
        try:
            await host.keep(facts)
        except StoreError as problem:
            log.error("what was learnt of a broker could not be kept: %s", problem)

    host.begin(keep)
