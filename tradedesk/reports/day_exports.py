"""What a close has written of its day: the files of the desk and of every client, in the home."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date
from pathlib import Path

from engine.accounts.statement import DayAccount
from engine.close.views import DayReport


class DayExports:
    """Writes a closed day's folder; `accounts_of` reads what clients' books say of a day."""

    def __init__(
        self,
        home: Path,
        accounts_of: Callable[[Collection[int], date], Awaitable[Mapping[int, DayAccount]]],
    ) -> None:
        self._home = home
        self._accounts_of = accounts_of

    async def __call__(self, report: DayReport) -> tuple[Path, Mapping[str, str]]:
        """Write it, away from the event loop; returns the folder and the SHA-256 of each file by its name.

        Raises `BadInput` for a letterhead that cannot be used, or a folder that cannot be written.
        """
        from tradedesk.reports.day_folder import write_day

        accounts = await self._accounts_of([one.client_id for one in report.clients], report.day)
        folder, files = await asyncio.to_thread(write_day, self._home, report, accounts)
        return folder, {one.name: one.sha256 for one in files}
