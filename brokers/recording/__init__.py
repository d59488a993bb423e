"""A day in a file: written while it comes, read again as a market that an exchange follows."""
