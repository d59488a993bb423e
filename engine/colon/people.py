"""Lines about clients, their groups, and notes: `client PS1015 pause 14:00 on a plane`."""

from collections.abc import Sequence
from enum import StrEnum

from data.errors import BadInput
from data.money import count_from_text
from engine.book.group_rules import rule_from
from engine.colon.asked import AskedClient, AskedGroup, AskedNote, AskedOfClient, GroupDo, OfClient
from engine.colon.known import Known

CLIENT_FORM = "CODE, add, or CODE edit|pause|unpause|close"
GROUP_FORM = "NAME = RULE, NAME + CODES, NAME - CODES"
NOTE_FORM = "CODE TEXT, order N TEXT, run N TEXT"


class NoteOn(StrEnum):
    """What a note may be on beside a client."""

    ORDER = "order"
    RUN = "run"


def client_from(words: Sequence[str], known: Known) -> AskedClient | AskedOfClient:
    """A client's page, or what is to be done with one. Raises `BadInput`."""
    if not words:
        raise BadInput("client", "", f"give {CLIENT_FORM}")
    if words[0].casefold() == OfClient.ADD:
        if len(words) > 1:
            raise BadInput("word", words[1], "add takes no word: the form asks")
        return AskedOfClient(OfClient.ADD)
    client_id = known.clients.find(words[0]).id
    if len(words) == 1:
        return AskedClient(client_id)
    try:
        what = OfClient(words[1].casefold())
    except ValueError:
        raise BadInput("word", words[1], f"give {CLIENT_FORM}") from None
    if what is OfClient.PAUSE and len(words) > 2:
        until, *reason = words[2:]
        if not until[0].isdecimal():
            until, reason = "", words[2:]
        return AskedOfClient(what, client_id, until, " ".join(reason))
    if len(words) > 2:
        raise BadInput("word", words[2], f"{what.value} takes no word: it asks")
    return AskedOfClient(what, client_id)


def note_from(words: Sequence[str], known: Known) -> AskedNote:
    """A note on a client, an order or a run; without a text it is asked for. Raises `BadInput`."""
    if not words:
        raise BadInput("note", "", f"give {NOTE_FORM}")
    kind = words[0].casefold()
    if kind not in list(NoteOn):
        return AskedNote(" ".join(words[1:]), client_id=known.clients.find(words[0]).id)
    if len(words) < 2:
        raise BadInput("note", words[0], f"give {NOTE_FORM}")
    number, text = count_from_text(words[1], kind), " ".join(words[2:])
    return AskedNote(text, order_id=number) if kind == NoteOn.ORDER else AskedNote(text, run_number=number)


def group_from(words: Sequence[str], known: Known) -> AskedGroup:
    """A group by rule, or who is put into one or taken out. Raises `BadInput`."""
    if len(words) < 3 or words[1] not in list(GroupDo):
        raise BadInput("group", " ".join(words), f"give {GROUP_FORM}; groups lists them")
    name, do, rest = words[0], GroupDo(words[1]), words[2:]
    if do is GroupDo.RULE:
        return AskedGroup(name, do, rule=rule_from(" ".join(map(_quoted, rest))).text)
    codes = [code for word in rest for code in word.split(",") if code]
    ids = tuple(dict.fromkeys(known.clients.find(code).id for code in codes))
    return AskedGroup(name, do, client_ids=ids)


def _quoted(word: str) -> str:
    """A word as the rule's own grammar reads it, which the line was cut of its quotes for."""
    return f'"{word}"' if " " in word else word
