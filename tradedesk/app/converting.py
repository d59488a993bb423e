"""Converting a client's position: what it takes, the typed answer, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import TradedeskError
from data.vocabulary import Product
from engine.colon.asked import AskedToConvert, AskedToConvertAll
from engine.words.refusals import refusal_words
from engine.words.trading.conversions import ended_words, prospect_words
from screens.frame.cards.confirm import WordsCard
from screens.frame.workspace import Framed, Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tradedesk.app.shell import ShellApp


async def ask_conversion(app: ShellApp, client_id: int, key: str, products: tuple[Product, Product]) -> None:
    """Ask whether a client's shares are to go on in another product, and have that done."""
    try:
        found = await app.desk.conversions.prospect(client_id, key, products)
    except TradedeskError as problem:
        app.say(f"convert: {refusal_words(problem)}", "error")
        return
    if found.why_not or not isinstance(app.screen, Workspace):
        app.say(prospect_words(found), "warning")
        return

    def answered(yes: bool | None) -> None:
        if yes:
            app.run_worker(_converted(app, client_id, key, products, found.quantity), exit_on_error=False)

    app.screen.open_card(WordsCard("CONVERT", [prospect_words(found)], found.answer), answered)


async def ask_conversions(
    app: ShellApp, client_ids: Sequence[int], key: str | None, products: tuple[Product, Product]
) -> None:
    """Ask whether all that these clients have in a product is to go on in another, and have that done."""
    from screens.positions.conversions_card import ConversionsCard

    try:
        found = await app.desk.several_conversions.prospects(client_ids, products, key)
    except TradedeskError as problem:
        app.say(refusal_words(problem), "error")
        return
    if isinstance(app.screen, Framed):
        app.screen.open_card(ConversionsCard(found))


async def _converted(
    app: ShellApp, client_id: int, key: str, products: tuple[Product, Product], quantity: int
) -> None:
    try:
        app.say(ended_words(await app.desk.conversions.convert(client_id, key, products, quantity)))
    except TradedeskError as problem:
        app.say(f"convert: {refusal_words(problem)}", "error")


def convert(app: ShellApp, asked: AskedToConvert | AskedToConvertAll) -> None:
    """Ask for what a typed line wants converted."""
    products = asked.of, asked.to
    if isinstance(asked, AskedToConvertAll):
        asking = ask_conversions(app, asked.client_ids, asked.key, products)
    else:
        asking = ask_conversion(app, asked.client_id, asked.key, products)
    app.run_worker(asking, exit_on_error=False)
