"""What a column of a file is taken for, or where a field that has none comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from engine.accounts.client_file import BROKERS
from engine.accounts.column_marks import AS_READ, FIXED
from engine.words.imports import FIELD_WORDS, field_words
from screens.frame.dock import Card
from screens.importing.rows import NOT_TAKEN, ColumnRow
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.steady import SteadyInput, SteadyStatic
from widgets.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

CODES = ("code", "broker_user_id")
"""What one column may be together, and what is asked about where a workbook holds it as numbers."""

_BOTH = f"{field_words('code')} and {field_words('broker_user_id')}"
_ONE_VALUE = "one value for all rows"
_ASK, _AS_READ = "refused", "as they are"


class ColumnCard(Card[dict[str, str]]):
    """Enter keeps it, and closes with what is said: the source of each field, empty for one that has none."""

    TITLE_WORDS = "A column of a list"

    def __init__(self, row: ColumnRow, headers: Sequence[str], numbers_asked: bool) -> None:
        """`numbers_asked` says that the file holds numbers where zeros in front may be lost."""
        super().__init__()
        self._row, self._headers = row, [header for header in headers if header]
        self._numbers = numbers_asked
        self.rows = 3

    def compose(self) -> ComposeResult:
        """What it is taken for; of a field without a column its source."""
        row = self._row
        with Horizontal(classes="row"):
            if row.header:
                yield SteadyStatic("is taken for")
                standing = _BOTH if set(row.fields) == set(CODES) else None
                standing = standing or (field_words(row.fields[0]) if row.fields else NOT_TAKEN)
                yield ChoiceField([NOT_TAKEN, _BOTH, *FIELD_WORDS.values()], standing, id="taken")
                if self._numbers or row.value:
                    yield SteadyStatic(" its numbers are")
                    yield ChoiceField([_ASK, _AS_READ], _AS_READ if row.value else _ASK, id="numbers")
            else:
                yield SteadyStatic("comes from")
                yield ChoiceField([_ONE_VALUE, *self._headers], _ONE_VALUE, id="source")
                yield SteadyStatic(" value")
                if row.fields == ("broker",):
                    standing = row.value if row.value in BROKERS else BROKERS[0]
                    yield ChoiceField(BROKERS, standing, id="value")
                else:
                    yield SteadyInput(
                        row.value, compact=True, select_on_focus=False, max_length=200, id="value"
                    )
        cells = " · ".join(filter(None, row.samples)) or "nothing in its first rows"
        words = f"its first cells: {cells}" if row.header else "a value stands for every row of the file"
        yield SteadyStatic(Content(plain(words)), classes="would")
        yield KeyHint("← → choose  Tab field  Enter keeps  Esc back", classes="keys -always")

    def title(self) -> str:
        """Which column, or which field."""
        return f"COLUMN {self._row.header}" if self._row.header else field_words(self._row.fields[0]).upper()

    def begin(self) -> None:
        """In the choice, or where a value is typed."""
        first = "#taken" if self._row.header else "#value"
        self.query_one(first).focus()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Keep it."""
        event.stop()
        self._keep()

    def on_input_submitted(self, event: SteadyInput.Submitted) -> None:
        """Keep it."""
        event.stop()
        self._keep()

    def on_input_changed(self, event: SteadyInput.Changed) -> None:
        """What is typed filters no rows."""
        event.stop()

    def _chosen(self, name: str) -> str:
        found = self.query_one(f"#{name}")
        return found.value if isinstance(found, ChoiceField | SteadyInput) else ""

    def _keep(self) -> None:
        row = self._row
        if row.header:
            taken = self._chosen("taken")
            fields = (
                CODES if taken == _BOTH else [one for one, words in FIELD_WORDS.items() if words == taken]
            )
            as_read = bool(self.query("#numbers")) and self._chosen("numbers") == _AS_READ
            source = f"{AS_READ}{row.header}" if as_read else row.header
            self.close({**dict.fromkeys(row.fields, ""), **dict.fromkeys(fields, source)})
            return
        source, value = self._chosen("source"), self._chosen("value").strip()
        if source != _ONE_VALUE:
            self.close({row.fields[0]: source})
        elif value:
            self.close({row.fields[0]: f"{FIXED}{value}"})
        else:
            self.shell.say("say a value, or choose the column it comes from", "refused")
