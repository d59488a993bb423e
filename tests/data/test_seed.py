"""The demonstration's market and clients: the figures that scenarios and the README rely on."""

from collections import Counter
from importlib.resources import files

from data.money import BPS, tick_up
from data.reference.instrument_index import index_of
from data.reference.seed import DemoClient, demo_clients, universe
from data.vocabulary import ClientStatus, SessionState

LISTINGS = {listing.instrument.tradingsymbol: listing for listing in universe()}
RELIANCE = LISTINGS["RELIANCE"]


def quarter_quantity(client: DemoClient) -> int:
    return client.capital_paise * 2_500 // BPS // RELIANCE.last_paise


def quarter_need(client: DemoClient) -> int:
    """What 25 % in RELIANCE takes at the protected price, charges aside."""
    protected = tick_up(RELIANCE.last_paise * 102 // 100, RELIANCE.instrument.tick_paise)
    return quarter_quantity(client) * protected


def tradable(client: DemoClient) -> bool:
    return client.status is ClientStatus.ACTIVE and client.session is SessionState.OK


def test_every_price_is_on_its_tick_and_inside_its_day_and_band():
    wrong = []
    for symbol, listing in LISTINGS.items():
        instrument = listing.instrument
        prices = (listing.open_paise, listing.last_paise, listing.high_paise, listing.low_paise)
        inside = listing.low_paise <= min(
            listing.open_paise, listing.last_paise
        ) and listing.high_paise >= max(listing.open_paise, listing.last_paise)
        if any(price % instrument.tick_paise for price in prices) or not inside:
            wrong.append(symbol)
        swing = max(abs(price - instrument.prev_close_paise) for price in prices)
        if instrument.tradable and swing * BPS > instrument.band_bps * instrument.prev_close_paise:
            wrong.append(symbol)
    # A closing price is an average, so it may lie between two ticks.
    off_tick = [s for s, e in LISTINGS.items() if e.instrument.prev_close_paise % e.instrument.tick_paise]
    assert (wrong, off_tick) == ([], ["RELIANCE"])


def test_the_universe_is_complete_and_unambiguous():
    listings = universe()
    assert len(listings) == 204
    assert Counter(entry.index for entry in listings) == {
        "NIFTY50": 50,
        "NEXT50": 50,
        "MIDCAP100": 100,
        "": 4,
    }
    assert len({entry.instrument.token for entry in listings}) == 204
    assert len({entry.instrument.security for entry in listings}) == 204
    assert all(
        entry.volume > 0 and entry.instrument.sector for entry in listings if entry.instrument.tradable
    )
    indices = {e.instrument.tradingsymbol: e.instrument.token for e in listings if not e.instrument.tradable}
    assert indices == {"NIFTY 50": "256265", "NIFTY BANK": "260105"}


def test_the_listings_the_scenarios_name():
    instrument = RELIANCE.instrument
    assert (instrument.prev_close_paise, RELIANCE.last_paise, RELIANCE.volume) == (
        239_525,
        245_050,
        2_500_000,
    )
    assert (RELIANCE.high_paise, RELIANCE.low_paise, instrument.tick_paise) == (246_500, 239_000, 10)
    assert (instrument.mtf_margin_bps, instrument.band_bps, instrument.fno) == (5_000, 1_000, True)
    assert instrument.sector == "Oil, Gas & Consumable Fuels"
    for symbol, last in (("TCS", 250_000), ("INFY", 150_000), ("HDFCBANK", 160_000)):
        assert LISTINGS[symbol].last_paise == last
        assert LISTINGS[symbol].instrument.mtf_margin_bps == 2_000
    riil = LISTINGS["RIIL"]
    assert (riil.last_paise, riil.instrument.prev_close_paise) == (125_075, 126_600)
    assert (riil.instrument.mtf_margin_bps, riil.instrument.isin) == (None, "INE046A01015")
    vogl = LISTINGS["VOGL"].instrument
    assert (vogl.trade_to_trade, vogl.mis_margin_bps, vogl.band_bps) == (True, None, 500)


def test_searching_reliance_finds_the_two_of_that_house():
    index = index_of(entry.instrument for entry in universe())
    assert [found.tradingsymbol for found in index.search("reliance")] == ["RELIANCE", "RIIL"]


def test_fifty_clients_whose_codes_and_user_ids_are_their_own():
    clients = demo_clients()
    assert [client.client_id for client in clients] == list(range(1, 51))
    assert (
        len({client.code for client in clients}) == len({client.broker_user_id for client in clients}) == 50
    )
    assert all(len(c.code) == 6 and c.code[:2].isalpha() and c.code[2:].isdigit() for c in clients)
    assert all("x" * 6 in client.phone for client in clients)
    brokers = Counter(client.broker for client in clients)
    assert brokers["zerodha"] > 30
    assert set(brokers) == {"zerodha", "upstox", "groww"}
    assert 20 <= sum(client.mtf_limit_paise > 0 for client in clients) <= 30
    assert {group for client in clients for group in client.groups} >= {"Family", "HNI", "Retail", "North"}


def test_the_clients_file_begins_with_the_columns_of_the_import_template():
    header = (files("data.reference.seed") / "clients.csv").read_text(encoding="utf-8").partition("\n")[0]
    assert header.startswith(
        "code,name,broker,broker_user_id,status,status_reason,capital,available,mtf_limit,groups,phone,"
    )


def test_the_clients_the_scenarios_name():
    clients = {client.client_id: client for client in demo_clients()}
    rohan, priya, amit = clients[8], clients[15], clients[22]
    assert (rohan.name, rohan.available_paise, tradable(rohan)) == ("Rohan Gupta", 200_000_00, True)
    assert (priya.name, priya.code, priya.capital_paise) == ("Priya Sharma", "PS1015", 500_000_00)
    assert (priya.available_paise, priya.hold_paise) == (50_000_00, 25_000_00)
    assert (amit.name, amit.available_paise, amit.mtf_limit_paise) == ("Amit Patel", 100_000_00, 500_000_00)
    assert quarter_need(amit) <= amit.available_paise
    assert [c.client_id for c in clients.values() if c.hold_paise] == [15]


def test_forty_five_clients_can_buy_and_five_cannot_each_for_its_own_reason():
    clients = demo_clients()
    inactive = [c for c in clients if c.status is ClientStatus.INACTIVE]
    assert [(c.status_reason, c.status_since is not None) for c in inactive] == [("vacation", True)]
    assert [c.status_reason for c in clients if c.status is ClientStatus.PENDING] == ["KYC"]
    assert [c.code for c in clients if c.session is SessionState.EXPIRED] == ["DR0044"]
    short = [c for c in clients if tradable(c) and quarter_need(c) > c.available_paise]
    assert [c.name for c in short] == ["Priya Sharma", "Sunil Kapoor"]
    served = [c for c in clients if tradable(c) and c not in short]
    assert len(served) == 45
    assert sum(c.capital_paise for c in served) == 50_00_000_00
    assert all(6 * c.capital_paise <= 10 * c.available_paise <= 10 * c.capital_paise for c in served)
    assert min(quarter_quantity(c) for c in served) >= 1
    assert sum(quarter_quantity(c) for c in served) == 495
