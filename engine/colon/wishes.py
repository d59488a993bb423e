"""Order words, such as `infy 2% @1500 g:growth`: the intent that they mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from data.errors import BadInput
from data.money import paise_from_text
from data.records import replace
from data.reference.instruments import Instrument
from data.vocabulary import Drift, OrderType, PerClient, Product, Side, SizingKind, Validity
from engine.colon.asked import AskedBasket, AskedOrders, AskedToSave
from engine.colon.files import file_from
from engine.colon.known import Known
from engine.colon.whom import FORM, is_client_word, selection_from
from engine.planning.entry.baskets import Basket
from engine.planning.entry.leg_checks import check_legs
from engine.planning.entry.leg_files import legs_from_file, orders_from_file
from engine.planning.entry.leg_words import SIZES, intent_of, legs_from_words, sizing_from
from engine.planning.intent import (
    STANDINGS,
    Intent,
    Leg,
    LineChange,
    Sizing,
    check_intent,
    drift_from,
    product_from,
    standing_from,
)

SIZE = "a size is 2%, 10 or ₹50000"
"""What is said of a word that stands where the size should."""

IN_ORDER = "in-order"
"""Says that a client's legs go in their order, and not all or none."""

SAVE = "save"
"""Says that the legs of a basket's form are kept under the name behind it."""

LEGS = "legs"
"""Says that the legs are read from the CSV file behind it."""

ORDERS = "orders"
"""Says that orders, each with its client, are read from the CSV file behind it."""

TERMS = f"@1500 (limit), t:1490 (trigger), CNC, MTF, MIS, DAY, IOC, AMO, drift:none, again; {FORM}"
"""The words behind the size, in any order."""


class _Term(StrEnum):
    """What may be said once behind the size."""

    LIMIT = "limit"
    TRIGGER = "trigger"
    PRODUCT = "product"
    STANDING = "validity"
    DRIFT = "drift"
    AGAIN = "again"
    TOGETHER = "in-order"


@dataclass(slots=True)
class _Terms:
    """What the words behind symbol and size have said, figures as they were typed."""

    told: dict[_Term, str] = field(default_factory=dict[_Term, str])
    clients: list[str] = field(default_factory=list[str])
    changes: dict[int, LineChange] = field(default_factory=dict[int, LineChange])

    def put(self, term: _Term, word: str, value: str) -> None:
        """Take one of them. Raises `BadInput` where it was said already."""
        if term in self.told:
            raise BadInput(term, word, f"the {term} was given already")
        self.told[term] = value

    def change(self, change: LineChange) -> None:
        """Take a change by hand, beside another one of the same client."""
        before = self.changes.get(change.client_id, change)
        self.changes[change.client_id] = LineChange(
            change.client_id,
            before.quantity if change.quantity is None else change.quantity,
            before.product if change.product is None else change.product,
        )

    @property
    def drift(self) -> Drift:
        """How far the price may move. Raises `BadInput`."""
        return drift_from(self.told.get(_Term.DRIFT, Drift.DESK))

    @property
    def lasts(self) -> tuple[Validity, bool]:
        """How long orders stand. Raises `BadInput`."""
        return standing_from(self.told.get(_Term.STANDING, "DAY"))


def order_from(side: Side, words: Sequence[str], known: Known) -> AskedOrders:
    """An order in one symbol: `SYMBOL SIZE`, then terms in any order. Raises `BadInput` with the word."""
    instrument = _symbol(words, known)
    sizing = _sizing(side, words[1] if len(words) > 1 else "")
    terms = _Terms()
    for word in words[2:]:
        _take(word, terms, known)
    intent = _intent(side, instrument, sizing, terms, known)
    check_intent(intent, instrument)
    _check_changes(intent, known)
    ids = intent.selection.client_ids
    alone = len(ids) == 1 and sizing.kind is SizingKind.FIXED_QUANTITY and not intent.line_changes
    named = alone and intent.selection.title == known.clients.get(ids[0]).code
    if named:
        return AskedOrders(intent, ids[0])
    return AskedOrders(replace(intent, multiplied=True))


def basket_from(words: Sequence[str], known: Known) -> AskedBasket | AskedToSave:
    """Legs such as `buy RELIANCE:15% TCS:20%`, or a saved basket's name; then terms. Raises `BadInput`.

    `legs FILE` reads them from a CSV file, `orders FILE` orders that name their clients; `save NAME` keeps
    those of the form under a name.
    """
    if not words:
        return AskedBasket()
    if words[0].casefold() == SAVE:
        if len(words) == 1:
            raise BadInput("name", "", "give a name: save NAME")
        return AskedToSave(" ".join(words[1:]))
    if words[0].casefold() == ORDERS:
        return AskedBasket(orders_from_file(file_from(words[1:]), known.index, known.clients.find))
    terms, own = _Terms(), list[str]()
    for word in words:
        if _is_term_of_legs(word, known):
            _take(word, terms, known)
        else:
            own.append(word)
    saved = _saved(own, known)
    legs = saved.legs if saved is not None else _legs(own, known)
    usual = PerClient.ALL if saved is None else saved.per_client
    validity, after_market = terms.lasts
    intent = replace(
        intent_of([replace(leg, drift=terms.drift) for leg in legs]),
        selection=selection_from(terms.clients, known, legs[0].key),
        per_client=PerClient.IN_ORDER if _Term.TOGETHER in terms.told else usual,
        validity=validity,
        after_market=after_market,
        again=_Term.AGAIN in terms.told,
    )
    check_legs(intent)
    return AskedBasket(intent)


def _check_changes(intent: Intent, known: Known) -> None:
    """Refuse a change by hand of a client whom the order is not for. Raises `BadInput`."""
    chosen = {client.id for client in known.select(intent.selection)} if intent.line_changes else set[int]()
    for change in intent.line_changes:
        if change.client_id not in chosen:
            code = known.clients.get(change.client_id).code
            raise BadInput("client", code, "its line is to change, but it is not among the clients")


def _saved(words: Sequence[str], known: Known) -> Basket | None:
    """The saved basket that the words name; None where they are legs."""
    if words and words[0].casefold() in ("buy", "sell", LEGS):
        return None
    name = " ".join(words)
    for basket in known.names.baskets:
        if basket.name.casefold() == name.casefold():
            return basket
    if any(":" in word for word in words):
        return None
    there = ", ".join(basket.name for basket in known.names.baskets[:8]) or "none yet"
    raise BadInput("basket", name, f"give legs, such as buy RELIANCE:15%, or a saved basket: {there}")


def _legs(words: Sequence[str], known: Known) -> Sequence[Leg]:
    """Those that were typed, or of a file. Raises `BadInput`."""
    if words and words[0].casefold() == LEGS:
        return legs_from_file(file_from(words[1:]), known.index)
    return legs_from_words(words, known.index)


def _symbol(words: Sequence[str], known: Known) -> Instrument:
    if not words:
        raise BadInput("symbol", "", "give the symbol, then the size: INFY 2%")
    try:
        found = known.index.resolve(words[0])
    except BadInput:
        if len(words) > 1 and _is_size(words[0]):
            raise BadInput("symbol", words[0], "the symbol comes first, then the size: INFY 2%") from None
        raise
    if not found.tradable:
        raise BadInput("symbol", words[0], "an index cannot be traded")
    return found


def _is_size(word: str) -> bool:
    try:
        sizing_from(Side.BUY, word)
    except BadInput:
        return False
    return True


def _sizing(side: Side, word: str) -> Sizing:
    if not word:
        raise BadInput("size", "", f"give the size: {SIZE}")
    try:
        return sizing_from(side, word)
    except BadInput as bad:
        expected = SIZE if bad.expected in (SIZES, _COUNT, _PERCENT) else f"{SIZE}; {bad.expected}"
        raise BadInput("size", word, expected) from None


_COUNT = "give a whole number, such as 10"
_PERCENT = "give a percentage with at most two decimals, such as 25 or 12.5"


def _intent(side: Side, instrument: Instrument, sizing: Sizing, terms: _Terms, known: Known) -> Intent:
    validity, after_market = terms.lasts
    limit, trigger = (_price(terms.told.get(term)) for term in (_Term.LIMIT, _Term.TRIGGER))
    if _Term.TOGETHER in terms.told:
        raise BadInput("word", IN_ORDER, "only a basket's legs go in order")
    return Intent(
        side=side,
        key=instrument.key,
        sizing=sizing,
        order_type=_order_type(limit, trigger),
        product=product_from(terms.told.get(_Term.PRODUCT), side),
        limit_paise=limit,
        trigger_paise=trigger,
        selection=selection_from(terms.clients, known, instrument.key),
        again=_Term.AGAIN in terms.told,
        line_changes=tuple(terms.changes.values()),
        validity=validity,
        after_market=after_market,
        drift=terms.drift,
    )


def _order_type(limit: int | None, trigger: int | None) -> OrderType:
    if trigger is None:
        return OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderType.SL_M if limit is None else OrderType.SL


def _price(figure: str | None) -> int | None:
    if figure is None:
        return None
    try:
        return paise_from_text(figure, "price")
    except BadInput:
        raise BadInput("price", figure, "a price is rupees with at most two decimals, as @1500.50") from None


def _is_term_of_legs(word: str, known: Known) -> bool:
    """Whether a word of a basket says something of all its legs."""
    told = word.casefold()
    if told in (IN_ORDER, "again") or word.upper() in STANDINGS or told.startswith("drift:"):
        return True
    return is_client_word(word, known)


def _take(word: str, terms: _Terms, known: Known) -> None:
    """Have one word behind the size say what it says."""
    told = word.casefold()
    for begins, term in _BEGINNINGS.items():
        if told.startswith(begins):
            terms.put(term, word, word[len(begins) :])
            return
    if told in _ALONE:
        terms.put(_ALONE[told], word, word)
    elif word.upper() in set(Product):
        terms.put(_Term.PRODUCT, word, word)
    elif word.upper() in STANDINGS:
        terms.put(_Term.STANDING, word, word)
    elif "=" in word:
        terms.change(_change(word, known))
    elif is_client_word(word, known):
        terms.clients.append(word)
    else:
        raise BadInput("word", word, f"behind the size stand {TERMS}")


_BEGINNINGS = {"@": _Term.LIMIT, "t:": _Term.TRIGGER, "drift:": _Term.DRIFT}
_ALONE = {"again": _Term.AGAIN, IN_ORDER: _Term.TOGETHER}


def _change(word: str, known: Known) -> LineChange:
    """`PS1015=5` or `PS1015=MTF`: one client's quantity or product, set by hand; 0 drops its line."""
    code, _, value = word.partition("=")
    if not is_client_word(code, known) or ":" in code or code.startswith("!") or code.casefold() == "all":
        raise BadInput("client", word, "give CODE=5, CODE=MTF, or CODE=0 to leave the client out")
    client = known.clients.find(code)
    if value.upper() in set(Product):
        return LineChange(client.id, product=Product(value.upper()))
    if not value.isdecimal() or len(value) > 9:
        raise BadInput("quantity", word, "give CODE=5, CODE=MTF, or CODE=0 to leave the client out")
    return LineChange(client.id, quantity=int(value))
