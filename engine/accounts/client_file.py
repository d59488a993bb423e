"""A file of clients: its columns, its template, and every fault of its rows."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.money import BPS, decimal_from_text, paise_from_text
from data.spreadsheets.cells import plain_text
from data.vocabulary import ClientStatus, SessionState
from engine.accounts.client_edit import ClientEdit, group_name, text_of
from engine.accounts.opening_shares import OpeningLot

T = TypeVar("T")

REQUIRED = ("code", "name", "broker", "broker_user_id", "status", "capital", "available")
OPTIONAL = ("status_reason", "mtf_limit", "groups", "phone", "discretionary", "multiplier")
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,19}")
"""What a shell takes for a word; what begins with `-` it takes for an option."""

BROKERS = ("zerodha", "upstox", "groww", "paper")
"""Brokers a client's account may be at."""

_SCALES = {"k": 10**3, "l": 10**5, "c": 10**7}
_SCALED = re.compile(r"([0-9,]*\.?[0-9]+)(k|l|lacs?|lakhs?|cr|crores?)\.?", re.IGNORECASE)
_SIGNS = re.compile(r"₹|rs\.?|inr|/-|\s", re.IGNORECASE)

_EXAMPLE = [
    "AM1042",
    "Aarav Mehta",
    "zerodha",
    "DR4411",
    "active",
    "500000",
    "450000",
    "",
    "200000",
    "HNI;North",
    "",
    "yes",
    "1",
]


class NewClient(Struct, frozen=True):
    """A client as a file or a form gives it; money in paise. A hold comes on top of what is available.

    `shares` are what it holds already, each security under one of its listings.
    """

    code: str
    name: str
    broker: str
    broker_user_id: str
    status: ClientStatus
    capital_paise: int
    available_paise: int
    status_reason: str = ""
    status_since: date | None = None
    mtf_limit_paise: int = 0
    groups: tuple[str, ...] = ()
    phone: str = ""
    session: SessionState = SessionState.OK
    hold_paise: int = 0
    discretionary: bool = True
    multiplier_bps: int = BPS
    shares: tuple[OpeningLot, ...] = ()


MOST_MULTIPLIER_BPS = 100 * BPS
"""A client may be a hundred times as large as the size of all."""


def multiplier_from(text: str) -> int:
    """A multiplier such as `1.5` in basis points. Raises `BadInput`."""
    expected = "give a number above 0 and at most 100, such as 1.5, with at most four decimals"
    bps = decimal_from_text(text, "multiplier", expected) * BPS
    if bps != int(bps) or not 0 < bps <= MOST_MULTIPLIER_BPS:
        raise BadInput("multiplier", text, expected)
    return int(bps)


def discretionary_from(text: str) -> bool:
    """`yes` or `no`. Raises `BadInput`."""
    word = text.strip().casefold()
    if word not in ("yes", "no"):
        raise BadInput("discretionary", text, "give yes, or no for one traded for on its instruction alone")
    return word == "yes"


def template() -> str:
    """A client file with its header and one example row."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*REQUIRED, *OPTIONAL))
    writer.writerow(_EXAMPLE)
    return out.getvalue()


class ClientRows(Struct, frozen=True):
    """The clients of a file by row, and which fields it has; the others are as a fresh client begins.

    A row that cannot be taken is not among them, and its faults are in `problems`.
    """

    by_row: Mapping[int, NewClient]
    fields: frozenset[str]
    problems: tuple[Problem, ...] = ()


def read_client_file(path: Path) -> ClientRows:
    """Clients of a CSV file by row. Raises `FileProblem` with every bad row; then none may be used."""
    problems: list[Problem] = []
    rows = read_rows(path, REQUIRED, OPTIONAL, faults=problems)
    fields = frozenset(rows[0].values) if rows else frozenset[str]()
    read = client_rows([(row.number, row.values) for row in rows], fields, problems)
    if read.problems:
        raise FileProblem(path, read.problems)
    return read


def client_rows(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    fields: frozenset[str],
    before: Sequence[Problem] = (),
    unread: Sequence[tuple[int, Mapping[str, str]]] = (),
) -> ClientRows:
    """Clients of a file's values by row and column, and every fault after those `before`.

    `unread` are rows that are refused already; what another row has too is named of them as well.
    """
    rows = list(rows)
    problems = list(before)
    clients: dict[int, NewClient] = {}
    for number, values in rows:
        lacking = [field for field in REQUIRED if not values.get(field, "").strip()]
        problems += [Problem(number, field, "", "a value is needed") for field in lacking]
        if lacking:
            continue
        try:
            clients[number] = _client_of(CsvRow(number, values))
        except _RowProblem as found:
            problems += found.problems
    problems += _given_twice([*rows, *unread])
    for one in problems:
        clients.pop(one.row, None)
    return ClientRows(clients, fields, tuple(sorted(problems, key=lambda one: one.row)))


def _given_twice(rows: Iterable[tuple[int, Mapping[str, str]]]) -> list[Problem]:
    """Rows of one code or account: none of them is taken, since no rule says which is right."""
    by_code: dict[str, dict[int, str]] = {}
    by_account: dict[str, dict[int, str]] = {}
    for number, values in sorted(rows, key=lambda row: row[0]):
        code, user = values.get("code", "").strip(), values.get("broker_user_id", "").strip()
        broker = values.get("broker", "").strip().lower()
        if code:
            by_code.setdefault(code.upper(), {})[number] = code
        if user and broker:
            by_account.setdefault(f"{broker}/{user.upper()}", {})[number] = user
    found: list[Problem] = []
    for field, rows_of in (("code", by_code), ("broker_user_id", by_account)):
        for alike in (alike for alike in rows_of.values() if len(alike) > 1):
            for number, told in alike.items():
                others = ", ".join(str(one) for one in alike if one != number)
                words = f"row {others} has it too; each is given once"
                found.append(Problem(number, field, told, words))
    return found


def edit_of(client: NewClient, fields: frozenset[str]) -> ClientEdit:
    """What a row changes of a client that is there: what its file has, but for its account and its money."""

    def given(field: str, value: T) -> T | None:
        return value if field in fields else None

    return ClientEdit(
        name=given("name", client.name),
        phone=given("phone", client.phone),
        capital_paise=given("capital", client.capital_paise),
        mtf_limit_paise=given("mtf_limit", client.mtf_limit_paise),
        multiplier_bps=given("multiplier", client.multiplier_bps),
        discretionary=given("discretionary", client.discretionary),
        groups=given("groups", client.groups),
        status=given("status", client.status),
        status_reason=given("status_reason", client.status_reason),
    )


def new_client(values: Mapping[str, str]) -> NewClient:
    """A client of the values of a file's row by column. Raises `BadInput` for the first that is not valid."""
    for field in REQUIRED:
        if not values.get(field, "").strip():
            raise BadInput(field, values.get(field, ""), "a value is needed")
    try:
        return _client_of(CsvRow(1, values))
    except _RowProblem as found:
        first = found.problems[0]
        raise BadInput(first.field, first.value, first.expected) from None


class _RowProblem(Exception):  # noqa: N818 - carries problems
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def _client_of(row: CsvRow) -> NewClient:
    values, problems = row.values, list[Problem]()

    def word(field: str, known: Iterable[str]) -> str:
        given = values[field].strip().lower()
        if given not in known:
            words = f"give one of {', '.join(known)}"
            problems.append(Problem(row.number, field, values[field], words))
        return given

    def money(field: str) -> int:
        text = values.get(field, "") or "0"
        try:
            paise = paise_from_text(plain_rupees(text), field)
        except BadInput as bad:
            problems.append(Problem(row.number, field, text, bad.expected))
            return 0
        if paise < 0:
            problems.append(Problem(row.number, field, text, "give zero or more rupees"))
        return paise

    def given(field: str, empty: str, read: Callable[[str], T]) -> T:
        text = values.get(field, "").strip() or empty
        try:
            return read(text)
        except BadInput as bad:
            problems.append(Problem(row.number, field, text, bad.expected))
            return read(empty)

    def text(field: str, least: int = 0) -> str:
        try:
            return text_of(field, plain_text(values.get(field, "").strip()), least)
        except BadInput as bad:
            problems.append(Problem(row.number, field, values.get(field, ""), bad.expected))
            return ""

    code = values["code"].strip()
    if _CODE.fullmatch(code) is None or code.isdigit():
        words = (
            "give 1 to 20 letters, digits, - or _, the first no -, at least one no digit: digits alone are a "
            "client's id"
        )
        problems.append(Problem(row.number, "code", code, words))
    status, broker = word("status", [s.value for s in ClientStatus]), word("broker", BROKERS)
    capital, available, mtf_limit = money("capital"), money("available"), money("mtf_limit")
    discretionary = given("discretionary", "yes", discretionary_from)
    multiplier_bps = given("multiplier", "1", multiplier_from)
    groups = given("groups", "", groups_from)
    name, user, reason, phone = (
        text("name", 1),
        text("broker_user_id", 1),
        text("status_reason"),
        text("phone"),
    )
    if problems:
        raise _RowProblem(problems)
    return NewClient(
        code=code,
        name=name,
        broker=broker,
        broker_user_id=user,
        status=ClientStatus(status),
        capital_paise=capital,
        available_paise=available,
        status_reason=reason,
        mtf_limit_paise=mtf_limit,
        groups=groups,
        phone=phone,
        discretionary=discretionary,
        multiplier_bps=multiplier_bps,
    )


def plain_rupees(text: str) -> str:
    """Rupees without their sign, also of lakhs or crores; what is no number stays, to be named."""
    bare = _SIGNS.sub("", text)
    scaled = _SCALED.fullmatch(bare)
    if scaled is None:
        return bare
    try:
        figure = decimal_from_text(scaled[1], "amount", "")
    except BadInput:
        return text
    return f"{figure * _SCALES[scaled[2][0].lower()]:f}"


def groups_from(text: str) -> tuple[str, ...]:
    """Group names of one field, each once however it is written. Raises `BadInput` for what is no name."""
    names = (group_name(name) for name in plain_text(text).split(";") if name.strip())
    return tuple({name.casefold(): name for name in names}.values())
