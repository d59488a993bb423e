"""A figure that a screen and a command both show has the same digits in both."""

from collections.abc import Callable, Mapping

import pytest

from data.vocabulary import Product, Side, SizingKind, WatchColumn
from engine.words import formats
from screens.desk import client_rows
from screens.desk import rows as desk_rows
from screens.orders.rows import order_columns
from screens.positions import rows as position_rows
from tests.desks import MISSION_PINS, buy, by_phone, carry_out, paper_desk, until
from tradedesk.cli.views import values
from tradedesk.cli.views.market import quote_shape
from tradedesk.cli.views.orders import order_shape
from tradedesk.cli.views.people.clients import client_shape, funds_shape, holding_shape

ROHAN = 8
ODD = {**MISSION_PINS, "RELIANCE": (245050, 239525), "TCS": (249990, 250000), "INFY": (150010, 149930)}
"""Prices whose changes lie on halves and below a tick, where two ways to round part."""

Figure = tuple[str, Callable[..., str]]
Pairs = Mapping[str, Figure]
"""For each of a screen's columns, the key of the command's figure and the format of such a figure."""


def sparse(words: Callable[[int], str]) -> Callable[[int], str]:
    """A figure whose zero is left out."""
    return lambda number: formats.or_blank(words, number)


QUOTES: Pairs = {
    "ltp": ("ltp_paise", formats.price),
    "change": ("change_bps", formats.signed_percent),
    "high": ("high_paise", formats.price),
    "low": ("low_paise", formats.price),
    "volume": ("volume", formats.volume),
}
HOLDINGS: Pairs = {
    "symbol": ("symbol", str),
    "product": ("product", str),
    "sellable": ("sellable", sparse(formats.quantity)),
    "blocked": ("blocked", sparse(formats.quantity)),
    "today": ("today", sparse(formats.quantity)),
    "average": ("average_paise", formats.price),
    "last": ("ltp_paise", formats.price),
    "day": ("day_pnl_paise", sparse(formats.signed)),
    "open": ("unrealised_paise", sparse(formats.signed)),
}
CLIENTS: Pairs = {
    "broker": ("broker", str),
    "code": ("code", str),
    "name": ("name", str),
    "capital": ("capital_paise", formats.lakh),
    "available": ("available_paise", formats.rupees),
    "blocked": ("blocked_paise", sparse(formats.rupees)),
    "groups": ("groups", ", ".join),
}
ORDERS: Pairs = {
    "code": ("code", str),
    "side": ("side", str),
    "symbol": ("symbol", str),
    "product": ("product", str),
    "quantity": ("quantity", formats.quantity),
    "filled": ("filled_quantity", sparse(formats.quantity)),
    "average": ("average_paise", lambda paise: "" if paise is None else formats.price(paise)),
    "trigger": ("trigger_paise", lambda paise: "" if paise is None else formats.price(paise)),
    "number": ("broker_order_id", lambda number: number or ""),
    "run": ("run", lambda number: str(number or "")),
}

ON_SCREEN_ALONE = {
    "quotes": {"symbol", "day", "bid", "ask", "open", "prev", "age"},
    "holdings": {"quantity", "change"},  # the first shows the broker's count beside ours where they differ
    "clients": {"gate", "mtf", "worth", "net", "gross", "charges", "live", "guard"},
    "orders": {"time", "name", "broker", "price", "last", "away", "value", "state", "why"},
}
"""Columns that no command has as one figure of the same thing."""


def compared(columns, row, told: Mapping[str, object], pairs: Pairs, what: str) -> None:
    assert {column.key for column in columns} == pairs.keys() | ON_SCREEN_ALONE[what]
    shown = {column.key: column.cell(row) for column in columns if column.key in pairs}
    assert shown == {key: words(told[name]) for key, (name, words) in pairs.items()}


@pytest.mark.parametrize("broker_has_fewer", [False, True])
async def test_screens_and_commands_show_the_same_digits(tmp_path, broker_has_fewer):
    def masked():
        return False

    async with paper_desk(tmp_path, pins=ODD) as desk:
        for number, product in enumerate((Product.CNC, Product.MTF), start=7):
            intent = buy("RELIANCE", SizingKind.FIXED_QUANTITY, number, ROHAN, product=product, again=True)
            await carry_out(desk, intent)
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 3, ROHAN, limit_paise=140000))
        if broker_has_fewer:
            by_phone(desk, ROHAN, Side.SELL, 3, symbol="RELIANCE")
            await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=2)
        for key in ("NSE:RELIANCE", "NSE:TCS", "NSE:INFY"):
            await desk.plans.prepare(key, [])  # a price that is young
            compared(
                desk_rows.watch_columns(desk, tuple(WatchColumn)),
                key,
                values(quote_shape(desk, key)),
                QUOTES,
                "quotes",
            )

        holdings = {(one.client_id, one.key, one.product.value): one for one in desk.holdings.of(ROHAN)}
        columns = position_rows.holding_columns(desk, holdings, masked, with_client=False)
        assert len(holdings) >= 2
        for row, holding in holdings.items():
            compared(columns, row, values(holding_shape(desk, holding)), HOLDINGS, "holdings")

        for client in desk.clients.all():
            columns = client_rows.client_columns(desk, {}, masked)
            told = values(client_shape(desk, client))
            compared(
                columns,
                client.id,
                told | {"capital_paise": told["capital_paise"] or None},
                CLIENTS,
                "clients",
            )
            assert (
                told.items()
                >= {
                    name: value
                    for name, value in values(funds_shape(desk, desk.funds.of(client.id))).items()
                    if name in told
                }.items()
            )

        for order in desk.orders.all():
            columns = order_columns(desk, masked)
            compared(columns, order.id, values(order_shape(desk, order)), ORDERS, "orders")
