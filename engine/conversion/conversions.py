"""The conversion service: what one takes now, asked for once, and what became of one in doubt."""

from datetime import datetime, timedelta

from brokers.contract import Accepted, Ambiguous, Conversion, Converts, Outcome, Refused
from data.clock import span_words
from data.errors import BadInput
from data.money import amount_words
from data.records import replace
from data.reference.conversions import conversion_until
from data.reference.instruments import Instrument
from data.repositories.base import On
from data.repositories.trading.conversions import (
    StoredConversion,
    open_conversion,
    read_conversion,
    read_open,
)
from data.vocabulary import ConversionState, Product
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covered
from engine.book.kept import Kept
from engine.booking.stored import LOTS
from engine.conversion.booked import ask, end, hindered, pieces_of
from engine.conversion.views import ConversionProspect, ConversionView
from engine.execution.sending.dispatch import HALTED, LEASE_OVER
from engine.execution.sending.unanswered import LastLook, no_answer, outcome_of
from engine.execution.trading import require_trading
from engine.flatten.looking import Looking
from engine.instances import ThisEngine
from engine.market.venues import Venues
from engine.refusals import HaltedMeanwhile
from engine.rules import Rules
from engine.timing import Timing


class Conversions:
    """Converts clients' positions, each by one call."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, venues: Venues, rules: Rules) -> None:
        self._kept = kept
        self._rules = rules
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._looking = Looking(kept, timing, venues)

    async def prospect(
        self, client_id: int, key: str, products: tuple[Product, Product], quantity: int | None = None
    ) -> ConversionProspect:
        """What converting takes now, of all shares that may go unless a quantity is given; nothing is done.

        Raises `BadInput` for an instrument that is not known.
        """
        instrument = self._market_data.index.get(key)
        if instrument is None:
            raise BadInput("symbol", key, "give one that the desk knows")
        client, funds = self._kept.book.clients[client_id], self._kept.book.funds[client_id]
        held = self._looking.holding(client_id, instrument.security, products[0])
        free = 0 if held is None else held.sellable
        wanted = free if quantity is None else quantity
        async with self._kept.store.reader() as reader:
            loan = await reader.run_sync(
                lambda on: self._lent(on, client_id, instrument, products[0], wanted)
            )
            hindrance = await reader.run_sync(
                lambda on: hindered(on, client_id, instrument.security, products)
            )
        until = self._until(client.broker, instrument, products)
        made = ConversionProspect(
            client_id,
            client.code,
            key,
            instrument.tradingsymbol,
            *products,
            wanted,
            loan,
            funds.available_paise,
            until,
        )
        return replace(made, why_not=self._why_not(made, free, hindrance))

    def _lent(self, on: On, client_id: int, instrument: Instrument, product: Product, quantity: int) -> int:
        lots = [
            lot
            for lot in LOTS.left(on, [client_id])
            if (lot.security, lot.product) == (instrument.security, product)
        ]
        return sum(piece.loan for piece in pieces_of(lots, quantity))

    def _until(
        self, broker: str, instrument: Instrument, products: tuple[Product, Product]
    ) -> datetime | None:
        day, ends = self._timing.market.trading_day, self._timing.intraday_end(instrument.fno, broker)
        return conversion_until(broker, products, day, ends)

    def _why_not(self, one: ConversionProspect, free: int, hindrance: BadInput | None) -> str:
        """Why it cannot be done now, in words; empty where it can."""
        products = one.from_product, one.to_product
        if products not in self._connections.capabilities(one.client_id).conversions:
            return f"the broker does not convert {products[0]} to {products[1]}"
        if why := self._looking.unreachable(one.client_id):
            return why.value.replace("_", " ")
        if self._halted(one):
            return "halted"
        if hindrance is not None:
            return f"{hindrance.field} {hindrance.value}: {hindrance.expected}"
        if not 0 < one.quantity <= free:
            return f"{free} shares are free in {one.from_product}"
        if one.until is None or self._timing.market.now() >= one.until:
            return "after the broker's cut-off"
        short = one.loan_paise - one.available_paise
        return f"cash short by ₹{amount_words(short)}" if short > 0 else ""

    def _halted(self, one: ConversionProspect) -> bool:
        client = self._kept.book.clients[one.client_id]
        return halt_file_stands(self._kept.halt_file) or covered(self._kept.book.halts, client, one.key)

    async def convert(
        self,
        client_id: int,
        key: str,
        products: tuple[Product, Product],
        quantity: int | None = None,
        newest_halt: int | None = None,
    ) -> ConversionView:
        """Ask the broker once to convert a client's shares, and book it where that is done.

        What an earlier one in doubt became is looked at first. `newest_halt` is the one that was fired last
        when it was confirmed, if that was not just now: it is not sent once a later one was over it. Raises
        `BadInput` where it cannot be done, a `Refusal` where the desk may not trade, and `StoreError`; then
        the broker was not asked.
        """
        newest = self._kept.book.newest_halt if newest_halt is None else newest_halt
        await require_trading(self._kept.store, self._engine)
        if (known := self._market_data.index.get(key)) is not None:
            await self._settle_open(client_id, known.security, products[0])
        found = await self.prospect(client_id, key, products, quantity)
        if self._kept.book.halted_since(newest, client_id, key):
            raise HaltedMeanwhile
        if found.why_not:
            raise BadInput("convert", f"{found.quantity} {found.tradingsymbol}", found.why_not)
        instrument = self._market_data.index.get(key)
        assert instrument is not None, "the prospect knows it"
        wanted = StoredConversion(
            0,
            client_id,
            instrument.security,
            instrument.exchange,
            instrument.tradingsymbol,
            *products,
            found.quantity,
            0,
            ConversionState.REQUESTED,
            self._engine.actor,
            self._timing.market.trading_day,
            self._engine.id,
            self._timing.wall.now(),
            market_at=self._timing.market.now(),
        )
        asked = await self._engine.write_signed_on(lambda unit: ask(unit, wanted))
        outcome = await self._call(asked, found, newest)
        if isinstance(outcome, Ambiguous):
            await self._end(asked, ConversionState.UNKNOWN, outcome.why)
            await self._settle_open(client_id, instrument.security, products[0])
        elif isinstance(outcome, Accepted):
            await self._end(asked, ConversionState.DONE, "")
        else:
            words = outcome.message if isinstance(outcome, Refused) else outcome.why
            await self._end(asked, ConversionState.REFUSED, words)
        return await self.view(asked.number)

    def _kept_back(self, asked: StoredConversion, found: ConversionProspect, newest_halt: int) -> str:
        """Why a conversion must not leave after all; empty where it may. Asked as its bytes are to leave."""
        age_s = (self._timing.wall.now() - asked.asked_at).total_seconds()
        if age_s > self._timing.waits.modify_valid_s:
            return f"it was asked for {span_words(age_s)} ago; ask again"
        if not self._engine.sends_for(asked.client_id):
            return LEASE_OVER
        since = self._kept.book.halted_since(newest_halt, found.client_id, found.key)
        return HALTED if since or self._halted(found) else ""

    async def _call(self, asked: StoredConversion, found: ConversionProspect, newest_halt: int) -> Outcome:
        broker, account = self._connections.broker_of(asked.client_id)
        assert isinstance(broker, Converts), "its capabilities say that it converts"
        look = LastLook(lambda: self._kept_back(asked, found, newest_halt))
        held = self._looking.holding(asked.client_id, asked.security, asked.from_product)
        overnight = held is not None and held.today < asked.quantity
        conversion = Conversion(
            asked.exchange,
            asked.tradingsymbol,
            asked.quantity,
            asked.from_product,
            asked.to_product,
            overnight,
            look,
        )
        lane, clock = self._connections.lane(asked.client_id), self._timing.wall
        while (wait := lane.wait_s(clock.now())) > 0:
            await clock.sleep(wait)
        lane.take(clock.now())

        async def call() -> Outcome:
            async with clock.timeout(self._timing.waits.send_timeout_s):
                return await broker.convert(account, conversion)

        return await outcome_of(call(), "a conversion", no_answer(self._timing.waits), look)

    async def _end(self, one: StoredConversion, state: ConversionState, detail: str) -> None:
        actor, credit = self._engine.actor, self._rules.sell_credit_bps
        await self._kept.store.write(lambda unit: end(unit, one, state, detail, actor, credit))

    async def _settle_open(self, client_id: int, security: str, product: Product) -> None:
        """Say of a conversion in doubt what became of it, by the broker's positions beside our books.

        Those of the one product that is the position's are as many less: it is done. As many as before prove
        that it is not only once its call is too old to arrive, as with an order that is missing.
        """
        async with self._kept.store.reader() as reader:
            found = await reader.run_sync(lambda on: open_conversion(on, client_id, security, product))
        if found is None or (found.instance_id != self._engine.id and self._engine.lives(found.instance_id)):
            return
        read = await self._looking.positions(client_id)
        if isinstance(read, str):
            return
        theirs = read.of.get((security, product))
        ours = self._looking.holding(client_id, security, product)
        there, here = (
            0 if theirs is None else theirs.net,
            0 if ours is None else ours.quantity - ours.pledged - ours.due,
        )
        late = timedelta(seconds=self._timing.waits.conversion_late_s)
        if there == here - found.quantity:
            await self._end(found, ConversionState.DONE, "by the broker's positions")
        elif there == here and read.began >= found.asked_at + late:
            words = "the broker's positions show that it was not done"
            await self._end(found, ConversionState.REFUSED, words)

    async def open(self) -> list[ConversionView]:
        """The conversions of which it is not known yet what became of them, the oldest first."""
        async with self._kept.store.reader() as reader:
            return [_view(one) for one in await read_open(reader)]

    async def settle(self, number: int) -> ConversionView:
        """Look at what became of one in doubt. Raises `BadInput` for an unknown number."""
        one = await self._read(number)
        if one.ended_at is None:
            await self._settle_open(one.client_id, one.security, one.from_product)
        return await self.view(number)

    async def view(self, number: int) -> ConversionView:
        """A conversion as it stands. Raises `BadInput` for an unknown number."""
        return _view(await self._read(number))

    async def _read(self, number: int) -> StoredConversion:
        async with self._kept.store.reader() as reader:
            one = await read_conversion(reader, number)
        if one is None:
            raise BadInput("conversion", number, "no conversion has this number")
        return one


def _view(one: StoredConversion) -> ConversionView:
    """A conversion as screens and commands see it."""
    return ConversionView(
        one.number,
        one.client_id,
        one.tradingsymbol,
        one.from_product,
        one.to_product,
        one.quantity,
        one.loan_paise,
        one.state,
        one.detail,
        one.asked_at,
        one.ended_at,
    )
