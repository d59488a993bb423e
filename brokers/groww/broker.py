"""Groww: the contract's calls for every client account, each by its own key and its own way out.

The engine gives a call ten seconds; what this adapter waits for ends before that, so its own, better-founded
word about a call comes first. Where the engine's time-out wins, its word is `Ambiguous`, and the call is
broken off.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime

from brokers.contract import (
    Bar,
    BarSpan,
    BrokerAccount,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerTrade,
    Capabilities,
    Conditional,
    InstrumentRow,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    StreamEvent,
    Tick,
)
from brokers.groww.answers.account import profile_of
from brokers.groww.books import GrowwBooks
from brokers.groww.calls import LIVE_WINDOWS, PROFILE, READ_WINDOWS, GrowwCalls
from brokers.groww.listings import GrowwListings, Lister
from brokers.groww.market import GrowwMarket
from brokers.groww.orders import GrowwOrders
from brokers.groww.roots import GrowwRoots
from brokers.groww.session import GrowwSignIn
from brokers.groww.sign_in import FORM
from brokers.groww.streaming.sockets import GrowwLines
from brokers.groww.streaming.stream import HANDSHAKES, GrowwStream
from brokers.meter import CallKind, CallMeter
from brokers.wire.access import AccountAccess, follow_signed_in, users_own
from brokers.wire.calls import Call, CallWaits
from brokers.wire.hints import HintedReads
from brokers.wire.looks import OnlyLooks
from brokers.wire.reading import Reading
from data.clock import Clock
from data.reference.instruments import BrokerListing, Instrument
from data.vocabulary import Product, Validity


class GrowwBroker:
    """Implements `brokers.contract.Broker` for Groww.

    `on_session_lost` is told on the event loop whose token Groww turned away; forgetting the token is the
    caller's. `roots` lead to Groww or to a stand-in on this machine.
    """

    def __init__(
        self,
        access: AccountAccess,
        roots: GrowwRoots,
        clock: Clock,
        *,
        waits: CallWaits | None = None,
        rng: random.Random | None = None,
        on_session_lost: Callable[[BrokerAccount], None] = lambda _: None,
    ) -> None:
        self._calls = GrowwCalls(access, roots, clock, waits or CallWaits(), on_session_lost)
        self._reading = Reading(self._calls, clock, READ_WINDOWS)
        self._sessions = GrowwSignIn(self._calls, access, clock)
        self._listings = GrowwListings()
        self._hints = HintedReads[tuple[BrokerAccount, str]](self._read_hint)
        lines = GrowwLines(
            self._calls, self._reading, clock, rng or random.Random(0), asyncio.Semaphore(HANDSHAKES)
        )
        self.feed_stream = GrowwStream(
            lines,
            lambda account, order_id: self._hints.hint((account, order_id)),
            lambda account: self._hints.hint((account, "")),
        )
        self._calls.on_answer = self.feed_stream.answered
        live = Reading(self._calls, clock, LIVE_WINDOWS)
        self.market = GrowwMarket(self._calls, live, self._reading, self._listings, self.feed_stream, clock)
        self.stream_counts = self.feed_stream.counts
        self._orders = (
            OnlyLooks()
            if roots.looks_only
            else GrowwOrders(self._calls, self._reading, self._listings, self.market, clock)
        )
        in_doubt = self._orders.in_doubt if isinstance(self._orders, GrowwOrders) else {}
        self.books = GrowwBooks(self._reading, self._listings, self.market, clock, in_doubt)
        self._following = asyncio.Lock()
        self._capabilities = Capabilities(
            tag_length=20,
            orders_per_second=8,
            orders_per_minute=240,
            # Documented nowhere: as many as its minutes let through in a session.
            orders_per_day=90_000,
            # As many as its minutes let through; that there are windows at all has them slide.
            orders_per_half_hour=7_200,
            # Documented nowhere: what risk checks of other brokers take in one equity order.
            max_order_quantity=1_00_000,
            max_order_value_paise=10_00_00_000 * 100,
            products=frozenset({Product.CNC, Product.MIS}),
            validities=frozenset({Validity.DAY}),
            sign_in=FORM,
            needs_route=True,
            history=True,
            simulated=roots.is_local,
        )

    @property
    def name(self) -> str:
        """The broker's word in client files."""
        return "groww"

    @property
    def capabilities(self) -> Capabilities:
        """What Groww can do and how fast it is driven: ten calls of orders a second, of which eight are."""
        return self._capabilities

    @property
    def meter(self) -> CallMeter:
        """What its calls took and became."""
        return self._calls.meter

    async def open(self) -> None:
        """Take up nothing: connections are made when calls come."""

    async def close(self) -> None:
        """End the stream, begin no more calls and wait for those that have begun."""
        self._hints.close()
        self.market.close()
        await self.feed_stream.close()
        await self._calls.close()

    # --- sessions -----------------------------------------------------------------------------------------

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client makes an access token itself; empty where its key's stored secret makes one."""
        return await self._sessions.page(account)

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Make a session by the stored secret, a code or an access token. Raises `BrokerError`."""
        return await self._sessions.sign_in(account, request_token)

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `BrokerError` with code `other_user` for another client's token."""
        answer = await self._reading.answer(account, Call(CallKind.SIGN_IN, "GET", PROFILE))
        return users_own(account, profile_of(answer, account))

    # --- account ------------------------------------------------------------------------------------------

    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money."""
        return await self.books.funds(account)

    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, today's included."""
        return await self.books.holdings(account)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book of today, in the exchanges and products that the desk trades."""
        return await self.books.orders(account)

    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills of today."""
        return await self.books.trades(account)

    async def margins(
        self, account: BrokerAccount, instrument: Instrument, price_paise: int, products: Collection[Product]
    ) -> Mapping[Product, int | None]:
        """The client's own share of a buy at this price by product; None where Groww does not offer it."""
        return await self.books.margins(account, instrument, price_paise, products)

    # --- orders -------------------------------------------------------------------------------------------

    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, once; none of an instrument whose tick is in doubt."""
        refused = await self.market.ticks.refusal(f"{request.exchange}:{request.tradingsymbol}")
        if refused is not None:
            return refused
        return await self._orders.place(account, request)

    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order."""
        return await self._orders.modify(account, broker_order_id, change)

    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""
        return await self._orders.cancel(account, broker_order_id)

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's smart orders that may still place one."""
        return await self.books.conditionals(account)

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Cancel a smart order."""
        return await self._orders.delete_conditional(account, conditional)

    # --- market -------------------------------------------------------------------------------------------

    async def follow(
        self, accounts: Sequence[BrokerAccount], *, heard: Collection[BrokerAccount] | None = None
    ) -> None:
        """Take the feed from the first of these accounts that is signed in, and order updates from all.

        Where `heard` is given, order updates come of those accounts alone, and quotes are asked for.
        Called again after sign-ins; calls follow one another, and what is carried goes on.
        """
        async with self._following:
            self.market.account = await follow_signed_in(
                self.feed_stream, accounts, heard, self._calls.session
            )

    @property
    def feed(self) -> BrokerAccount | None:
        """The account whose session brings the prices; None where no one is signed in."""
        return self.market.account

    def hears(self, account: BrokerAccount) -> bool:
        """Whether the account's order updates come by the stream now; else its books are read for them."""
        return self.feed_stream.hears(account)

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many further reads of each of these accounts could have been made."""
        return self._reading.eta_s(accounts, calls)

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices of Groww's file. Raises `BrokerError` for a damaged or cut one."""
        return await self.market.instruments()

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now; unknown keys are missing. Raises `BrokerError`."""
        return await self.market.quotes(keys)

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> Sequence[Bar]:
        """What an instrument traded at before now. Raises `BrokerError`."""
        return await self.market.bars(key, span, since, until)

    def learn(self, by_key: Lister, otherwise: Iterable[BrokerListing]) -> None:
        """Ask the desk's own list from now on how Groww lists its instruments."""
        self._listings.learn(by_key, otherwise)

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the feed carries; what Groww does not list is left out.

        Raises `BrokerError`.
        """
        await self.market.subscribe(keys)

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks and heartbeats of the feed, and order updates of the followed accounts."""
        return self.feed_stream.events()

    async def _read_hint(self, hint: tuple[BrokerAccount, str]) -> None:
        """Read an order that a message named, or the whole book, and tell it as updates."""
        account, order_id = hint
        if order_id:
            order = await self.books.order(account, order_id)
            found = [] if order is None else [order]
        else:
            found = list(await self.orders(account))
        for one in found:
            self.feed_stream.tell(OrderUpdate(one))
