"""What runs cost clients beside the runs' own averages, by the orders and plans that are kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

from data.errors import BadInput
from data.records import values_of
from data.repositories.base import On
from data.repositories.history.closes import official_closes
from data.repositories.history.days import StoredDispersion, keep_dispersions, stored_dispersions
from data.store import Unit
from data.vocabulary import OrderState, Side
from engine.book.kept import Kept
from engine.book.reading import orders_of_day, read_runs
from engine.book.views import OrderView, RunRow
from engine.market.market import Market
from engine.planning.plan import Plan
from engine.planning.service import Plans
from engine.risk.dispersion import RunCost, Sent, costs_of, month_to_date, parts_of, places_of
from engine.risk.views import DayCosts, DispersionView, RunDispersion
from engine.timing import Timing


class Dispersion:
    """What clients of the same run got beside each other."""

    def __init__(self, kept: Kept, timing: Timing, market: Market, plans: Plans) -> None:
        self._kept = kept
        self._timing = timing
        self._market = market
        self._plans = plans

    async def of_run(self, number: int) -> RunDispersion:
        """One run, however long ago. Raises `BadInput` where no run has this number."""

        store = self._kept.store
        run = (await store.read_aside(lambda on: read_runs(on, [number]))).get(number)
        if run is None:
            raise BadInput("run", number, "no run has this number")
        day = (await self._plans.get(run.plan_number)).trading_day
        orders = (await store.read_aside(lambda on: orders_of_day(on, day))).get(number, [])
        return await self._of(run, orders, await self._closes(orders))

    async def of_day(self, day: date | None = None) -> DispersionView:
        """The runs of a day, today unless another is given, and the month up to it."""
        day = self._timing.market.trading_day if day is None else day
        runs, orders = await self._kept.store.read_aside(lambda on: _read(on, day))
        closes = await self._closes([one for some in orders.values() for one in some])
        found = [await self._of(runs[number], orders[number], closes) for number in sorted(runs)]
        since = day.replace(day=1)
        async with self._kept.store.reader() as reader:
            before = await stored_dispersions(reader, since, day)
        today = costs_of((one.parts, one.places) for one in found)
        month = month_to_date([_cost(one) for one in before], today)
        return DispersionView(day, since, tuple(found), _costliest(month.values()))

    async def costs(self, day: date, closed: bool) -> DayCosts:
        """What a day's runs cost each client, and the month's up to it: of a closed day as it was kept."""
        if not closed:
            view = await self.of_day(day)
            today = costs_of((one.parts, one.places) for one in view.runs)
            return DayCosts(view.since, tuple(today.values()), view.month)
        since = day.replace(day=1)
        async with self._kept.store.reader() as reader:
            kept = await stored_dispersions(reader, since, day + timedelta(days=1))
        of_day = {one.client_id: _cost(one) for one in kept if one.day == day}
        month = month_to_date([_cost(one) for one in kept if one.day < day], of_day)
        return DayCosts(since, tuple(of_day.values()), _costliest(month.values()))

    async def at_close(self, day: date) -> Callable[[Unit], None]:
        """What keeps what a day's runs cost each client, in the unit that the day's close is part of."""
        view = await self.of_day(day)
        costs = costs_of((one.parts, one.places) for one in view.runs)
        rows = [StoredDispersion(day=day, **values_of(one)) for one in costs.values()]
        return lambda unit: keep_dispersions(unit, day, rows)

    async def _closes(self, orders: Iterable[OrderView]) -> Mapping[tuple[date, str], int]:
        """What shares closed at on their orders' days; today's last price once its session has ended."""
        rows = list(orders)
        if not rows:
            return {}
        keys = {one.key for one in rows}
        async with self._kept.store.reader() as reader:
            official = await official_closes(reader, sorted(keys), min(one.trading_date for one in rows))
        found = {(one.day, one.key): one.close_paise for one in official}
        today = self._timing.market.trading_day
        if self._timing.market.now() < self._timing.calendar.session_close(today):
            return found
        for key in {one.key for one in rows if one.trading_date == today}:
            quote = self._market.quote(key)
            if quote is not None and quote.last_paise > 0:
                found.setdefault((today, key), quote.last_paise)
        return found

    async def _of(
        self, run: RunRow, orders: Sequence[OrderView], closes: Mapping[tuple[date, str], int]
    ) -> RunDispersion:
        plan = await self._plans.get(run.plan_number)
        sent = _sent([one for one in orders if one.state is not OrderState.DENIED], plan, closes)
        parts = sorted(parts_of(sent), key=lambda one: (-one.dispersion_paise, one.client_id))
        # Numbers of orders are given out in the order of the rotation.
        places = places_of([one.client_id for one in sorted(orders, key=lambda one: one.id)])
        return RunDispersion(
            run.number,
            run.title,
            plan.trading_day,
            tuple(parts),
            tuple(places),
            run.rotation_seed,
            run.rotation_start,
            slippage_paise=sum(one.slippage_paise for one in parts),
            notional_paise=sum(one.notional_paise for one in parts),
            final=all(one.unfilled_paise is not None for one in parts),
        )


def _read(on: On, day: date) -> tuple[dict[int, RunRow], dict[int, list[OrderView]]]:
    orders = orders_of_day(on, day)
    return read_runs(on, orders), orders


def _sent(orders: Sequence[OrderView], plan: Plan, closes: Mapping[tuple[date, str], int]) -> list[Sent]:
    """What was sent for each client in each leg, its slices and products together."""
    arrivals = {part.leg: part.last_paise for part in plan.parts}
    grouped: dict[tuple[int, int, str, Side], list[OrderView]] = {}
    for one in orders:
        grouped.setdefault((one.client_id, one.leg, one.key, one.side), []).append(one)
    return [
        Sent(
            client_id=client_id,
            leg=leg,
            key=key,
            side=side,
            quantity=sum(one.quantity for one in rows),
            filled=sum(one.filled_quantity for one in rows),
            notional_paise=sum(one.filled_notional_paise for one in rows),
            arrival_paise=arrivals.get(leg, 0),
            close_paise=closes.get((rows[0].trading_date, key)),
        )
        for (client_id, leg, key, side), rows in grouped.items()
    ]


def _costliest(costs: Iterable[RunCost]) -> tuple[RunCost, ...]:
    return tuple(sorted(costs, key=lambda one: (-one.dispersion_paise, one.client_id)))


def _cost(one: StoredDispersion) -> RunCost:
    return RunCost(*(getattr(one, name) for name in RunCost.__struct_fields__))
