"""Lists of instruments: watchlists and their columns, those of an index, and files of them."""
