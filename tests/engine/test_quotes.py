"""The quote map: last values, who must repaint, and how old a price is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from brokers.contract import Heartbeat, Tick
from data.reference.instruments import Instrument
from engine.market.quotes import QuoteMap, detail

START = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tick(key: str, seconds: float, last: int = 100_00) -> Tick:
    return Tick(
        key=key,
        last_paise=last,
        prev_close_paise=98_00,
        open_paise=99_00,
        high_paise=last,
        low_paise=99_00,
        volume=10,
        bid_paise=last,
        ask_paise=last,
        lower_circuit_paise=80_00,
        upper_circuit_paise=120_00,
        market_at=at(seconds),
        received_at=at(seconds),
    )


def test_each_owner_sees_its_own_changed_keys_once() -> None:
    quotes = QuoteMap()
    assert quotes.follow("desk", ["A", "B"])
    assert not quotes.follow("bulk", ["B"])
    quotes.put(tick("A", 1))
    quotes.put(tick("B", 1))
    quotes.put(tick("B", 2, last=101_00))
    quotes.put(tick("C", 2))
    assert quotes.take_dirty("desk") == {"A", "B"}
    assert quotes.take_dirty("desk") == set()
    assert quotes.take_dirty("bulk") == {"B"}
    latest = quotes.quote("B")
    assert latest is not None
    assert latest.last_paise == 101_00
    assert quotes.take_dirty("nobody") == set()


def test_following_anew_paints_what_is_known_and_forgets_what_is_left() -> None:
    quotes = QuoteMap()
    quotes.follow("desk", ["A"])
    quotes.put(tick("A", 1))
    quotes.put_fetched([tick("B", 1)])
    assert quotes.follow("desk", ["B", "C"])
    assert quotes.take_dirty("desk") == {"B"}
    quotes.put(tick("A", 2))
    assert quotes.take_dirty("desk") == set()
    assert quotes.followed() == {"B", "C"}
    assert quotes.follow("desk", [])
    assert quotes.followed() == set()


def test_a_heartbeat_renews_a_followed_price_and_no_other() -> None:
    quotes = QuoteMap()
    quotes.follow("desk", ["A"])
    assert quotes.age("A", at(0)) is None
    assert quotes.feed_age(at(0)) is None
    quotes.put(tick("A", 1))
    quotes.put(tick("B", 1))
    quotes.heartbeat(Heartbeat(at(9)))
    assert quotes.age("A", at(10)) == 1
    assert quotes.age("B", at(10)) == 9
    assert quotes.feed_age(at(10)) == 1


def test_a_heartbeat_that_names_its_prices_renews_no_other() -> None:
    quotes = QuoteMap()
    quotes.follow("desk", ["A", "B"])
    quotes.put(tick("A", 1))
    quotes.put(tick("B", 1))
    quotes.heartbeat(Heartbeat(at(5), frozenset("A"), "one"))
    quotes.heartbeat(Heartbeat(at(5), frozenset("B"), "two"))
    quotes.heartbeat(Heartbeat(at(9), frozenset("A"), "one"))
    assert (quotes.age("A", at(9)), quotes.age("B", at(9))) == (0, 4)
    assert quotes.feed_age(at(9)) == 0


def test_the_last_word_of_a_source_is_what_it_speaks_for() -> None:
    quotes = QuoteMap()
    quotes.follow("desk", ["A", "B"])
    quotes.put(tick("A", 1))
    quotes.put(tick("B", 1))
    quotes.heartbeat(Heartbeat(at(5), frozenset("AB"), "one"))
    # It stands again and has brought nothing yet: what it said before its loss was true then.
    quotes.heartbeat(Heartbeat(at(7), frozenset(), "one"))
    assert (quotes.age("A", at(9)), quotes.feed_age(at(9))) == (4, 2)
    # B went to another, which has yet to bring it: neither renews it.
    quotes.heartbeat(Heartbeat(at(9), frozenset("A"), "one"))
    quotes.heartbeat(Heartbeat(at(9), frozenset("C"), "two"))
    assert (quotes.age("A", at(9)), quotes.age("B", at(9))) == (0, 8)
    quotes.heartbeat(Heartbeat(at(10), frozenset("BC"), "two"))
    assert quotes.age("B", at(10)) == 0


def test_a_heartbeat_cannot_vouch_for_a_price_from_before_the_subscription() -> None:
    quotes = QuoteMap()
    quotes.follow("desk", ["A"])
    quotes.put(tick("A", 1))
    quotes.follow("desk", [])
    quotes.follow("desk", ["A"])
    quotes.heartbeat(Heartbeat(at(60)))
    assert quotes.age("A", at(60)) == 59
    quotes.put(tick("A", 61))
    quotes.heartbeat(Heartbeat(at(65)))
    assert quotes.age("A", at(65)) == 0
    quotes.reopened()
    quotes.heartbeat(Heartbeat(at(70)))
    assert quotes.age("A", at(70)) == 9


def test_a_fetched_quote_is_a_price_but_no_sign_of_the_feed_and_never_goes_back() -> None:
    quotes = QuoteMap()
    quotes.put_fetched([tick("A", 5)])
    assert quotes.age("A", at(6)) == 1
    assert quotes.feed_age(at(6)) is None
    quotes.put_fetched([tick("A", 4, last=50_00)])
    quotes.put(tick("A", 3, last=50_00))
    held = quotes.quote("A")
    assert held is not None
    assert held.last_paise == 100_00


def test_a_wall_clock_that_is_set_back_makes_no_price_young_and_holds_up_no_later_one() -> None:
    steady = [0.0]
    quotes = QuoteMap(lambda: steady[0])
    quotes.follow("desk", ["A"])
    quotes.put(tick("A", 100))
    quotes.heartbeat(Heartbeat(at(100)))
    steady[0] = 10.0
    assert (quotes.age("A", at(80)), quotes.feed_age(at(80))) == (10, 10)
    quotes.put_fetched([tick("A", 81, last=90_00)])
    held = quotes.quote("A")
    assert held is not None
    assert (held.last_paise, quotes.age("A", at(81))) == (90_00, 0)
    steady[0] = 12.0
    quotes.heartbeat(Heartbeat(at(83)))
    assert quotes.feed_age(at(83)) == 0


def test_detail_of_a_stock() -> None:
    reliance = Instrument(
        token=1,
        exchange="NSE",
        tradingsymbol="RELIANCE",
        name="Reliance",
        tick_paise=10,
        mtf_margin_bps=5_000,
        prev_close_paise=2_395_00,
    )
    quote = replace(tick("NSE:RELIANCE", 1, last=2_450_50), prev_close_paise=2_395_00)
    shown = detail(reliance, quote, held_quantity=1_140, holder_count=23)
    assert (shown.change_paise, shown.change_bps) == (55_50, 232)
    assert shown.mtf_own_per_share_paise == 1_225_25
    assert (shown.held_quantity, shown.holder_count) == (1_140, 23)
    fallen = detail(replace(reliance, mtf_margin_bps=None), replace(quote, last_paise=2_394_00))
    assert (fallen.change_bps, fallen.mtf_own_per_share_paise) == (-4, None)
    unknown = detail(reliance, None)
    assert (unknown.change_paise, unknown.change_bps, unknown.mtf_own_per_share_paise) == (None, None, None)
