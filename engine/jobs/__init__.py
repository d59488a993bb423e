"""Jobs: work that is asked for by a row of the books, claimed by whichever process does it, and done once."""
