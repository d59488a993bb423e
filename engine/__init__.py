"""The Desk: everything that decides. No Textual, no HTTP, no SQL dialect."""
