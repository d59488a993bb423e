"""Keys as a trader reads them."""

from collections.abc import Iterable

KEY_WORDS = {
    "question_mark": "?",
    "at": "@",
    "slash": "/",
    "full_stop": ".",
    "colon": ":",
    "exclamation_mark": "!",
    "asterisk": "*",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "plus": "+",
    "minus": "-",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "shift+Tab",
    "delete": "Delete",
    "insert": "Insert",
    "comma": ",",
    "semicolon": ";",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}
"""How keys are written for a reader where Textual's own name is not it."""


def key_words(keys: str | Iterable[str]) -> str:
    """Keys as a trader reads them: `?  F1`."""
    names = keys.split(",") if isinstance(keys, str) else keys
    return " ".join(
        KEY_WORDS.get(name, name.upper() if name[:1] == "f" and name[1:].isdigit() else name)
        for name in names
    )
