"""The built-in paper exchange: a small real exchange for the demo universe."""
