"""Paise and prices: exact conversion at the edges, exact rounding inside."""

import re
from decimal import Decimal

from data.errors import BadInput

_FIGURE = re.compile(r"[+-]?[0-9,]*(\.[0-9]+)?(?<=[0-9,])")
"""Digits, commas and a decimal point; no exponents, no other scripts' digits."""

_GROUPED = re.compile(r"[1-9][0-9]?(,[0-9]{2})*,[0-9]{3}|[1-9][0-9]{0,2}(,[0-9]{3})+")
"""What stands before the decimal point where commas group it, the Indian way or the Western."""

_MOST_DIGITS = 12
"""Digits of the largest count that is taken."""

BPS = 10_000
"""Basis points in a whole."""


def grouped(number: int) -> str:
    """A whole number grouped the Indian way: 77,631 or 12,38,771."""
    digits = str(abs(number))
    head, tail = digits[:-3], digits[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ("-" if number < 0 else "") + ",".join([*groups, tail])


def amount_words(paise: int) -> str:
    """Paise in rupees with two decimals, grouped the Indian way: 1,86,974.35."""
    sign = "-" if paise < 0 else ""
    return f"{sign}{grouped(abs(paise) // 100)}.{abs(paise) % 100:02d}"


def rupees_of(paise: int) -> Decimal:
    """Paise as an exact decimal of rupees, for fields that a trader edits."""
    return Decimal(paise).scaleb(-2)


def decimal_from_text(text: str, field: str, expected: str) -> Decimal:
    """A finite decimal from text; every number that a person writes is read here.

    A comma groups (`1,00,000` or `100,000`) or is refused: where commas are decimal points, `2,5` is two
    and a half, and taking it for 25 would be ten times too much. Raises `BadInput` with what was `expected`.
    """
    figure = text.strip()
    if _FIGURE.fullmatch(figure) is None:
        raise BadInput(field, text, expected)
    whole = figure.lstrip("+-").partition(".")[0]
    if "," in whole and _GROUPED.fullmatch(whole) is None:
        raise BadInput(
            field, text, f"{expected}; a comma groups, as in 1,00,000 or 100,000, and decimals take a point"
        )
    return Decimal(figure.replace(",", ""))


def count_from_text(text: str, field: str) -> int:
    """A count such as `10` or `1,000`, from 0. Raises `BadInput`."""
    expected = "give a whole number, such as 10"
    number = decimal_from_text(text, field, expected)
    digits = text.strip().replace(",", "")
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise BadInput(field, text, expected)
    return int(number)


def paise_from_text(text: str, field: str = "amount") -> int:
    """Rupees as text, such as `2,450.50`, to integer paise. Raises `BadInput` beyond two decimals."""
    expected = "give rupees with at most two decimals, such as 2450.50"
    paise = decimal_from_text(text, field, expected) * 100
    if paise != paise.to_integral_value() or abs(paise) > 10**16:
        raise BadInput(field, text, expected)
    return int(paise)


def price_from_text(text: str, field: str = "price") -> int:
    """A price in rupees as text, to paise. Raises `BadInput` unless it is above zero."""
    paise = paise_from_text(text, field)
    if paise <= 0:
        raise BadInput(field, text, "give a price above zero, such as 2450.50")
    return paise


def bps_from_percent_text(text: str, field: str = "percent") -> int:
    """A percentage as text, such as `25` or `12.5`, to basis points. Raises `BadInput`."""
    expected = "give a percentage with at most two decimals, such as 25 or 12.5"
    figure = text.strip().removesuffix("%")
    if "," in figure:
        raise BadInput(field, text, f"{expected}, without a comma: decimals take a point")
    bps = decimal_from_text(figure, field, expected) * 100
    if bps != bps.to_integral_value() or abs(bps) > 10**9:
        raise BadInput(field, text, expected)
    return int(bps)


def ceil_div(numerator: int, denominator: int) -> int:
    """Integer division rounded up."""
    return -(-numerator // denominator)


def half_up(numerator: int, denominator: int) -> int:
    """Integer division rounded half away from zero, for display figures."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))


def moved_bps(before_paise: int, now_paise: int) -> int | None:
    """How far a price moved, in basis points, half away from zero; None while either is unknown.

    The one place where a change of price becomes a percentage.
    """
    if before_paise <= 0 or now_paise <= 0:
        return None
    return half_up((now_paise - before_paise) * BPS, before_paise)


def moved_beyond(before_paise: int, now_paise: int, limit_bps: int) -> bool:
    """Whether a price has moved by more than a limit, told by the prices: `moved_bps` is rounded."""
    return abs(now_paise - before_paise) * BPS > limit_bps * before_paise


def tick_up(price_paise: int, tick_paise: int) -> int:
    """The lowest price on the tick that is not below `price_paise`."""
    return ceil_div(price_paise, tick_paise) * tick_paise


def tick_down(price_paise: int, tick_paise: int) -> int:
    """The highest price on the tick that is not above `price_paise`."""
    return price_paise // tick_paise * tick_paise


def own_share(notional_paise: int, margin_bps: int) -> int:
    """The client's own money in a trade of `notional_paise`, rounded up; the rest is lent."""
    return ceil_div(notional_paise * margin_bps, BPS)


def band_words(lower_paise: int, upper_paise: int) -> str:
    """The day's price band."""
    return f"the day's band {amount_words(lower_paise)} to {amount_words(upper_paise)}"
