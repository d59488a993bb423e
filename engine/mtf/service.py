"""Clients on margin: their ladders by the prices of now, their pledges, and what to be warned of."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import BPS
from data.reference.mtf import MtfTerms, interest_a_day, mtf_terms
from data.reference.rates import estimate
from data.repositories.accounts.lent import capital_brought, lent_on
from data.repositories.mtf import AcceptedPledge, FreshShares, keep_pledge, read_pledges
from data.store import Unit
from data.vocabulary import Demat, MtfLevel, MtfWarningKind, Product, Side
from engine.book.kept import Kept
from engine.book.views import FundsView, HoldingView
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.mtf.actions import CorporateActions
from engine.mtf.ladder import (
    FundedStock,
    MarginAccount,
    Rung,
    Threshold,
    alone,
    is_reached,
    nearest,
    pay_in,
    rungs_of,
    shares_to_sell,
    threshold_of,
)
from engine.mtf.lists import MtfLists
from engine.mtf.pledges import PledgeView, queue_of
from engine.mtf.views import MtfStock, MtfView, Restoring, ToSell
from engine.mtf.warnings import MtfWarning, of_actions, of_count, of_ladder, of_list, of_pledges
from engine.rules import Rules
from engine.timing import Timing

FLOOR = Threshold(MtfLevel.FLOOR, None, 7_000, source="70 % of the capital that the client came with")
"""The desk's own threshold, which stands before any broker's."""


class Mtf:
    """What is lent to clients on their shares, what it costs, and how far they are from a call.

    `read` brings in what only the books know; everything else is asked at the prices of now.
    """

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rules: Rules,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._most_stocks = rules.mtf_most_stocks
        self._engine = engine
        self._market_data = venues.market_data
        self.lists = MtfLists(kept, timing, engine, venues)
        self.actions = CorporateActions(kept, timing, engine, venues.market_data)
        self._loans: dict[int, dict[str, int]] = {}
        self._bases: dict[int, int] = {}
        self._fresh: list[FreshShares] = []
        self._accepted: list[AcceptedPledge] = []

    async def read(self) -> None:
        """Know what the books have of loans, pledges, lists, and of the capital that clients came with."""
        clients = self._clients()
        async with self._kept.store.reader() as reader:
            loans = await lent_on(reader, clients)
            self._bases = await capital_brought(reader, clients)
            self._fresh, self._accepted = await read_pledges(reader, clients)
        found: dict[int, dict[str, int]] = defaultdict(dict)
        for one in loans:
            found[one.client_id][one.security] = one.loan_paise
        self._loans = dict(found)
        await self.lists.read()
        await self.actions.read()

    def _clients(self) -> list[int]:
        """The clients with shares on margin or a loan, in the order of the roster."""
        book = self._kept.book
        return [client.id for client in book.open_clients() if self._is_on_margin(client.id)]

    def _is_on_margin(self, client_id: int) -> bool:
        book = self._kept.book
        funds = book.funds.get(client_id)
        return bool(funds and funds.mtf_loan_paise) or bool(self._held(client_id))

    def _held(self, client_id: int) -> list[HoldingView]:
        held = self._kept.book.holdings.get(client_id, ())
        return [one for one in held if one.product is Product.MTF and one.quantity]

    def all(self) -> list[MtfView]:
        """Every client on margin, the nearest to a threshold first, those without a ladder last."""
        return by_nearness(self.of(client_id) for client_id in self._clients())

    def of(self, client_id: int) -> MtfView:
        """One client's loan, its cost and its ladder by the prices of now."""
        book, day = self._kept.book, self._timing.market.trading_day
        client = book.clients[client_id]
        funds = book.funds.get(client_id) or FundsView(client_id)
        terms = self._terms(client_id, day)
        account, unpriced = self._account_of(client_id)
        thresholds = self._thresholds_of(client_id)
        rungs = [] if unpriced else rungs_of(account, thresholds)
        near = nearest(rungs)
        held = {one.key: one for one in self._held(client_id)}
        return MtfView(
            client_id=client_id,
            broker=client.broker,
            limit_paise=funds.mtf_limit_paise,
            loan_paise=funds.mtf_loan_paise,
            reserved_paise=funds.mtf_reserved_paise,
            cost_paise=account.cost_paise,
            value_paise=account.value_paise,
            cash_paise=account.cash_paise,
            portfolio_paise=account.portfolio_paise,
            base_paise=self._bases.get(client_id),
            interest_a_day_paise=interest_a_day(client.broker, day, funds.mtf_loan_paise),
            terms_of=terms.effective_from,
            list_of=None if (listed := self.lists.of(client.broker)) is None else listed.as_of,
            list_stale=self.lists.is_stale(client.broker),
            rungs=tuple(rungs),
            nearest=near,
            stocks=tuple(self._stock(held[one.key], one, account, near) for one in account.stocks),
            unpriced=unpriced,
        )

    def _thresholds_of(self, client_id: int) -> list[Threshold]:
        """What a client is held against: the desk's floor where its capital is known, its broker's rules."""
        terms = self._terms(client_id, self._timing.market.trading_day)
        floor = [FLOOR] if client_id in self._bases else []
        return [*floor, *map(threshold_of, terms.rules)]

    def _account_of(self, client_id: int) -> tuple[MarginAccount, bool]:
        """What bears on a client's shares on margin; whether one has no price, so that it counts at cost."""
        book = self._kept.book
        funds, held = book.funds.get(client_id) or FundsView(client_id), self._held(client_id)
        loans = self._shared(client_id, held, funds.mtf_loan_paise)
        priced = [self._last(one) for one in held]
        stocks = tuple(
            FundedStock(
                one.key,
                one.quantity,
                one.average_paise if last is None else last,
                one.cost_paise,
                loans[one.security],
            )
            for one, last in zip(held, priced, strict=True)
        )
        others = sum(
            one.cost_paise if (last := self._last(one)) is None else one.quantity * last
            for one in book.holdings.get(client_id, ())
            if one.product is not Product.MTF
        )
        cash = funds.available_paise - funds.charges_due_paise - funds.shortfall_paise
        rest = others + funds.blocked_paise + funds.unsettled_paise - funds.intraday_loan_paise
        base = self._bases.get(client_id, 0)
        return MarginAccount(stocks, funds.mtf_loan_paise, cash, rest, base), None in priced

    # --- pledges, warnings, what restores -------------------------------------------------------------------

    def pledges(self) -> list[PledgeView]:
        """What has to be pledged of what was bought on margin, those to be accepted first."""
        book = self._kept.book

        def demat_of(client_id: int) -> Demat:
            route = book.access.routes.get(client_id)
            return Demat.UNKNOWN if route is None else route.demat

        fresh = [one for one in self._fresh if one.client_id in book.clients]
        now = self._timing.market.now()
        return queue_of(fresh, self._accepted, self._terms, demat_of, now)

    def to_accept(self, client_id: int, symbol: str = "") -> list[PledgeView]:
        """A client's pledges that wait, of one symbol or all. Raises `BadInput` where none does."""
        waits = [one for one in self.pledges() if one.client_id == client_id and one.open]
        found = [one for one in waits if symbol in ("", one.tradingsymbol)]
        if not found:
            there = ", ".join(one.tradingsymbol for one in waits)
            words = f"give {there}" if there else "no pledge of the client's waits"
            raise BadInput("pledge", symbol or "all", words)
        return found

    async def accept_pledge(self, pledge: PledgeView, note: str) -> None:
        """Note that a client has accepted a pledge, where no broker tells it; with how one knows that."""
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> None:
            made = AcceptedPledge(
                pledge.client_id, pledge.security, pledge.bought_on, pledge.quantity, unit.now, actor, note
            )
            keep_pledge(unit, made)
            details = {
                "symbol": pledge.tradingsymbol,
                "bought_on": pledge.bought_on.isoformat(),
                "quantity": pledge.quantity,
                "note": note,
            }
            client_id = pledge.client_id
            unit.audit(
                AuditEntry(AuditAction.MTF_PLEDGE_ACCEPTED, actor, client_id=client_id, details=details)
            )

        await self._engine.write_signed_on(unit_of_work)
        await self.read()

    def warnings(self) -> list[MtfWarning]:
        """What a trader is warned of, by kind, the nearest client first."""
        until, found = self._timing.next_day, list[MtfWarning]()
        actions = self.actions.all()
        for view in self.all():
            terms = self._terms(view.client_id, self._timing.market.trading_day)
            found += of_ladder(view)
            found += of_count(view, self._most_stocks)
            found += of_list(view, terms, self.lists.stock)
            found += of_actions(view, terms, actions, until)
        found += of_pledges(self.pledges())
        order = list(MtfWarningKind)
        return sorted(found, key=lambda one: order.index(one.kind))

    def restoring(self, client_id: int) -> list[Restoring]:
        """What would take a client off each threshold that is reached: so much paid in, or shares sold."""
        account, unpriced = self._account_of(client_id)
        if unpriced:
            return []
        reached = [one for one in self._thresholds_of(client_id) if is_reached(one, account)]
        charged = partial(self._charged, self._kept.book.clients[client_id].broker)
        return [
            Restoring(
                one,
                pay_in(one, account),
                tuple(
                    ToSell(stock.key, shares_to_sell(one, account, stock.key, charged))
                    for stock in account.stocks
                ),
            )
            for one in reached
        ]

    def _charged(self, broker: str, stock: FundedStock, quantity: int) -> int:
        worth = quantity * stock.last_paise
        exchange, day = stock.key.partition(":")[0], self._timing.market.trading_day
        return estimate(day, broker, exchange, Product.MTF, Side.SELL, worth, demat_sale=True).total_paise

    def _terms(self, client_id: int, day: date) -> MtfTerms:
        return mtf_terms(self._kept.book.clients[client_id].broker, day)

    def _last(self, holding: HoldingView) -> int | None:
        quote = self._market_data.quotes.quote(holding.key)
        return None if quote is None or quote.last_paise <= 0 else quote.last_paise

    def _shared(self, client_id: int, held: Sequence[HoldingView], loan_paise: int) -> dict[str, int]:
        """The loan by security; by cost where the lots that were read last do not add up to it."""
        known = self._loans.get(client_id, {})
        loans = {one.security: known.get(one.security, 0) for one in held}
        cost = sum(one.cost_paise for one in held)
        if sum(loans.values()) == loan_paise or cost <= 0:
            return loans
        left = loan_paise
        for one in held:
            part = left * one.cost_paise // cost
            loans[one.security], left, cost = part, left - part, cost - one.cost_paise
        return loans

    def _stock(
        self, holding: HoldingView, stock: FundedStock, account: MarginAccount, near: Rung | None
    ) -> MtfStock:
        instrument = self._market_data.index.get(holding.key)
        broker = self._kept.book.clients[holding.client_id].broker
        listed, lends = self.lists.stock(broker, holding.key), self.lists.lends_on(broker, holding.key)
        margin = None if instrument is None or not lends else instrument.margin_bps(Product.MTF)
        if lends and listed is not None:
            margin = listed.margin_bps
        return MtfStock(
            security=holding.security,
            key=holding.key,
            tradingsymbol=holding.tradingsymbol,
            quantity=stock.quantity,
            cost_paise=stock.cost_paise,
            loan_paise=stock.loan_paise,
            last_paise=self._last(holding),
            margin_bps=margin,
            alone=None if near is None else alone(stock, near.threshold, account),
        )


def by_nearness(found: Iterable[MtfView]) -> list[MtfView]:
    """Clients on margin, the nearest to a threshold first, those without a ladder last."""

    def place(one: MtfView) -> tuple[bool, int]:
        near = one.nearest
        return near is None, BPS if near is None or near.fall_bps is None else near.fall_bps

    return sorted(found, key=place)
