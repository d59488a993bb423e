"""Booking what the broker did into a client's books: fills, releases and ends, as balanced transfers.

`Books` is the working set of one unit of work: it reads the orders, balances and lots that a batch of
facts concerns, applies the facts one by one in memory, and writes everything back in bulk. It runs inside
the writer's transaction, so what it read cannot change under it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from brokers.contract import BrokerTrade
from data.audit import AuditEntry
from data.ledger import Line, ShareLine, Transfer, free_memo, post
from data.money import BPS, ceil_div, own_share
from data.rates import estimate
from data.store import Unit, chunks
from data.tables import ClosedLot, Fill, Funds, Holding, Lot, Order, table
from data.vocabulary import TERMINAL_STATES, Account, Bucket, OrderState, Policy, Product, Side
from engine.events import OrderFilled
from engine.orders.states import Flag, OrderEvent, transition

SELL_ORDER = (Bucket.TODAY.value, Bucket.FREE.value, Bucket.T1.value, Bucket.PLEDGED.value)

_IN_DEMAT = (Bucket.FREE, Bucket.PLEDGED)
"""Shares whose sale debits the demat account; those of today are netted, those on their way pass it by."""

SLACK_PAISE = 2
"""Kept beside a reservation: rounding each fill up can cost one paisa more than rounding the whole."""

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


def charges_for(order: Mapping[str, Any], notional_paise: int) -> int:
    """Estimated charges of an order once it has traded `notional_paise` in all, in paise."""
    return estimate(
        order["trading_date"],
        order["broker"],
        order["exchange"],
        Product(order["product"]),
        Side(order["side"]),
        notional_paise,
        demat_sale=order["demat_sale"],
    ).total_paise


def need(order: Mapping[str, Any], leaves: int, reserve_paise: int | None = None) -> tuple[int, int]:
    """What must stay blocked while `leaves` shares of a buy are open: money and loan room, in paise.

    `reserve_paise` is the price reserved for, else the order's own.
    """
    if leaves <= 0 or order["side"] == Side.SELL.value:
        return 0, 0
    price = order["reserve_price_paise"] if reserve_paise is None else reserve_paise
    total = order["filled_notional_paise"] + leaves * price
    own = own_share(total, order["margin_bps"]) - order["own_paise"]
    loan = leaves * price - own
    if order["policy"] == Policy.EXACT.value:
        return own, max(0, loan)
    return own + charges_for(order, total) - order["charges_paise"] + SLACK_PAISE, max(0, loan)


def open_need(order: Mapping[str, Any]) -> tuple[int, int, int]:
    """What the open rest of an order keeps blocked: money, loan room and, for a sell, shares.

    While a modify is open it is the larger of what the order is and what it would become, since either may
    trade.
    """
    forms = [(order["quantity"], order["reserve_price_paise"])]
    if order["asked_quantity"] is not None:
        forms.append((order["asked_quantity"], order["asked_reserve_paise"]))
    rests = [(max(0, quantity - order["filled_quantity"]), price) for quantity, price in forms]
    money, loan = zip(*(need(order, rest, price) for rest, price in rests), strict=True)
    shares = max(rest for rest, _ in rests) if order["side"] == Side.SELL.value else 0
    return max(money), max(loan), shares


NettedKey = tuple[int, str, str, date]
"""Client, security, product and trading date: the trades that the exchange nets with each other."""


def trade_order(traded_at: datetime, trade_id: str) -> tuple[datetime, int, str]:
    """The market's order of trades: by time, then by the exchange's number."""
    return traded_at, int(trade_id) if trade_id.isdigit() else 0, trade_id


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
    lots: dict[tuple[int, str, str], list[dict[str, Any]]] = field(
        default_factory=dict[tuple[int, str, str], list[dict[str, Any]]]
    )
    _known_trades: dict[tuple[int, str, date, str, str], tuple[int, int]] = field(
        default_factory=dict[tuple[int, str, date, str, str], tuple[int, int]]
    )
    transfers: list[Transfer] = field(default_factory=list[Transfer])
    _fills: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _opened: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sold: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changed_lots: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    _changed: set[int] = field(default_factory=set[int])
    _loans: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    _shares: dict[tuple[int, str, str], int] = field(
        default_factory=lambda: defaultdict[tuple[int, str, str], int](int)
    )

    _free_ids: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    def _id(self, name: str) -> int:
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
                self._known_trades[key] = (trade[5], trade[6])
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
        lots, fills = table(Lot), table(Fill)
        for ids in chunks({key[0] for key in keys}):
            for row in self.unit.connection.execute(
                select(lots, fills.c.traded_at, fills.c.trade_id)
                .outerjoin(fills, fills.c.id == lots.c.fill_id)
                .where(lots.c.client_id.in_(ids), lots.c.quantity_left > 0)
                .order_by(lots.c.opened_on, lots.c.id)
            ).mappings():
                key = (row["client_id"], row["security"], row["product"])
                if key in keys:
                    self.lots.setdefault(key, []).append(dict(row))
        for key in keys:
            self.lots.setdefault(key, [])

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
            order["flags"] = f"{order['flags']} {flag.value}".strip()
            self._changed.add(order["id"])

    def unflag(self, order: OrderRow, flag: Flag) -> None:
        """Take a mark off an order."""
        left = [word for word in order["flags"].split() if word != flag.value]
        self.touch(order, flags=" ".join(left))

    def touch(self, order: OrderRow, **values: Any) -> None:
        """Change columns of an order."""
        order.update(values)
        self._changed.add(order["id"])

    def move(self, order: OrderRow, event: OrderEvent) -> OrderState:
        """Apply an event to an order's state; gives the state after it."""
        state, flag = transition(OrderState(order["state"]), event)
        self.flag(order, flag)
        if state.value != order["state"]:
            ended = self.unit.now if state in TERMINAL_STATES else None
            self.touch(order, state=state.value, ended_at=ended)
        return state

    def fill(self, order: OrderRow, trade: BrokerTrade) -> bool:
        """Book one trade, unless it is booked already; gives whether it was."""
        key = (order["client_id"], trade.exchange, trade.trading_date, trade.trade_id, trade.broker_order_id)
        told = (trade.quantity, trade.price_paise)
        if key in self._known_trades:
            if self._known_trades[key] != told:
                self.flag(order, Flag.ANOMALY)  # what is booked stands; a human compares
            return False
        self._known_trades[key] = told
        if OrderState(order["state"]) in TERMINAL_STATES - {OrderState.FILLED}:
            self.flag(order, Flag.LATE_FILL)
        book = self._book_buy if order["side"] == Side.BUY.value else self.book_sell
        fill_id = self._id("fill")
        charges = book(order, trade, fill_id)
        order["filled_quantity"] += trade.quantity
        order["filled_notional_paise"] += trade.quantity * trade.price_paise
        order["charges_paise"] += charges
        if order["filled_quantity"] > max(order["quantity"], order["asked_quantity"] or 0):
            self.flag(order, Flag.OVERFILL)
        self._changed.add(order["id"])
        self.netted.add((order["client_id"], order["security"], order["product"], trade.trading_date))
        self._fills.append(
            {
                "id": fill_id,
                "client_id": order["client_id"],
                "order_id": order["id"],
                "exchange": trade.exchange,
                "trading_date": trade.trading_date,
                "trade_id": trade.trade_id,
                "broker_order_id": trade.broker_order_id,
                "quantity": trade.quantity,
                "price_paise": trade.price_paise,
                "charges_paise": charges,
                "traded_at": trade.traded_at,
                "booked_at": self.unit.now,
            }
        )
        self.audit(
            "FILL_APPLIED",
            order,
            trade_id=trade.trade_id,
            quantity=trade.quantity,
            price_paise=trade.price_paise,
            charges_paise=charges,
            filled_quantity=order["filled_quantity"],
        )
        self.unit.publish(OrderFilled(order["id"], order["client_id"], trade.quantity, trade.price_paise))
        self.release(order, f"trade:{trade.trade_id}")
        return True

    def _book_buy(self, order: OrderRow, trade: BrokerTrade, fill_id: int) -> int:
        cost = trade.quantity * trade.price_paise
        total = order["filled_notional_paise"] + cost
        own = own_share(total, order["margin_bps"]) - order["own_paise"]
        loan = cost - own
        charges = charges_for(order, total) - order["charges_paise"]
        exact = order["policy"] == Policy.EXACT.value
        order["own_paise"] += own
        if trade.price_paise > max(order["reserve_price_paise"], order["asked_reserve_paise"] or 0):
            self.flag(order, Flag.PRICE_BREACH)
        lines = [Line(Account.STOCK_COST, cost, security=order["security"])]
        lines += self._pay(order, own if exact else own + charges)
        if loan:
            lines.append(Line(Account.MTF_LOAN, -loan, security=order["security"]))
        if charges:
            lines.append(Line(Account.CHARGES, charges, order["id"]))
            if exact:
                lines.append(Line(Account.CHARGES_DUE, -charges))
        self.transfers.append(
            Transfer(
                order["client_id"],
                "fill",
                trade.trading_date,
                lines,
                [
                    ShareLine(
                        order["security"],
                        order["product"],
                        Bucket.TODAY,
                        trade.quantity,
                        order["exchange"],
                        order["tradingsymbol"],
                    ),
                    ShareLine(order["security"], order["product"], Bucket.OUTSIDE, -trade.quantity),
                ],
                order["id"],
                f"trade:{trade.trade_id}",
            )
        )
        lot = {
            "id": self._id("lot"),
            "client_id": order["client_id"],
            "security": order["security"],
            "product": order["product"],
            "bucket": Bucket.TODAY.value,
            "opened_on": trade.trading_date,
            "quantity": trade.quantity,
            "cost_paise": cost,
            "loan_paise": loan,
            "charges_paise": charges,
            "quantity_left": trade.quantity,
            "cost_left_paise": cost,
            "loan_left_paise": loan,
            "charges_left_paise": charges,
            "fill_id": fill_id,
            "traded_at": trade.traded_at,
            "trade_id": trade.trade_id,
        }
        self._opened.append(lot)
        known = self.lots.get((order["client_id"], order["security"], order["product"]))
        if known is not None:
            known.append(lot)
        return charges

    def _pay(self, order: OrderRow, amount: int) -> list[Line]:
        """Postings that pay for a fill: from the order's block, then available, then shortfall."""
        from_block = min(amount, order["blocked_paise"])
        order["blocked_paise"] -= from_block
        lines = [Line(Account.BLOCKED, -from_block, order["id"])] if from_block else []
        if amount > from_block:
            available, short = self.purses[order["client_id"]].take(amount - from_block)
            if available:
                lines.append(Line(Account.AVAILABLE, -available))
            if short:
                lines.append(Line(Account.SHORTFALL, -short))
        return lines

    def book_sell(self, order: OrderRow, trade: BrokerTrade, fill_id: int) -> int:
        """Post a sale and close the lots it sold; gives its charges in paise."""
        pieces = self._take_lots(order, trade)
        proceeds = trade.quantity * trade.price_paise
        sold = sum(piece.quantity for piece in pieces)
        cost = sum(piece.cost for piece in pieces)
        if not order["demat_sale"] and any(piece.bucket in _IN_DEMAT for piece in pieces):
            order["demat_sale"] = not self._demat_fee_paid(order)
        total = order["filled_notional_paise"] + proceeds
        charges = charges_for(order, total) - order["charges_paise"]
        purse = self.purses[order["client_id"]]
        repaid = to_available = to_unsettled = 0
        for piece in pieces:
            value = piece.quantity * trade.price_paise
            loan = min(piece.loan, value)
            repaid += loan
            rest = value - loan
            if piece.bucket is Bucket.TODAY:
                at_once = min(rest, piece.cost - piece.loan)
            elif piece.bucket is Bucket.T1:
                at_once = 0
            else:
                at_once = rest * self.sell_credit_bps // BPS
            to_available += at_once
            to_unsettled += rest - at_once
        unpaid_loan = sum(piece.loan for piece in pieces) - repaid
        lines = [
            Line(Account.STOCK_COST, -cost, security=order["security"]),
            Line(Account.REALISED, cost - sold * trade.price_paise, security=order["security"]),
        ]
        if sold < trade.quantity:
            unexplained = proceeds - sold * trade.price_paise
            lines.append(Line(Account.EXTERNAL, -unexplained, order["id"], order["security"]))
            to_unsettled += unexplained
        exact = order["policy"] == Policy.EXACT.value
        if repaid or unpaid_loan:
            lines.append(Line(Account.MTF_LOAN, repaid + unpaid_loan, security=order["security"]))
        due = unpaid_loan
        if charges:
            lines.append(Line(Account.CHARGES, charges, order["id"]))
            if exact:
                lines.append(Line(Account.CHARGES_DUE, -charges))
            else:
                due += charges
        # A sale pays what it owes from what it credits now, then from the client's cash, and only then from
        # its proceeds that wait for settlement.
        from_cash = min(due, to_available + max(0, purse.available - purse.shortfall))
        from_unsettled = min(due - from_cash, to_unsettled)
        to_available -= from_cash
        to_unsettled -= from_unsettled
        purse.available += to_available
        if due > from_cash + from_unsettled:
            taken, short = purse.take(due - from_cash - from_unsettled)
            to_available -= taken
            if short:
                lines.append(Line(Account.SHORTFALL, -short))
        if to_available:
            lines.append(Line(Account.AVAILABLE, to_available))
        if to_unsettled:
            lines.append(Line(Account.UNSETTLED, to_unsettled))
        self.transfers.append(
            Transfer(
                order["client_id"],
                self.fill_kind,
                trade.trading_date,
                lines,
                [
                    *(
                        ShareLine(order["security"], order["product"], piece.bucket, -piece.quantity)
                        for piece in pieces
                    ),
                    ShareLine(order["security"], order["product"], Bucket.OUTSIDE, sold),
                ],
                order["id"],
                f"trade:{trade.trade_id}",
            )
        )
        self._close_lots(order, trade, fill_id, pieces, charges)
        return charges

    def _demat_fee_paid(self, order: OrderRow) -> bool:
        """Whether another order of the day pays the depository's fee, due once a security and day."""
        same = {name: order[name] for name in ("client_id", "security", "trading_date")}
        for other in self.orders.values():
            if other["demat_sale"] and same.items() <= other.items():
                return True
        orders = table(Order)
        found = self.unit.connection.execute(
            select(orders.c.id).where(
                *(orders.c[name] == value for name, value in same.items()),
                orders.c.demat_sale,
                orders.c.id.not_in(self.orders),
            )
        ).first()
        return found is not None

    def _take_lots(self, order: OrderRow, trade: BrokerTrade) -> list["_Piece"]:
        """Take a sale from the lots: today's first, since the exchange nets the day, then settled, then T1.

        Shares bought later than the sale come last: its own were others, of which we have not heard yet.

        A broker may sell more than our books hold, when shares came by another way; the pieces then fall
        short of the trade and the order is flagged for a human.
        """
        lots = self.lots[order["client_id"], order["security"], order["product"]]
        at = trade_order(trade.traded_at, trade.trade_id)
        lots.sort(
            key=lambda lot: (
                bought_after(lot, at),
                SELL_ORDER.index(lot["bucket"]),
                lot["opened_on"],
                lot_order(lot),
            )
        )
        wanted, pieces = trade.quantity, list[_Piece]()
        for lot in lots:
            left = lot["quantity_left"]
            quantity = min(wanted, left)
            if quantity <= 0:
                continue
            piece = _Piece(
                lot=lot,
                quantity=quantity,
                cost=lot["cost_left_paise"] * quantity // left,
                loan=ceil_div(lot["loan_left_paise"] * quantity, left),
                charges=lot["charges_left_paise"] * quantity // left,
                bucket=Bucket(lot["bucket"]),
            )
            lot["quantity_left"] -= quantity
            lot["cost_left_paise"] -= piece.cost
            lot["loan_left_paise"] -= piece.loan
            lot["charges_left_paise"] -= piece.charges
            self.changed_lots[lot["id"]] = lot
            pieces.append(piece)
            wanted -= quantity
        if wanted:
            self.flag(order, Flag.NEEDS_HUMAN)
        return pieces

    def _close_lots(
        self, order: OrderRow, trade: BrokerTrade, fill_id: int, pieces: list["_Piece"], charges: int
    ) -> None:
        left, quantity_left = charges, sum(piece.quantity for piece in pieces)
        for number, piece in zip(self.unit.take_ids("closed_lot", len(pieces)), pieces, strict=True):
            share = left * piece.quantity // quantity_left
            left, quantity_left = left - share, quantity_left - piece.quantity
            self.sold.append(
                {
                    "id": number,
                    "client_id": order["client_id"],
                    "security": order["security"],
                    "tradingsymbol": order["tradingsymbol"],
                    "product": order["product"],
                    "lot_id": piece.lot["id"],
                    "fill_id": fill_id,
                    "opened_on": piece.lot["opened_on"],
                    "trading_date": trade.trading_date,
                    "closed_at": trade.traded_at,
                    "quantity": piece.quantity,
                    "cost_paise": piece.cost,
                    "proceeds_paise": piece.quantity * trade.price_paise,
                    "charges_paise": piece.charges + share,
                    "lot_charges_paise": piece.charges,
                    "loan_paise": piece.loan,
                }
            )

    def correct_charges(self, order: OrderRow, trade: BrokerTrade, more_paise: int) -> None:
        """Write a fill of no shares that corrects the charges of a booked one."""
        fill_id = self._id("fill")
        self._fills.append(
            {
                "id": fill_id,
                "client_id": order["client_id"],
                "order_id": order["id"],
                "exchange": trade.exchange,
                "trading_date": trade.trading_date,
                "trade_id": f"{trade.trade_id}:charges:{fill_id}",
                "broker_order_id": trade.broker_order_id,
                "quantity": 0,
                "price_paise": 0,
                "charges_paise": more_paise,
                "traded_at": trade.traded_at,
                "booked_at": self.unit.now,
            }
        )

    def release(self, order: OrderRow, evidence: str, ended: bool = False) -> int:
        """Free what an order's open rest no longer needs, all of it once it has `ended`.

        Gives the money freed. `evidence` is the proof.
        """
        client_id = order["client_id"]
        ended = ended or OrderState(order["state"]) in TERMINAL_STATES
        money, loan, shares = (0, 0, 0) if ended else open_need(order)
        freed = order["blocked_paise"] - money
        if freed > 0:
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
            key = (client_id, order["security"], order["product"])
            self._shares[key] += order["blocked_shares"] - shares
            order["blocked_shares"] = shares
        self._changed.add(order["id"])
        return max(0, freed)

    def block_again(self, order: OrderRow) -> None:
        """Block what the open rest of an order lacks, as far as the client's money and shares go.

        For an order that came back after its end, and for one that grew at the broker without our asking.
        """
        money, loan, shares = open_need(order)
        self._changed.add(order["id"])
        if loan > order["mtf_reserved_paise"]:
            self._loans[order["client_id"]] -= loan - order["mtf_reserved_paise"]
            order["mtf_reserved_paise"] = loan
        if shares > order["blocked_shares"]:
            key = (order["client_id"], order["security"], order["product"])
            more = min(shares - order["blocked_shares"], self._sellable(key))
            self._shares[key] -= more
            order["blocked_shares"] += more
        purse = self.purses[order["client_id"]]
        amount = min(money - order["blocked_paise"], purse.available)
        if amount <= 0:
            return
        purse.available -= amount
        order["blocked_paise"] += amount
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
        post(unit, self.transfers)
        free_memo(unit, self._loans, self._shares)
        unit.insert(Fill, self._fills)
        unit.insert(Lot, self._opened)
        unit.insert(ClosedLot, self.sold)
        opened = {lot["id"] for lot in self._opened}
        self._write_lots([lot for lot_id, lot in self.changed_lots.items() if lot_id not in opened])
        self._write_orders()

    def _write_lots(self, lots: list[dict[str, Any]]) -> None:
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
            order["updated_at"] = self.unit.now
            rows.append({"b_id": order_id} | {f"b_{name}": order[name] for name in _CHANGING})
            self.unit.touched.orders.add(order_id)
            self.unit.touched.clients.add(order["client_id"])
            self.unit.touched.runs.add(order["run_number"])
        self.unit.connection.execute(_UPDATE_ORDER, rows)


def lot_order(lot: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order in which shares of one day and bucket are sold: as they were bought."""
    if lot["traded_at"] is None:
        return (0, lot["id"])
    return (1, *trade_order(lot["traded_at"], lot["trade_id"]))


def bought_after(lot: Mapping[str, Any], at: tuple[datetime, int, str]) -> bool:
    """Whether a lot of the day was bought after a trade."""
    if lot["bucket"] != Bucket.TODAY.value or lot["traded_at"] is None:
        return False
    return trade_order(lot["traded_at"], lot["trade_id"]) > at


@dataclass(slots=True)
class _Piece:
    """The part of a lot that one fill sold."""

    lot: dict[str, Any]
    quantity: int
    cost: int
    loan: int
    charges: int
    bucket: Bucket
