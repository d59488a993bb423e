"""What needs somebody else's confirmation before it is sent: buys worth more than the limit that was set.

A sale makes a position smaller and needs none; nor does whatever cancels, stops or takes flat.
"""

from data.vocabulary import Side
from engine.book.people_views import ApprovalLimit, People
from engine.planning.plan import Plan


def worth_paise(made: Plan) -> int:
    """What the buys of a plan are worth at the price that they are reserved at, or at the last."""
    return sum(
        line.quantity * (part.reserve_price_paise or part.last_paise)
        for part in made.parts
        if part.intent.side is Side.BUY
        for line in part.ok_lines
    )


def limit_over(people: People, made: Plan) -> ApprovalLimit | None:
    """The limit that a plan is worth more than; None where it needs nobody else."""
    limit = people.limit if people.any else None
    return limit if limit is not None and worth_paise(made) > limit.above_paise else None
