"""The ledger: balanced transfers of integer paise and shares, and the guarded statements that reserve.

Balances in `funds` and `holding` are changed in the same transaction as the postings that explain them;
their CHECK constraints refuse what would go below zero.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection

from data.engines import guards
from data.engines.dialect import UNLESS_THERE
from data.engines.driver import fetch, insert_many, run_many, words
from data.errors import TradedeskError
from data.json_values import json_text
from data.proving.proofs import parted_proof, row_texts
from data.repositories.instruments import names_now
from data.tables.books import HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.vocabulary import Account, Bucket, Product, TransferKind
from data.writing.unit import Unit

BALANCES = {
    Account.AVAILABLE: ("available_paise", 1),
    Account.BLOCKED: ("blocked_paise", 1),
    Account.UNSETTLED: ("unsettled_paise", 1),
    Account.CHARGES_DUE: ("charges_due_paise", -1),
    Account.MTF_LOAN: ("mtf_loan_paise", -1),
    Account.SHORTFALL: ("shortfall_paise", -1),
    Account.DIVIDENDS_DUE: ("dividends_due_paise", 1),
}
"""Accounts with a cached balance, and the sign that turns their postings into it."""

SHARE_BUCKETS = (Bucket.TODAY, Bucket.T1, Bucket.FREE, Bucket.PLEDGED, Bucket.DUE)
"""Buckets that `holding` counts; `outside` is where shares come from and go to."""


class Unbalanced(TradedeskError):  # noqa: N818 - the field's word
    """A transfer whose lines do not sum to zero; it is a fault of the program, never of the trader."""


class Line(Struct, frozen=True, gc=False):
    """One posting. `order_id` names whose block it is, `security` whose cost."""

    account: Account
    amount_paise: int
    order_id: int | None = None
    security: str = ""


class ShareLine(Struct, frozen=True, gc=False):
    """One share posting; `exchange` and `tradingsymbol` name the security where a holding is opened."""

    security: str
    product: str
    bucket: Bucket
    quantity: int
    exchange: str = ""
    tradingsymbol: str = ""


class Transfer(Struct, frozen=True):
    """One balanced change of a client's books.

    `evidence` is the proof that frees money or shares; a transfer that releases a block must have one.
    The cost of each security in `shares`, of which it may have one product, changes by its lines of
    `STOCK_COST`. `reserved` says that the guarded
    statement has moved available to blocked already, so that only the postings are written.
    """

    client_id: int
    kind: TransferKind
    trading_date: date
    lines: list[Line] = []
    shares: list[ShareLine] = []
    order_id: int | None = None
    evidence: str = ""
    reserved: bool = False

    def check(self) -> None:
        """Raise `Unbalanced` unless money and each security's shares sum to zero and proof is given."""
        if sum([line.amount_paise for line in self.lines]):
            raise Unbalanced(f"{self.kind} of client {self.client_id}: {self.lines}")
        if self.shares:
            shares: dict[tuple[str, str], int] = defaultdict(int)
            for share in self.shares:
                shares[share.security, share.product] += share.quantity
            if any(shares.values()):
                raise Unbalanced(f"{self.kind} of client {self.client_id}: {self.shares}")
        if self.kind == TransferKind.RELEASE and not self.evidence:
            raise Unbalanced(f"a release for client {self.client_id} without evidence")


def loan_account(product: str) -> Account:
    """Where the part of a purchase stands that the broker pays; an intraday one counts against no limit."""
    return Account.INTRADAY_LOAN if product == Product.MIS.value else Account.MTF_LOAN


Cells: TypeAlias = Sequence[tuple[Any, ...]]
"""Rows of a table, as they are stored."""

_TXN = ("id", "client_id", "kind", "order_id", "evidence", "trading_date", "at")
_POSTING = ("txn_id", "line", "client_id", "account", "amount_paise", "order_id", "security")
_SHARE_POSTING = ("txn_id", "line", "client_id", "security", "product", "bucket", "quantity")


def post(unit: Unit, transfers: Sequence[Transfer]) -> None:
    """Write transfers and carry their sums into the balances, in a handful of bulk statements."""
    if not transfers:
        return
    txns: list[tuple[Any, ...]] = []
    postings: list[tuple[Any, ...]] = []
    shares: list[tuple[Any, ...]] = []
    moved = _Moved()
    ids = unit.take_ids("txn", len(transfers))
    for txn_id, one in zip(ids, transfers, strict=True):
        one.check()
        client_id = one.client_id
        kind = str(one.kind)
        txns.append((txn_id, client_id, kind, one.order_id, one.evidence, one.trading_date, unit.now))
        for number, line in enumerate(one.lines, 1):
            account = _ACCOUNTS[line.account]
            postings.append(
                (txn_id, number, client_id, account, line.amount_paise, line.order_id, line.security)
            )
        for number, share in enumerate(one.shares, 1):
            bucket = _BUCKETS[share.bucket]
            shares.append((txn_id, number, client_id, share.security, share.product, bucket, share.quantity))
        moved.count(one)
    _prove(
        unit,
        unit.insert_cells(Txn, _TXN, txns),
        unit.insert_cells(Posting, _POSTING, postings),
        unit.insert_cells(SharePosting, _SHARE_POSTING, shares),
    )
    unit.touched.clients.update(transfer.client_id for transfer in transfers)
    _move_money(unit.connection, moved.money)
    _move_shares(unit.connection, moved.shares)


def _prove(unit: Unit, txns: Cells, *parts: Cells) -> None:
    """Keep the proofs of transfers with their parts, whose first cell names the transfer of each."""
    texts = {txn[0]: [text] for txn, text in zip(txns, row_texts(txns), strict=True)}
    for part in parts:
        for row, text in zip(part, row_texts(part), strict=True):
            texts[row[0]].append(text)
    unit.proven.setdefault("txn", {}).update(
        (str(number), parted_proof(own)) for number, own in texts.items()
    )


_ACCOUNTS: Mapping[str, str] = {account: account.value for account in Account}
_BUCKETS: Mapping[str, str] = {bucket: bucket.value for bucket in Bucket}
"""Words as they are stored: the driver takes a text of a class of its own for something to be adapted."""

_COLUMNS = {account: (place, sign) for place, (account, (_, sign)) in enumerate(BALANCES.items())}
"""For each account with a balance, which of the balances it is, and the sign of its postings there."""


@dataclass(slots=True)
class _Held:
    """How a client's shares of one security and product change: their cost, and each of `SHARE_BUCKETS`."""

    exchange: str = ""
    tradingsymbol: str = ""
    cost_paise: int = 0
    buckets: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SHARE_BUCKETS, 0))


class _Moved:
    """How balances of money and shares change by transfers."""

    def __init__(self) -> None:
        self.money: dict[int, list[int]] = {}
        """By client, in the order of `BALANCES`."""
        self.shares: dict[tuple[int, str, str], _Held] = {}

    def count(self, transfer: Transfer) -> None:
        """Count one transfer's lines."""
        if not transfer.reserved:
            self._count_money(transfer)
        for share in transfer.shares:
            if share.bucket is not Bucket.OUTSIDE:
                self._count_share(transfer.client_id, share)
        if transfer.shares:
            products = {share.security: share.product for share in transfer.shares}
            for line in transfer.lines:
                if line.account is Account.STOCK_COST and line.amount_paise:  # none of what we never held
                    place = transfer.client_id, line.security, products[line.security]
                    self.shares[place].cost_paise += line.amount_paise

    def _count_money(self, transfer: Transfer) -> None:
        deltas = self.money.get(transfer.client_id)
        for line in transfer.lines:
            column = _COLUMNS.get(line.account)
            if column is not None:
                if deltas is None:
                    deltas = self.money[transfer.client_id] = [0] * len(BALANCES)
                deltas[column[0]] += column[1] * line.amount_paise

    def _count_share(self, client_id: int, share: ShareLine) -> None:
        place = client_id, share.security, share.product
        held = self.shares.get(place)
        if held is None:
            held = self.shares[place] = _Held()
        held.buckets[share.bucket] += share.quantity
        if share.exchange:
            held.exchange, held.tradingsymbol = share.exchange, share.tradingsymbol


_MOVE_MONEY = (
    "UPDATE funds SET "
    + ", ".join(f"{name} = {name} + ?" for name, _ in BALANCES.values())
    + " WHERE client_id = ?"
)


def _move_money(connection: Connection, money: Mapping[int, Sequence[int]]) -> None:
    if money:
        run_many(
            connection,
            _MOVE_MONEY,
            [(*deltas, client) for client, deltas in sorted(money.items())],
            apart=True,
        )


def _move_shares(connection: Connection, held: Mapping[tuple[int, str, str], _Held]) -> None:
    if not held:
        return
    # An order may have been sent under a name that its security has lost since.
    names = {(s, one.exchange, one.tradingsymbol) for (_, s, _), one in held.items() if one.exchange}
    now = names_now(connection, names) if names else {}
    opening = [
        (c, s, p, one.exchange, now[s, one.exchange, one.tradingsymbol])
        for (c, s, p), one in held.items()
        if one.exchange
    ]
    if opening:
        insert_many(connection, _OPEN_HOLDING, opening)
    moved = [
        (*one.buckets.values(), one.cost_paise, *place) for place, one in sorted(held.items(), key=_PLACE)
    ]
    run_many(connection, _MOVE_SHARES, moved, apart=True)


_PLACE = itemgetter(0)
_HOLDING_COUNTS = [column.name for column in table(HoldingRecord).columns if column.default is not None]
_OPEN_HOLDING = (
    "INSERT INTO holding (client_id, security, product, exchange, tradingsymbol, "
    + ", ".join(_HOLDING_COUNTS)
    + f") VALUES (?, ?, ?, ?, ?{', 0' * len(_HOLDING_COUNTS)}) {UNLESS_THERE}"
)
_MOVE_SHARES = (
    "UPDATE holding SET "
    + ", ".join(f"{b.value} = {b.value} + ?" for b in SHARE_BUCKETS)
    + ", cost_paise = cost_paise + ?"
    + " WHERE client_id = ? AND security = ? AND product = ?"
)


# --- guarded reservations ---------------------------------------------------------------------------


def reserve_money(unit: Unit, needs: Mapping[int, tuple[int, int]]) -> set[int]:
    """Block money for many clients in one guarded statement.

    `needs` maps a client to its summed need and the loan it would draw, in paise. Returns the clients that
    were served; the others are unchanged. The postings are the caller's, as `reserved` transfers.
    """
    if not needs:
        return set()
    # Whoever changes many clients' rows does so in the order of their numbers, lest two wait for each other.
    packed = json_text([(client, need, loan) for client, (need, loan) in sorted(needs.items())])
    return {
        int(client)
        for (client,) in fetch(unit.connection, guards.reserve_money(words(unit.connection)), (packed,))
    }


def reserve_shares(unit: Unit, needs: Iterable[tuple[int, str, str, int, bool]]) -> set[tuple[int, str, str]]:
    """Block shares for many sells: rows of client, security, product, quantity and settled-only.

    Returns the clients, securities and products that were served. `settled_only` is for trade-to-trade
    securities, whose shares cannot be sold before they are in the demat account.
    """
    rows = [(c, s, p, q, int(only)) for c, s, p, q, only in needs]
    if not rows:
        return set()
    statement = guards.reserve_shares(words(unit.connection))
    served = fetch(unit.connection, statement, (json_text(rows),))
    return {(int(row[0]), str(row[1]), str(row[2])) for row in served}


def free_loans_and_shares(
    unit: Unit, loans: Mapping[int, int], shares: Mapping[tuple[int, str, str], int]
) -> None:
    """Give back reserved loan room (paise by client) and blocked shares (by client, security, product)."""
    if loans:
        room = [(loan, client) for client, loan in loans.items()]
        run_many(unit.connection, _FREE_LOAN, room, apart=True)
    if shares:
        blocked = [(quantity, *place) for place, quantity in shares.items()]
        run_many(unit.connection, _FREE_SHARES, blocked, apart=True)


_FREE_LOAN = "UPDATE funds SET mtf_reserved_paise = mtf_reserved_paise - ? WHERE client_id = ?"
_FREE_SHARES = "UPDATE holding SET blocked = blocked - ? WHERE client_id = ? AND security = ? AND product = ?"
