"""Clients' consents where orders leave: as their rows stand in the transaction that reserves or claims."""

from collections.abc import Collection, Sequence
from datetime import date

from data.records import values_of
from data.repositories.accounts.access import standing_consents
from data.store import Unit
from data.vocabulary import ConsentKind, GateColour, GateItem, Product, Reason, Side
from engine.access.judgement import covering, judge_consents
from engine.book.access_views import ConsentView, by_client
from engine.book.book import Book
from engine.book.gate_views import LackingConsent


class ConsentsAtDoor:
    """What these clients have agreed to, for a trading day; not read where none is asked of them or known."""

    def __init__(self, unit: Unit, client_ids: Collection[int], book: Book, day: date) -> None:
        clients = [client for one in client_ids if (client := book.clients.get(one)) is not None]
        alike = {(client.connection, client.discretionary) for client in clients}
        needs = {kind: book.consents_asked(*kind) for kind in alike}
        asked = {client.id: needs[client.connection, client.discretionary] for client in clients}
        whose = [one for one in asked if asked[one] or one in book.access.consents]
        given = by_client([ConsentView(**values_of(one)) for one in standing_consents(unit, whose)])
        self._lacking = {c: _hard(judge_consents(asked[c], given.get(c, ()), day)) for c in whose}
        self._waived = {c for c in whose if (c, GateItem.CONSENT) in book.access.waivers}
        self._covering = {c: covering(given.get(c, ()), day) for c in whose}

    @property
    def lacks(self) -> bool:
        """Whether any of them lacks one."""
        return any(self._lacking.values())

    def barred(self, client_id: int, side: Side, product: Product) -> Reason | None:
        """Why an order of a client may not leave: a hard consent is missing, or ends soon unwaived."""
        if client_id not in self._lacking:
            return None
        on_margin = side is Side.BUY and product is Product.MTF
        for one in self._lacking[client_id]:
            if one.verdict.colour is GateColour.AMBER and client_id in self._waived:
                continue
            if one.kind is not ConsentKind.MTF:
                return Reason.CONSENT_MISSING
            if on_margin:
                return Reason.MTF_NO_CONSENT
        return None

    def covering(self, client_id: int) -> list[int]:
        """The numbers of the consents that hold for a client, as the audit of its order names them."""
        return [one.id for one in self._covering.get(client_id, ())]


def _hard(judged: Sequence[LackingConsent]) -> list[LackingConsent]:
    return [one for one in judged if one.hard and one.verdict.colour is not GateColour.GREEN]
