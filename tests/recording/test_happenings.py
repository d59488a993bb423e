"""What happened to orders and alerts, recorded beside the prices and looked at in a replay."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from brokers.recording.files import MAGIC, RecordingFile, block_of, happened_in, opened, packed, ticks_of
from brokers.recording.happenings import (
    HappenedBlock,
    NewsHappened,
    OrderHappened,
    moment_of,
    stamp_us,
)
from data.clock import ManualClock
from data.errors import BadInput
from data.vocabulary import DeskKind, OrderState, SizingKind
from engine.market.recording import recording_file
from engine.review.happenings import RecordedDay, recorded_words
from engine.rules import Rules
from tests.desks import START, buy, carry_out, in_time, manual_clock, on_tape, paper_desk
from tests.recording.test_recording import KNOWN, tick
from tradedesk.compose.rehearsing.replaying import Replay, replay_desk

DAY = date(2026, 11, 18)


def news(seconds: float, words: str = "run 1 began") -> NewsHappened:
    return NewsHappened(stamp_us(START + timedelta(seconds=seconds)), "run", words)


def order(seconds: float, state: str = "OPEN", filled: int = 0) -> OrderHappened:
    at = stamp_us(START + timedelta(seconds=seconds))
    price = 2431_50
    return OrderHappened(
        at, 12, "PS1015", 3, "BUY", 10, "RELIANCE", "CNC", price, 0, state, filled, filled * price
    )


def prices(number: int):
    return block_of(DAY, timedelta(0), [KNOWN["NSE:TCS"]], [tick("NSE:TCS", 250_000 + number, number)])


def test_prices_and_what_happened_are_read_each_without_the_other(tmp_path: Path) -> None:
    path = tmp_path / "day.prices"
    file = RecordingFile(path, 10**9)
    assert file.write(prices(0))
    assert file.write(HappenedBlock(DAY.isoformat(), [order(2.5), news(1.000001)]))
    assert file.write(prices(1))
    file.close()
    with opened(path) as blocks:
        assert [one.last_paise for block in blocks for _, one in ticks_of(block)] == [250_000, 250_001]
    assert happened_in(path) == [news(1.000001), order(2.5)]
    assert moment_of(news(1.000001)) == START + timedelta(seconds=1.000001)


def test_wherever_a_program_died_what_happened_before_stands(tmp_path: Path) -> None:
    path, blocks = tmp_path / "day.prices", (prices(0), HappenedBlock(DAY.isoformat(), [order(1)]))
    content = MAGIC + b"".join(map(packed, blocks))
    whole = len(content)
    content += packed(HappenedBlock(DAY.isoformat(), [order(2)]))
    for cut in range(whole, len(content)):
        path.write_bytes(content[:cut])
        assert happened_in(path) == [order(1)], cut
        file = RecordingFile(path, 10**9)
        file.write(HappenedBlock(DAY.isoformat(), [news(3)]))
        file.close()
        assert happened_in(path) == [order(1), news(3)], cut
    path.write_bytes(MAGIC + packed(blocks[1])[:-1] + b"\0" + packed(blocks[1]))
    with pytest.raises(BadInput, match="it is damaged"):
        happened_in(path)


def test_words_tell_a_recorded_order_and_a_word_finds_it() -> None:
    assert recorded_words(order(0)) == "PS1015 order 12 BUY 10 RELIANCE CNC at 2,431.50: open"
    told = recorded_words(order(0, "PARTED", 4))
    assert told == "PS1015 order 12 BUY 10 RELIANCE CNC at 2,431.50: PARTED 4/10 at 2,431.50"
    now = [START]
    day = RecordedDay(lambda: now[0])
    day.play([news(1), order(2), news(3, "run 1 ended")])
    assert day.so_far() == []
    now[0] = START + timedelta(seconds=2)
    assert day.so_far() == [news(1), order(2)]
    assert day.so_far("reliance") == day.so_far("PS1015") == [order(2)]
    assert day.so_far("PS101") == []


async def test_a_replay_tells_what_happened_to_orders_and_alerts(tmp_path: Path) -> None:
    home, rules = tmp_path / "home", Rules(record_bytes=10**8)
    async with paper_desk(home, pins={}, kind=DeskKind.APP, rules=rules) as desk:
        await desk.market.follow(["NSE:RELIANCE"], "test")
        await manual_clock(desk).advance(1.5)
        client = desk.clients.find("PS1015").id
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, client))
        await in_time(desk, desk.runs.settled(run.number, 30))
        (sent,) = (desk.orders.get(one) for one in run.order_ids)
        assert sent.state is OrderState.FILLED
        await desk.alerts.test()
        await desk.alerts.look_again()
        await desk.alerts.done(desk.alerts.named("test"))
        await manual_clock(desk).advance(2.0)
    happened = happened_in(recording_file(home, DAY))
    states = [one.state for one in happened if isinstance(one, OrderHappened)]
    assert states[0] == "RESERVED"
    assert states[-1] == "FILLED"
    assert len(states) == len({*states}), "what is as it was is not told again"
    told = [one.words for one in happened if isinstance(one, NewsHappened)]
    assert any(words.startswith(f"run {run.number} finished") for words in told)
    assert sum("alert" in words for words in told) == 2, "one raised, one done with"
    assert [one.at_us for one in happened] == sorted(one.at_us for one in happened)

    clock = ManualClock(START)
    replay = Replay(recording_file(home, DAY), tmp_path / "own", 1.0, START)
    async with replay_desk(replay, DeskKind.SCRIPT, clock) as (desk, market):
        assert desk.recorded.played
        assert desk.recorded.so_far() == []
        await desk.market.follow(["NSE:RELIANCE"], "test")
        while market.ended_at is None:
            await clock.advance(0.5)
        await clock.advance(1.0)
        assert desk.recorded.so_far() == happened
        assert [one.order for one in desk.recorded.so_far("PS1015") if isinstance(one, OrderHappened)]
        assert on_tape(desk, "then: run 1 finished") != []
        assert desk.runs.all() == [], "nothing of it is in the books"
