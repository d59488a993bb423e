"""What is written of a day's charges: by how much the contract note's differ from those booked at fill.

The close does it, and the opening of the next day where none did; whatever is written already is not again.
"""

from collections.abc import Collection
from datetime import date

from data.ledger import Line, Transfer, post
from data.reference.dated import RatesNotLoaded
from data.repositories.close.figures import traded_day
from data.repositories.close.stored import adopted_since
from data.store import Unit
from data.vocabulary import Account, TransferKind
from engine.close.figures import charges_of_day, left_by_client, traded_by_client


def book_rerated(unit: Unit, day: date, today: date, clients: Collection[int] | None = None) -> int:
    """Book it as due, which the next opening collects, for these clients or all; returns of how many.

    Where a later day's opening has brought the client's cash to the broker's, the broker has taken it: what
    is due is ended against that adopted difference. A day before the tables of rates stays as it was booked.
    """
    read = traded_day(unit, day)
    of = (one for one in read.traded if clients is None or one.client_id in clients)
    booked = {one.client_id: one.amount_paise for one in read.rerated}
    left = left_by_client(read.left_demat)
    more: dict[int, int] = {}
    for client_id, orders in traded_by_client(of).items():
        try:
            noted = charges_of_day(
                day, read.brokers[client_id], orders, left.get(client_id, {}), read.gross.__contains__
            )
        except RatesNotLoaded:
            return 0
        beyond = noted.total_paise - sum(one.charges_paise for one in orders) - booked.get(client_id, 0)
        if beyond:
            more[client_id] = beyond
    taken = adopted_since(unit, day, list(more))
    transfers: list[Transfer] = []
    for client_id, paise in more.items():
        evidence = f"contract_note:{day.isoformat()}"
        lines = [Line(Account.CHARGES, paise), Line(Account.CHARGES_DUE, -paise)]
        transfers.append(Transfer(client_id, TransferKind.RERATE, day, lines, evidence=evidence))
        if client_id in taken:
            lines = [Line(Account.CHARGES_DUE, paise), Line(Account.EXTERNAL, -paise)]
            transfers.append(Transfer(client_id, TransferKind.RERATE, today, lines, evidence=evidence))
    post(unit, transfers)
    return len(more)
