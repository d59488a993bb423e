"""Each client's connection to Groww's feed, the prices that are polled while none stands, and its
messages."""
