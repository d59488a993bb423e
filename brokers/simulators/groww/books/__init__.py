"""What the local Groww tells of orders, money and shares, as its rows."""
