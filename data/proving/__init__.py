"""What speaks for the books and against them: proofs of rows, balances derived again, the chain verified."""
