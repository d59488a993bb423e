"""The classes of the typed core name the columns of their tables; what they leave out has a default."""

import dataclasses

import pytest

from data.records import field_names
from data.tables.books import Funds
from data.tables.columns import table
from data.tables.lots import ClosedLotRecord, LotRecord
from data.tables.orders import AttemptRecord, FillRecord, Order, RequestRecord
from engine.booking import fills, lots, order, requests

ROWS = [
    (Order, order.WorkingOrder, set()),
    (AttemptRecord, requests.Attempt, set()),
    (RequestRecord, requests.Request, set()),
    (FillRecord, fills.Fill, set()),
    (LotRecord, lots.Lot, {"traded_at", "trade_id"}),
    (ClosedLotRecord, lots.ClosedLot, set()),
    (Funds, fills.Purse, set()),
]


@pytest.mark.parametrize(("model", "row", "joined"), ROWS, ids=[model.__name__ for model, _, _ in ROWS])
def test_a_row_class_has_the_columns_of_its_table(model, row, joined):
    columns = {column.name: column for column in table(model).columns}
    named = {*field_names(row)} - joined
    assert named <= columns.keys()
    left_out = [columns[name] for name in columns.keys() - named]
    assert [column.name for column in left_out if not column.nullable and column.default is None] == []


def test_an_order_is_read_whole():
    named = {one.name for one in dataclasses.fields(order.WorkingOrder)}
    assert {column.name for column in table(Order).columns} - named == set()
