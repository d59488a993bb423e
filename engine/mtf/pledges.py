"""Pledges of what was bought on margin: who has to accept what by when. Pure."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from msgspec import Struct

from data.clock import IST
from data.reference.mtf import MtfTerms
from data.repositories.mtf import AcceptedPledge, FreshShares
from data.vocabulary import Demat, MissedPledge, PledgeState

_AT_ONCE = (Demat.DDPI, Demat.POA)


class PledgeView(Struct, frozen=True):
    """What a client bought of a stock on margin on a day, and how far its pledge is; money in paise.

    It is to be accepted by `accept_by`, else it becomes of it what `missed` says. `verified` is false where
    the broker's own pages differ in that time.
    """

    client_id: int
    security: str
    key: str
    tradingsymbol: str
    bought_on: date
    quantity: int
    loan_paise: int
    state: PledgeState
    accept_by: datetime
    missed: MissedPledge
    verified: bool
    accepted_by: str = ""
    note: str = ""

    @property
    def open(self) -> bool:
        """Whether somebody has to accept it still."""
        return self.state in (PledgeState.PENDING, PledgeState.OVERDUE)


def queue_of(
    fresh: Iterable[FreshShares],
    accepted: Iterable[AcceptedPledge],
    terms_of: Callable[[int, date], MtfTerms],
    demat_of: Callable[[int], Demat],
    now: datetime,
) -> list[PledgeView]:
    """The pledges of what has not settled, those to be accepted first, the earliest deadline before others.

    An acceptance counts for as many shares as it was of: what was bought later that day waits anew. What has
    settled is no part of it: the broker holds it, and goes on lending on it.
    """
    bought: dict[tuple[int, str, date], list[FreshShares]] = {}
    for one in fresh:
        bought.setdefault((one.client_id, one.security, one.bought_on), []).append(one)
    said = {(one.client_id, one.security, one.bought_on): one for one in accepted}
    found: list[PledgeView] = []
    for share, lots in bought.items():
        client_id, security, day = share
        pledge = terms_of(client_id, day).pledge
        accept_by = datetime.combine(day, pledge.accept_by, IST).astimezone(UTC)
        quantity, word = sum(one.quantity for one in lots), said.get(share)
        state = PledgeState.PENDING if now <= accept_by else PledgeState.OVERDUE
        if pledge.ddpi_accepts and demat_of(client_id) in _AT_ONCE:
            state = PledgeState.AUTOMATIC
        elif word is not None and word.quantity >= quantity:
            state = PledgeState.ACCEPTED
        found.append(
            PledgeView(
                client_id,
                security,
                lots[0].key,
                lots[0].tradingsymbol,
                day,
                quantity,
                sum(one.loan_paise for one in lots),
                state,
                accept_by,
                pledge.missed,
                pledge.verified,
                "" if word is None else word.accepted_by,
                "" if word is None else word.note,
            )
        )
    return sorted(found, key=lambda one: (not one.open, one.accept_by, one.client_id, one.tradingsymbol))
