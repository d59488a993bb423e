"""The ledger: balanced transfers of integer paise and shares, and the guarded statements that reserve.

Balances in `funds` and `holding` are changed in the same transaction as the postings that explain them;
their CHECK constraints refuse what would go below zero.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, text, update
from sqlalchemy.dialects.sqlite import insert as insert_or_ignore

from data.columns import table
from data.errors import TradedeskError
from data.repositories.instruments import name_now
from data.store import Unit
from data.tables import Funds, Holding, Posting, SharePosting, Txn
from data.vocabulary import Account, Bucket, Product

BALANCES = {
    Account.AVAILABLE: ("available_paise", 1),
    Account.BLOCKED: ("blocked_paise", 1),
    Account.UNSETTLED: ("unsettled_paise", 1),
    Account.CHARGES_DUE: ("charges_due_paise", -1),
    Account.MTF_LOAN: ("mtf_loan_paise", -1),
    Account.SHORTFALL: ("shortfall_paise", -1),
}
"""Accounts with a cached balance, and the sign that turns their postings into it."""

SHARE_BUCKETS = (Bucket.TODAY, Bucket.T1, Bucket.FREE, Bucket.PLEDGED)
"""Buckets that `holding` counts; `outside` is where shares come from and go to."""


class Unbalanced(TradedeskError):  # noqa: N818 - the field's word
    """A transfer whose lines do not sum to zero; it is a fault of the program, never of the trader."""


@dataclass(slots=True)
class Line:
    """One posting. `order_id` names whose block it is, `security` whose cost."""

    account: Account
    amount_paise: int
    order_id: int | None = None
    security: str = ""


@dataclass(slots=True)
class ShareLine:
    """One share posting; `exchange` and `tradingsymbol` name the security where a holding is opened."""

    security: str
    product: str
    bucket: Bucket
    quantity: int
    exchange: str = ""
    tradingsymbol: str = ""


@dataclass(slots=True)
class Transfer:
    """One balanced change of a client's books.

    `evidence` is the proof that frees money or shares; a transfer that releases a block must have one.
    `cost_paise` is how the cost of the security in `shares` changes. `reserved` says that the guarded
    statement has moved available to blocked already, so that only the postings are written.
    """

    client_id: int
    kind: str
    trading_date: date
    lines: list[Line] = field(default_factory=list[Line])
    shares: list[ShareLine] = field(default_factory=list[ShareLine])
    order_id: int | None = None
    evidence: str = ""
    reserved: bool = False

    def check(self) -> None:
        """Raise `Unbalanced` unless money and each security's shares sum to zero and proof is given."""
        if sum(line.amount_paise for line in self.lines):
            raise Unbalanced(f"{self.kind} of client {self.client_id}: {self.lines}")
        shares: dict[tuple[str, str], int] = defaultdict(int)
        for share in self.shares:
            shares[share.security, share.product] += share.quantity
        if any(shares.values()):
            raise Unbalanced(f"{self.kind} of client {self.client_id}: {self.shares}")
        if self.kind == "release" and not self.evidence:
            raise Unbalanced(f"a release for client {self.client_id} without evidence")


def loan_account(product: str) -> Account:
    """Where the part of a purchase stands that the broker pays; an intraday one counts against no limit."""
    return Account.INTRADAY_LOAN if product == Product.MIS.value else Account.MTF_LOAN


def post(unit: Unit, transfers: Sequence[Transfer]) -> None:
    """Write transfers and carry their sums into the balances, in a handful of bulk statements."""
    if not transfers:
        return
    txns: list[dict[str, Any]] = []
    postings: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    money: dict[int, dict[str, int]] = {}
    held: dict[tuple[int, str, str], dict[str, Any]] = {}
    ids = unit.take_ids("txn", len(transfers))
    for txn_id, transfer in zip(ids, transfers, strict=True):
        transfer.check()
        client_id = transfer.client_id
        unit.touched.clients.add(client_id)
        txns.append(
            {
                "id": txn_id,
                "client_id": client_id,
                "kind": transfer.kind,
                "order_id": transfer.order_id,
                "evidence": transfer.evidence,
                "trading_date": transfer.trading_date,
                "at": unit.now,
            }
        )
        for number, line in enumerate(transfer.lines, 1):
            postings.append(
                {
                    "txn_id": txn_id,
                    "line": number,
                    "client_id": client_id,
                    "account": line.account.value,
                    "amount_paise": line.amount_paise,
                    "order_id": line.order_id,
                    "security": line.security,
                }
            )
            column = BALANCES.get(line.account)
            if column is not None and not transfer.reserved:
                deltas = money.get(client_id)
                if deltas is None:
                    deltas = money[client_id] = {name: 0 for name, _ in BALANCES.values()}
                deltas[column[0]] += column[1] * line.amount_paise
        for number, share in enumerate(transfer.shares, 1):
            shares.append(
                {
                    "txn_id": txn_id,
                    "line": number,
                    "client_id": client_id,
                    "security": share.security,
                    "product": share.product,
                    "bucket": share.bucket.value,
                    "quantity": share.quantity,
                }
            )
            if share.bucket is not Bucket.OUTSIDE:
                slot = held.setdefault(
                    (client_id, share.security, share.product),
                    {"exchange": "", "tradingsymbol": "", "cost": 0, **{b.value: 0 for b in SHARE_BUCKETS}},
                )
                slot[share.bucket.value] += share.quantity
                if share.exchange:
                    slot["exchange"], slot["tradingsymbol"] = share.exchange, share.tradingsymbol
        if transfer.shares:
            first = transfer.shares[0]
            cost = sum(line.amount_paise for line in transfer.lines if line.account is Account.STOCK_COST)
            if cost:
                held[client_id, first.security, first.product]["cost"] += cost
    unit.insert(Txn, txns)
    unit.insert(Posting, postings)
    unit.insert(SharePosting, shares)
    _move_money(unit.connection, money)
    _move_shares(unit.connection, held)


_MOVE_MONEY = text(
    "UPDATE funds SET "
    + ", ".join(f"{name} = {name} + :{name}" for name, _ in BALANCES.values())
    + " WHERE client_id = :client_id"
)


def _move_money(connection: Connection, money: Mapping[int, Mapping[str, int]]) -> None:
    if money:
        connection.execute(_MOVE_MONEY, [{"client_id": c, **deltas} for c, deltas in money.items()])


def _move_shares(connection: Connection, held: Mapping[tuple[int, str, str], Mapping[str, Any]]) -> None:
    if not held:
        return
    holdings = table(Holding)
    # An order may have been sent under a name that its security has lost since.
    names = {
        (s, slot["exchange"], slot["tradingsymbol"]) for (_, s, _), slot in held.items() if slot["exchange"]
    }
    now = {name: name_now(connection, *name) for name in names}
    opening = [
        {
            "client_id": client_id,
            "security": security,
            "product": product,
            "exchange": slot["exchange"],
            "tradingsymbol": now[security, slot["exchange"], slot["tradingsymbol"]],
        }
        for (client_id, security, product), slot in held.items()
        if slot["exchange"]
    ]
    if opening:
        connection.execute(insert_or_ignore(holdings).on_conflict_do_nothing(), opening)
    connection.execute(
        _MOVE_SHARES,
        [
            {"b_client": c, "b_security": s, "b_product": p, "cost": slot["cost"]}
            | {f"d_{b.value}": slot[b.value] for b in SHARE_BUCKETS}
            for (c, s, p), slot in held.items()
        ],
    )


_MOVE_SHARES = text(
    "UPDATE holding SET "
    + ", ".join(f"{b.value} = {b.value} + :d_{b.value}" for b in SHARE_BUCKETS)
    + ", cost_paise = cost_paise + :cost"
    + " WHERE client_id = :b_client AND security = :b_security AND product = :b_product"
)


# --- guarded reservations ---------------------------------------------------------------------------

_RESERVE_MONEY = text(
    """
    UPDATE funds SET
        available_paise = available_paise - n.need,
        blocked_paise = blocked_paise + n.need,
        mtf_reserved_paise = mtf_reserved_paise + n.loan
    FROM (
        SELECT json_extract(value, '$[0]') AS client_id,
               json_extract(value, '$[1]') AS need,
               json_extract(value, '$[2]') AS loan
        FROM json_each(:needs)
    ) AS n
    WHERE funds.client_id = n.client_id
      AND funds.available_paise >= n.need
      AND (n.loan = 0 OR funds.mtf_loan_paise + funds.mtf_reserved_paise + n.loan <= funds.mtf_limit_paise)
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING funds.client_id
    """
)

_RESERVE_SHARES = text(
    """
    UPDATE holding SET blocked = blocked + n.quantity
    FROM (
        SELECT json_extract(value, '$[0]') AS client_id,
               json_extract(value, '$[1]') AS security,
               json_extract(value, '$[2]') AS product,
               json_extract(value, '$[3]') AS quantity,
               json_extract(value, '$[4]') AS settled_only
        FROM json_each(:needs)
    ) AS n
    WHERE holding.client_id = n.client_id AND holding.security = n.security
      AND holding.product = n.product
      AND holding.free + CASE n.settled_only WHEN 1 THEN 0 ELSE holding.t1 + holding.today END
          - holding.blocked >= n.quantity
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING holding.client_id, holding.security, holding.product
    """
)


def reserve_money(unit: Unit, needs: Mapping[int, tuple[int, int]]) -> set[int]:
    """Block money for many clients in one guarded statement.

    `needs` maps a client to its summed need and the loan it would draw, in paise. Returns the clients that
    were served; the others are unchanged. The postings are the caller's, as `reserved` transfers.
    """
    if not needs:
        return set()
    packed = json.dumps([(client, need, loan) for client, (need, loan) in needs.items()])
    served = unit.connection.execute(_RESERVE_MONEY, {"needs": packed}).scalars()
    return set(served)


def reserve_shares(unit: Unit, needs: Iterable[tuple[int, str, str, int, bool]]) -> set[tuple[int, str, str]]:
    """Block shares for many sells: rows of client, security, product, quantity and settled-only.

    Returns the clients, securities and products that were served. `settled_only` is for trade-to-trade
    securities, whose shares cannot be sold before they are in the demat account.
    """
    rows = [(c, s, p, q, int(only)) for c, s, p, q, only in needs]
    if not rows:
        return set()
    served = unit.connection.execute(_RESERVE_SHARES, {"needs": json.dumps(rows)}).all()
    return {(int(row[0]), str(row[1]), str(row[2])) for row in served}


def free_memo(unit: Unit, loans: Mapping[int, int], shares: Mapping[tuple[int, str, str], int]) -> None:
    """Give back reserved loan room (paise by client) and blocked shares (by client, security, product)."""
    if loans:
        funds = table(Funds)
        unit.connection.execute(
            update(funds)
            .where(funds.c.client_id == bindparam("b_client"))
            .values(mtf_reserved_paise=funds.c.mtf_reserved_paise - bindparam("loan")),
            [{"b_client": client, "loan": loan} for client, loan in loans.items()],
        )
    if shares:
        holdings = table(Holding)
        unit.connection.execute(
            update(holdings)
            .where(
                holdings.c.client_id == bindparam("b_client"),
                holdings.c.security == bindparam("b_security"),
                holdings.c.product == bindparam("b_product"),
            )
            .values(blocked=holdings.c.blocked - bindparam("freed")),
            [
                {"b_client": c, "b_security": s, "b_product": p, "freed": quantity}
                for (c, s, p), quantity in shares.items()
            ],
        )
