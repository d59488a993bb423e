"""What every commit writes beside its own rows: numbers, changes, audit; and whose turn it is to write."""
