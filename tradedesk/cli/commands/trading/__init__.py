"""Orders, lists of them, runs, flattens and conversions from the command line."""
