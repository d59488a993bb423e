"""Which column of a trader's own list of clients is what: known headers, and what is made of cells."""

import re
from collections.abc import Mapping, Sequence

from data.csvfiles import Problem, column_name
from data.errors import BadInput
from data.spreadsheets.tables import Sheet
from data.spreadsheets.workbooks import Numeral, Unworked
from engine.accounts.client_file import BROKERS, OPTIONAL, REQUIRED, ClientRows, client_rows, plain_rupees
from engine.accounts.column_marks import AS_READ, FIXED

FIELDS = (*REQUIRED, *OPTIONAL)
"""What a column may be."""

NEEDED = ("code", "name", "broker", "broker_user_id", "capital")
"""What every client needs; one that is not said to be another is active, and without cash until compared."""

_CALLED: Mapping[str, tuple[str, ...]] = {
    "code": (
        "client code",
        "account",
        "account code",
        "trading code",
        "UCC",  # the exchanges' unique client code, field "Client Code" of their upload files
        "UCC code",
        "party code",  # sub-brokers' back offices: gyanodhan.com/back-office-reports
        "pseudo account",  # AutoTrader: stocksdeveloper.in, "Trading Accounts" and "Group Accounts"
        "pseudo account name",
    ),
    "name": (
        "client",
        "client name",  # as `ClientName` in the REST interface of the back office Sharepro
        "customer name",
        "account name",
        "full name",
        "investor name",
        "party name",
    ),
    "broker_user_id": (
        "user id",  # ODIN: developer.synapsewave.com, "Dealer to Client Mapping"
        "client id",
        "kite id",
        "broker id",
        "login id",  # AutoTrader's "your broker login (client) id"
        "trading account",
    ),
    "broker": ("broker name", "stock broker"),
    "capital": ("fund", "funds", "corpus", "investment", "amount"),
    "available": (
        "cash",
        "available cash",
        "balance",
        "available margin",
        "margin available",
        "cash margin",
        "net available",
    ),
    "phone": ("mobile", "mobile no", "mobile number", "contact", "contact no", "phone no", "phone number"),
    "groups": (
        "group",
        "family",
        "category",
        "client group",
        "group code",
        "dealer group",  # ODIN: developer.synapsewave.com, "Dealer to Client Mapping"
        "account group",
        "group account",
    ),
    "status": ("active", "enabled", "live", "client status"),
    "status_reason": ("remarks", "remark", "reason"),
    "mtf_limit": ("mtf", "mtf limit"),
    "multiplier": ("qty multiplier", "quantity multiplier"),
}
"""What other programs and workbooks call a field; where no source stands, it is what workbooks say."""

_UNITS = ("rs", "inr", "rupees")


def _squeezed(header: str) -> str:
    """A header without what differs from one file to the next: `Capital (Rs.)` is `capital`."""
    told = re.sub(r"[^a-z0-9]+", " ", header.casefold()).split()
    return "".join(told[:-1] if len(told) > 1 and told[-1] in _UNITS else told)


_OWN_NAMES: Mapping[str, str] = {_squeezed(field): field for field in FIELDS}
_ALIASES: Mapping[str, str] = {_squeezed(name): field for field, names in _CALLED.items() for name in names}


def field_of(header: str) -> str | None:
    """The field that a header is known to name."""
    squeezed = _squeezed(header)
    return _OWN_NAMES.get(squeezed) or _ALIASES.get(squeezed)


_STATUS = {
    **dict.fromkeys(("a", "y", "yes", "1", "true", "enabled", "live"), "active"),
    **dict.fromkeys(("i", "n", "no", "0", "false", "disabled", "suspended", "dormant"), "inactive"),
}
_MONEY = ("capital", "available", "mtf_limit")
_SHORTENED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]+")
"""A long number as a spreadsheet writes it into a CSV file, which its last digits are lost in."""


def signature(sheet: Sheet) -> str:
    """What files with the same headers are known again by."""
    return "\x1f".join(column_name(header) for header in sheet.headers)


def guessed(headers: Sequence[str]) -> dict[str, str]:
    """The header of each field that is known by its name; a code stands for a missing user id."""
    found: dict[str, str] = {}
    for known in (_OWN_NAMES, _ALIASES):
        for header in headers:
            field = known.get(_squeezed(header))
            if field is not None and header not in found.values():
                found.setdefault(field, header)
    if "code" in found:
        found.setdefault("broker_user_id", found["code"])
    elif "broker_user_id" in found:
        found["code"] = found["broker_user_id"]
    return found


def missing(columns: Mapping[str, str]) -> list[str]:
    """The fields that every client needs and no column has."""
    return [field for field in NEEDED if not columns.get(field)]


def columns_from(words: Sequence[str], headers: Sequence[str]) -> dict[str, str]:
    """Columns as typed: `code=UCC`, `broker==zerodha`; an empty header drops a field. Raises `BadInput`."""
    named = {column_name(header): header for header in headers}
    found: dict[str, str] = {}
    for word in words:
        field, sign, header = word.partition("=")
        field = column_name(field)
        if not sign or field not in FIELDS:
            raise BadInput("map", word, f"give FIELD=HEADER or FIELD==VALUE; fields are {', '.join(FIELDS)}")
        as_read = header[:1] if header.startswith(AS_READ) and column_name(header) not in named else ""
        told = column_name(header.removeprefix(as_read))
        if header.startswith(FIXED) or not header.strip():
            found[field] = header.strip()
        elif told in named:
            found[field] = f"{as_read}{named[told]}"
        else:
            raise BadInput("map", word, f"there is no such column; there are {', '.join(headers)}")
    return found


def rows_of(sheet: Sheet, columns: Mapping[str, str]) -> ClientRows:
    """The clients of a table by row, read by these columns, with the faults of every bad row.

    Raises `BadInput` for a field that has no column, and for a column that is not there.
    """
    if lacking := missing(columns):
        there = ", ".join(header for header in sheet.headers if header)
        raise BadInput("columns", ", ".join(lacking), f"say which column each is; there are {there}")
    places = {header: place for place, header in enumerate(sheet.headers)}
    given = {field: header for field, header in columns.items() if header}
    for field, header in given.items():
        if not header.startswith(FIXED) and _place(places, header) is None:
            raise BadInput(field, header, "there is no such column")

    def text_in(cells: Sequence[str], header: str) -> str:
        place = _place(places, header)
        return header[1:] if header.startswith(FIXED) or place is None else cells[place]

    rows: list[tuple[int, dict[str, str]]] = []
    unread: list[tuple[int, dict[str, str]]] = []
    problems = list(sheet.problems)
    for number, cells in sheet.rows:
        told = {field: text_in(cells, header) for field, header in given.items()}
        wrong = [
            Problem(number, field, text, why)
            for field, text in told.items()
            if (why := _lost(field, text, given[field] in places))
        ]
        problems += wrong
        plain = {field: _plain(field, text) for field, text in told.items()}
        (unread if wrong else rows).append((number, {"status": "active", "available": "0", **plain}))
    return client_rows(rows, frozenset(given), problems, unread)


def _place(places: Mapping[str, int], header: str) -> int | None:
    """Where a column stands, its numbers as they are read or not."""
    return places.get(header, places.get(header.removeprefix(AS_READ)))


def _lost(field: str, text: str, to_be_asked: bool) -> str:
    """What is lost of a cell before it was read, or may be; empty where nothing is."""
    if isinstance(text, Unworked):
        return "mend the formula in this cell"
    if field not in (*_WRITTEN, "phone"):
        return ""
    if _SHORTENED.fullmatch(text):
        return "a spreadsheet has shortened this number: format the column as text, and type it anew"
    if field in _WRITTEN and to_be_asked and isinstance(text, Numeral):
        return (
            "the workbook holds a number, so that zeros in front are lost: format the column as text, or say "
            f"that its numbers are right as they are ({AS_READ} before the header)"
        )
    return ""


_WRITTEN = ("code", "broker_user_id")
"""Fields that are written with digits and are no numbers."""


def _plain(field: str, text: str) -> str:
    """A cell as the desk writes it: money without its sign, a status and a broker by its word."""
    told = text.strip()
    low = told.casefold()
    if field in _MONEY:
        return plain_rupees(told)
    if field == "status":
        return _STATUS.get(low, low or "active")
    if field == "broker":
        return next(
            (broker for broker in BROKERS if low.startswith(broker)), "zerodha" if "kite" in low else low
        )
    if field == "groups":
        return re.sub(r"[,|/]", ";", told)
    if field == "discretionary":
        return _YES.get(low, low)
    return told


_YES = {**dict.fromkeys(("y", "1", "true"), "yes"), **dict.fromkeys(("n", "0", "false"), "no")}
