"""Rebalancing on a running desk: what brings clients to a model now, and the intent that does it."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from data.records import replace
from data.reference.instruments import Instrument
from data.reference.proceeds import credit_bps
from data.repositories.accounts.fifo import FifoLot, open_lots
from data.repositories.trading.stages import StoredStaged, left_of_model
from data.vocabulary import (
    ModelException,
    OrderType,
    PerClient,
    Product,
    Reason,
    RebalanceVerdict,
    Side,
    SizingKind,
    StagedState,
)
from engine.book.kept import Kept
from engine.book.views import ClientView, HoldingView
from engine.market.market_data import MarketData
from engine.planning.checks import client_refusal
from engine.planning.intent import Intent, Leg, LineChange, Sizing
from engine.planning.plan import Plan
from engine.planning.service import Plans
from engine.planning.sizing import PlanPrices, reserve_price
from engine.planning.why import LineRefusal, OrderLives, RunStillBuys
from engine.rebalancing.holding import held_of
from engine.rebalancing.model import NO_WISH, Model, Wish
from engine.rebalancing.planner import ClientStand, ModelMarket, propose
from engine.rebalancing.proposal import Proposal
from engine.rebalancing.shares import HeldLot, HeldStock, sale_tax
from engine.rebalancing.stocks import StockChanged, stocks_today
from engine.rebalancing.working import StockPrice
from engine.rules import Rules
from engine.timing import Timing


class Rebalance(Struct, frozen=True):
    """What brings clients to a model, as it was worked out at one moment (wall time).

    Who waited for cash stands first, then who trades by drift, then who cannot, then who is inside the band.
    """

    model: Model
    wish: Wish
    made_at: datetime
    proposals: tuple[Proposal, ...]
    changed: tuple[StockChanged, ...] = ()
    """Stocks that have another name or ISIN by now than in the model, which is followed."""
    preview: Plan | None = None
    """What a plan of it would be by the desk's limits; None where there are none, or nothing trades."""

    @property
    def proposed(self) -> tuple[Proposal, ...]:
        """Those that trade, today or later."""
        return tuple(one for one in self.proposals if one.verdict is RebalanceVerdict.PROPOSED)

    @property
    def unfinished(self) -> tuple[Proposal, ...]:
        """Those that cannot finish today."""
        return tuple(one for one in self.proposals if one.unfinished)

    @property
    def idle_paise(self) -> int:
        """The cash that is left idle, of all that trade."""
        return sum(one.idle_paise for one in self.proposed)

    @property
    def intent(self) -> Intent | None:
        """What does it in one plan: all sales, then the buys; None where nothing trades today or waits."""
        return intent_of(self.model, self.proposals)


def intent_of(model: Model, proposals: Sequence[Proposal]) -> Intent | None:
    """One intent for all clients: a leg for each stock and side, buys behind the sales that come first."""
    sales: dict[str, list[LineChange]] = defaultdict(list)
    buys: dict[str, list[LineChange]] = defaultdict(list)
    for made in proposals:
        for line in made.lines:
            if line.sell:
                sales[line.key].append(LineChange(made.client_id, line.sell))
            elif line.buy or line.later:
                buys[line.key].append(LineChange(made.client_id, line.buy, later=line.later))
    legs = [(_leg(Side.SELL, key, own, 0), own) for key, own in sales.items()]
    legs += [(_leg(Side.BUY, key, own, 1 if sales else 0), own) for key, own in buys.items()]
    if not legs:
        return None
    first = legs[0][0]
    blank = Intent(first.side, first.key, first.sizing, per_client=PerClient.IN_ORDER, model=model.name)
    return blank.listed_for(legs, model.title)


def _leg(side: Side, key: str, own: Sequence[LineChange], stage: int) -> Leg:
    most = max(change.quantity or 0 for change in own) or 1
    return Leg(side, key, Sizing(SizingKind.FIXED_QUANTITY, most), OrderType.MARKET, Product.CNC, stage=stage)


class Rebalancing:
    """Works out what brings clients to a model; plans and runs do it."""

    def __init__(
        self, kept: Kept, timing: Timing, market_data: MarketData, plans: Plans, rules: Rules
    ) -> None:
        self._kept, self._timing, self._market_data = kept, timing, market_data
        self._plans, self._rules = plans, rules

    async def look(self, client_ids: Collection[int], model: Model, wish: Wish = NO_WISH) -> Rebalance:
        """What brings these clients to a model now; nothing is stored. Raises `BadInput`."""
        today = stocks_today(model, self._market_data.index)
        model, instruments, keys = today.model, today.instruments, list(today.instruments)
        await self._plans.prepare(keys[0], sorted(client_ids))
        if stale := self._market_data.old(keys, self._timing.wall.now()):
            await self._market_data.fetch(stale)
        async with self._kept.store.reader() as reader:
            lots = await open_lots(reader, client_ids)
            waits = await left_of_model(reader, model.name)
        on = self._timing.market.trading_day
        prices = {key: self._price(one) for key, one in instruments.items()}
        slip = self._rules.drift_limit_bps
        around = ModelMarket(model, prices, on, sale_tax(on), wish, slip)
        stands = self._stands(client_ids, model, instruments, lots, waits)
        made = await asyncio.to_thread(_proposed, stands, around)  # of 1,000 clients it takes a while
        looked = Rebalance(model, wish, self._timing.wall.now(), made, today.changed)
        intent = looked.intent if self._kept.book.limits.own else None
        if intent is None:
            return looked
        return replace(looked, preview=await self._plans.preview(intent))

    def _price(self, instrument: Instrument) -> StockPrice:
        now, rules = self._timing.wall.now(), self._rules
        last = self._market_data.young_price(instrument.key, now) or 0
        quote, reserve = self._market_data.quotes.quote(instrument.key), 0
        if quote is not None and last:
            market = PlanPrices(
                last, quote.bid_paise, quote.ask_paise, quote.lower_circuit_paise, quote.upper_circuit_paise
            )
            tick = instrument.tick_paise
            reserve = reserve_price(Side.BUY, None, market, tick, rules.protection_bps, rules.policy)
        return StockPrice(
            instrument.security,
            instrument.tradingsymbol,
            instrument.exchange,
            last,
            reserve,
            instrument.lot_size,
        )

    def _stands(
        self,
        client_ids: Collection[int],
        model: Model,
        instruments: Mapping[str, Instrument],
        lots: Sequence[FifoLot],
        waits: Sequence[StoredStaged],
    ) -> list[ClientStand]:
        book = self._kept.book
        key_of = {one.security: key for key, one in instruments.items()}
        lots_of: dict[tuple[int, str], list[FifoLot]] = defaultdict(list)
        for lot in lots:
            lots_of[lot.client_id, lot.security].append(lot)
        waiting: dict[int, dict[str, int]] = defaultdict(dict)
        for line in waits:
            if line.state is not StagedState.WAITS and (key := key_of.get(line.security)):
                waiting[line.client_id][key] = waiting[line.client_id].get(key, 0) + line.shares_left
        exceptions: dict[int, dict[str, ModelException]] = defaultdict(dict)
        for one in model.exceptions:
            exceptions[one.client_id][one.key] = one.does
        refused = self._refused(client_ids, instruments, key_of, waits)
        on, found = self._timing.market.trading_day, list[ClientStand]()
        for client_id in client_ids:
            client = book.clients[client_id]
            held = self._held(client, instruments, key_of, lots_of)
            loans = sum(
                lot.loan_paise for key in held for lot in lots_of[client_id, instruments[key].security]
            )
            credit = min(self._rules.sell_credit_bps, credit_bps(on, client.broker))
            found.append(
                ClientStand(
                    client_id=client_id,
                    code=client.code,
                    name=client.name,
                    broker=client.broker,
                    cash_paise=book.funds[client_id].available_paise,
                    held=held,
                    exceptions=exceptions.get(client_id, {}),
                    waiting=waiting.get(client_id, {}),
                    credit_bps=credit,
                    loans_paise=loans,
                    refused=refused.get(client_id),
                )
            )
        return found

    def _refused(
        self,
        client_ids: Collection[int],
        instruments: Mapping[str, Instrument],
        key_of: Mapping[str, str],
        waits: Sequence[StoredStaged],
    ) -> dict[int, LineRefusal]:
        """Who may not trade at all, or has something under way in these stocks, each with why."""
        book, first = self._kept.book, next(iter(instruments.values()))
        clients = [book.clients[client_id] for client_id in client_ids]
        asked = Intent(Side.SELL, first.key, Sizing(SizingKind.FIXED_QUANTITY, 1))
        inputs = self._plans.inputs_now(asked, first, clients, ())
        refused: dict[int, LineRefusal] = {}
        keys = {one.key for one in instruments.values()}
        for order_id in book.live:
            order = book.orders[order_id]
            if order.key in keys:
                refused[order.client_id] = LineRefusal(
                    Reason.DUPLICATE_INTENT, (OrderLives(order.id, order.tradingsymbol),)
                )
        for line in waits:
            if line.state is StagedState.WAITS and line.security in key_of:
                refused[line.client_id] = LineRefusal(
                    Reason.DUPLICATE_INTENT, (RunStillBuys(line.run_number),)
                )
        for client in inputs.clients:
            if (why := client_refusal(client, Side.BUY)) is not None:
                refused[client.client_id] = why
        return refused

    def _held(
        self,
        client: ClientView,
        instruments: Mapping[str, Instrument],
        key_of: Mapping[str, str],
        lots_of: Mapping[tuple[int, str], Sequence[FifoLot]],
    ) -> dict[str, HeldStock]:
        book = self._kept.book
        own: dict[str, list[HoldingView]] = defaultdict(list)
        for holding in book.holdings.get(client.id, ()):
            key = key_of.get(holding.security)
            if key is not None and holding.quantity and holding.product is not Product.MIS:
                own[key].append(holding)
        held: dict[str, HeldStock] = {}
        for key, holdings in own.items():
            instrument = instruments[key]
            lots = [
                HeldLot(lot.opened_on, lot.quantity, lot.cost_paise)
                for lot in lots_of.get((client.id, instrument.security), ())
            ]
            released = book.authorised.get(client.id, {}).get(instrument.security, 0)
            breaks, t2t = book.breaks.get(client.id, ()), instrument.trade_to_trade
            held[key] = held_of(client, holdings, breaks, released, lots, trade_to_trade=t2t)
        return held


def _proposed(stands: Sequence[ClientStand], around: ModelMarket) -> tuple[Proposal, ...]:
    """What each client needs, in the order in which they are shown."""
    return tuple(sorted((propose(stand, around) for stand in stands), key=_place))


_ORDER = (
    RebalanceVerdict.PROPOSED,
    RebalanceVerdict.UNABLE,
    RebalanceVerdict.UNABLE_TO_CHECK,
    RebalanceVerdict.WITHIN_BAND,
)


def _place(made: Proposal) -> tuple[bool, int, int, str]:
    return not made.waited, _ORDER.index(made.verdict), -made.drift_before_bps, made.code
