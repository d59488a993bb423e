"""Words a trader reads: every reason has some, counts agree with their noun, money is never in paise."""

import json
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import get_type_hints

import pytest

from data.vocabulary import PhaseKind, Product, Reason, RouteKind, SizingKind, Verdict
from engine.book.gate_views import ConsentFigures, GateFinding, RouteFigures
from engine.planning.plan_record import line_from_json, line_to_json
from engine.planning.record import PlanLine
from engine.planning.why import KINDS, AtGate
from engine.words.audit import detail_words
from engine.words.formats import counted
from engine.words.reasons import REASON_WORDS, reason_word
from engine.words.why import all_words, why_words
from engine.words.why import detail_words as line_detail_words


def test_every_reason_has_words_without_bars() -> None:
    assert set(REASON_WORDS) == set(Reason)
    for reason in Reason:
        assert "_" not in reason_word(reason, False)
        assert len(reason_word(reason, True)) <= len(reason_word(reason, False))


def test_counts_agree_with_their_noun() -> None:
    assert [counted(number, "order") for number in (0, 1, 2, 110_000)] == [
        "0 orders",
        "1 order",
        "2 orders",
        "1,10,000 orders",
    ]


def test_details_of_the_audit_are_money_and_words() -> None:
    details = {"quantity": 3, "blocked_paise": 721708, "reason": "insufficient_funds", "from": ""}
    assert detail_words(details) == "quantity 3, blocked ₹7,217.08, reason not enough funds, from —"
    assert detail_words({"counts": {"filled": 2, "not_received": 1, "open": 0}}) == "2 filled, 1 not received"
    terms = {"quantity": 1_10_000, "trigger_paise": None, "before": {"limit_paise": 28190}, "asked": True}
    assert detail_words(terms) == "quantity 1,10,000, before (limit ₹281.90), asked yes"
    cash = {"kind": "cash", "symbol": "", "ours": 962083600, "theirs": 983019700}
    shares = {"kind": "shares", "symbol": "TCS", "ours": 10, "theirs": 0}
    assert detail_words({"differences": [cash, shares], "reason": ""}) == (
        "differences (kind cash, ours ₹96,20,836.00, theirs ₹98,30,197.00; "
        "kind shares, symbol TCS, ours 10, theirs 0)"
    )
    assert detail_words({"mis_margin_bps": 2000, "trade_id": "77"}) == "mis margin 20 %, trade 77"
    assert detail_words({"mtf_margin_bps": None, "proxy": "", "message": ""}) == "mtf margin —, proxy —"
    assert detail_words({"reason": "REF_12 by phone", "x": ["a", 1]}) == "reason REF_12 by phone, x (a; 1)"


NOW = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
ROUTE = RouteFigures(RouteKind.OWN, "203.0.113.1", "Mehta", "10.0.0.1", "203.0.113.1", "zerodha")
FIGURES = {
    int: 3,
    str: "a word",
    bool: True,
    date | None: date(2026, 11, 18),
    int | None: 4,
    PhaseKind: PhaseKind.CONTINUOUS,
    Product: Product.MTF,
    SizingKind: SizingKind.PERCENT_OF_CAPITAL,
    tuple[Product, ...]: (Product.CNC, Product.MIS),
    tuple[int, ...]: (1, 2),
    GateFinding: GateFinding.ROUTE_READY,
    RouteFigures | ConsentFigures | None: ROUTE,
}
"""A figure of each type that something said of a line has."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_all_that_a_plan_says_of_a_line_has_words_and_is_read_back_as_it_was(kind):
    told = get_type_hints(KINDS[kind])
    made = KINDS[kind](**{field.name: FIGURES[told[field.name]] for field in fields(KINDS[kind])})
    assert why_words(made)
    line = PlanLine(7, "C1", "A", "zerodha", Product.CNC, Verdict.SKIPPED, Reason.HALTED, (made,))
    assert line_from_json(json.loads(json.dumps(line_to_json(line)))) == line


@pytest.mark.parametrize(
    ("finding", "figures", "words"),
    [
        (GateFinding.NO_ROUTE, None, "no route: `tradedesk routes import` takes it"),
        (GateFinding.NO_CONSENT, None, "no consent recorded"),
        (
            GateFinding.ADDRESS_SHARED,
            replace(ROUTE, shared_with=("C2", "C3")),
            "shares 203.0.113.1 with C2 and 1 more, of another family and without a permission",
        ),
        (
            GateFinding.ROUTE_REFUSED,
            replace(ROUTE, refused_at=NOW, refused_text="not on the list."),
            "refused 18 Nov 09:15: not on the list; put 203.0.113.1 on the client's list in the broker's "
            "developer console, or correct the route; then retry it: the next order shows whether the broker "
            "takes it",
        ),
        (
            GateFinding.CONSENT_ENDED,
            ConsentFigures("paper 3", date(2026, 11, 17), -1),
            "consent ended on 17 Nov 2026",
        ),
    ],
)
def test_a_verdict_of_the_gate_in_a_plan_is_worded_from_its_record(finding, figures, words):
    why = (AtGate(finding, figures),)
    line = PlanLine(7, "C1", "A", "zerodha", Product.CNC, Verdict.SKIPPED, Reason.ROUTE_NOT_READY, why)
    read = line_from_json(json.loads(json.dumps(line_to_json(line))))
    assert (read, all_words(read.why)) == (line, words)


def test_a_plan_of_an_earlier_version_keeps_the_words_it_has_of_a_route():
    line = PlanLine(
        7, "C1", "A", "zerodha", Product.CNC, Verdict.SKIPPED, Reason.ROUTE_NOT_READY, detail="no api key"
    )
    read = line_from_json(json.loads(json.dumps(line_to_json(line))))
    assert (read, line_detail_words(read)) == (line, "no api key")
