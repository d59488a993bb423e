"""Reading and writing the paper exchange's rows. Knows SQL and no rule."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from operator import attrgetter

from brokers.contract import BrokerError, BrokerTrade, OrderUpdate
from brokers.simulators.exchange.depth_books import DepthBooks
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.exchange.schema import (
    INSERT_ACCOUNT,
    INSERT_ORDER,
    INSERT_PARCEL,
    INSTRUMENT_COLUMNS,
    SELECT_ACCOUNT,
    SELECT_LISTING,
    SELECT_ORDER,
    SELECT_PARCEL,
    SELECT_TRADE,
    UPDATE_ACCOUNT,
    UPDATE_ORDER,
    UPDATE_PARCEL,
    AccountRow,
    OrderRow,
    ParcelRow,
    broker_order,
    broker_trade,
    listings_of,
    values,
)
from brokers.simulators.exchange.shorts import Shorts
from data.vocabulary import Product

_instrument_facts = attrgetter(*INSTRUMENT_COLUMNS)
_figures = attrgetter("last_paise", "open_paise", "high_paise", "low_paise", "volume", "walks_as")


@dataclass(slots=True)
class State:
    """The exchange's one row: whose market it is, how late it is there, and which numbers come next."""

    seed: int
    market_us: int
    wall_us: int
    trading_day: str
    listing_version: int
    pin_version: int
    next_order: int

    @property
    def day(self) -> date:
        """The trading date."""
        return date.fromisoformat(self.trading_day)


class ExchangeBooks:
    """The rows behind one connection. Callers hold the transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.depth, self.shorts = DepthBooks(connection), Shorts(connection)

    # --- state, listings, pins ------------------------------------------------------------------------

    def open_state(self, state: State) -> None:
        """Store the first state unless the exchange has one already; then nothing is written."""
        if self._db.execute("SELECT 1 FROM state").fetchone() is None:
            self._db.execute("INSERT OR IGNORE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?)", astuple(state))

    def identity(self) -> str:
        """What tells this exchange from every other one."""
        return str(self._db.execute("SELECT id FROM identity").fetchone()[0])

    def state(self) -> State:
        """The state as stored."""
        row = self._db.execute(
            "SELECT seed, market_us, wall_us, trading_day, listing_version, pin_version, next_order"
            " FROM state"
        ).fetchone()
        return State(*row)

    def save_state(self, state: State) -> None:
        """Store the state."""
        self._db.execute(
            "UPDATE state SET market_us = ?, wall_us = ?, trading_day = ?, listing_version = ?,"
            " pin_version = ?, next_order = ?",
            astuple(state)[1:],
        )

    def listings(self) -> dict[str, Listing]:
        """All listings by key."""
        return listings_of(self._db.execute(SELECT_LISTING))

    def list_instrument(self, listing: Listing) -> None:
        """Add a listing, or bring its facts up to date while its prices stand."""
        facts = _instrument_facts(listing.instrument)
        kept = ("exchange", "tradingsymbol", "prev_close_paise", "security_id")
        changes = ", ".join(f"{name} = excluded.{name}" for name in INSTRUMENT_COLUMNS if name not in kept)
        figures = _figures(listing)
        self._db.execute(
            f"INSERT INTO listing (key, {', '.join(INSTRUMENT_COLUMNS)},"
            " last_paise, open_paise, high_paise, low_paise, volume, walks_as)"
            f" VALUES ({', '.join('?' * (1 + len(facts) + len(figures)))})"
            f" ON CONFLICT (key) DO UPDATE SET {changes}",
            (listing.instrument.key, *facts, *figures),
        )

    def rename(self, listings: Sequence[tuple[str, Listing]]) -> None:
        """Let listings, given with keys before, go on with their pins, parcels and orders of the day."""
        moved = [(listing.instrument.key, key) for key, listing in listings]
        pins = self.depth.pins()
        for _, key in moved:
            for name in ("listing", "pin", "taken"):
                self._db.execute(f"DELETE FROM {name} WHERE key = ?", (key,))
        for key, listing in listings:
            now = listing.instrument.key
            self._db.execute("DELETE FROM listing WHERE key = ?", (now,))
            self.list_instrument(listing)
            self.depth.pin(now, pins.get(key))
        names = json.dumps({key: now for now, key in moved})
        of_today = "(status = 'open' OR trading_day = (SELECT trading_day FROM state))"
        for name, which in (("parcel", "1"), ("short", "1"), ("orders", of_today)):
            self._db.execute(  # all at once, since two may change places
                f"UPDATE {name}"
                f" SET key = (SELECT value FROM json_each(:names) WHERE json_each.key = {name}.key)"
                f" WHERE key IN (SELECT key FROM json_each(:names)) AND {which}",
                {"names": names},
            )

    def start_day(self, closes: Mapping[str, int]) -> None:
        """Let every listing's day begin at its last close, in paise by key."""
        self._db.executemany(
            "UPDATE listing SET prev_close_paise = :close, last_paise = :close, open_paise = :close,"
            " high_paise = :close, low_paise = :close, volume = 0 WHERE key = :key",
            [{"key": key, "close": close} for key, close in closes.items()],
        )

    # --- accounts and shares ------------------------------------------------------------------------------

    def open_account(self, row: AccountRow) -> None:
        """Add an account; of one that stands already only the MTF limit is taken over."""
        self._db.execute(
            f"{INSERT_ACCOUNT} ON CONFLICT DO UPDATE SET mtf_limit_paise = excluded.mtf_limit_paise",
            values(row),
        )

    def user_ids(self) -> set[str]:
        """Whose accounts are open."""
        return {row[0] for row in self._db.execute("SELECT user_id FROM account")}

    def account(self, user_id: str) -> AccountRow:
        """One account. Raises `BrokerError` for an unknown client."""
        if (row := self._db.execute(f"{SELECT_ACCOUNT} WHERE user_id = ?", (user_id,)).fetchone()) is None:
            raise BrokerError(f"Unknown client {user_id!r}.", "unknown_account")
        return AccountRow(*row)

    def save_account(self, row: AccountRow) -> None:
        """Store an account."""
        self._db.execute(UPDATE_ACCOUNT, values(row))

    def parcels(self, user_id: str, security: str = "", product: str = "") -> list[ParcelRow]:
        """A client's shares, of all securities or of one in one product, in the order of their fills."""
        if security:
            where, given = "user_id = ? AND security = ? AND product = ?", (user_id, security, product)
        else:
            where, given = "user_id = ?", (user_id,)
        order = "security, product, parcel_id"
        rows = self._db.execute(f"{SELECT_PARCEL} WHERE {where} ORDER BY {order}", given)
        return [ParcelRow(*row) for row in rows]

    def add_parcel(self, row: ParcelRow) -> None:
        """Store a parcel behind all others."""
        self._db.execute(INSERT_PARCEL, values(row))

    def save_parcel(self, row: ParcelRow) -> None:
        """Store what a sale left of a parcel; one sold whole is forgotten."""
        if row.quantity:
            self._db.execute(UPDATE_PARCEL, values(row))
        else:
            self._db.execute("DELETE FROM parcel WHERE parcel_id = ?", (row.parcel_id,))

    def held_for_the_day(self) -> dict[tuple[str, str], int]:
        """Shares held intraday, by user id and the key that they were bought under."""
        rows = self._db.execute(
            "SELECT user_id, key, sum(quantity) FROM parcel WHERE product = ? GROUP BY user_id, key",
            (Product.MIS.value,),
        )
        return {(user_id, key): quantity for user_id, key, quantity in rows}

    def take_over_the_day(self) -> None:
        """Make shares that nobody took at the square-off the client's own, who pays what was lent on them."""
        lent = "(SELECT user_id, sum(loan_paise) AS loan FROM parcel WHERE product = ? GROUP BY user_id)"
        self._db.execute(
            "UPDATE account SET available_paise = available_paise - min(loan, max(0, available_paise)),"
            " owed_paise = owed_paise + loan - min(loan, max(0, available_paise))"
            f" FROM {lent} AS lent WHERE lent.user_id = account.user_id",
            (Product.MIS.value,),
        )
        self._db.execute(
            "UPDATE parcel SET product = ?, loan_paise = 0 WHERE product = ?",
            (Product.CNC.value, Product.MIS.value),
        )

    def shares_blocked(self, user_id: str) -> dict[tuple[str, str], int]:
        """Shares that a client's open sells wait to deliver, by security and product."""
        rows = self._db.execute(
            "SELECT security, product, sum(quantity - filled) FROM orders"
            " WHERE user_id = ? AND side = 'SELL' AND status = 'open' GROUP BY security, product",
            (user_id,),
        )
        return {(security, product): quantity for security, product, quantity in rows}

    def money_blocked(self, user_id: str) -> int:
        """What a client's open buys and shorts keep blocked, in paise."""
        row = self._db.execute(
            "SELECT coalesce(sum(paise), 0) FROM (SELECT own_blocked_paise AS paise FROM orders"
            " WHERE user_id = ?1 AND status = 'open' UNION ALL SELECT margin_paise FROM short"
            " WHERE user_id = ?1)",
            (user_id,),
        )
        return int(row.fetchone()[0])

    def add_unsettled(self, user_id: str, traded_on: str, amount_paise: int) -> None:
        """Add proceeds that become cash when their trading date has settled."""
        self._db.execute(
            "INSERT INTO unsettled VALUES (?, ?, ?) ON CONFLICT (user_id, traded_on)"
            " DO UPDATE SET amount_paise = amount_paise + excluded.amount_paise",
            (user_id, traded_on, amount_paise),
        )

    def collect_charges(self) -> None:
        """Debit what is due from every account."""
        self._db.execute(
            "UPDATE account SET available_paise = available_paise - charges_due_paise, charges_due_paise = 0"
            " WHERE charges_due_paise != 0"
        )

    def collect_owed(self) -> None:
        """Debit what accounts owe as far as their cash goes."""
        self._db.execute(
            "UPDATE account SET available_paise = available_paise - min(owed_paise, max(0, available_paise)),"
            " owed_paise = owed_paise - min(owed_paise, max(0, available_paise)) WHERE owed_paise > 0"
        )

    def trading_dates_open(self) -> set[str]:
        """Trading dates with shares or proceeds that have not settled."""
        rows = self._db.execute(
            "SELECT bought_on FROM parcel WHERE bought_on != '' UNION SELECT traded_on FROM unsettled"
        )
        return {row[0] for row in rows}

    def settle(self, traded_on: str) -> None:
        """Turn a trading date's proceeds into cash and its shares into settled ones."""
        self._db.execute(
            "UPDATE account SET available_paise = available_paise + u.amount_paise FROM unsettled u"
            " WHERE u.user_id = account.user_id AND u.traded_on = ?",
            (traded_on,),
        )
        self._db.execute("DELETE FROM unsettled WHERE traded_on = ?", (traded_on,))
        self._db.execute("UPDATE parcel SET bought_on = '' WHERE bought_on = ?", (traded_on,))

    # --- orders, trades, events --------------------------------------------------------------------------

    def insert_order(self, row: OrderRow) -> None:
        """Add an order."""
        self._db.execute(INSERT_ORDER, values(row))

    def save_order(self, row: OrderRow) -> None:
        """Store an order's changes and tell of them."""
        self._db.execute(UPDATE_ORDER, values(row))
        self.tell(row.order_id)

    def tell(self, order_id: int) -> None:
        """Write the event that every process's stream reads."""
        self._db.execute("INSERT INTO event (order_id) VALUES (?)", (order_id,))

    def order(self, user_id: str, broker_order_id: str) -> OrderRow | None:
        """One of a client's orders by its id as text."""
        if not broker_order_id.isascii() or not broker_order_id.isdigit() or len(broker_order_id) > 19:
            return None
        rows = self.orders_where("WHERE order_id = ? AND user_id = ?", (int(broker_order_id), user_id))
        return rows[0] if rows else None

    def orders(self, user_id: str, trading_day: str) -> list[OrderRow]:
        """A client's order book of one trading date, oldest first."""
        return self.orders_where(
            "WHERE user_id = ? AND trading_day = ? ORDER BY order_id", (user_id, trading_day)
        )

    def live_orders(self) -> list[OrderRow]:
        """Every order that may still trade."""
        return self.orders_where("WHERE status = 'open' ORDER BY order_id", ())

    def live_keys(self) -> list[str]:
        """Symbols with orders that may still trade."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT key FROM orders WHERE status = 'open'")]

    def waiting(self, key: str) -> list[OrderRow]:
        """A symbol's live stop orders that have not been triggered."""
        return self.orders_where(
            "WHERE status = 'open' AND key = ? AND trigger_pending = 1 ORDER BY priority", (key,)
        )

    def triggered(self, key: str, last_paise: int) -> list[OrderRow]:
        """A symbol's waiting stop orders whose trigger a last price reaches, the first reached first."""
        return self.orders_where(
            "WHERE status = 'open' AND key = ? AND trigger_pending = 1 AND"
            " ((side = 'BUY' AND trigger_paise <= ?) OR (side = 'SELL' AND trigger_paise >= ?))"
            " ORDER BY iif(side = 'BUY', trigger_paise, -trigger_paise), priority",
            (key, last_paise, last_paise),
        )

    def crossing(self, key: str, bid_paise: int, ask_paise: int) -> list[OrderRow]:
        """A symbol's live orders that reach the opposite price, in price-time order; 0 is no price."""
        buys = self.orders_where(
            "WHERE status = 'open' AND key = ? AND side = 'BUY' AND limit_paise >= ? AND trigger_pending = 0"
            " ORDER BY limit_paise DESC, priority",
            (key, ask_paise),
        )
        sells = self.orders_where(
            "WHERE status = 'open' AND key = ? AND side = 'SELL' AND limit_paise <= ? AND trigger_pending = 0"
            " ORDER BY limit_paise, priority",
            (key, bid_paise),
        )
        return (buys if ask_paise else []) + (sells if bid_paise else [])

    def rest_uncrossed(self, key: str, bid_paise: int, ask_paise: int) -> None:
        """Mark as makers the live orders that the market has moved away from."""
        self._db.execute(
            "UPDATE orders SET resting = 1"
            " WHERE status = 'open' AND key = ? AND resting = 0 AND trigger_pending = 0 AND"
            " ((side = 'BUY' AND limit_paise < ?) OR (side = 'SELL' AND limit_paise > ?))",
            (key, ask_paise, bid_paise),
        )

    def orders_where(self, clause: str, given: Sequence[object]) -> list[OrderRow]:
        """Orders in full; `clause` is what follows the statement's FROM, `given` its values."""
        return [OrderRow(*row) for row in self._db.execute(f"{SELECT_ORDER} {clause}", given)]

    def demat_fee_paid(self, user_id: str, security: str, trading_day: str) -> bool:
        """Whether an order of the day has already taken shares of this security from the demat account."""
        row = self._db.execute(
            "SELECT 1 FROM orders WHERE user_id = ? AND trading_day = ? AND security = ? AND from_demat = 1",
            (user_id, trading_day, security),
        ).fetchone()
        return row is not None

    def take_trade_numbers(self, exchange: str, count: int) -> int:
        """The first of `count` trade numbers of one exchange."""
        (following,) = self._db.execute(
            "INSERT INTO trade_number VALUES (?, ?) ON CONFLICT (exchange)"
            " DO UPDATE SET next = next + ? RETURNING next",
            (exchange, 10_000_000 + count, count),
        ).fetchone()
        return int(following) - count

    def insert_trades(self, rows: Iterable[tuple[str, int, int, int, int, int]]) -> None:
        """Add fills: exchange, number, order id, quantity, price in paise, moment."""
        self._db.executemany("INSERT INTO trade VALUES (?, ?, ?, ?, ?, ?)", rows)

    def trades(self, user_id: str, trading_day: str) -> list[BrokerTrade]:
        """A client's fills of one trading date, oldest first."""
        rows = self._db.execute(
            f"{SELECT_TRADE} WHERE o.user_id = ? AND o.trading_day = ? ORDER BY t.traded_us, t.trade_number",
            (user_id, trading_day),
        )
        return [broker_trade(row) for row in rows]

    def last_trade_price(self, order_id: int) -> int | None:
        """The price of an order's newest fill in paise, `None` before the first."""
        row = self._db.execute(
            "SELECT price_paise FROM trade WHERE order_id = ? ORDER BY trade_number DESC", (order_id,)
        ).fetchone()
        return None if row is None else int(row[0])

    def last_event(self) -> int:
        """The number of the newest event, 0 before the first."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])

    def updates_after(self, seq: int) -> list[tuple[int, OrderUpdate]]:
        """Events above `seq`, oldest first, each with its order and all its fills as they stand now."""
        news = "SELECT seq, order_id FROM event WHERE seq > ? ORDER BY seq"
        events = self._db.execute(news, (seq,)).fetchall()
        if not events:
            return []
        touched = "(SELECT order_id FROM event WHERE seq > ?)"
        trades: dict[str, list[BrokerTrade]] = {}
        fills = f"{SELECT_TRADE} WHERE t.order_id IN {touched} ORDER BY t.traded_us, t.trade_number"
        for row in self._db.execute(fills, (seq,)):
            trade = broker_trade(row)
            trades.setdefault(trade.broker_order_id, []).append(trade)
        updates = {
            row.order_id: OrderUpdate(broker_order(row), tuple(trades.get(str(row.order_id), ())))
            for row in self.orders_where(f"WHERE order_id IN {touched}", (seq,))
        }
        return [(number, updates[order_id]) for number, order_id in events]
