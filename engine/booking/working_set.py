"""The books of the clients that a batch of facts concerns: their orders, blocks and releases.

`WorkingSet` is that of one unit of work: it reads orders, balances and lots, facts are applied to it
one by one in memory, and it writes everything back in bulk. It runs inside the writer's transaction, so what
it read cannot change under it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from brokers.contract import BrokerTrade
from data.audit import AuditAction, AuditEntry
from data.ledger import Line, Transfer, free_loans_and_shares, post
from data.repositories.accounts.balances import blocked_shares
from data.repositories.trading.fills import TradeKey, known_trades
from data.repositories.trading.orders import demat_sales, marked_open
from data.store import Unit
from data.vocabulary import TERMINAL_STATES, Account, OrderState, Product, Side, TransferKind
from engine.booking.fills import (
    Fill,
    Purse,
    book_buy,
    book_sell,
    book_unheld,
    closed_lots,
    debits_demat,
    opened_lot,
)
from engine.booking.lots import ClosedLot, Lot, take_lots, trade_order
from engine.booking.order import Flags, ShareKey, WorkingOrder
from engine.booking.states import Flag, OrderEvent
from engine.booking.stored import BALANCES, CLOSED_LOTS, FILLS, LOTS, ORDERS
from engine.events import OrderFilled

NettedKey: TypeAlias = tuple[int, str, Product, date]
"""Client, security, product and trading date: the trades that the exchange nets with each other."""

_ENDED_UNFILLED = TERMINAL_STATES - {OrderState.FILLED}
"""States after which no trade should come."""

_UNASKED = (Flag.RESURRECTED, Flag.CHANGED_OUTSIDE)
"""Marks of orders that may have come to need more than could be blocked for them."""


@dataclass(slots=True)
class WorkingSet:
    """The working set of one batch of facts."""

    unit: Unit
    actor: str
    sell_credit_bps: int
    fill_kind: TransferKind = TransferKind.FILL
    orders: dict[int, WorkingOrder] = field(default_factory=dict[int, WorkingOrder])
    _read_in: dict[int, OrderState] = field(default_factory=dict[int, OrderState])
    """The state in which each was read: in another by now, it is not written."""
    netted: set[NettedKey] = field(default_factory=set[NettedKey])
    """What traded in this unit, by client, security, product and day."""
    purses: dict[int, Purse] = field(default_factory=dict[int, Purse])
    lots: dict[ShareKey, list[Lot]] = field(default_factory=dict[ShareKey, list[Lot]])
    known_trades: dict[TradeKey, tuple[int, int]] = field(default_factory=dict[TradeKey, tuple[int, int]])
    transfers: list[Transfer] = field(default_factory=list[Transfer])
    fills: list[Fill] = field(default_factory=list[Fill])
    opened: list[Lot] = field(default_factory=list[Lot])
    closed: list[ClosedLot] = field(default_factory=list[ClosedLot])
    changed_lots: dict[int, Lot] = field(default_factory=dict[int, Lot])
    _eased: set[int] = field(default_factory=set[int])
    """Clients of whom this unit freed money or shares."""
    _loans: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    _shares: dict[ShareKey, int] = field(default_factory=lambda: defaultdict[ShareKey, int](int))
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
        missing = set(order_ids) - self.orders.keys()
        for order in ORDERS.by_id(self.unit, missing):
            order.now, order.changed = self.unit.now, False
            self.orders[order.id] = order
            self._read_in[order.id] = order.state
        self.known_trades |= known_trades(self.unit, missing)
        clients = {order.client_id for order in self.orders.values()} - self.purses.keys()
        self.purses |= {purse.client_id: purse for purse in BALANCES.of(self.unit, clients)}
        sells = (order for order in self.orders.values() if order.side == Side.SELL)
        self._load_lots({order.share for order in sells} - self.lots.keys())

    def load_share(self, share: ShareKey) -> None:
        """Read the lots of a share with its client's balances, whatever orders there are."""
        if share[0] not in self.purses:
            self.purses |= {purse.client_id: purse for purse in BALANCES.of(self.unit, {share[0]})}
        self._load_lots({share} - self.lots.keys())

    def _load_lots(self, keys: set[ShareKey]) -> None:
        self.lots |= {key: [] for key in keys}
        for lot in (*LOTS.left(self.unit, {key[0] for key in keys}), *self.opened):
            if lot.share in keys:
                self.lots[lot.share].append(lot)

    # --- changing ---

    def audit(self, action: AuditAction, order: WorkingOrder, **details: object) -> None:
        """An audit row about an order."""
        self.unit.audit(
            AuditEntry(
                action,
                self.actor,
                order.client_id,
                order.id,
                order.plan_number,
                order.run_number,
                details,
            )
        )

    def fill(self, order: WorkingOrder, trade: BrokerTrade) -> bool:
        """Book one trade, unless it is booked already; returns whether it was."""
        key = (order.client_id, trade.exchange, trade.trading_date, trade.trade_id, trade.broker_order_id)
        told = (trade.quantity, trade.price_paise)
        if key in self.known_trades:
            if self.known_trades[key] != told:
                order.flag(Flag.ANOMALY)  # what is booked stands; a human compares
            return False
        self.known_trades[key] = told
        if order.state in _ENDED_UNFILLED:
            order.flag(Flag.LATE_FILL)
        fill_id = self.take_id("fill")
        if order.closes_external:
            charges = self._external(order, trade)
        else:
            book = self._buy if order.side == Side.BUY else self.sell
            charges = book(order, trade, fill_id)
            self.netted.add((*order.share, trade.trading_date))
        if order.filled_quantity > max(order.quantity, order.asked_quantity or 0):
            order.flag(Flag.OVERFILL)
        self.fills.append(self._fill(order, trade, fill_id, charges))
        self.audit(
            AuditAction.FILL_APPLIED,
            order,
            trade_id=trade.trade_id,
            quantity=trade.quantity,
            price_paise=trade.price_paise,
            charges_paise=charges,
            filled_quantity=order.filled_quantity,
        )
        self.unit.publish(OrderFilled(order.id, order.client_id, trade.quantity, trade.price_paise))
        self.release(order, f"trade:{trade.trade_id}")
        return True

    def _external(self, order: WorkingOrder, trade: BrokerTrade) -> int:
        """Pay the charges of a trade that ends a position our books never had; returns them in paise."""
        lines, charges = book_unheld(order, self.purses[order.client_id], trade)
        if lines:
            kind, evidence = TransferKind.FILL, f"trade:{trade.trade_id}"
            day = trade.trading_date
            self.transfers.append(Transfer(order.client_id, kind, day, lines, [], order.id, evidence))
        order.count(trade.quantity, trade.price_paise, charges)
        return charges

    def _buy(self, order: WorkingOrder, trade: BrokerTrade, fill_id: int) -> int:
        booked = book_buy(order, self.purses[order.client_id], trade)
        lot = opened_lot(order, trade, booked, self.take_id("lot"), fill_id)
        self.opened.append(lot)
        if order.share in self.lots:
            self.lots[order.share].append(lot)
        self.transfers.append(
            Transfer(
                order.client_id,
                TransferKind.FILL,
                trade.trading_date,
                booked.lines,
                booked.shares,
                order.id,
                f"trade:{trade.trade_id}",
            )
        )
        order.count(trade.quantity, trade.price_paise, booked.charges_paise)
        return booked.charges_paise

    def sell(self, order: WorkingOrder, trade: BrokerTrade, fill_id: int) -> int:
        """Post a sale and close the lots it sold; returns its charges in paise.

        A broker may sell more than our books hold, when shares came by another way; the pieces then fall
        short of the trade and the order is flagged for a human.
        """
        place = trade_order(trade.traded_at, trade.trade_id)
        pieces = take_lots(self.lots[order.share], trade.quantity, place)
        self.changed_lots |= {piece.lot.id: piece.lot for piece in pieces}
        if sum(piece.quantity for piece in pieces) < trade.quantity:
            order.flag(Flag.NEEDS_HUMAN)
        if not order.demat_sale and debits_demat(pieces):
            order.demat_sale = not self._demat_fee_paid(order)
        booked = book_sell(order, self.purses[order.client_id], pieces, trade, self.sell_credit_bps)
        evidence = f"trade:{trade.trade_id}"
        self.transfers.append(
            Transfer(
                order.client_id,
                self.fill_kind,
                trade.trading_date,
                booked.lines,
                booked.shares,
                order.id,
                evidence,
            )
        )
        numbers = self.unit.take_ids("closed_lot", len(pieces))
        self.closed += closed_lots(order, trade, pieces, booked.charges_paise, fill_id, numbers)
        order.count(trade.quantity, trade.price_paise, booked.charges_paise)
        return booked.charges_paise

    def _demat_fee_paid(self, order: WorkingOrder) -> bool:
        """Whether another order of the day pays the depository's fee, due once a security and day."""
        same = (order.client_id, order.security, order.trading_date)
        if any(
            other.demat_sale and (other.client_id, other.security, other.trading_date) == same
            for other in self.orders.values()
        ):
            return True
        return not self.orders.keys() >= set(demat_sales(self.unit, *same))

    def correct_charges(self, order: WorkingOrder, trade: BrokerTrade, more_paise: int) -> None:
        """Write a fill of no shares that corrects the charges of a booked one."""
        fill_id = self.take_id("fill")
        fill = self._fill(order, trade, fill_id, more_paise)
        fill.trade_id, fill.quantity, fill.price_paise = f"{trade.trade_id}:charges:{fill_id}", 0, 0
        self.fills.append(fill)

    def _fill(self, order: WorkingOrder, trade: BrokerTrade, fill_id: int, charges_paise: int) -> Fill:
        return Fill(
            id=fill_id,
            client_id=order.client_id,
            order_id=order.id,
            exchange=trade.exchange,
            trading_date=trade.trading_date,
            trade_id=trade.trade_id,
            broker_order_id=trade.broker_order_id,
            quantity=trade.quantity,
            price_paise=trade.price_paise,
            charges_paise=charges_paise,
            traded_at=trade.traded_at,
            booked_at=self.unit.now,
        )

    def release(self, order: WorkingOrder, evidence: str) -> int:
        """Free what an order's open rest no longer needs, all of it once the order has ended.

        Returns the money freed. `evidence` is the proof.
        """
        freed = order.give_back()
        if freed.money:
            self.purses[order.client_id].available_paise += freed.money
            self.transfers.append(
                Transfer(
                    order.client_id,
                    TransferKind.RELEASE,
                    order.trading_date,
                    [
                        Line(Account.BLOCKED, -freed.money, order.id),
                        Line(Account.AVAILABLE, freed.money),
                    ],
                    order_id=order.id,
                    evidence=evidence,
                )
            )
        if freed.loan:
            self._loans[order.client_id] += freed.loan
        if freed.shares:
            self._shares[order.share] += freed.shares
        if freed.money or freed.shares:
            self._eased.add(order.client_id)
        return freed.money

    def free_unsent(self, order: WorkingOrder, why: str) -> int:
        """End an order that never left and give its money back; returns the paise freed."""
        order.apply(OrderEvent.FREE)
        order.say("cancelled_unsent", why)
        freed = self.release(order, "never sent")
        self.audit(AuditAction.ORDER_CANCELLED, order, why=why, unsent=True, released_paise=freed)
        return freed

    def ended_now(self) -> list[WorkingOrder]:
        """The orders that this unit has ended; what an open modify asked for ends with them."""
        ended = [order for order in self.orders.values() if order.ended_at == self.unit.now]
        for order in ended:
            if order.asked_quantity is not None:
                order.forget_change()
        return ended

    def block_again(self, order: WorkingOrder) -> None:
        """Block what the open rest of an order lacks, as far as the client's money and shares go.

        For an order that is resurrected, and for one that grew at the broker without our asking.
        What it still lacks is blocked when something of the client is freed.
        """
        money, loan, shares = order.lacks()
        purse = self.purses[order.client_id]
        money = max(0, min(money, purse.available_paise))
        shares = min(shares, self._sellable(order.share)) if shares else 0
        if not (money or loan or shares):
            return
        order.block(money, loan, shares)
        order.touch()
        if loan:
            self._loans[order.client_id] -= loan
        if shares:
            self._shares[order.share] -= shares
        if money:
            purse.available_paise -= money
            self.transfers.append(
                blocking(order, money, f"seen:{order.broker_order_id}"),
            )

    def _block_what_lacks(self) -> None:
        """Give what was freed to orders that could not block all they need as they were resurrected or grew.

        The others stay as they are, stamps and all.
        """
        if not self._eased:
            return
        marked = marked_open(self.unit, self._eased)
        self.load(order_id for order_id, flags in marked if _unasked(Flags.of_text(flags)))
        for _, order in sorted(self.orders.items()):
            if order.client_id in self._eased and order.state == OrderState.OPEN and _unasked(order.flags):
                self.block_again(order)

    def _sellable(self, share: ShareKey) -> int:
        """Shares that nothing blocks, as this unit has changed them so far."""
        held = sum(lot.quantity_left for lot in self.lots.get(share, ()))
        return max(0, held - blocked_shares(self.unit, *share) + self._shares.get(share, 0))

    # --- writing ---

    def flush(self) -> None:
        """Write everything back in bulk."""
        unit = self.unit
        self._block_what_lacks()
        post(unit, self.transfers)
        free_loans_and_shares(
            unit, self._loans, {(c, s, str(p)): freed for (c, s, p), freed in self._shares.items()}
        )
        FILLS.insert(unit, self.fills)
        LOTS.insert(unit, self.opened)
        CLOSED_LOTS.insert(unit, self.closed)
        opened = {lot.id for lot in self.opened}
        LOTS.save(unit, [lot for lot_id, lot in self.changed_lots.items() if lot_id not in opened])
        changed = [order for _, order in sorted(self.orders.items()) if order.changed]
        for state in dict.fromkeys(self._read_in[order.id] for order in changed):
            ORDERS.save(unit, [order for order in changed if self._read_in[order.id] is state], state)
        for order in changed:
            touch(unit, order)


def blocking(order: WorkingOrder, money: int, evidence: str = "", reserved: bool = False) -> Transfer:
    """The transfer that blocks money in paise for an order; `reserved` says that its balance has moved."""
    return Transfer(
        order.client_id,
        TransferKind.RESERVE,
        order.trading_date,
        [Line(Account.AVAILABLE, -money), Line(Account.BLOCKED, money, order.id)],
        order_id=order.id,
        evidence=evidence,
        reserved=reserved,
    )


def touch(unit: Unit, order: WorkingOrder) -> None:
    """Have an order, its client and its run read again after the commit."""
    unit.touched.orders.add(order.id)
    unit.touched.clients.add(order.client_id)
    if order.run_number is not None:
        unit.touched.runs.add(order.run_number)


def _unasked(flags: Flags) -> bool:
    return any(flag in flags for flag in _UNASKED)
