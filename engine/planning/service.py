"""The plan service: gathers the inputs of a plan from the running desk, freezes and stores plans."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil

from msgspec import Struct

from brokers.pacing import eta_s, late_calls
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import moved_beyond, moved_bps
from data.records import replace
from data.reference.instruments import Instrument
from data.repositories.accounts.instructions import instructions_between, keep_instruction
from data.repositories.trading.plans import add_plan, plans_of_digest, read_plan
from data.store import Unit
from data.vocabulary import BreakKind, Product, Side
from engine.book.halt_file import halt_file_stands
from engine.book.halt_scope import covering, strength_of
from engine.book.kept import Kept
from engine.book.views import ClientView, brokers_quantity, free_to_sell
from engine.events import PlanFrozen, TapeLine
from engine.instances import ThisEngine
from engine.market.margins import Margins
from engine.market.venues import Venues
from engine.news import PlanMade
from engine.planning.checks import ClientInput, HeldShares, PlanInputs
from engine.planning.confirming import weighed
from engine.planning.duplicates import same_intent
from engine.planning.intent import Intent, Selection, check_trigger
from engine.planning.legs import plan_legs
from engine.planning.limits.gathering import NOT_GATHERED, Gathered, LimitFigures
from engine.planning.of_clients import NOT_LOOKED_UP, REF_KEPT, OfClients, of_clients, ordered_of
from engine.planning.plan import Plan, PlanLine
from engine.planning.plan_record import freeze, from_json, plan_stored, stored_legs, verify_record
from engine.planning.selecting import selected
from engine.planning.what_if import WhatIf, what_if
from engine.planning.why import ClientPaused
from engine.rules import SHOWN_DIGITS, Rules
from engine.timing import Timing


class AskedFirst(Struct, frozen=True):
    """What is asked before a plan is made: clients' books, margins, the line for it, a portfolio, limits.

    `line` is what would be typed, None where no line says it; `lends_on` whether a broker's list has a key.
    """

    books: Callable[[Collection[int]], Awaitable[None]]
    margins: Margins
    line: Callable[[Intent], str | None]
    portfolio: Callable[[int], int]
    limits: LimitFigures
    lends_on: Callable[[str, str], bool]


class Plans:
    """Previews, frozen plans and how far the market has moved since."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        venues: Venues,
        rules: Rules,
        first: AskedFirst,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = venues.connections
        self._market_data = venues.market_data
        self._rules = rules
        self._first = first
        self._frozen: dict[int, float] = {}
        """The monotonic moment before each plan of this program was frozen."""
        self._newest: Plan | None = None
        """The plan that was frozen last."""

    async def preview(self, intent: Intent) -> Plan:
        """The intent applied to what is known now; nothing is stored. Raises `BadInput`."""
        return self._timed(await self._planned(intent))

    async def freeze(self, intent: Intent) -> Plan:
        """Number, hash and store a plan; it may be started within its validity. Raises `BadInput`."""
        made = self._timed(await self._planned(intent))
        line = self._first.line(intent)
        began = self._timing.wall.monotonic()

        def store(unit: Unit) -> Plan:
            needs = weighed(unit, self._kept.book.people, made, (self._engine.actor,), unit.now).limit
            valid_s = self._rules.plan_valid_s if needs is None else self._rules.confirmed_valid_s
            valid_for = timedelta(seconds=valid_s)
            frozen = freeze(made, unit.take_ids("plan", 1)[0], unit.now, valid_for)
            assert frozen.number is not None
            add_plan(unit, plan_stored(frozen, self._engine.actor), stored_legs(frozen))
            unit.audit(
                AuditEntry(
                    AuditAction.PLAN_FROZEN,
                    self._engine.actor,
                    plan_number=frozen.number,
                    details={
                        "title": frozen.title,
                        "digest": frozen.digest,
                        "orders": frozen.orders,
                        "skipped": len(frozen.skipped_lines),
                        **({"ref": intent.ref} if intent.ref else {}),
                        **({"override": intent.override} if intent.override else {}),
                    }
                    | ({} if line is None else {"line": line}),
                )
            )
            if intent.ref:
                keep_instruction(unit, {one.client_id for one in frozen.ok_lines}, intent.ref, unit.now)
            unit.publish(PlanFrozen(frozen.number))
            skipped = len(frozen.skipped_lines)
            news = PlanMade(frozen.number, frozen.title, frozen.orders, skipped, frozen.digest)
            unit.publish(TapeLine(unit.now, news, clients_of(frozen)))
            return frozen

        frozen = await self._kept.store.write(store)
        assert frozen.number is not None
        self._frozen[frozen.number] = began
        self._newest = frozen
        return frozen

    def _timed(self, made: Plan) -> Plan:
        """The plan with the seconds that the budgets of its accounts and api keys need, and may take."""
        calls = {
            client_id: count for client_id, count in made.calls.items() if self._connections.serves(client_id)
        }
        needed = ceil(eta_s(calls, self._connections.lane, self._timing.wall.now()))
        sending_s = max(1, needed) if made.orders else 0
        staged = made.stages > 1  # its buys wait for what its sales bring
        within_s = round(self._rules.send_at_most_s) if staged else self._rules.send_within_s(sending_s)
        return self._late(replace(made, sending_s=sending_s, send_within_s=within_s), calls)

    def _late(self, made: Plan, calls: Mapping[int, int]) -> Plan:
        """The plan with how many of its orders cannot leave before the first session of its shares ends."""
        phases = [self._timing.phase(part.instrument) for part in made.parts if part.ok_lines]
        ends = [phase.ends_at for phase in phases if phase.ends_at is not None]
        if made.intent.after_market or not ends or not made.orders:
            return made
        left_s = (min(ends) - self._timing.market.now()).total_seconds()
        late = late_calls(calls, self._connections.lane, self._timing.wall.now(), left_s)
        return replace(made, late_orders=late, late_at=min(ends)) if late else made

    async def get(self, number: int) -> Plan:
        """A stored plan. Raises `BadInput` for a number that was never given."""
        async with self._kept.store.reader() as connection:
            body = await read_plan(connection, number)
        if body is None:
            raise BadInput("number", number, "no plan has this number")
        return from_json(body)

    async def by_digest(self, prefix: str) -> Plan:
        """The stored plan whose digest begins with `prefix`, eight hex digits or more. Raises `BadInput`."""
        prefix = prefix.strip().lower()
        if len(prefix) < SHOWN_DIGITS or any(letter not in "0123456789abcdef" for letter in prefix):
            raise BadInput("confirm", prefix, f"give at least {SHOWN_DIGITS} hex digits of the plan's hash")
        async with self._kept.store.reader() as connection:
            bodies = await plans_of_digest(connection, prefix)
        if len(bodies) != 1:
            raise BadInput("confirm", prefix, "no single stored plan has this hash; plan again")
        return from_json(bodies[0])

    async def is_as_stored(self, made: Plan) -> bool:
        """Whether a plan is that of its record, and the record is what was confirmed.

        The digest is held against the record as it lies there, whatever this version would write. The plan
        frozen last was sealed with the digest of its own record, so that it need not be read to be compared.
        """
        assert made.number is not None
        async with self._kept.store.reader() as connection:
            body = await read_plan(connection, made.number)
        if body is None or not verify_record(body):
            return False
        if made is self._newest:
            return body["digest"] == made.digest
        return from_json(body) == made

    def what_if(self, part: Plan, line: PlanLine) -> WhatIf:
        """What a line of a plan of one leg would leave of its client; nothing is sent or written."""
        book, worth = self._kept.book, self._first.portfolio(line.client_id)
        holdings = book.holdings.get(line.client_id, ())
        return what_if(part, line, book.funds[line.client_id], holdings, worth)

    async def instruction(self, client_id: int) -> str:
        """What a client's instruction of the last quarter of an hour was named; empty where there is none."""
        async with self._kept.store.reader() as reader:
            now = self._timing.wall.now()
            return (await instructions_between(reader, now - REF_KEPT, now)).get(client_id, "")

    def drift_bps(self, made: Plan) -> int | None:
        """How far the last price has moved since the plan was made, in basis points; None without a price."""
        quote = self._market_data.quote_by(made.instrument.key, made.priced_by)
        return None if quote is None else moved_bps(made.last_paise, quote.last_paise)

    def drifted(self, made: Plan) -> bool:
        """Whether the last price is known and further from the plan's than the plan allows."""
        quote, limit = self._market_data.quote_by(made.instrument.key, made.priced_by), made.drift_limit_bps
        if quote is None or limit is None:
            return False
        return moved_beyond(made.last_paise, quote.last_paise, limit)

    def expired(self, made: Plan) -> bool:
        """Whether the plan may no longer be started."""
        return self.left_s(made) < 0

    def left_s(self, made: Plan) -> float:
        """Seconds in which a frozen plan may still be started; negative once it may not.

        Its age is the larger of two clocks', since the wall's may be set back. Of a plan of another program,
        or of before a restart, the wall's alone is known; one from the future may not be started.
        """
        by_wall = (self._timing.wall.now() - made.frozen_at).total_seconds()
        frozen = None if made.number is None else self._frozen.get(made.number)
        if frozen is None and by_wall < 0:
            return by_wall
        steady = 0.0 if frozen is None else self._timing.wall.monotonic() - frozen
        return (made.expires_at - made.frozen_at).total_seconds() - max(by_wall, steady)

    def select(self, selection: Selection) -> list[ClientView]:
        """The clients a selection names, by code. Raises `BadInput` for an unknown id, group or broker."""
        return selected(self._kept.book, selection)

    async def _planned(self, intent: Intent) -> Plan:
        """The intent applied to what is known now, leg by leg."""
        return plan_legs(intent, [await self._inputs(part) for part in intent.parts])

    async def _inputs(self, intent: Intent) -> PlanInputs:
        instrument = self._market_data.index.get(intent.key) or self._market_data.index.resolve(intent.key)
        if intent.side is Side.BUY:
            instrument = await self._first.margins.learned(instrument, self.select(intent.selection))
        clients = self.select(intent.selection)
        if intent.listed:
            named = {change.client_id for change in intent.line_changes}
            clients = [client for client in clients if client.id in named]
        duplicates = await self._duplicates(intent, instrument)
        await self.prepare(instrument.key, [client.id for client in clients])
        first, data = self._first, self._market_data
        looked_up = await of_clients(intent, clients, self._kept, self._timing, data, first.portfolio)
        gathered = await first.limits.gathered(instrument, intent.side, clients)
        return self.inputs_now(intent, instrument, clients, duplicates, looked_up, gathered)

    async def prepare(self, key: str, client_ids: Collection[int]) -> None:
        """Have what is traded on at hand: the clients' books compared, then a price that is young."""
        await self._first.books(client_ids)
        age = self._market_data.quotes.age(key, self._timing.wall.now())
        if self._market_data.too_old(age):
            await self._market_data.fetch([key])

    def inputs_now(
        self,
        intent: Intent,
        instrument: Instrument,
        clients: Iterable[ClientView],
        duplicates: Collection[int],
        looked_up: OfClients = NOT_LOOKED_UP,
        gathered: Gathered = NOT_GATHERED,
    ) -> PlanInputs:
        """What a plan of this intent would be made from at this moment; may be asked from any thread.

        Raises `BadInput` for a stop order whose trigger has been reached.
        """
        rules = self._rules
        now, market_now = self._timing.wall.now(), self._timing.market.now()
        data = self._market_data
        told_by = data.told_by(instrument.key, now)
        age, quote = data.age_by(instrument.key, told_by, now), data.quote_by(instrument.key, told_by)
        check_trigger(intent, quote.last_paise if quote else 0)
        planned = tuple(clients)
        limits = self._connections.limits(client.id for client in planned)
        brokers = {client.broker for client in planned}
        waits = intent.after_market  # for a session in which intraday buying begins anew
        over = {b: None if waits else self._timing.intraday_over(instrument.fno, b) for b in brokers}
        desk_halted = halt_file_stands(self._kept.halt_file) or any(
            halt.stops_desk for halt in self._kept.book.halts
        )
        return PlanInputs(
            now=now,
            market_now=market_now,
            trading_day=self._timing.market.trading_day,
            instrument=instrument,
            last_paise=quote.last_paise if quote else 0,
            bid_paise=quote.bid_paise if quote else 0,
            ask_paise=quote.ask_paise if quote else 0,
            lower_circuit_paise=quote.lower_circuit_paise if quote else 0,
            upper_circuit_paise=quote.upper_circuit_paise if quote else 0,
            price_age_s=age,
            phase_kind=self._timing.phase(instrument).kind,
            clients=tuple(
                self._client_input(client, instrument, duplicates, looked_up, gathered, over)
                for client in planned
            ),
            around=gathered.surroundings,
            max_order_quantity=limits.max_order_quantity,
            max_order_value_paise=limits.max_order_value_paise,
            most_slices=limits.most_slices,
            orders_per_second=limits.orders_per_second,
            policy=rules.policy,
            protection_bps=rules.protection_bps,
            price_age_limit_s=rules.price_age_limit_s,
            drift_limit_bps=rules.drift_limit_bps,
            mis_allowed=Product.MIS in limits.products,
            mis_until=self._timing.last_intraday_end(instrument.fno, brokers),
            limited_by=limits.limited_by,
            desk_halted=desk_halted,
            awaited_day=self._timing.awaited_day(),
            after_market=limits.after_market,
            priced_by=told_by,
            apart=data.apart(instrument.key, now),
        )

    def _client_input(
        self,
        client: ClientView,
        instrument: Instrument,
        duplicates: Collection[int],
        looked_up: OfClients,
        gathered: Gathered,
        over: Mapping[str, datetime | None],
    ) -> ClientInput:
        book = self._kept.book
        funds, found = book.funds[client.id], book.breaks.get(client.id, ())
        held = [h for h in book.holdings.get(client.id, ()) if h.security == instrument.security]
        halts = [halt for halt in book.halts if not halt.stops_desk]
        can, route = self._connections.capabilities(client.id), book.access.routes.get(client.id)
        venue = self._connections.broker_word(client.id)
        return ClientInput(
            client_id=client.id,
            code=client.code,
            name=client.name,
            broker=client.broker,
            base_paise=client.capital_paise,
            available_paise=funds.available_paise,
            status=client.status,
            status_reason=client.status_reason,
            status_since=client.status_since,
            session=client.session,
            route_verdict=client.route_verdict,
            consent_verdict=client.consent_verdict,
            consents_lacking=client.consents_lacking,
            authorised=client.authorised,
            authorised_shares=book.authorised.get(client.id, {}).get(instrument.security, 0),
            mtf_limit_paise=funds.mtf_limit_paise,
            mtf_loan_paise=funds.mtf_loan_paise,
            mtf_reserved_paise=funds.mtf_reserved_paise,
            mtf_agreed=route is None or route.mtf_enabled is not False,
            mtf_listed=self._first.lends_on(client.broker, instrument.key),
            holdings=tuple(
                HeldShares(
                    h.product,
                    free_to_sell(h, found, instrument.trade_to_trade),
                    h.quantity,
                    h.today,
                    brokers_quantity(h, found),
                )
                for h in held
            ),
            halt=strength_of(covering(halts, client, instrument.key)),
            reduce_only=bool(found),
            unread=next((one for one in found if one.kind is BreakKind.UNREAD), None),
            reconciled=client.id in book.reconciled,
            down_since=self._timing.in_market(book.down_since(client.id)),
            duplicate=client.id in duplicates,
            products=can.products,
            takes_after_market=can.after_market and self._timing.takes_after_market(client.broker),
            validities=can.validities,
            venue=venue,
            listing=None if can.lists_all else self._market_data.index.listing(venue, instrument.key),
            lists_all=can.lists_all,
            intraday_over=over[client.broker],
            discretionary=client.discretionary,
            ref=looked_up.refs.get(client.id, ""),
            multiplier_bps=client.multiplier_bps,
            portfolio_paise=(portfolio := looked_up.portfolios.get(client.id)),
            ordered=0 if portfolio is None else ordered_of(book, client.id, instrument.key),
            takes_disclosed=can.disclosed_quantity,
            pause=ClientPaused(client.paused_until, client.pause_reason) if client.paused else None,
            exposure=gathered.exposures.get(client.id),
        )

    async def _duplicates(self, intent: Intent, instrument: Instrument) -> frozenset[int]:
        """Clients for whom the same intent was sent within the duplicate window, or is still being sent."""
        async with self._kept.store.reader() as connection:
            return frozenset(
                await connection.run_sync(
                    lambda it: same_intent(
                        it, intent, instrument, self._timing.wall, self._engine, self._rules
                    )
                )
            )


def clients_of(made: Plan) -> frozenset[int]:
    """The clients who have a line in a plan, sent or skipped."""
    return frozenset(line.client_id for part in made.parts for line in part.lines)
