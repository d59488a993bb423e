"""A day's close in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from data.clock import IST
from data.vocabulary import CloseSource, CloseStepKind, CorrectionKind, WhyOpen
from engine.words.formats import amount, counted, rupees

if TYPE_CHECKING:
    from data.repositories.close.corrections import Correction
    from engine.close.views import CloseProspect, DayReport, ForTomorrow, StaysOpen

SOURCE_WORDS: Mapping[CloseSource, str] = {
    CloseSource.QUOTED: "last prices",
    CloseSource.HISTORY: "the broker's bars",
    CloseSource.NEXT_DAY: "the next day's previous closes",
    CloseSource.FILE: "the exchange's file",
}
"""Where closing prices are from."""

STEP_WORDS: Mapping[CloseStepKind, str] = {
    CloseStepKind.BOOKS: "final order books read",
    CloseStepKind.ORDERS: "day orders ended by the broker's word",
    CloseStepKind.RECONCILED: "books compared with the broker's",
    CloseStepKind.PRICES: "closing prices kept",
    CloseStepKind.CHARGES: "netted, charges as the contract note has them",
    CloseStepKind.SNAPSHOTS: "each client's day kept",
    CloseStepKind.RISK: "risk and dispersion",
    CloseStepKind.SEALED: "day sealed",
    CloseStepKind.EXPORTS: "day's folder written",
    CloseStepKind.BACKUP: "backup made and tried",
    CloseStepKind.TOMORROW: "tomorrow's list",
}
"""What each step of a close has done."""


def why_open_words(one: StaysOpen) -> str:
    """Why a client stays open, with what ends it."""
    match one.why:
        case WhyOpen.LIVE:
            return f"{counted(one.count, 'order')} still live: cancel or wait for the broker's word"
        case WhyOpen.UNKNOWN:
            return f"{counted(one.count, 'order')} UNKNOWN: adopt or declare absent"
        case WhyOpen.DIFFERS:
            return f"{counted(one.count, 'difference')} to the broker's books: adopt or mend"
        case WhyOpen.UNREAD:
            return "it traded, and its books could not be read since: sign it in"
        case WhyOpen.UNPRICED:
            return f"no closing price of {', '.join(key.partition(':')[2] for key in one.keys)}"


def close_question(prospect: CloseProspect) -> str:
    """What is asked before a close, which may leave clients open."""
    stay = f"{counted(len(prospect.open), 'client')} open, " if prospect.open else ""
    return f"{prospect.day:%a %d %b %Y}: {stay}{prospect.closing} can be closed"


def closed_words(report: DayReport) -> list[str]:
    """Which day was closed, under which seal, and where its files are."""
    return [f"{report.day:%d %b} closed, rev {report.rev}, seal {report.seal[:8]}", report.folder]


def close_words(prospect: CloseProspect) -> str:
    """The words that confirm a close."""
    return f"close {prospect.closing}"


def prospect_line(prospect: CloseProspect) -> str:
    """How a day's close stands, in a line."""
    day = f"{prospect.day:%a %d %b %Y}"
    if prospect.closed:
        left = f", {counted(len(prospect.open), 'client')} open" if prospect.open else ""
        return f"{day}: closed, rev {prospect.rev}{left}"
    if prospect.begins_at is not None:
        return f"{day}: can be closed from {prospect.begins_at.astimezone(IST):%H:%M} on"
    rev = f", rev {prospect.rev}" if prospect.rev > 1 else ""
    if prospect.done:
        return f"{day}{rev}: broken off behind: {STEP_WORDS[prospect.done[-1]]}; it goes on from there"
    waits = f", {counted(prospect.waiting, 'order')} for the next session" if prospect.waiting else ""
    return f"{day}{rev}: {prospect.closing} can be closed, {len(prospect.open)} stay open{waits}"


def tomorrow_lines(found: ForTomorrow) -> list[str]:
    """What waits for the next day, a line each."""
    return [
        *(f"{code}: accept the pledge of {symbol} by {until}" for code, symbol, until in found.pledges),
        *([f"TPIN before a sale: {', '.join(found.tpin)}"] if found.tpin else []),
        *(f"{symbol} ex {day}: {words}" for symbol, words, day in found.ex_dates),
        *(f"{code} keeps a {what}" for code, what in found.gtts),
        *_gtts_unread(found),
    ]


def _gtts_unread(found: ForTomorrow) -> list[str]:
    """What is not known of GTTs, by the reason."""
    if found.gtts_kept and found.gtts_at is None:
        return ["GTTs and alerts: not read yet, the look before a close reads them"]
    whose: dict[str, list[str]] = {}
    for code, why in found.gtts_unread:
        whose.setdefault(why, []).append(code)
    return [f"GTTs not read of {', '.join(codes)}: {why}" for why, codes in whose.items()]


PROVISIONAL = "provisional, nothing is written"


def day_line(report: DayReport) -> str:
    """Which day a report is of, and whether it stands."""
    stands = PROVISIONAL if report.provisional else f"closed, rev {report.rev}, {report.seal[:8]}"
    return f"{report.day:%a %d %b %Y}: {stands}"


def correction_words(one: Correction, code: str) -> str:
    """`AM1010: contract note 43.20 instead of 41.10, since rev 2 (note.csv)`; of a kind behind its name."""
    what = _CORRECTED[one.kind] + (f", {_OF_KIND.get(one.subject, one.subject)}" if one.subject else "")
    counts = f"waits for rev {one.rev}: eod --day {one.day}" if one.waits else f"since rev {one.rev}"
    return f"{code}: {what} {amount(one.after)} instead of {amount(one.before)}, {counts} ({one.reason})"


_OF_KIND = {"stt": "STT", "sebi": "SEBI", "gst": "GST", "stamp": "stamp duty"}
_CORRECTED = {
    CorrectionKind.NOTE: "contract note",
    CorrectionKind.BROKER: "charges by the broker",
}


def netted_words(report: DayReport) -> str:
    """Why a provisional net is another than the desk's of now; empty where the charges are the same."""
    booked = sum(one.charges_booked_paise for one in report.clients)
    noted = sum(one.charges.total_paise for one in report.clients)
    if not report.provisional or booked == noted:
        return ""
    return f"charges {rupees(noted)} as the notes net the day, {rupees(booked)} booked so far"


def priced_words(report: DayReport) -> str:
    """Where closing prices are from, and what has none."""
    told = [f"{count} by {SOURCE_WORDS[source]}" for source, count in report.prices.items()]
    missing = sorted({key for one in report.clients for key in one.unpriced})
    if missing:
        told.append(f"{counted(len(missing), 'share')} without a price, at cost: {', '.join(missing)}")
    return f"closing prices: {'; '.join(told)}" if told else "no shares are held"
