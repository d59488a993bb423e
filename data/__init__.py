"""Vocabulary, clock, tables, the store and its single writer, the ledger and the audit chain."""
