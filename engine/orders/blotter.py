"""The blotter: every order of the day, each one's life, and cancelling by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, select

from data.money import BadInput
from data.store import StoreError, Unit
from data.tables import Attempt, Audit, Fill, Posting, Request, Txn, table
from engine.accounts.views import OrderView
from engine.orders.cancels import Asked, Canceller, ask
from engine.parts import Parts

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class OrderLife:
    """All that is stored of one order, as rows to show."""

    order: OrderView
    attempts: Rows
    requests: Rows
    fills: Rows
    postings: Rows
    audit: Rows


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What a cancel did at once: asked of the broker, freed unsent, and ended before it came."""

    asked: int
    freed_unsent: int
    ended: tuple[int, ...]


class Orders:
    """The orders of all clients."""

    def __init__(self, parts: Parts, canceller: Canceller) -> None:
        self._parts = parts
        self._canceller = canceller

    def all(
        self,
        live: bool | None = None,
        client_id: int | None = None,
        run: int | None = None,
        key: str | None = None,
    ) -> list[OrderView]:
        """Orders by the given marks, live ones first, then the newest."""
        book = self._parts.book
        ids = book.orders_of_run.get(run, set()) if run is not None else book.live if live else book.orders
        found = [
            order
            for order in (book.orders[order_id] for order_id in ids)
            if (live is None or order.live == live)
            and (client_id is None or order.client_id == client_id)
            and (key is None or order.key == key)
        ]
        return sorted(found, key=lambda order: (not order.live, -order.id))

    def get(self, order_id: int) -> OrderView:
        """One order. Raises `BadInput` for an unknown number."""
        order = self._parts.book.orders.get(order_id)
        if order is None:
            raise BadInput("order", order_id, "no order of today or still live has this number")
        return order

    def needs_me(self) -> list[OrderView]:
        """Orders a trader should look at: UNKNOWN, rejected or denied, partly filled, or flagged."""
        book = self._parts.book
        found = [book.orders[order_id] for order_id in book.attention]
        return sorted(found, key=lambda order: (not order.live, -order.id))

    async def life(self, order_id: int) -> OrderLife:
        """Everything stored of one order, oldest first."""
        order = self.get(order_id)
        attempts, requests, fills = table(Attempt), table(Request), table(Fill)
        txns, postings, audit = table(Txn), table(Posting), table(Audit)
        return OrderLife(
            order=order,
            attempts=await self._rows(
                select(attempts).where(attempts.c.order_id == order_id).order_by(attempts.c.number)
            ),
            requests=await self._rows(
                select(requests).where(requests.c.order_id == order_id).order_by(requests.c.number)
            ),
            fills=await self._rows(select(fills).where(fills.c.order_id == order_id).order_by(fills.c.id)),
            postings=await self._rows(
                select(
                    txns.c.id,
                    txns.c.kind,
                    txns.c.at,
                    txns.c.evidence,
                    postings.c.account,
                    postings.c.amount_paise,
                )
                .join(postings, postings.c.txn_id == txns.c.id)
                .where(txns.c.order_id == order_id)
                .order_by(txns.c.id, postings.c.line)
            ),
            audit=await self._rows(select(audit).where(audit.c.order_id == order_id).order_by(audit.c.seq)),
        )

    async def _rows(self, query: Executable) -> Rows:
        async with self._parts.store.reader() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def cancel(self, order_ids: Sequence[int], why: str = "by hand") -> CancelResult:
        """Ask for live orders to be cancelled; unsent ones are freed at once.

        Raises `BadInput`, and `StoreError` when it could not be written; the cancels were sent even so.
        """
        for order_id in order_ids:
            self.get(order_id)

        def unit_of_work(unit: Unit) -> Asked:
            return ask(unit, order_ids, why, self._parts.actor)

        try:
            asked = await self._parts.store.write(unit_of_work)
        except StoreError as problem:
            taken = await self._canceller.without_store(order_ids)
            raise type(problem)(f"{problem}; the brokers took {taken} cancels all the same") from problem
        self._canceller.carry_out(asked.requests)
        return CancelResult(len(asked.requests), len(asked.freed), asked.ended)
