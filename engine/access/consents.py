"""The register of what clients have agreed to: entered one by one or from a file, ended, never changed."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct, convert

from data.audit import AuditAction, AuditEntry
from data.clock import day_from_text
from data.csvfiles import FileProblem, Problem, control_character, read_rows
from data.errors import BadInput
from data.repositories.accounts import access
from data.repositories.accounts.access import StoredConsent, StoredConsentEnd
from data.store import Unit
from data.vocabulary import ConsentKind
from engine.access.consent_needs import kind_from
from engine.book.access_views import ConsentView
from engine.book.kept import Kept
from engine.instances import ThisEngine

REQUIRED, OPTIONAL = ("code", "kind", "reference"), ("from", "until")
LONGEST = 120
"""Characters of a reference, and of why a consent was ended."""

_EXAMPLE = "AM1042,trading,POA 2026-041,2026-04-01,2027-03-31"
REPLACED = "another stands in its place"


class NewConsent(Struct, frozen=True):
    """A consent as a file or a form gives it; its first and last day count, None where none is said."""

    kind: ConsentKind
    reference: str
    given_from: date | None = None
    until: date | None = None


class ConsentsReport(Struct, frozen=True):
    """What an import did, in consents."""

    added: int
    unchanged: int


def template() -> str:
    """A file of consents with its header and one example row."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow((*REQUIRED, *OPTIONAL))
    return f"{out.getvalue()}{_EXAMPLE}\n"


def check_consent(consent: NewConsent) -> NewConsent:
    """The consent with its reference in plain form. Raises `BadInput` for the first bad value."""
    reference = _plain("reference", consent.reference, "name the paper, call or mail")
    if consent.given_from and consent.until and consent.until < consent.given_from:
        raise BadInput("until", consent.until.isoformat(), f"give {consent.given_from} or a later day")
    return NewConsent(consent.kind, reference, consent.given_from, consent.until)


def day_from(field: str, text: str) -> date | None:
    """A day as typed; None where nothing is. Raises `BadInput`."""
    return day_from_text(text, field, "give a date such as 2027-03-31") if text.strip() else None


def _plain(field: str, text: str, expected: str) -> str:
    typed = " ".join(text.split())
    if not typed or len(typed) > LONGEST or control_character(typed):
        raise BadInput(field, text, f"{expected}, in at most {LONGEST} characters")
    return typed


class Consents:
    """What the desk's clients have agreed to."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine

    def all(self) -> list[ConsentView]:
        """Every consent that was entered, ended ones too: by client's code, oldest first."""
        book = self._kept.book
        return [one for client in book.clients for one in book.access.consents.get(client, ())]

    def of(self, client_id: int) -> list[ConsentView]:
        """A client's consents, ended ones too, oldest first. Raises `BadInput` for an unknown id."""
        self._check_client(client_id)
        return list(self._kept.book.access.consents.get(client_id, ()))

    async def give(self, client_id: int, consent: NewConsent) -> ConsentView:
        """Enter a consent of a client. Raises `BadInput`, also where the same stands already."""
        self._check_client(client_id)
        checked = check_consent(consent)

        def store(unit: Unit) -> int:
            if same_of(checked, access.standing_consents(unit, [client_id])):
                raise BadInput("reference", checked.reference, "this consent stands already")
            return enter(unit, [(client_id, checked)], self._engine.actor)[0]

        number = await self._engine.write_signed_on(store)
        return self._found(client_id, number)

    async def end(self, client_id: int, number: int, why: str) -> ConsentView:
        """Have a consent of a client cover nothing from now on, as it was withdrawn. Raises `BadInput`."""
        self._check_client(client_id)
        typed = _plain("why", why, "say why it ends")

        def store(unit: Unit) -> None:
            found = access.consent_of(unit, number)
            if found is None or found[0].client_id != client_id:
                raise BadInput("number", number, "no consent of this client has this number")
            if found[1] is not None:
                raise BadInput("number", number, f"it was ended on {found[1].at:%d %b %Y}")
            end(unit, [found[0]], typed, self._engine.actor)

        await self._engine.write_signed_on(store)
        return self._found(client_id, number)

    async def import_csv(self, path: Path) -> ConsentsReport:
        """Take the consents of a file, all or none. Raises `FileProblem` naming each bad row.

        What stands already in the same words is left; nothing is ended by a file.
        """
        wanted = self.read_file(path)

        def store(unit: Unit) -> ConsentsReport:
            standing = access.standing_consents(unit, {client_id for client_id, _ in wanted})
            said = {(one.client_id, _said(one)) for one in standing}
            there = [one for one in wanted if one not in said]
            enter(unit, there, self._engine.actor)
            return ConsentsReport(len(there), len(wanted) - len(there))

        return await self._engine.write_signed_on(store)

    def read_file(self, path: Path) -> list[tuple[int, NewConsent]]:
        """Consents of a CSV file, each with whose it is. Raises `FileProblem` with every bad row."""
        problems: list[Problem] = []
        found: dict[tuple[int, NewConsent], None] = {}
        for row in read_rows(path, REQUIRED, OPTIONAL, faults=problems):
            try:
                cells = convert(row.values, _ConsentCells)
                one = self._kept.book.named(cells.code), _of_cells(cells)
                if one in found:
                    raise BadInput("reference", one[1].reference, "this file has the same consent above")
                found[one] = None
            except BadInput as bad:
                problems.append(Problem(row.number, bad.field, str(bad.value), bad.expected))
        if problems:
            raise FileProblem(path, list(dict.fromkeys(problems)))
        return list(found)

    def _check_client(self, client_id: int) -> None:
        if client_id not in self._kept.book.clients:
            raise BadInput("client", client_id, "no client has this id")

    def _found(self, client_id: int, number: int) -> ConsentView:
        return next(one for one in self._kept.book.access.consents[client_id] if one.id == number)


class _ConsentCells(Struct, frozen=True, rename={"given_from": "from"}):
    """A row of the file as it stands."""

    code: str
    kind: str
    reference: str
    given_from: str = ""
    until: str = ""


def _of_cells(cells: _ConsentCells) -> NewConsent:
    given_from, until = day_from("from", cells.given_from), day_from("until", cells.until)
    return check_consent(NewConsent(kind_from(cells.kind), cells.reference, given_from, until))


def same_of(wanted: NewConsent, standing: Sequence[StoredConsent]) -> StoredConsent | None:
    """The consent among a client's standing ones that says the same."""
    return next((one for one in standing if _said(one) == wanted), None)


def _said(stored: StoredConsent) -> NewConsent:
    return NewConsent(stored.kind, stored.reference, stored.given_from, stored.until)


def enter(unit: Unit, consents: Sequence[tuple[int, NewConsent]], actor: str) -> list[int]:
    """Keep consents, each with whose it is, and tell the audit of each; returns their numbers."""
    numbers = list(unit.take_ids("consent", len(consents)))
    rows = [
        StoredConsent(number, client_id, one.kind, one.reference, one.given_from, one.until, actor, unit.now)
        for number, (client_id, one) in zip(numbers, consents, strict=True)
    ]
    access.add_consents(unit, rows)
    for row in rows:
        details = {
            "number": row.id,
            "kind": row.kind.value,
            "reference": row.reference,
            "from": None if row.given_from is None else row.given_from.isoformat(),
            "until": None if row.until is None else row.until.isoformat(),
        }
        unit.audit(AuditEntry(AuditAction.CLIENT_CONSENT, actor, client_id=row.client_id, details=details))
    unit.touched.roster = unit.touched.roster or bool(rows)
    return numbers


def end(unit: Unit, consents: Sequence[StoredConsent], why: str, actor: str) -> None:
    """Have consents cover nothing from now on, and tell the audit of each."""
    access.end_consents(unit, [StoredConsentEnd(one.id, why, actor, unit.now) for one in consents])
    for one in consents:
        details = {"number": one.id, "kind": one.kind.value, "reference": one.reference, "why": why}
        entry = AuditEntry(AuditAction.CLIENT_CONSENT_ENDED, actor, client_id=one.client_id, details=details)
        unit.audit(entry)
    unit.touched.roster = unit.touched.roster or bool(consents)


def _told_of(wanted: NewConsent, standing: Sequence[StoredConsent]) -> StoredConsent | None:
    """The newest consent with this reference and last day."""
    alike = (one for one in standing if (one.reference, one.until) == (wanted.reference, wanted.until))
    return max(alike, key=lambda one: one.id, default=None)


def put_trading(unit: Unit, wanted: Sequence[tuple[int, NewConsent | None]], actor: str) -> set[int]:
    """Have each client's consent to trading be this one alone, or none; returns whose has changed.

    A routes file tells of the newest alone, and no first day: told so again, all stay as they stand.
    """
    standing = defaultdict[int, list[StoredConsent]](list)
    for one in access.standing_consents(unit, {client_id for client_id, _ in wanted}):
        if one.kind is ConsentKind.TRADING:
            standing[one.client_id].append(one)
    changed = set[int]()
    for client_id, consent in wanted:
        own = standing[client_id]
        same = None if consent is None else _told_of(consent, own)
        if same is not None and same is own[-1]:
            continue
        over = [one for one in own if one is not same]
        end(unit, over, REPLACED if consent is not None else "the routes file has none", actor)
        if consent is not None and same is None:
            enter(unit, [(client_id, consent)], actor)
        if over or (consent is not None and same is None):
            changed.add(client_id)
    return changed
