"""Changing and cancelling live orders, each asked for in a row of its own before the call."""
