"""Plans: who gets how many shares, who is skipped and why, and that a frozen plan proves itself."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import BadInput
from data.records import replace
from data.reference.instruments import BrokerListing, Instrument
from data.vocabulary import (
    AlternativeKind,
    ClientStatus,
    GateColour,
    HaltStrength,
    OrderType,
    PhaseKind,
    Policy,
    Product,
    Reason,
    SessionState,
    Side,
    SizingKind,
    Validity,
)
from engine.book.gate_views import GateFinding, GateVerdict
from engine.planning.checks import CHECK_ORDER, ClientInput, HeldShares, PlanInputs, market_refusal
from engine.planning.intent import Intent, LineChange, Sizing
from engine.planning.lines import plan
from engine.planning.plan import Plan, PlanLine
from engine.planning.plan_record import freeze, from_json, record_digest, to_json, verify_record
from engine.planning.sizing import BuyTerms, PlanPrices, affordable, need, reserve_price
from engine.planning.why import ClientPaused
from engine.words.trading.why import detail_words, whole_rupees

NOW = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)
DAY = date(2026, 10, 5)
LAKH = 1_00_000_00


def stock(symbol: str = "TCS", **changes: object) -> Instrument:
    base = Instrument(
        exchange="NSE",
        tradingsymbol=symbol,
        name=symbol,
        tick_paise=10,
        isin="INE000000001",
        mtf_margin_bps=2_000,
        mis_margin_bps=2_000,
    )
    return replace(base, **changes)


def client(client_id: int = 1, **changes: object) -> ClientInput:
    base = ClientInput(
        client_id=client_id,
        code=f"C{client_id:04d}",
        name=f"Client {client_id}",
        broker="zerodha",
        base_paise=LAKH,
        available_paise=LAKH,
    )
    return replace(base, **changes)


def inputs(*clients: ClientInput, last: int = 2_500_00, **changes: object) -> PlanInputs:
    base = PlanInputs(
        now=NOW,
        market_now=NOW,
        trading_day=DAY,
        instrument=stock(),
        last_paise=last,
        bid_paise=last,
        ask_paise=last,
        lower_circuit_paise=last * 8 // 10,
        upper_circuit_paise=last * 12 // 10,
        price_age_s=0.2,
        phase_kind=PhaseKind.CONTINUOUS,
        clients=clients or (client(),),
        max_order_quantity=100_000,
        max_order_value_paise=10_00_00_000_00,
    )
    return replace(base, **changes)


def buy(kind: SizingKind = SizingKind.PERCENT_OF_CAPITAL, value: int = 2_500, **changes: object) -> Intent:
    return replace(Intent(Side.BUY, "NSE:TCS", Sizing(kind, value)), **changes)


def sell(kind: SizingKind = SizingKind.PERCENT_OF_POSITION, value: int = 5_000, **changes: object) -> Intent:
    return replace(Intent(Side.SELL, "NSE:TCS", Sizing(kind, value), product=None), **changes)


def shares(quantity: int, **changes: object) -> Intent:
    return buy(SizingKind.FIXED_QUANTITY, quantity, **changes)


def only(made: Plan) -> PlanLine:
    (line,) = made.lines
    return line


# --- sizing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(Policy))
def test_a_quarter_of_capital_is_sized_at_the_last_price_under_both_policies(policy: Policy) -> None:
    made = plan(
        buy(),
        inputs(
            client(1, base_paise=1_11_111_00, available_paise=1_11_111_00),
            client(2, base_paise=5_00_000_00, available_paise=5_00_000_00),
            last=2_450_80,
            instrument=stock(),
            policy=policy,
        ),
    )
    # 27,777.75 / 2,450.80 = 11.3 and 1,25,000 / 2,450.80 = 51.0
    assert [(line.quantity, line.allocation_paise, line.left_paise) for line in made.lines] == [
        (11, 27_777_75, 27_777_75 - 11 * 2_450_80),
        (51, 1_25_000_00, 1_25_000_00 - 51 * 2_450_80),
    ]
    assert made.answer == "buy 2"
    assert made.shares == 62
    assert made.at_last_paise == 62 * 2_450_80
    assert made.title == "BUY TCS 25 % of capital"
    # 2,450.80 x 1.02 = 2,499.816, up to the tick
    assert made.reserve_price_paise == (2_499_90 if policy is Policy.WORST else 2_450_80)


@pytest.mark.parametrize(
    ("kind", "value", "quantity"),
    [
        (SizingKind.PERCENT_OF_AVAILABLE, 5_000, 10),
        (SizingKind.FIXED_AMOUNT, 24_999_99, 9),
        (SizingKind.FIXED_QUANTITY, 7, 7),
    ],
)
def test_the_other_sizings(kind: SizingKind, value: int, quantity: int) -> None:
    assert only(plan(buy(kind, value), inputs(client(available_paise=50_000_00)))).quantity == quantity


def test_the_limit_is_both_sizing_and_reserve_price() -> None:
    made = plan(buy(order_type=OrderType.LIMIT, limit_paise=2_400_00), inputs())
    assert only(made).quantity == 10
    assert only(made).price_paise == 2_400_00
    assert made.sizing_price_paise == made.reserve_price_paise == 2_400_00


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (2_399_90, Reason.OUTSIDE_PRICE_BAND),
        (2_400_00, None),
        (2_600_00, None),
        (2_600_10, Reason.OUTSIDE_PRICE_BAND),
    ],
)
def test_a_market_order_goes_at_the_edge_of_the_band_and_not_beyond_it(
    last: int, reason: Reason | None
) -> None:
    band = {"lower_circuit_paise": 2_400_00, "upper_circuit_paise": 2_600_00}
    refusal = market_refusal(buy(), inputs(client(), last=last, **band))
    assert (refusal and refusal.reason) == reason


def test_a_market_order_reserves_the_protected_price_inside_the_band() -> None:
    book = PlanPrices(2_500_00, 2_499_00, 2_505_00, 2_000_00, 3_000_00)

    def worst(side: Side, market: PlanPrices, policy: Policy = Policy.WORST) -> int:
        return reserve_price(side, None, market, 10, 200, policy)

    assert worst(Side.BUY, book) == 2_555_10
    assert worst(Side.BUY, replace(book, ask_paise=0)) == 2_550_00
    assert worst(Side.BUY, replace(book, upper_circuit_paise=2_520_00)) == 2_520_00
    assert worst(Side.SELL, book) == 2_449_00
    assert worst(Side.SELL, replace(book, bid_paise=0)) == 2_450_00
    assert worst(Side.SELL, replace(book, lower_circuit_paise=2_480_00)) == 2_480_00
    assert worst(Side.BUY, book, Policy.EXACT) == 2_500_00


# --- money --------------------------------------------------------------------------------------------


def test_a_buy_beyond_the_cash_says_what_is_missing_and_what_would_work() -> None:
    priya = client(
        code="PS1015",
        available_paise=50_000_00,
        mtf_limit_paise=5_00_000_00,
        mtf_loan_paise=60_000_00,
    )
    made = plan(shares(30), inputs(priya))
    line = only(made)
    assert (line.reason, line.quantity, line.wanted) == (Reason.INSUFFICIENT_FUNDS, 0, 30)
    assert made.reserve_price_paise == 2_550_00
    # 30 x 2,550 = 76,500, charges 90.85, slack 0.02
    assert line.reserve_paise == 76_500_00 + line.charges_paise + 2 == 76_590_87
    assert line.short_paise == 26_590_87
    assert detail_words(line) == "short 26,591"
    assert line.available_after_paise == 50_000_00
    fewer, lent = line.alternatives
    assert (fewer.kind, fewer.product, fewer.quantity, fewer.quantity_at_last) == (
        AlternativeKind.AFFORDABLE,
        Product.CNC,
        19,
        20,
    )
    assert (lent.kind, lent.product, lent.quantity) == (AlternativeKind.MTF, Product.MTF, 30)
    assert (lent.own_paise, lent.loan_paise) == (15_300_00, 61_200_00)
    assert (lent.limit_used_before_bps, lent.limit_used_after_bps) == (1_200, 2_424)


@pytest.mark.parametrize(("policy", "cash", "mtf"), [(Policy.WORST, 65, 324), (Policy.EXACT, 66, 333)])
def test_the_most_a_lakh_buys(policy: Policy, cash: int, mtf: int) -> None:
    amit = client(available_paise=LAKH, mtf_limit_paise=10 * LAKH)
    line = only(plan(shares(5_000), inputs(amit, last=1_500_00, policy=policy)))
    assert {way.kind: way.quantity for way in line.alternatives} == {
        AlternativeKind.AFFORDABLE: cash,
        AlternativeKind.MTF: mtf,
    }
    at_most = only(plan(shares(mtf, product=Product.MTF), inputs(amit, last=1_500_00, policy=policy)))
    assert at_most.ok
    if policy is Policy.EXACT:
        assert (at_most.reserve_paise, at_most.loan_paise) == (99_900_00, 3_99_600_00)


def test_the_mtf_limit_caps_loans_taken_reserved_and_wanted() -> None:
    lent = client(mtf_limit_paise=LAKH, mtf_loan_paise=30_000_00, mtf_reserved_paise=8_800_00)
    buys = shares(31, product=Product.MTF)
    line = only(plan(buys, inputs(lent)))
    # 30 shares at 2,550 lend 61,200 and fill the limit exactly; the 31st goes over it by 2,040
    assert (line.reason, line.short_paise) == (Reason.MTF_LIMIT, 2_040_00)
    (fewer,) = line.alternatives
    # what is proposed still stands when the market has moved on by two ticks
    assert (fewer.product, fewer.quantity, fewer.limit_used_after_bps) == (Product.MTF, 29, 9_796)
    assert only(plan(replace(buys, line_changes=(LineChange(1, 30),)), inputs(lent))).ok


def test_mis_takes_its_own_margin_and_no_loan() -> None:
    line = only(plan(shares(10, product=Product.MIS), inputs()))
    assert line.ok
    assert line.loan_paise == 0
    assert line.reserve_paise == 5_100_00 + line.charges_paise + 2


def test_intraday_buying_ends_when_brokers_sell_out_and_selling_and_waiting_for_tomorrow_do_not() -> None:
    ended = {"mis_until": NOW, "after_market": True}
    with pytest.raises(BadInput, match=r"ended at .*when brokers sell it out: give CNC or MTF"):
        plan(shares(10, product=Product.MIS), inputs(**ended))
    assert plan(shares(10, product=Product.MIS), inputs(mis_until=NOW + timedelta(seconds=1))).lines
    assert plan(shares(10, product=Product.MIS, after_market=True), inputs(**ended)).lines
    assert plan(sell(product=Product.MIS), inputs(**ended)).lines


TERMS = st.builds(
    BuyTerms,
    policy=st.sampled_from(Policy),
    broker=st.sampled_from(["zerodha", "upstox", "groww"]),
    exchange=st.just("NSE"),
    on=st.just(DAY),
    product=st.sampled_from(Product),
    margin_bps=st.integers(1_000, 10_000),
    price_paise=st.integers(1, 10_000).map(lambda ticks: ticks * 10),
    lot_size=st.sampled_from([1, 1, 25]),
)


@given(TERMS, st.integers(0, 5_000), st.integers(1, 500))
def test_need_never_falls_as_the_quantity_grows(terms: BuyTerms, quantity: int, more: int) -> None:
    small, large = need(terms, quantity), need(terms, quantity + more)
    assert small.total_paise <= large.total_paise
    assert small.loan_paise <= large.loan_paise
    assert small.own_paise + small.loan_paise <= quantity * terms.price_paise
    if terms.product is Product.MTF:
        assert small.own_paise + small.loan_paise == quantity * terms.price_paise


@settings(max_examples=300)
@given(TERMS, st.integers(0, 5_000), st.integers(-1, 1), st.integers(-1, 1), st.integers(0, 3))
def test_affordable_fits_and_one_lot_more_does_not(
    terms: BuyTerms, around: int, paise_off: int, room_off: int, ease: int
) -> None:
    # Money and room stand within a paisa of what some quantity takes; `ease` makes one of them plentiful.
    takes_there = need(terms, around * terms.lot_size)
    available = takes_there.total_paise + paise_off + (10**12 if ease == 1 else 0)
    room = takes_there.loan_paise + room_off + (10**12 if ease == 2 else 0)
    if ease == 1 and terms.product is not Product.MTF:
        available -= 10**12

    def fits(quantity: int) -> bool:
        takes = need(terms, quantity)
        lends = terms.product is Product.MTF
        return takes.total_paise <= available and (not lends or takes.loan_paise <= room)

    quantity = affordable(terms, available, room)
    assert quantity % terms.lot_size == 0
    assert quantity == 0 or fits(quantity)
    assert not fits(quantity + terms.lot_size)


# --- selling ------------------------------------------------------------------------------------------


def test_selling_half_as_held_gives_a_line_a_product_and_rounds_halves_down() -> None:
    holder = client(holdings=(HeldShares(Product.MTF, 5, 5), HeldShares(Product.CNC, 7, 9)))
    made = plan(sell(), inputs(holder, client(2)))
    assert [(line.client_id, line.product, line.quantity, line.reason) for line in made.lines] == [
        (2, Product.CNC, 0, Reason.INSUFFICIENT_HOLDING),
        (1, Product.CNC, 3, None),
        (1, Product.MTF, 2, None),
    ]
    assert detail_words(made.lines[0]) == "holds no TCS"
    assert made.reserve_paise == 0
    assert made.eta_s == 1


def test_a_total_sold_as_held_takes_what_must_go_today_first() -> None:
    shares_of = {Product.MTF: 5, Product.CNC: 7, Product.MIS: 4}
    holder = client(holdings=tuple(HeldShares(product, n, n) for product, n in shares_of.items()))
    lines = plan(sell(SizingKind.FIXED_QUANTITY, 6), inputs(holder)).lines
    assert [(line.product, line.quantity) for line in lines] == [(Product.MIS, 4), (Product.CNC, 2)]


def test_a_total_sold_as_held_comes_from_cnc_first_and_is_all_or_nothing() -> None:
    holder = client(holdings=(HeldShares(Product.CNC, 7, 7), HeldShares(Product.MTF, 5, 5)))

    def sold(quantity: int, *changes: LineChange) -> list[tuple[Product, int]]:
        intent = sell(SizingKind.FIXED_QUANTITY, quantity, line_changes=changes)
        return [(line.product, line.quantity) for line in plan(intent, inputs(holder)).lines]

    assert sold(10) == [(Product.CNC, 7), (Product.MTF, 3)]
    assert sold(13) == [(Product.CNC, 0)]
    assert sold(10, LineChange(1, 4)) == [(Product.CNC, 4)]
    assert sold(10, LineChange(1, 0, Product.MTF)) == [(Product.MTF, 0), (Product.CNC, 7)]


def test_selling_more_than_is_free_offers_what_is_free() -> None:
    holder = client(holdings=(HeldShares(Product.CNC, 6, 10),))
    line = only(plan(sell(SizingKind.FIXED_QUANTITY, 10, product=Product.CNC), inputs(holder)))
    assert (line.reason, detail_words(line)) == (
        Reason.INSUFFICIENT_HOLDING,
        "short 4 shares, 6 free to sell",
    )
    assert [way.quantity for way in line.alternatives] == [6]


# --- reasons ------------------------------------------------------------------------------------------


def in_series(series: str) -> BrokerListing:
    """TCS as Upstox lists it, in this series."""
    return BrokerListing("upstox", "NSE:TCS", "NSE_EQ|INE467B01029", "TCS", series=series)


CLIENT_FAULTS: dict[Reason, dict[str, Any]] = {
    Reason.HALTED: {"halt": HaltStrength.ALL},
    Reason.CLIENT_PENDING: {"status": ClientStatus.PENDING, "status_reason": "KYC"},
    Reason.CLIENT_INACTIVE: {
        "status": ClientStatus.INACTIVE,
        "status_since": date(2026, 11, 12),
        "status_reason": "vacation",
    },
    Reason.CLIENT_CLOSED: {"status": ClientStatus.CLOSED},
    Reason.CLIENT_PAUSED: {"pause": ClientPaused(None, "on a plane")},
    Reason.SESSION_EXPIRED: {"session": SessionState.EXPIRED},
    Reason.ROUTE_NOT_READY: {"route_verdict": GateVerdict(GateColour.RED, GateFinding.NO_ROUTE)},
    Reason.CONSENT_MISSING: {"consent_verdict": GateVerdict(GateColour.RED, GateFinding.NO_CONSENT)},
    Reason.BROKER_DOWN: {"venue": "upstox", "down_since": datetime(2026, 10, 5, 5, 12, tzinfo=UTC)},
    Reason.NOT_RECONCILED: {"reconciled": False},
    Reason.OPEN_BREAK: {"reduce_only": True},
    Reason.VALIDITY_NOT_OFFERED: {"venue": "upstox", "validities": frozenset()},
    Reason.NOT_LISTED: {"venue": "upstox", "lists_all": False, "listing": None},
    Reason.SERIES_DIFFERS: {"venue": "upstox", "lists_all": False, "listing": in_series("BE")},
    Reason.INSTRUCTION_MISSING: {"discretionary": False},
    Reason.QUANTITY_ZERO: {"base_paise": 100_00},
    Reason.DUPLICATE_INTENT: {"duplicate": True},
    Reason.INSUFFICIENT_FUNDS: {"available_paise": 100_00},
}
MARKET_FAULTS: dict[Reason, dict[str, Any]] = {
    Reason.MARKET_CLOSED: {"phase_kind": PhaseKind.AUCTION_REFERENCE},
    Reason.PRICE_STALE: {"price_age_s": 3.1},
    Reason.OUTSIDE_PRICE_BAND: {"upper_circuit_paise": 2_499_00},
    Reason.OVER_ORDER_LIMIT: {"max_order_value_paise": 9_00},
    Reason.INSTRUMENT_IN_DOUBT: {"instrument": stock(doubt="token 1 was NSE:OLD")},
    Reason.NOT_MTF_ELIGIBLE: {"instrument": stock(mtf_margin_bps=None)},
}


def test_every_reason_is_given_alone_and_in_the_fixed_order_when_all_hold() -> None:
    by_mtf = buy(product=Product.MTF)
    good = client(mtf_limit_paise=10 * LAKH)
    assert only(plan(by_mtf, inputs(good))).ok
    of_mtf = {Reason.MTF_LIMIT: {"mtf_limit_paise": 0}, Reason.MTF_NO_CONSENT: {"mtf_agreed": False}}
    faults = {**CLIENT_FAULTS, **MARKET_FAULTS, **of_mtf}
    market = set(MARKET_FAULTS)
    assert set(CHECK_ORDER) == set(Reason)
    of_sells = {Reason.INSUFFICIENT_HOLDING, Reason.AUTHORISATION_MISSING}
    of_limits = {Reason.OTHER_LEG, Reason.PRODUCT_NOT_OFFERED, Reason.DISCLOSED_QUANTITY}
    of_limits |= {Reason.OVER_LIMIT, Reason.OVER_SOFT_LIMIT}
    assert set(faults) == set(Reason) - of_sells - of_limits
    for position, reason in enumerate(CHECK_ORDER):
        if reason not in faults:
            continue
        for present in ([reason], [later for later in CHECK_ORDER[position:] if later in faults]):
            # A quantity of zero is over no limit and needs no money; the status is one word.
            for_client: dict[str, Any] = {}
            for_market: dict[str, Any] = {}
            for fault in reversed(present):
                (for_market if fault in market else for_client).update(faults[fault])
            made = plan(by_mtf, inputs(replace(good, **for_client), **for_market))
            assert only(made).reason is reason
            assert only(made).quantity == 0
            assert made.skipped_by_reason == {reason: 1}
            assert made.answer == "buy 0"


def test_words_of_a_skip_carry_its_figures() -> None:
    def words(reason: Reason) -> str:
        faulty = inputs(client(**CLIENT_FAULTS.get(reason, {})), **MARKET_FAULTS.get(reason, {}))
        return detail_words(only(plan(buy(), faulty)))

    assert words(Reason.CLIENT_INACTIVE) == "since 12 Nov (vacation)"
    assert words(Reason.CLIENT_PENDING) == "(KYC)"
    assert words(Reason.BROKER_DOWN) == "Upstox does not answer since 10:42"
    assert words(Reason.VALIDITY_NOT_OFFERED) == "Upstox takes no DAY order"
    assert words(Reason.NOT_LISTED) == "NSE:TCS is not listed at Upstox"
    assert words(Reason.SERIES_DIFFERS) == "in series BE at Upstox, in EQ here"
    assert words(Reason.PRICE_STALE) == "price 3.1 s old, limit 3 s"
    assert words(Reason.OVER_ORDER_LIMIT) == "an order may be worth 9 at most, less than one lot"
    assert words(Reason.QUANTITY_ZERO) == "25 % of capital is less than one share at 2,500.00"
    assert whole_rupees(12_38_771_00) == "12,38,771"
    assert whole_rupees(77_630_01) == "77,631"


def test_what_one_broker_cannot_serve_says_which_and_why() -> None:
    at = datetime(2026, 10, 5, 9, 35, tzinfo=UTC)
    there = client(venue="upstox", products=frozenset({Product.CNC}))
    over = client(venue="groww", intraday_over=at, client_id=2, code="C0002")
    fine = client(venue="zerodha", client_id=3, code="C0003")
    lines = plan(shares(10, product=Product.MIS), inputs(there, over, fine)).lines
    assert {line.client_id: (line.reason, detail_words(line)) for line in lines} == {
        1: (Reason.PRODUCT_NOT_OFFERED, "Upstox offers no MIS here"),
        2: (Reason.PRODUCT_NOT_OFFERED, "Groww ended intraday buying of it at 15:05"),
        3: (None, ""),
    }
    limited = inputs(client(), max_order_quantity=1, most_slices=5, limited_by="upstox")
    assert detail_words(only(plan(shares(10), limited))) == "Upstox: 10 shares, at most 5 orders of 1"


def test_phases_decide_which_order_types_are_taken() -> None:
    limit = buy(order_type=OrderType.LIMIT, limit_paise=2_500_00)

    def takes(kind: PhaseKind) -> tuple[bool, bool]:
        made = inputs(phase_kind=kind)
        return only(plan(buy(), made)).ok, only(plan(limit, made)).ok

    both = {PhaseKind.CONTINUOUS, PhaseKind.PRE_OPEN, PhaseKind.REOPENING, PhaseKind.AUCTION_ENTRY}
    limit_only = {PhaseKind.PRE_OPEN_LIMIT_ONLY, PhaseKind.AUCTION_LIMIT_ONLY}
    for kind in PhaseKind:
        wanted = (kind in both or kind is PhaseKind.POST_CLOSE, kind in both | limit_only)
        assert takes(kind) == wanted, kind


def test_again_overrides_a_duplicate_and_books_that_differ_or_a_dead_broker_only_allow_sells() -> None:
    assert only(plan(buy(again=True), inputs(client(duplicate=True)))).ok
    broken = client(reduce_only=True, holdings=(HeldShares(Product.CNC, 4, 4),))
    assert only(plan(buy(), inputs(broken))).reason is Reason.OPEN_BREAK
    assert only(plan(sell(), inputs(broken))).quantity == 2
    down = replace(broken, reduce_only=False, **CLIENT_FAULTS[Reason.BROKER_DOWN])
    assert only(plan(buy(), inputs(down))).reason is Reason.BROKER_DOWN
    assert only(plan(sell(), inputs(down))).quantity == 2


def test_a_halted_desk_may_plan() -> None:
    made = plan(buy(), inputs(desk_halted=True))
    assert made.desk_halted
    assert only(made).ok


def test_problems_stand_first_the_mendable_before_the_rest() -> None:
    made = plan(
        buy(),
        inputs(
            client(5),
            client(4, status=ClientStatus.PENDING),
            client(3, available_paise=0),
            client(2, session=SessionState.EXPIRED),
            client(1, available_paise=0),
            client(6, code="A"),
        ),
    )
    assert [line.client_id for line in made.lines] == [1, 3, 2, 4, 6, 5]
    assert list(made.skipped_by_reason.items()) == [
        (Reason.INSUFFICIENT_FUNDS, 2),
        (Reason.SESSION_EXPIRED, 1),
        (Reason.CLIENT_PENDING, 1),
    ]


# --- what is refused outright, and changes by hand ----------------------------------------------------


@pytest.mark.parametrize(
    ("intent", "field", "says"),
    [
        (buy(order_type=OrderType.LIMIT, limit_paise=3_000_10), "limit", "2,000.00 to 3,000.00"),
        (buy(order_type=OrderType.LIMIT, limit_paise=1_999_90), "limit", "2,000.00 to 3,000.00"),
        (buy(order_type=OrderType.LIMIT, limit_paise=2_500_05), "limit", "2500.00 or 2500.10"),
        (buy(product=Product.MIS), "product", "CNC or MTF"),
        (buy(line_changes=(LineChange(9, 1),)), "line", "in this plan"),
        (buy(line_changes=(LineChange(1, -1),)), "quantity", "0 or more"),
        (buy(line_changes=(LineChange(1, 1), LineChange(1, 2))), "line", "once"),
    ],
)
def test_what_no_client_could_trade_is_bad_input(intent: Intent, field: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        plan(intent, inputs(instrument=stock(mis_margin_bps=None)))
    assert caught.value.field == field
    assert says in caught.value.expected


def test_lines_changed_by_hand() -> None:
    changes = (LineChange(1, 0), LineChange(2, 19), LineChange(3, None, Product.MTF))
    made = plan(
        buy(line_changes=changes),
        inputs(client(1), client(2), client(3, mtf_limit_paise=LAKH)),
    )
    dropped, by_hand, lent = made.lines
    assert (dropped.reason, detail_words(dropped)) == (Reason.QUANTITY_ZERO, "dropped by hand")
    assert (by_hand.quantity, by_hand.left_paise) == (19, 25_000_00 - 19 * 2_500_00)
    assert (made.left_paise, made.cut_paise) == (0, 0), "more than the allocation leaves nothing of it"
    assert (lent.product, lent.quantity, lent.loan_paise) == (Product.MTF, 10, 20_400_00)
    assert made.orders == 2


def test_what_a_cut_by_hand_leaves_is_not_left_by_rounding() -> None:
    rich = (client(1, base_paise=1_02_000_00), client(2))
    whole = plan(buy(), inputs(*rich))
    assert (whole.left_paise, whole.cut_paise) == (500_00, 0)
    cut = plan(buy(line_changes=(LineChange(1, 7),)), inputs(*rich))
    assert [line.quantity for line in cut.lines] == [7, 10]
    assert (cut.left_paise, cut.cut_paise) == (500_00, 3 * 2_500_00)
    assert sum(line.left_paise for line in cut.lines) == cut.left_paise + cut.cut_paise


# --- the record ---------------------------------------------------------------------------------------


def frozen() -> Plan:
    intent = buy(line_changes=(LineChange(2, 3), LineChange(3, None, Product.MTF)))
    clients = (
        client(1, available_paise=9_000_00, mtf_limit_paise=LAKH),
        client(2),
        client(3, halt=HaltStrength.ALL),
    )
    return freeze(plan(intent, inputs(*clients)), 12, NOW + timedelta(seconds=1))


def test_a_frozen_plan_survives_the_store_and_proves_itself() -> None:
    made = frozen()
    stored = json.loads(json.dumps(to_json(made)))
    assert from_json(stored) == made
    assert verify_record(stored)
    assert made.digest == record_digest(to_json(from_json(stored)))
    assert len(made.digest) == 64
    assert made.expires_at - made.frozen_at == timedelta(seconds=60)
    assert stored["frozen_at"] == "2026-10-05T04:00:01+00:00"
    assert stored["intent"]["sizing"] == {"kind": "percent_of_capital", "value_bps": 2_500}
    assert frozen().digest == made.digest
    assert from_json(to_json(plan(sell(), inputs()))).intent.product is None


def test_every_figure_and_word_is_under_the_digest() -> None:
    stored = to_json(frozen())
    paths: list[list[str | int]] = []

    def collect(value: object, path: list[str | int]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                collect(item, [*path, key])
        elif isinstance(value, list) and value:
            for place, item in enumerate(value):
                collect(item, [*path, place])
        else:
            paths.append(path)

    collect(stored, [])
    assert len(paths) > 100
    for path in paths:
        forged = json.loads(json.dumps(stored))
        holder = forged
        for step in path[:-1]:
            holder = holder[step]
        was = holder[path[-1]]
        holder[path[-1]] = was + 1 if type(was) is int else "forged"
        assert not verify_record(forged), path


def test_a_thousand_clients_are_planned_fairly_and_each_by_its_own_figures() -> None:
    many = tuple(
        client(n, base_paise=LAKH + n * 7_00, available_paise=(n % 3) * 20_000_00, mtf_limit_paise=LAKH)
        for n in range(1_000)
    )
    made = plan(buy(), inputs(*many))
    assert len(made.lines) == 1_000
    for line in made.lines:
        alone = only(plan(buy(), inputs(many[line.client_id])))
        assert alone == line


# --- how long orders stand ----------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [PhaseKind.PRE_OPEN, PhaseKind.AUCTION_ENTRY, PhaseKind.CLOSED])
def test_at_once_or_not_at_all_is_for_continuous_trading(phase: PhaseKind) -> None:
    wish = shares(4, validity=Validity.IOC)
    assert plan(wish, inputs()).title == "BUY TCS 4 shares each IOC"
    line = only(plan(wish, inputs(phase_kind=phase)))
    assert line.reason is Reason.MARKET_CLOSED
    assert detail_words(line) == f"phase {phase.value.replace('_', ' ')} takes no IOC order"


def test_a_stop_order_cannot_be_at_once_or_not_at_all() -> None:
    wish = shares(4, validity=Validity.IOC, order_type=OrderType.SL_M, trigger_paise=2_600_00)
    with pytest.raises(BadInput, match="SL-M waits for its trigger, give DAY"):
        plan(wish, inputs())


def test_an_order_for_the_next_session_belongs_to_that_day() -> None:
    night = {"phase_kind": PhaseKind.CLOSED, "awaited_day": date(2026, 10, 6), "after_market": True}
    made = plan(shares(4, after_market=True), inputs(**night))
    assert only(made).ok
    assert (made.trading_day, made.title) == (date(2026, 10, 6), "BUY TCS 4 shares each AMO for 06 Oct")
    assert from_json(json.loads(json.dumps(to_json(made)))) == made
    usual = only(plan(shares(4), inputs(**night)))
    assert detail_words(usual) == "AMO would wait for 06 Oct; phase closed takes no MARKET order"
    # The band known at night is the last session's; a slip of a digit is caught all the same.
    night |= {"lower_circuit_paise": 2_400_00, "upper_circuit_paise": 2_600_00}
    far = shares(4, after_market=True, order_type=OrderType.LIMIT, limit_paise=2_100_00)
    assert only(plan(far, inputs(**night))).ok
    for wish in (replace(far, after_market=False), replace(far, limit_paise=250_00)):
        with pytest.raises(BadInput, match="inside the day's band"):
            plan(wish, inputs(**night))


def test_an_order_for_the_next_session_is_taken_between_sessions_and_where_the_broker_does() -> None:
    wish = shares(4, after_market=True)
    line = only(plan(wish, inputs(after_market=True)))
    assert line.reason is Reason.MARKET_CLOSED
    assert detail_words(line) == "AMO is taken between two sessions, and one is on: phase continuous"
    with pytest.raises(BadInput, match="takes no orders for the next session"):
        plan(wish, inputs(phase_kind=PhaseKind.CLOSED, awaited_day=DAY))
    with pytest.raises(BadInput, match="give one of DAY, IOC, AMO"):
        plan(replace(wish, validity=Validity.IOC), inputs(after_market=True))


def test_a_plan_stored_before_orders_had_a_standing_reads_as_one_for_the_day() -> None:
    record = json.loads(json.dumps(to_json(plan(shares(4), inputs()))))
    del record["intent"]["validity"], record["intent"]["after_market"]
    assert from_json(record).intent == shares(4)


def test_a_client_traded_for_on_its_word_needs_an_instruction_which_is_frozen_into_its_line() -> None:
    told = client(1, discretionary=False, ref="call 09:05")
    free, silent = client(2, ref="mail 09:00"), client(3, discretionary=False)
    made = plan(buy(), inputs(told, free, silent))
    refs = {line.code: (line.reason, line.ref) for line in made.lines}
    assert refs == {
        "C0001": (None, "call 09:05"),
        "C0002": (None, ""),
        "C0003": (Reason.INSTRUCTION_MISSING, ""),
    }
    named = plan(buy(ref="call 09:12"), inputs(told, free, silent))
    assert [(line.ok, line.ref) for line in named.lines] == [(True, "call 09:12")] * 3
    frozen = freeze(named, 1, NOW)
    assert from_json(json.loads(json.dumps(to_json(frozen)))) == frozen
    assert "ref" not in to_json(plan(buy(), inputs()))["intent"], "what is not said is no part of a record"
    for wrong in ("x" * 61, "two\nlines"):
        with pytest.raises(BadInput, match="ref"):
            plan(buy(ref=wrong), inputs())


def test_a_clients_multiplier_scales_what_is_sized_alike_for_many_and_nothing_else() -> None:
    half, double = (
        client(1, multiplier_bps=5_000),
        client(2, multiplier_bps=20_000, available_paise=10 * LAKH),
    )
    of = inputs(half, double, client(3))

    def quantities(kind: SizingKind, value: int, **more: Any) -> dict[str, int]:
        made = plan(buy(sizing=Sizing(kind, value), **more), of)
        return {line.code: line.quantity for line in made.lines}

    scaled = {"C0001": 5, "C0002": 20, "C0003": 10}
    assert quantities(SizingKind.FIXED_QUANTITY, 10, multiplied=True) == scaled
    assert quantities(SizingKind.FIXED_AMOUNT, 25_000_00, multiplied=True) == scaled
    assert quantities(SizingKind.PERCENT_OF_CAPITAL, 2_500, multiplied=True) == scaled
    assert set(quantities(SizingKind.FIXED_QUANTITY, 10).values()) == {10}
    made = plan(buy(sizing=Sizing(SizingKind.FIXED_QUANTITY, 10), multiplied=True), of)
    assert {line.code: line.multiplier_bps for line in made.lines}["C0002"] == 20_000
    by_hand = buy(multiplied=True, line_changes=(LineChange(2, 7),))
    assert {line.code: line.quantity for line in plan(by_hand, of).lines}["C0002"] == 7
    holding = client(1, multiplier_bps=20_000, holdings=(HeldShares(Product.CNC, 8, 8),))
    part = sell(sizing=Sizing(SizingKind.PERCENT_OF_POSITION, 5_000), multiplied=True)
    assert only(plan(part, inputs(holding))).quantity == 4


def test_a_size_may_be_a_part_of_the_portfolio_or_what_is_missing_at_a_target_weight() -> None:
    held = (HeldShares(Product.CNC, 6, 6), HeldShares(Product.MTF, 2, 2))
    owner = client(1, portfolio_paise=4 * LAKH, holdings=held)
    of_all = buy(sizing=Sizing(SizingKind.PERCENT_OF_PORTFOLIO, 1_000))
    assert only(plan(of_all, inputs(owner))).quantity == 16
    to_weight = Sizing(SizingKind.TARGET_WEIGHT, 1_000)
    line = only(plan(buy(sizing=to_weight), inputs(owner)))
    assert (line.quantity, line.base_paise, line.allocation_paise) == (8, 4 * LAKH, 20_000_00)
    assert only(plan(buy(sizing=to_weight), inputs(replace(owner, ordered=3)))).quantity == 5
    full = only(plan(buy(sizing=Sizing(SizingKind.TARGET_WEIGHT, 500)), inputs(owner)))
    assert (full.reason, detail_words(full)) == (
        Reason.QUANTITY_ZERO,
        "at 5.00 % of its portfolio, 5.00 % wanted",
    )
    down = sell(sizing=Sizing(SizingKind.TARGET_WEIGHT, 250))
    assert sum(line.quantity for line in plan(down, inputs(owner)).lines) == 4
    unknown = only(plan(of_all, inputs(client())))
    assert (unknown.reason, "not known" in detail_words(unknown)) == (Reason.PRICE_STALE, True)


def test_a_limit_order_may_show_a_tenth_of_itself_or_more_but_not_all() -> None:
    limit = {"order_type": OrderType.LIMIT, "limit_paise": 2_500_00}

    def shown(quantity: int, disclosed: int, **more: object) -> PlanLine:
        size = Sizing(SizingKind.FIXED_QUANTITY, quantity)
        intent = buy(sizing=size, disclosed_quantity=disclosed, **{**limit, **more})
        return only(plan(intent, inputs(client(available_paise=10 * LAKH))))

    assert [shown(30, disclosed).ok for disclosed in (0, 2, 3, 29, 30)] == [True, False, True, True, False]
    assert "shows 3 at least and less than all" in detail_words(shown(30, 2))
    for wrong in ({"order_type": OrderType.MARKET, "limit_paise": None}, {"validity": Validity.IOC}):
        with pytest.raises(BadInput, match="disclosed"):
            shown(30, 3, **wrong)
    plain = buy(sizing=Sizing(SizingKind.FIXED_QUANTITY, 30), disclosed_quantity=3, **limit)
    (line,) = plan(plain, inputs(client(available_paise=10 * LAKH, takes_disclosed=False))).lines
    assert line.reason is Reason.DISCLOSED_QUANTITY
