"""The limits before the order, with how much of each is used, and the lists of shares."""
