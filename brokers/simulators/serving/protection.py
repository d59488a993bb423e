"""How far a market order may trade where a broker protects it by itself (a post of Upstox's staff)."""

_BANDS_BPS = ((50_00, 300), (500_00, 200), (10_000_00, 100))
"""What automatic protection allows below a price in paise; above the last of them half a percent."""


def automatic_band_bps(last_paise: int) -> int:
    """How far from the last price an order with automatic protection may trade, in basis points."""
    return next((bps for below, bps in _BANDS_BPS if last_paise < below), 50)
