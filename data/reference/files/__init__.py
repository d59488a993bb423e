"""Files that exchanges, brokers and the desk itself give to be read, each in its own form, row by row."""
