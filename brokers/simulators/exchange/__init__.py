"""The paper exchange: a small real exchange for the demo universe, in a database of its own."""
