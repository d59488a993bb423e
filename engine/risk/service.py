"""The risk of what clients hold now, by the moves of the days before, and what it was at closes."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from msgspec import Struct

from data.money import BPS, half_up
from data.records import replace
from data.repositories.close.stored import PositionAtClose
from data.repositories.history.closes import official_closes
from data.repositories.history.days import (
    CountedBreaches,
    StoredRisk,
    counted_breaches,
    keep_risks,
    positions_of_day,
)
from data.store import Unit
from engine.accounts.valuation import Valuation
from engine.accounts.values import ClientValue
from engine.book.kept import Kept
from engine.history.service import History
from engine.risk.closes import DailyCloses
from engine.risk.moves import FEWEST_MOVES, Moves, moves_of
from engine.risk.simulation import (
    TAIL_95,
    TAIL_99,
    Outcomes,
    beta_bps,
    index_moves,
    outcomes_of,
    summed,
    value_at_risk,
)
from engine.risk.views import Breaches, ClientRisk, Concentration, RiskView
from engine.timing import Timing

INDEX = "NSE:NIFTY 50"
"""What beta is held against."""

DESK = 0
"""Stands for the desk among clients, in what is kept of closes."""

BREACH_DAYS = 365
"""Days of the calendar that breaches are counted over."""

Worth = Mapping[str, int]
"""What a client's shares are worth, in paise by key."""


class HeldAtClose(Struct, frozen=True):
    """What a client held at a day's close: its shares by key, and its figures of the day, in paise."""

    worth: Worth
    portfolio_paise: int
    todays_pnl_paise: int
    unrealised_paise: int


class RiskAtClose(NamedTuple):
    """The risk at a day's close, and what keeps it in the unit that the close is part of."""

    view: RiskView
    keep: Callable[[Unit], None]


class Risk:
    """What clients and the desk could lose, by the prices of now."""

    def __init__(
        self, kept: Kept, timing: Timing, valuation: Valuation, closes: DailyCloses, history: History
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._valuation = valuation
        self._closes = closes
        self._history = history

    async def of(self, client_ids: Collection[int]) -> RiskView:
        """The risk of these clients together, and of each, by the prices of now."""
        ids = sorted(client_ids)
        self._valuation.refresh(ids)
        values = {one: self._valuation.client(one) for one in ids}
        return await self._at(self._timing.market.trading_day, {one: self._worth(one) for one in ids}, values)

    async def _at(
        self, day: date, worths: Mapping[int, Worth], values: Mapping[int, ClientValue]
    ) -> RiskView:
        ids = sorted(worths)
        keys = {key for worth in worths.values() for key in worth}
        closes = await self._closes.of(sorted(keys | {INDEX}))
        async with self._kept.store.reader() as reader:
            breached = await counted_breaches(reader, [DESK, *ids], day - timedelta(days=BREACH_DAYS))
        drawdown = await self._history.drawdown_paise(ids)
        # A thousand clients of twenty shares each take a good part of a second.
        made = await asyncio.to_thread(_risk, day, worths, values, closes, breached)
        whose = ids[0] if len(ids) == 1 else DESK
        known = len(ids) == 1 or self._is_everybody(ids)  # of a part of the desk none are kept
        of_all = _breaches(breached, whose) if known else Breaches()
        return replace(made, drawdown_paise=drawdown, breaches=of_all)

    def _is_everybody(self, ids: Collection[int]) -> bool:
        return {one.id for one in self._kept.book.open_clients()} <= set(ids)

    def _worth(self, client_id: int) -> Worth:
        found: dict[str, int] = defaultdict(int)
        for one in self._kept.book.holdings.get(client_id, ()):
            if one.quantity:
                found[one.key] += self._valuation.holding(one).value_paise
        return found

    async def of_held(self, day: date, held: Mapping[int, HeldAtClose]) -> RiskView:
        """The risk of clients by what they held at the end of a day."""
        worths = {one: dict(at.worth) for one, at in held.items()}
        values = {
            one: ClientValue(
                portfolio_paise=at.portfolio_paise,
                day_pnl_paise=at.todays_pnl_paise,
                unrealised_paise=at.unrealised_paise,
            )
            for one, at in held.items()
        }
        return await self._at(day, worths, values)

    async def at_close(self, day: date, held: Mapping[int, HeldAtClose]) -> RiskAtClose:
        """The same at the day's close, and what keeps it as of that day.

        What the positions of the close before brought by these prices is kept with it.
        """
        view = await self.of_held(day, held)
        before = self._timing.calendar.previous_trading_day(day)
        async with self._kept.store.reader() as reader:
            positions = await positions_of_day(reader, sorted(held), before)
            keys = sorted({one.key for then in positions.values() for one in then})
            official = await official_closes(reader, keys, day)
        closes = {one.key: one.close_paise for one in official if one.day == day}
        brought = {one: _brought(then, closes) for one, then in positions.items()}
        known = [pnl for pnl in brought.values() if pnl is not None]
        of_desk = sum(known) if known and len(known) == len(brought) else None
        rows = [_stored(one.client_id, day, one, brought.get(one.client_id)) for one in view.clients]
        rows.append(
            StoredRisk(
                *(DESK, day, view.total_value_paise, view.var95_paise, view.var99_paise, view.beta_bps),
                held_pnl_paise=of_desk,
            )
        )

        def keep(unit: Unit) -> None:
            keep_risks(unit, day, rows)

        return RiskAtClose(view, keep)


def _stored(client_id: int, day: date, one: ClientRisk, brought: int | None) -> StoredRisk:
    figures = one.value_paise, one.var95_paise, one.var99_paise, one.beta_bps
    return StoredRisk(client_id, day, *figures, held_pnl_paise=brought)


def _brought(positions: Sequence[PositionAtClose], closes: Mapping[str, int]) -> int | None:
    """What positions of a close brought by the next day's closes; None where a price is missing."""
    total = 0
    for one in positions:
        now, before = closes.get(one.key), one.close_paise
        if now is None or before is None:
            return None
        total += one.quantity * (now - before)
    return total


def _risk(
    day: date,
    worths: Mapping[int, Worth],
    values: Mapping[int, ClientValue],
    closes: Mapping[str, Mapping[date, int]],
    breached: Mapping[int, CountedBreaches],
) -> RiskView:
    moves = moves_of(closes)
    index = index_moves(moves, INDEX)
    outcomes = {one: outcomes_of(worth, moves) for one, worth in worths.items()}
    clients = [
        _client(one, worths[one], values[one], outcomes[one], moves, index, breached) for one in worths
    ]
    invested = [one for one in worths if any(worths[one].values())]
    told = [one for one in invested if len(outcomes[one]) >= FEWEST_MOVES]
    desk = summed([outcomes[one] for one in told])
    total = sum(one.value_paise for one in clients)
    nets = sorted(clients, key=lambda one: one.todays_pnl_paise)
    together: dict[str, int] = defaultdict(int)
    for worth in worths.values():
        for key, value in worth.items():
            together[key] += value
    return RiskView(
        day=day,
        clients=tuple(clients),
        total_value_paise=total,
        todays_pnl_paise=sum(one.todays_pnl_paise for one in clients),
        unrealised_paise=sum(one.unrealised_paise for one in clients),
        profitable=sum(one.todays_pnl_paise > 0 for one in clients),
        losing=sum(one.todays_pnl_paise < 0 for one in clients),
        average_value_paise=total // len(clients) if clients else 0,
        best=nets[-1] if nets else None,
        worst=nets[0] if nets else None,
        var95_paise=value_at_risk(desk, TAIL_95),
        var99_paise=value_at_risk(desk, TAIL_99),
        beta_bps=beta_bps(desk, total, index),
        days=len(desk),
        first=min(desk, default=None),
        last=max(desk, default=None),
        index=INDEX,
        left_out=tuple(one for one in invested if one not in set(told)),
        concentration=_concentration(together, total),
        breaches=Breaches(),
        drawdown_paise=0,
    )


def _client(
    client_id: int,
    worth: Worth,
    value: ClientValue,
    outcomes: Outcomes,
    moves: Moves,
    index: Mapping[date, int],
    breached: Mapping[int, CountedBreaches],
) -> ClientRisk:
    nothing = not any(worth.values())
    portfolio = value.portfolio_paise
    lacking = [key for key in worth if sum(one is not None for one in moves.of.get(key, ())) < FEWEST_MOVES]
    return ClientRisk(
        client_id=client_id,
        value_paise=portfolio,
        todays_pnl_paise=value.net_day_pnl_paise,
        unrealised_paise=value.unrealised_paise,
        var95_paise=0 if nothing else value_at_risk(outcomes, TAIL_95),
        var99_paise=0 if nothing else value_at_risk(outcomes, TAIL_99),
        beta_bps=0 if nothing and index else beta_bps(outcomes, portfolio, index),
        concentration=_concentration(worth, portfolio),
        breaches=_breaches(breached, client_id),
        lacking=tuple(sorted(lacking)),
    )


def _concentration(worth: Worth, portfolio_paise: int) -> Concentration:
    largest = sorted(worth.items(), key=lambda one: (-one[1], one[0]))[:5]
    if not largest or portfolio_paise <= 0:
        return Concentration()
    (key, value), five = largest[0], sum(value for _, value in largest)
    return Concentration(key, half_up(value * BPS, portfolio_paise), half_up(five * BPS, portfolio_paise))


def _breaches(breached: Mapping[int, CountedBreaches], whose: int) -> Breaches:
    found = breached.get(whose)
    return Breaches() if found is None else Breaches(found.days, found.at_95, found.at_99)
