"""Which key of a line of hints a cell belongs to."""

import pytest

from widgets.keyline import hinted_key


@pytest.mark.parametrize(
    ("hint", "words", "key"),
    [
        ("{ } list  Enter opens", "{", "left_curly_bracket"),
        ("{ } list  Enter opens", "}", "right_curly_bracket"),
        ("{ } list  Enter opens", "ist", "left_curly_bracket"),
        ("{ } list  Enter opens", " Enter", ""),
        ("Tab field  ↑↓ step  w what-if", "↓", "down"),
        ("Tab field  ↑↓ step  w what-if", "step", "up"),
        ("Tab field  ↑↓ step  w what-if", "-if", "w"),
        ("a  32 shares in cash     m  30 by MTF", "shares", "a"),
        ("a  32 shares in cash     m  30 by MTF", "by", "m"),
        ("a 19 sh · m 30 by MTF", "sh", "a"),
        ("a 19 sh · m 30 by MTF", "30", "m"),
        ("CANNOT SEND: insufficient funds", "SEND", ""),
        ("14:30 or 2026-12-01; empty: no end  Enter goes on", "empty", ""),
        ("14:30 or 2026-12-01; empty: no end  Enter goes on", "goes", "enter"),
        ("h H not for 10 min, …  F7 flatten  Delete deletes", "H", "H"),
        ("h H not for 10 min, …  F7 flatten  Delete deletes", "flat", "f7"),
        ("h H not for 10 min, …  F7 flatten  Delete deletes", "deletes", "delete"),
        ("c copy   :reverse 12", "reverse", ""),
        ("", "", ""),
    ],
)
def test_a_cell_belongs_to_the_key_of_its_entry(hint: str, words: str, key: str) -> None:
    assert hinted_key(hint, hint.index(words)) == key


def test_cells_beyond_a_hint_belong_to_no_key() -> None:
    assert hinted_key("Esc back", 40) == ""
