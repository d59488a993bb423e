"""The rebalance of one client: what to sell and buy, by holdings, cash, prices and a model, and why not more.

Pure: the same figures always make the same proposal. Weights are parts of what the model invests: the cash
and the model's own stocks, less the cash that is kept. Every trade moves its stock towards its target, past
it at most by less than half a share; a sector in which everything is inside the band is not traded.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

from data.money import BPS, ceil_div
from data.vocabulary import ModelException, Reason, RebalanceNote, RebalanceTo, RebalanceVerdict, Side
from engine.planning.why import LineRefusal, NoPriceOf
from engine.rebalancing.buying import Costs, affordable, nearest, share_out, whole_lots
from engine.rebalancing.model import NO_WISH, Model, Wish
from engine.rebalancing.proposal import Proposal, SectorLine, StockLine
from engine.rebalancing.shares import (
    HeldStock,
    SaleTax,
    credited_paise,
    gains_of,
    most_without_short,
)
from engine.rebalancing.working import (
    StockPrice,
    WorkingStock,
    desire,
    drift_of,
    invest_cash,
    raise_cash,
)

_NOTHING_HELD = HeldStock()


class ClientStand(Struct, frozen=True):
    """A client as it stands: free cash in paise, what it holds of the model's stocks, what is kept from it.

    `refused` says why it cannot be looked at. `waiting` are shares by key that an earlier
    rebalance had no cash for, `loans_paise` what is lent on its shares of the model, `credit_bps` how much of
    a sale of settled shares its broker makes usable the same day.
    """

    client_id: int
    code: str
    name: str
    broker: str
    cash_paise: int
    held: Mapping[str, HeldStock]
    exceptions: Mapping[str, ModelException]
    waiting: Mapping[str, int]
    credit_bps: int = BPS
    loans_paise: int = 0
    refused: LineRefusal | None = None


class ModelMarket(Struct, frozen=True):
    """What is the same for all clients: the model with the prices of its stocks, the day, tax and the wish.

    `slip_bps` is how far prices may move before orders leave, which today's cash has to bear.
    """

    model: Model
    prices: Mapping[str, StockPrice]
    on: date
    gains: SaleTax
    wish: Wish = NO_WISH
    slip_bps: int = 50


def propose(stand: ClientStand, around: ModelMarket) -> Proposal:
    """What brings a client to the model, as far as it can be."""
    model, prices = around.model, around.prices
    refused = stand.refused or _unpriced(stand, around)
    if refused is not None:
        unable = RebalanceVerdict.UNABLE_TO_CHECK
        waited = bool(stand.waiting)
        return Proposal(stand.client_id, stand.code, stand.name, unable, refused, waited=waited)
    shares = sum(held.quantity * prices[key].last_paise for key, held in stand.held.items())
    portfolio = stand.cash_paise + shares - stand.loans_paise
    base = max(0, (portfolio - around.wish.raise_paise) * (BPS - model.rules.cash_bps) // BPS)
    sectors: dict[str, list[WorkingStock]] = {}
    for target in model.targets:
        held = stand.held.get(target.key, _NOTHING_HELD)
        stock = WorkingStock(target, prices[target.key], held, base)
        sectors.setdefault(target.sector, []).append(stock)
    work = _Work(stand, around, sectors, portfolio, base)
    return work.proposal()


def _unpriced(stand: ClientStand, around: ModelMarket) -> LineRefusal | None:
    symbols = [
        around.prices[key].symbol
        for key, held in stand.held.items()
        if held.quantity and not around.prices[key].last_paise
    ]
    return LineRefusal(Reason.PRICE_STALE, (NoPriceOf(tuple(symbols)),)) if symbols else None


class _Work:
    """One client's rebalance as it is worked out, in this order: desires, sales, buys, today's part."""

    def __init__(
        self,
        stand: ClientStand,
        around: ModelMarket,
        sectors: dict[str, list[WorkingStock]],
        portfolio: int,
        base: int,
    ) -> None:
        self.stand, self.around, self.rules = stand, around, around.model.rules
        self.sectors, self.portfolio, self.base = sectors, portfolio, base
        self.stocks = [stock for own in sectors.values() for stock in own]
        # With what is lent, so that no loan is spent as cash.
        self.kept = portfolio + stand.loans_paise - base
        self.costs = Costs(around.on, stand.broker, self.rules)
        self.band = base * self.rules.band_bps // BPS
        self.drift_before = drift_of(sectors, after=False)

    def proposal(self) -> Proposal:
        for own in self.sectors.values():
            desire(own, self.band, self.rules, self._gain_rate)
        if self.around.wish.raise_paise:
            raise_cash(self.stocks, self.stand.cash_paise, self.kept)
        if self.around.wish.invest:
            invest_cash(self.stocks, self.stand.cash_paise, self.kept)
        for stock in self.stocks:
            self._waited(stock)
            self._except(stock)
        wanted = any(stock.desired != stock.value for stock in self.stocks)
        for own in self.sectors.values():
            self._sell(own)
        self._buy()
        if drift_of(self.sectors, after=True).paise > max(self.drift_before.paise, self.band):
            self._give_up()
        self._today()
        return self._made(wanted)

    # --- what would be held ---

    def _gain_rate(self, stock: WorkingStock) -> int:
        """The gain of selling all that is over the target, in basis points of its value."""
        shares = max(0, stock.value - stock.want) // stock.last if stock.last else 0
        short, long = self._gains(stock, shares)
        return (short + long) * BPS // (shares * stock.last) if shares else 0

    def _gains(self, stock: WorkingStock, shares: int) -> tuple[int, int]:
        return gains_of(stock.held.lots, shares, stock.last, self.around.gains)

    def _waited(self, stock: WorkingStock) -> None:
        """Buy what an earlier rebalance had no cash for, up to the target."""
        shares = self.stand.waiting.get(stock.target.key, 0)
        if shares and stock.last and stock.want > stock.value:
            stock.desired = max(stock.desired, min(stock.want, stock.value + shares * stock.last))
            stock.note(RebalanceNote.WAITED, shares)

    def _except(self, stock: WorkingStock) -> None:
        does = self.stand.exceptions.get(stock.target.key)
        if does is not None and stock.desired != stock.value:
            buys = stock.desired > stock.value
            if does is ModelException.KEEP:
                stock.desired = stock.value
                stock.note(RebalanceNote.KEPT)
            elif buys and does is ModelException.NO_BUY:
                stock.desired = stock.value
                stock.note(RebalanceNote.NO_BUY)
            elif not buys and does is ModelException.NO_SELL:
                stock.desired = stock.value
                stock.note(RebalanceNote.NO_SELL)
        if stock.desired > stock.value and not stock.last:
            stock.desired = stock.value
            stock.note(RebalanceNote.NO_PRICE)

    # --- sales ---

    def _sell(self, own: Sequence[WorkingStock]) -> None:
        short = 0
        for stock in own:
            if stock.desired < stock.value:
                short += self._sell_stock(stock, stock.value - stock.desired)
        if short >= self._least:
            self._sell_others(own, short)
        for stock in own:
            if stock.sell:
                self._judge_sale(stock)

    @property
    def _least(self) -> int:
        return max(1, self.rules.least_paise)

    def _sell_stock(self, stock: WorkingStock, paise: int) -> int:
        """Sell so much of a stock as may be; returns what of it may not, in paise."""
        wanted = stock.held.quantity if stock.desired <= 0 else nearest(paise, stock)
        most = stock.held.sellable
        if most < wanted:
            self._note_unable(stock, wanted - most)
        if self.rules.avoid_short:
            allowed = most_without_short(stock.held.lots, stock.last, self.around.gains)
            if allowed < min(wanted, most):
                stock.note(RebalanceNote.SHORT_TERM, min(wanted, most) - allowed)
            most = min(most, allowed)
        stock.sell = whole_lots(min(wanted, most), stock)
        return max(0, paise - stock.sell * stock.last) if stock.sell < wanted else 0

    def _note_unable(self, stock: WorkingStock, shares: int) -> None:
        for kind, count in stock.held.unable:
            if shares > 0:
                stock.note(kind, min(shares, count))
                shares -= count

    def _sell_others(self, own: Sequence[WorkingStock], short: int) -> None:
        """Have other stocks of the sector give what one may not, as far as the sector is beyond its band."""
        edge = 0 if self.rules.to is RebalanceTo.TARGET else self.band
        over = sum(one.value - one.sell * one.last - one.want for one in own) - edge
        short = min(short, over)
        for stock in sorted(own, key=self._gain_rate) if self.rules.losses_first else own:
            if short <= 0:
                return
            if stock.desired > stock.value or not stock.last or stock.target.key in self.stand.exceptions:
                continue
            spare = min(short, stock.value - stock.sell * stock.last - stock.want)
            if spare < stock.unit:
                continue
            before = stock.sell
            most = stock.held.sellable
            if self.rules.avoid_short:
                allowed = most_without_short(stock.held.lots, stock.last, self.around.gains)
                most = min(most, allowed)
            stock.sell = max(before, whole_lots(min(most, before + spare // stock.last), stock))
            short -= (stock.sell - before) * stock.last

    def _judge_sale(self, stock: WorkingStock) -> None:
        value = stock.sell * stock.last
        leaves = stock.sell > stock.held.today
        stock.charges = self.costs.charges(Side.SELL, stock, stock.sell, leaves_demat=leaves)
        if self.costs.too_small(value, stock.charges):
            stock.note(RebalanceNote.BELOW_MINIMUM, stock.sell)
            stock.sell = stock.charges = 0
            return
        stock.gain_short, stock.gain_long = self._gains(stock, stock.sell)

    # --- buys ---

    def _buy(self) -> None:
        """Buy what is desired as far as all the cash goes that this brings, by the largest remainder."""
        wanted: list[tuple[WorkingStock, int]] = []
        for own in self.sectors.values():
            wanted += self._wanted(own)
        proceeds = sum(one.sell * one.last - one.charges for one in self.stocks if one.sell)
        cash = max(0, self.stand.cash_paise + proceeds - self.kept)
        first = [one for one in wanted if one[0].target.key in self.stand.waiting]
        rest = [one for one in wanted if one[0].target.key not in self.stand.waiting]
        for group in (first, rest):
            cash -= share_out(group, cash, self.costs)

    def _wanted(self, own: Sequence[WorkingStock]) -> list[tuple[WorkingStock, int]]:
        """What is to be bought of a sector's stocks, in paise; it goes no further than its target."""
        buys = [(one, one.desired - one.value) for one in own if one.desired > one.value and not one.sell]
        room = sum(one.want - one.value + one.sell * one.last for one in own)
        total = sum(paise for _, paise in buys)
        if total > room:
            buys = [(one, paise * max(0, room) // total) for one, paise in buys]
        return [(one, paise) for one, paise in buys if paise]

    def _give_up(self) -> None:
        """Trade nothing that would leave the client further from its model than it is."""
        for stock in self.stocks:
            stock.sell = stock.later = stock.charges = stock.gain_short = stock.gain_long = 0

    # --- what of it can be done today ---

    def _today(self) -> None:
        """Have so much be bought today as cash and credit carry, also at prices that have slipped."""
        stand, slip = self.stand, self.around.slip_bps
        credit, fees = self._credit(), sum(one.charges for one in self.stocks if one.sell)
        spend = stand.cash_paise + credit - fees - self.kept
        worst = stand.cash_paise + credit * (BPS - slip) // BPS - fees
        buys = sorted((one for one in self.stocks if one.later), key=self._first)
        for stock in buys:
            shares = affordable(stock, stock.later, spend, worst, self.costs)
            if shares < stock.later and self.costs.too_small(
                shares * stock.last, self.costs.of_buy(stock, shares) - shares * stock.last
            ):
                shares = 0
            stock.buy, stock.later = shares, stock.later - shares
            cost = self.costs.of_buy(stock, shares)
            spend -= cost
            worst -= ceil_div(cost * (BPS + slip), BPS)
            stock.charges = cost - shares * stock.last
            if stock.later:
                stock.note(RebalanceNote.WAITS_FOR_CASH, stock.later)

    def _credit(self) -> int:
        """What of all sales is usable today."""
        of_broker = self.stand.credit_bps
        return sum(credited_paise(one.held, one.sell, one.last, of_broker) for one in self.stocks if one.sell)

    def _first(self, stock: WorkingStock) -> tuple[bool, int, str]:
        """Buys that waited go first, then those furthest from their target."""
        return stock.target.key not in self.stand.waiting, stock.value - stock.want, stock.target.key

    # --- what is shown ---

    def _made(self, wanted: bool) -> Proposal:
        stand, drift_after = self.stand, drift_of(self.sectors, after=True)
        sold = sum(one.sell * one.last for one in self.stocks)
        bought = sum(one.buy * one.last for one in self.stocks)
        charges = sum(one.charges for one in self.stocks)
        credit = self._credit()
        cash_after = stand.cash_paise + credit - charges - bought
        later = sum(one.later * one.last for one in self.stocks)
        trades = any(one.sell or one.buy or one.later for one in self.stocks)
        verdict = RebalanceVerdict.PROPOSED if trades else RebalanceVerdict.WITHIN_BAND
        unraised = self._unraised(sold)
        if (wanted or unraised) and not trades:
            verdict = RebalanceVerdict.UNABLE
        short = sum(one.gain_short for one in self.stocks)
        long = sum(one.gain_long for one in self.stocks)
        return Proposal(
            client_id=stand.client_id,
            code=stand.code,
            name=stand.name,
            verdict=verdict,
            portfolio_paise=self.portfolio,
            base_paise=self.base,
            cash_paise=stand.cash_paise,
            cash_after_paise=cash_after,
            kept_paise=self.kept,
            pending_paise=sold - credit,
            unraised_paise=unraised,
            idle_paise=max(0, cash_after + sold - credit - later - self._wanted_cash()),
            drift_before_bps=self._bps(self.drift_before.paise),
            drift_after_bps=self._bps(drift_after.paise),
            drift_before_of=self.drift_before.of,
            drift_after_of=drift_after.of,
            tax_paise=self.around.gains.tax_paise(short, long) if short or long else 0,
            charges_paise=charges,
            waited=bool(stand.waiting),
            sectors=tuple(self._sector(name, own) for name, own in self.sectors.items()),
            lines=tuple(self._line(one) for one in self.stocks),
        )

    def _unraised(self, sold: int) -> int:
        """What of the cash to be raised is not there, beyond what whole shares are rounded by."""
        short = max(0, self.around.wish.raise_paise - self.stand.cash_paise - sold)
        return 0 if sold and short <= max(one.unit for one in self.stocks) else short

    def _wanted_cash(self) -> int:
        """What of the portfolio the model has in cash: what is kept, and what its targets leave."""
        return self.kept + self.base - sum(one.want for one in self.stocks)

    def _bps(self, paise: int) -> int:
        return (2 * paise * BPS + self.base) // (2 * self.base) if self.base else 0

    def _sector(self, name: str, own: Sequence[WorkingStock]) -> SectorLine:
        before, after = sum(one.value for one in own), sum(one.after for one in own)
        return SectorLine(name, own[0].target.sector_bps, self._bps(before), self._bps(after))

    def _line(self, one: WorkingStock) -> StockLine:
        target = one.target
        return StockLine(
            target.key,
            one.price.symbol,
            target.sector,
            one.held.quantity,
            one.last,
            target.weight_bps,
            self._bps(one.value),
            self._bps(one.after),
            one.sell,
            one.buy,
            one.later,
            one.charges,
            one.gain_short,
            one.gain_long,
            tuple(one.notes),
        )
