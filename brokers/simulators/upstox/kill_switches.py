"""Each user's kill switch by segment: one that is on bars orders, and stays as it is for twelve hours.

Upstox documentation, "kill switch": a segment must be flat, with no open order, before it is switched off.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.keeping import Keeping
from brokers.simulators.upstox.answers import Fault
from data.clock import MarketClock

LOCK = timedelta(hours=12)
SEGMENTS = ("NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO", "NCD_FO", "BCD_FO", "MCX_FO", "NSE_COM")
"""Segments that have a switch each."""


class KillSwitches:
    """The switches of every user."""

    def __init__(self, market: MarketClock, keeping: Keeping) -> None:
        self._market = market
        self._keeping = keeping
        self._switched: dict[tuple[str, str], tuple[bool, datetime]] = {}
        for key, body in keeping.all("kill_switch"):
            user_id, _, segment = key.partition(" ")
            self._switched[user_id, segment] = (body["on"], datetime.fromisoformat(body["at"]))

    def is_on(self, user_id: str, segment: str) -> bool:
        """Whether a user's orders in a segment are barred."""
        return self._switched.get((user_id, segment), (False, None))[0]

    def check(self, user_id: str, segment: str) -> None:
        """Let an order in a segment pass. Raises `Turned`."""
        if self.is_on(user_id, segment):
            raise Fault("UDAPI100049", f"The kill switch of {segment} is on", 403)

    def set(self, user_id: str, wanted: Iterable[tuple[str, bool]], busy: frozenset[str]) -> None:
        """Switch segments, all or none; `busy` are those with positions or open orders. Raises `Turned`."""
        changes = [(segment, on) for segment, on in wanted if on is not self.is_on(user_id, segment)]
        now = self._market.now()
        for segment, on in changes:
            since = self._switched.get((user_id, segment))
            if since is not None and now < since[1] + LOCK:
                raise Fault("UDAPI100036", f"The kill switch of {segment} is locked for twelve hours")
            if on and segment in busy:
                raise Fault("UDAPI100036", f"{segment} has open orders or positions")
        for segment, on in changes:
            self._switched[user_id, segment] = (on, now)
            self._keeping.put("kill_switch", f"{user_id} {segment}", {"on": on, "at": now.isoformat()})

    def rows(self, user_id: str) -> list[Row]:
        """Every segment with its switch."""
        return [
            {
                "segment": segment,
                "segment_status": "ACTIVE",
                "kill_switch_enabled": self.is_on(user_id, segment),
            }
            for segment in SEGMENTS
        ]
