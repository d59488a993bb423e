"""Which row of a file is which known instrument: by token, name, ISIN and series; and which is none."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import replace
from data.reference.instruments import BrokerInstrument
from data.reference.names import Matched, match

NAMES = ("ALFA", "BRAVO", "CARGO", "DELTA", "ECHO", "FOXTROT")


def known(name: str, token: int, **facts: object) -> BrokerInstrument:
    made = BrokerInstrument("NSE", name, f"{name} Ltd", 5, security_id=f"S{token}", token=str(token))
    return replace(made, **facts)


def told(name: str, token: int, **facts: object) -> BrokerInstrument:
    return replace(known(name, token, **facts), security_id="")


def matched(
    before: Collection[BrokerInstrument], file: list[BrokerInstrument], claimed: Collection[str] = ()
) -> Matched:
    return match(before, file, claimed, lambda one: f"new {one.key}")


def securities(found: Matched) -> dict[str, str]:
    return {one.tradingsymbol: one.security for one in found.rows}


@given(st.permutations(NAMES), st.permutations(NAMES), st.data())
def test_any_permutation_of_names_leaves_each_security_its_token(
    first: list[str], second: list[str], data: st.DataObject
) -> None:
    """However names go round, twice over and in any order of rows, what each token stands for never moves."""
    stand = [known(name, token) for token, name in enumerate(NAMES, start=1)]
    held = {one.security for one in stand}
    for names in (first, second):
        file = [told(name, token) for token, name in enumerate(names, start=1)]
        found = matched(stand, data.draw(st.permutations(file)), held)
        assert {one.token: one.security for one in found.rows} == {str(n): f"S{n}" for n in range(1, 7)}
        assert found.doubts == {}
        assert {one.key_before: one.security for one in found.renames} == {
            one.key: one.security for one in stand if one.tradingsymbol != names[int(one.token) - 1]
        }
        again = matched(found.rows, file, held)
        assert (again.renames, sorted(again.rows, key=repr)) == ([], sorted(found.rows, key=repr))
        stand = found.rows


ONE, TWO = {"isin": "INE000A01011"}, {"isin": "INE000B01019"}


@pytest.mark.parametrize(
    ("before", "file", "expected"),
    [
        # A name goes on with another token; a security goes on by its ISIN.
        ([known("ALFA", 1)], [told("ALFA", 9)], {"ALFA": "S1"}),
        ([known("ALFA", 1, **ONE)], [told("OMEGA", 9, **ONE)], {"OMEGA": "S1"}),
        # A split gives a share a new ISIN.
        ([known("ALFA", 1, **ONE)], [told("ALFA", 1, **TWO)], {"ALFA": "S1"}),
        # The old name is still there, with a token never seen: nobody was renamed.
        ([known("ALFA", 1)], [told("BRAVO", 1), told("ALFA", 9)], {"BRAVO": "new NSE:BRAVO", "ALFA": "S1"}),
        # Series of one share, and a paper of another kind under the same symbol.
        ([known("ALFA", 1)], [told("ALFA-BE", 9, series="BE")], {"ALFA-BE": "S1"}),
        ([known("ALFA-SM", 1, series="SM")], [told("ALFA", 9)], {"ALFA": "S1"}),
        ([known("ALFA", 1)], [told("ALFA-W1", 9, series="W1")], {"ALFA-W1": "new NSE:ALFA-W1"}),
        # A token that another ISIN has taken.
        ([known("ALFA", 1, **ONE)], [told("BRAVO", 1, **TWO)], {"BRAVO": "new NSE:BRAVO"}),
        # The other exchange counts its own tokens.
        ([known("ALFA", 1)], [told("BRAVO", 1, exchange="BSE")], {"BRAVO": "new BSE:BRAVO"}),
    ],
)
def test_what_a_row_is(
    before: list[BrokerInstrument], file: list[BrokerInstrument], expected: dict[str, str]
) -> None:
    assert securities(matched(before, file)) == expected


def test_no_row_takes_the_place_of_what_clients_hold() -> None:
    before = [known("ALFA", 1), known("BRAVO", 2)]
    found = matched(before, [told("BRAVO", 1)], claimed={"S2"})
    assert (found.rows, found.renames) == ([], [])
    assert found.doubts.keys() == {"NSE:ALFA", "NSE:BRAVO"}
    assert {one.key: one.security for one in found.kept} == {"NSE:ALFA": "S1", "NSE:BRAVO": "S2"}

    free = matched(before, [told("BRAVO", 1)])
    assert (securities(free), free.doubts) == ({"BRAVO": "S1"}, {})


def test_a_part_of_a_file_proves_nothing_gone() -> None:
    found = match([known("ALFA", 1)], [told("ALFA-BE", 9, series="BE")], (), lambda one: "new", whole=False)
    assert (securities(found), found.renames) == ({"ALFA-BE": "new"}, [])
