"""Zerodha through Kite Connect: the contract's calls for every client account, each by its own route.

The engine gives a call ten seconds; what this adapter waits for ends before that, so its own, better-founded
word about a call comes first. Where the engine's time-out wins, its word is `Ambiguous`, and the late
answer is dropped (`calls.KiteCalls`).
"""

import logging
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import quote

from brokers.contract import (
    Bar,
    BarSpan,
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerTrade,
    Capabilities,
    Conditional,
    Conversion,
    InstrumentRow,
    NotAsked,
    OrderChange,
    OrderRequest,
    Outcome,
    StreamEvent,
    Tick,
    TradedLine,
)
from brokers.kite.access import KiteRoots
from brokers.kite.answers.account import funds_of, profile_of
from brokers.kite.answers.conditionals import conditionals_of
from brokers.kite.answers.orders import order_of, orders_of, trades_of
from brokers.kite.answers.portfolio import holdings_of
from brokers.kite.answers.rows import KiteRow
from brokers.kite.calls import KiteCalls, KiteWaits, Purpose
from brokers.kite.charges import MOST_ASKED, charges_fields, charges_of
from brokers.kite.client import KiteClient
from brokers.kite.feed import KiteFeed, Lister
from brokers.kite.margins import margin_fields, own_bps
from brokers.kite.orders import KiteOrders
from brokers.kite.outcomes import BAD_INPUT, Failure, read_error
from brokers.kite.reading import KiteReading
from brokers.kite.reads import ReadBudget
from brokers.kite.sign_in import FORM
from brokers.kite.streaming.stream import KiteStream
from brokers.meter import CallKind, CallMeter
from brokers.wire.access import AccountAccess, users_own
from brokers.wire.looks import OnlyLooks
from brokers.wire.margins import MarginBuy, shares_by_product
from brokers.wire.symbols import BrokerSymbols
from data.clock import Clock
from data.reference.instruments import BrokerListing, Instrument
from data.reference.rates import Charges
from data.vocabulary import Product

log = logging.getLogger(__name__)

HOLDINGS_LAST_S = 30.0
"""For how long loans are taken from the holdings read last, since every read counts against the key."""

ORDERS_PER_SECOND = 8
"""Kite takes ten in a second of its own clock; ours differs, so it is asked for fewer."""

MAX_ORDER_QUANTITY = 1_00_000
MAX_ORDER_VALUE_PAISE = 10_00_00_000 * 100
"""What Zerodha's risk checks take in one equity order, by the words of its refusals; no call tells these."""

MOST_SLICES = 10
"""Orders that one order of the trader is cut into at most, as Kite does itself (autoslice)."""

MOST_CHANGES = 25
"""How often Kite takes a modify of one order (its documentation, orders)."""


CONVERSIONS = frozenset({(Product.MIS, Product.CNC), (Product.MTF, Product.CNC)})
"""From which product to which one a bought position may go (Kite Connect documentation, portfolio)."""


class KiteBroker:
    """Implements `brokers.contract.Broker` for Zerodha.

    `on_session_lost` is told on the event loop whose token Kite turned away; forgetting the token is the
    caller's. `on_no_stream` is told of an account whose session holds and for whom Kite opens no socket all
    the same: its api key has none, and `follow` is to be called with that. `roots` lead to Zerodha or to a
    stand-in on this machine.
    """

    def __init__(
        self,
        access: AccountAccess,
        roots: KiteRoots,
        clock: Clock,
        *,
        waits: KiteWaits | None = None,
        rng: random.Random | None = None,
        on_session_lost: Callable[[BrokerAccount], None] = lambda _: None,
        on_no_stream: Callable[[BrokerAccount], None] = lambda _: None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._symbols = BrokerSymbols()
        self._waits = waits or KiteWaits()
        self._calls = KiteCalls(access, roots, clock, self._waits, on_session_lost)
        self._orders = OnlyLooks() if roots.looks_only else KiteOrders(self._calls, clock)
        self._budget = ReadBudget(clock)
        self._stream = KiteStream(
            roots.stream,
            clock,
            rng or random.Random(0),
            lambda fields: self._symbols.told(order_of(fields)),
            on_refused=lambda account, token: self._feed.socket_refused(account, token),
        )
        self._calls.on_answer = self._stream.answered
        self._reading = KiteReading(self._calls, self._budget, clock, self._waits)
        self._feed = KiteFeed(
            self._calls, self._reading, self._stream, clock, self.profile, on_no_stream, self._symbols
        )
        self._holdings: dict[BrokerAccount, tuple[float, object]] = {}
        self.stream_counts = self._stream.counts
        self._capabilities = Capabilities(
            tag_length=20,
            orders_per_second=ORDERS_PER_SECOND,
            orders_per_minute=400,
            orders_per_day=5_000,
            max_order_quantity=MAX_ORDER_QUANTITY,
            max_order_value_paise=MAX_ORDER_VALUE_PAISE,
            most_slices=MOST_SLICES,
            most_changes=MOST_CHANGES,
            conversions=CONVERSIONS,
            after_market=True,
            disclosed_quantity=True,
            sign_in=FORM,
            needs_route=True,
            history=True,
            order_charges=True,
            simulated=roots.is_local,
        )

    @property
    def name(self) -> str:
        """The broker's word in client files."""
        return "zerodha"

    @property
    def capabilities(self) -> Capabilities:
        """What Kite can do and how fast it is driven."""
        return self._capabilities

    @property
    def meter(self) -> CallMeter:
        """What its calls took and became."""
        return self._calls.meter

    async def open(self) -> None:
        """Load the official client."""
        await self._calls.open()

    async def close(self) -> None:
        """End the stream, drop calls that have not begun and wait for those that have."""
        self._feed.close()
        await self._stream.close()
        await self._calls.close()

    def close_idle(self) -> None:
        """Close the connections that wait for their next call; each is made anew when one comes."""
        self._calls.close_idle()

    # --- sessions -----------------------------------------------------------------------------------------

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in, every day after six in the morning."""
        url = await self._reading.answer(account, None, KiteClient.login_url, signed_in=False, paced=False)
        return f"{url}&redirect_params={quote(f'state={state}')}" if state else url

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Make a session of what the login page gave, and keep its token if it is this client's.

        Raises `BrokerError`: `other_user` where somebody else has signed in, `login_refused` where Kite does
        not take the request token or the api secret, `no_secret` where none is stored.
        """
        key = self._calls.key_of(account)
        secret = await self._calls.ask_access(lambda: self._access.secret(key))
        if not secret:
            raise NotAsked(
                f"No api secret is stored for the api key {key} of {account.user_id}.", "no_secret"
            )
        await self._budget.turn(key)
        answer = await self._calls.run(
            Purpose.READ,
            CallKind.SIGN_IN,
            account,
            lambda client: client.generate_session(request_token, secret),
            self._waits.read_s,
            signed_in=False,
        )
        if isinstance(answer, Failure):
            if answer.status not in (400, 403):
                raise read_error(answer)
            words = "Sign in again, since a request token is good once, or correct the api secret."
            raise BrokerError(
                f"Kite refused the sign-in of {account.user_id}: {answer.text} {words}", "login_refused"
            )
        row = KiteRow("session", answer)
        profile = users_own(account, profile_of(answer))
        token = row.get("access_token")
        if not isinstance(token, str) or not token:
            raise BrokerError("Kite: session, access_token: missing", "bad_row")
        await self._calls.ask_access(lambda: self._access.keep_token(account, token))
        followed = self._feed.followed
        if account in followed.accounts:
            await self.follow(followed.accounts, heard=followed.heard, streamless=followed.streamless - {key})
        return profile

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `BrokerError` with code `other_user` for another client's token."""
        return users_own(
            account, profile_of(await self._reading.answer(account, CallKind.SIGN_IN, KiteClient.profile))
        )

    # --- account ------------------------------------------------------------------------------------------

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money, and what of it is lent by its holdings as last read, now if not lately."""
        margins = await self._reading.answer(account, CallKind.FUNDS, KiteClient.margins)
        known = self._holdings.get(account)
        if known is None or self._clock.monotonic() - known[0] > HOLDINGS_LAST_S:
            known = (
                self._clock.monotonic(),
                await self._reading.answer(account, CallKind.HOLDINGS, KiteClient.holdings),
            )
            self._holdings[account] = known
        return funds_of(margins, known[1], self._clock.now())

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        holdings = await self._reading.answer(account, CallKind.HOLDINGS, KiteClient.holdings)
        self._holdings[account] = (self._clock.monotonic(), holdings)
        positions = await self._reading.answer(account, CallKind.HOLDINGS, KiteClient.positions)
        return self._symbols.told_rows(holdings_of(holdings, positions))

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book of today, in the exchanges and products that the desk trades."""
        answer = await self._reading.answer(account, CallKind.ORDERS, KiteClient.orders)
        book = orders_of(answer, account.user_id)
        for broker_order_id, variety in book.varieties.items():
            self._orders.remember(account, broker_order_id, variety)
        return self._symbols.told_rows(book.rows)

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills of today."""
        trades = trades_of(
            await self._reading.answer(account, CallKind.TRADES, KiteClient.trades), account.user_id
        )
        return self._symbols.told_rows(trades)

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's active GTTs and enabled alerts."""
        gtts = await self._reading.answer(account, CallKind.CONDITIONALS, KiteClient.gtts)
        return conditionals_of(
            gtts, await self._reading.answer(account, CallKind.CONDITIONALS, KiteClient.alerts)
        )

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete a GTT or an alert."""
        return await self._orders.delete_conditional(account, conditional)

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product; None where Kite refuses the product."""
        there = self._symbols.asked(instrument)

        async def own(product: Product) -> int:
            buy = MarginBuy(there, product, price_paise)
            ask = partial(KiteClient.order_margins, orders=[margin_fields(buy)])
            return own_bps(buy, await self._reading.answer(account, CallKind.MARGINS, ask))

        return await shares_by_product(products, own, BAD_INPUT)

    async def order_charges(self, account: BrokerAccount, orders: Sequence[TradedLine]) -> list[Charges]:
        """The charges of these orders by kind, by calls of as many as one takes. Raises `BrokerError`."""
        found: list[Charges] = []
        for begins in range(0, len(orders), MOST_ASKED):
            part = [self._symbols.asked(order) for order in orders[begins : begins + MOST_ASKED]]
            ask = partial(KiteClient.order_charges, orders=charges_fields(part))
            found += charges_of(part, await self._reading.answer(account, CallKind.CHARGES, ask))
        return found

    # --- orders -------------------------------------------------------------------------------------------

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, once."""
        return await self._orders.place(account, self._symbols.asked(request))

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order, naming only what changes."""
        return await self._orders.modify(account, broker_order_id, change)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""
        return await self._orders.cancel(account, broker_order_id)

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert shares of a position, once."""
        return await self._orders.convert(account, self._symbols.asked(conversion))

    # --- market -------------------------------------------------------------------------------------------

    async def follow(
        self,
        accounts: Sequence[BrokerAccount],
        *,
        heard: Collection[BrokerAccount] | None = None,
        streamless: Collection[str] = (),
    ) -> None:
        """Take the feed from the first of these accounts that can bring it, and order updates from all.

        See `KiteFeed.follow`.
        """
        await self._feed.follow(accounts, heard=heard, streamless=streamless)

    @property
    def feed(self) -> BrokerAccount | None:
        """The account whose api key brings the prices; None where no one signed in has such a key."""
        return self._feed.feed

    def hears(self, account: BrokerAccount) -> bool:
        """Whether the account's order updates come by the stream now; else its books are read for them."""
        return self._stream.hears(account)

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many further reads of each of these accounts could have been made."""
        return self._reading.eta_s(accounts, calls)

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices of Kite's dump. Raises `BrokerError` for a damaged or cut one."""
        return await self._feed.instruments()

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now; unknown keys are missing. Raises `BrokerError`."""
        return await self._feed.quotes(keys)

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> Sequence[Bar]:
        """What an instrument traded at before now. Raises `BrokerError`, as where the key's plan has none."""
        return await self._feed.bars(key, span, since, until)

    def learn(self, otherwise: Iterable[BrokerListing], listings: Lister) -> None:
        """Take what Kite lists under another symbol than the desk's; `listings` is asked for tokens."""
        self._symbols.learn(otherwise)
        self._feed.learn(listings)

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries; what Kite does not list is left out.

        Raises `BrokerError`.
        """
        await self._feed.subscribe(keys)

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks and heartbeats of the feed, and order updates of the followed accounts."""
        return self._stream.events()
