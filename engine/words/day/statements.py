"""A client's statement in words, and its account as a text to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.clock import IST
from data.vocabulary import GainTerm, TransferKind
from engine.words import formats
from engine.words.privacy import unless_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from data.repositories.accounts.statement import CashMove
    from engine.accounts.statement import AccountStanding
    from engine.accounts.values import ClientValue, HoldingValue
    from engine.book.views import ClientView, FundsView, HoldingView, OrderView

_KINDS = {
    TransferKind.OPENING: "opening balance",
    TransferKind.SETTLE: "settled; charges and shortfall collected",
    TransferKind.DAY_OPEN: "the broker's figures at the day's opening",
    TransferKind.ADOPT: "the broker's figures, adopted",
    TransferKind.INTEREST: "interest on shares on margin",
    TransferKind.RERATE: "charges as the contract note has them",
    TransferKind.NOTE: "charges as the contract note came to",
    TransferKind.CONVERT: "converted to delivery",
    TransferKind.ACTION: "a company's action",
    TransferKind.REBOOK: "booked again in the market's order",
}


def move_words(move: CashMove) -> str:
    """What a line of a statement is: `BUY 10 TCS`, or the transfer's name."""
    if move.tradingsymbol is None or move.side is None:
        return _KINDS.get(move.kind, move.kind.value)
    shares = f"{formats.quantity(abs(move.quantity))} " if move.quantity else ""
    what = f"{move.side.value} {shares}{move.tradingsymbol}"
    return what if move.kind is TransferKind.FILL else f"{what}, {_KINDS.get(move.kind, move.kind.value)}"


_TERMS = {
    GainTerm.SPECULATIVE: "speculative",
    GainTerm.SHORT_TERM: "short-term",
    GainTerm.LONG_TERM: "long-term",
    GainTerm.UNKNOWN: "not known",
}


def term_words(term: GainTerm) -> str:
    """What a sale is to the tax."""
    return _TERMS[term]


def total_words(standing: AccountStanding, day: date) -> str:
    """`+12,400 (+2.48 % of capital ₹5,00,000 of 18 Nov)`."""
    capital = f"capital ₹{formats.rupees(standing.capital_paise)} of {day:%d %b}"
    known = standing.total_bps is not None
    of = f" ({formats.signed_percent(standing.total_bps)} % of {capital})" if known else ""
    return f"{formats.signed(standing.total_net_paise)}{of}"


def day_words(value: ClientValue) -> str:
    """`-1,208 (-0.24 % of the day's opening portfolio ₹5,00,208)`."""
    percent = formats.signed_percent(value.net_day_bps)
    of = f"the day's opening portfolio ₹{formats.rupees(value.opening_paise)}"
    told = f" ({percent} % of {of})" if value.net_day_bps is not None else ""
    return f"{formats.signed(value.net_day_pnl_paise)}{told}"


SEEN_DIGITS = 2
"""Last signs of an account's number that a message shows: enough to tell two apart, too few to use."""


def masked_account(code: str) -> str:
    """An account's number in a message, which others may see over a shoulder: `••••15`."""
    return "•" * max(2, len(code) - SEEN_DIGITS) + code[-SEEN_DIGITS:]


def account_text(
    client: ClientView,
    at: datetime,
    funds: FundsView,
    value: ClientValue,
    standing: AccountStanding,
    holdings: Sequence[tuple[HoldingView, HoldingValue]],
    orders: Sequence[OrderView],
) -> str:
    """A client's account as a message to the client, at the prices of a moment of the market.

    Short lines without columns, since messengers set them in letters of any width; what stands between `*` is
    bold in WhatsApp. The account's number is masked.
    """
    money = formats.rupees
    cash = [f"₹{money(funds.available_paise)} free"]
    if funds.blocked_paise:
        cash.append(f"₹{money(funds.blocked_paise)} blocked")
    if funds.unsettled_paise:
        cash.append(f"₹{money(funds.unsettled_paise)} unsettled")
    if owed := funds.charges_due_paise + funds.shortfall_paise:
        cash.append(f"less ₹{money(owed)} owed")
    name = unless_private(client.name.replace("*", ""))
    lines = [
        f"*{name}* · account {masked_account(client.code)}",
        f"{at.astimezone(IST):%d %b %Y, %H:%M}",
        "",
        f"*Portfolio ₹{money(value.portfolio_paise)}*",
        f"Cash ₹{money(standing.cash_paise)} ({', '.join(cash)})",
        f"Shares ₹{money(standing.shares_paise)}",
        *([f"Loans ₹{money(standing.loans_paise)}"] if standing.loans_paise else []),
        "",
        f"*Today net* {day_words(value)}",
        f"Charges today ₹{money(value.charges_today_paise)}",
        *([f"Interest today ₹{money(value.interest_today_paise)}"] if value.interest_today_paise else []),
        f"*In total net* {total_words(standing, at.astimezone(IST).date())}",
    ]
    if holdings:
        lines += ["", "*Shares*"]
        lines += [
            f"{one.tradingsymbol} {formats.quantity(one.quantity)} {one.product.value}:"
            f" bought at ₹{formats.price(one.average_paise)}, now ₹{formats.price(worth.last_paise)},"
            f" {formats.signed(worth.unrealised_paise)}"
            for one, worth in holdings
        ]
    if orders:
        live = sum(order.live for order in orders)
        lines += ["", f"Orders today {len(orders)}, of which live {live}"]
    return "\n".join(lines)
