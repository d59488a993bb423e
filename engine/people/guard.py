"""The facade of a desk for people: each service with what it takes to use each part of it asked first.

`engine.people.facade` is the table of that. What it does not name is not there for people.
"""

import inspect
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

from msgspec import Struct

from data.acting import Actor, acting
from data.vocabulary import Right
from data.writing.condition import only_if
from engine.book.book import Book
from engine.people.scoping import NAME_CLIENTS
from engine.people.who import WhoActs
from engine.refusals import Forbidden

S = TypeVar("S")

Of = Callable[..., Collection[int] | None]
"""Of which clients a call is, by the book and its arguments; None where it is of the whole desk."""

Keep = Callable[[Any, frozenset[int], Book], Any]
"""What a scope of clients leaves of a result."""

Narrow = Callable[[Any, frozenset[int], tuple[Any, ...]], tuple[Any, ...]]
"""The arguments of a call as a scope of clients narrows them, by the service that is called."""


Instead = Callable[[Any, frozenset[int], Book], Any]
"""What a scope of clients has asked of a service instead of what is summed over all of them."""

Also = Callable[..., Right | None]
"""The right that a call takes beside its rule's, by the service and its arguments; None for no more."""

First = Callable[..., Any]
"""What is looked at first, by a service and its call's arguments, where these say not whose it is."""


class Rule(Struct, frozen=True):
    """What it takes to use one part of a service, and how a scope of clients bears on it.

    Without a right it is there for anybody, signed in or not. With `first` that is what `result_of` is asked
    of, before anything is done. `goes_on_by` has the rules of what it returns, where that acts later. `signs`
    is the place of the name under which it is kept: whoever is signed in does it under theirs. `also` says
    which right a call takes beside it.
    """

    right: Right | None
    of: Of | None = None
    keep: Keep | None = None
    result_of: Of | None = None
    narrow: Narrow | None = None
    instead: Instead | None = None
    first: First | None = None
    goes_on_by: Mapping[str, "Rule"] | None = None
    signs: int | None = None
    also: Also | None = None


_Admitted = tuple[Actor | None, frozenset[int] | None, tuple[Any, ...], Mapping[str, Any]]

_Given = tuple[tuple[Any, ...], Mapping[str, Any]]

Rules = Mapping[str, Rule]


def guarded(service: S, name: str, rules: Rules, who: WhoActs, book: Book) -> S:
    """A service as people may use it."""
    return cast(S, Guarded(service, name, rules, who, book))


class Guarded:
    """One service behind its rules; where the home has no people, as if it were the service itself."""

    def __init__(self, service: Any, name: str, rules: Rules, who: WhoActs, book: Book) -> None:
        vars(self).update(_service=service, _name=name, _rules=rules, _who=who, _book=book)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._service, name)
        if name.startswith("_"):
            return value
        rule = self._rules.get(name)
        if not callable(value):
            return value if not self._who.asked else self._looked_at(name, rule, value)
        call = _Call(self, name, rule, value)
        made = call.waited_for if inspect.iscoroutinefunction(value) else call.at_once
        vars(self)[name] = made
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self).pop(name, None)
        setattr(self._service, name, value)

    def _looked_at(self, name: str, rule: Rule | None, value: Any) -> Any:
        return _Call(self, name, rule, lambda: value).at_once()

    def parts(self) -> tuple[str, Rules, WhoActs, Book, Any]:
        """What its calls are made of."""
        return self._name, self._rules, self._who, self._book, self._service


class _Call:
    """One part of a service, with its rule asked before each use."""

    def __init__(self, guard: Guarded, name: str, rule: Rule | None, method: Callable[..., Any]) -> None:
        service, _, self._who, self._book, self._service = guard.parts()
        self._what = f"{service}.{name}"
        self._rule = rule
        self._method = method

    def at_once(self, *given: Any, **by_name: Any) -> Any:
        """Use it; nothing is waited for. Raises a `Forbidden`."""
        who = self._who
        if not who.asked or who.is_desk_itself():
            return self._method(*given, **by_name)
        try:
            actor, scope, given, named = self._admitted(given, by_name)
            with self._in_name_of(actor):
                return self._kept(self._done(given, named, scope), scope)
        except Forbidden as refusal:
            who.refused_soon(self._what, refusal)

    async def waited_for(self, *given: Any, **by_name: Any) -> Any:
        """Use it. Raises a `Forbidden`; then nothing was written."""
        who = self._who
        if not who.asked or who.is_desk_itself():
            return await self._method(*given, **by_name)
        try:
            actor, scope, given, named = self._admitted(given, by_name)
            await self._look_first(scope, given, named)
            with self._in_name_of(actor):
                result = await self._method(*given, **named)
                return self._kept(result, who.scope())  # it may have changed meanwhile
        except Forbidden as refusal:
            await who.refused(self._what, refusal)

    def _done(self, given: tuple[Any, ...], named: Mapping[str, Any], scope: frozenset[int] | None) -> Any:
        rule = self._rule
        if scope is None or rule is None or rule.instead is None:
            return self._method(*given, **named)
        return rule.instead(self._service, scope, self._book)

    def _admitted(self, given: tuple[Any, ...], named: Mapping[str, Any]) -> _Admitted:
        """Who may use it, None for anybody; for which clients; and with what. Raises a `Forbidden`."""
        rule, who = self._rule, self._who
        if rule is None:
            raise AttributeError(f"{self._what} is the desk's own: no right lets anybody use it")
        if rule.right is None:
            return None, who.scope(), given, named
        actor = who.require(rule.right)
        if rule.also is not None and (more := rule.also(self._service, *given, **named)) is not None:
            actor = who.require(more)
        scope = who.scope()
        if rule.signs is not None and who.is_seated:
            given, named = self._in_their_places(given, named)
            given = (*given[: rule.signs], actor.name, *given[rule.signs + 1 :])
        if scope is not None and rule.right is not Right.HALT:
            given, named = self._in_their_places(given, named)
            if rule.narrow is not None:
                given = rule.narrow(self._service, scope, given)
            if rule.of is not None:
                named_by_them = rule.of in NAME_CLIENTS
                who.require_scope(rule.right, rule.of(self._book, *given, **named), named_by_them)
        return actor, scope, given, named

    def _in_their_places(self, given: tuple[Any, ...], named: Mapping[str, Any]) -> _Given:
        """Arguments in the order in which the method names them: a rule goes by their places."""
        if not named:
            return given, named
        bound = inspect.signature(self._method).bind(*given, **named)
        return bound.args, bound.kwargs

    async def _look_first(
        self, scope: frozenset[int] | None, given: tuple[Any, ...], named: Mapping[str, Any]
    ) -> None:
        """Have what the call names be of the scope, where only a look tells. Raises `OutOfScope`."""
        rule = self._rule
        if scope is None or rule is None or rule.first is None or rule.result_of is None:
            return
        found = rule.first(self._service, *given, **named)
        found = await found if inspect.isawaitable(found) else found
        self._who.require_scope(rule.right or Right.LOOK, rule.result_of(self._book, found))

    @contextmanager
    def _in_name_of(self, actor: Actor | None) -> Generator[None]:
        """Within it who acts does so by name, and may write as long as their sign-in stands."""
        right = None if self._rule is None else self._rule.right
        if actor is None or right is None:
            yield
        elif right is Right.HALT or not actor.sign_in:
            with acting(actor):
                yield
        else:
            with acting(actor), only_if(partial(self._who.asked_again, actor, right)):
                yield

    def _kept(self, result: Any, scope: frozenset[int] | None) -> Any:
        """What of a result a scope leaves. Raises `OutOfScope`."""
        rule = self._rule
        if rule is None:
            return result
        if rule.goes_on_by is not None:
            return guarded(result, self._what, rule.goes_on_by, self._who, self._book)
        if scope is None:
            return result
        if rule.result_of is not None and rule.first is None:
            self._who.require_scope(rule.right or Right.LOOK, rule.result_of(self._book, result))
        return result if rule.keep is None else rule.keep(result, scope, self._book)
