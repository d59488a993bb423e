"""The change of trading day: settlement of shares and proceeds, charges collected, sizing bases frozen."""

from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from data.audit import AuditEntry
from data.ledger import Line, ShareLine, Transfer, post
from data.store import Unit
from data.tables import Client, Funds, Holding, Lot, Meta, Posting, SizingBase, Txn, table
from data.vocabulary import Account, Bucket
from engine.parts import Parts

LAST_DAY = "last_trading_day"
"""The meta row that says for which day the books have been opened."""


def roll_day(unit: Unit, parts: Parts) -> bool:
    """Open the books for the market's trading day, once however often it is called; gives whether it did.

    Yesterday's T1 shares and unsettled proceeds settle, today's become T1 (rolling T+1, SEBI), charges due
    are collected as far as the cash goes, and each client's capital becomes the day's sizing base.
    """
    day = parts.market_clock.trading_day
    meta = table(Meta)
    last = unit.connection.execute(select(meta.c.value).where(meta.c.name == LAST_DAY)).scalar_one_or_none()
    if last is not None and date.fromisoformat(last) >= day:
        return False
    if last is None:
        unit.connection.execute(insert(meta), {"name": LAST_DAY, "value": day.isoformat()})
    else:
        unit.connection.execute(update(meta).where(meta.c.name == LAST_DAY).values(value=day.isoformat()))
        _settle(unit, day, date.fromisoformat(last))
    _freeze_bases(unit, day)
    unit.audit(
        AuditEntry("DAY_OPENED", parts.actor, details={"trading_day": day.isoformat(), "before": last})
    )
    unit.touched.everything = True
    return True


def _settle(unit: Unit, day: date, last: date) -> None:
    holdings, funds, lots = table(Holding), table(Funds), table(Lot)
    pending = _sold_on(unit, last)
    transfers: list[Transfer] = []
    for row in unit.connection.execute(
        select(holdings).where((holdings.c.today > 0) | (holdings.c.t1 > 0))
    ).mappings():
        transfers.append(_settled_shares(row, day))
    for bucket, after in ((Bucket.T1, Bucket.FREE), (Bucket.TODAY, Bucket.T1)):
        unit.connection.execute(update(lots).where(lots.c.bucket == bucket.value).values(bucket=after.value))
    for row in unit.connection.execute(
        select(funds).where((funds.c.unsettled_paise > 0) | (funds.c.charges_due_paise > 0))
    ).mappings():
        unsettled = row["unsettled_paise"] - max(0, pending.get(row["client_id"], 0))
        due = row["charges_due_paise"]
        collected = min(due, row["available_paise"] + unsettled)
        lines = [
            Line(Account.UNSETTLED, -unsettled),
            Line(Account.CHARGES_DUE, collected),
            Line(Account.AVAILABLE, unsettled - collected),
        ]
        lines = [line for line in lines if line.amount_paise]
        transfers.append(Transfer(row["client_id"], "settle", day, lines, evidence=f"day:{day.isoformat()}"))
    post(unit, transfers)


def _sold_on(unit: Unit, day: date) -> dict[int, int]:
    """Unsettled proceeds by client of the day that has just ended: they settle a day later."""
    postings, txns = table(Posting), table(Txn)
    rows = unit.connection.execute(
        select(postings.c.client_id, func.sum(postings.c.amount_paise))
        .join(txns, txns.c.id == postings.c.txn_id)
        .where(
            txns.c.trading_date == day,
            txns.c.kind == "fill",
            postings.c.account == Account.UNSETTLED.value,
        )
        .group_by(postings.c.client_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _settled_shares(row: Any, day: date) -> Transfer:
    moves = [
        (Bucket.TODAY, -row["today"]),
        (Bucket.T1, row["today"] - row["t1"]),
        (Bucket.FREE, row["t1"]),
    ]
    shares = [ShareLine(row["security"], row["product"], bucket, n) for bucket, n in moves if n]
    return Transfer(row["client_id"], "settle", day, shares=shares, evidence=f"day:{day.isoformat()}")


def _freeze_bases(unit: Unit, day: date) -> None:
    clients, bases = table(Client), table(SizingBase)
    have = select(bases.c.client_id).where(bases.c.trading_date == day)
    rows = unit.connection.execute(
        select(clients.c.id, clients.c.capital_paise).where(clients.c.id.not_in(have))
    )
    unit.insert(
        SizingBase,
        [
            {"client_id": row[0], "trading_date": day, "capital_paise": row[1], "source": "day_open"}
            for row in rows
        ],
    )
