"""The market feed of one client and the order streams of all, with the feed's messages."""
