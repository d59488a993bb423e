"""A broker that goes wrong on purpose: any simulated broker, with faults by chance and seed.

It loses, delays and spoils what is said; it makes up no trade and no money. What the broker inside holds is
the truth, so whoever reads that one knows everything.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import TypeVar

from brokers.contract import (
    Accepted,
    Ambiguous,
    Broker,
    BrokerAccount,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    BrokerStatus,
    BrokerTrade,
    Capabilities,
    Conversion,
    Converts,
    InstrumentRow,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    SessionExpired,
    StreamEvent,
    Tick,
    nothing_keeps_it_back,
)
from brokers.meter import CallKind, CallMeter
from brokers.simulators.faults.answers import (
    BEING_PROCESSED,
    CANCEL_AFTER_S,
    HTML,
    LATE_S,
    NO_ANSWER,
    NO_ID,
    NO_SESSION,
    ODD_AFTER_S,
    REJECT_AFTER_S,
    RISK_REFUSAL,
    SLOW_CANCEL_S,
    TIMEOUT_TEXT,
    TOO_MANY,
    TOO_MANY_CODE,
)
from brokers.simulators.faults.books import FaultyBooks
from brokers.simulators.faults.dice import FaultDice
from brokers.simulators.faults.later import Later
from brokers.simulators.faults.menu import Faults
from brokers.simulators.faults.metering import metered
from data.clock import Clock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderType, Side

T = TypeVar("T")


class FaultyBroker:
    """Implements `brokers.contract.Broker` around a simulated one. Raises `BadInput` around any other.

    `overfill(user_id, broker_order_id, quantity)` and `resurrect(user_id, broker_order_id)` do at the inner
    exchange what their names say; without them those faults never strike. `struck` counts what did.
    """

    def __init__(
        self,
        inner: Broker,
        clock: Clock,
        faults: Faults,
        dice: random.Random,
        *,
        overfill: Callable[[str, str, int], Outcome] | None = None,
        resurrect: Callable[[str, str], Outcome] | None = None,
    ) -> None:
        if not inner.capabilities.simulated:
            raise BadInput("faults", inner.name, "faults are rehearsed at a simulated broker only")
        self.inner = inner
        self.meter = CallMeter(clock.monotonic)
        self._clock = clock
        self._faults = faults
        self._dice = FaultDice(faults, dice)
        self.books = FaultyBooks(self._dice, clock, faults.clock_skew_s)
        self._overfill = overfill
        self._resurrect = resurrect
        self._deaf: dict[str, bool] = {}
        self._dead: set[str] = set()
        self._throttled: dict[str, float] = {}
        self._ended: set[tuple[str, str, BrokerStatus]] = set()
        self._to_reject: dict[str, BrokerAccount] = {}
        self._later = Later(clock)
        self._closing = asyncio.Event()

    @property
    def name(self) -> str:
        """The inner broker's word in client files."""
        return self.inner.name

    @property
    def capabilities(self) -> Capabilities:
        """What the inner broker can do."""
        return self.inner.capabilities

    @property
    def struck(self) -> Counter[str]:
        """How often each fault took effect."""
        return self._dice.struck

    def revive(self, user_id: str) -> None:
        """End the death of a client's session."""
        self._dead.discard(user_id)

    async def settle(self) -> None:
        """Wait until nothing is left that was to come late."""
        await self._later.drain()

    async def open(self) -> None:
        """Open the inner broker."""
        await self.inner.open()

    async def close(self) -> None:
        """Close the inner broker; what was to be placed late is not placed any more."""
        self._closing.set()
        await self._later.drop()
        for broker_order_id, account in self._to_reject.items():
            await self.inner.cancel(account, broker_order_id)
        await self.inner.close()

    # --- account ------------------------------------------------------------------------------------------

    def read_eta_s(self, accounts: Collection[BrokerAccount], calls: int) -> float:
        """As the broker inside."""
        return self.inner.read_eta_s(accounts, calls)

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        """Where the client signs in."""
        return await self.inner.login_url(account, state)

    @metered(CallKind.SIGN_IN)
    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        """Turn what the login returned into a session; a dead one lives again."""
        profile = await self.inner.exchange_token(account, request_token)
        self.revive(account.user_id)
        return profile

    @metered(CallKind.SIGN_IN)
    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        """Whose session this is. Raises `SessionExpired`."""
        return await self._read(account, partial(self.inner.profile, account))

    @metered(CallKind.FUNDS)
    async def funds(self, account: BrokerAccount) -> BrokerFunds:
        """The client's money, as it truly is."""
        return await self._read(account, partial(self.inner.funds, account))

    @metered(CallKind.HOLDINGS)
    async def holdings(self, account: BrokerAccount) -> BrokerRows[BrokerHolding]:
        """The client's shares, as they truly are."""
        return await self._read(account, partial(self.inner.holdings, account))

    @metered(CallKind.ORDERS)
    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        """The client's order book, perhaps without its newest rows."""
        await self._admit(account.user_id)
        fault = self._dice.pick("book", account.user_id)
        self._fail_if(fault)
        rows = await self.inner.orders(account)
        for row in rows:
            self._notice(account, row)
        return replace(rows, taken=tuple(self.books.orders(account.user_id, rows, fault)))

    @metered(CallKind.TRADES)
    async def trades(self, account: BrokerAccount) -> BrokerRows[BrokerTrade]:
        """The client's fills, perhaps not yet the newest."""
        trades = await self._read(account, partial(self.inner.trades, account))
        return replace(trades, taken=self.books.trades(account.user_id, trades))

    async def _read(self, account: BrokerAccount, call: Callable[[], Awaitable[T]]) -> T:
        await self._admit(account.user_id)
        self._fail_if(self._dice.pick("read", account.user_id))
        return await call()

    def _fail_if(self, fault: str | None) -> None:
        if fault == "failed_read":
            self._dice.strike(fault)
            raise BrokerError("Something went wrong. Please try again later.", "GeneralException")

    # --- orders -------------------------------------------------------------------------------------------

    @metered(CallKind.PLACE)
    async def place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Send one order, and end the call as the dice say."""
        if kept_back := request.last_look():
            return NotSent(kept_back)
        if (stopped := await self._turned_away(account.user_id)) is not None:
            return stopped
        request = replace(request, last_look=nothing_keeps_it_back)  # it has left; what follows is the way
        fault = self._dice.pick("placing", account.user_id)
        if fault is None:
            return await self._place(account, request)
        if fault == "exchange_reject":
            return await self._place_to_reject(account, request)
        self._dice.strike(fault)
        match fault:
            case "refused":
                return RISK_REFUSAL
            case "never_placed":
                return NO_ANSWER
            case "late_8s" | "late_90s":
                self._later.after(LATE_S[fault], partial(self._place, account, request))
                return NO_ANSWER
            case "html" if self._dice.draw("html placed", account.user_id) >= 0.5:
                return HTML
            case _:
                # The caller may give up waiting; the order is placed all the same.
                outcome = await asyncio.shield(self._later.own(self._place(account, request)))
        if fault == "late_answer":
            await self._clock.sleep(self._faults.late_answer_s)
            return outcome
        return {"timeout_text": TIMEOUT_TEXT, "html": HTML, "empty_id": NO_ID}.get(fault, NO_ANSWER)

    @metered(CallKind.MODIFY)
    async def modify(self, account: BrokerAccount, broker_order_id: str, change: OrderChange) -> Outcome:
        """Ask for a change of a live order."""
        if kept_back := change.last_look():
            return NotSent(kept_back)
        stopped = await self._turned_away(account.user_id)
        change = replace(change, last_look=nothing_keeps_it_back)  # it has left; what follows is the way
        return stopped or await self.inner.modify(account, broker_order_id, change)

    @metered(CallKind.CANCEL)
    async def cancel(self, account: BrokerAccount, broker_order_id: str) -> Outcome:
        """Ask for a live order to be cancelled."""
        if (stopped := await self._turned_away(account.user_id)) is not None:
            return stopped
        call = partial(self.inner.cancel, account, broker_order_id)
        fault = self._dice.pick("cancelling", account.user_id)
        if fault is None:
            return await call()
        self._dice.strike(fault)
        match fault:
            case "cancel_lost":
                return NO_ANSWER
            case "cancel_refused_then_done":
                self._later.after(CANCEL_AFTER_S, call)
                return BEING_PROCESSED
            case _:
                return await asyncio.shield(self._later.after(SLOW_CANCEL_S, call))

    @metered(CallKind.CONVERT)
    async def convert(self, account: BrokerAccount, conversion: Conversion) -> Outcome:
        """Ask for shares to go on in another product."""
        if kept_back := conversion.last_look():
            return NotSent(kept_back)
        if (stopped := await self._turned_away(account.user_id)) is not None:
            return stopped
        assert isinstance(self.inner, Converts), "its capabilities say so"
        return await self.inner.convert(account, replace(conversion, last_look=nothing_keeps_it_back))

    async def _place(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        self.books.note_placing(account.user_id, request.tag)
        outcome = await self.inner.place(account, request)
        if isinstance(outcome, Accepted):
            self.books.note_placing(account.user_id, outcome.broker_order_id)
        return outcome

    async def _place_to_reject(self, account: BrokerAccount, request: OrderRequest) -> Outcome:
        """Place it where it cannot trade, and take it out again in a moment."""
        key = f"{request.exchange}:{request.tradingsymbol}"
        try:
            tick = (await self.inner.quotes([key])).get(key)
        except BrokerError:
            tick = None
        if tick is None:
            return await self._place(account, request)
        away = tick.lower_circuit_paise if request.side is Side.BUY else tick.upper_circuit_paise
        unfillable = replace(
            request, order_type=OrderType.LIMIT, price_paise=away, trigger_paise=None, protection_bps=None
        )
        self.books.show_as_rejected(account.user_id, request.tag, request)
        outcome = await self._place(account, unfillable)
        self.books.show_as_it_is(account.user_id, request.tag)
        if isinstance(outcome, Accepted):
            self._dice.strike("exchange_reject")
            self.books.show_as_rejected(account.user_id, outcome.broker_order_id, request)
            self._to_reject[outcome.broker_order_id] = account
            self._later.after(REJECT_AFTER_S, partial(self._reject, account, outcome.broker_order_id))
        return outcome

    async def _reject(self, account: BrokerAccount, broker_order_id: str) -> None:
        while isinstance(await self.inner.cancel(account, broker_order_id), NotSent | Ambiguous):
            await self._clock.sleep(REJECT_AFTER_S)
        del self._to_reject[broker_order_id]

    # --- market -------------------------------------------------------------------------------------------

    @metered(CallKind.INSTRUMENTS)
    async def instruments(self) -> BrokerRows[InstrumentRow]:
        """The instruments dump."""
        return await self.inner.instruments()

    @metered(CallKind.QUOTES)
    async def quotes(self, keys: Collection[str]) -> Mapping[str, Tick]:
        """The market now."""
        return await self.inner.quotes(keys)

    async def subscribe(self, keys: Collection[str]) -> None:
        """Replace the set of instruments the stream carries."""
        await self.inner.subscribe(keys)

    async def stream(self) -> AsyncIterator[StreamEvent]:
        """Ticks and heartbeats as they are, order updates as the dice say."""
        inner = self.inner.stream()
        try:
            async for event in inner:
                if not isinstance(event, OrderUpdate):
                    yield event
                    continue
                row = event.order
                self._notice(BrokerAccount(0, row.user_id), row)
                for update in self.books.updates(event):
                    yield update
        finally:
            if isinstance(inner, AsyncGenerator):
                await inner.aclose()

    # --- whole clients, and what happens later ------------------------------------------------------------

    async def _turned_away(self, user_id: str) -> Outcome | None:
        """How a write ends that never gets to the broker; none where it may go on."""
        try:
            await self._admit(user_id)
        except SessionExpired:
            return NO_SESSION
        except BrokerError as stopped:
            return TOO_MANY if stopped.code == TOO_MANY_CODE else Ambiguous(str(stopped))
        return None

    async def _admit(self, user_id: str) -> None:
        """Let a client's call pass, or keep it for ever, or raise what its answer says."""
        if user_id not in self._deaf:
            named = user_id in self._faults.deaf_clients
            self._deaf[user_id] = self._dice.chance("deaf", user_id) or named
        if self._deaf[user_id]:
            self._dice.strike("deaf")
            await self._closing.wait()
            raise BrokerError("The connection was closed.")
        fault = self._dice.pick("call", user_id)
        now = self._clock.monotonic()
        if fault == "session_death" and user_id not in self._dead:
            self._dice.strike(fault)
            self._dead.add(user_id)
        elif fault == "throttle" and self._throttled.get(user_id, 0.0) <= now:
            self._dice.strike(fault)
            self._throttled[user_id] = now + self._faults.throttle_s
        if user_id in self._dead:
            raise SessionExpired(NO_SESSION.message, NO_SESSION.code)
        if self._throttled.get(user_id, 0.0) > now:
            raise BrokerError(TOO_MANY.why, TOO_MANY_CODE)

    def _notice(self, account: BrokerAccount, row: BrokerOrder) -> None:
        """At the first sight of an end of an order placed here, decide whether it stays that way."""
        if row.status not in (BrokerStatus.COMPLETE, BrokerStatus.CANCELLED):
            return
        sight = (account.user_id, row.broker_order_id, row.status)
        if sight in self._ended or not self.books.was_placed_here(row):
            return
        self._ended.add(sight)
        odd: Callable[[], Outcome]
        if row.status is BrokerStatus.COMPLETE and self._overfill is not None:
            fault, odd = "overfill", partial(self._overfill, account.user_id, row.broker_order_id, 1)
        elif self.books.order(row).status is BrokerStatus.CANCELLED and self._resurrect is not None:
            fault, odd = "resurrect", partial(self._resurrect, account.user_id, row.broker_order_id)
        else:
            return
        if self._dice.chance(fault, account.user_id):
            self._later.after(ODD_AFTER_S, partial(self._odd, fault, odd))

    async def _odd(self, fault: str, odd: Callable[[], Outcome]) -> None:
        if isinstance(odd(), Accepted):
            self._dice.strike(fault)
