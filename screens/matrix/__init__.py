"""Workspace 5: clients down, the legs of a basket or the stocks held across."""
