"""Setting limits before the order, and showing which are over a client with how much of each is used."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import BPS, amount_words, grouped
from data.repositories.accounts.limits import StoredOrderLimit, add_limits
from data.store import Unit
from data.vocabulary import LimitKind, LimitScope, LimitStrength, LimitUnit
from engine.book.kept import Kept
from engine.book.reading import limits_now
from engine.book.watched.limit_views import LimitView
from engine.instances import ThisEngine
from engine.labels import known_label
from engine.planning.limits.gathering import LimitFigures
from engine.planning.limits.judging import strictest
from engine.planning.limits.typed import LimitWish

NEVER = 10**18
"""In the place of a figure that there is none of: nothing is beyond it."""


class LimitUse(Struct, frozen=True):
    """A limit over a client, what stands against it now, and whether it is the one that decides.

    `used` is None where nothing stands against it between orders, or that is not known.
    """

    limit: LimitView
    used: int | None
    decides: bool

    @property
    def used_bps(self) -> int | None:
        """The part of the limit that is used, in basis points of it."""
        if self.used is None or not self.limit.figure:
            return None
        return max(0, self.used) * BPS // self.limit.figure


class OrderLimits:
    """The limits of a desk. Each change is in the audit as it was and as it is.

    `may_loosen` raises a `Refusal` where who acts may only tighten.
    """

    def __init__(
        self, kept: Kept, engine: ThisEngine, figures: LimitFigures, may_loosen: Callable[[], object]
    ) -> None:
        self._kept = kept
        self._engine = engine
        self._figures = figures
        self._may_loosen = may_loosen

    def all(self) -> list[LimitView]:
        """Every limit, the desk's first, then by group and by client."""
        order = {scope: place for place, scope in enumerate(LimitScope)}
        kinds = {kind: place for place, kind in enumerate(LimitKind)}
        return sorted(
            self._kept.book.limits.all,
            key=lambda one: (order[one.scope], self.whose_words(one), kinds[one.kind], one.list_name),
        )

    def whose_words(self, limit: LimitView) -> str:
        """A client's code or a group's name; empty for the desk."""
        if limit.scope is not LimitScope.CLIENT:
            return limit.whose
        client = self._kept.book.clients.get(int(limit.whose)) if limit.whose.isdecimal() else None
        return limit.whose if client is None else client.code

    async def over(self, client_id: int) -> list[LimitUse]:
        """The limits over a client, each with what stands against it now."""
        limits = self._kept.book.limits.over(self._kept.book.clients[client_id])
        used = await self._figures.used(client_id)
        return [LimitUse(one, used(one), self._decides(one, limits)) for one in limits]

    def _decides(self, one: LimitView, limits: Sequence[LimitView]) -> bool:
        if one.figure is None:
            same = [each for each in limits if (each.kind, each.list_name) == (one.kind, one.list_name)]
            hard = [each for each in same if each.strength is LimitStrength.HARD]
            return one is (hard or same)[0]
        return any(one is found for pair in strictest(limits) for found in pair)

    async def set(self, wish: LimitWish) -> LimitView:
        """Set a limit, in the place of one of the same strength. Raises `BadInput`, a `Refusal`.

        What has no figure has one strength: another takes its place.
        """
        made = self._checked(wish)
        return await self._engine.write_signed_on(lambda unit: self._keep(unit, made))

    async def remove(self, wish: LimitWish) -> None:
        """Take a limit away, by its place and strength. Raises `BadInput` where none is, a `Refusal`."""
        found = self._checked(wish, figure=False)
        await self._engine.write_signed_on(lambda unit: self._drop(unit, found))

    # --- what is asked for ---

    def _checked(self, wish: LimitWish, figure: bool = True) -> LimitView:
        whose, kind = self._whose(wish), wish.kind
        if kind.together and wish.scope is LimitScope.CLIENT:
            single = kind.word.replace("total", "daily" if kind is LimitKind.TOTAL_LOSS else "").strip("-")
            raise BadInput("limit", kind.word, f"one client has {single}; give it to a group or the desk")
        if (kind is LimitKind.LIST) != bool(wish.list_name):
            words = "name the list" if kind is LimitKind.LIST else "only a limit of a list names one"
            raise BadInput("list", wish.list_name, words)
        if kind.unit is LimitUnit.NONE:
            if wish.figure is not None:
                raise BadInput("figure", wish.figure, f"{kind.word} has no figure")
        elif wish.strength is LimitStrength.OFF:
            raise BadInput("strength", "off", "take the limit away instead")
        elif figure:
            _check_figure(kind, wish.figure)
        if wish.strength is LimitStrength.OFF and wish.scope is not LimitScope.DESK:
            raise BadInput("strength", "off", "what the desk looks for is put off for the desk alone")
        return LimitView(wish.scope, whose, kind, wish.strength, wish.figure, wish.list_name)

    def _whose(self, wish: LimitWish) -> str:
        book, name = self._kept.book, wish.whose.strip()
        match wish.scope:
            case LimitScope.DESK:
                if name:
                    raise BadInput("desk", name, "the desk has no name")
                return ""
            case LimitScope.GROUP:
                return known_label(name, "group", book.groups())
            case LimitScope.CLIENT:
                found = book.by_code.get(name.upper()) or (int(name) if name.isdecimal() else 0)
                if found not in book.clients:
                    raise BadInput("client", name, "give the code of a client")
                return str(found)

    # --- in the transaction ---

    def _keep(self, unit: Unit, made: LimitView) -> LimitView:
        before = self._standing(unit, made)
        after = [one for one in before if made.figure is not None and one.strength is not made.strength]
        after.append(made)
        gone = [one for one in before if one.by and one.strength is not made.strength and one not in after]
        self._check_loosening(before, after)
        kept = [_stored(unit, self._engine.actor, one, one is not made) for one in (*gone, made)]
        add_limits(unit, kept)
        self._tell(unit, AuditAction.LIMIT_SET, made, before, after)
        return LimitView(
            made.scope,
            made.whose,
            made.kind,
            made.strength,
            made.figure,
            made.list_name,
            self._engine.actor,
            unit.now,
        )

    def _drop(self, unit: Unit, wanted: LimitView) -> None:
        before = self._standing(unit, wanted)
        found = [
            one
            for one in before
            if one.by and (wanted.kind.unit is LimitUnit.NONE or one.strength is wanted.strength)
        ]
        if not found:
            raise BadInput("limit", wanted.kind.word, "there is no such limit to take away")
        after = [one for one in before if one not in found]
        self._check_loosening(before, after)
        add_limits(unit, [_stored(unit, self._engine.actor, one, removed=True) for one in found])
        self._tell(unit, AuditAction.LIMIT_REMOVED, wanted, before, after)

    def _standing(self, unit: Unit, wanted: LimitView) -> list[LimitView]:
        limits = limits_now(unit, self._kept.book.limits)
        return [one for one in limits.all if one.place[:4] == wanted.place[:4]]

    def _check_loosening(self, before: Sequence[LimitView], after: Sequence[LimitView]) -> None:
        """Have who may only tighten do no more. Raises a `Refusal`."""
        was, now = _bounds(before), _bounds(after)
        if now[0] > was[0] or now[1] > was[1]:
            self._may_loosen()

    def _tell(
        self,
        unit: Unit,
        action: AuditAction,
        limit: LimitView,
        before: Sequence[LimitView],
        after: Sequence[LimitView],
    ) -> None:
        client_id = int(limit.whose) if limit.scope is LimitScope.CLIENT else None
        details = {
            "limit": limit.kind.value,
            **({"list": limit.list_name} if limit.list_name else {}),
            "of": limit.scope.value if not limit.whose else f"{limit.scope.value} {self.whose_words(limit)}",
            "before": _told(before),
            "after": _told(after),
        }
        unit.audit(AuditEntry(action, self._engine.actor, client_id, details=details))
        unit.touched.limits = True


def _check_figure(kind: LimitKind, figure: int | None) -> None:
    if figure is None:
        raise BadInput("figure", "", f"{kind.word} needs a figure")
    if figure <= 0:
        raise BadInput("figure", figure, "give a figure above zero")
    if kind in (LimitKind.STOCK, LimitKind.SECTOR, LimitKind.DAILY_LOSS_PERCENT) and figure > BPS:
        raise BadInput("figure", f"{figure / 100:g} %", "give at most 100 %")


def _bounds(limits: Sequence[LimitView]) -> tuple[int, int]:
    """From where on orders do not leave, and from where on not without a reason; `NEVER` for nowhere."""
    hard = soft = NEVER
    for one in limits:
        bound = 0 if one.figure is None else one.figure
        if one.strength is LimitStrength.HARD:
            hard = min(hard, bound)
        elif one.strength is LimitStrength.SOFT:
            soft = min(soft, bound)
    return hard, min(hard, soft)


def _told(limits: Sequence[LimitView]) -> str:
    """What stands in a place, for the audit: `hard 1,00,000.00`."""
    return ", ".join(f"{one.strength.value} {_figure(one)}".strip() for one in limits) or "none"


def _figure(limit: LimitView) -> str:
    if limit.figure is None:
        return ""
    match limit.kind.unit:
        case LimitUnit.PAISE:
            return amount_words(limit.figure)
        case LimitUnit.BPS:
            return f"{limit.figure / 100:g} %"
        case _:
            return grouped(limit.figure)


def _stored(unit: Unit, actor: str, limit: LimitView, removed: bool) -> StoredOrderLimit:
    return StoredOrderLimit(
        unit.take_ids("limit", 1)[0],
        limit.scope,
        limit.whose,
        limit.kind,
        limit.list_name,
        limit.strength,
        limit.figure,
        removed,
        actor,
        unit.now,
    )
