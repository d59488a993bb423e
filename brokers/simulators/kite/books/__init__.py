"""What the local Kite keeps: orders and their history, conditionals, holdings, and all as Kite rows."""
