"""What a line about what is on record asks for."""

from datetime import date
from pathlib import Path

from msgspec import Struct

from data.vocabulary import ConsentKind, FlowKind


class OfWhom(Struct, frozen=True):
    """Whose figures: a client's, a group's by its name, or the desk's where neither is said."""

    client_id: int | None = None
    group: str = ""


class AskedConsents(Struct, frozen=True):
    """What clients have agreed to, and what of it is missing; of all or one."""

    client_id: int | None = None


class AskedConsent(Struct, frozen=True):
    """A consent of a client to be entered."""

    client_id: int
    kind: ConsentKind
    reference: str
    given_from: date | None = None
    until: date | None = None


class AskedConsentEnd(Struct, frozen=True):
    """A consent of a client that is to cover nothing from now on."""

    client_id: int
    number: int
    why: str


class AskedHistory(Struct, frozen=True):
    """What days have brought."""

    whom: OfWhom


class AskedRisk(Struct, frozen=True):
    """What could be lost."""

    whom: OfWhom


class AskedDispersion(Struct, frozen=True):
    """What clients of the same run got beside each other: of one run, or of today and the month."""

    run: int | None = None


class AskedFlows(Struct, frozen=True):
    """What came to clients and went by no trade, of all or one."""

    client_id: int | None = None


class AskedFlowClass(Struct, frozen=True):
    """What a flow was, said by a person."""

    number: int
    kind: FlowKind
    note: str = ""


class AskedActions(Struct, frozen=True):
    """Companies' actions, and what has become of them for all clients or one."""

    client_id: int | None = None


class AskedActionUndo(Struct, frozen=True):
    """What was booked of a share's actions of an ex-date for a client, to be taken back."""

    client_id: int
    key: str
    ex_date: date
    why: str


class AskedRecorded(Struct, frozen=True):
    """What happened on the day that is replayed: all of it, or what names a client, a symbol or a number."""

    word: str = ""


class AskedProbe(Struct, frozen=True):
    """By which address calls leave, looked at now: of all that have a route, or of one client."""

    client_id: int | None = None


class AskedBackup(Struct, frozen=True):
    """A backup of the home, in its own folder or in another one."""

    path: Path | None = None


AskedOfRecord = (
    AskedConsents
    | AskedConsent
    | AskedConsentEnd
    | AskedHistory
    | AskedRisk
    | AskedDispersion
    | AskedFlows
    | AskedFlowClass
    | AskedActions
    | AskedActionUndo
    | AskedRecorded
    | AskedProbe
    | AskedBackup
)
