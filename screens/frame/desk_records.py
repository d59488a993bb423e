"""The tables of the desk as rows for a file: clients, orders, trades, funds; of those in view, or of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import rupees_of
from data.vocabulary import ExportWhat
from engine.words.privacy import unless_private
from screens.frame.records import Record, client_record, order_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk


def desk_records(desk: Desk, what: ExportWhat, ids: Sequence[int] | None = None) -> list[Record]:
    """A row for each: of clients and funds by these clients' ids, of orders and trades by these orders'.

    Without ids those of the whole desk: clients that are not closed, and orders of today and those that live.
    """
    if what in (ExportWhat.CLIENTS, ExportWhat.FUNDS):
        of = client_record if what is ExportWhat.CLIENTS else funds_record
        clients = [client.id for client in desk.clients.all()] if ids is None else ids
        return [of(desk, client_id) for client_id in clients]
    orders = [order.id for order in desk.orders.all()] if ids is None else ids
    traded = what is ExportWhat.TRADES
    return [order_record(desk, one) for one in orders if not traded or desk.orders.get(one).filled_quantity]


def funds_record(desk: Desk, client_id: int) -> Record:
    """A client's balances, in rupees."""
    client, funds = desk.clients.get(client_id), desk.funds.of(client_id)
    money = {
        "available": funds.available_paise,
        "blocked": funds.blocked_paise,
        "held": funds.held_paise,
        "unsettled": funds.unsettled_paise,
        "charges due": funds.charges_due_paise,
        "mtf limit": funds.mtf_limit_paise,
        "mtf loan": funds.mtf_loan_paise,
        "mtf reserved": funds.mtf_reserved_paise,
        "shortfall": funds.shortfall_paise,
    }
    who = {"code": client.code, "client": unless_private(client.name), "broker": client.broker}
    return who | {name: unless_private(f"{rupees_of(paise):.2f}") for name, paise in money.items()}
