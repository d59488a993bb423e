"""The shape of what is held, client by client, with stocks or sectors across."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.accounts.held import Across, column_by, held_across

if TYPE_CHECKING:
    from engine.accounts.held import HeldRow
    from engine.desk import Desk


class MatrixColumnShape(Struct, frozen=True):
    """A column and the stocks in it: itself, or those of a sector."""

    name: str
    keys: list[str]


class MatrixCellShape(Struct, frozen=True):
    """A client's part in a column; `ordered` and `filled` are today's shares. P&L is null without a price."""

    column: str
    quantity: int
    value_paise: int
    weight_bps: int
    net_day_pnl_paise: int | None
    ordered: int
    filled: int


class MatrixRowShape(Struct, frozen=True):
    """A client with the cells in which it holds or ordered anything."""

    client_id: int
    code: str
    name: str
    portfolio_paise: int
    net_day_pnl_paise: int | None
    cells: list[MatrixCellShape]


class MatrixShape(Struct, frozen=True):
    """What workspace 5 shows while no basket is planned, with every figure that its cells can turn to."""

    across: Across
    columns: list[MatrixColumnShape]
    rows: list[MatrixRowShape]


def matrix_shape(desk: Desk, across: Across) -> MatrixShape:
    """What is held now."""

    def sector_of(key: str) -> str:
        instrument = desk.market.index.get(key)
        return instrument.sector if instrument is not None else ""

    found = held_across(
        desk.clients.all(),
        desk.holdings.all(),
        desk.orders.all(today=True),
        desk.valuation,
        column_by(across, sector_of),
    )
    columns = [MatrixColumnShape(name, sorted(keys)) for name, keys in found.columns.items()]
    return MatrixShape(across, columns, [_row(desk, row, list(found.columns)) for row in found.rows.values()])


def _row(desk: Desk, row: HeldRow, columns: list[str]) -> MatrixRowShape:
    value = desk.valuation.client(row.client_id)
    cells = [_cell(desk, row, name) for name in columns if name in row.held or name in row.orders]
    portfolio, net = value.portfolio_paise, value.net_day_pnl_paise
    return MatrixRowShape(row.client_id, row.code, row.name, portfolio, net, cells)


def _cell(desk: Desk, row: HeldRow, column: str) -> MatrixCellShape:
    together, orders = desk.valuation.together(row.held.get(column, ())), row.orders.get(column, ())
    return MatrixCellShape(
        column=column,
        quantity=together.quantity,
        value_paise=together.value_paise,
        weight_bps=row.weight_bps(column, desk.valuation),
        net_day_pnl_paise=together.net_day_pnl_paise,
        ordered=sum(order.quantity for order in orders),
        filled=sum(order.filled_quantity for order in orders),
    )
