"""Words a trader reads: every reason has some, counts agree with their noun, money is never in paise."""

import json
from dataclasses import fields
from datetime import date
from typing import get_type_hints

import pytest

from data.vocabulary import PhaseKind, Product, Reason, SizingKind, Verdict
from engine.planning.plan_record import line_from_json, line_to_json
from engine.planning.record import PlanLine
from engine.planning.why import KINDS
from engine.words.audit import detail_words
from engine.words.formats import counted
from engine.words.reasons import REASON_WORDS, reason_word
from engine.words.why import why_words


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
}
"""A figure of each type that something said of a line has."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_all_that_a_plan_says_of_a_line_has_words_and_is_read_back_as_it_was(kind):
    told = get_type_hints(KINDS[kind])
    made = KINDS[kind](**{field.name: FIGURES[told[field.name]] for field in fields(KINDS[kind])})
    assert why_words(made)
    line = PlanLine(7, "C1", "A", "zerodha", Product.CNC, Verdict.SKIPPED, Reason.HALTED, (made,))
    assert line_from_json(json.loads(json.dumps(line_to_json(line)))) == line
