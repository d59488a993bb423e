"""Words of the limits that are held before an order."""

from enum import StrEnum


class LimitScope(StrEnum):
    """For whom a limit is set."""

    DESK = "desk"
    GROUP = "group"
    CLIENT = "client"


class LimitStrength(StrEnum):
    """What a limit does with an order beyond it."""

    HARD = "hard"
    """It does not leave."""
    SOFT = "soft"
    """It leaves for a typed reason."""
    OFF = "off"
    """A check that the desk makes by itself is not made."""


class LimitUnit(StrEnum):
    """What the figure of a limit counts."""

    PAISE = "paise"
    BPS = "bps"
    COUNT = "count"
    NONE = "none"
    """It has no figure: it is there or not."""


class LimitKind(StrEnum):
    """What a limit is held against."""

    ORDER_VALUE = "order_value"
    ORDER_QUANTITY = "order_quantity"
    PRICE_AWAY = "price_away"
    STOCK = "stock"
    SECTOR = "sector"
    DAILY_LOSS = "daily_loss"
    DAILY_LOSS_PERCENT = "daily_loss_percent"
    TOTAL_LOSS = "total_loss"
    ORDERS = "orders"
    TOTAL_ORDERS = "total_orders"
    LIST = "list"
    CROSS = "cross"
    DECIMAL_SLIP = "decimal_slip"
    SWAPPED = "swapped"

    @property
    def word(self) -> str:
        """How it is typed and told: `order-value`."""
        return self.value.replace("_", "-")

    @property
    def unit(self) -> LimitUnit:
        """What its figure counts."""
        return _UNITS.get(self, LimitUnit.NONE)

    @property
    def together(self) -> bool:
        """Whether it is of all the clients that it is set for together, and of each alone otherwise."""
        return self in (LimitKind.TOTAL_LOSS, LimitKind.TOTAL_ORDERS)


_UNITS = {
    LimitKind.ORDER_VALUE: LimitUnit.PAISE,
    LimitKind.ORDER_QUANTITY: LimitUnit.COUNT,
    LimitKind.PRICE_AWAY: LimitUnit.BPS,
    LimitKind.STOCK: LimitUnit.BPS,
    LimitKind.SECTOR: LimitUnit.BPS,
    LimitKind.DAILY_LOSS: LimitUnit.PAISE,
    LimitKind.DAILY_LOSS_PERCENT: LimitUnit.BPS,
    LimitKind.TOTAL_LOSS: LimitUnit.PAISE,
    LimitKind.ORDERS: LimitUnit.COUNT,
    LimitKind.TOTAL_ORDERS: LimitUnit.COUNT,
}
