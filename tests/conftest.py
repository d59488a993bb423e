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
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import data.vaults.file_vault
from data.sign_in.passwords import Cost, set_cost
from tests.resting import RestingLoop, stores_watched

gc.disable()
"""Until the tests are collected: what is imported is no garbage, and looking takes a fifth of the time."""

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

YOUNG = 50_000
"""Objects made before garbage is looked for, as in the program; older ones after five such rounds."""


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
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 5, 5)
    gc.enable()


@pytest.fixture(autouse=True, scope="session")
def frozen_once() -> Iterator[None]:
    """An app that froze more would keep its screens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "freeze", lambda: None)
        yield
