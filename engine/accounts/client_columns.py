"""Which column of a trader's own list of clients is what: known headers, and what is made of cells."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from data.csvfiles import FileProblem, Problem, column_name
from data.errors import BadInput
from data.sheets import Sheet
from engine.accounts.client_file import BROKERS, OPTIONAL, REQUIRED, ClientRows, client_rows

FIELDS = (*REQUIRED, *OPTIONAL)
"""What a column may be."""

NEEDED = ("code", "name", "broker", "broker_user_id", "capital")
"""What every client needs; one that is not said to be another is active, and without cash until compared."""

FIXED = "="
"""Before a value that is the same for every row, such as `=zerodha`."""

ALIASES: Mapping[str, str] = {
    # A trader's own workbook.
    "client": "name",
    "client_name": "name",
    "customer_name": "name",
    "account_name": "name",
    "full_name": "name",
    "investor_name": "name",
    "client_code": "code",
    "clientcode": "code",
    "account": "code",
    "account_code": "code",
    "user_id": "broker_user_id",
    "userid": "broker_user_id",
    "client_id": "broker_user_id",
    "clientid": "broker_user_id",
    "kite_id": "broker_user_id",
    "broker_id": "broker_user_id",
    "broker_name": "broker",
    "fund": "capital",
    "funds": "capital",
    "corpus": "capital",
    "capital_(rs)": "capital",
    "investment": "capital",
    "amount": "capital",
    "cash": "available",
    "available_cash": "available",
    "balance": "available",
    "available_margin": "available",
    "margin_available": "available",
    "mobile": "phone",
    "mobile_no": "phone",
    "mobile_number": "phone",
    "contact": "phone",
    "phone_no": "phone",
    "group": "groups",
    "family": "groups",
    "category": "groups",
    "remarks": "status_reason",
    "active": "status",
    "mtf": "mtf_limit",
    # Dealers' terminals such as ODIN: a client is known by its unique client code (UCC) or party code.
    "ucc": "code",
    "ucc_code": "code",
    "party_code": "code",
    "partycode": "code",
    "party_name": "name",
    "trading_code": "code",
    "dealer_group": "groups",
    "client_group": "groups",
    "group_code": "groups",
    "client_status": "status",
    "cash_margin": "available",
    "net_available": "available",
    # AutoTrader: an account behind a pseudo name, at a broker by its login.
    "pseudo_account": "code",
    "pseudo_account_name": "code",
    "trading_account": "broker_user_id",
    "login_id": "broker_user_id",
    "stock_broker": "broker",
    "account_group": "groups",
    "qty_multiplier": "multiplier",
    "quantity_multiplier": "multiplier",
    "enabled": "status",
    "live": "status",
}
"""What other programs and workbooks call a field, by the name as `column_name` makes it."""

_STATUS = {
    **dict.fromkeys(("a", "y", "yes", "1", "true", "enabled", "live"), "active"),
    **dict.fromkeys(("i", "n", "no", "0", "false", "disabled", "suspended", "dormant"), "inactive"),
}
_MONEY = ("capital", "available", "mtf_limit")
_SCALES = {"k": 10**3, "l": 10**5, "lakh": 10**5, "lakhs": 10**5, "cr": 10**7}
_SCALED = re.compile(r"([0-9,]*\.?[0-9]+)(k|l|lakhs?|cr)", re.IGNORECASE)
_SIGNS = re.compile(r"₹|rs\.?|inr|/-|\s", re.IGNORECASE)


def signature(sheet: Sheet) -> str:
    """What files with the same headers are known again by."""
    return "\x1f".join(column_name(header) for header in sheet.headers)


_OWN_NAMES: Mapping[str, str] = {field: field for field in FIELDS}


def guessed(headers: Sequence[str]) -> dict[str, str]:
    """The header of each field that is known by its name; a code stands for a missing user id."""
    found: dict[str, str] = {}
    for known in (_OWN_NAMES, ALIASES):
        for header in headers:
            field = known.get(column_name(header))
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
        if header.startswith(FIXED) or not header.strip():
            found[field] = header.strip()
        elif column_name(header) in named:
            found[field] = named[column_name(header)]
        else:
            raise BadInput("map", word, f"there is no such column; there are {', '.join(headers)}")
    return found


def rows_of(file: Path, sheet: Sheet, columns: Mapping[str, str]) -> ClientRows:
    """The clients of a table by row, read by these columns. Raises `FileProblem` with every bad row."""
    if lacking := missing(columns):
        there = ", ".join(header for header in sheet.headers if header)
        words = f"say which column it is; there are {there}"
        raise FileProblem(file, [Problem(1, "column", field, words) for field in lacking])
    places = {header: place for place, header in enumerate(sheet.headers)}
    given = {field: header for field, header in columns.items() if header}
    for field, header in given.items():
        if not header.startswith(FIXED) and header not in places:
            raise FileProblem(file, [Problem(1, field, header, "this column is missing")])

    def values(cells: Sequence[str]) -> dict[str, str]:
        found = {
            field: header[1:] if header.startswith(FIXED) else cells[places[header]]
            for field, header in given.items()
        }
        found = {field: _plain(field, text) for field, text in found.items()}
        return {"status": "active", "available": "0", **found}

    return client_rows(file, [(number, values(cells)) for number, cells in sheet.rows], frozenset(given))


def _rupees(text: str) -> str:
    """Rupees, also where lakhs or crores were typed; what is no number stays, to be named."""
    scaled = _SCALED.fullmatch(text)
    if scaled is None:
        return text
    figure = Decimal(scaled[1].replace(",", "")) * _SCALES[scaled[2].lower()]
    return f"{figure:f}"


def _plain(field: str, text: str) -> str:
    """A cell as the desk writes it: money without its sign, a status and a broker by its word."""
    told = text.strip()
    low = told.casefold()
    if field in _MONEY:
        return _rupees(_SIGNS.sub("", told))
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
