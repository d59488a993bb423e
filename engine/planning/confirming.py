"""What needs somebody else's confirmation before it is sent: buys worth more than the limit that was set.

Several small ones are added up: whatever the same person has bought of a security without a confirmation, or
lifted by a modify, counts for a quarter of an hour with what they buy of it next. A sale makes a position
smaller and needs none; nor does whatever cancels, stops or takes flat.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from data.errors import BadInput
from data.repositories.base import On
from data.repositories.people import approval_rule, is_rule_as_told
from data.repositories.unconfirmed import bought_unconfirmed, raised_unconfirmed
from data.vocabulary import Side
from engine.book.people_views import ApprovalLimit, People
from engine.planning.plan import Plan

COUNTED_FOR = timedelta(minutes=15)
"""How long one buy counts with the next: as long as a plan may be confirmed (`Rules.confirmed_valid_s`)."""


class Weighed(Struct, frozen=True):
    """What buys are worth, what was bought of one of their securities before, and the limit they are above.

    `limit` is None where they need nobody else.
    """

    worth_paise: int
    before_paise: int = 0
    limit: ApprovalLimit | None = None


def worth_paise(made: Plan) -> int:
    """What the buys of a plan are worth at the price that they are reserved at, or at the last."""
    return sum(_bought(made).values())


def _bought(made: Plan) -> Mapping[str, int]:
    """The same by security."""
    worth = Counter[str]()
    for part in made.parts:
        if part.intent.side is Side.BUY:
            price = part.reserve_price_paise or part.last_paise
            worth[part.instrument.security] += sum(line.quantity * price for line in part.ok_lines)
    return worth


def weighed(on: On, people: People, made: Plan, persons: Collection[str], now: datetime) -> Weighed:
    """Whether a plan of these persons, who made it and who sends it, needs others."""
    bought = _bought(made)
    worth, limit = sum(bought.values()), people.limit if people.any else None
    if limit is None or worth > limit.above_paise:
        return Weighed(worth, 0, limit)
    before = _before(on, persons, bought.keys(), now, made.number)
    most = max(bought, key=lambda security: bought[security] + before[security], default=None)
    if most is None or bought[most] + before[most] <= limit.above_paise:
        return Weighed(worth)
    return Weighed(worth, before[most], limit)


def check_rule(on: On) -> None:
    """Hold the limit of approvals against what the audit says of it. Raises `BadInput`."""
    if not is_rule_as_told(on, approval_rule(on)):
        raise BadInput(
            "limit", "approvals", "it is not as the audit left it; let the doctor look at the books"
        )


def weighed_change(
    on: On, people: People, security: str, worth: int, more_paise: int, person: str, now: datetime
) -> Weighed:
    """Whether a modify needs others that makes a buy worth so much, by so much more than it was."""
    limit = people.limit if people.any else None
    if limit is None or more_paise <= 0:
        return Weighed(worth)
    if worth > limit.above_paise:
        return Weighed(worth, 0, limit)
    before = _before(on, (person,), (security,), now)[security]
    above = more_paise + before > limit.above_paise
    return Weighed(worth, before, limit) if above else Weighed(worth)


def _before(
    on: On, persons: Collection[str], securities: Collection[str], now: datetime, but_of: int | None = None
) -> Counter[str]:
    """What these persons have bought of the securities, and lifted, without a confirmation, but by a plan."""
    since = now - COUNTED_FOR
    found = Counter(bought_unconfirmed(on, persons, securities, since, but_of or 0))
    found.update(raised_unconfirmed(on, persons, securities, since))
    return found
