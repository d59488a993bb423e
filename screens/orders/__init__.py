"""Workspace 3: the blotter, an order's life, and changing, cancelling and settling it."""
