"""Words of the program itself: its keys, its looks, and what it says of its own faults."""
