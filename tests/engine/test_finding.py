"""The words of a search: what they mean, what is wrong with others, and what they find."""

from pathlib import Path

import pytest

from data.errors import BadInput
from data.reference.classes import classes, sources
from data.reference.seed import universe
from engine.market.search_words import search_from
from engine.words.finding import found_words
from tests.desks import paper_desk


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("index:nif", "it may be nifty50 or niftynext50"),
        ("index:foo", "known are nifty50, niftynext50"),
        ("sector:inft", "did you mean it"),
        ("sector:", "known are auto"),
        ("cap:huge", "known are large, mid, small"),
        ("capp:large", "did you mean cap:"),
        ("exchange:NFO", "give exchange:NSE or exchange:BSE"),
        ("vol>lots", "give shares, such as vol>1M"),
        ("vol>1.5", "give shares, such as vol>1M"),
        ("chg>>2", "give percent, such as chg>2"),
        ("price<1,5", "give rupees, such as price<500"),
        ("price<", "give rupees, such as price<500"),
        ("pric<500", "did you mean price"),
    ],
)
def test_an_error_names_the_word_and_what_would_be_right(word: str, right: str) -> None:
    with pytest.raises(BadInput) as refused:
        search_from(f"tata {word} mtf", classes())
    assert refused.value.value == word
    assert right in refused.value.expected


def test_units_are_exact() -> None:
    words = "price>=1,00,000.50 chg<-1.5% vol>2.5M value=>50cr vol<3L"
    limits = [(one.figure.value, one.sign, one.value) for one in search_from(words, classes()).limits]
    assert limits == [
        ("price", ">=", 1_00_000_50),
        ("chg", "<", -150),
        ("vol", ">", 2_500_000),
        ("value", ">=", 50_00_00_000_00),
        ("vol", "<", 300_000),
    ]
    assert search_from("tata motors", classes()).is_text


def test_the_lists_are_dated_and_those_of_the_universe_are_the_same_as_its_own() -> None:
    known, rows = classes(), universe()
    for name, index in (
        ("NIFTY50", "NIFTY 50"),
        ("NEXT50", "NIFTY NEXT 50"),
        ("MIDCAP100", "NIFTY MIDCAP 100"),
    ):
        (listed,) = [one for one in known.indices if one.name == index]
        assert listed.symbols == {row.instrument.tradingsymbol for row in rows if row.index == name}
    assert {row.instrument.sector for row in rows} <= {one.name for one in known.sectors} | {""}
    symbols = {row.instrument.tradingsymbol for row in rows}
    for one in (*known.indices, *known.caps):
        assert one.as_of is not None
        assert one.source
        assert one.symbols <= symbols
    caps = [one.symbols for one in known.caps]
    assert sum(map(len, caps)) == len(frozenset[str]().union(*caps)), "a share has one size"
    assert len(caps[0]) <= 100
    assert len(sources(known.caps)) == 3


async def test_words_hold_together_and_what_is_not_known_is_counted(tmp_path: Path) -> None:
    async with paper_desk(tmp_path, pins={}) as desk:

        async def found(words: str) -> tuple[list[str], str]:
            search = search_from(words, classes())
            result = await desk.market.find(search)
            return [key[4:] for key in result.keys], found_words(result, search)

        keys, told = await found("index:nifty50 sector:it")
        assert keys == ["HCLTECH", "INFY", "TCS", "TECHM", "WIPRO"]
        assert told == "5 of 204 · lists of 30 Mar 2026"
        keys, told = await found("cap:large index:next50")
        assert len(keys) == 38
        assert told == "38 of 204 · lists of 31 Dec 2025 · cap not known of 12"
        assert (await found("cap:mid,small cap:mid sector:services"))[0] == ["CONCOR", "RIIL"]
        keys, _ = await found("tata mtf")
        assert "TCS" in keys
        assert "RELIANCE" not in keys
        assert desk.market.quote("NSE:TORNTPHARM") is None, "no price is asked for words that need none"
        keys, _ = await found("index:nifty50 vol>1M chg>1 price<2500 value>100cr")
        assert "RELIANCE" in keys
        for key in keys:
            quote = desk.market.quote(f"NSE:{key}")
            assert quote is not None
            assert quote.volume > 1_000_000
            assert quote.last_paise < 2_500_00
            assert (desk.market.change_bps(quote.key) or 0) > 100
        assert (await found("exchange:bse"))[0] == []
        assert not {"NIFTY 50", "NIFTY BANK"} & set((await found("price>1"))[0]), "an index is no share"
