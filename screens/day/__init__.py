"""The day: every client's figures as they stand, what its close waits for, and the key that closes it."""
