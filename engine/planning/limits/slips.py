"""Slips of the hand in an order: a decimal point elsewhere, price and quantity swapped. Pure."""

from msgspec import Struct

from data.money import amount_words

NEAR = 5
"""A price is near another that is not further from it than by a fifth of that."""

FEWEST = 20
"""Shares from which on a quantity that is the price looks like a slip."""


class Slip(Struct, frozen=True):
    """How many times too much, or too little, a price is that has its point elsewhere."""

    times: int
    too_much: bool


def is_near(price_paise: int, last_paise: int) -> bool:
    """Whether a price is within a fifth of the last one."""
    return abs(price_paise - last_paise) * NEAR <= last_paise


def decimal_slip(price_paise: int, last_paise: int) -> Slip | None:
    """Ten or a hundred times too much or too little, where a price is near the last one but for that."""
    if price_paise <= 0 or last_paise <= 0:
        return None
    for times in (10, 100):
        if is_near(price_paise * times, last_paise):
            return Slip(times, too_much=False)
        if abs(price_paise - last_paise * times) * NEAR <= last_paise * times:
            return Slip(times, too_much=True)
    return None


def is_price(quantity: int, price_paise: int | None) -> bool:
    """Whether a quantity is a price in whole rupees, rounded either way."""
    if price_paise is None or quantity < FEWEST:
        return False
    return quantity in (price_paise // 100, -(-price_paise // 100))


def swapped(quantity: int, limit_paise: int | None, last_paise: int) -> bool:
    """Whether quantity and price look typed into each other's field, or the price into both."""
    if limit_paise is not None and not is_near(limit_paise, last_paise):
        return quantity >= FEWEST and is_near(quantity * 100, last_paise)
    return is_price(quantity, last_paise) or is_price(quantity, limit_paise)


def slip_words(price_paise: int, quantity: int, last_paise: int) -> str:
    """What a price that cannot be looks like, before what would be right; empty where like no slip."""
    slip = decimal_slip(price_paise, last_paise)
    if slip is not None:
        than = f"{slip.times} times" if slip.too_much else f"a {part_word(slip.times)} of"
        return f"it is {than} the last price, {amount_words(last_paise)}: a decimal slip? "
    if quantity and swapped(quantity, price_paise, last_paise):
        return f"the last price is {amount_words(last_paise)}: quantity and price swapped? "
    return ""


def part_word(times: int) -> str:
    """The part that one of so many is."""
    return "tenth" if times == 10 else "hundredth"
