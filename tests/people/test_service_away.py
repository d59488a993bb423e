"""An app whose signing service goes away: who sits there goes on for a while, then it locks and says why."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from engine.people.signer import TOKEN_LIFE
from tests.books import empty_books
from tests.desks import START
from tests.people.signing_service import Service
from tests.people.test_lock import app_of_many, is_locked
from tests.screens.bench import BenchClock
from tests.screens.papers import PaperBench


async def minutes(bench: PaperBench, count: float) -> None:
    """Let so many pass, in which somebody is there all the time."""
    for _ in range(round(count * 2)):
        bench.app.locking.touched()
        await bench.pass_time(30)
        await bench.app.locking.settled()
        await bench.settle()


@pytest.mark.proof
async def test_an_app_goes_on_without_the_service_to_the_end_of_the_token_and_again_with_it(
    tmp_path: Path,
) -> None:
    half = TOKEN_LIFE.total_seconds() / 60 / 2
    with tempfile.TemporaryDirectory(prefix="tda-") as folder:
        clock = BenchClock(START)
        service = Service(empty_books(tmp_path / "home"), Path(folder), clock)
        settings = service.settings().model_copy(update={"keys": "plain"})
        async with AsyncExitStack() as up:
            await up.enter_async_context(service.up())
            async with app_of_many(tmp_path / "home", "tara", settings, clock) as bench:
                assert not is_locked(bench)
                await minutes(bench, 3 * half)
                assert not is_locked(bench), "renewed all the while"
                await up.aclose()
                await minutes(bench, half + 1)
                assert any("the signing service does not answer" in one for one in bench.toasts)
                await minutes(bench, half + 1)
                assert is_locked(bench)
                said = " ".join(" ".join(bench.lines()).split())
                assert "the signing service has" in said, said
                assert bench.app.desk.who.trouble()
                async with service.up():
                    await minutes(bench, 1)
                    assert not is_locked(bench), "they go on, since nobody else has sat down"
                    assert bench.app.desk.actor == "tara"
                    bench.app.locking.ask()
                    await bench.settle()
                    assert is_locked(bench)
                await minutes(bench, 3 * half)
                async with service.up():
                    await minutes(bench, 1)
                    assert is_locked(bench), "what was locked by its key takes the password"
