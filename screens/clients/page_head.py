"""The lines at the head of a client's page: who it is, how the day went, what money there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from textual.content import Content

from data.clock import IST
from data.repositories.accounts.statement import Contributed
from data.vocabulary import ClientStatus, Reason
from engine.accounts.statement import standing
from engine.words import formats
from engine.words.breaks import break_words
from engine.words.formats import MASK
from engine.words.gate import gate_sentence
from engine.words.trading.client_terms import from_words, pause_words
from engine.words.trading.guards import guard_words
from engine.words.trading.orders import order_price, state_words
from screens.clients.gate_rows import broker_words
from screens.desk.rows import aged, direction, known_pnl, stale_words
from screens.frame.strip import day_words
from screens.frame.times import market_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.accounts.holdings import HoldView
    from engine.accounts.statement import AccountStanding
    from engine.book.views import ClientView
    from engine.desk import Desk

COLOURS = {"up": "$pnl-up", "down": "$pnl-down", "stale": "$stale", None: ""}
"""Colours of a gain and a loss outside grids; the sign says the same."""

SHOWN_BREAKS = 3
"""Differences named one by one on the page; the rest is counted."""


def break_lines(desk: Desk, client_id: int, masked: bool) -> list[str]:
    """A line a difference between our books and the broker's, and what answers them; none without any."""
    found = desk.reconcile.breaks(client_id)
    lines = [
        f" BOOKS DIFFER {MASK if masked else break_words(one)}, since {market_time(desk, one.opened_at)}"
        for one in found[:SHOWN_BREAKS]
    ]
    if lines:
        more = len(found) - SHOWN_BREAKS
        rest = f"{more} more differ; " if more > 0 else ""
        lines.append(f" {rest}this client may only sell · v takes the broker's figures")
    return lines


def hold_lines(desk: Desk, holds: Sequence[HoldView], masked: bool) -> list[str]:
    """A line a hold: how much is kept from trading, what for, since when."""
    lines: list[str] = []
    for hold in holds:
        at = desk.shown_at(hold.opened_at)
        why = f"{hold.kind}: {hold.reason}" if hold.reason and hold.reason != hold.kind else hold.kind
        # A stamp of wall time may lie ahead of a simulated market, where it would tell nothing.
        since = f", since {day_words(at)}" if at <= desk.market.now() else ""
        lines.append(f" held {MASK if masked else formats.rupees(hold.amount_paise)} for {why}{since}")
    return lines


def orders_line(desk: Desk, client_id: int) -> Content:
    """How many orders today, and the newest live one in words."""
    orders = desk.orders.all(client_id=client_id, today=True)
    live = [order for order in orders if order.live]
    words = f" orders today {len(orders)}, live {len(live)}"
    if not orders:
        return Content(words)
    order = (live or orders)[0]
    return Content(
        f"{words}: {market_time(desk, order.created_at)[:5]} {order.side.value} {order.tradingsymbol} "
        f"{formats.quantity(order.quantity)} {order_price(order)} {state_words(order)}"
    )


class PageHead(Struct, frozen=True):
    """A client's figures in words; `masked` hides who it is and how much, `brief` fits a narrow screen."""

    desk: Desk
    client: ClientView
    masked: bool
    brief: bool

    def _rupees(self, paise: int | None, *, sign: bool = False) -> str:
        if self.masked:
            return MASK
        return formats.signed(paise) if sign else formats.rupees(paise)

    def _short(self, paise: int) -> str:
        return MASK if self.masked else formats.short(paise)

    def who(self) -> str:
        """Whose page it is."""
        return f"{self.client.code} {MASK if self.masked else self.client.name}"

    def facts(self) -> list[str]:
        """Whether it may trade, when its books were compared, and what else is known of it."""
        at = self.desk.reconcile.compared_at(self.client.id)
        compared = "" if at is None else f"compared {market_time(self.desk, at)[:5]}"
        gate = gate_sentence(self.desk.reconcile.readiness(self.client.id))
        if self.client.status is not ClientStatus.ACTIVE and self.client.status_reason:
            gate += f" ({self.client.status_reason})"
        if self.client.paused:
            gate = pause_words(self.client)
        groups = ", ".join(self.client.groups)
        phone = "" if self.masked else self.client.phone
        guards = [guard_words(one, self.masked) for one in self.desk.guards.of(self.client.id)]
        facts = [gate, *guards, compared, phone, broker_words(self.desk, self.client)]
        if not self.brief:
            session = (
                "" if self.client.gate is Reason.SESSION_EXPIRED else f"session {self.client.session.value}"
            )
            facts += [session, f"route {self.client.route}", groups]
        return facts

    def day(self) -> Content:
        """What the day has brought so far."""
        value = self.desk.valuation.client(self.client.id)
        net, gross, opened = (
            known_pnl(self.desk, (self.client.id,), paise)
            for paise in (value.net_day_pnl_paise, value.day_pnl_paise, value.unrealised_paise)
        )
        held = self.desk.valuation.keys_of((self.client.id,))
        percent = ""
        if value.net_day_bps is not None and net is not None:
            of = "" if self.brief else f" of opening {self._short(value.opening_paise)}"
            percent = f" ({formats.signed_percent(value.net_day_bps)} %{of})"
        style = aged(self.desk, held, direction(net))
        interest = value.interest_today_paise
        lent = f" · interest {self._rupees(interest)}" if interest else ""
        if value.dividends_today_paise:
            lent += f" · dividends {self._rupees(value.dividends_today_paise)}"
        realised = "" if self.brief else f" · realised {self._rupees(value.realised_today_paise, sign=True)}"
        return Content.assemble(
            " day net ",
            (f"{self._rupees(net, sign=True)}{percent}", f"{COLOURS[style]} bold"),
            f" · gross {self._rupees(gross, sign=True)}"
            f" · charges {self._rupees(value.charges_today_paise)}{lent}{realised}"
            f" · open {self._rupees(opened, sign=True)}{stale_words(self.desk, held)}",
        )

    def capital(self) -> str:
        """What percentages of capital are sized on, and since when; and what counts from the next day on."""
        client = self.client
        later = client.next_capital_paise != client.capital_paise
        when = from_words(self.desk.next_trading_day)
        then = f", {self._short(client.next_capital_paise)} {when}" if later else ""
        return f"{self._capital()}{then}"

    def _capital(self) -> str:
        day = self.desk.market.now().astimezone(IST)
        return f"capital {self._short(self.client.capital_paise)} of {day:%d %b}"

    def total(self, brought: Contributed) -> Content:
        """What all there was has brought, charges taken off, and what of it is realised."""
        stands = self._standing(brought)
        total = known_pnl(self.desk, (self.client.id,), stands.total_net_paise)
        capital = self.capital()  # a narrow title has no room for it
        percent = ""
        if total is not None and stands.total_bps is not None:
            percent = f" ({formats.signed_percent(stands.total_bps)} % of {capital})"
        style = aged(self.desk, self.desk.valuation.keys_of((self.client.id,)), direction(total))
        return Content.assemble(
            " total net ",
            (f"{self._rupees(total, sign=True)}{percent}", f"{COLOURS[style]} bold"),
            f" · realised net {self._rupees(stands.realised_net_paise, sign=True)}",
        )

    def _standing(self, brought: Contributed) -> AccountStanding:
        value = self.desk.valuation.client(self.client.id)
        return standing(self.client, self.desk.funds.of(self.client.id), value, brought)

    def money(self) -> Content:
        """What the portfolio is made of, and what of the cash is blocked, which stands first if `brief`."""
        funds = self.desk.funds.of(self.client.id)
        value = self.desk.valuation.client(self.client.id)
        stands = self._standing(Contributed())
        parts = [f"cash {self._rupees(stands.cash_paise)}", f"shares {self._rupees(stands.shares_paise)}"]
        made = f"portfolio {self._rupees(value.portfolio_paise)} = {' + '.join(parts)}"
        if stands.loans_paise:
            made += f" − lent {self._rupees(stands.loans_paise)}"
        held = f" (held {self._rupees(funds.held_paise)})" if funds.held_paise and not self.brief else ""
        more = [f"free {self._rupees(funds.available_paise)}"]
        if funds.blocked_paise:
            more.append(f"blocked {self._rupees(funds.blocked_paise)}{held}")
        if funds.unsettled_paise:
            more.append(f"unsettled {self._rupees(funds.unsettled_paise)}")
        if funds.dividends_due_paise:
            more.append(f"dividends due {self._rupees(funds.dividends_due_paise)}")
        if funds.shortfall_paise:
            more.append(f"SHORT {self._rupees(funds.shortfall_paise)}")
        return Content(f" {' · '.join([*more, made] if self.brief else [made, *more])}")
