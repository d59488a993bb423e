"""The form of a basket on a screen: what stands in it while it is closed, and the saved baskets over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from data.vocabulary import Side
from screens.matrix.basket_card import BasketCard
from screens.matrix.draft import BasketDraft, draft_of, first_leg
from screens.matrix.saved_card import SavedCard

if TYPE_CHECKING:
    from engine.planning.entry.baskets import Basket
    from engine.planning.intent import Intent
    from screens.frame.dock import Card
    from screens.frame.workspace import Framed


class BasketForms:
    """Opens the form and the list of saved baskets on a screen; `ready` takes the intent of the form."""

    def __init__(self, screen: Framed[Any], ready: Callable[[Intent], None]) -> None:
        self._screen = screen
        self._ready = ready
        self._draft = BasketDraft()

    def open(self) -> None:
        """The form as it was left."""
        self._screen.open_card(BasketCard(self._draft, self._over), self._closed)

    def begin(self, side: Side, keys: Sequence[str], client_ids: Sequence[int]) -> None:
        """A form for these clients, all without any, with a leg for each of these stocks."""
        index = self._screen.desk.market.index
        legs = [first_leg(side, one.key, one.tradingsymbol) for key in keys if (one := index.get(key))]
        self._draft = BasketDraft(legs or [first_leg(side)], marked=tuple(client_ids))
        self.open()

    def take(self, intent: Intent) -> None:
        """Have the legs of an intent stand in the form; orders listed for each client have none."""
        self._draft = BasketDraft() if intent.listed else draft_of(intent, self._screen.desk)

    async def save(self, name: str) -> bool:
        """The legs of the form under a name; returns whether others are replaced. Raises `BadInput`."""
        desk = self._screen.desk
        replaced = await desk.baskets.save(name, self._draft.made(desk), self._draft.per_client)
        self._draft.name = (await desk.baskets.get(name)).name
        return replaced

    def _take_basket(self, basket: Basket) -> None:
        self._draft.take(basket.legs, basket.per_client, self._screen.desk)
        self._draft.name = basket.name

    def _closed(self, intent: Intent | None) -> None:
        if intent is not None:
            self._ready(intent)

    def _over(self, card: BasketCard) -> None:
        """The list over the form, which a basket that is opened fills anew."""

        def chosen(basket: Basket | None) -> None:
            if basket is not None:
                self._take_basket(basket)
                self._screen.carry_out(card.fill())

        over: Card[Any] = card
        self._screen.open_card(SavedCard(self._draft), chosen, over=over)
