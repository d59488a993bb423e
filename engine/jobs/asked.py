"""What jobs are asked to do: of each kind its arguments, the right it takes, and of which clients it is."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

from msgspec import Struct, ValidationError, convert, to_builtins

from data.errors import BadInput
from data.vocabulary import ExportKind, ExportWhat, JobKind, Right


class DayReportAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """The folder of a day: of all clients, or of these alone, and then by whose name it goes."""

    day: date
    client_ids: tuple[int, ...] | None = None
    whose: str = ""


class StatementAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A client's statement of a day, as a PDF or a workbook."""

    client_id: int
    day: date
    workbook: bool = False


class ExportAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the desk, of all clients or of these alone; the audit is always whole."""

    what: ExportWhat
    format: ExportKind = ExportKind.CSV
    client_ids: tuple[int, ...] | None = None


class ClientImportAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A list of clients, whose file is taken as long as it has this hash.

    With `change_existing` what it has of known ones is taken over; without the refused rows the others are.
    """

    file: str
    sha256: str
    change_existing: bool = False
    without_refused: bool = False


class InstrumentImportAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A broker's list of instruments, whose file is taken as long as it has this hash."""

    file: str
    sha256: str


class ReconciliationAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A client's books, compared with its broker's."""

    client_id: int


class BooksReadAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """These clients' books, read for the desks that have them."""

    client_ids: tuple[int, ...]


class FirmReserveAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """The lines of one shard of a run over all desks."""

    run: int
    shard: int


class AuditCheckAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole audit."""


class BackupCheckAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """A backup; the home's newest where no file is named."""

    file: str = ""


JobAsked: TypeAlias = (
    DayReportAsked
    | StatementAsked
    | ExportAsked
    | ClientImportAsked
    | InstrumentImportAsked
    | ReconciliationAsked
    | BooksReadAsked
    | FirmReserveAsked
    | AuditCheckAsked
    | BackupCheckAsked
)
"""What a job is asked to do."""


def _of_these(asked: Any) -> tuple[int, ...] | None:
    return asked.client_ids


def _of_one(asked: Any) -> tuple[int, ...] | None:
    return (asked.client_id,)


def _of_everybody(asked: Any) -> tuple[int, ...] | None:
    return None


class JobForm(Struct, frozen=True):
    """What a kind of job takes: its arguments, a right, and a scope with the clients it is of."""

    args: type[Any]
    right: Right
    clients: Callable[[Any], tuple[int, ...] | None] = _of_everybody


FORMS: Mapping[JobKind, JobForm] = {
    JobKind.DAY_REPORT: JobForm(DayReportAsked, Right.READ_CLIENTS, _of_these),
    JobKind.STATEMENT: JobForm(StatementAsked, Right.READ_CLIENTS, _of_one),
    JobKind.EXPORT: JobForm(ExportAsked, Right.READ_CLIENTS, _of_these),
    JobKind.CLIENT_IMPORT: JobForm(ClientImportAsked, Right.CLIENTS),
    JobKind.INSTRUMENT_IMPORT: JobForm(InstrumentImportAsked, Right.SET_UP),
    JobKind.RECONCILIATION: JobForm(ReconciliationAsked, Right.SIGN_CLIENTS_IN, _of_one),
    JobKind.BOOKS_READ: JobForm(BooksReadAsked, Right.SIGN_CLIENTS_IN, _of_these),
    JobKind.FIRM_RESERVE: JobForm(FirmReserveAsked, Right.SEND),
    JobKind.AUDIT_CHECK: JobForm(AuditCheckAsked, Right.READ_AUDIT),
    JobKind.BACKUP_CHECK: JobForm(BackupCheckAsked, Right.READ_AUDIT),
}
"""The form of each kind."""

OF_ALL_DESKS = frozenset({JobKind.AUDIT_CHECK, JobKind.BACKUP_CHECK})
"""Kinds that are of the books as a whole: any desk of several that share them does one."""


def check_done_here(kind: JobKind, has_everybody: bool) -> None:
    """Raise `BadInput` for a job of clients at one of several desks on the same books, with its own alone."""
    if not has_everybody and kind not in OF_ALL_DESKS:
        expected = (
            "several desks share these books: `tradedesk worker` does it for all, once redis_url is set"
        )
        raise BadInput("job", kind.value, expected)


_KINDS = {form.args: kind for kind, form in FORMS.items()}


def kind_of(asked: JobAsked) -> JobKind:
    """The kind of job that takes these arguments."""
    return _KINDS[type(asked)]


def as_stored(asked: JobAsked) -> Mapping[str, object]:
    """Arguments as a job's row keeps them."""
    return to_builtins(asked)


def from_stored(kind: JobKind, args: Mapping[str, Any]) -> Any:
    """Arguments as they were asked. Raises `BadInput` for a row that another program wrote otherwise."""
    try:
        return convert(dict(args), FORMS[kind].args)
    except (ValidationError, KeyError) as problem:
        raise BadInput("job", str(kind), f"its arguments are not this version's: {problem}") from problem
