"""Desks on one database whose Redis is killed, frozen or emptied, against the broker's own ledger.

uv run python -m tests.faults.redis_runs --rounds 5 --seed 1 --folder rounds

As `firm_runs`, with a Redis between the desks: whatever becomes of it while they trade and halt, no order, no
money and no halt may be lost. Redis is the only thing that something happens to.
"""

import random
import sys
from dataclasses import replace
from time import sleep
from typing import Any

from data.vocabulary import DeskKind
from tests.faults.firm_life import FirmLife
from tests.faults.firm_runs import Day, main
from tests.redis_server import OwnRedis, own_redis

EVENTS = ("redis killed", "redis frozen", "redis emptied", "redis gone and back empty again and again")


class RedisDay(Day):
    """A day of a firm whose desks hear each other through Redis."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._of_redis = own_redis()
        self._redis: OwnRedis = self._of_redis.__enter__()
        self._redis.start()

    def life_of(self, home: str, clients: str, kind: DeskKind) -> FirmLife:
        return replace(super().life_of(home, clients, kind), redis=self._redis.address)

    def happen(self, event: str, dice: random.Random) -> None:
        """Have it happen to Redis while they trade."""
        match event:
            case "redis killed":
                self._redis.kill()
                sleep(dice.uniform(0.5, 3))
                self._redis.start()
            case "redis frozen":
                self._redis.freeze()
                sleep(dice.uniform(1, 4))
                self._redis.thaw()
            case "redis emptied":
                for _ in range(dice.randint(3, 12)):
                    with self._redis.client() as client:
                        client.flushall()
                    sleep(dice.uniform(0.05, 0.4))
            case "redis gone and back empty again and again":
                for _ in range(dice.randint(3, 6)):
                    self._redis.kill()
                    sleep(dice.uniform(0, 0.5))
                    self._redis.start()
                    sleep(dice.uniform(0, 0.5))
            case _:
                super().happen(event, dice)

    def close(self) -> None:
        """End the day."""
        super().close()
        self._of_redis.__exit__(None, None, None)


if __name__ == "__main__":
    sys.exit(main("redis_runs", __doc__, EVENTS, RedisDay))
