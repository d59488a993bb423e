"""The core of the books: orders, lots, states and fills, and how a broker's facts change them."""
