"""The feed's messages as the official client reads them: the whole list of fields, and maps as maps."""

import random
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict

_PACKAGE = "theirs"
_KINDS = {"double": 1, "int64": 3, "bool": 8, "string": 9, "message": 11, "enum": 14}
_ENUMS = {
    "Type": ("initial_feed", "live_feed", "market_info"),
    "RequestMode": ("ltpc", "full_d5", "option_greeks", "full_d30"),
    "MarketStatus": (
        *("PRE_OPEN_START", "PRE_OPEN_END", "NORMAL_OPEN", "NORMAL_CLOSE"),
        *("CLOSING_START", "CLOSING_END"),
    ),
}
_MESSAGES: Mapping[str, str] = {
    "Wrapped": "1 value double",
    "LTPC": "1 ltp double; 2 ltt int64; 3 ltq int64; 4 cp double; 5 iep Wrapped",
    "Quote": "1 bidQ int64; 2 bidP double; 3 askQ int64; 4 askP double",
    "MarketLevel": "1 bidAskQuote Quote*",
    "OHLC": "1 interval string; 2 open double; 3 high double; 4 low double; 5 close double; 6 vol int64;"
    " 7 ts int64",
    "MarketOHLC": "1 ohlc OHLC*",
    "OptionGreeks": "1 delta double; 2 theta double; 3 gamma double; 4 vega double; 5 rho double",
    "MarketFullFeed": "1 ltpc LTPC; 2 marketLevel MarketLevel; 3 optionGreeks OptionGreeks;"
    " 4 marketOHLC MarketOHLC; 5 atp double; 6 vtt int64; 7 oi double; 8 iv double; 9 tbq double;"
    " 10 tsq double; 11 iep double; 12 rp double; 13 ieq int64; 14 iiqTotal int64; 15 iiqM int64;"
    " 16 casEligible bool",
    "IndexFullFeed": "1 ltpc LTPC; 2 marketOHLC MarketOHLC",
    "FullFeed": "1 marketFF MarketFullFeed; 2 indexFF IndexFullFeed",
    "FirstLevelWithGreeks": "1 ltpc LTPC; 2 firstDepth Quote; 3 optionGreeks OptionGreeks; 4 vtt int64;"
    " 5 oi double; 6 iv double",
    "Feed": "1 ltpc LTPC; 2 fullFeed FullFeed; 3 firstLevelWithGreeks FirstLevelWithGreeks;"
    " 4 requestMode RequestMode",
    "StatusInfo": "1 status string; 2 updatedTime int64",
    "MarketInfo": "1 segmentStatus {MarketStatus}; 2 casMarketStatus {StatusInfo};"
    " 3 preOpenSessionStatus {StatusInfo}",
    "FeedResponse": "1 type Type; 2 feeds {Feed}; 3 currentTs int64; 4 marketInfo MarketInfo",
}
GOLDEN = bytes.fromhex(
    "080112340a134e53455f45517c494e45303032413031303138121d0a1b0966666666662c964010d8b2c18bb73218052100000000"
    "00e095401895b3c18bb732"
)
"""A message of version 3 as it came: RELIANCE at 1419.10, five shares, 1400 the day before."""


@cache
def theirs() -> Any:
    """The class of a whole message."""
    file = descriptor_pb2.FileDescriptorProto(name="theirs.proto", package=_PACKAGE, syntax="proto3")
    for name, values in _ENUMS.items():
        enum = file.enum_type.add(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=f"{name}_{value}", number=number)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for one in fields.split("; "):
            number, field, kind = one.strip(";").split()
            _add(message, int(number), field, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.FeedResponse"))


def _add(message: Any, number: int, field: str, kind: str) -> None:
    many, of = kind.endswith("*") or kind.startswith("{"), kind.strip("*{}")
    if kind.startswith("{"):
        entry = message.nested_type.add(name=f"{field[0].upper()}{field[1:]}Entry")
        entry.options.map_entry = True
        _add(entry, 1, "key", "string")
        _add(entry, 2, "value", of)
        of = f"{message.name}.{entry.name}"
    added = message.field.add(name=field, number=number, label=3 if many else 1)
    word = "enum" if of in _ENUMS else of if of in _KINDS else "message"
    added.type = cast(Any, _KINDS[word])
    if word in ("enum", "message"):
        added.type_name = f".{_PACKAGE}.{of}"


def as_dict(frame: bytes) -> dict[str, Any]:
    """A message as the official client hands it on."""
    return MessageToDict(theirs().FromString(frame))


def full_frame(dice: random.Random, instruments: int, mode: str = "full") -> bytes:
    """A message of shares, every value of the mode filled."""
    message = theirs()(type=1, currentTs=1_763_436_600_000 + dice.randrange(1_000))
    for number in range(instruments):
        feed = message.feeds[f"NSE_EQ|INE{number:06d}018"]
        body = feed.fullFeed.marketFF if mode == "full" else feed
        ltpc = body.ltpc
        ltpc.ltp, ltpc.cp = dice.randrange(100, 10**7) / 100, dice.randrange(100, 10**7) / 100
        ltpc.ltt, ltpc.ltq = 1_763_436_600_000, dice.randrange(1, 5_000)
        if mode != "full":
            continue
        for _ in range(5):
            body.marketLevel.bidAskQuote.add(
                bidQ=dice.randrange(1, 9_999), bidP=dice.randrange(100, 10**7) / 100,
                askQ=dice.randrange(1, 9_999), askP=dice.randrange(100, 10**7) / 100,
            )  # fmt: skip
        for interval in ("1d", "I1"):
            low = dice.randrange(100, 10**6)
            body.marketOHLC.ohlc.add(
                interval=interval, open=low / 100, high=(low + 50) / 100, low=low / 100, close=low / 100,
                vol=dice.randrange(10**6), ts=1_763_436_600_000,
            )  # fmt: skip
        body.atp, body.vtt = ltpc.ltp, dice.randrange(10**7)
        body.tbq, body.tsq = float(dice.randrange(10**6)), float(dice.randrange(10**6))
    return message.SerializeToString()
