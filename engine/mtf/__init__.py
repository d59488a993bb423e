"""Shares on margin: what is lent and costs, how far they may fall until a call, what is pledged."""
