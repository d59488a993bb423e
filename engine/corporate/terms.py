"""What a company's action is here: which share it is of, what it does, what it waits for."""

from datetime import date
from fractions import Fraction

from msgspec import Struct

from data.reference.company_actions import ActionTerms, terms_of
from data.repositories.accounts.actions import NamedShare, share_named
from data.repositories.base import On
from data.repositories.mtf import StoredAction
from data.vocabulary import CorporateAction


class ShareAction(Struct, frozen=True):
    """An action with its share; `into` is the share that a merger turns it into."""

    told: StoredAction
    share: NamedShare
    terms: ActionTerms
    into: NamedShare | None = None

    @property
    def opened_on(self) -> date:
        """From when shares that it makes count as held."""
        return self.told.allotted_on or self.told.ex_date

    @property
    def on_proof(self) -> bool:
        """Whether it takes shares away, so that it is booked once the broker's books show exactly it."""
        return self.told.kind is CorporateAction.MERGER or self.terms.shares < 1

    @property
    def evidence(self) -> str:
        """What its transfers name as their reason."""
        return f"action:{self.told.key} {self.told.ex_date.isoformat()} {self.told.purpose}"


def action_of(on: On, told: StoredAction) -> ShareAction | None:
    """The action as it can be booked; None where its words say too little, or a share is not known here."""
    share, terms = share_named(on, told.key), terms_of(told.kind, told.purpose)
    if share is None or terms is None:
        return None
    if told.kind is not CorporateAction.MERGER:
        return ShareAction(told, share, terms)
    into = share_named(on, told.becomes if ":" in told.becomes else f"{share.exchange}:{told.becomes}")
    return None if into is None or into.security == share.security else ShareAction(told, share, terms, into)


def made_of(quantity: int, shares_of_one: Fraction) -> tuple[int, str]:
    """How many whole shares so many become, and the part of one that is paid in cash, as `1/2`."""
    whole = quantity * shares_of_one
    part = whole - int(whole)
    return int(whole), f"{part.numerator}/{part.denominator}" if part else ""
