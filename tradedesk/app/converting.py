"""Converting a client's position: what it takes, the typed answer, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import TradedeskError
from data.vocabulary import Product
from engine.words.conversions import ended_words, prospect_words
from engine.words.refusals import refusal_words
from screens.frame.confirm import WordsCard
from screens.frame.workspace import Workspace

if TYPE_CHECKING:
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


async def _converted(
    app: ShellApp, client_id: int, key: str, products: tuple[Product, Product], quantity: int
) -> None:
    try:
        app.say(ended_words(await app.desk.conversions.convert(client_id, key, products, quantity)))
    except TradedeskError as problem:
        app.say(f"convert: {refusal_words(problem)}", "error")
