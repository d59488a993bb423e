"""The shapes of a day's report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import date, datetime

    from data.repositories.close.corrections import Correction
    from data.vocabulary import CloseSource, CloseStepKind, CorrectionKind
    from engine.close.views import ClientDay, CloseProspect, DayReport, DeskRisk, ForTomorrow, StaysOpen


class PositionShape(Struct, frozen=True):
    """A client's shares of one stock and product at the close; null without a closing price."""

    key: str
    product: str
    quantity: int
    cost_paise: int
    close_paise: int | None


class ChargesShape(Struct, frozen=True):
    """The day's charges by kind; `other_paise` are those that no rate explains."""

    brokerage_paise: int
    stt_paise: int
    exchange_paise: int
    sebi_paise: int
    stamp_paise: int
    gst_paise: int
    dp_paise: int
    other_paise: int
    total_paise: int


class ClientDayShape(Struct, frozen=True):
    """One client's day. Opening, flows and today's P&L come to the portfolio value; that P&L is net.

    `unpriced` are what has no closing price and counts at its cost.
    """

    client_id: int
    code: str
    name: str
    portfolio_value_paise: int
    todays_pnl_paise: int
    total_pnl_paise: int
    active_trades: int
    opening_paise: int
    flows_paise: int
    gross_pnl_paise: int
    realised_today_paise: int
    dividends_paise: int
    charges: ChargesShape
    interest_paise: int
    cash_paise: int
    shares_paise: int
    loans_paise: int
    orders: int
    trades: int
    turnover_paise: int
    positions: list[PositionShape]
    unpriced: list[str]


class PricedShape(Struct, frozen=True):
    """How many closing prices are from one source."""

    source: CloseSource
    shares: int


class CorrectionShape(Struct, frozen=True):
    """What was found out of a client's closed day afterwards; `rev` is the revision that counts it first.

    It `waits` for that until the day is closed once more for the client.
    """

    client_id: int
    day: date
    kind: CorrectionKind
    of: str
    before_paise: int
    after_paise: int
    rev: int
    waits: bool
    reason: str
    by: str
    at: datetime


def correction_shape(one: Correction) -> CorrectionShape:
    """The correction in that shape."""
    return CorrectionShape(
        one.client_id,
        one.day,
        one.kind,
        one.subject or "total",
        one.before,
        one.after,
        one.rev,
        one.waits,
        one.reason,
        one.by,
        one.at,
    )


class ClientCostShape(Struct, frozen=True):
    """What a day's runs, and the month's up to it, cost a client: above zero a cost."""

    client_id: int
    code: str
    runs: int
    late_runs: int
    notional_paise: int
    dispersion_paise: int
    dispersion_bps: int | None
    unfilled_paise: int
    slippage_paise: int
    month_runs: int
    month_late_runs: int
    month_notional_paise: int
    month_dispersion_paise: int
    month_dispersion_bps: int | None
    month_unfilled_paise: int
    month_slippage_paise: int
    always_late: bool


def cost_shapes(report: DayReport) -> list[ClientCostShape]:
    """The costs of the report's clients in that shape, the costliest of the month first."""
    if report.costs is None:
        return []
    codes = {one.client_id: one.code for one in report.clients}
    of_day = {one.client_id: one for one in report.costs.of_day}
    found: list[ClientCostShape] = []
    for month in report.costs.month:
        if month.client_id not in codes:
            continue
        day = of_day.get(month.client_id)
        found.append(
            ClientCostShape(
                client_id=month.client_id,
                code=codes[month.client_id],
                runs=day.runs if day else 0,
                late_runs=day.late_runs if day else 0,
                notional_paise=day.notional_paise if day else 0,
                dispersion_paise=day.dispersion_paise if day else 0,
                dispersion_bps=day.dispersion_bps if day else None,
                unfilled_paise=day.unfilled_paise if day else 0,
                slippage_paise=day.slippage_paise if day else 0,
                month_runs=month.runs,
                month_late_runs=month.late_runs,
                month_notional_paise=month.notional_paise,
                month_dispersion_paise=month.dispersion_paise,
                month_dispersion_bps=month.dispersion_bps,
                month_unfilled_paise=month.unfilled_paise,
                month_slippage_paise=month.slippage_paise,
                always_late=month.always_late,
            )
        )
    return found


class DayShape(Struct, frozen=True):
    """A day's report: `provisional` until it was closed; then `folder`, `seal` and `audit_head` are set.

    `prices` counts closing prices by where they are from.
    """

    day: date
    at: datetime
    provisional: bool
    rev: int
    folder: str | None
    seal: str | None
    audit_head: str | None
    prices: list[PricedShape]
    clients: list[ClientDayShape]
    risk: DeskRisk
    dispersion: list[ClientCostShape]
    corrections: list[CorrectionShape]


def day_shape(report: DayReport) -> DayShape:
    """The report in that shape."""
    return DayShape(
        day=report.day,
        at=report.at,
        provisional=report.provisional,
        rev=report.rev,
        folder=report.folder or None,
        seal=report.seal or None,
        audit_head=report.audit_head or None,
        prices=[PricedShape(source, count) for source, count in report.prices.items()],
        clients=[client_day_shape(one) for one in report.clients],
        risk=report.risk,
        dispersion=cost_shapes(report),
        corrections=[correction_shape(one) for one in report.corrections],
    )


def client_day_shape(one: ClientDay) -> ClientDayShape:
    """A client's day in that shape."""
    by_kind = one.charges
    return ClientDayShape(
        client_id=one.client_id,
        code=one.code,
        name=one.name,
        portfolio_value_paise=one.portfolio_value_paise,
        todays_pnl_paise=one.todays_pnl_paise,
        total_pnl_paise=one.total_pnl_paise,
        active_trades=one.active_trades,
        opening_paise=one.opening_paise,
        flows_paise=one.flows_paise,
        gross_pnl_paise=one.gross_pnl_paise,
        realised_today_paise=one.realised_today_paise,
        dividends_paise=one.dividends_paise,
        charges=ChargesShape(
            brokerage_paise=by_kind.brokerage_paise,
            stt_paise=by_kind.stt_paise,
            exchange_paise=by_kind.exchange_paise,
            sebi_paise=by_kind.sebi_paise,
            stamp_paise=by_kind.stamp_paise,
            gst_paise=by_kind.gst_paise,
            dp_paise=by_kind.dp_paise,
            other_paise=one.other_charges_paise,
            total_paise=one.charges_paise,
        ),
        interest_paise=one.interest_paise,
        cash_paise=one.cash_paise,
        shares_paise=one.shares_paise,
        loans_paise=one.loans_paise,
        orders=one.orders,
        trades=one.trades,
        turnover_paise=one.turnover_paise,
        positions=[
            PositionShape(p.key, p.product.value, p.quantity, p.cost_paise, p.close_paise)
            for p in one.positions
        ],
        unpriced=list(one.unpriced),
    )


class DuePledgeShape(Struct, frozen=True):
    """A pledge that a client has to accept, until when in words."""

    code: str
    symbol: str
    until: str


class ExDateShape(Struct, frozen=True):
    """The day from which a held share goes without what the exchange's words say."""

    symbol: str
    purpose: str
    day: str


class RestingShape(Struct, frozen=True):
    """A GTT or alert that places orders later; or why nothing is known of a client's."""

    code: str
    words: str


class TomorrowShape(Struct, frozen=True):
    """What waits for the next day; `gtts_at` is null where no broker was asked for what rests there."""

    pledges: list[DuePledgeShape]
    tpin: list[str]
    ex_dates: list[ExDateShape]
    gtts_at: datetime | None
    gtts: list[RestingShape]
    gtts_unread: list[RestingShape]


class ProspectShape(Struct, frozen=True):
    """What a close of a day would do, and what waits for the day after."""

    day: date
    rev: int
    closing: int
    open: list[StaysOpen]
    done: list[CloseStepKind]
    begins_at: datetime | None
    waiting: int
    closed: bool
    tomorrow: TomorrowShape


def prospect_shape(prospect: CloseProspect, found: ForTomorrow) -> ProspectShape:
    """Both in that shape."""
    tomorrow = TomorrowShape(
        [DuePledgeShape(*one) for one in found.pledges],
        list(found.tpin),
        [ExDateShape(*one) for one in found.ex_dates],
        found.gtts_at,
        [RestingShape(*one) for one in found.gtts],
        [RestingShape(*one) for one in found.gtts_unread],
    )
    return ProspectShape(
        prospect.day,
        prospect.rev,
        prospect.closing,
        list(prospect.open),
        list(prospect.done),
        prospect.begins_at,
        prospect.waiting,
        prospect.closed,
        tomorrow,
    )
