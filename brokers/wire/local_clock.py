"""The market time of a stand-in for a broker on this machine, which tells it at its control endpoint."""

from datetime import date, datetime, timedelta

from brokers.contract import BrokerError
from data.clock import IST, Clock


class SimulatedMarketClock:
    """The market time of a stand-in, which runs beside wall time until it jumps to its next day."""

    def __init__(self, clock: Clock, market_time: datetime) -> None:
        self._clock = clock
        self._apart = market_time - clock.now()

    def now(self) -> datetime:
        """Aware UTC time of the simulated market."""
        return self._clock.now() + self._apart

    @property
    def trading_day(self) -> date:
        """The simulated date in India."""
        return self.now().astimezone(IST).date()

    def jump_to(self, market_time: datetime) -> None:
        """Follow a jump; what a call takes on its way is let pass."""
        apart = market_time - self._clock.now()
        if abs(apart - self._apart) > timedelta(seconds=1):
            self._apart = apart


async def market_time(url: str) -> datetime:
    """The market time of the stand-in at this address. Raises `BrokerError`."""
    import aiohttp  # 0.15 s of the processor, for a desk on paper that names this module and never calls it

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.get(f"{url}/control/clock") as answer,
        ):
            return datetime.fromisoformat((await answer.json())["market_time"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError) as problem:
        raise BrokerError(f"no stand-in answers at {url}: {type(problem).__name__}") from problem
