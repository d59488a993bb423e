"""What a close has others do: reading books, risk, the day's files, the backup."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from data.keeping.backups import Backup
from data.store import Unit
from engine.close.views import DayReport, DeskRisk, ForTomorrow
from engine.risk.views import DayCosts


class Exports(Protocol):
    """Writes a day's folder, whole or not at all; the same report gives the same folder again."""

    async def __call__(self, report: DayReport) -> tuple[Path, Mapping[str, str]]:
        """Returns the folder, and the SHA-256 of each file by its name. Raises `BadInput`."""
        ...


class TellsRisk(Protocol):
    """Says what a day's report risks; what history does not carry is None."""

    async def of(self, report: DayReport) -> DeskRisk:
        """The report's risk; nothing is written."""
        ...

    async def costs(self, day: date, closed: bool) -> DayCosts:
        """What the day's runs cost each client beside the others, and the month's; nothing is written."""
        ...

    async def at_close(self, report: DayReport) -> tuple[DeskRisk, Callable[[Unit], None]]:
        """The same at the day's close, and what keeps it in the unit that it is part of."""
        ...


class TellsTomorrow(Protocol):
    """Lists what waits for the next day."""

    async def list(self) -> ForTomorrow:
        """By what is known."""
        ...

    async def look(self) -> ForTomorrow:
        """The same, once brokers were asked."""
        ...


class ReadsBooks(Protocol):
    """Reads and compares one client's books at its broker."""

    async def check(self, client_id: int) -> bool:
        """Returns whether they could be compared."""
        ...

    def is_compared(self, client_id: int) -> bool:
        """Whether they were since the desk was opened."""
        ...


class CloseWith(Struct):
    """Who does what for a close; without `exports` that step is passed over and said so.

    `back_up` backs the home up and restores the copy once to try it.
    """

    books: ReadsBooks
    tomorrow: TellsTomorrow
    risk: TellsRisk
    back_up: Callable[[], Awaitable[Backup]]
    exports: Exports | None = None
