"""The JSON shapes of the machine interface (docs/cli.md). Keys are stable; money is in `_paise` keys."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from data.vocabulary import BreakKind
from engine.words.breaks import break_words
from engine.words.runs import run_why
from engine.words.why import detail_words

if TYPE_CHECKING:
    from brokers.contract import BrokerOrder
    from data.repositories.connections import ConnectionRow
    from engine.access.connecting import ConnectionView
    from engine.accounts.round_trips import Transaction
    from engine.book.break_views import BreakView
    from engine.book.views import ClientView, FundsView, HoldingView, OrderView
    from engine.desk import Desk
    from engine.execution.life import RequestView
    from engine.execution.views import RunView
    from engine.halt.certificate import Certificate
    from engine.planning.record import Plan, PlanLine
    from engine.reconciliation.differences import Difference

Shape = dict[str, Any]


def connection_row_shape(row: "ConnectionRow") -> Shape:
    """One connection as the books have it; `address` is null for a file of the home itself."""
    return {"name": row.name, "kind": row.kind, "broker": row.broker, "address": row.address or None}


def connection_shape(one: "ConnectionView") -> Shape:
    """One connection with how many clients it carries, and what is wrong with its venue or secrets."""
    return {
        **connection_row_shape(one.row),
        "clients": one.clients,
        "brings_prices": one.brings_prices,
        "trouble": one.trouble or None,
    }


def client_shape(desk: "Desk", client: "ClientView") -> Shape:
    """One client with its gate (`reason` is null when it may trade) and balances."""
    funds = desk.funds.of(client.id)
    return {
        "client_id": client.id,
        "code": client.code,
        "name": client.name,
        "broker": client.broker,
        "broker_user_id": client.broker_user_id,
        "connection": client.connection or None,
        "status": client.status,
        "status_reason": client.status_reason,
        "reason": client.gate,
        "session": client.session,
        "capital_paise": client.capital_paise,
        "available_paise": funds.available_paise,
        "blocked_paise": funds.blocked_paise,
        "mtf_limit_paise": client.mtf_limit_paise,
        "groups": client.groups,
        "breaks": len(desk.reconcile.breaks(client.id)),
    }


def break_shape(desk: "Desk", one: "BreakView") -> Shape:
    """One difference that stands; cash and loan in paise, shares as quantities, the other pair null.

    Of a fact that could not be booked both are null, and `order_id` and `problem` say what it is.
    """
    return {
        "client_id": one.client_id,
        "code": desk.clients.get(one.client_id).code,
        **_figures(one.kind, one.tradingsymbol, one.product, one.ours, one.theirs),
        "opened_at": one.opened_at,
        "order_id": one.order_id,
        "problem": one.problem or None,
        "words": break_words(one),
    }


def difference_shape(one: "Difference") -> Shape:
    """One difference that was taken over from the broker."""
    return _figures(one.kind, one.tradingsymbol, one.product, one.ours, one.theirs)


def _figures(kind: BreakKind, symbol: str, product: str, ours: int, theirs: int) -> Shape:
    shares, money = kind is BreakKind.SHARES, kind in (BreakKind.CASH, BreakKind.LOAN)
    return {
        "kind": kind,
        "symbol": symbol or None,
        "product": product or None,
        "ours_paise": ours if money else None,
        "theirs_paise": theirs if money else None,
        "ours_quantity": ours if shares else None,
        "theirs_quantity": theirs if shares else None,
    }


def unknown_shape(desk: "Desk", order: "OrderView") -> Shape:
    """One UNKNOWN order with what is known of it and the broker's live orders that it could be."""
    doubt = desk.orders.doubt(order.id)
    sent = order.sent_at or order.created_at
    return {
        "order": order_shape(desk, order),
        "since": sent,
        "age_s": round((desk.clock.now() - sent).total_seconds(), 1),
        "why": order.sub_status,
        "evidence": (doubt.evidence if doubt else "") or order.reason_text,
        "raised": doubt.raised if doubt else False,
        "strangers": [external_shape(theirs) for theirs in desk.orders.external(order.client_id)],
    }


def external_shape(theirs: "BrokerOrder") -> Shape:
    """A live order at the broker that this desk did not send."""
    return {
        "broker_order_id": theirs.broker_order_id,
        "key": f"{theirs.exchange}:{theirs.tradingsymbol}",
        "side": theirs.side,
        "quantity": theirs.quantity,
        "filled_quantity": theirs.filled_quantity,
        "order_type": theirs.order_type,
        "price_paise": theirs.price_paise,
        "trigger_paise": theirs.trigger_paise,
        "status": theirs.status_text,
        "placed_at": theirs.placed_at,
    }


def funds_shape(desk: "Desk", funds: "FundsView") -> Shape:
    """One client's balances."""
    return {
        "client_id": funds.client_id,
        "code": desk.clients.get(funds.client_id).code,
        "available_paise": funds.available_paise,
        "blocked_paise": funds.blocked_paise,
        "held_paise": funds.held_paise,
        "unsettled_paise": funds.unsettled_paise,
        "charges_due_paise": funds.charges_due_paise,
        "mtf_limit_paise": funds.mtf_limit_paise,
        "mtf_loan_paise": funds.mtf_loan_paise,
        "mtf_reserved_paise": funds.mtf_reserved_paise,
        "shortfall_paise": funds.shortfall_paise,
    }


def order_shape(desk: "Desk", order: "OrderView") -> Shape:
    """One order."""
    return {
        "order_id": order.id,
        "client_id": order.client_id,
        "code": desk.clients.get(order.client_id).code,
        "symbol": order.tradingsymbol,
        "key": order.key,
        "side": order.side,
        "product": order.product,
        "order_type": order.order_type,
        "state": order.state,
        "sub_status": order.sub_status,
        "reason_code": order.reason_code,
        "reason_text": order.reason_text,
        "tag": order.tag,
        "broker_order_id": order.broker_order_id,
        "quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "average_paise": order.average_paise,
        "limit_paise": order.limit_paise,
        "trigger_paise": order.trigger_paise,
        "validity": order.validity,
        "after_market": order.after_market,
        "modifying": order.modifying,
        "blocked_paise": order.blocked_paise,
        "run": order.run_number,
        "leg": order.leg,
        "plan": order.plan_number,
        "flags": order.flags,
        "trading_date": order.trading_date,
        "created_at": order.created_at,
        "sent_at": order.sent_at,
        "updated_at": order.updated_at,
        "ended_at": order.ended_at,
    }


def request_shape(request: "RequestView") -> Shape:
    """One modify or cancel beside an order; `null` leaves a value as it was."""
    return {
        "number": request.number,
        "kind": request.kind,
        "state": request.state,
        "why": request.why,
        "detail": request.detail,
        "quantity": request.quantity,
        "limit_paise": request.limit_paise,
        "trigger_paise": request.trigger_paise,
        "requested_at": request.requested_at,
        "ended_at": request.ended_at,
    }


def run_shape(desk: "Desk", run: "RunView", with_orders: bool = True) -> Shape:
    """One run with its counts and, where asked for, its orders."""
    shape: Shape = {
        "number": run.number,
        "plan": run.plan_number,
        "title": run.title,
        "status": run.word,
        "frozen_since": run.frozen_since,
        "pause_reason": run.pause_reason,
        "why": run_why(run),
        "unsent_blocked_paise": run.unsent_blocked_paise,
        "counts": run.counts,
        "settled": run.settled,
        "left_paise": run.left_paise,
        "cut_paise": run.cut_paise,
        "trading_date": run.trading_date,
        "elapsed_s": round(run.elapsed_s, 3),
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
    if with_orders:
        shape["orders"] = [order_shape(desk, desk.orders.get(order_id)) for order_id in run.order_ids]
    return shape


def plan_shape(plan: "Plan") -> Shape:
    """A frozen plan, problems first; of legs behind the first, their lines stand with them."""
    from engine.planning.plan_record import leg_in_short

    intent = plan.intent
    return {
        "number": plan.number,
        "digest": plan.digest,
        "title": plan.title,
        "symbol": plan.instrument.tradingsymbol,
        "key": plan.instrument.key,
        "side": intent.side,
        "product": intent.product,
        "order_type": intent.order_type,
        "limit_paise": intent.limit_paise,
        "trigger_paise": intent.trigger_paise,
        "validity": intent.validity,
        "after_market": intent.after_market,
        "clients": intent.selection.title,
        "policy": plan.policy,
        "frozen_at": plan.frozen_at,
        "expires_at": plan.expires_at,
        "trading_day": plan.trading_day,
        "phase": plan.phase,
        "last_paise": plan.last_paise or None,
        "bid_paise": plan.bid_paise,
        "ask_paise": plan.ask_paise,
        "age_s": plan.age_s,
        "reserve_price_paise": plan.reserve_price_paise or None,
        "protection_bps": plan.protection_bps,
        "desk_halted": plan.desk_halted,
        "orders": plan.orders,
        "shares": plan.shares,
        "at_last_paise": plan.at_last_paise if plan.last_paise else None,
        "reserve_paise": plan.reserve_paise,
        "left_paise": plan.left_paise,
        "cut_paise": plan.cut_paise,
        "eta_s": plan.eta_s,
        "send_within_s": plan.send_within_s,
        "skipped": len(plan.skipped_lines),
        "skipped_by_reason": {reason.value: count for reason, count in plan.skipped_by_reason.items()},
        "answer": plan.answer,
        "lines": [line_shape(line) for line in plan.lines],
        "per_client": plan.per_client,
        "legs": [
            leg_in_short(part)
            | ({"lines": [line_shape(line) for line in part.lines]} if part.leg > 1 else {})
            for part in plan.parts
        ],
    }


def line_shape(line: "PlanLine") -> Shape:
    """A plan's line; what it says of it is told in words."""
    told = {field.name: getattr(line, field.name) for field in fields(line) if field.name != "why"}
    return told | {"detail": detail_words(line)}


def holding_shape(desk: "Desk", holding: "HoldingView") -> Shape:
    """One client's shares of one stock in one product, at the last price."""
    value = desk.valuation.holding(holding)
    return {
        "client_id": holding.client_id,
        "code": desk.clients.get(holding.client_id).code,
        "symbol": holding.tradingsymbol,
        "key": holding.key,
        "product": holding.product,
        "quantity": holding.quantity,
        "sellable": desk.holdings.free_to_sell(holding),
        "today": holding.today,
        "t1": holding.t1,
        "free": holding.free,
        "blocked": holding.blocked,
        "pledged": holding.pledged,
        "cost_paise": holding.cost_paise,
        "average_paise": holding.average_paise,
        "ltp_paise": value.last_paise,
        "value_paise": value.value_paise,
        "unrealised_paise": value.unrealised_paise,
        "day_pnl_paise": value.day_pnl_paise,
        "pnl_bps": value.pnl_bps,
    }


def transaction_shape(desk: "Desk", trip: "Transaction") -> Shape:
    """One closed round trip."""
    return {
        "client_id": trip.client_id,
        "code": desk.clients.get(trip.client_id).code,
        "order_id": trip.order_id,
        "symbol": trip.tradingsymbol,
        "product": trip.product,
        "quantity": trip.quantity,
        "buy_price_paise": trip.buy_price_paise,
        "sell_price_paise": trip.sell_price_paise,
        "cost_paise": trip.cost_paise,
        "proceeds_paise": trip.proceeds_paise,
        "pnl_paise": trip.pnl_paise,
        "charges_paise": trip.charges_paise,
        "net_paise": trip.net_paise,
        "opened_on": trip.opened_on,
        "closed_at": trip.closed_at,
    }


def quote_shape(desk: "Desk", key: str) -> Shape:
    """The last known market of one instrument; figures are null while no price is known."""
    stock = desk.market.detail(key)
    quote, age = stock.quote, desk.market.age(key)
    return {
        "symbol": stock.instrument.tradingsymbol,
        "exchange": stock.instrument.exchange,
        "key": stock.instrument.key,
        "name": stock.instrument.name,
        "ltp_paise": quote.last_paise if quote else None,
        "change_paise": stock.change_paise,
        "change_bps": stock.change_bps,
        "high_paise": quote.high_paise if quote else None,
        "low_paise": quote.low_paise if quote else None,
        "volume": quote.volume if quote else None,
        "age_s": None if age is None else round(age, 3),
    }


def detail_shape(desk: "Desk", key: str) -> Shape:
    """One instrument with its market, margins and who holds it."""
    stock = desk.market.detail(key)
    quote, instrument, phase = stock.quote, stock.instrument, desk.market.phase(stock.instrument)
    return quote_shape(desk, instrument.key) | {
        "isin": instrument.isin,
        "series": instrument.series,
        "sector": instrument.sector,
        "tick_paise": instrument.tick_paise,
        "lot_size": instrument.lot_size,
        "fno": instrument.fno,
        "trade_to_trade": instrument.trade_to_trade,
        "mtf_margin_bps": instrument.mtf_margin_bps,
        "mis_margin_bps": instrument.mis_margin_bps,
        "mtf_own_per_share_paise": stock.mtf_own_per_share_paise,
        "prev_close_paise": quote.prev_close_paise if quote else instrument.prev_close_paise,
        "open_paise": quote.open_paise if quote else None,
        "bid_paise": quote.bid_paise if quote else None,
        "ask_paise": quote.ask_paise if quote else None,
        "lower_circuit_paise": quote.lower_circuit_paise if quote else None,
        "upper_circuit_paise": quote.upper_circuit_paise if quote else None,
        "bids": [level._asdict() for level in quote.bids] if quote else [],
        "asks": [level._asdict() for level in quote.asks] if quote else [],
        "phase": phase.kind,
        "held_quantity": stock.held_quantity,
        "holder_count": stock.holder_count,
    }


def certificate_shape(made: "Certificate") -> Shape:
    """What a halt did: counts, money released, clients, orders; null where its version did not keep it."""
    shape: Shape = {
        "number": made.number,
        "scope": made.scope,
        "value": made.value,
        "by": made.by,
        "at": made.at,
        "last_read_at": made.last_read_at,
        "ended": made.ended,
        "cancelled": made.cancelled,
        "filled_meanwhile": made.filled_meanwhile,
        "refused": made.refused,
        "unknown": made.unknown,
        "unreachable": made.unreachable,
        "tried": made.tried,
        "read": made.clients - len(made.unread),
        "unread": made.unread,
        "not_signed_in": made.not_signed_in,
        "unread_rows": made.unread_rows,
        "passed_over": made.passed_over,
        "conditionals": made.conditionals,
        "conditionals_unread": made.conditionals_unread,
        "unbooked": made.unbooked,
        "unsent_freed": made.unsent_freed,
        "released_paise": made.released_paise,
        "blocked_before_paise": made.blocked_before_paise,
        "still_blocked_paise": made.still_blocked_paise,
        "clients": made.lines,
        "orders": made.orders,
        "strangers": made.external,
        "first_cancel_s": made.first_cancel_s,
        "last_cancel_s": made.last_cancel_s,
        "strength": made.strength,
    }
    not_known = {"read" if name == "clients" else name for name in made.not_known}
    return {name: None if name in not_known else value for name, value in shape.items()}
