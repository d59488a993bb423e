"""Sales that a client without a standing consent must authorise at the depository, for one trading day."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct, field

from brokers.simulators.serving.answers import Turned
from data.clock import MarketClock


@dataclass(slots=True)
class _ReleasedShares:
    day: str
    quantity: int = 0
    used: int = 0


class _Asked(Struct, frozen=True):
    user_id: str
    quantities: Mapping[str, int] = field(default_factory=dict[str, int])


class Authorisations:
    """Quantities by user and ISIN that may be sold today, and the requests for them that are open."""

    def __init__(self, market: MarketClock, dice: random.Random) -> None:
        self._market = market
        self._dice = dice
        self._released: dict[tuple[str, str], _ReleasedShares] = {}
        self._asked: dict[str, _Asked] = {}

    def ask(self, user_id: str, quantities: Mapping[str, int]) -> str:
        """Begin an authorisation of quantities by ISIN; returns the id of its page."""
        request_id = f"{self._dice.getrandbits(128):032x}"
        self._asked[request_id] = _Asked(user_id, quantities)
        return request_id

    def finish(self, request_id: str) -> bool:
        """The client has typed the code at the depository; tells whether there was such a request."""
        asked = self._asked.pop(request_id, None)
        if asked is None:
            return False
        for isin, quantity in asked.quantities.items():
            released = self._today(asked.user_id, isin)
            released.quantity = max(released.quantity, released.used + quantity)
        return True

    def quantity(self, user_id: str, isin: str) -> int:
        """Shares of an ISIN that the user has released for today."""
        return self._today(user_id, isin).quantity

    def check(self, user_id: str, isin: str, quantity: int) -> None:
        """Whether so many more may be sold. Raises `Turned` with 428."""
        released = self._today(user_id, isin)
        if quantity > released.quantity - released.used:
            words = f"{quantity} quantity needs authorisation at depository."
            raise Turned(428, "OrderException", words)

    def use(self, user_id: str, isin: str, quantity: int) -> None:
        """Count a sale."""
        self._today(user_id, isin).used += quantity

    def _today(self, user_id: str, isin: str) -> _ReleasedShares:
        day = self._market.trading_day.isoformat()
        released = self._released.get((user_id, isin))
        if released is None or released.day != day:
            released = self._released[user_id, isin] = _ReleasedShares(day)
        return released
