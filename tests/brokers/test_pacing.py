"""Budgets of accounts and of the api keys they share, driven with a clock moved by hand."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brokers.pacing import KeyLane, Lane, RollingLane, account_lane, eta_s, key_lane
from brokers.paper.broker import CAPABILITIES
from data.records import replace
from tests.desks import START

TIGHT = replace(
    CAPABILITIES, orders_per_second=4, orders_per_minute=130, orders_per_day=45, key_orders_per_second=6
)
"""Of these, orders may use 2 a second and 30 a minute of an account, and 4 a second of a key."""

BEFORE_MIDNIGHT = datetime(2026, 11, 18, 18, 28, 50, tzinfo=UTC)
"""23:58:50 in India: a day, two minutes and some seconds come to an end soon."""


def day_of(now):
    return (now + timedelta(hours=5, minutes=30)).date()


@pytest.mark.parametrize("seed", range(40))
def test_no_second_minute_or_day_of_an_account_or_a_key_is_driven_beyond_its_budget(seed):
    dice, now = random.Random(seed), BEFORE_MIDNIGHT
    steps = dice.choice(((0, 0, 0, 1, 40), (0, 0, 0, 40, 300), (0, 0, 300, 999, 2_500)))
    key = key_lane(TIGHT)
    lanes = [Lane(TIGHT, key), Lane(TIGHT, key), Lane(TIGHT)]  # the last has a key of its own
    every, orders = Counter(), Counter()
    for _ in range(400):
        now += timedelta(milliseconds=dice.choice(steps))
        client, cancel = dice.randrange(3), dice.random() < 0.4
        lane = lanes[client]
        for _ in range(3):
            second, minute = int(now.timestamp()), int(now.timestamp()) // 60
            windows: list[tuple[str | int, ...]] = [("second", client, second), ("minute", client, minute)]
            if client < 2:
                windows.append(("key", second))
            wait = lane.wait_s(now, cancel)
            if cancel and every["minute", client, minute] < TIGHT.orders_per_minute:
                used_up = every["second", client, second] == 4 or (client < 2 and every["key", second] == 6)
                assert (wait > 0) == used_up
                assert wait <= 1
            if wait > 0:
                break
            lane.take(now, cancel)
            every.update(windows)
            orders.update([*windows, ("day", client, day_of(now))] if not cancel else [])
    limits = {"second": (4, 2), "minute": (130, 30), "key": (6, 4), "day": (None, 45)}
    for (window, *rest), count in orders.items():
        assert count <= limits[window][1], (window, rest)
    for (window, *rest), count in every.items():
        assert count <= limits[window][0], (window, rest)


@pytest.mark.parametrize("start_ms", [0, 350, 990])
def test_cancels_go_within_their_second_however_many_orders_wait(start_ms):
    capabilities = replace(CAPABILITIES, key_orders_per_second=10)
    key = key_lane(capabilities)
    lanes = [Lane(capabilities, key) for _ in range(5)]
    now, sent = START + timedelta(milliseconds=start_ms), 0
    for turn in range(400):  # 20 s in which every account sends whenever it may
        for lane in lanes:
            while lane.wait_s(now) == 0:
                lane.take(now)
                sent += 1
        if turn % 20 == 10:
            for lane in lanes[: CAPABILITIES.cancels_per_second]:
                assert lane.wait_s(now, cancel=True) == 0
                lane.take(now, cancel=True)
        now += timedelta(milliseconds=50)
    assert sent == (20 if start_ms == 0 else 21) * 8


def test_an_account_that_has_used_its_minute_up_with_orders_still_cancels_a_hundred():
    lane, now, made = Lane(CAPABILITIES), START, 0
    while lane.wait_s(now) <= 1:
        now += timedelta(seconds=lane.wait_s(now))
        lane.take(now)
        made += 1
    assert made == 300
    for _ in range(CAPABILITIES.cancels_per_minute):
        now += timedelta(seconds=(wait := lane.wait_s(now, cancel=True)))
        assert wait <= 1
        lane.take(now, cancel=True)
    assert lane.wait_s(now, cancel=True) == 60 - now.timestamp() % 60


def test_a_big_key_keeps_a_fifth_for_cancels_and_a_small_one_keeps_one_call_for_orders():
    for per_second, orders in ((1, 1), (2, 1), (10, 8), (50, 40)):
        key = KeyLane(per_second, 2)
        for _ in range(orders):
            assert key.wait_s(START) == 0
            key.take(START)
        assert key.wait_s(START) == 1
        assert (key.wait_s(START, cancel=True) == 0) == (per_second > orders)


def test_a_broker_without_a_budget_for_keys_has_no_lane_for_them():
    assert CAPABILITIES.key_orders_per_second is None
    assert key_lane(CAPABILITIES) is None


def drained(lanes, pending, now):
    """The seconds until the last of these calls has gone, the client with the most of them always first."""
    left, begun = Counter(pending), now
    while left:
        client, calls = max(left.items(), key=lambda item: (lanes[item[0]].wait_s(now) == 0, item[1]))
        wait = lanes[client].wait_s(now)
        if wait > 0:
            last = now
            now += timedelta(seconds=min(lanes[one].wait_s(now) for one in left))
            now = max(now, last + timedelta(microseconds=1))
            continue
        lanes[client].take(now)
        left[client] -= 1
        if calls == 1:
            del left[client]
    return (now - begun).total_seconds()


def lanes_of(count, capabilities=CAPABILITIES):
    key = key_lane(capabilities)
    return [Lane(capabilities, key) for _ in range(count)]


@pytest.mark.parametrize("calls", [0, 1, 8, 9, 300, 301, 900, 5_001])
@pytest.mark.parametrize("used", [0, 5])
def test_the_eta_of_one_account_is_when_its_last_call_goes(calls, used):
    now = datetime(2026, 11, 18, 18, 15, 58, 250_000, tzinfo=UTC)
    (lane,) = lanes = lanes_of(1)
    for _ in range(used):
        lane.take(now, cancel=True)
    told = eta_s({0: calls}, lanes.__getitem__, now)
    assert told == pytest.approx(drained(lanes, {0: calls} if calls else {}, now), abs=1e-3)
    assert (told == 0) == (calls <= 8 - max(0, used))


@pytest.mark.parametrize(
    ("pending", "seconds"),
    [
        ({0: 8}, 0),
        ({0: 5, 1: 3}, 0),
        ({0: 5, 1: 4}, 1),
        (dict.fromkeys(range(16), 1), 1),
        (dict.fromkeys(range(16), 10), 19),
        ({0: 40, 1: 1}, 5),
    ],
)
def test_the_eta_of_accounts_behind_one_key_is_the_keys_where_that_is_later(pending, seconds):
    capabilities = replace(CAPABILITIES, key_orders_per_second=10)
    lanes = lanes_of(16, capabilities)
    assert eta_s(pending, lanes.__getitem__, START) == seconds
    assert drained(lanes, pending, START) == pytest.approx(seconds, abs=1e-3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.integers(0, 5), st.integers(1, 50), min_size=1),
    st.lists(st.integers(0, 5), max_size=12),
    st.integers(0, 999),
)
def test_no_order_of_sending_beats_the_eta_and_it_is_not_far_off(pending, before, ms):
    lanes = lanes_of(6, TIGHT)
    now = BEFORE_MIDNIGHT + timedelta(milliseconds=ms)
    for client in before:
        if lanes[client].wait_s(now, cancel=True) == 0:
            lanes[client].take(now, cancel=True)
    told = eta_s(pending, lanes.__getitem__, now)
    real = drained(lanes, pending, now)
    assert told - 1e-3 <= real
    assert real - told <= 0.5 * told + 2


def test_a_broker_that_counts_in_windows_is_never_asked_for_more_in_any_of_them():
    limits = replace(CAPABILITIES, orders_per_second=8, orders_per_minute=40, orders_per_half_hour=100)
    limits = replace(limits, cancels_per_second=2, cancels_per_minute=10)
    rolling, now, made = account_lane(limits), START, list[tuple[float, bool]]()
    assert isinstance(rolling, RollingLane)
    dice = random.Random(5)
    for _ in range(400):
        cancel = dice.random() < 0.2
        wait = rolling.wait_s(now, cancel)
        now += timedelta(seconds=max(wait, dice.choice((0.0, 0.0, 0.3, 5.0))))
        assert rolling.wait_s(now, cancel) == 0
        rolling.take(now, cancel)
        made.append((now.timestamp(), cancel))
    for span, most, kept in ((1, 8, 2), (60, 40, 10), (1_800, 100, 10)):
        for number, (at, cancel) in enumerate(made):
            within = [one for one, _ in made[: number + 1] if at - span < one]
            assert len(within) <= most
            assert cancel or len(within) <= most - kept


def test_what_a_rolling_lane_says_of_many_calls_comes_true():
    limits = replace(CAPABILITIES, orders_per_second=8, orders_per_minute=40, orders_per_half_hour=100)
    rolling, now = account_lane(limits), START
    told = rolling.eta_s(60, now)
    for _ in range(60):
        now += timedelta(seconds=rolling.wait_s(now))
        rolling.take(now)
    assert abs((now - START).total_seconds() - told) < 0.001
