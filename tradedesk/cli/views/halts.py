"""The shape of a halt's certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.records import replace
from tradedesk.cli.views import values

if TYPE_CHECKING:
    from datetime import datetime

    from data.vocabulary import HaltScope, HaltStrength
    from engine.halt.certificate import (
        Certificate,
        CertificateConditional,
        CertificateDesk,
        CertificateExternal,
        CertificateLine,
        CertificateOrder,
        CertificatePassedOver,
        CertificateRow,
        CertificateUnread,
    )


class CertificateShape(Struct, frozen=True):
    """What a halt did: counts, money released, clients, orders; null where its version did not keep it."""

    number: int
    scope: HaltScope
    value: str
    by: str
    at: datetime
    last_read_at: datetime | None
    ended: bool
    cancelled: int | None
    filled_meanwhile: int | None
    refused: int | None
    unknown: int | None
    unreachable: int | None
    tried: int | None
    read: int | None
    unread: tuple[CertificateUnread, ...] | None
    not_signed_in: tuple[str, ...] | None
    unread_rows: tuple[CertificateRow, ...] | None
    passed_over: tuple[CertificatePassedOver, ...] | None
    conditionals: tuple[CertificateConditional, ...] | None
    conditionals_unread: tuple[str, ...] | None
    conditionals_at: datetime | None
    unbooked: str | None
    unsent_freed: int | None
    released_paise: int | None
    blocked_before_paise: int | None
    still_blocked_paise: int | None
    clients: tuple[CertificateLine, ...] | None
    orders: tuple[CertificateOrder, ...] | None
    strangers: tuple[CertificateExternal, ...] | None
    first_cancel_s: float | None
    last_cancel_s: float | None
    strength: HaltStrength
    desks: tuple[CertificateDesk, ...] | None


def certificate_shape(made: Certificate) -> CertificateShape:
    """The certificate in that shape."""
    shape = CertificateShape(
        number=made.number,
        scope=made.scope,
        value=made.value,
        by=made.by,
        at=made.at,
        last_read_at=made.last_read_at,
        ended=made.ended,
        cancelled=made.cancelled,
        filled_meanwhile=made.filled_meanwhile,
        refused=made.refused,
        unknown=made.unknown,
        unreachable=made.unreachable,
        tried=made.tried,
        read=made.clients - len(made.unread),
        unread=made.unread,
        not_signed_in=made.not_signed_in,
        unread_rows=made.unread_rows,
        passed_over=made.passed_over,
        conditionals=made.conditionals,
        conditionals_unread=made.conditionals_unread,
        conditionals_at=made.conditionals_at,
        unbooked=made.unbooked,
        unsent_freed=made.unsent_freed,
        released_paise=made.released_paise,
        blocked_before_paise=made.blocked_before_paise,
        still_blocked_paise=made.still_blocked_paise,
        clients=made.lines,
        orders=made.orders,
        strangers=made.external,
        first_cancel_s=made.first_cancel_s,
        last_cancel_s=made.last_cancel_s,
        strength=made.strength,
        desks=made.desks,
    )
    not_known = {"read" if name == "clients" else name for name in made.not_known}
    return replace(shape, **dict.fromkeys(not_known & values(shape).keys()))
