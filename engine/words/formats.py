"""Numbers and times as everything that a trader reads shows them.

Money comes in as integer paise; `None` is always shown as a dash, never as a zero. While privacy is on every
amount is masked here, and prices are not.
"""

from collections.abc import Callable
from datetime import datetime

from data.clock import IST
from data.money import amount_words, grouped, half_up
from engine.words.privacy import MASK as MASK
from engine.words.privacy import is_private

DASH = "—"
"""What stands for a value that is not known."""

_LAKH = 100_000
_CRORE = 10_000_000


def _sign(value: int, positive: str = "") -> str:
    return "-" if value < 0 else positive if value > 0 else ""


def amount(paise: int | None) -> str:
    """Paise with Indian grouping and two decimals: `12,34,567.50`."""
    return DASH if paise is None else MASK if is_private() else amount_words(paise)


def price(paise: int | None) -> str:
    """A price in paise with two decimals: `2,450.50`."""
    return DASH if paise is None else amount_words(paise)


def rupees(paise: int | None) -> str:
    """Paise as whole rupees, rounded half away from zero: `12,34,567`."""
    if paise is None:
        return DASH
    if is_private():
        return MASK
    whole = half_up(abs(paise), 100)
    return f"{_sign(paise) if whole else ''}{grouped(whole)}"


def short(paise: int | None) -> str:
    """Paise in three figures with L or cr, whole rupees below a lakh: `1.11 L`, `62.3 L`, `1.22 cr`."""
    if paise is None:
        return DASH
    if is_private():
        return MASK
    size = abs(paise)
    if half_up(size, 100) < _LAKH:
        return rupees(paise)
    # A figure that rounds to a hundred lakh is a crore: 99.96 L is shown as 1.00 cr.
    unit, word = (_LAKH, "L") if half_up(size * 10, _LAKH * 100) < 1_000 else (_CRORE, "cr")
    return f"{_sign(paise)}{_three_figures(size, unit * 100)} {word}"


def lakh(paise: int | None) -> str:
    """Paise in lakh, for a column of one unit: `0.60 L`, `1.11 L`, `125.4 L`, `1,246 L`."""
    if paise is None:
        return DASH
    if is_private():
        return MASK
    lakh_paise, size, decimals = _LAKH * 100, abs(paise), 2
    while decimals and half_up(size * 10**decimals, lakh_paise) >= 10_000:
        decimals -= 1  # four figures at most, as long as they are enough
    whole, part = divmod(half_up(size * 10**decimals, lakh_paise), 10**decimals)
    sign = _sign(paise) if whole or part else ""
    return f"{sign}{grouped(whole)}{f'.{part:0{decimals}d}' if decimals else ''} L"


def or_blank(words: Callable[[int], str], number: int | None) -> str:
    """A figure in a column of mostly nothing: a zero is left out, what is not known is a dash."""
    return DASH if number is None else words(number) if number else ""


def _three_figures(numerator: int, denominator: int) -> str:
    """A quotient with as many decimals as three figures leave room for."""
    for decimals in (2, 1):
        scaled = half_up(numerator * 10**decimals, denominator)
        if scaled < 1_000:
            whole, part = divmod(scaled, 10**decimals)
            return f"{whole}.{part:0{decimals}d}"
    return grouped(half_up(numerator, denominator))


def signed(paise: int | None) -> str:
    """Paise as whole rupees with a sign, zero without one: `+1,23,456`."""
    text = rupees(paise)
    return f"+{text}" if not is_private() and paise is not None and paise > 0 and text != "0" else text


def signed_short(paise: int | None) -> str:
    """Paise in the short form with a sign: `+1.23 L`."""
    text = short(paise)
    return f"+{text}" if not is_private() and paise is not None and paise > 0 and text != "0" else text


def signed_amount(paise: int | None) -> str:
    """Paise with two decimals and a sign, for price changes: `+12.50`."""
    return DASH if paise is None else _sign(paise, "+").strip("-") + price(paise)


def percent(bps: int | None) -> str:
    """Basis points as a percentage without needless zeros: `25`, `12.5`."""
    if bps is None:
        return DASH
    whole, part = divmod(abs(bps), 100)
    return f"{_sign(bps)}{whole}.{part:02d}".rstrip("0").rstrip(".")


def whole_percent(bps: int | None, unit: str = "%") -> str:
    """Basis points as whole percent, rounded half away from zero: `57%`."""
    return DASH if bps is None else f"{_sign(bps)}{half_up(abs(bps), 100)}{unit}"


def tenth_percent(bps: int | None) -> str:
    """Basis points as percent with one decimal, rounded half away from zero: `40.2`."""
    if bps is None:
        return DASH
    whole, part = divmod(half_up(abs(bps), 10), 10)
    return f"{_sign(bps)}{whole}.{part}"


def typed(paise: int | None) -> str:
    """A price as a number field holds it, without grouping: `2450.50`; empty for None."""
    return "" if paise is None else price(paise).replace(",", "")


def signed_percent(bps: int | None) -> str:
    """Basis points as a percentage with a sign and two decimals: `+2.31`."""
    if bps is None:
        return DASH
    whole, part = divmod(abs(bps), 100)
    return f"{_sign(bps, '+')}{whole}.{part:02d}"


def quantity(number: int | None) -> str:
    """A number of shares, orders or clients with Indian grouping: `1,10,000`."""
    return DASH if number is None else grouped(number)


_OF_ONE = {"are": "is", "were": "was", "would": "would"}
"""Verbs of one thing that are not those of many with an `s`."""


def counted(number: int, noun: str, verb: str = "") -> str:
    """A count with its noun and what it does: `12 orders`, `1 order follows`, `2 orders follow`."""
    one = number == 1
    does = f" {_OF_ONE.get(verb, f'{verb}s') if one else verb}" if verb else ""
    return f"{quantity(number)} {noun if one else f'{noun}s'}{does}"


def volume(number: int | None) -> str:
    """A traded volume with one decimal and k, M or B: `84.1k`, `2.5M`."""
    if number is None:
        return DASH
    if number < 1_000:
        return str(number)
    for unit, word in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "B")):
        tenths = half_up(number * 10, unit)
        if tenths < 10_000 or word == "B":
            break
    return f"{tenths // 10}.{tenths % 10}{word}"


def age(seconds: float | None) -> str:
    """An age in seconds, cut rather than rounded: `0.2s`, `14s`, `3m`, `2h`, `1d`."""
    if seconds is None:
        return DASH
    tenths = max(0, int(seconds * 10 + 1e-6))
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10}s"
    whole = tenths // 10
    for unit, word, limit in ((1, "s", 60), (60, "m", 3_600), (3_600, "h", 86_400)):
        if whole < limit:
            return f"{whole // unit}{word}"
    return f"{whole // 86_400}d"


def time_of_day(moment: datetime | None) -> str:
    """An aware time as the time of day in India: `09:17:42`. Raises `ValueError` for a naive time."""
    if moment is None:
        return DASH
    if moment.tzinfo is None:
        raise ValueError(f"moment must be an aware time, got {moment!r}")
    return moment.astimezone(IST).strftime("%H:%M:%S")
