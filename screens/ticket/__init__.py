"""The ticket for one order, and its review."""
