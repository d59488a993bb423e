"""What apps under test need not do again and again: parse their style sheets, and draw what nobody looks at.

Every app has the same sheets, and Textual parses them for each screen. It draws with each layout, too: a
screen that opens is drawn five times, and what is drawn at rest is what stays at a terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.tokenizer import Token


class _Parsed:
    """Rules that were parsed, by their text and the variables that it was parsed with."""

    def __init__(self) -> None:
        self._parse = parse
        self._rules: dict[object, list[RuleSet]] = {}
        self._variables: Mapping[str, Sequence[Token]] = {}
        self._values: object = ()

    def __call__(
        self, scope: str, css: str, *, variable_tokens: dict[str, list[Token]], read_from: Any, **named: Any
    ) -> list[RuleSet]:
        if variable_tokens is not self._variables:
            self._variables = variable_tokens
            self._values = tuple(
                (name, *(token.value for token in tokens)) for name, tokens in variable_tokens.items()
            )
        key = (scope, css, read_from, self._values, *named.items())
        if key not in self._rules:
            parsed = self._parse(scope, css, read_from, variable_tokens=variable_tokens, **named)
            self._rules[key] = list(parsed)
        return self._rules[key]


_PARSED = _Parsed()


@contextmanager
def parsed_once() -> Iterator[None]:
    """While it is open, a sheet that was parsed is not parsed again."""

    def parse_once(scope: str, css: str, read_from: Any, **named: Any) -> list[RuleSet]:
        return _PARSED(scope, css, read_from=read_from, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylesheet, "parse", parse_once)
        patch.setattr(RuleSet, "__hash__", object.__hash__)  # by identity, as its own, without a call a rule
        yield


class Drawing:
    """Whether apps draw: `on` is what `drawn_at_rest` turns off, and a bench on while it looks."""

    on = True


@contextmanager
def drawn_at_rest() -> Iterator[None]:
    """While it is open, compositors keep what is to be drawn until somebody draws, or wants all of it."""
    render_update = Compositor.render_update

    def render(compositor: Compositor, full: bool = False, **named: Any) -> Any:
        return render_update(compositor, full, **named) if full or Drawing.on else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compositor, "render_update", render)
        patch.setattr(Drawing, "on", False)
        yield


@contextmanager
def drawing() -> Iterator[None]:
    """While it is open, apps draw as they do at a terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Drawing, "on", True)
        yield
