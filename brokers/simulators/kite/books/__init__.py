"""What the local Kite keeps beside orders, and how it tells orders, money and shares in Kite's rows."""
