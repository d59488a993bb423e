"""Numbers, times and outside text as the screens and the command line show them.

Money comes in as integer paise; `None` is always shown as a dash, never as a zero.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

DASH = "—"
"""What stands for a value that is not known."""

ELLIPSIS = "…"
"""The last cell of a text that was cut."""

_IST = ZoneInfo("Asia/Kolkata")
_LAKH = 100_000
_CRORE = 10_000_000

_SPACES = re.compile(r"[\t\n\r\v\f\u2028\u2029]+")
# C0 and C1 controls, bidirectional marks, embeddings, overrides and isolates, invisible separators, lone
# surrogates and tag characters. The two joiners U+200C and U+200D stay: Indian scripts need them.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def plain(text: str) -> str:
    """Outside text without control, bidirectional and invisible characters, line breaks as blanks."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub("", _SPACES.sub(" ", text))


def clip(text: str, width: int) -> str:
    """`text` cut to `width` terminal cells, the last of them `…` when something was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + ELLIPSIS


def fit(text: str, width: int, align: str = "left") -> str:
    """Outside text made plain and padded to exactly `width` cells, aligned `left` or `right`.

    A text too long is cut at the left alignment; at the right stand figures, and a figure cut short reads
    as another figure, so that only `…` is left of it.
    """
    if text.isascii() and text.isprintable() and len(text) <= width:
        return text.rjust(width) if align == "right" else text.ljust(width)
    text = plain(text)
    if cell_len(text) > width:
        text = clip(ELLIPSIS if align == "right" else text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if align == "right" else text + blanks


def _half_up(numerator: int, denominator: int) -> int:
    """Integer division of a non-negative numerator, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _grouped(number: int) -> str:
    """A non-negative integer with Indian grouping."""
    digits = str(number)
    if len(digits) <= 3:
        return digits
    head, tail = digits[:-3], digits[-3:]
    first = len(head) % 2
    pairs = [head[:first]] if first else []
    pairs += [head[i : i + 2] for i in range(first, len(head), 2)]
    return ",".join([*pairs, tail])


def _sign(value: int, positive: str = "") -> str:
    return "-" if value < 0 else positive if value > 0 else ""


def amount(paise: int | None) -> str:
    """Paise with Indian grouping and two decimals: `12,34,567.50`."""
    if paise is None:
        return DASH
    rupees_part, paise_part = divmod(abs(paise), 100)
    return f"{_sign(paise)}{_grouped(rupees_part)}.{paise_part:02d}"


def price(paise: int | None) -> str:
    """A price in paise with two decimals: `2,450.50`."""
    return amount(paise)


def rupees(paise: int | None) -> str:
    """Paise as whole rupees, rounded half away from zero: `12,34,567`."""
    if paise is None:
        return DASH
    whole = _half_up(abs(paise), 100)
    return f"{_sign(paise) if whole else ''}{_grouped(whole)}"


def short(paise: int | None) -> str:
    """Paise in three figures with L or cr, whole rupees below a lakh: `1.11 L`, `62.3 L`, `1.22 cr`."""
    if paise is None:
        return DASH
    size = abs(paise)
    if _half_up(size, 100) < _LAKH:
        return rupees(paise)
    # A figure that rounds to a hundred lakh is a crore: 99.96 L is shown as 1.00 cr.
    unit, word = (_LAKH, "L") if _half_up(size * 10, _LAKH * 100) < 1_000 else (_CRORE, "cr")
    return f"{_sign(paise)}{_three_figures(size, unit * 100)} {word}"


def _three_figures(numerator: int, denominator: int) -> str:
    """A quotient with as many decimals as three figures leave room for."""
    for decimals in (2, 1):
        scaled = _half_up(numerator * 10**decimals, denominator)
        if scaled < 1_000:
            whole, part = divmod(scaled, 10**decimals)
            return f"{whole}.{part:0{decimals}d}"
    return _grouped(_half_up(numerator, denominator))


def signed(paise: int | None) -> str:
    """Paise as whole rupees with a sign, zero without one: `+1,23,456`."""
    text = rupees(paise)
    return f"+{text}" if paise is not None and paise > 0 and text != "0" else text


def signed_short(paise: int | None) -> str:
    """Paise in the short form with a sign: `+1.23 L`."""
    text = short(paise)
    return f"+{text}" if paise is not None and paise > 0 and text != "0" else text


def signed_amount(paise: int | None) -> str:
    """Paise with two decimals and a sign, for price changes: `+12.50`."""
    return DASH if paise is None else _sign(paise, "+").strip("-") + amount(paise)


def percent(bps: int | None) -> str:
    """Basis points as a percentage without needless zeros: `25`, `12.5`."""
    if bps is None:
        return DASH
    whole, part = divmod(abs(bps), 100)
    return f"{_sign(bps)}{whole}.{part:02d}".rstrip("0").rstrip(".")


def whole_percent(bps: int | None, unit: str = "%") -> str:
    """Basis points as whole percent, rounded half away from zero: `57%`."""
    return DASH if bps is None else f"{_sign(bps)}{_half_up(abs(bps), 100)}{unit}"


def tenth_percent(bps: int | None) -> str:
    """Basis points as percent with one decimal, rounded half away from zero: `40.2`."""
    if bps is None:
        return DASH
    whole, part = divmod(_half_up(abs(bps), 10), 10)
    return f"{_sign(bps)}{whole}.{part}"


def typed(paise: int | None) -> str:
    """A price as a number field holds it, without grouping: `2450.50`; empty for None."""
    return "" if paise is None else amount(paise).replace(",", "")


def signed_percent(bps: int | None) -> str:
    """Basis points as a percentage with a sign and two decimals: `+2.31`."""
    if bps is None:
        return DASH
    whole, part = divmod(abs(bps), 100)
    return f"{_sign(bps, '+')}{whole}.{part:02d}"


def quantity(number: int | None) -> str:
    """A number of shares, orders or clients with Indian grouping: `1,10,000`."""
    return DASH if number is None else f"{_sign(number)}{_grouped(abs(number))}"


def counted(number: int, noun: str) -> str:
    """A count with its noun: `1 order`, `12 orders`, `1,10,000 shares`."""
    return f"{quantity(number)} {noun if number == 1 else f'{noun}s'}"


def volume(number: int | None) -> str:
    """A traded volume with one decimal and k, M or B: `84.1k`, `2.5M`."""
    if number is None:
        return DASH
    if number < 1_000:
        return str(number)
    for unit, word in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "B")):
        tenths = _half_up(number * 10, unit)
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
    return moment.astimezone(_IST).strftime("%H:%M:%S")
