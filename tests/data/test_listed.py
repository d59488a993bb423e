"""Which instruments of another broker's file are which of the desk's, and what that broker says otherwise."""

import pytest

from data.records import replace
from data.reference.instruments import BrokerInstrument, BrokerListing, as_listed
from data.reference.listed import listed_among, lists_another, other_name, other_series

TCS = BrokerInstrument("NSE", "TCS", "Tata Consultancy", 5)
BANK = replace(TCS, tradingsymbol="CENTRALBK-BE", series="BE", trade_to_trade=True)
ISIN, OTHER_ISIN = "INE467B01029", "INE483A01010"


def at_upstox(symbol: str, isin: str, series: str = "EQ", token: str = "") -> BrokerInstrument:
    """A row of Upstox's file."""
    return replace(
        TCS, tradingsymbol=symbol, isin=isin, series=series, token=token or f"NSE_EQ|{isin or symbol}"
    )


def names(known: list[BrokerInstrument], *told: BrokerInstrument) -> dict[str, str]:
    """The desk's keys by what the broker calls them."""
    return {ours.key: theirs.tradingsymbol for ours, theirs in listed_among(known, told).here}


def test_a_share_is_found_by_its_isin_whatever_it_is_called() -> None:
    known = [replace(TCS, isin=ISIN), replace(TCS, tradingsymbol="OLD", isin=OTHER_ISIN)]
    assert names(known, at_upstox("NEW", ISIN), at_upstox("TCS", OTHER_ISIN)) == {
        "NSE:TCS": "NEW",
        "NSE:OLD": "TCS",
    }


def test_a_share_without_an_isin_is_found_by_its_symbol_with_or_without_the_series() -> None:
    found = listed_among([TCS, BANK], [at_upstox("TCS", ISIN), at_upstox("CENTRALBK", OTHER_ISIN, "BE")])
    assert {ours.key: theirs.tradingsymbol for ours, theirs in found.here} == {
        "NSE:TCS": "TCS",
        "NSE:CENTRALBK-BE": "CENTRALBK",
    }
    assert {one.key: one.isin for one in found.isins} == {"NSE:TCS": ISIN, "NSE:CENTRALBK-BE": OTHER_ISIN}


def test_a_share_that_only_this_broker_renamed_is_found_by_its_token() -> None:
    known = [replace(TCS, token="11")]
    assert names(known, at_upstox("TCSNEW", "", token="11")) == {"NSE:TCS": "TCSNEW"}


def test_a_token_that_was_given_to_another_known_share_says_nothing() -> None:
    known = [replace(TCS, token="11"), replace(TCS, tradingsymbol="INFY")]
    assert names(known, at_upstox("INFY", "", token="11")) == {"NSE:INFY": "INFY"}


def test_tokens_follow_two_shares_that_have_changed_names() -> None:
    known = [replace(TCS, token="11"), replace(TCS, tradingsymbol="INFY", token="12")]
    told = at_upstox("INFY", "", token="11"), at_upstox("TCS", "", token="12")
    assert names(known, *told) == {"NSE:TCS": "INFY", "NSE:INFY": "TCS"}


def test_an_isin_that_contradicts_is_another_security_under_that_name() -> None:
    ours, theirs = replace(TCS, isin=ISIN), at_upstox("TCS", OTHER_ISIN)
    found = listed_among([ours], [theirs])
    assert (found.here, found.others, found.only) == ((), ((ours, theirs),), ())
    assert lists_another(ours, as_listed("upstox", ours.key, theirs))


def test_what_the_desk_does_not_know_is_told_where_it_has_an_isin() -> None:
    new = at_upstox("NEW", ISIN)
    assert listed_among([TCS], [new, at_upstox("NAMELESS", "")]).only == (new,)


def test_an_isin_that_stands_twice_is_taken_over_by_nobody() -> None:
    told = at_upstox("TCS", ISIN), at_upstox("TCS-BL", ISIN, "BL")
    found = listed_among([TCS, replace(TCS, tradingsymbol="TCS-BL", series="BL")], told)
    assert (len(found.here), found.isins) == (2, ())


@pytest.mark.parametrize(
    ("symbol", "series", "name_differs", "series_differs"),
    [
        ("CENTRALBK-BE", "BE", False, False),
        ("CENTRALBK", "BE", False, False),
        ("CENTRALBK", "EQ", False, True),
        ("CENBANK", "BE", True, False),
        ("CENTRALBK-BE", "", False, False),
    ],
)
def test_a_series_behind_a_symbol_is_no_other_name(
    symbol: str, series: str, name_differs: bool, series_differs: bool
) -> None:
    listing = BrokerListing("upstox", BANK.key, "1", symbol, "", series)
    assert (other_name(BANK, listing), other_series(BANK, listing)) == (name_differs, series_differs)
