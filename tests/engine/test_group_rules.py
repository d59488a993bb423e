"""Rules of groups: what may be typed, what it is true of, and what is said of what may not."""

import pytest

from data.errors import BadInput
from data.roster import StoredRule
from data.vocabulary import ClientStatus, Product, SessionState
from engine.book.group_rules import DEEPEST, RuleSubject, read_rules, rule_from
from engine.book.views import ClientView, FundsView, HoldingView

CLIENT = ClientView(
    id=1,
    code="AM1042",
    name="Aarav Mehta",
    broker="zerodha",
    broker_user_id="DR1",
    status=ClientStatus.ACTIVE,
    status_reason="",
    status_since=None,
    session=SessionState.OK,
    route="own",
    capital_paise=6_00_000_00,
    mtf_limit_paise=2_00_000_00,
    groups=("Family", "rich"),
    phone="",
    fixed_groups=("Family",),
)
FUNDS = FundsView(1, available_paise=50_000_00, mtf_limit_paise=2_00_000_00, mtf_loan_paise=1_20_000_00)
TCS = HoldingView(1, "INE1", "NSE:TCS", "TCS", Product.CNC, 0, 0, 5, 0, 0, 100)
SUBJECT = RuleSubject(CLIENT, FUNDS, (TCS,))


@pytest.mark.parametrize(
    ("rule", "true"),
    [
        ("capital > 5L and broker = zerodha", True),
        ("capital>5L and broker=zerodha", True),
        ("CAPITAL >= 6,00,000 AND Broker = ZERODHA", True),
        ("capital > 0.06cr", False),
        ("capital = ₹600000", True),
        ("cash < 50k", False),
        ("cash <= 50k", True),
        ("mtf-used > 59.9 and mtf_used < 60.1", True),
        ("loan > 1L or broker = upstox and capital > 1cr", True),
        ("(loan > 1L or broker = upstox) and capital > 1cr", False),
        ("not broker = upstox", True),
        ("not (broker = zerodha or mtf)", False),
        ("mtf and not paused and ready and discretionary", True),
        ("multiplier = 1", True),
        ("holds = tcs", True),
        ("holds != tcs", False),
        ("group = family", True),
        ("group = rich", False),  # a group by rule is asked about by no other
        ("name = 'Aarav Mehta'", True),
        ('name = "aarav mehta" and code != X1', True),
    ],
)
def test_a_rule_is_true_of_a_client_as_it_reads(rule, true):
    assert rule_from(rule).holds(SUBJECT) is true


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("", "", "give 1 to"),
        ("captial > 5L", "captial", "did you mean capital"),
        ("capital > ", ">", "give what it is compared with behind it"),
        ("capital", "capital", "behind it"),
        ("capital 5L", "5L", "compare capital by one of"),
        ("capital > five", "five", "units are"),
        ("capital > 5X", "5X", "units are"),
        ("capital > 0.001", "0.001", "as a number"),
        ("broker > zerodha", ">", "compare it by = or !="),
        ("broker = zerodha capital > 5L", "capital", "and or or"),
        ("(capital > 5L", "(", "close the bracket"),
        ("capital > 5L)", ")", "and or or"),
        ("capital > 5L and", "and", "give a field behind it"),
        ("broker = and", "and", "quote a word"),
        ("name = 'Aarav", "'Aarav", "close every quote"),
        ("mtf = yes", "=", "and or or"),
        ("__import__('os')", "__import__", "fields are"),
        ("x" * 400, "x" * 400, "give 1 to"),
        ("(" * (DEEPEST + 2) + "mtf" + ")" * (DEEPEST + 2), "(", "at most"),
    ],
)
def test_what_cannot_be_taken_is_named_with_what_would_be_right(rule, value, expected):
    with pytest.raises(BadInput) as refused:
        rule_from(rule)
    assert refused.value.field == "rule"
    assert refused.value.value == value
    assert expected in refused.value.expected


def test_a_stored_rule_that_is_not_understood_is_true_of_nobody():
    rules = read_rules([StoredRule("old", "colour = red"), StoredRule("rich", "capital > 1")])
    assert [name for name, rule in rules.items() if rule.holds(SUBJECT)] == ["rich"]
