"""The looks: dark, light, high contrast, colour-blind. The only place where a colour is written down.

`primary-muted` is the ground of the row under the cursor, `accent-muted` that of a figure that just changed:
figures are read on both in every colour.
"""

from textual.theme import Theme

DARK_VARIABLES = {
    "pnl-up": "#5fd38d",
    "pnl-down": "#ff7b7b",
    "side-buy": "#6cb6ff",
    "side-sell": "#ffa657",
    "stale": "#c9a227",
    "armed": "#ff5e6d",
    "live-mode": "#ff8c1a",
}
"""What our style sheets ask for beyond Textual's own variables; the dark theme's are the defaults."""

THEMES = (
    Theme(
        name="dark",
        primary="#4a90d9",
        secondary="#7a8fa6",
        accent="#8fb8de",
        warning="#e0b040",
        error="#ff6b6b",
        success="#5fd38d",
        foreground="#d6dde6",
        background="#10151c",
        surface="#161c25",
        panel="#1e2631",
        dark=True,
        variables={**DARK_VARIABLES, "primary-muted": "#1c3048", "accent-muted": "#22384c"},
    ),
    Theme(
        name="light",
        primary="#1f5fa8",
        secondary="#5a6b7d",
        accent="#2966a8",
        warning="#8a5a00",
        error="#b3261e",
        success="#1b7a3d",
        foreground="#1b222b",
        background="#f7f8fa",
        surface="#ffffff",
        panel="#e6eaef",
        dark=False,
        variables={
            "pnl-up": "#12703a",
            "pnl-down": "#b3261e",
            "side-buy": "#1556a0",
            "side-sell": "#a04a00",
            "stale": "#7a5c00",
            "armed": "#c4001a",
            "live-mode": "#ab4400",
            "primary-muted": "#d6e4f3",
            "accent-muted": "#d3e3f4",
        },
    ),
    Theme(
        name="high-contrast",
        primary="#00bfff",
        secondary="#ffffff",
        accent="#ffff00",
        warning="#ffff00",
        error="#ff5555",
        success="#00ff66",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#202020",
        dark=True,
        text_alpha=1.0,
        variables={
            "pnl-up": "#00ff66",
            "pnl-down": "#ff6666",
            "side-buy": "#66ccff",
            "side-sell": "#ffcc00",
            "stale": "#ffff00",
            "armed": "#ff4c64",
            "live-mode": "#ffaa00",
            "primary-muted": "#002b3a",
            "accent-muted": "#333300",
            "text-muted": "#d0d0d0",
        },
    ),
    Theme(
        name="colour-blind",
        primary="#56b4e9",
        secondary="#8da2b5",
        accent="#56b4e9",
        warning="#e69f00",
        error="#e69f00",
        success="#56b4e9",
        foreground="#d9dfe6",
        background="#10151c",
        surface="#161c25",
        panel="#1e2631",
        dark=True,
        variables={
            "pnl-up": "#56b4e9",
            "pnl-down": "#e69f00",
            "side-buy": "#56b4e9",
            "side-sell": "#e69f00",
            "stale": "#f0e442",
            "armed": "#de8138",
            "live-mode": "#f0e442",
            "primary-muted": "#1a3346",
            "accent-muted": "#1c384c",
        },
    ),
)
"""The themes a trader may choose, the default first. Colour-blind keeps to blue and orange."""
