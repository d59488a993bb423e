"""Kite's dump is read strictly, and instruments are found by what a trader types."""

import gzip
from pathlib import Path

import pytest

from data.errors import BadInput
from data.reference.instrument_index import UnknownSymbol, index_of
from data.reference.instruments import KITE_COLUMNS, BrokerInstrument, Instrument, read_kite_instruments

HEADER = ",".join(KITE_COLUMNS)
RELIANCE = "738561,2885,RELIANCE,RELIANCE INDUSTRIES,2395.25,,0,0.1,1,EQ,NSE,NSE"
RELIANCE_BSE = "128083204,500325,RELIANCE,RELIANCE INDUSTRIES,2395.5,,0,0.05,1,EQ,BSE,BSE"
BANK_BE = "3812865,14894,CENTRALBK-BE,CENTRAL BANK OF INDIA,0,,0,0.01,1,EQ,NSE,NSE"
BAJAJ = "4267265,16669,BAJAJ-AUTO,BAJAJ AUTO,11500,,0,1,1,EQ,NSE,NSE"
NIFTY = "256265,1001,NIFTY 50,NIFTY 50,24512.3,,0,0,0,EQ,INDICES,NSE"
FUTURE = "13368834,52222,RELIANCE26DECFUT,RELIANCE,0,2026-12-31,0,0.05,250,FUT,NFO-FUT,NFO"


def dump(tmp_path: Path, *rows: str, header: str = HEADER, end: str = "\n") -> Path:
    path = tmp_path / "instruments.csv"
    path.write_text("\n".join([header, *rows]) + end, encoding="utf-8")
    return path


def test_shares_and_indices_are_taken_and_the_rest_counted(tmp_path: Path):
    path = dump(tmp_path, RELIANCE, RELIANCE_BSE, BANK_BE, BAJAJ, NIFTY, FUTURE, FUTURE)
    result = read_kite_instruments(path)
    assert (result.rows, result.skipped) == (7, {"NFO-FUT NFO": 2})
    reliance, bse, bank, bajaj, nifty = result.instruments
    assert reliance == BrokerInstrument(
        "NSE", "RELIANCE", "RELIANCE INDUSTRIES", 10, prev_close_paise=239_525, token="738561"
    )
    assert (bse.key, bse.segment, bse.tick_paise) == ("BSE:RELIANCE", "BSE", 5)
    assert (bank.series, bank.trade_to_trade, bank.tick_paise) == ("BE", True, 1)
    assert (bajaj.series, bajaj.trade_to_trade) == ("EQ", False)
    assert (nifty.key, nifty.tradable, nifty.prev_close_paise) == ("NSE:NIFTY 50", False, 2_451_230)


def test_the_archive_reads_like_the_plain_file_and_reports_its_own_bytes(tmp_path: Path):
    plain = dump(tmp_path, RELIANCE, NIFTY, FUTURE)
    zipped = tmp_path / "instruments.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    told: list[tuple[int, int]] = []
    result = read_kite_instruments(zipped, lambda read, total: told.append((read, total)))
    assert result == read_kite_instruments(plain)
    assert told[-1] == (zipped.stat().st_size, zipped.stat().st_size)


def test_a_hundred_thousand_rows_are_read_with_rising_progress(tmp_path: Path):
    rows = [f"{n},{n},S{n},COMPANY {n},{n}.05,,0,0.05,1,EQ,NSE,NSE" for n in range(1, 100_001)]
    told: list[tuple[int, int]] = []
    result = read_kite_instruments(dump(tmp_path, *rows), lambda read, total: told.append((read, total)))
    assert len(result.instruments) == result.rows == 100_000
    assert len(told) > 10
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([RELIANCE, BAJAJ.replace("4267265", "x1")], "row 3, instrument_token: 'x1'"),
        ([RELIANCE, BAJAJ.replace("4267265", "0")], "row 3, instrument_token: '0'"),
        (
            [RELIANCE, BAJAJ.replace("4267265", "9" * 5_000)],
            "row 3, instrument_token: '9+'… .*at most 15 digits",
        ),
        ([RELIANCE.replace(",0.1,", ",0,")], "row 2, tick_size: '0'.*above zero"),
        ([RELIANCE.replace(",0.1,", ",,")], "row 2, tick_size: ''"),
        ([RELIANCE.replace(",0.1,", ",0.0025,")], "row 2, tick_size: '0.0025'"),
        ([RELIANCE.replace("2395.25", "nan")], "row 2, last_price: 'nan'"),
        ([RELIANCE.replace("2395.25", "-1")], "row 2, last_price: '-1'"),
        ([RELIANCE.replace(",1,EQ", ",1.5,EQ")], "row 2, lot_size: '1.5'"),
        ([RELIANCE.replace(",RELIANCE,", ",,")], "row 2, tradingsymbol: ''"),
        ([RELIANCE.replace("INDUSTRIES", "\x1b[31m")], r"row 2, name: .*U\+001B"),
        ([RELIANCE.replace("NSE,NSE", "NSE,BSE")], "row 2, exchange: 'BSE'.*segment NSE"),
        ([RELIANCE, FUTURE + ",more"], "row 3: '13 fields'.*header has 12"),
        ([RELIANCE, BAJAJ, RELIANCE], "row 4, tradingsymbol: 'NSE:RELIANCE'.*row 2 has it already"),
        ([], "no rows"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, rows: list[str], message: str):
    with pytest.raises(BadInput, match=message):
        read_kite_instruments(dump(tmp_path, *rows))


@pytest.mark.parametrize("missing", KITE_COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, missing: str):
    header = ",".join("other" if name == missing else name for name in KITE_COLUMNS)
    with pytest.raises(BadInput, match=f"row 1.*must name once: {missing}"):
        read_kite_instruments(dump(tmp_path, RELIANCE, header=header))


@pytest.mark.parametrize("cut", range(1, len(FUTURE)))
def test_a_file_cut_anywhere_in_its_last_row_is_refused(tmp_path: Path, cut: int):
    path = dump(tmp_path, RELIANCE, FUTURE[:cut], end="")
    with pytest.raises(BadInput, match=r"row 3.*cut short"):
        read_kite_instruments(path)


def test_a_cut_archive_and_a_wrong_encoding_are_refused(tmp_path: Path):
    plain = dump(tmp_path, RELIANCE, BAJAJ)
    zipped = tmp_path / "instruments.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes())[:-12])
    with pytest.raises(BadInput, match="archive is cut short"):
        read_kite_instruments(zipped)
    zipped.write_bytes(gzip.compress(plain.read_bytes())[:12] + b"\xff" * 40)
    with pytest.raises(BadInput, match="archive is cut short or damaged"):
        read_kite_instruments(zipped)
    plain.write_bytes(plain.read_bytes().replace(b"BAJAJ AUTO", b"BAJAJ \xe9"))
    with pytest.raises(BadInput, match=r"row 3, byte 32: '0xe9'.*UTF-8"):
        read_kite_instruments(plain)


def test_a_dump_as_a_spreadsheet_saves_it_reads_like_the_brokers_own(tmp_path: Path):
    plain = read_kite_instruments(dump(tmp_path, RELIANCE, BANK_BE, NIFTY, FUTURE))
    rows = [HEADER.upper().replace("_", " ") + ",,", f" {RELIANCE} ,,", "", ",,,", BANK_BE, NIFTY, FUTURE, ""]
    path = tmp_path / "Instruments.CSV"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(["sep=,", *rows]).encode())
    assert read_kite_instruments(path) == plain


@pytest.mark.parametrize("name", ["DUMP.CSV.GZ", "dump.gz.csv", "dump"])
def test_an_archive_is_known_by_what_it_is_and_not_by_its_name(tmp_path: Path, name: str):
    plain = dump(tmp_path, RELIANCE, NIFTY)
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))
    assert read_kite_instruments(tmp_path / name) == read_kite_instruments(plain)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{HEADER}\n{RELIANCE}\n".replace(",", ";").encode(), "row 1.*not by semicolons"),
        (b"PK\x03\x04" + b"0" * 40, "Excel workbook or a zip"),
        (f"{HEADER}\n{RELIANCE}\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_dump_is_called_by_its_name(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "dump.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read_kite_instruments(path)


def test_a_few_odd_rows_are_left_out_and_named_and_many_refuse_the_file(tmp_path: Path):
    good = [f"{n},{n},S{n},COMPANY {n},1.05,,0,0.05,1,EQ,NSE,NSE" for n in range(1, 400)]
    odd = [BAJAJ.replace(",1,1,", ",0,1,"), f"{RELIANCE},more", good[7]]
    result = read_kite_instruments(dump(tmp_path, *odd[:2], *good, odd[2], FUTURE))
    assert len(result.instruments) == len(good)
    assert [words.split(":")[0] for words in result.unread] == [
        "row 2, tick_size",
        "row 3",
        "row 403, tradingsymbol",
    ]
    with pytest.raises(BadInput, match="row 2, tick_size"):
        read_kite_instruments(dump(tmp_path, *odd, *good[:200]))


def named(symbol: str, name: str, exchange: str = "NSE") -> Instrument:
    return Instrument(exchange, symbol, name, 5, segment=exchange)


HOUSES = index_of(
    [
        named("RELIANCE", "Reliance Industries Ltd", "BSE"),
        named("RIIL", "Reliance Industrial Infrastructure Ltd"),
        named("RELIANCE", "Reliance Industries Ltd"),
        named("HDFC", "Housing Development Finance"),
        named("HDFCBANK", "HDFC  Bank Ltd"),
        named("HDFCLIFE", "HDFC Life Insurance"),
        named("GICHSGFIN", "GIC Housing Finance"),
        named("M&M", "Mahindra & Mahindra"),
        named("ONLYBSE", "Bombay Only", "BSE"),
    ]
)


@pytest.mark.parametrize(
    ("text", "exchange", "key"),
    [
        ("RELIANCE", None, "NSE:RELIANCE"),
        (" reliance ", None, "NSE:RELIANCE"),
        ("bse:reliance", None, "BSE:RELIANCE"),
        ("reliance", "BSE", "BSE:RELIANCE"),
        ("onlybse", None, "BSE:ONLYBSE"),
        ("m&m", "nse", "NSE:M&M"),
    ],
)
def test_resolving_what_a_trader_types(text: str, exchange: str | None, key: str):
    assert HOUSES.resolve(text, exchange).key == key


@pytest.mark.parametrize(
    ("text", "exchange", "message"),
    [
        ("RELIANSE", None, "symbol: 'RELIANSE'.*did you mean RELIANCE"),
        ("HDFCBNK", None, "did you mean HDFCBANK"),
        ("mahindra", None, "did you mean M&M"),
        ("zzzz", None, "no such symbol"),
        ("", None, "no such symbol"),
        ("NSE:RELIANCE", "BSE", "another exchange than BSE"),
        ("ONLYBSE", "NSE", "did you mean ONLYBSE"),
    ],
)
def test_an_unknown_symbol_offers_the_nearest(text: str, exchange: str | None, message: str):
    with pytest.raises(UnknownSymbol, match=message):
        HOUSES.resolve(text, exchange)


def test_where_no_instruments_are_known_it_is_said_how_they_come():
    with pytest.raises(UnknownSymbol, match="tradedesk instruments import FILE"):
        index_of([]).resolve("RELIANCE")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("reliance", ["NSE:RELIANCE", "BSE:RELIANCE", "NSE:RIIL"]),
        ("hdfc", ["NSE:HDFC", "NSE:HDFCBANK", "NSE:HDFCLIFE"]),
        ("hdfc bank", ["NSE:HDFCBANK"]),
        ("housing", ["NSE:GICHSGFIN", "NSE:HDFC"]),
        ("fin", ["NSE:GICHSGFIN", "NSE:HDFC"]),
        ("ban", ["NSE:HDFCBANK"]),
        ("life", ["NSE:HDFCLIFE"]),
        ("only", ["BSE:ONLYBSE"]),
        ("  ", []),
        ("\n", []),
        ("nothing like it", []),
    ],
)
def test_searching_by_symbol_and_name_best_first(text: str, keys: list[str]):
    assert [found.key for found in HOUSES.search(text)] == keys


def test_a_search_keeps_to_its_limit():
    assert [found.key for found in HOUSES.search("h", 2)] == ["NSE:HDFC", "NSE:HDFCBANK"]


def test_what_is_to_come_first_does_so_within_its_kind_of_match():
    found = HOUSES.search("h", 2, ["NSE:HDFCBANK", "NSE:NOBODY"])
    assert [one.key for one in found] == ["NSE:HDFCBANK", "NSE:HDFC"]
    assert HOUSES.search("hdfc", 5, ["NSE:HDFCBANK"])[0].key == "NSE:HDFC", (
        "what was typed in full stays first"
    )


def test_getting_by_key():
    found = HOUSES.get("BSE:RELIANCE")
    assert found is not None
    assert found.exchange == "BSE"
    assert HOUSES.get("NSE:ONLYBSE") is None


def test_an_instrument_is_put_in_its_own_place():
    names = ("ACC", "INFY", "TCS")
    index = index_of(Instrument("NSE", name, name, 5) for name in names)
    index.put(Instrument("NSE", "INFY", "INFY", 5, mtf_margin_bps=2_500))
    found = index.get("nse:infy")
    assert found is not None
    assert found.mtf_margin_bps == 2_500
    assert [found] == index.search("INFY")
    assert [one.tradingsymbol for one in index] == list(names)
    assert list(index)[1] is index.resolve("infy") is found
    with pytest.raises(KeyError):
        index.put(Instrument("NSE", "SBIN", "SBIN", 5))
