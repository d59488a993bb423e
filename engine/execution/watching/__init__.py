"""Watching the brokers' order books, and what their reads prove of calls that no answer ended."""
