"""The day recorded as it comes, for a replay: prices and what happens, a file a day, within a bound."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Lock
from typing import TypeVar

from brokers.contract import Heartbeat, Tick, Ticks
from brokers.recording.files import ENDING, RecordingFile, block_of
from brokers.recording.happenings import Happened, HappenedBlock
from data.home import recordings_folder
from data.reference.instruments import Instrument
from engine.timing import Timing

log = logging.getLogger(__name__)

T = TypeVar("T")

WRITE_EVERY_S = 1.0
"""What a program that is killed loses at most."""


def recording_file(home: Path, day: date) -> Path:
    """The recording of a day."""
    return recordings_folder(home) / f"{day.isoformat()}{ENDING}"


class DayRecorder:
    """Keeps what the stream brings and what happens, and writes it down once a second, in a thread.

    Nothing waits for it. Where it cannot be written, or the file has come to its bound, that is logged once
    and the day's recording ends there.
    """

    def __init__(
        self, home: Path, timing: Timing, instrument: Callable[[str], Instrument | None], most_bytes: int
    ) -> None:
        self._home = home
        self._timing = timing
        self._instrument = instrument
        self._most_bytes = most_bytes
        self._heard: deque[Tick | Ticks] = deque()
        """A thread takes from it while more is put in: of a list that is swapped one could be lost."""
        self._happened: deque[Happened] = deque()
        self._file: RecordingFile | None = None
        self._told: set[str] = set()
        self._ended: date | None = None
        self._writing = Lock()

    def hear(self, event: Tick | Ticks | Heartbeat) -> None:
        """Take what the stream of prices brought."""
        if not isinstance(event, Heartbeat):
            self._heard.append(event)

    def happened(self, happened: Happened) -> None:
        """Take what happened on the desk."""
        self._happened.append(happened)

    async def keep(self) -> None:
        """Write what came, once a second, for as long as the desk lives; the rest as it closes."""
        try:
            while True:
                await self._timing.wall.sleep(WRITE_EVERY_S)
                await asyncio.to_thread(self.write)
        finally:
            self.close()

    def write(self) -> None:
        """Write what came since the last time; a write that is under way is waited for."""
        with self._writing:
            self._write_heard()

    def close(self) -> None:
        """Write the rest, and give the file back."""
        with self._writing:
            self._write_heard()
            self._close()

    def _write_heard(self) -> None:
        heard, happened = _taken(self._heard), _taken(self._happened)
        day = self._timing.market.trading_day
        if not (heard or happened) or self._ended == day:
            return
        try:
            self._write(day, heard, happened)
        except Exception as problem:  # a recording is never worth a desk
            log.warning("the day is no longer recorded: %s", problem)
            self._end(day)

    def _write(self, day: date, heard: list[Tick | Ticks], happened: list[Happened]) -> None:
        path = recording_file(self._home, day)
        if self._file is None or self._file.path != path:
            self._close()
            self._file, self._told = RecordingFile(path, self._most_bytes), set()
        room = not happened or self._file.write(HappenedBlock(day.isoformat(), happened))
        if not room or not self._write_prices(self._file, day, list(_read(heard))):
            log.warning("the day is no longer recorded: %s has come to its bound", path.name)
            self._end(day)

    def _write_prices(self, file: RecordingFile, day: date, ticks: list[Tick]) -> bool:
        """Returns whether there was room for them."""
        if not ticks:
            return True
        fresh = {tick.key for tick in ticks} - self._told
        instruments = [one for key in sorted(fresh) if (one := self._instrument(key)) is not None]
        offset = self._timing.market.now() - self._timing.wall.now()
        self._told |= fresh
        return file.write(block_of(day, offset, instruments, ticks))

    def _end(self, day: date) -> None:
        self._ended = day
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None


def _taken(waiting: deque[T]) -> list[T]:
    """What waits now, which waits no more."""
    return [waiting.popleft() for _ in range(len(waiting))]


def _read(heard: list[Tick | Ticks]) -> Iterator[Tick]:
    for event in heard:
        if isinstance(event, Ticks):
            yield from event.read()
        else:
            yield event
