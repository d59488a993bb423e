"""The demonstration's market and clients, and the dated tables, as files inside the package.

Prices, margins and bands are illustrations for the paper exchange, never quotes; the clients are invented.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import as_file, files

from msgspec import Struct

from data.csvfiles import CsvRow, read_rows
from data.money import bps_from_percent_text, paise_from_text
from data.reference.instruments import TRADE_TO_TRADE_SERIES, BrokerInstrument
from data.vocabulary import ClientStatus, Product, SessionState

_LISTING_COLUMNS = (
    "symbol",
    "name",
    "token",
    "exchange",
    "segment",
    "tick",
    "prev_close",
    "open",
    "day_high",
    "day_low",
    "last",
    "volume",
    "fno",
)
_LISTING_OPTIONAL = (
    "sector",
    "isin",
    "series",
    "band_percent",
    "mtf_margin_percent",
    "mis_margin_percent",
    "index",
)

SHARE_COLUMNS = ("code", "symbol", "product", "quantity", "cost", "loan", "bought_on")
"""Of the file of shares that clients bring."""


class SeedListing(Struct, frozen=True):
    """An instrument of the paper exchange with its day so far: prices in paise, volume in shares.

    `index` names the index whose list it was taken from (`NIFTY50`, `NEXT50`, `MIDCAP100`), or is empty.
    """

    instrument: BrokerInstrument
    open_paise: int
    high_paise: int
    low_paise: int
    last_paise: int
    volume: int
    index: str = ""


class DemoClient(Struct, frozen=True):
    """A client of the demonstration.

    `available_paise` is free cash; `hold_paise` is kept for a payout on top of it. `status_since` is known
    for clients who are not active.
    """

    client_id: int
    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    status_reason: str
    status_since: date | None
    capital_paise: int
    available_paise: int
    hold_paise: int
    mtf_limit_paise: int
    groups: tuple[str, ...]
    phone: str
    session: SessionState


class DemoLot(Struct, frozen=True):
    """Shares that a client of the demonstration brings: what they cost in paise, and what of it is lent."""

    code: str
    symbol: str
    product: Product
    quantity: int
    cost_paise: int
    loan_paise: int
    bought_on: date


def universe() -> list[SeedListing]:
    """The paper exchange's shares and indices, in the order of their symbols, indices last."""
    return list(_universe())


def demo_clients() -> list[DemoClient]:
    """The demonstration's fifty clients, ids 1 to 50."""
    return list(_demo_clients())


def demo_lots() -> list[DemoLot]:
    """The shares that the demonstration's clients bring: with them each has the capital it is told of."""
    return list(_demo_lots())


@cache
def _universe() -> tuple[SeedListing, ...]:
    return tuple(_listing(row) for row in _rows("universe.csv", _LISTING_COLUMNS, _LISTING_OPTIONAL))


@cache
def _demo_clients() -> tuple[DemoClient, ...]:
    filled = ("code", "name", "broker", "broker_user_id", "status", "capital", "available", "hold", "session")
    optional = ("status_reason", "mtf_limit", "groups", "phone", "status_since")
    rows = _rows("clients.csv", filled, optional)
    return tuple(_client(client_id, row) for client_id, row in enumerate(rows, start=1))


@cache
def _demo_lots() -> tuple[DemoLot, ...]:
    return tuple(_lot(row.values) for row in _rows("shares.csv", SHARE_COLUMNS, ()))


def _rows(name: str, required: Sequence[str], optional: Sequence[str]) -> list[CsvRow]:
    with as_file(files("data.reference.seed") / name) as path:
        return read_rows(path, required, optional)


def _listing(row: CsvRow) -> SeedListing:
    values = row.values
    instrument = BrokerInstrument(
        token=values["token"],
        exchange=values["exchange"],
        tradingsymbol=values["symbol"],
        name=values["name"],
        tick_paise=paise_from_text(values["tick"], "tick"),
        isin=values["isin"],
        segment=values["segment"],
        series=values["series"],
        sector=values["sector"],
        mtf_margin_bps=_margin(values["mtf_margin_percent"]),
        mis_margin_bps=_margin(values["mis_margin_percent"]),
        fno=values["fno"] == "Y",
        band_bps=_margin(values["band_percent"]) or 0,
        trade_to_trade=values["series"] in TRADE_TO_TRADE_SERIES,
        prev_close_paise=paise_from_text(values["prev_close"], "prev_close"),
    )
    return SeedListing(
        instrument=instrument,
        open_paise=paise_from_text(values["open"], "open"),
        high_paise=paise_from_text(values["day_high"], "day_high"),
        low_paise=paise_from_text(values["day_low"], "day_low"),
        last_paise=paise_from_text(values["last"], "last"),
        volume=int(values["volume"]),
        index=values["index"],
    )


def _margin(text: str) -> int | None:
    return bps_from_percent_text(text) if text else None


def _client(client_id: int, row: CsvRow) -> DemoClient:
    values = row.values
    return DemoClient(
        client_id=client_id,
        code=values["code"],
        name=values["name"],
        broker=values["broker"],
        broker_user_id=values["broker_user_id"],
        status=ClientStatus(values["status"]),
        status_reason=values["status_reason"],
        status_since=date.fromisoformat(values["status_since"]) if values["status_since"] else None,
        capital_paise=paise_from_text(values["capital"], "capital"),
        available_paise=paise_from_text(values["available"], "available"),
        hold_paise=paise_from_text(values["hold"], "hold"),
        mtf_limit_paise=paise_from_text(values["mtf_limit"], "mtf_limit"),
        groups=tuple(group for group in values["groups"].split(";") if group),
        phone=values["phone"],
        session=SessionState(values["session"]),
    )


def _lot(values: Mapping[str, str]) -> DemoLot:
    return DemoLot(
        code=values["code"],
        symbol=values["symbol"],
        product=Product(values["product"]),
        quantity=int(values["quantity"]),
        cost_paise=paise_from_text(values["cost"], "cost"),
        loan_paise=paise_from_text(values["loan"], "loan"),
        bought_on=date.fromisoformat(values["bought_on"]),
    )


def demo_closes() -> Mapping[str, Mapping[date, int]]:
    """The closes of the paper exchange's shares and indices on 260 days before its first, in paise by key."""
    return _demo_closes()


@cache
def _demo_closes() -> Mapping[str, Mapping[date, int]]:
    text = (files("data.reference.seed") / "closes.csv").read_text(encoding="ascii")
    (_, *keys), *rows = [line.split(",") for line in text.splitlines()]
    days = [date.fromisoformat(row[0]) for row in rows]
    columns = list(zip(*rows, strict=True))[1:]
    return {
        key: dict(zip(days, map(int, column), strict=True)) for key, column in zip(keys, columns, strict=True)
    }
