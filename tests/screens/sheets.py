"""Style sheets parsed once a process: every app has the same, and Textual parses them for each screen."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
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


@contextmanager
def parsed_once() -> Iterator[None]:
    """While it is open, a sheet that was parsed is not parsed again."""
    parsed = _Parsed()

    def parse_once(scope: str, css: str, read_from: Any, **named: Any) -> list[RuleSet]:
        return parsed(scope, css, read_from=read_from, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylesheet, "parse", parse_once)
        patch.setattr(RuleSet, "__hash__", object.__hash__)  # by identity, as its own, without a call a rule
        yield
