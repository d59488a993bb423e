"""The certificate of a halt: what a cancel-all did, per client and per order, as shown and stored."""

import contextlib
import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, convert, to_builtins

from data.home import certificates_folder
from data.json_values import JsonObject
from data.records import replace
from data.vocabulary import HaltScope, HaltStrength


class OrderResult(StrEnum):
    """What became of an order under a halt, as certificates store it."""

    CANCELLED = "cancelled"
    FILLED = "filled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DENIED = "denied"
    NOT_RECEIVED = "not_received"
    UNSENT = "unsent"
    REFUSED = "refused"
    """Its broker did not take the cancel."""
    LIVE = "live"
    UNKNOWN = "unknown"
    TRIED = "tried"
    """No cancel of it has left this machine."""


NOT_ENDED = (OrderResult.UNKNOWN, OrderResult.LIVE, OrderResult.TRIED)
"""Results of orders of which nobody can say that they have ended."""


class CertificateOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one order under a halt; `result` is an `OrderResult`, or another version's word."""

    order_id: int
    client_id: int
    key: str
    side: str
    quantity: int
    filled_quantity: int
    result: str
    released_paise: int


class CertificateExternal(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a live order that this desk had not sent, such as one from the client's phone."""

    client_id: int
    broker_order_id: str
    key: str
    side: str
    quantity: int
    result: str


class CertificateUnread(Struct, frozen=True, forbid_unknown_fields=True):
    """A client whose books were not read after the halt and its last cancel: what lives there is not known.

    `why` is in the broker's words, empty while the first read is under way; `tried` counts cancels of which
    nothing left this machine; `emergency` is what the client can still do at its broker.
    """

    client_id: int
    code: str
    name: str
    why: str
    tried: int
    emergency: tuple[str, ...]


class CertificateRow(Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a client's order book that could not be read: what is odd, and whether it may still trade."""

    client_id: int
    code: str
    words: str
    broker_order_id: str
    may_live: bool


class CertificatePassedOver(Struct, frozen=True, forbid_unknown_fields=True):
    """A client's live order that a cancel-all does not touch: of a segment or a product not traded here."""

    client_id: int
    code: str
    broker_order_id: str
    what: str
    tradingsymbol: str
    side: str
    quantity: int


class CertificateConditional(Struct, frozen=True, forbid_unknown_fields=True):
    """A GTT or an alert that was active at the broker, and what became of it."""

    client_id: int
    code: str
    kind: str
    number: str
    what: str
    result: str


class CertificateLine(Struct, frozen=True, forbid_unknown_fields=True):
    """What a halt did for one client; money in paise.

    Times are seconds after the halt: when the client's first and last cancel left, and when its last order
    ended; None where there was none. `tried` counts orders of which no cancel has left this machine.
    """

    client_id: int
    code: str
    name: str
    cancelled: int
    filled: int
    refused: int
    unknown: int
    released_paise: int
    available_before_paise: int
    available_now_paise: int
    note: str = ""
    first_cancel_s: float | None = None
    last_cancel_s: float | None = None
    ended_s: float | None = None
    tried: int = 0


class CertificateDesk(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a halt at one of several desks, by the clients that it had as the halt was fired.

    Times are seconds after the halt: when it knew of it, None where it has not said so; and when the
    broker's answers to its first and last cancel were booked. `unknown` are the orders that nobody can say
    have ended, `lives` whether it was open as this was read.
    """

    number: int
    name: str
    clients: int
    orders: int
    cancelled: int
    filled: int
    unknown: int
    knew_s: float | None = None
    first_cancel_s: float | None = None
    last_cancel_s: float | None = None
    lives: bool = True

    @property
    def reached(self) -> bool:
        """Whether it has said that it knows."""
        return self.knew_s is not None


LATER = (
    "clients",
    "tried",
    "unread",
    "not_signed_in",
    "unread_rows",
    "passed_over",
    "conditionals",
    "conditionals_unread",
)
"""Fields that certificates of earlier versions lack."""


class Certificate(Struct, frozen=True, forbid_unknown_fields=True, rename={"external": "strangers"}):
    """The proof of a cancel-all.

    `ended` says that nothing was live when the books of every client in the round were read back, after the
    halt and after the client's own last cancel; `clients` is how many those are. `unread` are those still to
    be read, `unreachable` how many of them have told why not. `not_signed_in` are the codes of clients who
    had no session at the halt and nothing live here: nobody could ask for them. `unbooked` is what kept it
    out of the books as it was made: then it tells what the brokers' own books showed, and of nothing freed.
    GTTs and alerts are looked at behind all cancels: `conditionals_at` is when that was last, None before it.
    `not_known` are the fields that the version which made it did not keep: their values say nothing. Under a
    halt of `strength` reduce it says nothing of orders that left afterwards since they reduce.
    """

    number: int
    scope: HaltScope
    value: str
    by: str
    at: datetime
    last_read_at: datetime | None
    ended: bool
    cancelled: int
    filled_meanwhile: int
    refused: int
    unknown: int
    unreachable: int
    unsent_freed: int
    released_paise: int
    blocked_before_paise: int
    still_blocked_paise: int
    lines: tuple[CertificateLine, ...]
    orders: tuple[CertificateOrder, ...]
    external: tuple[CertificateExternal, ...] = ()
    first_cancel_s: float | None = None
    last_cancel_s: float | None = None
    clients: int = 0
    tried: int = 0
    unread: tuple[CertificateUnread, ...] = ()
    not_signed_in: tuple[str, ...] = ()
    unread_rows: tuple[CertificateRow, ...] = ()
    passed_over: tuple[CertificatePassedOver, ...] = ()
    conditionals: tuple[CertificateConditional, ...] = ()
    conditionals_unread: tuple[str, ...] = ()
    conditionals_at: datetime | None = None
    unbooked: str = ""
    not_known: tuple[str, ...] = ()
    strength: HaltStrength = HaltStrength.ALL
    desks: tuple[CertificateDesk, ...] = ()

    def says_other_than(self, other: "Certificate") -> bool:
        """Whether it tells other ends or other clients; when and in which words it was read says nothing."""
        return _essence(self) != _essence(other)

    def to_json(self) -> JsonObject:
        """As JSON values: money in `_paise` keys, times as UTC ISO."""
        times = ("at", "last_read_at", "conditionals_at")
        told = {name: None if (at := getattr(self, name)) is None else at.isoformat() for name in times}
        return to_builtins(self) | told

    @staticmethod
    def from_json(values: JsonObject) -> "Certificate":
        """A stored certificate. Raises `ValueError` for what is none."""
        made = convert(values, Certificate)
        return replace(made, not_known=(*made.not_known, *(name for name in LATER if name not in values)))


def _essence(made: Certificate) -> tuple[object, ...]:
    unread = tuple(one.client_id for one in made.unread)
    beside = made.passed_over, made.conditionals, made.conditionals_unread
    desks = tuple((one.number, one.cancelled, one.filled, one.unknown, one.reached) for one in made.desks)
    return made.ended, made.orders, made.external, unread, made.unread_rows, beside, desks


def write_certificate(home: Path, made: Certificate, version: int) -> None:
    """Keep a copy of the certificate outside the database, in the home's `certificates` folder.

    Later versions stand beside the first, such as `halt-3.json` and `halt-3-2.json`.
    """
    folder, later = certificates_folder(home), "" if version == 1 else f"-{version}"
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / f"halt-{made.number}{later}.json").write_text(
            json.dumps(made.to_json(), indent=2, ensure_ascii=False), encoding="utf-8"
        )
