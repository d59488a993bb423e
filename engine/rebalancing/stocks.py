"""The stocks of a model as the market has them today: what is called otherwise is followed, and said."""

from msgspec import Struct

from data.errors import BadInput
from data.records import replace
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import Instrument
from engine.rebalancing.model import Model, Target


class StockChanged(Struct, frozen=True):
    """A stock of a model that has another key by now than when its version was kept, or another ISIN."""

    key: str
    key_now: str
    security: str
    security_now: str


class StocksToday(Struct, frozen=True):
    """A model under the keys of today, its instruments by those, and what of it has changed."""

    model: Model
    instruments: dict[str, Instrument]
    changed: tuple[StockChanged, ...]


def stocks_today(model: Model, index: InstrumentIndex) -> StocksToday:
    """The model by the keys of today.

    Raises `BadInput` with every stock that is listed no more, and with those of which two are one by now:
    their parts are somebody's to give to others.
    """
    found = {target.key: _instrument(target, index) for target in model.targets}
    if gone := [key for key, stock in found.items() if stock is None]:
        raise BadInput(
            "model", model.title, f"{', '.join(gone)} is listed no more: import the model with other stocks"
        )
    now = {key: stock for key, stock in found.items() if stock is not None}
    keys: dict[str, str] = {}
    for key, stock in now.items():
        if (other := keys.setdefault(stock.security, key)) != key:
            words = f"{other} and {key} are both {stock.key} by now: import the model with one of them"
            raise BadInput("model", model.title, words)
    changed = tuple(
        StockChanged(target.key, stock.key, target.security, stock.security)
        for target in model.targets
        if (stock := now[target.key]).key != target.key
        or (target.security and target.security != stock.security)
    )
    renamed = replace(
        model,
        targets=tuple(replace(target, key=now[target.key].key) for target in model.targets),
        exceptions=tuple(
            replace(one, key=now[one.key].key) if one.key in now else one for one in model.exceptions
        ),
    )
    return StocksToday(renamed, {stock.key: stock for stock in now.values()}, changed)


def _instrument(target: Target, index: InstrumentIndex) -> Instrument | None:
    """What the target names: by its key, or by its ISIN where another security has the key by now."""
    found = index.get(target.key)
    if not target.security or (found is not None and found.security == target.security):
        return found
    exchange = target.key.partition(":")[0]
    return index.of_isin(target.security, exchange) or found
