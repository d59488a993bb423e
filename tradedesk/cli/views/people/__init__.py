"""The JSON shapes of clients and of who works here."""
