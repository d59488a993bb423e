"""The books of the clients that a batch of facts concerns: their states, blocks and releases.

`Books` is the working set of one unit of work: it reads orders, balances and lots, facts are applied to it
one by one in memory (trades by `fills`), and it writes everything back in bulk. It runs inside the writer's
transaction, so what it read cannot change under it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from data.audit import AuditEntry
from data.columns import table
from data.ledger import Line, Transfer, free_memo, post
from data.order_tables import Fill, Order
from data.store import Unit, chunks
from data.tables import ClosedLot, Funds, Holding, Lot
from data.vocabulary import TERMINAL_STATES, Account, OrderState, Side
from engine.booking.lots import LotRow, NettedKey, stored_lots
from engine.booking.needs import open_need
from engine.booking.states import Flag, OrderEvent, transition

OrderRow = dict[str, Any]
"""A row of the orders table, changed in memory and written back by `Books.flush`."""

_CHANGING = (
    "state",
    "sub_status",
    "reason_code",
    "reason_text",
    "flags",
    "broker_order_id",
    "tag",
    "attempts",
    "quantity",
    "limit_paise",
    "trigger_paise",
    "reserve_price_paise",
    "asked_quantity",
    "asked_reserve_paise",
    "filled_quantity",
    "filled_notional_paise",
    "blocked_paise",
    "blocked_shares",
    "mtf_reserved_paise",
    "own_paise",
    "charges_paise",
    "demat_sale",
    "sent_at",
    "told_at",
    "updated_at",
    "ended_at",
)
"""The columns of an order that change during its life."""

_UPDATE_ORDER = (
    update(table(Order))
    .where(table(Order).c.id == bindparam("b_id"))
    .values({name: bindparam(f"b_{name}") for name in _CHANGING})
)


_UNASKED = frozenset({Flag.RESURRECTED, Flag.CHANGED_OUTSIDE})
"""Marks of orders that may have come to need more than could be blocked for them."""


@dataclass(slots=True)
class _Purse:
    """A client's balances as this unit has changed them so far; it decides where a dear fill is paid from."""

    available: int
    shortfall: int

    def take(self, amount: int) -> tuple[int, int]:
        """Split `amount` into what `available` can give and what becomes shortfall."""
        from_available = min(max(0, self.available), amount)
        self.available -= from_available
        self.shortfall += amount - from_available
        return from_available, amount - from_available


@dataclass(slots=True)
class Books:
    """The working set of one batch of facts."""

    unit: Unit
    actor: str
    sell_credit_bps: int
    orders: dict[int, OrderRow] = field(default_factory=dict[int, OrderRow])
    netted: set[NettedKey] = field(default_factory=set[NettedKey])
    """What traded in this unit, by client, security, product and day."""
    fill_kind: str = "fill"
    purses: dict[int, _Purse] = field(default_factory=dict[int, _Purse])
    lots: dict[tuple[int, str, str], list[LotRow]] = field(
        default_factory=dict[tuple[int, str, str], list[LotRow]]
    )
    known_trades: dict[tuple[int, str, date, str, str], tuple[int, int]] = field(
        default_factory=dict[tuple[int, str, date, str, str], tuple[int, int]]
    )
    transfers: list[Transfer] = field(default_factory=list[Transfer])
    fills: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    opened: list[LotRow] = field(default_factory=list[LotRow])
    sold: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changed_lots: dict[int, LotRow] = field(default_factory=dict[int, LotRow])
    _changed: set[int] = field(default_factory=set[int])
    _eased: set[int] = field(default_factory=set[int])
    """Clients of whom this unit freed money or shares."""
    _loans: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    _shares: dict[tuple[int, str, str], int] = field(
        default_factory=lambda: defaultdict[tuple[int, str, str], int](int)
    )

    _free_ids: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def take_id(self, name: str) -> int:
        """The next number of a kind; taken in blocks, so that some may stay unused."""
        free = self._free_ids.get(name)
        if not free:
            free = self._free_ids[name] = list(reversed(self.unit.take_ids(name, max(1, len(self.orders)))))
        return free.pop()

    # --- loading ---

    def load(self, order_ids: Iterable[int]) -> None:
        """Read orders with their clients' balances, their booked trades and, for sells, the lots."""
        orders, fills = table(Order), table(Fill)
        for ids in chunks(set(order_ids) - self.orders.keys()):
            for row in self.unit.connection.execute(select(orders).where(orders.c.id.in_(ids))).mappings():
                self.orders[row["id"]] = dict(row)
            for trade in self.unit.connection.execute(
                select(
                    fills.c.client_id,
                    fills.c.exchange,
                    fills.c.trading_date,
                    fills.c.trade_id,
                    fills.c.broker_order_id,
                    fills.c.quantity,
                    fills.c.price_paise,
                ).where(fills.c.order_id.in_(ids))
            ):
                key = (trade[0], trade[1], trade[2], trade[3], trade[4])
                self.known_trades[key] = (trade[5], trade[6])
        self._load_purses({order["client_id"] for order in self.orders.values()} - self.purses.keys())
        self._load_lots(
            {
                (order["client_id"], order["security"], order["product"])
                for order in self.orders.values()
                if order["side"] == Side.SELL.value
            }
            - self.lots.keys()
        )

    def _load_purses(self, client_ids: set[int]) -> None:
        funds = table(Funds)
        for ids in chunks(client_ids):
            for row in self.unit.connection.execute(
                select(funds.c.client_id, funds.c.available_paise, funds.c.shortfall_paise).where(
                    funds.c.client_id.in_(ids)
                )
            ):
                self.purses[row[0]] = _Purse(row[1], row[2])

    def _load_lots(self, keys: set[tuple[int, str, str]]) -> None:
        lots = table(Lot)
        for ids in chunks({key[0] for key in keys}):
            for row in self.unit.connection.execute(
                stored_lots()
                .where(lots.c.client_id.in_(ids), lots.c.quantity_left > 0)
                .order_by(lots.c.opened_on, lots.c.id)
            ).mappings():
                key = (row["client_id"], row["security"], row["product"])
                if key in keys:
                    self.lots.setdefault(key, []).append(dict(row))
        for key in keys:
            self.lots.setdefault(key, [])
        for lot in self.opened:
            key = (lot["client_id"], lot["security"], lot["product"])
            if key in keys:
                self.lots[key].append(lot)

    # --- changing ---

    def audit(self, action: str, order: OrderRow, **details: Any) -> None:
        """An audit row about an order."""
        self.unit.audit(
            AuditEntry(
                action,
                self.actor,
                client_id=order["client_id"],
                order_id=order["id"],
                plan_number=order["plan_number"],
                run_number=order["run_number"],
                details=details,
            )
        )

    def flag(self, order: OrderRow, flag: Flag | None) -> None:
        """Mark an order with something odd, once."""
        if flag is not None and flag.value not in order["flags"].split():
            self.touch(order, flags=f"{order['flags']} {flag.value}".strip())

    def unflag(self, order: OrderRow, flag: Flag) -> None:
        """Take a mark off an order."""
        left = [word for word in order["flags"].split() if word != flag.value]
        self.touch(order, flags=" ".join(left))

    def touch(self, order: OrderRow, **values: Any) -> None:
        """Change columns of an order. It moves now: a later fact of the same unit is not after it."""
        order.update(values, updated_at=self.unit.now)
        self._changed.add(order["id"])

    def move(self, order: OrderRow, event: OrderEvent) -> OrderState:
        """Apply an event to an order's state; gives the state after it."""
        state, flag = transition(OrderState(order["state"]), event)
        self.flag(order, flag)
        if state.value != order["state"]:
            ended = self.unit.now if state in TERMINAL_STATES else None
            self.touch(order, state=state.value, ended_at=ended)
        return state

    def release(self, order: OrderRow, evidence: str) -> int:
        """Free what an order's open rest no longer needs, all of it once the order has ended.

        Gives the money freed. `evidence` is the proof.
        """
        client_id = order["client_id"]
        ended = OrderState(order["state"]) in TERMINAL_STATES
        money, loan, shares = (0, 0, 0) if ended else open_need(order)
        freed = order["blocked_paise"] - money
        if freed > 0:
            self._eased.add(client_id)
            order["blocked_paise"] = money
            self.purses[client_id].available += freed
            self.transfers.append(
                Transfer(
                    client_id,
                    "release",
                    order["trading_date"],
                    [Line(Account.BLOCKED, -freed, order["id"]), Line(Account.AVAILABLE, freed)],
                    order_id=order["id"],
                    evidence=evidence,
                )
            )
        if order["mtf_reserved_paise"] > loan:
            self._loans[client_id] += order["mtf_reserved_paise"] - loan
            order["mtf_reserved_paise"] = loan
        if order["blocked_shares"] > shares:
            self._eased.add(client_id)
            key = (client_id, order["security"], order["product"])
            self._shares[key] += order["blocked_shares"] - shares
            order["blocked_shares"] = shares
        self.touch(order)
        return max(0, freed)

    def block_again(self, order: OrderRow) -> None:
        """Block what the open rest of an order lacks, as far as the client's money and shares go.

        For an order that came back after its end, and for one that grew at the broker without our asking.
        What it still lacks is blocked when something of the client is freed.
        """
        money, loan, shares = open_need(order)
        if loan > order["mtf_reserved_paise"]:
            self._loans[order["client_id"]] -= loan - order["mtf_reserved_paise"]
            self.touch(order, mtf_reserved_paise=loan)
        if shares > order["blocked_shares"]:
            key = (order["client_id"], order["security"], order["product"])
            more = min(shares - order["blocked_shares"], self._sellable(key))
            if more:
                self._shares[key] -= more
                self.touch(order, blocked_shares=order["blocked_shares"] + more)
        purse = self.purses[order["client_id"]]
        amount = min(money - order["blocked_paise"], purse.available)
        if amount <= 0:
            return
        purse.available -= amount
        self.touch(order, blocked_paise=order["blocked_paise"] + amount)
        self.transfers.append(
            Transfer(
                order["client_id"],
                "reserve",
                order["trading_date"],
                [Line(Account.AVAILABLE, -amount), Line(Account.BLOCKED, amount, order["id"])],
                order_id=order["id"],
                evidence=f"seen:{order['broker_order_id']}",
            )
        )

    def _block_what_lacks(self) -> None:
        """Give what was freed to orders that could not block all they need when they came back or grew.

        The others stay as they are, stamps and all.
        """
        orders = table(Order)
        unasked = or_(*(orders.c.flags.contains(flag.value) for flag in _UNASKED))
        for ids in chunks(self._eased):
            resting = orders.c.client_id.in_(ids) & (orders.c.state == OrderState.OPEN.value)
            self.load(self.unit.connection.execute(select(orders.c.id).where(resting, unasked)).scalars())
        for order_id in sorted(self.orders):
            order = self.orders[order_id]
            if order["client_id"] not in self._eased or order["state"] != OrderState.OPEN.value:
                continue
            if not _UNASKED.isdisjoint(order["flags"].split()):
                self.block_again(order)

    def _sellable(self, key: tuple[int, str, str]) -> int:
        """Shares that nothing blocks, as this unit has changed them so far."""
        holdings = table(Holding)
        blocked = self.unit.connection.execute(
            select(holdings.c.blocked).where(
                holdings.c.client_id == key[0], holdings.c.security == key[1], holdings.c.product == key[2]
            )
        ).scalar_one_or_none()
        held = sum(lot["quantity_left"] for lot in self.lots.get(key, ()))
        return max(0, held - (blocked or 0) + self._shares.get(key, 0))

    # --- writing ---

    def flush(self) -> None:
        """Write everything back in bulk."""
        unit = self.unit
        self._block_what_lacks()
        post(unit, self.transfers)
        free_memo(unit, self._loans, self._shares)
        unit.insert(Fill, self.fills)
        unit.insert(Lot, self.opened)
        unit.insert(ClosedLot, self.sold)
        opened = {lot["id"] for lot in self.opened}
        self._write_lots([lot for lot_id, lot in self.changed_lots.items() if lot_id not in opened])
        self._write_orders()

    def _write_lots(self, lots: list[LotRow]) -> None:
        if lots:
            stored = table(Lot)
            names = ("quantity_left", "cost_left_paise", "loan_left_paise", "charges_left_paise")
            self.unit.connection.execute(
                update(stored)
                .where(stored.c.id == bindparam("b_id"))
                .values({name: bindparam(f"b_{name}") for name in names}),
                [{"b_id": lot["id"]} | {f"b_{name}": lot[name] for name in names} for lot in lots],
            )

    def _write_orders(self) -> None:
        if not self._changed:
            return
        rows: list[dict[str, Any]] = []
        for order_id in sorted(self._changed):
            order = self.orders[order_id]
            rows.append({"b_id": order_id} | {f"b_{name}": order[name] for name in _CHANGING})
            self.unit.touched.orders.add(order_id)
            self.unit.touched.clients.add(order["client_id"])
            if order["run_number"] is not None:
                self.unit.touched.runs.add(order["run_number"])
        self.unit.connection.execute(_UPDATE_ORDER, rows)
