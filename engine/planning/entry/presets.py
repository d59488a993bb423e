"""Wishes under names: intents that a trader asks for again and again, saved for the next time."""

from datetime import datetime

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.records import replace
from data.repositories.saved.presets import (
    StoredPreset,
    preset_names,
    put_preset,
    read_presets,
    remove_preset,
)
from data.store import GateMode, Unit
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.labels import begun_label, known_label, label_from, same_label
from engine.planning.intent import Intent
from engine.planning.plan_record import intent_from_json, intent_to_json


class Preset(Struct, frozen=True):
    """A saved intent, who saved it and when."""

    name: str
    intent: Intent
    saved_by: str
    saved_at: datetime


class Presets:
    """Saves, lists and removes presets; a plan is made of one's intent, anew each time."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine

    async def all(self) -> list[Preset]:
        """The presets, by name."""
        async with self._kept.store.reader() as reader:
            rows = await read_presets(reader)
        return [Preset(row.name, intent_from_json(row.body), row.saved_by, row.saved_at) for row in rows]

    async def get(self, name: str) -> Preset:
        """The preset of a name, or of a beginning that no other has. Raises `BadInput` with the nearest."""
        known = {one.name: one for one in await self.all()}
        return known[begun_label(name, "preset", list(known))]

    async def save(self, name: str, intent: Intent) -> bool:
        """Keep an intent of one leg under a name; returns whether it replaces another. Raises `BadInput`.

        Changes by hand, an instruction and insisting on the same again are of one plan and are not kept.
        """
        if intent.in_legs:
            raise BadInput("preset", name, "save several legs as a basket")
        wanted = label_from(name, "preset")
        body = intent_to_json(replace(intent, line_changes=(), again=False, ref=""))

        def unit_of_work(unit: Unit) -> bool:
            actor = self._engine.actor
            known = same_label(wanted, preset_names(unit)) or wanted
            replaced = put_preset(unit, StoredPreset(known, body, actor, unit.now))
            details = {"preset": known, "key": intent.key, "replaced": replaced}
            unit.audit(AuditEntry(AuditAction.PRESET_SAVED, actor, details=details))
            return replaced

        return await self._kept.store.write(unit_of_work, GateMode.ALONE)

    async def remove(self, name: str) -> None:
        """Forget a preset. Raises `BadInput` where none has the name."""

        def unit_of_work(unit: Unit) -> None:
            known = known_label(name, "preset", preset_names(unit))
            remove_preset(unit, known)
            details: dict[str, object] = {"preset": known}
            unit.audit(AuditEntry(AuditAction.PRESET_REMOVED, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work, GateMode.ALONE)
