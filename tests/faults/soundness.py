"""What holds of the desk's books after each step, and that they are the broker's once all is heard.

The checks count again what the engine has booked, from the facts that it was given; the numbers of the
invariants are those of the machine of orders and money.
"""

from contextlib import ExitStack
from datetime import date
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import func, select

from brokers.contract import (
    BrokerFunds,
    BrokerHolding,
    BrokerRows,
    BrokerStatus,
    BrokerTrade,
    NotSent,
    OrderChange,
    Refused,
)
from data.money import own_share
from data.reference.rates import estimate
from data.tables.books import Funds, Hold, HoldingRecord, Posting, Txn
from data.tables.columns import table
from data.tables.lots import ClosedLotRecord, LotRecord
from data.tables.orders import FillRecord, Order, RequestRecord
from data.vocabulary import (
    LIVE_STATES,
    OPEN_REQUESTS,
    TERMINAL_STATES,
    Account,
    OrderState,
    Policy,
    Product,
    RequestKind,
    Side,
    TransferKind,
)
from engine.booking.apply import apply_facts
from engine.booking.facts import Fact, ProvenAbsent, Seen, SendEnded
from engine.reconciliation.differences import Compared, Theirs, compare
from tests.bookkeeping import STOCKS, ledger
from tests.faults.model import Broker, Slip, cash, charges

STOCK = STOCKS["RELIANCE"]
PRICE = 1000_00
NOTED_WITHIN = 2_00
"""Paise that a note's two taxes, each in whole rupees, may be off those of the fills."""
CLIENTS = (1, 2)
MORE_THAN_RESERVED = {"PRICE_BREACH", "OVERFILL", "LATE_FILL", "DUPLICATE_TAG"}
"""Flags of an order whose trades may have eaten what its rest had blocked."""
UNASKED = {"CHANGED_OUTSIDE", "RESURRECTED", "ANOMALY"}
"""Flags of an order that needs more than was asked for: it gets what the client's money still gives."""


class Soundness(RuleBasedStateMachine):
    """The desk's books, a broker that holds the truth, and the facts on their way between them."""

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.books = self._open.enter_context(ledger(0))
        self.broker = Broker(self.books.clock, STOCK, self.books.day)
        self.mail: list[Fact] = []
        self.calls: dict[int, Slip | None] = {}
        """Sends that have left and not been answered, with what the broker made of them."""
        self.late: list[int] = []
        self.changes_on_their_way: list[tuple[Slip, OrderChange]] = []
        self.heard: dict[int, dict[str, BrokerTrade]] = {}
        self.told_end: set[int] = set()
        self.given_up: set[int] = set()
        self.most_in_doubt = 0
        self.changes: list[tuple[int, int]] = []
        """Each modify that was asked for, by order and number."""

    def close(self) -> None:
        """Give the books back."""
        self._open.close()

    def orders(self, *states: OrderState) -> list[dict[str, Any]]:
        rows = self.books.rows(Order)
        return [row for row in rows if OrderState(row["state"]) in states] if states else rows

    def unknown(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.UNKNOWN)]

    def _slip(self, name: str) -> Slip:
        return next(slip for slip in self.broker.slips if slip.word.broker_order_id == name)

    def _slip_of(self, order: int) -> Slip | None:
        name = self.books.row(order)["broker_order_id"]
        return next((slip for slip in self.broker.slips if slip.word.broker_order_id == name), None)

    # --- booking ---

    def take(self, *facts: Fact, crash: bool = False) -> None:
        """Book a batch; after a crash before its commit again, and then once more as a repeat."""
        books = self.books
        books.clock.shift(1)
        before = {row["id"]: row for row in self.orders()}
        standing = books.standing() if crash else None
        books.connection.exec_driver_sql("SAVEPOINT batch")
        apply_facts(books.unit(), facts, "tester", books.credit_bps)
        after = books.standing()
        if crash:
            books.connection.exec_driver_sql("ROLLBACK TO batch")
            assert books.standing() == standing
            apply_facts(books.unit(), facts, "tester", books.credit_bps)
            assert books.standing() == after
        for fact in facts:
            self._note(fact)
        self._check_blocked_again(before)
        books.clock.shift(1)
        books.book(facts[-1])
        assert books.standing() == after, "the same fact twice is not the same as once"

    def _note(self, fact: Fact) -> None:
        """Keep what the desk has been told, for comparison."""
        if isinstance(fact, Seen):
            order_id = next(
                s.order_id for s in self.broker.slips if s.word.broker_order_id == fact.order.broker_order_id
            )
            known = self.heard.setdefault(order_id, {})
            for trade in fact.trades:
                known.setdefault(trade.trade_id, trade)
            if fact.order.status is not BrokerStatus.OPEN:
                self.told_end.add(order_id)
        elif isinstance(fact, ProvenAbsent) or (
            isinstance(fact, SendEnded) and isinstance(fact.outcome, Refused | NotSent)
        ):
            self.told_end.add(fact.order_id)

    # --- after each step ---

    @invariant()
    def books_are_sound(self) -> None:
        """I1, I2, I4: transfers sum to zero, balances follow from postings, blocks from orders."""
        assert self.books.faults() == []
        orders = self.orders()
        self._nothing_is_negative(orders)
        self._live_orders_are_covered(orders)
        self._ends_have_reasons(orders)
        self._trades_are_booked_once(orders)
        self._worth_is_explained(orders)

    def _nothing_is_negative(self, orders: list[dict[str, Any]]) -> None:
        """I3, and I10: no more shares are blocked than held, unless a sale took more than it was given."""
        for row in self.books.rows(Funds):
            assert min(row.values()) >= 0, row
        odd = {
            (row["client_id"], row["product"])
            for row in orders
            if row["side"] == Side.SELL.value and set(row["flags"].split()) & MORE_THAN_RESERVED
        }
        for row in self.books.rows(HoldingRecord):
            held = [row[name] for name in ("today", "t1", "free", "pledged", "blocked")]
            assert min(held) >= 0, row
            assert row["blocked"] <= sum(held[:-1]) or (row["client_id"], row["product"]) in odd, row

    def _live_orders_are_covered(self, orders: list[dict[str, Any]]) -> None:
        """I5, I23: what is open of an order is blocked, in the larger of both forms while one is asked."""
        requests = {
            row["order_id"]
            for row in self.books.rows(RequestRecord)
            if row["kind"] == RequestKind.MODIFY.value and row["state"] in OPEN_REQUESTS
        }
        for order in (one for one in orders if one["state"] in LIVE_STATES):
            assert (order["asked_quantity"] is not None) == (order["id"] in requests), order
            if not set(order["flags"].split()) & (MORE_THAN_RESERVED | UNASKED):
                has = (order["blocked_paise"], order["mtf_reserved_paise"], order["blocked_shares"])
                for there, wanted in zip(has, _need(order), strict=True):
                    assert there >= wanted, order
        self.most_in_doubt = max(
            self.most_in_doubt, sum(one["state"] == OrderState.UNKNOWN.value for one in orders)
        )

    def _ends_have_reasons(self, orders: list[dict[str, Any]]) -> None:
        """I11, I12: an order ends by somebody's word or its own fills; money is freed with proof alone."""
        for order in (one for one in orders if one["state"] in TERMINAL_STATES):
            if order["state"] == OrderState.FILLED.value:
                assert order["filled_quantity"] >= order["quantity"], order
            else:
                assert order["id"] in self.told_end, order
        for order in orders:
            assert order["reason_code"] != "in_doubt" or order["state"] == OrderState.UNKNOWN.value, order
            more = order["filled_quantity"] > max(order["quantity"], order["asked_quantity"] or 0)
            assert not more or "OVERFILL" in order["flags"], order
        txns, postings = table(Txn), table(Posting)
        for kind, evidence in self.books.connection.execute(
            select(txns.c.kind, txns.c.evidence)
            .join(postings, postings.c.txn_id == txns.c.id)
            .where(
                postings.c.account == Account.BLOCKED.value,
                postings.c.order_id.is_not(None),
                postings.c.amount_paise < 0,
            )
            .distinct()
        ):
            assert kind in ("fill", "release", "rebook"), kind
            assert evidence

    def _trades_are_booked_once(self, orders: list[dict[str, Any]]) -> None:
        """I8, I17: orders and holdings are the sum of what was heard; what was lent and paid is the cost."""
        lots = self.books.rows(LotRecord)
        lent: dict[int, int] = {}
        for row in self.books.rows(FillRecord):
            loans = [lot["loan_paise"] for lot in lots if lot["fill_id"] == row["id"]]
            lent[row["order_id"]] = lent.get(row["order_id"], 0) + sum(loans)
        for order in orders:
            trades = self.heard.get(order["id"], {}).values()
            assert order["filled_quantity"] == sum(trade.quantity for trade in trades), order
            worth = sum(trade.quantity * trade.price_paise for trade in trades)
            assert order["filled_notional_paise"] == worth, order
            if order["side"] == Side.BUY.value:
                assert order["own_paise"] == own_share(worth, order["margin_bps"]), order
                assert lent.get(order["id"], 0) == worth - order["own_paise"], order
        for lot in lots:
            assert 0 <= lot["loan_left_paise"] <= lot["loan_paise"], lot

    def _worth_is_explained(self, orders: list[dict[str, Any]]) -> None:
        """I18: each client has what came in, what its trades gave and took, less their charges.

        A contract note has a day's taxes in whole rupees, so that it may be off what was booked at the fills.
        """
        noted = self._noted()
        fees: set[tuple[int, Any]] = set()
        for client in CLIENTS:
            if client not in self.broker.paid_in:
                continue
            expected = self.broker.paid_in[client]
            for order in orders:
                if order["client_id"] != client:
                    continue
                trades = list(self.heard.get(order["id"], {}).values())
                expected += cash(trades) - charges(trades, order["trading_date"], order["demat_sale"])
                if order["demat_sale"]:
                    assert (client, order["trading_date"]) not in fees
                    fees.add((client, order["trading_date"]))
            assert all(abs(paise) <= NOTED_WITHIN for paise in noted.get(client, {}).values()), noted
            assert self._net(client) == expected - sum(noted.get(client, {}).values())

    def _noted(self) -> dict[int, dict[date, int]]:
        """By how much notes charged more than the fills, in paise, by client and day."""
        lines = {
            row["txn_id"]: row for row in self.books.rows(Posting) if row["account"] == Account.CHARGES.value
        }
        found: dict[int, dict[date, int]] = {}
        for row in self.books.rows(Txn):
            if row["kind"] == TransferKind.RERATE.value and row["id"] in lines:
                of_client = found.setdefault(row["client_id"], {})
                of_client[row["trading_date"]] = lines[row["id"]]["amount_paise"]
        return found

    def _net(self, client: int) -> int:
        money = self.books.money(client)
        has = money["available"] + money["blocked"] + money["unsettled"]
        owes = money["shortfall"] + money["charges_due"] + money["mtf_loan"]
        return has - owes - self._lent_within_the_day(client)

    def _lent_within_the_day(self, client: int) -> int:
        """What the broker pays of shares that are bought within the day, in paise."""
        intraday = {"client_id": client, "product": Product.MIS.value}
        lots = [lot for lot in self.books.lots() if intraday.items() <= lot.items()]
        return sum(lot["loan_left_paise"] for lot in lots)

    def _check_blocked_again(self, before: dict[int, dict[str, Any]]) -> None:
        """What grew or came back without our asking has blocked what it lacks, as far as the money goes."""
        for order in self.orders(OrderState.OPEN):
            was, flags = before[order["id"]], set(order["flags"].split())
            terms = ("quantity", "limit_paise")
            changed = any(was[name] != order[name] for name in terms) or was["state"] != order["state"]
            if not changed or not flags & UNASKED or flags & MORE_THAN_RESERVED:
                continue
            money, loan, shares = _need(order)
            assert order["mtf_reserved_paise"] >= loan
            if order["side"] == Side.BUY.value and order["blocked_paise"] < money:
                assert self.books.money(order["client_id"])["available"] == 0, order
            if order["side"] == Side.SELL.value and order["blocked_shares"] < shares:
                assert self._unblocked(order) <= 0, order

    def _unblocked(self, order: dict[str, Any]) -> int:
        for row in self.books.rows(HoldingRecord):
            if (row["client_id"], row["product"]) == (order["client_id"], order["product"]):
                return row["today"] + row["t1"] + row["free"] + row["pledged"] - row["blocked"]
        return 0

    # --- against the broker ---

    def _compare(self, client: int, adopt: str = "") -> Compared:
        money = self.books.money(client)
        liquid = self._truth(client) - money["unsettled"] + money["shortfall"] + money["charges_due"]
        now = self.books.clock.now()
        lent = money["mtf_loan"] + self._lent_within_the_day(client)
        funds = BrokerFunds(liquid + lent, 0, money["mtf_limit"], money["mtf_loan"], now)
        holdings = [
            BrokerHolding(
                STOCK.exchange, STOCK.tradingsymbol, "", product, quantity, 0, 0, 0, 0, quantity * PRICE
            )
            for (owner, product), quantity in self.broker.shares.items()
            if owner == client and quantity
        ]
        books, theirs = self.books, Theirs(funds, BrokerRows(tuple(holdings)), now, bracketed=True)
        index = books.market_data.index
        found = compare(
            books.unit(), {client: theirs}, books.projection, books.timing, books.engine, index, adopt
        )
        return found[client]

    def _truth(self, client: int) -> int:
        """All that a client's account is worth beside its shares, as the bank counts it, in paise."""
        total = self.broker.paid_in[client]
        for row in self.orders():
            if row["client_id"] == client:
                trades = [t for slip in self.broker.of_order(row["id"]) for t in slip.trades]
                total += cash(trades) - charges(trades, row["trading_date"], row["demat_sale"])
        return total - sum(self._noted().get(client, {}).values())  # the broker takes what its note says

    def _oversold(self, client: int) -> int:
        """Shares that sales took beyond what our books held."""
        fills, closed = table(FillRecord), table(ClosedLotRecord)
        orders = {row["id"] for row in self.orders() if row["side"] == Side.SELL.value}
        run = self.books.connection.execute
        sold = run(
            select(func.coalesce(func.sum(fills.c.quantity), 0)).where(
                fills.c.client_id == client, fills.c.order_id.in_(orders)
            )
        ).scalar_one()
        taken = run(
            select(func.coalesce(func.sum(closed.c.quantity), 0)).where(closed.c.client_id == client)
        ).scalar_one()
        return int(sold) - int(taken)

    def _compare_everything(self) -> None:
        """At rest the desk's orders, shares and money are the broker's."""
        for order in self.orders():
            slips = self.broker.of_order(order["id"])
            assert order["state"] in TERMINAL_STATES, order
            assert order["filled_quantity"] == sum(slip.word.filled_quantity for slip in slips), order
            mine = self._slip_of(order["id"])
            assert (mine is not None) == bool(slips), order
            if mine is not None:
                is_full = order["filled_quantity"] >= order["quantity"]
                status = {BrokerStatus.COMPLETE: "filled"}.get(mine.word.status, mine.word.status.value)
                assert order["state"] == status.upper() or (is_full and order["state"] == "FILLED"), order
                if order["id"] in self.given_up:
                    assert "RESURRECTED" in order["flags"], order
        for client in CLIENTS:
            money = self.books.money(client)
            holds = sum(row["amount_paise"] for row in self.books.rows(Hold) if row["client_id"] == client)
            assert (money["blocked"], money["mtf_reserved"]) == (holds, 0)
            assert self._net(client) == self._truth(client)
            beyond = 0
            for product in Product:
                row = self._holding(client, product)
                beyond += sum(row[:-1]) - self.broker.shares[client, product]
                assert row[-1] == 0
            assert beyond == self._oversold(client)
            self.books.clock.shift(60)
            found = self._compare(client, adopt="the dealer says so" if beyond else "")
            assert (found.differences == ()) == (beyond == 0)
            self.books.clock.shift(60)
            assert self._compare(client).differences == ()

    def _holding(self, client: int, product: Product) -> list[int]:
        for row in self.books.rows(HoldingRecord):
            if (row["client_id"], row["product"]) == (client, product.value):
                return [row[name] for name in ("today", "t1", "free", "pledged", "blocked")]
        return [0]


def _need(order: dict[str, Any]) -> tuple[int, int, int]:
    """Money, room for a loan, and shares that the open rest of an order needs, reckoned here anew."""
    forms = [(order["quantity"], order["reserve_price_paise"])]
    if order["asked_quantity"] is not None:
        forms.append((order["asked_quantity"], order["asked_reserve_paise"]))
    money = loan = shares = 0
    for quantity, price in forms:
        rest = max(0, quantity - order["filled_quantity"])
        if order["side"] == Side.SELL.value:
            shares = max(shares, rest)
        elif rest:
            total = order["filled_notional_paise"] + rest * price
            own = own_share(total, order["margin_bps"]) - order["own_paise"]
            fees = 0
            if order["policy"] == Policy.WORST.value:
                product = Product(order["product"])
                later = estimate(order["trading_date"], "zerodha", "NSE", product, Side.BUY, total)
                fees = later.total_paise - order["charges_paise"] + 2
            lent = 0 if order["product"] == Product.MIS.value else rest * price - own
            money, loan = max(money, own + fees), max(loan, lent)
    return money, loan, shares
