"""Clients and their accounts, as stored: how each is reached, balances, and what brokers say of them."""
