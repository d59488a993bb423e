"""Recorded prices: whole at every block's end, bounded, and the same when they are played again."""

from datetime import date, time, timedelta
from pathlib import Path
from random import Random

import pytest

from brokers.contract import DepthLevel, Tick
from brokers.paper.ticks import tick_of
from brokers.recording.files import MAGIC, RecordingFile, block_of, opened, packed, ticks_of
from brokers.recording.from_csv import record_csv
from brokers.recording.market import RecordedMarket, first_moment, instruments_in
from brokers.simulators.exchange.prices import Quote
from data.clock import IST, FastClock, ManualClock
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.home import recordings_folder
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import DeskKind, OrderState, SizingKind
from engine.desk import Desk
from engine.market.bars import MinuteBars
from engine.market.recording import DayRecorder, recording_file
from engine.rules import Rules, Waits
from engine.timing import Timing
from tests.desks import START, buy, in_time, manual_clock, paper_desk
from tradedesk.compose.rehearsing.replaying import Replay, replay_desk, replay_of

DAY = date(2026, 11, 18)
KEYS = ("NSE:RELIANCE", "NSE:TCS", "NSE:NIFTY 50")
KNOWN = {row.instrument.key: row.instrument for row in universe()}


def tick(key: str, paise: int, seconds: float) -> Tick:
    at = START + timedelta(seconds=seconds)
    depth = (DepthLevel(paise, 10, 1),)
    return Tick(key, paise, paise, paise, paise, paise, 5, paise, paise, 1, 10**7, at, at, depth, depth)


def block(first: int, count: int = 3):
    ticks = [tick("NSE:TCS", 250_000 + number, number) for number in range(first, first + count)]
    return block_of(DAY, timedelta(0), [KNOWN["NSE:TCS"]], ticks)


def prices(path: Path) -> list[int]:
    with opened(path) as blocks:
        return [tick.last_paise for one in blocks for _, tick in ticks_of(one)]


def test_what_is_written_is_read_again_to_the_microsecond(tmp_path: Path) -> None:
    path = tmp_path / "day.prices"
    given = [tick("NSE:TCS", 250_000, 0.000001), tick("NSE:INFY", 150_000, 1.25)]
    file = RecordingFile(path, 10**9)
    assert file.write(block_of(DAY, timedelta(hours=-1), [KNOWN["NSE:TCS"]], given))
    file.close()
    with opened(path) as blocks:
        (read,) = blocks
    assert [one for _, one in ticks_of(read)] == given
    assert [at for at, _ in ticks_of(read)] == [one.received_at - timedelta(hours=1) for one in given]
    assert [one.key for one in instruments_in(path)] == ["NSE:TCS"]
    assert first_moment(path) == given[0].received_at - timedelta(hours=1)


def test_wherever_a_program_died_the_blocks_before_stand_and_writing_goes_on_there(tmp_path: Path) -> None:
    path = tmp_path / "day.prices"
    file = RecordingFile(path, 10**9)
    file.write(block(0))
    whole = path.stat().st_size
    file.write(block(3))
    file.close()
    content = path.read_bytes()
    for cut in (whole + 1, whole + 15, whole + 16, len(content) - 1):
        path.write_bytes(content[:cut])
        assert prices(path) == [250_000, 250_001, 250_002], cut
        again = RecordingFile(path, 10**9)
        again.write(block(6, 1))
        again.close()
        assert prices(path) == [250_000, 250_001, 250_002, 250_006], cut


def test_damage_before_the_end_is_named_and_no_price_of_it_is_read(tmp_path: Path) -> None:
    path, rng = tmp_path / "day.prices", Random(7)
    content = MAGIC + packed(block(0)) + packed(block(3))
    for place in rng.sample(range(len(MAGIC) + len(packed(block(0)))), 20):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        with pytest.raises(BadInput, match=r"it is no recording|it is damaged"):
            prices(path)


def test_a_file_comes_to_its_bound_and_no_further(tmp_path: Path) -> None:
    most = len(MAGIC) + 2 * len(packed(block(0))) + 10
    file = RecordingFile(tmp_path / "day.prices", most)
    assert [file.write(block(0)) for _ in range(3)] == [True, True, False]
    file.close()
    assert (tmp_path / "day.prices").stat().st_size <= most


def test_a_replayed_day_has_the_bars_of_the_recorded_one(tmp_path: Path) -> None:
    rng, path, clock = Random(7), tmp_path / "day.prices", ManualClock(START)
    came = sorted(
        ((rng.randrange(1, 4800) / 8, key) for key in KEYS for _ in range(400)), key=lambda one: one[0]
    )
    ticks = [tick(key, rng.randrange(240_000, 250_000), seconds) for seconds, key in came]
    file = RecordingFile(path, 10**9)
    for first in range(0, len(ticks), 100):
        file.write(block_of(DAY, timedelta(0), [], ticks[first : first + 100]))
    file.close()
    market = RecordedMarket(path, clock, START)
    market.begin()
    recorded, replayed = MinuteBars(), MinuteBars()
    held, sent = dict[str, Tick](), dict[str, tuple[Quote, Tick]]()
    coming = iter(ticks)
    ahead = next(coming, None)
    for pulse in range(8 * 610):
        clock.shift(0.125)
        now = clock.now()
        while ahead is not None and ahead.received_at <= now:
            held[ahead.key], ahead = ahead, next(coming, None)
        for key in KEYS:  # as the paper exchange's stream tells what is another quote
            quote = market.quote(key)
            assert (quote is None) == (key not in held)
            if quote is not None and (key not in sent or sent[key][0] is not quote):
                sent[key] = quote, tick_of(quote, now, now)
        if pulse % 40 == 0:
            minute = now.astimezone(IST).hour * 60 + now.astimezone(IST).minute
            for key in held:
                recorded.note(DAY, minute, held[key])
                replayed.note(DAY, minute, sent[key][1])
    assert all(len(recorded.of(key)) >= 10 for key in KEYS)
    assert {key: recorded.of(key) for key in KEYS} == {key: replayed.of(key) for key in KEYS}
    assert market.ended_at is not None
    market.close()


async def test_a_replayed_day_ends_with_the_prices_of_the_recorded_one(tmp_path: Path) -> None:
    home, rules = tmp_path / "home", Rules(record_bytes=10**8)
    async with paper_desk(home, pins={}, kind=DeskKind.APP, rules=rules) as desk:
        await desk.market.follow(KEYS, "test")
        for _ in range(60):
            await manual_clock(desk).advance(0.5)
        recorded = figures_of(desk)
    file = recording_file(home, DAY)
    assert {one.key for one in instruments_in(file)} == set(KEYS)
    clock = ManualClock(START)
    replay = Replay(file, tmp_path / "own", 1.0, START)
    async with replay_desk(replay, DeskKind.SCRIPT, clock) as (desk, market):
        await desk.market.follow(KEYS, "test")
        for _ in range(2_000):  # how soon its thread has read on, and told it, is up to the machine
            await clock.advance(0.5)
            if market.ended_at is not None and figures_of(desk) == recorded:
                break
        assert market.ended_at is not None
        assert figures_of(desk) == recorded
        assert all(desk.market.minute_bars(key) for key in KEYS)


def figures_of(desk: Desk) -> dict[str, list[object]]:
    """What is told of each instrument, but for when it came."""
    names = ("last_paise", "open_paise", "high_paise", "low_paise", "volume", "bids", "asks")
    quotes = {key: desk.market.quote(key) for key in KEYS}
    return {key: [getattr(quote, name) for name in names] for key, quote in quotes.items()}


async def test_what_is_sent_in_a_replay_meets_the_recorded_prices(tmp_path: Path) -> None:
    source = tmp_path / "ticks.csv"
    rows = [f"2026-11-18T09:15:{second:02d},RELIANCE,{2400 + second}.00,{second}" for second in range(50)]
    source.write_text("\n".join(["time,symbol,price,volume", *rows]))
    replay = replay_of(source, tmp_path / "home", 1.0, None)
    clock = ManualClock(replay.begins_at)
    async with replay_desk(replay, DeskKind.SCRIPT, clock) as (desk, _):
        await desk.market.follow(["NSE:RELIANCE"], "test")
        for _ in range(60):
            await clock.advance(0.5)
        client = desk.clients.find("PS1015").id
        plan = await in_time(desk, desk.plans.freeze(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, client)))
        run = await in_time(desk, desk.runs.start(plan, plan.digest))
        run = await in_time(desk, desk.runs.settled(run.number, 30))
        (order,) = (desk.orders.get(one) for one in run.order_ids)
        assert order.state is OrderState.FILLED
        assert 2428_00 <= order.filled_notional_paise <= 2436_00


def test_bad_ticks_are_each_named_and_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "ticks.csv"
    source.write_text(
        "time,symbol,price\nyesterday,TCS,1\n2026-11-18T09:15:00,TCS,abc\n2026-11-18T09:15:00,*,0\n"
    )
    with pytest.raises(FileProblem) as bad:
        record_csv(source, tmp_path / "to.prices", KNOWN.get)
    assert [(one.row, one.field) for one in bad.value.problems] == [(2, "time"), (3, "price"), (4, "symbol")]
    source.write_text("time,symbol,price\n2026-11-18T09:15:00,TCS,1\n2026-11-19T09:15:00,TCS,1\n")
    with pytest.raises(FileProblem, match="the ticks of one day go into one file"):
        record_csv(source, tmp_path / "to.prices", KNOWN.get)
    assert not (tmp_path / "to.prices").exists()


def test_where_prices_cannot_be_written_the_day_goes_on_without_them(tmp_path: Path) -> None:
    clock, home = ManualClock(START), tmp_path / "home"
    home.mkdir()
    recordings_folder(home).write_text("no folder")
    recorder = DayRecorder(home, Timing(clock, clock, load_calendar(), Waits()), KNOWN.get, 10**6)
    recorder.hear(tick("NSE:TCS", 250_000, 0))
    recorder.write()
    recordings_folder(home).unlink()
    recorder.hear(tick("NSE:TCS", 250_000, 1))
    recorder.close()
    assert not recordings_folder(home).exists(), "that was logged, and the day's recording ended there"


def test_a_replay_says_what_it_cannot_play(tmp_path: Path) -> None:
    file = recordings_folder(tmp_path) / "2026-11-18.prices"
    RecordingFile(file, 10**6).close()
    with pytest.raises(BadInput, match="no price was recorded in it"):
        replay_of(file, tmp_path, 1.0, None)
    with pytest.raises(BadInput, match="give 1 to 60"):
        replay_of(file, tmp_path, 61.0, None)
    with pytest.raises(BadInput, match="it cannot be read"):
        replay_of(tmp_path / "none.prices", tmp_path, 1.0, None)
    writing = RecordingFile(file, 10**6)
    writing.write(block(0))
    writing.close()
    made = replay_of(file, tmp_path, 60.0, time(9, 45))
    assert made.begins_at.astimezone(IST).strftime("%H:%M") == "09:45"
    assert made.home == tmp_path / "replays" / "2026-11-18"


def test_the_market_stands_until_it_begins_and_at_its_end(tmp_path: Path) -> None:
    file, clock = tmp_path / "day.prices", ManualClock(START)
    writing = RecordingFile(file, 10**6)
    writing.write(block(0))
    writing.close()
    market = RecordedMarket(file, clock)
    clock.shift(100)
    assert market.now() == START
    market.begin()
    clock.shift(1.5)
    quote = market.quote("NSE:TCS")
    assert quote is not None
    assert quote.last_paise == 250_001
    clock.shift(100)
    market.quote("NSE:TCS")
    assert market.now() == START + timedelta(seconds=2)
    market.close()


def test_a_fast_clock_runs_so_many_times_as_fast() -> None:
    clock = FastClock(START, 60.0)
    first = clock.now()
    assert first >= START
    assert clock.now() >= first
