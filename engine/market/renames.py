"""Taking a file of instruments in: a rename moves all that follows a name, in one transaction.

Holdings, lots, postings and orders are keyed by the security, so that their sums do not move at all. Names
move where the trader reads or uses them: of instruments, holdings, watchlists, open breaks, symbol halts and
orders that have not left. What was sent, booked or audited keeps the spelling it had.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from sqlalchemy import Connection, delete, insert, select, true, update

from data.audit import AuditEntry
from data.columns import table
from data.order_tables import Halt, Order
from data.reference.instruments import Instrument
from data.reference.names import WHOLE, Matched, Rename, match
from data.store import Unit
from data.tables import Break, FormerName, Holding, InstrumentRecord, WatchlistItem
from data.vocabulary import LIVE_STATES, HaltScope, OrderState
from engine.events import TapeLine

COLUMNS = tuple(one.name for one in fields(Instrument))
"""Of an instrument, here and in its table."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file: how many instruments were kept, the renames, and words of doubt by key."""

    count: int
    renames: tuple[Rename, ...] = ()
    doubts: Mapping[str, str] = field(default_factory=dict[str, str])


def take(
    unit: Unit,
    told: Sequence[Instrument],
    source: str,
    actor: str,
    broker: str,
    gone: Collection[str] = (),
    complete: bool = True,
) -> Taken:
    """Keep instruments in place of those known, under their names of now; `gone` keys are taken off.

    `broker` is whose tokens these are. A file that is not `complete` proves no instrument gone.
    """
    connection = unit.connection
    known = read_instruments(connection)
    claimed, names = _claimed(connection), _holding_names(connection)
    given = {one.security for one in known}

    def first_sight(one: Instrument) -> str:
        if one.isin:
            return one.isin
        held = names.get((one.exchange, one.tradingsymbol))  # a broker told of it before a file did
        name = held if held and held not in given else f"{one.exchange}#{one.token}@{broker}"
        while name in given or (name != held and name in claimed):
            name += "+"
        given.add(name)
        return name

    off = [one.key for one in known if one.key in set(gone) and one.security not in claimed]
    whole = complete and len(told) >= WHOLE * len(known)
    matched = match(known, told, claimed, first_sight, whole)
    _store(connection, matched, off)
    if matched.renames:
        _move_names(unit, matched.renames)
    details: dict[str, object] = {"source": source, "count": len(matched.rows), "gone": len(off)}
    unit.audit(AuditEntry("INSTRUMENTS_IMPORTED", actor, details=details))
    for one in matched.renames:
        unit.audit(
            AuditEntry(
                "INSTRUMENT_RENAMED",
                actor,
                details={
                    "words": one.words,
                    "before": one.key_before,
                    "now": one.key,
                    "token": one.token,
                    "security": one.security,
                },
            )
        )
        unit.publish(TapeLine(unit.now, one.words, "instruments"))
    _tell_doubts(unit, matched, known, actor)
    return Taken(len(matched.rows), tuple(matched.renames), matched.doubts)


def read_instruments(connection: Connection) -> list[Instrument]:
    """Every instrument kept."""
    records = table(InstrumentRecord)
    rows = connection.execute(select(*(records.c[name] for name in COLUMNS))).mappings()
    return [Instrument(**dict(row)) for row in rows]


def read_renames(connection: Connection) -> list[Rename]:
    """Every name that a security had and does not have now."""
    former = table(FormerName)
    query = select(former.c.security, former.c.exchange, former.c.tradingsymbol, former.c.now, former.c.token)
    return [Rename(*row) for row in connection.execute(query.order_by(former.c.at))]


def _claimed(connection: Connection) -> set[str]:
    """Securities that a client holds, or has orders of that may yet trade."""
    holdings, orders = table(Holding), table(Order)
    shares = (holdings.c[name] for name in ("today", "t1", "free", "pledged", "blocked"))
    held = select(holdings.c.security).where(sum(shares, start=holdings.c.today * 0) != 0)
    live = select(orders.c.security).where(orders.c.state.in_([state.value for state in LIVE_STATES]))
    return {*connection.execute(held).scalars(), *connection.execute(live).scalars()}


def _holding_names(connection: Connection) -> dict[tuple[str, str], str]:
    holdings = table(Holding)
    query = select(holdings.c.exchange, holdings.c.tradingsymbol, holdings.c.security)
    return {(exchange, symbol): security for exchange, symbol, security in connection.execute(query)}


def _store(connection: Connection, matched: Matched, gone: Collection[str]) -> None:
    records = table(InstrumentRecord)
    kept = {one.key: one for one in (*matched.rows, *matched.kept) if one.key not in gone}
    off = {(one.exchange, one.tradingsymbol) for one in kept.values()}
    off |= {(one.exchange, one.before) for one in matched.renames}
    off |= {(exchange, symbol) for exchange, _, symbol in (key.partition(":") for key in gone)}
    for exchange in sorted({exchange for exchange, _ in off}):
        for symbols in _pieces(sorted(symbol for where, symbol in off if where == exchange)):
            here = (records.c.exchange == exchange) & records.c.tradingsymbol.in_(symbols)
            connection.execute(delete(records).where(here))
    if kept:
        rows = [{name: getattr(one, name) for name in COLUMNS} for one in kept.values()]
        connection.execute(insert(records), rows)


def _pieces(symbols: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    return (symbols[start : start + size] for start in range(0, len(symbols), size))


def _move_names(unit: Unit, renames: Sequence[Rename]) -> None:
    """Have everything that shows or uses a name show the one of now."""
    connection = unit.connection
    holdings, breaks, orders, former = (table(one) for one in (Holding, Break, Order, FormerName))
    for one in renames:
        same = (former.c.security == one.security) & (former.c.exchange == one.exchange)
        connection.execute(update(former).where(same & (former.c.now == one.before)).values(now=one.now))
        connection.execute(delete(former).where(same & former.c.tradingsymbol.in_([one.before, one.now])))
        unit.insert(
            FormerName,
            [
                {
                    "security": one.security,
                    "exchange": one.exchange,
                    "tradingsymbol": one.before,
                    "now": one.now,
                    "token": one.token,
                    "at": unit.now,
                }
            ],
        )
        unsent, standing = orders.c.state == OrderState.RESERVED.value, breaks.c.closed_at.is_(None)
        for rows, which in ((holdings, true()), (orders, unsent), (breaks, standing)):
            here = (rows.c.security == one.security) & (rows.c.tradingsymbol == one.before) & which
            if "exchange" in rows.c:
                here &= rows.c.exchange == one.exchange
            connection.execute(update(rows).where(here).values(tradingsymbol=one.now))
    moved = {one.key_before: one.key for one in renames}
    _move_watchlists(connection, moved)
    _move_halts(connection, moved)
    unit.touched.everything = True


def _move_watchlists(connection: Connection, moved: Mapping[str, str]) -> None:
    """Let each list have the new names in the old places; a name that stands in a list already stays once."""
    items = table(WatchlistItem)
    lists = select(items.c.list_name).where(items.c.key.in_(list(moved))).distinct()
    for name in connection.execute(lists).scalars().all():
        here = items.c.list_name == name
        rows = connection.execute(
            select(items.c.key, items.c.position).where(here).order_by(items.c.position)
        )
        kept: dict[str, int] = {}
        for key, position in rows.all():
            kept.setdefault(moved.get(key, key), position)
        connection.execute(delete(items).where(here))
        connection.execute(
            insert(items),
            [{"list_name": name, "key": key, "position": position} for key, position in kept.items()],
        )


def _move_halts(connection: Connection, moved: Mapping[str, str]) -> None:
    """Let a halt of a symbol that stands go on under its new name."""
    halts = table(Halt)
    standing = (halts.c.scope == HaltScope.SYMBOL.value) & halts.c.resumed_at.is_(None)
    query = select(halts.c.number, halts.c.value).where(standing, halts.c.value.in_(list(moved)))
    for number, value in connection.execute(query).all():
        connection.execute(update(halts).where(halts.c.number == number).values(value=moved[value]))


def _tell_doubts(unit: Unit, matched: Matched, known: Iterable[Instrument], actor: str) -> None:
    """Audit and tell each doubt once: not again while it stands."""
    told = {one.doubt for one in known}
    for words in dict.fromkeys(matched.doubts.values()):
        if words in told:
            continue
        keys = sorted(key for key, doubt in matched.doubts.items() if doubt == words)
        details: dict[str, object] = {"words": words, "keys": keys}
        unit.audit(AuditEntry("INSTRUMENT_DOUBTED", actor, details=details))
        how = " and ".join(f"`tradedesk instruments accept {key}`" for key in keys)
        unit.publish(TapeLine(unit.now, f"{words}; no buys of either until {how}", "warn"))
