"""Stocks of a model that are called otherwise by now: followed and said, or refused by name."""

import pytest

from data.errors import BadInput
from data.records import replace
from data.reference.instrument_index import InstrumentIndex, index_of
from data.reference.instruments import Instrument
from data.reference.seed import universe
from data.vocabulary import ModelException
from engine.rebalancing.model import ClientException, Model, ModelRules
from engine.rebalancing.stocks import StockChanged, stocks_today
from tests.rebalancing import model

SEED = {row.instrument.key: row.instrument for row in universe()}
INFY, TCS = SEED["NSE:INFY"], SEED["NSE:TCS"]


def kept() -> Model:
    """The model of five stocks, with what each key named, and an exception of client 1 in INFY."""
    made = model(ModelRules())
    return replace(
        made,
        targets=tuple(replace(one, security=SEED[one.key].security) for one in made.targets),
        exceptions=(ClientException(1, "NSE:INFY", ModelException.KEEP),),
    )


def market(**changes: Instrument | None) -> InstrumentIndex:
    """The model's stocks, each in the place of one of the seed; None where there is none."""
    found = {one.key: SEED[one.key] for one in model(ModelRules()).targets}
    found |= {f"NSE:{symbol}": one for symbol, one in changes.items() if one is not None}
    gone = {f"NSE:{symbol}" for symbol, one in changes.items() if one is None}
    return index_of(one for key, one in found.items() if key not in gone)


def test_a_model_whose_stocks_are_as_they_were_stays_as_it_is() -> None:
    today = stocks_today(kept(), market())
    assert (today.model, today.changed) == (kept(), ())


def test_a_stock_whose_isin_has_another_key_is_followed_with_its_exceptions_and_said() -> None:
    renamed = replace(INFY, tradingsymbol="INFOSYS")
    today = stocks_today(kept(), market(INFY=None, INFOSYS=renamed))
    assert today.changed == (StockChanged("NSE:INFY", "NSE:INFOSYS", INFY.security, INFY.security),)
    assert [one.key for one in today.model.targets][:2] == ["NSE:INFOSYS", "NSE:TCS"]
    assert [one.key for one in today.model.exceptions] == ["NSE:INFOSYS"]
    assert sum(one.weight for one in today.model.targets) == sum(one.weight for one in kept().targets)


def test_a_key_that_another_security_has_by_now_is_not_taken_for_the_stock_that_had_it() -> None:
    moved, other = replace(INFY, tradingsymbol="INFOSYS"), replace(INFY, isin="INE000000001")
    today = stocks_today(kept(), market(INFY=other, INFOSYS=moved))
    assert today.instruments["NSE:INFOSYS"].security == INFY.security
    assert "NSE:INFY" not in today.instruments


def test_a_new_isin_under_the_same_key_is_said() -> None:
    split = replace(INFY, isin="INE000000001")
    (changed,) = stocks_today(kept(), market(INFY=split)).changed
    assert (changed.key, changed.key_now) == ("NSE:INFY", "NSE:INFY")
    assert (changed.security, changed.security_now) == (INFY.security, split.security)


def test_every_stock_that_is_listed_no_more_is_named() -> None:
    with pytest.raises(BadInput, match="NSE:INFY, NSE:TCS is listed no more"):
        stocks_today(kept(), market(INFY=None, TCS=None))


def test_two_stocks_that_are_one_by_now_are_refused() -> None:
    one = replace(TCS, tradingsymbol="INFY")
    without = replace(kept(), targets=tuple(replace(t, security="") for t in kept().targets))
    with pytest.raises(BadInput, match="NSE:INFY and NSE:TCS are both"):
        stocks_today(without, market(INFY=one))
