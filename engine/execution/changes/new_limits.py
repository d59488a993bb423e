"""One wish for the limits of many live orders, and the list of what it would do, under a digest. Pure."""

import hashlib
import json
from collections.abc import Sequence

from msgspec import Struct

from data.errors import BadInput
from data.money import count_from_text, paise_from_text, tick_down, tick_up
from data.vocabulary import LimitTo, Side
from engine.book.views import OrderView
from engine.execution.changes.needs import ChangeNeeds
from engine.planning.intent import check_override
from engine.rules import SHOWN_DIGITS


class NewLimit(Struct, frozen=True):
    """Where limits are to go. `value` is paise of a price, or ticks, below zero downwards.

    `override` is the reason typed to go beyond soft limits, if one was.
    """

    to: LimitTo
    value: int = 0
    override: str = ""

    def of(self, order: OrderView, last_paise: int | None, tick_paise: int) -> int:
        """The limit that it asks an order for, in paise. Raises `BadInput` where there is none."""
        if self.to in (LimitTo.PRICE, LimitTo.CHASE):
            return self.value
        if order.limit_paise is None:
            raise BadInput("order", order.id, f"a {order.order_type.value} order has no limit price")
        if self.to is LimitTo.TICKS:
            return order.limit_paise + self.value * tick_paise
        if last_paise is None:
            raise BadInput("limit", "last", f"{order.key} has no price that is young enough")
        on_tick = tick_down if order.side is Side.BUY else tick_up
        return on_tick(last_paise, tick_paise)


def new_limit_from(to: LimitTo, text: str) -> NewLimit:
    """The wish as typed: a price in rupees, or ticks such as `2` or `-2`. Raises `BadInput`."""
    if to is LimitTo.LAST:
        return NewLimit(to)
    if to is not LimitTo.TICKS:
        return NewLimit(to, paise_from_text(text, "limit"))
    typed = text.strip()
    ticks = count_from_text(typed.removeprefix("+").removeprefix("-"), "ticks")
    return NewLimit(to, -ticks if typed.startswith("-") else ticks)


def check_new_limit(wish: NewLimit) -> None:
    """Refuse a wish that no order could have. Raises `BadInput`."""
    check_override(wish.override)
    if wish.to is LimitTo.TICKS and wish.value == 0:
        raise BadInput("ticks", wish.value, "give ticks up, such as 2, or down, such as -2")
    if wish.to in (LimitTo.PRICE, LimitTo.CHASE) and wish.value <= 0:
        raise BadInput("limit", f"{wish.value / 100:.2f}", "give a price in rupees above zero")


def check_bound(order: OrderView, bound_paise: int) -> None:
    """Refuse a chase whose order stands at its bound, or beyond it. Raises `BadInput`."""
    if order.limit_paise is None:
        raise BadInput("order", order.id, f"a {order.order_type.value} order has no limit price")
    room = bound_paise - order.limit_paise if order.side is Side.BUY else order.limit_paise - bound_paise
    if room <= 0:
        side = "above" if order.side is Side.BUY else "below"
        raise BadInput("limit", f"{bound_paise / 100:.2f}", f"give a bound {side} the order's limit")


class ModifyLine(Struct, frozen=True):
    """One order of the list: its limit as wished, what that would block more, or why it stays as it is.

    `limit_paise` is None where there is none; of a chase it is the bound. `why` is empty where nothing but
    its client's money speaks against it.
    """

    order: OrderView
    limit_paise: int | None = None
    last_paise: int | None = None
    needs: ChangeNeeds | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether it would be modified."""
        return not self.why and self.needs is not None and self.needs.covered


class ModifyPlan(Struct, frozen=True):
    """A wish applied to orders as they stood, problems first. `frozen_s` is when, by the monotonic clock."""

    wish: NewLimit
    lines: tuple[ModifyLine, ...]
    frozen_s: float
    digest: str

    @property
    def going(self) -> tuple[ModifyLine, ...]:
        """The lines that would be modified."""
        return tuple(line for line in self.lines if line.ok)

    @property
    def left(self) -> tuple[ModifyLine, ...]:
        """The lines that would not."""
        return tuple(line for line in self.lines if not line.ok)

    @property
    def short_digest(self) -> str:
        """As much of its hash as is shown, and as confirms it."""
        return self.digest[:SHOWN_DIGITS]

    @property
    def answer(self) -> str:
        """What the trader types to have it done, such as `modify 23`."""
        return f"{'chase' if self.wish.to is LimitTo.CHASE else 'modify'} {len(self.going)}"

    @property
    def money_paise(self) -> int:
        """What all of it would block more."""
        return sum(line.needs.money_paise for line in self.going if line.needs)


def frozen(wish: NewLimit, lines: Sequence[ModifyLine], now_s: float) -> ModifyPlan:
    """The list in its order, under the digest of what would be done to which order."""
    ordered = sorted(lines, key=lambda line: (line.ok, line.order.id))
    going = [(line.order, line.limit_paise) for line in ordered if line.ok]
    done = [(one.id, one.quantity, one.limit_paise, one.trigger_paise, to) for one, to in going]
    beyond = [wish.override] if wish.override else []
    told = json.dumps([wish.to.value, wish.value, done, *beyond], separators=(",", ":"))
    return ModifyPlan(wish, tuple(ordered), now_s, hashlib.sha256(told.encode()).hexdigest())
