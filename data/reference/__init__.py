"""What the market and the brokers say of themselves: instruments and their names, phases, rates, files."""
