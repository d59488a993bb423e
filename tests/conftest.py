"""What holds for every test: a loop that knows when it rests, cheap passphrases, bytecode, homes in memory.

Passphrases cost little, since none of them guards anything. Bytecode is kept whatever the environment says:
the workers and the programs that tests start would each compile all of Textual and SQLAlchemy again. Homes
lie in memory where there is room: a disk makes each commit wait for milliseconds, and no test pulls a plug.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import keyring
import keyring.backends.null
import pytest
from hypothesis import HealthCheck, settings

import data.vaults.file_vault
from data.sign_in.passwords import Cost, set_cost
from tests.books import ENGINES, POSTGRES, SQLITE, stand_on, standing_on
from tests.resting import RestingLoop, stores_watched
from tests.units_twice import units_twice

gc.disable()
"""Until the tests are collected: what is imported is no garbage, and looking takes a fifth of the time."""

keyring.set_keyring(keyring.backends.null.Keyring())
"""No test uses the machine's own keyring, nor one that another test defined and that would be found first."""

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""Bytes that must be free there; what passed is removed at once, so that tests need far less."""

if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

os.environ["TEXTUAL_FPS"] = "1"
"""How often an app paints by itself: tests have it painted when they look, and the more often a timer does so
beside them, the slower the machine is."""

settings.register_profile(
    "desk", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("desk")
"""A machine at work elsewhere draws its examples slowly, and proves nothing against what is tested."""

YOUNG = 1_000_000
"""Objects that one test may make before garbage is looked for: more than any but the longest makes."""

LEFT = 100_000
"""Objects after which it is looked for as a test ends: all that the test made is garbage by then."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which engine the books of those tests stand on that do not say so themselves."""
    parser.addoption("--on", choices=ENGINES, default=SQLITE, help="where books stand: sqlite or postgres")
    parser.addoption("--twice", action="store_true", help="run each unit of work twice, first rolled back")


def pytest_configure(config: pytest.Config) -> None:
    """What outlives one test stands there as well."""
    stand_on(config.getoption("--on") or SQLITE)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is marked `both` runs on each engine."""
    if metafunc.definition.get_closest_marker("both") is not None:
        metafunc.parametrize("books_engine", ENGINES, indirect=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is of the file is left out before anything is made for it."""
    given = getattr(item, "callspec", None)
    engine = (given and given.params.get("books_engine")) or item.config.getoption("--on")
    if engine == POSTGRES and item.get_closest_marker("in_file") is not None:
        pytest.skip("it speaks of SQLite's own file")


@pytest.fixture(autouse=True)
def books_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine on which the books of this test stand."""
    engine: str = getattr(request, "param", None) or request.config.getoption("--on") or SQLITE
    if engine == POSTGRES:
        from tests.postgres import missing

        if why := missing():
            assert "CI" not in os.environ, why
            pytest.skip(why)
    with standing_on(engine):
        yield engine


@pytest.fixture(autouse=True, scope="session")
def twice(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where that is wished, every unit is rehearsed."""
    with units_twice() if request.config.getoption("--twice") else nullcontext():
        yield


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than this process has cores: each waits now and then, for a commit or a process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], RestingLoop]]:
    """Every test runs on a loop that says when nothing is left to do."""
    return {"resting": RestingLoop}


@pytest.fixture(autouse=True, scope="session")
def known_to_loops() -> Iterator[None]:
    """A loop at rest knows whether a store has work."""
    with stores_watched():
        yield


@pytest.fixture(autouse=True, scope="session")
def cheap_passphrases() -> Iterator[dict[str, int]]:
    """Files of secrets made by tests ask for the least that is taken. Yields what is shipped."""
    shipped = dict(data.vaults.file_vault.SCRYPT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.vaults.file_vault.SCRYPT, "n", 2**10)
        set_cost(Cost(passes=1, memory_kib=8, lanes=1))
        yield shipped


def pytest_collection_finish() -> None:
    """What is loaded by now is not looked at for garbage."""
    gc.freeze()
    gc.set_threshold(YOUNG, 5, 5)
    gc.enable()


def pytest_runtest_logfinish() -> None:
    """What a test leaves is looked for before it is taken for something that stays."""
    if gc.get_count()[0] > LEFT:
        gc.collect(0)


@pytest.fixture(autouse=True, scope="session")
def frozen_once() -> Iterator[None]:
    """An app that froze more would keep its screens, and it would look for garbage as in a day of trading."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        patch.setattr(gc, "set_threshold", lambda *thresholds: None)
        yield


def pytest_sessionfinish() -> None:
    """pytest looks for garbage five times as it ends; what the first look leaves is looked at no more."""
    gc.collect()
    gc.freeze()
