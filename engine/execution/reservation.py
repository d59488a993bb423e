"""Writing a run: its orders and what they reserve, in the one transaction that comes before any send."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from data.audit import AuditEntry
from data.clock import Clock
from data.columns import table
from data.ledger import Line, Transfer, free_memo, post, reserve_money, reserve_shares
from data.money import BPS
from data.order_tables import Order, RunRecord
from data.store import Unit
from data.tables import Client, Funds
from data.vocabulary import (
    Account,
    BreakKind,
    ClientStatus,
    HaltScope,
    OrderState,
    OrderType,
    Reason,
    RunStatus,
    Side,
)
from engine.book.book import Book
from engine.book.halt_scope import covered
from engine.book.reading import read_breaks, read_halts
from engine.booking.needs import need
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import RunBegan
from engine.planning.duplicates import run_words, same_intent
from engine.planning.record import Plan, PlanLine
from engine.refusals import AlreadyRun, DuplicateIntent, Halted
from engine.rules import Rules

PROTECTED = (OrderType.MARKET, OrderType.SL_M)
"""Order types that are sent with market protection."""


def reserve(
    unit: Unit,
    plan: Plan,
    lines: Iterable[PlanLine],
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
) -> tuple[int, list[int]]:
    """Write a run with its orders and reserve for all of them, in the caller's one transaction.

    Gives the run's number and the orders to send, in the order of `lines`, sliced as the plan says. A client
    whose money or shares have gone since the plan gets DENIED orders; its legs are all or nothing. So does
    one whom another run has served with the same intent, and in a buy one with a fact not booked. Raises
    `DuplicateIntent` where every client was served.
    """
    runs = table(RunRecord)
    if unit.connection.execute(select(runs.c.number).where(runs.c.plan_number == plan.number)).first():
        raise AlreadyRun(f"plan {plan.number} was sent before; make a plan of its own to send again")
    halts = read_halts(unit.connection)
    if any(halt.scope is HaltScope.EVERYTHING for halt in halts):
        raise Halted("the desk was halted before the plan could be sent")
    lines = list(lines)
    had = _had(unit, plan, lines, clock, engine, rules)
    number = unit.take_ids("run", 1)[0]
    sliced = [(line, *part) for line in lines for part in enumerate(plan.slices(line), start=1)]
    ids = unit.take_ids("order", len(sliced))
    rows = [
        _order_row(unit, plan, line, quantity, order_id, number, engine.id) | {"slice": place}
        for order_id, (line, place, quantity) in zip(ids, sliced, strict=True)
    ]
    clients, key = book.clients, plan.instrument.key
    halted = {row["client_id"] for row in rows if covered(halts, clients[row["client_id"]], key)}
    barred = dict.fromkeys(had, Reason.DUPLICATE_INTENT) | dict.fromkeys(halted, Reason.HALTED)
    if plan.intent.side is Side.BUY:
        barred |= dict.fromkeys(_with_unbooked(unit, rows), Reason.OPEN_BREAK)
    denied = _block(unit, plan, rows, barred)
    for row in rows:
        if row["reason_code"] == Reason.DUPLICATE_INTENT:
            row["reason_text"] = f"the same as {run_words([had[row['client_id']]])}"
    unit.insert(
        RunRecord,
        [
            {
                "number": number,
                "plan_number": plan.number,
                "title": plan.title,
                "status": RunStatus.RUNNING.value,
                "actor": engine.actor,
                "instance_id": engine.id,
                "skipped": len(plan.skipped_lines),
                "left_paise": plan.left_paise,
                "cut_paise": plan.cut_paise,
                "send_within_s": plan.send_within_s or round(rules.send_at_least_s),
                "drift_limit_bps": plan.drift_limit_bps,
                "priced_paise": plan.last_paise or None,
                "confirmed_at": unit.now,
                "started_at": unit.now,
                "finished_at": None,
            }
        ],
    )
    unit.insert(Order, rows)
    _post_blocks(unit, plan, rows)
    unit.audit(
        AuditEntry(
            "RUN_STARTED",
            engine.actor,
            plan_number=plan.number,
            run_number=number,
            details={
                "title": plan.title,
                "digest": plan.digest,
                "orders": len(rows) - len(denied),
                "denied": len(denied),
                "skipped": len(plan.skipped_lines),
                "first": lines[0].code,
            },
        )
    )
    for row in rows:
        was_denied = row["id"] in denied
        details = {"reason": row["reason_code"]} if was_denied else {"blocked_paise": row["blocked_paise"]}
        unit.audit(
            AuditEntry(
                "ORDER_DENIED" if was_denied else "ORDER_RESERVED",
                engine.actor,
                row["client_id"],
                row["id"],
                plan.number,
                number,
                {"quantity": row["quantity"], **details},
            )
        )
        unit.touched.orders.add(row["id"])
    unit.touched.runs.add(number)
    unit.publish(
        TapeLine(
            unit.now,
            RunBegan(number, plan.title, len(rows) - len(denied), len(plan.skipped_lines)),
        )
    )
    return number, [row["id"] for row in rows if row["id"] not in denied]


def _had(
    unit: Unit, plan: Plan, lines: list[PlanLine], clock: Clock, engine: ThisEngine, rules: Rules
) -> dict[int, int]:
    """Clients whom another run has served with the plan's intent, with that run; none if the plan says again.

    Raises `DuplicateIntent` where that is every client.
    """
    if plan.intent.again:
        return {}
    clients = {line.client_id for line in lines}
    found = same_intent(unit.connection, plan.intent, plan.instrument, clock, engine, rules)
    had = {client_id: run for client_id, run in found.items() if client_id in clients}
    if had.keys() == clients:
        raise DuplicateIntent(
            f"{run_words(set(had.values()))} sent the same within the last minute, or still does: "
            "nothing was sent; to send it once more, make a plan that says again"
        )
    return had


def _with_unbooked(unit: Unit, rows: list[dict[str, Any]]) -> set[int]:
    """Clients of whom something the broker told could not be booked."""
    standing = read_breaks(unit.connection, {row["client_id"] for row in rows})
    return {c for c, found in standing.items() if any(one.kind is BreakKind.FACT for one in found)}


def _order_row(
    unit: Unit, plan: Plan, line: PlanLine, quantity: int, order_id: int, run_number: int, instance_id: int
) -> dict[str, Any]:
    instrument, intent = plan.instrument, plan.intent
    margin = instrument.margin_bps(line.product) if intent.side is Side.BUY else BPS
    row: dict[str, Any] = {
        "id": order_id,
        "run_number": run_number,
        "plan_number": plan.number,
        "client_id": line.client_id,
        "broker": line.broker,
        "exchange": instrument.exchange,
        "tradingsymbol": instrument.tradingsymbol,
        "security": instrument.security,
        "side": intent.side.value,
        "product": line.product.value,
        "order_type": intent.order_type.value,
        "validity": intent.validity.value,
        "after_market": intent.after_market,
        "quantity": quantity,
        "limit_paise": intent.limit_paise,
        "trigger_paise": intent.trigger_paise,
        "reserve_price_paise": plan.reserve_price_paise,
        "protection_bps": plan.protection_bps if intent.order_type in PROTECTED else None,
        "margin_bps": BPS if margin is None else margin,
        "policy": plan.policy.value,
        "state": OrderState.RESERVED.value,
        "reason_code": "",
        "reason_text": "",
        "filled_notional_paise": 0,
        "own_paise": 0,
        "charges_paise": 0,
        "blocked_paise": 0,
        "blocked_shares": 0,
        "mtf_reserved_paise": 0,
        "demat_sale": False,
        "instance_id": instance_id,
        "trading_date": plan.trading_day,
        "created_at": unit.now,
        "updated_at": unit.now,
        "ended_at": None,
    }
    if intent.side is Side.BUY:
        row["blocked_paise"], row["mtf_reserved_paise"] = need(row, quantity)
    else:
        row["blocked_shares"] = quantity
    return row


def _block(unit: Unit, plan: Plan, rows: list[dict[str, Any]], barred: Mapping[int, Reason]) -> set[int]:
    """Reserve for all rows in guarded statements; rows of clients that were not served become DENIED.

    So do those of clients that are barred, each for its reason.
    """
    buying = plan.intent.side is Side.BUY
    asking = [row for row in rows if row["client_id"] not in barred]
    if buying:
        needs: dict[int, tuple[int, int]] = {}
        for row in asking:
            money, loan = needs.get(row["client_id"], (0, 0))
            needs[row["client_id"]] = (money + row["blocked_paise"], loan + row["mtf_reserved_paise"])
        served = reserve_money(unit, needs)
        lost = needs.keys() - served
    else:
        only_settled = plan.instrument.trade_to_trade
        security = plan.instrument.security
        wanted = Counter[tuple[int, str]]()
        for row in asking:
            wanted[row["client_id"], row["product"]] += row["blocked_shares"]
        done = reserve_shares(
            unit, [(c, security, p, shares, only_settled) for (c, p), shares in wanted.items()]
        )
        lost = {client_id for client_id, product in wanted if (client_id, product) not in done}
        free_memo(unit, {}, {(c, security, p): wanted[c, p] for c, p in done if c in lost})
    denied: set[int] = set()
    for row in rows:
        if row["client_id"] in lost or row["client_id"] in barred:
            reason = barred.get(row["client_id"]) or _why_denied(unit, row, buying)
            row.update(state=OrderState.DENIED.value, reason_code=reason.value, ended_at=unit.now)
            row.update(blocked_paise=0, blocked_shares=0, mtf_reserved_paise=0)
            denied.add(row["id"])
    return denied


def _why_denied(unit: Unit, row: dict[str, Any], buying: bool) -> Reason:
    clients, funds = table(Client), table(Funds)
    found = unit.connection.execute(
        select(
            clients.c.status,
            funds.c.available_paise,
            (funds.c.mtf_limit_paise - funds.c.mtf_loan_paise - funds.c.mtf_reserved_paise).label("room"),
        )
        .join(funds, funds.c.client_id == clients.c.id)
        .where(clients.c.id == row["client_id"])
    ).one()
    if found.status != ClientStatus.ACTIVE.value:
        pending = found.status == ClientStatus.PENDING.value
        return Reason.CLIENT_PENDING if pending else Reason.CLIENT_INACTIVE
    if not buying:
        return Reason.INSUFFICIENT_HOLDING
    payable = found.available_paise >= row["blocked_paise"]
    return (
        Reason.MTF_LIMIT if payable and row["mtf_reserved_paise"] > found.room else Reason.INSUFFICIENT_FUNDS
    )


def _post_blocks(unit: Unit, plan: Plan, rows: list[dict[str, Any]]) -> None:
    post(
        unit,
        [
            Transfer(
                row["client_id"],
                "reserve",
                plan.trading_day,
                [
                    Line(Account.AVAILABLE, -row["blocked_paise"]),
                    Line(Account.BLOCKED, row["blocked_paise"], row["id"]),
                ],
                order_id=row["id"],
                reserved=True,
            )
            for row in rows
            if row["blocked_paise"]
        ],
    )
    for row in rows:
        unit.touched.clients.add(row["client_id"])
