"""What is typed to be told of: `RELIANCE price above 2500 and volume above 2m repeat 10m`.

A rule is conditions joined by `and` and `or`, `and` before `or`. A condition is what it is about (a symbol,
or without one that of the condition before; client words; a connection), a measure, and where that counts
`above` or `below` with a figure; both take the figure itself in. Client words name several clients one by
one, and `pnl` of them all together unless `each` stands there. Money is rupees with `k`, `L` or `cr`
behind. At the end stands `once` (which is meant where nothing does) or `repeat` with the least time between
two, and `note` with words of one's own.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from data.errors import BadInput
from data.money import decimal_from_text
from data.vocabulary import Measure
from engine.colon.alert_rules import FORMS, About, AlertCondition, AlertRule, MeasureUnit
from engine.colon.known import Known
from engine.colon.splitting import quoted
from engine.colon.whom import is_client_word, selection_from

EXAMPLE = "RELIANCE price above 2500, g:GROUP pnl below -2%, all cash below 5000"
ABOVE, BELOW, AND, OR, EACH = "above", "below", "and", "or", "each"
ONCE, REPEAT, NOTE = "once", "repeat", "note"
SIGNS = {">=": ABOVE, ">": ABOVE, "<=": BELOW, "<": BELOW, ABOVE: ABOVE, BELOW: BELOW}
"""What stands for `above` and `below`, which take the figure itself in."""

AGAIN_S = 600.0
"""The least time between two times of a rule that repeats, unless it is said."""
MOST_CONDITIONS = 8
LONGEST_NOTE = 80

_SCALES = {"": 1, "k": 10**3, "l": 10**5, "m": 10**6, "cr": 10**7}
_FIGURE = re.compile(r"([+-]?[0-9][0-9,.]*|[+-]?\.[0-9]+)([a-z]*)")
_SPAN = re.compile(r"(\d{1,4})([smh])")
_PER_SPAN = {"s": 1, "m": 60, "h": 3600}


def alert_rule_from(words: Sequence[str], known: Known) -> AlertRule:
    """The rule that these words are. Raises `BadInput` with the word that cannot be taken."""
    told = [word.casefold() for word in words]
    body, note, again_s = list(words), "", None
    if NOTE in told:
        place = told.index(NOTE)
        note, body = " ".join(words[place + 1 :]), body[:place]
        if not 0 < len(note) <= LONGEST_NOTE:
            raise BadInput("note", note, f"give 1 to {LONGEST_NOTE} characters behind note")
    tail = [word.casefold() for word in body[-2:]]
    repeats: list[str] = []
    if tail and tail[-1] in (ONCE, REPEAT):
        again_s, repeats, body = (AGAIN_S if tail[-1] == REPEAT else None), [tail[-1]], body[:-1]
    elif len(tail) == 2 and tail[0] == REPEAT:
        again_s, repeats, body = _span(tail[1]), tail, body[:-2]
    if not body:
        raise BadInput("alert", " ".join(words), f"say what you want to be told of: {EXAMPLE}")
    parts: list[list[AlertCondition]] = [[]]
    line: list[str] = []
    about: list[str] = []
    for joiner, chunk in _chunks(body):
        condition, about, as_typed = _condition(chunk, about, known)
        if joiner == OR:
            parts.append([])
        line += ([joiner] if joiner else []) + as_typed
        parts[-1].append(condition)
    if sum(map(len, parts)) > MOST_CONDITIONS:
        raise BadInput("alert", " ".join(words), f"at most {MOST_CONDITIONS} conditions")
    line += [*repeats, *([NOTE, note] if note else [])]
    return AlertRule(tuple(map(tuple, parts)), " ".join(line), again_s, note)


def _span(word: str) -> float:
    found = _SPAN.fullmatch(word)
    seconds = int(found[1]) * _PER_SPAN[found[2]] if found else 0
    if not 10 <= seconds <= 86_400:
        raise BadInput("repeat", word, "give the least time between two: 10s, 5m, 1h, up to 24h")
    return float(seconds)


def _chunks(words: Sequence[str]) -> Iterable[tuple[str, list[str]]]:
    """The words of each condition, with what joins it to the one before."""
    joiner, chunk = "", list[str]()
    for word in words:
        if word.casefold() in (AND, OR):
            yield joiner, _some(chunk, word)
            joiner, chunk = word.casefold(), []
        else:
            chunk.append(word)
    yield joiner, _some(chunk, joiner)


def _some(chunk: list[str], beside: str) -> list[str]:
    if not chunk:
        raise BadInput("alert", beside, f"a condition stands on both its sides, such as {EXAMPLE}")
    return chunk


def _condition(
    words: Sequence[str], about: Sequence[str], known: Known
) -> tuple[AlertCondition, list[str], list[str]]:
    """A condition, what it is about, and its words as they are kept; the one before was `about` that."""
    place = next((at for at, word in enumerate(words) if word.casefold() in _MEASURES), None)
    if place is None:
        near = [
            found
            for word in words
            for found in difflib.get_close_matches(word.casefold(), _MEASURES, n=1, cutoff=0.7)
        ]
        hint = f"did you mean {near[0]}? " if near else ""
        raise BadInput("alert", " ".join(words), f"{hint}name what is looked at: {', '.join(_MEASURES)}")
    measure = Measure(words[place].casefold())
    form = FORMS[measure]
    named = list(words[:place] or (about if form.about is About.SYMBOL else ()))
    of = _subject(named, measure, form.about, known)
    behind = list(words[place + 1 :])
    before = [quoted(word) for word in named]
    if form.unit is MeasureUnit.YES:
        if behind:
            raise BadInput("word", behind[0], f"{measure} takes no figure: it is so or not")
        return of, named, [*before, measure.value]
    if len(behind) != 2 or behind[0].casefold() not in SIGNS:
        typed = " ".join(words)
        raise BadInput("alert", typed, f"say above or below and a figure behind {measure}")
    sign = SIGNS[behind[0].casefold()]
    percent = form.unit is MeasureUnit.MONEY and measure is not Measure.CASH and behind[1].endswith("%")
    limit = _limit(behind[1], measure, MeasureUnit.PERCENT if percent else form.unit)
    made = AlertCondition(
        measure,
        of.key,
        of.client_ids,
        of.connection,
        above=sign == ABOVE,
        limit=limit,
        percent=percent,
        each=of.each,
        whom=of.whom,
    )
    return made, named, [*before, measure.value, sign, behind[1]]


def _subject(words: Sequence[str], measure: Measure, about: About, known: Known) -> AlertCondition:
    """What a condition is about, without its figure."""
    each = [word for word in words if word.casefold() == EACH]
    rest = [word for word in words if word.casefold() != EACH]
    if about is About.DESK and rest:
        raise BadInput("word", rest[0], f"{measure} is of the whole desk: nothing stands before it")
    if about is About.CONNECTION:
        return AlertCondition(measure, connection=_connection(rest, known))
    whom = [word for word in rest if is_client_word(word, known)]
    symbols = [word for word in rest if word not in whom]
    takes_symbol = about in (About.SYMBOL, About.SYMBOL_OR_CLIENTS, About.SHARES, About.TOGETHER)
    if len(symbols) > 1 or (symbols and not takes_symbol) or (symbols and measure not in _OF_SYMBOLS):
        raise BadInput("word", symbols[-1], f"{measure} takes no such word: {FORMS[measure].says}")
    if about is About.SYMBOL and (whom or not symbols):
        raise BadInput("alert", " ".join(words), f"name one symbol before {measure}, and no client")
    if measure is Measure.SHARES and not symbols:
        raise BadInput("alert", " ".join(words), "name the symbol whose shares are counted")
    key = known.index.resolve(symbols[0]).key if symbols else ""
    fixed = [word for word in whom if word.casefold() not in ("marked", "shown")]
    if len(fixed) < len(whom):
        raise BadInput("clients", whom[0], "name codes or groups: what is marked now is not what is then")
    ids = None
    if whom and [word.casefold() for word in whom] != ["all"]:
        ids = tuple(client.id for client in known.select(selection_from(whom, known, key)))
    by_one = about in (About.CLIENTS, About.SHARES) or bool(each)
    return AlertCondition(measure, key, ids, each=by_one, whom=" ".join(map(quoted, whom)))


def _connection(words: Sequence[str], known: Known) -> str:
    if not words:
        return ""
    names = [name.casefold() for name in known.connections]
    word = words[0].casefold().removeprefix("broker:").removeprefix("b:")
    if len(words) > 1 or (names and word not in names):
        there = ", ".join(known.connections)
        raise BadInput("connection", " ".join(words), f"name one of {there}, or none for all")
    return word


def _limit(word: str, measure: Measure, unit: MeasureUnit) -> int:
    """A typed figure in what a measure counts in. Raises `BadInput`."""
    expected = _EXPECTED[unit]
    found = _FIGURE.fullmatch(word.casefold().removesuffix("%").lstrip("₹"))
    if found is None or (word.endswith("%") and unit is not MeasureUnit.PERCENT):
        raise BadInput(measure, word, expected)
    figure, suffix = decimal_from_text(found[1], measure, expected), found[2]
    if unit is MeasureUnit.TIME:
        scale = {"": 1000, "s": 1000, "ms": 1, "m": 60_000}.get(suffix)
    elif unit is MeasureUnit.PERCENT:
        scale = 100 if not suffix else None
    else:
        scale = _SCALES.get(suffix)
        if scale is not None and unit in (MeasureUnit.PRICE, MeasureUnit.MONEY):
            scale *= 100
    value = None if scale is None else figure * scale
    if value is None or value != value.to_integral_value() or abs(value) > Decimal(10) ** 17:
        raise BadInput(measure, word, expected)
    if value < 0 and measure not in _BELOW_ZERO:
        raise BadInput(measure, word, f"{expected}; it is never below zero")
    return int(value)


_MEASURES = tuple(measure.value for measure in Measure)
_OF_SYMBOLS = (
    *(Measure.PRICE, Measure.CHANGE, Measure.VOLUME, Measure.CIRCUIT, Measure.PNL, Measure.SHARES),
    Measure.WEIGHT,
)
_BELOW_ZERO = (Measure.CHANGE, Measure.PNL, Measure.CASH, Measure.PORTFOLIO)
_EXPECTED = {
    MeasureUnit.PRICE: "give a price in rupees, such as 2450.50",
    MeasureUnit.MONEY: "give rupees, such as -5000, 2L or 1.5cr",
    MeasureUnit.PERCENT: "give a percentage, such as 2% or -1.5",
    MeasureUnit.COUNT: "give a number, such as 500, 20k or 2m",
    MeasureUnit.TIME: "give a time, such as 10s or 800ms",
    MeasureUnit.YES: "it takes no figure",
}
