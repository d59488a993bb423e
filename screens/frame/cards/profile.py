"""The one question of a first start: whose keys the trader's hands know, and whether F9 arrives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content

from engine.words.program.profiles import (
    F9_ARRIVED,
    F9_NOT_SEEN,
    F9_ODIN_WORDS,
    F9_WORDS,
    PROFILE_WORDS,
    TRY_F9,
)
from screens.frame.dock import Card
from widgets.choicefield import ChoiceField
from widgets.keyline import KeyHint
from widgets.statusstrip import StatusStrip
from widgets.steady import SteadyStatic

ODIN = "odin"
"""The profile of hands to which F9 is something else."""


class ProfileCard(Card[str]):
    """Choose a profile of keys; closes with its name, or with none after Esc."""

    TITLE_WORDS = "Keys"
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, profiles: Sequence[str], chosen: str) -> None:
        super().__init__()
        self._profiles = tuple(profiles)
        self._chosen = chosen
        self._arrived = False
        self.rows = 4

    def compose(self) -> ComposeResult:
        """The choice, what it means, and what F9 does."""
        with Horizontal(classes="row"):
            yield SteadyStatic("your hands know the keys of")
            yield ChoiceField(self._profiles, self._chosen, id="profile")
            yield KeyHint(" ←→ choose  Enter takes  Esc plain")
        yield SteadyStatic(id="profile-words")
        yield SteadyStatic(id="profile-f9")
        yield SteadyStatic(id="profile-try")

    def title(self) -> str:
        """What is asked."""
        return "KEYS: which terminal do you come from?   :profile changes it later"

    def begin(self) -> None:
        """In the choice."""
        self.query_one(ChoiceField).focus()
        self._paint()

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        """Say what another profile is."""
        event.stop()
        self._paint()

    def on_choice_field_submitted(self, event: ChoiceField.Submitted) -> None:
        """Take it."""
        event.stop()
        self.shell.after_key(partial(self.close, event.value))

    def on_frame(self) -> None:
        """See whether F9 has come."""
        strip = self.screen.query_one(StatusStrip)
        if not self._arrived and strip.mode == "armed":
            self._arrived = True
            self._paint()

    def _paint(self) -> None:
        profile = self.query_one(ChoiceField).value
        self._say("profile-words", PROFILE_WORDS[profile])
        self._say("profile-f9", F9_ODIN_WORDS if profile == ODIN else F9_WORDS)
        self._say("profile-try", f"{TRY_F9} {F9_ARRIVED if self._arrived else F9_NOT_SEEN}")

    def _say(self, place: str, words: str) -> None:
        self.query_one(f"#{place}", SteadyStatic).update(Content(words))
