"""One report in one file, of a client or of the desk."""

from pathlib import Path

from data.errors import BadInput
from data.home import exports_folder
from data.writing.whole_file import put_whole
from engine.close.views import DayReport
from tradedesk.reports.day_folder import DESK, file_name, file_word
from tradedesk.reports.letterhead import letterhead_of
from tradedesk.reports.pdf import pdf_of
from tradedesk.reports.statements import client_statement, desk_report
from tradedesk.reports.tables import Accounts
from tradedesk.reports.workbook import workbook_of

ENDINGS = (".pdf", ".xlsx")


def write_one(
    home: Path,
    report: DayReport,
    accounts: Accounts,
    client_id: int | None,
    out: Path | None,
    whose: str = "",
) -> Path:
    """Write the statement of a client, the desk's report where none is named; returns where it is.

    `whose` names the person whose clients alone that report has, empty where it is of all.
    Raises `BadInput` for another ending, a letterhead that cannot be used, a file that cannot be written.
    """
    one = next((each for each in report.clients if each.client_id == client_id), None)
    if client_id is not None and one is None:
        raise BadInput("client", client_id, "this client has no part in the day")
    name = file_word(whose) or DESK if one is None else file_name(one)
    path = out or exports_folder(home) / f"{report.day.isoformat()}-{name}.pdf"
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise BadInput("out", str(path), f"end the file's name in {' or '.join(ENDINGS)}")
    head, logo = letterhead_of(home)
    is_book = ending == ".xlsx"
    if one is None:
        made = desk_report(report, accounts, whole=is_book, whose=whose)
    else:
        made = client_statement(report, one, accounts[one.client_id])
    try:
        put_whole(path, workbook_of(made, head) if is_book else pdf_of(made, head, logo))
    except OSError as problem:
        raise BadInput("out", str(path), f"it cannot be written: {problem.strerror}") from None
    return path
