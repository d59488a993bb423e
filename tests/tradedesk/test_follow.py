"""`orders --follow` and `runs --follow`: another process's changes, each once, from the books alone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data.clock import ManualClock
from data.vocabulary import DeskKind, SizingKind
from tests.desks import START, buy, carry_out, filed_desk
from tradedesk.socket.protocol import Effect, effect_of

QTY = SizingKind.FIXED_QUANTITY
AARAV, PRIYA = 42, 15


@contextmanager
def following(home: Path, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """A command in a process of its own, interrupted at the end as ctrl+c does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tradedesk.cli", *words],
        env=os.environ | {"TRADEDESK_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores ctrl+c, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
        assert (process.returncode, told) == (0, "")
    finally:
        process.kill()
        process.wait()


async def next_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return (await asyncio.to_thread(process.stdout.readline)).strip()


async def lines_until(process: "subprocess.Popen[str]", order_id: int, state: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or (found[-1]["order_id"], found[-1]["state"]) != (order_id, state):
        found.append(json.loads(await next_line(process)))
    return found


@pytest.mark.proof
async def test_each_change_of_another_process_is_told_once(tmp_path: Path) -> None:
    async with filed_desk(tmp_path, ManualClock(START), DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, 2, AARAV))
        with (
            following(tmp_path, "orders", "--follow", "--json") as orders,
            following(tmp_path, "runs", "--follow") as runs,
            following(tmp_path, "orders", "--follow", "--client", "PS1015") as of_one,
        ):
            (standing,) = await lines_until(orders, 1, "FILLED")
            assert (standing["code"], standing["filled_quantity"]) == ("AM1042", 2)
            assert "run 1  BUY TCS 2 shares each" in await next_line(runs)
            _, (_, other) = (
                await carry_out(desk, buy("INFY", QTY, 1, AARAV, limit_paise=140000)),
                await carry_out(desk, buy("TCS", QTY, 1, PRIYA)),
            )
            told = await lines_until(orders, other.order_ids[0], "FILLED")
            assert len({json.dumps(one) for one in told}) == len(told), "nothing is told twice"
            assert {one["order_id"] for one in told} == {2, 3}
            assert [one["state"] for one in told if one["order_id"] == 2][-1] == "OPEN"
            resting = await next_line(of_one)
            while "FILLED" not in resting:
                resting = await next_line(of_one)
            assert "order 3  PS1015  BUY 1 TCS CNC  filled 1 at 2,500.00  FILLED" in resting
            await desk.orders.cancel([2])
            (ended,) = [one for one in await lines_until(orders, 2, "CANCELLED") if one["ended_at"]]
            assert ended["order_id"] == 2
            run = await next_line(runs)
            while "run 3" not in run:
                run = await next_line(runs)


def test_what_is_followed_is_read_by_the_command_itself() -> None:
    assert effect_of(["orders"]) is Effect.READ
    assert effect_of(["orders", "--follow", "--json"]) is None
    assert effect_of(["runs", "--follow"]) is None


@pytest.mark.in_file
def test_a_reader_that_has_had_enough_ends_it(tmp_path: Path) -> None:
    async def prepared() -> None:
        async with filed_desk(tmp_path, ManualClock(START)) as desk:
            await carry_out(desk, buy("TCS", QTY, 2, AARAV))

    asyncio.run(prepared())
    command = f"{sys.executable} -m tradedesk.cli orders --follow | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=os.environ | {"TRADEDESK_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "order 1  AM1042  BUY 2 TCS CNC  filled 2" in done.stdout
