"""Open lots under the names by which their shares are held now, as several queries read them."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from data.repositories.base import named_as
from data.tables.books import HoldingRecord
from data.tables.columns import table
from data.tables.lots import LotRecord

LOTS, HELD = table(LotRecord), table(HoldingRecord)


def lots_as(row: type[Any], **made: ColumnElement[Any]) -> Select[Any]:
    """Lots with their holding, as such rows: key, symbol, what is left of shares, cost and loan (paise)."""
    named = named_as(
        row,
        LOTS,
        key=HELD.c.exchange + ":" + HELD.c.tradingsymbol,
        tradingsymbol=HELD.c.tradingsymbol,
        quantity=LOTS.c.quantity_left,
        cost_paise=LOTS.c.cost_left_paise,
        loan_paise=LOTS.c.loan_left_paise,
        **made,
    )
    same = (HELD.c.security == LOTS.c.security) & (HELD.c.product == LOTS.c.product)
    return select(*named).join_from(LOTS, HELD, (HELD.c.client_id == LOTS.c.client_id) & same)
