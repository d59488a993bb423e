"""Upstox: the contract's calls for every client account, each by its own app and its own way out.

The engine gives a call ten seconds; what this adapter waits for ends before that, so its own, better-founded
word about a call comes first. Where the engine's time-out wins, its word is `Ambiguous`, and the call is
broken off.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

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
    KillSwitch,
    NotAsked,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    StreamEvent,
    Tick,
    TradedLine,
)
from brokers.meter import CallKind, CallMeter
from brokers.upstox.answers.account import addresses_of, kill_switches_of, profile_of
from brokers.upstox.answers.orders import order_of
from brokers.upstox.answers.rows import UpstoxRow
from brokers.upstox.books import UpstoxBooks
from brokers.upstox.calls import ADDRESSES, PROFILE, READ_WINDOWS, UpstoxCalls
from brokers.upstox.feed import UpstoxFeed
from brokers.upstox.listings import Lister, UpstoxListings
from brokers.upstox.orders import KILL_SWITCH, UpstoxOrders
from brokers.upstox.roots import UpstoxRoots
from brokers.upstox.sign_in import FORM
from brokers.upstox.streaming.sockets import Lines
from brokers.upstox.streaming.stream import HANDSHAKES, UpstoxStream
from brokers.wire.access import AccountAccess, follow_signed_in, users_own
from brokers.wire.calls import Call, CallWaits
from brokers.wire.hints import HintedReads
from brokers.wire.looks import OnlyLooks
from brokers.wire.outcomes import CallFailure, read_error
from brokers.wire.reading import Reading
from data.clock import Clock
from data.reference.instruments import Instrument
from data.reference.rates import Charges
from data.vocabulary import Product

CONVERSIONS = frozenset({(Product.MIS, Product.CNC), (Product.MTF, Product.CNC)})
"""From which product to which one a bought position may go (Upstox API documentation, convert positions)."""


class UpstoxBroker:
    """Implements `brokers.contract.Broker` for Upstox.

    `on_session_lost` is told on the event loop whose token Upstox turned away; forgetting the token is the
    caller's. `roots` lead to Upstox or to a stand-in on this machine. `algos` are the names of the apps that
    are registered as algos, by their api key; empty where it is not set.
    """

    def __init__(
        self,
        access: AccountAccess,
        roots: UpstoxRoots,
        clock: Clock,
        *,
        waits: CallWaits | None = None,
        rng: random.Random | None = None,
        algos: Mapping[str, str] | None = None,
        on_session_lost: Callable[[BrokerAccount], None] = lambda _: None,
    ) -> None:
        self._access = access
        self._clock = clock
        self._roots = roots
        self._waits = waits or CallWaits()
        self._calls = UpstoxCalls(access, roots, clock, self._waits, on_session_lost)
        self._reading = Reading(self._calls, clock, READ_WINDOWS)
        self._listings = UpstoxListings()
        self._orders = (
            OnlyLooks()
            if roots.looks_only
            else UpstoxOrders(self._calls, self._reading, self._listings, clock, algos or {})
        )
        lines = Lines(
            self._calls, self._reading, clock, rng or random.Random(0), asyncio.Semaphore(HANDSHAKES)
        )
        self._gaps = HintedReads(self._read_after_gap)
        self._stream = UpstoxStream(lines, self._streamed, self._gaps.hint)
        self._calls.on_answer = self._stream.answered
        self.market = UpstoxFeed(self._calls, self._reading, self._listings, self._stream, clock)
        self.stream_counts = self._stream.counts
        in_doubt = self._orders.in_doubt if isinstance(self._orders, UpstoxOrders) else {}
        self.books = UpstoxBooks(self._reading, self._listings, clock, in_doubt)
        self._following = asyncio.Lock()
        self._capabilities = Capabilities(
            tag_length=40,
            orders_per_second=8,
            orders_per_minute=490,
            orders_per_day=70_000,
            orders_per_half_hour=1_980,
            # Documented nowhere: what risk checks of other brokers take in one equity order.
            max_order_quantity=1_00_000,
            max_order_value_paise=10_00_00_000 * 100,
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
        return "upstox"

    @property
    def capabilities(self) -> Capabilities:
        """What Upstox can do and how fast it is driven: ten calls of orders a second, of which eight are."""
        return self._capabilities

    @property
    def meter(self) -> CallMeter:
        """What its calls took and became."""
        return self._calls.meter

    async def open(self) -> None:
        """Take up nothing: connections are made when calls come."""

    async def close(self) -> None:
        """End the stream, begin no more calls and wait for those that have begun."""
        self._gaps.close()
        await self._stream.close()
        await self._calls.close()

    # --- sessions -----------------------------------------------------------------------------------------

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in, every day after half past three in the morning."""
        asked = {
            "response_type": "code",
            "client_id": self._calls.route_of(account).api_key,
            "redirect_uri": self._roots.redirect,
            **({"state": state} if state else {}),
        }
        return f"{self._roots.rest}/v2/login/authorization/dialog?{urlencode(asked)}"

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Make a session of the code that the login page gave, and keep its token if it is this client's.

        Raises `BrokerError`: `other_user` where somebody else has signed in, `login_refused` where Upstox
        does not take the code, the api secret or the redirect address, `no_secret` where no secret is stored.
        """
        key = self._calls.route_of(account).api_key
        secret = await self._calls.ask_access(lambda: self._access.secret(key))
        if not secret:
            raise NotAsked(
                f"No api secret is stored for the api key {key} of {account.user_id}.", "no_secret"
            )
        form = {
            "code": request_token,
            "client_id": key,
            "client_secret": secret,
            "redirect_uri": self._roots.redirect,
            "grant_type": "authorization_code",
        }
        path = "/v2/login/authorization/token"
        call = Call(
            CallKind.SIGN_IN, "POST", path, form=form, bare=True, once=True, hidden=tuple(form.values())
        )
        answer = await self._calls.run(account, call, self._waits.read_s, signed_in=False)
        if isinstance(answer, CallFailure):
            if answer.status not in (400, 401, 403, 422):
                raise read_error(answer)
            words = (
                "Sign in again, since a code is good once, or correct the api secret; the app's redirect "
                f"address must be {self._roots.redirect}."
            )
            raise BrokerError(
                f"Upstox refused the sign-in of {account.user_id}: {answer.text} {words}", "login_refused"
            )
        profile = users_own(account, profile_of(answer))
        token = UpstoxRow("session", answer).get("access_token")
        if not isinstance(token, str) or not token:
            raise BrokerError("Upstox: session, access_token: missing", "bad_row")
        await self._calls.ask_access(lambda: self._access.keep_token(account, token))
        return profile

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `BrokerError` with code `other_user` for another client's token."""
        answer = await self._reading.answer(account, Call(CallKind.SIGN_IN, "GET", PROFILE))
        return users_own(account, profile_of(answer))

    async def registered_addresses(self, account: BrokerAccount) -> Sequence[str]:
        """The addresses by which Upstox takes this client's orders, by its own word."""
        answer = await self._reading.answer(account, Call(CallKind.SIGN_IN, "GET", ADDRESSES))
        return addresses_of(answer)

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
        """The client's own share of a buy at this price by product; None where Upstox refuses the product."""
        return await self.books.margins(account, instrument, price_paise, products)

    async def order_charges(self, account: BrokerAccount, orders: Sequence[TradedLine]) -> list[Charges]:
        """The charges of these orders by kind. Raises `BrokerError`."""
        return await self.books.order_charges(account, orders)

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

    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Convert shares of a position, once."""
        return await self._orders.convert(account, conversion)

    async def conditionals(self, account: BrokerAccount) -> BrokerRows[Conditional]:
        """The client's GTT orders that may still place one."""
        return await self.books.conditionals(account)

    async def delete_conditional(self, account: BrokerAccount, conditional: Conditional) -> Outcome:
        """Delete a GTT order."""
        return await self._orders.delete_conditional(account, conditional)

    async def kill_switches(self, account: BrokerAccount) -> Sequence[KillSwitch]:
        """Every segment of a client with its kill switch. Raises `BrokerError`."""
        call = Call(CallKind.KILL_SWITCH, "GET", KILL_SWITCH)
        return kill_switches_of(await self._reading.answer(account, call))

    async def set_kill_switch(self, account: BrokerAccount, segment: str) -> Outcome:
        """Bar the client's orders in a segment."""
        return await self._orders.set_kill_switch(account, segment)

    # --- market -------------------------------------------------------------------------------------------

    async def follow(
        self, accounts: Sequence[BrokerAccount], *, heard: Collection[BrokerAccount] | None = None
    ) -> None:
        """Take the feed from the first of these accounts that is signed in, and order updates from all.

        Where `heard` is given, order updates come of those accounts alone, and quotes are asked for.
        Called again after sign-ins; calls follow one another, and what is carried goes on.
        """
        async with self._following:
            self.market.account = await follow_signed_in(self._stream, accounts, heard, self._calls.session)

    @property
    def feed(self) -> BrokerAccount | None:
        """The account whose session brings the prices; None where no one is signed in."""
        return self.market.account

    def hears(self, account: BrokerAccount) -> bool:
        """Whether the account's order updates come by the stream now; else its books are read for them."""
        return self._stream.hears(account)

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """Seconds until so many further reads of each of these accounts could have been made."""
        return self._reading.eta_s(accounts, calls)

    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """NSE and BSE shares and indices of Upstox's file. Raises `BrokerError` for a damaged or cut one."""
        return await self.market.instruments()

    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now; unknown keys are missing. Raises `BrokerError`."""
        return await self.market.quotes(keys)

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> Sequence[Bar]:
        """What an instrument traded at before now. Raises `BrokerError`."""
        return await self.market.bars(key, span, since, until)

    def learn(self, by_key: Lister, by_token: Lister) -> None:
        """Ask the desk's own list from now on how Upstox lists its instruments."""
        self._listings.learn(by_key, by_token)

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the feed carries; what Upstox does not list is left out.

        Raises `BrokerError`.
        """
        await self.market.subscribe(keys)

    def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks and heartbeats of the feed, and order updates of the followed accounts."""
        return self._stream.events()

    def _streamed(self, fields: object, account: BrokerAccount) -> BrokerOrder | None:
        row = UpstoxRow("order update", fields)
        if not row.traded_here:
            return None
        return order_of(row, account.user_id, self._listings.key, self._clock.now())

    async def _read_after_gap(self, account: BrokerAccount) -> None:
        """Read the book of an account whose stream was lost, and tell it as updates."""
        for order in await self.orders(account):
            self._stream.tell(OrderUpdate(order))
