"""What is said where the colours of the screen are chosen."""

SAMPLE = (
    ("+1,208 up", "$pnl-up"),
    ("-1,208 down", "$pnl-down"),
    ("BUY", "$side-buy"),
    ("SELL", "$side-sell"),
    ("14s stale", "$stale italic"),
    ("F9 AGAIN", "$armed bold"),
    ("LIVE", "$live-mode bold"),
    ("warning", "$text-warning"),
)
"""A word in each colour that means something, with its style."""

OWN_THEMES = "your own: themes/NAME.toml in the home, read again whenever you save it"
"""Where a trader's own themes are."""


def more_complaints(count: int) -> list[str]:
    """That there are more than the one that is told; nothing where there are none."""
    return [f"and {count} more: `tradedesk config` names them"] if count > 0 else []
