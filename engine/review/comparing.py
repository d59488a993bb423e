"""Trades as another terminal wrote them, compared with the brokers' own, client by client."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from msgspec import Struct, convert

from brokers.connections import Roster
from brokers.contract import BrokerTrade
from data.clock import IST
from data.csvfiles import FileProblem, Problem, column_name, read_rows
from data.errors import BadInput
from data.home import column_maps_file
from data.money import count_from_text, paise_from_text
from data.vocabulary import Side

REQUIRED = ("client", "symbol", "side", "quantity", "price")
OPTIONAL = ("exchange", "trade", "date")
"""Columns of a trade file by our names; `client` is a code or a user id, `trade` the exchange's number.

Where there is a `date`, a row of another day than today is a bad one: brokers tell today's trades alone.
"""

OWN = "tradedesk"
KNOWN: Mapping[str, Mapping[str, str]] = {
    OWN: {},
    "zerodha": {
        "trade_type": "side",
        "trade_id": "trade",
        "client_id": "client",
        "trade_date": "date",
    },
}
"""Columns of known kinds of files by ours: our own, and Zerodha's tradebook, which needs a client named."""

_CALLED: Mapping[str, tuple[str, ...]] = {
    "client": ("client", "client code", "client id", "account", "account id", "ucc"),
    "symbol": ("symbol", "scrip", "scrip name", "trading symbol", "tradingsymbol"),
    "side": ("side", "b/s", "buy/sell", "trade type", "transaction type"),
    "quantity": ("quantity", "qty", "traded qty", "trade qty", "traded quantity", "fill qty"),
    "price": ("price", "rate", "trade price", "traded price", "fill price"),
    "exchange": ("exchange", "exch"),
    "trade": ("trade", "trade id", "trade no", "trade number", "exch trade no"),
    "date": ("date", "trade date"),
}
"""What terminals head such columns with: a proposal for the trader to look at, never taken by itself.

What ODIN's and NEST's saved books are headed with is described nowhere that could be found.
"""

_SIDES = {"b": Side.BUY, "buy": Side.BUY, "1": Side.BUY, "s": Side.SELL, "sell": Side.SELL, "2": Side.SELL}


class TradeSeen(Struct, frozen=True):
    """One trade as either side has it; `trade` is the exchange's number of it, where that is known."""

    key: str
    side: Side
    quantity: int
    price_paise: int
    trade: str = ""


class TradePair(Struct, frozen=True):
    """A trade that both have, and not alike."""

    ours: TradeSeen
    theirs: TradeSeen


class TradeSum(Struct, frozen=True):
    """What was traded of one symbol and side: shares and what they came to, on both sides."""

    key: str
    side: Side
    our_quantity: int
    their_quantity: int
    our_paise: int
    their_paise: int


class ClientTrades(Struct, frozen=True):
    """How one client's trades differ; `sums` are those of symbols that do."""

    code: str
    alike: int
    ours_lack: tuple[TradeSeen, ...]
    theirs_lack: tuple[TradeSeen, ...]
    differ: tuple[TradePair, ...]
    sums: tuple[TradeSum, ...]

    @property
    def equal(self) -> bool:
        """Whether both have the same trades."""
        return not (self.ours_lack or self.theirs_lack or self.differ)


def compared(code: str, ours: Iterable[TradeSeen], theirs: Iterable[TradeSeen]) -> ClientTrades:
    """Pair one client's trades: by the exchange's number, then those alike, then by symbol and side."""
    ours, theirs = list(ours), list(theirs)
    mine, other = list(ours), list(theirs)
    pairs = _paired(mine, other, lambda one: (one.key, one.trade) if one.trade else None)
    pairs += _paired(mine, other, lambda one: (one.key, one.side, one.quantity, one.price_paise))
    pairs += _paired(mine, other, lambda one: (one.key, one.side, one.quantity))
    pairs += _paired(mine, other, lambda one: (one.key, one.side, one.price_paise))
    differ = [pair for pair in pairs if _figures(pair.ours) != _figures(pair.theirs)]
    odd = {(one.key, one.side) for one in (*mine, *other)}
    odd |= {(one.key, one.side) for pair in differ for one in (pair.ours, pair.theirs)}
    every = [*((one, True) for one in ours), *((one, False) for one in theirs)]
    sums = [_sum(key, side, every) for key, side in sorted(odd)]
    return ClientTrades(code, len(pairs) - len(differ), tuple(other), tuple(mine), tuple(differ), tuple(sums))


_By = Callable[[TradeSeen], object]


def _figures(one: TradeSeen) -> tuple[str, Side, int, int]:
    return one.key, one.side, one.quantity, one.price_paise


def _paired(ours: list[TradeSeen], theirs: list[TradeSeen], by: _By) -> list[TradePair]:
    """Take out of both lists what pairs by this."""
    waiting: dict[object, list[TradeSeen]] = defaultdict(list)
    for one in theirs:
        if (known := by(one)) is not None:
            waiting[known].append(one)
    pairs: list[TradePair] = []
    for one in list(ours):
        known = by(one)
        if known is not None and waiting.get(known):
            other = waiting[known].pop(0)
            ours.remove(one)
            theirs.remove(other)
            pairs.append(TradePair(one, other))
    return pairs


def _sum(key: str, side: Side, every: Sequence[tuple[TradeSeen, bool]]) -> TradeSum:
    ours = [one for one, own in every if own and (one.key, one.side) == (key, side)]
    theirs = [one for one, own in every if not own and (one.key, one.side) == (key, side)]
    return TradeSum(
        key,
        side,
        sum(one.quantity for one in ours),
        sum(one.quantity for one in theirs),
        sum(one.quantity * one.price_paise for one in ours),
        sum(one.quantity * one.price_paise for one in theirs),
    )


# --- the file -----------------------------------------------------------------------------------------------


def column_maps(home: Path) -> dict[str, dict[str, str]]:
    """The columns of each kind of file by ours: the known ones, and those that this home was told.

    Raises `BadInput` where the file of them cannot be read.
    """
    path = column_maps_file(home)
    told: dict[str, dict[str, str]] = {}
    if path.exists():
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            expected = "it is no JSON any more: remove it, and tell the columns anew"
            raise BadInput("columns", path.name, expected) from None
    return {**{kind: dict(known) for kind, known in KNOWN.items()}, **told}


def keep_columns(home: Path, kind: str, text: str) -> dict[str, str]:
    """Keep which columns a kind of file has: `client=Client Code, symbol=Scrip, side=B/S`.

    Raises `BadInput` for a name of ours that there is not, or one that is missing.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        ours, equals, theirs = part.partition("=")
        name = ours.strip().casefold()
        if not equals or name not in (*REQUIRED, *OPTIONAL) or not theirs.strip():
            expected = f"give ours=theirs by commas; ours are {', '.join((*REQUIRED, *OPTIONAL))}"
            raise BadInput("columns", part.strip(), expected)
        found[column_name(theirs)] = name
    if kind in KNOWN:
        raise BadInput("kind", kind, "this kind is known already; give another name")
    path = column_maps_file(home)
    kept = {name: columns for name, columns in column_maps(home).items() if name not in KNOWN}
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({**kept, kind: found}, indent=1, ensure_ascii=False), encoding="utf-8")
    part.chmod(0o600)
    part.replace(path)
    return found


def trades_of_file(
    path: Path, columns: Mapping[str, str], roster: Roster, day: date, client: str | None = None
) -> dict[str, list[TradeSeen]]:
    """The day's trades of a file by client's code; of one `client` where the file names none.

    Raises `FileProblem` with every bad row, `OSError` where it cannot be read.
    """
    required = [name for name in REQUIRED if name != "client" or client is None]
    optional = (*OPTIONAL, *([] if client is None else ["client"]))
    problems: list[Problem] = []
    found: dict[str, list[TradeSeen]] = defaultdict(list)
    by_user = {user: number for (_, user), number in roster.by_account.items()}
    for row in read_rows(path, required, optional, columns, problems):
        try:
            cells = convert(row.values, _TradeCells)
            _hold_of_day(cells.date, day)
            code = client or _code(cells.client, roster, by_user)
            found[code].append(_trade(cells))
        except BadInput as problem:
            problems.append(Problem(row.number, problem.field, str(problem.value), problem.expected))
    if problems:
        raise FileProblem(path, problems)
    return dict(found)


_DATES = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d-%b-%Y", "%d %b %Y", "%d/%m/%y")
"""Dates as terminals of India write them, the day before the month."""


def _hold_of_day(text: str, day: date) -> None:
    if not text:
        return
    word = text.split("T")[0]
    for form in _DATES:
        try:
            told = datetime.strptime(word, form).replace(tzinfo=IST).date()
        except ValueError:
            continue
        if told != day:
            raise BadInput("date", text, f"only trades of today, {day.isoformat()}, can be compared")
        return
    raise BadInput("date", text, f"write a date as {day.isoformat()} or {day:%d-%m-%Y}")


def _code(word: str, roster: Roster, by_user: Mapping[str, int]) -> str:
    number = roster.by_code.get(word.upper()) or by_user.get(word)
    if number is None:
        raise BadInput("client", word, "no client has this code, nor this user id at its broker")
    return roster.clients[number].code


class _TradeCells(Struct, frozen=True):
    """A row of a file of trades, as its cells say it."""

    symbol: str
    side: str
    quantity: str
    price: str
    client: str = ""
    exchange: str = ""
    trade: str = ""
    date: str = ""


def _trade(cells: _TradeCells) -> TradeSeen:
    side = _SIDES.get(cells.side.casefold())
    if side is None:
        raise BadInput("side", cells.side, "give BUY or SELL, B or S, 1 or 2")
    return TradeSeen(
        f"{(cells.exchange or 'NSE').upper()}:{cells.symbol.upper()}",
        side,
        count_from_text(re.sub(r"\.0+$", "", cells.quantity), "quantity"),
        paise_from_text(cells.price, "price"),
        cells.trade,
    )


def seen_at(trade: BrokerTrade) -> TradeSeen:
    """A broker's trade as it is compared."""
    key = f"{trade.exchange}:{trade.tradingsymbol}"
    return TradeSeen(key, trade.side, trade.quantity, trade.price_paise, trade.trade_id)


def kind_of(path: Path, known: Mapping[str, Mapping[str, str]]) -> str:
    """The kind of a file by its header: one all of whose columns stand there.

    Raises `BadInput` with the header where none is, and `OSError` where it cannot be read.
    """
    header = ""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = next((text.strip() for text in file if text.strip() and not text.startswith("sep=")), "")
    there = {column_name(cell.strip('"')) for cell in header.split(",")}
    for kind, columns in reversed(list(known.items())):
        ours = {columns.get(name, name) for name in there}
        needed = {name for name in REQUIRED if name != "client"}
        if needed <= ours and set(columns) - {"client_id", "trade_id", "trade_date"} <= there:
            return kind
    cells = [cell.strip().strip('"') for cell in header.split(",")]
    expected = f"say which column is what: --kind NAME --columns '{_proposed(cells)}'"
    raise BadInput("columns", header, expected)


def _proposed(cells: Sequence[str]) -> str:
    """A map of the columns that a file has, as it could be typed; `…` where none is called so."""
    called = {column_name(cell): cell for cell in cells}
    found: dict[str, str] = {}
    for ours in (*REQUIRED, *OPTIONAL):
        names = (column_name(name) for name in _CALLED[ours])
        theirs = next((called[name] for name in names if name in called), "…" if ours in REQUIRED else "")
        if theirs:
            found[ours] = theirs
    return ",".join(f"{ours}={theirs}" for ours, theirs in found.items())
