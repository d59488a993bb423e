"""A client's money as Upstox's rows (developer documentation, "get funds and margin" of versions 3 and 2)."""

from brokers.contract import BrokerFunds
from brokers.simulators.serving.answers import Row, rupees


def funds_row(
    funds: BrokerFunds, opening_paise: int, payout_paise: int, mtf_own_paise: int, *, pledge_total: bool
) -> Row:
    """Version 3: cash, what it is used for, and pledges, of which there are none.

    A payout under way counts as withdrawn; `mtf_own_paise` is the client's own money in shares on margin, and
    all else that orders and trades take is delivery margin. The opening balance is what adds up to these.
    """
    available = rupees(funds.available_paise)
    used_paise = max(opening_paise - funds.available_paise - payout_paise, mtf_own_paise)
    pledged: Row = {
        "margin_from_pledge": {"total": 0.0, "equity": 0.0, "mutual_funds": 0.0},
        "margin_used": {**_used(0.0), "mtf": 0.0},
    }
    if pledge_total:
        pledged["total"] = 0.0
    return {
        "available_to_trade": {
            "total": available,
            "cash_available_to_trade": {
                "total": available,
                "cash": {
                    "opening_balance": rupees(funds.available_paise + used_paise + payout_paise),
                    "added_today": 0.0,
                    "withdrawn_today": rupees(payout_paise),
                    "amount_from_stock_sale": 0.0,
                    "unpaid_charges": 0.0,
                },
                "margin_used": {
                    **_used(rupees(used_paise - mtf_own_paise)),
                    "total": rupees(used_paise),
                    "mtf": rupees(mtf_own_paise),
                    "loss": {"total": 0.0, "realised": 0.0, "unrealised": 0.0},
                },
            },
            "pledge_available_to_trade": pledged,
        },
        "unavailable_to_trade": {
            "cash_unavailable_to_trade": {"unsettled_profit": {"todays_profit": 0.0, "previous_days": 0.0}},
            "pledge_unavailable_to_trade": {"equity": 0.0, "mutual_funds": 0.0},
        },
    }


def _used(total: float) -> Row:
    return {
        "total": total,
        "span_exposure": 0.0,
        "cash_margin_var_elm": 0.0,
        "premium_present": 0.0,
        "delivery_margin": {"total": total, "equity": total, "fo_settlement": 0.0},
    }


def segment_rows(funds: BrokerFunds, opening_paise: int) -> Row:
    """Version 2: all of the money is in `equity`."""
    return {
        "equity": _segment(rupees(funds.available_paise), rupees(opening_paise - funds.available_paise)),
        "commodity": _segment(0.0, 0.0),
    }


def _segment(available: float, used: float) -> Row:
    return {
        "used_margin": used,
        "payin_amount": 0.0,
        "span_margin": 0.0,
        "adhoc_margin": 0.0,
        "notional_cash": 0.0,
        "available_margin": available,
        "exposure_margin": 0.0,
    }
