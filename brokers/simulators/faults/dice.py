"""Chance for rehearsals: which call of which client a fault strikes, and a count of what struck."""

import hashlib
import logging
import random
from collections import Counter

from brokers.simulators.faults.menu import TOGETHER, Faults

log = logging.getLogger(__name__)


class FaultDice:
    """Draws by client and kind of call: the n-th such call of a client meets the same fate for one seed.

    What other clients do meanwhile, and in which order their calls arrive, does not change it.
    """

    def __init__(self, faults: Faults, source: random.Random) -> None:
        self._faults = faults
        self._salt = source.getrandbits(64)
        self._drawn: Counter[tuple[str, str]] = Counter()
        self.struck: Counter[str] = Counter()

    def pick(self, kind: str, user_id: str) -> str | None:
        """The fault of this kind, a key of `TOGETHER`, for the client's next call; mostly none."""
        names = TOGETHER[kind]
        if not any(self._faults.share(name) for name in names):
            return None
        drawn = self.draw(kind, user_id)
        for name in names:
            drawn -= self._faults.share(name)
            if drawn < 0:
                return name
        return None

    def chance(self, name: str, user_id: str) -> bool:
        """Whether a fault that is drawn alone meets the client's next case."""
        share = self._faults.share(name)
        return share > 0 and self.draw(name, user_id) < share

    def draw(self, kind: str, user_id: str) -> float:
        """The client's next number of a kind, from 0 up to 1."""
        number = self._drawn[kind, user_id]
        self._drawn[kind, user_id] += 1
        return self.fixed(f"{kind}:{user_id}:{number}")

    def fixed(self, words: str) -> float:
        """The number that belongs to these words, from 0 up to 1."""
        digest = hashlib.blake2b(f"{self._salt}:{words}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48

    def strike(self, name: str) -> None:
        """Count a fault that took effect, and log it, without the client's name."""
        self.struck[name] += 1
        log.info("rehearsed fault: %s", name)
