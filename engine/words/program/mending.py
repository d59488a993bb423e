"""What mends an item of the gate, and since when it is as it is, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.book.gate_views import (
    ConsentFigures,
    DownFigures,
    FundsFigures,
    GateFinding,
    RouteFigures,
    SessionFigures,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engine.book.gate_views import GateVerdict

_IMPORT = "tradedesk routes import"
_CONSENT = ":consents shows and enters them"
_SIGN_IN = "r signs in"

_WAY = "the way out or the address that the route names; tradedesk routes probe looks again"

_MENDS: dict[GateFinding, str] = {
    GateFinding.CANNOT_SIGN_IN: "a connection: tradedesk connections carry",
    GateFinding.SESSION_BROKEN: _SIGN_IN,
    GateFinding.NOT_SIGNED_IN: _SIGN_IN,
    GateFinding.SESSION_EXPIRED: _SIGN_IN,
    GateFinding.SESSION_NOT_REACHED: "it is looked at again by itself; r signs in anew",
    GateFinding.SESSION_ENDS_SOON: "r signs in anew",
    GateFinding.BROKER_DOWN: "it is asked again all the time; sales and cancels are tried",
    GateFinding.NO_CONNECTION: "a connection: tradedesk connections add, then carry",
    GateFinding.NO_ROUTE: _IMPORT,
    GateFinding.ROUTE_SAYS_PAPER: f"a route of its own: {_IMPORT}",
    GateFinding.NO_API_KEY: f"its api key: {_IMPORT}",
    GateFinding.NO_PERMISSION: f"the broker's written permission: {_IMPORT}",
    GateFinding.ROUTE_REFUSED: "the address onto the broker's list, then r tries it again",
    GateFinding.NO_ALGO_NAME: "the algo's name: tradedesk config set upstox_algos",
    GateFinding.KILL_SWITCH_ON: "twelve hours after it was set: tradedesk kill-switch",
    GateFinding.ADDRESS_NOT_CLAIMED: f"{_WAY}: {_IMPORT}",
    GateFinding.ADDRESS_NOT_REGISTERED: f"the address onto the broker's list, or {_WAY}: {_IMPORT}",
    GateFinding.ADDRESS_CHANGED: f"{_WAY}, or name the address that the broker has: {_IMPORT}",
    GateFinding.ADDRESS_SHARED: f"an address of its own, or the broker's permission: {_IMPORT}",
    GateFinding.NO_ADDRESS_NAMED: f"name the address it leaves by: {_IMPORT}",
    GateFinding.NO_CONSENT: f"the client's consent: {_CONSENT}",
    GateFinding.CONSENT_NOT_BEGUN: f"one that holds today: {_CONSENT}",
    GateFinding.CONSENT_ENDED: f"a renewed consent: {_CONSENT}",
    GateFinding.CONSENT_ENDS_SOON: f"a renewed consent: {_CONSENT}",
    GateFinding.NO_DDPI: "the client authorises the sale at the depository",
    GateFinding.DEMAT_NOT_KNOWN: f"the broker tells it at sign-in, or {_IMPORT}",
    GateFinding.CLIENT_NOT_ACTIVE: "e gives it another status",
    GateFinding.BOOKS_DIFFER: "v takes the broker's figures; they may agree again by themselves",
    GateFinding.NOT_COMPARED: "it is compared every five minutes; tradedesk reconcile does it now",
    GateFinding.COMPARED_LONG_AGO: "it is compared every five minutes; tradedesk reconcile does it now",
    GateFinding.MTF_OFF_AT_BROKER: "switch it on at the broker, or e sets the limit to 0",
    GateFinding.MTF_NOT_KNOWN: f"say whether it is on: {_IMPORT}",
    GateFinding.LOAN_OVER_LIMIT: "sell what is on margin, or e raises the limit",
    GateFinding.MTF_USED: "sell what is on margin, or e raises the limit",
}


def mends(finding: GateFinding) -> str:
    """What makes an item green; empty for a finding that only green items have."""
    return _MENDS.get(finding, "")


def since(verdict: GateVerdict, shown_at: Callable[[datetime], datetime]) -> datetime | None:
    """Since when an item is as it is, as the trader reads times; None where nothing says it."""
    match verdict.figures:
        case SessionFigures(login_at=at):
            return shown_at(at)
        case DownFigures(since=at):
            return shown_at(at)
        case RouteFigures(refused_at=at) if at is not None:
            return shown_at(at)
        case FundsFigures(breaks=breaks) if breaks:
            return shown_at(min(one.opened_at for one in breaks))
        case FundsFigures(compared_at=at) if at is not None:
            return shown_at(at)
        case _:
            return None


def ends(verdict: GateVerdict) -> str:
    """Until when an item stays so, where that is a day: `to 30 Nov`."""
    match verdict.figures:
        case ConsentFigures(until=until) if until is not None:
            return f"to {until:%d %b}"
        case _:
            return ""
