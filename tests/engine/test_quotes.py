"""The quote map: last values, who must repaint, and how old a price is."""

from datetime import UTC, datetime, timedelta

from brokers.contract import Heartbeat, RawPacket, Tick, Ticks
from data.records import replace
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


class Post:
    """Packets that came in together; it counts how often one is read."""

    def __init__(self, seconds: float, received_s: float = 0.0) -> None:
        self.received_at = at(seconds)
        self.received_s = received_s
        self.reads: list[str] = []

    def tick(self, key: str, packet: RawPacket) -> Tick:
        self.reads.append(key)
        return replace(tick(key, 0, packet[0]), received_at=self.received_at)


def unread(post: Post, **lasts: int) -> Ticks:
    """Ticks of NSE stocks whose packets say a last price."""
    packets = {f"NSE:{symbol}": ((last, b""), post) for symbol, last in lasts.items()}
    return Ticks(packets, post.received_at, post.received_at)


class TestUnreadTicks:
    def test_one_is_read_when_it_is_looked_at_and_once(self):
        quotes, post = QuoteMap(), Post(1)
        quotes.put_all(unread(post, A=101, B=102))
        assert quotes.age("NSE:A", at(3)) == 2
        assert post.reads == []
        first = quotes.quote("NSE:B")
        assert first is not None
        assert first.last_paise == 102
        assert quotes.quote("NSE:B") is first
        assert post.reads == ["NSE:B"]
        quotes.put_all(unread(Post(2), B=103))
        newer = quotes.quote("NSE:B")
        assert newer is not None
        assert newer.last_paise == 103

    def test_one_ages_from_its_arrival_by_the_older_of_two_clocks(self):
        quotes = QuoteMap(lambda: 107.0)
        quotes.put_all(unread(Post(1, received_s=100.0), A=101))
        assert quotes.age("NSE:A", at(3)) == 7, "the wall clock was set back"
        assert quotes.age("NSE:A", at(13)) == 12, "the machine slept"
        quotes.rename({"NSE:A": "NSE:Z"})
        assert quotes.age("NSE:Z", at(3)) == 7
        quotes.put(tick("NSE:Z", 3, 102))
        assert quotes.age("NSE:Z", at(3)) == 0

    def test_each_owner_has_those_it_follows_to_look_at(self):
        quotes = QuoteMap()
        quotes.follow("screen", ["NSE:A", "NSE:C"])
        quotes.follow("engine", ["NSE:B"])
        quotes.put_all(unread(Post(1), A=101, B=102, D=103))
        assert quotes.take_dirty("screen") == {"NSE:A"}
        assert quotes.take_dirty("engine") == {"NSE:B"}
        assert quotes.take_dirty("screen") == set()
        for told in ({"A": 104, "B": 105}, {"B": 106}, {"A": 107, "B": 108, "C": 109, "D": 110}):
            quotes.put_all(unread(Post(2), **told))
        assert quotes.take_dirty("screen") == {"NSE:A", "NSE:C"}
        assert quotes.take_dirty("engine") == {"NSE:B"}

    def test_one_that_a_newer_quote_has_overtaken_changes_nothing(self):
        quotes = QuoteMap()
        quotes.put_fetched([tick("NSE:A", 5, 200)])
        quotes.put_all(unread(Post(4), A=101, B=102))
        held, other = quotes.quote("NSE:A"), quotes.quote("NSE:B")
        assert held is not None
        assert other is not None
        assert (held.last_paise, other.last_paise) == (200, 102)
        quotes.put_all(unread(Post(1), A=101))
        after = quotes.quote("NSE:A")
        assert after is not None
        assert after.last_paise == 101, "the wall clock was set back"

    def test_a_heartbeat_for_all_renews_them_while_they_are_followed(self):
        quotes = QuoteMap()
        quotes.follow("screen", ["NSE:A"])
        quotes.put_all(unread(Post(1), A=101, B=102))
        quotes.heartbeat(Heartbeat(at(9)))
        assert quotes.age("NSE:A", at(10)) == 1
        assert quotes.age("NSE:B", at(10)) == 9

    def test_a_new_name_keeps_what_was_told_under_the_old(self):
        quotes = QuoteMap()
        quotes.put_all(unread(Post(1), A=101))
        quotes.rename({"NSE:A": "NSE:Z"})
        moved = quotes.quote("NSE:Z")
        assert moved is not None
        assert (moved.key, moved.last_paise) == ("NSE:Z", 101)
        assert quotes.quote("NSE:A") is None
