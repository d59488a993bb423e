"""The references that clients have named their orders by: one that is used up is refused (GA007)."""

from collections.abc import Callable

from brokers.simulators.groww.answers import DUPLICATE, GrowwFault
from brokers.simulators.groww.switches import GrowwSwitches
from brokers.simulators.serving.keeping import Keeping


class References:
    """Every reference of a kind by user, with the day that it was used on; `today` is the trading day."""

    def __init__(
        self, kind: str, keeping: Keeping, switches: GrowwSwitches, today: Callable[[], str]
    ) -> None:
        self._kind = kind
        self._keeping = keeping
        self._switches = switches
        self._today = today
        self._used = {key: str(body["day"]) for key, body in keeping.all(kind)}

    def take(self, user_id: str, reference: str) -> None:
        """Use a reference up. Raises `Turned` where it is."""
        key, day = f"{user_id} {reference}", self._today()
        used = self._used.get(key)
        if used is not None and (self._switches.references_for_ever or used == day):
            raise GrowwFault(DUPLICATE, "Duplicate order reference id")
        self._used[key] = day
        self._keeping.put(self._kind, key, {"day": day})

    def give_back(self, user_id: str, reference: str) -> None:
        """Let a reference be used after all."""
        key = f"{user_id} {reference}"
        self._used.pop(key, None)
        self._keeping.drop(self._kind, key)
