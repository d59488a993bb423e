"""A firm rehearsed in small: it holds to its broker, and nothing of it is left, however it ends."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from data.server.held_to import KeptBooks, KeptOrder
from data.vocabulary import OrderState
from tests import postgres, redis_server
from tradedesk.rehearsal.chaos import chaos
from tradedesk.rehearsal.firm import Size
from tradedesk.rehearsal.proving import proof_of
from tradedesk.rehearsal.rehearsal import Load

ROOT = Path(__file__).parents[2]
SMALL = ("--desks", "2", "--clients", "3")

needs_servers = pytest.mark.skipif(
    bool(postgres.missing() or redis_server.missing()), reason=postgres.missing() or redis_server.missing()
)


@pytest.fixture
def place() -> Iterator[Path]:
    """Where it has its temporary files; short, since a socket's path is."""
    with TemporaryDirectory(prefix="tdr-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def begun(place: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tradedesk.cli", "firm", "rehearse", *SMALL, *more],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a run in the background ignores ctrl+c, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def left_of(place: Path) -> list[str]:
    """What there is of it: files, and processes that have to do with its folders."""
    told = subprocess.run(
        ["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True
    ).stdout
    return [one.name for one in place.glob("tdf-*")] + [
        line for line in told.splitlines() if f"{place}/tdf-" in line
    ]


@pytest.mark.proof
@pytest.mark.timeout(600)  # an order in doubt is known after four minutes
@needs_servers
def test_a_rehearsed_firm_ends_with_its_brokers_books_and_leaves_nothing(place: Path) -> None:
    kept = place / "kept"
    child = begun(
        place, "--minutes", "0.2", "--orders", "240", "--json", "--folder", str(kept), "--writers", "2"
    )
    out, words = child.communicate(timeout=580)
    assert child.returncode == 0, out + words
    found = json.loads(out)
    proof = found["proof"]
    assert (proof["twice"], proof["unaccounted"], proof["paise"], proof["wrong"]) == (0, 0, 0, [])
    assert found["orders"] > 0 < proof["fills"]
    assert found["halt"]["live"] >= 6  # one of every client at least
    assert found["halt"]["unread"] == 0
    assert {"desk1", "desk2", "keep", "worker", "beat"} <= found["memory_mb"].keys()
    assert (found["writers"]["writers"], found["writers"]["clients"]) == (2, 20)
    assert found["writers"]["orders_a_minute"] > 0 < found["writers"]["statements_a_commit"]
    assert (kept / "desk1" / "config.toml").exists()
    assert left_of(place) == []


@pytest.mark.proof
@needs_servers
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=["ctrl+c", "killed"])
def test_a_rehearsal_that_is_broken_off_leaves_nothing(place: Path, sign: signal.Signals) -> None:
    child = begun(place, "--minutes", "5")
    assert child.stderr is not None
    for words in child.stderr:
        if words.startswith("trading"):
            break
    assert left_of(place) != []
    child.send_signal(sign)
    child.communicate(timeout=120)
    while sign is signal.SIGKILL and left_of(place):
        pass  # whoever watches it ends the others; the test's own time-out is the longest that may take
    assert left_of(place) == []


@pytest.mark.proof
@pytest.mark.timeout(900)
@needs_servers
async def test_a_rehearsed_firm_is_its_brokers_after_deaths(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    events = ["desk killed", "keep killed", "PostgreSQL restarted", "Redis emptied"]
    said = list[str]()
    found = await chaos(Size(2, 3), Load(1, 240), 1, None, said.append, events)
    assert found.holds, said
    assert found.well == dict.fromkeys(events, 1)
    assert found.rounds[-1].orders > found.rounds[0].orders > 0
    assert left_of(place) == []


def test_books_are_held_to_a_ledger_order_by_order_and_paisa_by_paisa() -> None:
    filled = KeptOrder(1, OrderState.FILLED, "K1", 2, ("a", "b"))
    books = KeptBooks([filled], [("T1", "K1", 2, 100)], {"U": (500, 0, 0)})
    there = {"id": "K1", "tag": "b", "user": "U", "ended": True, "filled": 2}
    trade = {"id": "T1", "order": "K1", "quantity": 2, "paise": 100}
    ledger = {"orders": [there], "trades": [trade], "received": {"b": 1}, "cash": {"U": [500, 0, 0]}}
    assert proof_of(books, ledger, []).holds
    assert not proof_of(books, ledger, ["a doctor's word"]).holds

    twice = proof_of(books, ledger | {"orders": [there, there | {"id": "K2", "tag": "a"}]}, [])
    assert (twice.twice, twice.holds) == (1, False)
    nobodys = proof_of(books, ledger | {"received": {"b": 1, "c": 1}}, [])
    assert (nobodys.unaccounted, nobodys.holds) == (1, False)
    lost = proof_of(books, ledger | {"orders": [], "trades": []}, [])
    assert lost.unaccounted == 2  # the order is not there, and its trade was not made
    apart = proof_of(books, ledger | {"cash": {"U": [400, 30, 0]}}, [])
    assert (apart.paise, apart.holds) == (130, False)
    doubtful = KeptBooks([KeptOrder(1, OrderState.UNKNOWN, "", 0, ("b",))], books.fills, books.cash)
    assert (proof_of(doubtful, ledger, []).in_doubt, proof_of(doubtful, ledger, []).holds) == (1, False)
