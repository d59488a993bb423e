"""A conversion before it is asked for, and what became of it."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from data.errors import TradedeskError
from data.vocabulary import ConversionState, Product


class ConversionProspect(Struct, frozen=True):
    """What converting a client's shares takes now: `loan_paise` is lent on them, and is repaid from its cash.

    `why_not` says in words why it cannot be done, empty where it can. `until` is the broker's cut-off.
    """

    client_id: int
    code: str
    key: str
    tradingsymbol: str
    from_product: Product
    to_product: Product
    quantity: int
    loan_paise: int
    available_paise: int
    until: datetime | None
    why_not: str = ""

    @property
    def answer(self) -> str:
        """What the trader types to ask for it, such as `convert 40`."""
        return f"convert {self.quantity}"


class ConversionView(Struct, frozen=True):
    """A conversion as it stands; `detail` is in the broker's words."""

    number: int
    client_id: int
    tradingsymbol: str
    from_product: Product
    to_product: Product
    quantity: int
    loan_paise: int
    state: ConversionState
    detail: str
    asked_at: datetime
    ended_at: datetime | None


class ConversionEnd(Struct, frozen=True):
    """What one of several conversions came to; without a view it was refused before the broker was asked."""

    wanted: ConversionProspect
    view: ConversionView | None
    refusal: TradedeskError | None = None


def answer_of(wanted: Sequence[ConversionProspect]) -> str:
    """What the trader types to have several converted, by how many can be: `convert 3`."""
    return f"convert {sum(not one.why_not for one in wanted)}"
