"""Legs and whole intents as they come in: typed, out of a file, or saved under a name."""
