"""A conversion in the books: asked for before the call, and booked once it is known to be done."""

import sys
from datetime import UTC, datetime

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.ledger import Line, ShareLine, Transfer, loan_account
from data.money import amount_words
from data.records import replace
from data.repositories.accounts.comparisons import figures_of
from data.repositories.base import On
from data.repositories.trading.conversions import (
    StoredConversion,
    add_conversion,
    end_conversion,
    open_conversion,
)
from data.repositories.trading.flattens import live_in, live_sales_in, taken_lines
from data.store import Unit
from data.vocabulary import Account, Bucket, ConversionState, Product, TransferKind
from engine.booking.lots import Lot, Piece, TradePlace, take_lots
from engine.booking.restate import restate_sales, with_sales_behind
from engine.booking.stored import LOTS
from engine.booking.working_set import WorkingSet

_AFTER_ALL: TradePlace = datetime.max.replace(tzinfo=UTC), 0, ""


def pieces_of(lots: list[Lot], quantity: int, at: TradePlace = _AFTER_ALL) -> list[Piece]:
    """Take so many shares out of lots, in the order in which a sale made `at` takes them; the lots shrink."""
    return take_lots([lot for lot in lots if lot.bucket is not Bucket.PLEDGED], quantity, at)


def hindered(on: On, client_id: int, security: str, products: tuple[Product, Product]) -> BadInput | None:
    """What of the desk's own keeps shares from being converted now; None where nothing does.

    A sale beside it would take these or others, by which of the two the broker does first.
    """
    share, into = (client_id, security, products[0]), (client_id, security, products[1])
    if (other := open_conversion(on, *share)) is not None:
        return BadInput("conversion", other.number, "it is open still; look at what became of it first")
    if taken := [one for one in taken_lines(on, [client_id]) if one.share == share]:
        return BadInput("flatten", taken[0].flatten_number, "it takes these shares flat; let it end first")
    if orders := live_in(on, *share):
        return BadInput("order", orders[0], "it is live in these shares; cancel it first")
    if sales := live_sales_in(on, *into):
        return BadInput("order", sales[0], f"it sells such shares in {products[1]}; cancel it first")
    return None


def ask(unit: Unit, wanted: StoredConversion) -> StoredConversion:
    """Write a conversion that the broker is about to be asked for, with what is lent on its shares.

    Raises `BadInput` where something keeps them (`hindered`), or they or the cash are not there; then nothing
    is written.
    """
    products = wanted.from_product, wanted.to_product
    if (hindrance := hindered(unit, wanted.client_id, wanted.security, products)) is not None:
        raise hindrance
    pieces = pieces_of(_lots(unit, wanted), wanted.quantity)
    held = sum(piece.quantity for piece in pieces)
    if held < wanted.quantity:
        raise BadInput("quantity", wanted.quantity, f"give at most {held}: our books have no more")
    loan = sum(piece.loan for piece in pieces)
    available = figures_of(unit, [wanted.client_id])[wanted.client_id].available_paise
    if loan > available:
        short = f"₹{amount_words(loan)} are lent, {amount_words(loan - available)} are short"
        raise BadInput("cash", amount_words(available), short)
    made = replace(wanted, number=unit.take_ids("conversion", 1)[0], loan_paise=loan, asked_at=unit.now)
    add_conversion(unit, made)
    details = {
        "conversion": made.number,
        "symbol": made.tradingsymbol,
        "from": made.from_product.value,
        "to": made.to_product.value,
        "quantity": made.quantity,
        "loan_paise": loan,
    }
    unit.audit(
        AuditEntry(AuditAction.CONVERSION_REQUESTED, made.by, client_id=made.client_id, details=details)
    )
    return made


def end(
    unit: Unit, one: StoredConversion, state: ConversionState, detail: str, actor: str, sell_credit_bps: int
) -> None:
    """Write what became of a conversion; one that is done is booked, in the same commit.

    Trades of the day that were booked before it was known to be done come behind it: sales are booked again
    without what it took and with what it brought.
    One in doubt stays open. Nothing is done where it has ended.
    """
    at = None if state is ConversionState.UNKNOWN else unit.now
    if not end_conversion(unit, one.number, state, detail, at):
        return
    if state is ConversionState.DONE:
        out, into = (
            (one.client_id, one.security, product, one.trading_date)
            for product in (one.from_product, one.to_product)
        )
        with with_sales_behind(unit, out, _moment(one), actor, sell_credit_bps) as books:
            _book(books, one)
        restate_sales(unit, [into], actor, sell_credit_bps)
    details = {"conversion": one.number, "state": state.value, "detail": detail}
    unit.audit(AuditEntry(AuditAction.CONVERSION_ENDED, actor, client_id=one.client_id, details=details))


def _lots(unit: Unit, one: StoredConversion) -> list[Lot]:
    lots = LOTS.left(unit, [one.client_id])
    return [lot for lot in lots if (lot.security, lot.product) == (one.security, one.from_product)]


def _moment(one: StoredConversion) -> datetime:
    """The market's time as the broker was asked."""
    return one.market_at or one.asked_at


def _book(books: WorkingSet, one: StoredConversion) -> None:
    """Close lots of the one product and open such of the other, and repay what is lent on them."""
    at = _moment(one), sys.maxsize, ""  # what was bought by then was there to be converted
    pieces = pieces_of(books.lots[one.client_id, one.security, one.from_product], one.quantity, at)
    books.changed_lots |= {piece.lot.id: piece.lot for piece in pieces}
    books.opened += [
        Lot(
            id=number,
            client_id=one.client_id,
            security=one.security,
            product=one.to_product,
            bucket=piece.bucket,
            opened_on=piece.lot.opened_on,
            quantity=piece.quantity,
            cost_paise=piece.cost,
            loan_paise=0,
            charges_paise=piece.charges,
            quantity_left=piece.quantity,
            cost_left_paise=piece.cost,
            loan_left_paise=0,
            charges_left_paise=piece.charges,
            fill_id=piece.lot.fill_id,
            bought_as=piece.lot.bought_as or piece.lot.id,
            arrived_at=_moment(one),
            traded_at=piece.lot.traded_at,
            trade_id=piece.lot.trade_id,
        )
        for number, piece in zip(books.unit.take_ids("lot", len(pieces)), pieces, strict=True)
    ]
    books.transfers += [_leaves(one, pieces), _arrives(books, one, pieces)]


def _leaves(one: StoredConversion, pieces: list[Piece]) -> Transfer:
    """The shares go out of the one product at cost, and the loan on them with them."""
    cost, loan = sum(piece.cost for piece in pieces), sum(piece.loan for piece in pieces)
    lines = [
        Line(Account.STOCK_COST, -cost, security=one.security),
        Line(loan_account(one.from_product), loan, security=one.security),
        Line(Account.EXTERNAL, cost - loan),
    ]
    return _transfer(one, one.from_product.value, pieces, -1, lines)


def _arrives(books: WorkingSet, one: StoredConversion, pieces: list[Piece]) -> Transfer:
    """They come into the other one, and the client pays what was lent."""
    cost, loan = sum(piece.cost for piece in pieces), sum(piece.loan for piece in pieces)
    paid, short = books.purses[one.client_id].take(loan)
    lines = [
        Line(Account.STOCK_COST, cost, security=one.security),
        Line(Account.AVAILABLE, -paid),
        Line(Account.SHORTFALL, -short),
        Line(Account.EXTERNAL, loan - cost),
    ]
    return _transfer(one, one.to_product.value, pieces, 1, lines)


def _transfer(
    one: StoredConversion, product: str, pieces: list[Piece], sign: int, lines: list[Line]
) -> Transfer:
    shares = [
        ShareLine(one.security, product, piece.bucket, sign * piece.quantity, one.exchange, one.tradingsymbol)
        for piece in pieces
    ]
    moved = sign * sum(piece.quantity for piece in pieces)
    shares.append(ShareLine(one.security, product, Bucket.OUTSIDE, -moved))
    stated = [line for line in lines if line.amount_paise]
    evidence = f"conversion:{one.number}"
    return Transfer(one.client_id, TransferKind.CONVERT, one.trading_date, stated, shares, evidence=evidence)
