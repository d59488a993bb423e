"""What each role may do, in one table, which is printed in docs and held against engine, commands and app."""

import unicodedata
from collections.abc import Collection, Iterable, Mapping

from data.errors import BadInput
from data.repositories.people import CLIENT, GROUP
from data.vocabulary import Right, Role
from engine.book.people_views import PersonView
from engine.book.views import ClientView

_READS = frozenset({Right.LOOK, Right.READ_CLIENTS})
_TRADES = _READS | {
    Right.READ_AUDIT,
    Right.KEEP_LISTS,
    Right.PLAN,
    Right.SIGN_CLIENTS_IN,
    Right.SEND,
    Right.CANCEL,
    Right.FLATTEN,
    Right.GUARD,
    Right.HALT,
    Right.RESUME,
    Right.APPROVE,
    Right.SETTLE,
    Right.CLOSE,
    Right.CLIENTS,
}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.SUPERVISOR: _READS
    | {
        Right.READ_FIRM,
        Right.READ_AUDIT,
        Right.KEEP_LISTS,
        Right.PLAN,
        Right.CANCEL,
        Right.HALT,
        Right.HALT_FIRM,
        Right.RESUME,
        Right.APPROVE,
        Right.HAND_OVER,
    },
    Role.TRADER: _TRADES,
    Role.ASSISTANT: _READS
    | {Right.READ_AUDIT, Right.KEEP_LISTS, Right.PLAN, Right.SIGN_CLIENTS_IN, Right.HALT},
    Role.AUDITOR: _READS | {Right.READ_FIRM, Right.READ_AUDIT},
    Role.CLIENT: _READS,
}
"""What each role may do."""

ANYBODY = frozenset({Right.HALT})
"""What is done for whoever asks where nobody is signed in: a stop waits for no password."""


FOR_ALL: Mapping[Role, str] = {Role.ADMIN: "an admin", Role.SUPERVISOR: "a supervisor"}
"""Roles that are there for all clients, with their article."""


def known_as(name: str) -> str:
    """A name as it is told from others: in any letter case, however a keyboard composes its signs."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def may(role: Role, right: Right) -> bool:
    """Whether a role may do this; one that is not known here may do nothing."""
    return right in RIGHTS.get(role, frozenset())


def roles_with(right: Right) -> tuple[Role, ...]:
    """The roles that may do this."""
    return tuple(role for role in Role if may(role, right))


def in_scope(person: PersonView, client: ClientView) -> bool:
    """Whether a client is one of those that a person may see or act for.

    Groups by rule are no scope: a client would come into it and leave it with its prices.
    """
    scope = person.scope
    if scope is None:
        return True
    return f"{CLIENT}{client.id}" in scope or any(f"{GROUP}{name}" in scope for name in client.fixed_groups)


def scope_ids(person: PersonView, clients: Iterable[ClientView]) -> frozenset[int]:
    """The clients of a person's scope."""
    return frozenset(client.id for client in clients if in_scope(person, client))


def checked_scope(
    role: Role, codes: Collection[str], groups: Collection[str], clients: Mapping[int, ClientView]
) -> tuple[str, ...] | None:
    """A scope of clients by code and of groups by name; None, every client, where neither is named.

    A client sees one account, which has to be named; an admin and a supervisor are bound to no scope.
    Raises `BadInput`.
    """
    by_code = {client.code.casefold(): client.id for client in clients.values()}
    known = {name for client in clients.values() for name in client.fixed_groups}
    words: list[str] = []
    for code in codes:
        if code.strip().casefold() not in by_code:
            raise BadInput("clients", code, "give the code of a client")
        words.append(f"{CLIENT}{by_code[code.strip().casefold()]}")
    for name in groups:
        if name not in known:
            raise BadInput("groups", name, f"groups that there are: {', '.join(sorted(known)) or 'none'}")
        words.append(f"{GROUP}{name}")
    named = ", ".join([*codes, *groups])
    if role is Role.CLIENT and (len(words) != 1 or not words[0].startswith(CLIENT)):
        raise BadInput("clients", named, "a client sees one account: give its one code")
    if role in FOR_ALL and words:
        raise BadInput("clients", named, f"{FOR_ALL[role]} is there for all clients: name none")
    return tuple(dict.fromkeys(words)) or None
