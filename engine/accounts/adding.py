"""Clients added in one unit of work, with their opening money; and what is against taking one from a file."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from data.audit import AuditAction, AuditEntry
from data.csvfiles import Problem
from data.ledger import Line, Transfer, post
from data.reference.phases import Calendar
from data.repositories.accounts import clients as stored
from data.repositories.accounts.clients import ClientRow, HoldRow
from data.repositories.accounts.standing import standing_of_client
from data.repositories.base import On
from data.store import Unit
from data.vocabulary import Account, ClientStatus, HoldKind, TransferKind
from engine.accounts.client_edit import standing_words
from engine.accounts.client_file import NewClient
from engine.accounts.opening_shares import OpeningLot, open_shares


def closing_problems(
    on: On, existing: Mapping[str, ClientRow], number: int, client: NewClient
) -> list[Problem]:
    """What is against a row of a file that closes its client."""
    before = existing.get(client.code.upper())
    if client.status is not ClientStatus.CLOSED or (before and before.status is ClientStatus.CLOSED):
        return []
    if before is None:
        return [Problem(number, "status", client.status.value, "add it as active, inactive or pending")]
    words = standing_words(standing_of_client(on, before.id))
    problem = Problem(
        number, "status", client.status.value, f"it cannot be closed while something stands: {words}"
    )
    return [problem] if words else []


def _account(client: ClientRow | NewClient) -> tuple[str, str]:
    return client.broker, client.broker_user_id.upper()


def clashes(
    existing: Mapping[str, ClientRow], by_row: Mapping[int, NewClient], change_existing: bool
) -> list[Problem]:
    """Clients of a file whose code or account is another's on the desk."""
    taken = {_account(client): client.code for client in existing.values()}
    problems: list[Problem] = []
    for number, client in by_row.items():
        before = existing.get(client.code.upper())
        holder = taken.get(_account(client))
        if before is not None and not change_existing:
            words = "it is on the desk already; --update changes its words"
            problems.append(Problem(number, "code", client.code, words))
        elif (before := existing.get(client.code.upper())) is not None and _account(before) != _account(
            client
        ):
            words = f"{before.code} is {before.broker_user_id} at {before.broker}; a file changes no account"
            problems.append(Problem(number, "broker_user_id", client.broker_user_id, words))
        elif holder is not None and holder.upper() != client.code.upper():
            words = f"client {holder} has this account"
            problems.append(Problem(number, "broker_user_id", client.broker_user_id, words))
    return problems


def add_clients(
    unit: Unit,
    numbered: Sequence[tuple[int, NewClient]],
    day: date,
    actor: str,
    carrier_for: Callable[[str], str],
    calendar: Calendar,
) -> None:
    """Insert clients with their opening money, holds, shares and today's sizing base.

    `carrier_for` names the connection for a broker's clients. Raises `BadInput` for shares that nobody can
    hold as the day opens.
    """
    rows = [_client_row(unit, client_id, new, carrier_for(new.broker)) for client_id, new in numbered]
    stored.add_clients(unit, rows)
    stored.add_funds(unit, [(client_id, new.mtf_limit_paise) for client_id, new in numbered])
    stored.add_to_groups(unit, [(client_id, name) for client_id, new in numbered for name in new.groups])
    stored.add_bases(unit, day, [(client_id, new.capital_paise) for client_id, new in numbered], "import")
    transfers = [
        Transfer(
            client_id,
            TransferKind.OPENING,
            day,
            [Line(Account.AVAILABLE, total), Line(Account.EXTERNAL, -total)],
            evidence="import",
        )
        for client_id, new in numbered
        if (total := new.available_paise + new.hold_paise)
    ]
    held = [pair for pair in numbered if pair[1].hold_paise]
    holds = [
        HoldRow(
            hold_id, client_id, HoldKind.PAYOUT, new.hold_paise, "payout asked for by the client", unit.now
        )
        for hold_id, (client_id, new) in zip(unit.take_ids("hold", len(held)), held, strict=True)
    ]
    transfers += [
        Transfer(
            hold.client_id,
            TransferKind.HOLD,
            day,
            [Line(Account.AVAILABLE, -hold.amount_paise), Line(Account.BLOCKED, hold.amount_paise)],
            evidence=f"hold:{hold.id}",
        )
        for hold in holds
    ]
    stored.add_holds(unit, holds)
    owned = [(client_id, lot) for client_id, new in numbered for lot in new.shares]
    post(unit, transfers + open_shares(unit, owned, day, calendar))
    for client_id, new in numbered:
        details: dict[str, object] = {
            "code": new.code,
            "broker": new.broker,
            "status": new.status.value,
            "capital_paise": new.capital_paise,
            "available_paise": new.available_paise,
        }
        if new.shares:
            details["shares"] = [_lot_details(lot) for lot in new.shares]
        unit.audit(AuditEntry(AuditAction.CLIENT_ADDED, actor, client_id=client_id, details=details))


def _lot_details(lot: OpeningLot) -> dict[str, object]:
    return {
        "symbol": lot.instrument.key,
        "product": lot.product.value,
        "quantity": lot.quantity,
        "cost_paise": lot.cost_paise,
        "loan_paise": lot.loan_paise,
        "bought_on": lot.bought_on.isoformat(),
    }


def _client_row(unit: Unit, client_id: int, new: NewClient, connection: str) -> ClientRow:
    return ClientRow(
        id=client_id,
        code=new.code,
        name=new.name,
        broker=new.broker,
        broker_user_id=new.broker_user_id,
        status=new.status,
        status_reason=new.status_reason,
        status_since=new.status_since,
        session=new.session,
        capital_paise=new.capital_paise,
        phone=new.phone,
        created_at=unit.now,
        updated_at=unit.now,
        connection=connection,
        discretionary=new.discretionary,
        multiplier_bps=new.multiplier_bps,
    )
