"""Models as the desk keeps them: imported from files, changed version by version, never overwritten."""

from collections.abc import Callable
from pathlib import Path

from msgspec import to_builtins

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.json_values import JsonObject
from data.records import replace
from data.repositories.saved.models import StoredModel, add_version, newest_models, read_models, read_versions
from data.store import GateMode, Unit
from data.vocabulary import ModelException
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.labels import known_label, label_from, same_label
from engine.market.market_data import MarketData
from engine.rebalancing.asked import NO_EXCEPTION
from engine.rebalancing.model import ClientException, Model, ModelRules, body_of, check_rules, model_of
from engine.rebalancing.model_files import targets_from_file
from engine.timing import Timing


class Models:
    """Imports, lists and changes models; each change is a version of its own."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, market_data: MarketData) -> None:
        self._kept, self._clock = kept, timing.wall
        self._engine, self._market_data = engine, market_data

    async def all(self) -> list[Model]:
        """The newest version of each model that is not retired, by name."""
        async with self._kept.store.reader() as reader:
            return [made for one in await read_models(reader) if not (made := _model(one)).retired]

    async def get(self, name: str) -> Model:
        """The newest version of a model, in any letter case. Raises `BadInput` with the nearest names."""
        known = {one.name: one for one in await self.all()}
        return known[known_label(name, "model", list(known))]

    async def versions(self, name: str) -> list[Model]:
        """All versions of a model, the newest first. Raises `BadInput` as `get` does."""
        known = await self.get(name)
        async with self._kept.store.reader() as reader:
            return [_model(one) for one in await read_versions(reader, known.name)]

    async def import_file(self, path: Path, name: str, rules: ModelRules | None = None) -> Model:
        """Keep the targets of a CSV file as a model's newest version; its exceptions stay.

        Without rules those of the version before stay too. Raises `FileProblem` with every row that cannot be
        taken, or `BadInput`; then nothing is kept.
        """
        wanted = label_from(name, "model")
        if rules is not None:
            check_rules(rules)
        targets = targets_from_file(path, self._market_data.index)

        def change(before: Model | None) -> Model:
            kept = before if before is not None and not before.retired else None
            return Model(
                name=before.name if before else wanted,
                version=0,
                targets=targets,
                rules=rules or (kept.rules if kept else ModelRules()),
                exceptions=kept.exceptions if kept else (),
                saved_by="",
                saved_at=self._clock.now(),
            )

        return await self._keep(wanted, change, {"file": path.name, "stocks": len(targets)})

    async def set_rules(self, name: str, rules: ModelRules) -> Model:
        """Have a model be kept by these rules from now on. Raises `BadInput`."""
        check_rules(rules)
        what = {"rules": to_builtins(rules)}
        return await self._change(name, lambda model: replace(model, rules=rules), what)

    async def set_exception(self, client_id: int, name: str, key: str, does: ModelException | None) -> Model:
        """Say what a model does not do for a client in a stock, None for nothing. Raises `BadInput`."""
        if client_id not in self._kept.book.clients:
            raise BadInput("client", client_id, "no client has this id")

        def change(model: Model) -> Model:
            index = self._market_data.index
            named = next((one.key for one in model.targets if key in (one.key, index.key_now(one.key))), None)
            if named is None:
                raise BadInput("symbol", key, f"give a stock of {model.title}")
            others = [one for one in model.exceptions if (one.client_id, one.key) != (client_id, named)]
            added = [ClientException(client_id, named, does)] if does is not None else []
            return replace(model, exceptions=tuple(sorted([*others, *added], key=_place)))

        what: JsonObject = {"key": key, "does": does.value if does else NO_EXCEPTION}
        return await self._change(name, change, what, client_id)

    async def retire(self, name: str) -> None:
        """Have a model be used no more; its versions stay. Raises `BadInput`."""
        await self._change(name, lambda model: replace(model, retired=True), {"retired": True})

    async def _change(
        self, name: str, change: Callable[[Model], Model], what: JsonObject, client_id: int | None = None
    ) -> Model:
        def known(before: Model | None) -> Model:
            if before is None or before.retired:
                raise BadInput("model", name, "no model has this name")
            return change(before)

        return await self._keep((await self.get(name)).name, known, what, client_id)

    async def _keep(
        self,
        name: str,
        change: Callable[[Model | None], Model],
        what: JsonObject,
        client_id: int | None = None,
    ) -> Model:
        """Keep what a change makes of the newest version; `what` is told to the audit, of that client."""

        def unit_of_work(unit: Unit) -> Model:
            newest = {one.name: one for one in newest_models(unit)}
            same = same_label(name, list(newest))
            before = _model(newest[same]) if same else None
            made = replace(
                change(before),
                version=1 + (before.version if before else 0),
                saved_by=self._engine.actor,
                saved_at=unit.now,
            )
            add_version(
                unit, StoredModel(made.name, made.version, body_of(made), made.saved_by, made.saved_at)
            )
            details: JsonObject = {"model": made.name, "version": made.version, **what}
            unit.audit(AuditEntry(AuditAction.MODEL_KEPT, self._engine.actor, client_id, details=details))
            return made

        return await self._kept.store.write(unit_of_work, GateMode.ALONE)


def _place(one: ClientException) -> tuple[int, str]:
    return one.client_id, one.key


def _model(stored: StoredModel) -> Model:
    return model_of(stored.name, stored.version, stored.body, stored.saved_by, stored.saved_at)
