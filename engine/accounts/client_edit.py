"""Changes of a client: what may be changed, what of it differs, and what stands against closing one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.csvfiles import control_character, look_alike
from data.errors import BadInput
from data.money import amount_words, grouped
from data.records import replace, values_of
from data.repositories.accounts import clients as stored
from data.repositories.accounts.clients import ClientRow
from data.repositories.accounts.standing import ClientStanding
from data.store import Unit
from data.vocabulary import ClientStatus

LONGEST_PAUSE = timedelta(days=400)
"""A pause with an end that lies further ahead is a slip of the year."""

LONGEST_NAME = 30
"""Characters of a group's name."""

LONGEST_TEXT = 200
"""Characters of a name or a reason."""


class ClientEdit(Struct, frozen=True):
    """What is to be another of a client; None leaves it as it is. Money in paise.

    A capital counts from the next trading day. `groups` are those that it is put into, by rule it is in
    others beside. A status wants a reason, except for active.
    """

    name: str | None = None
    phone: str | None = None
    capital_paise: int | None = None
    mtf_limit_paise: int | None = None
    multiplier_bps: int | None = None
    discretionary: bool | None = None
    groups: tuple[str, ...] | None = None
    status: ClientStatus | None = None
    status_reason: str | None = None


def text_of(field: str, text: str, least: int = 1) -> str:
    """A line of text as typed, without blanks around it. Raises `BadInput`."""
    told = " ".join(text.split())
    if not least <= len(told) <= LONGEST_TEXT:
        raise BadInput(field, text, f"give {least} to {LONGEST_TEXT} characters in one line")
    if sign := control_character(told):
        raise BadInput(field, text, f"remove the control character {sign}")
    return told


def group_name(text: str) -> str:
    """The name of a group as typed. Raises `BadInput` for one that could be taken for something else."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or control_character(name) or set(name) & set(";,\"'="):
        raise BadInput("group", text, f"give 1 to {LONGEST_NAME} characters without ; , = and quotes")
    if sign := look_alike(name):
        raise BadInput("group", text, f"{sign} looks like another letter, and so this like another group")
    return name


def until_from(text: str, now: datetime) -> datetime:
    """When a pause ends by the market's time: `14:30`, `2026-12-01` or both; a day alone is its beginning.

    Raises `BadInput` for what is no time, is not ahead, or is further ahead than any pause.
    """
    expected = "give a time ahead, such as 14:30, 2026-12-01 or 2026-12-01T14:30"
    told = text.strip().replace(" ", "T")
    today = now.astimezone(IST).date()
    try:
        if "T" in told:
            moment = datetime.combine(date.fromisoformat(told[:10]), time.fromisoformat(told[11:]), IST)
        elif ":" in told:
            moment = datetime.combine(today, time.fromisoformat(told), IST)
        else:
            moment = datetime.combine(date.fromisoformat(told), time(), IST)
    except ValueError:
        raise BadInput("until", text, expected) from None
    moment = moment.astimezone(UTC)
    if not now < moment <= now + LONGEST_PAUSE:
        raise BadInput(
            "until", text, f"{expected}; the market's time is {now.astimezone(IST):%Y-%m-%d %H:%M}"
        )
    return moment


def apply_edit(unit: Unit, before: ClientRow, edit: ClientEdit, day: date, actor: str) -> bool:
    """Write what of an edit differs, and tell the audit both; returns whether anything did."""
    given = {name: value for name, value in values_of(edit).items() if value is not None}
    groups, limit = given.pop("groups", None), given.pop("mtf_limit_paise", None)
    after = replace(before, **given)
    if after.status is not before.status:
        after = replace(after, status_since=day, status_reason=edit.status_reason or "")
    told = _differing(before, after)
    status = {name: told.pop(name) for name in ("status", "status_reason") if name in told}
    if groups is not None:
        standing = stored.groups_of(unit, before.id)
        if standing != set(groups):
            told["groups"] = sorted(standing), sorted(groups)
            stored.set_groups(unit, before.id, groups)
    if limit is not None and limit != (standing_limit := stored.mtf_limit_of(unit, before.id)):
        told["mtf_limit_paise"] = standing_limit, limit
        stored.set_mtf_limit(unit, before.id, limit)
    if not told and not status:
        return False
    stored.save_client(unit, replace(after, updated_at=unit.now))
    if status:
        details = {"from": before.status.value, "to": after.status.value, "reason": after.status_reason}
        unit.audit(AuditEntry(AuditAction.CLIENT_STATUS, actor, client_id=before.id, details=details))
    if told:
        details: Mapping[str, object] = {
            "code": before.code,
            "before": {name: was for name, (was, _) in told.items()},
            "after": {name: now for name, (_, now) in told.items()},
        }
        unit.audit(AuditEntry(AuditAction.CLIENT_CHANGED, actor, client_id=before.id, details=details))
    unit.touched.roster = True
    return True


_EDITED = ("name", "phone", "capital_paise", "multiplier_bps", "discretionary", "status", "status_reason")


def _differing(before: ClientRow, after: ClientRow) -> dict[str, tuple[object, object]]:
    """What differs between two rows of a client, as it was and as it is."""
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _EDITED}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def standing_words(standing: ClientStanding) -> str:
    """What keeps a client from being closed; empty where nothing does."""
    shares = [f"{grouped(one.quantity)} {one.tradingsymbol} {one.product}" for one in standing.shares]
    parts = _some(shares, "holding")
    if standing.loan_paise:
        parts.append(f"a loan of ₹{amount_words(standing.loan_paise)}")
    if standing.owed_paise:
        parts.append(f"₹{amount_words(standing.owed_paise)} owed")
    if standing.blocked_paise:
        parts.append(f"₹{amount_words(standing.blocked_paise)} blocked")
    parts += _some([f"order {number}" for number in standing.orders], "order")
    return ", ".join(parts)


def _some(named: Sequence[str], noun: str, most: int = 5) -> list[str]:
    more = len(named) - most
    return [*named[:most], f"{more} more {noun}s"] if more > 0 else list(named)
