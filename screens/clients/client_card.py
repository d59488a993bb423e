"""The form of a client: its words, capital, limits, groups and status; for a fresh one its account too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from data.errors import BadInput
from data.money import paise_from_text
from data.records import values_of
from data.vocabulary import ClientStatus
from engine.accounts.client_edit import ClientEdit
from engine.accounts.client_file import BROKERS, discretionary_from, groups_from, multiplier_from, new_client
from engine.words import formats
from engine.words.trading.client_terms import edit_words, from_words, multiplier_text
from screens.frame.cards.form import FormCard
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.numberfield import NumberField
from widgets.steady import SteadyInput, SteadyStatic

if TYPE_CHECKING:
    from textual.widget import Widget

    from engine.book.views import ClientView

OFFERED = [status.value for status in ClientStatus if status is not ClientStatus.CLOSED]
"""What the form makes of a status; closing asks for a typed word of its own."""


class ClientCard(FormCard[int]):
    """What differs is said as it is typed; Enter keeps it, and closes with the client's id."""

    TITLE_WORDS = "A client"

    def __init__(self, client: ClientView | None) -> None:
        """For this client, or for one that is to be added."""
        super().__init__()
        self._client = client
        self.rows = 7

    def compose(self) -> ComposeResult:
        """The fields, what would change, and the keys."""
        client = self._client
        if client is None:
            with Horizontal(classes="row"):
                yield SteadyStatic("code")
                yield SteadyInput(compact=True, select_on_focus=False, max_length=20, id="code")
                yield SteadyStatic("broker")
                yield ChoiceField(BROKERS, id="broker")
                yield SteadyStatic("user id")
                yield SteadyInput(compact=True, select_on_focus=False, max_length=30, id="broker_user_id")
        with Horizontal(classes="row"):
            yield SteadyStatic("name")
            yield self._line("name", client.name if client else "")
            yield SteadyStatic("phone")
            yield self._line("phone", client.phone if client else "")
        with Horizontal(classes="row"):
            yield SteadyStatic("capital")
            yield NumberField(formats.typed(client.next_capital_paise) if client else "", id="capital")
            if client is None:
                yield SteadyStatic("cash")
                yield NumberField("", id="available")
            yield SteadyStatic("MTF limit")
            yield NumberField(formats.typed(client.mtf_limit_paise) if client else "0", id="mtf_limit")
            yield SteadyStatic("×")
            yield NumberField(multiplier_text(client.multiplier_bps) if client else "1", id="multiplier")
        with Horizontal(classes="row"):
            yield SteadyStatic("groups")
            yield self._line("groups", "; ".join(client.fixed_groups) if client else "")
            yield SteadyStatic("discretionary")
            fit = "no" if client is not None and not client.discretionary else "yes"
            yield ChoiceField(["yes", "no"], fit, id="discretionary")
        with Horizontal(classes="row"):
            yield SteadyStatic("status")
            yield ChoiceField(OFFERED, client.status.value if client else "active", id="status")
            yield SteadyStatic("reason")
            yield self._line("status_reason", client.status_reason if client else "")
        yield SteadyStatic(id="client-would", classes="would")
        yield KeyHint("Tab field  ← → choose  Enter keeps  Esc back, nothing changes", classes="keys -always")

    def _line(self, name: str, value: str) -> SteadyInput:
        return SteadyInput(value, compact=True, select_on_focus=False, max_length=200, id=name)

    def title(self) -> str:
        """Whose form it is."""
        return "ADD a client" if self._client is None else f"EDIT {self._client.code} {self._client.name}"

    def begin(self) -> None:
        """In the first field, or where a change is likeliest."""
        self.query_one("#code" if self._client is None else "#capital").focus()
        self.say()

    @property
    def _typed(self) -> dict[str, str]:
        """What stands in each field, by its name. Raises `BadInput` for digits behind letters."""
        found: dict[str, str] = {}
        for one in self.query(NumberField):
            if one.frozen:
                raise BadInput(str(one.id), one.value, "letters stand in it: ctrl+u empties the field")
            found[str(one.id)] = one.value
        found |= {str(one.id): one.value for one in self.query(Input)}
        return found | {str(one.id): one.value for one in self.query(ChoiceField)}

    def _edit(self) -> ClientEdit:
        """What of the form differs from the client. Raises `BadInput`."""
        client, typed = self._client, self._typed
        assert client is not None
        wanted = ClientEdit(
            name=typed["name"],
            phone=typed["phone"],
            capital_paise=paise_from_text(typed["capital"], "capital"),
            mtf_limit_paise=paise_from_text(typed["mtf_limit"] or "0", "MTF limit"),
            multiplier_bps=multiplier_from(typed["multiplier"]),
            discretionary=discretionary_from(typed["discretionary"]),
            groups=tuple(sorted(groups_from(typed["groups"]))),
            status=ClientStatus(typed["status"]),
            status_reason=typed["status_reason"],
        )
        standing = {
            **values_of(client),
            "groups": client.fixed_groups,
            "capital_paise": client.next_capital_paise,
        }
        given = {name: value for name, value in values_of(wanted).items() if value != standing[name]}
        if "status" in given:
            given["status_reason"] = wanted.status_reason
        return ClientEdit(**given)

    def _edit_words(self, client: ClientView) -> str:
        """What would change; of a capital that is changed already, from when it counts."""
        edit, day = self._edit(), self.desk.next_trading_day
        if edit.capital_paise is None and client.next_capital_paise != client.capital_paise:
            due = f"capital {formats.rupees(client.next_capital_paise)} {from_words(day)}"
            return f"{edit_words(client, edit, day)} · {due}, {formats.rupees(client.capital_paise)} today"
        return edit_words(client, edit, day)

    def comes_to(self) -> str:
        """What Enter would do."""
        return "adds this client" if self._client is None else self._edit_words(self._client)

    def entered(self, field: Widget) -> None:
        """Keep it."""
        self.keep(self._keep())

    async def _keep(self) -> None:
        client_id, words = await (self._added() if self._client is None else self._edited(self._client))
        self.shell.say(words)
        self.close(client_id)

    async def _added(self) -> tuple[int, str]:
        new = new_client(self._typed | {"available": self._typed["available"] or "0"})
        (client_id,) = (await self.desk.clients.add([new])).client_ids
        return client_id, f"{new.code} {new.name} is added"

    async def _edited(self, client: ClientView) -> tuple[int, str]:
        edit = self._edit()
        words = edit_words(client, edit, self.desk.next_trading_day)
        await self.desk.clients.edit(client.id, edit)
        return client.id, f"{client.code}: {words}"
