"""Converting several positions, of several clients: each by one call, and what became of each."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from brokers.connections import Readers
from data.errors import BadInput, TradedeskError
from data.vocabulary import Product
from engine.book.kept import Kept
from engine.conversion.conversions import Conversions
from engine.conversion.views import ConversionEnd, ConversionProspect
from engine.rules import READERS


class SeveralConversions:
    """Finds the positions of several clients that may be converted, and has those converted."""

    def __init__(self, kept: Kept, conversions: Conversions) -> None:
        self._kept = kept
        self._conversions = conversions
        self._readers = Readers(kept.book.carrier_of, READERS)

    async def prospects(
        self, client_ids: Collection[int], products: tuple[Product, Product], key: str | None = None
    ) -> list[ConversionProspect]:
        """What converting all that these clients have in a product takes now, of one security or of each.

        Nothing is done. Raises `BadInput` where none of them has any.
        """
        book = self._kept.book
        wanted = [
            (client_id, held.key)
            for client_id in client_ids
            for held in book.holdings.get(client_id, ())
            if held.product is products[0] and held.quantity and key in (None, held.key)
        ]
        if not wanted:
            what = "positions" if key is None else key.partition(":")[2]
            raise BadInput("convert", len(client_ids), f"none of these clients has {what} in {products[0]}")
        found = [await self._conversions.prospect(*one, products) for one in wanted]
        return sorted(found, key=lambda one: (not one.why_not, one.code, one.tradingsymbol))

    async def convert(
        self, wanted: Sequence[ConversionProspect], told: Callable[[ConversionEnd], object] = lambda _: None
    ) -> list[ConversionEnd]:
        """Convert what can be, one client beside another, a client's one after the other.

        What each came to is `told` at once; a refusal of one keeps no other back.
        """
        of_client: dict[int, list[ConversionProspect]] = defaultdict(list)
        for one in wanted:
            if not one.why_not:
                of_client[one.client_id].append(one)

        newest_halt = self._kept.book.newest_halt

        async def carry_out(rows: Sequence[ConversionProspect]) -> list[ConversionEnd]:
            ends: list[ConversionEnd] = []
            async with self._readers.of(rows[0].client_id):
                for one in rows:
                    ends.append(await self._convert(one, newest_halt))
                    told(ends[-1])
            return ends

        ends = await asyncio.gather(*(carry_out(rows) for rows in of_client.values()))
        return [end for of_one in ends for end in of_one]

    async def _convert(self, one: ConversionProspect, newest_halt: int) -> ConversionEnd:
        products = one.from_product, one.to_product
        try:
            done = await self._conversions.convert(
                one.client_id, one.key, products, one.quantity, newest_halt
            )
        except TradedeskError as problem:
            return ConversionEnd(one, None, problem)
        return ConversionEnd(one, done)
