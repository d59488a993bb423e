"""Charges of an order, estimated from dated rate tables.

The rates stand in `seed/rates.toml`. An estimate speaks of one order as if nothing else were traded
that day: delivery or intraday follows the product, and each line is rounded up to the paisa so that a
reservation made from it is never short.
"""

import tomllib
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files

from msgspec import Struct
from msgspec.structs import astuple
from pydantic import BaseModel, ConfigDict

from data.errors import BadInput
from data.money import ceil_div
from data.reference.dated import DatedRow, RowT, row_on
from data.vocabulary import Product, Side

RATE_SCALE = 10**12
"""Rates are held as integers of this denominator: a percentage with ten decimals stays exact."""

_DEFAULT_BROKER = "zerodha"
"""Whose table the paper broker and unknown brokers use."""


class Charges(Struct, frozen=True, gc=False):
    """The charges of one order by line, in paise. `dp_paise` includes its own GST, and pledges of a day."""

    brokerage_paise: int = 0
    stt_paise: int = 0
    exchange_paise: int = 0
    sebi_paise: int = 0
    stamp_paise: int = 0
    gst_paise: int = 0
    dp_paise: int = 0

    @property
    def total_paise(self) -> int:
        """The sum of all lines."""
        return (
            self.brokerage_paise
            + self.stt_paise
            + self.exchange_paise
            + self.sebi_paise
            + self.stamp_paise
            + self.gst_paise
            + self.dp_paise
        )


def charges_together(every: Iterable[Charges]) -> Charges:
    """Several orders' charges as one, each kind summed."""
    each = [astuple(one) for one in every]
    return Charges(*map(sum, zip(*each, strict=True))) if each else Charges()


@lru_cache(maxsize=8192)  # of one order it is asked when it is planned, reserved, read and filled
def estimate(
    on: date,
    broker: str,
    exchange: str,
    product: Product,
    side: Side,
    notional_paise: int,
    *,
    demat_sale: bool = False,
) -> Charges:
    """Charges of an order whose fills together are worth `notional_paise` on the trading date `on`.

    `demat_sale` adds the depository's fee, which is due once per security and day when shares leave the
    demat account; it counts for a sell that is not intraday. Never falls when the notional grows, and is
    zero for zero. Raises `RatesNotLoaded` for a date before the tables, `BadInput` for an exchange without
    a table or a negative notional.
    """
    if notional_paise < 0:
        raise BadInput("notional", notional_paise, "give an order value of zero or more")
    rates = rates_of(on, broker, exchange, product, side)
    if notional_paise == 0:
        return Charges()
    brokerage = max(_share(notional_paise, rates.brokerage), rates.brokerage_floor_paise)
    if rates.brokerage_cap_paise is not None:
        brokerage = min(brokerage, rates.brokerage_cap_paise)
    if rates.brokerage_ceiling is not None:
        brokerage = min(brokerage, _share(notional_paise, rates.brokerage_ceiling))
    exchange_fee = _share(notional_paise, rates.exchange)
    sebi = _share(notional_paise, rates.sebi)
    depository = 0
    if demat_sale:
        small = notional_paise < rates.dp_small_sale_below_paise
        depository = rates.dp_small_sale_paise if small else rates.dp_paise
    return Charges(
        brokerage_paise=brokerage,
        stt_paise=_share(notional_paise, rates.stt),
        exchange_paise=exchange_fee,
        sebi_paise=sebi,
        stamp_paise=_share(notional_paise, rates.stamp),
        gst_paise=_share(brokerage + exchange_fee + sebi, rates.gst),
        dp_paise=depository,
    )


def _share(amount_paise: int, rate: int) -> int:
    return ceil_div(amount_paise * rate, RATE_SCALE)


# --- the tables ---------------------------------------------------------------------------------------


class _RateModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SideRates(DatedRow):
    delivery_buy_percent: Decimal
    delivery_sell_percent: Decimal
    intraday_buy_percent: Decimal
    intraday_sell_percent: Decimal

    def percent(self, product: Product, side: Side) -> Decimal:
        if product is Product.MIS:
            return self.intraday_buy_percent if side is Side.BUY else self.intraday_sell_percent
        return self.delivery_buy_percent if side is Side.BUY else self.delivery_sell_percent


class _FlatRate(DatedRow):
    percent: Decimal


class _ExchangeRate(DatedRow):
    exchange: str
    transaction_percent: Decimal
    investor_protection_percent: Decimal


class _Brokerage(_RateModel):
    percent: Decimal
    floor_rupees: Decimal = Decimal(0)
    cap_rupees: Decimal | None = None
    ceiling_percent: Decimal | None = None


class _DepositoryFee(_RateModel):
    fee_rupees: Decimal
    small_sale_below_rupees: Decimal = Decimal(0)
    small_sale_fee_rupees: Decimal = Decimal(0)
    pledge_rupees: Decimal = Decimal(0)
    """Of a security bought on margin when it is pledged, and again when it is released for a sale."""


class _BrokerRates(DatedRow):
    broker: str
    cnc: _Brokerage
    mis: _Brokerage
    mtf: _Brokerage
    depository: _DepositoryFee


class _Tables(_RateModel):
    stt: tuple[_SideRates, ...]
    stamp: tuple[_SideRates, ...]
    sebi: tuple[_FlatRate, ...]
    gst: tuple[_FlatRate, ...]
    exchange: tuple[_ExchangeRate, ...]
    broker: tuple[_BrokerRates, ...]


@cache
def _tables() -> _Tables:
    text = (files("data.reference.seed") / "rates.toml").read_text(encoding="utf-8")
    return _Tables.model_validate(tomllib.loads(text, parse_float=Decimal))


class Rates(Struct, frozen=True):
    """All rates of one kind of order, as integers over `RATE_SCALE` and in paise."""

    brokerage: int
    brokerage_floor_paise: int
    brokerage_cap_paise: int | None
    brokerage_ceiling: int | None
    stt: int
    exchange: int
    sebi: int
    stamp: int
    gst: int
    dp_paise: int
    dp_small_sale_below_paise: int
    dp_small_sale_paise: int
    pledge_paise: int


@lru_cache(maxsize=512)
def rates_of(on: date, broker: str, exchange: str, product: Product, side: Side) -> Rates:
    """The rates of one kind of order on a day. Raises `RatesNotLoaded`, or `BadInput` for the exchange."""
    tables = _tables()
    known = {row.broker for row in tables.broker}
    broker_rates = _on(
        [row for row in tables.broker if row.broker == (broker if broker in known else _DEFAULT_BROKER)], on
    )
    exchange_rows = [row for row in tables.exchange if row.exchange == exchange]
    if not exchange_rows:
        names = sorted({row.exchange for row in tables.exchange})
        raise BadInput("exchange", exchange, f"rates are known for {', '.join(names)}")
    exchange_rate = _on(exchange_rows, on)
    gst = _fraction(_on(tables.gst, on).percent)
    rule = {Product.CNC: broker_rates.cnc, Product.MIS: broker_rates.mis, Product.MTF: broker_rates.mtf}[
        product
    ]
    leaves_demat = side is Side.SELL and product is not Product.MIS
    fee = broker_rates.depository if leaves_demat else _DepositoryFee(fee_rupees=Decimal(0))
    return Rates(
        brokerage=_fraction(rule.percent),
        brokerage_floor_paise=_paise(rule.floor_rupees),
        brokerage_cap_paise=None if rule.cap_rupees is None else _paise(rule.cap_rupees),
        brokerage_ceiling=None if rule.ceiling_percent is None else _fraction(rule.ceiling_percent),
        stt=_fraction(_on(tables.stt, on).percent(product, side)),
        exchange=_fraction(exchange_rate.transaction_percent + exchange_rate.investor_protection_percent),
        sebi=_fraction(_on(tables.sebi, on).percent),
        stamp=_fraction(_on(tables.stamp, on).percent(product, side)),
        gst=gst,
        dp_paise=_with_gst(fee.fee_rupees, gst),
        dp_small_sale_below_paise=_paise(fee.small_sale_below_rupees),
        dp_small_sale_paise=_with_gst(fee.small_sale_fee_rupees, gst),
        pledge_paise=_with_gst(broker_rates.depository.pledge_rupees, gst) if product is Product.MTF else 0,
    )


def _on(rows: Sequence[RowT], on: date) -> RowT:
    return row_on(rows, on, "rates are")


def _fraction(percent: Decimal) -> int:
    scaled = percent * RATE_SCALE / 100
    if scaled != scaled.to_integral_value():
        raise BadInput("rate", str(percent), "give a percentage with at most ten decimals")
    return int(scaled)


def _paise(rupees: Decimal) -> int:
    return int((rupees * 100).to_integral_exact())


def _with_gst(rupees: Decimal, gst: int) -> int:
    return ceil_div(_paise(rupees) * (RATE_SCALE + gst), RATE_SCALE)
