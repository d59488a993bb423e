"""Re-deriving every balance from what explains it: postings, orders, holds, lots and fills.

Reads only. `tradedesk doctor` runs it; whatever it finds is a fault or a tampering, never a rounding.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, func, select

from data.ledger import BALANCES, SHARE_BUCKETS, loan_account
from data.proving.rederive_lots import closed_lot_differences
from data.tables.books import Funds, Hold, HoldingRecord, Posting, SharePosting, Txn
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.tables.orders import FillRecord, Order
from data.vocabulary import LIVE_STATES, Account

_Figures = dict[Any, dict[str, int]]


def not_accepted(found: Iterable[str], known: Iterable[str]) -> list[str]:
    """What was found and not accepted by a trader; figures may move on while they stay as far apart."""
    accepted = {_lasting(words) for words in known}
    return [words for words in found if _lasting(words) not in accepted]


def _lasting(words: str) -> str:
    return re.sub(r"is -?\d+, its ([a-z ]+) give -?\d+", r"\1", words)


def differences(connection: Connection) -> list[str]:
    """Every way in which the balances do not follow from the postings, in words; empty when they do."""
    return [
        *_unbalanced(connection),
        *_money_differences(connection),
        *_order_differences(connection),
        *_share_differences(connection),
        *_lot_differences(connection),
        *closed_lot_differences(connection),
    ]


def unbalanced_since(connection: Connection, moment: datetime) -> list[str]:
    """Transfers booked since a moment that do not sum to zero, in words."""
    txns = table(Txn)
    query = select(txns.c.id).where(txns.c.at < moment).order_by(txns.c.id.desc()).limit(1)
    return list(_unbalanced(connection, connection.execute(query).scalar() or 0))


def _unbalanced(connection: Connection, after: int = 0) -> Iterable[str]:
    postings, shares = table(Posting), table(SharePosting)
    for txn_id, total in connection.execute(
        select(postings.c.txn_id, func.sum(postings.c.amount_paise))
        .where(postings.c.txn_id > after)
        .group_by(postings.c.txn_id)
        .having(func.sum(postings.c.amount_paise) != 0)
    ):
        yield f"transfer {txn_id} sums to {total} paise, not to zero"
    for txn_id, security, total in connection.execute(
        select(shares.c.txn_id, shares.c.security, func.sum(shares.c.quantity))
        .where(shares.c.txn_id > after)
        .group_by(shares.c.txn_id, shares.c.security, shares.c.product)
        .having(func.sum(shares.c.quantity) != 0)
    ):
        yield f"share transfer {txn_id} of {security} sums to {total}, not to zero"


def _compared(what: str, stored: _Figures, derived: _Figures, source: str) -> Iterable[str]:
    """Phrases for every figure of `stored` that differs from `derived`; one that is missing counts as 0."""
    for key in sorted(stored.keys() | derived.keys()):
        has, gives = stored.get(key, {}), derived.get(key, {})
        for name in sorted(has.keys() | gives.keys()):
            if has.get(name, 0) != gives.get(name, 0):
                apart = has.get(name, 0) - gives.get(name, 0)
                figures = f"is {has.get(name, 0)}, its {source} give {gives.get(name, 0)}"
                yield f"{what} {key}: {name} {figures} ({apart:+d})"


def _summed(connection: Connection, query: Executable, width: int, names: tuple[str, ...]) -> _Figures:
    """Figures of a grouped query: `width` key columns, then one sum a name; sums of one key are added up."""
    out: _Figures = defaultdict(lambda: defaultdict(int))
    for row in connection.execute(query):
        key = row[0] if width == 1 else tuple(row[:width])
        for name, value in zip(names, row[width:], strict=True):
            out[key][name] += int(value)
    return out


def _money_differences(connection: Connection) -> Iterable[str]:
    postings, funds, orders, holds = table(Posting), table(Funds), table(Order), table(Hold)
    derived: _Figures = defaultdict(lambda: defaultdict(int))
    for client_id, account, total in connection.execute(
        select(postings.c.client_id, postings.c.account, func.sum(postings.c.amount_paise)).group_by(
            postings.c.client_id, postings.c.account
        )
    ):
        column = BALANCES.get(account)
        if column is not None:
            derived[client_id][column[0]] = column[1] * int(total)
    rows = {row["client_id"]: row for row in connection.execute(select(funds)).mappings()}
    stored = {client: {name: row[name] for name, _ in BALANCES.values()} for client, row in rows.items()}
    yield from _compared("client", stored, derived, "postings")
    names = ("blocked_paise", "mtf_reserved_paise")
    blocks = _summed(
        connection,
        select(
            orders.c.client_id, func.sum(orders.c.blocked_paise), func.sum(orders.c.mtf_reserved_paise)
        ).group_by(orders.c.client_id),
        1,
        names,
    )
    for client_id, held in connection.execute(
        select(holds.c.client_id, func.sum(holds.c.amount_paise))
        .where(holds.c.released_at.is_(None))
        .group_by(holds.c.client_id)
    ):
        blocks[client_id]["blocked_paise"] += int(held)
    stored = {client: {name: row[name] for name in names} for client, row in rows.items()}
    yield from _compared("client", stored, blocks, "orders and holds")


def _order_differences(connection: Connection) -> Iterable[str]:
    orders, postings, fills = table(Order), table(Posting), table(FillRecord)
    live = [state.value for state in LIVE_STATES]
    for order_id, state, blocked in connection.execute(
        select(orders.c.id, orders.c.state, orders.c.blocked_paise).where(
            orders.c.state.not_in(live), (orders.c.blocked_paise != 0) | (orders.c.blocked_shares != 0)
        )
    ):
        yield f"order {order_id} is {state} and still blocks {blocked} paise or shares"
    stored = _summed(connection, select(orders.c.id, orders.c.blocked_paise), 1, ("blocked_paise",))
    derived = _summed(
        connection,
        select(postings.c.order_id, func.sum(postings.c.amount_paise))
        .where(postings.c.account == Account.BLOCKED.value, postings.c.order_id.is_not(None))
        .group_by(postings.c.order_id),
        1,
        ("blocked_paise",),
    )
    yield from _compared("order", stored, derived, "postings")
    names = ("filled_quantity", "filled_notional_paise", "charges_paise")
    stored = _summed(connection, select(orders.c.id, *(orders.c[name] for name in names)), 1, names)
    derived = _summed(
        connection,
        select(
            fills.c.order_id,
            func.sum(fills.c.quantity),
            func.sum(fills.c.quantity * fills.c.price_paise),
            func.sum(fills.c.charges_paise),
        ).group_by(fills.c.order_id),
        1,
        names,
    )
    yield from _compared("order", stored, derived, "fills")


def _share_differences(connection: Connection) -> Iterable[str]:
    postings, shares, orders, holdings = (
        table(Posting),
        table(SharePosting),
        table(Order),
        table(HoldingRecord),
    )
    derived: _Figures = defaultdict(lambda: defaultdict(int))
    buckets = [bucket.value for bucket in SHARE_BUCKETS]
    for client_id, security, product, bucket, total in connection.execute(
        select(
            shares.c.client_id,
            shares.c.security,
            shares.c.product,
            shares.c.bucket,
            func.sum(shares.c.quantity),
        )
        .where(shares.c.bucket.in_(buckets))
        .group_by(shares.c.client_id, shares.c.security, shares.c.product, shares.c.bucket)
    ):
        derived[client_id, security, product][bucket] = int(total)
    for client_id, security, product, total in connection.execute(
        select(
            orders.c.client_id, orders.c.security, orders.c.product, func.sum(orders.c.blocked_shares)
        ).group_by(orders.c.client_id, orders.c.security, orders.c.product)
    ):
        derived[client_id, security, product]["blocked"] = int(total)
    rows = connection.execute(select(holdings)).mappings().all()
    stored = {_key(row): {name: row[name] for name in (*buckets, "blocked")} for row in rows}
    yield from _compared("holding", stored, derived, "postings")
    costs = _summed(
        connection,
        select(postings.c.client_id, postings.c.security, func.sum(postings.c.amount_paise))
        .where(postings.c.account == Account.STOCK_COST.value)
        .group_by(postings.c.client_id, postings.c.security),
        2,
        ("cost_paise",),
    )
    cached: _Figures = defaultdict(lambda: defaultdict(int))
    for row in rows:
        cached[row["client_id"], row["security"]]["cost_paise"] += row["cost_paise"]
    yield from _compared("holding", cached, costs, "postings")


def _lot_differences(connection: Connection) -> Iterable[str]:
    """Holdings against their open lots, and loans against the lots they were drawn for."""
    lots, holdings, funds, postings = table(LotRecord), table(HoldingRecord), table(Funds), table(Posting)
    derived: _Figures = defaultdict(lambda: defaultdict(int))
    loans: _Figures = defaultdict(lambda: defaultdict(int))
    for client_id, security, product, bucket, quantity, cost, loan in connection.execute(
        select(
            lots.c.client_id,
            lots.c.security,
            lots.c.product,
            lots.c.bucket,
            func.sum(lots.c.quantity_left),
            func.sum(lots.c.cost_left_paise),
            func.sum(lots.c.loan_left_paise),
        ).group_by(lots.c.client_id, lots.c.security, lots.c.product, lots.c.bucket)
    ):
        derived[client_id, security, product][bucket] += int(quantity)
        derived[client_id, security, product]["cost_paise"] += int(cost)
        loans[client_id][loan_account(product).value] += int(loan)
    names = (*(bucket.value for bucket in SHARE_BUCKETS), "cost_paise")
    rows = connection.execute(select(holdings)).mappings()
    stored = {_key(row): {name: row[name] for name in names} for row in rows}
    yield from _compared("holding", stored, derived, "lots")
    owed: _Figures = _summed(
        connection, select(funds.c.client_id, funds.c.mtf_loan_paise), 1, (Account.MTF_LOAN.value,)
    )
    of_the_day = select(postings.c.client_id, -func.sum(postings.c.amount_paise)).where(
        postings.c.account == Account.INTRADAY_LOAN.value
    )
    for client_id, loan in connection.execute(of_the_day.group_by(postings.c.client_id)):
        owed[client_id][Account.INTRADAY_LOAN.value] = int(loan)
    yield from _compared("client", owed, loans, "lots")


def _key(row: Mapping[Any, Any]) -> tuple[int, str, str]:
    return int(row["client_id"]), str(row["security"]), str(row["product"])
