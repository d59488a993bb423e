"""Many values made JSON together read as each alone, and as the standard library writes them."""

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.json_values import json_read, json_text, json_texts

TEXT = st.text('a,"\\\x1e\x1f\x7f\né', max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


class Word(str):
    """A text of a class of its own."""


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@example([{"b": ["\n", "c"], "a": 1}], True, False)
@example([Word("a"), {1: "\udcff"}], False, True)
@example(["\x7f"], False, True)
@given(values=st.lists(VALUES, max_size=5), is_sorted=st.booleans(), ascii_only=st.booleans())
def test_values_encoded_together_are_as_each_alone(
    values: list[object], is_sorted: bool, ascii_only: bool
) -> None:
    encoder = json.JSONEncoder(sort_keys=is_sorted, ensure_ascii=ascii_only, separators=(",", ":"))
    assert json_texts(values, is_sorted, ascii_only) == [encoder.encode(value) for value in values]


@pytest.mark.parametrize("value", [[1, 2], ["é", "\udcff"], [(1, "a")], [Word("x")]])
def test_a_list_for_a_statement_reads_as_what_it_was_made_of(value: list[object]) -> None:
    assert json.loads(json_text(value)) == json.loads(json.dumps(value))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@example('{"a": NaN, "b": [1.0, 1e400, -0]}')
@example('"\\udcff"')
@example('{"a": 1, "a": 2}')
@given(text=VALUES.map(json.dumps) | TEXT)
def test_a_text_is_read_as_the_standard_library_reads_it(text: str) -> None:
    def told(read: Callable[[str], object]) -> str:
        try:
            return repr(read(text))
        except ValueError:
            return "no JSON"

    assert told(json_read) == told(json.loads)
