"""What the broker and its market do to orders, as rules; and how the rules name what there is."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from brokers.contract import (
    BrokerStatus,
    BrokerTrade,
    OrderChange,
)
from engine.booking.facts import (
    Seen,
)
from tests.faults.model import Slip
from tests.faults.soundness import CLIENTS, PRICE, Soundness

ENDS = (BrokerStatus.CANCELLED, BrokerStatus.REJECTED, BrokerStatus.EXPIRED)


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


class BrokerRules(Soundness):
    """A broker that fills, ends, changes and brings back orders, and may or may not tell."""

    def live_slips(self) -> list[Slip]:
        return [slip for slip in self.broker.slips if slip.live]

    def slips(self) -> list[Slip]:
        return self.broker.slips

    def ended_slips(self) -> list[Slip]:
        today = [slip for slip in self.broker.slips if slip.day == self.broker.day]
        return [slip for slip in today if slip.word.status in ENDS]

    def _seen(self, slip: Slip, trades: tuple[BrokerTrade, ...] = ()) -> Seen:
        return Seen(slip.client_id, slip.word, trades)

    @rule(client=st.sampled_from(CLIENTS), rupees=st.integers(1, 20_000))
    def pay_in(self, client: int, rupees: int) -> None:
        self.books.pay_in(rupees * 100, client)
        self.broker.paid_in[client] += rupees * 100

    @rule(client=st.sampled_from(CLIENTS), rupees=st.integers(1, 20_000))
    def hold(self, client: int, rupees: int) -> None:
        if self.books.money(client)["available"] >= rupees * 100:
            self.books.hold(rupees * 100, client)

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
