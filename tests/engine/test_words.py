"""Words a trader reads: every reason has some, counts agree with their noun, money is never in paise."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from data.clock import span_words
from data.errors import BadInput
from data.records import field_names, replace
from data.reference.instruments import Instrument
from data.vocabulary import (
    AlertKind,
    ChaseEnd,
    ChaseWait,
    DeskKind,
    FlattenWhat,
    LimitKind,
    LimitScope,
    LimitStrength,
    PauseReason,
    PhaseKind,
    Product,
    Reason,
    Right,
    Role,
    RouteKind,
    RunCount,
    Side,
    SizingKind,
    Validity,
    Verdict,
)
from engine import news, refusals
from engine.book.gate_views import ConsentFigures, GateFinding, RouteFigures
from engine.book.pause import Pause
from engine.news import ClientNews, FlattenNews, HaltNews, News, NewsTopic, RunNews
from engine.planning.intent import check_price
from engine.planning.limits.why import HeldLimit
from engine.planning.plan import PlanLine
from engine.planning.plan_record import WHY_KINDS, line_from_json, line_to_json
from engine.planning.why import AtGate, AtPriceNow, Why
from engine.refusals import CannotGoOn, PlanExpired, Refusal, RefusalReason
from engine.words.audit import detail_words
from engine.words.formats import counted
from engine.words.refusals import refusal_words
from engine.words.tape import news_words
from engine.words.trading.plans import through_words
from engine.words.trading.reasons import REASON_WORDS, reason_word
from engine.words.trading.runs import pause_words
from engine.words.trading.why import all_words, why_words
from engine.words.trading.why import detail_words as line_detail_words


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
    until = {"until": "2026-11-18T03:45:00.123456+00:00", "code": "2026-11-18"}
    assert detail_words(until) == "until 18 Nov 2026 09:15:00, code 2026-11-18"
    assert detail_words({"why": "2026-99-18T03:45:00Z"}) == "why 2026-99-18T03:45:00Z"
    assert detail_words({"reason": "REF_12 by phone", "x": ["a", 1]}) == "reason REF_12 by phone, x (a; 1)"


NOW = datetime(2026, 11, 18, 3, 45, tzinfo=UTC)
ROUTE = RouteFigures(RouteKind.OWN, "203.0.113.1", "Mehta", "10.0.0.1", "203.0.113.1", "zerodha")
FIGURES = {
    int: 3,
    str: "a word",
    bool: True,
    date | None: date(2026, 11, 18),
    datetime: datetime(2026, 11, 18, 9, 50, tzinfo=UTC),
    datetime | None: datetime(2026, 11, 18, 9, 50, tzinfo=UTC),
    int | None: 4,
    PhaseKind: PhaseKind.CONTINUOUS,
    FlattenWhat: FlattenWhat.MIS,
    Product: Product.MTF,
    Validity: Validity.IOC,
    SizingKind: SizingKind.PERCENT_OF_CAPITAL,
    tuple[Product, ...]: (Product.CNC, Product.MIS),
    tuple[int, ...]: (1, 2),
    tuple[datetime, ...]: (datetime(2026, 11, 18, 9, 50, tzinfo=UTC),),
    GateFinding: GateFinding.ROUTE_READY,
    RouteFigures | ConsentFigures | None: ROUTE,
    float: 2.5,
    BadInput: BadInput("limit", 0, "give a price"),
    Collection[int]: {1, 2},
    Sequence[Why]: (AtPriceNow(),),
    Mapping[Reason, int]: {Reason.HALTED: 2},
    Mapping[RunCount, int]: {RunCount.FILLED: 2},
    Side: Side.BUY,
    Right: Right.SEND,
    Role: Role.ASSISTANT,
    Collection[str]: {"PS1015"},
    Collection[Role]: {Role.ASSISTANT},
    DeskKind: DeskKind.APP,
    ChaseEnd: ChaseEnd.AT_BOUND,
    ChaseWait | None: ChaseWait.PHASE,
    PhaseKind | None: PhaseKind.AUCTION_ENTRY,
    Pause: Pause(PauseReason.DRIFTED, 5, 60, 100, 101),
    tuple[str, ...]: ("NSE:TCS",),
    HeldLimit | None: HeldLimit(LimitScope.GROUP, "HNI", LimitStrength.SOFT, "asked us to"),
    LimitKind: LimitKind.STOCK,
    date: date(2026, 11, 17),
    AlertKind: AlertKind.TEST,
    Mapping[str, Any]: {"code": "PS1015"},
}
"""A figure of each type that something said of a line, a refusal or news has."""


def made(kind: type[Any]) -> Any:
    """One of a kind, with a figure for each of its fields."""
    types = get_type_hints(kind)
    return kind(**{name: FIGURES[types[name]] for name in field_names(kind)})


def kinds_of(module: ModuleType, root: type[Any], families: Collection[type[Any]]) -> list[type[Any]]:
    """The kinds of a module below `root`, but for families, of which only the kinds are made."""
    found = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, root)]
    return [kind for kind in found if kind is not root and kind not in families]


@pytest.mark.parametrize("kind", kinds_of(refusals, Refusal, (PlanExpired, CannotGoOn, refusals.Forbidden)))
def test_every_refusal_has_words_and_a_reason_for_scripts(kind):
    refusal = made(kind)
    told = refusal_words(refusal)
    assert told
    assert kind.__name__ not in told
    assert isinstance(refusal.reason, RefusalReason)
    assert str(refusal).startswith(f"{refusal.reason.value}: {kind.__name__}")


@pytest.mark.parametrize(
    "kind", kinds_of(news, News, (news.PlanNews, RunNews, HaltNews, FlattenNews, ClientNews))
)
def test_all_news_has_words_and_what_it_is_about(kind):
    told = made(kind)
    assert news_words(told)
    assert kind.__name__ not in news_words(told)
    assert isinstance(told.topic, NewsTopic)


@pytest.mark.parametrize("kind", sorted(WHY_KINDS))
def test_all_that_a_plan_says_of_a_line_has_words_and_is_read_back_as_it_was(kind):
    why = made(WHY_KINDS[kind])
    assert why_words(why)
    line = PlanLine(7, "C1", "A", "zerodha", Product.CNC, Verdict.SKIPPED, Reason.HALTED, (why,))
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


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (refusals.NotConfirmed(None), "the plan was not confirmed by its hash"),
        (refusals.PlanTooOld(None, 60), "the plan is older than 60 s,"),
        (refusals.PlanDrifted(None, "TCS", 120), "TCS moved +1.20 % since the plan;"),
        (refusals.PlanDrifted(3, "TCS", None), "TCS has no price now to hold plan 3 against; plan again"),
        (
            refusals.DuplicateIntent((9, 7)),
            "runs 7, 9 sent the same within the last minute, or are still sending it:",
        ),
        (
            refusals.DuplicateIntent((7,)),
            "run 7 sent the same within the last minute, or is still sending it:",
        ),
    ],
)
def test_refusals_read_as_sentences(refusal: Refusal, words: str) -> None:
    assert refusal_words(refusal).startswith(words)
    assert "None" not in str(refusal)


@pytest.mark.parametrize(
    ("side", "limit_paise", "words"),
    [
        (Side.BUY, 310_00, "9.6 % above the market: trades at once"),
        (Side.SELL, 250_00, "11.6 % below the market: trades at once"),
        (Side.BUY, 285_00, ""),
        (Side.BUY, 250_00, ""),
        (Side.SELL, 310_00, ""),
        (Side.BUY, None, ""),
    ],
)
def test_a_limit_far_through_the_market_is_told(side: Side, limit_paise: int | None, words: str) -> None:
    assert through_words(side, limit_paise, 282_85) == words
    assert through_words(side, limit_paise, None) == ""


def test_a_wait_is_told_in_the_units_it_is_long_in() -> None:
    told = [span_words(one) for one in (0.9, 119.9, 120, 7_199, 7_200, 969_704, 11_000_000)]
    assert told == ["0 s", "119 s", "2 min", "1 h 59 min", "2 h", "269 h 21 min", "3,055 h 33 min"]
    pause = Pause(PauseReason.TOO_OLD, 970_074, 60, None, None)
    assert pause_words(pause) == "confirmed 269 h 27 min ago, its orders may leave for 60 s"


def test_what_is_no_price_is_named_in_rupees() -> None:
    stock = Instrument("NSE", "TCS", "TCS", 5)
    with pytest.raises(BadInput, match=r"^limit: '-5\.00' is not valid; give a price in rupees above zero$"):
        check_price("limit", -5_00, stock)
