"""Guards: the form of one, and the panel of all of them."""
