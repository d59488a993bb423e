"""Shares sold within the day that a client did not have: kept until they are bought back. SQL and no rule."""

import sqlite3
from dataclasses import asdict, dataclass

from brokers.contract import BrokerHolding
from data.reference.instruments import Instrument
from data.vocabulary import Product


@dataclass(slots=True)
class ShortRow:
    """What a client owes of a security in shares; what they were sold for, and the margin kept, in paise."""

    user_id: str
    security: str
    key: str
    quantity: int = 0
    proceeds_paise: int = 0
    margin_paise: int = 0


class Shorts:
    """The rows behind one connection. Callers hold the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def of(self, user_id: str, security: str, key: str) -> ShortRow:
        """A client's short of a security, one of no shares where there is none."""
        found = self._where("user_id = ? AND security = ?", (user_id, security))
        return found[0] if found else ShortRow(user_id, security, key)

    def of_user(self, user_id: str) -> list[ShortRow]:
        """All shorts of a client."""
        return self._where("user_id = ?", (user_id,))

    def all(self) -> list[ShortRow]:
        """Every client's shorts."""
        return self._where("1", ())

    def _where(self, clause: str, given: tuple[str, ...]) -> list[ShortRow]:
        rows = self._db.execute(
            "SELECT user_id, security, key, quantity, proceeds_paise, margin_paise FROM short"
            f" WHERE {clause} ORDER BY user_id, security",
            given,
        )
        return [ShortRow(*row) for row in rows]

    def save(self, row: ShortRow) -> None:
        """Store a short; one that is bought back whole is forgotten."""
        if row.quantity:
            self._db.execute(
                "INSERT INTO short VALUES (:user_id, :security, :key, :quantity, :proceeds_paise,"
                " :margin_paise) ON CONFLICT (user_id, security) DO UPDATE SET quantity = excluded.quantity,"
                " proceeds_paise = excluded.proceeds_paise, margin_paise = excluded.margin_paise",
                asdict(row),
            )
        else:
            given = (row.user_id, row.security)
            self._db.execute("DELETE FROM short WHERE user_id = ? AND security = ?", given)


def as_holding(row: ShortRow, instrument: Instrument) -> BrokerHolding:
    """A short in the contract's shape: a position of no shares that owes some."""
    return BrokerHolding(
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        isin=instrument.isin,
        product=Product.MIS,
        free=0,
        t1=0,
        today=0,
        blocked=0,
        pledged=0,
        cost_paise=0,
        short=row.quantity,
        short_paise=row.proceeds_paise,
    )
