"""Names that traders give: meant in any letter case, and some of them by their beginning."""

import pytest

from data.errors import BadInput
from engine.labels import begun_label

NAMES = ("Small", "Small caps", "Large caps", "Bank nifty")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("small", "Small"), ("small c", "Small caps"), ("LA", "Large caps"), ("bank  nifty", "Bank nifty")],
)
def test_a_beginning_that_one_name_has_is_that_name(typed: str, meant: str) -> None:
    assert begun_label(typed, "preset", NAMES) == meant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("sm", "several begin so: Small, Small caps"),
        ("smal caps", "saved are Small caps"),
        ("", "saved are Small, Small caps, Large caps, Bank nifty"),
    ],
)
def test_one_that_several_have_or_none_names_those_that_there_are(typed: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        begun_label(typed, "preset", NAMES)
