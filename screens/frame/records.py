"""Rows of tables as files carry them: raw figures in rupees, full names, and all that tells a row apart.

A file goes to a client or an accountant: it shortens and groups nothing, and masks nothing but under privacy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from data.clock import IST
from data.money import rupees_of
from data.vocabulary import BreakKind
from engine.accounts.statement import lot_worth
from engine.words.day.statements import move_words
from engine.words.gate import gate_sentence, verdict_words
from engine.words.privacy import unless_private
from engine.words.trading.orders import flagged_why
from engine.words.trading.plans import problem
from engine.words.trading.reasons import REASON_WORDS

if TYPE_CHECKING:
    from data.repositories.accounts.statement import OpenLot
    from engine.access.gate import GateRow
    from engine.accounts.round_trips import Transaction
    from engine.accounts.sectors import SectorValue
    from engine.accounts.statement import StatementLine
    from engine.book.audit_views import AuditRow
    from engine.book.views import HoldingView
    from engine.desk import Desk
    from engine.halt.certificate import CertificateLine
    from engine.planning.plan import Plan, PlanLine
    from engine.review.notes import Note

Record = dict[str, str]
"""A row's cells by the words of their columns."""

ToRecord = Callable[[Any], Record]


def rupees(paise: int | None) -> str:
    """An amount, unless amounts are hidden."""
    return "" if paise is None else unless_private(f"{rupees_of(paise):.2f}")


def _price(paise: int | None) -> str:
    return "" if paise is None else f"{rupees_of(paise):.2f}"


def percent(bps: int | None) -> str:
    """Basis points as percent."""
    return "" if bps is None else f"{rupees_of(bps):.2f}"  # a percent has a hundred basis points


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _market(desk: Desk, at: datetime | None) -> str:
    """A stamp as the market's date and time in India."""
    return "" if at is None else f"{desk.shown_at(at).astimezone(IST):%Y-%m-%d %H:%M:%S}"


def _who(desk: Desk, client_id: int) -> Record:
    client = desk.clients.get(client_id)
    return {"code": client.code, "client": unless_private(client.name), "broker": client.broker}


def _what(key: str) -> Record:
    exchange, _, symbol = key.partition(":")
    return {"exchange": exchange, "symbol": symbol}


def sector_record(sector: SectorValue) -> Record:
    """A sector's shares and its day."""
    return {
        "sector": sector.sector,
        "symbols held": _number(sector.symbols),
        "shares worth": rupees(sector.value_paise),
        "of all shares %": percent(sector.share_bps),
        "day gross": rupees(sector.day_pnl_paise),
    }


def client_record(desk: Desk, client_id: int) -> Record:
    """A client with its money, its day and its gate."""
    client, funds = desk.clients.get(client_id), desk.funds.of(client_id)
    value = desk.valuation.client(client_id)
    return {
        **_who(desk, client_id),
        "account": client.broker_user_id,
        "groups": ", ".join(client.groups),
        "status": client.status.value,
        "gate": gate_sentence(desk.reconcile.readiness(client_id)),
        "capital": rupees(client.capital_paise),
        "portfolio": rupees(value.portfolio_paise),
        "available": rupees(funds.available_paise),
        "blocked": rupees(funds.blocked_paise),
        "unsettled": rupees(funds.unsettled_paise),
        "mtf used": rupees(funds.mtf_used_paise),
        "mtf limit": rupees(funds.mtf_limit_paise),
        "symbols held": _number(len(desk.holdings.of(client_id))),
        "invested": rupees(value.invested_paise),
        "shares worth": rupees(value.value_paise),
        "day net": rupees(value.net_day_pnl_paise),
        "day gross": rupees(value.day_pnl_paise),
        "day net %": percent(value.net_day_bps),
        "charges": rupees(value.charges_today_paise),
        "realised": rupees(value.realised_today_paise),
        "open P&L": rupees(value.unrealised_paise),
        "live orders": _number(len(desk.orders.all(live=True, client_id=client_id))),
    }


def gate_record(desk: Desk, row: GateRow) -> Record:
    """A client at the gate with every item's colour and words."""
    items = {
        check.item.value: f"{check.colour.value}: {verdict_words(check.judged, desk.shown_at)}"
        + (f" (waived: {check.waived})" if check.waived else "")
        for check in row.checks
    }
    reason = "" if row.reason is None else REASON_WORDS[row.reason]
    return {**_who(desk, row.client_id), "colour": row.colour.value, "held back by": reason, **items}


def instrument_record(desk: Desk, key: str) -> Record:
    """An instrument with its market."""
    instrument, quote = desk.market.index.get(key), desk.market.quote(key)
    return {
        **_what(key),
        "name": instrument.name if instrument else "",
        "ISIN": instrument.isin if instrument else "",
        "last": _price(quote.last_paise if quote else None),
        "previous close": _price(quote.prev_close_paise if quote else None),
        "change %": percent(desk.market.change_bps(key)),
        "open": _price(quote.open_paise if quote else None),
        "high": _price(quote.high_paise if quote else None),
        "low": _price(quote.low_paise if quote else None),
        "volume": _number(quote.volume if quote else None),
        "bid": _price(quote.bid_paise if quote else None),
        "ask": _price(quote.ask_paise if quote else None),
        "market time": _market_of(quote.market_at if quote else None),
    }


def _market_of(at: datetime | None) -> str:
    """As `_market`, of a stamp that the market itself made."""
    return "" if at is None else f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"


def stock_record(desk: Desk, key: str, held: list[HoldingView]) -> Record:
    """What all clients hold of an instrument."""
    value = desk.valuation.together(held)
    return {
        **instrument_record(desk, key),
        "clients": _number(len({holding.client_id for holding in held})),
        "quantity": _number(value.quantity),
        "average": _price(value.average_paise),
        "day gross": rupees(value.day_pnl_paise),
        "open P&L": rupees(value.unrealised_paise),
        "value": rupees(value.value_paise),
    }


def holding_record(desk: Desk, holding: HoldingView) -> Record:
    """A client's shares of one stock in one product."""
    value = desk.valuation.holding(holding)
    return {
        **_who(desk, holding.client_id),
        **_what(holding.key),
        "security": holding.security,
        "product": holding.product.value,
        "quantity": _number(holding.quantity),
        "free to sell": _number(desk.holdings.free_to_sell(holding)),
        "settled": _number(holding.free),
        "t1": _number(holding.t1),
        "today": _number(holding.today),
        "blocked": _number(holding.blocked),
        "pledged": _number(holding.pledged),
        "due": _number(holding.due),
        "average": _price(holding.average_paise),
        "cost": rupees(holding.cost_paise),
        "last": _price(value.last_paise),
        "change %": percent(desk.market.change_bps(holding.key)),
        "value": rupees(value.value_paise),
        "day gross": rupees(value.day_pnl_paise),
        "open P&L": rupees(value.unrealised_paise),
        "open P&L %": percent(value.pnl_bps),
    }


def order_record(desk: Desk, order_id: int) -> Record:
    """An order with its numbers here and at the broker."""
    order = desk.orders.get(order_id)
    return {
        "order": _number(order.id),
        "run": _number(order.run_number),
        "plan": _number(order.plan_number),
        "trading day": order.trading_date.isoformat(),
        "placed": _market(desk, order.created_at),
        "updated": _market(desk, order.updated_at),
        **_who(desk, order.client_id),
        "broker's order": order.broker_order_id or "",
        "tag": order.tag or "",
        "side": order.side.value,
        **_what(order.key),
        "product": order.product.value,
        "type": order.order_type.value,
        "validity": order.standing or order.validity.value,
        "quantity": _number(order.quantity),
        "limit": _price(order.limit_paise),
        "trigger": _price(order.trigger_paise),
        "filled": _number(order.filled_quantity),
        "average": _price(order.average_paise),
        "traded value": rupees(order.filled_notional_paise),
        "blocked": rupees(order.blocked_paise),
        "state": order.state.value,
        "why": flagged_why(order),
    }


def skipped_record(desk: Desk, plan: Plan, line: PlanLine, why: str) -> Record:
    """A line of a run that was never an order, under the columns of one."""
    return {
        "plan": _number(plan.number),
        "trading day": plan.trading_day.isoformat(),
        **_who(desk, line.client_id),
        "side": plan.intent.side.value,
        **_what(plan.instrument.key),
        "product": line.product.value,
        "type": plan.intent.order_type.value,
        "state": "SKIPPED" if not line.ok else "NOT ORDERED",
        "why": why,
    }


def line_record(desk: Desk, plan: Plan, line: PlanLine) -> Record:
    """A line of a plan with the figures it was made of."""
    return {
        "plan": _number(plan.number),
        "digest": plan.digest,
        **_who(desk, line.client_id),
        "side": plan.intent.side.value,
        **_what(plan.instrument.key),
        "product": line.product.value,
        "type": plan.intent.order_type.value,
        "limit": _price(line.price_paise),
        "sizing base": rupees(line.base_paise),
        "allocation": rupees(line.allocation_paise),
        "quantity": _number(line.quantity),
        "wanted": _number(line.wanted),
        "reserve": rupees(line.reserve_paise),
        "charges": rupees(line.charges_paise),
        "loan": rupees(line.loan_paise),
        "available before": rupees(line.available_before_paise),
        "available after": rupees(line.available_after_paise),
        "rounding leaves": rupees(plan.rounded_off_paise(line)),
        "smaller quantity leaves": rupees(plan.cut_off_paise(line)),
        "free to sell": _number(line.sellable),
        "verdict": line.verdict.value,
        "reason": "" if line.reason is None else line.reason.value,
        "why": "" if line.ok else problem(line),
    }


def certificate_record(desk: Desk, halt: int, line: CertificateLine) -> Record:
    """What a halt did for one client; times are seconds after it."""

    def seconds(value: float | None) -> str:
        return "" if value is None else f"{value:.3f}"

    return {
        "halt": _number(halt),
        **_who(desk, line.client_id),
        "cancelled": _number(line.cancelled),
        "filled": _number(line.filled),
        "refused": _number(line.refused),
        "unknown": _number(line.unknown),
        "released": rupees(line.released_paise),
        "available before": rupees(line.available_before_paise),
        "available now": rupees(line.available_now_paise),
        "first cancel s": seconds(line.first_cancel_s),
        "last cancel s": seconds(line.last_cancel_s),
        "ended s": seconds(line.ended_s),
        "note": line.note,
    }


def closed_record(desk: Desk, trip: Transaction) -> Record:
    """A round trip that was closed."""
    return {
        "closed": _market_of(trip.closed_at),
        "bought on": trip.opened_on.isoformat(),
        "order": _number(trip.order_id),
        **_who(desk, trip.client_id),
        "symbol": trip.tradingsymbol,
        "product": trip.product.value,
        "quantity": _number(trip.quantity),
        "buy price": _price(trip.buy_price_paise),
        "sell price": _price(trip.sell_price_paise),
        "cost": rupees(trip.cost_paise),
        "proceeds": rupees(trip.proceeds_paise),
        "gross": rupees(trip.pnl_paise),
        "charges": rupees(trip.charges_paise),
        "charges by note": rupees(trip.note_charges_paise),
        "net": rupees(trip.net_paise),
    }


def statement_record(desk: Desk, client_id: int, line: StatementLine) -> Record:
    """One line of a client's statement."""
    move = line.move
    return {
        **_who(desk, client_id),
        "date": move.trading_date.isoformat(),
        "time": _market(desk, move.at),
        "what": move_words(move),
        "amount": rupees(move.cash_paise),
        "balance": rupees(line.balance_paise),
        "lent": rupees(line.loan_paise),
        "order": _number(move.order_id),
        "evidence": move.evidence,
    }


def lot_record(desk: Desk, client_id: int, lot: OpenLot) -> Record:
    """What is left of one purchase."""
    worth = lot_worth(lot, desk.market.quote(lot.key))
    return {
        **_who(desk, client_id),
        **_what(lot.key),
        "product": lot.product.value,
        "bought": lot.opened_on.isoformat(),
        "quantity": str(lot.quantity),
        "cost": rupees(lot.cost_paise),
        "lent": rupees(lot.loan_paise),
        "own part": rupees(worth.own_paise),
        "charges": rupees(lot.charges_paise),
        "average": _price(worth.average_paise),
        "last": _price(worth.last_paise),
        "open P&L": rupees(worth.unrealised_paise),
    }


def note_record(desk: Desk, note: Note) -> Record:
    """One note."""
    return {
        **({} if note.client_id is None else _who(desk, note.client_id)),
        "time": _market(desk, note.at),
        "by": note.by,
        "order": _number(note.order_id),
        "run": _number(note.run_number),
        "note": note.text,
    }


def audit_record(desk: Desk, row: AuditRow) -> Record:
    """A row of the audit."""
    who: Mapping[str, str] = {} if row.client_id is None else _who(desk, row.client_id)
    return {
        "row": _number(row.seq),
        "at": _market(desk, row.at),
        "by": row.actor,
        "what": row.action,
        **who,
        "order": _number(row.order_id),
        "run": _number(row.run_number),
        "plan": _number(row.plan_number),
        **_details("details:", row.details, row.details.get("kind") == BreakKind.SHARES.value),
    }


def _details(head: str, details: Mapping[str, Any], shares: bool) -> Record:
    """What an audit row tells, a cell each: money in rupees, percents with their sign in the head."""
    cells: Record = {}
    for key, value in details.items():
        name = f"{head} {key.removesuffix('_paise').removesuffix('_bps')}"
        if isinstance(value, Mapping):
            cells |= _details(name, cast(Mapping[str, Any], value), shares)
        elif isinstance(value, list):
            cells[name] = "; ".join(_list_item(each) for each in cast(list[Any], value))
        elif key.endswith("_bps") and isinstance(value, int):
            cells[f"{name} %"] = percent(value)
        elif isinstance(value, int) and (
            key.endswith("_paise") or (key in ("ours", "theirs") and not shares)
        ):
            cells[name] = rupees(value)
        else:
            cells[name] = "" if value is None else str(value)
    return cells


def _list_item(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    cells = _details("", cast(Mapping[str, Any], value), False)
    return ", ".join(f"{name.strip()} {cell}" for name, cell in cells.items() if cell)
