"""JSON as columns and files hold it."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object: words to whole numbers, words, booleans, lists and further objects."""
