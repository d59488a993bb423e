"""Many values made JSON together read as each alone, whatever they hold."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.json_values import texts_of

TEXT = st.text('a,"\\\x1e\x1fé', max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@example(["\x1e", {"a": ["b", "\x1e", "c"]}])
@given(values=st.lists(VALUES, max_size=5))
def test_values_encoded_together_are_as_each_alone(values: list[object]) -> None:
    assert texts_of(ENCODER, values) == [ENCODER.encode(value) for value in values]
