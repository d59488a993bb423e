"""A client's account as it is told by telephone: where its money went, its lots, what it has earned."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date

from msgspec import Struct

from brokers.contract import Tick
from data.money import BPS, half_up
from data.repositories.accounts.day_account import DayTrade, account_rows
from data.repositories.accounts.statement import (
    CashMove,
    Contributed,
    OpenLot,
    cash_moves,
    contributed,
    open_lots,
)
from engine.accounts.values import ClientValue
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

    The portfolio is cash and shares less loans. `total_net_paise` is the portfolio less what the client came
    with and paid in since, as the close tells it; what of it no open share carries is realised. Its
    percentage is of the capital that the client is sized on today.
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


def standing(
    client: ClientView, funds: FundsView, value: ClientValue, brought: Contributed
) -> AccountStanding:
    """What a client has by its balances, the prices of now, and what it has brought."""
    total = value.portfolio_paise - brought.paise
    loans = funds.mtf_loan_paise + funds.intraday_loan_paise
    return AccountStanding(
        cash_paise=funds.net_cash_paise + loans,
        shares_paise=value.value_paise,
        loans_paise=loans,
        realised_net_paise=total - value.unrealised_paise + brought.open_charges_paise,
        total_net_paise=total,
        capital_paise=client.capital_paise,
    )


class DayAccount(Struct, frozen=True):
    """A client's trading day as its books tell it, in paise: cash and loans as it began, and what moved them.

    `trades` are in the market's order. What a client came with counts as of before.
    """

    client_id: int
    cash_before_paise: int
    loan_before_paise: int
    trades: tuple[DayTrade, ...] = ()
    moves: tuple[CashMove, ...] = ()

    def lines(self) -> list[StatementLine]:
        """What moved its cash or loans, each with the balances after it."""
        return _running(self.moves, self.cash_before_paise, self.loan_before_paise)


class Statements:
    """What is read of one client's account beside the book."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    async def lines(self, client_id: int) -> list[StatementLine]:
        """Every line of a client's statement, oldest first, each with the balance after it."""
        async with self._kept.store.reader() as reader:
            return _running(await cash_moves(reader, client_id))

    async def of_day(self, client_ids: Collection[int], day: date) -> dict[int, DayAccount]:
        """A trading day of each of these clients' accounts, as the books have it."""
        async with self._kept.store.reader() as reader:
            rows = await account_rows(reader, day, client_ids)
        before = {one.client_id: one for one in rows.before}
        trades: dict[int, list[DayTrade]] = defaultdict(list)
        moves: dict[int, list[CashMove]] = defaultdict(list)
        for trade in rows.trades:
            trades[trade.client_id].append(trade)
        for move in rows.moves:
            moves[move.client_id].append(move)
        return {
            one: DayAccount(
                one,
                before[one].cash_paise if one in before else 0,
                before[one].loan_paise if one in before else 0,
                tuple(trades[one]),
                tuple(moves[one]),
            )
            for one in client_ids
        }

    async def lots(self, client_id: int) -> list[OpenLot]:
        """The lots of which a client has something left, by symbol and day."""
        async with self._kept.store.reader() as reader:
            return await open_lots(reader, client_id)

    async def contributed(self, client_id: int) -> Contributed:
        """What a client brought less what it took, and the charges of the shares that it still has."""
        async with self._kept.store.reader() as reader:
            return await contributed(reader, client_id)


def _running(moves: Sequence[CashMove], balance: int = 0, loan: int = 0) -> list[StatementLine]:
    lines: list[StatementLine] = []
    for move in moves:
        balance += move.cash_paise
        loan += move.loan_paise
        lines.append(StatementLine(move, balance, loan))
    return lines
