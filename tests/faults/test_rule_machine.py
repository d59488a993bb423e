"""Any sequence of what a broker and a desk can do leaves sound books, which in the end are the broker's.

A rule machine drives the engine's own functions on one connection against a model of the broker. Facts wait
in a queue, from which they are heard late, twice, in another order, or never.
`TRADEDESK_HYPOTHESIS=long` runs many more examples and keeps what fails in `examples/`.
"""

import dataclasses
import os
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings, target
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import func, select

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerFunds,
    BrokerHolding,
    BrokerStatus,
    BrokerTrade,
    NotSent,
    OrderChange,
    Outcome,
    Refused,
)
from data.money import BadInput, own_share
from data.rates import estimate
from data.tables import ClosedLot, Fill, Funds, Hold, Holding, Lot, Order, Posting, Request, Txn, table
from data.vocabulary import (
    LIVE_STATES,
    TERMINAL_STATES,
    Account,
    OrderState,
    OrderType,
    Policy,
    Product,
    RequestKind,
    RequestState,
    Side,
)
from engine.accounts.differences import Compared, Theirs, compare
from engine.orders.changes import ask_change
from engine.orders.facts import (
    CancelEnded,
    ChangeAbsent,
    ChangeEnded,
    Fact,
    InDoubt,
    ProvenAbsent,
    Seen,
    SendEnded,
)
from engine.orders.lifecycle import apply_facts, end_of_day
from engine.orders.refusals import Refusal
from engine.orders.requests import OPEN_REQUESTS
from tests.bookkeeping import STOCKS, ledger
from tests.faults.model import Broker, Slip, cash, charges

STOCK = STOCKS["RELIANCE"]
PRICE = 1000_00
CLIENTS = (1, 2)
LONG = os.environ.get("TRADEDESK_HYPOTHESIS") == "long"
EVERYTHING = list(HealthCheck)
SETTINGS = (
    settings(
        max_examples=2_000,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=EVERYTHING,
        print_blob=True,
        database=DirectoryBasedExampleDatabase(Path(__file__).parent / "examples"),
    )
    if LONG
    else settings(
        max_examples=40,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=EVERYTHING,
    )
)

SENDS = ("taken", "lost answer", "refused", "not sent", "never arrived", "late")
LIES = ("refused, yet taken", "not sent, yet taken")
CALLS = (
    "done",
    "done, no answer",
    "done, refused",
    "refused",
    "not sent",
    "no answer",
    "accepted, never done",
)
ENDS = (BrokerStatus.CANCELLED, BrokerStatus.REJECTED, BrokerStatus.EXPIRED)
MORE_THAN_RESERVED = {"PRICE_BREACH", "OVERFILL", "LATE_FILL", "DUPLICATE_TAG"}
"""Flags of an order whose trades may have eaten what its rest had blocked."""
UNASKED = {"CHANGED_OUTSIDE", "RESURRECTED", "ANOMALY"}
"""Flags of an order that needs more than was asked for: it gets what the client's money still gives."""


def some(what: str) -> Any:
    """One of what the machine names now, such as its live orders: a bundle that things also leave."""
    return st.runner().flatmap(lambda machine: st.sampled_from(getattr(machine, what)()))


def exist(what: str) -> Any:
    """Only while there is one."""
    return precondition(lambda machine: bool(getattr(machine, what)()))


RARELY = st.integers(0, 7).map(lambda number: number == 7)
AMOUNTS = st.integers(1, 30)
PRICES = st.sampled_from([PRICE, PRICE - 50_00, PRICE + 50_00, 33_35])
CHANGES = (
    st.builds(OrderChange, AMOUNTS)
    | st.builds(OrderChange, st.none(), PRICES)
    | st.builds(OrderChange, AMOUNTS, PRICES)
)


class DeskAndBroker(RuleBasedStateMachine):
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

    def teardown(self) -> None:
        """Let the broker come to rest, hear all of it, and compare."""
        try:
            target(float(self.most_in_doubt), label="orders in doubt")
            if self.broker.paid_in and sys.exc_info()[0] is None:  # else a rule has failed already
                self._come_to_rest()
                self._compare_everything()
        finally:
            self._open.close()

    # --- what there is ---

    def orders(self, *states: OrderState) -> list[dict[str, Any]]:
        rows = self.books.rows(Order)
        return [row for row in rows if OrderState(row["state"]) in states] if states else rows

    def reserved(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.RESERVED)]

    def unanswered(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.SENDING) if row["id"] not in self.calls]

    def unknown(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.UNKNOWN)]

    def open(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.OPEN)]

    def live(self) -> list[int]:
        return [row["id"] for row in self.orders(*LIVE_STATES)]

    def live_slips(self) -> list[Slip]:
        return [slip for slip in self.broker.slips if slip.live]

    def slips(self) -> list[Slip]:
        return self.broker.slips

    def ended_slips(self) -> list[Slip]:
        today = [slip for slip in self.broker.slips if slip.day == self.broker.day]
        return [slip for slip in today if slip.word.status in ENDS]

    def late_orders(self) -> list[int]:
        return self.late

    def late_changes(self) -> list[tuple[Slip, OrderChange]]:
        return self.changes_on_their_way

    def asked_changes(self) -> list[tuple[int, int]]:
        return self.changes

    def letters(self) -> list[Fact]:
        return self.mail

    # --- booking ---

    def _book(self, *facts: Fact, crash: bool = False) -> None:
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
        for row in self.books.rows(Holding):
            if (row["client_id"], row["product"]) == (order["client_id"], order["product"]):
                return row["today"] + row["t1"] + row["free"] + row["pledged"] - row["blocked"]
        return 0

    def _seen(self, slip: Slip, trades: tuple[BrokerTrade, ...] = ()) -> Seen:
        return Seen(slip.client_id, slip.word, trades)

    # --- money and days ---

    @initialize(
        rupees=st.sampled_from([30_000, 1_00_000, 50_00_000]),
        mtf=st.sampled_from([0, 20_000, 10_00_000]),
        held=st.integers(0, 40),
    )
    def open_accounts(self, rupees: int, mtf: int, held: int) -> None:
        """Clients with money and, as the day's opening adopts them, with shares."""
        for client_id in CLIENTS:
            if client_id == 1:
                self.books.pay_in(rupees * 100)
                self.books.connection.execute(table(Funds).update().values(mtf_limit_paise=mtf * 100))
            else:
                self.books.open_client(rupees * 100, mtf * 100, client_id)
            self.broker.paid_in[client_id] = rupees * 100
            self.broker.shares[client_id, Product.CNC] = held
            assert self._compare(client_id).adopted
        amounts = dict.fromkeys(CLIENTS, 10)
        self.release(Side.BUY, Product.CNC, amounts, PRICE, OrderType.LIMIT, Policy.WORST, False, True)

    @rule(client=st.sampled_from(CLIENTS), rupees=st.integers(1, 20_000))
    def pay_in(self, client: int, rupees: int) -> None:
        self.books.pay_in(rupees * 100, client)
        self.broker.paid_in[client] += rupees * 100

    @rule(client=st.sampled_from(CLIENTS), rupees=st.integers(1, 20_000))
    def hold(self, client: int, rupees: int) -> None:
        if self.books.money(client)["available"] >= rupees * 100:
            self.books.hold(rupees * 100, client)

    @precondition(lambda self: (self.books.day.month, self.books.day.day) < (12, 20))
    @rule()
    def next_day(self) -> None:
        """The day ends at the broker; ours ends what nobody told the end of. No call outlives its night."""
        self._answer_calls()
        self.late.clear()
        self.changes_on_their_way.clear()
        self.books.clock.shift(18 * 3600)
        self.books.next_day()
        self.broker.next_day(self.books.day)
        ended = end_of_day(self.books.unit(), self.books.day, "tester")
        self.told_end |= set(ended)
        assert end_of_day(self.books.unit(), self.books.day, "tester") == self.unknown()

    def _answer_calls(self) -> None:
        for order_id in self.unanswered():
            self.send(order_id, "never arrived")
        calls = [fact for fact in self.mail if not isinstance(fact, Seen)]
        self.mail = [fact for fact in self.mail if isinstance(fact, Seen)]
        self.calls.clear()
        for fact in calls:
            self._book(fact)

    # --- sending ---

    @rule(
        side=st.sampled_from([Side.BUY, Side.BUY, Side.SELL]),
        product=st.sampled_from([Product.CNC, Product.CNC, Product.MTF]),
        quantities=st.dictionaries(st.sampled_from(CLIENTS), AMOUNTS, min_size=1),
        price=PRICES,
        order_type=st.sampled_from([OrderType.LIMIT, OrderType.MARKET]),
        policy=st.sampled_from(Policy),
        crash=RARELY,
        at_once=st.booleans(),
    )
    def release(
        self,
        side: Side,
        product: Product,
        quantities: dict[int, int],
        price: int,
        order_type: OrderType,
        policy: Policy,
        crash: bool,
        at_once: bool,
    ) -> None:
        """Reserve a batch, and in half of the cases claim it, send it and have it accepted at once."""
        terms = (side, quantities, price, product, policy, "RELIANCE", order_type)
        standing = self.books.standing()
        self.books.connection.exec_driver_sql("SAVEPOINT batch")
        made = self.books.release(*terms)
        if crash:
            self.books.connection.exec_driver_sql("ROLLBACK TO batch")
            assert self.books.standing() == standing
            made = self.books.release(*terms)
        for order_id in made.values():
            row = self.books.row(order_id)
            if row["state"] == OrderState.DENIED.value:
                self.told_end.add(order_id)
                assert row["blocked_paise"] == row["blocked_shares"] == row["mtf_reserved_paise"] == 0
            elif at_once:
                self.books.claim(order_id)
                self.send(order_id, "taken")
                self._book(self.mail.pop())
                del self.calls[order_id]

    @exist("reserved")
    @rule(order=some("reserved"))
    def claim(self, order: int) -> None:
        # A call ends once. A batch whose commit could not be read back is booked again, but before this.
        self.mail = [f for f in self.mail if not (isinstance(f, SendEnded) and f.order_id == order)]
        if self.books.row(order)["trading_date"] == self.books.day:
            self.books.claim(order)

    @exist("unanswered")
    @rule(order=some("unanswered"), how=st.sampled_from(SENDS + LIES))
    def send(self, order: int, how: str) -> None:
        """A send leaves; its answer goes into the queue, or is lost."""
        slip = None
        if "taken" in how or how == "lost answer":
            slip = self._place(order)
        if how == "late":
            self.late.append(order)
        outcome: Outcome
        if how == "taken":
            assert slip is not None
            outcome = Accepted(slip.word.broker_order_id)
        elif how.startswith("refused"):
            outcome = Refused("margin", "no")
        elif how.startswith("not sent"):
            outcome = NotSent("429")
        else:
            outcome = Ambiguous(how)
        self.calls[order] = slip
        self.mail.append(SendEnded(order, outcome))

    def _place(self, order_id: int) -> Slip:
        row = self.books.row(order_id)
        return self.broker.place(
            order_id,
            row["client_id"],
            row["tag"],
            Side(row["side"]),
            Product(row["product"]),
            OrderType(row["order_type"]),
            row["quantity"],
            row["reserve_price_paise"],
        )

    @exist("late_orders")
    @rule(order=some("late_orders"))
    def arrive_late(self, order: int) -> None:
        self.late.remove(order)
        self.mail.append(self._seen(self._place(order)))

    # --- at the broker ---

    @exist("live_slips")
    @rule(
        slip=some("live_slips"),
        quantity=AMOUNTS,
        off_bps=st.sampled_from([0, 0, 0, -50, -300, 100]),
        over=RARELY,
        told=st.sampled_from(["all", "all", "status", "nothing"]),
        quick=RARELY,
    )
    def fill(self, slip: Slip, quantity: int, off_bps: int, over: bool, told: str, quick: bool) -> None:
        """Trade, at the limit or better; at times for more, or worse than the limit."""
        quantity = slip.rest + quantity if over else min(quantity, slip.rest)
        price = (slip.word.price_paise or PRICE) * (10_000 + off_bps) // 10_000
        trade = self.broker.fill(slip, quantity, price, quick)
        if trade is not None and told != "nothing":
            self.mail.append(self._seen(slip, (trade,) if told == "all" else ()))

    @exist("ended_slips")
    @rule(slip=some("ended_slips"), quantity=st.integers(1, 10), told=st.booleans())
    def fill_late(self, slip: Slip, quantity: int, told: bool) -> None:
        trade = self.broker.fill(slip, quantity, slip.word.price_paise or PRICE)
        if trade is not None and told:
            self.mail.append(self._seen(slip, (trade,)))

    @exist("live_slips")
    @rule(slip=some("live_slips"), how=st.sampled_from(ENDS), told=st.booleans(), quick=RARELY)
    def end(self, slip: Slip, how: BrokerStatus, told: bool, quick: bool) -> None:
        self.broker.end(slip, how, quick)
        if told:
            self.mail.append(self._seen(slip))

    @exist("ended_slips")
    @rule(slip=some("ended_slips"), stamped=st.booleans())
    def resurrect(self, slip: Slip, stamped: bool) -> None:
        self.broker.resurrect(slip, stamped)
        self.mail.append(self._seen(slip))

    @exist("live_slips")
    @rule(
        slip=some("live_slips"),
        change=CHANGES,
        told=st.booleans(),
        quick=RARELY,
    )
    def change_outside(self, slip: Slip, change: OrderChange, told: bool, quick: bool) -> None:
        if self.broker.change(slip, change.quantity, change.price_paise, quick) and told:
            self.mail.append(self._seen(slip))

    # --- changing and cancelling ---

    @exist("open")
    @rule(
        order=some("open"),
        change=CHANGES,
        how=st.sampled_from((*CALLS, "done later")),
        told=st.booleans(),
    )
    def modify(self, order: int, change: OrderChange, how: str, told: bool) -> None:
        """Ask for a change; a refusal changes nothing. The call then ends in one of its ways."""
        books = self.books
        standing = books.standing()
        books.connection.exec_driver_sql("SAVEPOINT ask")
        try:
            number = ask_change(books.unit(), order, change, "test", books.parts)
        except (BadInput, Refusal):
            books.connection.exec_driver_sql("ROLLBACK TO ask")
            assert books.standing() == standing
            return
        self.changes.append((order, number))
        slip = self._slip_of(order)
        if how.startswith("done") and slip is not None:
            if how == "done later":
                self.changes_on_their_way.append((slip, change))
            elif self.broker.change(slip, change.quantity, change.price_paise) and told:
                self.mail.append(self._seen(slip))
        self.mail.append(ChangeEnded(order, number, _call_outcome(how)))

    def _slip(self, name: str) -> Slip:
        return next(slip for slip in self.broker.slips if slip.word.broker_order_id == name)

    def _slip_of(self, order: int) -> Slip | None:
        name = self.books.row(order)["broker_order_id"]
        return next((slip for slip in self.broker.slips if slip.word.broker_order_id == name), None)

    @exist("late_changes")
    @rule(which=some("late_changes"))
    def change_late(self, which: tuple[Slip, OrderChange]) -> None:
        self.changes_on_their_way.remove(which)
        slip, change = which
        self.broker.change(slip, change.quantity, change.price_paise)

    @exist("asked_changes")
    @rule(which=some("asked_changes"))
    def say_a_change_absent(self, which: tuple[int, int]) -> None:
        """What reads prove of a modify in doubt; it may be wrong, and may come after that modify's end."""
        self._book(ChangeAbsent(*which, "three reads"))

    @exist("live")
    @rule(order=some("live"), how=st.sampled_from(CALLS), told=st.booleans())
    def cancel(self, order: int, how: str, told: bool) -> None:
        """Cancel: what was never sent is freed at once, the rest waits for the broker's word."""
        blocked = self.books.row(order)["blocked_paise"]
        asked = self.books.cancel(order)
        assert asked.ended == ()
        if order in asked.freed:
            self.told_end.add(order)
            assert asked.freed[order] == blocked
            return
        slip = self._slip_of(order)
        if slip is None:
            return  # it is sent on sight, for which the resend stands in
        if how.startswith("done") and slip.live:
            self.broker.end(slip, BrokerStatus.CANCELLED)
            if told:
                self.mail.append(self._seen(slip))
        self.mail.append(CancelEnded(order, asked.requests[order], _call_outcome(how)))

    # --- hearing ---

    @exist("letters")
    @rule(data=st.data(), count=st.integers(1, 4), crash=RARELY, again=RARELY)
    def hear(self, data: st.DataObject, count: int, crash: bool, again: bool) -> None:
        """Book some of what waits, in any order, as one batch; some of it comes again."""
        batch: list[Fact] = []
        for _ in range(min(count, len(self.mail))):
            batch.append(self.mail.pop(data.draw(st.integers(0, len(self.mail) - 1))))
        self._book(*batch, crash=crash)
        for fact in batch:
            if isinstance(fact, SendEnded):
                self.calls.pop(fact.order_id, None)
            if again:
                self.mail.append(fact)

    @exist("letters")
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """An update of the stream gets lost; the answer of a call never does, or the process dies."""
        number = data.draw(st.integers(0, len(self.mail) - 1))
        if isinstance(self.mail[number], Seen):
            del self.mail[number]

    @rule(
        client=st.sampled_from(CLIENTS),
        orders_lag=st.sampled_from([0, 0, 1, 3, 9]),
        trades_lag=st.sampled_from([0, 0, 0, 1, 9]),
    )
    def read_books(self, client: int, orders_lag: int, trades_lag: int) -> None:
        """Read a client's order book and trades; either may be some seconds behind."""
        facts = self._read(client, orders_lag, trades_lag)
        if facts:
            self._book(*facts)

    def _read(self, client: int, orders_lag: int = 0, trades_lag: int = 0) -> list[Seen]:
        now = self.books.clock.now()
        facts: list[Seen] = []
        for slip in self.broker.of(client):
            word = slip.word_at(now - timedelta(seconds=orders_lag))
            if word is not None:
                facts.append(Seen(client, word, slip.trades_at(now - timedelta(seconds=trades_lag)), now))
        return facts

    @exist("slips")
    @rule(slip=some("slips"))
    def tell_a_trade_with_other_numbers(self, slip: Slip) -> None:
        """What is booked stands, flagged; a trade that nobody has booked yet is told as it is."""
        known = list(self.heard.get(slip.order_id, {}).values())
        mine = [trade for trade in known if trade.broker_order_id == slip.word.broker_order_id]
        if mine:
            wrong = dataclasses.replace(mine[0], price_paise=mine[0].price_paise + 5)
            self._book(self._seen(slip, (wrong,)))
            assert "ANOMALY" in self.books.flags(slip.order_id)

    @exist("unknown")
    @rule(order=some("unknown"))
    def prove_absent(self, order: int) -> None:
        """Give an order up; where the broker has it, or will, that is wrong and must show later."""
        self.given_up.add(order)
        self._book(ProvenAbsent(order, "three reads"))

    @exist("unknown")
    @rule(order=some("unknown"))
    def hand_to_the_trader(self, order: int) -> None:
        self._book(InDoubt(order, "no reading settles it"))
        assert "NEEDS_HUMAN" in self.books.flags(order)

    @rule()
    def die(self) -> None:
        """The process dies with all it has not committed; the next one takes its calls for ambiguous."""
        self.mail.clear()
        self.calls.clear()
        asked = [
            (row["order_id"], row["number"])
            for row in self.books.rows(Request)
            if row["kind"] == RequestKind.MODIFY.value and row["state"] == RequestState.REQUESTED.value
        ]
        facts: list[Fact] = [
            *(SendEnded(row["id"], Ambiguous("died")) for row in self.orders(OrderState.SENDING)),
            *(ChangeEnded(*which, Ambiguous("died")) for which in asked),
        ]
        if facts:
            self._book(*facts)

    @rule(client=st.sampled_from(CLIENTS))
    def reconcile(self, client: int) -> None:
        """Once its books are read, a client's figures agree with the broker's."""
        if facts := self._read(client):
            self._book(*facts)
        self.books.clock.shift(60)
        found = self._compare(client)
        assert found.differences in (None, ()) or self._oversold(client), found

    def _compare(self, client: int, adopt: str = "") -> Compared:
        money = self.books.money(client)
        liquid = self._truth(client) - money["unsettled"] + money["shortfall"] + money["charges_due"]
        now = self.books.clock.now()
        funds = BrokerFunds(liquid + money["mtf_loan"], 0, money["mtf_limit"], money["mtf_loan"], now)
        holdings = [
            BrokerHolding(
                STOCK.exchange, STOCK.tradingsymbol, "", product, quantity, 0, 0, 0, 0, quantity * PRICE
            )
            for (owner, product), quantity in self.broker.shares.items()
            if owner == client and quantity
        ]
        return compare(self.books.unit(), client, Theirs(funds, holdings, now), self.books.parts, adopt)

    def _truth(self, client: int) -> int:
        """All that a client's account is worth beside its shares, as the bank counts it, in paise."""
        total = self.broker.paid_in[client]
        for row in self.orders():
            if row["client_id"] == client:
                trades = [t for slip in self.broker.of_order(row["id"]) for t in slip.trades]
                total += cash(trades) - charges(trades, row["trading_date"], row["demat_sale"])
        return total

    def _oversold(self, client: int) -> int:
        """Shares that sales took beyond what our books held."""
        fills, closed = table(Fill), table(ClosedLot)
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

    # --- what always holds ---

    @invariant()
    def books_are_sound(self) -> None:
        """I1, I2, I4: transfers sum to zero, balances follow from postings, blocks from orders."""
        assert self.books.faults() == []
        self._nothing_is_negative()
        self._live_orders_are_covered()
        self._ends_have_reasons()
        self._trades_are_booked_once()
        self._worth_is_explained()

    def _nothing_is_negative(self) -> None:
        """I3, and I10: no more shares are blocked than held, unless a sale took more than it was given."""
        for row in self.books.rows(Funds):
            assert min(row.values()) >= 0, row
        odd = {
            (row["client_id"], row["product"])
            for row in self.orders()
            if row["side"] == Side.SELL.value and set(row["flags"].split()) & MORE_THAN_RESERVED
        }
        for row in self.books.rows(Holding):
            held = [row[name] for name in ("today", "t1", "free", "pledged", "blocked")]
            assert min(held) >= 0, row
            assert row["blocked"] <= sum(held[:-1]) or (row["client_id"], row["product"]) in odd, row

    def _live_orders_are_covered(self) -> None:
        """I5, I23: what is open of an order is blocked, in the larger of both forms while one is asked."""
        requests = {
            row["order_id"]
            for row in self.books.rows(Request)
            if row["kind"] == RequestKind.MODIFY.value and row["state"] in OPEN_REQUESTS
        }
        for order in self.orders(*LIVE_STATES):
            assert (order["asked_quantity"] is not None) == (order["id"] in requests), order
            if not set(order["flags"].split()) & (MORE_THAN_RESERVED | UNASKED):
                has = (order["blocked_paise"], order["mtf_reserved_paise"], order["blocked_shares"])
                for there, wanted in zip(has, _need(order), strict=True):
                    assert there >= wanted, order
        self.most_in_doubt = max(self.most_in_doubt, len(self.unknown()))

    def _ends_have_reasons(self) -> None:
        """I11, I12: an order ends by somebody's word or its own fills; money is freed with proof alone."""
        for order in self.orders(*TERMINAL_STATES):
            if order["state"] == OrderState.FILLED.value:
                assert order["filled_quantity"] >= order["quantity"], order
            else:
                assert order["id"] in self.told_end, order
        for order in self.orders():
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

    def _trades_are_booked_once(self) -> None:
        """I8, I17: orders and holdings are the sum of what was heard; what was lent and paid is the cost."""
        lots = self.books.rows(Lot)
        lent: dict[int, int] = {}
        for row in self.books.rows(Fill):
            loans = [lot["loan_paise"] for lot in lots if lot["fill_id"] == row["id"]]
            lent[row["order_id"]] = lent.get(row["order_id"], 0) + sum(loans)
        for order in self.orders():
            trades = self.heard.get(order["id"], {}).values()
            assert order["filled_quantity"] == sum(trade.quantity for trade in trades), order
            worth = sum(trade.quantity * trade.price_paise for trade in trades)
            assert order["filled_notional_paise"] == worth, order
            if order["side"] == Side.BUY.value:
                assert order["own_paise"] == own_share(worth, order["margin_bps"]), order
                assert lent.get(order["id"], 0) == worth - order["own_paise"], order
        for lot in lots:
            assert 0 <= lot["loan_left_paise"] <= lot["loan_paise"], lot

    def _worth_is_explained(self) -> None:
        """I18: each client has what came in, what its trades gave and took, less their charges."""
        fees: set[tuple[int, Any]] = set()
        for client in CLIENTS:
            if client not in self.broker.paid_in:
                continue
            expected = self.broker.paid_in[client]
            for order in self.orders():
                if order["client_id"] != client:
                    continue
                trades = list(self.heard.get(order["id"], {}).values())
                expected += cash(trades) - charges(trades, order["trading_date"], order["demat_sale"])
                if order["demat_sale"]:
                    assert (client, order["trading_date"]) not in fees
                    fees.add((client, order["trading_date"]))
            assert self._net(client) == expected

    def _net(self, client: int) -> int:
        money = self.books.money(client)
        has = money["available"] + money["blocked"] + money["unsettled"]
        return has - money["shortfall"] - money["charges_due"] - money["mtf_loan"]

    # --- the end ---

    def _come_to_rest(self) -> None:
        """Everything that is on its way arrives, the broker ends every order, and each book is read."""
        self._answer_calls()
        for slip in self.broker.slips:
            if slip.live:
                self.broker.end(slip, BrokerStatus.CANCELLED)
        for _ in range(2):
            self.books.clock.shift(60)
            for client in CLIENTS:
                if facts := self._read(client):
                    self._book(*facts)
        for order_id in self.unknown():
            self._book(ProvenAbsent(order_id, "the trader has asked the dealer"))
        for order_id in self.reserved():
            self.books.cancel(order_id)

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
            for product in (Product.CNC, Product.MTF):
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
        for row in self.books.rows(Holding):
            if (row["client_id"], row["product"]) == (client, product.value):
                return [row[name] for name in ("today", "t1", "free", "pledged", "blocked")]
        return [0]


def _need(order: dict[str, Any]) -> tuple[int, int, int]:
    """Money, room for a loan, and shares that the open rest of an order needs, by the design's formula."""
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
            money, loan = max(money, own + fees), max(loan, rest * price - own)
    return money, loan, shares


def _call_outcome(how: str) -> Outcome:
    if "no answer" in how:
        return Ambiguous("no answer")
    if "refused" in how:
        return Refused("busy", "it is being processed")
    return NotSent("429") if how == "not sent" else Accepted("")


TestDeskAndBroker = DeskAndBroker.TestCase
TestDeskAndBroker.settings = SETTINGS
