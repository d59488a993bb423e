"""How a client's cash is shared out over what it is to buy, in whole shares, and what trades cost."""

from collections.abc import Sequence
from datetime import date

from data.money import BPS, ceil_div
from data.reference.rates import estimate
from data.vocabulary import Product, RebalanceNote, Side
from engine.planning.need import SLACK_PAISE
from engine.rebalancing.model import ModelRules
from engine.rebalancing.working import WorkingStock


def nearest(paise: int, stock: WorkingStock) -> int:
    """Shares worth so much, in whole lots, to the nearest."""
    return (2 * paise + stock.unit) // (2 * stock.unit) * stock.price.lot_size


def whole_lots(shares: int, stock: WorkingStock) -> int:
    """As many of these shares as make whole lots."""
    return shares // stock.price.lot_size * stock.price.lot_size


class Costs:
    """What one client's trades of a day cost, by its broker's rates, and which are too small for that."""

    def __init__(self, on: date, broker: str, rules: ModelRules) -> None:
        self._on, self._broker, self._rules = on, broker, rules

    def charges(self, side: Side, stock: WorkingStock, shares: int, *, leaves_demat: bool = False) -> int:
        """Charges of an order at the last price, in paise; the depository's fee where shares leave it."""
        value, exchange = shares * stock.last, stock.price.exchange
        made = estimate(self._on, self._broker, exchange, Product.CNC, side, value, demat_sale=leaves_demat)
        return made.total_paise

    def of_buy(self, stock: WorkingStock, shares: int) -> int:
        """What buying so many takes at the last price, charges with it."""
        return shares * stock.last + self.charges(Side.BUY, stock, shares) if shares else 0

    def too_small(self, value: int, charges: int) -> bool:
        """Whether a trade of this value is below the model's least, or costs too much of it."""
        return value < self._rules.least_paise or charges * BPS > value * self._rules.cost_bps


def share_out(wanted: Sequence[tuple[WorkingStock, int]], cash: int, costs: Costs) -> int:
    """Buy so much of each, scaled down where the cash is less; returns what it takes of the cash."""
    wanted = [one for one in wanted if _is_enough(*one, costs)]
    total = sum(paise for _, paise in wanted)
    if not total:
        return 0
    spent, remainders = 0, list[tuple[int, WorkingStock]]()
    for stock, paise in wanted:
        part = paise if total <= cash else paise * cash // total
        shares = part // stock.unit * stock.price.lot_size
        while shares and costs.of_buy(stock, shares) > part and spent + costs.of_buy(stock, shares) > cash:
            shares -= stock.price.lot_size
        stock.later = shares
        spent += costs.of_buy(stock, shares)
        remainders.append((part - shares * stock.last, stock))
    remainders.sort(key=lambda one: (-(one[0] * BPS // one[1].unit), one[1].target.key))
    for rest, stock in remainders:
        more = stock.later + stock.price.lot_size
        extra = costs.of_buy(stock, more) - costs.of_buy(stock, stock.later)
        if 2 * rest >= stock.unit and spent + extra <= cash:
            stock.later, spent = more, spent + extra
    for stock, _ in wanted:
        value = stock.later * stock.last
        if stock.later and costs.too_small(value, costs.of_buy(stock, stock.later) - value):
            stock.note(RebalanceNote.BELOW_MINIMUM, stock.later)
            spent -= costs.of_buy(stock, stock.later)
            stock.later = 0
    for stock, paise in wanted:
        missing = nearest(paise, stock) - stock.later
        if total > cash and missing > 0 and not _says(stock, RebalanceNote.BELOW_MINIMUM):
            stock.note(RebalanceNote.NO_CASH, missing)
    return spent


def _is_enough(stock: WorkingStock, paise: int, costs: Costs) -> bool:
    shares = nearest(paise, stock)
    value = shares * stock.last
    if shares and not costs.too_small(value, costs.of_buy(stock, shares) - value):
        return True
    if shares:
        stock.note(RebalanceNote.BELOW_MINIMUM, shares)
    return False


def _says(stock: WorkingStock, kind: RebalanceNote) -> bool:
    return any(note.kind is kind for note in stock.notes)


def affordable(stock: WorkingStock, most: int, spend: int, worst: int, costs: Costs) -> int:
    """How many shares both carry: what is spent at the last price, and what a reservation takes."""

    def carries(shares: int) -> bool:
        cost = costs.of_buy(stock, shares)
        fees = ceil_div((cost - shares * stock.last) * stock.price.reserve_paise, stock.last)
        return cost <= spend and shares * stock.price.reserve_paise + fees + SLACK_PAISE <= worst

    lot = stock.price.lot_size
    low, high = 0, most // lot
    if high and carries(high * lot):
        return high * lot
    while low < high:
        middle = (low + high + 1) // 2
        if carries(middle * lot):
            low = middle
        else:
            high = middle - 1
    return low * lot
