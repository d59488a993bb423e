"""Plays a seed's plans and facts through the engine's own functions and hands out every row that came of it.

The rules are those of the rule machine (`tests/faults/test_rule_machine.py`), so that a seed goes through
sends, lost answers, fills in parts and late, modifies, cancels, resurrected orders and days. Only who
chooses is another: a generator of the seed instead of Hypothesis, whose choices change with its version.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from brokers.contract import OrderChange
from data.tables.audit import Audit
from data.tables.books import Funds, Hold, HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import ClosedLotRecord, LotRecord
from data.tables.orders import FillRecord, Order, RequestRecord
from data.vocabulary import OrderType, Policy, Product, Side
from engine.booking.facts import Fact, SendEnded
from tests.faults.broker_rules import ENDS
from tests.faults.soundness import CLIENTS, PRICE
from tests.faults.test_rule_machine import CALLS, LIES, SENDS, DeskAndBroker

STEPS = 120
"""Rules that one seed plays; about a third of them find nothing to act on."""

TABLES = (
    Txn,
    Posting,
    SharePosting,
    FillRecord,
    Order,
    RequestRecord,
    Funds,
    Hold,
    HoldingRecord,
    LotRecord,
    ClosedLotRecord,
    Audit,
)
"""What is compared: transfers, postings, fills, orders and their requests, what stands, and the audit."""

Rows = dict[str, list[dict[str, Any]]]


class Player:
    """One seed's desk and broker, and the generator that chooses what happens."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(f"oracle:{seed}")
        self.desk = DeskAndBroker()
        self.rules: list[tuple[int, Callable[[], None]]] = [
            (5, self._release),
            (4, self._claim),
            (6, self._send),
            (8, self._fill),
            (2, self._fill_late),
            (2, self._end),
            (1, self._resurrect),
            (1, self._change_outside),
            (2, self._arrive_late),
            (3, self._modify),
            (1, self._change_late),
            (3, self._cancel),
            (9, self._hear),
            (1, self._lose),
            (2, self._read_books),
            (1, self._prove_absent),
            (1, self._hand_to_the_trader),
            (1, self._reconcile),
            (1, self._pay_in),
            (1, self._hold),
        ]

    def play(self) -> Rows:
        """Everything that stands in the books after all steps and the rest that follows them."""
        desk, choose = self.desk, self.choose
        try:
            desk.open_accounts(
                choose.choice([30_000, 1_00_000, 50_00_000]),
                choose.choice([0, 20_000, 10_00_000]),
                choose.randint(0, 40),
            )
            weights, rules = zip(*self.rules, strict=True)
            for step in range(STEPS):
                if step and step % 50 == 0:
                    desk.next_day()
                choose.choices(rules, weights)[0]()
            desk.come_to_rest()
            return dict(_rows(desk))
        finally:
            desk.close()

    # --- each rule with the seed's choices ---

    def _some(self, among: list[Any]) -> Any:
        return self.choose.choice(among) if among else None

    def _price(self) -> int:
        return self.choose.choice([PRICE, PRICE - 50_00, PRICE + 50_00, 33_35])

    def _rarely(self) -> bool:
        return self.choose.random() < 1 / 8

    def _change(self) -> OrderChange:
        what = self.choose.randrange(3)
        return OrderChange(
            self.choose.randint(1, 30) if what != 1 else None, self._price() if what != 0 else None
        )

    def _release(self) -> None:
        choose = self.choose
        clients = choose.sample(CLIENTS, choose.randint(1, len(CLIENTS)))
        self.desk.release(
            choose.choice([Side.BUY, Side.BUY, Side.SELL]),
            choose.choice([Product.CNC, Product.CNC, Product.MTF, Product.MIS]),
            {client: choose.randint(1, 30) for client in clients},
            self._price(),
            choose.choice([OrderType.LIMIT, OrderType.MARKET]),
            choose.choice(list(Policy)),
            False,
            choose.random() < 0.5,
        )

    def _claim(self) -> None:
        if order := self._some(self.desk.reserved()):
            self.desk.claim(order)

    def _send(self) -> None:
        if order := self._some(self.desk.unanswered()):
            self.desk.send(order, self.choose.choice((*SENDS, "taken", "taken", *LIES)))

    def _fill(self) -> None:
        if slip := self._some(self.desk.live_slips()):
            choose = self.choose
            off = choose.choice([0, 0, 0, -50, -300, 100])
            told = choose.choice(["all", "all", "status", "nothing"])
            self.desk.fill(slip, choose.randint(1, 30), off, self._rarely(), told, self._rarely())

    def _fill_late(self) -> None:
        if slip := self._some(self.desk.ended_slips()):
            self.desk.fill_late(slip, self.choose.randint(1, 10), self._rarely())

    def _end(self) -> None:
        if slip := self._some(self.desk.live_slips()):
            self.desk.end(slip, self.choose.choice(ENDS), not self._rarely(), self._rarely())

    def _resurrect(self) -> None:
        if slip := self._some(self.desk.ended_slips()):
            self.desk.resurrect(slip, not self._rarely())

    def _change_outside(self) -> None:
        if slip := self._some(self.desk.live_slips()):
            self.desk.change_outside(slip, self._change(), True, self._rarely())

    def _arrive_late(self) -> None:
        if order := self._some(self.desk.late_orders()):
            self.desk.arrive_late(order)

    def _modify(self) -> None:
        if order := self._some(self.desk.open()):
            how = self.choose.choice((*CALLS, "done", "done", "done later"))
            self.desk.modify(order, self._change(), how, self.choose.random() < 0.5)

    def _change_late(self) -> None:
        if which := self._some(self.desk.late_changes()):
            self.desk.change_late(which)

    def _cancel(self) -> None:
        if order := self._some(self.desk.live()):
            self.desk.cancel(order, self.choose.choice((*CALLS, "done", "done")), self.choose.random() < 0.5)

    def _hear(self) -> None:
        mail, batch = self.desk.mail, list[Fact]()
        for _ in range(min(self.choose.randint(1, 4), len(mail))):
            batch.append(mail.pop(self.choose.randrange(len(mail))))
        if not batch:
            return
        self.desk.take(*batch)
        for fact in batch:
            if isinstance(fact, SendEnded):
                self.desk.calls.pop(fact.order_id, None)
        if self._rarely():
            mail.extend(batch)

    def _lose(self) -> None:
        lost = [number for number, fact in enumerate(self.desk.mail) if not isinstance(fact, SendEnded)]
        if lost and self._rarely():
            del self.desk.mail[self.choose.choice(lost)]

    def _read_books(self) -> None:
        lags = self.choose.choice([0, 0, 1, 3, 9]), self.choose.choice([0, 0, 0, 1, 9])
        self.desk.read_books(self.choose.choice(CLIENTS), *lags)

    def _prove_absent(self) -> None:
        if self._rarely() and (order := self._some(self.desk.unknown())):
            self.desk.prove_absent(order)

    def _hand_to_the_trader(self) -> None:
        if order := self._some(self.desk.unknown()):
            self.desk.hand_to_the_trader(order)

    def _reconcile(self) -> None:
        self.desk.reconcile(self.choose.choice(CLIENTS))

    def _pay_in(self) -> None:
        self.desk.pay_in(self.choose.choice(CLIENTS), self.choose.randint(1, 20_000))

    def _hold(self) -> None:
        self.desk.hold(self.choose.choice(CLIENTS), self.choose.randint(1, 20_000))


def _rows(desk: DeskAndBroker) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for model in TABLES:
        columns = table(model)
        statement = select(columns).order_by(*columns.primary_key.columns)
        rows = desk.books.connection.execute(statement).mappings()
        yield columns.name, [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """A value as JSON may hold it and as it is stored: bytes in hexadecimal, moments by their text."""
    if value is None or isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, str) else value
    return value.hex() if isinstance(value, bytes) else str(value)
