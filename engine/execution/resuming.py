"""Going on with a paused run: doing what `prospect.py` saw, in the same transaction.

Quantities never change. The price reserved for is made anew by the plan's own protection; what it needs more
is blocked by the guarded statement, what it needs less is given back; who may not trade now or cannot pay is
DENIED.
"""

from collections.abc import Callable, Iterable

from data.audit import AuditAction, AuditEntry
from data.ledger import reserve_money
from data.repositories.trading import runs
from data.repositories.trading.orders import take_over
from data.repositories.trading.runs import ConfirmedMarket
from data.store import Unit
from data.tables.orders import Order
from data.vocabulary import Reason
from engine.booking.order import WorkingOrder
from engine.booking.states import OrderEvent
from engine.booking.working_set import WorkingSet, blocking
from engine.events import TapeLine
from engine.execution.prospect import Prospect, asks_of
from engine.instances import ThisEngine
from engine.news import RunGoesOn
from engine.planning.why import AtPriceNow, LineRefusal, Why
from engine.refusals import NoneMayGo, NotAsAudited
from engine.rules import Rules


def go_on(
    unit: Unit, prospect: Prospect, engine: ThisEngine, rules: Rules, worded: Callable[[Iterable[Why]], str]
) -> list[int]:
    """Do what was looked at in this same transaction; returns the orders to send.

    `worded` says why an order is denied, as its row tells it from then on.

    Raises `NoneMayGo` where none would go: then the run stays paused.
    """
    run = prospect.run
    if differing := unit.differing(Order, [order.id for order in prospect.orders]):
        raise NotAsAudited(run.number, differing[0])
    asks = asks_of(prospect.going, prospect.prices)
    served = reserve_money(unit, asks)
    lost = asks.keys() - served
    books = WorkingSet(unit, engine.actor, rules.sell_credit_bps)
    books.load(order.id for order in prospect.orders)
    going: list[int] = []
    for order in books.orders.values():
        barred = prospect.barred.get(order.client_id)
        if barred is None and order.client_id in lost:
            barred = LineRefusal(Reason.INSUFFICIENT_FUNDS, (AtPriceNow(),))
        if barred is not None:
            _deny(books, order, barred, worded(barred.why))
        else:
            _reprice(books, order, prospect)
            going.append(order.id)
    if not going and not run.staged:
        raise NoneMayGo(run.number, prospect.unsent, prospect.barred_by_reason)
    books.flush()
    take_over(unit, going, engine.id)
    runs.go_on(unit, run.number, engine.id)
    for leg, price in prospect.prices.items():
        band = price.lower_circuit_paise or None, price.upper_circuit_paise or None
        runs.confirm_market(
            unit, run.number, ConfirmedMarket(leg, price.last_paise, price.priced_by, price.phase, *band)
        )
    unit.touched.runs.add(run.number)
    _tell(unit, prospect, len(going), engine.actor)
    return going


def _deny(books: WorkingSet, order: WorkingOrder, why: LineRefusal, words: str) -> None:
    order.apply(OrderEvent.DENY)
    order.say(why.reason.value, words)
    freed = books.release(order, "never sent")
    books.audit(AuditAction.ORDER_DENIED, order, reason=why.reason.value, released_paise=freed)


def _reprice(books: WorkingSet, order: WorkingOrder, prospect: Prospect) -> None:
    before = (order.reserve_price_paise, order.blocked_paise)
    order.reserve_price_paise = prospect.prices[order.leg].reserve_paise
    more = order.lacks()
    if more.money:
        books.transfers.append(blocking(order, more.money, reserved=True))
    order.block(more.money, more.loan, 0)
    books.release(order, f"repriced:{prospect.run.number}")
    books.audit(
        AuditAction.ORDER_GOES_ON,
        order,
        reserve_price_before_paise=before[0],
        reserve_price_paise=order.reserve_price_paise,
        blocked_before_paise=before[1],
        blocked_paise=order.blocked_paise,
    )


def _tell(unit: Unit, prospect: Prospect, going: int, actor: str) -> None:
    run, denied = prospect.run, len(prospect.orders) - going
    unit.audit(
        AuditEntry(
            AuditAction.RUN_RESUMED,
            actor,
            plan_number=run.plan_number,
            run_number=run.number,
            details={
                "paused": run.pause_reason.value if run.pause_reason else "",
                "age_s": int(prospect.age_s),
                "priced_before_paise": run.priced_paise,
                "priced_paise": prospect.last_paise,
                "reserve_price_paise": prospect.reserve_price_paise,
                "unsent": prospect.unsent,
                "sent_on": going,
                "denied": denied,
                "blocked_before_paise": prospect.blocked_paise,
                "need_paise": prospect.need_paise,
            },
        )
    )
    unit.publish(TapeLine(unit.now, RunGoesOn(run.number, going, denied)))
