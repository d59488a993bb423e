"""Guards: what a day's loss or gain of a set of positions blocks, or takes flat once, how it is counted."""
