"""The plan service: gathers the inputs of a plan from the running desk, freezes and stores plans."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import timedelta
from math import ceil

from msgspec import Struct

from brokers.pacing import eta_s
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import moved_beyond, moved_bps
from data.records import replace
from data.reference.instruments import Instrument
from data.repositories.accounts.instructions import instructions_between, keep_instruction
from data.repositories.trading.plans import StoredPlan, add_plan, plans_of_digest, read_plan
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
from engine.planning.of_clients import NOT_LOOKED_UP, REF_KEPT, OfClients, of_clients, ordered_of
from engine.planning.plan import Plan, PlanLine
from engine.planning.plan_record import freeze, from_json, stored_legs, to_json, verify_record
from engine.planning.selecting import selected
from engine.planning.what_if import WhatIf, what_if
from engine.planning.why import ClientPaused
from engine.rules import SHOWN_DIGITS, Rules
from engine.timing import Timing


class AskedFirst(Struct, frozen=True):
    """What is asked before a plan is made: clients' books, margins, the line for it, a portfolio's value.

    `line` is what would be typed for an intent, None where no line is short enough or says it.
    """

    books: Callable[[Collection[int]], Awaitable[None]]
    margins: Margins
    line: Callable[[Intent], str | None]
    portfolio: Callable[[int], int]


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
            add_plan(unit, self._as_stored(frozen, intent), stored_legs(frozen))
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
                    }
                    | ({} if line is None else {"line": line}),
                )
            )
            if intent.ref:
                named = {line.client_id for line in frozen.ok_lines}
                keep_instruction(unit, named, intent.ref, unit.now)
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

    def _as_stored(self, frozen: Plan, intent: Intent) -> StoredPlan:
        assert frozen.number is not None
        assert frozen.frozen_at is not None
        assert frozen.expires_at is not None
        return StoredPlan(
            number=frozen.number,
            digest=frozen.digest,
            frozen_at=frozen.frozen_at,
            expires_at=frozen.expires_at,
            actor=self._engine.actor,
            title=frozen.title,
            side=intent.side,
            key=intent.key,
            sizing=intent.sizing.kind,
            sizing_value=intent.sizing.value,
            body=to_json(frozen),
        )

    def _timed(self, made: Plan) -> Plan:
        """The plan with the seconds that the budgets of its accounts and api keys need, and may take."""
        calls = {
            client_id: count for client_id, count in made.calls.items() if self._connections.serves(client_id)
        }
        needed = ceil(eta_s(calls, self._connections.lane, self._timing.wall.now()))
        sending_s = max(1, needed) if made.orders else 0
        return replace(made, sending_s=sending_s, send_within_s=send_within_s(sending_s, self._rules))

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
        quote = self._market_data.quotes.quote(made.instrument.key)
        return None if quote is None else moved_bps(made.last_paise, quote.last_paise)

    def drifted(self, made: Plan) -> bool:
        """Whether the last price is known and further from the plan's than the plan allows."""
        quote, limit = self._market_data.quotes.quote(made.instrument.key), made.drift_limit_bps
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
        portfolio, data = self._first.portfolio, self._market_data
        looked_up = await of_clients(intent, clients, self._kept, self._timing, data, portfolio)
        return self.inputs_now(intent, instrument, clients, duplicates, looked_up)

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
    ) -> PlanInputs:
        """What a plan of this intent would be made from at this moment; may be asked from any thread.

        Raises `BadInput` for a stop order whose trigger has been reached.
        """
        rules = self._rules
        now, market_now = self._timing.wall.now(), self._timing.market.now()
        age = self._market_data.quotes.age(instrument.key, now)
        quote = self._market_data.quotes.quote(instrument.key)
        check_trigger(intent, quote.last_paise if quote else 0)
        planned = tuple(clients)
        limits = self._connections.limits(client.id for client in planned)
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
            phase_kind=self._timing.calendar.phase(market_now, instrument.fno).kind,
            clients=tuple(
                self._client_input(client, instrument, duplicates, looked_up) for client in planned
            ),
            max_order_quantity=limits.max_order_quantity,
            max_order_value_paise=limits.max_order_value_paise,
            most_slices=limits.most_slices,
            orders_per_second=limits.orders_per_second,
            policy=rules.policy,
            protection_bps=rules.protection_bps,
            price_age_limit_s=rules.price_age_limit_s,
            drift_limit_bps=rules.drift_limit_bps,
            mis_allowed=Product.MIS in limits.products,
            mis_until=self._timing.intraday_end(instrument.fno),
            desk_halted=desk_halted,
            awaited_day=self._timing.awaited_day(),
            after_market=limits.after_market,
        )

    def _client_input(
        self,
        client: ClientView,
        instrument: Instrument,
        duplicates: Collection[int],
        looked_up: OfClients,
    ) -> ClientInput:
        book = self._kept.book
        funds = book.funds[client.id]
        held = [h for h in book.holdings.get(client.id, ()) if h.security == instrument.security]
        found = book.breaks.get(client.id, ())
        halts = [halt for halt in book.halts if not halt.stops_desk]
        can = self._connections.capabilities(client.id)
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
            authorised=client.authorised,
            authorised_shares=book.authorised.get(client.id, {}).get(instrument.security, 0),
            mtf_limit_paise=funds.mtf_limit_paise,
            mtf_loan_paise=funds.mtf_loan_paise,
            mtf_reserved_paise=funds.mtf_reserved_paise,
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
            duplicate=client.id in duplicates,
            products=can.products,
            takes_after_market=can.after_market,
            unlisted_at=self._unlisted_at(client, instrument),
            discretionary=client.discretionary,
            ref=looked_up.refs.get(client.id, ""),
            multiplier_bps=client.multiplier_bps,
            portfolio_paise=(portfolio := looked_up.portfolios.get(client.id)),
            ordered=0 if portfolio is None else ordered_of(book, client.id, instrument.key),
            takes_disclosed=can.disclosed_quantity,
            pause=ClientPaused(client.paused_until, client.pause_reason) if client.paused else None,
        )

    def _unlisted_at(self, client: ClientView, instrument: Instrument) -> str:
        """The broker by which a client trades, where it does not list the instrument; else empty."""
        connection = self._kept.book.carrier_of(client.id)
        if connection is None or connection.capabilities.lists_all:
            return ""
        broker = connection.broker.name
        return "" if self._market_data.index.lists(broker, instrument.key) else broker

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


def send_within_s(sending_s: int, rules: Rules) -> int:
    """How long a run's orders may still leave after its confirmation: half as long again as they need."""
    return round(min(max(rules.send_at_least_s, 1.5 * sending_s + 15), rules.send_at_most_s))


def clients_of(made: Plan) -> frozenset[int]:
    """The clients who have a line in a plan, sent or skipped."""
    return frozenset(line.client_id for part in made.parts for line in part.lines)


def narrowed(intent: Intent, client_ids: Iterable[int], title: str) -> Intent:
    """The same intent for these clients only."""
    return replace(intent, selection=Selection(client_ids=tuple(client_ids), title=title))
