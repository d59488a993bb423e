"""What the local Upstox tells of orders, money and shares, as its rows."""
