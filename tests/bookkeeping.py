"""One client's books without a desk: orders reserved, claimed and told about inside one transaction."""

import atexit
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, select

from brokers.contract import (
    Accepted,
    Ambiguous,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    Outcome,
    Refused,
    Tick,
)
from brokers.paper.broker import CAPABILITIES
from data.clock import IST, ManualClock
from data.engines.database import Database
from data.engines.sqlite import SqliteFile
from data.home import books_file
from data.ledger import Line, Transfer, post
from data.proving.rederive import differences
from data.records import replace, values_of
from data.reference.instrument_index import index_of
from data.reference.instruments import Instrument
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.store import Unit
from data.tables.books import Client, Funds, Hold, HoldingRecord, Txn
from data.tables.columns import table
from data.tables.lots import LotRecord
from data.tables.market import InstrumentRecord
from data.tables.orders import FillRecord, Order, PlanRecord, RequestRecord
from data.vocabulary import (
    Account,
    Bucket,
    HoldKind,
    OrderState,
    OrderType,
    PerClient,
    PhaseKind,
    Policy,
    Product,
    Side,
    TransferKind,
    Validity,
)
from data.writing.writer import take_turn
from engine.book.access_views import Access
from engine.book.watched.limit_views import NO_LIMITS
from engine.booking.apply import apply_facts
from engine.booking.facts import Applied, Fact, ProvenAbsent, Seen, SendEnded
from engine.days import roll_day
from engine.execution.changes.cancels import ask
from engine.execution.reservation import reserve
from engine.execution.rotation import Rotation
from engine.execution.sending.claiming import ClaimsBeside, claim
from engine.execution.sending.limiting import AtDoor
from engine.market.market_data import MarketData
from engine.market.quotes import QuoteMap
from engine.rules import Rules, Waits
from engine.timing import Timing
from tests.books import POSTGRES, empty_books, engine_now
from tests.desks import START
from tradedesk.compose.server import server_at

DAY = date(2026, 11, 18)
CLIENT = 1
STOCKS = {
    row.instrument.tradingsymbol: Instrument(
        **{name: fact for name, fact in values_of(row.instrument).items() if name != "token"}
    )
    for row in universe()
}
ENDS = {
    "FILLED": BrokerStatus.COMPLETE,
    "CANCELLED": BrokerStatus.CANCELLED,
    "REJECTED": BrokerStatus.REJECTED,
    "EXPIRED": BrokerStatus.EXPIRED,
}


class _FundsNow:
    """What the desk's book says of clients' balances, read when it is asked."""

    def __init__(self, books: "Ledger") -> None:
        self._books = books

    def __getitem__(self, client_id: int) -> Any:
        return SimpleNamespace(available_paise=self._books.money(client_id)["available"])


class Ledger:
    """The books of client 1, and of others once opened, as one transaction that is never committed."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.clock = ManualClock(START)
        self.day = DAY
        self.credit_bps = 10_000
        self.trades = 0
        self.rules = Rules()
        self.rng = random.Random(7)
        self.engine: Any = SimpleNamespace(
            actor="tester", id=1, begun={}, venues_differ=lambda: "", require=lambda *told: None, term=0
        )
        self.projection: Any = SimpleNamespace(
            clients={},
            funds=_FundsNow(self),
            orders=defaultdict(lambda: SimpleNamespace(run_number=None)),
            carrier_of=lambda _: SimpleNamespace(capabilities=CAPABILITIES),
            seen=list,
            consents_asked=lambda *_: (),
            access=Access(),
        )
        feed: Any = None
        stocks = index_of(STOCKS.values())
        self.market_data = MarketData(feed, QuoteMap(), self.rules.price_age_limit_s, stocks)
        self.market_clock: Any = SimpleNamespace(now=self._market_now, trading_day=DAY)
        self.timing = Timing(self.clock, self.market_clock, load_calendar(), Waits())

    def _market_now(self) -> datetime:
        """Ten in the morning of its day, however long a test has lasted."""
        return datetime.combine(self.day, time(10), IST)

    def unit(self) -> Unit:
        return Unit(self.connection, self.clock.now())

    # --- what happens ---

    def open_client(self, available_paise: int, mtf_limit_paise: int = 0, client_id: int = CLIENT) -> None:
        unit = self.unit()
        row: dict[str, Any] = {
            "id": client_id,
            "code": f"AA{client_id:04}",
            "name": "A Client",
            "broker": "zerodha",
            "broker_user_id": f"ZA{client_id:04}",
            "status": "active",
            "session": "ok",
            "capital_paise": available_paise,
            "created_at": unit.now,
            "updated_at": unit.now,
        }
        unit.insert(Client, [row])
        unit.insert(Funds, [{"client_id": client_id, "mtf_limit_paise": mtf_limit_paise}])
        self.projection.clients[client_id] = SimpleNamespace(
            id=client_id, code=row["code"], broker="zerodha", groups=(), connection="", discretionary=True
        )
        self.pay_in(available_paise, client_id)
        roll_day(unit, self.day, self.timing.calendar, self.engine.actor)

    def pay_in(self, amount_paise: int, client_id: int = CLIENT) -> None:
        lines = [Line(Account.AVAILABLE, amount_paise), Line(Account.EXTERNAL, -amount_paise)]
        post(self.unit(), [Transfer(client_id, TransferKind.OPENING, self.day, lines, evidence="test")])

    def hold(self, amount_paise: int, client_id: int = CLIENT) -> None:
        """Keep money from trading, as for a payout that the client has asked for."""
        unit = self.unit()
        row = {
            "id": unit.take_ids("hold", 1)[0],
            "client_id": client_id,
            "kind": HoldKind.PAYOUT.value,
            "amount_paise": amount_paise,
            "reason": "test",
            "opened_at": unit.now,
            "released_at": None,
        }
        unit.insert(Hold, [row])
        lines = [Line(Account.AVAILABLE, -amount_paise), Line(Account.BLOCKED, amount_paise)]
        post(unit, [Transfer(client_id, TransferKind.HOLD, self.day, lines, evidence=f"hold:{row['id']}")])

    def next_day(self) -> None:
        self.day = self.timing.calendar.next_trading_day(self.day)
        self.market_clock.trading_day = self.day
        roll_day(self.unit(), self.day, self.timing.calendar, self.engine.actor)

    def reserve(
        self,
        side: Side,
        quantity: int,
        price_paise: int,
        product: Product = Product.CNC,
        policy: Policy = Policy.WORST,
        symbol: str = "RELIANCE",
    ) -> int:
        """Reserve one limit order; returns its number."""
        return self.release(side, {CLIENT: quantity}, price_paise, product, policy, symbol)[CLIENT]

    def release(
        self,
        side: Side,
        quantities: Mapping[int, int],
        price_paise: int,
        product: Product = Product.CNC,
        policy: Policy = Policy.WORST,
        symbol: str = "RELIANCE",
        order_type: OrderType = OrderType.LIMIT,
    ) -> dict[int, int]:
        """Reserve an order for each of these clients as one run; returns each number, DENIED ones too.

        `price_paise` is the limit, or what a market order is reserved for.
        """
        unit = self.unit()
        number = unit.take_ids("plan", 1)[0]
        record: dict[str, Any] = {
            "number": number,
            "digest": f"{number:064x}",
            "frozen_at": unit.now,
            "expires_at": unit.now + timedelta(seconds=60),
            "actor": "tester",
            "title": "a plan",
            "side": side.value,
            "key": f"NSE:{symbol}",
            "sizing": "fixed_quantity",
            "sizing_value": max(quantities.values()),
            "body": {},
        }
        unit.insert(PlanRecord, [record])
        limit = price_paise if order_type is OrderType.LIMIT else None
        plan: Any = SimpleNamespace(
            number=number,
            digest=record["digest"],
            title="a plan",
            instrument=STOCKS[symbol],
            intent=SimpleNamespace(
                side=side,
                order_type=order_type,
                limit_paise=limit,
                trigger_paise=None,
                validity=Validity.DAY,
                after_market=False,
                disclosed_quantity=0,
                again=True,
                model="",
            ),
            reserve_price_paise=price_paise,
            protection_bps=200,
            policy=policy,
            trading_day=self.day,
            send_within_s=10**8,
            drift_limit_bps=50,
            last_paise=price_paise,
            priced_by=None,
            phase=PhaseKind.CONTINUOUS,
            lower_circuit_paise=0,
            upper_circuit_paise=0,
            skipped_lines=(),
            left_paise=0,
            cut_paise=0,
            slices=lambda line: [line.quantity],
            leg=1,
            stage=0,
            stages=1,
            lines=(),
            per_client=PerClient.ALL,
            further=(),
        )
        plan.parts = (plan,)
        lines: Any = [
            (
                plan,
                SimpleNamespace(
                    ref="",
                    client_id=client_id,
                    code=f"AA{client_id:04}",
                    broker="zerodha",
                    product=product,
                    quantity=quantity,
                ),
            )
            for client_id, quantity in quantities.items()
        ]
        reserve(unit, plan, Rotation(tuple(lines)), self.projection, self.clock, self.engine, self.rules)
        orders = table(Order)
        rows = self.connection.execute(
            select(orders.c.client_id, orders.c.id).where(orders.c.plan_number == number)
        )
        return {row[0]: row[1] for row in rows}

    def claim(self, order_id: int) -> str:
        """Claim a reserved order while the price stands where its plan had it; returns its tag."""
        order, now = self.row(order_id), self.clock.now()
        key, price = f"{order['exchange']}:{order['tradingsymbol']}", order["reserve_price_paise"]
        self.market_data.quotes.put(Tick(key, price, 0, 0, 0, 0, 0, 0, 0, 0, 0, now, now))
        no_limits = AtDoor(NO_LIMITS, {}, {}, {}, cast(Any, None))  # no order of it is one to be held
        beside = ClaimsBeside(self.market_data, self.rng, no_limits)
        (claimed,) = claim(self.unit(), [order_id], self.projection, self.timing, self.engine, beside).made
        return claimed.request.tag

    def sent(self, order_id: int, outcome: Outcome | None = None) -> Applied:
        """The answer to a send; accepted under the order's own number unless told otherwise."""
        return self.book(SendEnded(order_id, outcome or Accepted(f"B{order_id}")))

    def open(self, *args: Any, **named: Any) -> int:
        """Reserve, claim and have accepted one order."""
        order_id = self.reserve(*args, **named)
        self.claim(order_id)
        self.sent(order_id)
        return order_id

    def trade(self, order_id: int, quantity: int, price_paise: int, trade_id: str = "") -> BrokerTrade:
        """A trade of an order, with a number of its own unless given."""
        row = self.row(order_id)
        self.trades += 1
        return BrokerTrade(
            trade_id or f"T{self.trades}",
            f"B{order_id}",
            "ZA0001",
            row["exchange"],
            row["tradingsymbol"],
            Side(row["side"]),
            Product(row["product"]),
            quantity,
            price_paise,
            self.day,
            self.clock.now(),
        )

    def seen(
        self,
        order_id: int,
        status: BrokerStatus,
        *trades: BrokerTrade,
        filled: int | None = None,
        broker_order_id: str = "",
        tags: tuple[str, ...] = (),
        ago_s: float = 0,
        **changed: Any,
    ) -> Seen:
        """The broker's word of an order; `filled` is what it claims, by default these trades and all booked.

        `changed` are values of the broker's row that differ from ours.
        """
        row = self.row(order_id)
        order = BrokerOrder(
            broker_order_id=broker_order_id or f"B{order_id}",
            user_id="ZA0001",
            tags=tags or ((row["tag"],) if row["tag"] else ()),
            exchange=row["exchange"],
            tradingsymbol=row["tradingsymbol"],
            side=Side(row["side"]),
            product=Product(row["product"]),
            order_type=OrderType(row["order_type"]),
            quantity=row["quantity"],
            filled_quantity=self._told_so_far(order_id, trades) if filled is None else filled,
            average_price_paise=0,
            status=status,
            status_text=status.value.upper(),
            placed_at=self.clock.now(),
            updated_at=self.clock.now() - timedelta(seconds=ago_s),
            price_paise=row["limit_paise"],
            trigger_paise=row["trigger_paise"],
        )
        return Seen(CLIENT, replace(order, **changed), trades)

    def _told_so_far(self, order_id: int, trades: tuple[BrokerTrade, ...]) -> int:
        fills, told = table(FillRecord), {trade.trade_id: trade.quantity for trade in trades}
        booked = self.connection.execute(
            select(fills.c.trade_id, fills.c.quantity).where(fills.c.order_id == order_id)
        )
        return sum(({row[0]: row[1] for row in booked} | told).values())

    def book(self, *facts: Fact) -> Applied:
        """Book facts as one batch."""
        self.clock.shift(1)
        return apply_facts(self.unit(), facts, "tester", self.credit_bps)

    def cancel(self, order_id: int) -> Any:
        return ask(self.unit(), [order_id], "test", "tester")

    def bought(self, quantity: int, price_paise: int, **named: Any) -> int:
        """Buy and hold shares."""
        order_id = self.open(Side.BUY, quantity, price_paise, **named)
        self.book(self.seen(order_id, BrokerStatus.COMPLETE, self.trade(order_id, quantity, price_paise)))
        return order_id

    def in_state(self, state: OrderState) -> int:
        """A buy of 10 shares at 100 rupees that stands in `state`."""
        if state is OrderState.DENIED:
            return self.reserve(Side.BUY, 10**9, 100_00)
        order_id = self.reserve(Side.BUY, 10, 100_00)
        if state is OrderState.RESERVED:
            return order_id
        self.claim(order_id)
        if state is OrderState.UNKNOWN:
            self.sent(order_id, Ambiguous("test"))
        elif state is OrderState.OPEN:
            self.sent(order_id)
        elif state.value in ENDS:
            self.sent(order_id)
            trades = [self.trade(order_id, 10, 100_00)] if state is OrderState.FILLED else []
            self.book(self.seen(order_id, ENDS[state.value], *trades))
        elif state is OrderState.NOT_RECEIVED:
            self.sent(order_id, Ambiguous("test"))
            self.book(ProvenAbsent(order_id, "test"))
        assert self.row(order_id)["state"] == state.value
        return order_id

    # --- what stands ---

    def row(self, order_id: int) -> dict[str, Any]:
        orders = table(Order)
        return dict(self.connection.execute(select(orders).where(orders.c.id == order_id)).mappings().one())

    def state(self, order_id: int) -> OrderState:
        return OrderState(self.row(order_id)["state"])

    def flags(self, order_id: int) -> set[str]:
        return set(self.row(order_id)["flags"].split())

    def money(self, client_id: int = CLIENT) -> dict[str, int]:
        """Balances in paise by name."""
        funds = table(Funds)
        row = self.connection.execute(select(funds).where(funds.c.client_id == client_id)).mappings().one()
        return {name.removesuffix("_paise"): row[name] for name in row if name != "client_id"}

    def shares(self, product: Product = Product.CNC, symbol: str = "RELIANCE") -> dict[str, int]:
        """What is held of a stock by bucket, with its cost."""
        holdings, security = table(HoldingRecord), STOCKS[symbol].security
        row = self.connection.execute(
            select(holdings).where(holdings.c.security == security, holdings.c.product == product.value)
        ).mappings()
        found = row.first()
        names = (*(b.value for b in Bucket if b is not Bucket.OUTSIDE), "blocked", "cost_paise")
        return {name: found[name] if found else 0 for name in names}

    def lots(self) -> list[dict[str, Any]]:
        lots = table(LotRecord)
        rows = self.connection.execute(select(lots).where(lots.c.quantity_left > 0)).mappings()
        return [dict(row) for row in rows]

    def rows(self, model: Any, *without: str) -> list[dict[str, Any]]:
        """All rows of a table, in the order in which they were written, without some of their columns."""
        kept = [column for column in table(model).columns if column.name not in without]
        statement = select(*kept).order_by(*table(model).primary_key.columns)
        return [dict(row) for row in self.connection.execute(statement).mappings()]

    def standing(self) -> Any:
        """Everything that a fact may change, for telling whether one did; stamps of time are left out."""
        return (
            self.rows(Funds),
            self.rows(HoldingRecord),
            self.rows(LotRecord),
            self.rows(Order, "updated_at", "told_at", "ended_at"),
            self.rows(RequestRecord, "requested_at", "sent_at", "ended_at"),
            [(row["id"], row["charges_paise"]) for row in self.rows(FillRecord)],
            len(self.rows(Txn)),
        )

    def faults(self) -> list[str]:
        """Whatever does not add up."""
        return differences(self.connection)

    def everything(self) -> Any:
        """The books for comparison, whatever the order in which they came to be."""
        orders = self.connection.execute(select(table(Order)).order_by(table(Order).c.id)).mappings()
        kept = ("state", "filled_quantity", "filled_notional_paise", "blocked_paise", "charges_paise")
        holdings = self.connection.execute(select(table(HoldingRecord))).mappings()
        return (
            self.money(),
            [tuple(row[name] for name in kept) for row in orders],
            sorted(tuple(row.values()) for row in holdings),
        )


@cache
def _books(engine: str) -> Database:
    """One prepared database for all ledgers of this process, since none of them keeps anything."""
    if engine == POSTGRES:
        from tests.postgres import fresh_books

        return server_at(fresh_books().render_as_string(hide_password=False))
    folder = TemporaryDirectory(prefix="ledger-")
    atexit.register(folder.cleanup)
    return SqliteFile(books_file(empty_books(Path(folder.name))))


@contextmanager
def ledger(available_paise: int = 10_00_000_00, mtf_limit_paise: int = 0) -> Iterator[Ledger]:
    """A ledger with one client; nothing of it is kept."""
    database = _books(engine_now())
    engine = database.writer()
    with engine.connect() as connection:
        take_turn(database, connection)
        books = Ledger(connection)
        books.unit().insert(InstrumentRecord, [values_of(one) for one in STOCKS.values()])
        books.open_client(available_paise, mtf_limit_paise)
        yield books
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


REFUSED = Refused("margin", "no")
