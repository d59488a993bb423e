"""What books on a server have of orders, trades and money, to be held to the broker's own ledger."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from data.engines.driver import fetch
from data.engines.postgres import PostgresBooks
from data.vocabulary import OrderState

NEVER_THERE = (OrderState.DENIED, OrderState.NOT_RECEIVED, OrderState.REJECTED, OrderState.RESERVED)
"""States of orders that the broker need not know of."""


class KeptOrder(Struct, frozen=True):
    """An order as the books have it, with the tags of all its attempts."""

    id: int
    state: OrderState
    broker_order_id: str
    filled: int
    tags: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether the books say that the broker has it."""
        if self.state is OrderState.CANCELLED:
            return bool(self.broker_order_id)
        return self.state not in NEVER_THERE


class KeptBooks(Struct, frozen=True):
    """All of them, as of one moment.

    Fills are trade id, broker's order id, shares and paise. Cash is by user id: money, money that has not
    settled, and the loan, each in paise.
    """

    orders: Sequence[KeptOrder]
    fills: Sequence[tuple[str, str, int, int]]
    cash: Mapping[str, tuple[int, int, int]]


def kept_books(books: PostgresBooks) -> KeptBooks:
    """They, as of one moment; it blocks."""
    return books.read(_kept)


def _kept(connection: Connection) -> KeptBooks:
    tags = dict[int, list[str]]()
    for order_id, tag in fetch(connection, "SELECT order_id, tag FROM attempt ORDER BY order_id, number"):
        tags.setdefault(int(order_id), []).append(str(tag))
    orders = [
        KeptOrder(int(one), OrderState(state), str(there or ""), int(filled), tuple(tags.get(int(one), ())))
        for one, state, there, filled in fetch(
            connection, "SELECT id, state, broker_order_id, filled_quantity FROM orders ORDER BY id"
        )
    ]
    fills = [
        (str(trade), str(there), int(quantity), int(paise))
        for trade, there, quantity, paise in fetch(
            connection,
            "SELECT trade_id, broker_order_id, quantity, price_paise FROM fill"
            " WHERE quantity <> 0 ORDER BY id",
        )
    ]
    cash = {
        str(user): (int(money), int(waiting), int(loan))
        for user, money, waiting, loan in fetch(
            connection,
            "SELECT c.broker_user_id, f.available_paise + f.blocked_paise - f.shortfall_paise,"
            " f.unsettled_paise, f.mtf_loan_paise FROM funds f JOIN client c ON c.id = f.client_id",
        )
    }
    return KeptBooks(orders, fills, cash)
