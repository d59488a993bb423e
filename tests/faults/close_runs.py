"""Closes that are killed anywhere, then gone on with: each must end with the seal of one that was not.

Behind each close a contract note corrects the day, which is closed again; then the next day is opened, whose
companies' actions are booked, and others are imported late.

    python -m tests.faults.close_runs --kills 500

Every run forks a child on a copy of one home, kills it with SIGKILL behind a step's commit or after a random
time, closes again in a second child, and holds the seal, the steps and the books against the first close.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from data.home import books_file
from data.vocabulary import CloseStepKind, DeskKind, SizingKind
from engine.desk import Desk
from engine.instances import CLOSE_POINTS, DAY_POINTS
from tests.desks import books_are_sound, buy, carry_out, sell
from tests.faults.forks import fork
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

DAY = date(2026, 11, 18)
"""The demonstration's first day, which is closed."""

LATEST_S = 2.5
"""By when a kill by time has come; a close and what follows take less."""

NOTED = 4
"""The client whose contract note comes to another total."""

KNOWN = """symbol,purpose,ex_date,allotment_date,paid_to
TCS,Bonus 1:2,2026-11-19,2026-11-20,
INFY,Face Value Split From Rs 5/- To Re 1/-,2026-11-19,,
HDFCBANK,Dividend - Rs 2.35 Per Share,2026-11-19,,bank
"""
LATE = """symbol,purpose,ex_date,allotment_date,paid_to
ICICIBANK,Dividend - Rs 11 Per Share,2026-11-19,,broker
NTPC,Bonus 2:7,2026-11-19,,
"""
"""Companies' actions of the next day, known before it is opened and told later."""


def prepare(home: Path) -> None:
    """A home whose first day is over and was traded: buys, a round trip within the day, loans."""

    async def work() -> None:
        async with compose_desk(home, DeskKind.SCRIPT, needs_secrets=False, latency=(0.0, 0.0)) as desk:
            await prepare_demo(desk)
            await desk.price()
            await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 3, 1, 4, 7, 15))
            await carry_out(desk, sell("TCS", SizingKind.FIXED_QUANTITY, 2, 1, 4))
            await desk.close.note_before()
            (home / "known.csv").write_text(KNOWN)
            (home / "late.csv").write_text(LATE)
            await desk.actions.take(home / "known.csv")
            exchange_of(desk).jump(seam(desk).calendar.session_close(desk.market_clock.trading_day))

    asyncio.run(work())


def close_once(pipe: Any, home: Path, kill_at: str, kill_after_s: float) -> None:
    """Close the due day of a home; die at a point, or after a time."""

    async def work() -> None:
        async with compose_desk(home, DeskKind.COMMAND, needs_secrets=False, latency=(0.0, 0.0)) as desk:

            def reached(point: str) -> None:
                if point == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            seam(desk).reached = reached
            if kill_after_s:
                signal.setitimer(signal.ITIMER_REAL, kill_after_s)
            await _close(desk)
            await desk.contract_notes.note(NOTED, DAY, {"total": 77_77}, "the note")
            await _close(desk)
            await _open_next(desk, home)
            signal.setitimer(signal.ITIMER_REAL, 0)
            await books_are_sound(desk)
            pipe.send((await desk.close.report(DAY)).seal)

    asyncio.run(work())


async def _close(desk: Desk) -> None:
    prospect = await desk.close.look(DAY)
    await desk.close.close(DAY, prospect.closing)


async def _open_next(desk: Desk, home: Path) -> None:
    """The next day with its companies' actions, and those that are told once it is open."""
    calendar = seam(desk).calendar
    following = calendar.next_trading_day(DAY)
    if desk.market_clock.trading_day == DAY:
        exchange_of(desk).jump(calendar.session_close(following) - timedelta(hours=6))
    await desk.workings.days.keep()
    await desk.actions.take(home / "late.csv")
    await desk.company_actions.book()


def books_of(home: Path) -> dict[str, Any]:
    """What a close has left in the books: the seal, its steps, clients' digests, what it booked."""
    with sqlite3.connect(books_file(home)) as books:
        return {
            "seals": books.execute("SELECT day, rev, seal, clients FROM day_seal").fetchall(),
            "steps": sorted(books.execute("SELECT day, rev, step FROM close_step").fetchall()),
            "days": books.execute("SELECT client_id, rev, digest FROM client_day ORDER BY 1, 2").fetchall(),
            "closes": books.execute(
                "SELECT day, key, rev, close_paise FROM official_close ORDER BY 1, 2"
            ).fetchall(),
            "rerated": books.execute(
                "SELECT t.client_id, p.account, p.amount_paise FROM txn t JOIN posting p ON p.txn_id = t.id"
                " WHERE t.kind = 'rerate' ORDER BY 1, 2, 3"
            ).fetchall(),
            "notes": books.execute(
                "SELECT client_id, kind, before, after, rev FROM day_correction ORDER BY id"
            ).fetchall(),
            "actions": books.execute(
                "SELECT client_id, security, ex_date, purpose, turn, entitled, shares, fraction, paise"
                " FROM action_booking ORDER BY 1, 2, 4, 5"
            ).fetchall(),
            "due": books.execute(
                "SELECT client_id, security, product, due FROM holding WHERE due ORDER BY 1, 2, 3"
            ).fetchall(),
            "paid": books.execute(
                "SELECT t.client_id, p.account, p.amount_paise FROM txn t JOIN posting p ON p.txn_id = t.id"
                " WHERE t.kind IN ('note', 'action') ORDER BY 1, 2, 3"
            ).fetchall(),
            "told": books.execute("SELECT count(*) FROM audit WHERE action = 'DAY_SEALED'").fetchall(),
        }


def one_kill(standing: Path, folder: Path, expected: dict[str, Any], dice: random.Random) -> tuple[str, str]:
    """Kill one close and go on with it; returns where it died, and what is wrong then, empty if nothing."""
    home = folder / "home"
    shutil.copytree(standing, home)
    point = dice.choice((*CLOSE_POINTS, *DAY_POINTS, "")) if dice.random() < 0.6 else ""
    after = 0.0 if point else dice.uniform(0.001, LATEST_S)
    first = fork(close_once, home, point, after)
    died = first.wait() != 0
    second = fork(close_once, home, "", 0.0)
    try:
        second.receive(60.0)
    except (EOFError, TimeoutError) as problem:
        return point, f"the second close did not end: {problem!r}"
    second.wait()
    found = books_of(home)
    shutil.rmtree(home)
    wrong = [name for name, value in expected.items() if found[name] != value]
    return point or ("by time" if died else "too late"), ", ".join(wrong)


def kill_closes(kills: int, seed: int, tell: Callable[[str], None] = print) -> int:
    """Kill so many closes; returns how many ended otherwise than one that was not killed."""
    dice, faults, died = random.Random(seed), 0, Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        standing = folder / "standing"
        standing.mkdir()
        made = fork(lambda pipe, home: prepare(home), standing)
        assert made.wait() == 0, "no home could be prepared"
        reference = folder / "reference"
        shutil.copytree(standing, reference)
        whole = fork(close_once, reference, "", 0.0)
        whole.receive(120.0)
        whole.wait()
        expected = books_of(reference)
        assert len(expected["steps"]) == 2 * len(CloseStepKind)
        assert expected["notes"]
        assert len({row[3] for row in expected["actions"]}) == 5
        for number in range(kills):
            where, wrong = one_kill(standing, folder, expected, dice)
            died[where] += 1
            if wrong:
                faults += 1
                tell(f"kill {number} at {where}: {wrong}")
                shutil.rmtree(folder / "home", ignore_errors=True)
    tell(f"{kills - faults} of {kills} closes ended right; died: {dict(died.most_common())}")
    return faults


def main() -> int:
    """Run it as a command."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    return 1 if kill_closes(given.kills, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
