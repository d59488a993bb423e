"""A desk whose broker asks for a sign-in: the paper exchange behind an adapter that knows sessions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from brokers.connection import Connection
from brokers.contract import (
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    BrokerProfile,
    BrokerRows,
    Capabilities,
    SessionExpired,
)
from brokers.kite.sign_in import FORM
from brokers.paper.broker import CAPABILITIES, PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening
from data.clock import ManualClock
from data.records import replace
from data.reference.phases import load_calendar
from data.reference.seed import universe
from data.vocabulary import ClientStatus, ConnectionKind, DeskKind
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from engine.rules import Rules, Waits
from engine.startup import opened
from tests.books import books_of, empty_books
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.settings import Settings

START = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
"""09:15 IST of the demonstration's day."""


SIGNING = replace(CAPABILITIES, sign_in=FORM, needs_route=True)


class SigningBroker(PaperBroker):
    """The paper exchange, taking calls only of users who signed in. Request token `for-U1` is U1's."""

    def __init__(self, exchange: PaperExchange, clock: ManualClock) -> None:
        super().__init__(exchange, clock, latency=(0.0, 0.0))
        self.users: dict[str, str] = {}
        self.exchanged: list[str] = []
        self.trouble = ""
        self.form = FORM
        self.session_ends: datetime | None = None
        self.strict = False
        self.fails: BrokerError | None = None

    @property
    def name(self) -> str:
        return "zerodha"

    @property
    def capabilities(self) -> Capabilities:
        return replace(SIGNING, sign_in=self.form)

    async def login_url(self, account: BrokerAccount, state: str = "") -> str:
        return f"https://broker.example/login?user={account.user_id}"

    async def exchange_token(self, account: BrokerAccount, request_token: str) -> BrokerProfile:
        self.exchanged.append(request_token)
        if self.fails is not None:
            raise self.fails
        if not request_token.startswith("for-"):
            raise BrokerError(f"Token {request_token} is invalid or has expired.")
        user = request_token.removeprefix("for-")
        if self.strict and user != account.user_id:
            raise BrokerError(f"{user} has signed in, not {account.user_id}.", "other_user")
        self.users[account.user_id] = user
        return await self.profile(account)

    async def profile(self, account: BrokerAccount) -> BrokerProfile:
        if self.trouble:
            raise BrokerError(self.trouble)
        user = self.users.get(account.user_id)
        if user is None:
            raise SessionExpired("Incorrect `api_key` or `access_token`.")
        return BrokerProfile(user, f"Name of {user}", "zerodha", session_ends=self.session_ends)

    async def orders(self, account: BrokerAccount) -> BrokerRows[BrokerOrder]:
        if account.user_id not in self.users:
            raise SessionExpired("Incorrect `api_key` or `access_token`.")
        return await super().orders(account)


@asynccontextmanager
async def signing_desk(
    home: Path,
    *codes: str,
    kind: DeskKind = DeskKind.COMMAND,
    clock: ManualClock | None = None,
    venue: ConnectionKind = ConnectionKind.SIM,
    rules: Rules | None = None,
) -> AsyncIterator[tuple[Desk, SigningBroker]]:
    """A desk with a client for each code, at Zerodha, none of them signed in; C1 is user U1 there."""
    clock = clock or ManualClock(START)
    empty_books(home)
    calendar = load_calendar()
    exchange = PaperExchange(None, clock, calendar)
    exchange.list_instruments(universe())
    broker = SigningBroker(exchange, clock)
    base = Foundation(
        home,
        books_of(home),
        Settings(trader="tester"),
        clock,
        calendar,
        rules or Rules(),
        Waits(),
        Random(7),
    )
    connection = Connection("kite", venue, broker)
    desk = base.desk(kind, clock, [connection])
    try:
        async with opened(desk):
            await desk.market.store_instruments([row.instrument for row in universe()], "test")
            if codes and not desk.clients.all():
                await desk.clients.add([_client(code) for code in codes])
            exchange.open_accounts(
                AccountOpening(
                    c.broker_user_id, desk.funds.of(c.id).available_paise, c.mtf_limit_paise, 0, c.broker
                )
                for c in desk.clients.all()
            )
            yield desk, broker
    finally:
        exchange.close()


def _client(code: str) -> NewClient:
    user = code.replace("C", "U")
    return NewClient(code, f"Client {code}", "zerodha", user, ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
