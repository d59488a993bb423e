"""Jobs where several desks share a database, each with clients of its own."""

from pathlib import Path

import pytest

from data.errors import BadInput
from data.vocabulary import ExportWhat, JobState
from engine.jobs.asked import AuditCheckAsked, DayReportAsked, ExportAsked
from tests.books import database_url
from tests.sharing import Firm
from tests.tradedesk.cli_desk import Terminal
from tradedesk.testing import seam

ROHAN = 8

pytestmark = pytest.mark.parametrize("books_engine", ["postgres"], indirect=True)


async def test_a_desk_of_several_has_no_job_done_that_would_miss_the_others_clients(
    tmp_path: Path, books_engine: str
) -> None:
    firm = Firm(tmp_path, database_url(tmp_path))
    await firm.make()
    async with firm.desk("asha", "free") as asha:
        rohan = seam(asha).kept.book.clients[ROHAN].code
        await asha.leases.release(rohan)
        async with firm.desk("ravi", rohan, seed=8) as ravi:
            for asked in (DayReportAsked(asha.market_clock.trading_day), ExportAsked(ExportWhat.FUNDS)):
                with pytest.raises(BadInput, match="several desks share these books"):
                    await asha.jobs.ask(asked)
            number = (await asha.jobs.ask(AuditCheckAsked())).job.number
            job = await ravi.jobs.worker.do(number) or await asha.jobs.get(number)
            assert job.state in (JobState.RUNNING, JobState.DONE)


def test_a_worker_beside_desks_that_share_books_is_refused(
    tmp_path: Path, books_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDESK_DESK_CLIENTS", "free")
    monkeypatch.setenv("TRADEDESK_REDIS_URL", "redis://127.0.0.1:1/0")
    for what in ("worker", "beat"):
        printed = Terminal(tmp_path).run(what)
        assert printed.code == 2
        assert "several desks share these books" in printed.err
