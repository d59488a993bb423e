"""What Kite answers, read row by row into the words of the contract."""
