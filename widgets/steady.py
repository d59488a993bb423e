"""Text that is set anew in every frame and mostly stays the same."""

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static


class SteadyStatic(Static):
    """A Static that neither lays out nor paints while what it is given is what it shows."""

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show `content`, unless the same text with the same styles is shown already."""
        shown = self.content
        if isinstance(content, Content) and isinstance(shown, Content) and shown.is_same(content):
            return
        super().update(content, layout=layout)
