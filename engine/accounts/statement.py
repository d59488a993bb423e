"""A client's account as it is told by telephone: where its money went, its lots, what it has earned."""

from collections.abc import Sequence

from msgspec import Struct

from brokers.contract import Tick
from data.money import BPS, half_up
from data.repositories.accounts.statement import CashMove, Earned, OpenLot, cash_moves, earned, open_lots
from engine.accounts.valuation import ClientValue
from engine.book.kept import Kept
from engine.book.views import ClientView, FundsView


class StatementLine(Struct, frozen=True):
    """One line of a statement: what moved, and cash and loans after it, in paise."""

    move: CashMove
    balance_paise: int
    loan_paise: int


class LotWorth(Struct, frozen=True):
    """What a lot is worth now, in paise; its gain is None without a price.

    `average_paise` is half up, `own_paise` what of its cost is not lent.
    """

    average_paise: int
    own_paise: int
    last_paise: int | None
    unrealised_paise: int | None


def lot_worth(lot: OpenLot, quote: Tick | None) -> LotWorth:
    """A lot at the last price."""
    last = None if quote is None or quote.last_paise <= 0 else quote.last_paise
    return LotWorth(
        average_paise=half_up(lot.cost_paise, lot.quantity),
        own_paise=lot.cost_paise - lot.loan_paise,
        last_paise=last,
        unrealised_paise=None if last is None else lot.quantity * last - lot.cost_paise,
    )


class AccountStanding(Struct, frozen=True):
    """What a client has, and what it has earned, in paise.

    The portfolio is cash and shares less loans. `total_net_paise` is realised and unrealised profit, all
    charges taken off; its percentage is of the capital that the client is sized on today.
    """

    cash_paise: int
    shares_paise: int
    loans_paise: int
    realised_net_paise: int
    total_net_paise: int
    capital_paise: int

    @property
    def total_bps(self) -> int | None:
        """The total in basis points of the capital; None without one."""
        return half_up(self.total_net_paise * BPS, self.capital_paise) if self.capital_paise else None


def standing(client: ClientView, funds: FundsView, value: ClientValue, of_sales: Earned) -> AccountStanding:
    """What a client has by its balances, the prices of now, and what its sales have brought."""
    loans = funds.mtf_loan_paise + funds.intraday_loan_paise
    return AccountStanding(
        cash_paise=funds.net_cash_paise + loans,
        shares_paise=value.value_paise,
        loans_paise=loans,
        realised_net_paise=of_sales.realised_net_paise,
        total_net_paise=of_sales.realised_net_paise + value.unrealised_paise - of_sales.open_charges_paise,
        capital_paise=client.capital_paise,
    )


class Statements:
    """What is read of one client's account beside the book."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def lines(self, client_id: int) -> list[StatementLine]:
        """Every line of a client's statement, oldest first, each with the balance after it."""
        async with self._kept.store.reader() as reader:
            return _running(await cash_moves(reader, client_id))

    async def lots(self, client_id: int) -> list[OpenLot]:
        """The lots of which a client has something left, by symbol and day."""
        async with self._kept.store.reader() as reader:
            return await open_lots(reader, client_id)

    async def earned(self, client_id: int) -> Earned:
        """What a client's sales have brought, and the charges of the shares that it still has."""
        async with self._kept.store.reader() as reader:
            return await earned(reader, client_id)


def _running(moves: Sequence[CashMove]) -> list[StatementLine]:
    lines: list[StatementLine] = []
    balance = loan = 0
    for move in moves:
        balance += move.cash_paise
        loan += move.loan_paise
        lines.append(StatementLine(move, balance, loan))
    return lines
