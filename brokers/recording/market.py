"""A recorded market as an exchange follows it: its prices at a moment that a clock runs towards."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from brokers.contract import Tick
from brokers.recording.files import Block, opened, ticks_of
from brokers.simulators.exchange.prices import Quote
from data.clock import Clock
from data.errors import BadInput
from data.records import field_names
from data.reference.instruments import Instrument

_FIELDS = [name for name in field_names(Quote) if name != "pinned"]


class RecordedMarket:
    """Implements `OtherMarket` of the exchange. The file is read as far as the market has come.

    `clock` is one whose seconds the market's are, at whatever speed it runs. It ends with its last price, or
    where something happened after that, which is `lasts_until`. Raises `BadInput`.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        begins_at: datetime | None = None,
        lasts_until: datetime | None = None,
    ) -> None:
        self._clock = clock
        self._opened = opened(path)
        self._ticks = _ticks(self._opened.__enter__())
        self._next = next(self._ticks, None)
        if self._next is None:
            raise BadInput("file", str(path), "no price was recorded in it")
        self.trading_day, first, _ = self._next
        self.begins_at = begins_at or first
        self._began_s: float | None = None
        self._held: dict[str, Tick] = {}
        self._quotes: dict[str, Quote] = {}
        self.ended_at: datetime | None = None
        """Its last moment, once it has come there."""
        self._last_at = max(first, lasts_until or first)

    def begin(self) -> None:
        """Have its time run from now on; until then it stands at its beginning."""
        self._began_s = self._clock.monotonic()

    def now(self) -> datetime:
        """Aware UTC time of the recorded market; at its end it stands."""
        if self.ended_at is not None:
            return self.ended_at
        if self._began_s is None:
            return self.begins_at
        return self.begins_at + timedelta(seconds=self._clock.monotonic() - self._began_s)

    def quote(self, key: str) -> Quote | None:
        """An instrument's prices at this moment; None before its first one."""
        self._read_on()
        if key not in self._quotes and key in self._held:
            tick = self._held[key]
            self._quotes[key] = Quote(**{name: getattr(tick, name) for name in _FIELDS}, pinned=False)
        return self._quotes.get(key)

    def instrument(self, key: str) -> Instrument | None:
        """Nothing more than the exchange itself knows."""
        return None

    def close(self) -> None:
        """Give the file back."""
        self._opened.__exit__(None, None, None)

    def _read_on(self) -> None:
        now = self.now()
        while self._next is not None and self._next[1] <= now:
            day, at, tick = self._next
            if day != self.trading_day:  # a file is of one day; another begins nothing here
                self._next = None
                break
            self._held[tick.key], self._last_at = tick, max(self._last_at, at)
            self._quotes.pop(tick.key, None)
            self._next = next(self._ticks, None)
        if self._next is None and self.ended_at is None and now >= self._last_at:
            self.ended_at = max(self._last_at, self.begins_at)


def _ticks(blocks: Iterator[Block]) -> Iterator[tuple[date, datetime, Tick]]:
    for block in blocks:
        day = date.fromisoformat(block.day)
        for at, tick in ticks_of(block):
            yield day, at, tick


def instruments_in(path: Path) -> list[Instrument]:
    """The instruments that a recording tells of, each as it was first told. Raises `BadInput`."""
    found: dict[str, Instrument] = {}
    with opened(path) as blocks:
        for block in blocks:
            for one in block.instruments:
                found.setdefault(one.key, one)
    return list(found.values())


def first_moment(path: Path) -> datetime:
    """When the first price of a recording came, by the market's clock. Raises `BadInput`."""
    with opened(path) as blocks:
        for block in blocks:
            for at, _ in ticks_of(block):
                return at
    raise BadInput("file", str(path), "no price was recorded in it")
