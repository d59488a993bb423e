"""Any sequence of what a broker and a desk can do leaves sound books, which in the end are the broker's.

A rule machine drives the engine's own functions on one connection against a model of the broker. Facts wait
in a queue, from which they are heard late, twice, in another order, or never.
`TRADEDESK_HYPOTHESIS=long` runs many more examples and keeps what fails in `examples/`.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings, target
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.stateful import initialize, precondition, rule

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerStatus,
    NotSent,
    OrderChange,
    Outcome,
    Refused,
)
from data.errors import BadInput
from data.records import replace
from data.tables.books import Funds
from data.tables.columns import table
from data.tables.orders import RequestRecord
from data.vocabulary import (
    LIVE_STATES,
    OrderState,
    OrderType,
    Policy,
    Product,
    RequestKind,
    RequestState,
    Side,
)
from engine.booking.facts import (
    CancelEnded,
    ChangeAbsent,
    ChangeEnded,
    Fact,
    InDoubt,
    ProvenAbsent,
    Seen,
    SendEnded,
)
from engine.booking.overdue import end_of_day
from engine.execution.changes.modifies import ask_change
from engine.execution.changes.terms import ModifyWish
from engine.refusals import Refusal
from tests.faults.broker_rules import AMOUNTS, CHANGES, PRICES, RARELY, BrokerRules, exist, some
from tests.faults.model import Slip
from tests.faults.soundness import CLIENTS, PRICE

pytestmark = pytest.mark.proof


LONG = os.environ.get("TRADEDESK_HYPOTHESIS") == "long"
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
SETTINGS = (
    settings(
        max_examples=2_000,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=SLOW,
        print_blob=True,
        database=DirectoryBasedExampleDatabase(Path(__file__).parent / "examples"),
    )
    if LONG
    else settings(
        max_examples=30,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=SLOW,
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


class DeskAndBroker(BrokerRules):
    """The desk's books, a broker that holds the truth, and the facts on their way between them."""

    def teardown(self) -> None:
        """Let the broker come to rest, hear all of it, and compare."""
        try:
            target(float(self.most_in_doubt), label="orders in doubt")
            if self.broker.paid_in and sys.exc_info()[0] is None:  # else a rule has failed already
                self.come_to_rest()
                self._compare_everything()
        finally:
            self.close()

    # --- what there is ---

    def reserved(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.RESERVED)]

    def unanswered(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.SENDING) if row["id"] not in self.calls]

    def open(self) -> list[int]:
        return [row["id"] for row in self.orders(OrderState.OPEN)]

    def live(self) -> list[int]:
        return [row["id"] for row in self.orders(*LIVE_STATES)]

    def late_orders(self) -> list[int]:
        return self.late

    def late_changes(self) -> list[tuple[Slip, OrderChange]]:
        return self.changes_on_their_way

    def asked_changes(self) -> list[tuple[int, int]]:
        return self.changes

    def letters(self) -> list[Fact]:
        return self.mail

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
        self.told_end |= set(self._end_of_day())
        assert self._end_of_day() == self.unknown()

    def _end_of_day(self):
        books = self.books
        return end_of_day(books.unit(), books.day, None, books.timing.calendar, "tester")

    def _answer_calls(self) -> None:
        for order_id in self.unanswered():
            self.send(order_id, "never arrived")
        calls = [fact for fact in self.mail if not isinstance(fact, Seen)]
        self.mail = [fact for fact in self.mail if isinstance(fact, Seen)]
        self.calls.clear()
        for fact in calls:
            self.take(fact)

    # --- sending ---

    @rule(
        side=st.sampled_from([Side.BUY, Side.BUY, Side.SELL]),
        product=st.sampled_from([Product.CNC, Product.CNC, Product.MTF, Product.MIS]),
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
                self.take(self.mail.pop())
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
            number = ask_change(
                books.unit(),
                order,
                ModifyWish(change, "test"),
                books.projection,
                books.engine,
                books.market_data.index,
            )
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
        self.take(ChangeAbsent(*which, "three reads"))

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
        self.take(*batch, crash=crash)
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
            self.take(*facts)

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
            wrong = replace(mine[0], price_paise=mine[0].price_paise + 5)
            self.take(self._seen(slip, (wrong,)))
            assert "ANOMALY" in self.books.flags(slip.order_id)

    @exist("unknown")
    @rule(order=some("unknown"))
    def prove_absent(self, order: int) -> None:
        """Give an order up; where the broker has it, or will, that is wrong and must show later."""
        self.given_up.add(order)
        self.take(ProvenAbsent(order, "three reads"))

    @exist("unknown")
    @rule(order=some("unknown"))
    def hand_to_the_trader(self, order: int) -> None:
        self.take(InDoubt(order, "no reading settles it"))
        assert "NEEDS_HUMAN" in self.books.flags(order)

    @rule()
    def die(self) -> None:
        """The process dies with all it has not committed; the next one takes its calls for ambiguous."""
        self.mail.clear()
        self.calls.clear()
        asked = [
            (row["order_id"], row["number"])
            for row in self.books.rows(RequestRecord)
            if row["kind"] == RequestKind.MODIFY.value and row["state"] == RequestState.REQUESTED.value
        ]
        facts: list[Fact] = [
            *(SendEnded(row["id"], Ambiguous("died")) for row in self.orders(OrderState.SENDING)),
            *(ChangeEnded(*which, Ambiguous("died")) for which in asked),
        ]
        if facts:
            self.take(*facts)

    @rule(client=st.sampled_from(CLIENTS))
    def reconcile(self, client: int) -> None:
        """Once its books are read, a client's figures agree with the broker's."""
        if facts := self._read(client):
            self.take(*facts)
        self.books.clock.shift(60)
        found = self._compare(client)
        assert found.differences in (None, ()) or self._oversold(client), found

    # --- the end ---

    def come_to_rest(self) -> None:
        """Everything that is on its way arrives, the broker ends every order, and each book is read."""
        self._answer_calls()
        for slip in self.broker.slips:
            if slip.live:
                self.broker.end(slip, BrokerStatus.CANCELLED)
        for _ in range(2):
            self.books.clock.shift(60)
            for client in CLIENTS:
                if facts := self._read(client):
                    self.take(*facts)
        for order_id in self.unknown():
            self.take(ProvenAbsent(order_id, "the trader has asked the dealer"))
        for order_id in self.reserved():
            self.books.cancel(order_id)


def _call_outcome(how: str) -> Outcome:
    if "no answer" in how:
        return Ambiguous("no answer")
    if "refused" in how:
        return Refused("busy", "it is being processed")
    return NotSent("429") if how == "not sent" else Accepted("")


TestDeskAndBroker = DeskAndBroker.TestCase
TestDeskAndBroker.settings = SETTINGS
