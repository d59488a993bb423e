"""What a client's broker says of a stock: that it lists it, in which series, offers a product, lends on it.

And whether the client has agreed to that, how much of an order it lets show, and what only warns.
"""

from collections.abc import Sequence

from data.reference.instruments import Instrument
from data.reference.listed import lists_another, other_name, other_series
from data.vocabulary import ConsentKind, Product, Reason, Side
from engine.planning.checks import ClientInput, at_gate
from engine.planning.limits.broker_why import IntradayOver, ListedAs, ListsAnother, OtherSeries
from engine.planning.why import (
    DisclosedOff,
    InstrumentInDoubt,
    LineRefusal,
    NoMtfConsent,
    NotListed,
    NotOffered,
    NotOnMtfList,
    ShowsAll,
    Why,
)


def listing_refusal(client: ClientInput, instrument: Instrument, side: Side) -> LineRefusal | None:
    """Whether the broker by which this client trades lists the instrument, as the security that it is here.

    Of one in another series than here nothing is bought; a sale ends what may be wrong.
    """
    if client.lists_all:
        return None
    found = client.listing
    if found is None:
        return LineRefusal(Reason.NOT_LISTED, (NotListed(client.venue, instrument.key),))
    if lists_another(instrument, found):
        return LineRefusal(Reason.NOT_LISTED, (ListsAnother(client.venue, found.symbol, found.isin),))
    if side is Side.BUY and other_series(instrument, found):
        differs = OtherSeries(client.venue, found.series, instrument.series)
        return LineRefusal(Reason.SERIES_DIFFERS, (differs,))
    return None


def listing_remarks(client: ClientInput, instrument: Instrument) -> tuple[Why, ...]:
    """That the client's broker calls the instrument otherwise, under which name the order shows there."""
    found = client.listing
    if client.lists_all or found is None or not other_name(instrument, found):
        return ()
    return (ListedAs(client.venue, found.symbol),)


def product_refusal(
    instrument: Instrument, side: Side, product: Product, client: ClientInput
) -> LineRefusal | None:
    """Whether the stock can be bought with this product, of those that the client's broker offers.

    Sells need no funding, and end what is in doubt.
    """
    if side is Side.BUY and instrument.doubt:
        return LineRefusal(Reason.INSTRUMENT_IN_DOUBT, (InstrumentInDoubt(instrument.doubt),))
    if side is Side.BUY and product not in client.products:
        return LineRefusal(Reason.PRODUCT_NOT_OFFERED, (NotOffered(product, client.venue),))
    if side is Side.BUY and product is Product.MIS and client.intraday_over is not None:
        return LineRefusal(Reason.PRODUCT_NOT_OFFERED, (IntradayOver(client.venue, client.intraday_over),))
    if side is Side.BUY and product is Product.MTF:
        return mtf_refusal(instrument, client)
    return None


def mtf_refusal(instrument: Instrument, client: ClientInput) -> LineRefusal | None:
    """Whether the client's broker lends on the stock, and the client has agreed to its terms."""
    for lacking in client.consents_lacking:
        if lacking.hard and lacking.kind is ConsentKind.MTF:
            return LineRefusal(Reason.MTF_NO_CONSENT, (at_gate(lacking.verdict),))
    if not client.mtf_agreed:
        return LineRefusal(Reason.MTF_NO_CONSENT, (NoMtfConsent(),))
    if not client.mtf_listed or instrument.margin_bps(Product.MTF) is None:
        unknown = client.mtf_listed and instrument.margins_unknown
        return LineRefusal(Reason.NOT_MTF_ELIGIBLE, (NotOnMtfList(instrument.tradingsymbol, unknown),))
    return None


def consent_remarks(client: ClientInput, side: Side, product: Product) -> tuple[Why, ...]:
    """Consents that an order goes without, since only a warning was asked for."""
    on_margin = side is Side.BUY and product is Product.MTF
    return tuple(
        at_gate(one.verdict)
        for one in client.consents_lacking
        if not one.hard and (on_margin or one.kind is not ConsentKind.MTF)
    )


def disclosed_refusal(client: ClientInput, quantities: Sequence[int], disclosed: int) -> LineRefusal | None:
    """Whether the client's broker lets an order of a line show so little, or no less than all of it.

    NSE: none, or a tenth of the order at least and less than all of it.
    """
    if not client.takes_disclosed:
        return LineRefusal(Reason.DISCLOSED_QUANTITY, (ShowsAll(),))
    for quantity in quantities:
        if not quantity <= 10 * disclosed < 10 * quantity:
            return LineRefusal(Reason.DISCLOSED_QUANTITY, (DisclosedOff(quantity, disclosed),))
    return None
