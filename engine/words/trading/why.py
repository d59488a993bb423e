"""What a plan says of a line, in words: why it is skipped, or what else is to be known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.clock import IST
from data.money import amount_words, band_words, ceil_div, grouped
from data.vocabulary import PhaseKind
from engine.planning import why as kinds
from engine.planning.intent import Sizing
from engine.planning.limits import broker_why as of_brokers
from engine.planning.limits.why import Limiting
from engine.words.breaks import book_unread_words
from engine.words.formats import counted
from engine.words.gate import down_words, finding_words
from engine.words.trading.client_terms import until_words
from engine.words.trading.limits import limiting_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.planning.plan import PlanLine
    from engine.planning.why import Why


def detail_words(line: PlanLine) -> str:
    """What a plan says of a line; a plan of an earlier version has it in words."""
    return line.detail or all_words(line.why)


def all_words(why: Iterable[Why]) -> str:
    """Several things said of one line or order."""
    return "; ".join(filter(None, map(why_words, why)))


_PLAIN: dict[type[Why], str] = {
    kinds.UnderHalt: "halted, nothing is sent until it is resumed",
    kinds.ReduceOnly: "only what makes a position smaller may leave",
    kinds.NotSignedIn: "sign in",
    kinds.NotCompared: "the broker's books could not be read since the desk was opened",
    kinds.NoPrice: "no price known",
    kinds.NoNextSession: "its broker takes no orders for the next session",
    kinds.AtPriceNow: "at the price now",
    kinds.DroppedByHand: "dropped by hand",
    kinds.NoMtfConsent: "the client agrees to its broker's terms of MTF first; `routes` has it as mtf",
    kinds.ShowsAll: "its broker takes no disclosed quantity",
    kinds.NoInstruction: "traded for on its instruction alone: give ref",
    kinds.PortfolioUnpriced: "shares of it have no young price, so that its portfolio's value is not known",
}


def why_words(why: Why) -> str:
    """One of them. Raises `TypeError` for a kind without words."""
    if (plain := _PLAIN.get(type(why))) is not None:
        return plain
    if isinstance(why, Limiting):
        return limiting_words(why)
    for words in (_of_client, _of_other_runs, _of_market, _of_listing, _of_size, _of_shares):
        if (told := words(why)) is not None:
            return told
    raise TypeError(f"no words for {why!r}")


def _of_client(why: Why) -> str | None:
    match why:
        case kinds.NotActive(since=since, told=told):
            return " ".join(
                filter(None, (f"since {since.day} {since:%b}" if since else "", f"({told})" if told else ""))
            )
        case kinds.ClientPaused(until=until, told=told):
            return f"{until_words(until)} ({told})".strip()
        case kinds.AtGate(finding=finding, figures=figures):
            return finding_words(finding, figures)
        case of_brokers.BrokerIsDown(broker=broker, at=at):
            return down_words(broker, at)
        case kinds.OnlySells(book=book, rows=rows, detail=detail):
            which = f": {book_unread_words(book, rows, detail)}" if rows else ""
            return f"may only sell until our books and the broker's agree{which}"
        case kinds.NotAuthorised(released=released):
            words = "no DDPI: the client authorises the sale at the depository first"
            more = f", of which {grouped(released)} shares are released today" if released else ""
            return f"{words}{more}; its broker tells that by itself, or waive `demat` at the gate"
        case kinds.OverMtf(over_paise=over):
            return "no MTF limit" if over is None else f"over the MTF limit by {whole_rupees(over)}"
        case kinds.MoneyShort(paise=paise):
            return f"short {whole_rupees(paise)}"
        case kinds.WaitsForCash(shares=shares):
            return f"{counted(shares, 'share')} for which there is no cash today: in tomorrow's list"
        case kinds.LegsLost(legs=legs):
            noun = "leg" if len(legs) == 1 else "legs"
            return f"{noun} {', '.join(map(str, legs))} of the client's cannot go"
        case _:
            return None


def _of_other_runs(why: Why) -> str | None:
    match why:
        case kinds.OrderLives(order=order, symbol=symbol):
            return f"order {order} of {symbol} lives: once it has ended, it is looked at again"
        case kinds.RunStillBuys(run=run):
            return f"run {run} has still to buy"
        case kinds.SentBefore(run=None):
            return "the same was sent within the last minute, or still is"
        case kinds.SentBefore(run=run):
            return f"the same as run {run}"
        case _:
            return None


def _of_market(why: Why) -> str | None:
    match why:
        case kinds.SessionOn(phase=phase):
            return f"AMO is taken between two sessions, and one is on: phase {_phase(phase)}"
        case kinds.PhaseTakesNone(phase=PhaseKind.HALTED, orders=kind):
            return f"the whole market is halted: no {kind} order is taken"
        case kinds.PhaseTakesNone(phase=phase, orders=kind, awaited=awaited):
            wait = f"AMO would wait for {awaited:%d %b}; " if awaited else ""
            return f"{wait}phase {_phase(phase)} takes no {kind} order"
        case kinds.PriceOld(age_ms=age, limit_ms=limit):
            return f"price {age / 1000:.1f} s old, limit {limit / 1000:g} s"
        case of_brokers.OfTwoBrokers(
            broker=broker, last_paise=last, other=other, other_paise=theirs, apart_bps=bps
        ):
            first = f"{broker.capitalize()} {amount_words(last)}, {other.capitalize()} {amount_words(theirs)}"
            return f"{first}: {bps / 100:.2f} % apart"
        case kinds.NoPriceOf(symbols=symbols):
            return f"no young price of {', '.join(symbols)}"
        case kinds.OffBand(lower_paise=lower, upper_paise=upper, last_paise=last):
            subject = "it" if last is None else f"last {amount_words(last)}"
            return f"{subject} is outside {band_words(lower, upper)}"
        case kinds.InstrumentInDoubt(told=told):
            return told
        case _:
            return None


def _of_listing(why: Why) -> str | None:
    match why:
        case kinds.NotListed(broker=broker, key=key):
            return f"{key} is not listed at {broker.capitalize()}"
        case of_brokers.ListsAnother(broker=broker, symbol=symbol, isin=isin):
            return f"{broker.capitalize()} has another security as {symbol} ({isin})"
        case of_brokers.OtherSeries(broker=broker, theirs=theirs, ours=ours):
            return f"in series {theirs} at {broker.capitalize()}, in {ours} here"
        case of_brokers.ListedAs(broker=broker, symbol=symbol):
            return f"{symbol} at {broker.capitalize()}"
        case of_brokers.NoSuchValidity(broker=broker, validity=validity):
            return f"{broker.capitalize() or 'its broker'} takes no {validity.value} order"
        case of_brokers.IntradayOver(broker=broker, at=at):
            return f"{broker.capitalize()} ended intraday buying of it at {at.astimezone(IST):%H:%M}"
        case kinds.NotOffered(product=product, broker=broker):
            return f"{broker.capitalize() or 'its broker'} offers no {product.value} here"
        case kinds.NotOnMtfList(tradingsymbol=symbol, unknown=True):
            return f"no margin of {symbol} is known: its broker has not told it yet"
        case kinds.NotOnMtfList(tradingsymbol=symbol):
            return f"{symbol} is not on the MTF list"
        case _:
            return None


def _by(broker: str) -> str:
    """Whose limit it is, where the brokers of a plan have different ones."""
    return f"{broker.capitalize()}: " if broker else ""


def _of_size(why: Why) -> str | None:
    match why:
        case kinds.LotTooDear(most_paise=most, broker=broker):
            return f"{_by(broker)}an order may be worth {whole_rupees(most)} at most, less than one lot"
        case kinds.TooLarge(quantity=quantity, worth_paise=worth, slices=slices, slice_quantity=most):
            size = f"{_by(why.broker)}{grouped(quantity)} shares"
            value = "" if worth is None else f", worth {whole_rupees(worth)}"
            return f"{size}{value}, at most {slices} orders of {grouped(most)}"
        case kinds.SliceTooLarge(quantity=quantity):
            return f"{quantity} shares are more than one order may be at this price"
        case kinds.BelowOne():
            return _below_one(why)
        case kinds.OddShares(odd=odd, quantity=quantity, lot_size=lot):
            part = f"{grouped(odd)} of {grouped(quantity)} shares"
            return f"{part} make no whole lot of {grouped(lot)} and stay"
        case kinds.DisclosedOff(quantity=quantity, disclosed=disclosed):
            least = ceil_div(quantity, 10)
            rule = f"an order of {grouped(quantity)} shows {grouped(least)} at least and less than all"
            return f"{grouped(disclosed)} disclosed: {rule}"
        case kinds.AtWeight(weight_bps=weight, target_bps=target):
            return f"at {weight / 100:.2f} % of its portfolio, {target / 100:.2f} % wanted"
        case kinds.InSlices(orders=orders, slice_quantity=most):
            return f"in {orders} orders of {grouped(most)} at most"
        case _:
            return None


def _below_one(why: kinds.BelowOne) -> str:
    least = "one share" if why.lot_size == 1 else f"one lot of {grouped(why.lot_size)}"
    sizing = Sizing(why.sizing, why.value).words()
    if why.of_shares is not None:
        return f"{sizing.removesuffix('position')}{grouped(why.of_shares)} shares is less than {least}"
    return f"{sizing} is less than {least} at {amount_words(why.price_paise or 0)}"


def _of_shares(why: Why) -> str | None:
    match why:
        case kinds.HoldsNone(tradingsymbol=symbol, others=()):
            return f"holds no {symbol}"
        case kinds.HoldsNone(product=product, others=others):
            return f"holds none in {product.value}, only in {' and '.join(others)}"
        case kinds.NoneFree(quantity=quantity, product=product):
            return f"holds {grouped(quantity)} in {product.value}, none free to sell"
        case kinds.SharesShort(short=short, free=free):
            return f"short {grouped(short)} shares, {grouped(free)} free to sell"
        case kinds.FewerAtBroker(theirs=theirs, ours=ours):
            return f"the broker has {grouped(theirs)} of {grouped(ours)}"
        case _:
            return None


def _phase(phase: PhaseKind) -> str:
    return phase.value.replace("_", " ")


def whole_rupees(paise: int) -> str:
    """Whole rupees, rounded up, grouped the Indian way: 77,631 or 12,38,771."""
    return ("-" if paise < 0 else "") + grouped(ceil_div(abs(paise), 100))
