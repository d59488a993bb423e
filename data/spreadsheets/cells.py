"""Texts in cells that no spreadsheet takes for a formula, and back."""

_SIGNS = ("=", "+", "-", "@")
"""How a formula begins."""


def safe_text(text: str) -> str:
    """A text behind `'` where a spreadsheet would work it out; signed figures stay figures."""
    text = text.strip()
    is_figure = text[:1] in ("+", "-") and text[1:].replace(",", "").replace(".", "").isdigit()
    return f"'{text}" if text[:1] in _SIGNS and not is_figure else text


def plain_text(text: str) -> str:
    """A text as it was before `safe_text` wrote it."""
    return text[1:] if text[:1] == "'" and text[1:2] in _SIGNS else text
