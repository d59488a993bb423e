"""The desk's books against the broker's ledger, and the scans that need no broker: after the storm."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from brokers.contract import BrokerOrder, BrokerStatus
from data.vocabulary import OrderState, Product
from tests.faults.chaos_broker import Ledger
from tests.faults.guarding import trips_in
from tests.faults.scenery import stocks

ENDS = {
    OrderState.FILLED.value: {BrokerStatus.COMPLETE},
    # An exchange's rejection is a cancellation at the paper exchange underneath.
    OrderState.CANCELLED.value: {BrokerStatus.CANCELLED},
    OrderState.REJECTED.value: {BrokerStatus.REJECTED, BrokerStatus.CANCELLED},
    OrderState.EXPIRED.value: {BrokerStatus.EXPIRED},
    OrderState.OPEN.value: {BrokerStatus.OPEN},
}
"""What the broker must say of an order in each state that the broker's word made."""

RESOLVING = frozenset(
    f"ORDER_{word}"
    for word in ("ACCEPTED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED", "NOT_RECEIVED", "RESURRECTED")
)
"""Audit actions that end an order's doubt."""

RAISING = "ORDER_NEEDS_TRADER"
"""The audit action that hands an order's doubt to the trader."""


@dataclass(slots=True)
class Findings:
    """What a comparison found; counts that must be zero come first.

    `unknown_s` are the clock's seconds until an order in doubt was known, or `raised` to the trader before.
    """

    duplicates: int = 0
    lost_fills: int = 0
    surplus_fills: int = 0
    freed_without_proof: int = 0
    false_certificates: int = 0
    differences: list[str] = field(default_factory=list[str])
    unresolved: int = 0
    orders: int = 0
    sent: int = 0
    fills: int = 0
    unknown: int = 0
    resolved: int = 0
    raised: int = 0
    unread_halts: int = 0
    conversions: int = 0
    converted: int = 0
    flattens: int = 0
    trips: int = 0
    trips_flat: int = 0
    unknown_s: list[float] = field(default_factory=list[float])
    met: Counter[str] = field(default_factory=Counter[str])
    states: Counter[str] = field(default_factory=Counter[str])
    flags: Counter[str] = field(default_factory=Counter[str])

    @property
    def correct(self) -> bool:
        """Whether the books are the broker's, nothing was sent twice and no money freed without proof."""
        return not (
            self.duplicates
            or self.lost_fills
            or self.surplus_fills
            or self.freed_without_proof
            or self.false_certificates
            or self.differences
        )


def compare(home: Path, ledger: Ledger) -> Findings:
    """Compare the database of a home with the oracle, once the desk has read all of a calm broker's books."""
    database = sqlite3.connect(f"file:{home / 'desk.db'}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    try:
        return _Comparison(database, ledger).findings
    finally:
        database.close()


class _Comparison:
    def __init__(self, database: sqlite3.Connection, ledger: Ledger) -> None:
        self.findings = Findings(met=Counter(ledger.met))
        self._db = database
        self._ledger = ledger
        self._codes = {row["id"]: row["code"] for row in self._rows("SELECT id, code FROM client")}
        self._by_tag = {
            row["tag"]: row["order_id"] for row in self._rows("SELECT tag, order_id FROM attempt")
        }
        self._ours = {row["id"]: row for row in self._rows("SELECT * FROM orders")}
        self._theirs: dict[int, list[BrokerOrder]] = defaultdict(list)
        self._orders()
        self._exits_and_conversions()
        self._fills()
        self._money()
        self._holdings()
        self._proofs()
        self._doubts()

    def _exits_and_conversions(self) -> None:
        """How often positions were taken flat and shares converted; what came of it is compared below."""
        states = Counter(row["state"] for row in self._rows("SELECT state FROM conversion"))
        self.findings.conversions, self.findings.converted = states.total(), states["done"]
        self.findings.flattens = len(self._rows("SELECT number FROM flatten"))
        self.findings.trips, self.findings.trips_flat, wrong = trips_in(self._db)
        self.findings.differences += wrong

    def _rows(self, query: str) -> list[sqlite3.Row]:
        return self._db.execute(query).fetchall()

    def _differ(self, words: str) -> None:
        self.findings.differences.append(words)

    # --- orders ---

    def _orders(self) -> None:
        found, ledger = self.findings, self._ledger
        for tag in ledger.receipts.keys() - self._by_tag.keys():
            self._differ(f"a placement with tag {tag} was received that no attempt tells of")
        found.duplicates += sum(count - 1 for count in ledger.placed.values())
        for order in ledger.orders:
            order_id = self._by_tag.get(order.tags[0] if order.tags else "")
            if order_id is None:
                self._differ(f"the broker's order {order.broker_order_id} is nobody's")
            else:
                self._theirs[order_id].append(order)
        for order_id, theirs in self._theirs.items():
            if len(theirs) > 1 and len({order.tags for order in theirs}) == len(theirs):
                found.duplicates += len(theirs) - 1
                self._differ(f"order {order_id} was placed {len(theirs)} times, under different tags")
        found.orders = sum(order["tag"] is not None for order in self._ours.values())
        found.sent = sum(ledger.receipts.values())
        for order_id, order in self._ours.items():
            found.states[order["state"]] += 1
            found.flags.update(order["flags"].split())
            self._order(order, self._theirs.get(order_id, []))

    def _order(self, order: sqlite3.Row, theirs: list[BrokerOrder]) -> None:
        name, state = f"order {order['id']} ({order['state']} {order['flags']})", order["state"]
        if state == OrderState.UNKNOWN.value:
            self.findings.unresolved += 1
            if theirs:
                self._differ(f"{name} is at the broker as {_words(theirs[0])}")
            return
        if state == OrderState.SENDING.value:
            self._differ(f"{name} is still being sent")
            return
        if not theirs:
            never_there = (
                OrderState.DENIED.value,
                OrderState.NOT_RECEIVED.value,
                OrderState.REJECTED.value,
                OrderState.RESERVED.value,
            )
            if state not in never_there and not (
                state == OrderState.CANCELLED.value and not order["broker_order_id"]
            ):
                self._differ(f"{name} is not at the broker")
            return
        their = theirs[0]
        if their.status not in ENDS.get(state, set()):
            self._differ(f"{name} is at the broker as {_words(their)}")
            return
        if order["broker_order_id"] != their.broker_order_id:
            self._differ(f"{name} has id {order['broker_order_id']}, there it is {their.broker_order_id}")
        if order["filled_quantity"] != their.filled_quantity:
            self._differ(f"{name} has {order['filled_quantity']} filled, there {_words(their)}")
        if state == OrderState.OPEN.value:
            if order["quantity"] != their.quantity:
                self._differ(f"{name} is of {order['quantity']} shares, there {_words(their)}")
            if order["limit_paise"] not in (None, their.price_paise):
                self._differ(f"{name} has limit {order['limit_paise']}, there {their.price_paise}")

    def _fills(self) -> None:
        ours = Counter(
            (row["exchange"], row["trade_id"], row["broker_order_id"], row["quantity"], row["price_paise"])
            for row in self._rows("SELECT * FROM fill WHERE quantity != 0")  # without shares: only charges
        )
        theirs = Counter(
            (trade.exchange, trade.trade_id, trade.broker_order_id, trade.quantity, trade.price_paise)
            for trade in self._ledger.trades
        )
        self.findings.fills = theirs.total()
        for trade in theirs - ours:
            self.findings.lost_fills += 1
            self._differ(f"trade {trade} is not booked")
        for trade in ours - theirs:
            self.findings.surplus_fills += 1
            self._differ(f"trade {trade} is booked and was not made, or was booked twice")

    # --- money and shares ---

    def _money(self) -> None:
        for row in self._rows("SELECT * FROM funds"):
            code = self._codes[row["client_id"]]
            account = self._ledger.accounts[code]
            ours = {
                "cash": row["available_paise"] + row["blocked_paise"] - row["shortfall_paise"],
                "unsettled": row["unsettled_paise"],
                "loan": row["mtf_loan_paise"],
            }
            theirs = {
                "cash": account.funds.available_paise + account.funds.blocked_paise,
                "unsettled": account.unsettled_paise,
                "loan": account.funds.mtf_loan_paise,
            }
            if ours != theirs:
                self._differ(f"client {code} has {ours}, at the broker {theirs}")

    def _holdings(self) -> None:
        symbols = {(one.exchange, one.tradingsymbol): one.security for one in stocks().values()}
        names = ("free", "t1", "today", "blocked", "cost_paise")
        ours: dict[tuple[str, str, str], tuple[int, ...]] = {}
        doubtful = Counter[tuple[int, str, str]]()  # what is in doubt stays blocked, wherever it is
        for order in self._ours.values():
            if order["state"] == OrderState.UNKNOWN.value:
                doubtful[order["client_id"], order["security"], order["product"]] += order["blocked_shares"]
        for row in self._rows("SELECT * FROM holding"):
            key = (self._codes[row["client_id"]], row["security"], row["product"])
            blocked = row["blocked"] - doubtful[row["client_id"], row["security"], row["product"]]
            ours[key] = (row["free"], row["t1"], row["today"], blocked, row["cost_paise"])
        theirs: dict[tuple[str, str, str], tuple[int, ...]] = {}
        for code, account in self._ledger.accounts.items():
            for one in account.holdings:
                key = (code, symbols[one.exchange, one.tradingsymbol], Product(one.product).value)
                theirs[key] = tuple(getattr(one, name) for name in names)
        nothing = (0,) * len(names)
        for key in sorted(ours.keys() | theirs.keys()):
            has, gives = ours.get(key, nothing), theirs.get(key, nothing)
            if has != gives:
                self._differ(f"holding {key} {names} is {has}, at the broker {gives}")

    # --- scans ---

    def _proofs(self) -> None:
        """Whatever took money out of an order's block must name a proof that the oracle bears out."""
        rows = self._rows(
            "SELECT DISTINCT txn.id, txn.kind, txn.order_id, txn.evidence FROM txn"
            " JOIN posting ON posting.txn_id = txn.id"
            " WHERE posting.account = 'blocked' AND posting.amount_paise < 0 AND posting.order_id IS NOT NULL"
        )
        trades = {trade.trade_id: trade.broker_order_id for trade in self._ledger.trades}
        for row in rows:
            why = self._doubt(row, trades)
            if why:
                self.findings.freed_without_proof += 1
                self._differ(
                    f"{row['kind']} {row['id']} of order {row['order_id']} says {row['evidence']!r}: {why}"
                    f"{self._story(row['order_id'])}"
                )

    def _story(self, order_id: int) -> str:
        """What the audit, the requests and the broker's ledger tell of an order, to find a fault by."""
        audit = self._rows(f"SELECT at, action, details FROM audit WHERE order_id = {order_id} ORDER BY seq")
        asked = self._rows(f"SELECT * FROM request WHERE order_id = {order_id} ORDER BY number")
        theirs = [(order, self._ledger.terms.get(order.broker_order_id)) for order in self._theirs[order_id]]
        told = [*(tuple(row) for row in audit), *(dict(row) for row in asked), *theirs]
        return "".join(f"\n    {one}" for one in told)

    def _doubt(self, row: sqlite3.Row, trades: dict[str, str]) -> str:
        """Why a proof does not hold; empty where it does."""
        if row["evidence"].startswith("modify "):
            return self._modify_doubt(row)
        kind, _, rest = row["evidence"].partition(":")
        theirs = self._theirs.get(row["order_id"], [])
        ids = {order.broker_order_id for order in theirs}
        match kind:
            case "trade":
                return "" if trades.get(rest.partition(":")[0]) in ids else "there is no such trade of it"
            case "status":
                named = rest.partition(":")[0]
                ended = [order for order in theirs if order.broker_order_id == named]
                resurrected = "RESURRECTED" in self._ours[row["order_id"]]["flags"]
                if not ended:
                    return "there is no such order of it"
                if ended[0].status is BrokerStatus.OPEN and not resurrected:
                    return "it has not ended"
                return ""
            case "terms":
                terms = {term for name in ids for term in self._ledger.terms.get(name, ())}
                return "" if rest in terms else "it never had these terms"
            case "refused":
                return "the broker has it" if any(rest in order.tags for order in theirs) else ""
            case "never sent":
                return "the broker has it" if theirs else ""
            case "absent":
                resurrected = "RESURRECTED" in self._ours[row["order_id"]]["flags"]
                return "the broker has it" if theirs and not resurrected else ""
            case "day":
                return "" if rest else "no day is named"
            case _:
                return "no proof that is known here"

    def _modify_doubt(self, row: sqlite3.Row) -> str:
        """Why the words that a modify was not carried out do not hold; empty where they do."""
        number = int(row["evidence"].split()[1])
        asked = [
            (request["number"], f"{request['quantity']}@{request['limit_paise']}")
            for request in self._rows(
                f"SELECT * FROM request WHERE kind = 'modify' AND order_id = {row['order_id']}"
            )
        ]
        mine = dict(asked).get(number)
        if mine is None:
            return "there is no such modify"
        ids = [order.broker_order_id for order in self._theirs.get(row["order_id"], [])]
        done = any(f"{name}:{mine}" in self._ledger.terms.get(name, ()) for name in ids)
        alone = sum(terms == mine for _, terms in asked) == 1
        return "the broker has carried it out" if done and alone else ""

    def _doubts(self) -> None:
        """How many orders were UNKNOWN, and how long it took until they were known."""
        found = self.findings
        since: dict[int, datetime] = {}
        raised: set[int] = set()
        for row in self._rows(
            "SELECT at, action, order_id FROM audit WHERE order_id IS NOT NULL ORDER BY seq"
        ):
            order_id, action = row["order_id"], row["action"]
            at = datetime.fromisoformat(row["at"])
            if action == "ORDER_UNKNOWN":
                found.unknown += 1
                since[order_id] = at
            elif action == RAISING and order_id in since:
                found.raised += 1
                found.unknown_s.append((at - since[order_id]).total_seconds())
                raised.add(order_id)
            elif action in RESOLVING and order_id in since:
                found.resolved += 1
                began = since.pop(order_id)
                if order_id not in raised:
                    found.unknown_s.append((at - began).total_seconds())


def _words(order: BrokerOrder) -> str:
    return f"{order.status.value} {order.filled_quantity}/{order.quantity} id {order.broker_order_id}"


def merged(findings: Iterable[Findings]) -> Findings:
    """The sum of several comparisons."""
    total = Findings()
    for one in findings:
        for name in Findings.__dataclass_fields__:
            mine: Any = getattr(total, name)
            if isinstance(mine, Counter):
                mine.update(getattr(one, name))
            else:
                setattr(total, name, mine + getattr(one, name))
    return total
