"""A flatten in the books: begun, taken over, its orders and its certificate, each in one commit.

Every write holds that the flatten goes on and is this engine's: two engines never carry out the same one.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import TradedeskError
from data.ledger import reserve_shares
from data.money import BPS
from data.records import replace
from data.repositories.trading import flattens
from data.repositories.trading.conversions import converted
from data.repositories.trading.flattens import StoredFlatten, StoredLine
from data.store import Unit
from data.vocabulary import (
    FlattenLineState,
    FlattenReason,
    OrderType,
    Policy,
    Product,
    Side,
    Validity,
)
from engine.booking.order import WorkingOrder
from engine.booking.states import born
from engine.booking.stored import ORDERS
from engine.booking.working_set import touch
from engine.events import FlattenChanged, TapeLine
from engine.flatten.views import FlattenView
from engine.instances import ThisEngine
from engine.news import FlattenBegan, FlattenEnded


class FlattenLost(TradedeskError):  # noqa: N818 - what it is
    """The flatten has ended, or another engine carries it out: nothing was written."""


class ExitOrder(Struct, frozen=True):
    """One order that a flatten is about to send: for which line, how much, at no worse than which price."""

    line: StoredLine
    broker: str
    side: Side
    quantity: int
    limit_paise: int
    closes_external: bool
    settled_only: bool
    policy: Policy
    trading_date: date


def begin(unit: Unit, flatten: StoredFlatten, lines: Sequence[StoredLine], engine: ThisEngine) -> int:
    """Write a flatten with its lines under the next number; returns that.

    Where the same one of the day goes on already, its number. A position that another flatten has is no line
    of this one's to send: it is left, and names that one.
    """
    same = (flatten.scope, flatten.value, flatten.what, flatten.trading_date)
    standing = flattens.standing_flattens(unit)
    for one in standing:
        if (one.scope, one.value, one.what, one.trading_date) == same and not one.stopped_by:
            return one.number
    number = unit.take_ids("flatten", 1)[0]
    clients, others = {one.client_id for one in lines}, {one.number: one for one in standing}
    taken = _taken(unit, clients, others, engine)
    kept = [_of_another(replace(one, flatten_number=number), taken, unit.now) for one in lines]
    flattens.add_flatten(unit, replace(flatten, number=number, at=unit.now, instance_id=engine.id), kept)
    details = {
        "flatten": number,
        "scope": flatten.scope.value,
        "value": flatten.value,
        "what": flatten.what.value,
        "positions": len(kept),
        "passes": flatten.passes,
    }
    unit.audit(AuditEntry(AuditAction.FLATTEN_STARTED, flatten.by, details=details))
    unit.publish(
        TapeLine(unit.now, FlattenBegan(number, flatten.by, flatten.what, len(kept)), frozenset(clients))
    )
    unit.publish(FlattenChanged(number))
    return number


def _taken(
    unit: Unit, clients: Collection[int], standing: Mapping[int, StoredFlatten], engine: ThisEngine
) -> dict[tuple[int, str, Product], int]:
    """Positions that other flattens have, by number. What an engine that has ended left is free."""
    taken = flattens.taken_lines(unit, clients)
    left = [one for one in taken if not engine.lives(standing[one.flatten_number].instance_id)]
    ended = [_ended(one, FlattenReason.STOPPED, "its engine has ended", unit.now) for one in left]
    flattens.save_lines(unit, ended)
    return {one.share: one.flatten_number for one in taken if one not in left}


def _of_another(line: StoredLine, taken: Mapping[tuple[int, str, Product], int], now: datetime) -> StoredLine:
    if (other := taken.get(line.share)) is None:
        return line
    return _ended(line, FlattenReason.OTHER_FLATTEN, f"flatten {other}", now)


def _ended(line: StoredLine, why: FlattenReason, detail: str, now: datetime) -> StoredLine:
    return replace(line, state=FlattenLineState.LEFT, reason=why, detail=detail, ended_at=now)


def take_over(unit: Unit, flatten: StoredFlatten, engine: ThisEngine) -> bool:
    """Carry on what an engine that has ended left; returns whether it was still that one's."""
    if engine.lives(flatten.instance_id):
        return False
    if not flattens.take_over_flatten(unit, flatten.number, flatten.instance_id, engine.id):
        return False
    details = {"flatten": flatten.number, "from": flatten.instance_id}
    unit.audit(AuditEntry(AuditAction.FLATTEN_TAKEN_OVER, engine.actor, details=details))
    unit.publish(FlattenChanged(flatten.number))
    return True


def place(unit: Unit, order: ExitOrder, engine: ThisEngine) -> int | None:
    """Write an order of a line and reserve its shares; returns its number, to be claimed and sent.

    None where the position may be another by now: an order in these shares lives or a conversion of them is
    open, or one has changed since the broker was read; or the shares are not free. Raises `FlattenLost`.
    """
    line = order.line
    assert line.read_at is not None, "nothing is sent of what was not read"
    _require(unit, line.flatten_number, engine)
    since = line.read_at
    if flattens.in_the_way(unit, *line.share, since) or converted(unit, *line.share, since):
        return None
    made = _exit_order(unit, order, engine)
    if made.blocked_shares:
        wanted = (*line.share[:2], line.product.value, made.blocked_shares, order.settled_only)
        if not reserve_shares(unit, [wanted]):
            return None
    ORDERS.insert(unit, [made])
    flattens.save_lines(unit, [replace(line, order_id=made.id)])
    unit.audit(
        AuditEntry(
            AuditAction.ORDER_RESERVED,
            flattens.begun_by(unit, line.flatten_number),
            made.client_id,
            made.id,
            details={
                "flatten": line.flatten_number,
                "quantity": made.quantity,
                "net": line.net,
                "limit_paise": made.limit_paise,
            },
        )
    )
    touch(unit, made)
    unit.publish(FlattenChanged(line.flatten_number))
    return made.id


def _exit_order(unit: Unit, order: ExitOrder, engine: ThisEngine) -> WorkingOrder:
    line = order.line
    made = WorkingOrder(
        id=unit.take_ids("order", 1)[0],
        client_id=line.client_id,
        run_number=None,
        plan_number=None,
        broker=order.broker,
        exchange=line.exchange,
        tradingsymbol=line.tradingsymbol,
        security=line.security,
        side=order.side,
        product=line.product,
        order_type=OrderType.LIMIT,
        validity=Validity.DAY,
        quantity=order.quantity,
        limit_paise=order.limit_paise,
        trigger_paise=None,
        reserve_price_paise=order.limit_paise,
        margin_bps=BPS,
        policy=order.policy,
        state=born(),
        instance_id=engine.id,
        trading_date=order.trading_date,
        created_at=unit.now,
        updated_at=unit.now,
        flatten_number=line.flatten_number,
        closes_external=order.closes_external,
    )
    made.block(*made.need())
    return made


def keep(unit: Unit, lines: Collection[StoredLine], engine: ThisEngine) -> None:
    """Write how far lines of one flatten are. Raises `FlattenLost`."""
    for number in {line.flatten_number for line in lines}:
        _require(unit, number, engine)
        unit.publish(FlattenChanged(number))
    flattens.save_lines(unit, list(lines))


def certify(unit: Unit, made: FlattenView, engine: ThisEngine) -> None:
    """Write the certificate of a flatten whose every line has ended. Raises `FlattenLost`."""
    assert made.ended_at is not None, "a certificate says when it was made"
    if not flattens.end_flatten(unit, made.number, engine.id, made.ended_at, made.to_json()):
        raise FlattenLost
    details = {
        "flatten": made.number,
        "flat": made.flat,
        "left": made.left,
        "orders": [order_id for line in made.lines for order_id in line.orders],
    }
    unit.audit(AuditEntry(AuditAction.FLATTEN_CERTIFIED, made.by, details=details))
    of = frozenset(line.client_id for line in made.lines)
    unit.publish(TapeLine(unit.now, FlattenEnded(made.number, made.flat, made.left), of))
    unit.publish(FlattenChanged(made.number))


def stop(unit: Unit, number: int, by: str) -> bool:
    """Have a flatten send nothing more; returns whether it was going."""
    done = flattens.stop_flatten(unit, number, by)
    if done:
        unit.audit(AuditEntry(AuditAction.FLATTEN_STOPPED, by, details={"flatten": number}))
        unit.publish(FlattenChanged(number))
    return done


def _require(unit: Unit, number: int, engine: ThisEngine) -> None:
    if not flattens.is_owned(unit, number, engine.id):
        raise FlattenLost
